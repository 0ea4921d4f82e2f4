"""Check what training on another machine relies on, without that machine.

    python check_training.py [--episodes DIR]

CUDA's way through the experts against the CPU's, bf16 against float32, encoded files, small
checkpoints and exports taken back against what went in, and, given episodes, the encoder in plain Python against
`tokenizers`. Prints each comparison; exit status 1 when one fails.
"""

import argparse
import glob
import os
import sys
import tempfile

import numpy as np
import torch

import checkpoint
import data
import export
import imported
import packed
from encoder import Encoder, read_shard
from model import Config, MoE, Nano
from train import losses

HERE = os.path.dirname(os.path.abspath(__file__))
LARGE = os.path.join(HERE, "large.json")
TOKENIZER = os.path.join(HERE, "..", "model", "tokenizer.json")


def batch(generator):
    ids = torch.randint(300, 1792, (2, 256), generator=generator)
    start = torch.zeros_like(ids)
    start[:, 128:] = 128
    loss = torch.rand(ids.shape, generator=generator)
    return ids, start, loss, loss > 0.5


def outcome(model, inputs, qat, dense=False, bf16=False):
    """-> the objective and all gradients as one vector."""
    MoE.dense = dense
    model.zero_grad()
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        objective = losses(model, *inputs, qat, True)[0]
    objective.backward()
    MoE.dense = False
    return objective.item(), torch.cat([p.grad.flatten() for p in model.parameters()])


def check_network():
    torch.manual_seed(3)
    generator = torch.Generator().manual_seed(3)
    for config in (Config(), Config.load(LARGE)):
        model, inputs = Nano(config), batch(generator)
        exact = {qat: outcome(model, inputs, qat) for qat in (False, True)}
        rounding = distance(exact[True][1], exact[False][1])
        for qat, (plain, gradient) in exact.items():
            # Rounding to FP8 makes large steps of bf16's small ones: at most as large as its own.
            for bf16, limit in ((False, 1e-4), (True, rounding if qat else 0.1)):
                other, moved = outcome(model, inputs, qat, dense=True, bf16=bf16)
                error = distance(moved, gradient)
                way = "bf16" if bf16 else "all experts"
                text = f"hidden {config.hidden_size} qat {int(qat)} {way}: loss {other / plain - 1:.1e}"
                good = error < limit and abs(other / plain - 1) < 0.01
                yield f"{text}, gradient {error:.1e} of {limit:.1e}", good


def distance(a, b) -> float:
    return ((a - b).norm() / b.norm()).item()


def check_files(folder):
    documents = [
        data.Document.of([0, 1791, 65535], [0, 0.3, 1], [False, False, True], tried)
        for tried in (True, False)
    ]
    path = os.path.join(folder, "some.npz")
    packed.write(path, {"short": documents[:1], "full": documents[1:]}, 7)
    read = [(s, data.Document(*rest)) for s, *rest in packed.read(path, 7)]
    same = [s for s, _ in read] == ["short", "full"] and all(
        np.array_equal(d.ids, [0, 1791, 65535])
        and np.array_equal(d.loss, np.float32([0, 0.3, 1]))
        and np.array_equal(d.assistant, [False, False, True])
        and d.first_try == was.first_try
        for (_, d), was in zip(read, documents, strict=True)
    )
    yield "packed documents as they went in", same
    model = Nano(Config.load(LARGE))
    state = {"model": model.state_dict(), "optimiser": None, "step": 3}
    checkpoint.save_pieces(folder, state)
    sizes = [os.path.getsize(p) for p in sorted(glob.glob(os.path.join(folder, "small.*")))]
    loaded = checkpoint.load(folder)
    worst = max(
        (loaded["model"][n].float() - v.float()).abs().max().item()
        for n, v in state["model"].items()
    )
    yield f"small checkpoint: pieces of {sizes} bytes, off by {worst:.1e}", worst < 2e-3


def check_import(folder):
    model = Nano(Config())
    for bias in model.buffers():
        if bias.is_floating_point():
            bias.uniform_()
    export.export(model, TOKENIZER, folder, plain=True)
    pairs = zip(imported.weights_of(model), imported.weights_of(imported.load(folder)))
    same = all(torch.equal(a, b) for a, b in pairs)
    yield "an export taken back: the same weights", same
    export.export(model, TOKENIZER, folder)
    pairs = zip(imported.weights_of(model), imported.weights_of(imported.load(folder)))
    worst = max(distance(b, a) for a, b in pairs)
    yield f"a rounded export taken back: off by {worst:.1e}", worst < 0.15


def check_encoder(folder):
    ours, theirs = Encoder(TOKENIZER, True), Encoder(TOKENIZER, False)
    segments = [
        ("héllo\u00a0wörld \u2003\x0b\x1c\x85 日本語 ſ K 12345 __a\u200b😀 \r\n \t<｜User｜>", m)
        for m in (False, True)
    ]
    for path in sorted(glob.glob(os.path.join(folder, "*.jsonl.gz")))[:4]:
        for episode in read_shard(path)[:200]:
            segments += [(s["text"], s["markup"]) for s in episode["segments"]]
    different = sum(ours.segment(*s) != theirs.segment(*s) for s in segments)
    yield f"plain encoder: {different} of {len(segments)} segments differ", different == 0


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--episodes")
    args = a.parse_args()
    right = True
    with tempfile.TemporaryDirectory() as folder:
        checks = [check_network(), check_files(folder), check_import(folder)]
        checks += [check_encoder(args.episodes)] if args.episodes else []
        for check in checks:
            for line, good in check:
                print(line if good else line + "   WRONG", flush=True)
                right &= good
    sys.exit(not right)


if __name__ == "__main__":
    main()
