#!/usr/bin/env python3
"""Freezes NumPy's files and their values: arrays of every type, order and version, and what they hold, as JSON.

Made with the NumPy that its output names. The tests read the files and compare with the values.
"""
import gzip
import io
import json
import os
import struct
import zipfile

import numpy as np

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "arrays")
random = np.random.default_rng(20240229)
cases = {}


def save(name, array, version=(1, 0)):
    with open(os.path.join(HERE, name), "wb") as file:
        np.lib.format.write_array(file, array, version=version)
    cases[name] = {"shape": list(array.shape), "values": [float(v) for v in array.flatten(order="C")]}


for code in "i1 i2 i4 i8 u1 u2 u4 u8".split():
    limits = np.iinfo(code)
    low, high = max(limits.min, -(2 ** 53) + 1), min(limits.max, 2 ** 53 - 1)
    values = np.array([[low, high, 0], [1, 2, 100]]).astype(code)
    for order, word in [("<", "little"), (">", "big")]:
        save(f"{code}-{word}.npy", values.astype(order + code))
for code in "f4 f8".split():
    values = random.standard_normal((3, 2, 2)).astype(code)
    values[0, 0] = [np.finfo(code).max, np.finfo(code).tiny]
    for order, word in [("<", "little"), (">", "big")]:
        save(f"{code}-{word}.npy", values.astype(order + code))
        save(f"{code}-{word}-fortran.npy", np.asfortranarray(values.astype(order + code)))
save("bool.npy", np.array([[True, False], [False, True], [True, True]]))
save("fortran-4d.npy", np.asfortranarray(np.arange(2 * 3 * 4 * 5, dtype="<i2").reshape(2, 3, 4, 5)))
save("one-axis.npy", np.array([1.5, -2.5, 3.5]))
save("version-2.npy", np.arange(6, dtype="<f4").reshape(3, 2), version=(2, 0))
save("version-3.npy", np.arange(6, dtype="<f4").reshape(3, 2), version=(3, 0))
save("float32.npy", random.standard_normal((3, 4)).astype("<f4"))
save("labels.npy", np.array([2, 0, 2], dtype="<i8"))

# Archives with a date of their own, so that they are the same bytes every time.
arrays = {"x": random.standard_normal((4, 3)), "y": random.standard_normal((4, 2)).astype("f4"), "labels": np.array([0, 1, 1, 0])}
for name, method in [("stored.npz", zipfile.ZIP_STORED), ("deflated.npz", zipfile.ZIP_DEFLATED)]:
    with zipfile.ZipFile(os.path.join(HERE, name), "w", method) as archive:
        for key, array in arrays.items():
            info = zipfile.ZipInfo(f"{key}.npy", date_time=(2024, 2, 29, 0, 0, 0))
            info.compress_type = method
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, array)
            with archive.open(info, "w", force_zip64=True) as entry:
                entry.write(buffer.getvalue())
    with np.load(os.path.join(HERE, name)) as loaded:
        for key in arrays:
            cases[f"{name}/{key}"] = {"shape": list(loaded[key].shape), "values": [float(v) for v in loaded[key].flatten()]}

images = random.integers(0, 256, (5, 3, 2), dtype=np.uint8)
labels = np.array([7, 0, 7, 3, 0], dtype=np.uint8)


def idx(array):
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


with open(os.path.join(HERE, "images.idx.gz"), "wb") as file:
    file.write(gzip.compress(idx(images), mtime=0))
with open(os.path.join(HERE, "images.idx"), "wb") as file:
    file.write(idx(images))
with open(os.path.join(HERE, "labels.idx"), "wb") as file:
    file.write(idx(labels))
cases["images.idx"] = {"shape": list(images.shape), "values": [float(v) for v in images.flatten()]}
cases["labels.idx"] = {"shape": list(labels.shape), "values": [float(v) for v in labels]}

with open(os.path.join(HERE, "small.csv"), "w", encoding="ascii") as file:
    file.write("x,y,kind\n1,2,a\n3,4,b\n5,6,a\n")

with open(os.path.join(HERE, "values.json"), "w", encoding="utf-8") as file:
    lines = [f"{json.dumps(name)}: {json.dumps(case)}" for name, case in cases.items()]
    file.write(json.dumps({"numpy": np.__version__})[:-1] + ', "cases": {\n' + ",\n".join(lines) + "\n}}\n")
print(f"{len(cases)} arrays, NumPy {np.__version__}")
