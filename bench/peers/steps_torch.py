"""What PyTorch's scripts share: settings, threads, views of flat parameters, layers."""

import concurrent.futures
import os

import torch

from steps_common import places

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", 1)))
torch.set_flush_denormal(True)
torch.manual_seed(1)

silu = torch.nn.functional.silu
COMPILES = hasattr(torch, "compile")


def has_bf16():
    """Whether oneDNN has products in bf16 here. Without them they are loops that take minutes."""
    try:
        return torch.ops.mkldnn._is_mkldnn_bf16_supported()
    except (AttributeError, RuntimeError):  # not in this version
        return False


class Threads:
    """Calls a function for each of n pieces: the first on this thread, the others on their own."""

    def __init__(self, n):
        self.n = n
        self.pool = concurrent.futures.ThreadPoolExecutor(
            max(1, n - 1), initializer=torch.set_flush_denormal, initargs=(True,))

    def __call__(self, f):
        others = [self.pool.submit(f, i) for i in range(1, self.n)]
        f(0)
        for o in others:
            o.result()


def compiled(f):
    return torch.compile(f, dynamic=False)


def parse(way):
    """The type of the products' factors, the kind, and the number of pieces of a way such as
    "bf16-by-hand-x2"."""
    kind, _, pieces = way.removeprefix("bf16-").partition("-x")
    return torch.bfloat16 if way.startswith("bf16-") else torch.float32, kind, int(pieces or 1)


def ways_of(kinds, in_bf16):
    """The ways of kinds, and in bf16 of others; if PyTorch has only one thread, also with two
    pieces and a thread for each."""
    alone = torch.get_num_threads() == 1 and os.environ.get("OPENBLAS_NUM_THREADS", "1") == "1"
    ways = [*kinds, *("bf16-" + k for k in in_bf16 if has_bf16())]
    return ways + [w + "-x2" for w in ways] * alone


def autocast(dtype):
    """The context in which the factors of products are rounded to bf16, if that is dtype."""
    return torch.autocast("cpu", torch.bfloat16, enabled=dtype is torch.bfloat16)


def cut(n, pieces, i):
    return n * i // pieces, n * (i + 1) // pieces


def tensors(arrays):
    return [torch.from_numpy(a).clone() for a in arrays]


def views(layers, flat):
    """The weight and the bias of each layer."""
    return [(flat[i:j].view(shape), flat[j:k]) for i, j, k, shape in places(layers)]


def linear(x, weight, bias):
    return torch.addmm(bias, x, weight)


def convolution(x, weight, bias):
    """linear as a 1 x 1 convolution of an image of rows x 1 pixels, which oneDNN computes."""
    image = x.view(1, x.shape[0], 1, x.shape[1]).permute(0, 3, 1, 2)
    out = torch.nn.functional.conv2d(image, weight.t()[:, :, None, None], bias)
    return out.permute(0, 2, 3, 1).reshape(x.shape[0], weight.shape[1])


def features(lam, frequencies):
    phase = lam[:, None] * frequencies
    return torch.cat([phase.sin(), phase.cos()], 1)


def blocks(h, emb, layers, affine):
    """The residual blocks; layers lists their weights and biases."""
    for l in range(0, len(layers), 4):
        h = h + affine(silu(affine(silu(h + emb), *layers[l:l + 2])), *layers[l + 2:l + 4])
    return h
