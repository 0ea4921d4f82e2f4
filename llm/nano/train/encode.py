"""Encode all finished shards once, so that a training run need not.

python encode.py --episodes DIR --tokenizer tokenizer.json --out FILE [--length 1536]
"""

import argparse

import data
from tokenizer import Encoder


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--episodes", required=True)
    a.add_argument("--tokenizer", required=True)
    a.add_argument("--out", required=True)
    a.add_argument("--length", type=int, default=1536)
    args = a.parse_args()
    episodes = data.Episodes(args.episodes, Encoder(args.tokenizer), 1, args.length)
    while episodes.scan(1):
        episodes.save(args.out)
        print(
            len(episodes.seen), "shards", {k: len(v) for k, v in episodes.pools.items()}, flush=True
        )


if __name__ == "__main__":
    main()
