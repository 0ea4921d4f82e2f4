"""Take an exported model back into training: the inverse of export.py.

    python imported.py --model ../model --out run      # run/checkpoint.pt, for train.py --resume

What the published formats rounded away is gone, and so are the optimiser's moments: both come back
within the first steps. Nothing else of a run is needed to go on from the model that ships.
"""

import argparse
import dataclasses
import json
import os

import torch
from safetensors import safe_open

import checkpoint
from export import tensors_of
from model import Config, Nano

FP4 = torch.tensor([0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0])


def config_of(folder: str) -> Config:
    with open(os.path.join(folder, "config.json"), encoding="utf-8") as f:
        values = json.load(f)
    yarn = values["rope_scaling"]
    values |= {
        "yarn_factor": yarn["factor"],
        "yarn_original": yarn["original_max_position_embeddings"],
        "yarn_beta_fast": yarn["beta_fast"],
        "yarn_beta_slow": yarn["beta_slow"],
        "compress_ratios": tuple(values["compress_ratios"]),
    }
    return Config(**{f.name: values[f.name] for f in dataclasses.fields(Config)})


def decoded(file, name: str) -> torch.Tensor:
    """A tensor of the file in float32, its scales multiplied in."""
    value = file.get_tensor(name)
    if value.dtype == torch.int8:  # two FP4 codes a byte, the even column in the low nibble
        bits = value.view(torch.uint8)
        codes = torch.stack([bits & 15, bits >> 4], -1).flatten(-2).long()
        scale = file.get_tensor(name.removesuffix("weight") + "scale").float()
        return FP4[codes & 7] * (1 - 2 * (codes >> 3)) * scale.repeat_interleave(32, 1)
    if value.dtype == torch.float8_e4m3fn:
        scale = file.get_tensor(name.removesuffix("weight") + "scale").float()
        full = scale.repeat_interleave(128, 0)[: value.shape[0]].repeat_interleave(128, 1)
        return value.float() * full[:, : value.shape[1]]
    return value.float()


def weights_of(model: Nano):
    """All that is exported from a model: parameters, and the routers' biases."""
    return [t for t in [*model.parameters(), *model.buffers()] if t.is_floating_point()]


@torch.no_grad()
def load(folder: str) -> Nano:
    """Which number of the file is which weight is asked of the export: a model whose weights are
    their own numbers is exported, and every number says where it came from."""
    model = Nano(config_of(folder))
    weights = weights_of(model)
    count = sum(w.numel() for w in weights)
    assert count < 1 << 24, "float32 counts no farther"
    numbers = torch.arange(count, dtype=torch.float32)
    for w, part in zip(weights, numbers.split([w.numel() for w in weights])):
        w.copy_(part.view_as(w))
    values = torch.full((count,), torch.nan)
    with safe_open(os.path.join(folder, "model.safetensors"), "pt") as file:
        for name, places in tensors_of(model, plain=True).items():
            if places.is_floating_point() and ".indexer." not in name:
                values[places.long()] = decoded(file, name)
    assert not values.isnan().any(), "the model lacks weights"
    for w, part in zip(weights, values.split([w.numel() for w in weights])):
        w.copy_(part.view_as(w))
    return model


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--model", required=True, help="a folder that export.py wrote")
    a.add_argument("--out", required=True, help="the folder of the run, for train.py --out")
    a.add_argument("--tokens", type=int, default=1_000_000, help="trained so far, for the log")
    args = a.parse_args()
    model = load(args.model)
    os.makedirs(args.out, exist_ok=True)
    state = {"model": model.state_dict(), "config": dataclasses.asdict(model.c)}
    state |= {"step": 0, "tokens": args.tokens, "seconds": 0.0, "curve": []}
    checkpoint.save(os.path.join(args.out, "checkpoint.pt"), state)


if __name__ == "__main__":
    main()
