#!/usr/bin/env python3
"""Freezes tables, and what Python's csv module and NumPy say they hold: the profile of each column, its correlation with
the target, and samples with equal inputs.

Histograms have 20 bins from the smallest to the largest value; whole numbers of a range below 20 have a bin each.
"""
import collections
import csv
import io
import json
import os

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
MISSING = {"", "NA", "?", "nan"}
random = np.random.default_rng(20241130)
cases = []


def number(cell):
    try:
        return float(cell)
    except ValueError:
        return None


def histogram(values):
    low, high = values.min(), values.max()
    if np.all(values == np.floor(values)) and high - low < 20:
        edges, bins = (low - 0.5, high + 0.5), int(high - low) + 1
    elif low == high:
        edges, bins = (low - 0.5, high + 0.5), 1
    else:
        edges, bins = (low, high), 20
    counts, _ = np.histogram(values, bins=bins, range=edges)
    return {"low": float(edges[0]), "high": float(edges[1]), "counts": counts.tolist()}


def correlation(values, target):
    """Of the pairs that have both. Target: numbers, or texts that are classes."""
    classes = sorted({t for t in target if isinstance(t, str)})
    codes = [classes.index(t) if isinstance(t, str) else t for t in target]
    pairs = [(v, c) for v, c in zip(values, codes) if v is not None and c is not None]
    x, y = np.array(pairs, dtype=np.float64).T
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    if len(classes) <= 2:
        return {"measure": "pearson", "value": float(np.corrcoef(x, y)[0, 1])}
    between = sum((y == c).sum() * (x[y == c].mean() - x.mean()) ** 2 for c in np.unique(y))
    return {"measure": "eta", "value": float(np.sqrt(between / ((x - x.mean()) ** 2).sum()))}


def add(name, text, data=None, loss="mse"):
    names, *rows = list(csv.reader(io.StringIO(text)))
    cells = [[cell.strip() for cell in row] for row in rows]
    as_values = [[None if c in MISSING else (number(c) if number(c) is not None else c) for c in row] for row in cells]
    target = [row[-1] for row in as_values]
    columns = []
    for j, column in enumerate(names):
        values = [row[j] for row in as_values]
        numbers = np.array([v for v in values if isinstance(v, float)])
        present = [v for v in values if v is not None]
        texts = len(present) - len(numbers)
        some = len(numbers) > 0
        columns.append({
            "name": column,
            "count": len(present),
            "missing": len(values) - len(present),
            "min": float(numbers.min()) if some else None,
            "max": float(numbers.max()) if some else None,
            "mean": float(numbers.mean()) if some else None,
            "std": float(numbers.std()) if some else None,
            "distinct": len(set(present)),
            "kind": "empty" if not present else "text" if not some else "mixed" if texts else
                    "integer" if np.all(numbers == np.floor(numbers)) else "number",
            "histogram": histogram(numbers) if some else None,
            "correlation": None if j == len(names) - 1 or not some
            else correlation([v if isinstance(v, float) else None for v in values], target),
        })
    groups = collections.defaultdict(list)
    for row in as_values:
        groups[tuple(row[:-1])].append(row[-1])
    cases.append({
        "name": name,
        "text": text,
        "data": data or {},
        "loss": loss,
        "samples": len(rows),
        "columns": columns,
        "duplicates": sum(len(t) - len(set(t)) for t in groups.values()),
        "contradictory": sum(len(t) for t in groups.values() if len(set(t)) > 1),
    })


def table(names, rows):
    return "\n".join(",".join(map(str, row)) for row in [names, *rows]) + "\n"


normal = random.standard_normal((200, 3))
add("numbers", table("abct", np.column_stack([normal * [1, 1e6, 1e-6] + [0, 1e9, 5], normal.sum(1)]).tolist()))
counts = random.integers(0, 4, (60, 3))
add("whole numbers with duplicates", table("abt", counts.tolist()))
add("a constant column", table("abt", [[3.25, x, 2 * x] for x in range(30)]))
gaps = [[x if i % 5 else "NA", y if i % 7 else "", x - y] for i, (x, y, _) in enumerate(normal.tolist())]
add("missing inputs", table("abt", gaps), {"missing": "mean"})
add("missing inputs that are an error", table("abt", gaps))
kinds = ["setosa", "versicolor", "virginica"]
add("three classes", table("abt", [[x + i % 3, y, kinds[i % 3]] for i, (x, y, _) in enumerate(normal[:90].tolist())]),
    loss="cross_entropy")
add("two classes", table("abt", [[x + i % 2, y, kinds[i % 2]] for i, (x, y, _) in enumerate(normal[:80].tolist())]),
    loss="cross_entropy")
add("text among numbers", "a,b,t\n1,x,0.5\n2.5,y,1.5\nn/o,x,2.5\n4,x,3.5\n1.0,x,0.5\n")
add("equal inputs of other targets", "a,b,t\n1,2,5\n1.0,2.00,6\n3,4,7\n3,4,7\n1,2,5\n9,9,1\n-0,0,2\n0,0,2\n")
add("values on the edges of bins", table("at", [[x / 10, x] for x in range(21)] + [[2, 1], [0, 3], [0.30000000000000004, 2]]))

with open(os.path.join(HERE, "data-profile.json"), "w") as file:
    json.dump({"numpy": np.__version__, "cases": cases}, file, indent=1)
    file.write("\n")
