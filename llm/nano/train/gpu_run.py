"""Train on a machine with a GPU and a time limit: make episodes on its processors meanwhile.

    python gpu_run.py --out DIR --minutes 9.3 --later 18 [--carried DIR] [--config large.json]

Of runs in a row, each says with --later how many minutes the next ones will add; the learning rate
reaches zero at the end of the last. A run goes on from the checkpoint in --work, where an earlier
run on the same machine left it, or else from the small.* in --carried, which an earlier run on
another machine wrote to its --out. Packed episodes (*.npz: encode.py) in --carried are trained on
from the start, next to what is made here. All other options go to train.py.
"""

import argparse
import glob
import multiprocessing
import os
import random
import shutil
import subprocess
import sys
import time

import data
import packed
from encoder import Encoder

HERE = os.path.dirname(os.path.abspath(__file__))
RESERVE = 30  # seconds for the last evaluation and checkpoint
sys.path.insert(0, os.path.join(HERE, "..", "..", ".."))

from llm.nano.tasks import produce


def make_shards(folder: str, tokenizer: str, name: str):
    """Writes encoded episodes without end; the first shard is small, so that training can begin."""
    os.nice(5)
    encoder, rng, count = Encoder(tokenizer), random.Random(name), 20
    for number in range(1_000_000):
        pools = {"short": [], "full": []}
        for episode in produce.episodes("train", f"{name}.{number}", count):
            shape, document = data.augmented(encoder, episode, rng, 0.65)
            pools[shape].append(document)
        packed.write(os.path.join(folder, f"{name}-{number}.npz"), pools, encoder.checksum)
        count = 400


def make_validation(folder: str):
    for split in ("seen", "unseen-family"):
        path = os.path.join(folder, f"valid-{split}.jsonl.gz")
        if not os.path.exists(path):
            produce.write_shard(path, split, "valid", 150)


def start_making(folder: str, args):
    run = f"made{int(time.time())}"  # other episodes than every run before
    works = [(make_validation, (folder,))]
    works += [(make_shards, (folder, args.tokenizer, f"{run}.{i}")) for i in range(args.generators)]
    makers = [multiprocessing.Process(target=f, args=a, daemon=True) for f, a in works]
    for maker in makers:
        maker.start()
    return makers


def bring_carried(args, folder: str):
    for path in glob.glob(os.path.join(args.carried, "*.npz")):
        shutil.copy(path, folder)
    own = os.path.join(args.work, "checkpoint.pt")
    if not os.path.exists(own) and os.path.exists(os.path.join(args.carried, "small.00")):
        import checkpoint  # needs PyTorch: only now, with the makers at work

        checkpoint.save(own, checkpoint.load(args.carried))


def train(args, options, folder: str, deadline: float, compiled: bool) -> int:
    command = [sys.executable, os.path.join(HERE, "train.py"), "--resume"]
    command += ["--episodes", folder, "--tokenizer", args.tokenizer, "--out", args.work]
    command += ["--pieces", args.out, "--later", str(args.later)]
    command += ["--seconds", str(deadline - time.time()), *options]
    environment = os.environ | {"DSV4_COMPILE": "1" if compiled else "0"}
    return subprocess.run(command, env=environment, check=False).returncode


def main():
    begun = time.time()
    a = argparse.ArgumentParser()
    a.add_argument("--out", required=True, help="gets the small checkpoint and the log")
    a.add_argument("--minutes", type=float, default=9.3, help="this run's time, all included")
    a.add_argument("--later", type=float, default=0, help="minutes that later runs will train")
    a.add_argument("--work", default="/tmp/nano-run", help="lasts as long as the machine")
    a.add_argument("--carried", default="carried")
    a.add_argument("--tokenizer", default=os.path.join(HERE, "..", "model", "tokenizer.json"))
    a.add_argument("--generators", type=int, default=max(1, os.cpu_count() - 2))
    a.add_argument("--no-compile", action="store_true")
    args, options = a.parse_known_args()
    defaults = ["--device", "cuda", "--rows", "32", "--save", "100", "--evaluate", "240"]
    options = [*defaults, *options]
    folder = os.path.join(args.work, "episodes")
    os.makedirs(folder, exist_ok=True)
    os.makedirs(args.out, exist_ok=True)
    makers = start_making(folder, args)
    bring_carried(args, folder)
    deadline = begun + args.minutes * 60 - RESERVE
    failed = train(args, options, folder, deadline, not args.no_compile)
    if failed and not args.no_compile and deadline - time.time() > 60:
        print("training failed: again without compiling", flush=True)
        failed = train(args, options, folder, deadline, False)
    for maker in makers:
        maker.terminate()
    shutil.copy(os.path.join(args.work, "train.log"), args.out)
    sys.exit(failed)


if __name__ == "__main__":
    main()
