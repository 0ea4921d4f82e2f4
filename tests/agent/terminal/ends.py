"""How sessions end, by themselves and by force, and how they go on."""

import os
import pathlib
import random
import re
import shlex
import signal
import subprocess

from terminal import DEADLINE, FIXED, IDLE, Terminal, check, piped, test, until


@test
def a_session_that_cannot_begin_says_why():
    with Terminal() as terminal:
        terminal.start(shell=shlex.join([str(Terminal.build / "dsv4-agent"), "--model", "/absent"])
                       + "; echo \"exit $?\"; exec cat")
        terminal.wait("exit 3")
        check("there is no model directory /absent" in terminal.screen(), terminal.screen())
        check(terminal.tmux("display-message", "-p", "#{cursor_flag}") == "1\n", "no cursor")


@test
def ctrl_c_while_it_opens_ends_it():
    with Terminal() as terminal:
        terminal.start("--model", "slow")
        terminal.wait("Esc stops) working")
        terminal.keys("C-c")
        terminal.wait("exit 130")
        check("it was stopped before the session began" in terminal.screen(), terminal.screen())
        check(not list(terminal.run.glob("work/*")), "the copy is left behind")


@test
def ctrl_d_ends_and_ctrl_z_stops():
    with Terminal() as terminal:
        terminal.start(shell="exec bash --norc -i")
        terminal.send("PS1='$ '; " + terminal.command("tests/dsv4-agent-scripted", []))
        terminal.wait(IDLE)
        terminal.idle()
        terminal.type("half")
        terminal.keys("C-z")
        terminal.wait("Stopped")
        terminal.send("echo in the $((40 + 2)) shell")
        terminal.wait("in the 42 shell")
        terminal.send("fg")
        terminal.wait("> half")
        terminal.keys("C-c", "C-d")
        terminal.wait("> /quit\n$")
        terminal.send("echo status $?")
        terminal.wait("status 0")


@test
def whoever_stops_it_the_session_goes_on():
    with Terminal() as terminal:
        terminal.start(shell="exec bash --norc -i")
        terminal.send("PS1='$ '; " + terminal.command("tests/dsv4-agent-scripted", []))
        terminal.wait(IDLE)
        terminal.idle()
        terminal.type("say half")
        terminal.wait("> say half")
        for number in signal.SIGTSTP, signal.SIGSTOP:
            os.kill(program_of(terminal), number)
            terminal.wait("Stopped")
            terminal.keys("C-l")
            terminal.wait_gone("Stopped")
            terminal.send("echo in the $((40 + 2)) shell")
            terminal.wait("in the 42 shell")
            terminal.send("fg")
            terminal.wait("> say half")
            check("in the 42 shell" in terminal.screen(), terminal.screen())
        terminal.type(" and whole")
        terminal.keys("Enter")
        terminal.wait("\nhalf and whole")


@test
def a_second_ctrl_c_ends_the_session():
    with Terminal() as terminal:
        terminal.start()
        terminal.idle()
        terminal.keys("C-c", "x", "C-c", "C-c")
        terminal.wait("Ctrl-C once more")
        terminal.keys("C-c")
        terminal.wait("exit 0")


@test
def a_session_whose_terminal_closes_can_go_on():
    with Terminal() as terminal:
        terminal.start()
        terminal.do("write a.txt one", "done")
        terminal.send("run sleep 1234.5")
        terminal.wait("Esc stops) bash sleep 1234.5")
        program = program_of(terminal)
        terminal.tmux("kill-session")
        until(lambda: not pathlib.Path(f"/proc/{program}").exists(), "the end")
        def is_left(process):
            try:
                return b"sleep\x001234.5" in (process / "cmdline").read_bytes()
            except OSError:  # it has ended
                return False
        left = [process for process in pathlib.Path("/proc").glob("[0-9]*")
                if is_left(process)]
        check(not left, f"left running: {left}")
        ended = subprocess.run([Terminal.build / "tests/dsv4-agent-scripted", "--resume",
                                terminal.run], input=b"messages\n", cwd=terminal.repo,
                               env=terminal.environment(), stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, timeout=DEADLINE)
        check(b"- write a.txt one\n- run sleep 1234.5" in ended.stdout, ended)


def program_of(terminal):
    pid = terminal.tmux("display-message", "-p", "#{pane_pid}").strip()
    return int(subprocess.run(["ps", "-o", "pid=", "--ppid", pid], check=True, text=True,
                              stdout=subprocess.PIPE).stdout.split()[0])


@test
def a_signal_ends_the_session_and_keeps_the_changes():
    with Terminal() as terminal:
        terminal.start()
        terminal.do("write calc.py " + FIXED.replace("\n", "\\n"), "1 file: calc.py changed")
        terminal.send("run sleep 1000")
        terminal.wait("Esc stops) bash sleep 1000")
        os.kill(program_of(terminal), signal.SIGTERM)
        terminal.wait("exit 130")
        check("+        return high" in (terminal.run / "patch.diff").read_text(), "no patch")
        terminal.type("echoed")  # the terminal is as it was
        terminal.wait("echoed")


def again(terminal, *arguments):
    """The program once more, in the terminal that it has left."""
    terminal.tmux("respawn-pane", "-k", shlex.join(
        ["env", *(f"{name}={value}" for name, value in terminal.environment().items()),
         "TERM=screen-256color", "sh", "-c",
         shlex.join([str(Terminal.build / "tests/dsv4-agent-scripted"), *arguments])
         + "; echo \"exit $?\"; exec cat"]))
    terminal.wait(IDLE)
    terminal.idle()


@test
def a_killed_session_goes_on():
    with Terminal() as terminal:
        terminal.start()
        terminal.do("write a.txt one", "done")
        terminal.do("/fork try", "on the new branch")
        terminal.do("write a.txt two", "done")
        terminal.send("run echo cut > b.txt; sleep 1000")
        terminal.wait("Esc stops) bash echo cut")
        until((terminal.copy / "b.txt").exists, "the command")
        os.kill(program_of(terminal), signal.SIGKILL)
        terminal.wait("exit 137")
        again(terminal, "--resume", str(terminal.run))
        terminal.wait("goes on after 3 messages")
        terminal.wait("the last message was cut short")
        terminal.wait("| try |")
        check((terminal.read("a.txt"), terminal.read("b.txt")) == ("two\n", None), "files")
        terminal.do("messages", "4 messages:")
        terminal.keys("C-l")
        terminal.do("/rewind 3", "back before")
        check(terminal.read("a.txt") == "one\n", "files")


@test
def sessions_killed_at_random_moments_go_on():
    chance = random.Random(5)
    with Terminal() as terminal:
        check(piped(terminal, b"/save s\n").returncode == 0, "not saved")
        command = [Terminal.build / "tests/dsv4-agent-scripted", "--resume", terminal.run,
                   "--each-line"]
        options = {"cwd": terminal.repo, "env": terminal.environment(), "stdout": subprocess.PIPE,
                   "stderr": subprocess.STDOUT}
        sent = 0
        for _ in range(20):
            lines = "".join(f"write n.txt {sent + 1 + i}\n" for i in range(50)).encode()
            killed = subprocess.Popen(command, stdin=subprocess.PIPE, **options)
            killed.stdin.write(lines)
            killed.stdin.flush()
            try:  # the moment is what is random here, so it is no wait for anything
                killed.wait(chance.uniform(0, 1))
            except subprocess.TimeoutExpired:
                killed.kill()
            killed.communicate()
            ended = subprocess.run(command, input=b"messages\n/rewind\n", timeout=DEADLINE,
                                   **options)
            out = ended.stdout.decode()
            check(ended.returncode == 0, out)
            # The last message that the model knows of was carried out, or cut before its call.
            last = max(map(int, re.findall("- write n.txt (\\d+)", out)), default=0)
            written = int(terminal.read("n.txt") or 0)
            check(last in (written, written + 1), f"{last} said, {written} written\n{out}")
            sent = written
        check(sent > 0, "no message was ever done")


@test
def sessions_are_saved_listed_and_gone_on_with():
    with Terminal() as terminal:
        terminal.start()
        terminal.do("write a.txt kept", "done")
        terminal.do("/save mine", "saved, files and context")
        terminal.send("/quit")
        terminal.wait("exit 0")
        again(terminal, "--run-dir", str(terminal.path / "second"))
        terminal.do("say other", "\nother")
        terminal.do("/sessions", "mine: write a.txt kept")
        check(re.search(r"run  saved  repo: mine", terminal.screen()), terminal.screen())
        terminal.do("/resume run", "session run goes on")
        terminal.do("messages", "- write a.txt kept")
        check(terminal.read("a.txt") == "kept\n", "files")
        terminal.do("/resume nothing", "nothing")
        check(not (terminal.path / "second/work").exists(), "the other session is left behind")
