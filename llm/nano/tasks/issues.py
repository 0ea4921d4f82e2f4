"""Issue texts: what a user of the code would write, informed by what really happened."""

import re

RULES = {
    "boundary": [
        "The value exactly at the limit is treated wrongly.",
        "The bound itself is handled wrong.",
        "It goes wrong when a value is equal to the limit.",
        "Equal values end up on the wrong side.",
        "Something about the edge: equal should not behave like this.",
        "Looks like a strict comparison where equality matters, or the other way round.",
    ],
    "comparison": [
        "The comparison looks the wrong way round.",
        "It selects the opposite of what it should.",
        "A condition seems to be inverted.",
        "Bigger and smaller seem to be mixed up.",
        "The check is turned around, I think.",
    ],
    "off_by_one": [
        "One element too many or too few is used.",
        "Looks like an off-by-one.",
        "The last element is not handled.",
        "It stops one too early or starts one too late.",
        "The result is shifted by one.",
        "I suspect the loop range or a slice.",
    ],
    "operator": [
        "The arithmetic is off.",
        "The numbers are combined the wrong way.",
        "I think the formula uses the wrong operation.",
        "Plus and minus, or something like it, got mixed up.",
        "The calculation is wrong.",
    ],
    "constant": [
        "A number in the formula is wrong.",
        "One of the constants does not look right.",
        "The fixed value in there is not the right one.",
        "Probably a mistyped literal.",
    ],
    "wrong_variable": [
        "I think it uses the wrong variable somewhere.",
        "It works with the wrong value.",
        "Two names seem to be mixed up.",
        "It looks at the wrong thing.",
        "One of the variables is used where another was meant.",
    ],
    "negation": [
        "The condition is negated.",
        "It does the opposite of what it should.",
        "A `not` seems to be missing or too much.",
        "The check is the wrong way round.",
    ],
    "missing_case": [
        "One case is not handled.",
        "A condition is missing.",
        "It forgets a special case.",
        "Some inputs that should be treated apart are not.",
    ],
    "missing_update": [
        "A value is not updated.",
        "It seems to forget a step.",
        "Something is not being accumulated.",
        "The state is not carried along properly.",
    ],
    "wrong_return": [
        "It gives back the wrong thing.",
        "The returned value is wrong.",
        "What comes back is not what was computed.",
        "The result is not the right one of the values.",
    ],
    "early_exit": [
        "It stops too early.",
        "It gives up after the first element.",
        "Only part of the input is looked at.",
        "The loop ends too soon or runs on too long.",
    ],
    "initial_value": [
        "The starting value is wrong.",
        "It starts from the wrong number.",
        "The result is off from the very beginning.",
        "Probably a wrong initial value.",
    ],
    "and_or": [
        "It is enough that one condition holds, or both must; this is mixed up.",
        "The two conditions are combined the wrong way.",
        "Both conditions should be considered together.",
        "`and` and `or` seem to be confused.",
    ],
    "min_max": [
        "Smallest and largest are mixed up.",
        "It takes the wrong extreme.",
        "It picks the larger where the smaller is right, or the other way round.",
    ],
    "wrong_index": [
        "It looks at the wrong position.",
        "The wrong element is taken.",
        "An index is off.",
        "It reads the wrong end.",
    ],
    "wrong_method": [
        "It calls the wrong function on the data.",
        "Wrong method, I think.",
        "It does something similar to the right thing, but not it.",
        "The wrong kind of operation is applied.",
    ],
    "swapped_arguments": [
        "Two arguments seem to be swapped.",
        "The order of the arguments is mixed up.",
        "Values are passed in the wrong order.",
    ],
    "dropped_call": [
        "A conversion is missing.",
        "The value is used as it is, without being prepared.",
        "A step of the computation is left out.",
    ],
}

VALUES = [
    "`{call}` returns `{got}`, but it should return `{expected}`.",
    "`{call}` should be `{expected}` but I get `{got}`.",
    "Expected `{expected}` from `{call}`, got `{got}`.",
    "For `{call}` the result is `{got}` instead of `{expected}`.",
    "Calling `{call}` gives {got}. The right answer is {expected}.",
    "I called `{call}` and got {got}; {expected} would be correct.",
    "{call} -> {got}\nexpected: {expected}",
    "```\n>>> {call}\n{got}\n```\nI expected `{expected}`.",
    "When I run `{call}` I see {got} rather than {expected}.",
    "Steps: call `{call}`.\nActual: {got}\nExpected: {expected}",
    "The answer of `{call}` ought to be `{expected}`, not `{got}`.",
]
ERRORS = [
    "`{call}` fails with `{got}`. It should return `{expected}`.",
    "I get `{got}` from `{call}`, but expected `{expected}`.",
    "Crash: `{call}` raises {got}.",
    "```\n>>> {call}\n{got}\n```\nThis should give `{expected}`.",
    "`{call}` blows up ({got}).",
]
TITLES = [
    "{name} returns wrong results",
    "Wrong result from {name}",
    "{name} is broken",
    "Bug in {name}",
    "{name} gives an unexpected answer",
    "`{name}` does not do what it should",
    "Problem with {name}",
    "{name}: wrong value",
    "{name} misbehaves",
    "Incorrect output of `{name}`",
    "{name} has a bug",
    "Please fix {name}",
]
VAGUE = [
    "Some results of `{name}` are wrong since the last change. The tests show it.",
    "`{name}` used to work. Please have a look.",
    "The tests for `{name}` fail. Please repair the code, not the tests.",
    "Something is off in `{path}`.",
    "The numbers from {name} cannot be right.",
    "`{name}` in {path} is not correct for all inputs.",
    "We noticed that {name} gives the wrong answer for some inputs.",
]
FOUND = [
    "Found while testing {path}.",
    "This is in {path}.",
    "See `{path}`.",
    "It happens every time.",
    "Can someone fix this?",
    "Thanks!",
    "Only some inputs are affected.",
    "All other calls look fine.",
]


# Hints that say what is right: (kinds, old token or None, new token or None, texts).
VERBS = {
    "+": ("add", "plus"),
    "-": ("subtract", "minus"),
    "*": ("multiply", "times"),
    "//": ("divide", "divided by"),
    "/": ("divide", "divided by"),
    "%": ("take the remainder", "modulo"),
}
BOUNDS = {
    "<": ["strictly less", "The limit itself does not belong to it.", "Equal is not below."],
    ">": ["strictly greater", "The limit itself does not count.", "Equal is not above."],
    "<=": ["at most", "The limit itself should be allowed.", "Equal values belong to it too."],
    ">=": ["at least", "The limit itself should count too.", "Equal values should be included."],
    "==": ["equal", "Only equal values should match."],
    "!=": ["different", "Equal values are the exception."],
}


def changed_tokens(old, new):
    """(old tokens, new tokens) where the two lines differ."""
    a, b = (re.findall(r"\w+|[<>=!*/&|+-]+|[^\w\s]", text) for text in (old, new))
    start = 0
    while start < min(len(a), len(b)) and a[start] == b[start]:
        start += 1
    end = 0
    while end < min(len(a), len(b)) - start and a[-1 - end] == b[-1 - end]:
        end += 1
    return a[start : len(a) - end], b[start : len(b) - end]


def hint(rng, kind, old, new):
    """A sentence that says what would be right, or None."""
    if old is None or "\n" in old or "\n" in new:
        return None
    before, after = changed_tokens(old, new)
    if len(before) != 1 or len(after) != 1:
        return None
    was, is_ = before[0], after[0]
    if is_ in BOUNDS and kind in ("boundary", "comparison"):
        word, *rules = BOUNDS[is_]
        return rng.choice(rules + ["It should check for %s." % word, "The rule is: %s." % word])
    if is_ in VERBS and kind == "operator":
        verb, word = VERBS[is_]
        return rng.choice(
            (
                "It should %s here." % verb,
                "The formula needs a %s." % word,
                "We have to %s, not %s." % (verb, VERBS.get(was, ("that",))[0]),
            )
        )
    if is_.isdigit():
        return rng.choice(
            (
                "It should be %s, not %s." % (is_, was),
                "The right number is %s." % is_,
                "The rule says %s." % is_,
                "It must use %s instead of %s." % (is_, was),
            )
        )
    if kind in ("min_max", "and_or"):
        texts = {
            "min": "It should take the smaller one.",
            "max": "It should take the larger one.",
            "any": "One is enough.",
            "all": "All of them have to fit.",
            "and": "Both conditions must hold.",
            "or": "One of the two conditions is enough.",
            "&&": "Both conditions must hold.",
            "||": "One of the two conditions is enough.",
        }
        return texts.get(is_)
    if kind in ("wrong_variable", "wrong_index", "wrong_return") and is_.isidentifier():
        return rng.choice(
            (
                "It should use `%s`, not `%s`." % (is_, was),
                "`%s` is the one that counts." % is_,
                "It takes `%s` where `%s` is meant." % (was, is_),
            )
        )
    return None


def issue_text(rng, kind, name, path, failure, change=(None, None)):
    """An issue. failure: (call text, actual, expected, is_error); change: the (broken, right)
    lines."""
    parts = []
    if rng.random() < 0.75:
        title = rng.choice(TITLES).format(name=name)
        parts.append("# " + title if rng.random() < 0.6 else title)
    body = []
    if failure and rng.random() < 0.72:
        call, got, expected, is_error = failure
        if len(call) + len(got) + len(expected) < 200:
            pattern = rng.choice(ERRORS if is_error else VALUES)
            body.append(pattern.format(call=call, got=got, expected=expected, name=name))
    if rng.random() < 0.62 or not body:
        told = hint(rng, kind, *change) if rng.random() < 0.4 else None
        if told or rng.random() < 0.8:
            body.append(told or rng.choice(RULES[kind]))
    if not body:
        body.append(rng.choice(VAGUE).format(name=name, path=path))
    if len(body) == 2 and rng.random() < 0.4:
        body.reverse()
    if rng.random() < 0.2:
        body.append(rng.choice(FOUND).format(path=path))
    if not parts and not any(name in part for part in body):
        body.insert(0, rng.choice(VAGUE).format(name=name, path=path))
    parts.append(("\n" if any("```" in b or "\n" in b for b in body) else " ").join(body))
    return "\n\n".join(parts) + "\n"
