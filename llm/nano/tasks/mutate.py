"""Small bugs planted in Python functions: every way to change one place, with the name of its
kind."""

import ast
import copy

# Kinds that training never sees, neither as planted bugs nor as wrong attempts.
HELD_OUT_KINDS = ("swapped_arguments", "dropped_call")

FLIPS = {
    ast.Lt: [(ast.LtE, "boundary"), (ast.Gt, "comparison")],
    ast.LtE: [(ast.Lt, "boundary"), (ast.GtE, "comparison")],
    ast.Gt: [(ast.GtE, "boundary"), (ast.Lt, "comparison")],
    ast.GtE: [(ast.Gt, "boundary"), (ast.LtE, "comparison")],
    ast.Eq: [(ast.NotEq, "comparison"), (ast.GtE, "comparison")],
    ast.NotEq: [(ast.Eq, "comparison")],
    ast.In: [(ast.NotIn, "negation")],
    ast.NotIn: [(ast.In, "negation")],
    ast.Is: [(ast.IsNot, "negation")],
    ast.IsNot: [(ast.Is, "negation")],
}
OPERATORS = {
    ast.Add: [ast.Sub],
    ast.Sub: [ast.Add],
    ast.Mult: [ast.Add, ast.FloorDiv],
    ast.FloorDiv: [ast.Mult, ast.Mod],
    ast.Div: [ast.Mult, ast.FloorDiv],
    ast.Mod: [ast.FloorDiv],
    ast.BitAnd: [ast.BitOr],
    ast.BitOr: [ast.BitAnd],
    ast.BitXor: [ast.BitOr],
    ast.LShift: [ast.RShift],
    ast.RShift: [ast.LShift],
    ast.Pow: [ast.Mult],
}
CALLS = {"min": ["max"], "max": ["min"], "any": ["all"], "all": ["any"]}
METHODS = {
    "append": ["extend"],
    "extend": ["append"],
    "lower": ["upper"],
    "upper": ["lower"],
    "startswith": ["endswith"],
    "endswith": ["startswith"],
    "find": ["rfind"],
    "rfind": ["find"],
    "lstrip": ["rstrip"],
    "rstrip": ["lstrip"],
    "strip": ["lstrip", "rstrip"],
    "keys": ["values"],
    "values": ["keys"],
    "ljust": ["rjust"],
    "rjust": ["ljust"],
    "isdigit": ["isalpha"],
    "isalpha": ["isdigit"],
    "popleft": ["pop"],
    "appendleft": ["append"],
    "add": ["discard"],
    "union": ["intersection"],
    "index": ["count"],
    "isupper": ["islower"],
    "islower": ["isupper"],
    "title": ["capitalize"],
    "items": ["keys"],
    "split": ["rsplit"],
    "partition": ["rpartition"],
    "rpartition": ["partition"],
    "removeprefix": ["removesuffix"],
    "removesuffix": ["removeprefix"],
}
DROPPABLE = {"abs", "sorted", "reversed", "list", "set", "int", "round", "len", "str"}
DROPPABLE_METHODS = {"strip", "lower", "upper", "copy", "rstrip", "lstrip", "title", "capitalize"}


class Mutation:
    """One change: its kind and the changed source."""

    __slots__ = ("kind", "source")

    def __init__(self, kind, source):
        self.kind = kind
        self.source = source


class _Sites:
    """Collects changes as (kind, apply, revert) over one tree."""

    def __init__(self, tree):
        self.tree = tree
        self.sites = []
        self.names = self._local_names()
        self.returned = set()

    def _local_names(self):
        names = []
        for node in ast.walk(self.tree):
            name = None
            if isinstance(node, ast.arg):
                name = node.arg
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                name = node.id
            if name and name not in names and name not in ("self", "_"):
                names.append(name)
        return names

    def set(self, kind, node, field, value):
        """A change that sets node.field."""
        old = getattr(node, field)

        def apply():
            setattr(node, field, value)

        def revert():
            setattr(node, field, old)

        self.sites.append((kind, apply, revert))

    def item(self, kind, items, index, value):
        """A change that sets items[index]."""
        old = items[index]

        def apply():
            items[index] = value

        def revert():
            items[index] = old

        self.sites.append((kind, apply, revert))

    def splice(self, kind, items, begin, end, new):
        """A change that replaces items[begin:end]."""
        old = items[begin:end]

        def apply():
            items[begin:end] = new

        def revert():
            items[begin : begin + len(new)] = old

        self.sites.append((kind, apply, revert))

    def both(self, kind, node, first, second):
        """A change that exchanges two fields of a node."""
        a, b = getattr(node, first), getattr(node, second)

        def apply():
            setattr(node, first, b)
            setattr(node, second, a)

        def revert():
            setattr(node, first, a)
            setattr(node, second, b)

        self.sites.append((kind, apply, revert))


def _constant(sites, node, parent, field):
    value = node.value
    if value is True or value is False:
        kind = (
            "wrong_return"
            if isinstance(parent, ast.Return)
            else ("initial_value" if isinstance(parent, ast.Assign) else "constant")
        )
        sites.set(kind, node, "value", not value)
    elif isinstance(value, int):
        index = isinstance(parent, (ast.Subscript, ast.Slice)) or (
            isinstance(parent, ast.BinOp)
            and isinstance(parent.op, (ast.Add, ast.Sub))
            and value == 1
        )
        kind = "off_by_one" if index else "constant"
        if isinstance(parent, ast.Assign):
            kind = "initial_value"
        if isinstance(parent, ast.Return):
            kind = "wrong_return"
        sites.set(kind, node, "value", value + 1)
        if value > 0:
            sites.set(kind, node, "value", value - 1)
        if value >= 10:
            sites.set("constant", node, "value", value * 10)
            if value % 10 == 0:
                sites.set("constant", node, "value", value // 10)
    elif isinstance(value, str) and not isinstance(parent, (ast.Expr, ast.JoinedStr)):
        if value == "":
            sites.set("constant", node, "value", " ")
        elif value == " ":
            sites.set("constant", node, "value", "")
        elif len(value) <= 3 and not value.isalnum():
            swap = {
                ",": ";",
                ";": ",",
                "-": "_",
                "_": "-",
                ".": ",",
                ":": ";",
                "/": "-",
                "+": "-",
                "(": ")",
                ")": "(",
                "[": "]",
                "]": "[",
                "=": ":",
                "\n": " ",
                ", ": ",",
                "#": "/",
                "*": "+",
                "|": "/",
                "?": "!",
            }.get(value)
            if swap:
                sites.set("constant", node, "value", swap)


def _compare(sites, node):
    for flipped, kind in FLIPS.get(type(node.ops[0]), ()):
        sites.item(kind, node.ops, 0, flipped())
    if len(node.ops) == 2:
        for flipped, kind in FLIPS.get(type(node.ops[1]), ()):
            sites.item(kind, node.ops, 1, flipped())
    right = node.comparators[-1]
    if isinstance(right, (ast.Name, ast.Call)) and isinstance(
        node.ops[-1], (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
    ):
        for op in (ast.Add, ast.Sub):
            sites.item(
                "off_by_one",
                node.comparators,
                len(node.comparators) - 1,
                ast.BinOp(right, op(), ast.Constant(1)),
            )


def _call(sites, node, parent, field):
    func = node.func
    if isinstance(func, ast.Name):
        for other in CALLS.get(func.id, ()):
            sites.set("min_max", func, "id", other)
        if func.id == "range":
            last = 0 if len(node.args) == 1 else 1
            stop = node.args[last]
            if not isinstance(stop, ast.Constant):
                for op in (ast.Sub, ast.Add):
                    sites.item(
                        "off_by_one", node.args, last, ast.BinOp(stop, op(), ast.Constant(1))
                    )
                if (
                    isinstance(stop, ast.BinOp)
                    and isinstance(stop.right, ast.Constant)
                    and stop.right.value == 1
                ):
                    sites.item("off_by_one", node.args, last, stop.left)
            if len(node.args) == 1:
                sites.splice("off_by_one", node.args, 0, 0, [ast.Constant(1)])
            elif (
                len(node.args) == 2
                and isinstance(node.args[0], ast.Constant)
                and node.args[0].value
            ):
                sites.splice("off_by_one", node.args, 0, 1, [])
        if func.id in DROPPABLE and len(node.args) == 1 and not node.keywords:
            # A generator's parentheses are the call's: without them it is no expression.
            if not isinstance(node.args[0], ast.GeneratorExp):
                _replace(sites, "dropped_call", parent, field, node, node.args[0])
        if func.id == "enumerate" and len(node.args) == 2:
            sites.splice("off_by_one", node.args, 1, 2, [])
        if (
            func.id not in ("range", "min", "max", "print", "isinstance", "zip")
            and len(node.args) == 2
        ):
            sites.set("swapped_arguments", node, "args", node.args[::-1])
        if func.id == "sum" and len(node.args) == 1:
            sites.set("wrong_method", func, "id", "len")
    elif isinstance(func, ast.Attribute):
        for other in METHODS.get(func.attr, ()):
            sites.set("wrong_method", func, "attr", other)
        if func.attr in DROPPABLE_METHODS and not node.args:
            _replace(sites, "dropped_call", parent, field, node, func.value)
        if len(node.args) == 2:
            sites.set("swapped_arguments", node, "args", node.args[::-1])
    for keyword in node.keywords:
        if keyword.arg == "reverse":
            index = node.keywords.index(keyword)
            sites.splice("missing_case", node.keywords, index, index + 1, [])
    if (
        isinstance(func, ast.Name)
        and func.id == "sorted"
        and not any(k.arg == "reverse" for k in node.keywords)
    ):
        end = len(node.keywords)
        sites.splice(
            "constant", node.keywords, end, end, [ast.keyword("reverse", ast.Constant(True))]
        )


def _replace(sites, kind, parent, field, node, new):
    value = getattr(parent, field)
    if isinstance(value, list):
        for index, item in enumerate(value):
            if item is node:
                sites.item(kind, value, index, new)
    else:
        sites.set(kind, parent, field, new)


def _subscript(sites, node):
    index = node.slice
    if isinstance(index, ast.Constant) and isinstance(index.value, int):
        if index.value == 0:
            sites.set("wrong_index", node, "slice", ast.UnaryOp(ast.USub(), ast.Constant(1)))
    elif isinstance(index, ast.UnaryOp) and isinstance(index.op, ast.USub):
        sites.set("wrong_index", node, "slice", ast.Constant(0))
    elif isinstance(index, ast.Name):
        for op in (ast.Add, ast.Sub):
            sites.set("wrong_index", node, "slice", ast.BinOp(index, op(), ast.Constant(1)))
    elif isinstance(index, ast.BinOp) and isinstance(index.right, ast.Constant):
        sites.set("wrong_index", node, "slice", index.left)
    elif isinstance(index, ast.Slice):
        for part in ("lower", "upper"):
            bound = getattr(index, part)
            if isinstance(bound, (ast.Name, ast.BinOp, ast.Call)):
                for op in (ast.Add, ast.Sub):
                    sites.set("off_by_one", index, part, ast.BinOp(bound, op(), ast.Constant(1)))
                if isinstance(bound, ast.BinOp) and isinstance(bound.right, ast.Constant):
                    sites.set("off_by_one", index, part, bound.left)
        if isinstance(index.lower, ast.Constant) and not index.upper and not index.step:
            sites.set("wrong_index", index, "lower", None)
        if index.step and isinstance(index.step, ast.Constant):
            sites.set("constant", index, "step", None)


def _name(sites, node, parent, field):
    if not isinstance(node.ctx, ast.Load) or node.id not in sites.names:
        return
    kind = "wrong_variable"
    if isinstance(parent, ast.Return):
        kind = "wrong_return"
    elif isinstance(parent, ast.Subscript) and field == "slice":
        kind = "wrong_index"
    for other in sites.names:
        if other != node.id:
            sites.set(kind, node, "id", other)


def _statements(sites, body):
    """Changes of a statement list: one line fewer, an early exit, a case forgotten."""
    for index, stmt in enumerate(body):
        nxt = body[index + 1] if index + 1 < len(body) else None
        if len(body) > 1 and isinstance(stmt, (ast.AugAssign, ast.Continue, ast.Break, ast.Expr)):
            if not (isinstance(stmt, ast.Expr) and isinstance(stmt.value, ast.Constant)):
                sites.splice("missing_update", body, index, index + 1, [])
        if len(body) > 1 and index and isinstance(stmt, ast.Assign):
            sites.splice("missing_update", body, index, index + 1, [])
        if isinstance(stmt, ast.If) and not stmt.orelse and len(body) > 1 and len(stmt.body) <= 2:
            sites.splice("missing_case", body, index, index + 1, [])
        if (
            isinstance(stmt, ast.If)
            and len(stmt.orelse) == 1
            and isinstance(stmt.orelse[0], ast.If)
        ):
            sites.splice("missing_case", body, index, index + 1, stmt.orelse)
            sites.set("missing_case", stmt, "orelse", stmt.orelse[0].orelse)
        if isinstance(stmt, ast.Continue):
            sites.item("early_exit", body, index, ast.Break())
        if isinstance(stmt, ast.Break):
            sites.item("early_exit", body, index, ast.Continue())
        if isinstance(stmt, (ast.For, ast.While)) and isinstance(nxt, ast.Return):
            sites.splice("early_exit", stmt.body, len(stmt.body), len(stmt.body), [nxt])
            _move_in(sites, body, index)


def _move_in(sites, body, index):
    """The return after a loop slips into the loop."""
    loop, after = body[index], body[index + 1]

    def apply():
        loop.body.append(after)
        del body[index + 1]

    def revert():
        loop.body.pop()
        body.insert(index + 1, after)

    sites.sites.append(("early_exit", apply, revert))


def _visit(sites, node, parent, field):
    if isinstance(node, ast.Constant):
        _constant(sites, node, parent, field)
    elif isinstance(node, ast.Compare):
        _compare(sites, node)
    elif isinstance(node, ast.BoolOp):
        sites.set("and_or", node, "op", ast.Or() if isinstance(node.op, ast.And) else ast.And())
        if len(node.values) == 2:
            for value in node.values:
                _replace(sites, "missing_case", parent, field, node, value)
    elif isinstance(node, ast.UnaryOp):
        kind = "negation" if isinstance(node.op, ast.Not) else "operator"
        if not (isinstance(node.operand, ast.Constant) and isinstance(parent, ast.Subscript)):
            _replace(sites, kind, parent, field, node, node.operand)
    elif isinstance(node, (ast.BinOp, ast.AugAssign)):
        for op in OPERATORS.get(type(node.op), ()):
            sites.set("operator", node, "op", op())
        if isinstance(node, ast.BinOp):
            joins = isinstance(node.op, ast.Add) and any(
                isinstance(side, ast.Constant) and isinstance(side.value, str)
                for side in (node.left, node.right)
            )
            if joins or isinstance(node.op, (ast.Sub, ast.Div, ast.FloorDiv, ast.Mod)):
                sites.both("operator", node, "left", "right")
            if isinstance(node.right, ast.Constant) and node.right.value == 1:
                _replace(sites, "off_by_one", parent, field, node, node.left)
        else:
            sites.sites.append(_plain_assign(parent, field, node))
    elif isinstance(node, ast.Call):
        _call(sites, node, parent, field)
    elif isinstance(node, ast.Subscript):
        _subscript(sites, node)
    elif isinstance(node, ast.Name):
        _name(sites, node, parent, field)
    elif isinstance(node, ast.IfExp):
        sites.both("wrong_return", node, "body", "orelse")
    elif isinstance(node, (ast.If, ast.While)) and isinstance(node.test, ast.Name):
        sites.set("negation", node, "test", ast.UnaryOp(ast.Not(), node.test))
    elif isinstance(node, ast.Return) and isinstance(
        node.value, (ast.Call, ast.BinOp, ast.ListComp)
    ):
        for name in sites.names[-2:]:
            sites.set("wrong_return", node, "value", ast.Name(name, ast.Load()))
    elif isinstance(node, ast.comprehension) and node.ifs:
        sites.set("missing_case", node, "ifs", [])
    elif isinstance(node, ast.Tuple) and len(node.elts) == 2 and isinstance(node.ctx, ast.Load):
        kind = "wrong_return" if isinstance(parent, ast.Return) else "wrong_index"
        sites.set(kind, node, "elts", node.elts[::-1])


def _plain_assign(parent, field, node):
    """`total += x` becomes `total = x`."""
    body = getattr(parent, field)
    index = body.index(node)
    target = copy.copy(node.target)

    def apply():
        body[index] = ast.Assign([target], node.value, lineno=0)

    def revert():
        body[index] = node

    return ("missing_update", apply, revert)


def _walk(node):
    for field, value in ast.iter_fields(node):
        if isinstance(value, list):
            for item in value:
                if isinstance(item, ast.AST):
                    yield item, node, field
                    yield from _walk(item)
        elif isinstance(value, ast.AST):
            yield value, node, field
            yield from _walk(value)


def changes(tree):
    """All (kind, apply, revert) of a function's or class's tree; each apply is undone by its
    revert."""
    sites = _Sites(tree)
    skipped = set()
    for node, parent, field in _walk(tree):
        if isinstance(node, (ast.arguments, ast.FormattedValue)) or field in (
            "annotation",
            "returns",
            "decorator_list",
        ):
            skipped.update(id(child) for child in ast.walk(node))
        if id(node) in skipped:
            continue
        _visit(sites, node, parent, field)
        for name in ("body", "orelse"):
            body = getattr(node, name, None)
            if isinstance(body, list) and body and isinstance(body[0], ast.stmt):
                _statements(sites, body)
    body = getattr(tree, "body", None)
    if isinstance(tree, ast.FunctionDef):
        _statements(sites, body)
    return sites.sites


def applied(tree, site):
    """The source with one change of `changes(tree)` applied; the tree stays as it was."""
    _, apply, revert = site
    apply()
    try:
        return ast.unparse(tree)
    finally:
        revert()
