"""Writes generated functions as C++: the same meaning, so that Python's results are what is
expected of them."""

import ast

from .cpp_expressions import BINARY, BOOL, CHAR, ELEMENT, INT, INTS, SET_ELEMENT, STRING
from .cpp_expressions import TYPES, Expressions, Signature, Style, Unsupported, literal, type_of

__all__ = ["BOOL", "CHAR", "INT", "INTS", "STRING", "TYPES", "Signature", "Style", "Unsupported"]
__all__ += ["guarded", "includes", "literal", "translate", "type_of"]


class Writer(Expressions):
    """Translates one function."""

    def __init__(self, style, signatures):
        super().__init__(style, signatures)
        self.lines = []
        self.result = None

    def emit(self, depth, text):
        self.lines.append(self.style.indent * depth + text)

    def function(self, node):
        signature = self.signatures[node.name]
        self.result = signature.result
        assigned = {
            n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
        }
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
                self.emit(
                    depth,
                    (
                        "%s %s = %s;" % (type_, target.id, text)
                        if text
                        else "%s %s;" % (type_, target.id)
                    ),
                )
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
            self.emit(
                depth,
                (
                    "%s%s;" % (left, operator * 2)
                    if self.style.step == "i++"
                    else "%s%s;" % (operator * 2, left)
                ),
            )
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
        single = (
            self.style.short
            and len(node.body) == 1
            and not node.orelse
            and not lead
            and isinstance(node.body[0], (ast.Return, ast.Continue, ast.Break))
        )
        if single:
            inner = node.body[0]
            text = (
                self.return_text(inner)
                if isinstance(inner, ast.Return)
                else type(inner).__name__.lower() + ";"
            )
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
        name = (
            call.func.id if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) else ""
        )
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
        self.emit(
            depth,
            "for (int %s = 0; %s < int(%s.size()); %s) {"
            % (i, i, text, self.style.step.replace("i", i)),
        )
        shown = element if element in (INT, CHAR, BOOL) else "const %s&" % element
        self.emit(depth + 1, "%s %s = %s[%s];" % (shown, x, text, i))
        return {i: INT, x: element}


def includes(text):
    """The standard headers that a piece of code needs, sorted."""
    wanted = set()
    for needle, header in (
        ("std::string", "string"),
        ("std::to_string", "string"),
        ("std::vector", "vector"),
        ("std::min", "algorithm"),
        ("std::max", "algorithm"),
        ("std::count", "algorithm"),
        ("std::swap", "utility"),
        ("std::abs", "cstdlib"),
        ("std::accumulate", "numeric"),
        ("std::set", "set"),
        ("std::is", "cctype"),
        ("std::toupper", "cctype"),
        ("std::tolower", "cctype"),
        ("std::printf", "cstdio"),
        ("assert(", "cassert"),
    ):
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
            value = self.visit_BinOp(
                ast.BinOp(ast.Name(node.target.id, ast.Load()), node.op, node.value)
            )
            return ast.Assign([node.target], value, lineno=0)
        return node


GUARDS = """
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
"""


def guarded(source):
    """Python code that computes what the C++ translation does, or raises."""
    tree = _Guards().visit(ast.parse(source))
    return GUARDS + ast.unparse(ast.fix_missing_locations(tree))
