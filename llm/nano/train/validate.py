"""How much of held-out transcripts a model writes as the teacher did."""

import glob
import os

import numpy as np
import torch

import data
from encoder import read_shard


class Validation:
    """Exactness of whole turns, the transcript before them given: what greedy decoding gives."""

    def __init__(self, folder, encoder, length, device, most=48):
        self.sets, self.length, self.device = {}, length, device
        # Rows come singly here: not worth compiling for where a training row comes with many.
        self.eager = torch.device(device).type == "cuda"
        self.edit = [i for t, i in encoder.vocab.items() if 'invoke name="edit">' in t]
        for path in sorted(glob.glob(os.path.join(folder, "valid*.jsonl.gz"))):
            documents = [data.to_document(encoder, e, False) for e in read_shard(path)[: 3 * most]]
            documents = [d for d in documents if len(d) <= length][:most]
            self.sets[os.path.basename(path).removesuffix(".jsonl.gz")] = documents

    @torch.no_grad()
    def run(self, model, qat):
        with torch.compiler.set_stance("force_eager" if self.eager else "default"):
            return {name: self.score(model, d, qat) for name, d in self.sets.items()}

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
            ids, start = ids.to(self.device), start.to(self.device)
            guess = model(ids, start, qat)[0].argmax(-1).cpu().numpy()
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
