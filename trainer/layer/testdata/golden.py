"""Records the golden test of package layer: values and all gradients of every layer, by PyTorch.

    python3 trainer/layer/testdata/golden.py           # writes golden.safetensors beside itself
    python3 trainer/layer/testdata/golden.py --check   # only compares the file with a new run

Needs PyTorch 2.4 and NumPy. The metadata of the committed file holds the versions that it was
recorded with. Everything is computed in float64 by PyTorch's own layers where it has them, and all
gradients are autograd's; only the definitions are shared with the Go code. Inputs come from a
generator that NumPy promises never to change, and are recorded too.

The file (safetensors, F32) holds, for each case of CASES,
    CASE/x0, CASE/x1, ...     inputs, rows x H x W x C
    CASE/param/NAME           parameters, in the shapes of package layer
    CASE/y                    the output
    CASE/dy                   the gradient by the output, random: that of the loss sum(dy * y)
    CASE/dx0, CASE/dx1, ...   its gradients by the inputs, of those cases that have them
    CASE/grad/NAME            its gradients by the parameters
and its metadata holds, for each case, the sizes of its layer as JSON.
"""

import json
import pathlib
import sys

import numpy as np
import torch

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "internal" / "reference"))
import layers
import recorded

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)

PATH = pathlib.Path(__file__).parent / "golden.safetensors"

# ---- Cases ------------------------------------------------------------------------------------

RANDOM = None  # of the case that is recorded


def normals(*shape):
    return recorded.single(RANDOM.standard_normal(shape))


def one_hot(*shape):
    """A class for each row, and none for the second."""
    x = np.zeros(shape)
    for i in range(shape[0]):
        x[i, 0, 0, RANDOM.randint(shape[3])] = i != 1
    return x


def levels(*shape):
    return np.linspace(-9.5, 9.5, shape[0]).astype(np.float32).astype(np.float64).reshape(shape)


def affine(rows, columns):
    return {"weight": (rows, columns), "bias": (columns,)}


def scale_shift(c):
    return {"scale": (c,), "shift": (c,)}


class Case:
    """A layer, its name and sizes for the Go test, and how many rows of which shapes it takes."""

    def __init__(self, layer, f, rows, *shapes, params={}, make=normals, back=True, **sizes):
        self.f, self.params, self.make, self.back = f, params, make, back
        self.shapes = [(rows, *s) for s in shapes]
        self.about = {"layer": layer, **sizes}

    def record(self):
        x = [torch.from_numpy(self.make(*s)).requires_grad_() for s in self.shapes]
        if self.about["layer"] == "Attention":  # sharper than uniform
            x = [(2 * v).detach().requires_grad_() for v in x]
        p = {k: torch.from_numpy(normals(*s) / 2).requires_grad_() for k, s in self.params.items()}
        y = self.f(p, *x)
        dy = torch.from_numpy(normals(*y.shape))
        by = (x if self.back else []) + list(p.values())
        grads = list(torch.autograd.grad((dy * y).sum(), by)) if by else []
        out = {f"x{i}": v for i, v in enumerate(x)} | {f"param/{k}": v for k, v in p.items()}
        out |= {"y": y, "dy": dy}
        out |= {f"dx{i}": grads.pop(0) for i in range(len(x)) if self.back}
        out |= {f"grad/{k}": grads.pop(0) for k in p}
        return {k: v.detach().numpy().astype(np.float32, order="C") for k, v in out.items()}


def case_linear(rows, h, w, c, out):
    return Case("Linear", layers.linear, rows, (h, w, c), params=affine(c, out), channels=out)


def case_conv(size, rows, h, w, c, out):
    """A window of size x size pixels, or 1 x size for signals."""
    params = {"weight": (size if h > 1 else 1, size, c, out), "bias": (out,)}
    return Case("Conv", layers.conv, rows, (h, w, c), params=params, size=size, channels=out)


def case_group(groups, rows, h, w, c, modulated=False, activated=False):
    more = [(1, 1, 2 * c)] * modulated
    return Case("GroupNorm", layers.group_norm(groups, activated), rows, (h, w, c), *more,
                params=scale_shift(c), groups=groups, silu=activated)


def case_attention(heads, rows, h, w, c):
    return Case("Attention", layers.attention(heads), rows, (h, w, 3 * c), heads=heads)


CASES = {
    "linear-pixels": case_linear(3, 3, 5, 7, 11),
    "linear-row": case_linear(1, 1, 1, 19, 33),
    "linear-rows": case_linear(9, 1, 1, 33, 3),
    "class": Case("Linear", layers.linear, 5, (1, 1, 7), params=affine(7, 9), make=one_hot,
                  channels=9),
    "conv-3x3": case_conv(3, 3, 5, 7, 3, 5),
    "conv-3x3-row": case_conv(3, 1, 4, 5, 17, 33),
    "conv-3x3-grey": case_conv(3, 2, 6, 3, 1, 4),
    "conv-5x5": case_conv(5, 2, 7, 9, 3, 4),
    "conv-5x5-low": case_conv(5, 3, 2, 3, 4, 7),
    "conv-5x5-narrow": case_conv(5, 1, 3, 1, 2, 3),
    "conv-1x1": case_conv(1, 3, 5, 3, 7, 9),
    "conv-signal": case_conv(3, 3, 1, 11, 3, 5),
    "conv-signal-row": case_conv(5, 1, 1, 3, 9, 4),
    "conv-signal-sample": case_conv(3, 4, 1, 1, 5, 3),
    "silu": Case("SiLU", layers.silu, 3, (3, 5, 7)),
    "group-norm": case_group(3, 3, 5, 3, 12),
    "group-norm-row": case_group(5, 1, 3, 3, 35),
    "group-norm-one": case_group(1, 2, 3, 5, 7),
    "group-norm-each": case_group(9, 3, 3, 5, 9),
    "group-norm-pixel": case_group(2, 4, 1, 1, 10),
    "group-norm-silu": case_group(3, 3, 3, 5, 9, activated=True),
    "group-norm-modulated": case_group(4, 2, 5, 3, 12, modulated=True),
    "group-norm-modulated-silu": case_group(3, 3, 3, 5, 9, modulated=True, activated=True),
    "group-norm-modulated-row": case_group(7, 1, 1, 7, 35, modulated=True, activated=True),
    "layer-norm": Case("LayerNorm", layers.layer_norm, 3, (3, 5, 11), params=scale_shift(11)),
    "layer-norm-row": Case("LayerNorm", layers.layer_norm, 1, (1, 1, 35), params=scale_shift(35)),
    "rms-norm": Case("RMSNorm", layers.rms_norm, 3, (3, 5, 11), params={"scale": (11,)}),
    "rms-norm-row": Case("RMSNorm", layers.rms_norm, 1, (1, 1, 35), params={"scale": (35,)}),
    "rms-norm-modulated": Case("RMSNorm", layers.rms_norm, 3, (3, 5, 11), (1, 1, 22),
                               params={"scale": (11,)}),
    "gate": Case("Gate", layers.gate, 3, (3, 5, 7), (1, 1, 7)),
    "gate-row": Case("Gate", layers.gate, 1, (1, 3, 33), (1, 1, 33)),
    "sum": Case("Sum", layers.total, 3, (3, 5, 7), (3, 5, 7)),
    "sum-silu": Case("SumSiLU", layers.sum_silu, 3, (3, 5, 7), (3, 5, 7)),
    "concat": Case("Concat", layers.concat, 3, (3, 5, 4), (3, 5, 7)),
    "concat-row": Case("Concat", layers.concat, 1, (1, 1, 33), (1, 1, 3)),
    "merge": Case("Merge", layers.merge, 3, (6, 10, 3)),
    "merge-row": Case("Merge", layers.merge, 1, (2, 2, 5)),
    "split": Case("Split", layers.split, 3, (3, 5, 12)),
    "split-row": Case("Split", layers.split, 1, (1, 1, 20)),
    "attention": case_attention(3, 3, 3, 5, 12),
    "attention-one": case_attention(1, 2, 3, 3, 7),
    "attention-each": case_attention(5, 2, 1, 7, 5),
    "attention-row": case_attention(2, 1, 1, 11, 34),
    "attention-pixel": case_attention(2, 3, 1, 1, 6),
    "moments": Case("Moments", layers.moments, 3, (3, 5, 6)),
    "sinusoids": Case("Sinusoids", layers.sinusoids(10, 0.05, 5), 7, (1, 1, 1), make=levels,
                      back=False, features=10, slowest=0.05, fastest=5),
    "conv-3x3-squares": case_conv(3, 3, 4, 6, 17, 33),
    "conv-3x3-squares-wide": case_conv(3, 2, 2, 4, 70, 18),
}


def run():
    """All tensors, and the metadata."""
    global RANDOM
    tensors, metadata = {}, {"torch": torch.__version__, "numpy": np.__version__}
    for number, (name, case) in enumerate(CASES.items()):
        RANDOM = np.random.RandomState(number)
        tensors.update({f"{name}/{k}": v for k, v in case.record().items()})
        metadata[name] = json.dumps(case.about)
    return tensors, metadata


if __name__ == "__main__":
    recorded.main(PATH, run)
