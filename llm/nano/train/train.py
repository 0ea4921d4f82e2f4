"""Train the nano model on episodes.

    DSV4_COMPILE=1 python train.py --episodes DIR --tokenizer tokenizer.json --out DIR \
        --finish 21:15 [--resume] [--rows 2] [--length 1536] [--device cuda]

The schedule follows the wall clock, so that a run ends when it has to: learning rates are constant
for the first 60% of the time and fall linearly to zero; rounding to the published formats is
simulated from --qat on. Checkpoints (DIR/checkpoint.pt) are written every --save seconds. On a
GPU see gpu_run.py.
"""

import argparse
import datetime
import json
import os
import time

import numpy as np
import torch
import torch.nn.functional as F

import checkpoint
import data
from batches import Batches
from encoder import Encoder
from model import Config, Nano, Rows, linear32
from optim import Optimiser
from validate import Validation

WARM_UP = 30  # steps


def log(path, line):
    stamped = f"{datetime.datetime.now():%H:%M:%S} {line}"
    print(stamped, flush=True)
    with open(path, "a", encoding="utf-8") as f:
        f.write(stamped + "\n")


def losses(model, ids, start, loss, assistant, qat, with_mtp):
    """-> (objective, mean loss of assistant tokens, of the others, expert loads)."""
    rows = Rows(model.c, start)
    x, loads = model.streams(ids, rows, qat)
    hidden = model.head(x)
    weight = loss[:, 1:].reshape(-1)
    pick = weight.nonzero().squeeze(1)
    length = ids.shape[1]
    where = pick // (length - 1) * length + pick % (length - 1)
    target = ids[:, 1:].reshape(-1)[pick]
    weight, speaking = weight[pick], assistant[:, 1:].reshape(-1)[pick]
    logits = linear32(hidden.view(-1, hidden.shape[-1])[where], model.embed)
    ce = F.cross_entropy(logits, target, reduction="none")
    objective = (ce * weight).sum() / weight.sum()
    if with_mtp:
        objective = objective + mtp_loss(model, x, ids, rows, loss, start, qat)
    with torch.no_grad():
        said = ce[speaking].mean() if speaking.any() else ce.new_zeros(())
        other = ce[~speaking].mean() if (~speaking).any() else ce.new_zeros(())
    return objective, said, other, loads


def mtp_loss(model, x, ids, rows, loss, start, qat):
    """The drafter's loss on the token after the next; the trunk and the head stay as they are."""
    following = F.pad(ids[:, 1:], (0, 1))
    embed = model.embed.detach()
    out, _ = model.mtp(
        x.detach(), embed[following], following, rows, *model.rope_table(0, ids.shape[1]), qat
    )
    keep = (loss[:, 2:] > 0) & (start[:, 2:] == start[:, :-2])
    logits = linear32(out[:, :-2][keep], embed)
    return F.cross_entropy(logits, ids[:, 2:][keep])


def seconds_until(clock: str) -> float:
    now = datetime.datetime.now()
    hour, minute = map(int, clock.split(":"))
    left = (now.replace(hour=hour, minute=minute, second=0, microsecond=0) - now).total_seconds()
    return left + 86400 if left < -43200 else left  # a time early tomorrow


def parse():
    a = argparse.ArgumentParser()
    a.add_argument("--episodes", required=True)
    a.add_argument("--tokenizer", required=True)
    a.add_argument("--out", required=True)
    a.add_argument("--config", help="JSON with the dimensions to change")
    a.add_argument("--finish", default="", help="HH:MM when the learning rate reaches zero")
    a.add_argument("--minutes", type=float, default=60.0, help="used when --finish is not given")
    a.add_argument("--resume", action="store_true")
    a.add_argument("--rows", type=int, default=2)
    a.add_argument("--length", type=int, default=1536)
    a.add_argument(
        "--full", type=float, default=0.5, help="share of rows that begin with a full prompt"
    )
    a.add_argument(
        "--other", type=float, default=1.0, help="factor on the loss outside assistant turns"
    )
    a.add_argument(
        "--qat", type=float, default=0.82, help="share of the time after which rounding starts"
    )
    a.add_argument("--muon", type=float, default=0.02)
    a.add_argument("--adam", type=float, default=3e-3)
    a.add_argument("--seed", type=int, default=1)
    a.add_argument("--save", type=float, default=180.0)
    a.add_argument("--evaluate", type=float, default=300.0)
    a.add_argument("--threads", type=int, default=1)
    a.add_argument("--device", default="cpu", help="cpu or cuda")
    a.add_argument("--precision", choices=["f32", "bf16"], help="default: bf16 on cuda only")
    a.add_argument("--seconds", type=float, help="end this run, not the schedule, after so long")
    a.add_argument("--later", type=float, default=0, help="with --seconds: minutes still to come")
    a.add_argument("--pieces", help="folder for a small copy of each checkpoint: checkpoint.py")
    args = a.parse_args()
    args.precision = args.precision or ("bf16" if args.device == "cuda" else "f32")
    return args


def finish_file(args) -> str:
    """DIR/finish, when it is there, overrides --finish: the schedule can be told while it runs."""
    try:
        with open(os.path.join(args.out, "finish"), encoding="utf-8") as f:
            return f.read().strip()
    except FileNotFoundError:
        return args.finish


class Trainer:
    """A model with all that training it needs, and where it stands: all that a checkpoint holds."""

    def __init__(self, args, encoder):
        self.args, self.encoder = args, encoder
        self.begun = time.time()
        self.journal = os.path.join(args.out, "train.log")
        self.path = os.path.join(args.out, "checkpoint.pt")
        self.step = self.tokens = self.warm_from = 0
        self.trained, self.curve = 0.0, []
        config = Config.load(args.config) if args.config else Config()
        config.vocab_size = encoder.size
        self.model = Nano(config).to(args.device)
        self.optimiser = Optimiser(self.model, args.muon, args.adam)

    def resume(self, path: str):
        saved = checkpoint.load(path, self.args.device)
        self.model.load_state_dict(saved["model"])
        self.step, self.tokens = saved["step"], saved["tokens"]
        self.trained, self.curve = saved["seconds"], saved["curve"]
        if saved.get("optimiser"):
            self.optimiser.load(saved["optimiser"])
        else:
            self.warm_from = self.step

    def save(self):
        state = {
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state(),
            "config": self.model.c.__dict__,
            "step": self.step,
            "tokens": self.tokens,
            "seconds": self.trained,
            "curve": self.curve,
        }
        checkpoint.save(self.path, state)
        if self.args.pieces:
            checkpoint.save_pieces(self.args.pieces, state)

    def log(self, line):
        log(self.journal, line)

    def report_shards(self, episodes):
        sizes = {k: len(v) for k, v in episodes.pools.items()}
        self.log(f"shards {len(episodes.seen)} {sizes}")

    def time_left(self) -> tuple[float, float]:
        """Seconds until the end of the schedule, and of this run."""
        args = self.args
        if args.seconds is not None:
            left = self.begun + args.seconds - time.time()
            return left + args.later * 60, left
        clock = finish_file(args)
        left = seconds_until(clock) if clock else args.minutes * 60 - self.trained
        return left, left

    def gradients(self, batch, qat: bool, with_mtp: bool):
        """-> mean losses of the assistant's and other tokens, the experts' loads."""
        for p in self.model.parameters():
            p.grad = None
        bf16 = self.args.precision == "bf16"
        with torch.autocast(self.args.device, torch.bfloat16, enabled=bf16):
            objective, said, other, loads = losses(self.model, *batch, qat, with_mtp)
        objective.backward()
        return said, other, loads

    def rehearse(self, batches):
        """One step of the hungriest kind, so that memory runs out now or never; fewer rows help."""
        while True:
            try:
                batch = [part.to(self.args.device) for part in batches.make()]
                with torch.compiler.set_stance("force_eager"):
                    self.gradients(batch, True, True)
                peak = torch.cuda.max_memory_allocated() / 2**30
                return self.log(f"{self.args.rows} rows need {peak:.1f} GiB")
            except torch.cuda.OutOfMemoryError:
                self.args.rows //= 2
                self.log(f"out of memory: {self.args.rows} rows")
            torch.cuda.empty_cache()

    def advance(self, batch, progress: float):
        """One step -> its figures for the log."""
        warm = min(1.0, (self.step - self.warm_from + 1) / WARM_UP)
        factor = warm * min(1.0, (1 - progress) / 0.4)
        qat = progress >= self.args.qat
        said, other, loads = self.gradients(batch, qat, self.step % 8 == 7)
        norm = torch.nn.utils.clip_grad_norm_(
            [p for n, p in self.model.named_parameters() if not n.startswith("mtp.")], 1.0
        )
        self.optimiser.step(factor)
        for block, load in zip(self.model.layers, loads):
            if not block.ffn.hashed:
                share = load.float() / load.sum()
                block.ffn.bias.add_(0.01 * factor * torch.sign(share.mean() - share))
        self.step, self.tokens = self.step + 1, self.tokens + batch[0].numel()
        state = f"norm {float(norm):.2f} lr x{factor:.2f} progress {progress:.3f} qat {int(qat)}"
        return float(said), float(other), state

    def report(self, window, state):
        mean = np.array(window).mean(0)
        self.log(
            f"step {self.step} tokens {self.tokens} assistant {mean[0]:.4f} other {mean[1]:.4f} "
            f"{state} {mean[2] / mean[3]:.0f} tokens/s",
        )
        self.curve.append((self.tokens, round(float(mean[0]), 4), round(float(mean[1]), 4)))

    def evaluate(self, qat):
        args = self.args
        validation = Validation(args.episodes, self.encoder, args.length, args.device)
        for name, score in validation.run(self.model, qat).items():
            self.log(f"{name} {json.dumps(score)}")
            self.curve.append((self.tokens, name, score))

    def run(self, batches):
        """Trains until the time is over. Only the steps themselves count as time trained."""
        args, window = self.args, []
        saved = evaluated = scanned = printed = time.time()
        while True:
            left, here = self.time_left()
            if here <= 0:
                return
            begun = time.time()
            progress = self.trained / (self.trained + left)
            batch = batches.next(args.device)
            said, other, state = self.advance(batch, progress)
            now = time.time()
            self.trained += now - begun
            window.append((said, other, batch[0].numel(), now - begun))
            if now - printed > 20:
                self.report(window, state)
                window, printed = [], now
            if batches.made is None and now - scanned > 45:
                if batches.episodes.scan():
                    self.report_shards(batches.episodes)
                scanned = time.time()
            if now - saved > args.save:
                self.save()
                saved = time.time()
            if now - evaluated > args.evaluate:
                self.evaluate(progress >= args.qat)
                evaluated = time.time()


def main():
    args = parse()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    os.makedirs(args.out, exist_ok=True)
    encoder = Encoder(args.tokenizer)
    trainer = Trainer(args, encoder)
    if args.resume and os.path.exists(trainer.path):
        trainer.resume(trainer.path)
    episodes = data.Episodes(args.episodes, encoder, args.seed + trainer.step, args.length)
    while not all(episodes.pools.values()):
        if not episodes.scan(4):
            trainer.log("not enough episodes yet")
            time.sleep(3)
    count = sum(p.numel() for p in trainer.model.parameters())
    trainer.log(
        f"parameters {count} vocabulary {encoder.size} "
        f"resume at step {trainer.step} tokens {trainer.tokens}"
    )
    batches = Batches(episodes, args, args.seed + trainer.step, trainer.tokens)
    if args.device == "cuda":
        torch.set_float32_matmul_precision("high")
        torch._dynamo.config.suppress_errors = True  # what does not compile runs as it is
        trainer.rehearse(batches)
        batches.run_ahead(trainer.report_shards)
    trainer.run(batches)
    trainer.save()
    if args.evaluate < 3600:
        trainer.evaluate(True)
        trainer.save()
    trainer.log("finished")


if __name__ == "__main__":
    main()
