"""Adam and the moving average over flat parameters, for steps.py."""

import math
import time

import torch

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


class ByHandAdam:
    """Adam with the bias correction in rate and epsilon: the fewest passes without fusion."""

    def __init__(self, p, g):
        self.p, self.g, self.t = p, g, 0
        self.m, self.v, self.root = (torch.zeros_like(p) for _ in range(3))

    def step(self, lr):
        self.t += 1
        c1, c2 = 1 - BETA1**self.t, math.sqrt(1 - BETA2**self.t)
        self.m.lerp_(self.g, 1 - BETA1)
        self.v.mul_(BETA2).addcmul_(self.g, self.g, value=1 - BETA2)
        torch.sqrt(self.v, out=self.root)
        self.p.addcdiv_(self.m, self.root.add_(EPSILON * c2), value=-lr * c2 / c1)


class LibraryAdam:
    """torch.optim's Adam over a flat buffer."""

    def __init__(self, p, g, **how):
        leaf = p.detach().requires_grad_()
        leaf.grad = g
        self.optimizer = torch.optim.Adam([leaf], betas=(BETA1, BETA2), eps=EPSILON, **how)
        self.state = self.optimizer.state[leaf]

    def step(self, lr):
        self.optimizer.param_groups[0]["lr"] = lr
        self.optimizer.step()

    m = property(lambda self: self.state["exp_avg"])
    v = property(lambda self: self.state["exp_avg_sq"])


def fastest_adam(n):
    """The fastest Adam for n parameters among those that this version has."""
    best, cost = None, math.inf
    for make in (
        ByHandAdam,
        lambda p, g: LibraryAdam(p, g, foreach=True),
        lambda p, g: LibraryAdam(p, g, fused=True),
    ):
        try:
            adam = make(torch.randn(n), torch.randn(n))
        except (TypeError, RuntimeError):  # not in this version
            continue
        for _ in range(5):
            start = time.perf_counter()
            adam.step(1e-3)
            if time.perf_counter() - start < cost:
                best, cost = make, time.perf_counter() - start
    return best


class Update:
    """The optimiser and the moving average of a part of a network's parameters, and of their copy
    in bf16, if there is one."""

    def __init__(self, p, grads, lr, decay, adam, copy):
        self.p, self.g, self.others, self.copy = p, grads[0], grads[1:], copy
        self.lr, self.decay, self.t = lr, decay, 0
        self.adam, self.average = adam(p, grads[0]), p.clone()

    def __call__(self):
        for g in self.others:
            self.g.add_(g)
        self.t += 1
        self.adam.step(self.lr)
        self.average.lerp_(self.p, 1 - min(self.decay, (1 + self.t) / (10 + self.t)))
        if self.copy is not None:
            self.copy.copy_(self.p)
