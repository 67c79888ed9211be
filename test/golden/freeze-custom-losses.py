#!/usr/bin/env python3
"""Freezes values and gradients of the losses and penalties in examples/losses, computed by PyTorch's autograd in float64.

Usage: /usr/bin/python3 test/golden/freeze-custom-losses.py
"""
import json
import os

import torch

torch.manual_seed(20240301)
torch.set_default_dtype(torch.float64)
HERE = os.path.dirname(os.path.abspath(__file__))


def focal(outputs, targets, gamma):
    logs = torch.log_softmax(outputs, dim=1)
    return -(targets * (1 - logs.exp()) ** gamma * logs).sum(dim=1).mean()


def unit_norm(weights, strength):
    return strength * sum((((weight ** 2).sum(dim=1) - 1) ** 2).sum() for weight in weights)


losses = []
for gamma, scale in [(0.0, 1.0), (2.0, 1.0), (0.5, 3.0), (2.0, 12.0)]:
    outputs = (scale * torch.randn(6, 4)).requires_grad_()
    targets = torch.nn.functional.one_hot(torch.randint(0, 4, (6,)), 4).double()
    value = focal(outputs, targets, gamma)
    value.backward()
    losses.append(
        {
            "gamma": gamma,
            "outputs": outputs.tolist(),
            "targets": targets.tolist(),
            "value": value.item(),
            "gradient": outputs.grad.tolist(),
        }
    )

weights = [torch.randn(3, 2).requires_grad_(), torch.randn(2, 3).requires_grad_()]
penalty = unit_norm(weights, 0.3)
penalty.backward()
result = {
    "torch": torch.__version__,
    "focal": losses,
    "unitNorm": {
        "strength": 0.3,
        "weights": [weight.tolist() for weight in weights],
        "value": penalty.item(),
        "gradients": [weight.grad.tolist() for weight in weights],
    },
}
with open(os.path.join(HERE, "custom-losses.json"), "w") as file:
    json.dump(result, file, indent=1)
    file.write("\n")
