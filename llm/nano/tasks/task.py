"""One repair task: a small repository, a planted bug, an issue and a test that fails because of
it."""

import ast
import sys

from . import execute, inputs, layout, mutate

TEST_WORDS = [
    "basic",
    "simple",
    "edge",
    "more",
    "typical",
    "small",
    "large",
    "empty",
    "mixed",
    "again",
    "limits",
    "examples",
    "regular",
    "special",
    "first",
    "second",
    "other",
    "values",
    "border",
]


# How often each kind is planted: as people make these mistakes, and fewer of those that nobody
# could
# guess back, such as a forgotten statement.
WEIGHTS = {
    "missing_case": 0.4,
    "missing_update": 0.6,
    "wrong_variable": 0.7,
    "wrong_return": 0.6,
    "constant": 0.8,
    "boundary": 1.8,
    "comparison": 1.2,
    "off_by_one": 1.4,
    "and_or": 1.5,
    "min_max": 1.4,
    "initial_value": 1.4,
    "negation": 1.2,
    "wrong_method": 1.2,
}
# Bugs whose repair is a new line or a whole expression are the hardest to learn: training has more
# of them than scoring.
TRAINING_WEIGHTS = WEIGHTS | {
    "missing_update": 2.0,
    "missing_case": 0.8,
    "wrong_return": 1.2,
    "operator": 1.3,
}


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

    @property
    def entry(self):
        """The function that a call calls."""
        return self.name

    def python(self, sources):
        """Runnable code of the definitions in these versions."""
        text = "\n\n\n".join(sources)
        return "\n".join(layout.imports_of(text) + [text])

    def draw(self, rng):
        """Arguments of one call."""
        return [inputs.sample(kind, rng) for kind in self.instance.kinds]

    def _sample(self, rng, wanted):
        arguments, seen = [], set()
        for _ in range(wanted):
            drawn = self.draw(rng)
            text = repr(drawn)
            if text not in seen and len(text) < (150 if self.instance.main.is_class else 90):
                seen.add(text)
                arguments.append(drawn)
        outcomes = execute.run_calls(self.code, self.entry, arguments)
        if outcomes is None:
            raise Unusable("does not finish")
        for drawn, outcome in zip(arguments, outcomes):
            silent = outcome.text == "None" and self.instance.main.is_class
            if not outcome.error and not silent and len(outcome.text) < 70:
                self.calls.append(drawn)
                self.expected.append(outcome.text)
        if len(self.calls) < 4 or len(set(self.expected)) < 2:
            raise Unusable("too few different results")

    def check(self, index):
        return layout.Check(
            self.shown(index), self.expected[index], call=(self.name, self.calls[index])
        )

    def shown(self, index):
        """A call as source text."""
        return layout.call_text(self.name, self.calls[index])

    def main_symbol(self, index):
        """What a reader of the failing call looks at first."""
        return self.name


RUN_SCRIPT = """


def run_script(arguments, steps):
    thing = %s(*arguments)
    for name, values in steps:
        result = getattr(thing, name)(*values)
    return result
"""


class ClassUnit(Unit):
    """An instance of a class family: its calls are short scripts of method calls."""

    entry = "run_script"

    def __init__(self, instance, rng, wanted=30):
        self.variable = rng.choice(
            ("box", "thing", "item", "obj", "it", "one", instance.main.name.lower())
        )
        super().__init__(instance, rng, wanted)

    def python(self, sources):
        return super().python(sources) + RUN_SCRIPT % self.instance.main.name

    def draw(self, rng):
        """One script: constructor arguments and steps, ending in a call that answers."""
        methods = dict(self.instance.methods)
        arguments = [inputs.sample(kind, rng) for kind in methods.get("__init__", [])]
        names = [name for name in methods if not name.startswith("__")]
        steps = []
        for _ in range(rng.randint(1, 5)):
            name = rng.choice(names)
            steps.append((name, [inputs.sample(kind, rng) for kind in methods[name]]))
        return [arguments, steps]

    def shown(self, index):
        arguments, steps = self.calls[index]
        return "; ".join(
            self._setup(index)
            + [layout.call_text(self.variable + "." + steps[-1][0], steps[-1][1])]
        )

    def _setup(self, index):
        arguments, steps = self.calls[index]
        lines = ["%s = %s" % (self.variable, layout.call_text(self.instance.main.name, arguments))]
        return lines + [
            layout.call_text(self.variable + "." + name, values) for name, values in steps[:-1]
        ]

    def check(self, index):
        name, values = self.calls[index][1][-1]
        text = layout.call_text(self.variable + "." + name, values)
        return layout.Check(text, self.expected[index], setup=self._setup(index))

    def main_symbol(self, index):
        return "%s.%s" % (self.instance.main.name, self.calls[index][1][-1][0])


def unit_of(instance, rng, wanted=30):
    """The unit of a function or class instance."""
    return (ClassUnit if instance.main.is_class else Unit)(instance, rng, wanted)


def difference(unit, target, mutated):
    """Indices of calls that tell the mutant apart, with its outcomes; None when it hangs."""
    code = unit.python([mutated if d is target else d.source for d in unit.instance.definitions])
    outcomes = execute.run_calls(code, unit.entry, unit.calls)
    if outcomes is None:
        return None
    return {i: o for i, o in enumerate(outcomes) if o.error or o.text != unit.expected[i]}


def kind_allowed(kind, split):
    if split == "unseen-kind":
        return kind in mutate.HELD_OUT_KINDS
    return kind not in mutate.HELD_OUT_KINDS


def planted_weights(split):
    return TRAINING_WEIGHTS if split == "train" else WEIGHTS


class BugChooser:
    """Draws changes of a definition, all kinds about equally often."""

    def __init__(self, definition, rng, split, method=None, weights=WEIGHTS):
        self.rng = rng
        self.weights = weights
        self.tree = ast.parse(definition).body[0]
        self.seen = {definition}
        self.by_kind = {}
        part = self.tree if method is None else method_node(self.tree, method)
        for site in mutate.changes(part):
            if kind_allowed(site[0], split):
                self.by_kind.setdefault(site[0], []).append(site)

    def draw(self):
        """A Mutation not drawn before, or None."""
        while self.by_kind:
            weights = [len(v) ** 0.3 * self.weights.get(k, 1) for k, v in self.by_kind.items()]
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


def method_node(tree, method):
    """The node of a method of a class."""
    return next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == method)


class Planted:
    """A bug in a unit: where, how, and which calls see it."""

    def __init__(self, target, method, mutation, seen):
        self.target = target
        self.method = method  # of a class; None for a function
        self.mutation = mutation
        self.seen = seen  # {call index: outcome}

    @property
    def symbol(self):
        return self.target.name + ("." + self.method if self.method else "")


def plant(unit, rng, split, tries=14):
    """A bug that the sampled calls can see."""
    definitions = unit.instance.definitions
    target = (
        definitions[-1] if len(definitions) == 1 or rng.random() < 0.35 else rng.choice(definitions)
    )
    method = None
    if target.is_class:
        method = rng.choice([name for name, _ in unit.instance.methods])
    chooser = BugChooser(target.source, rng, split, method, planted_weights(split))
    for _ in range(tries):
        mutation = chooser.draw()
        if mutation is None:
            break
        seen = difference(unit, target, mutation.source)
        if seen:
            return Planted(target, method, mutation, seen)
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
