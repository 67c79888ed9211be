#!/usr/bin/env python3
"""Freezes NumPy's values of the transforms of data: fitted on some rows, applied to all, as JSON."""
import json
import os

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
random = np.random.default_rng(20240229)
cases = []


def axes(x, per):
    """The axes that are measured together."""
    return {"feature": (0,), "channel": (0,) + tuple(range(2, x.ndim)), "all": tuple(range(x.ndim))}[per]


def case(kind, options, x, train, y, values):
    cases.append({
        "kind": kind, "options": options, "shape": list(x.shape[1:]), "samples": len(x), "train": train,
        "inputs": x.flatten().tolist(), "outputs": y.flatten().tolist(),
        "values": {name: np.asarray(value).flatten().tolist() for name, value in values.items()},
    })


def standardize(x, train, per, constant=False):
    part = x[train]
    mean = part.mean(axes(x, per), keepdims=True)
    std = part.std(axes(x, per), keepdims=True)
    case("standardize", {"per": per}, x, train, (x - mean) / np.where(std < 1e-12, 1, std), {"mean": mean, "std": std})


train = [0, 2, 3, 5, 8, 9, 10, 11]
table = random.standard_normal((12, 3)) * [1, 100, 1e-3] + [5, -3e4, 0]
images = random.integers(0, 256, (12, 2, 3, 4)).astype(float)
for per in ["feature", "channel", "all"]:
    standardize(table, train, per)
    standardize(images, train, per)
    for x in [table, images]:
        mean = x[train].mean(axes(x, per), keepdims=True)
        case("subtract_mean", {"per": per}, x, train, x - mean, {"mean": mean})
        low, high = x[train].min(axes(x, per), keepdims=True), x[train].max(axes(x, per), keepdims=True)
        case("min_max", {"per": per, "low": -1, "high": 2}, x, train, (x - low) / (high - low) * 3 - 1, {"min": low, "max": high})
with_constant = table.copy()
with_constant[:, 1] = 0.1
standardize(with_constant, train, "feature")

correlated = random.standard_normal((40, 5)) @ random.standard_normal((5, 5)) + [1, 2, 3, 4, 5]
# One direction without any variance.
flat = correlated.copy()
flat[:, 4] = flat[:, 0] + flat[:, 1]
rows = list(range(0, 40, 2)) + list(range(1, 20, 2))
for x, epsilon in [(correlated, 1e-5), (correlated, 0.1), (flat, 1e-3), (images.repeat(3, 0)[:36] + random.standard_normal((36, 2, 3, 4)), 1e-2)]:
    part = x[[r for r in rows if r < len(x)]]
    used = [r for r in rows if r < len(x)]
    mean = part.mean(0)
    centred = (part - mean).reshape(len(part), -1)
    values, vectors = np.linalg.eigh(centred.T @ centred / len(part))
    whitening = vectors @ np.diag(1 / np.sqrt(np.maximum(values, 0) + epsilon)) @ vectors.T
    y = (x - mean).reshape(len(x), -1) @ whitening
    case("zca", {"epsilon": epsilon}, x, used, y, {"mean": mean, "eigenvalues": values[::-1]})

with open(os.path.join(HERE, "transforms.json"), "w", encoding="utf-8") as file:
    file.write(f'{{"numpy": {json.dumps(np.__version__)}, "cases": [\n' + ",\n".join(json.dumps(c) for c in cases) + "\n]}\n")
print(f"{len(cases)} cases, NumPy {np.__version__}")
