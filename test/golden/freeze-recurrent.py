#!/usr/bin/env python3
"""Freezes PyTorch's float64 values of recurrent layers as JSON: outputs and all gradients, with every option.

README.md beside this says how to run it.
"""
import torch

from freeze import leaf, nested, write

GATES = {"rnn": 1, "gru": 3, "lstm": 4}


def module(kind, options, features):
    hidden, bias = options["hidden_size"], options.get("bias", True)
    if kind == "rnn":
        return torch.nn.RNN(features, hidden, nonlinearity=options.get("nonlinearity", "tanh"), bias=bias, batch_first=True)
    return {"gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[kind](features, hidden, bias=bias, batch_first=True)


def case(kind, options, batch, time, features, scale=1.0):
    net = module(kind, options, features)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(scale * torch.randn_like(parameter))
    x = leaf(torch.randn(batch, time, features))
    every, _ = net(x)
    y = every if options.get("return", "last") == "all" else every[:, -1]
    grad_output = torch.randn_like(y)
    y.backward(grad_output)
    names = ["weight_ih", "weight_hh"] + (["bias_ih", "bias_hh"] if options.get("bias", True) else [])
    parameters = {name + "_l0": getattr(net, name + "_l0") for name in names}
    title = ", ".join([f"{kind} of {batch} x {time} x {features}", *(f"{k} {v}" for k, v in options.items())])
    return {
        "name": title + ("" if scale == 1.0 else f", weights of {scale}"),
        "kind": kind,
        "options": options,
        "input": nested(x),
        "parameters": {k: nested(v) for k, v in parameters.items()},
        "gradOutput": nested(grad_output),
        "output": nested(y),
        "gradInput": nested(x.grad),
        "gradParameters": {k: nested(v.grad) for k, v in parameters.items()},
    }


def cases():
    torch.manual_seed(70)
    made = []
    for kind in GATES:
        kinds = [{}, {"nonlinearity": "relu"}] if kind == "rnn" else [{}]
        for own in kinds:
            for batch, time, features, hidden in ((1, 1, 1, 1), (3, 4, 2, 5), (2, 1, 3, 4), (1, 7, 5, 3), (5, 3, 1, 9)):
                for given in ({}, {"return": "all"}):
                    made.append(case(kind, {"hidden_size": hidden, **own, **given}, batch, time, features, 0.6))
            made.append(case(kind, {"hidden_size": 4, **own, "bias": False}, 3, 5, 2, 0.5))
            made.append(case(kind, {"hidden_size": 4, **own, "bias": False, "return": "all"}, 2, 3, 3, 0.5))
            # Long enough that an error in one time step would grow or vanish.
            made.append(case(kind, {"hidden_size": 6, **own, "return": "all"}, 2, 25, 2, 0.3))
    return made


if __name__ == "__main__":
    write("layers-recurrent.json", cases())
