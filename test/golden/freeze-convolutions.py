#!/usr/bin/env python3
"""Freezes PyTorch's float64 values of grouped, dilated, transposed and 1D convolutions, and of layers that go with them.

README.md beside this says how to run it.
"""
import torch
from torch.nn import functional as F

from freeze import leaf, nested, write


def apply(kind, options, parameters, x):
    weight, bias = parameters.get("weight"), parameters.get("bias")
    given = {name: tuple(options[name]) if isinstance(options.get(name), list) else options[name]
             for name in ("stride", "padding", "dilation", "groups", "output_padding") if name in options}
    if kind == "conv1d":
        return F.conv1d(x, weight, bias, **given)
    if kind == "conv2d":
        return F.conv2d(x, weight, bias, **given)
    if kind == "conv_transpose2d":
        return F.conv_transpose2d(x, weight, bias, **given)
    if kind == "group_norm":
        return F.group_norm(x, options["num_groups"], weight, bias, options.get("eps", 1e-5))
    if kind == "adaptive_avg_pool2d":
        return F.adaptive_avg_pool2d(x, options.get("output_size", 1))
    if kind == "upsample":
        scale = options.get("scale_factor", 2)
        return F.interpolate(x, scale_factor=tuple(scale) if isinstance(scale, list) else scale, mode="nearest")
    if kind == "prelu":
        return F.prelu(x, weight)
    raise ValueError(kind)


def case(kind, options, shape, parameters=()):
    parameters = {name: leaf(torch.randn(*size)) for name, size in dict(parameters).items()}
    x = leaf(torch.randn(*shape))
    y = apply(kind, options, parameters, x)
    grad_output = torch.randn_like(y)
    y.backward(grad_output)
    title = f"{kind} of {' x '.join(map(str, shape))}"
    return {
        "name": ", ".join([title, *(f"{key} {value}" for key, value in options.items())]),
        "kind": kind,
        "options": options,
        "input": nested(x),
        "parameters": {k: nested(v) for k, v in parameters.items()},
        "gradOutput": nested(grad_output),
        "output": nested(y),
        "gradInput": nested(x.grad),
        "gradParameters": {k: nested(v.grad) for k, v in parameters.items()},
    }


def pair(size):
    return size if isinstance(size, list) else [size, size]


def convolution(kind, shape, outputs, kernel, **options):
    groups = options.get("groups", 1)
    spatial = [kernel] if kind == "conv1d" else pair(kernel)
    transposed = kind == "conv_transpose2d"
    weight = [shape[1], outputs // groups] if transposed else [outputs, shape[1] // groups]
    parameters = {"weight": weight + spatial}
    if options.get("bias", True):
        parameters["bias"] = [outputs]
    return case(kind, {"out_channels": outputs, "kernel_size": kernel, **options}, shape, parameters)


def cases():
    torch.manual_seed(71)
    made = []
    for shape, outputs, kernel, options in (
        ((2, 4, 5, 6), 6, 3, {"groups": 2}),
        ((1, 6, 4, 4), 6, [2, 3], {"groups": 6, "padding": 1}),
        ((3, 3, 5, 5), 6, 3, {"groups": 3, "stride": 2, "padding": [1, 2], "bias": False}),
        ((2, 2, 7, 8), 3, 3, {"dilation": 2}),
        ((2, 1, 9, 7), 2, [3, 2], {"dilation": [3, 1], "stride": [1, 2], "padding": [2, 0]}),
        ((2, 4, 8, 8), 4, 3, {"dilation": 2, "groups": 4, "padding": 2}),
        ((1, 4, 6, 7), 2, 2, {"dilation": [1, 3], "groups": 2, "stride": 2, "bias": False}),
    ):
        made.append(convolution("conv2d", shape, outputs, kernel, **options))
    for shape, outputs, kernel, options in (
        ((1, 1, 1), 1, 1, {}),
        ((3, 2, 7), 4, 3, {}),
        ((2, 3, 8), 2, 4, {"stride": 2, "padding": 1}),
        ((2, 4, 9), 6, 3, {"groups": 2, "dilation": 2, "padding": 2}),
        ((4, 5, 6), 5, 2, {"groups": 5, "bias": False}),
    ):
        made.append(convolution("conv1d", shape, outputs, kernel, **options))
    for shape, outputs, kernel, options in (
        ((1, 1, 1, 1), 1, 1, {}),
        ((2, 3, 4, 5), 2, 3, {}),
        ((3, 2, 3, 4), 5, [2, 3], {"stride": 2, "bias": False}),
        ((2, 4, 3, 3), 6, 3, {"stride": 2, "padding": 1, "output_padding": 1, "groups": 2}),
        ((1, 3, 4, 3), 3, 3, {"stride": [3, 2], "padding": [0, 1], "output_padding": [2, 0], "groups": 3}),
        ((2, 2, 3, 4), 3, 2, {"dilation": 2, "padding": 1, "stride": [1, 2], "output_padding": [0, 1]}),
        ((2, 2, 5, 5), 2, 4, {"stride": 2, "padding": 1}),
    ):
        made.append(convolution("conv_transpose2d", shape, outputs, kernel, **options))
    for shape, groups in (((3, 8), 2), ((2, 6, 5), 3), ((2, 4, 3, 5), 1), ((3, 4, 2, 3), 4), ((1, 6, 4, 4), 2)):
        for options in ({}, {"affine": False}, {"eps": 0.1}):
            affine = options.get("affine", True)
            parameters = {"weight": [shape[1]], "bias": [shape[1]]} if affine else {}
            made.append(case("group_norm", {"num_groups": groups, **options}, shape, parameters))
    for shape, options in (((2, 3, 5, 4), {}), ((1, 1, 1, 1), {}), ((2, 2, 6, 4), {"output_size": 2}),
                           ((2, 3, 7, 5), {"output_size": [3, 2]}), ((1, 2, 3, 4), {"output_size": [5, 4]})):
        made.append(case("adaptive_avg_pool2d", options, shape))
    for shape, options in (((2, 3, 4, 5), {}), ((1, 1, 1, 1), {}), ((2, 2, 3, 2), {"scale_factor": 3}),
                           ((3, 1, 2, 3), {"scale_factor": [1, 4]})):
        made.append(case("upsample", options, shape))
    for shape, slopes in (((3, 5), 1), ((4, 3), 3), ((2, 3, 4), 3), ((2, 4, 3, 3), 4), ((2, 2, 3, 3), 1)):
        made.append(case("prelu", {"num_parameters": slopes}, shape, {"weight": [slopes]}))
    return made


if __name__ == "__main__":
    write("layers-convolutions.json", cases())
