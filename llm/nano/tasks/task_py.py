"""Python repair tasks: modules, tests and the planted bug, put together."""

import ast

from . import edits, issues, layout, source, task
from .task import Unusable


def document(definition, rng, style):
    """A one-line docstring in some definitions."""
    if not style.doc or rng.random() < 0.3:
        return definition
    tree = ast.parse(definition)
    words = ["Computes", "Returns", "Gives", "Works out", "The"]
    name = tree.body[0].name.replace("_", " ")
    tree.body[0].body.insert(0, ast.Expr(ast.Constant("%s %s." % (rng.choice(words), name))))
    return ast.unparse(tree)


def module_text(definitions, imported):
    """A module's text from definition sources and import lines."""
    standard = sorted({line for text in definitions for line in layout.imports_of(text)})
    head = standard + imported
    text = "\n".join(head) + "\n\n\n" if head else ""
    return text + "\n\n\n".join(definitions) + "\n"


class Parts:
    """What one Python task is made of, before it is written out."""

    def __init__(self, rng, namer, pool, split):
        self.rng, self.namer = rng, namer
        self.style = layout.Style(rng)
        self.unit = task.unit_of(source.instantiate(pool(rng), namer, self.style.hints), rng)
        self.bug = task.plant(self.unit, rng, split)
        if self.unit.instance.main.is_class and self.style.test == "report":
            self.style.test = "unittest"  # its table of calls has no room for scripts
        self.extras = self._extras(pool)
        self.final = {}  # name -> definition as the files show it
        self._write_definitions()

    def _extras(self, pool):
        """Other functions that stand around and work."""
        extras = []
        big = self.unit.instance.main.is_class
        for _ in range(self.rng.choice((0, 0, 1) if big else (0, 0, 1, 1, 2))):
            instance = source.instantiate(pool(self.rng), self.namer, self.style.hints)
            if instance.main.is_class:
                continue
            try:
                extras.append(task.Unit(instance, self.rng, 10))
            except Unusable:
                continue
        return extras

    def _write_definitions(self):
        target, mutation = self.bug.target, self.bug.mutation
        for definition in [d for u in [self.unit] + self.extras for d in u.instance.definitions]:
            text = document(definition.source, self.rng, self.style)
            self.final[definition.name] = self.style.code(text)
            if definition is target:
                self.doc = text != definition.source
                documented = text
        tree = ast.parse(mutation.source)
        if self.doc:
            tree.body[0].body.insert(0, ast.parse(documented).body[0].body[0])
        self.plain = ast.unparse(tree)
        self.fixed_whole = self.final[target.name]
        self.broken_whole = self.style.code(self.plain)
        self.fixed = self.part(self.fixed_whole)
        self.broken = self.part(self.broken_whole)

    def part(self, text):
        """The lines of the broken function or method within its definition's text."""
        if self.bug.method is None:
            return text
        node = task.method_node(ast.parse(text).body[0], self.bug.method)
        return "\n".join(text.split("\n")[node.lineno - 1 : node.end_lineno])

    def styled(self, python):
        return self.part(self.style.code(python))

    def write_files(self):
        """The fixed files, and the broken file's content."""
        stems = [task.file_name(self.namer)]
        self.places = _place(self.rng, self.namer, self.unit, self.extras, stems)
        files = {}
        for stem in stems:
            here = [n for n in self.final if self.places[n] == stem]
            files["%s.py" % stem] = module_text(
                [self.final[n] for n in here], _imports(self.final, here, self.places, stem)
            )
        self.files, self.path = files, "%s.py" % self.places[self.bug.target.name]
        self.content = files[self.path].replace(self.fixed_whole, self.broken_whole, 1)
        if self.content == files[self.path]:
            raise Unusable("bug not placed")
        self.test_path = "test_%s.py" % (
            stems[0] if self.rng.random() < 0.7 else task.file_name(self.namer)
        )

    def write_tests(self):
        """Adds the test file; returns the index of a failing call."""
        rng, namer, unit = self.rng, self.namer, self.unit
        most = rng.randint(3, 5) if unit.instance.main.is_class else rng.randint(3, 7)
        chosen = task.choose_calls(rng, len(unit.calls), self.bug.seen, most)
        groups = task.group_checks(rng, namer, unit.name.lower(), [unit.check(i) for i in chosen])
        imported = {self.places[unit.name]: [unit.name]}
        for extra in self.extras:
            if rng.random() < 0.5:
                some = [extra.check(i) for i in range(min(len(extra.calls), rng.randint(1, 3)))]
                groups += task.group_checks(rng, namer, extra.name, some)
                imported.setdefault(self.places[extra.name], []).append(extra.name)
        rng.shuffle(groups)
        title = namer.class_() + "Test" if rng.random() < 0.5 else "Test" + namer.class_()
        self.files[self.test_path] = layout.test_file(
            groups, sorted(imported.items()), self.style.test, title
        )
        return rng.choice([i for i in chosen if i in self.bug.seen])


def make_python(rng, namer, pool, split):
    """A Python task whose functions are drawn by pool(rng) -> Family."""
    parts = Parts(rng, namer, pool, split)
    parts.write_files()
    first = parts.write_tests()
    unit, bug = parts.unit, parts.bug
    failure = (unit.shown(first), bug.seen[first].text, unit.expected[first], bug.seen[first].error)
    edit = edits.line_edit(bug.symbol, parts.broken, parts.fixed)
    text = issues.issue_text(
        rng,
        bug.mutation.kind,
        unit.name if rng.random() < 0.8 else bug.target.name,
        parts.path,
        failure,
        (edit.old, edit.new) if edit else (None, None),
    )
    command = "python3 %s" % parts.test_path
    if parts.style.test == "unittest" and rng.random() < 0.4:
        stem = parts.test_path[:-3]
        command = "python3 -m unittest %s" % rng.choice((stem, "-v " + stem))
    main = unit.main_symbol(first)
    made = task.Task(
        lang="py",
        family=unit.instance.family.name,
        field=unit.instance.family.field,
        kind=bug.mutation.kind,
        style=parts.style.test,
        files=parts.files,
        issue=text,
        test=command,
        test_path=parts.test_path,
        bug={
            "path": parts.path,
            "symbol": bug.symbol,
            "kind": bug.mutation.kind,
            "content": parts.content,
            "old": edit.old if edit else None,
            "new": edit.new if edit else None,
            "broken": parts.broken,
            "fixed": parts.fixed,
            "main": main,
            "main_path": "%s.py" % parts.places[unit.name],
            "plain": parts.plain,
            "method": bug.method,
        },
    )
    made.attach(styled=parts.styled, run=None)
    return made


def _place(rng, namer, unit, extras, stems):
    """Which file each definition lives in; may add files."""
    places = {}
    if rng.random() < 0.3:
        stems.append(task.file_name(namer))
    if rng.random() < 0.08:
        stems.append(task.file_name(namer))
    order = [unit] + extras
    rng.shuffle(order)
    for one in order:
        home = rng.choice(stems)
        helpers = rng.choice(stems) if rng.random() < 0.4 else home
        for definition in one.instance.definitions:
            places[definition.name] = home if definition is one.instance.main else helpers
    # Two files that import each other would not load.
    pairs = {
        (places[d.name], places[one.name])
        for one in order
        for d in one.instance.definitions
        if places[d.name] != places[one.name]
    }
    if len(pairs) > 1:
        for one in order:
            for definition in one.instance.definitions:
                places[definition.name] = places[one.name]
    for stem in list(stems):
        if stem not in places.values():
            stems.remove(stem)
    return places


def _imports(final, here, places, stem):
    wanted = {}
    for name in here:
        used = {n.id for n in ast.walk(ast.parse(final[name])) if isinstance(n, ast.Name)}
        for other in final:
            if other in used and other != name and places[other] != stem:
                wanted.setdefault(places[other], []).append(other)
    return [
        "from %s import %s" % (module, ", ".join(sorted(set(names))))
        for module, names in sorted(wanted.items())
    ]
