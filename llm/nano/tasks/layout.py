"""How generated code looks on the page: quotes, comments, order, imports, and the test file's
style."""

import io
import re
import tokenize


def double_quotes(text):
    """The same code with double-quoted strings where that needs no escapes."""
    lines = text.split("\n")
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text + "\n").readline))
    except (tokenize.TokenError, IndentationError):
        return text
    for token in reversed(tokens):
        if token.type != tokenize.STRING or token.start[0] != token.end[0]:
            continue
        match = re.fullmatch(r"([fr]?)'([^'\"\\]*)'", token.string)
        if match:
            row = token.start[0] - 1
            line = lines[row]
            lines[row] = line[: token.start[1]] + '%s"%s"' % match.groups() + line[token.end[1] :]
    return "\n".join(lines)


class Style:
    """Choices that hold for all files of one task."""

    def __init__(self, rng):
        self.double = rng.random() < 0.45
        self.hints = rng.random() < 0.25
        self.doc = rng.random() < 0.2
        self.test = rng.choices(("plain", "plain_message", "unittest", "report"), (30, 6, 34, 30))[
            0
        ]

    def code(self, text):
        return restyle(text, self.double)


def restyle(text, double):
    """Unparsed code as people write it: no brackets around tuples, double quotes where wanted."""
    text = re.sub(r"^( *(?:return|yield) )\(([^()\n]*)\)$", r"\1\2", text, flags=re.M)
    text = re.sub(r"^( *)\((\w+(?:, \w+)+)\) = ", r"\1\2 = ", text, flags=re.M)
    text = re.sub(r"\bfor \((\w+(?:, \w+)+)\) in ", r"for \1 in ", text)
    text = re.sub(r"^(class [^\n]*:)\n\n(    def)", r"\1\n\2", text, flags=re.M)
    return double_quotes(text) if double else text


def imports_of(source):
    """Standard modules that a definition uses by name."""
    return [
        "import " + m
        for m in ("re", "math", "string", "itertools", "collections", "heapq", "bisect")
        if re.search(r"\b%s\." % m, source)
    ]


def call_text(name, arguments):
    return "%s(%s)" % (name, ", ".join(repr(a) for a in arguments))


class Check:
    """One checked expression: set-up statements, the expression and its expected literal."""

    def __init__(self, expression, expected, setup=(), call=None):
        self.expression = expression
        self.expected = expected  # source text
        self.setup = list(setup)
        self.call = call  # (name, argument list) for a plain call


def _compare(check, unittest_style):
    if check.expected in ("True", "False", "None"):
        if unittest_style:
            return "self.assertIs(%s, %s)" % (check.expression, check.expected)
        return "assert %s is %s" % (check.expression, check.expected)
    if unittest_style:
        return "self.assertEqual(%s, %s)" % (check.expression, check.expected)
    return "assert %s == %s" % (check.expression, check.expected)


def _body(checks, style, indent):
    lines = []
    for check in checks:
        lines += [indent + line for line in check.setup]
        if style == "plain_message":
            lines.append(indent + "got = " + check.expression)
            if check.expected in ("True", "False", "None"):
                lines.append(indent + "assert got is %s, got" % check.expected)
            else:
                lines.append(indent + "assert got == %s, got" % check.expected)
        else:
            lines.append(indent + _compare(check, style == "unittest"))
    return lines


REPORT_HELPER = """failed = False


def check(function, arguments, expected):
    global failed
    text = ", ".join(map(repr, arguments))
    try:
        got = function(*arguments)
    except Exception as error:
        got = error
    if got != expected:
        print(f"FAIL {function.__name__}({text}): expected {expected!r}, got {got!r}")
        failed = True
"""


def test_file(groups, imports, style, class_name):
    """A test file's text. groups: [(test name, [Check])]; imports: [(module, [names])]."""
    head = ["from %s import %s" % (module, ", ".join(names)) for module, names in imports]
    if style == "unittest":
        lines = (
            ["import unittest", ""] + head + ["", "", "class %s(unittest.TestCase):" % class_name]
        )
        for index, (name, checks) in enumerate(groups):
            lines += [""] if index else []
            lines += ["    def %s(self):" % name] + _body(checks, style, " " * 8)
        lines += ["", "", 'if __name__ == "__main__":', "    unittest.main()"]
    elif style == "report":
        lines = ["import sys", ""] + head + [""] + REPORT_HELPER.split("\n") + [""]
        for _, checks in groups:
            for check in checks:
                arguments = ", ".join(repr(a) for a in check.call[1])
                lines.append("check(%s, [%s], %s)" % (check.call[0], arguments, check.expected))
        lines.append("sys.exit(failed)")
    else:
        lines = list(head)
        for name, checks in groups:
            lines += ["", "", "def %s():" % name] + _body(checks, style, " " * 4)
        lines += ["", ""] + ["%s()" % name for name, _ in groups]
    return "\n".join(lines) + "\n"
