#!/usr/bin/env python3
"""Freezes PyTorch's float64 values of sequences, samples of positions x features, as JSON.

Layers; cross-entropy with a target at each position, or with its options; and 20 steps of a small GPT.
"""
import math

import torch
from torch.nn import functional as F

from freeze import leaf, nested, one_hot, write


def attention(options, parameters, xs):
    """nn.MultiheadAttention with these parameters."""
    query, key, value = (xs + [xs[-1]] * 2)[:3]
    width = query.shape[-1]
    layer = torch.nn.MultiheadAttention(width, options["num_heads"], bias=options.get("bias", True), batch_first=True,
                                        kdim=key.shape[-1], vdim=value.shape[-1])
    rows, columns = query.shape[1], key.shape[1]
    mask = torch.triu(torch.ones(rows, columns, dtype=torch.bool), 1) if options.get("is_causal") else None
    own = dict(layer.named_parameters())
    assert set(own) == set(parameters), (set(own), set(parameters))
    return torch.nn.utils.stateless.functional_call(
        layer, parameters, (query, key, value), {"attn_mask": mask, "need_weights": True})[0]


def sinusoids(positions, features):
    angles = torch.arange(positions)[:, None] / 10000 ** (2 * torch.div(torch.arange(features), 2, rounding_mode="floor") / features)
    return torch.where(torch.arange(features) % 2 == 0, torch.sin(angles), torch.cos(angles))


def apply(kind, options, parameters, xs):
    x = xs[0]
    if kind == "multihead_attention":
        return attention(options, parameters, xs)
    if kind == "embedding":
        return F.embedding(x.long(), parameters["weight"], padding_idx=options.get("padding_idx"))
    if kind == "positional_encoding":
        positions, features = x.shape[1:]
        table = parameters["weight"][:positions] if "weight" in parameters else sinusoids(positions, features)
        return x + table
    if kind == "rms_norm":
        axes = tuple(range(-len(options.get("normalized_shape", x.shape[1:])), 0))
        y = x * torch.rsqrt(x.pow(2).mean(axes, keepdim=True) + options.get("eps", torch.finfo(torch.float32).eps))
        return y * parameters["weight"] if "weight" in parameters else y
    if kind == "layer_norm":
        return F.layer_norm(x, options["normalized_shape"], parameters["weight"], parameters["bias"], options.get("eps", 1e-5))
    if kind == "linear":
        return F.linear(x, parameters["weight"], parameters.get("bias"))
    if kind == "linear_transpose":
        return F.linear(x, parameters["weight"].T, parameters.get("bias"))
    if kind == "softmax":
        return torch.softmax(x, dim=-1)
    if kind == "log_softmax":
        return torch.log_softmax(x, dim=-1)
    if kind == "gelu":
        return F.gelu(x)
    raise ValueError(kind)


def case(name, kind, options, xs, parameters=None):
    parameters = {k: leaf(v) for k, v in (parameters or {}).items()}
    xs = [leaf(x) for x in xs]
    y = apply(kind, options, parameters, xs)
    grad_output = torch.randn(*y.shape)
    y.backward(grad_output)
    # Indices have no gradient.
    gradients = [nested(torch.zeros_like(x) if x.grad is None else x.grad) for x in xs]
    return {
        "name": f"{kind}: {name}",
        "kind": kind,
        "options": options,
        "input": nested(xs[0]),
        **({"otherInputs": [nested(x) for x in xs[1:]]} if len(xs) > 1 else {}),
        "parameters": {k: nested(v) for k, v in parameters.items()},
        "gradOutput": nested(grad_output),
        "output": nested(y),
        "gradInput": gradients[0],
        **({"gradOtherInputs": gradients[1:]} if len(xs) > 1 else {}),
        "gradParameters": {k: nested(v.grad) for k, v in parameters.items()},
        # The same number added to all scores of a row changes nothing: the gradient of the key's bias cancels out to 0.
        **({"atol": 1e-14} if kind == "multihead_attention" else {}),
    }


def attention_parameters(width, key=None, value=None, bias=True):
    if key is None:
        projections = {"in_proj_weight": torch.randn(3 * width, width) / width ** 0.5}
    else:
        projections = {f"{name}_proj_weight": torch.randn(width, size) / size ** 0.5
                       for name, size in (("q", width), ("k", key), ("v", value))}
    weight = torch.randn(width, width) / width ** 0.5
    if not bias:
        return {**projections, "out_proj.weight": weight}
    return {**projections, "in_proj_bias": torch.randn(3 * width), "out_proj.weight": weight, "out_proj.bias": torch.randn(width)}


def cases():
    torch.manual_seed(70)
    found = []
    for name, options, shapes, parameters in (
        ("self, 2 heads", {"num_heads": 2}, [(3, 5, 4)], attention_parameters(4)),
        ("self, causal, 4 heads", {"num_heads": 4, "is_causal": True}, [(2, 6, 8)], attention_parameters(8)),
        ("self, one head, no bias", {"num_heads": 1, "bias": False}, [(2, 3, 5)], attention_parameters(5, bias=False)),
        ("one position", {"num_heads": 3, "is_causal": True}, [(2, 1, 3)], attention_parameters(3)),
        ("cross, key and value of one input", {"num_heads": 2}, [(3, 2, 4), (3, 5, 4)], attention_parameters(4)),
        ("cross, three inputs, causal", {"num_heads": 2, "is_causal": True}, [(2, 4, 6), (2, 3, 6), (2, 3, 6)],
         attention_parameters(6)),
        ("cross, key and value of other sizes", {"num_heads": 2}, [(2, 3, 4), (2, 5, 3), (2, 5, 7)],
         attention_parameters(4, 3, 7)),
        ("cross, other sizes, no bias", {"num_heads": 1, "bias": False}, [(2, 3, 2), (2, 4, 3)],
         attention_parameters(2, 3, 3, bias=False)),
    ):
        found.append(case(name, "multihead_attention", options, [torch.randn(*shape) for shape in shapes], parameters))
    # Large scores: one weight is 1, the others underflow.
    found.append(case("extremes of scores", "multihead_attention", {"num_heads": 1}, [20 * torch.randn(2, 4, 3)], attention_parameters(3)))
    for name, options, indices, size in (
        ("each index once", {}, [[0, 3, 1], [4, 2, 0]], (5, 3)),
        ("duplicates add up", {}, [[1, 1, 1, 2], [2, 1, 0, 0]], (3, 2)),
        ("one row", {}, [[0], [0], [0]], (1, 4)),
        ("unused rows", {}, [[6, 6]], (8, 1)),
        ("padding", {"padding_idx": 2}, [[2, 1, 2, 0], [0, 2, 2, 1]], (4, 3)),
    ):
        rows, width = size
        weight = torch.randn(rows, width)
        if "padding_idx" in options:
            weight[options["padding_idx"]] = 0
        found.append(case(name, "embedding", {"num_embeddings": rows, "embedding_dim": width, **options},
                          [torch.tensor(indices, dtype=torch.float64)], {"weight": weight}))
    for name, options, shape, rows in (
        ("learned", {}, (3, 4, 5), 4),
        ("learned, longer table", {"max_len": 7}, (2, 3, 2), 7),
        ("learned, one position", {}, (2, 1, 3), 1),
        ("sinusoidal", {"encoding": "sinusoidal"}, (2, 6, 8), None),
        ("sinusoidal, odd size, long", {"encoding": "sinusoidal"}, (1, 70, 3), None),
    ):
        parameters = {"weight": torch.randn(rows, shape[2])} if rows else {}
        found.append(case(name, "positional_encoding", options, [torch.randn(*shape)], parameters))
    for name, options, shape in (
        ("whole sample", {}, (3, 5)),
        ("last axis of a sequence", {"normalized_shape": [4]}, (2, 3, 4)),
        ("no weight", {"normalized_shape": [3], "elementwise_affine": False}, (2, 5, 3)),
        ("large eps, one value", {"eps": 0.5}, (4, 1)),
        ("image", {"normalized_shape": [2, 3]}, (2, 2, 2, 3)),
    ):
        parameters = {} if options.get("elementwise_affine") is False else {"weight": torch.randn(*options.get("normalized_shape", shape[1:]))}
        found.append(case(name, "rms_norm", options, [torch.randn(*shape)], parameters))
    found.append(case("last axis of a sequence", "layer_norm", {"normalized_shape": [4]}, [torch.randn(3, 5, 4)],
                      {"weight": torch.randn(4), "bias": torch.randn(4)}))
    found.append(case("at each position", "linear", {"out_features": 5}, [torch.randn(3, 4, 2)],
                      {"weight": torch.randn(5, 2), "bias": torch.randn(5)}))
    found.append(case("at each position, no bias", "linear", {"out_features": 2, "bias": False}, [torch.randn(2, 1, 6)],
                      {"weight": torch.randn(2, 6)}))
    found.append(case("at each position", "linear_transpose", {"out_features": 4}, [torch.randn(2, 5, 3)],
                      {"weight": torch.randn(3, 4), "bias": torch.randn(4)}))
    for kind in ("softmax", "log_softmax"):
        found.append(case("at each position", kind, {}, [3 * torch.randn(2, 4, 5)]))
    return found


def loss_case(name, options, prediction, labels):
    """Labels are class indices, -1 where there is no target; or rows of probabilities."""
    prediction = leaf(prediction)
    classes = prediction.shape[-1]
    given = dict(options)
    ignored = given.pop("ignore_index", -1)
    if "weight" in given:
        given["weight"] = torch.tensor(given["weight"], dtype=torch.float64)
    if labels.dtype == torch.float64:
        value, target = F.cross_entropy(prediction, labels, **given), labels
    else:
        # PyTorch wants the classes in front of the positions.
        value = F.cross_entropy(prediction.transpose(1, -1), labels, ignore_index=ignored, **given)
        target = one_hot(labels.clamp(min=0).tolist(), classes) * (labels != ignored)[..., None]
    value.backward()
    return {
        "name": f"cross_entropy, {name}",
        "kind": "cross_entropy",
        "options": options,
        "prediction": nested(prediction),
        "target": nested(target),
        "value": value.item(),
        "gradPrediction": nested(prediction.grad),
    }


def loss_cases():
    torch.manual_seed(71)
    found = []
    weight = [0.5, 2.0, 0.0, 1.25]
    for where, shape in (("rows", (5, 4)), ("at positions", (3, 6, 4)), ("at one position", (2, 1, 4))):
        for reduction in ("mean", "sum"):
            labels = torch.randint(0, 4, shape[:-1])
            labels.view(-1)[:2] = torch.tensor([1, 3])
            for options in ({}, {"weight": weight}, {"label_smoothing": 0.1}, {"ignore_index": 3},
                            {"weight": weight, "label_smoothing": 0.3, "ignore_index": 1}, {"label_smoothing": 1.0}):
                name = ", ".join([where, reduction, *(f"{k} {v}" for k, v in options.items())])
                all_options = options if reduction == "mean" else {**options, "reduction": reduction}
                found.append(loss_case(name, all_options, 3 * torch.randn(*shape), labels))
    found.append(loss_case("probabilities, label_smoothing 0.2", {"label_smoothing": 0.2}, torch.randn(3, 5),
                           torch.softmax(torch.randn(3, 5), dim=-1)))
    return found


VOCABULARY, LENGTH, WIDTH, HEADS = 6, 5, 8, 4


def gpt(norm):
    """Nodes [type, options, inputs, shared] as in freeze-graphs.py: two blocks, the last layer tied to the embedding."""
    normalized = [norm, {"normalized_shape": [WIDTH]}]
    nodes = [
        ["embedding", {"num_embeddings": VOCABULARY, "embedding_dim": WIDTH}, [-1], {}],
        ["positional_encoding", {}, [0], {}],
    ]
    for _ in range(2):
        start = len(nodes) - 1
        nodes += [
            [*normalized, [start], {}],
            ["multihead_attention", {"num_heads": HEADS, "is_causal": True}, [start + 1], {}],
            ["add", {}, [start + 2, start], {}],
            [*normalized, [start + 3], {}],
            ["linear", {"out_features": 2 * WIDTH}, [start + 4], {}],
            ["gelu", {}, [start + 5], {}],
            ["linear", {"out_features": WIDTH}, [start + 6], {}],
            ["add", {}, [start + 7, start + 3], {}],
        ]
    last = len(nodes) - 1
    return [*nodes, [*normalized, [last], {}],
            ["linear", {"out_features": VOCABULARY, "bias": False}, [last + 1], {"weight": 0}]]


def draw(kind, options, inputs, owners):
    if kind == "embedding":
        return {"weight": torch.randn(VOCABULARY, WIDTH)}
    if kind == "positional_encoding":
        return {"weight": torch.randn(LENGTH, WIDTH)}
    if kind == "layer_norm":
        return {"weight": 1 + 0.1 * torch.randn(WIDTH), "bias": torch.randn(WIDTH)}
    if kind == "rms_norm":
        return {"weight": 1 + 0.1 * torch.randn(WIDTH)}
    if kind == "multihead_attention":
        return attention_parameters(WIDTH)
    if kind == "linear" and not owners:
        size = WIDTH if options["out_features"] != WIDTH else 2 * WIDTH
        return {"weight": torch.randn(options["out_features"], size) / size ** 0.5, "bias": torch.randn(options["out_features"])}
    return {}


def forward(nodes, parameters, x):
    values = []
    for (kind, options, inputs, owners), own in zip(nodes, parameters):
        used = {**own, **{k: parameters[owner][k] for k, owner in owners.items()}}
        xs = [x if i < 0 else values[i] for i in inputs]
        if kind == "add":
            y = sum(xs[1:], xs[0])
        elif kind == "gelu":
            y = 0.5 * xs[0] * torch.special.erfc(-xs[0] / math.sqrt(2))
        else:
            y = apply(kind, options, used, xs)
        y.retain_grad()
        values.append(y)
    return values


def gpt_case(name, norm, optimizer, options, construct, loss_options):
    nodes = gpt(norm)
    start = [draw(*node) for node in nodes]
    parameters = [{k: leaf(v) for k, v in p.items()} for p in start]
    x = torch.randint(0, VOCABULARY, (3, LENGTH)).to(torch.float64)
    labels = torch.randint(0, VOCABULARY, (3, LENGTH))
    every = [v for p in parameters for v in p.values()]
    update = construct(every, **options)
    ignored = loss_options.get("ignore_index", -1)
    losses = []
    first = None
    for _ in range(20):
        update.zero_grad()
        values = forward(nodes, parameters, x)
        value = F.cross_entropy(values[-1].transpose(1, 2), labels, ignore_index=ignored,
                                label_smoothing=loss_options.get("label_smoothing", 0.0))
        value.backward()
        if first is None:
            first = {
                "values": [nested(v) for v in [x, *values]],
                "gradients": [nested(torch.zeros_like(x)), *(nested(v.grad) for v in values)],
                "gradParameters": [{k: nested(v.grad) for k, v in p.items()} for p in parameters],
            }
        update.step()
        losses.append(value.item())
    return {
        "name": f"{name}, {optimizer}",
        "kind": optimizer,
        "options": options,
        "layers": [{"type": kind, **own} for kind, own, _, _ in nodes],
        "sources": [inputs for _, _, inputs, _ in nodes],
        "shared": [owners for _, _, _, owners in nodes],
        "parameters": [{k: nested(v) for k, v in p.items()} for p in start],
        "lossKind": "cross_entropy",
        "lossOptions": loss_options,
        "target": nested(one_hot(labels.tolist(), VOCABULARY) * (labels != ignored)[..., None]),
        **first,
        # The gradient of the key's bias cancels out to 0.
        "atol": 1e-14,
        "losses": losses,
        "final": [nested(v) for v in every],
    }


def gpt_cases():
    torch.manual_seed(72)
    return [
        gpt_case("GPT", "layer_norm", "adam", {"lr": 0.002}, torch.optim.Adam, {}),
        gpt_case("GPT with RMS norm, a class ignored, smoothed labels", "rms_norm", "sgd", {"lr": 0.05, "momentum": 0.9},
                 torch.optim.SGD, {"ignore_index": 2, "label_smoothing": 0.1}),
    ]


if __name__ == "__main__":
    write("layers-attention.json", cases())
    write("losses-attention.json", loss_cases())
    write("graphs-attention.json", gpt_cases())
