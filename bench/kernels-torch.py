# The peer of kernels.bench.ts: the same training steps in PyTorch. Reads one JSON request a line, answers with
# microseconds a step. Pre-made batches, no data loader, no logging: forward, loss, backward, SGD.
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


workloads = {}
print(json.dumps({"version": torch.__version__}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    torch.set_num_threads(request["threads"])
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
