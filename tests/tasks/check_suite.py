#!/usr/bin/env python3
"""Checks the tasks of tasks/suite by itself, without the program that is to be scored on them.

Usage: check_suite.py SUITE [TASK]...   checks every task, or those that are named
       check_suite.py SUITE --table     prints the table of SUITE/README.md

For each task: the folder holds what it should, the patch is of the size that its grade says and
touches no test, some tests fail without it and all pass with it, and those that passed before still
do. The README's table must be the suite's. Exits 1 and says what is wrong with which task.
"""

import concurrent.futures
import dataclasses
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib

import patch_size

LANGUAGES = {"python": (".py",), "cpp": (".cc", ".h"), "javascript": (".js", ".mjs"),
             "bash": (".sh", "")}
GRADES = ["one-line", "one-function", "several-files"]
NEEDS = {"python": "python3", "cpp": "g++", "javascript": "node", "bash": "bash"}
SLOWEST = 20  # seconds of one run of the tests, on a busy machine
MOST_SHOWN = 3000  # characters of what they print
TEST_FOLDERS = {"test", "tests", "testdata"}


@dataclasses.dataclass
class Task:
    name: str
    folder: pathlib.Path
    title: str
    test: str
    grade: str
    language: str
    kind: str

    @property
    def repo(self):
        return self.folder / "repo"

    def files(self):
        return sorted(p for p in self.repo.rglob("*") if p.is_file())


class Wrong(Exception):
    """What is wrong with a task, as a sentence."""


def require(condition, sentence):
    if not condition:
        raise Wrong(sentence)


def is_test(path):
    path = pathlib.PurePath(path)
    stem = path.name.partition(".")[0]
    return (bool(TEST_FOLDERS & set(path.parts[:-1])) or ".test." in path.name
            or stem.startswith("test_") or stem.endswith("_test"))


def read_task(folder):
    present = {p.name for p in folder.iterdir()}
    require(present == {"issue.md", "about.toml", "gold.patch", "repo"},
            f"holds {sorted(present)}, not issue.md, about.toml, gold.patch and repo/")
    issue = (folder / "issue.md").read_text(encoding="utf-8")
    head = re.match(r"---\nrepo: repo\ntest: (.+)\ntimeout: 2m\n---\n# (.+)\n\n\S", issue)
    require(head, "issue.md does not begin with front matter (repo, test, timeout: 2m), a title "
            "and a text")
    about = tomllib.loads((folder / "about.toml").read_text(encoding="utf-8"))
    require(sorted(about) == ["grade", "kind", "language"],
            f"about.toml has {sorted(about)}, not grade, language and kind")
    require(about["grade"] in GRADES, f"no grade is called {about['grade']}")
    require(about["language"] in LANGUAGES, f"no language is called {about['language']}")
    require(re.fullmatch(r"[a-z]+(-[a-z]+)*", about["kind"]), "the kind is not a short-name")
    require(re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", folder.name),
            "the name is not lower_snake")
    return Task(folder.name, folder, head[2], head[1], **about)


def check_repository(task):
    files = task.files()
    sources = [p for p in files if not is_test(p.relative_to(task.repo))
               and p.suffix in LANGUAGES[task.language] and not p.name.startswith(".")
               and p.name != "Makefile"]
    require(1 <= len(sources) <= 8, f"has {len(sources)} source files, not 1 to 8")
    lines = 0
    for path in files:
        require(not path.is_symlink(), f"{path.name} is a link")
        text = path.read_text(encoding="utf-8")
        require(text.endswith("\n") and not text.endswith("\n\n"),
                f"{path.name} does not end with one line end")
        for number, line in enumerate(text.splitlines(), 1):
            require(len(line) <= 100, f"{path.name}:{number} has more than 100 columns")
            require(line == line.rstrip(), f"{path.name}:{number} ends with a blank")
        lines += text.count("\n")
    require(30 <= lines <= 400, f"has {lines} lines, not 30 to 400")


def check_patch(task):
    """The patch is of the size that its grade says and touches sources alone."""
    patch = patch_size.parse((task.folder / "gold.patch").read_text(encoding="utf-8"))
    for path in patch:
        require(not is_test(path), f"the patch touches the test {path}")
    changed = [p for p in patch if pathlib.PurePath(p).suffix in LANGUAGES[task.language]]
    if task.grade == "several-files":
        require(len(changed) >= 2, f"the patch changes {len(changed)} source files, not several")
        return
    require(len(patch) == 1 and changed, f"the patch changes {sorted(patch)}, not one source file")
    [(path, change)] = patch.items()
    if task.grade == "one-line":
        require(len(change.removed) <= 1 and len(change.added) <= 1,
                f"the patch removes {len(change.removed)} lines and adds {len(change.added)}")
        return
    require(len(change.removed) + len(change.added) > 2, "the patch changes one line only")
    with tempfile.TemporaryDirectory() as scratch:
        after = pathlib.Path(scratch) / "repo"
        shutil.copytree(task.repo, after)
        apply_patch(task, after)
        function = patch_size.function_of(change, (task.repo / path).read_text(encoding="utf-8"),
                                          (after / path).read_text(encoding="utf-8"),
                                          task.language)
    require(function, "the patch changes more than one function")


def apply_patch(task, repo):
    done = subprocess.run(["git", "apply", "--whitespace=error-all", task.folder / "gold.patch"],
                          cwd=repo, capture_output=True, text=True,
                          env=dict(os.environ, GIT_CEILING_DIRECTORIES=str(repo.parent)))
    require(done.returncode == 0, f"the patch does not apply: {done.stderr}")


def run_tests(task, repo):
    """Runs the tests: exit status, {name of the test: whether it passed}, what was printed."""
    command = task.test
    if task.language == "python":
        command += " -v"
    elif task.language == "javascript":
        command = command.replace("node --test", "node --test --test-reporter=tap")
    home = repo.parent / "home"
    home.mkdir(exist_ok=True)
    done = subprocess.run(
        ["sh", "-c", command], cwd=repo, capture_output=True, text=True, timeout=SLOWEST,
        stdin=subprocess.DEVNULL, errors="replace",
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(home), "TMPDIR": str(home),
             "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"})
    said = done.stdout + done.stderr
    results = {}
    for passed, name in re.findall(r"^\s*(not ok|ok) \d+ - (.+)$", said, re.MULTILINE):
        results[name.strip()] = passed == "ok"
    for name, passed in re.findall(r"^(\w+ \([\w.]+\)) \.\.\. (ok|FAIL|ERROR)$", said,
                                   re.MULTILINE):
        results[name] = passed == "ok"
    return done.returncode, results, said[-MOST_SHOWN:]


def check_tests(task):
    """The tests fail, and pass once the patch is applied; seconds of the slower run."""
    with tempfile.TemporaryDirectory(prefix="dsv4-suite-") as scratch:
        repo = pathlib.Path(scratch) / "repo"
        shutil.copytree(task.repo, repo)
        began = time.monotonic()
        status, before, said = run_tests(task, repo)
        between = time.monotonic()
        require(status != 0, "the tests pass without the patch")
        require(True in before.values(), f"no test passes without the patch: {said}")
        apply_patch(task, repo)
        resumed = time.monotonic()
        status, after, said = run_tests(task, repo)
        ended = time.monotonic()
        require(status == 0, f"the tests fail with the patch: {said}")
        require(all(after.values()), f"a failed test does not fail the run: {said}")
        passed_before = {name for name, passed in before.items() if passed}
        lost = sorted(passed_before - set(after))
        require(not lost, f"with the patch these tests are not reported: {lost}")
        require(set(after) > passed_before, "the patch makes no test pass that failed before")
    return max(between - began, ended - resumed)


def check_task(task):
    """What is wrong with the task, or nothing; and how long its tests took."""
    try:
        check_repository(task)
        check_patch(task)
        if not shutil.which(NEEDS[task.language]):
            return "", None
        return "", check_tests(task)
    except (Wrong, subprocess.TimeoutExpired, UnicodeDecodeError) as error:
        return str(error), None


def shared_files(tasks):
    """Sentences about files that two tasks have in common."""
    seen = {}
    for task in tasks:
        for path in task.files():
            if path.name.startswith("."):
                continue
            where = f"{task.name}/{path.relative_to(task.repo)}"
            digest = hashlib.sha256(path.read_bytes()).digest()
            if seen.setdefault(digest, where) != where:
                yield f"{where} is the same file as {seen[digest]}"


def table(tasks):
    rows = ["| task | grade | language | kind | issue |", "|---|---|---|---|---|"]
    order = sorted(tasks, key=lambda t: (list(LANGUAGES).index(t.language),
                                         GRADES.index(t.grade), t.name))
    rows += [f"| `{t.name}` | {t.grade} | {t.language} | {t.kind} | {t.title} |" for t in order]
    counts = ["| language | " + " | ".join(GRADES) + " | all |", "|---|---|---|---|---|"]
    for language in [*LANGUAGES, "all"]:
        of = [t for t in tasks if language in (t.language, "all")]
        cells = [sum(t.grade == grade for t in of) for grade in GRADES]
        counts.append(f"| {language} | " + " | ".join(map(str, [*cells, len(of)])) + " |")
    return "\n".join(counts) + "\n\n" + "\n".join(rows) + "\n"


def main():
    suite = pathlib.Path(sys.argv[1]).resolve()
    chosen = sys.argv[2:]
    failures = 0

    def report(sentence):
        nonlocal failures
        failures += 1
        print(sentence)

    tasks = []
    for folder in sorted(p for p in suite.iterdir() if p.is_dir()):
        try:
            tasks.append(read_task(folder))
        except (Wrong, OSError, ValueError) as error:
            report(f"{folder.name}: {error}")
    if chosen == ["--table"]:
        print(table(tasks), end="")
        return failures != 0
    if chosen:
        tasks = [t for t in tasks if t.name in chosen]
    else:
        for sentence in shared_files(tasks):
            report(sentence)
        if table(tasks) not in (suite / "README.md").read_text(encoding="utf-8"):
            report("README.md has another table than check_suite.py SUITE --table prints")
    began = time.monotonic()
    slow = []
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for task, (wrong, seconds) in zip(tasks, pool.map(check_task, tasks)):
            if wrong:
                report(f"{task.name}: {wrong}")
            elif seconds is None:
                print(f"{task.name}: not tested, there is no {NEEDS[task.language]}")
            else:
                slow.append((seconds, task.name))
    print(f"{len(tasks)} tasks in {time.monotonic() - began:.1f} s; the slowest tests:",
          ", ".join(f"{name} {seconds:.1f} s" for seconds, name in sorted(slow)[-3:]))
    return failures != 0 or not tasks


if __name__ == "__main__":
    sys.exit(main())
