"""Pieces of random functions: parameters, expressions, conditions, updates, guards."""


class Writer:
    """Writes one function's body; keeps track of the integer names that expressions may use."""

    def __init__(self, rng):
        self.rng = rng
        self.params = []  # (name, kind)
        self.ints = []
        self.lines = []
        self.free = rng.sample(
            [
                "total",
                "count",
                "best",
                "value",
                "level",
                "rest",
                "gap",
                "width",
                "score",
                "offset",
                "cost",
                "bonus",
                "step",
                "mark",
            ],
            14,
        )

    def new(self):
        return self.free.pop()

    def param(self, kind):
        taken = {name for name, _ in self.params}
        pool = {
            "ints": ["xs", "values", "items"],
            "words": ["words", "names", "labels"],
            "text": ["text", "line", "word"],
            "grid": ["grid", "rows", "table"],
        }
        group = (
            "ints"
            if kind in ("ints", "nats", "some", "runs", "marks", "sorted_")
            else (
                "words"
                if kind in ("words", "repeats", "some_words")
                else "text" if kind in ("text", "word", "mixed", "digits") else kind
            )
        )
        for name in pool.get(group, ["limit", "low", "high", "n", "k", "size", "floor", "cap"]):
            if name not in taken and (group in pool or self.rng.random() < 0.5 or name == "cap"):
                self.params.append((name, kind))
                if group not in pool:
                    self.ints.append(name)
                return name
        self.params.append(("extra", kind))
        return "extra"

    def emit(self, depth, text):
        self.lines.append("    " * (depth + 1) + text)

    def constant(self, low=1, high=12):
        return str(self.rng.choice((1, 2, 2, 3, self.rng.randint(low, high))))

    def atom(self, extra=()):
        names = list(extra) + self.ints
        if names and self.rng.random() < 0.72:
            return self.rng.choice(names)
        return self.constant()

    def expression(self, extra=(), depth=1):
        rng = self.rng
        main = rng.choice(list(extra)) if extra else self.atom()
        roll = rng.random()
        if roll < 0.3 or depth == 0:
            return main
        if roll < 0.62:
            return "%s %s %s" % (main, rng.choice("++-**"), self.atom())
        if roll < 0.70:
            return "%s %% %s" % (main, rng.randint(2, 7))
        if roll < 0.78:
            return "%s // %s" % (main, rng.randint(2, 5))
        if roll < 0.86:
            return "%s(%s, %s)" % (rng.choice(("min", "max")), main, self.atom())
        if roll < 0.91:
            return "abs(%s - %s)" % (main, self.atom())
        return "(%s %s %s) * %s" % (main, rng.choice("+-"), self.atom(), rng.randint(2, 5))

    def condition(self, extra=()):
        rng = self.rng
        main = rng.choice(list(extra)) if extra else self.atom()
        roll = rng.random()
        if roll < 0.45:
            test = "%s %s %s" % (main, rng.choice(("<", "<=", ">", ">=")), self.atom())
        elif roll < 0.6:
            test = "%s %% %d %s %d" % (
                main,
                rng.randint(2, 5),
                rng.choice(("==", "==", "!=")),
                rng.randint(0, 1),
            )
        elif roll < 0.7:
            test = "%s %s %s" % (main, rng.choice(("==", "!=")), self.atom())
        elif roll < 0.8:
            test = "%s < %s < %s" % (self.constant(0, 3), main, self.rng.randint(5, 15))
        else:
            join = rng.choice(("and", "or"))
            test = "%s %s %s %s %s %s %s" % (
                main,
                rng.choice("<>"),
                self.atom(),
                join,
                main,
                rng.choice(("!=", ">=", "<=", "==")),
                self.constant(0, 9),
            )
        return test

    def update(self, name, extra):
        rng = self.rng
        roll = rng.random()
        if roll < 0.3:
            return "%s += 1" % name
        if roll < 0.75:
            return "%s %s= %s" % (name, rng.choice("+++-"), self.expression(extra))
        if roll < 0.9:
            return "%s = %s(%s, %s)" % (
                name,
                rng.choice(("min", "max")),
                name,
                self.expression(extra, 0),
            )
        return "%s = %s" % (name, self.expression(extra))


def guard(w, subject, sized):
    roll = w.rng.random()
    if sized and roll < 0.3:
        w.emit(0, "if not %s:" % subject)
        w.emit(1, "return %s" % w.rng.choice(("0", "-1", "None")))
    elif sized and roll < 0.45:
        w.emit(0, "if len(%s) < %d:" % (subject, w.rng.randint(2, 3)))
        w.emit(1, "return %d" % w.rng.randint(-1, 1))


def finish(w, name):
    """A last adjustment and the return."""
    rng = w.rng
    roll = rng.random()
    if roll < 0.18:
        w.emit(0, "if %s %s %s:" % (name, rng.choice(("<", ">", "<=", ">=")), w.atom()))
        w.emit(1, "%s = %s" % (name, w.expression((name,))))
    elif roll < 0.3:
        w.emit(0, "if %s:" % w.condition((name,)))
        w.emit(1, "return %s" % w.expression((name,)))
    w.emit(0, "return %s" % (name if rng.random() < 0.7 else w.expression((name,))))


def branches(w, depth, name, extra, element):
    """A conditional update of an accumulator."""
    rng = w.rng
    roll = rng.random()
    if roll < 0.15:
        w.emit(depth, w.update(name, extra))
        return
    w.emit(depth, "if %s:" % w.condition(element))
    if roll < 0.25:
        w.emit(depth + 1, rng.choice(("continue", "continue", "break")))
        w.emit(depth, w.update(name, extra))
        return
    w.emit(depth + 1, w.update(name, extra))
    if rng.random() < 0.35:
        w.emit(depth, "elif %s:" % w.condition(element))
        w.emit(depth + 1, w.update(name, extra))
    if rng.random() < 0.35:
        w.emit(depth, "else:")
        w.emit(depth + 1, w.update(name, extra))
