"""Train the nano model on episodes.

    DSV4_COMPILE=1 python train.py --episodes DIR --tokenizer tokenizer.json --out DIR \
        --finish 21:15 [--resume] [--rows 2] [--length 1536]

The schedule follows the wall clock, so that a run ends when it has to: learning rates are constant
for the first 60% of the time and fall linearly to zero; rounding to the published formats is
simulated from --qat on. Checkpoints (DIR/checkpoint.pt) are written every --save seconds.
"""

import argparse
import datetime
import glob
import json
import os
import time

import numpy as np
import torch
import torch.nn.functional as F

import data
from model import Config, Nano, Rows
from optim import Optimiser
from tokenizer import Encoder, read_shard


def log(path, line):
    stamped = f"{datetime.datetime.now():%H:%M:%S} {line}"
    print(stamped, flush=True)
    with open(path, "a", encoding="utf-8") as f:
        f.write(stamped + "\n")


def batch_of(episodes, args, rng, copying, first_id):
    """Rows for one step: about 65% of the episodes short, one long document first in a row."""
    held = []

    def draw(room):
        if room < 48:
            return None
        if rng.random() < copying:
            return data.copying_document(rng, episodes.encoder.size, first_id, 0).cut(room)
        if room == args.length and rng.random() < args.full:
            return episodes.draw("full")
        if held and len(held[-1]) <= room:
            return held.pop()
        for _ in range(4):
            document = episodes.draw("short")
            if len(document) <= room:
                return document
            held.append(document)
        return held.pop().cut(room) if room >= 96 else None

    return [torch.from_numpy(a) for a in data.pack(draw, args.rows, args.length)]


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
    logits = F.linear(hidden.view(-1, hidden.shape[-1])[where], model.embed)
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
    logits = F.linear(out[:, :-2][keep], embed)
    return F.cross_entropy(logits, ids[:, 2:][keep])


class Validation:
    """Exactness of whole turns, the transcript before them given: what greedy decoding gives."""

    def __init__(self, folder, encoder, length, most=48):
        self.sets, self.length = {}, length
        self.edit = [
            i
            for t, i in encoder.markup.get_vocab(with_added_tokens=True).items()
            if 'invoke name="edit">' in t
        ]
        for path in sorted(glob.glob(os.path.join(folder, "valid*.jsonl.gz"))):
            documents = [data.to_document(encoder, e, False) for e in read_shard(path)[: 3 * most]]
            documents = [d for d in documents if len(d) <= length][:most]
            self.sets[os.path.basename(path).removesuffix(".jsonl.gz")] = documents

    @torch.no_grad()
    def run(self, model, qat):
        return {name: self.score(model, documents, qat) for name, documents in self.sets.items()}

    def score(self, model, documents, qat):
        exact = {"edit": [], "repair": [], "read": []}
        right = total = 0
        pending = list(documents)
        while pending:
            group = []

            def draw(room, group=group):
                if pending and len(pending[-1]) <= room:
                    group.append(pending.pop())
                    return group[-1]
                return None

            ids, start, _, _ = [torch.from_numpy(a) for a in data.pack(draw, 1, self.length)]
            guess = model(ids, start, qat)[0].argmax(-1).numpy()
            at = 0
            for d in group:
                ok = np.concatenate([[True], guess[at : at + len(d) - 1] == d.ids[1:]])
                scored = d.assistant & (d.loss > 0)
                right, total = right + ok[scored].sum(), total + scored.sum()
                for begin, end in turns(d.assistant):
                    whole = (d.loss[begin:end] > 0).all()
                    is_edit = np.isin(d.ids[begin:end], self.edit).any()
                    kind = ("edit" if d.first_try else "repair") if is_edit else "read"
                    if whole:
                        exact[kind].append(bool(ok[begin:end].all()))
                at += -(-len(d) // data.ALIGN) * data.ALIGN
        line = {k: f"{sum(v)}/{len(v)}" for k, v in exact.items()}
        line["tokens"] = round(float(right) / max(total, 1), 4)
        return line


def turns(flags):
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return edges.reshape(-1, 2)


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
    a.add_argument("--encoded", help="episodes encoded before: see encode.py")
    a.add_argument("--threads", type=int, default=1)
    return a.parse_args()


def finish_file(args) -> str:
    """DIR/finish, when it is there, overrides --finish: the schedule can be told while it runs."""
    try:
        with open(os.path.join(args.out, "finish"), encoding="utf-8") as f:
            return f.read().strip()
    except FileNotFoundError:
        return args.finish


def main():
    args = parse()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    os.makedirs(args.out, exist_ok=True)
    journal = os.path.join(args.out, "train.log")
    encoder = Encoder(args.tokenizer)
    config = Config.load(args.config) if args.config else Config()
    config.vocab_size = encoder.size
    model = Nano(config)
    optimiser = Optimiser(model, args.muon, args.adam)
    path = os.path.join(args.out, "checkpoint.pt")
    step, tokens, trained, curve = 0, 0, 0.0, []
    if args.resume and os.path.exists(path):
        saved = torch.load(path, weights_only=False)
        model.load_state_dict(saved["model"])
        optimiser.load(saved["optimiser"])
        step, tokens, trained, curve = (
            saved["step"],
            saved["tokens"],
            saved["seconds"],
            saved["curve"],
        )
    episodes = data.Episodes(args.episodes, encoder, args.seed + step, args.length)
    if args.encoded:
        episodes.load(args.encoded)
    while not episodes.pools["short"] and not episodes.scan(4):
        log(journal, "no episodes yet")
        time.sleep(5)
    rng = np.random.default_rng(args.seed + step)
    first_id = 300  # past the scaffolding: ids that data can hold
    count = sum(p.numel() for p in model.parameters())
    log(
        journal,
        f"parameters {count} vocabulary {encoder.size} resume at step {step} tokens {tokens}",
    )

    def save():
        state = {
            "model": model.state_dict(),
            "optimiser": optimiser.state(),
            "config": config.__dict__,
            "step": step,
            "tokens": tokens,
            "seconds": trained,
            "curve": curve,
        }
        torch.save(state, path + ".tmp")
        os.replace(path + ".tmp", path)

    saved_at = evaluated_at = scanned_at = printed_at = time.time()
    window = []
    while True:
        left = seconds_until(clock) if (clock := finish_file(args)) else args.minutes * 60 - trained
        if left <= 0:
            break
        begun = time.time()
        progress = trained / (trained + left)
        factor = min(1.0, (step + 1) / 30) * min(1.0, (1 - progress) / 0.4)
        qat = progress >= args.qat
        copying = max(0.02, 0.4 * (1 - tokens / 600_000))
        batch = batch_of(episodes, args, rng, copying, first_id)
        batch[2] = torch.where(batch[3], batch[2], batch[2] * args.other)
        with_mtp = step % 8 == 7
        for p in model.parameters():
            p.grad = None
        objective, said, other, loads = losses(model, *batch, qat, with_mtp)
        objective.backward()
        norm = torch.nn.utils.clip_grad_norm_(
            [p for n, p in model.named_parameters() if not n.startswith("mtp.")], 1.0
        )
        optimiser.step(factor)
        for block, load in zip(model.layers, loads):
            if not block.ffn.hashed:
                share = load.float() / load.sum()
                block.ffn.bias.add_(0.01 * factor * torch.sign(share.mean() - share))
        step, tokens = step + 1, tokens + batch[0].numel()
        window.append((float(said), float(other), batch[0].numel(), time.time() - begun))
        trained += time.time() - begun
        now = time.time()
        if now - printed_at > 20:
            mean = np.array(window).mean(0)
            rate = mean[2] / mean[3]
            log(
                journal,
                f"step {step} tokens {tokens} assistant {mean[0]:.4f} other {mean[1]:.4f} "
                f"norm {float(norm):.2f} "
                f"lr x{factor:.2f} progress {progress:.3f} qat {int(qat)} {rate:.0f} tokens/s",
            )
            curve.append((tokens, round(float(mean[0]), 4), round(float(mean[1]), 4)))
            window, printed_at = [], now
        if not args.encoded and now - scanned_at > 45:
            if episodes.scan(1):
                log(
                    journal,
                    f"shards {len(episodes.seen)} "
                    + str({k: len(v) for k, v in episodes.pools.items()}),
                )
            scanned_at = time.time()
        if now - saved_at > args.save:
            save()
            saved_at = time.time()
        if now - evaluated_at > args.evaluate:
            evaluate(args, encoder, model, qat, journal, tokens, curve)
            evaluated_at = time.time()
    save()
    if args.evaluate < 3600:
        evaluate(args, encoder, model, True, journal, tokens, curve)
        save()
    log(journal, "finished")


def evaluate(args, encoder, model, qat, journal, tokens, curve):
    for name, score in Validation(args.episodes, encoder, args.length).run(model, qat).items():
        log(journal, f"{name} {json.dumps(score)}")
        curve.append((tokens, name, score))


if __name__ == "__main__":
    main()
