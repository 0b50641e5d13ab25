#!/usr/bin/env python3
"""Writes src/train/testdata/muon_goldens.json: steps of Muon on matrices of three shapes.

Twice by torch.optim.Muon (PyTorch 2.9 or newer): as it stands, with the iteration in bf16, and with its bf16 replaced by
f64. Weights and gradients are a closed formula that the C++ test repeats.
"""
import inspect
import json
import math
import pathlib

import torch
import torch.optim._muon as muon_module

SHAPES = [(12, 20), (24, 8), (16, 16)]
SETTINGS = dict(lr=0.02, momentum=0.95, weight_decay=0.1)
STEPS = 3


def value(tensor, index, scale):
    return scale * math.sin(1.0 + 0.7 * tensor + 0.37 * index + 0.011 * ((index * 7919 + tensor * 104729) % 1009))


def fill(tensor, shape, scale):
    return torch.tensor([value(tensor, k, scale) for k in range(math.prod(shape))], dtype=torch.float32).reshape(shape)


def gradient(n, step, shape):
    return fill(100 + 10 * n + step, shape, 0.5)


def steps(n, shape):
    weight = torch.nn.Parameter(fill(n, shape, 0.3).to(torch.get_default_dtype()))
    optimizer = torch.optim.Muon([weight], nesterov=True, adjust_lr_fn="original", **SETTINGS)
    for step in range(STEPS):
        weight.grad = gradient(n, step, shape).to(weight.dtype)
        optimizer.step()
    return weight.detach().double()


def steps_in_f64(n, shape):
    published = muon_module._zeropower_via_newtonschulz
    source = inspect.getsource(published).replace("torch.bfloat16", "torch.float64")
    assert "torch.float64" in source
    exec(source, muon_module.__dict__)
    torch.set_default_dtype(torch.float64)
    try:
        return steps(n, shape)
    finally:
        torch.set_default_dtype(torch.float32)
        muon_module._zeropower_via_newtonschulz = published


cases = []
for n, shape in enumerate(SHAPES):
    published, exact = steps(n, shape), steps_in_f64(n, shape)
    moved = (exact - fill(n, shape, 0.3).double()).norm()
    difference = ((published - exact).norm() / moved).item()
    print(shape, "torch.optim.Muon in bf16 differs from f64 by", difference, "of the way the weights went")
    cases.append(dict(rows=shape[0], columns=shape[1], published=published.flatten().tolist(),
                      exact=exact.flatten().tolist(), difference=difference))
path = pathlib.Path(__file__).parents[2] / "src/train/testdata/muon_goldens.json"
path.parent.mkdir(exist_ok=True)
path.write_text(json.dumps(dict(made_by=f"PyTorch {torch.__version__.split('+')[0]}", steps=STEPS, settings=SETTINGS,
                                cases=cases)) + "\n")
