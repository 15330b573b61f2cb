"""Compares what plume computed with plume_reader and with onnxruntime.

    python check.py FOLDER

The folders in FOLDER have a model each, as model.safetensors, model.npz and, for its networks,
model.onnx, model.score.onnx and model.encoder.onnx, and the arrays that plume computed with it:
z, lambda, condition and x of its inputs, decoded, eps, mean and logvar of its outputs, and sampled,
what DDIM makes of z in 4 steps. The largest distance that about.json allows is relative to the root mean square of plume's numbers. What
Python does not have (NumPy alone is needed) is skipped and said; so is nothing else.
"""

import importlib.util
import json
import pathlib
import sys

import numpy as np

import plume_reader

worst, failed = {}, 0


def compare(name, way, got, want, about):
    """Records how far an output is from plume's."""
    global failed
    way = f"{about['precision']}, {way}"
    got = np.asarray(got)
    error = float(np.abs(got.reshape(want.shape) - want).max() / np.sqrt(np.mean(want**2)))
    worst[way] = max(worst.get(way, 0), error)
    if not error <= about["tolerance"]:
        failed += 1
        print(f"FAIL {name}: {way}: {error:.3g} away from plume, more than {about['tolerance']:g}")


def read(folder):
    return {f.stem: np.load(f) for f in folder.glob("*.npy")}


def readers(folder, arrays, about, backend):
    """Compares the reader on a file of each kind."""
    for ending in ".safetensors", ".npz":
        model = plume_reader.load(folder / ("model" + ending), backend)
        ways = {
            "decoded": lambda m: m.decode(arrays["z"], arrays.get("condition")),
            "sampled": lambda m: m.denoise(arrays["z"], 4, arrays.get("condition")),
        }
        if "eps" in arrays:
            ways["eps"] = lambda m: m.eps(arrays["z"], arrays["lambda"], arrays.get("condition"))
        for i, name in enumerate(["mean", "logvar"]):
            if name in arrays:
                ways[name] = lambda m, i=i: m.encode(arrays["x"], arrays.get("condition"))[i]
        for name, way in ways.items():
            what = f"reader, {backend}, {ending}"
            compare(f"{folder.name} {name}", what, way(model), arrays[name], about)
        assert model.sample(2, seed=3, steps=3).shape == (2, model.latent)
        starts = "cloud_init = 'pca'" in model.about["config"].replace('"', "'")
        assert starts == ("start" in model.about) == ("start.components" in model.tensors)


def onnx(folder, arrays, about):
    """Compares what onnxruntime computes."""
    import onnxruntime

    for ending, outputs in {
        "": {"x": "decoded"}, ".score": {"eps": "eps"},
        ".encoder": {"mean": "mean", "logvar": "logvar"},
    }.items():
        path = folder / f"model{ending}.onnx"
        if not path.exists():
            continue
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        feed = {i.name: arrays[i.name] for i in session.get_inputs()}
        got = session.run(list(outputs), feed)
        for value, name in zip(got, outputs.values()):
            compare(f"{folder.name} {name}", "onnxruntime", value, arrays[name], about)


def main(root):
    have = {m: importlib.util.find_spec(m) is not None for m in ("torch", "onnxruntime", "onnx")}
    folders = sorted(f for f in root.iterdir() if f.is_dir())
    for folder in folders:
        arrays = read(folder)
        about = json.loads((folder / "about.json").read_text())
        readers(folder, arrays, about, "numpy")
        if have["torch"]:
            readers(folder, arrays, about, "torch")
        if have["onnxruntime"]:
            onnx(folder, arrays, about)
        if have["onnx"]:
            import onnx as format

            for path in folder.glob("*.onnx"):
                format.checker.check_model(str(path), full_check=True)
    for module, there in have.items():
        if not there:
            print(f"skipped: {module}, which this Python does not have")
    for way, error in sorted(worst.items()):
        print(f"{way}: at most {error:.2g} away from plume")
    return 1 if failed or not folders else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
