"""A teacher that knows the answer repairs a task: the calls it makes and what the tools would say.

The teacher reads the function that the test points at, edits it, and, when the test still fails,
undoes the edit and tries another one in the same turn: the search that the model has to learn.
"""

import ast
import re

from . import cpp, edits
from .task import BugChooser
from .transcript import Call, Transcript

SUMMARIES = {
    "boundary": "Corrected a bound in {name}.",
    "comparison": "Corrected a comparison in {name}.",
    "off_by_one": "Corrected an off-by-one in {name}.",
    "operator": "Corrected an operator in {name}.",
    "constant": "Corrected a constant in {name}.",
    "wrong_variable": "Used the right variable in {name}.",
    "negation": "Corrected a condition in {name}.",
    "missing_case": "Restored a missing case in {name}.",
    "missing_update": "Restored a missing update in {name}.",
    "wrong_return": "Corrected the returned value of {name}.",
    "early_exit": "Corrected an early exit in {name}.",
    "initial_value": "Corrected an initial value in {name}.",
    "and_or": "Corrected a condition in {name}.",
    "min_max": "Corrected min and max in {name}.",
    "wrong_index": "Corrected an index in {name}.",
    "wrong_method": "Corrected a call in {name}.",
    "swapped_arguments": "Corrected the order of arguments in {name}.",
    "dropped_call": "Restored a missing call in {name}.",
}


class Workspace:
    """The files as the tools see them, with what the tools say about them."""

    def __init__(self, task):
        self.task = task
        self.files = task.broken_files()
        self.python = task.bug["plain"]  # the broken definition's original, as it is now
        self.undone = []

    def span(self, path, symbol):
        """First and last line (from 1) of a definition."""
        if not path.endswith(".py"):
            return cpp_span(self.files[path].split("\n"), symbol)
        node = find_definition(ast.parse(self.files[path]), symbol)
        return node.lineno, node.end_lineno

    def read(self, path, symbol):
        lines = self.files[path].split("\n")[:-1]
        first, last = self.span(path, symbol)
        shown = ["%d\t%s" % (n, lines[n - 1]) for n in range(first, last + 1)]
        return "%s: %s, lines %d-%d of %d\n%s" % (
            path,
            symbol,
            first,
            last,
            len(lines),
            "\n".join(shown),
        )

    def edit(self, path, edit):
        """Applies an edit; returns what the tool prints."""
        lines = self.files[path].split("\n")
        first, last = self.span(path, edit.symbol)
        if edit.old is None:
            begin, end = first - 1, last
        else:
            wanted = [line.strip() for line in edit.old.split("\n")]
            stripped = [line.strip() for line in lines[first - 1 : last]]
            begin = next(
                first - 1 + i
                for i in range(len(stripped))
                if stripped[i : i + len(wanted)] == wanted
            )
            end = begin + len(wanted)
        indent = " " * edits.indent_of(lines[begin])
        new = [indent + line if line else "" for line in edit.new.split("\n")]
        self.undone.append((path, self.files[path], self.python))
        self.python = edit.python
        self.files[path] = "\n".join(lines[:begin] + new + lines[end:])
        shown = ["%d\t%s" % (begin + 1 + i, line) for i, line in enumerate(new[:20])]
        if len(new) > 20:
            shown.append("[... %d more lines ...]" % (len(new) - 20))
        return "Edited %s.\n%s" % (path, "\n".join(shown))

    def refuse(self, path, edit, missed):
        """What the tool says of an edit that cannot be done: `missed` is the text it did not
        find."""
        if missed is None:
            return "Error: The edit changes nothing: old and new are the same."
        first, last = self.span(path, edit.symbol)
        lines = self.files[path].split("\n")[first - 1 : last]
        shown = ["%d\t%s" % (first + i, lines[i]) for i in edits.closest(lines, missed)]
        return "Error: old was not found in %s: %s. The closest lines are:\n%s" % (
            path,
            edit.symbol,
            "\n".join(shown),
        )

    def undo(self):
        path, content, self.python = self.undone.pop()
        self.files[path] = content
        return "Undid the last change to %s." % path

    def test(self):
        return self.task.report_of(self.files, self.python)


def find_definition(tree, symbol):
    """The node of `name` or `Class.method`."""
    parts = symbol.split(".")
    for node in tree.body:
        if getattr(node, "name", None) == parts[0] and isinstance(
            node, (ast.FunctionDef, ast.ClassDef)
        ):
            return node if len(parts) == 1 else find_definition(node, ".".join(parts[1:]))
    raise KeyError(symbol)


def cpp_span(lines, symbol):
    """First and last line of a C++ function as this package writes it."""
    first = next(
        i
        for i, line in enumerate(lines)
        if line.endswith("{") and " %s(" % symbol in line and line[0] not in " }"
    )
    return first + 1, next(i for i in range(first, len(lines)) if lines[i] == "}") + 1


def edit_call(edit, learn=True):
    arguments = [("symbol", edit.symbol)]
    if edit.old is not None:
        arguments.append(("old", edit.old))
    return Call("edit", arguments + [("new", edit.new)], learn)


def right_edit(task, rng):
    """The edit that repairs the task: one line mostly, the whole definition now and then."""
    bug = task.bug
    lines = bug["fixed"].count("\n") + 1
    if bug["old"] is None or (lines <= 12 and rng.random() < 0.1):
        return edits.whole_edit(bug["symbol"], bug["fixed"])
    return edits.Edit(bug["symbol"], bug["old"], bug["new"])


def wrong_edits(task, rng, most):
    """Other plausible one-line changes of the broken definition, likeliest near the bug."""
    bug = task.bug
    if not most:
        return []
    chooser = BugChooser(bug["plain"], rng, "train", bug["method"])
    chosen, near, seen = [], [], set()
    for _ in range(4 * most + 4):
        mutation = chooser.draw()
        if mutation is None:
            break
        try:
            styled = task.styled(mutation.source)
        except cpp.Unsupported:
            continue
        edit = edits.line_edit(bug["symbol"], bug["broken"], styled, most=2)
        if edit and edit.key() not in seen and edit.new != bug["new"]:
            seen.add(edit.key())
            edit.python = mutation.source
            (near if edit.old == bug["old"] else chosen).append(edit)
    near_count = sum(rng.random() < 0.5 for _ in range(most))
    picked = near[:near_count]
    picked += chosen[: most - len(picked)]
    rng.shuffle(picked)
    return picked


# Of the wrong tries, how many are slips: `old` copied wrongly, or nothing changed.
SLIP_SHARE = 0.15


def _slip(edit, rng, text):
    """The edit with a slip in it: (edit, what the tool says without the path), or None."""
    if edit.old is None:
        return None
    if rng.random() < 0.4:
        return edits.Edit(edit.symbol, edit.old, edit.old), None
    words = [m for m in re.finditer(r"[A-Za-z_]{3,}", edit.old)]
    if not words:
        return None
    word = rng.choice(words)
    cut = rng.randrange(word.start(), word.end())
    old = edit.old[:cut] + (
        edit.old[cut + 1 :]
        if rng.random() < 0.5
        else rng.choice("aeioulnrst") + edit.old[cut + 1 :]
    )
    if (
        old in text
        or old == edit.old
        or any(old.split("\n")[0].strip() == line.strip() for line in text.split("\n"))
    ):
        return None
    return edits.Edit(edit.symbol, old, edit.new), old


def _wrong_tries(task, rng, space, transcript):
    """Edits that do not help, each undone in the next turn; False when that cannot be shown."""
    tries = rng.choice((1, 1, 1, 2, 2, 3, 4)) if rng.random() < 0.45 else 0
    report = task.report
    for edit in wrong_edits(task, rng, tries):
        calls, answers = _undo(space)
        slip = (
            _slip(edit, rng, space.files[task.bug["path"]]) if rng.random() < SLIP_SHARE else None
        )
        if slip:
            answers.append(space.refuse(task.bug["path"], *slip))
            report = task.report
            edit = slip[0]
        else:
            answers.append(space.edit(task.bug["path"], edit))
            report = space.test()
        if report is None or report == "The tests pass.":
            # It hangs, or repairs the task in another way: as if it had not been tried.
            space.undo()
            if transcript.tries:
                return False
            continue
        transcript.tries += 1
        transcript.calls(calls + [edit_call(edit, learn=False), Call("test")])
        transcript.results(answers + [report])
    return True


def _undo(space):
    """The calls and answers that take back the last wrong edit, if there is one."""
    return ([Call("undo")], [space.undo()]) if space.undone else ([], [])


def play(task, rng, full=True):
    """A transcript of the teacher at work; None when the tools could not have said what is
    needed."""
    space = Workspace(task)
    bug = task.bug
    transcript = Transcript()
    transcript.opening(space.files, task.issue, task.test, task.report, full)
    for symbol, path in _reading_order(task, rng):
        transcript.calls([Call("read", [("symbol", symbol)])])
        transcript.results([space.read(path, symbol)])
    if not _wrong_tries(task, rng, space, transcript):
        return None
    calls, answers = _undo(space)
    edit = right_edit(task, rng)
    answers.append(space.edit(bug["path"], edit))
    report = space.test()
    if report != "The tests pass.":
        return None
    transcript.calls(calls + [edit_call(edit), Call("test")])
    transcript.results(answers + [report])
    transcript.calls(
        [Call("finish", [("summary", SUMMARIES[bug["kind"]].format(name=bug["symbol"]))])]
    )
    return transcript


def _reading_order(task, rng):
    """Which definitions are read before the edit: the one pointed at, then the broken one."""
    bug = task.bug
    if bug["method"]:
        owner = bug["symbol"].split(".")[0]
        if bug["main"] != bug["symbol"]:
            return (
                [(owner, bug["path"])]
                if rng.random() < 0.7
                else [(bug["main"], bug["path"]), (bug["symbol"], bug["path"])]
            )
        return [(owner if rng.random() < 0.25 else bug["symbol"], bug["path"])]
    wanted = [(bug["symbol"], bug["path"])]
    if bug["main"] != bug["symbol"]:
        wanted.insert(0, (bug["main"], bug["main_path"]))
    return wanted
