# A peer of sequences.bench.ts: the same networks with attention, recurrence and residual blocks in PyTorch. Reads one
# JSON request per line, and answers with microseconds per step, or seconds of a gradient check. Prepared batches, no
# data loader, no logging: forward, loss, backward, SGD.
import json
import sys
import time

import torch
from torch import nn

CHARACTERS, POSITIONS, WIDTH = 65, 32, 64


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.first_norm, self.second_norm = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.attention = nn.MultiheadAttention(WIDTH, 4, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))
        mask = torch.full((POSITIONS, POSITIONS), float("-inf")).triu(1)
        self.register_buffer("mask", mask)

    def forward(self, x):
        h = self.first_norm(x)
        x = x + self.attention(h, h, h, attn_mask=self.mask, need_weights=False)[0]
        return x + self.mlp(self.second_norm(x))


class Gpt(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens = nn.Embedding(CHARACTERS, WIDTH)
        nn.init.normal_(self.tokens.weight, std=0.1)
        self.positions = nn.Parameter(torch.randn(POSITIONS, WIDTH) * 0.02)
        self.blocks = nn.Sequential(Block(), Block())
        self.norm = nn.LayerNorm(WIDTH)

    def forward(self, x):
        return self.norm(self.blocks(self.tokens(x) + self.positions)) @ self.tokens.weight.T


class LastState(nn.Module):
    def __init__(self):
        super().__init__()
        self.recurrent, self.output = nn.LSTM(2, WIDTH, batch_first=True), nn.Linear(WIDTH, 1)

    def forward(self, x):
        return self.output(self.recurrent(x)[0][:, -1])


class AllStates(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens = nn.Embedding(CHARACTERS, WIDTH)
        self.recurrent, self.output = nn.LSTM(WIDTH, WIDTH, batch_first=True), nn.Linear(WIDTH, CHARACTERS)

    def forward(self, x):
        return self.output(self.recurrent(self.tokens(x))[0])


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in range(20))
        self.output = nn.Linear(WIDTH, 10)

    def forward(self, x):
        for layer in self.layers:
            x = x + torch.relu(layer(x))
        return self.output(x)


NETWORKS = {"gpt": Gpt, "lstm": LastState, "char-lstm": AllStates, "residual": Residual}


class Workload:
    def __init__(self, kind, batch):
        torch.manual_seed(0)
        self.net = NETWORKS[kind]()
        self.classes = kind != "lstm"
        if kind in ("gpt", "char-lstm"):
            self.x = torch.randint(CHARACTERS, (batch, POSITIONS))
            self.t = torch.randint(CHARACTERS, (batch, POSITIONS)).flatten()
        elif kind == "lstm":
            self.x, self.t = torch.rand(batch, POSITIONS, 2), torch.rand(batch, 1)
        else:
            self.x, self.t = torch.rand(batch, WIDTH) - 0.5, torch.arange(batch) % 10
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.01)

    def loss(self, y):
        if not self.classes:
            return nn.functional.mse_loss(y, self.t)
        return nn.functional.cross_entropy(y.flatten(0, -2), self.t)

    def step(self):
        self.optimizer.zero_grad()
        self.loss(self.net(self.x)).backward()
        self.optimizer.step()


def gradcheck_seconds(kind, batch, entries):
    """Seconds of torch.autograd.gradcheck in float64 over this many entries of the attention's projection."""
    workload = Workload(kind, batch)
    workload.net.double()
    weight = workload.net.blocks[0].attention.in_proj_weight
    flat = weight.detach().reshape(-1)
    part, rest = flat[:entries].clone().requires_grad_(), flat[entries:].clone()
    attention = workload.net.blocks[0].attention
    del attention.in_proj_weight

    def loss(part):
        attention.in_proj_weight = torch.cat([part, rest]).reshape(weight.shape)
        return workload.loss(workload.net(workload.x))

    start = time.perf_counter()
    torch.autograd.gradcheck(loss, (part,))
    return time.perf_counter() - start


workloads = {}
print(json.dumps({"version": torch.__version__}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    torch.set_num_threads(request["threads"])
    kind, batch = request["kind"], request["batch"]
    if "gradcheck" in request:
        print(json.dumps(gradcheck_seconds(kind, batch, request["gradcheck"])), flush=True)
        continue
    if kind not in workloads:
        workloads[kind] = Workload(kind, batch)
    workload = workloads[kind]
    for _ in range(request["calls"] // 4 + 1):
        workload.step()
    start = time.perf_counter()
    for _ in range(request["calls"]):
        workload.step()
    print(json.dumps((time.perf_counter() - start) / request["calls"] * 1e6), flush=True)
