#!/usr/bin/env python3
"""Freezes PyTorch's float64 values of recurrent layers that are stacked or read in both directions, as JSON: outputs
and all gradients with every option, packed sequences, dropout between layers; and 20 steps of training.

README.md beside this says how to run it.
"""
import torch
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from freeze import leaf, nested, one_hot, write

MODULES = {"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}
KINDS = (("rnn", {}), ("rnn", {"nonlinearity": "relu"}), ("gru", {}), ("lstm", {}))


def module(kind, options, features):
    more = {"nonlinearity": options.get("nonlinearity", "tanh")} if kind == "rnn" else {}
    return MODULES[kind](features, options["hidden_size"], num_layers=options.get("num_layers", 1),
                         bidirectional=options.get("bidirectional", False), bias=options.get("bias", True),
                         batch_first=True, **more)


def last_states(h, directions):
    """Of the last layer, [batch, directions * hidden]."""
    return torch.cat(list(h[-directions:]), dim=1)


def run(kind, options, net, x, lengths=None):
    directions = 2 if options.get("bidirectional") else 1
    given = x if lengths is None else pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    every, last = net(given)
    if options.get("return", "last") == "last":
        return last_states(last[0] if kind == "lstm" else last, directions)
    return every if lengths is None else pad_packed_sequence(every, batch_first=True, total_length=x.shape[1])[0]


def with_masks(kind, options, net, x, masks):
    """Layer by layer, with a drawn mask between two."""
    directions = 2 if options.get("bidirectional") else 1
    for layer in range(options["num_layers"]):
        one = module(kind, {**options, "num_layers": 1}, x.shape[-1])
        own = {name.replace("_l0", f"_l{layer}"): name for name, _ in one.named_parameters()}
        # The parameters of the stack, so that they get the gradients.
        for there, here in own.items():
            parts = getattr(net, there)
            delattr(one, here)
            setattr(one, here, parts)
        one._flat_weights = [getattr(one, name) for name in one._flat_weights_names]
        if layer > 0:
            x = x * masks[:, layer - 1]
        x, last = one(x)
    if options.get("return", "last") == "all":
        return x
    return last_states(last[0] if kind == "lstm" else last, directions)


def case(kind, options, batch, time, features, scale=0.5, lengths=None):
    net = module(kind, options, features)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(scale * torch.randn_like(parameter))
    x = leaf(torch.randn(batch, time, features))
    extra = {}
    if options.get("dropout"):
        width = options["hidden_size"] * (2 if options.get("bidirectional") else 1)
        p = options["dropout"]
        masks = (torch.rand(batch, options["num_layers"] - 1, time, width) >= p) / (1 - p)
        extra = {"drawn": nested(masks), "training": True}
        y = with_masks(kind, options, net, x, masks)
    else:
        y = run(kind, options, net, x, lengths)
    grad_output = torch.randn_like(y)
    y.backward(grad_output)
    if lengths is not None:
        indices = torch.randint(1, 5, (batch, time))
        for row, length in zip(indices, lengths):
            row[length:] = 0
        extra = {"otherInputs": [nested(indices.to(torch.float64))], "gradOtherInputs": [nested(torch.zeros(batch, time))]}
    parameters = dict(net.named_parameters())
    title = ", ".join([f"{kind} of {batch} x {time} x {features}", *(f"{k} {v}" for k, v in options.items()),
                       *([f"lengths {lengths}"] if lengths else [])])
    return {
        "name": title,
        "kind": kind,
        "options": options,
        "input": nested(x),
        "parameters": {k: nested(v) for k, v in parameters.items()},
        "gradOutput": nested(grad_output),
        "output": nested(y),
        "gradInput": nested(x.grad),
        "gradParameters": {k: nested(v.grad) for k, v in parameters.items()},
        "atol": 1e-14,
        **extra,
    }


def cases():
    torch.manual_seed(100)
    made = []
    stacks = ({"num_layers": 2}, {"bidirectional": True}, {"num_layers": 3, "bidirectional": True})
    for kind, own in KINDS:
        for stack in stacks:
            for returned in ({}, {"return": "all"}):
                options = {"hidden_size": 3, **own, **stack, **returned}
                made.append(case(kind, options, 2, 4, 2))
                made.append(case(kind, {**options, "padding_idx": 0}, 3, 4, 2, lengths=[4, 1, 2]))
        made.append(case(kind, {"hidden_size": 2, **own, "num_layers": 2, "bidirectional": True, "bias": False}, 2, 3, 1))
        made.append(case(kind, {"hidden_size": 2, **own, "num_layers": 2, "bidirectional": True, "return": "all"}, 2, 1, 3))
        for returned in ({}, {"return": "all"}):
            made.append(case(kind, {"hidden_size": 2, **own, "num_layers": 3, "dropout": 0.4, **returned}, 2, 3, 2))
            made.append(case(kind, {"hidden_size": 2, **own, "num_layers": 2, "bidirectional": True, "dropout": 0.25, **returned}, 2, 3, 2))
    return made


def graph_case(name, nodes, x, target, loss, optimizer, options, construct, lossKind):
    """Nodes [type, options] of a chain."""
    values, nets = [leaf(x)], []
    features = x.shape[-1]
    for kind, own in nodes:
        if kind == "embedding":
            net, features = torch.nn.Embedding(own["num_embeddings"], own["embedding_dim"]), own["embedding_dim"]
        elif kind == "linear":
            net = torch.nn.Linear(features, own["out_features"])
        else:
            net = module(kind, own, features)
            features = own["hidden_size"] * (2 if own.get("bidirectional") else 1)
        nets.append(net)
    every = [v for net in nets for v in net.parameters()]
    start = [{k: nested(v.clone()) for k, v in net.named_parameters()} for net in nets]
    update = construct(every, **options)
    losses, first = [], None
    for _ in range(20):
        update.zero_grad()
        values = [leaf(x)]
        for (kind, own), net in zip(nodes, nets):
            before = values[-1]
            y = net(before.long()) if kind == "embedding" else net(before) if kind == "linear" else run(kind, own, net, before)
            y.retain_grad()
            values.append(y)
        value = loss(values[-1])
        value.backward()
        if first is None:
            first = {
                "values": [nested(v) for v in values],
                "gradients": [nested(v.grad if v.grad is not None else torch.zeros_like(v)) for v in values],
                "gradParameters": [{k: nested(v.grad) for k, v in net.named_parameters()} for net in nets],
            }
        update.step()
        losses.append(value.item())
    return {
        "name": f"{name}, {optimizer}",
        "kind": optimizer,
        "options": options,
        "layers": [{"type": kind, **own} for kind, own in nodes],
        "sources": [[i - 1] for i in range(len(nodes))],
        "shared": [{} for _ in nodes],
        "parameters": start,
        "lossKind": lossKind,
        "lossOptions": {},
        "target": nested(target),
        **first,
        "losses": losses,
        "final": [nested(v) for v in every],
    }


def graph_cases():
    torch.manual_seed(101)
    made = []
    adam = ("adam", {"lr": 0.01}, torch.optim.Adam)
    sgd = ("sgd", {"lr": 0.1, "momentum": 0.9}, torch.optim.SGD)
    for kind, own in KINDS:
        title = ", ".join([kind, *own.values()])
        x, target = torch.rand(4, 6, 2), torch.rand(4, 1)
        nodes = [[kind, {"hidden_size": 3, "num_layers": 2, "bidirectional": True, **own}], ["linear", {"out_features": 1}]]
        made.append(graph_case(f"{title}, two layers in both directions", nodes, x, target,
                               lambda y, target=target: F.mse_loss(y, target), *adam, "mse"))
        x = torch.randint(0, 5, (3, 5)).to(torch.float64)
        labels = torch.randint(0, 4, (3, 5))
        nodes = [["embedding", {"num_embeddings": 5, "embedding_dim": 3}],
                 [kind, {"hidden_size": 3, "num_layers": 3, "return": "all", **own}],
                 [kind, {"hidden_size": 2, "bidirectional": True, "return": "all", **own}], ["linear", {"out_features": 4}]]
        made.append(graph_case(f"{title}, a stack of three and both directions, tagging", nodes, x, one_hot(labels.tolist(), 4),
                               lambda y, labels=labels: F.cross_entropy(y.transpose(1, 2), labels), *sgd, "cross_entropy"))
    return made


if __name__ == "__main__":
    write("layers-stacked.json", cases())
    write("graphs-stacked.json", graph_cases())
