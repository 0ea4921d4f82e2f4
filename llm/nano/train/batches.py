"""Batches of packed rows, made in step with the training or by a thread that runs ahead of it."""

import queue
import threading
import time

import numpy as np
import torch

import data

FIRST_ID = 300  # past the scaffolding: ids that data can hold


class Batches:
    """The next batch of an endless sequence: ids, start, loss, assistant, as tensors [rows, T]."""

    def __init__(self, episodes, args, seed: int, tokens: int):
        self.episodes, self.args, self.tokens = episodes, args, tokens
        self.rng = np.random.default_rng(seed)
        self.made = None

    def next(self, device: str):
        if self.made is None:
            return self.make()
        batch = self.made.get()
        if isinstance(batch, Exception):
            raise batch
        return [part.to(device, non_blocking=True) for part in batch]

    def make(self):
        """About 65% of the episodes short, one long document first in a row."""
        args, rng, episodes = self.args, self.rng, self.episodes
        copying = max(0.02, 0.4 * (1 - self.tokens / 600_000))
        held = []

        def draw(room):
            if room < 48:
                return None
            if rng.random() < copying:
                return data.copying_document(rng, episodes.encoder.size, FIRST_ID, 0).cut(room)
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

        batch = [torch.from_numpy(a) for a in data.pack(draw, args.rows, args.length)]
        batch[2] = torch.where(batch[3], batch[2], batch[2] * args.other)
        self.tokens += batch[0].numel()
        return batch

    def run_ahead(self, report):
        """From now on a thread makes the batches and reads new shards, for a GPU not to wait."""
        self.made = queue.Queue(8)

        def work():
            scanned, pin = time.time(), torch.cuda.is_available()
            try:
                while True:
                    batch = self.make()
                    self.made.put([part.pin_memory() if pin else part for part in batch])
                    if time.time() - scanned > 15:
                        if self.episodes.scan(16):
                            report(self.episodes)
                        scanned = time.time()
            except Exception as error:  # noqa: BLE001 (the trainer raises it)
                self.made.put(error)

        threading.Thread(target=work, daemon=True).start()
