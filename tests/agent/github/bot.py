"""A checkout, an event, a server, and the program between them, for one test."""

import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

from server import Git, Server, State

TESTS = []
PLANTED = ["GITHUB_TOKEN", "GH_TOKEN", "ACTIONS_RUNTIME_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
           "SECRET_X"]
PERSON = {"login": "maintainer", "id": 1, "type": "User"}
ISSUE = ("A price of exactly 100 is put into the wrong band\n\nOur price list says that everything up "
         "to and including 100 belongs to the middle band.\n`band(100)` answers \"high\". It should "
         "answer \"middle\".\n")


class Failure(Exception):
    pass


def check(holds, what):
    if not holds:
        raise Failure(what)


def test(function):
    TESTS.append(function)
    return function


def git(directory, *arguments):
    done = subprocess.run(["git", "-C", directory, "-c", "user.name=Test",
                           "-c", "user.email=test@localhost", *arguments],
                          check=True, capture_output=True, text=True)
    return done.stdout.strip()


class Ended:
    def __init__(self, done, outputs, summary):
        self.code, self.said = done.returncode, done.stdout + done.stderr
        self.outputs, self.summary = outputs, summary

    def ends(self, code, status, *words):
        check(self.code == code, f"ended with {self.code}, not {code}: {self.said}")
        check(self.outputs.get("status") == status, f"status {self.outputs}: {self.said}")
        for word in words:
            check(word in self.said, f"{word!r} is not in {self.said}")
        return self


class Bot:
    """Used as `with Bot() as bot`. The example price_band is the repository octo/shop."""

    source = build = None  # set by main()

    def __enter__(self):
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="dsv4-bot-"))
        origin = self.scratch / "origin"
        shutil.copytree(self.source / "tasks/examples/price_band/repo", origin)
        git(origin, "init", "-q", "-b", "main")
        git(origin, "add", "-A")
        git(origin, "commit", "-q", "-m", "first")
        self.sha = git(origin, "rev-parse", "HEAD")
        self.tokens = {name: f"ghs_{name.replace('_', '')}{os.urandom(12).hex()}" for name in PLANTED}
        self.state = State(Git(str(self.scratch / "github.git"), str(origin)),
                           self.tokens["GITHUB_TOKEN"])
        self.state.issues[7]["body"] = ISSUE
        self.server = Server(self.state)
        self.workspace = self.scratch / "work/shop"
        subprocess.run(["git", "clone", "-q", origin, self.workspace], check=True)
        self.temp = self.scratch / "temp"
        self.temp.mkdir()
        self.planted = ["event.json"]  # files that the test itself has put tokens into
        return self

    def __exit__(self, kind, *_):
        self.server.close()
        try:
            if kind is None:
                self.look_for_tokens()
        finally:
            shutil.rmtree(self.scratch)

    # Events as GitHub sends them, as far as anybody reads them.

    def payload(self, **changes):
        return {"repository": {"full_name": "octo/shop", "default_branch": "main"},
                "sender": dict(PERSON), **changes}

    def labeled(self, **changes):
        return self.payload(**{"action": "labeled", "label": {"name": "dsv4-agent"},
                               "issue": dict(self.state.issues[7]), **changes})

    def commented(self, text="/dsv4 fix", **changes):
        return self.payload(**{"action": "created", "issue": dict(self.state.issues[7]),
                               "comment": {"body": text, "user": dict(PERSON)}, **changes})

    def manual(self, **changes):
        return self.payload(**{"inputs": {"issue": "7"}, "ref": "refs/heads/main", **changes})

    def environment(self, name, payload):
        event = self.scratch / "event.json"
        event.write_text(payload if isinstance(payload, str) else json.dumps(payload))
        places = {f"XDG_{each}_HOME": str(self.scratch / each.lower())
                  for each in ("CACHE", "CONFIG", "STATE")}
        return {"PATH": os.environ["PATH"], "HOME": str(self.scratch), **places, **self.tokens,
                "LANG": "C.UTF-8", "GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": name,
                "GITHUB_EVENT_PATH": str(event), "GITHUB_REPOSITORY": "octo/shop",
                "GITHUB_SHA": self.sha, "GITHUB_RUN_ID": "42", "GITHUB_RUN_ATTEMPT": "1",
                "GITHUB_API_URL": self.server.url, "GITHUB_SERVER_URL": "https://github.example",
                "GITHUB_WORKSPACE": str(self.workspace), "RUNNER_TEMP": str(self.temp)}

    def run(self, mode, name="issues", payload=None, **inputs):
        """Runs `dsv4-agent github MODE`; inputs in capitals are variables."""
        environment = self.environment(name, self.labeled() if payload is None else payload)
        files = {each: self.scratch / each.lower() for each in ("GITHUB_OUTPUT",
                                                               "GITHUB_STEP_SUMMARY")}
        for variable, file in files.items():
            file.write_text("")
            environment[variable] = str(file)
        for key, value in inputs.items():
            environment[key if key.isupper() else f"INPUT_{key.upper()}"] = value
        done = subprocess.run([self.build / "dsv4-agent", "github", mode], env=environment,
                              cwd=self.workspace, capture_output=True, text=True, timeout=300,
                              check=False)
        lines = files["GITHUB_OUTPUT"].read_text().splitlines()
        outputs = dict(line.split("=", 1) for line in lines)
        assert len(outputs) == len(lines), f"an output was written twice: {lines}"
        ended = Ended(done, outputs, files["GITHUB_STEP_SUMMARY"].read_text())
        self.look_for_tokens(ended.said + str(outputs) + ended.summary)
        return ended

    # Results that a run might have left.

    @property
    def results(self):
        return self.temp / "dsv4-agent-out"

    def good_patch(self):
        """What repairs the example, as git writes it."""
        file = self.workspace / "prices.py"
        before = file.read_text()
        file.write_text(before.replace("price < 100", "price <= 100"))
        check(file.read_text() != before, "the example has changed")
        patch = subprocess.run(["git", "-C", self.workspace, "diff"], check=True,
                               capture_output=True, text=True).stdout
        git(self.workspace, "checkout", "-q", ".")
        return patch

    def leave(self, patch=None, status="passed", meta=None, report=None, log="ok\n"):
        """Writes results as `github run` does; `meta` and `report` change single fields."""
        self.results.mkdir(exist_ok=True)
        patch = self.good_patch() if patch is None else patch
        passed = status == "passed"
        (self.results / "patch.diff").write_text(patch)
        (self.results / "tests.log").write_text(log)
        (self.results / "report.json").write_text(json.dumps({
            "status": status, "exit_code": 0 if passed else 1, "attempts": 2, "turns": 9,
            "tool_calls": 9, "tokens": {"context": 800, "generated": 100},
            "seconds": {"total": 2.5}, "model": "nano",
            "tests": {"command": "python3 test_prices.py", "before": "failed",
                      "after": "passed" if passed else "failed"},
            "error": None if passed else "no attempt made the tests pass", **(report or {})}))
        (self.results / "meta.json").write_text(json.dumps({
            "version": 1, "repository": "octo/shop", "issue": 7, "sha": self.sha, "branch": "main",
            "directory": "", "run_id": "42",
            "patch_sha256": hashlib.sha256(patch.encode()).hexdigest() if patch else "",
            **(meta or {})}))

    def look_for_tokens(self, said=""):
        """No token in what was said, in any file, in any request but for its Authorization."""
        places = {"what it said": said}
        for method, path, headers, body in self.state.requests:
            rest = {name: value for name, value in headers.items() if name != "Authorization"}
            places[f"{method} {path}"] = path + str(rest) + body
        for file in self.scratch.rglob("*"):
            if file.is_file() and not file.is_symlink() and \
                    file.name not in self.planted:
                places[str(file)] = file.read_bytes().decode(errors="replace")
        for place, text in places.items():
            for name, token in self.tokens.items():
                check(token not in text, f"{name} is in {place}")
