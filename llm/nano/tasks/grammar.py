"""Random plausible functions: guards, loops with accumulators, conditions, clamps, string building.

Every call writes another function, so that repairing them cannot be learnt by heart.
"""

from . import source
from .writer import Writer, branches, finish, guard


def accumulate(w):
    xs = w.param(w.rng.choice(("ints", "nats", "some", "marks", "runs")))
    for _ in range(w.rng.choice((0, 1, 1, 2))):
        w.param(w.rng.choice(("nat", "pos", "small", "int_")))
    guard(w, xs, True)
    total = w.new()
    w.emit(0, "%s = %s" % (total, w.rng.choice(("0", "0", "1", w.atom()))))
    second = None
    if w.rng.random() < 0.3:
        second = w.new()
        w.emit(0, "%s = 0" % second)
    if w.rng.random() < 0.3:
        w.emit(0, "for i, x in enumerate(%s):" % xs)
        extra = ("x", "i", "x")
    else:
        w.emit(0, "for x in %s:" % xs)
        extra = ("x",)
    branches(w, 1, total, extra, extra)
    if second:
        branches(w, 1, second, extra, ("x", total))
        w.ints += [second]
        w.emit(
            0,
            "return %s"
            % w.rng.choice(
                (
                    "%s - %s" % (total, second),
                    "%s + %s" % (total, second),
                    "%s, %s" % (total, second),
                    "max(%s, %s)" % (total, second),
                    "%s * %s" % (second, w.constant()),
                )
            ),
        )
    else:
        finish(w, total)


def build_list(w):
    xs = w.param(w.rng.choice(("ints", "nats", "some", "marks")))
    for _ in range(w.rng.choice((0, 1, 1, 2))):
        w.param(w.rng.choice(("nat", "pos", "small")))
    w.emit(0, "result = []")
    indexed = w.rng.random() < 0.35
    if indexed:
        start, less = w.rng.choice(((0, 1), (1, 0), (1, 1), (0, 2)))
        stop = "len(%s)%s" % (xs, " - %d" % less if less else "")
        w.emit(0, "for i in range(%s):" % (stop if not start else "%d, %s" % (start, stop)))
        other = "%s[i - 1]" % xs if start else "%s[i + %d]" % (xs, less)
        extra = ("%s[i]" % xs,)
        value = "%s[i] %s %s" % (xs, w.rng.choice("+-*"), other)
        condition = "%s[i] %s %s" % (xs, w.rng.choice(("<", ">", "<=", ">=", "!=")), other)
    else:
        w.emit(0, "for x in %s:" % xs)
        extra = ("x",)
        value, condition = w.expression(extra), w.condition(extra)
    roll = w.rng.random()
    if roll < 0.55:
        w.emit(1, "if %s:" % condition)
        w.emit(2, "result.append(%s)" % value)
        if w.rng.random() < 0.45:
            w.emit(1, "else:")
            w.emit(2, "result.append(%s)" % w.expression(extra))
    elif roll < 0.7:
        w.emit(1, "if %s:" % condition)
        w.emit(2, w.rng.choice(("break", "continue", "continue")))
        w.emit(1, "result.append(%s)" % value)
    else:
        w.emit(1, "result.append(%s)" % value)
    w.emit(
        0,
        "return %s"
        % w.rng.choice(
            (
                "result",
                "result",
                "result",
                "result[:3]",
                "result[::-1]",
                "sorted(result)",
                "sum(result)",
            )
        ),
    )


def search(w):
    xs = w.param(w.rng.choice(("ints", "nats", "runs", "marks")))
    w.param(w.rng.choice(("nat", "pos", "small")))
    roll = w.rng.random()
    if roll < 0.4:
        w.emit(0, "for i, x in enumerate(%s):" % xs)
        w.emit(1, "if %s:" % w.condition(("x",)))
        w.emit(2, "return %s" % w.rng.choice(("i", "i", "x", "i + 1", "x + i")))
        w.emit(0, "return %s" % w.rng.choice(("-1", "-1", "0", "None", "len(%s)" % xs)))
    elif roll < 0.7:
        good = w.rng.choice(("True", "False"))
        w.emit(0, "for x in %s:" % xs)
        w.emit(1, "if %s:" % w.condition(("x",)))
        w.emit(2, "return " + good)
        w.emit(0, "return " + ("False" if good == "True" else "True"))
    else:
        best = w.new()
        w.emit(0, "%s = -1" % best)
        w.emit(0, "for i in range(len(%s)):" % xs)
        w.emit(1, "if %s:" % w.condition(("%s[i]" % xs,)))
        w.emit(2, "%s = i" % best)
        if w.rng.random() < 0.4:
            w.emit(2, "break")
        w.emit(0, "return %s" % best)


def countdown(w):
    n = w.param(w.rng.choice(("big", "nat", "pos")))
    if w.rng.random() < 0.6:
        w.param(w.rng.choice(("nat", "pos", "small")))
    count = w.new()
    w.emit(0, "%s = %s" % (count, w.rng.choice("001")))
    least = w.rng.choice(("0", "1", "2", "5"))
    w.emit(0, "while %s > %s:" % (n, least))
    roll = w.rng.random()
    if roll < 0.35:
        w.emit(1, "if %s %% %d == %d:" % (n, w.rng.randint(2, 4), w.rng.randint(0, 1)))
        w.emit(2, w.update(count, (n,)))
        if w.rng.random() < 0.4:
            w.emit(1, "else:")
            w.emit(2, w.update(count, (n,)))
    else:
        w.emit(1, w.update(count, ("%s %% %d" % (n, w.rng.choice((10, 3, 2, 5))), n)))
    w.emit(1, w.rng.choice(("%s //= 2", "%s //= 10", "%s //= 3", "%s -= 1", "%s -= 3")) % n)
    finish(w, count)


def cascade(w):
    value = w.param(w.rng.choice(("int_", "nat", "percent", "big", "hour")))
    for _ in range(w.rng.choice((0, 1, 2))):
        w.param(
            w.rng.choice(
                ("nat", "pos", "small", "flag") if w.rng.random() < 0.2 else ("nat", "pos", "small")
            )
        )
    words = w.rng.random() < 0.4
    labels = w.rng.sample(
        [
            "low",
            "high",
            "mid",
            "none",
            "full",
            "small",
            "large",
            "cold",
            "hot",
            "open",
            "closed",
            "late",
            "early",
            "free",
            "red",
            "green",
        ],
        5,
    )

    def answer():
        return repr(labels.pop()) if words else w.expression((value,))

    limits = sorted(w.rng.sample(range(1, 30), 3))
    ascending = w.rng.random() < 0.5
    sign = w.rng.choice(("<", "<=") if ascending else (">", ">="))
    if not ascending:
        limits.reverse()
    count = w.rng.choice((1, 2, 2, 3))
    for index in range(count):
        word = "if" if index == 0 or w.rng.random() < 0.5 else "elif"
        test = "%s %s %d" % (value, sign, limits[index])
        if w.rng.random() < 0.3:
            test = w.condition((value,))
        w.emit(0, "%s %s:" % (word, test))
        w.emit(1, "return " + answer())
    if not words and w.rng.random() < 0.5:
        name = w.new()
        w.emit(0, "%s = %s" % (name, w.expression((value,))))
        finish(w, name)
    else:
        w.emit(0, "return " + answer())


def straight(w):
    for kind in w.rng.choice(
        (("int_", "nat"), ("nat", "pos", "small"), ("big", "percent"), ("nat", "nat"))
    ):
        w.param(kind)
    for _ in range(w.rng.choice((1, 2, 3))):
        name = w.new()
        w.emit(0, "%s = %s" % (name, w.expression((w.rng.choice(w.ints),))))
        w.ints.append(name)
        if w.rng.random() < 0.55:
            w.emit(0, "if %s:" % w.condition((name,)))
            w.emit(1, w.update(name, (w.rng.choice(w.ints),)))
            if w.rng.random() < 0.3:
                w.emit(0, "else:")
                w.emit(1, w.update(name, (w.rng.choice(w.ints),)))
    w.emit(0, "return %s" % w.rng.choice((w.ints[-1], w.expression((w.ints[-1],)))))


def text_building(w):
    text = w.param(w.rng.choice(("text", "word", "mixed", "digits")))
    if w.rng.random() < 0.5:
        w.param(w.rng.choice(("small", "pos")))
    tests = [
        "ch in 'aeiou'",
        "ch.isdigit()",
        "ch.isupper()",
        "ch == ' '",
        "ch.isalpha()",
        "ch not in '-_.'",
        "ch != ' '",
        "ch.islower()",
        "i % 2 == 0",
        "i % 3 == 0",
        "i > 0",
        "ch < 'm'",
    ]
    if w.ints:
        tests += ["i < %s" % w.ints[0], "i >= %s" % w.ints[0], "i %% %s == 0" % w.ints[0]]
    pieces = [
        "ch",
        "ch.upper()",
        "ch.lower()",
        "'-'",
        "'*'",
        "ch * 2",
        "'_' + ch",
        "ch + '.'",
        "str(i)",
    ]
    test = w.rng.choice(tests)
    counting = w.rng.random() < 0.35
    out = w.new() if counting else "result"
    w.emit(0, "%s = %s" % (out, "0" if counting else "''"))
    piece, other = w.rng.sample(pieces, 2)
    needs_index = "i" in [t for t in (test.split()[0], "i" if "str(i)" in (piece, other) else "")]
    if needs_index or test.startswith("i "):
        w.emit(0, "for i, ch in enumerate(%s):" % text)
    else:
        w.emit(0, "for ch in %s:" % text)
    w.emit(1, "if %s:" % test)
    w.emit(2, w.update(out, (out,)) if counting else "%s += %s" % (out, piece))
    roll = w.rng.random()
    if roll < 0.2:
        second = w.rng.choice(
            [t for t in tests if not t.startswith("i ") or needs_index] or tests[:6]
        )
        if second.startswith("i ") and not needs_index:
            second = "ch.isalpha()"
        w.emit(1, "elif %s:" % second)
        w.emit(2, "%s += 1" % out if counting else "%s += %s" % (out, other))
    elif roll < 0.6:
        w.emit(1, "else:")
        w.emit(2, "%s -= 1" % out if counting else "%s += %s" % (out, other))
    if counting:
        finish(w, out)
    else:
        w.emit(
            0,
            "return %s"
            % w.rng.choice((out, out, out, out + ".strip()", out + "[::-1]", "len(%s)" % out)),
        )


def grid_walk(w):
    grid = w.param(w.rng.choice(("grid", "square")))
    grid = w.params[-1][0]
    if w.rng.random() < 0.6:
        w.param(w.rng.choice(("nat", "small", "pos")))
    total = w.new()
    w.emit(0, "%s = 0" % total)
    if w.rng.random() < 0.5:
        w.emit(0, "for row in %s:" % grid)
        w.emit(1, "for x in row:")
        branches(w, 2, total, ("x",), ("x",))
    else:
        w.emit(0, "for r in range(len(%s)):" % grid)
        w.emit(1, "for c in range(len(%s[r])):" % grid)
        w.emit(
            2,
            "if %s:"
            % w.rng.choice(
                (
                    "r == c",
                    "r != c",
                    "c > r",
                    "r + c == %d" % w.rng.randint(1, 3),
                    "c % 2 == 0",
                    "(r + c) % 2 == 1",
                    "r == 0 or c == 0",
                    "%s[r][c] > %s" % (grid, w.atom()),
                )
            ),
        )
        w.emit(3, w.update(total, ("%s[r][c]" % grid,)))
    finish(w, total)


def words_loop(w):
    words = w.param(w.rng.choice(("words", "repeats", "some_words")))
    w.param(w.rng.choice(("small", "pos")))
    tests = ["len(word) > %s", "len(word) <= %s", "len(word) == %s", "len(word) >= %s"]
    test = w.rng.choice(tests) % w.ints[0]
    if w.rng.random() < 0.4:
        test += " %s %s" % (
            w.rng.choice(("and", "or")),
            w.rng.choice(
                (
                    "word[0] in 'abcde'",
                    "word.islower()",
                    "word not in result",
                    "word.endswith('e')",
                    "word != 'tiger'",
                )
            ),
        )
    roll = w.rng.random()
    if roll < 0.4 or "result" in test:
        w.emit(0, "result = []")
        w.emit(0, "for word in %s:" % words)
        w.emit(1, "if %s:" % test)
        w.emit(
            2,
            "result.append(%s)"
            % w.rng.choice(
                (
                    "word",
                    "word",
                    "word.upper()",
                    "len(word)",
                    "word[0]",
                    "word[:%s]" % w.ints[0],
                    "word[::-1]",
                )
            ),
        )
        w.emit(0, "return %s" % w.rng.choice(("result", "result", "sorted(result)", "len(result)")))
    elif roll < 0.7:
        w.emit(0, "counts = {}")
        w.emit(0, "for word in %s:" % words)
        key = w.rng.choice(("word", "word[0]", "len(word)"))
        w.emit(1, "if %s:" % test)
        w.emit(
            2,
            "counts[%s] = counts.get(%s, %d) + %s"
            % (key, key, w.rng.randint(0, 1), w.rng.choice(("1", "1", "len(word)", "2"))),
        )
        w.emit(0, "return counts")
    else:
        out = w.new()
        w.emit(0, "%s = 0" % out)
        w.emit(0, "for word in %s:" % words)
        w.emit(1, "if %s:" % test)
        w.emit(2, "%s += %s" % (out, w.rng.choice(("1", "len(word)", "len(word) - 1", w.ints[0]))))
        finish(w, out)


def two_lists(w):
    a = w.param("ints")
    b = w.param("nats")
    w.param(w.rng.choice(("nat", "small")))
    if w.rng.random() < 0.5:
        w.emit(0, "result = []")
        w.emit(0, "for a, b in zip(%s, %s):" % (a, b))
        w.emit(
            1,
            "if %s:"
            % w.rng.choice(
                ("a > b", "a < b", "a != b", "a + b > %s" % w.ints[0], "a >= %s" % w.ints[0])
            ),
        )
        w.emit(2, "result.append(%s)" % w.rng.choice(("a", "b", "a - b", "a + b", "(a, b)")))
        if w.rng.random() < 0.5:
            w.emit(1, "else:")
            w.emit(2, "result.append(%s)" % w.rng.choice(("a", "b", "0", "b - a", w.ints[0])))
        w.emit(0, "return result")
    else:
        total = w.new()
        w.emit(0, "%s = 0" % total)
        w.emit(0, "for i in range(min(len(%s), len(%s))):" % (a, b))
        w.emit(1, "if %s[i] %s %s[i]:" % (a, w.rng.choice(("<", ">", "<=", ">=", "==", "!=")), b))
        w.emit(2, w.update(total, ("%s[i]" % a, "%s[i]" % b)))
        if w.rng.random() < 0.4:
            w.emit(1, "else:")
            w.emit(2, w.update(total, ("%s[i]" % a, "%s[i]" % b)))
        finish(w, total)


SHAPES = {
    accumulate: 5,
    build_list: 4,
    search: 2.5,
    countdown: 2.5,
    cascade: 4,
    straight: 3,
    text_building: 3.5,
    grid_walk: 2,
    words_loop: 3,
    two_lists: 2,
}


def random_family(rng):
    """A new function as a family."""
    writer = Writer(rng)
    shape = rng.choices(list(SHAPES), list(SHAPES.values()))[0]
    shape(writer)
    signature = ", ".join("%s: %s" % pair for pair in writer.params)
    text = "def work(%s):\n%s\n" % (signature, "\n".join(writer.lines))
    family = source.parse_families(text, "grammar")[0]
    family.name = "grammar_" + shape.__name__
    return family
