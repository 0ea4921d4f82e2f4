"""Encode segments with our tokenizer.json, by `tokenizers` where it is installed.

Elsewhere (a machine that has PyTorch and nothing more) `PlainTokenizer` does the same in plain
Python, for the shape of file that tokenizer.py writes: byte-level BPE behind one regular expression
and added tokens that take their text as it stands. check_training.py compares the two.
"""

import gzip
import itertools
import json
import re
import zlib

try:
    from tokenizers import Tokenizer
except ImportError:
    Tokenizer = None

BOS, EOS, PAD = "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜▁pad▁｜>"


def read_shard(path: str):
    with gzip.open(path, "rt", encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def byte_letters() -> list[str]:
    """The printable letter that stands for each byte in byte-level vocabularies."""
    own = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = iter(range(256, 512))
    return [chr(b) if b in own else chr(next(others)) for b in range(256)]


class PlainTokenizer:
    """The tokenizer of a parsed tokenizer.json."""

    def __init__(self, values: dict):
        steps = values["pre_tokenizer"]["pretokenizers"]
        model = values["model"]
        if [s["type"] for s in steps] != ["Split", "ByteLevel"] or model["type"] != "BPE":
            raise ValueError("only tokenizers made by tokenizer.py are read without `tokenizers`")
        self.split = re.compile(steps[0]["pattern"]["Regex"])
        self.vocab = model["vocab"]
        self.ranks = {tuple(pair): rank for rank, pair in enumerate(model["merges"])}
        self.letters = byte_letters()
        self.added = {t["content"]: t["id"] for t in values["added_tokens"]}
        longest_first = sorted(self.added, key=len, reverse=True)
        self.markup = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")
        self.words = {}

    def word(self, text: str) -> list[int]:
        """Ids of a piece that no merge crosses: its best-ranked pair is joined, again and again."""
        parts = [self.letters[b] for b in text.encode()]
        while len(parts) > 1:
            ranks = [self.ranks.get(pair, 1 << 30) for pair in itertools.pairwise(parts)]
            best = min(ranks)
            if best == 1 << 30:
                break
            i = ranks.index(best)
            parts[i : i + 2] = [parts[i] + parts[i + 1]]
        return [self.vocab[p] for p in parts]

    def plain(self, text: str) -> list[int]:
        ids, at = [], 0
        for match in self.split.finditer(text):
            # What lies between two matches is a piece too.
            for piece in (text[at : match.start()], match[0]):
                if piece not in self.words:
                    self.words[piece] = self.word(piece)
                ids += self.words[piece]
            at = match.end()
        return ids + self.word(text[at:])

    def encode(self, text: str) -> list[int]:
        ids, at = [], 0
        for match in self.markup.finditer(text):
            ids += self.plain(text[at : match.start()])
            ids.append(self.added[match[0]])
            at = match.end()
        return ids + self.plain(text[at:])


class Encoder:
    """Segments to ids: scaffolding is recognised in markup only, as in the engine."""

    def __init__(self, path: str, plain: bool = Tokenizer is None):
        with open(path, "rb") as f:
            text = f.read()
        self.checksum = zlib.crc32(text)
        values = json.loads(text)
        data = values | {
            "added_tokens": [
                t
                for t in values["added_tokens"]
                if not t["special"] and not set(t["content"]) & set("<>｜")
            ]
        }
        self.encoders = [self.encode_with(v, plain) for v in (data, values)]
        self.vocab = values["model"]["vocab"] | {
            t["content"]: t["id"] for t in values["added_tokens"]
        }
        self.size = len(self.vocab)

    @staticmethod
    def encode_with(values: dict, plain: bool):
        if plain:
            return PlainTokenizer(values).encode
        tokenizer = Tokenizer.from_str(json.dumps(values))
        return lambda text: tokenizer.encode(text, add_special_tokens=False).ids

    def segment(self, text: str, markup: bool) -> list[int]:
        return self.encoders[markup](text)

    def episode(self, segments):
        """-> ids, loss weights, role letters: lists of one length."""
        ids, loss, role = [], [], []
        for s in segments:
            got = self.segment(s["text"], s["markup"])
            ids += got
            loss += [s["loss"]] * len(got)
            role += [s["role"][0]] * len(got)
        return ids, loss, role
