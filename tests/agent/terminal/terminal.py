"""Runs the program in tmux: a repository, keys, and what the screen shows."""

import os
import pathlib
import shlex
import shutil
import subprocess
import tempfile
import time

DEADLINE = float(os.environ.get("DSV4_DEADLINE", 120))  # seconds; a busy machine is slow
IDLE = "/help"  # stands in the mode line
BROKEN = ("def clamp(x, low, high):\n    if x < low:\n        return low\n    if x > high:\n"
          "        return low\n    return x\n")
FIXED = BROKEN.replace("        return low\n    return x", "        return high\n    return x")
TEST = "from calc import clamp\nassert clamp(5, 0, 3) == 3, clamp(5, 0, 3)\nprint('ok')\n"

TESTS = []


def test(function):
    TESTS.append(function)
    return function


class Failure(Exception):
    pass


def until(condition, what, describe=lambda: ""):
    """Polls until the condition holds; what it returned."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise Failure(f"waited in vain for {what}\n{describe()}")


class Terminal:
    """A repository with a bug, and the program on it in a terminal of its own."""

    build = source = None  # the folders of this project

    def __init__(self, rows=24, columns=80):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="dsv4-terminal-"))
        self.repo = self.path / "repo"
        self.run = self.path / "run"
        self.copy = self.run / "work/tree"
        self.repo.mkdir()
        (self.repo / "calc.py").write_text(BROKEN)
        (self.repo / "test_calc.py").write_text(TEST)
        git = ["git", "-C", self.repo, "-c", "user.name=t", "-c", "user.email=t@localhost"]
        for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "first"]):
            subprocess.run(git + command, check=True)
        self.rows, self.columns = rows, columns
        self.socket = str(self.path / "tmux")
        self.log = self.path / "bytes"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tmux("kill-server", check=False)
        shutil.rmtree(self.path, ignore_errors=True)

    def environment(self, more=None):
        return {"PATH": os.environ["PATH"], "HOME": str(self.path), "LANG": "C.UTF-8",
                "XDG_STATE_HOME": str(self.path / "state"),
                "XDG_CACHE_HOME": str(self.path / "cache"), **(more or {}),
                **{name: value for name, value in os.environ.items() if "SAN_OPTIONS" in name}}

    def tmux(self, *arguments, check=True):
        return subprocess.run(["tmux", "-u", "-S", self.socket, "-f", "/dev/null", *arguments],
                              check=check, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env=self.environment()).stdout

    def command(self, program, arguments):
        words = [str(Terminal.build / program), "--run-dir", str(self.run), *arguments]
        if program != "dsv4-agent" or "--test" not in arguments:
            words += ["--test", "python3 test_calc.py"]
        return shlex.join(words)

    def start(self, *arguments, program="tests/dsv4-agent-scripted", environment=None, shell=None):
        """Starts the program, or a shell, at the repository, and waits for its first prompt."""
        # The status is shown when the program ends, and the screen stays.
        line = shell or self.command(program, arguments) + "; echo \"exit $?\"; exec cat"
        variables = [f"{name}={value}" for name, value in self.environment(environment).items()]
        self.tmux("new-session", "-d", "-x", str(self.columns), "-y", str(self.rows), "-c",
                  str(self.repo), "exec env -u NO_COLOR " + shlex.join(
                      [*variables, f"TERM={(environment or {}).get('TERM', 'screen-256color')}",
                       "sh", "-c", line]))
        self.tmux("pipe-pane", "-o", f"cat > {shlex.quote(str(self.log))}")
        if not shell:
            self.wait(IDLE if "TERM" not in (environment or {}) else "\n>")

    def keys(self, *keys):
        self.tmux("send-keys", *keys)

    def type(self, text):
        self.tmux("send-keys", "-l", text)

    def send(self, text):
        """A message or command, sent."""
        self.type(text)
        self.keys("Enter")

    def screen(self, *options):
        return self.tmux("capture-pane", "-p", *options)

    def history(self):
        return self.screen("-S", "-")

    def wait(self, text, screen=None):
        look = screen or self.screen
        until(lambda: text in look(), repr(text), look)

    def wait_gone(self, text):
        until(lambda: text not in self.screen(), f"{text!r} to go", self.screen)

    def idle(self):
        self.wait_gone("Esc stops)")
        self.wait(IDLE)

    def do(self, text, expected):
        """Sends it and waits until it is done and the screen has what is expected."""
        self.send(text)
        self.wait(expected)
        self.idle()

    def resize(self, columns, rows):
        self.tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def read(self, name):
        file = self.copy / name
        return file.read_text() if file.exists() else None

    def cursor(self):
        """Column and row, from 0."""
        place = self.tmux("display-message", "-p", "#{cursor_x} #{cursor_y}")
        return tuple(int(number) for number in place.split())


def check(condition, text):
    if not condition:
        raise Failure(text)


def piped(terminal, text, *arguments, program="tests/dsv4-agent-scripted", environment=None):
    """The program without a terminal: how it ended."""
    command = [Terminal.build / program, "--run-dir", terminal.run]
    command += ["--test", "python3 test_calc.py"]
    return subprocess.run(command + list(arguments), input=text, cwd=terminal.repo,
                          env=terminal.environment(environment), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=DEADLINE)
