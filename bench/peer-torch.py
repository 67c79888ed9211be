# A peer of kernels.bench.ts: the same training steps in PyTorch. Reads one JSON request per line, and answers with
# microseconds per step. Prepared batches, no data loader, no logging: forward, loss, backward, SGD.
import json
import sys
import time

import torch


class Workload:
    def __init__(self, sizes, activation, batch, loss, convolutions=()):
        torch.manual_seed(0)
        layers = []
        if convolutions:
            # Images of 3 channels; each pooling halves their sides.
            channels, side = 3, round((sizes[0] / 3) ** 0.5)
            self.x = torch.rand(batch, channels, side, side) - 0.5
            for out in convolutions:
                layers += [torch.nn.Conv2d(channels, out, 5, padding=2), torch.nn.ReLU(), torch.nn.MaxPool2d(2)]
                channels, side = out, side // 2
            layers.append(torch.nn.Flatten())
            sizes = [channels * side * side] + sizes[1:]
        for i in range(len(sizes) - 1):
            layers.append(torch.nn.Linear(sizes[i], sizes[i + 1]))
            if i < len(sizes) - 2:
                layers.append({"tanh": torch.nn.Tanh, "sigmoid": torch.nn.Sigmoid, "relu": torch.nn.ReLU}[activation]())
        self.net = torch.nn.Sequential(*layers)
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.01)
        self.loss = torch.nn.MSELoss() if loss == "mse" else torch.nn.CrossEntropyLoss()
        if not convolutions:
            self.x = torch.rand(batch, sizes[0]) - 0.5
        self.t = torch.rand(batch, sizes[-1]) if loss == "mse" else torch.arange(batch) % sizes[-1]

    def step(self):
        self.optimizer.zero_grad()
        self.loss(self.net(self.x), self.t).backward()
        self.optimizer.step()


def gradcheck_seconds(sizes, batch, entries):
    """Seconds of torch.autograd.gradcheck in float64 over this many weights of the first layer."""
    torch.manual_seed(0)
    first, second = [torch.randn(sizes[i + 1], sizes[i], dtype=torch.float64) / sizes[i] ** 0.5 for i in range(2)]
    biases = [torch.zeros(size, dtype=torch.float64) for size in sizes[1:]]
    x = torch.rand(batch, sizes[0], dtype=torch.float64) - 0.5
    t = torch.arange(batch) % sizes[-1]
    part, rest = first.reshape(-1)[:entries].clone().requires_grad_(), first.reshape(-1)[entries:].clone()

    def loss(part):
        weight = torch.cat([part, rest]).reshape(first.shape)
        hidden = torch.sigmoid(torch.nn.functional.linear(x, weight, biases[0]))
        return torch.nn.functional.cross_entropy(torch.nn.functional.linear(hidden, second, biases[1]), t)

    start = time.perf_counter()
    torch.autograd.gradcheck(loss, (part,))
    return time.perf_counter() - start


workloads = {}
print(json.dumps({"version": torch.__version__}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    torch.set_num_threads(request["threads"])
    if "gradcheck" in request:
        print(json.dumps(gradcheck_seconds(request["sizes"], request["batch"], request["gradcheck"])), flush=True)
        continue
    name = request["name"]
    if name not in workloads:
        workloads[name] = Workload(
            request["sizes"], request["activation"], request["batch"], request["loss"], request.get("convolutions", ())
        )
    workload = workloads[name]
    for _ in range(request["calls"] // 4 + 1):
        workload.step()
    start = time.perf_counter()
    for _ in range(request["calls"]):
        workload.step()
    print(json.dumps((time.perf_counter() - start) / request["calls"] * 1e6), flush=True)
