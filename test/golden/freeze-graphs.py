#!/usr/bin/env python3
"""Freezes PyTorch's float64 values of layers with several inputs, and of networks with branches and shared weights, as JSON.

A network is a list of nodes in topological order: [type, options, inputs, shared]. Inputs are node numbers, -1 for the
network's input; `shared` maps a parameter to the node that owns it. Auxiliary losses are [node, type, options, weight,
target], where the target is that of the data or the input.
"""
import torch
from torch.nn import functional as F

from freeze import apply_layer, apply_loss, leaf, nested, one_hot, penalty_of, write

JOINS = {
    "add": lambda xs: sum(xs[1:], xs[0]) * 1,
    "subtract": lambda xs: xs[0] - xs[1],
    "multiply": lambda xs: torch.prod(torch.stack(xs), dim=0),
    "concat": lambda xs: torch.cat(xs, dim=1),
    "matmul": lambda xs: torch.bmm(xs[0], xs[1]),
}


def apply_node(kind, options, parameters, xs):
    if kind in JOINS:
        return JOINS[kind](xs)
    if kind == "slice":
        start, shape = options.get("start", 0), options["shape"]
        return torch.narrow(xs[0], 1, start, torch.Size(shape).numel()).reshape(-1, *shape) * 1
    if kind == "linear_transpose":
        return F.linear(xs[0], parameters["weight"].T, parameters.get("bias"))
    return apply_layer(kind, options, parameters, xs[0])


def layer_case(name, kind, options, shapes, parameters=None):
    parameters = {k: leaf(v) for k, v in (parameters or {}).items()}
    xs = [leaf(torch.randn(*shape)) for shape in shapes]
    y = apply_node(kind, options, parameters, xs)
    grad_output = torch.randn(*y.shape)
    y.backward(grad_output)
    return {
        "name": name,
        "kind": kind,
        "options": options,
        "input": nested(xs[0]),
        "otherInputs": [nested(x) for x in xs[1:]],
        "parameters": {k: nested(v) for k, v in parameters.items()},
        "gradOutput": nested(grad_output),
        "output": nested(y),
        "gradInput": nested(xs[0].grad),
        "gradOtherInputs": [nested(x.grad) for x in xs[1:]],
        "gradParameters": {k: nested(v.grad) for k, v in parameters.items()},
    }


def layer_cases():
    torch.manual_seed(60)
    cases = []
    for kind in ("add", "multiply"):
        for shapes in ([(3, 4)] * 2, [(1, 1)] * 2, [(5, 3)] * 3, [(2, 2, 3, 4)] * 2):
            cases.append(layer_case(f"{kind} of {len(shapes)} x {shapes[0]}", kind, {}, shapes))
    for shape in ((3, 4), (1, 1), (6, 3), (2, 2, 3, 4)):
        cases.append(layer_case(f"subtract of 2 x {shape}", "subtract", {}, [shape] * 2))
    for shapes in ([(3, 4), (3, 2)], [(1, 1), (1, 1)], [(4, 2), (4, 1), (4, 3)], [(2, 1, 3, 4), (2, 3, 3, 4)]):
        cases.append(layer_case(f"concat of {shapes}", "concat", {}, shapes))
    for shapes in ([(3, 2, 4), (3, 4, 5)], [(1, 1, 1), (1, 1, 1)], [(2, 5, 1), (2, 1, 3)], [(4, 3, 3), (4, 3, 3)]):
        cases.append(layer_case(f"matmul of {shapes}", "matmul", {}, shapes))
    for rows, inputs, outputs, bias in ((3, 4, 2, True), (1, 1, 1, True), (5, 2, 7, False), (2, 9, 3, True)):
        parameters = {"weight": torch.randn(inputs, outputs), **({"bias": torch.randn(outputs)} if bias else {})}
        options = {"out_features": outputs, **({} if bias else {"bias": False})}
        cases.append(layer_case(f"linear_transpose {inputs} to {outputs}, batch of {rows}", "linear_transpose", options,
                                [(rows, inputs)], parameters))
    for shape, options in (((3, 5), {"shape": [2]}), ((2, 7), {"start": 3, "shape": [2, 2]}), ((1, 1), {"shape": [1]}),
                           ((4, 6), {"start": 2, "shape": [1, 4]}), ((2, 12), {"shape": [1, 3, 4]})):
        cases.append(layer_case(f"slice of {shape}, {options}", "slice", options, [shape]))
    return cases


def linear(units, *inputs, **options):
    return ["linear", {"out_features": units, **options}, list(inputs), {}]


def node(kind, *inputs, **options):
    return [kind, options, list(inputs), {}]


def shared(base, **owners):
    return [base[0], base[1], base[2], owners]


# The first input of each network is -1; widths follow from the random parameters drawn below.
NETWORKS = {
    "residual MLP": ([3], "cross_entropy", [
        linear(4, -1), node("tanh", 0), linear(4, 1), node("add", 2, 0), node("relu", 3), linear(4, 4), node("tanh", 5),
        node("add", 6, 4), linear(2, 7)]),
    "residual with a shortcut": ([3], "mse", [
        linear(5, -1), node("sigmoid", 0), linear(2, 1), linear(2, -1), node("add", 2, 3)]),
    "branches, concatenated, and a gate": ([4], "cross_entropy", [
        linear(3, -1), node("tanh", 0), linear(2, -1), node("concat", 1, 2, -1), linear(4, 3), linear(4, 3),
        node("sigmoid", 5), node("multiply", 4, 6), linear(3, 7)]),
    "tied autoencoder": ([5], "mse", [
        linear(3, -1), node("tanh", 0),
        shared(["linear_transpose", {"out_features": 5}, [1], {}], weight=0)]),
    "one layer used twice": ([3], "bce_with_logits", [
        linear(3, -1), node("tanh", 0), shared(linear(3, 1), weight=0, bias=0), node("subtract", 1, 2), linear(1, 3)]),
    "an input used twice by one node, matrices": ([2, 2], "mse", [
        node("matmul", -1, -1), node("multiply", 0, 0), node("add", 1, 0, -1, 1), node("flatten", 2), linear(2, 3)]),
    "images": ([2, 4, 3], "cross_entropy", [
        ["conv2d", {"out_channels": 2, "kernel_size": 3, "padding": 1}, [-1], {}], node("relu", 0),
        shared(["conv2d", {"out_channels": 2, "kernel_size": 3, "padding": 1}, [1], {}], weight=0),
        node("add", 2, -1), node("concat", 3, 1), node("flatten", 4), linear(3, 5)]),
}


# Each tower takes some of the numbers; one of them is a matrix.
TOWERS = ([7], "mse", [
    node("slice", -1, start=4, shape=[3]), node("slice", -1, shape=[2, 2]), linear(3, 0), node("tanh", 2),
    node("matmul", 1, 1), node("flatten", 4), linear(3, 5), node("tanh", 6), node("multiply", 3, 7), linear(2, 8)])


def draw(nodes, input_shape):
    """Random parameters of every node, those that it owns."""
    shapes = []
    parameters = []
    for kind, options, inputs, owners in nodes:
        before = [input_shape if i < 0 else shapes[i] for i in inputs]
        own = {}
        if kind == "linear":
            own = {"weight": 0.6 * torch.randn(options["out_features"], before[0][0]), "bias": torch.randn(options["out_features"])}
        if kind == "linear_transpose":
            own = {"weight": 0.6 * torch.randn(before[0][0], options["out_features"]), "bias": torch.randn(options["out_features"])}
        if kind == "conv2d":
            own = {"weight": 0.4 * torch.randn(options["out_channels"], before[0][0], 3, 3), "bias": torch.randn(options["out_channels"])}
        parameters.append({k: v for k, v in own.items() if k not in owners})
        used = {k: parameters[owners[k]][k] if k in owners else v for k, v in own.items()}
        shapes.append(list(apply_node(kind, options, used, [torch.randn(1, *s) for s in before]).shape[1:]))
    return parameters


def forward(nodes, parameters, x):
    values = []
    for (kind, options, inputs, owners), own in zip(nodes, parameters):
        used = {**own, **{k: parameters[owner][k] for k, owner in owners.items()}}
        y = apply_node(kind, options, used, [x if i < 0 else values[i] for i in inputs])
        y.retain_grad()
        values.append(y)
    return values


def targets(loss, rows, width):
    if loss == "mse":
        return torch.randn(rows, width)
    if loss == "bce_with_logits":
        return torch.tensor([[float(i % 2)] for i in range(rows)])
    return one_hot([i % width for i in range(rows)], width)


OPTIMIZERS = {
    "sgd": ({"lr": 0.1, "momentum": 0.9}, torch.optim.SGD),
    "adam": ({"lr": 0.02}, torch.optim.Adam),
}


def network_case(name, input_shape, loss, nodes, optimizer, extra):
    start = draw(nodes, input_shape)
    parameters = [{k: leaf(v) for k, v in p.items()} for p in start]
    x = leaf(torch.randn(4, *input_shape))
    values = forward(nodes, parameters, x)
    target = targets(loss, 4, values[-1].shape[1])
    every = [v for p in parameters for v in p.values()]
    options, construct = OPTIMIZERS[optimizer]
    update = construct(every, **options)
    penalty = extra.get("penalty")
    losses = []
    first = None
    for _ in range(20):
        update.zero_grad()
        x.grad = None
        values = forward(nodes, parameters, x)
        value = apply_loss(loss, {}, values[-1], target)
        for each in extra.get("auxiliary", []):
            compared = x.detach().flatten(1) if each["target"] == "inputs" else target
            value = value + each["weight"] * apply_loss(each["kind"], each["options"], values[each["layer"]], compared)
        if penalty:
            value = value + penalty_of(parameters, penalty)
        value.backward()
        if first is None:
            first = {
                "values": [nested(v) for v in [x, *values]],
                "gradients": [nested(v.grad) for v in [x, *values]],
                "gradParameters": [{k: nested(v.grad) for k, v in p.items()} for p in parameters],
            }
        if "clip" in extra:
            torch.nn.utils.clip_grad_norm_(every, extra["clip"]["norm"])
        update.step()
        losses.append(value.item())
    return {
        "name": f"{name}, {optimizer}",
        "kind": optimizer,
        "options": options,
        **extra,
        "layers": [{"type": kind, **own} for kind, own, _, _ in nodes],
        "sources": [inputs for _, _, inputs, _ in nodes],
        "shared": [owners for _, _, _, owners in nodes],
        "parameters": [{k: nested(v) for k, v in p.items()} for p in start],
        "lossKind": loss,
        "lossOptions": {},
        "target": nested(target),
        # The first step: the input, then the output of every node; gradients in the same order.
        **first,
        # The loss before each update, and every parameter after the last.
        "losses": losses,
        "final": [nested(v) for v in every],
    }


def network_cases():
    torch.manual_seed(61)
    cases = [network_case(name, shape, loss, nodes, optimizer, {})
             for name, (shape, loss, nodes) in NETWORKS.items() for optimizer in OPTIMIZERS]
    shape, loss, nodes = NETWORKS["tied autoencoder"]
    return cases + [
        network_case("tied autoencoder, penalty", shape, loss, nodes, "sgd", {"penalty": {"l1": 0.01, "l2": 0.1, "biases": True}}),
        network_case("tied autoencoder, clipped", shape, loss, nodes, "sgd", {"clip": {"norm": 0.1}}),
        *(network_case("named inputs in two towers", *TOWERS, optimizer, {}) for optimizer in OPTIMIZERS),
    ]


def auxiliary(layer, kind, weight, target="targets", **options):
    return {"layer": layer, "kind": kind, "options": options, "weight": weight, "target": target}


# With losses on other outputs than the last one.
HEADS = {
    "an auxiliary head": ([3], "cross_entropy", [
        linear(4, -1), node("tanh", 0), linear(3, 1), linear(4, 1), node("tanh", 3), linear(3, 4)],
        [auxiliary(2, "cross_entropy", 0.3)]),
    "an output with two losses that other layers take": ([3], "mse", [
        linear(3, -1), node("tanh", 0), linear(4, 1), node("sigmoid", 2), node("concat", 1, 3), linear(2, 4)],
        [auxiliary(1, "mse", 0.5, "inputs"), auxiliary(1, "mae", 0.1, "inputs", reduction="sum")]),
    "two losses of the prediction and one before it": ([2], "mse", [
        linear(3, -1), node("tanh", 0), linear(2, 1), node("add", 2, -1)],
        [auxiliary(3, "huber", 2, delta=0.5), auxiliary(2, "sum_squared_error", 0.25)]),
}


def head_cases():
    torch.manual_seed(62)
    return [network_case(name, shape, loss, nodes, optimizer, {"auxiliary": losses})
            for name, (shape, loss, nodes, losses) in HEADS.items() for optimizer in OPTIMIZERS]


if __name__ == "__main__":
    write("layers-joins.json", layer_cases())
    write("graphs.json", network_cases())
    write("graphs-losses.json", head_cases())
