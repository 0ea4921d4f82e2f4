"""Muon for matrices, Adam for everything else, over one set of parameters."""

import torch


def orthogonalise(g: torch.Tensor, steps: int) -> torch.Tensor:
    """Nearest semi-orthogonal matrices of g [n, rows, cols], by Newton-Schulz (rows <= cols)."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = g / (g.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(steps):
        s = torch.bmm(x, x.transpose(1, 2))
        poly = torch.baddbmm(s, s, s, beta=b, alpha=c)
        x = torch.baddbmm(x, poly, x, beta=a)
    return x


def matrices_of(name: str, p: torch.Tensor, c) -> torch.Tensor | None:
    """The [n, rows, cols] view of a parameter that Muon treats, or None for Adam's."""
    leaf = name.split(".")[-1]
    if leaf == "wq_b":
        return p.view(c.num_attention_heads, c.head_dim, -1)
    if leaf == "wo_a":
        return p.view(c.o_groups, c.o_lora_rank, -1)
    if leaf in ("w13", "shared13"):
        return p.view(-1, c.moe_intermediate_size, c.hidden_size)
    if leaf == "w2":
        return p
    if leaf in ("wq_a", "wkv", "wgate", "wo_b", "shared2", "e_proj", "h_proj"):
        return p.unsqueeze(0)
    return None


class Optimiser:
    def __init__(self, model, muon_lr=0.02, adam_lr=2e-3, momentum=0.95, steps=4):
        self.muon_lr, self.adam_lr, self.momentum, self.steps = muon_lr, adam_lr, momentum, steps
        self.groups, self.adam = {}, []
        for name, p in model.named_parameters():
            view = matrices_of(name, p.data, model.c)
            if view is None:
                state = {"p": p, "m": torch.zeros_like(p), "v": torch.zeros_like(p), "n": 0}
                self.adam.append(state)
                continue
            wide = view.shape[1] <= view.shape[2]
            shape = tuple(sorted(view.shape[1:]))
            entry = {"p": p, "view": view, "wide": wide, "m": torch.zeros_like(view)}
            # MTP parameters have gradients in some steps only: a group of their own.
            self.groups.setdefault((shape, name.startswith("mtp.")), []).append(entry)

    def step(self, factor: float):
        """One update; factor scales both rates. Parameters without a gradient stay as they are."""
        for group in self.groups.values():
            group = [e for e in group if e["p"].grad is not None]
            if not group:
                continue
            updates = []
            for e in group:
                g = e["p"].grad.view(e["view"].shape)
                e["m"].lerp_(g, 1 - self.momentum)
                u = torch.lerp(g, e["m"], self.momentum)
                updates.append(u if e["wide"] else u.transpose(1, 2))
            whole = orthogonalise(torch.cat(updates), self.steps)
            for e, u in zip(group, whole.split([len(u) for u in updates])):
                u = u if e["wide"] else u.transpose(1, 2)
                gain = max(1.0, u.shape[1] / u.shape[2]) ** 0.5
                e["view"].add_(u, alpha=-self.muon_lr * factor * gain)
        self.step_adam([e for e in self.adam if e["p"].grad is not None], factor)

    def step_adam(self, entries, factor: float):
        """All at once: one by one, the many small vectors would keep a GPU waiting."""
        scales = []
        for e in entries:
            e["n"] += 1
            scale = (1 - 0.98 ** e["n"]) ** 0.5 / (1 - 0.9 ** e["n"])
            scales.append(-self.adam_lr * factor * scale)
        g, m, v = [e["p"].grad for e in entries], *([e[k] for e in entries] for k in "mv")
        torch._foreach_lerp_(m, g, 0.1)
        torch._foreach_lerp_(v, torch._foreach_mul(g, g), 0.02)
        denominators = torch._foreach_sqrt(v)
        torch._foreach_add_(denominators, 1e-8)
        torch._foreach_addcdiv_([e["p"].data for e in entries], m, denominators, scales)

    def state(self):
        entries = [e for g in self.groups.values() for e in g]
        return {
            "muon": [e["m"] for e in entries],
            "adam": [(e["m"], e["v"], e["n"]) for e in self.adam],
        }

    def load(self, state):
        entries = [e for g in self.groups.values() for e in g]
        for e, m in zip(entries, state["muon"], strict=True):
            e["m"].copy_(m)
        for e, (m, v, n) in zip(self.adam, state["adam"], strict=True):
            e["m"].copy_(m)
            e["v"].copy_(v)
            e["n"] = n
