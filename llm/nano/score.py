"""Scores a model through the real `fix` command on held-out tasks.

    python3 -m llm.nano.score --splits seen unseen-family --count 100 --jobs 2

Makes the tasks from a seed, writes them out as repositories, runs `dsv4-agent fix` on each and
prints, apart for each split and each kind of bug, how many passed the gate at the first (greedy)
attempt and within all attempts, and what did not pass.
"""

import argparse
import collections
import concurrent.futures
import json
import pathlib
import subprocess
import sys
import tempfile
import time

from .tasks import pool
from .tasks.__main__ import write_task

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Result:
    """How one task went."""

    def __init__(self, task, report, seconds):
        self.task = task
        self.status = report.get("status", "no report")
        self.passed = self.status == "passed"
        self.attempts = report.get("attempts", 0)
        self.turns = report.get("turns", 0)
        self.seconds = seconds

    @property
    def greedy(self):
        return self.passed and self.attempts == 1


def run_task(task, folder, arguments):
    """Runs `fix` on one task; never raises for what the program does."""
    issue = write_task(task.as_dict(), folder)
    command = [arguments.agent, "fix", str(issue), "--json", "--quiet"]
    command += ["--attempts", str(arguments.attempts), "--time-limit", arguments.time_limit]
    command += ["--run-dir", str(folder / "runs" / task.id)]
    if arguments.model:
        command += ["--model", arguments.model]
    if arguments.no_sandbox:
        command.append("--no-sandbox")
    started = time.time()
    done = subprocess.run(command, capture_output=True, text=True)
    try:
        report = json.loads(done.stdout)
    except ValueError:
        report = {"status": "exit %d: %s" % (done.returncode, done.stderr.strip()[-200:])}
    return Result(task, report, time.time() - started)


def share(results, passed):
    return "%3d of %3d (%3.0f%%)" % (
        sum(map(passed, results)),
        len(results),
        100 * sum(map(passed, results)) / max(1, len(results)),
    )


def show(title, results, groups=("kind", "lang")):
    """One split's figures, as a table in Markdown."""
    print("\n## %s\n\n| tasks | greedy | within all attempts |\n|---|---|---|" % title)
    rows = [("all", results)]
    for name in groups:
        parts = collections.defaultdict(list)
        for result in results:
            parts[getattr(result.task, name)].append(result)
        rows += sorted(parts.items())
    for name, part in rows:
        greedy = share(part, lambda r: r.greedy)
        print("| %s | %s | %s |" % (name, greedy, share(part, lambda r: r.passed)))
    turns = sum(r.turns for r in results) / max(1, len(results))
    print(
        "\n%.1f turns and %.1f s a task." % (turns, sum(r.seconds for r in results) / len(results))
    )
    failed = [r for r in results if not r.passed]
    if failed:
        print("\nNot repaired:")
    for result in failed:
        bug = result.task.bug
        change = "`%s` should be `%s`" % (bug["old"], bug["new"]) if bug["old"] else "a definition"
        print(
            "- %s (%s, %s): %s. %s"
            % (result.task.id, result.task.family, bug["kind"], change, result.status)
        )


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="python3 -m llm.nano.score", description=__doc__.split("\n")[0]
    )
    parser.add_argument(
        "--splits", nargs="+", choices=pool.SPLITS, default=["seen", "unseen-family"]
    )
    parser.add_argument("--count", type=int, default=100, help="tasks of each split")
    parser.add_argument("--seed", default="score")
    parser.add_argument("--attempts", type=int, default=8)
    parser.add_argument("--jobs", type=int, default=1, help="tasks at a time")
    parser.add_argument("--agent", default=str(ROOT / "build" / "dsv4-agent"))
    parser.add_argument("--model", help="a model directory; the embedded one when left out")
    parser.add_argument("--time-limit", default="10m", help="of one task")
    parser.add_argument("--folder", help="keep tasks and run records here")
    parser.add_argument("--no-sandbox", action="store_true")
    parser.add_argument("--out", help="also write one JSON object a task here")
    return parser.parse_args(arguments)


def score_split(split, folder, arguments):
    families = pool.Pool(split)
    tasks = [
        pool.make_task(families, "%s.%d" % (arguments.seed, n)) for n in range(arguments.count)
    ]
    results = []
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as workers:
        waiting = [workers.submit(run_task, task, folder / task.id, arguments) for task in tasks]
        for future in concurrent.futures.as_completed(waiting):
            result = future.result()
            results.append(result)
            mark = "greedy" if result.greedy else "passed" if result.passed else result.status
            print("%s %s %d/%d" % (result.task.id, mark, len(results), len(tasks)), file=sys.stderr)
    return sorted(results, key=lambda r: r.task.id)


def main(arguments):
    arguments = parse(arguments)
    with tempfile.TemporaryDirectory(prefix="dsv4-score-") as own:
        folder = pathlib.Path(arguments.folder or own)
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["git", "init", "-q", str(folder)], check=True)
        for split in arguments.splits:
            results = score_split(split, folder, arguments)
            show(split, results)
            if arguments.out:
                with open(arguments.out, "a") as out:
                    for r in results:
                        line = {
                            "id": r.task.id,
                            "split": split,
                            "kind": r.task.kind,
                            "lang": r.task.lang,
                        }
                        line.update(status=r.status, attempts=r.attempts, turns=r.turns)
                        out.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
