"""More random functions, of other shapes than grammar.py: folds, decisions, adjustments, tables.

The code is plausible, its meaning arbitrary; `source.instantiate` gives it each task's names.
"""

from . import source

COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
LABELS = (
    "low",
    "high",
    "ok",
    "bad",
    "none",
    "near",
    "far",
    "open",
    "shut",
    "even",
    "odd",
    "left",
    "right",
    "cold",
    "warm",
    "hot",
    "new",
    "old",
    "full",
    "small",
    "large",
    "yes",
    "no",
    "done",
    "wait",
)
LIST_KINDS = ("ints", "nats", "some", "sorted_", "runs", "marks")


class Writer:
    """Writes one random function."""

    def __init__(self, rng):
        self.rng = rng
        self.numbers = []  # names of number parameters in scope

    def pick(self, *options):
        return self.rng.choice(options)

    def constant(self):
        return self.pick(0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 50)

    def value(self, names):
        """A number: a name mostly, else a constant."""
        names = list(names) + self.numbers
        return (
            self.rng.choice(names) if names and self.rng.random() < 0.75 else str(self.constant())
        )

    def term(self, names):
        """A short arithmetic expression over names."""
        roll = self.rng.random()
        a = self.value(names)
        if roll < 0.35:
            return a
        if roll < 0.75:
            return "%s %s %s" % (a, self.pick("+", "-", "*", "+", "-"), self.value(names))
        if roll < 0.85:
            return "%s %s %d" % (a, self.pick("//", "%"), self.pick(2, 3, 4, 5, 10))
        if roll < 0.93:
            return "%s(%s, %s)" % (self.pick("min", "max"), a, self.value(names))
        return "abs(%s - %s)" % (a, self.value(names))

    def test(self, names):
        """A condition over names."""
        names = list(names) + self.numbers
        a = self.rng.choice(names)
        roll = self.rng.random()
        if roll < 0.5:
            return "%s %s %s" % (
                a,
                self.rng.choice(COMPARISONS[:4]),
                self.value([n for n in names if n != a]),
            )
        if roll < 0.65:
            return "%s %% %d %s %d" % (
                a,
                self.pick(2, 3, 4, 5),
                self.pick("==", "!="),
                self.pick(0, 0, 1),
            )
        if roll < 0.75:
            return "%s %s %d" % (a, self.pick("==", "!="), self.constant())
        if roll < 0.88:
            return "%d <= %s %s %d" % (
                self.pick(0, 1, 2, 3),
                a,
                self.pick("<", "<="),
                self.pick(5, 8, 10, 12),
            )
        return "%s %s 0 %s %s < %d" % (
            a,
            self.pick(">", ">=", "!="),
            self.pick("and", "or"),
            a,
            self.pick(5, 10, 20),
        )

    def parameters(self, least=0, most=2):
        self.numbers = ["p%d" % i for i in range(self.rng.randint(least, most))]
        return [
            "%s: %s" % (n, self.pick("int_", "nat", "pos", "small", "nat")) for n in self.numbers
        ]

    def guard(self, names):
        """Sometimes an early return."""
        if self.rng.random() < 0.35 and (names or self.numbers):
            return ["    if %s:" % self.test(names), "        return %s" % self.value(names)]
        return []

    def loop_head(self):
        """(loop line, names bound to numbers)."""
        return self.rng.choice(
            (
                ("for x in xs:", ["x"]),
                ("for x in xs:", ["x"]),
                ("for i in range(len(xs)):", ["i", "xs[i]"]),
                ("for i, x in enumerate(xs):", ["i", "x"]),
                ("for a, b in zip(xs, xs[1:]):", ["a", "b"]),
                ("for i in range(1, len(xs)):", ["xs[i]", "xs[i - 1]"]),
            )
        )

    def update(self, names, acc):
        op = self.pick("+=", "+=", "-=", "+=")
        return "%s %s %s" % (acc, op, self.term(names))

    def fold(self, name):
        """A number accumulated over a list."""
        ps = self.parameters()
        head, bound = self.loop_head()
        lines = [
            "def %s(xs: %s%s):" % (name, self.rng.choice(LIST_KINDS), "".join(", " + p for p in ps))
        ]
        lines += self.guard([])
        lines += ["    acc = %s" % self.pick("0", "0", "1", "10"), "    " + head]
        if self.rng.random() < 0.25:
            lines += [
                "        if %s:" % self.test(bound),
                "            %s" % self.pick("continue", "break"),
            ]
        if self.rng.random() < 0.8:
            lines += [
                "        if %s:" % self.test(bound),
                "            " + self.update(bound, "acc"),
            ]
            if self.rng.random() < 0.4:
                lines += [
                    "        %s:" % self.pick("else", "elif " + self.test(bound)),
                    "            " + self.update(bound, "acc"),
                ]
        else:
            lines += ["        " + self.update(bound, "acc")]
        lines += ["    return %s" % self.pick("acc", "acc", "acc", self.term(["acc"]))]
        return lines

    def collect(self, name):
        """A list built from a list."""
        ps = self.parameters()
        head, bound = self.loop_head()
        lines = [
            "def %s(xs: %s%s):"
            % (name, self.rng.choice(LIST_KINDS), "".join(", " + p for p in ps)),
            "    out = []",
        ]
        carry = self.rng.random() < 0.35
        if carry:
            lines += ["    last = %s" % self.value([])]
            bound = bound + ["last"]
        lines += ["    " + head]
        if self.rng.random() < 0.75:
            lines += [
                "        if %s:" % self.test(bound),
                "            out.append(%s)" % self.term(bound),
            ]
            if self.rng.random() < 0.4:
                lines += ["        else:", "            out.append(%s)" % self.term(bound)]
        else:
            lines += ["        out.append(%s)" % self.term(bound)]
        if carry:
            lines += ["        last = %s" % self.term(bound)]
        lines += [
            "    return %s" % self.pick("out", "out", "out", "out[::-1]", "sorted(out)", "len(out)")
        ]
        return lines

    def decide(self, name):
        """A chain of conditions over numbers."""
        ps = self.parameters(1, 3)
        lines = ["def %s(%s):" % (name, ", ".join(ps))]
        names = []
        if self.rng.random() < 0.4:
            lines += ["    total = %s" % self.term(self.numbers)]
            names = ["total"]
        labels = self.rng.sample(LABELS, 5)
        textual = self.rng.random() < 0.5

        def result():
            return '"%s"' % labels.pop() if textual else self.term(names)

        for _ in range(self.rng.randint(1, 3)):
            lines += ["    if %s:" % self.test(names), "        return %s" % result()]
        lines += ["    return %s" % result()]
        return lines

    def adjust(self, name):
        """A number changed step by step."""
        ps = self.parameters(1, 3)
        lines = ["def %s(%s):" % (name, ", ".join(ps)), "    result = %s" % self.term(self.numbers)]
        for _ in range(self.rng.randint(1, 3)):
            if self.rng.random() < 0.7:
                lines += ["    if %s:" % self.test(["result"])]
                lines += [
                    "        "
                    + self.pick(
                        "result %s %s" % (self.pick("+=", "-="), self.term([])),
                        "result = %s" % self.term(["result"]),
                    )
                ]
            else:
                lines += ["    result = %s" % self.term(["result"])]
        lines += ["    return result"]
        return lines

    def repeat(self, name):
        """A bounded while loop."""
        ps = self.parameters(1, 2)
        p = self.numbers[0]
        step = self.pick(1, 2, 3)
        lines = ["def %s(%s):" % (name, ", ".join(ps)), "    steps = 0", "    value = %s" % p]
        lines += self.pick(
            ["    while value > %d:" % self.pick(0, 1, 2), "        value -= %d" % step],
            ["    while value < %d:" % self.pick(10, 20, 40), "        value += %d" % step],
            ["    while value > 1:", "        value = value // %d" % self.pick(2, 3)],
        )
        if self.rng.random() < 0.5:
            lines += [
                "        if %s:" % self.test(["value"]),
                "            " + self.update(["value"], "steps"),
            ]
        else:
            lines += ["        " + self.update(["value"], "steps")]
        lines += ["    return %s" % self.pick("steps", "steps", "steps + value", "(steps, value)")]
        return lines

    def text(self, name):
        """A string built from a string."""
        kind = self.pick("word", "text", "mixed")
        tests = [
            "ch in %r" % self.pick("aeiou", "abc", "xyz", " -_", "0123456789"),
            "ch.isdigit()",
            "ch.isalpha()",
            "ch.isupper()",
            "ch == %r" % self.pick("a", "e", " ", "-"),
            "i %% %d == 0" % self.pick(2, 3),
            "not ch.isalnum()",
            "len(out) < %d" % self.pick(3, 4, 6),
            "i > %d" % self.pick(0, 1, 2),
        ]
        parts = [
            "ch",
            "ch.upper()",
            "ch.lower()",
            repr(self.pick("_", "-", "*", "")),
            "ch + ch",
            "str(i)",
        ]
        lines = ["def %s(s: %s):" % (name, kind), "    out = ''", "    for i, ch in enumerate(s):"]
        lines += [
            "        if %s:" % self.rng.choice(tests),
            "            out += %s" % self.rng.choice(parts),
        ]
        if self.rng.random() < 0.5:
            lines += [
                "        elif %s:" % self.rng.choice(tests),
                "            out += %s" % self.rng.choice(parts),
            ]
        if self.rng.random() < 0.6:
            lines += ["        else:", "            out += %s" % self.rng.choice(parts)]
        lines += [
            "    return %s"
            % self.pick("out", "out", "out[::-1]", "out.strip()", "out[:5]", "len(out)")
        ]
        return lines

    def table(self, name):
        """A dictionary built or filtered."""
        lines = ["def %s(pairs: %s, p0: nat):" % (name, "pairs"), "    table = {}"]
        self.numbers = ["p0"]
        lines += ["    for key, n in pairs:"]
        if self.rng.random() < 0.4:
            lines += ["        if %s:" % self.test(["n"]), "            continue"]
        lines += self.pick(
            ["        table[key] = table.get(key, 0) + %s" % self.term(["n"])],
            ["        if key not in table or n > table[key]:", "            table[key] = n"],
            [
                "        if key in table:",
                "            table[key] += n",
                "        else:",
                "            table[key] = %s" % self.term(["n"]),
            ],
            ["        table.setdefault(key, []).append(%s)" % self.term(["n"])],
        )
        lines += [
            "    return %s"
            % self.pick("table", "table", "len(table)", "sorted(table)", "sorted(table.items())")
        ]
        return lines

    def search(self, name):
        """The first or last item that fits."""
        ps = self.parameters(1, 2)
        lines = ["def %s(xs: %s, %s):" % (name, self.rng.choice(LIST_KINDS), ", ".join(ps))]
        if self.rng.random() < 0.5:
            lines += [
                "    for i in range(len(xs)):",
                "        if %s:" % self.test(["xs[i]"]),
                "            return %s" % self.pick("i", "xs[i]", "i + 1"),
                "    return %s" % self.pick("-1", "None", "len(xs)"),
            ]
        else:
            lines += [
                "    best = %s" % self.pick("None", "-1"),
                "    for i, x in enumerate(xs):",
                "        if %s:" % self.test(["x"]),
                "            best = %s" % self.pick("i", "x"),
                "    return best",
            ]
        return lines


SHAPES = (
    Writer.fold,
    Writer.fold,
    Writer.collect,
    Writer.collect,
    Writer.decide,
    Writer.decide,
    Writer.adjust,
    Writer.repeat,
    Writer.text,
    Writer.table,
    Writer.search,
)
VERBS = (
    "count",
    "pick",
    "sum",
    "find",
    "make",
    "score",
    "rate",
    "mark",
    "fold",
    "step",
    "trim",
    "scale",
    "merge",
    "weigh",
    "grade",
    "level",
    "shift",
    "track",
    "check",
    "build",
)
NOUNS = (
    "items",
    "values",
    "rows",
    "points",
    "parts",
    "codes",
    "units",
    "marks",
    "steps",
    "cells",
    "slots",
    "days",
    "keys",
    "cost",
    "total",
    "range",
    "level",
    "size",
    "text",
    "order",
)


def random_family(rng):
    """One random function as a family; `instantiate` gives it this task's names."""
    name = "%s_%s" % (rng.choice(VERBS), rng.choice(NOUNS))
    lines = rng.choice(SHAPES)(Writer(rng), name)
    return source.parse_families("\n".join(lines) + "\n", "grammar")[0]
