#!/usr/bin/env python3
"""`dsv4-agent eval` from the command line, with a stand-in for the agent that is scored.

Usage: eval_test.py DSV4_AGENT --list | NAME

Each function called test_... is a test of CTest's own.
"""

import difflib
import html.parser
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

HERE = pathlib.Path(__file__).resolve().parent
STAND_IN = HERE / "stand_in_agent.py"
GOLD = ("diff --git a/value.txt b/value.txt\n--- a/value.txt\n+++ b/value.txt\n"
        "@@ -1 +1 @@\n-wrong\n+right\n")


def write(file, text):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def write_task(suite, name, issue="Mend it.", grade="one-line", language="bash"):
    write(suite / name / "issue.md", f"---\nrepo: repo\ntest: sh test_value.sh\n---\n# {name}\n\n{issue}\n")
    write(suite / name / "repo/value.txt", "wrong\n")
    write(suite / name / "repo/test_value.sh", "grep -q right value.txt\n")
    write(suite / name / "gold.patch", GOLD)
    write(suite / name / "about.toml",
          f'grade = "{grade}"\nlanguage = "{language}"\nkind = "word"\n')


def write_suite(suite, count):
    for number in range(count):
        write_task(suite, f"task_{number:02}",
                   grade=["one-line", "one-function", "several-files"][number % 3],
                   language=["bash", "python"][number % 2])


class Eval:
    """The program, and a folder for one test."""

    def __init__(self, program, scratch):
        self.program = program
        self.scratch = scratch
        self.suite = scratch / "suite"

    def start(self, *arguments, **options):
        return subprocess.Popen([self.program, "eval", *map(str, arguments)], text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)

    def run(self, *arguments, status=0):
        process = self.start(*arguments)
        out, err = process.communicate(timeout=300)
        assert process.returncode == status, (process.returncode, out, err)
        return out, err

    def score(self, out, *arguments, status=0):
        return self.run(self.suite, "--out", self.scratch / out, "--agent", STAND_IN, *arguments,
                        status=status)

    def reports(self, out):
        return {name: (self.scratch / out / name).read_bytes()
                for name in ["report.json", "report.md", "report.html", "predictions.jsonl"]}

    def report(self, out):
        return json.loads((self.scratch / out / "report.json").read_text())


def difference(expected, got):
    """The lines in which reports differ."""
    lines = []
    for name in expected:
        lines += difflib.unified_diff(expected[name].decode().splitlines(),
                                      got[name].decode().splitlines(), name, "got", n=0, lineterm="")
    return "\n".join(lines)


def processes_of(folder):
    """Processes that name the folder."""
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            said = (process / "cmdline").read_bytes()
        except OSError:  # it has ended
            continue
        if str(folder).encode() in said:
            found.append(said)
    return found


def test_ten_interruptions_at_random_moments_change_nothing(program):
    write_suite(program.suite, 8)
    options = ["--samples", "2", "--jobs", "2"]
    began = time.monotonic()
    program.score("straight", *options)
    whole = time.monotonic() - began
    seed = random.SystemRandom().randrange(1 << 30)
    choose = random.Random(seed)
    print(f"seed {seed}")
    interruptions = 0
    runs = 0
    while interruptions < 10:
        runs += 1
        out = program.scratch / f"broken-{runs}"
        for _ in range(4):
            process = program.start(program.suite, "--out", out, "--agent", STAND_IN, *options)
            try:
                process.communicate(timeout=choose.uniform(0, whole / 2))
                break
            except subprocess.TimeoutExpired:
                kind = choose.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGINT])
                process.send_signal(kind)
            process.communicate(timeout=60)
            interruptions += 1
            if kind == signal.SIGINT:
                assert process.returncode in (130, 0, -signal.SIGINT), process.returncode
            deadline = time.monotonic() + 30
            while left := processes_of(out):
                assert time.monotonic() < deadline, left
        program.score(out.name, *options)
        different = difference(program.reports("straight"), program.reports(out.name))
        assert not different, f"run {runs} of seed {seed}:\n{different}"
        assert not list(out.glob("runs/*/*/task")), "the tasks' trees are left"
    print(f"{interruptions} interruptions in {runs} runs")


def test_a_finished_run_is_not_run_again_and_is_nobody_elses(program):
    write_suite(program.suite, 3)
    program.score("out")
    stamp = (program.scratch / "out/runs/task_00/1/run/report.json").stat().st_mtime_ns
    before = program.reports("out")
    out, err = program.score("out", "--jobs", "3")
    assert "of 3" in out and "resolved  task" not in err, (out, err)
    assert (program.scratch / "out/runs/task_00/1/run/report.json").stat().st_mtime_ns == stamp
    assert program.reports("out") == before
    _, err = program.score("out", "--seed", "5", status=2)
    assert "holds another run, whose seed is '0' and not '5'" in err, err
    write(program.suite / "task_00/repo/value.txt", "wrong too\n")
    _, err = program.score("out", status=2)
    assert "fingerprint" in err, err


def test_a_folder_with_other_things_in_it_is_left_alone(program):
    write_suite(program.suite, 1)
    for name in ["runs/task_00/1/precious", "report.html"]:
        out = "of_" + name.replace("/", "_")
        write(program.scratch / out / name, "mine")
        _, err = program.score(out, status=2)
        assert "has other things in it" in err, err
        assert (program.scratch / out / name).read_text() == "mine"
        assert [each.name for each in (program.scratch / out).iterdir()] == [name.split("/")[0]]
    write(program.scratch / "stopped_early/lock", "")
    program.score("stopped_early")
    _, err = program.score("stopped_early/report.html", status=2)
    assert "--out" in err and "cannot be made" in err, err


def test_a_report_that_is_no_report_is_made_anew(program):
    write_suite(program.suite, 3)
    program.score("whole")
    for number, text in enumerate(['{"status": 5}', '{"status": "passed", "tokens": 3, "turns": "x"}',
                                   '{"status"', "[" * 100000]):
        write(program.scratch / "out" / "lock", "")
        write(program.scratch / "out" / f"runs/task_0{number % 3}/1/run/report.json", text)
        (program.scratch / "out/results.db").touch()
        program.score("out")
        assert program.report("out")["score"]["runs"] == 3
        shutil.rmtree(program.scratch / "out")


class Strict(html.parser.HTMLParser):
    """Takes a page apart; refuses what would be loaded, run or sent."""

    LOADS = {"src", "srcset", "data", "action", "poster", "background", "formaction", "ping",
             "xlink:href"}

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.text = []
        self.links = []

    def handle_starttag(self, tag, attributes):
        assert tag not in ("script", "link", "iframe", "object", "embed", "img", "form", "base",
                           "image", "use", "foreignobject"), tag
        for name, value in attributes:
            assert name not in self.LOADS and not name.startswith("on"), (tag, name)
            if name == "href":
                self.links.append(value)

    def handle_data(self, data):
        self.text.append(data)


def numbers_in(json_part):
    if isinstance(json_part, bool):
        return
    if isinstance(json_part, (int, float)):
        yield json_part
    elif isinstance(json_part, dict):
        for each in json_part.values():
            yield from numbers_in(each)
    elif isinstance(json_part, list):
        for each in json_part:
            yield from numbers_in(each)


def shown_numbers(text):
    text = re.sub(r"(?<=\d),(?=\d{3})", "", text)
    return {float(each) for each in re.findall(r"-?\d+(?:\.\d+)?", text)}


def check_page(program, out):
    folder = program.scratch / out
    page = (folder / "report.html").read_text()
    root = xml.etree.ElementTree.fromstring(page.replace("<!DOCTYPE html>", ""))
    assert root.tag.endswith("html")
    strict = Strict()
    strict.feed(page)
    strict.close()
    style = "".join(re.findall(r"<style>.*?</style>", page, re.DOTALL))
    assert "url(" not in style and "@import" not in style
    assert not re.findall(r"https?://(?!www\.w3\.org/1999/xhtml)", page)
    for link in strict.links:
        assert (folder / link).exists(), link
    assert strict.links, "no task is linked to its transcript"
    report = program.report(out)
    shown = shown_numbers(" ".join(strict.text))
    missing = sorted(set(map(float, numbers_in(report))) - shown)
    assert not missing, missing
    markdown = (folder / "report.md").read_text()
    summary = {key: report[key] for key in report if key != "tasks"}
    missing = sorted(set(map(float, numbers_in(summary))) - shown_numbers(markdown))
    assert not missing, missing
    return page, report


def test_the_page_is_strict_whole_and_needs_nothing(program):
    write_suite(program.suite, 7)
    write_task(program.suite, "<i>odd & 'name'", "<script>alert(1)</script>")
    program.score("before", "--seed", "9", "--samples", "3", "--jobs", "2")
    program.score("out", "--samples", "3", "--jobs", "2", "--compare", program.scratch / "before")
    page, report = check_page(program, "out")
    assert "<script" not in page and "<i>odd" not in page and "<b>it is" not in page
    assert report["comparison"]["tasks"] == 8
    assert len(report["pass_at"]) == 3
    assert [row["name"] for row in report["by"]["grade"]] == ["one-line", "one-function",
                                                              "several-files"]
    percents = [row["percent"] for row in report["pass_at"]]
    assert percents == sorted(percents) and percents[0] == report["score"]["percent"]


def test_scores_are_the_graders_and_not_the_agents(program):
    """The stand-in says `passed` for patches that mend nothing when asked to."""
    liar = program.scratch / "liar.py"
    write(liar, STAND_IN.read_text().replace('"right" if mended', '"other" if mended'))
    liar.chmod(0o755)
    write_suite(program.suite, 4)
    program.run(program.suite, "--out", program.scratch / "out", "--agent", liar)
    report = program.report("out")
    assert report["score"]["resolved"] == 0, report["score"]
    assert "passed" in report["statuses"], report["statuses"]


def test_what_cannot_work_ends_at_once_and_what_breaks_is_run_again(program):
    write_task(program.suite, "a_engine", "ENGINE")
    _, err = program.score("out", status=3)
    assert "the first run, of a_engine, cannot work" in err, err
    write_task(program.suite, "0_right")
    write_task(program.suite, "b_crash", "CRASH")
    _, err = program.score("two", status=1)
    assert "2 runs ended without a verdict" in err, err
    report = program.report("two")
    assert report["statuses"]["engine_error"] == 1 and report["statuses"]["crashed"] == 1
    _, err = program.score("two", status=1)
    assert "error     b_crash" in err and "0_right" not in err, err
    check_page(program, "two")
    _, err = program.run(program.suite, "--out", program.scratch / "three", "--agent",
                         program.scratch / "absent", status=2)
    assert "cannot work" in err, err


def test_memory_is_kept_below_its_limit(program):
    for name in ["a", "b"]:
        write_task(program.suite, name, "HEAVY")
    _, err = program.score("out", "--jobs", "2", "--memory", "350M")
    assert "later     a #1" in err or "later     b #1" in err, err  # whichever began last
    assert sum(program.report("out")["statuses"].get(name, 0) for name in ["passed", "gave_up"]) == 2
    program.score("small", "--jobs", "2", "--memory", "150M")
    assert program.report("small")["statuses"] == {"out_of_memory": 2}


def test_a_run_that_never_ends_is_stopped_by_an_interruption(program):
    write_task(program.suite, "a", "HANG")
    process = program.start(program.suite, "--out", program.scratch / "out", "--agent", STAND_IN)
    while not list(program.scratch.glob("out/runs/a/1/run/transcript.md")):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, (process.returncode, err)
    assert "the same command goes on" in err, err
    assert not processes_of(program.scratch / "out")


def test_suites_are_listed_chosen_and_checked(program):
    write_suite(program.suite, 4)
    out, _ = program.run(program.suite, "--list", "--filter", "task_0[12]")
    assert out == ("task_01\tone-function\tpython\tword\ntask_02\tseveral-files\tbash\tword\n"), out
    out, _ = program.run(program.suite, "--list", "--limit", "1")
    assert out.count("\n") == 1
    out, _ = program.run(program.suite, "--check", "--jobs", "2")
    assert "4 of 4 tasks are right" in out, out
    write(program.suite / "task_02/gold.patch", GOLD.replace("+right", "+other"))
    out, _ = program.run(program.suite, "--check", status=1)
    assert "WRONG  task_02: its own patch scores 0" in out and "3 of 4" in out, out
    _, err = program.run(program.suite, "--list", "--filter", "x*", status=2)
    assert "no task of the suite is left" in err, err


def test_a_pipe_gets_plain_lines_and_a_terminal_a_table(program):
    write_suite(program.suite, 2)
    out, err = program.score("out")
    assert "\x1b" not in err and err.count("\n") == 2 and "[2 of 2 done" in err, err
    assert out.splitlines()[-1] == f"report: {program.scratch}/out/report.html", out
    out, err = program.score("json", "--json", "--quiet")
    assert err == "" and json.loads(out) == program.report("json")
    main, other = os.openpty()
    process = subprocess.Popen(
        [program.program, "eval", program.suite, "--out", program.scratch / "tty", "--agent",
         STAND_IN], stdout=subprocess.DEVNULL, stderr=other, env=dict(os.environ, TERM="xterm"))
    os.close(other)
    shown = b""
    while True:
        try:
            part = os.read(main, 4096)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        shown += part
    assert process.wait(60) == 0
    assert b"1 running, 0 of 2 done" in shown and b"\x1b[J" in shown, shown


def test_the_embedded_model_is_scored_on_an_example(program):
    examples = HERE.parent.parent / "tasks/examples"
    out = program.scratch / "out"
    program.run(examples, "--out", out, "--filter", "price_band")
    assert program.report("out")["score"]["resolved"] == 1
    run = out / "runs/price_band/1"
    trajectory = json.loads((run / "trajectory-1.json").read_text())
    assert trajectory["schema_version"] == "ATIF-v1.7"
    calls = [call["function_name"] for step in trajectory["steps"]
             for call in step.get("tool_calls", [])]
    assert calls[-1] == "finish" and "edit" in calls, calls
    prediction = json.loads((out / "predictions.jsonl").read_text())
    assert prediction["instance_id"] == "price_band"
    assert prediction["model_patch"].startswith("diff --git")
    check_page(program, "out")


def main():
    tests = {name.removeprefix("test_"): function for name, function in globals().items()
             if name.startswith("test_")}
    if sys.argv[1] == "--list":
        print("\n".join(tests))
        return
    with tempfile.TemporaryDirectory(prefix="dsv4-eval-") as folder:
        tests[sys.argv[2]](Eval(str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(folder)))


if __name__ == "__main__":
    main()
