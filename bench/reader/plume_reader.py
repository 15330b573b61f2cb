"""Reads models that `plume export` wrote, as .safetensors or .npz, in NumPy or in PyTorch.

    import plume_reader
    model = plume_reader.load("model.safetensors")      # backend="torch": tensors in PyTorch
    z = model.sample(16, seed=1)                        # latents, from the prior
    images = model.decode(z)                            # 16 x height x width x channels
    eps = model.eps(z, lam=0.0)                         # the score network at log-SNR 0

One file, which needs NumPy (and PyTorch for backend="torch") and nothing of plume: copy it. It
computes in float32, with other orders of sums than plume, so results agree to rounding; those of a
model trained with products in bf16 differ by the rounding of their factors as well.

Arrays have a row for each latent or image; images and spatial latents are height x width x
channels, channels last. The tensors lie in model.tensors by their names, in the layout of PyTorch
(linear out x in, convolution out x in x height x width), and all else that plume says of the model
in model.about, a dictionary.
"""

import json
import math
import zipfile

import numpy as np

FORMAT = 1
DTYPES = {"F32": "<f4", "F64": "<f8", "U32": "<u4"}


def load(path, backend="numpy"):
    """Returns the Model in a file. A file that is not an export is a ValueError."""
    with open(path, "rb") as f:
        zipped = f.read(2) == b"PK"
    about, arrays = _read_npz(path) if zipped else _read_safetensors(path)
    if about.get("format") != FORMAT:
        raise ValueError(f"{path}: an export of format {about.get('format')}; expected {FORMAT}")
    return Model(about, arrays, {"numpy": NumPy, "torch": Torch}[backend]())


def _read_safetensors(path):
    raw = np.memmap(path, np.uint8, "r")
    size = int(raw[:8].view("<u8")[0]) if raw.size >= 8 else raw.size
    if size > raw.size - 8:
        raise ValueError(f"{path}: not a whole safetensors file")
    header = json.loads(raw[8:8 + size].tobytes())
    text = header.pop("__metadata__", {}).get("plume")
    if text is None:
        raise ValueError(f"{path}: not an export of plume: its metadata have no key plume")
    data, arrays = raw[8 + size:], {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        if end > data.size:
            raise ValueError(f"{path}: cut short: {name} ends beyond it")
        arrays[name] = data[begin:end].view(DTYPES[entry["dtype"]]).reshape(entry["shape"])
    return json.loads(text), arrays


def _read_npz(path):
    with zipfile.ZipFile(path) as z:
        if "plume.json" not in z.namelist():
            raise ValueError(f"{path}: not an export of plume: no member is called plume.json")
        about = json.loads(z.read("plume.json"))
    with np.load(path) as z:
        return about, {name: z[name] for name in z.files if not name.startswith("plume.")}


class Model:
    """A decoder, a prior over its latents and, for some methods, an encoder."""

    def __init__(self, about, arrays, backend):
        self.about, self.backend = about, backend
        self.tensors = {name: backend.array(x) for name, x in arrays.items()}
        self.image = tuple(about["data"]["shape"])  # height, width, channels
        self.latent = math.prod(about["latent"])  # numbers of a latent

    def decode(self, z, condition=None):
        """The images of latents (n x latent), nominally in [-1, 1]; of tables the means of their
        encoded columns, which are probabilities of booleans and categories. condition says what
        they are to be like, for a decoder that reads it: see conditions. None: anything."""
        x = self._means(self._run("decoder", {"z": z}, condition))
        return x.reshape((-1,) + self.image)

    def _means(self, out):
        """E[x|z] of the decoder's outputs."""
        likelihood = self.about.get("likelihood", "")
        if likelihood == "clipped":
            return out.clip(-1, 1)
        parts, at = [], 0
        for column in filter(None, likelihood.split(",")):
            kind, _, count = column.partition(":")
            y, at = out[:, at:at + int(count or 1)], at + int(count or 1)
            f = {"bernoulli": self.backend.sigmoid, "categorical": self.backend.softmax}
            parts.append(f[kind](y) if kind in f else y)
        return self.backend.join(parts) if parts else out

    def encode(self, x, condition=None):
        """Mean and log-variance of q(z|x) of images, n x latent each."""
        x = self.backend.array(x)
        out = self._run("encoder", {"x": x.reshape((x.shape[0], -1))}, condition)
        return out[:, :self.latent], out[:, self.latent:]

    def eps(self, u, lam, condition=None):
        """The noise that the score network sees in u at log-SNR lam (a number or one a row):
        sigma u + r(u, lam), sigma^2 = 1/(1 + exp(lam)). u is z, standardised where the prior says
        so."""
        b = self.backend
        u = b.array(u)
        lam = b.array(np.zeros((u.shape[0], 1), np.float32)) + b.array(lam).reshape((-1, 1))
        r = self._run("prior", {"z": u, "lambda": lam}, condition)
        return b.sqrt(b.sigmoid(-lam)) * u + r

    def sample(self, n, seed=0, steps=50, condition=None):
        """n latents of the prior, by DDIM for a diffusion. Give decode the same condition."""
        noise = np.random.default_rng(seed).standard_normal((n, self.latent), np.float32)
        return self.denoise(noise, steps, condition)

    def denoise(self, noise, steps=50, condition=None):
        """What DDIM makes of rows of normal noise."""
        prior, b = self.about["prior"], self.backend
        u = b.array(noise)
        if prior["kind"] == "diffusion":
            levels = np.linspace(prior["lambda_min"], prior["lambda_max"], steps + 1)
            for s, t in zip(levels[:-1], levels[1:]):
                a = alpha(t) / alpha(s)
                u = a * u + (alpha(-t) - a * alpha(-s)) * self.eps(u, s, condition)
        return self.unstandardised(u)

    def unstandardised(self, u):
        """z = mean + exp(log_scale) u, where the prior has these."""
        prior, b = self.about["prior"], self.backend
        if "log_scale" in prior:
            u = b.exp(self.tensors[prior["log_scale"]]) * u
        return u + self.tensors[prior["mean"]] if "mean" in prior else u

    def conditions(self, classes):
        """Conditions of rows of the given classes, by number or name."""
        known = self.about["classes"]
        out = np.zeros((len(classes), len(known["counts"]) - 1), np.float32)
        for row, c in enumerate(classes):
            out[row, known["names"].index(c) if isinstance(c, str) else c] = 1
        return self.backend.array(out)

    def _run(self, network, inputs, condition):
        if network not in self.about["networks"]:
            raise ValueError(f"the model has no {network}: its method is {self.about['method']}")
        net, b = self.about["networks"][network], self.backend
        inputs = {name: b.array(x) for name, x in inputs.items()}
        rows = next(iter(inputs.values())).shape[0]
        values = {}
        for node in net["nodes"]:
            if node["op"] == "input":
                x = inputs.get(node["name"])
                if x is None:  # the condition
                    width = node["shape"][2]
                    zeros = np.zeros((rows, width), np.float32)
                    x = b.array(zeros if condition is None else condition)
                values[node["name"]] = x.reshape([rows] + node["shape"])
            else:
                x = [values[name] for name in node["in"]]
                p = {role: self.tensors[name] for role, name in node.get("params", {}).items()}
                values[node["name"]] = OPS[node["op"]](b, node, p, *x)
        return values[net["output"]].reshape((rows, -1))


def alpha(lam):
    """sqrt(sigmoid(lam)); sigma is alpha(-lam)."""
    return 1 / math.sqrt(1 + math.exp(-lam))


class NumPy:
    exp, sqrt, sin, cos = np.exp, np.sqrt, np.sin, np.cos
    swap = staticmethod(np.transpose)

    def array(self, x):
        x = np.asarray(x)
        return x.astype(np.float32) if x.dtype == np.float64 and x.ndim < 1 else x

    def join(self, x):
        return np.concatenate(x, -1)

    def sigmoid(self, x):
        return 1 / (1 + np.exp(np.minimum(-x, 80)))  # without overflow

    def softmax(self, x):
        e = np.exp(x - x.max(-1, keepdims=True))
        return e / e.sum(-1, keepdims=True)

    def conv(self, x, weight, bias):
        kh, kw = weight.shape[2:]
        h, w = x.shape[1:3]
        x = np.pad(x, ((0, 0), (kh // 2,) * 2, (kw // 2,) * 2, (0, 0)))
        taps = [(i, j) for i in range(kh) for j in range(kw)]
        return bias + sum(x[:, i:i + h, j:j + w] @ weight[:, :, i, j].T for i, j in taps)


class Torch:
    def __init__(self):
        import torch

        self.torch = torch
        self.exp, self.sqrt, self.sin, self.cos = torch.exp, torch.sqrt, torch.sin, torch.cos
        self.sigmoid = torch.sigmoid
        self.swap = torch.permute

    def array(self, x):
        if isinstance(x, self.torch.Tensor):
            return x
        x = np.array(x)  # a copy: the file stays as it is
        return self.torch.from_numpy(x.astype(np.float32) if x.ndim < 1 else x)

    def join(self, x):
        return self.torch.cat(x, -1)

    def softmax(self, x):
        return self.torch.softmax(x, -1)

    def conv(self, x, weight, bias):
        padding = [k // 2 for k in weight.shape[2:]]
        conv = self.torch.nn.functional.conv2d
        return conv(x.permute(0, 3, 1, 2), weight, bias, padding=padding).permute(0, 2, 3, 1)


# The operations. Values are n x height x width x channels, a vector 1 x 1 pixels of channels.


def silu(b, node, p, x):
    return x * b.sigmoid(x)


def scaled(node, p, u, by):
    """(1 + scale) u + shift, which a second input (s, t) turns into (1 + s) y + t."""
    c = node["shape"][2]
    y = u * (1 + p["scale"]) + p.get("shift", 0)
    for m in by:
        y = y * (1 + m[..., :c]) + m[..., c:]
    return y


def groupnorm(b, node, p, x, *by):
    n, h, w, c = x.shape
    g = x.reshape((n, h * w, node["groups"], c // node["groups"]))
    g = g - g.mean((1, 3), keepdims=True)
    u = g / b.sqrt((g * g).mean((1, 3), keepdims=True) + 1e-5)
    y = scaled(node, p, u.reshape((n, h, w, c)), by)
    return silu(b, node, p, y) if node.get("silu") else y


def rmsnorm(b, node, p, x, *by):
    return scaled(node, p, x / b.sqrt((x * x).mean(-1, keepdims=True) + 1e-5), by)


def attention(b, node, p, x):
    n, h, w, c = x.shape[0], x.shape[1], x.shape[2], node["shape"][2]
    heads = node["heads"]
    x = x.reshape((n, h * w, 3, heads, c // heads))
    q, k, v = (b.swap(x[:, :, i], (0, 2, 1, 3)) for i in range(3))
    a = b.softmax(q @ b.swap(k, (0, 1, 3, 2)) * (c // heads) ** -0.5)
    return b.swap(a @ v, (0, 2, 1, 3)).reshape((n, h, w, c))


def merge(b, node, p, x):
    n, h, w, c = x.shape
    if h == 1:  # a signal
        return x.reshape((n, 1, w // 2, 2 * c))
    x = b.swap(x.reshape((n, h // 2, 2, w // 2, 2, c)), (0, 1, 3, 2, 4, 5))
    return x.reshape((n, h // 2, w // 2, 4 * c))


def split(b, node, p, x):
    n, h, w, c = x.shape
    if node["shape"][0] == 1:  # a signal
        return x.reshape((n, 1, 2 * w, c // 2))
    x = b.swap(x.reshape((n, h, w, 2, 2, c // 4)), (0, 1, 3, 2, 4, 5))
    return x.reshape((n, 2 * h, 2 * w, c // 4))


def moments(b, node, p, x):
    n, c = x.shape[0], x.shape[3] // 2
    y = x[..., c:]
    logvar = y / b.sqrt(1 + (y / 20) ** 2)
    out = b.join([x[..., :c].reshape((n, -1)), logvar.reshape((n, -1))])
    return out.reshape((n, 1, 1, -1))


def sinusoids(b, node, p, x):
    angles = x * b.array(np.array(node["frequencies"], np.float32))
    return b.join([b.sin(angles), b.cos(angles)])


OPS = {
    "linear": lambda b, node, p, x: x @ b.swap(p["weight"], (1, 0)) + p["bias"],
    "conv": lambda b, node, p, x: b.conv(x, p["weight"], p["bias"]),
    "silu": silu,
    "sum": lambda b, node, p, x, y: x + y,
    "sum-silu": lambda b, node, p, x, y: silu(b, node, p, x + y),
    "groupnorm": groupnorm,
    "rmsnorm": rmsnorm,
    "attention": attention,
    "gate": lambda b, node, p, x, y: x * y,
    "positions": lambda b, node, p, x: x + b.swap(p["bias"], (1, 2, 0)),
    "merge": merge,
    "split": split,
    "concat": lambda b, node, p, *x: b.join(list(x)),
    "mean": lambda b, node, p, x: x.mean((1, 2), keepdims=True),
    "moments": moments,
    "sinusoids": sinusoids,
    "scales": lambda b, node, p, x: b.join([x, 0 * x[..., :1] + p["bias"]]),
}
