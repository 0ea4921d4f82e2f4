"""Commands: make tasks, write them out as folders, write simulated transcripts.

python3 -m llm.nano.tasks make --split seen --count 100 --seed 1 --out tasks.jsonl
python3 -m llm.nano.tasks materialize tasks.jsonl DIR
python3 -m llm.nano.tasks episodes --split train --count 2000 --seed 1 --out shard.jsonl.gz
python3 -m llm.nano.tasks families
"""

import argparse
import json
import pathlib
import random
import subprocess
import sys

from . import episode, pool, produce


def make(arguments):
    """Writes tasks with the teacher's plan, one JSON object a line."""
    families = pool.Pool(arguments.split)
    with open(arguments.out, "w") as out:
        number = made = 0
        while made < arguments.count:
            number += 1
            seed = "%s.%d" % (arguments.seed, number)
            task = pool.make_task(families, seed)
            played = episode.play(task, random.Random("plan " + seed))
            if played is None:
                continue
            made += 1
            line = {**task.as_dict(), "plan": played.turns, "tries": played.tries}
            if arguments.transcript:
                line["transcript"] = played.text()
            out.write(json.dumps(line, ensure_ascii=False) + "\n")


def write_task(task, folder):
    """Writes one task (a dictionary) as folder/{issue.md,repo/} with the bug; returns issue.md.

    `fix` wants the repository inside a git work tree.
    """
    (folder / "repo").mkdir(parents=True, exist_ok=True)
    for path, text in {**task["files"], task["bug"]["path"]: task["bug"]["content"]}.items():
        (folder / "repo" / path).write_text(text)
    issue = folder / "issue.md"
    # The tests take well under a second; a wrong edit can make them loop without end.
    front = "repo: repo\ntest: %s\ntimeout: 20s" % task["test"]
    issue.write_text("---\n%s\n---\n%s" % (front, task["issue"]))
    return issue


def materialize(arguments):
    """Writes each task as FOLDER/ID/{issue.md,repo/}; FOLDER becomes a git work tree."""
    root = pathlib.Path(arguments.folder)
    root.mkdir(parents=True, exist_ok=True)
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    for line in open(arguments.tasks):
        task = json.loads(line)
        print(write_task(task, root / task["id"]))


def episodes(arguments):
    produce.write_shard(
        arguments.out,
        arguments.split,
        arguments.seed,
        arguments.count,
        easy_share=arguments.easy,
    )


def families(arguments):
    """Lists the families, the held-out ones marked."""
    for family in pool.source.load_families():
        print("%-12s %s%s" % (family.field, family.name, "  (held out)" if family.held_out else ""))


def main(arguments):
    parser = argparse.ArgumentParser(
        prog="python3 -m llm.nano.tasks", description=__doc__.split("\n")[0]
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, run in (("make", make), ("episodes", episodes)):
        command = commands.add_parser(name, help=run.__doc__)
        command.add_argument("--split", choices=pool.SPLITS, default="train")
        command.add_argument("--count", type=int, default=100)
        command.add_argument("--seed", default="1")
        command.add_argument("--out", required=True)
        command.set_defaults(run=run)
        if run is episodes:
            command.add_argument(
                "--easy",
                type=float,
                default=1.0,
                help="share that is used of the tasks that one line repairs",
            )
        if run is make:
            command.add_argument(
                "--transcript",
                action="store_true",
                help="add the simulated transcript, to compare with the real one",
            )
    command = commands.add_parser("materialize", help=materialize.__doc__)
    command.add_argument("tasks")
    command.add_argument("folder")
    command.set_defaults(run=materialize)
    commands.add_parser("families", help=families.__doc__).set_defaults(run=families)
    chosen = parser.parse_args(arguments)
    chosen.run(chosen)


if __name__ == "__main__":
    main(sys.argv[1:])
