"""Episodes as packed rows: several documents one after the other, with their starts."""

import builtins
import glob
import keyword
import os
import pickle
import random
import re

import numpy as np

from tokenizer import BOS, Encoder, read_shard

ALIGN = 4  # documents start on a block of the CSA compressor


class Document:
    """ids, loss weights; assistant: bool per token. All numpy arrays of one length."""

    def __init__(self, ids, loss, assistant, first_try=True):
        self.ids = np.asarray(ids, np.int64)
        self.loss = np.asarray(loss, np.float32)
        self.assistant = np.asarray(assistant, bool)
        self.first_try = first_try

    def cut(self, n):
        return Document(self.ids[:n], self.loss[:n], self.assistant[:n], self.first_try)

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
    return Document(ids, loss, [r == "a" for r in role], first_try)


class Episodes:
    """All training episodes of a folder that keeps growing. New shards are drawn from first."""

    def __init__(self, folder: str, encoder: Encoder, seed: int, longest: int, cut_short=0.65):
        self.cut_short = cut_short
        self.folder, self.encoder, self.longest = folder, encoder, longest
        self.random = random.Random(seed)
        self.seen, self.pools, self.queues = (
            set(),
            {"short": [], "full": []},
            {"short": [], "full": []},
        )

    def scan(self, most: int = 1) -> int:
        """Reads up to `most` shards not read yet, newest first."""
        paths = [
            p for p in glob.glob(os.path.join(self.folder, "*.jsonl.gz")) if p not in self.seen
        ]
        paths = [p for p in paths if not os.path.basename(p).startswith("valid")]
        paths.sort(key=os.path.getmtime, reverse=True)
        for path in paths[:most]:
            self.seen.add(path)
            for episode in read_shard(path):
                shape = episode["shape"]
                if shape == "full" and self.random.random() < self.cut_short:
                    shape = "short"
                    episode = dict(episode, segments=without_repository(episode["segments"], BOS))
                if self.random.random() < 0.25:
                    episode = dict(episode, segments=restyled(episode["segments"], self.random))
                shorten = self.random.random() < (0.7 if shape == "short" else 0.5)
                document = to_document(self.encoder, episode, shorten).cut(self.longest)
                self.pools[shape].append(document)
                self.queues[shape].append(document)
        for queue in self.queues.values():
            self.random.shuffle(queue)
        return min(len(paths), most)

    def save(self, path: str):
        with open(path, "wb") as f:
            pickle.dump((self.seen, self.pools), f)

    def load(self, path: str):
        """Encoded episodes of an earlier run; encoding a shard takes as long as several steps."""
        with open(path, "rb") as f:
            self.seen, self.pools = pickle.load(f)
        self.queues = {shape: list(pool) for shape, pool in self.pools.items()}
        for queue in self.queues.values():
            self.random.shuffle(queue)

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
    return Document(ids, loss, [False] * len(ids))


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
