#!/usr/bin/env python3
"""Kills `fix` at random moments and goes on with it until it ends, as often as it takes.

Usage: kill_and_resume.py DSV4_AGENT EXAMPLES_DIR KILLS [SEED]

Every run must end as the one that nobody killed: passed, with the same patch after the same attempts,
turns and calls, with the same context after as many sampled tokens; and it must leave no process
behind and nothing in its directory that was for going on.
"""

import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

EXAMPLES = ["price_band", "seat_map", "cpp_ring", "tank_level"]
MOST_KILLS = 4  # of one run
SAME = ["status", "exit_code", "attempts", "turns", "tool_calls"]


class Agent:
    def __init__(self, program, scratch):
        self.program = program
        places = {f"XDG_{name}_HOME": str(scratch / name.lower())
                  for name in ["CACHE", "CONFIG", "STATE"]}
        self.environment = dict(os.environ, **places)

    def start(self, *arguments):
        return subprocess.Popen([self.program, *map(str, arguments), "--json", "--quiet"],
                                env=self.environment, stdout=subprocess.PIPE, text=True,
                                stderr=subprocess.PIPE)

    def finish(self, process):
        out, err = process.communicate(timeout=600)
        try:
            report = json.loads(out)
        except ValueError:
            raise SystemExit(f"no report but {out!r}, and {err!r}")
        return report, err


def begun(run):
    """Whether the run has said what it was asked for: before that there is nothing to go on with."""
    events = run / "events.jsonl"
    return events.exists() and b"\n" in events.read_bytes()


def ended(run):
    """The report, when the run came to one before its process was killed."""
    try:
        report = json.loads((run / "report.json").read_text())
    except (OSError, ValueError):
        return None
    return report if report["status"] != "interrupted" else None


def left_behind(run):
    """Processes that still name the run's directory."""
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            said = (process / "cmdline").read_bytes()
        except OSError:  # it has ended
            continue
        if str(run).encode() in said:
            found.append(said.decode(errors="replace"))
    return found


def check(report, err, expected, run, patch):
    for key in SAME:
        if report[key] != expected[key]:
            return f"{key} is {report[key]}, not {expected[key]}: {report} {err}"
    if (run / "patch.diff").read_bytes() != patch:
        return "the patch is another one"
    for key in ["context", "generated"]:
        if report["tokens"][key] != expected["tokens"][key]:
            return f"{key} is {report['tokens'][key]}, not {expected['tokens'][key]}"
    for name in ["work", "kv"]:
        if (run / name).exists():
            return f"{name} is left in the run's directory"
    return ""


def main():
    program = str(pathlib.Path(sys.argv[1]).resolve())
    examples = pathlib.Path(sys.argv[2])
    wanted = int(sys.argv[3])
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else random.SystemRandom().randrange(1 << 30)
    choose = random.Random(seed)
    print(f"seed {seed}")
    with tempfile.TemporaryDirectory(prefix="dsv4-kill-") as folder:
        scratch = pathlib.Path(folder)
        agent = Agent(program, scratch)
        straight = {}
        whole = {}  # seconds that a run takes
        for name in EXAMPLES:
            run = scratch / f"straight-{name}"
            began = time.monotonic()
            report, err = agent.finish(
                agent.start("fix", examples / name / "issue.md", "--run-dir", run))
            if report["status"] != "passed":
                raise SystemExit(f"{name} does not pass when left alone: {report} {err}")
            straight[name] = (report, (run / "patch.diff").read_bytes())
            whole[name] = time.monotonic() - began
        kills = anew = again = runs = 0
        while kills < wanted:
            name = EXAMPLES[runs % len(EXAMPLES)]
            expected, patch = straight[name]
            run = scratch / f"run-{runs}"
            runs += 1
            process = agent.start("fix", examples / name / "issue.md", "--run-dir", run)
            killed = False
            for _ in range(choose.randint(1, MOST_KILLS)):
                began = time.monotonic()
                try:
                    process.wait(choose.uniform(0, whole[name]))
                    if not killed:  # the machine is less busy than it was
                        whole[name] = time.monotonic() - began
                    break
                except subprocess.TimeoutExpired:
                    process.send_signal(signal.SIGKILL)
                process.communicate()
                killed = True
                kills += 1
                if begun(run):
                    process = agent.start("resume", run)
                else:
                    anew += 1
                    if run.exists():
                        subprocess.run(["rm", "-r", run], check=True)
                    process = agent.start("fix", examples / name / "issue.md", "--run-dir", run)
            report, err = agent.finish(process)
            if report["status"] == "bad_input" and ended(run):
                report = ended(run)  # killed when all was done
            again += report["tokens"]["reprefilled"]
            wrong = check(report, err, expected, run, patch)
            if wrong:
                print((run / "events.jsonl").read_text()[-20000:])
                raise SystemExit(f"{name}, run {runs}: {wrong}")
        left = left_behind(scratch)
        if left:
            raise SystemExit(f"left behind: {left}")
        print(f"{kills} kills in {runs} runs; {anew} before anything was begun; "
              f"{again} tokens computed again")


if __name__ == "__main__":
    main()
