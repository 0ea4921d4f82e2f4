"""Writes generated functions as C++: the same meaning, so that Python's results are the expected ones.

Only a subset has a natural counterpart; everything else raises Unsupported and the draw is repeated.
"""

import ast

INT, BOOL, CHAR, STRING = "int", "bool", "char", "std::string"
INTS, STRINGS, GRID, BOOLS = ("std::vector<int>", "std::vector<std::string>",
                              "std::vector<std::vector<int>>", "std::vector<bool>")
TYPES = {"int": INT, "bool": BOOL, "str": STRING, "list[int]": INTS, "list[str]": STRINGS,
         "list[list[int]]": GRID, "list[bool]": BOOLS}
ELEMENT = {INTS: INT, STRINGS: STRING, GRID: INTS, STRING: CHAR, BOOLS: BOOL}
SETS = {INT: "std::set<int>", STRING: "std::set<std::string>", CHAR: "std::set<char>"}
SET_ELEMENT = {v: k for k, v in SETS.items()}
COMPARE = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}
BINARY = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.FloorDiv: "/", ast.Mod: "%", ast.BitAnd: "&",
          ast.BitOr: "|", ast.BitXor: "^", ast.LShift: "<<", ast.RShift: ">>"}
LEVEL = {"*": 10, "/": 10, "%": 10, "+": 9, "-": 9, "<<": 8, ">>": 8, "&": 5, "^": 4, "|": 3}
CHAR_TESTS = {"isdigit": "std::isdigit", "isalpha": "std::isalpha", "isupper": "std::isupper",
              "islower": "std::islower", "isalnum": "std::isalnum", "isspace": "std::isspace"}


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


class Writer:
    """Translates one function."""

    def __init__(self, style, signatures):
        self.style = style
        self.signatures = signatures
        self.lines = []
        self.scopes = [{}]
        self.result = None

    def type(self, name):
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        raise Unsupported("unknown name " + name)

    def known(self, name):
        return any(name in scope for scope in self.scopes)

    def emit(self, depth, text):
        self.lines.append(self.style.indent * depth + text)

    # -- statements --

    def function(self, node):
        signature = self.signatures[node.name]
        self.result = signature.result
        assigned = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)
                    and isinstance(n.ctx, ast.Store)}
        params = []
        for argument, type_ in zip(node.args.args, signature.types):
            self.scopes[0][argument.arg] = type_
            by_value = type_ in (INT, BOOL, CHAR) or argument.arg in assigned
            params.append("%s %s" % (type_ if by_value else "const %s&" % type_, argument.arg))
        head = "%s %s(%s)" % (signature.result, node.name, ", ".join(params))
        self.emit(0, head + " {")
        self.block(node.body, 1)
        self.emit(0, "}")
        return head

    def block(self, body, depth, extra=()):
        self.scopes.append(dict(extra))
        for statement in body:
            self.statement(statement, depth)
        self.scopes.pop()

    def statement(self, node, depth):
        method = getattr(self, "do_" + type(node).__name__, None)
        if method is None:
            raise Unsupported(type(node).__name__)
        method(node, depth)

    def do_Assign(self, node, depth):
        target = node.targets[0]
        if isinstance(target, ast.Tuple):
            self.swap(target, node.value, depth)
            return
        if isinstance(target, ast.Name) and not self.known(target.id):
            text, type_ = self.value(node.value, declared=True)
            if type_ is None:
                type_ = self.result if self.result in ELEMENT and self.result != STRING else None
                if type_ is None:
                    raise Unsupported("type of an empty list")
                self.emit(depth, "%s %s;" % (type_, target.id))
            else:
                self.emit(depth, "%s %s = %s;" % (type_, target.id, text)
                          if text else "%s %s;" % (type_, target.id))
            self.scopes[-1][target.id] = type_
            return
        left, type_ = self.value(target)
        right, other = self.value(node.value)
        if other is None:
            right, other = "{}", type_
        self.agree(type_, other)
        self.emit(depth, "%s = %s;" % (left, right))

    def swap(self, target, value, depth):
        names = [e.id for e in target.elts if isinstance(e, ast.Name)]
        if len(names) != 2 or not isinstance(value, ast.Tuple):
            raise Unsupported("tuple")
        values = [e.id if isinstance(e, ast.Name) else None for e in value.elts]
        if values != names[::-1] or not all(self.known(n) for n in names):
            raise Unsupported("tuple")
        self.emit(depth, "std::swap(%s, %s);" % tuple(names))

    def do_AugAssign(self, node, depth):
        left, type_ = self.value(node.target)
        right, other = self.value(node.value)
        operator = BINARY.get(type(node.op))
        if operator is None or (type_ not in (INT, STRING)):
            raise Unsupported("augmented")
        if type_ == STRING and not (operator == "+" and other in (STRING, CHAR)):
            raise Unsupported("string arithmetic")
        if type_ == INT and other not in (INT,):
            raise Unsupported("mixed")
        if type_ == INT and operator in "+-" and right == "1":
            self.emit(depth, "%s%s;" % (left, operator * 2) if self.style.step == "i++"
                      else "%s%s;" % (operator * 2, left))
            return
        self.emit(depth, "%s %s= %s;" % (left, operator, right))

    def do_Return(self, node, depth):
        self.emit(depth, self.return_text(node))

    def return_text(self, node):
        if node.value is None:
            raise Unsupported("return")
        text, type_ = self.value(node.value)
        if type_ is None:
            text, type_ = "{}", self.result
        if type_ == CHAR and self.result == STRING:
            text, type_ = "std::string(1, %s)" % text, STRING
        self.agree(self.result, type_)
        return "return %s;" % text

    def do_Break(self, node, depth):
        self.emit(depth, "break;")

    def do_Continue(self, node, depth):
        self.emit(depth, "continue;")

    def do_Expr(self, node, depth):
        call = node.value
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
            raise Unsupported("expression statement")
        owner, type_ = self.value(call.func.value)
        name = call.func.attr
        if name == "append" and type_ in ELEMENT and len(call.args) == 1:
            text, other = self.value(call.args[0])
            self.agree(ELEMENT[type_], other)
            self.emit(depth, "%s.push_back(%s);" % (owner, text))
        elif name == "add" and type_ in SET_ELEMENT:
            text, other = self.value(call.args[0])
            self.agree(SET_ELEMENT[type_], other)
            self.emit(depth, "%s.insert(%s);" % (owner, text))
        elif name == "pop" and not call.args and type_ in ELEMENT:
            self.emit(depth, "%s.pop_back();" % owner)
        else:
            raise Unsupported(name)

    def do_If(self, node, depth, lead=""):
        test = self.condition(node.test)
        single = (self.style.short and len(node.body) == 1 and not node.orelse and not lead
                  and isinstance(node.body[0], (ast.Return, ast.Continue, ast.Break)))
        if single:
            inner = node.body[0]
            text = (self.return_text(inner) if isinstance(inner, ast.Return)
                    else type(inner).__name__.lower() + ";")
            self.emit(depth, "if (%s) %s" % (test, text))
            return
        self.emit(depth, "%sif (%s) {" % (lead, test))
        self.block(node.body, depth + 1)
        if len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
            self.do_If(node.orelse[0], depth, "} else ")
            return
        if node.orelse:
            self.emit(depth, "} else {")
            self.block(node.orelse, depth + 1)
        self.emit(depth, "}")

    def do_While(self, node, depth):
        self.emit(depth, "while (%s) {" % self.condition(node.test))
        self.block(node.body, depth + 1)
        self.emit(depth, "}")

    def do_For(self, node, depth):
        if node.orelse:
            raise Unsupported("for-else")
        call = node.iter
        name = call.func.id if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) else ""
        if name == "range" and isinstance(node.target, ast.Name):
            extra = self.range_head(node, call, depth)
        elif name == "enumerate" and len(call.args) == 1 and isinstance(node.target, ast.Tuple):
            extra = self.enumerate_head(node, call, depth)
        elif isinstance(node.target, ast.Name):
            text, type_ = self.value(call)
            element = ELEMENT.get(type_) or SET_ELEMENT.get(type_)
            if not element or not isinstance(call, (ast.Name, ast.Subscript)):
                raise Unsupported("iteration")
            shown = element if element in (INT, CHAR, BOOL) else "const %s&" % element
            self.emit(depth, "for (%s %s : %s) {" % (shown, node.target.id, text))
            extra = {node.target.id: element}
        else:
            raise Unsupported("loop target")
        self.block(node.body, depth + 1, extra)
        self.emit(depth, "}")

    def range_head(self, node, call, depth):
        i = node.target.id if node.target.id != "_" else "k"
        parts = [self.integer(a) for a in call.args]
        start, stop = ("0", parts[0]) if len(parts) == 1 else parts[:2]
        step = parts[2] if len(parts) == 3 else "1"
        if step == "-1":
            sign, change = ">", self.style.step.replace("i", i).replace("+", "-")
        elif step.startswith("-"):
            raise Unsupported("negative step")
        else:
            sign = "<"
            change = self.style.step.replace("i", i) if step == "1" else "%s += %s" % (i, step)
        self.emit(depth, "for (int %s = %s; %s %s %s; %s) {" % (i, start, i, sign, stop, change))
        return {i: INT}

    def enumerate_head(self, node, call, depth):
        i, x = (e.id for e in node.target.elts)
        text, type_ = self.value(call.args[0])
        if type_ not in ELEMENT or not isinstance(call.args[0], ast.Name):
            raise Unsupported("enumerate")
        element = ELEMENT[type_]
        self.emit(depth, "for (int %s = 0; %s < int(%s.size()); %s) {"
                  % (i, i, text, self.style.step.replace("i", i)))
        shown = element if element in (INT, CHAR, BOOL) else "const %s&" % element
        self.emit(depth + 1, "%s %s = %s[%s];" % (shown, x, text, i))
        return {i: INT, x: element}

    # -- expressions --

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
            return "std::count(%s.begin(), %s.end(), %s) %s 0" % (text, text, item, ">" if inside else "==")
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


def includes(text):
    """The standard headers that a piece of code needs, sorted."""
    wanted = set()
    for needle, header in (("std::string", "string"), ("std::to_string", "string"),
                           ("std::vector", "vector"), ("std::min", "algorithm"),
                           ("std::max", "algorithm"), ("std::count", "algorithm"),
                           ("std::swap", "utility"), ("std::abs", "cstdlib"),
                           ("std::accumulate", "numeric"), ("std::set", "set"), ("std::is", "cctype"),
                           ("std::toupper", "cctype"), ("std::tolower", "cctype"),
                           ("std::printf", "cstdio"), ("assert(", "cassert")):
        if needle in text:
            wanted.add(header)
    return sorted(wanted)


def translate(source, style, signatures):
    """C++ text of one Python function; (head without brace, text)."""
    writer = Writer(style, signatures)
    head = writer.function(ast.parse(source).body[0])
    return head, "\n".join(writer.lines)


# ---- Running the Python original with C++'s rules ----

class _Guards(ast.NodeTransformer):
    """Indexing and division that fail where C++ would do something else."""

    def visit_Subscript(self, node):
        self.generic_visit(node)
        if isinstance(node.ctx, ast.Load):
            if isinstance(node.slice, ast.Slice):
                bounds = [b or ast.Constant(0) for b in (node.slice.lower, node.slice.upper)]
                return ast.Call(ast.Name("_cut", ast.Load()), [node] + [node.value] + bounds, [])
            if not isinstance(node.slice, ast.UnaryOp):
                return ast.Call(ast.Name("_at", ast.Load()), [node.value, node.slice], [])
        return node

    def visit_BinOp(self, node):
        self.generic_visit(node)
        if isinstance(node.op, (ast.FloorDiv, ast.Mod)):
            name = "_div" if isinstance(node.op, ast.FloorDiv) else "_mod"
            return ast.Call(ast.Name(name, ast.Load()), [node.left, node.right], [])
        return node

    def visit_AugAssign(self, node):
        self.generic_visit(node)
        if isinstance(node.op, (ast.FloorDiv, ast.Mod)) and isinstance(node.target, ast.Name):
            value = self.visit_BinOp(ast.BinOp(ast.Name(node.target.id, ast.Load()), node.op, node.value))
            return ast.Assign([node.target], value, lineno=0)
        return node


GUARDS = '''
def _at(items, index):
    if index < 0:
        raise IndexError("negative")
    return items[index]


def _cut(value, whole, low, high):
    if low < 0 or high < 0 or low > len(whole):
        raise IndexError("slice")
    return value


def _div(a, b):
    return a // b if a % b == 0 or (a < 0) == (b < 0) else -(-a // b) if b > 0 else -(a // -b)


def _mod(a, b):
    return a - b * _div(a, b)
'''


def guarded(source):
    """Python code that computes what the C++ translation does, or raises."""
    tree = _Guards().visit(ast.parse(source))
    return GUARDS + ast.unparse(ast.fix_missing_locations(tree))
