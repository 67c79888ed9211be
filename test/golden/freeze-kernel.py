#!/usr/bin/env python3
"""Freezes PyTorch's values of the feature map of a kernel, and NumPy's support vector machines, as JSON.

The machines are solved in the dual by SMO in float64 (Platt 1998, with Keerthi's choice of the most violating pair), until
the largest violation of the KKT conditions is below 1e-10. The points are those that the engine draws for the example.
"""
import json
import os

import numpy as np
import torch

from freeze import HERE, nested, write

torch.set_default_dtype(torch.float64)


def similarity(kernel, gamma, degree, coef0, a, b):
    if kernel == "rbf":
        return torch.exp(-gamma * ((a[:, None, :] - b[None, :, :]) ** 2).sum(-1))
    return a @ b.T if kernel == "linear" else (gamma * (a @ b.T) + coef0) ** degree


def inverse_root(gram):
    values, vectors = torch.linalg.eigh(gram)
    kept = values > 1e-8 * values.max()
    return (vectors[:, kept] / values[kept].sqrt()) @ vectors[:, kept].T


def kernel_case(name, kernel, shape, samples, centers, seed, gamma=None, degree=3, coef0=1.0):
    generator = torch.Generator().manual_seed(seed)
    size = int(np.prod(shape))
    c = torch.randn(centers, size, generator=generator)
    x = torch.randn(samples, *shape, generator=generator).requires_grad_(True)
    used = 1 / size if gamma is None else gamma
    root = inverse_root(similarity(kernel, used, degree, coef0, c, c))
    y = similarity(kernel, used, degree, coef0, x.reshape(samples, -1), c) @ root
    upstream = torch.randn(y.shape, generator=generator)
    (gradient,) = torch.autograd.grad(y, x, upstream)
    options = {"kernel": kernel, "centers": centers, "degree": degree, "coef0": coef0, **({} if gamma is None else {"gamma": gamma})}
    return {
        "name": name, "kind": "kernel", "options": options, "input": nested(x), "parameters": {},
        "buffers": {"centers": nested(c), "whitening": nested(root)},
        "gradOutput": nested(upstream), "output": nested(y), "gradInput": nested(gradient), "gradParameters": {},
    }


def kernel_cases():
    return [
        kernel_case("kernel rbf", "rbf", (3,), 4, 5, 1, gamma=0.7),
        kernel_case("kernel rbf, gamma by the number of inputs", "rbf", (2,), 3, 4, 2),
        kernel_case("kernel rbf of images, more rows than a block", "rbf", (2, 2, 3), 70, 6, 3, gamma=0.05),
        kernel_case("kernel poly", "poly", (3,), 4, 5, 4, gamma=0.5, degree=3, coef0=1.0),
        kernel_case("kernel poly of degree 2 without lower powers", "poly", (2,), 5, 3, 5, gamma=1.0, degree=2, coef0=0.0),
        kernel_case("kernel poly of degree 1", "poly", (2,), 2, 3, 6, gamma=2.0, degree=1, coef0=0.5),
        kernel_case("kernel linear, fewer inputs than centres", "linear", (2,), 3, 5, 7),
        kernel_case("kernel linear, one centre", "linear", (4,), 3, 1, 8),
    ]


def smo(gram, y, c):
    """Coefficients, offset and largest KKT violation of min ½ a'Qa - Σa, 0 <= a <= c, y'a = 0, Q = yy' K."""
    n = len(y)
    alpha = np.zeros(n)
    gradient = -np.ones(n)
    while True:
        score = -y * gradient
        up = ((y > 0) & (alpha < c)) | ((y < 0) & (alpha > 0))
        low = ((y > 0) & (alpha > 0)) | ((y < 0) & (alpha < c))
        i = np.where(up)[0][np.argmax(score[up])]
        j = np.where(low)[0][np.argmin(score[low])]
        gap = score[i] - score[j]
        if gap < 1e-10:
            return alpha, (score[i] + score[j]) / 2, max(gap, 0)
        curvature = max(gram[i, i] + gram[j, j] - 2 * gram[i, j], 1e-14)
        step = gap / curvature
        step = min(step, c - alpha[i] if y[i] > 0 else alpha[i], alpha[j] if y[j] > 0 else c - alpha[j])
        # Exactly onto a bound, so that a coefficient there counts as one.
        for k, by in ((i, y[i] * step), (j, -y[j] * step)):
            moved = alpha[k] + by
            moved = 0.0 if moved < 1e-12 * c else c if moved > c * (1 - 1e-12) else moved
            gradient += y * y[k] * gram[:, k] * (moved - alpha[k])
            alpha[k] = moved


def machine(kernel, points, y, c, gamma=1.0, degree=3, coef0=1.0):
    rows = torch.tensor(points)
    k = lambda a, b: similarity(kernel, gamma, degree, coef0, a, b).numpy()
    gram = k(rows, rows)
    alpha, offset, violation = smo(gram, y, c)
    decide = lambda at: k(torch.tensor(at), rows) @ (alpha * y) + offset
    own = decide(points)
    primal = 0.5 * (alpha * y) @ gram @ (alpha * y) + c * np.maximum(0, 1 - y * own).sum()
    dual = alpha.sum() - 0.5 * (alpha * y) @ gram @ (alpha * y)
    print(f"{kernel}: accuracy {np.mean(np.sign(own) == y)}, {np.sum(alpha > 0)} support vectors, KKT violation {violation:.1e}, "
          f"primal - dual {primal - dual:.1e} of {dual:.3f}")
    assert violation < 1e-10 and primal - dual < 1e-6 * dual
    axis = np.linspace(-1.6, 1.6, 41)
    grid = np.array([[a, b] for b in axis for a in axis])
    return {
        "kernel": kernel, "C": c, "gamma": gamma, "degree": degree, "coef0": coef0, "violation": violation,
        "objective": primal, "dual": dual, "accuracy": float(np.mean(np.sign(own) == y)), "supportVectors": int(np.sum(alpha > 0)),
        "axis": axis.tolist(), "decision": decide(grid).tolist(),
    }


if __name__ == "__main__":
    write("layers-kernel.json", kernel_cases())
    with open(os.path.join(HERE, "svm-points.json"), encoding="utf-8") as file:
        table = np.array(json.load(file))
    points, y = table[:, :2], np.where(table[:, 2] > 0, 1.0, -1.0)
    write("svm.json", [machine(kernel, points, y, 1.25) for kernel in ["linear", "poly", "rbf"]])
