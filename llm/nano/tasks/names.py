"""Names for generated code: pseudo-words and English words, split into training and held-out
halves.

A word belongs to the held-out part by its checksum, so that no list has to be kept and nothing can
leak: a task made for scoring never uses a function, class or file name that training could have
seen.
"""

import builtins
import keyword
import random
import zlib

HELD_OUT_SHARE = 8  # one word in eight is kept for scoring

VERBS = """
get make find count build check merge parse format split join filter sort group sum take drop
apply update compute collect trim clean pack unpack scan walk mark pick load fold map rank score
shift move rotate clip scale convert encode decode render match trace resolve reduce expand
index list tally measure select choose insert remove replace fill pad wrap align compare
normalize validate locate gather arrange estimate detect skip mask toggle swap advance limit
share spread assign weigh sample
"""
VERBS = VERBS.split()

NOUNS = """
items values rows cells words lines tokens scores prices orders totals nodes edges paths keys
names parts pieces blocks ranges windows steps levels limits flags marks grades points pages
slots seats tickets batches queues stacks trees leaves levels counts sizes widths heights
offsets weights ratios rates fees taxes costs amounts balances accounts records entries fields
columns tables labels titles tags codes digits letters chars strings texts dates days weeks
hours minutes seconds events rooms beds cars routes stops zones areas grids boards maps tiles
shapes lines colors signals samples peaks gaps runs streaks chunks groups teams players users
members guests clients shops carts stock crates boxes bins shelves parcels loads trips legs
rungs beads coins notes bills votes polls seeds crops herds fleets ports docks berths
"""
NOUNS = NOUNS.split()

ONSETS = [
    "b",
    "d",
    "f",
    "g",
    "k",
    "l",
    "m",
    "n",
    "p",
    "r",
    "s",
    "t",
    "v",
    "z",
    "br",
    "dr",
    "gl",
    "kr",
    "pl",
    "st",
    "tr",
    "sh",
    "ch",
    "h",
    "j",
    "w",
    "th",
    "qu",
]
VOWELS = ["a", "e", "i", "o", "u", "a", "e", "i", "o", "u", "ai", "ea", "oo", "ou", "y"]
CODAS = ["", "", "", "", "n", "r", "l", "s", "t", "m", "x", "k", "nd", "rt", "ck", "p"]

RESERVED = set(keyword.kwlist) | set(keyword.softkwlist) | set(dir(builtins))
RESERVED |= set("""
int char bool double float long short void auto const struct class string vector map set std
main size begin end push back append extend min max sum len abs range sorted list dict tuple str
print new delete template using namespace return if else for while do switch case break continue
static public private assert test self and or not xor register union signed unsigned operator export
this try catch throw goto extern inline virtual friend typedef enum sizeof asm box failures check show
""".split())


def held_out(word):
    """Whether a word is kept for scoring."""
    return zlib.crc32(word.encode()) % HELD_OUT_SHARE == 0


class Namer:
    """Draws names that are unique within one task, all from one side of the split."""

    def __init__(self, rng, scoring=False):
        self.rng = rng
        self.scoring = scoring
        self.used = set()

    def fits(self, word):
        return held_out(word) == self.scoring

    def pseudo(self):
        """A pronounceable pseudo-word such as `drovin`."""
        while True:
            word = ""
            for _ in range(self.rng.choice((1, 2, 2, 2, 3))):
                word += self.rng.choice(ONSETS) + self.rng.choice(VOWELS)
            word += self.rng.choice(CODAS)
            if 3 <= len(word) <= 9 and word not in RESERVED and self.fits(word):
                return word

    def pick(self, words):
        pool = [word for word in words if self.fits(word)]
        return self.rng.choice(pool or list(words))

    def unique(self, draw):
        """Draws until the name is new in this task."""
        for _ in range(50):
            name = draw()
            if name not in self.used and name not in RESERVED:
                self.used.add(name)
                return name
        name = self.pseudo()
        while name in self.used:
            name = self.pseudo()
        self.used.add(name)
        return name

    def function(self, original=None):
        def draw():
            roll = self.rng.random()
            if roll < 0.40:
                return self.pseudo()
            if roll < 0.55:
                return self.pick(VERBS) + "_" + self.pseudo()
            if roll < 0.62:
                return self.pseudo() + "_" + self.pseudo()
            if roll < 0.70:
                return self.pseudo() + "_" + self.pick(NOUNS)
            if roll < 0.85 or original is None or self.scoring:
                return self.pick(VERBS) + "_" + self.pick(NOUNS)
            return original

        return self.unique(draw)

    def class_(self, original=None):
        def draw():
            roll = self.rng.random()
            if roll < 0.55:
                return self.pseudo().capitalize()
            if roll < 0.85 or original is None or self.scoring:
                return self.pseudo().capitalize() + self.pick(NOUNS).rstrip("s").capitalize()
            return original

        return self.unique(draw)

    def file(self):
        def draw():
            roll = self.rng.random()
            if roll < 0.6:
                return self.pseudo()
            if roll < 0.8:
                return self.pick(NOUNS)
            return self.pseudo() + "_" + self.pick(NOUNS)

        return self.unique(draw)

    def variable(self, original, taken):
        """A new name for a local variable or parameter, different from those in `taken`."""
        for _ in range(40):
            roll = self.rng.random()
            if len(original) == 1:
                name = original if roll < 0.7 else self.rng.choice("abcdefghijkmnpqrstuvwxyz")
            elif roll < 0.30:
                name = original
            elif roll < 0.75:
                name = self.pseudo()
            elif roll < 0.92:
                name = self.pick(NOUNS)
                if self.rng.random() < 0.4:
                    name = name.rstrip("s") if len(name) > 3 else name
            else:
                name = self.rng.choice("abcdefghjkmnpqrstuvwxyz")
            if name not in taken and name not in RESERVED:
                return name
        name = self.pseudo()
        while name in taken:
            name = self.pseudo()
        return name
