"""Python expressions as C++: types, literals and operators.

Only a subset has a natural counterpart; everything else raises Unsupported and the draw is
repeated.
"""

import ast

INT, BOOL, CHAR, STRING = "int", "bool", "char", "std::string"
INTS, STRINGS, GRID, BOOLS = (
    "std::vector<int>",
    "std::vector<std::string>",
    "std::vector<std::vector<int>>",
    "std::vector<bool>",
)
TYPES = {
    "int": INT,
    "bool": BOOL,
    "str": STRING,
    "list[int]": INTS,
    "list[str]": STRINGS,
    "list[list[int]]": GRID,
    "list[bool]": BOOLS,
}
ELEMENT = {INTS: INT, STRINGS: STRING, GRID: INTS, STRING: CHAR, BOOLS: BOOL}
SETS = {INT: "std::set<int>", STRING: "std::set<std::string>", CHAR: "std::set<char>"}
SET_ELEMENT = {v: k for k, v in SETS.items()}
COMPARE = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}
BINARY = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.FloorDiv: "/",
    ast.Mod: "%",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.BitXor: "^",
    ast.LShift: "<<",
    ast.RShift: ">>",
}
LEVEL = {"*": 10, "/": 10, "%": 10, "+": 9, "-": 9, "<<": 8, ">>": 8, "&": 5, "^": 4, "|": 3}
CHAR_TESTS = {
    "isdigit": "std::isdigit",
    "isalpha": "std::isalpha",
    "isupper": "std::isupper",
    "islower": "std::islower",
    "isalnum": "std::isalnum",
    "isspace": "std::isspace",
}


class Unsupported(Exception):
    """No natural C++ for this."""


def quote(text):
    """A C++ string literal."""
    for plain, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\t", "\\t")):
        text = text.replace(plain, escaped)
    return '"%s"' % text


def literal(value, type_=None):
    """A C++ literal of a Python value; lists as braced lists."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return "'%s'" % value.replace("'", "\\'") if type_ == CHAR else quote(value)
    if isinstance(value, list):
        return "{%s}" % ", ".join(literal(v) for v in value)
    raise Unsupported(repr(value))


def type_of(value):
    """The C++ type of a result."""
    if isinstance(value, bool):
        return BOOL
    if isinstance(value, int):
        return INT
    if isinstance(value, str):
        return STRING
    if isinstance(value, list):
        kinds = {type_of(v) for v in value}
        if kinds <= {INT}:
            return INTS if kinds else None
        if kinds == {STRING}:
            return STRINGS
        if kinds <= {INTS, None}:
            return GRID
    raise Unsupported("type")


class Signature:
    """Parameter types and result of a function that may be called."""

    def __init__(self, types, result):
        self.types = types
        self.result = result


class Style:
    """Looks of one task's C++."""

    def __init__(self, rng):
        self.indent = " " * rng.choice((2, 2, 4))
        self.short = rng.random() < 0.4  # `if (x) return y;` on one line
        self.step = rng.choice(("i++", "++i"))
        self.inline = rng.random() < 0.5  # everything in the header


class Expressions:
    """Translates expressions; knows the types of the names in scope."""

    def __init__(self, style, signatures):
        self.style = style
        self.signatures = signatures
        self.scopes = [{}]

    def type(self, name):
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        raise Unsupported("unknown name " + name)

    def known(self, name):
        return any(name in scope for scope in self.scopes)

    def agree(self, wanted, got):
        if wanted != got:
            raise Unsupported("%s is not %s" % (got, wanted))

    def integer(self, node):
        text, type_ = self.value(node)
        self.agree(INT, type_)
        return text

    def condition(self, node):
        text, type_ = self.value(node)
        if type_ in ELEMENT:
            return "!%s.empty()" % text
        if type_ not in (BOOL, INT):
            raise Unsupported("condition")
        return text

    def value(self, node, declared=False):
        """(text, type) of an expression; type None for an empty list."""
        method = getattr(self, "of_" + type(node).__name__, None)
        if method is None:
            raise Unsupported(type(node).__name__)
        text, type_ = method(node)
        if declared and text == '""':
            text = ""
        return text, type_

    def wrapped(self, node, level):
        text, type_ = self.value(node)
        inner = 0
        if isinstance(node, ast.BinOp):
            inner = LEVEL[BINARY[type(node.op)]]
        elif isinstance(node, (ast.Compare, ast.BoolOp, ast.IfExp)):
            inner = 1
        else:
            return text, type_
        return ("(%s)" % text if inner < level else text), type_

    def of_Name(self, node):
        return node.id, self.type(node.id)

    def of_Constant(self, node):
        if isinstance(node.value, (bool, int)):
            return literal(node.value), type_of(node.value)
        if isinstance(node.value, str):
            return quote(node.value), STRING
        raise Unsupported("constant")

    def of_List(self, node):
        if node.elts:
            parts = [self.value(e) for e in node.elts]
            if any(t != INT for _, t in parts):
                raise Unsupported("list")
            return "{%s}" % ", ".join(t for t, _ in parts), INTS
        return "", None

    def of_UnaryOp(self, node):
        if isinstance(node.op, ast.Not):
            text, type_ = self.wrapped(node.operand, 11)
            if type_ in ELEMENT:
                return "%s.empty()" % text, BOOL
            if isinstance(node.operand, (ast.Compare, ast.BoolOp)) and not text.startswith("("):
                text = "(%s)" % text
            return "!" + text, BOOL
        if isinstance(node.op, ast.USub):
            text, type_ = self.wrapped(node.operand, 11)
            self.agree(INT, type_)
            return "-" + text, INT
        raise Unsupported("unary")

    def of_BinOp(self, node):
        operator = BINARY.get(type(node.op))
        if operator is None:
            raise Unsupported("operator")
        level = LEVEL[operator]
        left, a = self.wrapped(node.left, level)
        right, b = self.wrapped(node.right, level + 1)
        if a == STRING and b in (STRING, CHAR) or a == CHAR and b == STRING:
            if operator != "+" or (left[0] == '"' and (right[0] == '"' or b == CHAR)):
                raise Unsupported("string arithmetic")
            return "%s + %s" % (left, right), STRING
        if a != INT or b != INT:
            raise Unsupported("operand types")
        return "%s %s %s" % (left, operator, right), INT

    def of_BoolOp(self, node):
        sign = " && " if isinstance(node.op, ast.And) else " || "
        parts = []
        for value in node.values:
            text = self.condition(value)
            parts.append("(%s)" % text if isinstance(value, ast.BoolOp) else text)
        return sign.join(parts), BOOL

    def of_Compare(self, node):
        operands = [node.left] + node.comparators
        parts = []
        for op, left, right in zip(node.ops, operands, operands[1:]):
            if isinstance(op, (ast.In, ast.NotIn)):
                parts.append(self.membership(op, left, right))
                continue
            if type(op) not in COMPARE:
                raise Unsupported("comparison")
            a, s = self.wrapped(left, 9)
            b, t = self.wrapped(right, 9)
            a, b = self.same_text(left, a, s, right, b, t)
            parts.append("%s %s %s" % (a, COMPARE[type(op)], b))
        return " && ".join(parts), BOOL

    def same_text(self, left, a, s, right, b, t):
        """Character literals where a character is compared with a string of one."""
        if s == CHAR and isinstance(right, ast.Constant) and t == STRING and len(right.value) == 1:
            return a, literal(right.value, CHAR)
        if s != t or s is None or s in (BOOL,):
            raise Unsupported("comparison of types")
        return a, b

    def membership(self, op, left, right):
        item, s = self.value(left)
        text, t = self.value(right)
        inside = isinstance(op, ast.In)
        if t == STRING and s == CHAR:
            owner = "std::string(%s)" % text if text.startswith('"') else text
            return "%s.find(%s) %s std::string::npos" % (owner, item, "!=" if inside else "==")
        if SET_ELEMENT.get(t) == s:
            return "%s.count(%s) %s 0" % (text, item, ">" if inside else "==")
        if t in ELEMENT and ELEMENT[t] == s and isinstance(right, ast.Name):
            return "std::count(%s.begin(), %s.end(), %s) %s 0" % (
                text,
                text,
                item,
                ">" if inside else "==",
            )
        raise Unsupported("membership")

    def of_IfExp(self, node):
        test = self.condition(node.test)
        a, s = self.value(node.body)
        b, t = self.value(node.orelse)
        self.agree(s, t)
        return "%s ? %s : %s" % (test, a, b), s

    def of_Subscript(self, node):
        owner, type_ = self.value(node.value)
        if type_ not in ELEMENT:
            raise Unsupported("subscript")
        if isinstance(node.slice, ast.Slice):
            return self.slice(owner, type_, node.slice)
        if isinstance(node.slice, ast.UnaryOp):
            if ast.unparse(node.slice) != "-1":
                raise Unsupported("negative index")
            return "%s.back()" % owner, ELEMENT[type_]
        return "%s[%s]" % (owner, self.integer(node.slice)), ELEMENT[type_]

    def slice(self, owner, type_, part):
        if type_ != STRING or part.step is not None:
            raise Unsupported("slice")
        lower = self.integer(part.lower) if part.lower else None
        upper = self.integer(part.upper) if part.upper else None
        if lower is None and upper is not None:
            return "%s.substr(0, %s)" % (owner, upper), STRING
        if lower is not None and upper is None:
            return "%s.substr(%s)" % (owner, lower), STRING
        raise Unsupported("slice")

    def of_Call(self, node):
        if isinstance(node.func, ast.Attribute):
            return self.method(node)
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if node.keywords:
            raise Unsupported("keywords")
        if name in self.signatures:
            return self.own_call(name, node)
        return self.builtin(name, node.args)

    def own_call(self, name, node):
        signature = self.signatures[name]
        parts = []
        for argument, wanted in zip(node.args, signature.types):
            text, type_ = self.value(argument)
            self.agree(wanted, type_)
            parts.append(text)
        return "%s(%s)" % (name, ", ".join(parts)), signature.result

    def builtin(self, name, arguments):
        parts = [self.value(a) for a in arguments]
        types = [t for _, t in parts]
        texts = [t for t, _ in parts]
        if name == "len" and types[0] in ELEMENT:
            return "int(%s.size())" % texts[0], INT
        if name in ("min", "max"):
            if types == [INT, INT]:
                return "std::%s(%s, %s)" % (name, *texts), INT
            if types == [INTS]:
                return "*std::%s_element(%s.begin(), %s.end())" % (name, texts[0], texts[0]), INT
        if name == "abs" and types == [INT]:
            return "std::abs(%s)" % texts[0], INT
        if name == "sum" and types == [INTS]:
            return "std::accumulate(%s.begin(), %s.end(), 0)" % (texts[0], texts[0]), INT
        if name == "str" and types == [INT]:
            return "std::to_string(%s)" % texts[0], STRING
        if name == "int" and types == [CHAR]:
            return "(%s - '0')" % texts[0], INT
        if name == "set" and not arguments:
            raise Unsupported("empty set")
        raise Unsupported(name)

    def method(self, node):
        owner, type_ = self.value(node.func.value)
        name = node.func.attr
        if type_ == CHAR and name in CHAR_TESTS and not node.args:
            return "%s(%s)" % (CHAR_TESTS[name], owner), BOOL
        if type_ == CHAR and name in ("upper", "lower"):
            return "char(std::to%s(%s))" % (name, owner), CHAR
        raise Unsupported(name)
