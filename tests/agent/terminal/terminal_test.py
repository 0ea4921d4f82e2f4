#!/usr/bin/env python3
"""Sessions in a real terminal: tmux runs the program, types, and looks at the screen.

Usage: terminal_test.py --list
       terminal_test.py BUILD_DIR SOURCE_DIR [TEST...]

Waiting is polling for what has to appear, with a deadline. Most tests use a scripted model
(scripted_agent.cc), which does what a message says.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import time

sys.dont_write_bytecode = True  # beside the sources

import ends
import servers
from terminal import BROKEN, FIXED, IDLE, TESTS, Failure, Terminal, check, piped, test, until

assert ends and servers  # they have tests of their own


@test
def a_message_is_answered_on_80x24():
    with Terminal() as terminal:
        terminal.start()
        terminal.wait("model: scripted")
        lines = terminal.screen().split("\n")
        check(all(len(line) <= 80 for line in lines), "a line is too long")
        terminal.do("say Hello **world**, this is `code`.", "Hello world, this is code.")
        screen = terminal.screen()
        check("> say Hello **world**" in screen, screen)
        meter = r"scripted \| ask \| main \| [\d,]+/1,048,576 tokens \(0\.\d%\)"
        check(re.search(meter, screen), screen)
        terminal.do("/context", "repository: 2 files whole")


@test
def words_are_folded_at_the_edge():
    with Terminal() as terminal:
        terminal.start()
        terminal.do("say " + "wordy " * 30 + "end", "wordy end")
        text = [line for line in terminal.screen().split("\n") if line.startswith("wordy")]
        check(len(text) == 3 and all(re.fullmatch(r"(wordy )*(wordy|end)", line) for line in text),
              terminal.screen())


@test
def a_tool_is_watched_and_shown_whole_on_request():
    with Terminal() as terminal:
        terminal.start()
        terminal.send("run mkfifo gate; cat gate; seq 1 30")
        terminal.wait("Esc stops) bash mkfifo gate")
        until((terminal.copy / "gate").exists, "the pipe")
        terminal.send("say second")
        terminal.wait("queued: say second")
        check("> say second" not in terminal.screen(), terminal.screen())
        (terminal.copy / "gate").write_text("opened\n")
        terminal.wait("second")
        terminal.idle()
        screen = terminal.screen()
        check("[1] bash mkfifo gate; cat gate; seq 1 30 -> opened" in screen, screen)
        check(screen.index("done") < screen.index("> say second"), screen)
        check("\n29\n" not in screen, screen)
        terminal.do("/expand 1", "\n29\n")
        check("command: mkfifo gate" in terminal.history(), terminal.history())
        terminal.do("/expand 7", "there is no call 7")


@test
def failing_tests_are_shown_with_the_failure_first():
    with Terminal() as terminal:
        terminal.start()
        terminal.do("/test", "they fail: exit status 1")
        check("assert clamp(5, 0, 3) == 3" in terminal.screen(), terminal.screen())
        terminal.do("write calc.py " + FIXED.replace("\n", "\\n"), "test -> The tests pass.")
        terminal.do("/test", "they pass")
        terminal.do("/undo", "Undid the last change to calc.py")
        check(terminal.read("calc.py") == BROKEN, "not undone")


@test
def esc_and_ctrl_c_stop_the_turn_and_keep_the_state():
    with Terminal() as terminal:
        terminal.start()
        for key in ("Escape", "C-c"):
            terminal.send("think")
            terminal.wait("thought 3")
            terminal.keys(key)
            terminal.wait("(the turn was stopped here)")
            terminal.idle()
            terminal.send("/help")
            terminal.keys("C-l")
        terminal.send("run sleep 1000")
        terminal.wait("Esc stops) bash sleep 1000")
        terminal.keys("Escape")
        terminal.wait("[1] bash sleep 1000")
        terminal.idle()
        terminal.do("messages", "4 messages:")
        check("- run sleep 1000" in terminal.screen(), terminal.screen())


@test
def what_was_typed_while_the_model_worked_is_sent_next():
    with Terminal() as terminal:
        terminal.start()
        terminal.send("think")
        terminal.wait("thought 3")
        terminal.send("say after it")
        terminal.wait("queued: say after it")
        terminal.type("not sent yet")
        terminal.keys("Escape")
        terminal.wait("\nafter it")
        terminal.idle()
        terminal.wait("> not sent yet")


@test
def fork_rewind_and_checkpoint_take_files_and_context():
    with Terminal() as terminal:
        terminal.start()
        terminal.do("write a.txt one", "done")
        terminal.do("/checkpoint first", "checkpoint first:")
        terminal.do("write a.txt two", "done")
        terminal.do("write b.txt three", "done")
        terminal.do("/rewind", 'back before "write b.txt three"')
        check((terminal.read("a.txt"), terminal.read("b.txt")) == ("two\n", None), "files")
        terminal.do("/rewind first", "back at checkpoint first")
        check(terminal.read("a.txt") == "one\n", "files")
        terminal.do("messages", "2 messages:")
        terminal.do("/fork try", "on the new branch try")
        terminal.wait("| try |")
        terminal.do("write a.txt tried", "done")
        terminal.do("/fork main", "on the branch main again")
        check(terminal.read("a.txt") == "one\n", "files")
        terminal.keys("C-l")
        terminal.do("messages", "3 messages:")
        terminal.do("/fork try", "on the branch try again")
        check(terminal.read("a.txt") == "tried\n", "files")
        terminal.do("/rewind ?", "/rewind first")
        terminal.do("/rewind nowhere", "there is no checkpoint nowhere")


@test
def the_screen_follows_the_size_of_the_terminal():
    with Terminal() as terminal:
        terminal.start()
        terminal.do("say " + "wordy " * 20 + "wordyend", "wordyend")
        terminal.type("half a message")
        for columns, rows in ((40, 12), (120, 40), (20, 5), (80, 24)):
            terminal.resize(columns, rows)
            def settled():
                lines = terminal.screen().rstrip("\n").split("\n")
                text = [line for line in lines if line.startswith("wordy")]
                room = columns - columns % 6 - 1
                whole = columns < 30 or len(text) == -(-128 // room)
                return (whole and sum("> half a mess" in line for line in lines) == 1
                        and sum("scripted |" in line for line in lines) == 1
                        and "half a message" in lines[-1] and all(len(l) <= columns for l in lines))
            until(settled, f"the screen at {columns}x{rows}", terminal.screen)
            column, row = terminal.cursor()
            check(column == len("> half a message") and row < rows, f"cursor at {column}, {row}")
        terminal.keys("C-c")
        terminal.do("say still here", "\nstill here")


@test
def colours_are_used_and_left_out():
    source = "say ```python\\ndef f():\\n    return 1\\n```\\n**strong**"
    for environment, coloured in ({}, True), ({"NO_COLOR": "1"}, False):
        with Terminal() as terminal:
            terminal.start(environment=environment)
            terminal.do(source, "strong")
            screen = terminal.screen("-e")
            check(("\x1b[" in screen) == coloured, screen)
            check(("\x1b[35mdef" in screen) == coloured, screen)
            check("return 1" in terminal.screen(), screen)


@test
def a_dumb_terminal_gets_plain_lines():
    with Terminal() as terminal:
        terminal.start(environment={"TERM": "dumb"})
        terminal.send("say Hello **world**")
        terminal.wait("Hello world")
        terminal.send("run echo tool")
        terminal.wait("[1] bash echo tool -> tool")
        terminal.send("think")
        terminal.wait("thought 3")
        terminal.keys("C-c")
        terminal.wait("it was stopped")
        terminal.send("write new.txt x")
        terminal.wait("1 file: new.txt changed")
        terminal.send("/quit")
        terminal.wait("n: no, a patch keeps them")
        terminal.send("n")
        terminal.wait("exit")
        log = terminal.log.read_bytes()
        check(b"\x1b" not in log and b"Hello world" in log, repr(log))


@test
def in_a_pipe_the_input_is_messages_and_commands():
    with Terminal() as terminal:
        ended = piped(terminal,
                      b"say one\ntwo **three**\n/context\nrun printf 'a\\033[31mb'\n/expand\n"
                      b"/nonsense\nend bye\n")
        out = ended.stdout.decode()
        check(b"\x1b" not in ended.stdout + ended.stderr, out)
        check("one\ntwo three\n" in out and "repository: 2 files whole" in out, out)
        check("[1] bash printf" in out and "a\\x1b[31mb" in out, out)
        check("[2] finish bye" in out and ended.returncode == 2, out)
        check(b"there is no command /nonsense" in ended.stderr, ended.stderr.decode())


@test
def in_a_pipe_every_line_can_be_a_message():
    with Terminal() as terminal:
        ended = piped(terminal, b"say one\nmessages\n", "--each-line")
        check("2 messages:\n- say one\n" in ended.stdout.decode() and ended.returncode == 0, ended)


@test
def text_in_a_pipe_cannot_allow_itself_more():
    text = ("/approve read-only\n/approve auto\nwrite calc.py " + FIXED.replace("\n", "\\n"))
    with Terminal() as terminal:
        ended = piped(terminal, text.encode(), "--approve", "ask")
        check(b"approval: read-only" in ended.stdout and ended.returncode == 2, ended)
        check(b"/approve auto: more is allowed by a person" in ended.stderr, ended)
        check((terminal.repo / "calc.py").read_text() == BROKEN, "applied")
        check(b"the session is read-only: write may not be used" in ended.stdout, ended)
    with Terminal() as terminal:
        ended = piped(terminal, b"/test touch ../made; false\n", "--no-sandbox")
        check(b"outside the sandbox only a person" in ended.stderr and ended.returncode == 2, ended)
        check(not list(terminal.path.rglob("made")), "it was run")


@test
def in_a_pipe_changes_are_kept_or_applied_as_was_said():
    text = ("write calc.py " + FIXED.replace("\n", "\\n")).encode()
    for mode, applied in ("ask", False), ("auto", True):
        with Terminal() as terminal:
            ended = piped(terminal, text, "--approve", mode)
            check(ended.returncode == 0, ended)
            own = (terminal.repo / "calc.py").read_text()
            check(own == (FIXED + "\n" if applied else BROKEN), ended)
            check((terminal.run / "patch.diff").exists() != applied, ended)
            check(not (terminal.run / "work").exists(), "the copy is left behind")


@test
def hostile_text_cannot_control_the_terminal():
    evil = ("\x1b]0;owned\x07\x1b[2J\x1b[H\x1b[?1049h\x1b[31mred\x1bc\x9b31m\x90q\x1b\\"
            "\x1b[6n\x1b]52;c;aGk=\x07\b\b\b\rfront\u202etxt\x7f end")
    with Terminal() as terminal:
        (terminal.repo / "evil\x1b[2Jname.txt").write_text(evil)
        (terminal.repo / "evil.txt").write_text(evil)
        terminal.start()
        title = terminal.tmux("display-message", "-p", "#{pane_title}")
        terminal.do("say before", "\nbefore")
        terminal.do("run cat evil.txt", "\\x1b]0;owned\\x07\\x1b[2J")
        terminal.do("run cat evil*; exit 3", "[2] bash")
        terminal.do("/expand 2", "\\u202etxt\\x7f end")
        terminal.do("run cat evil.txt; false; printf '%s' \"$(cat evil.txt)\" >&2", "[3] bash")
        terminal.type("say @ev")
        terminal.keys("Tab", "Tab")
        terminal.wait("evil\\x1b[2Jname.txt")
        terminal.keys("C-c")
        # Pasted by the person, and said back by the model.
        terminal.tmux("set-buffer", "--", "say " + evil.replace("\x1b", "^[") + "\x1b[31m\x9d")
        terminal.tmux("paste-buffer", "-p")
        terminal.keys("Enter")
        terminal.wait("\\x9d")
        terminal.idle()
        check("\nbefore" in terminal.history(), terminal.history())
        check(terminal.tmux("display-message", "-p", "#{pane_title}") == title, "the title changed")
        allowed = re.compile(rb"\x1b\[(\d*[AC]|2K|\?25[lh]|\?2004[lh]|H|2J|[\d;]*m)")
        left = allowed.sub(b"", terminal.log.read_bytes())
        check(not re.search(rb"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f]", left), repr(left))


@test
def diffs_are_shown_and_asked_about_before_they_reach_the_tree():
    with Terminal(rows=50) as terminal:
        terminal.start()
        terminal.do("/apply", "no changes")
        terminal.do("write calc.py " + FIXED.replace("\n", "\\n"), "1 file: calc.py changed")
        terminal.do("/diff", "+        return high")
        terminal.send("/apply")
        terminal.wait("Make these changes in your tree?")
        check("with the changes: they pass" in terminal.screen(), terminal.screen())
        terminal.type("y, I think")
        terminal.keys("Enter")
        terminal.wait_gone("I think")
        terminal.keys("n", "Enter")
        terminal.wait("your tree is as it was")
        check((terminal.repo / "calc.py").read_text() == BROKEN, "applied without a yes")
        terminal.send("/quit")
        terminal.wait("c: stay")
        terminal.keys("Escape")
        terminal.wait("c: stay c")
        terminal.keys("C-l")
        terminal.send("/apply")
        until(lambda: terminal.screen().count("Make these changes in your tree?") >= 3,
              "the third question", terminal.screen)
        terminal.keys("y", "Enter")
        terminal.wait("the changes are in your tree")
        check((terminal.repo / "calc.py").read_text() == FIXED + "\n", "not applied")
        terminal.send("/quit")
        terminal.wait("exit 0")
        check(not (terminal.run / "work").exists(), "the copy is left behind")


@test
def the_line_can_be_edited_recalled_completed_and_searched():
    with Terminal() as terminal:
        terminal.start()
        terminal.type("say world")
        terminal.keys("M-b")
        terminal.type("hello ")
        terminal.keys("Enter")
        terminal.wait("\nhello world")
        terminal.idle()
        terminal.type("say line one")
        terminal.keys("M-Enter")
        terminal.type("line three")
        terminal.keys("Up", "End", "C-j")
        terminal.type("line two")
        terminal.keys("Enter")
        terminal.wait("\nline one\nline two\nline three")
        terminal.idle()
        terminal.keys("Up", "Up", "Up", "Up")
        until(lambda: "> say hello world" in terminal.screen().split(IDLE)[-1], "the first message",
              terminal.screen)
        terminal.keys("C-c")
        terminal.keys("C-r")
        terminal.type("hello")
        terminal.keys("Enter")
        until(lambda: terminal.screen().count("\nhello world") == 2, "the search", terminal.screen)
        terminal.idle()
        terminal.type("/cont")
        terminal.keys("Tab", "Enter")
        terminal.wait("repository: 2 files whole")
        terminal.idle()
        terminal.type("say @te")
        terminal.keys("Tab", "Enter")
        terminal.wait("\n@test_calc.py")
        terminal.type("say bj\u00f6rk \u65e5\u672c")
        terminal.keys("BSpace", "Enter")
        terminal.wait("\nbj\u00f6rk \u65e5\n")


@test
def keys_follow_the_persons_own_settings():
    with Terminal() as terminal:
        (terminal.path / ".editrc").write_text("bind -v\n")
        terminal.start()
        terminal.type("world")
        terminal.keys("Escape")
        terminal.type("0isay hello ")
        terminal.keys("End", "Left", "Left", "Delete", "BSpace")
        terminal.type("r")
        terminal.keys("Enter")
        terminal.wait("\nhello word\n")
        terminal.idle()
        terminal.keys("Escape", "k", "x", "Enter")  # the history, by vi's keys
        terminal.wait("I do not understand: ay")


@test
def what_can_be_typed_is_shown_below():
    with Terminal() as terminal:
        terminal.start()
        terminal.idle()
        terminal.type("/re")
        terminal.wait("/resume [ID]  go on with another session")
        check("/rewind [N|NAME|?]" in terminal.screen(), terminal.screen())
        column, row = terminal.cursor()
        check(terminal.screen().split("\n")[row] == "> /re" and column == 5, terminal.screen())
        terminal.keys("C-c")
        terminal.wait_gone("/resume [ID]")
        terminal.type("say @")
        terminal.wait("@calc.py\n@test_calc.py")
        terminal.type("te")
        terminal.wait_gone("\n@calc.py")
        terminal.keys("Tab", "Enter")
        terminal.wait("\n@test_calc.py")
        terminal.idle()
        check("@calc.py" not in terminal.history(), terminal.history())


@test
def a_message_that_waits_can_be_taken_back():
    with Terminal() as terminal:
        terminal.start()
        terminal.send("think")
        terminal.wait("thought 3")
        terminal.send("say first")
        terminal.send("say second")
        terminal.wait("queued: say second")
        terminal.keys("Up")
        terminal.wait("> say second")
        terminal.type(" thoughts")
        terminal.keys("Escape")
        terminal.wait("\nfirst")
        terminal.idle()
        terminal.wait("> say second thoughts")
        check("\nsecond" not in terminal.history(), terminal.history())


@test
def nothing_but_the_transcript_is_left_in_the_terminals_history():
    with Terminal(rows=10) as terminal:
        terminal.start()
        terminal.idle()
        terminal.keys("C-c")
        terminal.wait("Ctrl-C once more")
        terminal.do("say " + "\\n".join(f"line {i}" for i in range(40)), "line 39")
        for rows in (16, 8, 10):
            terminal.resize(80, rows)
            until(lambda: len(terminal.screen().rstrip("\n").split("\n")) <= rows, "the size")
        terminal.do("say the end", "\nthe end")
        history = terminal.history()
        check(history.count(IDLE) == 1 and "working" not in history, history)
        check(all(history.count(f"\nline {i}\n") == 1 for i in range(40)), history)


@test
def a_long_message_stays_as_its_beginning():
    with Terminal() as terminal:
        terminal.start()
        (terminal.path / "long").write_text("say " + "a line of many\n" * 100_000 + "its end")
        terminal.tmux("load-buffer", str(terminal.path / "long"))
        terminal.tmux("paste-buffer", "-p")
        terminal.wait("  its end")
        terminal.keys("Home", "C-c")
        terminal.wait_gone("its end")
        terminal.tmux("set-buffer", "break\n" + "a line\n" * 300)
        terminal.tmux("paste-buffer", "-p")
        terminal.keys("Enter")
        terminal.wait("  ... 291 more lines")
        terminal.wait("the engine broke")


@test
def pasted_lines_are_one_message():
    with Terminal() as terminal:
        terminal.start()
        terminal.tmux("set-buffer", "say first\nsecond\nthird")
        terminal.tmux("paste-buffer", "-p")
        terminal.wait("  third")
        check("\nfirst" not in terminal.screen(), terminal.screen())
        terminal.keys("Enter")
        terminal.wait("\nfirst\nsecond\nthird")


@test
def a_named_file_is_shown_to_the_model():
    with Terminal() as terminal:
        (terminal.path / "notes.txt").write_text("outside\n")
        terminal.start()
        terminal.do(f"say @{terminal.path}/notes.txt", "notes.txt")
        terminal.do("messages", "outside")


@test
def modes_are_shown_and_kept_to():
    with Terminal() as terminal:
        terminal.start("--approve", "read-only")
        terminal.wait("| read-only |")
        terminal.do("write a.txt x", "the session is read-only: write may not be used")
        check(terminal.read("a.txt") is None, "written")
        terminal.do("/approve auto", "approval: auto")
        terminal.wait("| auto |")
        terminal.do("write a.txt x", "1 file: a.txt changed")
        terminal.do("/plan write b.txt x", "[5] write b.txt x -> Error: the session is read-only")
        check(terminal.read("b.txt") is None, "written")


@test
def what_reaches_outside_is_asked_about():
    with Terminal() as terminal:
        terminal.start("--no-sandbox")
        terminal.send("run echo yes > out.txt")
        terminal.wait("Outside the sandbox: bash echo yes > out.txt Allow?")
        terminal.keys("n", "Enter")
        terminal.wait("Error: the person at the terminal")
        terminal.idle()
        terminal.send("run echo yes > out.txt")
        until(lambda: terminal.screen().count("Outside the sandbox") == 2, "the question",
              terminal.screen)
        terminal.keys("y", "Enter")
        terminal.wait("1 file: out.txt changed")
        check(terminal.read("out.txt") == "yes\n", "not written")


@test
def changes_that_never_reach_the_tree_are_told_of():
    note = "CI configuration or a hook and left out of the patch: .github/ci.yml"
    with Terminal(columns=120) as terminal:
        terminal.start("--no-sandbox", "--approve", "auto")
        terminal.do("run mkdir .github; echo x > .github/ci.yml", "done")
        terminal.do("/diff", note)
        check("no changes" in terminal.screen(), terminal.screen())
        terminal.do("write calc.py " + FIXED.replace("\n", "\\n"), "1 file: calc.py changed")
        terminal.do("/apply", "the changes are in your tree")
        check(terminal.history().count(note) == 2, terminal.history())
        check((terminal.repo / "calc.py").read_text() == FIXED + "\n", "not applied")
        check(not (terminal.repo / ".github").exists(), "applied")


@test
def errors_are_sentences_and_the_session_goes_on():
    with Terminal() as terminal:
        terminal.start()
        terminal.do("break", "the engine broke, as it was told to")
        terminal.do("/nonsense", "there is no command /nonsense")
        terminal.do("/fork two words", "a name is one word")
        terminal.do("/model elsewhere", "model: other, a window of 1,048,576 tokens")
        terminal.wait("other | ask")
        terminal.do("messages", "1 messages:")
        terminal.send("/model slow")
        terminal.wait("Esc stops) working")
        terminal.keys("Escape")
        terminal.wait("it was stopped before the model had read")
        terminal.idle()
        terminal.do("messages", "2 messages:")


@test
def the_embedded_model_repairs_an_example():
    example = Terminal.source / "tasks/examples/price_band"
    with Terminal() as terminal:
        shutil.rmtree(terminal.repo)
        shutil.copytree(example / "repo", terminal.repo)
        subprocess.run(["git", "-C", terminal.repo, "init", "-q"], check=True)
        terminal.start("--test", "python3 test_prices.py", program="dsv4-agent")
        terminal.wait("This model holds no conversation")
        check("read " in terminal.history(), terminal.history())
        terminal.do("hello", "This model holds no conversation")
        terminal.do("A price of exactly 100 is put into the wrong band: band(100) answers high, "
                    "it should answer middle.", "1 file: prices.py changed")
        check("gate: the tests pass in a fresh copy" in terminal.history(), terminal.history())
        terminal.do("/test", "they pass")
        terminal.do("/rewind", "back before")
        terminal.do("/test", "they fail")


def main():
    if sys.argv[1:] == ["--list"]:
        print("\n".join(function.__name__ for function in TESTS))
        return 0
    Terminal.build, Terminal.source = (pathlib.Path(path).resolve() for path in sys.argv[1:3])
    wanted = sys.argv[3:]
    failed = 0
    for function in TESTS:
        if wanted and function.__name__ not in wanted:
            continue
        try:
            begin = time.monotonic()
            function()
            print(f"passed: {function.__name__} ({time.monotonic() - begin:.1f} s)", flush=True)
        except Failure as failure:
            failed += 1
            print(f"FAILED: {function.__name__}: {failure}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
