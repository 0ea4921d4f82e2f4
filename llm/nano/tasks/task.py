"""One repair task: a small repository, a planted bug, an issue and a test that fails because of it."""

import ast
import sys

from . import edits, execute, inputs, issues, layout, mutate, source

TEST_WORDS = ["basic", "simple", "edge", "more", "typical", "small", "large", "empty", "mixed", "again",
              "limits", "examples", "regular", "special", "first", "second", "other", "values", "border"]


# How often each kind is planted: as people make these mistakes, and fewer of those that nobody could
# guess back, such as a forgotten statement.
WEIGHTS = {"missing_case": 0.4, "missing_update": 0.6, "wrong_variable": 0.7, "wrong_return": 0.6,
           "constant": 0.8, "boundary": 1.8, "comparison": 1.2, "off_by_one": 1.4, "and_or": 1.5,
           "min_max": 1.4, "initial_value": 1.4, "negation": 1.2, "wrong_method": 1.2}


class Unusable(Exception):
    """This draw gives no good task; draw again."""


class Task:
    """A task as it is written to JSONL."""

    def __init__(self, **fields):
        self.__dict__.update(fields)

    def attach(self, styled, run):
        """What only lives in memory: styled(python) writes a definition in this task's looks;
        run(python) gives the test report with that version of the broken definition (C++)."""
        self._styled, self._run = styled, run

    def as_dict(self):
        return {key: value for key, value in self.__dict__.items() if key[0] != "_"}

    def styled(self, python):
        return self._styled(python)

    def report_of(self, files, python):
        """What the test tool says of these files; `python` is the broken definition's original."""
        if self.lang == "cpp":
            return self._run(python)
        return execute.Program(files, self.test_path, self.style).run()

    def broken_files(self):
        """The files with the bug planted: what the agent is given."""
        files = dict(self.files)
        files[self.bug["path"]] = self.bug["content"]
        return files


class Unit:
    """An instance with the calls that its tests may use."""

    def __init__(self, instance, rng, wanted=30):
        self.instance = instance
        self.name = instance.main.name
        self.code = self.python([d.source for d in instance.definitions])
        self.calls, self.expected = [], []
        self._sample(rng, wanted)

    def python(self, sources):
        """Runnable code of the definitions in these versions."""
        text = "\n\n\n".join(sources)
        return "\n".join(layout.imports_of(text) + [text])

    def _sample(self, rng, wanted):
        arguments, seen = [], set()
        for _ in range(wanted):
            drawn = [inputs.sample(kind, rng) for kind in self.instance.kinds]
            text = repr(drawn)
            if text not in seen and len(text) < 90:
                seen.add(text)
                arguments.append(drawn)
        outcomes = execute.run_calls(self.code, self.name, arguments)
        if outcomes is None:
            raise Unusable("does not finish")
        for drawn, outcome in zip(arguments, outcomes):
            if not outcome.error and len(outcome.text) < 70:
                self.calls.append(drawn)
                self.expected.append(outcome.text)
        if len(self.calls) < 4 or len(set(self.expected)) < 2:
            raise Unusable("too few different results")

    def check(self, index):
        text = layout.call_text(self.name, self.calls[index])
        return layout.Check(text, self.expected[index], call=(self.name, self.calls[index]))


def difference(unit, target, mutated):
    """Indices of calls that tell the mutant apart, with its outcomes; None when it hangs."""
    code = unit.python([mutated if d is target else d.source for d in unit.instance.definitions])
    outcomes = execute.run_calls(code, unit.name, unit.calls)
    if outcomes is None:
        return None
    return {i: o for i, o in enumerate(outcomes) if o.error or o.text != unit.expected[i]}


def kind_allowed(kind, split):
    if split == "unseen-kind":
        return kind in mutate.HELD_OUT_KINDS
    return kind not in mutate.HELD_OUT_KINDS


class BugChooser:
    """Draws changes of a definition, all kinds about equally often."""

    def __init__(self, definition, rng, split):
        self.rng = rng
        self.tree = ast.parse(definition).body[0]
        self.seen = {definition}
        self.by_kind = {}
        for site in mutate.changes(self.tree):
            if kind_allowed(site[0], split):
                self.by_kind.setdefault(site[0], []).append(site)

    def draw(self):
        """A Mutation not drawn before, or None."""
        while self.by_kind:
            weights = [len(v) ** 0.3 * WEIGHTS.get(k, 1) for k, v in self.by_kind.items()]
            kind = self.rng.choices(list(self.by_kind), weights)[0]
            sites = self.by_kind[kind]
            site = sites.pop(self.rng.randrange(len(sites)))
            if not sites:
                del self.by_kind[kind]
            text = mutate.applied(self.tree, site)
            if text not in self.seen:
                self.seen.add(text)
                return mutate.Mutation(kind, text)
        return None


def plant(unit, rng, split, tries=14):
    """(definition, Mutation, {call index: outcome}) of a bug that the sampled calls can see."""
    definitions = unit.instance.definitions
    target = definitions[-1] if len(definitions) == 1 or rng.random() < 0.5 else rng.choice(definitions)
    chooser = BugChooser(target.source, rng, split)
    for _ in range(tries):
        mutation = chooser.draw()
        if mutation is None:
            break
        seen = difference(unit, target, mutation.source)
        if seen:
            return target, mutation, seen
    raise Unusable("no bug that shows")


def choose_calls(rng, total, seen, most):
    """Call indices for the tests: some that fail, the rest of any kind, in mixed order."""
    failing = rng.sample(sorted(seen), min(len(seen), rng.choice((1, 1, 2, 2, 3))))
    others = [i for i in range(total) if i not in seen]
    passing = rng.sample(others, min(len(others), most - len(failing)))
    if len(passing) < 2:
        more = [i for i in sorted(seen) if i not in failing]
        failing += rng.sample(more, min(len(more), 2))
    chosen = failing + passing
    rng.shuffle(chosen)
    return chosen


def group_checks(rng, namer, name, checks):
    """Splits checks into test functions with names."""
    groups, left = [], list(checks)
    words = rng.sample(TEST_WORDS, len(TEST_WORDS))
    while left:
        count = min(len(left), rng.choice((1, 1, 2, 2, 3)))
        word = words.pop() if rng.random() < 0.75 else namer.pseudo()
        title = "test_%s" % word if rng.random() < 0.5 else "test_%s_%s" % (name, word)
        groups.append((namer.unique(lambda t=title: t), left[:count]))
        left = left[count:]
    return groups


def file_name(namer):
    while True:
        stem = namer.file()
        if stem not in sys.stdlib_module_names:
            return stem


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


def make_python(rng, namer, pool, split):
    """A Python task whose functions are drawn by pool(rng) -> Family."""
    style = layout.Style(rng)
    unit = Unit(source.instantiate(pool(rng), namer, style.hints), rng)
    target, mutation, seen = plant(unit, rng, split)
    extras = []
    for _ in range(rng.choice((0, 1, 1, 2, 2, 3))):
        try:
            extras.append(Unit(source.instantiate(pool(rng), namer, style.hints), rng, 10))
        except Unusable:
            continue
    documented = {}
    for definition in [d for u in [unit] + extras for d in u.instance.definitions]:
        documented[definition.name] = document(definition.source, rng, style)
    fixed = style.code(documented[target.name])
    mutant_tree = ast.parse(mutation.source)
    if documented[target.name] != target.source:
        doc = ast.parse(documented[target.name]).body[0].body[0]
        mutant_tree.body[0].body.insert(0, doc)
    broken = style.code(ast.unparse(mutant_tree))
    edit = edits.line_edit(target.name, broken, fixed)
    final = {name: style.code(text) for name, text in documented.items()}

    stems = [file_name(namer)]
    places = _place(rng, namer, unit, extras, stems)
    files, bug_path = {}, "%s.py" % places[target.name]
    for stem in stems:
        here = [n for n in final if places[n] == stem]
        files["%s.py" % stem] = module_text([final[n] for n in here], _imports(final, here, places, stem))
    content = files[bug_path].replace(fixed, broken, 1)
    if content == files[bug_path]:
        raise Unusable("bug not placed")

    chosen = choose_calls(rng, len(unit.calls), seen, rng.randint(3, 7))
    checks = [unit.check(i) for i in chosen]
    groups = group_checks(rng, namer, unit.name, checks)
    imported = {places[unit.name]: [unit.name]}
    for extra in extras:
        if rng.random() < 0.5:
            some = [extra.check(i) for i in range(min(len(extra.calls), rng.randint(1, 3)))]
            groups += group_checks(rng, namer, extra.name, some)
            imported.setdefault(places[extra.name], []).append(extra.name)
    rng.shuffle(groups)
    test_path = "test_%s.py" % (stems[0] if rng.random() < 0.7 else file_name(namer))
    files[test_path] = layout.test_file(groups, sorted(imported.items()), style.test, namer.class_() + "Test"
                                        if rng.random() < 0.5 else "Test" + namer.class_())
    first = rng.choice([i for i in chosen if i in seen])
    failure = (layout.call_text(unit.name, unit.calls[first]), seen[first].text, unit.expected[first],
               seen[first].error)
    text = issues.issue_text(rng, mutation.kind, unit.name if rng.random() < 0.8 else target.name,
                             bug_path, failure)
    command = "python3 %s" % test_path
    if style.test == "unittest" and rng.random() < 0.4:
        command = "python3 -m unittest %s" % rng.choice((test_path[:-3], "-v " + test_path[:-3]))
    made = Task(lang="py", family=unit.instance.family.name, field=unit.instance.family.field,
                kind=mutation.kind, style=style.test, files=files, issue=text, test=command,
                test_path=test_path, bug={
                    "path": bug_path, "symbol": target.name, "kind": mutation.kind, "content": content,
                    "old": edit.old if edit else None, "new": edit.new if edit else None,
                    "broken": broken, "fixed": fixed, "main": unit.name,
                    "main_path": "%s.py" % places[unit.name], "plain": ast.unparse(mutant_tree)})
    made.attach(styled=style.code, run=None)
    return made


def _place(rng, namer, unit, extras, stems):
    """Which file each definition lives in; may add files."""
    places = {}
    if rng.random() < 0.3:
        stems.append(file_name(namer))
    if rng.random() < 0.08:
        stems.append(file_name(namer))
    order = [unit] + extras
    rng.shuffle(order)
    for one in order:
        home = rng.choice(stems)
        helpers = rng.choice(stems) if rng.random() < 0.4 else home
        for definition in one.instance.definitions:
            places[definition.name] = home if definition is one.instance.main else helpers
    # Two files that import each other would not load.
    pairs = {(places[d.name], places[one.name]) for one in order for d in one.instance.definitions
             if places[d.name] != places[one.name]}
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
    return ["from %s import %s" % (module, ", ".join(sorted(set(names))))
            for module, names in sorted(wanted.items())]
