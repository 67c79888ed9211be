#!/usr/bin/env python3
"""Freezes PyTorch's float64 values as JSON: tables with a row for padding and joins along any axis; and 20 steps of
training of recurrent networks.
"""
import torch
from torch.nn import functional as F

from freeze import leaf, nested, one_hot, write

GATES = {"rnn": 1, "gru": 3, "lstm": 4}


def layer_case(name, kind, options, xs, parameters, apply):
    parameters = {k: leaf(v) for k, v in parameters.items()}
    xs = [leaf(x) for x in xs]
    y = apply(xs, parameters)
    grad_output = torch.randn(*y.shape)
    y.backward(grad_output)
    grads = [nested(x.grad if x.grad is not None else torch.zeros_like(x)) for x in xs]
    return {
        "name": f"{kind}: {name}",
        "kind": kind,
        "options": options,
        "input": nested(xs[0]),
        "otherInputs": [nested(x) for x in xs[1:]],
        "parameters": {k: nested(v) for k, v in parameters.items()},
        "gradOutput": nested(grad_output),
        "output": nested(y),
        "gradInput": grads[0],
        "gradOtherInputs": grads[1:],
        "gradParameters": {k: nested(v.grad) for k, v in parameters.items()},
    }


def layer_cases():
    torch.manual_seed(80)
    made = []
    for padding, indices, size in ((2, [[2, 1, 2, 0], [0, 2, 2, 1]], (4, 3)), (0, [[0, 0], [1, 0], [0, 1]], (2, 5))):
        made.append(layer_case(
            f"padding {padding} whose row is not 0", "embedding",
            {"num_embeddings": size[0], "embedding_dim": size[1], "padding_idx": padding},
            [torch.tensor(indices, dtype=torch.float64)], {"weight": torch.randn(*size)},
            lambda xs, own, padding=padding: F.embedding(xs[0].long(), own["weight"], padding_idx=padding)))
    for dim, shapes in ((1, [(2, 3, 4), (2, 2, 4)]), (2, [(2, 3, 4), (2, 3, 1), (2, 3, 6)]), (-1, [(3, 2, 5), (3, 2, 5)]),
                        (-2, [(2, 3, 4), (2, 1, 4)]), (3, [(2, 2, 3, 1), (2, 2, 3, 4)]), (-1, [(4, 2), (4, 3)])):
        made.append(layer_case(f"dim {dim} of {shapes}", "concat", {"dim": dim}, [torch.randn(*s) for s in shapes], {},
                               lambda xs, _, dim=dim: torch.cat(xs, dim=dim) * 1))
    return made


def recurrent(kind, options, own, x):
    # What torch.nn.RNN, GRU and LSTM call: weights, biases, layers, dropout, training, both directions, batch first.
    h = torch.zeros(1, x.shape[0], options["hidden_size"])
    rest = [list(own.values()), True, 1, 0.0, True, False, True]
    if kind == "lstm":
        every = torch._VF.lstm(x, (h, h), *rest)[0]
    else:
        name = kind if kind == "gru" else f"rnn_{options.get('nonlinearity', 'tanh')}"
        every = getattr(torch._VF, name)(x, h, *rest)[0]
    return every if options.get("return") == "all" else every[:, -1]


def recurrent_parameters(kind, options, features):
    hidden = options["hidden_size"]
    rows, limit = GATES[kind] * hidden, hidden ** -0.5
    shapes = {"weight_ih_l0": (rows, features), "weight_hh_l0": (rows, hidden), "bias_ih_l0": (rows,), "bias_hh_l0": (rows,)}
    return {name: (2 * torch.rand(*shape) - 1) * limit for name, shape in shapes.items()}


def linear_parameters(inputs, outputs):
    return {"weight": torch.randn(outputs, inputs) / inputs ** 0.5, "bias": torch.randn(outputs)}


def graph_case(name, nodes, parameters, x, target, loss, optimizer, options, construct, clip=None):
    """Nodes [type, options] of a chain."""
    start = [{k: v.clone() for k, v in p.items()} for p in parameters]
    parameters = [{k: leaf(v) for k, v in p.items()} for p in parameters]
    every = [v for p in parameters for v in p.values()]
    update = construct(every, **options)
    losses, first = [], None
    for _ in range(20):
        update.zero_grad()
        given = leaf(x)
        values = [given]
        for (kind, own), weights in zip(nodes, parameters):
            before = values[-1]
            if kind == "embedding":
                y = F.embedding(before.long(), weights["weight"])
            elif kind == "linear":
                y = F.linear(before, weights["weight"], weights["bias"])
            else:
                y = recurrent(kind, own, weights, before)
            y.retain_grad()
            values.append(y)
        value = loss(values[-1])
        value.backward()
        if first is None:
            grads = [v.grad if v.grad is not None else torch.zeros_like(v) for v in values]
            first = {
                "values": [nested(v) for v in values],
                "gradients": [nested(g) for g in grads],
                "gradParameters": [{k: nested(v.grad) for k, v in p.items()} for p in parameters],
            }
        if clip is not None:
            torch.nn.utils.clip_grad_norm_(every, clip["norm"])
        update.step()
        losses.append(value.item())
    return {
        "name": f"{name}, {optimizer}",
        "kind": optimizer,
        "options": options,
        **({"clip": clip} if clip else {}),
        "layers": [{"type": kind, **own} for kind, own in nodes],
        "sources": [[i - 1] for i in range(len(nodes))],
        "shared": [{} for _ in nodes],
        "parameters": [{k: nested(v) for k, v in p.items()} for p in start],
        "lossKind": "cross_entropy" if nodes[0][0] == "embedding" else "mse",
        "lossOptions": {},
        "target": nested(target),
        **first,
        "losses": losses,
        "final": [nested(v) for v in every],
    }


def graph_cases():
    torch.manual_seed(81)
    made = []
    adam = ("adam", {"lr": 0.01}, torch.optim.Adam)
    sgd = ("sgd", {"lr": 0.1, "momentum": 0.9}, torch.optim.SGD)
    for kind, own in (("rnn", {}), ("rnn", {"nonlinearity": "relu"}), ("gru", {}), ("lstm", {})):
        title = ", ".join([kind, *own.values()])
        # The adding problem, as in examples/adding.nabla.json.
        x = torch.rand(5, 12, 2)
        x[:, :, 1] = 0
        for row in range(5):
            x[row, torch.randperm(12)[:2], 1] = 1
        target = (x[:, :, 0] * x[:, :, 1]).sum(1, keepdim=True)
        nodes = [[kind, {"hidden_size": 6, **own}], ["linear", {"out_features": 1}]]
        parameters = [recurrent_parameters(*nodes[0], 2), linear_parameters(6, 1)]
        made.append(graph_case(f"{title} on the adding problem", nodes, parameters, x, target,
                               lambda y, target=target: F.mse_loss(y, target), *adam, clip={"norm": 1}))
        # The next character at each position, with two layers.
        x = torch.randint(0, 5, (4, 7)).to(torch.float64)
        labels = torch.randint(0, 5, (4, 7))
        nodes = [["embedding", {"num_embeddings": 5, "embedding_dim": 3}], [kind, {"hidden_size": 4, "return": "all", **own}],
                 [kind, {"hidden_size": 5, "return": "all", **own}], ["linear", {"out_features": 5}]]
        parameters = [{"weight": torch.randn(5, 3)}, recurrent_parameters(*nodes[1], 3), recurrent_parameters(*nodes[2], 4),
                      linear_parameters(5, 5)]
        made.append(graph_case(f"two layers of {title} on characters", nodes, parameters, x, one_hot(labels.tolist(), 5),
                               lambda y, labels=labels: F.cross_entropy(y.transpose(1, 2), labels), *sgd))
    return made


if __name__ == "__main__":
    write("layers-sequences.json", layer_cases())
    write("graphs-recurrent.json", graph_cases())
