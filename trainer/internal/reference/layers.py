"""Package layer's layers, by PyTorch, for the scripts that record numbers for Go's tests.

Each is a function of parameters p, in the shapes of package layer, and of inputs, rows x H x W x C.
Whatever PyTorch has is PyTorch's own.
"""

import numpy as np
import torch
import torch.nn.functional as F

EPSILON = 1e-5  # of the norms


def channels_first(x):
    return x.permute(0, 3, 1, 2)


def channels_last(x):
    return x.permute(0, 2, 3, 1)


def linear(p, x):
    return F.linear(x, p["weight"].t(), p["bias"])


def conv(p, x):
    """The weight is kh x kw x channels of x x channels of y; zeros lie around a picture."""
    weight = p["weight"].permute(3, 2, 0, 1).contiguous()
    padding = [k // 2 for k in p["weight"].shape[:2]]
    return channels_last(F.conv2d(channels_first(x), weight, p["bias"], padding=padding))


def silu(p, x):
    return F.silu(x)


def group_norm(groups, activated):
    """scale is stored as its deviation from one, here and in the norms below."""

    def f(p, x, *st):
        y = F.group_norm(channels_first(x), groups, 1 + p["scale"], p["shift"], EPSILON)
        y = modulate(p, channels_last(y), *st) if st else channels_last(y)
        return F.silu(y) if activated else y

    return f


def layer_norm(p, x):
    return F.layer_norm(x, x.shape[3:], 1 + p["scale"], p["shift"], EPSILON)


def rms_norm(p, x, *st):
    y = F.rms_norm(x, x.shape[3:], 1 + p["scale"], EPSILON)
    return modulate(p, y, *st) if st else y


def modulate(p, h, st):
    """st holds the scales of all channels as deviations from one, then the shifts."""
    s, t = st.chunk(2, 3)
    return h * (1 + s) + t


def gate(p, x, g):
    return g * x


def total(p, x0, x1):
    return x0 + x1


def sum_silu(p, x0, x1):
    return F.silu(x0 + x1)


def concat(p, x0, x1):
    return torch.cat([x0, x1], 3)


def merge(p, x):
    """Channel (2 dy + dx) C + c of a pixel (h, w) is channel c of pixel (2h + dy, 2w + dx); of a
    signal, channel dx C + c of w is channel c of 2w + dx."""
    if x.shape[1] == 1:
        return torch.cat([x[:, :, 0::2], x[:, :, 1::2]], 3)
    rows, c = x.shape[0], x.shape[3]
    taps = F.unfold(channels_first(x), 2, stride=2)  # rows, (c, dy, dx), pixels
    pixels = taps.view(rows, c, 4, -1).transpose(1, 2).reshape(rows, 4 * c, -1)
    return pixels.transpose(1, 2).reshape(rows, x.shape[1] // 2, x.shape[2] // 2, 4 * c)


def split(p, x):
    """The inverse of merge."""
    c = x.shape[3] // 4
    pixels = channels_first(x).unflatten(1, (4, c)).transpose(1, 2).flatten(1, 2)
    return channels_last(F.pixel_shuffle(pixels, 2))


def split_signal(p, x):
    """The inverse of merge of a signal."""
    return torch.stack(x.chunk(2, 3), 3).flatten(2, 3)


def attention(heads):
    """The pixels of a row attend to each other; a pixel is [q | k | v], a head is contiguous."""

    def f(p, x):
        rows, h, w, c = x.shape
        q, k, v = (part.view(rows, h * w, heads, -1).transpose(1, 2) for part in x.chunk(3, 3))
        y = F.scaled_dot_product_attention(q, k, v)
        return y.transpose(1, 2).reshape(rows, h, w, c // 3)

    return f


def moments(p, x):
    """Means, then bounded log-variances, as one vector."""
    mean, y = (part.flatten(1) for part in x.chunk(2, 3))
    return torch.cat([mean, y / (1 + (y / 20)**2).sqrt()], 1)[:, None, None]


def sinusoids(features, slowest, fastest):
    frequencies = torch.from_numpy(np.geomspace(slowest, fastest, features // 2))
    return lambda p, x: torch.cat([(x * frequencies).sin(), (x * frequencies).cos()], 3)
