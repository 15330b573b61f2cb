"""PyTorch's side of the kernel benchmark: a worker of worker.go, with one thread.

    python3 bench/peers/kernels.py

Every kernel is written as PyTorch runs it fastest: into tensors that exist. Where there are several
ways they are all tried when the inputs are made, and the fastest is measured and named.
"""

import math
import sys
import time

import torch

SLICE = 0.02  # seconds
H = 1e-3

torch.set_num_threads(1)
torch.manual_seed(1)
aten = torch.ops.aten


def langevin(n):
    z, g, noise = torch.randn(n), torch.randn(n), torch.empty(n)

    def run():
        noise.normal_()
        z.add_(g, alpha=-H)
        z.add_(noise, alpha=math.sqrt(2 * H))

    return {"normal_, add_, add_": run}


def normals(n):
    x = torch.empty(n)
    return {"normal_": lambda: x.normal_()}


def silu(n):
    x, y = 2 * torch.randn(n), torch.empty(n)
    return {"silu.out": lambda: aten.silu.out(x, out=y)}


def silu_backward(n):
    x, dy, dx = 2 * torch.randn(n), torch.randn(n), torch.empty(n)
    return {"silu_backward.grad_input": lambda: aten.silu_backward.grad_input(dy, x, grad_input=dx)}


def adam(n):
    lr, b1, b2, eps, c1, c2 = 1e-3, 0.9, 0.999, 1e-8, 0.1, 0.01
    p, m, v, g, d = torch.randn(n), torch.zeros(n), torch.zeros(n), torch.randn(n), torch.empty(n)

    def sequence(mean):
        def run():
            mean()
            v.mul_(b2).addcmul_(g, g, value=1 - b2)
            torch.sqrt(v, out=d)
            d.mul_(1 / math.sqrt(c2)).add_(eps)
            p.addcdiv_(m, d, value=-lr / c1)

        return run

    def folded():  # the factor of d moved into lr and eps: one pass less
        m.lerp_(g, 1 - b1)
        v.mul_(b2).addcmul_(g, g, value=1 - b2)
        torch.sqrt(v, out=d)
        d.add_(eps * math.sqrt(c2))
        p.addcdiv_(m, d, value=-lr * math.sqrt(c2) / c1)

    ways = {
        "by hand": sequence(lambda: m.mul_(b1).add_(g, alpha=1 - b1)),
        "by hand, lerp_": sequence(lambda: m.lerp_(g, 1 - b1)),
        "by hand, lerp_, correction folded": folded,
    }
    for each in (False, True):
        q = p.clone().requires_grad_()
        q.grad = g
        try:
            ways[f"torch.optim.Adam(foreach={each})"] = torch.optim.Adam([q], lr=lr, foreach=each).step
        except TypeError:  # a version without foreach
            pass
    return ways


def axpy(n):
    y, x = torch.randn(n), torch.randn(n)
    return {"add_": lambda: y.add_(x, alpha=1e-3)}


def sgd(n):
    p, g = torch.randn(n), torch.randn(n)
    return {"add_": lambda: p.add_(g, alpha=-1e-3)}


def ema(n):
    avg, p = torch.randn(n), torch.randn(n)
    return {"lerp_": lambda: avg.lerp_(p, 1e-3)}


KERNELS = {
    "langevin": langevin, "normals": normals, "silu": silu, "silu-backward": silu_backward,
    "adam": adam, "axpy": axpy, "sgd": sgd, "ema": ema,
}


def measure(run, times):
    start = time.perf_counter()
    for _ in range(times):
        run()
    return time.perf_counter() - start


def calibrate(run):
    run()
    times = 1
    while measure(run, times) < SLICE / 2:
        times *= 2
    return times


def fastest(ways):
    if len(ways) == 1:
        (name, run), = ways.items()
        return name, run, calibrate(run)
    times = {name: calibrate(run) for name, run in ways.items()}
    cost = {name: min(measure(run, times[name]) / times[name] for _ in range(3)) for name, run in ways.items()}
    name = min(cost, key=cost.get)
    return name, ways[name], times[name]


def serve():
    held, name, run, times = None, "", None, 0
    with torch.no_grad():
        for line in iter(sys.stdin.readline, ""):
            kernel, n = line.split()
            if kernel == "about":
                print("PyTorch", torch.__version__, flush=True)
                continue
            if kernel not in KERNELS:
                print("none", flush=True)
                continue
            if line != held:
                name = run = None  # lets go of the memory
                name, run, times = fastest(KERNELS[kernel](int(n)))
                held = line
            measure(run, (times + 15) // 16)
            print(measure(run, times) * 1e9 / (times * int(n)), name, flush=True)


if __name__ == "__main__":
    serve()
