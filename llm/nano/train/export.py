"""Write a checkpoint of train.py in the published layout.

    python export.py --checkpoint checkpoint.pt --tokenizer tokenizer.json --out DIR [--f32]

DIR gets config.json, tokenizer.json and model.safetensors: FP8 weights with e8m0 scales per
128x128 block, FP4 experts with one scale per 32, the rest in bf16 and f32, all under the authors'
tensor names. --f32 leaves every tensor in float32 (for comparisons with other implementations).
"""

import argparse
import json
import os
import shutil

import torch
from safetensors.torch import save_file

import checkpoint
from model import Config, Nano
from quant import e2m1, e4m3, weight_scale_fp4, weight_scale_fp8


def interleave(c: Config) -> torch.Tensor:
    """order[i] is the training channel that becomes channel i of a head: pairs side by side."""
    keep, half = c.head_dim - c.qk_rope_head_dim, c.qk_rope_head_dim // 2
    pairs = torch.stack([torch.arange(half), torch.arange(half) + half], 1).flatten()
    return torch.cat([torch.arange(keep), keep + pairs])


def e8m0(scale: torch.Tensor) -> torch.Tensor:
    bits = torch.round(torch.log2(scale)).to(torch.int32) + 127
    return bits.clamp(0, 254).to(torch.uint8).view(torch.float8_e8m0fnu)


class Writer:
    def __init__(self, plain: bool):
        self.plain, self.tensors = plain, {}

    def put(self, name, value, dtype):
        kind = dtype if dtype == torch.int64 or not self.plain else torch.float32
        self.tensors[name] = value.detach().to(kind).contiguous().clone()

    def fp8(self, name, w):
        if self.plain:
            return self.put(name, w, torch.float32)
        scale = weight_scale_fp8(w)
        full = scale.repeat_interleave(128, 0)[: w.shape[0]].repeat_interleave(128, 1)[
            :, : w.shape[1]
        ]
        codes = e4m3((w / full).clamp(-448, 448)).to(torch.float8_e4m3fn)
        self.tensors[name] = codes.contiguous()
        self.tensors[name.removesuffix("weight") + "scale"] = e8m0(scale).contiguous()

    def fp4(self, name, w):
        if self.plain:
            return self.put(name, w, torch.float32)
        scale = weight_scale_fp4(w)
        value = e2m1(w.unflatten(-1, (-1, 32)) / scale).flatten(-2)
        grid = torch.tensor([0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0])
        code = torch.searchsorted(grid, value.abs().contiguous()).to(torch.uint8)
        code = code | (torch.signbit(value).to(torch.uint8) << 3)
        packed = code[:, 0::2] | (code[:, 1::2] << 4)  # low nibble: the even column
        self.tensors[name] = packed.view(torch.int8).contiguous()
        self.tensors[name.removesuffix("weight") + "scale"] = e8m0(scale.squeeze(-1)).contiguous()


def heads(w, order):
    """Reorder the rows of every head_dim-sized group."""
    n = len(order)
    return w.unflatten(0, (-1, n))[:, order].flatten(0, 1)


def write_compressor(out, prefix, comp, order):
    out.put(prefix + "wkv.weight", heads(comp.wkv, order), torch.bfloat16)
    out.put(prefix + "wgate.weight", heads(comp.wgate, order), torch.bfloat16)
    out.put(prefix + "ape", heads(comp.ape.t(), order).t(), torch.float32)
    out.put(prefix + "norm.weight", comp.norm[order], torch.bfloat16)


def write_indexer(out, prefix, c: Config, generator):
    """Not trained: with index_topk at least the number of entries it never has to choose."""
    n, d = c.index_n_heads, c.index_head_dim

    def random(*shape):
        return torch.randn(*shape, generator=generator) * shape[-1] ** -0.5

    out.fp8(prefix + "wq_b.weight", random(n * d, c.q_lora_rank))
    out.put(prefix + "weights_proj.weight", random(n, c.hidden_size), torch.bfloat16)
    out.put(prefix + "compressor.wkv.weight", random(2 * d, c.hidden_size), torch.bfloat16)
    out.put(prefix + "compressor.wgate.weight", random(2 * d, c.hidden_size), torch.bfloat16)
    out.put(prefix + "compressor.ape", torch.zeros(4, 2 * d), torch.float32)
    out.put(prefix + "compressor.norm.weight", torch.ones(d), torch.bfloat16)


def write_attention(out, prefix, a, c, order, generator):
    out.fp8(prefix + "wq_a.weight", a.wq_a)
    out.put(prefix + "q_norm.weight", a.q_norm, torch.bfloat16)
    out.fp8(prefix + "wq_b.weight", heads(a.wq_b, order))
    out.fp8(prefix + "wkv.weight", heads(a.wkv, order))
    out.put(prefix + "kv_norm.weight", a.kv_norm[order], torch.bfloat16)
    out.put(prefix + "attn_sink", a.attn_sink, torch.float32)
    out.fp8(prefix + "wo_a.weight", heads(a.wo_a.t(), order).t().contiguous())
    out.fp8(prefix + "wo_b.weight", a.wo_b)
    if a.compressor is not None:
        write_compressor(out, prefix + "compressor.", a.compressor, order)
    if a.ratio == 4:
        write_indexer(out, prefix + "indexer.", c, generator)


def write_ffn(out, prefix, f, c):
    out.put(prefix + "gate.weight", f.gate, torch.bfloat16)
    if f.hashed:
        out.put(prefix + "gate.tid2eid", f.tid2eid, torch.int64)
    else:
        out.put(prefix + "gate.bias", f.bias, torch.float32)
    for e in range(c.n_routed_experts):
        w1, w3 = f.w13[e].chunk(2, 0)
        for name, w in (("w1", w1), ("w2", f.w2[e]), ("w3", w3)):
            out.fp4(f"{prefix}experts.{e}.{name}.weight", w)
    w1, w3 = f.shared13.chunk(2, 0)
    for name, w in (("w1", w1), ("w2", f.shared2), ("w3", w3)):
        out.fp8(f"{prefix}shared_experts.{name}.weight", w)


def write_block(out, prefix, block, c, order, generator):
    out.put(prefix + "attn_norm.weight", block.attn_norm, torch.bfloat16)
    out.put(prefix + "ffn_norm.weight", block.ffn_norm, torch.bfloat16)
    write_attention(out, prefix + "attn.", block.attn, c, order, generator)
    write_ffn(out, prefix + "ffn.", block.ffn, c)
    for site, hc in (("attn", block.hc_attn), ("ffn", block.hc_ffn)):
        for name in ("fn", "base", "scale"):
            out.put(f"{prefix}hc_{site}_{name}", getattr(hc, name), torch.float32)


def write_head(out, prefix, head):
    for name in ("fn", "base", "scale"):
        out.put(f"{prefix}hc_head_{name}", getattr(head, name), torch.float32)
    out.put(prefix + "norm.weight", head.norm, torch.bfloat16)


@torch.no_grad()
def tensors_of(model: Nano, plain: bool):
    c, out = model.c, Writer(plain)
    order, generator = interleave(c), torch.Generator().manual_seed(8)
    out.put("embed.weight", model.embed, torch.bfloat16)
    out.put("head.weight", model.embed, torch.bfloat16)
    write_head(out, "", model.head)
    for i, block in enumerate(model.layers):
        write_block(out, f"layers.{i}.", block, c, order, generator)
    mtp = model.mtp
    write_block(out, "mtp.0.", mtp.block, c, order, generator)
    write_head(out, "mtp.0.", mtp.head)
    for name in ("enorm", "hnorm"):
        out.put(f"mtp.0.{name}.weight", getattr(mtp, name), torch.bfloat16)
    for name in ("e_proj", "h_proj"):
        out.fp8(f"mtp.0.{name}.weight", getattr(mtp, name))
    return out.tensors


def config_json(c: Config, plain: bool):
    values = {
        "architectures": ["DeepseekV4ForCausalLM"],
        "model_type": "deepseek_v4",
        "attention_bias": False,
        "attention_dropout": 0.0,
        "bos_token_id": 0,
        "eos_token_id": 1,
        "hidden_act": "silu",
        "initializer_range": 0.02,
        "max_position_embeddings": 4 * c.index_topk,
        "norm_topk_prob": True,
        "num_hidden_layers": c.layers,
        "num_key_value_heads": 1,
        "num_nextn_predict_layers": 1,
        "rope_scaling": {
            "type": "yarn",
            "factor": c.yarn_factor,
            "original_max_position_embeddings": c.yarn_original,
            "beta_fast": c.yarn_beta_fast,
            "beta_slow": c.yarn_beta_slow,
        },
        "scoring_func": "sqrtsoftplus",
        "tie_word_embeddings": False,
        "topk_method": "noaux_tc",
        "torch_dtype": "float32" if plain else "bfloat16",
        "use_cache": True,
    }
    values |= {k: v for k, v in c.__dict__.items() if not k.startswith("yarn_")}
    values["compress_ratios"] = list(c.compress_ratios)
    if not plain:
        values["expert_dtype"] = "fp4"
        values["quantization_config"] = {
            "activation_scheme": "dynamic",
            "fmt": "e4m3",
            "quant_method": "fp8",
            "scale_fmt": "ue8m0",
            "weight_block_size": [128, 128],
        }
    return values


def export(model: Nano, tokenizer: str, folder: str, plain: bool = False):
    os.makedirs(folder, exist_ok=True)
    partial = os.path.join(folder, "model.safetensors.tmp")
    save_file(tensors_of(model, plain), partial, metadata={"format": "pt"})
    with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as f:
        json.dump(config_json(model.c, plain), f, indent=2)
        f.write("\n")
    shutil.copyfile(tokenizer, os.path.join(folder, "tokenizer.json"))
    os.replace(partial, os.path.join(folder, "model.safetensors"))


def load_checkpoint(path: str) -> Nano:
    saved = checkpoint.load(path)
    model = Nano(Config(**saved["config"]))
    model.load_state_dict(saved["model"])
    return model


def main():
    a = argparse.ArgumentParser()
    a.add_argument(
        "--checkpoint", required=True, help="checkpoint.pt, a folder of small.*, or 'random'"
    )
    a.add_argument("--config", help="dimensions of a random model; a checkpoint has its own")
    a.add_argument("--tokenizer", required=True)
    a.add_argument("--out", required=True)
    a.add_argument("--f32", action="store_true")
    args = a.parse_args()
    torch.manual_seed(0)
    if args.checkpoint == "random":
        model = Nano(Config.load(args.config) if args.config else Config())
    else:
        model = load_checkpoint(args.checkpoint)
    export(model, args.tokenizer, args.out, args.f32)
    size = os.path.getsize(os.path.join(args.out, "model.safetensors"))
    print(f"{args.out}: {size} bytes, {sum(p.numel() for p in model.parameters())} parameters")


if __name__ == "__main__":
    main()
