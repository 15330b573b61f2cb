"""What the scripts share that record numbers from PyTorch for Go's tests: the files, and --check.

A file is safetensors: the length of the header, the header as JSON, the tensors' bytes. recorded.go
reads it. Nothing here needs more than NumPy.
"""

import argparse
import json
import struct
import sys

import numpy as np

TYPES = {"F32": np.float32, "F64": np.float64, "U32": np.uint32}


def single(x):
    """x rounded to float32, so that both sides start from the same numbers."""
    return np.asarray(x, np.float32).astype(np.float64)


def write(path, tensors, metadata):
    names = {np.dtype(t).name: name for name, t in TYPES.items()}
    order = sorted(tensors, key=lambda k: (-tensors[k].itemsize, k))
    header, at = {"__metadata__": metadata}, 0
    for k in order:
        a = tensors[k]
        span = [at, at + a.nbytes]
        header[k] = dict(dtype=names[a.dtype.name], shape=list(a.shape), data_offsets=span)
        at += a.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.parent.mkdir(exist_ok=True)
    body = b"".join(tensors[k].tobytes() for k in order)
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


def read(path):
    raw = path.read_bytes()
    n = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8:8 + n])
    header.pop("__metadata__")
    body = raw[8 + n:]
    array = lambda e: np.frombuffer(body[slice(*e["data_offsets"])], TYPES[e["dtype"]])
    return {k: array(e).reshape(e["shape"]) for k, e in header.items()}


def differing(old, new):
    """The names of tensors that differ by more than another libm explains."""

    def same(k):
        if k not in old or k not in new or old[k].shape != new[k].shape:
            return False
        atol = 1e-6 * (1e-30 + np.abs(old[k]).max(initial=0))
        return np.allclose(old[k], new[k], rtol=1e-5, atol=atol)

    return sorted(k for k in old.keys() | new.keys() if not same(k))


def main(path, run):
    """Writes what run returns, tensors and metadata, or compares the file with it."""
    parser = argparse.ArgumentParser(description=f"Record {path.name}.")
    parser.add_argument("--check", action="store_true", help="only compare the file with a new run")
    check = parser.parse_args().check
    tensors, metadata = run()
    if check:
        stale = differing(read(path), tensors)
        sys.exit(f"{path.name} is stale: " + ", ".join(stale) if stale else 0)
    write(path, tensors, metadata)
    print(f"{path}: {path.stat().st_size / 1e3:.0f} kB")
