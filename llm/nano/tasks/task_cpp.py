"""C++ repair tasks: functions written in C++, results computed by their Python originals."""

import ast

from . import cpp, edits, execute, inputs, issues, layout, source, task
from .task import Unusable


class CppUnit(task.Unit):
    """A function that has natural C++, and with `chains` perhaps one that it calls."""

    def __init__(self, instance, rng, style, chains, wanted=30):
        most = 2 if chains and instance.family.inner_kinds else 1
        if len(instance.definitions) > most or instance.family.is_class:
            raise Unusable("too many definitions")
        self.style = style
        super().__init__(instance, rng, wanted)
        self.signatures = {self.name: signature(instance.kinds, self.expected)}
        for callee in instance.definitions[:-1]:
            self.signatures[callee.name] = self._called(callee, rng)
        try:
            self.written = {d.name: self.write(d.source) for d in instance.definitions}
        except cpp.Unsupported as error:
            raise Unusable(str(error)) from error

    @property
    def signature(self):
        return self.signatures[self.name]

    def python(self, sources):
        return cpp.guarded(super().python(sources))

    def _called(self, callee, rng):
        """The signature of a function that this one calls, from what it returns."""
        kinds = self.instance.family.inner_kinds
        calls = [[inputs.sample(kind, rng) for kind in kinds] for _ in range(12)]
        outcomes = execute.run_calls(self.code, callee.name, calls)
        if outcomes is None:
            raise Unusable("does not finish")
        return signature(kinds, [o.text for o in outcomes if not o.error])

    def with_version(self, target, source):
        """Runnable Python in which the definition `target` reads `source`."""
        return self.python([source if d is target else d.source for d in self.instance.definitions])

    def write(self, python):
        """(head, C++ text) of a version of one of the functions. Raises cpp.Unsupported."""
        return cpp.translate(python, self.style, self.signatures)

    def call(self, index):
        parts = [
            cpp.literal(value, type_)
            for value, type_ in zip(self.calls[index], self.signature.types)
        ]
        return "%s(%s)" % (self.name, ", ".join(parts))

    def shown(self, text):
        """What the test program prints for a result."""
        return cpp.literal(ast.literal_eval(text))

    def literal(self, index):
        text = self.shown(self.expected[index])
        if self.signature.result in (cpp.INT, cpp.BOOL):
            return text
        return (
            "%s%s" % (self.signature.result, text) if text[0] == "{" else "std::string(%s)" % text
        )

    def condition(self, index):
        """What an assertion about a call says."""
        call, expected = self.call(index), self.shown(self.expected[index])
        if self.signature.result == cpp.BOOL:
            return call if expected == "true" else "!" + call
        if expected[0] == "{":
            return "(%s == %s%s)" % (call, self.signature.result, expected)
        return "%s == %s" % (call, expected)


def signature(kinds, results):
    """The C++ types of parameters of these kinds and of results with these Python texts."""
    types = []
    for kind in kinds:
        type_ = cpp.CHAR if kind in ("char", "letter") else cpp.TYPES.get(inputs.HINT_OF[kind])
        if type_ is None:
            raise Unusable("parameter type")
        types.append(type_)
    try:
        found = {cpp.type_of(ast.literal_eval(text)) for text in results} - {None}
    except cpp.Unsupported as error:
        raise Unusable(str(error)) from error
    if len(found) != 1:
        raise Unusable("result type")
    return cpp.Signature(types, found.pop())


SHOW = {
    cpp.INT: ("std::string show(int value) { return std::to_string(value); }",),
    cpp.BOOL: ('std::string show(bool value) { return value ? "true" : "false"; }',),
    cpp.STRING: ('std::string show(const std::string& value) { return "\\"" + value + "\\""; }',),
    cpp.INTS: (
        "std::string show(const std::vector<int>& values) {",
        "  std::string text;",
        '  for (int value : values) text += (text.empty() ? "" : ", ") + std::to_string(value);',
        '  return "{" + text + "}";',
        "}",
    ),
}

CHECK = """int failures = 0;

template <typename T>
void check(const char* call, const T& got, const T& expected) {
  if (got == expected) return;
  std::printf("FAIL %s: expected %s, got %s\\n", call, show(expected).c_str(), show(got).c_str());
  failures = 1;
}

#define CHECK(call, expected) check(#call, call, expected)
"""


class CppProgram:
    """Says what the test tool would say, from the Python originals."""

    def __init__(self, groups, path_of, test_path, asserts):
        self.groups = groups  # [(test function, [(unit, call index)])] in order
        self.path_of = path_of  # function name -> file
        self.test_path = test_path
        self.asserts = asserts

    def run(self, changed=None):
        """The report when `changed` = (unit, definition, python source) replaces one function; None
        if unclear."""
        checks = [check for _, group in self.groups for check in group]
        results = {}
        for unit in dict.fromkeys(u for u, _ in checks):
            indices = [i for u, i in checks if u is unit]
            code = unit.with_version(*changed[1:]) if changed and unit is changed[0] else unit.code
            outcomes = execute.run_calls(code, unit.name, [unit.calls[i] for i in indices])
            if outcomes is None or any(o.error for o in outcomes):
                return None
            results[unit] = dict(zip(indices, (o.text for o in outcomes)))
        blocks = []
        for name, group in self.groups:
            for unit, index in group:
                got = results[unit][index]
                if got != unit.expected[index]:
                    block = self.block(name, unit, index, got)
                    if block is None:
                        return None
                    blocks.append(block)
        if not blocks:
            return "The tests pass."
        if self.asserts:  # the first one ends the program
            return "The tests fail: exit status 134.\n" + blocks[0]
        return "The tests fail: exit status 1.\n" + "\n".join(list(dict.fromkeys(blocks))[:3])

    def block(self, name, unit, index, got):
        see = "\n  see %s: %s" % (self.path_of[unit.name], unit.name)
        if self.asserts:
            condition = unit.condition(index)
            return "FAIL %s: %s\n  %s\n  %s%s" % (
                self.test_path,
                name,
                execute.clipped("assert(%s);" % condition),
                execute.clipped("Assertion `%s' failed." % condition),
                see,
            )
        try:
            line = "FAIL %s: expected %s, got %s" % (
                unit.call(index),
                unit.shown(unit.expected[index]),
                unit.shown(got),
            )
        except cpp.Unsupported:
            return None
        return execute.clipped(line) + see


def plant(unit, rng, split):
    """(definition, Mutation, {index: Outcome}, C++ text) of a bug that C++ shows and defines."""
    definitions = unit.instance.definitions
    target = definitions[0] if len(definitions) == 1 or rng.random() < 0.7 else definitions[-1]
    chooser = task.BugChooser(target.source, rng, split, weights=task.planted_weights(split))
    for _ in range(12):
        mutation = chooser.draw()
        if mutation is None:
            break
        seen = task.difference(unit, target, mutation.source)
        if not seen or any(outcome.error for outcome in seen.values()):
            continue
        try:
            _, text = unit.write(mutation.source)
            for outcome in seen.values():
                if cpp.type_of(ast.literal_eval(outcome.text)) not in (unit.signature.result, None):
                    raise cpp.Unsupported("result")
        except cpp.Unsupported:
            continue
        if text != unit.written[target.name][1]:
            return target, mutation, seen, text
    raise Unusable("no bug that shows")


def header_text(units, style):
    written = [pair for u in units for pair in u.written.values()]
    bodies = ["inline " + text if style.inline else head + ";" for head, text in written]
    gap = "\n\n" if style.inline else "\n"
    text = gap.join(bodies)
    lines = ["#pragma once", ""] + ["#include <%s>" % h for h in cpp.includes(text)]
    return "\n".join(lines + ([""] if len(lines) > 2 else []) + [text]) + "\n"


def source_text(units, stem):
    text = "\n\n".join(text for u in units for _, text in u.written.values())
    lines = ['#include "%s.h"' % stem, ""] + ["#include <%s>" % h for h in cpp.includes(text)]
    return "\n".join(lines + ([""] if len(lines) > 2 else []) + [text]) + "\n"


def test_text(groups, stem, asserts):
    """The test program: a table of checks, or functions with assertions."""
    checks = [check for _, group in groups for check in group]
    if asserts:
        return _assert_text(groups, stem)
    shows = []
    for type_ in (cpp.INT, cpp.BOOL, cpp.STRING, cpp.INTS):
        if any(u.signature.result == type_ for u, _ in checks):
            shows += SHOW[type_]
    body = "\n".join(shows) + "\n\n" + CHECK + "\nint main() {\n"
    body += "".join("  CHECK(%s, %s);\n" % (u.call(i), _guarded(u.literal(i))) for u, i in checks)
    body += "  return failures;\n}\n"
    headers = sorted(set(cpp.includes(body)) | {"cstdio", "string"})
    return '#include "%s.h"\n\n%s\n\n%s' % (
        stem,
        "\n".join("#include <%s>" % h for h in headers),
        body,
    )


def _assert_text(groups, stem):
    functions = []
    for name, group in groups:
        head = "int main() {" if name == "main" else "static void %s() {" % name
        functions.append(
            "\n".join([head] + ["  assert(%s);" % u.condition(i) for u, i in group] + ["}"])
        )
    if groups[0][0] != "main":
        functions.append(
            "\n".join(["int main() {"] + ["  %s();" % name for name, _ in groups] + ["}"])
        )
    body = "\n\n".join(functions) + "\n"
    headers = "\n".join("#include <%s>" % h for h in cpp.includes(body))
    return '%s\n\n#include "%s.h"\n\n%s' % (headers, stem, body)


def _guarded(text):
    return "(%s)" % text if "{" in text else text


def make_cpp(rng, namer, pool, split):
    """A C++ task whose functions are drawn by pool(rng) -> Family."""
    style = cpp.Style(rng)
    # The scored splits keep the tasks they always had, so that scores compare.
    chains = split == "train"
    unit = CppUnit(source.instantiate(pool(rng), namer), rng, style, chains)
    if unit.signature.result not in SHOW:
        raise Unusable("result type")
    target, mutation, seen, broken = plant(unit, rng, split)
    fixed = unit.written[target.name][1]
    units = [unit]
    for _ in range(rng.choice((0, 1, 1, 2))):
        try:
            extra = CppUnit(source.instantiate(pool(rng), namer), rng, style, chains, 10)
        except Unusable:
            continue
        if extra.signature.result in SHOW:
            units.append(extra)
    rng.shuffle(units)
    stem = task.file_name(namer)
    files = {stem + ".h": header_text(units, style)}
    bug_path = stem + ".h"
    if not style.inline:
        bug_path = stem + rng.choice((".cc", ".cpp"))
        files[bug_path] = source_text(units, stem)
    content = files[bug_path].replace(fixed, broken, 1)

    chosen = task.choose_calls(rng, len(unit.calls), seen, rng.randint(3, 7))
    checks = [(unit, i) for i in chosen]
    for extra in units:
        if extra is not unit and rng.random() < 0.5:
            checks += [(extra, i) for i in range(min(len(extra.calls), rng.randint(1, 3)))]
    ending = ".cpp" if bug_path.endswith(".cpp") else ".cc"
    test_path = ("test_%s%s" if rng.random() < 0.5 else "%s_test%s") % (stem, ending)
    asserts = rng.random() < 0.6
    groups = [("main", checks)]
    if asserts and rng.random() < 0.5:
        rng.shuffle(checks)
        groups = task.group_checks(rng, namer, unit.name, checks)
    files[test_path] = test_text(groups, stem, asserts)
    command = "g++ -std=c++17 -o /tmp/%s %s && /tmp/%s" % (
        "test" if rng.random() < 0.5 else stem,
        test_path if style.inline else "%s %s" % (test_path, bug_path),
        "%s",
    )
    command = command % command.split("/tmp/")[1].split()[0]
    first = rng.choice([i for i in chosen if i in seen])
    failure = (
        unit.call(first),
        unit.shown(seen[first].text),
        unit.shown(unit.expected[first]),
        False,
    )
    path_of = {u.name: bug_path for u in units}
    lead = "inline " if style.inline else ""
    broken, fixed = lead + broken, lead + fixed
    edit = edits.line_edit(target.name, broken, fixed)
    text = issues.issue_text(
        rng,
        mutation.kind,
        unit.name,
        bug_path,
        failure,
        (edit.old, edit.new) if edit else (None, None),
    )
    made = task.Task(
        lang="cpp",
        family=unit.instance.family.name,
        field=unit.instance.family.field,
        kind=mutation.kind,
        style="assert" if asserts else "check",
        files=files,
        issue=text,
        test=command,
        test_path=test_path,
        bug={
            "path": bug_path,
            "symbol": target.name,
            "kind": mutation.kind,
            "content": content,
            "old": edit.old if edit else None,
            "new": edit.new if edit else None,
            "broken": broken,
            "fixed": fixed,
            "main": unit.name,
            "main_path": bug_path,
            "plain": mutation.source,
            "method": None,
        },
    )
    program = CppProgram(groups, path_of, test_path, asserts)
    made.attach(
        styled=lambda python: lead + unit.write(python)[1],
        run=lambda python: program.run((unit, target, python or target.source)),
    )
    return made
