"""How fast the engine is beside the port in `transformers`: same weights, threads and context.

    python compare_speed.py --bench ../../../build/dsv4-bench [--model ../model] [--threads 2]

Reads 1,024 random ids from nothing, then decodes one id after the other, with each in turn; prints
the medians and their ratios.
"""

import argparse
import json
import statistics
import subprocess
import tempfile
import time

import torch

from check_reference import reference
from imported import load

CONTEXT = 1024
DECODED = 48
ROUNDS = 5


def time_of(work):
    begin = time.perf_counter()
    result = work()
    return time.perf_counter() - begin, result


@torch.inference_mode()
def port_speed(port, vocab):
    """Tokens/s of reading and of decoding."""
    ids = torch.randint(vocab, (1, CONTEXT + DECODED))
    read, out = time_of(lambda: port(ids[:, :CONTEXT], use_cache=True, logits_to_keep=1))
    steps = []
    for at in range(CONTEXT, CONTEXT + DECODED):
        past = out.past_key_values
        seconds, out = time_of(
            lambda: port(ids[:, at : at + 1], past_key_values=past, use_cache=True)
        )
        steps.append(seconds)
    return CONTEXT / read, 1 / statistics.median(steps)


def engine_speed(bench, model, threads, precision):
    words = [bench, "frontier", "--model", model, "--to", str(CONTEXT), "--threads", str(threads)]
    out = subprocess.run(words + ["--precision", precision], capture_output=True, check=True)
    row = json.loads(out.stdout.splitlines()[0])
    return row["prefill_tokens_s"], row["decode_tokens_s"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bench", required=True)
    parser.add_argument("--model", default="../model")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    model = load(args.model)
    with tempfile.TemporaryDirectory() as folder:
        port = reference(model, folder)
    port_speed(port, model.c.vocab_size)  # warm
    speeds = {"transformers": []}
    for precision in ("f32", "exact", "fast"):
        speeds[precision] = []
    for _ in range(ROUNDS):
        speeds["transformers"].append(port_speed(port, model.c.vocab_size))
        for precision in ("f32", "exact", "fast"):
            speeds[precision].append(engine_speed(args.bench, args.model, args.threads, precision))
    medians = {
        name: [statistics.median(part) for part in zip(*rows)] for name, rows in speeds.items()
    }
    for name, (read, decoded) in medians.items():
        base = medians["transformers"]
        row = {
            "engine": name,
            "prefill_tokens_s": round(read, 1),
            "decode_tokens_s": round(decoded, 1),
            "prefill_ratio": round(read / base[0], 2),
            "decode_ratio": round(decoded / base[1], 2),
        }
        print(json.dumps(row))


if __name__ == "__main__":
    main()
