"""Small networks of every kind that features are read from, and what must not change in them."""

import copy
from collections import OrderedDict
from types import SimpleNamespace

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence


class Block(nn.Module):
    """Of a residual network, with one activation for both places, in place."""

    def __init__(self, before, after, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.downsample = nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))

    def forward(self, x):
        out = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(out)) + self.downsample(x))


class ResNet(nn.Module):
    """Laid out and named as in torchvision."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(8)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(2)
        self.layer1 = nn.Sequential(Block(8, 8, 1), Block(8, 8, 1))
        self.layer2 = nn.Sequential(Block(8, 16, 2))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(16, 5)

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer2(self.layer1(x))
        return self.fc(torch.flatten(self.avgpool(x), 1))


class VisionBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, 2, batch_first=True, dropout=0.1)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Dropout(0.1), nn.Linear(2 * width, width))

    def forward(self, x):
        y = self.norm1(x)
        x = x + self.attention(y, y, y, need_weights=False)[0]
        return x + self.mlp(self.norm2(x))


class VisionTransformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 16, 4, 4)
        self.token = nn.Parameter(torch.randn(1, 1, 16))
        self.positions = nn.Parameter(torch.randn(1, 17, 16))
        self.blocks = nn.ModuleList(VisionBlock(16) for _ in range(3))
        self.head = nn.Linear(16, 5)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(x), -1, -1), x], 1) + self.positions
        for block in self.blocks:
            x = block(x)
        return self.head(x[:, 0])


class ControlFlow(nn.Module):
    """Branches that depend on values, which no tracer of graphs can follow."""

    def __init__(self):
        super().__init__()
        self.cell, self.other, self.out = nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 4)

    def forward(self, x):
        for step in range(3):
            x = torch.tanh(self.cell(x) if step != 1 else x)
            if bool((x > 100).any()):
                x = self.other(x)
        return {"scores": self.out(x), "hidden": x}


class Recurrent(nn.Module):
    """Time stands before the rows, as PyTorch's layers have it unless told otherwise."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(6, 5, num_layers=2)
        self.out = nn.Linear(5, 3)

    def forward(self, x):
        states, _ = self.lstm(x.transpose(0, 1))
        return self.out(states[-1])


class PackedRecurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(6, 5, batch_first=True)

    def forward(self, x, lengths):
        return self.gru(pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False))[1]


class GraphNetwork(nn.Module):
    """Nodes add up what their neighbours say; small graphs side by side, or one large one by its edges."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(6, 8), nn.Linear(8, 4)

    def forward(self, x, adjacency=None, edges=None):
        for layer in (self.first, self.second):
            x = torch.relu(layer(x))
            if adjacency is not None:
                x = adjacency @ x
            else:
                x = torch.zeros_like(x).index_add(0, edges[1], x[edges[0]])
        return x.mean(1) if adjacency is not None else x


class Answer(OrderedDict):
    """As the transformers library returns it: a mapping with attributes."""

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class HiddenStates(nn.Module):
    """Offers what models of the transformers library offer."""

    main_input_name = "input_ids"

    def __init__(self):
        super().__init__()
        self.config = SimpleNamespace(output_hidden_states=False)
        self.embedding = nn.Embedding(50, 8)
        self.blocks = nn.ModuleList(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True) for _ in range(2))
        self.head = nn.Linear(8, 50)

    def forward(self, input_ids, attention_mask=None, output_hidden_states=False, return_dict=False):
        padding = None if attention_mask is None else attention_mask == 0
        x = self.embedding(input_ids)
        states = [x]
        for block in self.blocks:
            x = block(x, src_key_padding_mask=padding)
            states.append(x)
        return Answer(logits=self.head(x), **({"hidden_states": tuple(states)} if output_hidden_states else {}))


class Intermediates(nn.Module):
    """Offers what models of timm offer."""

    def __init__(self):
        super().__init__()
        self.stages = nn.ModuleList([nn.Conv2d(3, 4, 3, 2, 1), nn.Conv2d(4, 6, 3, 2, 1), nn.Conv2d(6, 8, 3, 2, 1)])
        self.head = nn.Linear(8, 5)
        self.ran = 0

    def forward_intermediates(
        self, x, indices=None, norm=False, stop_early=False, output_fmt="NCHW", intermediates_only=False
    ):
        wanted = range(len(self.stages)) if indices is None else indices
        found = []
        for i, stage in enumerate(self.stages[: max(wanted) + 1] if stop_early else self.stages):
            x = torch.relu(stage(x))
            if i in wanted:
                found.append(x)
        return found if intermediates_only else (x, found)

    def forward(self, x):
        x, _ = self.forward_intermediates(x)
        return self.head(x.mean((2, 3)))


class Careless(nn.Module):
    """Changes itself whenever it runs, whatever its mode, and draws random numbers."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(6, 4)
        self.register_buffer("runs", torch.zeros(1))
        self.register_buffer("mean", torch.zeros(4))
        self.steps = 0

    def forward(self, x):
        self.steps += 1
        self.runs += 1
        y = self.linear(x)
        self.mean = y.mean(0)
        self.kept = y
        return functional.dropout(y, 0.01, training=True)


def state_of(module):
    """Everything about a module that reading features must leave alone."""
    return {
        "values": {name: value.clone() for name, value in module.state_dict().items()},
        "objects": {name: id(value) for name, value in [*module.named_parameters(), *module.named_buffers()]},
        "grads": {name: None if p.grad is None else p.grad.clone() for name, p in module.named_parameters()},
        "asks": {name: p.requires_grad for name, p in module.named_parameters()},
        "training": {name: part.training for name, part in module.named_modules()},
        "hooks": {
            name: (len(part._forward_hooks), len(part._forward_pre_hooks), len(part._backward_hooks))
            for name, part in module.named_modules()
        },
        "attributes": {name: sorted(vars(part)) for name, part in module.named_modules()},
        "plain": {
            name: copy.copy({k: v for k, v in vars(part).items() if isinstance(v, int | float | str)})
            for name, part in module.named_modules()
        },
        "random": torch.get_rng_state(),
        "grad mode": torch.is_grad_enabled(),
        "fast path": torch.backends.mha.get_fastpath_enabled(),
    }


def same(one, other):
    """Say whether two states are equal, to the bit."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other
