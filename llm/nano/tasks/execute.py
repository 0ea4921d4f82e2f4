"""Runs generated Python in this process, under a time limit: calls, and whole test files.

`run_tests` says what the agent's `test` tool would say, in the same words, without starting a
process.
"""

import copy
import io
import contextlib
import re
import signal
import sys
import types
import unittest


class OutOfTime(BaseException):
    """Raised inside generated code that runs too long."""


def _expired(signum, frame):
    raise OutOfTime


@contextlib.contextmanager
def time_limit(seconds):
    """Stops the body with OutOfTime. Main thread only."""
    previous = signal.signal(signal.SIGVTALRM, _expired)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, previous)


PLAIN = (int, float, bool, str, list, tuple, dict, set, type(None))


def is_plain(value, depth=0):
    """Whether a value prints as a short literal that reads back as itself."""
    if isinstance(value, float) and (
        value != value or abs(value) > 1e9 or value != round(value, 6)
    ):
        return False
    if isinstance(value, int) and abs(value) > 10**9:
        return False
    if isinstance(value, (list, tuple)):
        return depth < 4 and all(is_plain(v, depth + 1) for v in value)
    if isinstance(value, dict):
        return depth < 4 and all(is_plain(v, depth + 1) for v in list(value) + list(value.values()))
    if isinstance(value, set):
        return not value
    return isinstance(value, PLAIN)


class Outcome:
    """What one call gave: a value's literal, or the exception's text."""

    __slots__ = ("text", "error")

    def __init__(self, text, error=False):
        self.text = text
        self.error = error

    def __eq__(self, other):
        return self.text == other.text and self.error == other.error


def run_calls(code, name, argument_lists, seconds=0.05):
    """Outcomes of calling `name` from `code` on each argument list; None when out of time or
    broken."""
    outcomes = []
    try:
        with time_limit(seconds):
            space = {}
            exec(compile(code, "<task>", "exec"), space)
            function = space[name]
            for arguments in argument_lists:
                outcomes.append(_call(function, arguments))
    except (OutOfTime, MemoryError, RecursionError, SyntaxError):
        return None
    return outcomes


def _call(function, arguments):
    try:
        value = function(*copy.deepcopy(arguments))
    except (MemoryError, RecursionError):
        raise
    except Exception as error:
        return Outcome("%s: %s" % (type(error).__name__, error), error=True)
    if not is_plain(value):
        return Outcome("not plain", error=True)
    return Outcome(repr(value))


# ---- Test files ----


def is_test_file(path):
    return path.rsplit("/", 1)[-1].startswith("test")


class Program:
    """Files of a task, importable and runnable in this process."""

    def __init__(self, files, test_path, style):
        self.files = files
        self.test_path = test_path
        self.style = style

    def run(self, seconds=0.25):
        """The test tool's text, or None when the tests ran out of time."""
        modules = [p[:-3] for p in self.files if p.endswith(".py")]
        saved = {m: sys.modules.get(m) for m in modules}
        output = io.StringIO()
        try:
            with time_limit(seconds), contextlib.redirect_stdout(output):
                for module in modules:
                    sys.modules.pop(module, None)
                sys.meta_path.insert(0, _Finder(self.files))
                try:
                    failures = self._failures()
                finally:
                    sys.meta_path.pop(0)
        except (OutOfTime, MemoryError, RecursionError):
            return None
        finally:
            for module, old in saved.items():
                if old is None:
                    sys.modules.pop(module, None)
                else:
                    sys.modules[module] = old
        printed = [line for line in output.getvalue().split("\n") if line.startswith("FAIL ")]
        blocks = [_printed_block(line, self.files) for line in printed]
        blocks += [_exception_block(self.files, *failure) for failure in failures]
        blocks = list(dict.fromkeys(blocks))
        if not blocks:
            return "The tests pass."
        return "The tests fail: exit status 1.\n" + "\n".join(blocks[:3])

    def _failures(self):
        """[(exception, test function or None)] of one run."""
        space = {"__name__": "__main__"}
        if self.style == "unittest":
            space["__name__"] = "test_module"
        code = compile(self.files[self.test_path], self.test_path, "exec")
        try:
            exec(code, space)
        except SystemExit:
            return []
        except Exception as error:
            return [(error, None)]
        if self.style != "unittest":
            return []
        return _run_unittest(space)


class _Finder:
    """Imports the task's modules from memory."""

    def __init__(self, files):
        self.files = files

    def find_spec(self, name, path=None, target=None):
        if name + ".py" not in self.files:
            return None
        import importlib.machinery

        return importlib.machinery.ModuleSpec(name, self)

    def create_module(self, spec):
        return types.ModuleType(spec.name)

    def exec_module(self, module):
        path = module.__name__ + ".py"
        exec(compile(self.files[path], path, "exec"), module.__dict__)


def _run_unittest(space):
    """Failures in the order in which unittest prints them: errors, then failed assertions."""
    errors, failures = [], []
    for value in list(space.values()):
        if not (isinstance(value, type) and issubclass(value, unittest.TestCase)):
            continue
        for name in unittest.defaultTestLoader.getTestCaseNames(value):
            case = value(name)
            try:
                getattr(case, name)()
            except AssertionError as error:
                failures.append((error, name))
            except Exception as error:
                errors.append((error, name))
    return errors + failures


def _frames(error, files):
    frames, trace = [], error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_filename in files:
            name = getattr(code, "co_qualname", code.co_name)
            frames.append((code.co_filename, trace.tb_lineno, name.split(".<")[0]))
        trace = trace.tb_next
    return frames


DEFINITION = re.compile(r"^( *)(?:def|class) (\w+)", re.M)


def definitions(files):
    """{name: [(path, symbol)]} of everything defined in files that are not tests, in reading
    order."""
    found = {}
    for path in sorted(files):
        if is_test_file(path) or not path.endswith(".py"):
            continue
        owner = None
        for indent, name in DEFINITION.findall(files[path]):
            if not indent:
                owner = name
            symbol = name if not indent else "%s.%s" % (owner, name)
            found.setdefault(name, []).append((path, symbol))
    return found


def clipped(line):
    """A line as a report shows it."""
    return line if len(line) <= 200 else line[:197] + "..."


def called_names(line):
    """Names followed by an opening bracket, in order, without repeats."""
    return list(dict.fromkeys(re.findall(r"([A-Za-z_]\w*) *\(", line)))


def see_lines(line, files, frames=(), before=()):
    """`see PATH: SYMBOL` lines for what a source line calls, then for frames, innermost first;
    without any, for the closest line of `before` that calls something."""
    known, places = definitions(files), []

    def add(source):
        for name in called_names(source):
            for place in known.get(name, ()):
                if place not in places:
                    places.append(place)

    add(line)
    for path, _, name in reversed(frames):
        if not is_test_file(path) and (path, name) not in places and name[0] != "<":
            places.append((path, name))
    for earlier in before:
        if places:
            break
        add(earlier)
    return ["  see %s: %s" % place for place in places[:3]]


def _printed_block(line, files):
    return "\n".join([clipped(line)] + see_lines(line, files))


def _exception_block(files, error, test):
    frames = _frames(error, files)
    in_test = [f for f in frames if is_test_file(f[0])]
    path, _, name = in_test[-1]
    name = (test or name).split(".")[-1]
    head = "FAIL %s" % path if name == "<module>" else "FAIL %s: %s" % (path, name)
    where, number, _ = frames[-1]
    lines = files[where].split("\n")
    source = lines[number - 1].strip()
    # Upwards from the failing line to the definition it stands in.
    before = []
    for line in reversed(lines[: number - 1]):
        before.append(line)
        if DEFINITION.match(line):
            break
    text = str(error)
    message = type(error).__name__ + (": " + text if text else "")
    shown = [clipped(part.strip()) for part in message.split("\n\n")[0].split("\n")[:3]]
    return "\n".join(
        [head, "  " + clipped(source)]
        + ["  " + part for part in shown]
        + see_lines(source, files, frames, before)
    )
