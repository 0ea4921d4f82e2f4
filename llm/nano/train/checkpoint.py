"""Checkpoints, and their small form in pieces for machines that take only small files.

The small form holds the weights alone, matrices in float16. What it lacks, the optimiser's moments,
fills up again within the 30 steps that the learning rate takes to rise after such a resume.
"""

import glob
import io
import os

import torch

PIECE = 15 << 20


def write(path: str, content: bytes):
    with open(path + ".tmp", "wb") as f:
        f.write(content)
    os.replace(path + ".tmp", path)


def save(path: str, state: dict):
    torch.save(state, path + ".tmp")
    os.replace(path + ".tmp", path)


def save_pieces(folder: str, state: dict):
    """Writes folder/small.00, small.01 and so on, of at most 15 MiB each."""
    weights = {
        name: v.half() if v.is_floating_point() and v.dim() > 1 else v
        for name, v in state["model"].items()
    }
    buffer = io.BytesIO()
    torch.save({k: v for k, v in state.items() if k != "optimiser"} | {"model": weights}, buffer)
    content = buffer.getvalue()
    os.makedirs(folder, exist_ok=True)
    for i in range(0, len(content), PIECE):
        write(os.path.join(folder, f"small.{i // PIECE:02}"), content[i : i + PIECE])


def load(path: str, device="cpu") -> dict:
    """path: a checkpoint, or a folder with the pieces of a small one."""
    if not os.path.isdir(path):
        return torch.load(path, weights_only=False, map_location=device)
    content = b""
    for piece in sorted(glob.glob(os.path.join(path, "small.[0-9][0-9]"))):
        with open(piece, "rb") as f:
            content += f.read()
    state = torch.load(io.BytesIO(content), weights_only=False, map_location=device)
    state["model"] = {
        name: v.float() if v.is_floating_point() else v for name, v in state["model"].items()
    }
    return state
