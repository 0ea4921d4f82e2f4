"""Rounding to the published formats, as plain arithmetic that torch.compile can fuse.

Formulas: section 4 of the model's description. Every function returns the rounded value in
float32; `ste` turns one into a straight-through estimator for training.
"""

import os

import torch


def _fused(function):
    """Rounding is long chains of small operations: compiled when DSV4_COMPILE=1."""
    if os.environ.get("DSV4_COMPILE") != "1":
        return function
    torch._dynamo.config.recompile_limit = 64  # one compilation for each shape that is rounded
    return torch.compile(function, dynamic=False)


def e4m3(v: torch.Tensor) -> torch.Tensor:
    """Round to float8_e4m3fn, nearest even; |v| must be at most 448."""
    split = v * 1048577.0  # Veltkamp: 24 - 20 = 4 significant bits stay
    normal = split - (split - v)
    return torch.where(v.abs() < 2.0**-6, torch.round(v * 512.0) * (1.0 / 512.0), normal)


def e2m1(v: torch.Tensor) -> torch.Tensor:
    """Round to the FP4 grid 0, .5, 1, 1.5, 2, 3, 4, 6 and its negatives, ties to the even code."""
    a = v.abs()
    near = torch.where(a < 2.0, torch.round(a * 2.0) * 0.5, torch.round(a))
    near = torch.where(a >= 4.0, torch.round(a * 0.5) * 2.0, near)
    return torch.copysign(near.clamp(max=6.0), v)


def power_of_two_scale(amax: torch.Tensor, top: float, floor: float) -> torch.Tensor:
    """The smallest power of two s with max(amax, floor) / s <= top."""
    return torch.exp2(torch.ceil(torch.log2(amax.clamp(min=floor) / top)))


def _blocks(x: torch.Tensor, block: int):
    """Pad the last dimension to whole blocks and split it: [..., n, block]."""
    n = x.shape[-1]
    padded = -(-n // block) * block
    if padded != n:
        x = torch.nn.functional.pad(x, (0, padded - n))
    return x.unflatten(-1, (padded // block, block)), n


@_fused
def round_act(x: torch.Tensor, block: int = 128) -> torch.Tensor:
    """FP8 activation rounding in blocks along the last dimension."""
    b, n = _blocks(x.float(), block)  # e4m3 counts on float32's 24 digits
    scale = power_of_two_scale(b.abs().amax(-1, keepdim=True), 448.0, 1e-4)
    return (e4m3((b / scale).clamp(-448.0, 448.0)) * scale).flatten(-2)[..., :n]


def weight_scale_fp8(w: torch.Tensor) -> torch.Tensor:
    """e8m0 scales of a weight [out, in]: one per 128x128 block, [ceil(out/128), ceil(in/128)]."""
    out, inn = w.shape
    padded = torch.nn.functional.pad(w, (0, -inn % 128, 0, -out % 128))
    tiles = padded.abs().unflatten(1, (-1, 128)).unflatten(0, (-1, 128))
    return power_of_two_scale(tiles.amax((1, 3)), 448.0, 1e-30)


def round_weight_fp8(w: torch.Tensor) -> torch.Tensor:
    scale = weight_scale_fp8(w)
    full = scale.repeat_interleave(128, 0)[: w.shape[0]].repeat_interleave(128, 1)[:, : w.shape[1]]
    return e4m3((w / full).clamp(-448.0, 448.0)) * full


def weight_scale_fp4(w: torch.Tensor) -> torch.Tensor:
    """e8m0 scales of a weight [..., in]: one per 32 along in, [..., in/32, 1]."""
    b = w.unflatten(-1, (-1, 32))
    return power_of_two_scale(b.abs().amax(-1, keepdim=True), 6.0, 6.0 * 2.0**-126)


@_fused
def round_weight_fp4(w: torch.Tensor) -> torch.Tensor:
    scale = weight_scale_fp4(w)
    return (e2m1(w.unflatten(-1, (-1, 32)) / scale) * scale).flatten(-2)


def ste(x: torch.Tensor, rounding) -> torch.Tensor:
    """rounding(x) forward, the identity backward."""
    x = x.float()
    return x + (rounding(x.detach()) - x.detach())
