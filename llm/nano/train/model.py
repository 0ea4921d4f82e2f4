"""The DeepSeek-V4 network for training, as plain PyTorch.

It computes what the engine computes (sliding window + compressed entries, hyper-connections,
hash-routed and scored experts, shared expert, MTP). Three things differ from a direct
transcription, all for speed, and none of them changes the result:

* rows hold several documents one after the other; `start[t]` is the first position of t's
  document, and nothing attends across it (document starts are multiples of 4, so that
  the blocks of the CSA compressor are the document's own);
* the RoPE half of a head is kept as (all first members, all second members) of the pairs, not
  interleaved: `export.py` permutes the channels of the tensors that touch it;
* with `index_topk` at least the number of entries in a row the indexer selects all of them, so
  it is left out here.

On CUDA the matrix products may run in bf16 (torch.autocast, see train.py); what decides or
accumulates stays in float32: norms, softmax, routing, the streams and their mixing, the logits.
The `.float()` calls are for that; on a CPU, where all is float32, they do nothing.
"""

import dataclasses
import json
import math
import os

import torch
import torch.nn.functional as F
from torch import nn

from quant import round_act, round_weight_fp4, round_weight_fp8, ste

QUERY_BLOCK = 64  # queries that share one slice of keys in window attention


@dataclasses.dataclass
class Config:
    vocab_size: int = 1792
    hidden_size: int = 192
    compress_ratios: tuple = (0, 0, 4, 128, 0, 0)  # the last entry is the MTP layer's
    num_attention_heads: int = 4
    head_dim: int = 128
    qk_rope_head_dim: int = 64
    q_lora_rank: int = 128
    o_groups: int = 2
    o_lora_rank: int = 96
    n_routed_experts: int = 4
    num_experts_per_tok: int = 2
    n_shared_experts: int = 1
    moe_intermediate_size: int = 128
    num_hash_layers: int = 1
    routed_scaling_factor: float = 1.5
    sliding_window: int = 256
    index_n_heads: int = 2
    index_head_dim: int = 128
    index_topk: int = 1024
    hc_mult: int = 2
    hc_sinkhorn_iters: int = 4
    hc_eps: float = 1e-6
    swiglu_limit: float = 10.0
    rope_theta: float = 10000.0
    compress_rope_theta: float = 160000.0
    yarn_factor: float = 16.0
    yarn_original: int = 65536
    yarn_beta_fast: float = 32.0
    yarn_beta_slow: float = 1.0
    rms_norm_eps: float = 1e-6

    @property
    def layers(self) -> int:
        return len(self.compress_ratios) - 1

    @staticmethod
    def load(path: str) -> "Config":
        with open(path) as f:
            values = json.load(f)
        values["compress_ratios"] = tuple(values["compress_ratios"])
        return Config(**values)


def rope_frequencies(c: Config, ratio: int) -> torch.Tensor:
    """Angular frequency of each of the R/2 pairs for a layer with this compress ratio."""
    r = c.qk_rope_head_dim
    theta = c.compress_rope_theta if ratio else c.rope_theta
    inv = 1.0 / theta ** (torch.arange(0, r, 2, dtype=torch.float64) / r)
    if ratio:

        def dim_of(turns: float) -> float:
            return r * math.log(c.yarn_original / (turns * 2 * math.pi)) / (2 * math.log(theta))

        low = max(math.floor(dim_of(c.yarn_beta_fast)), 0)
        high = min(math.ceil(dim_of(c.yarn_beta_slow)), r - 1)
        ramp = ((torch.arange(r // 2, dtype=torch.float64) - low) / max(high - low, 0.001)).clamp(
            0, 1
        )
        inv = inv / c.yarn_factor * ramp + inv * (1 - ramp)
    return inv.float()


def rope(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Rotate the last R channels, stored as two halves. cos/sin broadcast to [..., R/2]."""
    half = cos.shape[-1]
    keep, a, b = x.split([x.shape[-1] - 2 * half, half, half], -1)
    return torch.cat([keep, a * cos - b * sin, b * cos + a * sin], -1)


def rms(x: torch.Tensor, eps: float) -> torch.Tensor:
    x = x.float()
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + eps)


def linear32(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    """F.linear in float32, whatever the autocast."""
    with torch.autocast(x.device.type, enabled=False):
        return F.linear(x.float(), w)


def bmm32(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    with torch.autocast(a.device.type, enabled=False):
        return torch.bmm(a.float(), b.float())


def fused(function):
    """Compile a short elementwise function when DSV4_COMPILE=1; the g++ behind it needs seconds.

    Only leaves are compiled: a whole layer as one graph takes the compiler half an hour.
    """
    if os.environ.get("DSV4_COMPILE") != "1":
        return function
    return torch.compile(function, dynamic=False)


@fused
def read_streams(x, pre, norm, eps: float):
    """RMSNorm(sum_j pre_j x_j): x [B, T, m, D], pre [B, T, m]."""
    return rms((pre.unsqueeze(-1) * x).sum(2), eps) * norm


@fused
def write_streams(x, z, post, comb):
    """x'_k = post_k z + sum_j comb_jk x_j: comb [B, T, m, m]."""
    z = z.float()
    mixed = (comb.unsqueeze(-1) * x.unsqueeze(3)).sum(2)
    return post.unsqueeze(-1) * z.unsqueeze(2) + mixed


@fused
def flat_rms(x, eps: float):
    return rms(x.flatten(2), eps)


@fused
def norm_weight(x, norm, eps: float):
    return rms(x, eps) * norm


@fused
def norm_rope(x, norm, cos, sin, eps: float):
    return rope(rms(x, eps) * norm, cos, sin)


@fused
def scale_rope(x, factor, cos, sin):
    return rope(x.float() * factor.unsqueeze(-1), cos, sin)


@fused
def exp_masked(scores, mask, top):
    """exp(scores + mask - top) with 0 where masked. scores [.., q, h, k], mask [.., q, 1, k]."""
    return torch.exp(torch.clamp(scores + mask - top.unsqueeze(-1), min=-80.0)) * (mask == 0.0)


@fused
def swiglu(h, limit: float):
    g, u = h.float().chunk(2, -1)
    return F.silu(g.clamp(max=limit)) * u.clamp(-limit, limit)


@fused
def swiglu_weighted(h, weight, limit: float):
    g, u = h.float().chunk(2, -1)
    return F.silu(g.clamp(max=limit)) * u.clamp(-limit, limit) * weight.unsqueeze(-1)


@fused
def mixing(w, base, scale, m: int, iters: int, eps: float):
    """pre, post [B, T, m] and the Sinkhorn-normalised comb [B, T, m, m] of w [B, T, (2 + m) m]."""
    base, w = base.split([m, m, m * m]), w.split([m, m, m * m], -1)
    pre = torch.sigmoid(w[0] * scale[0] + base[0]) + eps
    post = 2 * torch.sigmoid(w[1] * scale[1] + base[1])
    comb = (w[2] * scale[2] + base[2]).unflatten(-1, (m, m)).softmax(-1) + eps
    comb = comb / (comb.sum(-2, keepdim=True) + eps)
    for _ in range(iters - 1):
        comb = comb / (comb.sum(-1, keepdim=True) + eps)
        comb = comb / (comb.sum(-2, keepdim=True) + eps)
    return pre, post, comb


@fused
def mix_block(kv, gate):
    return (gate.float().softmax(2) * kv.float()).sum(2)


class Rows:
    """What all layers need to know about a batch of rows. start: int64 [B, T]."""

    def __init__(self, c: Config, start: torch.Tensor):
        b, t = start.shape
        w, q = c.sliding_window, QUERY_BLOCK
        device = start.device
        pos = torch.arange(t, device=device)
        key = (pos.view(-1, q)[:, :1] - w) + torch.arange(w + q, device=device)  # [blocks, keys]
        query = pos.view(-1, q)
        key, query = key[:, None, :], query[:, :, None]
        ok = (key <= query) & (key > query - w) & (key >= 0)
        seen = ok[None] & (key[None] >= start.view(b, -1, q, 1))
        # [B, blocks, q, 1, keys]: broadcasts over heads
        self.window = torch.where(seen, 0.0, -1e30).unsqueeze(3)
        self.entries, self.first = {}, {}
        for r in {r for r in c.compress_ratios if r}:
            begin = torch.arange(t // r, device=device) * r
            visible = (begin + r <= pos[:, None] + 1)[None] & (begin >= start[..., None])
            self.entries[r] = torch.where(visible, 0.0, -1e30).unsqueeze(2)  # [B, T, 1, E]
            # Block whose previous block belongs to another document (or is not there).
            self.first[r] = (start[:, ::r][:, : t // r] > begin - r)[..., None, None]


class Compressor(nn.Module):
    def __init__(self, c: Config, ratio: int, dim: int):
        super().__init__()
        self.ratio, self.dim, self.eps = ratio, dim, c.rms_norm_eps
        self.overlap = ratio == 4
        width = dim * (2 if self.overlap else 1)
        self.wkv = nn.Parameter(torch.randn(width, c.hidden_size) * c.hidden_size**-0.5)
        self.wgate = nn.Parameter(torch.randn(width, c.hidden_size) * 0.02)
        self.ape = nn.Parameter(torch.zeros(ratio, width))
        self.norm = nn.Parameter(torch.ones(dim))

    def forward(self, x, first, cos, sin):
        """x [B, T, D] -> entries [B, T/ratio, dim]; cos/sin are those of all positions [T, R/2]."""
        b, t, _ = x.shape
        r, d = self.ratio, self.dim
        n = t // r
        x = x[:, : n * r]
        kv = F.linear(x, self.wkv).view(b, n, r, -1)
        gate = F.linear(x, self.wgate).view(b, n, r, -1) + self.ape
        if self.overlap:
            before = F.pad(kv[:, :-1, :, :d], (0, 0, 0, 0, 1, 0))
            gate_before = F.pad(gate[:, :-1, :, :d], (0, 0, 0, 0, 1, 0))
            gate_before = torch.where(first, -1e30, gate_before)
            kv = torch.cat([before, kv[..., d:]], 2)
            gate = torch.cat([gate_before, gate[..., d:]], 2)
        return norm_rope(
            mix_block(kv, gate), self.norm, cos[: n * r : r], sin[: n * r : r], self.eps
        )


class HyperConnection(nn.Module):
    """The mixing weights of one site: streams -> pre, post, comb as lists of [B, T, 1]."""

    def __init__(self, c: Config, site: int):
        super().__init__()
        m, d = c.hc_mult, c.hidden_size
        self.m, self.iters, self.eps, self.rms_eps = (
            m,
            c.hc_sinkhorn_iters,
            c.hc_eps,
            c.rms_norm_eps,
        )
        self.fn = nn.Parameter(torch.randn((2 + m) * m, m * d) * 0.01)
        # Streams begin as equal copies: the bases make sites read and write them unequally.
        favourite = torch.arange(m) == site % m
        comb = torch.full((m, m), -3.0)
        comb.fill_diagonal_(0.0)
        self.base = nn.Parameter(
            torch.cat(
                [
                    torch.where(favourite, 1.0, -1.0),
                    torch.where(favourite, 0.7, -0.7),
                    comb.flatten(),
                ]
            )
        )
        self.scale = nn.Parameter(torch.ones(3))

    def forward(self, x):
        w = linear32(flat_rms(x, self.rms_eps), self.fn)
        return mixing(w, self.base, self.scale, self.m, self.iters, self.eps)


class Attention(nn.Module):
    def __init__(self, c: Config, ratio: int):
        super().__init__()
        self.c, self.ratio = c, ratio
        d, h, ch = c.hidden_size, c.num_attention_heads, c.head_dim

        def matrix(out, inn, gain=1.0):
            return nn.Parameter(torch.randn(out, inn) * (gain * inn**-0.5))

        self.wq_a = matrix(c.q_lora_rank, d)
        self.q_norm = nn.Parameter(torch.ones(c.q_lora_rank))
        self.wq_b = matrix(h * ch, c.q_lora_rank)
        self.wkv = matrix(ch, d)
        self.kv_norm = nn.Parameter(torch.ones(ch))
        self.attn_sink = nn.Parameter(torch.zeros(h))
        self.wo_a = matrix(c.o_groups * c.o_lora_rank, h * ch // c.o_groups)
        self.wo_b = matrix(d, c.o_groups * c.o_lora_rank, 0.1)
        self.compressor = Compressor(c, ratio, ch) if ratio else None

    def forward(self, x, rows: Rows, cos, sin, qat: bool):
        c = self.c
        b, t, _ = x.shape
        h, ch, q = c.num_attention_heads, c.head_dim, QUERY_BLOCK
        act = (lambda v: ste(v, round_act)) if qat else (lambda v: v)
        fp8 = (lambda w: ste(w, round_weight_fp8)) if qat else (lambda w: w)

        def cache(v):  # the stored rows' rounding: all but the RoPE channels, blocks of 64
            if not qat:
                return v
            nope = c.head_dim - c.qk_rope_head_dim
            head, tail = v.split([nope, c.qk_rope_head_dim], -1)
            return torch.cat([ste(head, lambda x: round_act(x, 64)), tail], -1)

        xr = act(x)
        eps = c.rms_norm_eps
        qr = norm_weight(F.linear(xr, fp8(self.wq_a)), self.q_norm, eps)
        qs = F.linear(act(qr), fp8(self.wq_b)).view(b, t, h, ch)
        scale = x.new_full((ch,), ch**-0.5)  # the softmax scale, as the norm's weight
        qs = norm_rope(qs, scale, cos[:, None], sin[:, None], eps)
        kv = cache(norm_rope(F.linear(xr, fp8(self.wkv)), self.kv_norm, cos, sin, eps))

        blocks, back = t // q, c.sliding_window // q
        padded = F.pad(kv, (0, 0, c.sliding_window, 0)).view(b, blocks + back, q, ch)
        keys = torch.cat([padded[:, j : j + blocks] for j in range(back + 1)], 2)
        keys = keys.view(b * blocks, -1, ch)
        near = bmm32(qs.view(b * blocks, q * h, ch), keys.transpose(1, 2))
        near = near.view(b, blocks, q, h, -1)
        sink = self.attn_sink
        top = torch.maximum(near.detach().amax(-1).view(b, t, h), sink.detach())
        if self.ratio:
            entries = cache(self.compressor(x, rows.first[self.ratio], cos, sin))
            far = bmm32(qs.view(b, t * h, ch), entries.transpose(1, 2)).view(b, t, h, -1)
            top = torch.maximum(top, far.detach().amax(-1))
            far = exp_masked(far, rows.entries[self.ratio], top)
        near = exp_masked(near, rows.window, top.view(b, blocks, q, h))
        total = near.sum(-1).view(b, t, h) + torch.exp(sink - top)
        out = torch.bmm(near.view(b * blocks, q * h, -1), keys).view(b, t, h, ch)
        if self.ratio:
            total = total + far.sum(-1)
            out = out + torch.bmm(far.view(b, t * h, -1), entries).view(b, t, h, ch)
        out = scale_rope(out, 1.0 / total, cos[:, None], -sin[:, None])
        g = c.o_groups
        wo_a = fp8(self.wo_a).view(g, c.o_lora_rank, -1)
        low = torch.bmm(out.view(b * t, g, -1).transpose(0, 1), wo_a.transpose(1, 2))
        low = low.transpose(0, 1).reshape(b, t, -1)
        return F.linear(act(low), fp8(self.wo_b))


@torch.library.custom_op("nano::grouped_linear", mutates_args=())
def grouped_linear(x: torch.Tensor, w: torch.Tensor, ends: torch.Tensor) -> torch.Tensor:
    """Rows of x [N, in], sorted by expert, times w [E, out, in]; ends[e] is one past e's rows."""
    y = x.new_empty(x.shape[0], w.shape[1])
    begin = 0
    for e, end in enumerate(ends.tolist()):
        torch.mm(x[begin:end], w[e].t(), out=y[begin:end])
        begin = end
    return y


@grouped_linear.register_fake
def _(x, w, ends):
    return x.new_empty(x.shape[0], w.shape[1])


@torch.library.custom_op("nano::grouped_weight_grad", mutates_args=())
def grouped_weight_grad(x: torch.Tensor, dy: torch.Tensor, ends: torch.Tensor) -> torch.Tensor:
    dw = x.new_empty(ends.shape[0], dy.shape[1], x.shape[1])
    begin = 0
    for e, end in enumerate(ends.tolist()):
        torch.mm(dy[begin:end].t(), x[begin:end], out=dw[e])
        begin = end
    return dw


@grouped_weight_grad.register_fake
def _(x, dy, ends):
    return x.new_empty(ends.shape[0], dy.shape[1], x.shape[1])


def _grouped_setup(ctx, inputs, output):
    ctx.save_for_backward(*inputs)


def _grouped_backward(ctx, dy):
    x, w, ends = ctx.saved_tensors
    dy = dy.contiguous()
    dx = grouped_linear(dy, w.transpose(1, 2).contiguous(), ends)
    return dx, grouped_weight_grad(x, dy, ends), None


grouped_linear.register_autograd(_grouped_backward, setup_context=_grouped_setup)


class Gather(torch.autograd.Function):
    """x[index] where every row of x is taken exactly k times at places `inverse` [N, k]."""

    @staticmethod
    def forward(ctx, x, index, inverse):
        ctx.save_for_backward(index, inverse)
        return x[index]

    @staticmethod
    def backward(ctx, dy):
        _, inverse = ctx.saved_tensors
        return dy[inverse].sum(1), None, None


class Scatter(torch.autograd.Function):
    """sum over k of y[inverse[:, k]]: the reverse of Gather."""

    @staticmethod
    def forward(ctx, y, index, inverse):
        ctx.save_for_backward(index)
        return y[inverse].sum(1)

    @staticmethod
    def backward(ctx, dx):
        (index,) = ctx.saved_tensors
        return dx[index], None, None


class MoE(nn.Module):
    dense = False  # True takes CUDA's way on a CPU as well: check_training.py compares the two

    def __init__(self, c: Config, layer: int):
        super().__init__()
        self.c = c
        d, f, e = c.hidden_size, c.moe_intermediate_size, c.n_routed_experts
        self.gate = nn.Parameter(torch.randn(e, d) * d**-0.5)
        self.hashed = layer < c.num_hash_layers
        if self.hashed:
            g = torch.Generator().manual_seed(4)
            scores = torch.rand(c.vocab_size, e, generator=g)
            self.register_buffer("tid2eid", scores.topk(c.num_experts_per_tok, -1).indices)
        else:
            self.register_buffer("bias", torch.zeros(e))
        self.w13 = nn.Parameter(torch.randn(e, 2 * f, d) * d**-0.5)
        self.w2 = nn.Parameter(torch.randn(e, d, f) * (0.1 * f**-0.5))
        self.shared13 = nn.Parameter(torch.randn(2 * f, d) * d**-0.5)
        self.shared2 = nn.Parameter(torch.randn(d, f) * (0.1 * f**-0.5))

    def forward(self, x, ids, qat: bool):
        c = self.c
        b, t, d = x.shape
        k = c.num_experts_per_tok
        x = x.view(b * t, d)
        scores = torch.sqrt(F.softplus(linear32(x, self.gate)))
        if self.hashed:
            chosen = self.tid2eid[ids.view(-1)]
        else:
            chosen = (scores.detach() + self.bias).topk(k, -1).indices
        weight = scores.gather(1, chosen)
        weight = weight / weight.sum(-1, keepdim=True) * c.routed_scaling_factor

        act = (lambda v: ste(v, round_act)) if qat else (lambda v: v)
        fp4 = (lambda w: ste(w, round_weight_fp4)) if qat else (lambda w: w)
        fp8 = (lambda w: ste(w, round_weight_fp8)) if qat else (lambda w: w)
        xr = act(x)
        routed = self.all_experts if self.dense or x.is_cuda else self.chosen_experts
        y, counts = routed(xr, chosen, weight, act, fp4(self.w13), fp4(self.w2))
        if qat:
            w1, w3 = self.shared13.chunk(2, 0)
            shared13 = torch.cat([fp8(w1), fp8(w3)], 0)
        else:
            shared13 = self.shared13
        s = swiglu(F.linear(xr, shared13), c.swiglu_limit)
        y = y + F.linear(act(s), fp8(self.shared2))
        return y.view(b, t, d), counts

    def chosen_experts(self, x, chosen, weight, act, w13, w2):
        """Tokens sorted by expert, each expert's product apart: no work that is not needed."""
        k, e = chosen.shape[1], len(w13)
        flat = chosen.view(-1)
        order = flat.argsort(stable=True)
        inverse = (
            torch.empty_like(order).scatter_(0, order, torch.arange(order.shape[0])).view(-1, k)
        )
        counts = F.one_hot(flat, e).sum(0)
        index = order // k
        h = grouped_linear(Gather.apply(x, index, inverse), w13, counts.cumsum(0))
        a = swiglu_weighted(h, weight.view(-1)[order], self.c.swiglu_limit)
        y = grouped_linear(act(a), w2, counts.cumsum(0))
        return Scatter.apply(y, index, inverse), counts

    def all_experts(self, x, chosen, weight, act, w13, w2):
        """Every token through every expert, with weight 0 where not chosen: two large products.

        Twice the arithmetic for 2 of 4 experts, and on a GPU still far quicker than sorting.
        """
        n, e, f = len(x), len(w13), w2.shape[2]
        weights = weight.new_zeros(n, e).scatter(1, chosen, weight)
        h = F.linear(x, w13.flatten(0, 1)).view(n, e, 2 * f)
        a = act(swiglu_weighted(h, weights, self.c.swiglu_limit))
        y = F.linear(a.view(n, e * f), w2.transpose(0, 1).reshape(-1, e * f))
        return y.float(), (weights > 0).sum(0)


class Block(nn.Module):
    def __init__(self, c: Config, layer: int):
        super().__init__()
        self.c, self.ratio = c, c.compress_ratios[layer]
        self.attn_norm = nn.Parameter(torch.ones(c.hidden_size))
        self.ffn_norm = nn.Parameter(torch.ones(c.hidden_size))
        self.attn = Attention(c, self.ratio)
        self.ffn = MoE(c, layer)
        self.hc_attn = HyperConnection(c, 2 * layer)
        self.hc_ffn = HyperConnection(c, 2 * layer + 1)

    def forward(self, x, ids, rows: Rows, cos, sin, qat: bool):
        """x [B, T, hc, D] -> the same shape, and the experts' loads [E]."""
        eps = self.c.rms_norm_eps
        pre, post, comb = self.hc_attn(x)
        y = read_streams(x, pre, self.attn_norm, eps)
        x = write_streams(x, self.attn(y, rows, cos, sin, qat), post, comb)
        pre, post, comb = self.hc_ffn(x)
        z, load = self.ffn(read_streams(x, pre, self.ffn_norm, eps), ids, qat)
        return write_streams(x, z, post, comb), load


class Head(nn.Module):
    """The streams' own reduction and the norm in front of the shared output matrix."""

    def __init__(self, c: Config):
        super().__init__()
        m, d = c.hc_mult, c.hidden_size
        self.c = c
        self.fn = nn.Parameter(torch.randn(m, m * d) * 0.01)
        self.base = nn.Parameter(torch.zeros(m))
        self.scale = nn.Parameter(torch.ones(1))
        self.norm = nn.Parameter(torch.ones(d))

    def forward(self, x):
        u = flat_rms(x, self.c.rms_norm_eps)
        pre = torch.sigmoid(linear32(u, self.fn) * self.scale + self.base) + self.c.hc_eps
        return read_streams(x, pre, self.norm, self.c.rms_norm_eps)


class Mtp(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        d = c.hidden_size
        self.c = c
        self.e_proj = nn.Parameter(torch.eye(d) * 0.5 + torch.randn(d, d) * 0.02)
        self.h_proj = nn.Parameter(torch.eye(d) * 0.5 + torch.randn(d, d) * 0.02)
        self.enorm = nn.Parameter(torch.ones(d))
        self.hnorm = nn.Parameter(torch.ones(d))
        self.block = Block(c, c.layers)
        self.head = Head(c)

    def forward(self, x, embedded_next, next_ids, rows, cos, sin, qat: bool):
        eps = self.c.rms_norm_eps
        act = (lambda v: ste(v, round_act)) if qat else (lambda v: v)
        fp8 = (lambda w: ste(w, round_weight_fp8)) if qat else (lambda w: w)
        e = F.linear(act(rms(embedded_next, eps) * self.enorm), fp8(self.e_proj)).float()
        h = F.linear(act(rms(x, eps) * self.hnorm), fp8(self.h_proj)).float()
        out, load = self.block(e.unsqueeze(2) + h, next_ids, rows, cos, sin, qat)
        return self.head(out), load


class Nano(nn.Module):
    """embed is also the output matrix: both tensors of the checkpoint hold the same numbers."""

    def __init__(self, c: Config):
        super().__init__()
        self.c = c
        self.embed = nn.Parameter(torch.randn(c.vocab_size, c.hidden_size) * 0.08)
        self.layers = nn.ModuleList(Block(c, i) for i in range(c.layers))
        self.head = Head(c)
        self.mtp = Mtp(c)
        self.tables = {}

    def rope_table(self, ratio: int, t: int):
        key = (bool(ratio), t)
        if key not in self.tables:
            angle = torch.arange(t, dtype=torch.float32)[:, None] * rope_frequencies(self.c, ratio)
            device = self.embed.device
            self.tables[key] = (angle.cos().to(device), angle.sin().to(device))
        return self.tables[key]

    def streams(self, ids, rows, qat=False):
        x = self.embed[ids].unsqueeze(2).expand(-1, -1, self.c.hc_mult, -1)
        loads = []
        for block in self.layers:
            x, load = block(x, ids, rows, *self.rope_table(block.ratio, ids.shape[1]), qat)
            loads.append(load)
        return x, loads

    def forward(self, ids, start, qat=False):
        """Logits [B, T, V]. ids, start: int64 [B, T], T a multiple of 128."""
        x, _ = self.streams(ids, Rows(self.c, start), qat)
        return linear32(self.head(x), self.embed)
