#!/usr/bin/env python3
"""Writes src/model/testdata/llama_goldens.json: training steps of tiny Llamas, computed by PyTorch in f64.

The model is Hugging Face's architecture written out with plain PyTorch operations, so that autograd gives the backward
pass; weights are a closed formula that the C++ test repeats. Run with any PyTorch: no other package is needed.
"""
import json
import math
import pathlib
import sys

import torch

torch.manual_seed(0)
torch.set_default_dtype(torch.float64)  # so that the test's tolerance is that of the f32 code under test alone

CASES = {
    # vocabulary, width, inner, layers, heads, key-value heads, head dim, tied, sequences, length
    "tied": dict(v=40, c=32, i=48, l=2, h=4, kv=4, d=8, tied=True, b=2, t=12),
    "grouped": dict(v=37, c=24, i=40, l=2, h=4, kv=2, d=10, tied=False, b=3, t=9),
}
THETA, EPS = 10000.0, 1e-5
ADAMW = dict(lr=3e-3, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1)
CLIP = 0.5
STEPS = 3
END_OF_TEXT = 0


def value(tensor, index, scale):
    """The weight formula, exact in f64 and in C++: a sine of an integer."""
    return scale * math.sin(1.0 + 0.7 * tensor + 0.37 * index + 0.011 * ((index * 7919 + tensor * 104729) % 1009))


def fill(tensor, shape, norm):
    n = math.prod(shape)
    values = [1.0 + 0.1 * value(tensor, k, 1.0) if norm else value(tensor, k, 0.3) for k in range(n)]
    # Stored weights are f32: both sides start from the same numbers.
    return torch.tensor(values).float().double().reshape(shape).requires_grad_()


def parameters(s):
    shapes = [("model.embed_tokens.weight", (s["v"], s["c"]))]
    for n in range(s["l"]):
        p = f"model.layers.{n}."
        shapes += [
            (p + "input_layernorm.weight", (s["c"],)),
            (p + "self_attn.q_proj.weight", (s["h"] * s["d"], s["c"])),
            (p + "self_attn.k_proj.weight", (s["kv"] * s["d"], s["c"])),
            (p + "self_attn.v_proj.weight", (s["kv"] * s["d"], s["c"])),
            (p + "self_attn.o_proj.weight", (s["c"], s["h"] * s["d"])),
            (p + "post_attention_layernorm.weight", (s["c"],)),
            (p + "mlp.gate_proj.weight", (s["i"], s["c"])),
            (p + "mlp.up_proj.weight", (s["i"], s["c"])),
            (p + "mlp.down_proj.weight", (s["c"], s["i"])),
        ]
    shapes.append(("model.norm.weight", (s["c"],)))
    if not s["tied"]:
        shapes.append(("lm_head.weight", (s["v"], s["c"])))
    return {name: fill(k, shape, len(shape) == 1) for k, (name, shape) in enumerate(shapes)}


def norm(x, w):
    return w * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + EPS))


def rotate(x, cos, sin):
    half = x.shape[-1] // 2
    return x * cos + torch.cat((-x[..., half:], x[..., :half]), -1) * sin


def forward(w, s, tokens, starts):
    b, t, d = s["b"], s["t"], s["d"]
    frequency = 1.0 / THETA ** (torch.arange(0, d, 2) / d)
    angle = torch.outer(torch.arange(t).double(), frequency)
    cos, sin = torch.cat((angle, angle), -1).cos(), torch.cat((angle, angle), -1).sin()
    position = torch.arange(t)
    seen = (position[None, None, :] <= position[None, :, None]) & (position[None, None, :] >= starts[:, :, None])
    x = w["model.embed_tokens.weight"][tokens]
    for n in range(s["l"]):
        p = f"model.layers.{n}."
        y = norm(x, w[p + "input_layernorm.weight"])
        q = (y @ w[p + "self_attn.q_proj.weight"].T).view(b, t, s["h"], d).transpose(1, 2)
        k = (y @ w[p + "self_attn.k_proj.weight"].T).view(b, t, s["kv"], d).transpose(1, 2)
        v = (y @ w[p + "self_attn.v_proj.weight"].T).view(b, t, s["kv"], d).transpose(1, 2)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        k = k.repeat_interleave(s["h"] // s["kv"], 1)
        v = v.repeat_interleave(s["h"] // s["kv"], 1)
        scores = (q @ k.transpose(-1, -2)) / math.sqrt(d)
        scores = scores.masked_fill(~seen[:, None], float("-inf"))
        y = (scores.softmax(-1) @ v).transpose(1, 2).reshape(b, t, s["h"] * d)
        x = x + y @ w[p + "self_attn.o_proj.weight"].T
        y = norm(x, w[p + "post_attention_layernorm.weight"])
        gate = torch.nn.functional.silu(y @ w[p + "mlp.gate_proj.weight"].T)
        x = x + (gate * (y @ w[p + "mlp.up_proj.weight"].T)) @ w[p + "mlp.down_proj.weight"].T
    x = norm(x, w["model.norm.weight"])
    return x @ w.get("lm_head.weight", w["model.embed_tokens.weight"]).T


def sizes(t):
    """A tensor by four numbers that any wrong element moves: norm, sum, and two weighted sums."""
    f = t.detach().flatten()
    k = torch.arange(f.numel()).double()
    return [float(f.norm()), float(f.sum()), float((f * (0.1 * k).cos()).sum()), float((f * (0.3 * k + 1).sin()).sum())]


def run(s):
    b, t = s["b"], s["t"]
    tokens = torch.tensor([[(7 * n * n + 3 * n + 5 * m) % s["v"] for n in range(t)] for m in range(b)])
    tokens[0, 4] = END_OF_TEXT
    targets = torch.tensor([[(11 * n + 13 * m + n * n) % s["v"] for n in range(t)] for m in range(b)])
    starts = torch.zeros_like(tokens)
    for m in range(b):
        for n in range(1, t):
            starts[m, n] = n if tokens[m, n] == END_OF_TEXT else starts[m, n - 1]
    w = parameters(s)
    decayed = [p for p in w.values() if p.dim() == 2]
    plain = [p for p in w.values() if p.dim() == 1]
    optimizer = torch.optim.AdamW(
        [{"params": decayed}, {"params": plain, "weight_decay": 0.0}], foreach=False, **ADAMW)
    result = {"shape": s, "tokens": tokens.flatten().tolist(), "targets": targets.flatten().tolist(),
              "starts": starts.flatten().tolist(), "steps": []}
    for step in range(STEPS):
        optimizer.zero_grad()
        logits = forward(w, s, tokens, starts)
        loss = torch.nn.functional.cross_entropy(logits.view(b * t, -1), targets.flatten())
        loss.backward()
        if step == 0:
            result["logits"] = sizes(logits)
            result["first_logits"] = logits[0, :2].detach().flatten().tolist()
            result["gradients"] = {name: sizes(p.grad) for name, p in w.items()}
        gradient_norm = torch.nn.utils.clip_grad_norm_(list(w.values()), CLIP)
        optimizer.step()
        result["steps"].append({"loss": loss.item(), "gradient_norm": gradient_norm.item()})
    result["weights"] = {name: sizes(p) for name, p in w.items()}
    return result


def main():
    out = pathlib.Path(__file__).resolve().parents[2] / "src/model/testdata/llama_goldens.json"
    if len(sys.argv) > 1:
        out = pathlib.Path(sys.argv[1])
    out.parent.mkdir(parents=True, exist_ok=True)
    goldens = {name: run(shape) for name, shape in CASES.items()}
    goldens["adamw"] = {**ADAMW, "clip": CLIP}
    goldens["pytorch"] = torch.__version__
    out.write_text(json.dumps(goldens, indent=1) + "\n")
    print(out)


if __name__ == "__main__":
    main()
