"""Encode all finished shards once, with their augmentation, so that a training run need not.

python encode.py --episodes DIR --tokenizer tokenizer.json --out FILE.npz [--copies 2]
"""

import argparse

import data
import packed
from encoder import Encoder


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--episodes", required=True)
    a.add_argument("--tokenizer", required=True)
    a.add_argument("--out", required=True)
    a.add_argument("--length", type=int, default=1536)
    a.add_argument(
        "--copies", type=int, default=1, help="times every shard is read, augmented anew"
    )
    args = a.parse_args()
    encoder = Encoder(args.tokenizer)
    pools = {"short": [], "full": []}
    for copy in range(args.copies):
        episodes = data.Episodes(args.episodes, encoder, 1 + copy, args.length)
        while episodes.scan():
            count = {k: len(v) for k, v in episodes.pools.items()}
            print(len(episodes.seen), "shards", count, flush=True)
        for shape, pool in episodes.pools.items():
            pools[shape] += pool
    packed.write(args.out, pools, encoder.checksum)
    print(sum(len(d) for pool in pools.values() for d in pool), "tokens")


if __name__ == "__main__":
    main()
