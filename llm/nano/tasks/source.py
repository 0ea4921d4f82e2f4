"""Families of functions: small definitions in families/*.py, renamed and varied for every task."""

import ast
import copy
import pathlib
import zlib

from . import inputs

FAMILY_FOLDER = pathlib.Path(__file__).parent / "families"
# Constants that mean something outside the function keep their value.
FIXED_CONSTANTS = {7, 12, 24, 26, 30, 31, 60, 100, 365, 400, 1000, 3600, 86400}
# One family in six is held out, by the checksum of its name.
HELD_OUT_FAMILIES = 6


class Family:
    """A definition (function or class) with the definitions it needs, and its parameters' kinds."""

    def __init__(self, name, nodes, kinds, field, inner_kinds=None):
        self.name = name
        self.nodes = nodes  # main definition last; kinds still as annotations
        self.kinds = kinds  # of the main function's parameters; None for a class
        self.field = field
        self.inner_kinds = inner_kinds  # of the function that main calls, when it is wrapped around one

    @property
    def is_class(self):
        return isinstance(self.nodes[-1], ast.ClassDef)

    @property
    def held_out(self):
        return zlib.crc32(("family " + self.name).encode()) % HELD_OUT_FAMILIES == 0


def _kinds(function):
    arguments = [a for a in function.args.args if a.arg != "self"]
    if not all(isinstance(a.annotation, ast.Name) for a in arguments):
        raise ValueError("%s: every parameter needs a kind" % function.name)
    unknown = [a.annotation.id for a in arguments if a.annotation.id not in inputs.KINDS]
    if unknown:
        raise ValueError("%s: unknown kind %s" % (function.name, unknown[0]))
    return [a.annotation.id for a in arguments]


def _needs(node, known):
    names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    return [name for name in known if name in names and name != node.name]


def parse_families(text, field):
    """The families of one module's text: every top-level definition not starting with `_`."""
    definitions = {
        n.name: n for n in ast.parse(text).body if isinstance(n, (ast.FunctionDef, ast.ClassDef))
    }
    found = []
    for name, node in definitions.items():
        if name.startswith("_"):
            continue
        order, open_ = [], [name]
        while open_:
            current = open_.pop()
            if current in order:
                order.remove(current)
            order.insert(0, current)
            open_.extend(_needs(definitions[current], definitions))
        kinds = None if isinstance(node, ast.ClassDef) else _kinds(node)
        found.append(Family(name, [definitions[n] for n in order], kinds, field))
    return found


def load_families():
    """All template families, in a fixed order."""
    found = []
    for path in sorted(FAMILY_FOLDER.glob("*.py")):
        if path.stem != "__init__":
            found += parse_families(path.read_text(), path.stem)
    return found


def local_names(function):
    """Parameters and local variables of a function, in order of appearance."""
    names = []
    for node in ast.walk(function):
        name = None
        if isinstance(node, ast.arg):
            name = node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            name = node.id
        if name and name != "self" and name not in names:
            names.append(name)
    return names


class _Renamer(ast.NodeTransformer):
    def __init__(self, globals_, locals_, attributes):
        self.globals = globals_
        self.locals = locals_
        self.attributes = attributes

    def name(self, name):
        return self.locals.get(name) or self.globals.get(name) or name

    def visit_Name(self, node):
        node.id = self.name(node.id)
        return node

    def visit_arg(self, node):
        node.arg = self.name(node.arg)
        return node

    def visit_Attribute(self, node):
        self.generic_visit(node)
        node.attr = self.attributes.get(node.attr, node.attr)
        return node

    def visit_FunctionDef(self, node):
        node.name = self.globals.get(node.name) or self.attributes.get(node.name) or node.name
        self.generic_visit(node)
        return node


def _vary_constants(node, rng):
    """Moves numbers that carry no meaning of their own; the expected values follow by execution."""
    moved = {}
    kept = set()
    for parent in ast.walk(node):
        if isinstance(parent, (ast.Subscript, ast.arguments)):
            kept.update(
                id(n)
                for n in ast.walk(parent.slice if isinstance(parent, ast.Subscript) else parent)
            )
    for constant in ast.walk(node):
        if not isinstance(constant, ast.Constant) or id(constant) in kept:
            continue
        value = constant.value
        if (
            isinstance(value, int)
            and value is not True
            and value >= 3
            and value not in FIXED_CONSTANTS
        ):
            if value not in moved:
                step = max(1, value // 4)
                moved[value] = (
                    value if rng.random() < 0.5 else max(3, value + rng.randint(-step, step))
                )
            constant.value = moved[value]
        elif isinstance(value, str) and len(value) == 1 and value in "-_:;/|+*.," and value:
            if value not in moved:
                moved[value] = value if rng.random() < 0.5 else rng.choice("-_:;/|+*.")
            constant.value = moved[value]


class _Hints(ast.NodeTransformer):
    """Turns kinds into type hints, or drops them."""

    def __init__(self, keep):
        self.keep = keep

    def visit_arg(self, node):
        if node.annotation is not None:
            kind = node.annotation.id if isinstance(node.annotation, ast.Name) else ""
            hint = inputs.HINT_OF.get(kind) if self.keep else None
            node.annotation = ast.parse(hint, mode="eval").body if hint else None
        return node


class Definition:
    """A definition of one task: its name, source, and what is needed to call it."""

    def __init__(self, name, source, is_class=False):
        self.name = name
        self.source = source
        self.is_class = is_class


class Instance:
    """A family with this task's names: definitions (main last), kinds for sampling calls."""

    def __init__(self, family, definitions, kinds, methods):
        self.family = family
        self.definitions = definitions
        self.kinds = kinds
        self.methods = methods  # class: [(name, kinds)], constructor first as "__init__"

    @property
    def main(self):
        return self.definitions[-1]

    @property
    def code(self):
        return "\n\n\n".join(d.source for d in self.definitions)


def _class_methods(node):
    return [(m.name, _kinds(m)) for m in node.body if isinstance(m, ast.FunctionDef)]


def _attribute_names(node, namer):
    """New names for a class's methods and fields."""
    attributes = {}
    for inner in ast.walk(node):
        name = None
        if isinstance(inner, ast.FunctionDef) and not inner.name.startswith("__"):
            name = inner.name
        elif (
            isinstance(inner, ast.Attribute)
            and isinstance(inner.value, ast.Name)
            and inner.value.id == "self"
        ):
            name = inner.attr
        if name and name not in attributes:
            roll = namer.rng.random()
            new = name if roll < 0.4 and not namer.scoring else namer.pseudo()
            if 0.4 <= roll < 0.6:
                new = namer.pick(
                    (
                        "items",
                        "total",
                        "limit",
                        "count",
                        "rows",
                        "head",
                        "size",
                        "store",
                        "data",
                        "cap",
                        "step",
                        "level",
                    )
                )
            while new in attributes.values():
                new = namer.pseudo()
            attributes[name] = new
    return attributes


def instantiate(family, namer, hints=False, vary=True):
    """Renames and varies a family for one task."""
    rng = namer.rng
    nodes = [copy.deepcopy(node) for node in family.nodes]
    globals_, attributes = {}, {}
    for node in nodes:
        is_class = isinstance(node, ast.ClassDef)
        globals_[node.name] = namer.class_(node.name) if is_class else namer.function(node.name)
        if is_class:
            attributes.update(_attribute_names(node, namer))
    definitions, methods = [], None
    for node in nodes:
        old = node.name
        if isinstance(node, ast.ClassDef):
            methods = [(attributes.get(n, n), kinds) for n, kinds in _class_methods(node)]
            functions = [n for n in node.body if isinstance(n, ast.FunctionDef)]
            node.name = globals_[old]
        else:
            functions = [node]
        if vary:
            _vary_constants(node, rng)
        for function in functions:
            _Hints(hints).visit(function)
            taken, locals_ = set(globals_.values()), {}
            for name in local_names(function):
                locals_[name] = namer.variable(name, taken)
                taken.add(locals_[name])
            _Renamer(globals_, locals_, attributes).visit(function)
        definitions.append(
            Definition(globals_[old], ast.unparse(node), isinstance(node, ast.ClassDef))
        )
    return Instance(family, definitions, family.kinds, methods)
