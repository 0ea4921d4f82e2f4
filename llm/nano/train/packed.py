"""Encoded episodes in one compressed file, to train without encoding and to carry them along.

A .npz of four arrays over all documents, one after the other: ids (uint16), codes (uint8: see
data.Document), lengths and flags (1: full shape, 2: its right edit is the first); and the checksum
of the tokenizer.json that the ids belong to. About half a byte a token.
"""

import os

import numpy as np


def write(path: str, pools: dict, checksum: int):
    """pools: {"short": documents, "full": documents}. The file appears when it is complete."""
    documents = [(d, shape == "full") for shape, pool in pools.items() for d in pool]
    partial = path + ".tmp"
    with open(partial, "wb") as f:
        np.savez_compressed(
            f,
            ids=np.concatenate([d.ids for d, _ in documents]),
            codes=np.concatenate([d.codes for d, _ in documents]),
            lengths=np.array([len(d) for d, _ in documents], np.int32),
            flags=np.array([full + 2 * d.first_try for d, full in documents], np.uint8),
            tokenizer=np.uint32(checksum),
        )
    os.replace(partial, path)


def read(path: str, checksum: int):
    """Yields (shape, ids, codes, first_try) of every document; the arrays are views of one."""
    with np.load(path) as f:
        if f["tokenizer"] != checksum:
            raise ValueError(f"{path} was encoded with another tokenizer.json: encode it again")
        ids, codes, flags = f["ids"], f["codes"], f["flags"]
        ends = f["lengths"].cumsum()
    for begin, end, flag in zip([0, *ends[:-1]], ends, flags):
        shape = "full" if flag & 1 else "short"
        yield shape, ids[begin:end], codes[begin:end], bool(flag & 2)
