#!/usr/bin/env python3
"""Freezes PyTorch's float64 values of layers, losses, optimizers and whole networks as JSON.

The tests compare the engine with these files. README.md beside this says how to run it.
It draws its own inputs from fixed seeds and reads nothing of the engine.
"""
import json
import math
import os
import sys

import torch
from torch.nn import functional as F

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)

HERE = os.path.dirname(os.path.abspath(__file__))


def tensor(values):
    return torch.tensor(values, dtype=torch.float64)


def leaf(values):
    return values.clone().detach().requires_grad_(True)


def nested(value):
    """A tensor as nested lists, in the shape the engine holds it."""
    return value.detach().tolist()


def dump(value, indent=0):
    """JSON with one line for each array: readable in a diff, every digit that a double needs."""
    pad = "  " * (indent + 1)
    end = "  " * indent
    if isinstance(value, dict):
        if not value:
            return "{}"
        lines = [f"{pad}{json.dumps(k)}: {dump(v, indent + 1)}" for k, v in value.items()]
        return "{\n" + ",\n".join(lines) + "\n" + end + "}"
    if isinstance(value, list) and any(isinstance(v, dict) for v in value):
        return "[\n" + ",\n".join(pad + dump(v, indent + 1) for v in value) + "\n" + end + "]"
    # Python writes a float with as many digits as it takes to read the same double again.
    return json.dumps(value, allow_nan=False)


def write(name, cases):
    path = os.path.join(HERE, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(dump({"torch": torch.__version__, "cases": cases}) + "\n")
    print(f"{name}: {len(cases)} cases, {os.path.getsize(path)} bytes", file=sys.stderr)


# ---------------------------------------------------------------- layers

def apply_layer(kind, options, parameters, x):
    if kind == "linear":
        return F.linear(x, parameters["weight"], parameters.get("bias"))
    if kind == "tanh":
        return torch.tanh(x)
    if kind == "sigmoid":
        return torch.sigmoid(x)
    if kind == "relu":
        return options.get("scale", 1) * torch.relu(x)
    if kind == "softmax":
        return torch.softmax(x, dim=-1)
    if kind == "identity":
        return x * 1
    if kind == "leaky_relu":
        return F.leaky_relu(x, options.get("negative_slope", 0.01))
    if kind == "elu":
        # F.elu loses the digits of a small exp(x) - 1; this is its formula with expm1.
        alpha = options.get("alpha", 1)
        same(y := torch.where(x > 0, x, alpha * Expm1.apply(torch.clamp(x, max=0))), F.elu(x, alpha))
        return y
    if kind == "gelu":
        # PyTorch's own forms lose digits where erf or tanh is near -1; these are the same functions without that.
        if options.get("approximate", "none") == "tanh":
            y = x * torch.sigmoid(2 * math.sqrt(2 / math.pi) * (x + 0.044715 * x ** 3))
        else:
            y = 0.5 * x * torch.special.erfc(-x / math.sqrt(2))
        same(y, F.gelu(x, **options))
        return y
    if kind == "silu":
        return F.silu(x)
    if kind == "softplus":
        # Past a threshold of 40 there is nothing left to round; the default one of 20 leaves a jump of 2e-9.
        return F.softplus(x, options.get("beta", 1), 40)
    if kind == "conv2d":
        return F.conv2d(x, parameters["weight"], parameters.get("bias"), options.get("stride", 1), options.get("padding", 0))
    if kind == "max_pool2d":
        return F.max_pool2d(x, options["kernel_size"], options.get("stride"), options.get("padding", 0))
    if kind == "avg_pool2d":
        return F.avg_pool2d(x, options["kernel_size"], options.get("stride"), options.get("padding", 0),
                            count_include_pad=options.get("count_include_pad", True))
    if kind == "flatten":
        return torch.flatten(x, 1) * 1
    if kind == "log_softmax":
        return torch.log_softmax(x, dim=-1)
    raise ValueError(kind)


class Expm1(torch.autograd.Function):
    """exp(x) - 1 with the slope exp(x); PyTorch's own forms it from the rounded value."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.expm1(x)

    @staticmethod
    def backward(ctx, dy):
        return dy * torch.exp(ctx.saved_tensors[0])


def same(y, of_pytorch):
    """Stops if a formula here differs from PyTorch's function."""
    assert torch.allclose(y, of_pytorch, rtol=1e-13, atol=1e-14), (y, of_pytorch)


def layer_case(name, kind, options, parameters, x, grad_output, drawn=None):
    parameters = {k: leaf(v) for k, v in parameters.items()}
    x = leaf(x)
    if kind == "dropout":
        # Evaluated it is the identity; in training the mask is ours, to be the same on both sides.
        y = F.dropout(x, options.get("p", 0.5), training=False) * 1 if drawn is None else x * drawn
    else:
        y = apply_layer(kind, options, parameters, x)
    y.backward(grad_output)
    return {
        "name": name,
        "kind": kind,
        "options": options,
        "input": nested(x),
        **({} if drawn is None else {"drawn": nested(drawn)}),
        "parameters": {k: nested(v) for k, v in parameters.items()},
        "gradOutput": nested(grad_output),
        "output": nested(y),
        "gradInput": nested(x.grad),
        "gradParameters": {k: nested(v.grad) for k, v in parameters.items()},
    }


def layer_cases():
    torch.manual_seed(20)
    cases = []
    for batch in (1, 3, 5):
        for inputs, outputs in ((1, 1), (3, 5), (7, 2), (4, 4), (13, 9)):
            for bias in (True, False):
                parameters = {"weight": torch.randn(outputs, inputs)}
                if bias:
                    parameters["bias"] = torch.randn(outputs)
                name = f"linear {inputs} to {outputs}, batch {batch}" + ("" if bias else ", no bias")
                options = {"out_features": outputs} if bias else {"out_features": outputs, "bias": False}
                cases.append(layer_case(name, "linear", options, parameters,
                                        torch.randn(batch, inputs), torch.randn(batch, outputs)))

    # Where 1 - y^2 and 1 - y still have digits to compare; `ill_conditioned_cases` has the rest.
    ordinary = {"tanh": 4.0, "sigmoid": 7.0, "relu": 10.0, "softmax": 10.0, "identity": 10.0}
    extremes = tensor([[-700.0, -40.0, -0.0, 0.0, 40.0, 700.0],
                       [-1e-300, 1e-300, -1e-9, 1e-9, -1.0, 1.0]])
    for kind, reach in ordinary.items():
        variants = ((1, {}), (5, {"scale": 5})) if kind == "relu" else ((1, {}),)
        for scale, options in variants:
            title = kind if scale == 1 else f"{kind} with scale {scale}"
            for batch, size in ((1, 1), (1, 5), (3, 7), (5, 4)):
                x = (torch.rand(batch, size) * 2 - 1) * reach
                cases.append(layer_case(f"{title}, {batch} by {size}", kind, options, {}, x,
                                        torch.randn(batch, size)))
            cases.append(layer_case(f"{title}, extremes", kind, options, {}, extremes,
                                    torch.randn(2, 6)))
            cases.append(layer_case(f"{title}, all zero", kind, options, {}, torch.zeros(2, 3),
                                    torch.randn(2, 3)))
    cases.append(layer_case("softmax, logits of 1e4", "softmax", {}, {},
                            tensor([[1e4, -1e4, 9999.0], [1e4, 1e4, 1e4], [-1e4, -1e4, -9999.5]]),
                            torch.randn(3, 3)))
    cases.append(layer_case("softmax of (-1, 0, 1)", "softmax", {}, {},
                            tensor([[-1.0, 0.0, 1.0]]), torch.randn(1, 3)))
    return cases


def more_activation_cases():
    cases = []
    extremes = tensor([[-700.0, -40.0, -0.0, 0.0, 40.0, 700.0],
                       [-1e-300, 1e-300, -1e-9, 1e-9, -1.0, 1.0]])
    variants = (("leaky_relu", {}), ("leaky_relu", {"negative_slope": 0.2}), ("elu", {}), ("elu", {"alpha": 0.5}),
                ("gelu", {}), ("gelu", {"approximate": "tanh"}), ("silu", {}), ("softplus", {}),
                ("softplus", {"beta": 3}), ("log_softmax", {}))
    torch.manual_seed(22)
    for kind, options in variants:
        title = kind + "".join(f" with {key} {value}" for key, value in options.items())
        for batch, size in ((1, 1), (1, 5), (3, 7), (5, 4)):
            x = (torch.rand(batch, size) * 2 - 1) * 7
            cases.append(layer_case(f"{title}, {batch} by {size}", kind, options, {}, x, torch.randn(batch, size)))
        cases.append(layer_case(f"{title}, extremes", kind, options, {}, extremes, torch.randn(2, 6)))
        cases.append(layer_case(f"{title}, all zero", kind, options, {}, torch.zeros(2, 3), torch.randn(2, 3)))
    for batch, size in ((1, 1), (1, 5), (3, 7), (5, 4)):
        x, dy = torch.randn(batch, size), torch.randn(batch, size)
        where = f"{batch} by {size}"
        mask = (torch.rand(batch, size) >= 0.25).to(torch.float64) / 0.75
        cases.append(layer_case(f"dropout with p 0.25, {where}", "dropout", {"p": 0.25}, {}, x, dy, mask))
        cases.append(layer_case(f"dropout, evaluated, {where}", "dropout", {}, {}, x, dy))
        cases.append(layer_case(f"flatten, {where}", "flatten", {}, {}, x, dy))
    cases.append(layer_case("log_softmax, logits of 1e4", "log_softmax", {}, {},
                            tensor([[1e4, -1e4, 9999.0], [1e4, 1e4, 1e4], [-1e4, -1e4, -9999.5]]),
                            torch.randn(3, 3)))
    return cases


def normal_case(name, kind, options, x, training=True):
    """A batch or layer norm whose parameters and running statistics differ from their initial values."""
    own = {key: value for key, value in options.items() if key != "normalized_shape"}
    if kind == "layer_norm":
        module = torch.nn.LayerNorm(options.get("normalized_shape", list(x.shape[1:])), **own)
    else:
        module = (torch.nn.BatchNorm1d if kind == "batch_norm1d" else torch.nn.BatchNorm2d)(x.shape[1], **own)
    module.train(training)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape))
        if getattr(module, "running_mean", None) is not None:
            module.running_mean.copy_(torch.randn(x.shape[1]))
            module.running_var.copy_(torch.rand(x.shape[1]) + 0.5)
    buffers = lambda: {k: nested(v) for k, v in module.named_buffers() if v.dim() > 0}
    before = buffers()
    x = leaf(x)
    y = module(x)
    dy = torch.randn(y.shape)
    y.backward(dy)
    return {
        "name": name, "kind": kind, "options": options, "input": nested(x), "training": training,
        "buffers": before, **({"tracked": buffers()} if training else {}),
        "parameters": {k: nested(v) for k, v in module.named_parameters()},
        "gradOutput": nested(dy), "output": nested(y), "gradInput": nested(x.grad),
        "gradParameters": {k: nested(v.grad) for k, v in module.named_parameters()},
    }


def normal_cases():
    torch.manual_seed(24)
    cases = []
    variants = ({}, {"affine": False}, {"momentum": 0.7, "eps": 0.01}, {"track_running_stats": False})
    for kind, shapes in (("batch_norm1d", ((4, 3), (7, 5), (5, 1))), ("batch_norm2d", ((2, 3, 4, 5), (1, 2, 3, 3), (3, 1, 2, 1)))):
        for shape in shapes:
            for options in variants:
                for training in (True, False):
                    x = torch.randn(shape) * 2 + 1
                    title = ", ".join([kind, str(list(shape)), *(f"{key} {value}" for key, value in options.items()), "" if training else "evaluated"])
                    cases.append(normal_case(title.removesuffix(", "), kind, options, x, training))
    for shape, options in (((2, 3), {}), ((4, 7), {"eps": 0.01}), ((3, 5), {"elementwise_affine": False}),
                           ((2, 3, 4, 5), {}), ((2, 3, 4, 5), {"normalized_shape": [5]}), ((3, 2, 3, 3), {"normalized_shape": [3, 3]})):
        x = torch.randn(shape) * 2 + 1
        cases.append(normal_case(", ".join(["layer_norm", str(list(shape)), *(f"{key} {value}" for key, value in options.items())]), "layer_norm", options, x))
    return cases


def image_cases():
    """Odd sizes, strides, paddings and channel counts; with and without what the windows do not reach."""
    torch.manual_seed(23)
    cases = []
    geometries = (
        ((2, 3, 7, 5), {"kernel_size": 3}),
        ((1, 1, 5, 5), {"kernel_size": 1}),
        ((3, 2, 6, 6), {"kernel_size": [2, 3], "stride": 2}),
        ((2, 5, 9, 7), {"kernel_size": 5, "padding": 2}),
        ((1, 3, 4, 11), {"kernel_size": [3, 5], "stride": [3, 2], "padding": [1, 2]}),
        ((2, 1, 8, 6), {"kernel_size": [4, 2], "stride": [1, 3], "padding": [2, 0]}),
        ((4, 7, 3, 3), {"kernel_size": 3, "stride": 5}),
        ((2, 2, 10, 9), {"kernel_size": 3, "stride": 4, "padding": 1}),
    )
    for shape, options in geometries:
        where = f"{list(shape)}, " + ", ".join(f"{key} {value}" for key, value in options.items())
        x = torch.randn(shape)
        high, wide = options["kernel_size"] if isinstance(options["kernel_size"], list) else (options["kernel_size"],) * 2
        for channels, bias in ((1, False), (3, True)):
            parameters = {"weight": torch.randn(channels, shape[1], high, wide)}
            if bias:
                parameters["bias"] = torch.randn(channels)
            own = {"out_channels": channels, **options, **({} if bias else {"bias": False})}
            y = apply_layer("conv2d", own, parameters, x)
            title = f"conv2d to {channels}{'' if bias else ' without bias'}, {where}"
            cases.append(layer_case(title, "conv2d", own, parameters, x, torch.randn(y.shape)))
        pooled = [("max_pool2d", options), ("avg_pool2d", options)]
        if "padding" in options:
            pooled.append(("avg_pool2d", {**options, "count_include_pad": False}))
        for kind, own in pooled:
            y = apply_layer(kind, own, {}, x)
            title = f"{kind}{' without its padding' if 'count_include_pad' in own else ''}, {where}"
            cases.append(layer_case(title, kind, own, {}, x, torch.randn(y.shape)))
    # Small integers: most windows have several equal maxima.
    x = torch.randint(-1, 2, (2, 2, 6, 6)).to(torch.float64)
    for options in ({"kernel_size": 2}, {"kernel_size": 3, "stride": 1, "padding": 1}):
        y = apply_layer("max_pool2d", options, {}, x)
        cases.append(layer_case(f"max_pool2d with ties, {options}", "max_pool2d", options, {}, x, torch.randn(y.shape)))
    return cases


def ill_conditioned_cases():
    """Saturated tanh and sigmoid: their slopes are formed from a rounded y, here and in PyTorch."""
    torch.manual_seed(21)
    x = tensor([[5.0, 8.0, 10.0, 15.0, 18.0, 19.0], [-5.0, -8.0, -10.0, -15.0, -18.0, -19.0],
                [20.0, 25.0, 30.0, 36.0, 37.0, 38.0]])
    return [layer_case(f"{kind}, saturated", kind, {}, {}, x, torch.randn(3, 6)) for kind in ("tanh", "sigmoid")]


# ---------------------------------------------------------------- losses

def apply_loss(kind, options, prediction, target):
    batch = prediction.shape[0]
    how = options.get("reduction", "mean")
    margin = options.get("margin", 1)
    if kind == "mae":
        return F.l1_loss(prediction, target, reduction=how)
    if kind == "huber":
        return F.huber_loss(prediction, target, reduction=how, delta=options.get("delta", 1))
    if kind in ("hinge", "squared_hinge"):
        # PyTorch has no such loss on scores; relu rather than clamp, for a slope of 0 at the margin.
        missing = torch.relu(margin - (2 * target - 1) * prediction)
        return reduced(missing if kind == "hinge" else missing ** 2, how)
    if kind == "nll":
        if one_class(target):
            return F.nll_loss(prediction, target.argmax(dim=-1), reduction=how)
        return reduced(-(target * prediction).sum(dim=-1), how)
    if kind == "multi_margin":
        of_class = lambda c: F.multi_margin_loss(prediction, c, p=options.get("p", 1), margin=margin, reduction="none")
        if one_class(target):
            return reduced(of_class(target.argmax(dim=-1)), how)
        classes = range(target.shape[-1])
        return reduced(sum(target[:, c] * of_class(torch.full((batch,), c)) for c in classes), how)
    if kind == "mse":
        return F.mse_loss(prediction, target, reduction=how)
    if kind == "sum_squared_error":
        return options.get("scale", 1) * ((prediction - target) ** 2).sum() / batch
    if kind == "cross_entropy":
        # With class probabilities PyTorch takes soft targets; a one-hot row is the hard case.
        return F.cross_entropy(prediction, target, reduction=how)
    if kind == "cross_entropy_on_probabilities":
        return -(target * torch.log(prediction)).sum() / batch
    if kind == "bce":
        return F.binary_cross_entropy(prediction, target, reduction=how)
    if kind == "bce_with_logits":
        return F.binary_cross_entropy_with_logits(prediction, target, reduction=how)
    raise ValueError(kind)


def reduced(each, how):
    return each.sum() if how == "sum" else each.mean()


def one_class(target):
    return bool(((target == 0) | (target == 1)).all() and (target.sum(dim=-1) == 1).all())


def loss_case(name, kind, options, prediction, target):
    prediction = leaf(prediction)
    value = apply_loss(kind, options, prediction, target)
    value.backward()
    return {
        "name": name,
        "kind": kind,
        "options": options,
        "prediction": nested(prediction),
        "target": nested(target),
        "value": value.item(),
        "gradPrediction": nested(prediction.grad),
    }


def one_hot(labels, classes):
    return F.one_hot(torch.tensor(labels), classes).to(torch.float64)


def loss_cases():
    torch.manual_seed(30)
    cases = []
    sizes = ((1, 1), (1, 3), (3, 5), (5, 2), (4, 7))
    for batch, size in sizes:
        where = f"{batch} by {size}"
        cases.append(loss_case(f"mse, {where}", "mse", {}, torch.randn(batch, size) * 3, torch.randn(batch, size)))
        for scale in (1, 0.5):
            options = {} if scale == 1 else {"scale": scale}
            cases.append(loss_case(f"sum_squared_error with scale {scale}, {where}", "sum_squared_error", options,
                                   torch.randn(batch, size) * 3, torch.randn(batch, size)))
        p = torch.rand(batch, size) * 0.98 + 0.01
        hard = (torch.rand(batch, size) > 0.5).to(torch.float64)
        cases.append(loss_case(f"bce, {where}", "bce", {}, p, hard))
        cases.append(loss_case(f"bce, soft targets, {where}", "bce", {}, p, torch.rand(batch, size)))
        logits = torch.randn(batch, size) * 3
        cases.append(loss_case(f"bce_with_logits, {where}", "bce_with_logits", {}, logits, hard))
        cases.append(loss_case(f"bce_with_logits, soft targets, {where}", "bce_with_logits", {}, logits,
                               torch.rand(batch, size)))
        if size == 1:
            continue
        labels = [i % size for i in range(batch)]
        soft = torch.softmax(torch.randn(batch, size), dim=-1)
        probabilities = torch.softmax(torch.randn(batch, size) * 2, dim=-1)
        logits = torch.randn(batch, size) * 5
        for kind, x in (("cross_entropy", logits), ("cross_entropy_on_probabilities", probabilities)):
            cases.append(loss_case(f"{kind}, {where}", kind, {}, x, one_hot(labels, size)))
            cases.append(loss_case(f"{kind}, soft targets, {where}", kind, {}, x, soft))
            cases.append(loss_case(f"{kind}, targets that do not sum to 1, {where}", kind, {}, x,
                                   torch.rand(batch, size)))

    cases.append(loss_case("mse, prediction equals target", "mse", {}, torch.ones(2, 2), torch.ones(2, 2)))
    huge = tensor([[1e4, -1e4, 0.0], [-1e4, 1e4, 1e4], [-1e4, -1e4, -1e4], [1e4, 1e4 - 1, 1e4 - 2]])
    cases.append(loss_case("cross_entropy, logits of 1e4, hard targets", "cross_entropy", {}, huge,
                           one_hot([1, 2, 0, 2], 3)))
    cases.append(loss_case("cross_entropy, logits of 1e4, right class", "cross_entropy", {}, huge,
                           one_hot([0, 1, 2, 0], 3)))
    cases.append(loss_case("cross_entropy, logits of 1e4, soft targets", "cross_entropy", {}, huge,
                           tensor([[0.2, 0.3, 0.5]] * 4)))
    # Small differences on top of a big offset: adding the maximum back too early loses their digits.
    cases.append(loss_case("cross_entropy, close logits near 1e4", "cross_entropy", {},
                           tensor([[1e4, 1e4 - 0.25], [-1e4, -1e4 - 3.0]]), one_hot([0, 0], 2)))
    cases.append(loss_case("cross_entropy, all logits zero", "cross_entropy", {}, torch.zeros(2, 10),
                           one_hot([3, 9], 10)))
    corners = tensor([[0.0, 1.0, 0.0, 1.0, 1e-200, 0.5]])
    cases.append(loss_case("bce at exactly 0 and 1, target 0 1 1 0 1 1", "bce", {}, corners,
                           tensor([[0.0, 1.0, 1.0, 0.0, 1.0, 1.0]])))
    cases.append(loss_case("bce at exactly 0 and 1, target one half", "bce", {}, corners, torch.full((1, 6), 0.5)))
    far = tensor([[1e4, -1e4, 1e4, -1e4, 40.0, -40.0, 0.0, 700.0, -700.0]])
    cases.append(loss_case("bce_with_logits, logits up to 1e4", "bce_with_logits", {}, far,
                           tensor([[1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.5, 0.0, 1.0]])))
    return cases


def more_loss_cases():
    torch.manual_seed(31)
    cases = []
    both = ({}, {"reduction": "sum"})

    def add(kind, what, options, prediction, target):
        for how in both:
            given = {**options, **how}
            title = kind + "".join(f", {key} {value}" for key, value in given.items())
            cases.append(loss_case(f"{title}, {what}", kind, given, prediction, target))

    for batch, size in ((1, 1), (1, 3), (3, 5), (5, 2), (4, 7)):
        where = f"{batch} by {size}"
        x, values = torch.randn(batch, size) * 3, torch.randn(batch, size)
        hard = (torch.rand(batch, size) > 0.5).to(torch.float64)
        add("mae", where, {}, x, values)
        for options in ({}, {"delta": 2.5}):
            add("huber", where, options, x, values)
        for options in ({}, {"margin": 0.5}):
            add("hinge", where, options, x, hard)
            add("squared_hinge", where, options, x, hard)
        add("hinge", f"soft targets, {where}", {}, x, torch.rand(batch, size))
        add("squared_hinge", f"soft targets, {where}", {}, x, torch.rand(batch, size))
        for kind, prediction, target in (("mse", x, values), ("bce_with_logits", x, hard), ("bce", torch.sigmoid(x), hard)):
            cases.append(loss_case(f"{kind}, sum, {where}", kind, both[1], prediction, target))
        if size == 1:
            continue
        soft = torch.softmax(torch.randn(batch, size), dim=-1)
        labels = one_hot([i % size for i in range(batch)], size)
        cases.append(loss_case(f"cross_entropy, sum, {where}", "cross_entropy", both[1], x, labels))
        for target, what in ((labels, where), (soft, f"soft targets, {where}")):
            add("nll", what, {}, torch.log_softmax(x, dim=-1), target)
            for options in ({}, {"p": 2}, {"margin": 0.3}):
                add("multi_margin", what, options, x, target)
    add("mae", "equal", {}, torch.ones(2, 2), torch.ones(2, 2))
    add("huber", "at delta", {}, tensor([[1.0, -1.0, 3.0]]), torch.zeros(1, 3))
    add("hinge", "at the margin", {}, tensor([[1.0, -1.0, 3.0, 0.0]]), tensor([[1.0, 0.0, 0.0, 1.0]]))
    add("multi_margin", "at the margin", {}, tensor([[1.0, 0.0, 2.0], [0.5, 0.5, 0.5]]), one_hot([0, 2], 3))
    return cases


# ---------------------------------------------------------------- whole networks

def network_case(name, layers, parameters, x, loss, loss_options, target, source):
    """`layers` are [kind, options]; `parameters` one dict a layer. Everything in between is kept."""
    parameters = [{k: leaf(v) for k, v in p.items()} for p in parameters]
    values = [leaf(x)]
    for (kind, options), own in zip(layers, parameters):
        y = apply_layer(kind, options, own, values[-1])
        y.retain_grad()
        values.append(y)
    value = apply_loss(loss, loss_options, values[-1], target)
    value.backward()
    return {
        "name": name,
        "source": source,
        "layers": [{"type": kind, **options} for kind, options in layers],
        "parameters": [{k: nested(v) for k, v in p.items()} for p in parameters],
        "lossKind": loss,
        "lossOptions": loss_options,
        "target": nested(target),
        # The input, then the output of every layer; gradients in the same order.
        "values": [nested(v) for v in values],
        "loss": value.item(),
        "gradients": [nested(v.grad) for v in values],
        "gradParameters": [{k: nested(v.grad) for k, v in p.items()} for p in parameters],
    }


def dense(layers, sizes):
    """Random explicit weights for the linear layers of a stack; `sizes` are the widths they join."""
    parameters = []
    at = 0
    for kind, _ in layers:
        if kind == "linear":
            parameters.append({"weight": torch.randn(sizes[at + 1], sizes[at]), "bias": torch.randn(sizes[at + 1])})
            at += 1
        else:
            parameters.append({})
    return parameters


def linear(outputs):
    return ("linear", {"out_features": outputs})


def network_cases():
    torch.manual_seed(40)
    cases = []

    # System A: 2-4-2. The same weights and samples under every variant.
    tanh_net = [linear(4), ("tanh", {}), linear(2)]
    relu_net = [linear(4), ("relu", {}), linear(2)]
    soft = [("softmax", {})]
    weights = dense(tanh_net, (2, 4, 2))
    x = torch.rand(5, 2) * 2 - 1
    t = one_hot([0, 1, 1, 0, 1], 2)
    for batch in (5, 1):
        rows = "one sample" if batch == 1 else "batch of 5"
        add = lambda title, layers, own, loss, options={}: cases.append(network_case(
            f"A, {title}, {rows}", layers, own, x[:batch], loss, options, t[:batch], "system A"))
        add("tanh, fused cross-entropy", tanh_net, weights, "cross_entropy")
        add("relu, fused cross-entropy", relu_net, weights, "cross_entropy")
        add("tanh, softmax then cross-entropy", tanh_net + soft, weights + [{}], "cross_entropy_on_probabilities")
        add("tanh, softmax then squared error", tanh_net + soft, weights + [{}], "sum_squared_error")
        add("tanh, softmax then mse", tanh_net + soft, weights + [{}], "mse")

    # System C: the scalar network; the course holds weights inputs by outputs, PyTorch outputs by inputs.
    w1 = tensor([[1.0, 1.0, 1.0], [-1.0, -1.0, -1.0]]).T
    w2 = tensor([[1.0, 1.0], [-1.0, -1.0], [-1.0, -1.0]]).T
    own = [{"weight": w1, "bias": torch.zeros(3)}, {}, {"weight": w2, "bias": torch.zeros(2)}, {}]
    layers = [linear(3), ("sigmoid", {}), linear(2), ("softmax", {})]
    sample = tensor([[1.0, -1.0]])
    cases.append(network_case("C, softmax then cross-entropy", layers, own, sample,
                              "cross_entropy_on_probabilities", {}, one_hot([0], 2), "system C"))
    cases.append(network_case("C, fused cross-entropy", layers[:-1], own[:-1], sample,
                              "cross_entropy", {}, one_hot([0], 2), "system C"))

    # System E: two layers f and g with three losses. Half-size weights keep tanh and sigmoid out of
    # saturation, which has a file of its own.
    base = [{k: v / 2 for k, v in p.items()} for p in dense([linear(4), linear(2)], (3, 4, 2))]
    weights = [base[0], {}, base[1], {}]
    x = torch.randn(4, 3)
    values = torch.randn(4, 2)
    binary = (torch.rand(4, 2) > 0.5).to(torch.float64)
    for batch in (1, 4):
        rows = "one sample" if batch == 1 else "batch of 4"
        for f, options, g, loss, target in (
            ("relu", {"scale": 5}, "identity", "sum_squared_error", values),
            ("tanh", {}, "sigmoid", "sum_squared_error", binary),
            ("tanh", {}, "sigmoid", "bce", binary),
            ("relu", {}, "sigmoid", "bce", binary),
        ):
            title = f"{f}{' with scale 5' if options else ''}, {g}, {loss}"
            cases.append(network_case(f"E, {title}, {rows}", [linear(4), (f, options), linear(2), (g, {})], weights,
                                      x[:batch], loss, {}, target[:batch], "system E"))

    # The other losses on a whole network, and a deeper one with odd sizes and a layer without bias.
    cases.append(network_case("sigmoid net, bce_with_logits", [linear(4), ("sigmoid", {}), linear(2)], weights[:3],
                              x, "bce_with_logits", {}, binary, "logits instead of E's last sigmoid"))
    deep = [linear(5), ("tanh", {}), ("linear", {"out_features": 7, "bias": False}), ("sigmoid", {}),
            linear(3), ("relu", {}), linear(3)]
    own = dense(deep, (3, 5, 7, 3, 3))
    del own[2]["bias"]
    cases.append(network_case("deep, cross_entropy", deep, own, torch.randn(3, 3), "cross_entropy", {},
                              torch.softmax(torch.randn(3, 3), dim=-1), "3-5-7-3-3, soft targets"))
    return cases


# ---------------------------------------------------------------- optimizers

CONSTRUCTORS = {"sgd": torch.optim.SGD, "adagrad": torch.optim.Adagrad, "rmsprop": torch.optim.RMSprop,
                "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}


def scheduler(optimizer, schedule):
    """A schedule as the spec writes it, counted in steps, in PyTorch's classes."""
    lr = torch.optim.lr_scheduler
    kind, warmup = schedule["type"], schedule.get("warmup", 0)
    make = {
        "constant": lambda: lr.LambdaLR(optimizer, lambda _: 1),
        "step": lambda: lr.StepLR(optimizer, schedule["step_size"], schedule.get("gamma", 0.1)),
        "exponential": lambda: lr.ExponentialLR(optimizer, schedule["gamma"]),
        "cosine": lambda: lr.CosineAnnealingLR(optimizer, schedule["T_max"], schedule.get("eta_min", 0)),
        "linear": lambda: lr.LinearLR(optimizer, **{key: schedule[key] for key in schedule if key not in ("type", "per")}),
    }[kind]
    if warmup == 0:
        return make()
    climb = lr.LinearLR(optimizer, start_factor=1 / (warmup + 1), end_factor=1, total_iters=warmup)
    return lr.SequentialLR(optimizer, [climb, make()], milestones=[warmup])


def penalty_of(parameters, penalty):
    own = [v for p in parameters for v in p.values() if v.dim() > 1 or penalty.get("biases", False)]
    return sum(penalty.get("l1", 0) * v.abs().sum() + 0.5 * penalty.get("l2", 0) * (v ** 2).sum() for v in own)


def trace(name, kind, options, schedule=None, clip=None, penalty=None):
    torch.manual_seed(50)
    layers = [linear(5), ("tanh", {}), linear(2)]
    start = dense(layers, (3, 5, 2))
    parameters = [{k: leaf(v) for k, v in p.items()} for p in start]
    sizes = (4, 4, 3)
    batches = [(torch.randn(n, 3), one_hot([(i + b) % 2 for i in range(n)], 2)) for b, n in enumerate(sizes)]
    every = [v for p in parameters for v in p.values()]
    optimizer = CONSTRUCTORS[kind](every, **options)
    rates = scheduler(optimizer, schedule) if schedule else None
    steps = []
    for step in range(20):
        x, target = batches[step % len(batches)]
        optimizer.zero_grad()
        y = x
        for (layer, own_options), own in zip(layers, parameters):
            y = apply_layer(layer, own_options, own, y)
        loss = apply_loss("cross_entropy", {}, y, target)
        if penalty:
            loss = loss + penalty_of(parameters, penalty)
        loss.backward()
        if clip and "norm" in clip:
            torch.nn.utils.clip_grad_norm_(every, clip["norm"])
        if clip and "value" in clip:
            torch.nn.utils.clip_grad_value_(every, clip["value"])
        lr = optimizer.param_groups[0]["lr"]
        optimizer.step()
        if rates:
            rates.step()
        steps.append({"loss": loss.item(), **({"lr": lr} if schedule else {}), "parameters": [nested(v) for v in every]})
    return {
        "name": name,
        "kind": kind,
        "options": options,
        **{key: value for key, value in (("schedule", schedule), ("clip", clip), ("penalty", penalty)) if value},
        "layers": [{"type": layer, **own_options} for layer, own_options in layers],
        "parameters": [{k: nested(v) for k, v in p.items()} for p in start],
        "lossKind": "cross_entropy",
        "lossOptions": {},
        "batches": [{"input": nested(x), "target": nested(t)} for x, t in batches],
        # The loss before each update, and every parameter after it, layer by layer.
        "steps": steps,
    }


class ImageNet(torch.nn.Module):
    """One of each layer that is not in the other traces, with its running statistics."""

    def __init__(self):
        super().__init__()
        self.stack = torch.nn.Sequential(
            torch.nn.Conv2d(2, 3, 3, stride=2, padding=1, bias=False), torch.nn.BatchNorm2d(3, momentum=0.3), torch.nn.ReLU(),
            torch.nn.MaxPool2d(2, stride=1), torch.nn.Conv2d(3, 4, (1, 2)), torch.nn.LayerNorm([4, 3, 1]), torch.nn.Tanh(), torch.nn.AvgPool2d((2, 1), stride=1),
            torch.nn.Flatten(), torch.nn.Linear(8, 5, bias=False), torch.nn.BatchNorm1d(5), torch.nn.Tanh(), torch.nn.Linear(5, 3))

    LAYERS = [
        {"type": "conv2d", "out_channels": 3, "kernel_size": 3, "stride": 2, "padding": 1, "bias": False},
        {"type": "batch_norm2d", "momentum": 0.3}, {"type": "relu"}, {"type": "max_pool2d", "kernel_size": 2, "stride": 1},
        {"type": "conv2d", "out_channels": 4, "kernel_size": [1, 2]}, {"type": "layer_norm"}, {"type": "tanh"},
        {"type": "avg_pool2d", "kernel_size": [2, 1], "stride": 1}, {"type": "flatten"}, {"type": "linear", "out_features": 5, "bias": False},
        {"type": "batch_norm1d"}, {"type": "tanh"}, {"type": "linear", "out_features": 3}]


def image_trace(kind, options):
    torch.manual_seed(51)
    net = ImageNet()
    optimizer = CONSTRUCTORS[kind](net.parameters(), **options)
    # The normalizing layers start at ones and zeros by themselves.
    start = [{} if "norm" in layer["type"] else {k: nested(v) for k, v in module.named_parameters()}
             for layer, module in zip(ImageNet.LAYERS, net.stack)]
    batches = [(torch.randn(n, 2, 7, 6), one_hot([(i + n) % 3 for i in range(n)], 3)) for n in (4, 4, 3)]
    steps = []
    for step in range(20):
        x, target = batches[step % len(batches)]
        optimizer.zero_grad()
        loss = F.cross_entropy(net.stack(x), target)
        loss.backward()
        optimizer.step()
        steps.append({"loss": loss.item(), "parameters": [nested(v) for v in net.parameters()],
                      "buffers": [nested(v) for v in net.buffers() if v.dim() > 0]})
    return {"name": f"convolution, pooling and normalization by {kind}", "kind": kind, "options": options, "layers": ImageNet.LAYERS,
            "parameters": start, "lossKind": "cross_entropy", "lossOptions": {},
            "batches": [{"input": nested(x), "target": nested(t)} for x, t in batches], "steps": steps}


def optimizer_cases():
    cases = [
        trace("sgd", "sgd", {"lr": 0.3}),
        trace("sgd with momentum 0.9", "sgd", {"lr": 0.1, "momentum": 0.9}),
        trace("sgd with momentum 0.5", "sgd", {"lr": 0.2, "momentum": 0.5}),
    ]
    for kind, options in (
        ("sgd", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
        ("sgd", {"lr": 0.1, "weight_decay": 0.05}),
        ("sgd", {"lr": 0.1, "momentum": 0.8, "weight_decay": 0.05}),
        ("sgd", {"lr": 0.1, "momentum": 0.8, "nesterov": True, "weight_decay": 0.05}),
        ("adagrad", {}), ("adagrad", {"lr": 0.2, "lr_decay": 0.1, "weight_decay": 0.05}),
        ("rmsprop", {}), ("rmsprop", {"lr": 0.02, "alpha": 0.9, "momentum": 0.7, "weight_decay": 0.05}),
        ("adam", {}), ("adam", {"lr": 0.05, "betas": [0.8, 0.95], "eps": 1e-3, "weight_decay": 0.1}),
        ("adamw", {}), ("adamw", {"lr": 0.05, "betas": [0.8, 0.95], "weight_decay": 0.3}),
    ):
        title = kind + "".join(f", {key} {value}" for key, value in options.items())
        cases.append(trace(title, kind, options))
    for schedule in (
        {"type": "constant", "warmup": 4}, {"type": "step", "step_size": 6, "gamma": 0.5}, {"type": "exponential", "gamma": 0.9},
        {"type": "cosine", "T_max": 15, "eta_min": 0.01}, {"type": "linear", "start_factor": 0.25, "total_iters": 7},
        {"type": "cosine", "T_max": 12, "warmup": 5}, {"type": "step", "step_size": 3, "warmup": 4},
    ):
        title = ", ".join(f"{key} {value}" for key, value in schedule.items())
        cases.append(trace(f"schedule of {title}", "sgd", {"lr": 0.3, "momentum": 0.5}, {**schedule, "per": "step"}))
    for clip in ({"norm": 0.2}, {"norm": 100}, {"value": 0.05}):
        cases.append(trace(f"clip {clip}", "sgd", {"lr": 0.3, "momentum": 0.5, "weight_decay": 0.01}, clip=clip))
    cases.append(trace("clip and Nesterov", "sgd", {"lr": 0.3, "momentum": 0.5, "nesterov": True}, clip={"norm": 0.2}))
    for penalty in ({"l1": 0.02}, {"l2": 0.05}, {"l1": 0.01, "l2": 0.03, "biases": True}):
        cases.append(trace(f"penalty {penalty}", "sgd", {"lr": 0.3}, penalty=penalty))
    return cases


# ---------------------------------------------------------------- operations of autograd

def operation_case(name, operation, tensors, apply, rest=()):
    """`tensors` come first in the engine's arguments, `rest` after them; apply gets the tensors alone."""
    generator = torch.Generator().manual_seed(41)
    leaves = [leaf(x) for x in tensors]
    y = apply(*leaves)
    upstream = torch.randn(y.shape, generator=generator)
    y.backward(upstream)
    return {
        "name": name, "operation": operation, "tensors": [nested(x) for x in tensors], "rest": list(rest),
        "output": nested(y), "shape": list(y.shape), "gradOutput": nested(upstream),
        "gradients": [nested(x.grad if x.grad is not None else torch.zeros_like(x)) for x in leaves],
    }


def operation_cases():
    generator = torch.Generator().manual_seed(40)

    def draw(*shape):
        return torch.randn(shape, generator=generator)

    cases = []
    binary = {
        "add": torch.add, "subtract": torch.sub, "multiply": torch.mul, "divide": torch.div,
        "maximum": torch.maximum, "minimum": torch.minimum,
    }
    for operation, f in binary.items():
        for a, b in (((3, 4), (3, 4)), ((3, 4), (4,)), ((3, 1), (2, 1, 4)), ((), (2, 3)), ((2, 3), ())):
            cases.append(operation_case(f"{operation} of {list(a)} and {list(b)}", operation, [draw(*a), draw(*b)], f))
    ties = tensor([[-1.0, 0.0, 2.0, 2.0], [3.0, 3.0, -2.0, 0.0]])
    for operation in ("maximum", "minimum"):
        cases.append(operation_case(f"{operation} with ties", operation, [ties, tensor([0.0, 0.0, 2.0, -1.0])], binary[operation]))
    cases.append(operation_case("pow of positive numbers", "pow", [draw(2, 3).exp(), draw(3)], torch.pow))
    cases.append(operation_case("pow with whole exponents", "pow", [tensor([-2.0, -1.5, 0.0, 3.0]), tensor(3.0)], lambda a, b: torch.pow(a, 3) + 0 * b))
    cases[-1]["tensors"], cases[-1]["rest"], cases[-1]["gradients"] = cases[-1]["tensors"][:1], [3], cases[-1]["gradients"][:1]
    around = torch.cat([draw(6), tensor([0.0, 5.0, -5.0, 1e-3])])
    unary = {
        "negate": (torch.neg, around), "exp": (torch.exp, around), "log": (torch.log, around.abs() + 0.1),
        "sqrt": (torch.sqrt, around.abs() + 0.1), "tanh": (torch.tanh, draw(3, 4)), "sigmoid": (torch.sigmoid, draw(3, 4)),
        "relu": (torch.relu, around), "abs": (torch.abs, around),
    }
    for operation, (f, x) in unary.items():
        cases.append(operation_case(operation, operation, [x], f))
    for operation, f in {"sum": torch.sum, "mean": torch.mean}.items():
        cases.append(operation_case(f"{operation} of all", operation, [draw(2, 3, 4)], f))
        for axes, keep in (([0], False), ([1], True), ([0, 2], False), ([-1], False), ([0, 1, 2], True)):
            cases.append(operation_case(
                f"{operation} over {axes}, keep {keep}", operation, [draw(2, 3, 4)],
                lambda x, f=f, axes=axes, keep=keep: f(x, dim=axes, keepdim=keep), [axes, keep],
            ))
    for operation, f in {"softmax": torch.softmax, "logSoftmax": torch.log_softmax}.items():
        for axis in (-1, 0, 1):
            cases.append(operation_case(
                f"{operation} along {axis}", operation, [draw(2, 3, 4)], lambda x, f=f, axis=axis: f(x, dim=axis), [axis],
            ))
        wide = tensor([[1000.0, 0.0, -1000.0], [30.0, 29.0, 31.0]])
        cases.append(operation_case(f"{operation} of large numbers", operation, [wide], lambda x, f=f: f(x, dim=-1), [-1]))
    for a, b in (((3, 4), (4, 2)), ((5, 3, 4), (4, 2)), ((2, 1, 3, 4), (3, 4, 2)), ((1, 4), (5, 4, 1))):
        cases.append(operation_case(f"matmul of {list(a)} and {list(b)}", "matmul", [draw(*a), draw(*b)], torch.matmul))
    cases.append(operation_case("transpose", "transpose", [draw(3, 4)], lambda x: x.t()))
    cases.append(operation_case("transpose of the last two of three", "transpose", [draw(2, 3, 4)], lambda x: x.transpose(-1, -2)))
    cases.append(operation_case("transpose of three", "transpose", [draw(2, 3, 4)], lambda x: x.permute(2, 0, 1), [[2, 0, 1]]))
    cases.append(operation_case("reshape", "reshape", [draw(2, 3, 4)], lambda x: x.reshape(4, 6), [[4, -1]]))
    cases.append(operation_case("slice", "slice", [draw(3, 5)], lambda x: x[:, 1:4], [1, 1, 4]))
    cases.append(operation_case("slice from the end", "slice", [draw(4, 3)], lambda x: x[-2:], [0, -2]))
    cases.append(operation_case("take with a place twice", "take", [draw(3, 4)], lambda x: x[:, [3, 0, 3]], [1, [-1, 0, 3]]))
    for axis, a, b in ((-1, (2, 3), (2, 1)), (0, (2, 3), (1, 3)), (1, (2, 2, 3), (2, 1, 3))):
        case = operation_case(
            f"concatenate along {axis}", "concatenate", [draw(*a), draw(*b)], lambda x, y, axis=axis: torch.cat([x, y], dim=axis), [axis],
        )
        cases.append({**case, "list": True})
    for axis in (0, 1, -1):
        cases.append({**operation_case(
            f"stack along {axis}", "stack", [draw(2, 3), draw(2, 3)], lambda x, y, axis=axis: torch.stack([x, y], dim=axis), [axis],
        ), "list": True})
    for axis, places in ((0, [[2.0, 0.0, 2.0, 1.0]]), (1, [[3.0, 3.0], [0.0, 1.0], [2.0, 0.0]])):
        index = tensor(places)
        cases.append(operation_case(
            f"gather along {axis}", "gather", [draw(3, 4)], lambda x, axis=axis, index=index: x.gather(axis, index.long()),
            [axis, {"tensor": places}],
        ))
    for axis, size, places in ((0, 2, [[1.0, 0.0, 1.0], [1.0, 1.0, 0.0]]), (1, 5, [[4.0, 4.0, 0.0], [1.0, 2.0, 2.0]])):
        index = tensor(places)
        shape = [size, 3] if axis == 0 else [2, size]
        cases.append(operation_case(
            f"scatterAdd along {axis}", "scatterAdd", [draw(2, 3)],
            lambda x, axis=axis, index=index, shape=shape: torch.zeros(shape).scatter_add(axis, index.long(), x),
            [axis, {"tensor": places}, size],
        ))
    for condition, a, b in (([[1.0, 0.0, -2.0]], (2, 3), (2, 3)), ([[0.0], [1.0]], (3,), (2, 1)), (1.0, (2,), ())):
        cases.append(operation_case(
            f"where of {list(a)} and {list(b)}", "where", [tensor(condition), draw(*a), draw(*b)],
            lambda c, a, b: torch.where(c != 0, a, b),
        ))
    for name, x, weight, options in (
        ("plain", (2, 1, 4, 5), (2, 1, 3, 3), {}),
        ("strided and padded", (1, 2, 5, 6), (3, 2, 3, 2), {"stride": 2, "padding": 1}),
        ("dilated", (2, 2, 7, 5), (1, 2, 3, 2), {"stride": [2, 1], "padding": [0, 1], "dilation": [2, 3]}),
    ):
        cases.append(operation_case(
            f"conv2d, {name}", "conv2d", [draw(*x), draw(*weight)],
            lambda x, w, options=options: torch.nn.functional.conv2d(x, w, **options), [options],
        ))
    return cases


if __name__ == "__main__":
    write("layers.json", layer_cases() + more_activation_cases())
    write("layers-images.json", image_cases())
    write("layers-normal.json", normal_cases())
    write("layers-saturated.json", ill_conditioned_cases())
    write("losses.json", loss_cases() + more_loss_cases())
    write("networks.json", network_cases())
    write("optimizers.json", optimizer_cases())
    write("optimizers-images.json", [image_trace("sgd", {"lr": 0.1, "momentum": 0.9}), image_trace("adam", {"lr": 0.02})])
    write("operations.json", operation_cases())
