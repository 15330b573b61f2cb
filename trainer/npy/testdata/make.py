"""Makes types.zip and types.json: what NumPy 2.4.6 writes of the types, orders and format versions
that package npy reads, the values that it reads of them, and what it writes before the elements of
float32 arrays of some shapes. From this directory: python make.py"""
import hashlib
import itertools
import io
import json
import zipfile

import numpy as np

VALUES = {
    "bool": [0, 1, 1, 0, 0, 0, 1, 1, 1, 0, 1, 0],
    "float16": [0, -0.0, 1, -1, 65504, -65504, 5.960464477539063e-08, 6.097555160522461e-05, 0.1, 1 / 3, 1000.5, -7],
    "float32": [0, -0.0, 1, -1, 3.4028234663852886e38, 1.401298464324817e-45, 0.1, 1 / 3, -1e-40, 16777217, 255, -7],
    "float64": [0, -0.0, 1, -1, 1e30, 5e-324, 0.1, 1 / 3, 1e-40, 16777217, 255, -7],
}
for bits in (8, 16, 32, 64):
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    VALUES[f"int{bits}"] = [0, 1, -1, 100, low, high, low + 1, high - 1, 77, -77, 12, -12]
    VALUES[f"uint{bits}"] = [0, 1, 2, 100, 2**bits - 1, 2**bits - 2, 2 ** (bits - 1), high, 77, 127, 12, 3]

expected = {}
with zipfile.ZipFile("types.zip", "w", zipfile.ZIP_DEFLATED) as out:
    for name, values in VALUES.items():
        x = np.array(values, dtype=name).reshape(2, 3, 2)
        expected[name] = [float(v).hex() for v in x.ravel()]
        orders = "<" if x.dtype.itemsize == 1 else "<>"
        for order, layout, major in itertools.product(orders, "CF", (1, 2, 3)):
            y = np.asarray(x, dtype=x.dtype.newbyteorder(order), order=layout)
            file = io.BytesIO()
            np.lib.format.write_array(file, y, version=(major, 0))
            path = f"{name}/{'big' if order == '>' else 'little'}/{layout}/{major}.npy"
            info = zipfile.ZipInfo(path, (2026, 1, 1, 0, 0, 0))
            out.writestr(info, file.getvalue(), zipfile.ZIP_DEFLATED)

halfs = np.arange(65536, dtype="<u2").view("<f2")
finite = halfs[np.isfinite(halfs)].astype("<f4")
headers = []
for shape in [(1,), (12345,), (4, 6), (1000, 2, 2, 1), *((1,) * n for n in range(12, 18))]:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
    headers.append(file.getvalue().decode("latin-1"))

with open("types.json", "w") as file:
    halfs_sha256 = hashlib.sha256(finite.tobytes()).hexdigest()
    json.dump({"values": expected, "finite_halfs_sha256": halfs_sha256, "float32_headers": headers}, file, indent=1)
    file.write("\n")
