#!/usr/bin/env python3
"""Freezes PyTorch's float64 values of sequences of different lengths in one batch, as JSON.

Layers that leave out padding: attention with a key_padding_mask, recurrent layers on packed sequences, the mean over
the positions of each sequence; and 20 steps of two networks of them. README.md beside this says how to run it.
"""
import torch
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from freeze import leaf, nested, one_hot, write

RECURRENT = {"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}


def module(kind, options, shapes):
    """The module of a layer with parameters; shapes of its inputs without the indices."""
    features = shapes[0][-1]
    if kind == "multihead_attention":
        key = shapes[1][-1] if len(shapes) > 1 else features
        return torch.nn.MultiheadAttention(features, options["num_heads"], kdim=key, vdim=key, batch_first=True)
    if kind in RECURRENT:
        more = {"nonlinearity": options.get("nonlinearity", "tanh")} if kind == "rnn" else {}
        return RECURRENT[kind](features, options["hidden_size"], batch_first=True, **more)
    return None


def apply(kind, options, net, xs, indices):
    """A layer that leaves out padding; lengths are counted, so padding must be at the end."""
    is_padding = indices == options["padding_idx"]
    lengths = (~is_padding).sum(1)
    if kind == "multihead_attention":
        query, key = xs[0], xs[-1]
        causal = torch.triu(torch.ones(query.shape[1], key.shape[1], dtype=torch.bool), 1)
        return net(query, key, key, key_padding_mask=is_padding, attn_mask=causal if options.get("is_causal") else None)[0]
    if kind == "global_avg_pool1d":
        return torch.stack([row[:length].mean(0) for row, length in zip(xs[0], lengths)])
    packed = pack_padded_sequence(xs[0], lengths, batch_first=True, enforce_sorted=False)
    every, last = net(packed)
    if options.get("return", "last") == "all":
        return pad_packed_sequence(every, batch_first=True, total_length=xs[0].shape[1])[0]
    return (last[0] if kind == "lstm" else last)[-1]


def own_parameters(kind, net):
    if net is None:
        return {}
    return dict(net.named_parameters())


def redraw(net):
    with torch.no_grad():
        for parameter in net.parameters() if net is not None else ():
            parameter.copy_(0.5 * torch.randn_like(parameter))


def indices_of(lengths, time, padding):
    """Any indices from 1 to 4, and after each length the one of padding."""
    drawn = torch.randint(1, 5, (len(lengths), time))
    drawn[drawn == padding] = 5
    for row, length in zip(drawn, lengths):
        row[length:] = padding
    return drawn


def case(kind, options, lengths, time, shapes):
    net = module(kind, options, shapes)
    redraw(net)
    xs = [leaf(torch.randn(*shape)) for shape in shapes]
    indices = indices_of(lengths, time, options["padding_idx"])
    y = apply(kind, options, net, xs, indices)
    grad_output = torch.randn_like(y)
    y.backward(grad_output)
    parameters = own_parameters(kind, net)
    others = [*xs[1:], indices.to(torch.float64)]
    gradients = [*(x.grad for x in xs[1:]), torch.zeros_like(others[-1])]
    return {
        "name": ", ".join([f"{kind}: lengths {lengths} of {time}", *(f"{k} {v}" for k, v in options.items()),
                           *(["cross"] if len(shapes) > 1 else [])]),
        "kind": kind,
        "options": options,
        "input": nested(xs[0]),
        "otherInputs": [nested(x) for x in others],
        "parameters": {k: nested(v) for k, v in parameters.items()},
        "gradOutput": nested(grad_output),
        "output": nested(y),
        "gradInput": nested(xs[0].grad),
        "gradOtherInputs": [nested(g) for g in gradients],
        "gradParameters": {k: nested(v.grad) for k, v in parameters.items()},
        # Sums cancel out: the gradient of the key's bias to 0, and others in part.
        "atol": 1e-14,
    }


def cases():
    torch.manual_seed(90)
    found = []
    for lengths, time in (([4, 2, 1], 4), ([1], 3), ([2, 5, 5, 3], 5)):
        batch = len(lengths)
        for kind in RECURRENT:
            for own in ([{}, {"nonlinearity": "relu"}] if kind == "rnn" else [{}]):
                for returned in ({}, {"return": "all"}):
                    found.append(case(kind, {"hidden_size": 3, **own, "padding_idx": 0, **returned}, lengths, time, [(batch, time, 2)]))
        for own in ({"num_heads": 2}, {"num_heads": 1, "is_causal": True}):
            found.append(case("multihead_attention", {**own, "padding_idx": 3}, lengths, time, [(batch, time, 4)]))
        found.append(case("multihead_attention", {"num_heads": 2, "padding_idx": 0}, lengths, time, [(batch, 2, 4), (batch, time, 3)]))
        found.append(case("global_avg_pool1d", {"padding_idx": 0}, lengths, time, [(batch, time, 3)]))
    # Without padding, all positions count.
    for shape in ((3, 4, 2), (1, 1, 3)):
        x = leaf(torch.randn(*shape))
        y = x.mean(1)
        grad_output = torch.randn_like(y)
        y.backward(grad_output)
        found.append({"name": f"global_avg_pool1d: {shape}", "kind": "global_avg_pool1d", "options": {}, "input": nested(x),
                      "parameters": {}, "gradOutput": nested(grad_output), "output": nested(y), "gradInput": nested(x.grad),
                      "gradParameters": {}})
    return found


VOCABULARY, TIME, WIDTH = 6, 5, 4

NETWORKS = (
    ("classes of sequences", 3, None, [
        ["embedding", {"num_embeddings": VOCABULARY, "embedding_dim": WIDTH, "padding_idx": 0}, [-1]],
        ["lstm", {"hidden_size": WIDTH, "return": "all", "padding_idx": 0}, [0, -1]],
        ["multihead_attention", {"num_heads": 2, "padding_idx": 0}, [1, -1]],
        ["add", {}, [2, 1]],
        ["global_avg_pool1d", {"padding_idx": 0}, [3, -1]],
        ["linear", {"out_features": 3}, [4]],
    ]),
    ("a class at each position", VOCABULARY, 0, [
        ["embedding", {"num_embeddings": VOCABULARY, "embedding_dim": WIDTH, "padding_idx": 0}, [-1]],
        ["gru", {"hidden_size": 3, "return": "all", "padding_idx": 0}, [0, -1]],
        ["linear", {"out_features": VOCABULARY}, [1]],
    ]),
)


def draw(kind, options, width):
    """A layer's module or parameters, and the features that it gives."""
    if kind == "embedding":
        net = torch.nn.Embedding(VOCABULARY, WIDTH, padding_idx=options["padding_idx"])
        redraw(net)
        with torch.no_grad():
            net.weight[options["padding_idx"]] = 0
        return net, WIDTH
    net = torch.nn.Linear(width, options["out_features"]) if kind == "linear" else module(kind, options, [(1, 1, width)])
    redraw(net)
    return net, options.get("out_features", options.get("hidden_size", width))


def graph_case(name, classes, ignored, nodes, optimizer, options, construct):
    nets, width = [], None
    for kind, own, _ in nodes:
        net, width = draw(kind, own, width)
        nets.append(net)
    parameters = [own_parameters(node[0], net) for node, net in zip(nodes, nets)]
    start = [{k: nested(v) for k, v in each.items()} for each in parameters]
    indices = indices_of([5, 2, 3], TIME, 0)
    labels = torch.randint(1, classes, (3,)) if ignored is None else indices.roll(-1, 1) * (indices != 0)
    every = [value for each in parameters for value in each.values()]
    update = construct(every, **options)
    first, losses = None, []
    for _ in range(20):
        update.zero_grad()
        values = []
        for (kind, own, sources), net in zip(nodes, nets):
            xs = [values[i] for i in sources if i >= 0]
            if kind == "embedding":
                y = net(indices)
            elif kind == "add":
                y = xs[0] + xs[1]
            elif kind == "linear":
                y = net(xs[0])
            else:
                y = apply(kind, own, net, xs, indices)
            y.retain_grad()
            values.append(y)
        prediction = values[-1] if ignored is None else values[-1].transpose(1, 2)
        value = F.cross_entropy(prediction, labels, ignore_index=-1 if ignored is None else ignored)
        value.backward()
        if first is None:
            x = indices.to(torch.float64)
            first = {
                "values": [nested(v) for v in [x, *values]],
                "gradients": [nested(torch.zeros_like(x)), *(nested(v.grad) for v in values)],
                "gradParameters": [{k: nested(v.grad) for k, v in each.items()} for each in parameters],
            }
        update.step()
        losses.append(value.item())
    targets = one_hot(labels.tolist(), classes)
    return {
        "name": f"{name}, {optimizer}",
        "kind": optimizer,
        "options": options,
        "layers": [{"type": kind, **own} for kind, own, _ in nodes],
        "sources": [sources for _, _, sources in nodes],
        "parameters": start,
        "lossKind": "cross_entropy",
        "lossOptions": {} if ignored is None else {"ignore_index": ignored},
        "target": nested(targets if ignored is None else targets * (labels != ignored)[..., None]),
        **first,
        "atol": 1e-14,
        "losses": losses,
        "final": [nested(v) for v in every],
    }


if __name__ == "__main__":
    write("layers-padding.json", cases())
    torch.manual_seed(91)
    write("graphs-padding.json", [
        graph_case(*NETWORKS[0], "adam", {"lr": 0.01}, torch.optim.Adam),
        graph_case(*NETWORKS[1], "sgd", {"lr": 0.1, "momentum": 0.9}, torch.optim.SGD),
    ])
