"""Which families a split draws from, and the loop that draws until a task is good."""

import random

from . import compose, grammar, names, programs, source, task, task_cpp, task_py

# Share of training functions that come from the random grammar instead of a written family.
GRAMMAR_SHARE = 0.4
CPP_SHARE = 0.3  # of the draws; most of them have no natural C++
CHAIN_SHARE = 0.12
SPLITS = ("train", "seen", "unseen-family", "unseen-kind")


class Pool:
    """The families of one split."""

    def __init__(self, split, families=None):
        if split not in SPLITS:
            raise ValueError("split must be one of %s" % ", ".join(SPLITS))
        self.split = split
        families = families or source.load_families()
        wanted = split == "unseen-family"
        self.functions = [f for f in families if f.held_out == wanted]

    def draw(self, rng):
        """A family: a template's or, in training, often a random function; now and then with a
        caller around it."""
        training = self.split == "train"
        if training and rng.random() < GRAMMAR_SHARE:
            family = rng.choice((grammar, programs)).random_family(rng)
        else:
            family = rng.choice(self.functions)
        if rng.random() >= CHAIN_SHARE:
            return family
        return compose.wrap(family, rng, compose.AROUND_TRAINING if training else compose.AROUND)


def make_task(pool, seed):
    """The task of a seed. Tries until one is good; the same seed gives the same task."""
    rng = random.Random("%s %s" % (pool.split, seed))
    while True:
        namer = names.Namer(rng, scoring=pool.split != "train")
        try:
            make = task_cpp.make_cpp if rng.random() < CPP_SHARE else task_py.make_python
            made = make(rng, namer, pool.draw, pool.split)
        except task.Unusable:
            continue
        if not usable(made):
            continue
        made.id = "%s-%s" % (pool.split, seed)
        made.split = pool.split
        return made


def usable(made):
    """Whether the tests pass on the fixed files and fail on the broken ones."""
    if sum(len(text) for text in made.files.values()) > 4200:
        return False
    if made.report_of(made.files, None) != "The tests pass.":
        return False
    made.report = made.report_of(made.broken_files(), made.bug["plain"])
    return made.report is not None and made.report != "The tests pass."
