#!/usr/bin/env python3
"""Stands in for `dsv4-agent fix` and `resume`: it mends value.txt or not, as the task's name and the
seed say, and takes a moment. What it reports depends on nothing else.

A task can ask for more by words in its issue: CRASH, ENGINE, HEAVY (needs memory), HANG.
"""

import json
import pathlib
import sys
import time
import zlib

PATCH = ("diff --git a/value.txt b/value.txt\n--- a/value.txt\n+++ b/value.txt\n"
         "@@ -1 +1 @@\n-wrong\n+{}\n")


def option(name):
    return sys.argv[sys.argv.index(name) + 1]


def report(run, status, code, number, patch):
    out = {"status": status, "exit_code": code, "run_id": run.name, "run_dir": str(run),
           "patch": str(run / "patch.diff") if patch else None, "attempts": 1 + number % 3,
           "turns": 3 + number % 7, "tool_calls": 5 + number % 11,
           "tokens": {"context": 1000 + number % 1000, "prefilled": 900 + number % 90,
                      "generated": 100 + number % 400, "reprefilled": 0},
           "seconds": {"total": 1 + number % 50 / 10, "model": 0.5, "tools": 0.2, "tests": 0.1},
           "tests": {"command": "t", "before": "failed", "after": None}, "model": "stand-in <1>",
           "error": None if status == "passed" else "<b>it is stupid</b>"}
    (run / "report.json").write_text(json.dumps(out))
    print(json.dumps(out))
    sys.exit(code)


def begun_in(run):
    """What a run was asked for; like the program, refuses one that was killed before it began."""
    if "attempt" not in (run / "events.jsonl").read_text():
        print(json.dumps({"status": "bad_input", "exit_code": 2}))
        sys.exit(2)
    return json.loads((run / "asked.json").read_text())


def main():
    if sys.argv[1] == "resume":
        run = pathlib.Path(sys.argv[2])
        begun = begun_in(run)
    else:
        run = pathlib.Path(option("--run-dir"))
        run.mkdir(parents=True)
        issue = pathlib.Path(sys.argv[2]).read_text()
        begun = {"issue": issue, "number": zlib.crc32((issue + option("--seed")).encode())}
        (run / "asked.json").write_text(json.dumps(begun))
        (run / "events.jsonl").write_text('{"event": "run", "id": "x", "began": 0}\n'
                                          '{"event": "attempt", "number": 1}\n')
    issue, number = begun["issue"], begun["number"]
    time.sleep(number % 100 / 1000)  # so that there is something to interrupt
    with open(run / "events.jsonl", "a") as events:
        events.write('{"event": "reply", "text": "done", "tokens": 3, "context": 50}\n')
    (run / "transcript.md").write_text("said nothing\n")
    if "CRASH" in issue:
        sys.exit(139)
    if "ENGINE" in issue:
        report(run, "engine_error", 3, number, False)
    if "HANG" in issue:
        time.sleep(1000)
    if "HEAVY" in issue:
        held = b"x" * (200 << 20)
        time.sleep(1 + held[0] / 1000)
    mended = number % 3 != 0
    (run / "patch.diff").write_text(PATCH.format("right" if mended else "other"))
    report(run, "passed" if mended else "gave_up", 0 if mended else 1, number, True)


main()
