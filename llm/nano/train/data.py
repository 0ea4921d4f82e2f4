"""Episodes as packed rows: several documents one after the other, with their starts."""

import builtins
import glob
import keyword
import os
import random
import re

import numpy as np

import packed
from encoder import BOS, Encoder, read_shard

ALIGN = 4  # documents start on a block of the CSA compressor


SPEAKING = 128  # the bit of a code that marks the assistant's tokens
HUNDREDTHS = np.arange(SPEAKING, dtype=np.float64) / 100


class Document:
    """ids: uint16 array; codes: uint8, 100 times the loss weight plus the SPEAKING bit."""

    def __init__(self, ids, codes, first_try=True):
        self.ids, self.codes, self.first_try = ids, codes, first_try

    @staticmethod
    def of(ids, loss, assistant, first_try=True) -> "Document":
        """From ids, loss weights (hundredths, at most 1.27) and who speaks: lists of a length."""
        codes = np.rint(np.asarray(loss) * 100) + SPEAKING * np.asarray(assistant, bool)
        return Document(np.asarray(ids, np.uint16), codes.astype(np.uint8), first_try)

    @property
    def loss(self):
        return HUNDREDTHS[self.codes % SPEAKING].astype(np.float32)

    @property
    def assistant(self):
        return self.codes >= SPEAKING

    def cut(self, n):
        return Document(self.ids[:n], self.codes[:n], self.first_try)

    def __len__(self):
        return len(self.ids)


def without_wrong_tries(segments):
    """The transcript as if its last, right edit had been the first one. Segments come in turns."""
    turns, head, i = [], [], 0
    while i < len(segments) and segments[i]["role"] != "assistant":
        head.append(segments[i])
        i += 1
    while i < len(segments):
        turn = []
        while i < len(segments) and segments[i]["role"] == "assistant":
            turn.append(segments[i])
            i += 1
        answer = []
        while i < len(segments) and segments[i]["role"] != "assistant":
            answer.append(segments[i])
            i += 1
        turns.append((turn, answer))
    undo = '<｜DSML｜invoke name="undo">\n</｜DSML｜invoke>\n'
    wrong = [k for k, (turn, _) in enumerate(turns) if any(s["loss"] == 0 for s in turn)]
    if not wrong:
        return segments
    last = wrong[-1] + 1
    if last >= len(turns) or undo not in turns[last][0][0]["text"]:
        return segments
    turn, answer = turns[last]
    first = dict(turn[0], text=turn[0]["text"].replace(undo, ""))
    # The undo's own result goes too: it is the first of the answer's results.
    if len(answer) < 4 or not answer[1]["text"].startswith("Undid"):
        return segments
    answer = [answer[0], *answer[3:]]
    kept = turns[: wrong[0]] + [([first, *turn[1:]], answer)] + turns[last + 1 :]
    return head + [s for t, a in kept for s in (*t, *a)]


WORD = re.compile(r"(?<![\w.:])[A-Za-z_]\w{2,}(?!\w)")
LANGUAGE = {
    *dir(builtins),
    *keyword.kwlist,
    *"self auto bool char class const double else float int long namespace public private size_t "
    "static std string struct template unsigned using vector void while lines test tests".split(),
}


def styled_name(rng: random.Random) -> str:
    """A pseudo-word as constants, classes and other people's variables are written."""
    parts = ["".join(rng.choices("aeioubcdfghklmnprstvwxyz", k=rng.randint(2, 6))) for _ in "ab"]
    upper = "_".join(parts[: rng.randint(1, 2)]).upper()
    camel = parts[0].title() + parts[1].title() * rng.randint(0, 1)
    return rng.choice([upper, upper, camel, parts[0] + parts[1].title(), "_" + parts[0]])


def restyled(segments, rng: random.Random):
    """The transcript with one or two of the names in the code it reads spelled in other styles."""
    code = [s["text"] for s in segments if s["role"] == "result" and ", lines " in s["text"][:200]]
    names = {w for text in code for w in WORD.findall(text.partition("\n")[2])} - LANGUAGE
    chosen = rng.sample(sorted(names), min(len(names), rng.randint(1, 2)))
    spelled = {name: styled_name(rng) for name in chosen}
    if not spelled:
        return segments
    pattern = re.compile(r"(?<!\w)(%s)(?!\w)" % "|".join(map(re.escape, spelled)))

    def spell(s):
        if s["markup"]:
            return s
        return dict(s, text=pattern.sub(lambda m: spelled[m[1]], s["text"]))

    return [spell(s) for s in segments]


def without_repository(segments, bos: str):
    """A full transcript in the short shape: no system block, no files."""
    first = dict(segments[0], text=bos)
    return [first] + [s for s in segments[1:] if s["role"] != "repo"]


def to_document(encoder: Encoder, episode, shorten: bool) -> Document:
    segments = episode["segments"]
    first_try = episode["tries"] == 0
    if shorten and not first_try:
        shorter = without_wrong_tries(segments)
        first_try = shorter is not segments
        segments = shorter
    ids, loss, role = encoder.episode(segments)
    return Document.of(ids, loss, [r == "a" for r in role], first_try)


def augmented(encoder: Encoder, episode, rng: random.Random, cut_short: float):
    """-> shape, document: often shortened, its names restyled, or without its wrong tries."""
    shape = episode["shape"]
    if shape == "full" and rng.random() < cut_short:
        shape = "short"
        episode = dict(episode, segments=without_repository(episode["segments"], BOS))
    if rng.random() < 0.25:
        episode = dict(episode, segments=restyled(episode["segments"], rng))
    shorten = rng.random() < (0.7 if shape == "short" else 0.5)
    return shape, to_document(encoder, episode, shorten)


class Episodes:
    """All training episodes of a folder that keeps growing. New shards are drawn from first.

    Shards are transcripts (*.jsonl.gz) or documents encoded before (*.npz, see packed.py).
    """

    def __init__(self, folder: str, encoder: Encoder, seed: int, longest: int, cut_short=0.65):
        self.cut_short = cut_short
        self.folder, self.encoder, self.longest = folder, encoder, longest
        self.random = random.Random(seed)
        self.seen = set()
        self.pools = {"short": [], "full": []}
        self.queues = {"short": [], "full": []}

    def unread(self):
        """Paths of the shards not read yet, newest first."""
        found = [p for end in ("jsonl.gz", "npz") for p in glob.glob(f"{self.folder}/*.{end}")]
        new = [p for p in found if p not in self.seen]
        new = [p for p in new if not os.path.basename(p).startswith("valid")]
        return sorted(new, key=os.path.getmtime, reverse=True)

    def scan(self, most: int = 1) -> int:
        """Reads up to `most` shards not read yet, newest first."""
        paths = self.unread()[:most]
        for path in paths:
            self.seen.add(path)
            for shape, document in self.documents(path):
                document = document.cut(self.longest)
                self.pools[shape].append(document)
                self.queues[shape].append(document)
        for queue in self.queues.values():
            self.random.shuffle(queue)
        return len(paths)

    def documents(self, path: str):
        if path.endswith(".npz"):
            for shape, ids, codes, first_try in packed.read(path, self.encoder.checksum):
                yield shape, Document(ids, codes, first_try)
        else:
            for episode in read_shard(path):
                yield augmented(self.encoder, episode, self.random, self.cut_short)

    def draw(self, shape: str) -> Document:
        queue = self.queues[shape]
        if not queue:
            queue.extend(self.pools[shape])
            self.random.shuffle(queue)
        return queue.pop()


def copying_document(rng: np.random.Generator, vocab: int, first_id: int, bos: int) -> Document:
    """A warm-up exercise: random pieces, then stretches of them again. Loss on the repeats."""
    n = int(rng.integers(16, 64))
    base = rng.integers(first_id, vocab, n)
    ids, loss = [bos, *base], [0.0] * (n + 1)
    for _ in range(int(rng.integers(2, 5))):
        a = int(rng.integers(0, n - 6))
        b = int(rng.integers(a + 5, n + 1))
        ids += [*rng.integers(first_id, vocab, 1), *base[a:b]]
        loss += [0.0, 0.0] + [1.0] * (b - a - 1)  # where a stretch starts cannot be known
    return Document.of(ids, loss, [False] * len(ids))


def pack(draw, rows: int, length: int):
    """Fills rows [rows, length] from draw(room) -> Document or None."""
    ids = np.full((rows, length), 2, np.int64)
    start = np.zeros((rows, length), np.int64)
    loss = np.zeros((rows, length), np.float32)
    assistant = np.zeros((rows, length), bool)
    for r in range(rows):
        at = 0
        while at < length:
            document = draw(length - at)
            if document is None or len(document) > length - at:
                break
            n = len(document)
            ids[r, at : at + n] = document.ids
            loss[r, at : at + n] = document.loss
            assistant[r, at : at + n] = document.assistant
            end = min(-(-(at + n) // ALIGN) * ALIGN, length)
            start[r, at:end] = at
            # The first token of a document is never predicted from another document.
            loss[r, at] = 0
            at = end
        start[r, at:] = at if at < length else 0
    return ids, start, loss, assistant
