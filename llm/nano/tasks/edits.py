"""Edits as the agent's `edit` tool takes them: whole lines without their leading indentation."""

import collections


class Edit:
    """Replaces `old` by `new` inside a definition; without `old`, replaces the definition."""

    __slots__ = ("symbol", "old", "new", "python")

    def __init__(self, symbol, old, new):
        self.symbol = symbol
        self.old = old
        self.new = new
        self.python = None  # of a C++ definition: its Python original after the edit

    def key(self):
        return (self.symbol, self.old, self.new)


def indent_of(line):
    return len(line) - len(line.lstrip(" "))


def _dedent(lines):
    base = indent_of(lines[0])
    return "\n".join(line[base:] if line.strip() else "" for line in lines)


def _fits(old, new):
    """Whether relative indentation can be written with the first line at column 0."""
    base = indent_of(old[0])
    return indent_of(new[0]) == base and all(
        indent_of(line) >= base or not line.strip() for line in old + new
    )


def occurrences(lines, old):
    """How often `old` occurs, as the tool counts: as text for one line, as lines for several."""
    if len(old) == 1:
        return "\n".join(lines).count(old[0].strip())
    wanted = [line.strip() for line in old]
    stripped = [line.strip() for line in lines]
    return sum(stripped[i : i + len(wanted)] == wanted for i in range(len(lines) - len(wanted) + 1))


def line_edit(symbol, before, after, most=4):
    """The smallest edit that turns the definition `before` into `after`; None when it takes too
    many lines, so that replacing the whole definition is the better call."""
    a, b = before.split("\n"), after.split("\n")
    start = 0
    while start < min(len(a), len(b)) and a[start] == b[start]:
        start += 1
    end = 0
    while end < min(len(a), len(b)) - start and a[-1 - end] == b[-1 - end]:
        end += 1
    stop_a, stop_b = len(a) - end, len(b) - end
    while True:
        old, new = a[start:stop_a], b[start:stop_b]
        if len(old) > most or len(new) > most:
            return None
        if old and new and _fits(old, new) and occurrences(a, old) == 1:
            return Edit(symbol, _dedent(old), _dedent(new))
        grow_down = (old and new and _fits(old, new) and start <= 1) or (not start)
        if not grow_down and start > 0:
            start -= 1
        elif stop_a < len(a) and stop_b < len(b):
            stop_a += 1
            stop_b += 1
        else:
            return None


def whole_edit(symbol, after):
    """Replaces the whole definition. Written without the definition's own indentation."""
    lines = after.split("\n")
    return Edit(symbol, None, _dedent(lines))


def _pairs(line):
    """Pairs of neighbouring bytes, counted."""
    data = line.strip(" \t\r\n").encode()[:300]
    return collections.Counter(zip(data, data[1:]))


def closest(lines, old):
    """Indices of the lines most like `old`'s first line, as the edit tool picks them."""
    wanted = _pairs(next((line for line in old.split("\n") if line.strip()), ""))
    scored = []
    for index, line in enumerate(lines):
        pairs = _pairs(line)
        total = sum(wanted.values()) + sum(pairs.values())
        common = sum((wanted & pairs).values())
        if common:
            scored.append((-2.0 * common / total, index))
    return sorted(index for _, index in sorted(scored)[:5])
