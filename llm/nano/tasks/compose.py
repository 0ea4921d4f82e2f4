"""Calling chains: a random function around another one, so that a failing test points at the
caller."""

import ast

from . import source

NUMBERS = {
    "int_",
    "nat",
    "pos",
    "small",
    "size",
    "big",
    "percent",
    "hour",
    "minute",
    "day",
    "month",
    "cents",
    "bits",
}
TEXTS = {"word", "text", "mixed", "digits"}
MANY = {"word": "words", "text": "words", "mixed": "words"}

OVER_EACH = (
    "return [{call} for one in many]",
    "result = []\nfor one in many:\n    result.append({call})\nreturn result",
    "total = 0\nfor one in many:\n    total += {call}\nreturn total",
    "best = 0\nfor one in many:\n    best = max(best, {call})\nreturn best",
    "count = 0\nfor one in many:\n    if {call} > {k}:\n        count += 1\nreturn count",
    "kept = []\nfor one in many:\n    if {call}:\n        kept.append(one)\nreturn kept",
    "for one in many:\n    if not {call}:\n        return False\nreturn True",
    "found = {{}}\nfor one in many:\n    found[one] = {call}\nreturn found",
    "return sum({call} for one in many)",
    "return sorted(many, key=lambda one: {call})",
)
AROUND = (
    "value = {call}\nreturn value + {k}",
    "value = {call}\nif value > {k}:\n    return {k}\nreturn value",
    "return {call} * {k}",
    "value = {call}\nif value < {k}:\n    return 'low'\nreturn 'high'",
    "if {call}:\n    return 'yes'\nreturn 'no'",
    "values = {call}\nreturn len(values)",
    "values = {call}\nif not values:\n    return {k}\nreturn values[0]",
    "return str({call})",
    "values = {call}\ntotal = 0\nfor x in values:\n    total += x\nreturn total",
    "text = {call}\nreturn text.upper() + '!'",
    "return max({call}, {k})",
    "return {call} - {call}",
)
# For training only: the scored splits keep the tasks they always had, so that scores compare.
AROUND_TRAINING = AROUND + (
    "return {k} if {call} else 0",
    "return 0 if {call} else {k}",
    "if {call}:\n    return {k}\nreturn 0",
    "return not {call}",
    "return {call} + 1",
    "return {k} - {call}",
)


def wrap(family, rng, around=AROUND):
    """A family whose main function calls `family`'s."""
    if family.is_class or not family.kinds:
        return family
    inner = family.nodes[-1]
    names = [a.arg for a in inner.args.args]
    first = family.kinds[0]
    if (first in NUMBERS or first in MANY) and rng.random() < 0.6:
        many = "nats" if first in NUMBERS else MANY[first]
        body = rng.choice(OVER_EACH)
        params = [("many", many)] + list(zip(names[1:], family.kinds[1:]))
        arguments = ["one"] + names[1:]
    else:
        body = rng.choice(around)
        params = list(zip(names, family.kinds))
        arguments = names
    call = "%s(%s)" % (inner.name, ", ".join(arguments))
    text = body.format(call=call, k=rng.randint(1, 9))
    lines = ["def outer(%s):" % ", ".join("%s: %s" % pair for pair in params)]
    lines += ["    " + line for line in text.split("\n")]
    outer = ast.parse("\n".join(lines)).body[0]
    return source.Family(
        family.name,
        family.nodes + [outer],
        [kind for _, kind in params],
        family.field,
        family.kinds,
    )
