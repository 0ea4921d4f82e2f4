"""How much a patch changes: lines, files, and whether all of it lies in one function."""

import ast
import collections
import dataclasses
import re

CONTROL = re.compile(r"\s*(\}? ?(if|for|while|switch|do|else|try|catch|case|until)\b|(namespace|"
                     r"class|struct|enum|union|export default \{)\b)")


@dataclasses.dataclass
class Change:
    """Of one file: numbers of the lines removed from the old and added to the new text."""
    removed: list = dataclasses.field(default_factory=list)
    added: list = dataclasses.field(default_factory=list)


def parse(patch):
    """{path: Change} of a patch as `git diff` writes it. Raises ValueError for any other."""
    changes = collections.defaultdict(Change)
    path = None
    old_left = new_left = 0
    for line in patch.splitlines():
        if old_left > 0 or new_left > 0:
            if line[:1] in ("-", " "):
                if line[0] == "-":
                    changes[path].removed.append(old)
                old, old_left = old + 1, old_left - 1
            if line[:1] in ("+", " "):
                if line[0] == "+":
                    changes[path].added.append(new)
                new, new_left = new + 1, new_left - 1
        elif line.startswith("diff --git a/"):
            path = line.rpartition(" b/")[2]
            changes[path]
        elif match := re.match(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@", line):
            old, new = int(match[1]), int(match[3])
            old_left, new_left = (int(n) if n else 1 for n in (match[2], match[4]))
    if not changes or old_left or new_left:
        raise ValueError("not a whole patch")
    return dict(changes)


def functions(text, language):
    """[(name, first line, last line)] of every function; inner ones too."""
    if language == "python":
        return [(node.name, node.lineno, node.end_lineno) for node in ast.walk(ast.parse(text))
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    found = []
    lines = text.splitlines()
    for first, line in enumerate(lines):
        # By indentation, as all of the suite is formatted: a header that ends with an open brace, and
        # the first brace that closes below it.
        if not line.endswith("{") or "(" not in line or CONTROL.match(line):
            continue
        end = re.match(r"\s*", line)[0] + "}"
        for last in range(first + 1, len(lines)):
            if lines[last].startswith(end):
                name = re.sub(r"^(?:static|async|export|function|get|set)\s+", "", line.strip())
                found.append((re.match(r"[^(]*", name)[0], first + 1, last + 1))
                break
    return found


def function_of(change, before, after, language):
    """The name of the function that holds the whole change, before and after; or None."""
    def holders(text, lines):
        if not lines:
            return {name for name, _, _ in functions(text, language)}
        return {name for name, first, last in functions(text, language)
                if first <= min(lines) and max(lines) <= last}
    common = holders(before, change.removed) & holders(after, change.added)
    return min(common, default=None)
