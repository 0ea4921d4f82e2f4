"""Sample values for the parameter kinds that families write as annotations."""

WORDS = """apple river stone cloud maple tiger lemon amber delta robin cedar ember piano mango tulip
olive coral raven hazel basil onyx pearl quartz violet willow zebra anna level noon kayak radar
cat dog sun map key box net cup pen a I of to go red blue green""".split()
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def _ints(rng, low=-9, high=12, least=0, most=7):
    return [rng.randint(low, high) for _ in range(rng.randint(least, most))]


def _word(rng):
    if rng.random() < 0.6:
        return rng.choice(WORDS)
    return "".join(rng.choice(LETTERS[:6]) for _ in range(rng.randint(1, 6)))


def _text(rng):
    words = [_word(rng) for _ in range(rng.randint(1, 5))]
    if rng.random() < 0.3:
        words = [w.capitalize() if rng.random() < 0.5 else w for w in words]
    text = " ".join(words)
    if rng.random() < 0.2:
        text += rng.choice("!?.,")
    return text


def _mixed(rng):
    return "".join(rng.choice("abcABCxyzXYZ0123789 -_.") for _ in range(rng.randint(0, 8)))


def _grid(rng, low=0, high=9):
    rows, columns = rng.randint(1, 4), rng.randint(1, 4)
    return [[rng.randint(low, high) for _ in range(columns)] for _ in range(rows)]


def _square(rng):
    size = rng.randint(1, 3)
    return [[rng.randint(0, 9) for _ in range(size)] for _ in range(size)]


def _intervals(rng):
    spans = []
    for _ in range(rng.randint(0, 4)):
        start = rng.randint(0, 12)
        spans.append((start, start + rng.randint(1, 5)))
    return spans


def _graph(rng):
    nodes = "abcde"[: rng.randint(2, 5)]
    return {n: [m for m in nodes if m != n and rng.random() < 0.4] for n in nodes}


def _tree(rng, depth=3):
    if depth == 0 or rng.random() < 0.25:
        return None
    return (rng.randint(1, 20), _tree(rng, depth - 1), _tree(rng, depth - 1))


def _nested(rng, depth=2):
    return [
        _nested(rng, depth - 1) if depth and rng.random() < 0.3 else rng.randint(0, 9)
        for _ in range(rng.randint(0, 4))
    ]


def _scores(rng):
    return {w: rng.randint(0, 12) for w in rng.sample(WORDS[:20], rng.randint(0, 4))}


def _records(rng):
    return [
        {"name": rng.choice(WORDS[:12]), "qty": rng.randint(0, 9), "price": rng.randint(1, 20)}
        for _ in range(rng.randint(0, 4))
    ]


def _people(rng):
    return [
        {"name": rng.choice(WORDS[:12]), "age": rng.randint(5, 80), "active": rng.random() < 0.6}
        for _ in range(rng.randint(1, 4))
    ]


def _time(rng):
    return "%02d:%02d" % (rng.randint(0, 23), rng.choice((0, 5, 15, 30, 45, 59)))


def _csv(rng):
    return ",".join(
        rng.choice((_word(rng), str(rng.randint(0, 99)), "")) for _ in range(rng.randint(1, 5))
    )


def _pairs_text(rng):
    return ";".join("%s=%d" % (_word(rng), rng.randint(0, 20)) for _ in range(rng.randint(1, 3)))


def _brackets(rng):
    if rng.random() < 0.5:
        text = rng.choice(("()", "(())", "[()]", "()[]", "{[]}", "(a)(b)", ""))
    else:
        text = "".join(rng.choice("()[]a") for _ in range(rng.randint(1, 6)))
    return text


def _runs(rng):
    return [rng.choice((1, 2, 3)) for _ in range(rng.randint(0, 8))]


def _version(rng):
    return ".".join(str(rng.randint(0, 12)) for _ in range(rng.choice((2, 3, 3))))


def _commands(rng):
    return [
        rng.choice((("push", rng.randint(1, 9)), ("pop", 0), ("add", 0), ("dup", 0)))
        for _ in range(rng.randint(1, 6))
    ]


KINDS = {
    "int_": lambda r: r.randint(-12, 25),
    "nat": lambda r: r.randint(0, 12),
    "pos": lambda r: r.randint(1, 10),
    "small": lambda r: r.randint(1, 4),
    "size": lambda r: r.randint(0, 6),
    "big": lambda r: r.choice((r.randint(0, 150), r.randint(90, 2500))),
    "percent": lambda r: r.choice((0, 5, 10, 15, 20, 25, 50, 75, 100)),
    "year": lambda r: r.choice((1900, 2000, 2004, 2023, 2024, 2100, 1996, 2400)),
    "month": lambda r: r.randint(1, 12),
    "day": lambda r: r.randint(1, 30),
    "hour": lambda r: r.randint(0, 23),
    "minute": lambda r: r.randint(0, 59),
    "seconds": lambda r: r.choice((r.randint(0, 59), r.randint(60, 5000), 3600, 60, 86400)),
    "cents": lambda r: r.choice((0, 5, 99, 100, 250, 1000, r.randint(1, 5000))),
    "half": lambda r: r.randint(-20, 40) / 2,
    "money": lambda r: r.choice((0.0, 9.5, 10.0, 19.75, 100.0, 250.5, 42.25)),
    "flag": lambda r: r.random() < 0.5,
    "bits": lambda r: r.randint(0, 63),
    "char": lambda r: r.choice("abcxyzABZ019 -"),
    "letter": lambda r: r.choice("abcdeaeiou"),
    "word": _word,
    "text": _text,
    "mixed": _mixed,
    "digits": lambda r: "".join(r.choice("0123456789") for _ in range(r.randint(1, 6))),
    "binary": lambda r: "".join(r.choice("01") for _ in range(r.randint(1, 6))),
    "hexa": lambda r: "".join(r.choice("0123456789abcdef") for _ in range(r.randint(1, 4))),
    "time": _time,
    "csv": _csv,
    "pairs_text": _pairs_text,
    "brackets": _brackets,
    "version": _version,
    "numtext": lambda r: r.choice(
        (str(r.randint(-50, 99)), str(r.randint(0, 9)), "x1", "", "007", "+5")
    ),
    "lines": lambda r: "\n".join(
        r.choice((_word(r), "# " + _word(r), "", _word(r) + " = 3")) for _ in range(r.randint(1, 4))
    ),
    "ints": _ints,
    "nats": lambda r: _ints(r, 0, 12),
    "some": lambda r: _ints(r, -9, 15, 1, 7),
    "pair_up": lambda r: _ints(r, -9, 15, 2, 7),
    "sorted_": lambda r: sorted(_ints(r, -5, 20)),
    "uniq_sorted": lambda r: sorted(set(_ints(r, -5, 20))),
    "runs": _runs,
    "marks": lambda r: [r.randint(30, 100) for _ in range(r.randint(1, 6))],
    "flags": lambda r: [r.random() < 0.6 for _ in range(r.randint(0, 5))],
    "words": lambda r: [_word(r) for _ in range(r.randint(0, 5))],
    "some_words": lambda r: [_word(r) for _ in range(r.randint(1, 5))],
    "repeats": lambda r: [r.choice(WORDS[:4]) for _ in range(r.randint(1, 7))],
    "grid": _grid,
    "square": _square,
    "board": lambda r: [[r.choice(".#") for _ in range(4)] for _ in range(r.randint(2, 4))],
    "mask": lambda r: _grid(r, 0, 1),
    "intervals": _intervals,
    "span": lambda r: (lambda a: (a, a + r.randint(0, 6)))(r.randint(0, 10)),
    "point": lambda r: (r.randint(-6, 6), r.randint(-6, 6)),
    "points": lambda r: [(r.randint(-6, 6), r.randint(-6, 6)) for _ in range(r.randint(1, 4))],
    "pairs": lambda r: [(_word(r), r.randint(0, 15)) for _ in range(r.randint(0, 5))],
    "scores": _scores,
    "stock": _scores,
    "records": _records,
    "people": _people,
    "graph": _graph,
    "tree": _tree,
    "nested": _nested,
    "moves": lambda r: "".join(r.choice("UDLR") for _ in range(r.randint(0, 7))),
    "commands": _commands,
    "lists": lambda r: [_ints(r, 0, 9, 0, 4) for _ in range(r.randint(0, 4))],
    "floats": lambda r: [r.randint(-10, 40) / 2 for _ in range(r.randint(1, 6))],
}

# What a parameter of a kind is called in a type hint.
HINTS = {
    "int": "int_ nat pos small size big percent year month day hour minute seconds cents bits",
    "float": "half money",
    "bool": "flag",
    "str": "char letter word text mixed digits binary hexa time csv pairs_text brackets "
    "version numtext lines moves",
    "list[int]": "ints nats some pair_up sorted_ uniq_sorted runs marks",
    "list[bool]": "flags",
    "list[str]": "words some_words repeats",
    "list[list[int]]": "grid square mask lists",
    "list[list[str]]": "board",
    "list[float]": "floats",
    "list[tuple[int, int]]": "intervals points",
    "tuple[int, int]": "span point",
    "list[tuple[str, int]]": "pairs",
    "dict[str, int]": "scores stock",
    "list[dict]": "records people",
    "dict[str, list[str]]": "graph",
    "tuple | None": "tree",
    "list": "nested commands",
}
HINT_OF = {kind: hint for hint, kinds in HINTS.items() for kind in kinds.split()}


def sample(kind, rng):
    """One value of a kind."""
    return KINDS[kind](rng)
