"""Compare model.py's logits with the independent port in `transformers`, in float32.

    python check_reference.py [--checkpoint checkpoint.pt] [--length 640]

Fresh random weights by default, every norm, bias, sink and ape drawn too. Prints the largest
difference; exit status 1 above 1e-3 of the logits' own scale.
"""

import argparse
import json
import os
import sys
import tempfile

import torch
from transformers import AutoConfig, AutoModelForCausalLM

from export import config_json, load_checkpoint, tensors_of
from model import Config, Nano


def randomise(model, generator):
    for name, p in model.named_parameters():
        if name.split(".")[-1] in (
            "attn_norm",
            "ffn_norm",
            "q_norm",
            "kv_norm",
            "norm",
            "attn_sink",
            "ape",
            "base",
        ):
            p.data += 0.3 * torch.randn(p.shape, generator=generator)
    for name, b in model.named_buffers():
        if name.endswith("bias"):
            b += 0.1 * torch.randn(b.shape, generator=generator)


def reference(model, folder):
    """The same weights in transformers' classes, whose names differ."""
    values = config_json(model.c, True)
    values["compress_ratios"] = values["compress_ratios"][: model.c.layers]
    with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as f:
        json.dump(values, f)
    other = AutoModelForCausalLM.from_config(
        AutoConfig.from_pretrained(folder), attn_implementation="eager"
    )
    other = other.float().eval()
    names = (
        ("attn_hc.", "hc_attn_"),
        ("ffn_hc.", "hc_ffn_"),
        ("self_attn.compressor.indexer.scorer.", "self_attn.indexer."),
        ("self_attn.sinks", "attn.attn_sink"),
        ("mlp.gate.e_score_correction_bias", "ffn.gate.bias"),
        ("input_layernorm", "attn_norm"),
        ("post_attention_layernorm", "ffn_norm"),
    )
    mine, state = tensors_of(model, True), {}
    f = model.c.moe_intermediate_size
    for name, value in other.state_dict().items():
        n = name.removeprefix("model.")
        n = (
            n.replace("embed_tokens", "embed")
            .replace("lm_head", "head")
            .replace("hc_head.hc_", "hc_head_")
        )
        indexer = ".compressor.indexer." in n
        for a, b in names:
            n = n.replace(a, b)
        n = n.replace("self_attn.", "attn.").replace("mlp.", "ffn.")
        if indexer and "weights_proj" not in n:
            n = n.replace(".compressor.indexer.", ".indexer.compressor.").replace(
                ".indexer.compressor.q_b_proj", ".indexer.wq_b"
            )
        n = n.replace("position_bias", "ape")
        if "compressor." in n:
            n = n.replace("kv_norm", "norm").replace("kv_proj", "wkv").replace("gate_proj", "wgate")
        for a, b in (
            ("q_a_proj", "wq_a"),
            ("q_b_proj", "wq_b"),
            ("kv_proj", "wkv"),
            ("o_a_proj", "wo_a"),
            ("o_b_proj", "wo_b"),
            ("q_a_norm", "q_norm"),
            ("shared_experts.gate_proj", "shared_experts.w1"),
            ("shared_experts.up_proj", "shared_experts.w3"),
            ("shared_experts.down_proj", "shared_experts.w2"),
        ):
            n = n.replace(a, b)
        if n.endswith("experts.gate_up_proj"):
            base = n.removesuffix("gate_up_proj")
            value = torch.stack(
                [
                    torch.cat([mine[f"{base}{e}.w1.weight"], mine[f"{base}{e}.w3.weight"]])
                    for e in range(model.c.n_routed_experts)
                ]
            )
        elif n.endswith("experts.down_proj"):
            base = n.removesuffix("down_proj")
            value = torch.stack(
                [mine[f"{base}{e}.w2.weight"] for e in range(model.c.n_routed_experts)]
            )
        else:
            value = mine[n]
        state[name] = value.reshape(other.state_dict()[name].shape)
    other.load_state_dict(state)
    return other


@torch.no_grad()
def main():
    a = argparse.ArgumentParser()
    a.add_argument("--checkpoint")
    a.add_argument("--length", type=int, default=640)
    args = a.parse_args()
    generator = torch.Generator().manual_seed(3)
    torch.manual_seed(3)
    if args.checkpoint:
        model = load_checkpoint(args.checkpoint)
    else:
        model = Nano(Config())
        randomise(model, generator)
    ids = torch.randint(0, model.c.vocab_size, (1, args.length), generator=generator)
    mine = model(ids, torch.zeros_like(ids))
    with tempfile.TemporaryDirectory() as folder:
        theirs = reference(model, folder)(ids, use_cache=False).logits
    # A document that begins later in a row gives the same logits.
    shifted = torch.cat([ids[:, :128], ids[:, : args.length - 128]], 1)
    start = torch.zeros_like(ids)
    start[:, 128:] = 128
    moved = model(shifted, start)[:, 128:]
    error = (mine - theirs).abs().max().item() / theirs.std().item()
    moving = (moved - mine[:, : args.length - 128]).abs().max().item() / theirs.std().item()
    print(f"largest difference / logits' deviation: {error:.2e}; moved document: {moving:.2e}")
    sys.exit(error > 1e-3 or moving > 1e-3)


if __name__ == "__main__":
    main()
