#!/usr/bin/env python3
"""The training stage with PyTorch: same shape, data, batch, schedule and optimizer, bf16 autocast.

To the loss that a Rhodes run reached, on its shards:
    pytorch_train.py --shards OUT/shards --model OUT/model --metrics OUT/metrics.jsonl [--compile]
Throughput alone, on random tokens, for `rhodes bench train`:
    pytorch_train.py --preset 14m --batch 16 --context 256 --steps 8 [--compile]
Prints one JSON object. Evaluations are not counted in the seconds.
"""
import argparse
import glob
import json
import math
import os
import time

import numpy as np
import torch
import torch.nn.functional as F

PRESETS = {  # layers, width, inner, vocabulary, head
    "124m": (12, 768, 2048, 50304, 64),
    "14m": (6, 384, 1024, 8192, 64),
    "1.4m": (4, 128, 384, 4096, 32),
}


class Norm(torch.nn.Module):
    def __init__(self, width, epsilon):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(width))
        self.epsilon = epsilon

    def forward(self, x):
        return F.rms_norm(x, (x.shape[-1],), self.weight, self.epsilon)


class Block(torch.nn.Module):
    def __init__(self, c):
        super().__init__()
        self.heads, self.kv, self.dim = c["num_attention_heads"], c["num_key_value_heads"], c["head_dim"]
        width, inner, epsilon = c["hidden_size"], c["intermediate_size"], c["rms_norm_eps"]
        linear = lambda i, o: torch.nn.Linear(i, o, bias=False)
        self.norm1, self.norm2 = Norm(width, epsilon), Norm(width, epsilon)
        self.qkv = linear(width, (self.heads + 2 * self.kv) * self.dim)  # one product, as a tuned PyTorch model has
        self.out = linear(self.heads * self.dim, width)
        self.gate_up, self.down = linear(width, 2 * inner), linear(inner, width)

    def forward(self, x, cos, sin):
        b, t, _ = x.shape
        q, k, v = self.qkv(self.norm1(x)).split([n * self.dim for n in (self.heads, self.kv, self.kv)], -1)
        q, k, v = (y.view(b, t, -1, self.dim).transpose(1, 2) for y in (q, k, v))
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=self.heads != self.kv)
        x = x + self.out(y.transpose(1, 2).reshape(b, t, -1))
        gate, up = self.gate_up(self.norm2(x)).chunk(2, -1)
        return x + self.down(F.silu(gate) * up)


def rotate(x, cos, sin):
    a, b = x.chunk(2, -1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), -1)


class Decoder(torch.nn.Module):
    def __init__(self, c, context):
        super().__init__()
        self.embedding = torch.nn.Embedding(c["vocab_size"], c["hidden_size"])
        self.blocks = torch.nn.ModuleList(Block(c) for _ in range(c["num_hidden_layers"]))
        self.norm = Norm(c["hidden_size"], c["rms_norm_eps"])
        self.head = self.embedding.weight
        if not c["tie_word_embeddings"]:
            self.head = torch.nn.Parameter(torch.empty(c["vocab_size"], c["hidden_size"]))
        dim = c["head_dim"]
        angle = torch.outer(torch.arange(context).float(), c["rope_theta"] ** (-torch.arange(0, dim, 2).float() / dim))
        self.register_buffer("cos", angle.cos().bfloat16())
        self.register_buffer("sin", angle.sin().bfloat16())
        for name, p in self.named_parameters():
            if p.dim() == 2:
                last = name.endswith(("out.weight", "down.weight"))
                torch.nn.init.normal_(p, 0, 0.02 / (math.sqrt(2 * c["num_hidden_layers"]) if last else 1))

    def forward(self, tokens, targets, reduction="mean"):
        x = self.embedding(tokens)
        t = tokens.shape[1]
        for block in self.blocks:
            x = block(x, self.cos[:t], self.sin[:t])
        logits = F.linear(self.norm(x), self.head)
        return F.cross_entropy(logits.view(-1, logits.shape[-1]).float(), targets.reshape(-1), reduction=reduction)


def read_split(directory, split):
    """All tokens of a split of Megatron shards."""
    parts = []
    for index in sorted(glob.glob(f"{directory}/{split}-*.idx")):
        with open(index, "rb") as f:
            assert f.read(9) == b"MMIDIDX\0\0", index
            f.read(8)
            code = f.read(1)[0]
        parts.append(np.fromfile(index[:-4] + ".bin", dtype={8: np.uint16, 4: np.int32}[code]))
    return np.concatenate(parts).astype(np.int64)


def optimizer_of(model, s):
    matrices = [p for p in model.parameters() if p.dim() == 2]
    vectors = [p for p in model.parameters() if p.dim() != 2]
    return torch.optim.AdamW([{"params": matrices}, {"params": vectors, "weight_decay": 0.0}], lr=s["learning_rate"],
                             betas=tuple(s["betas"]), eps=s["epsilon"], weight_decay=s["weight_decay"], fused=True)


def rate(s, step, steps):
    warmup = max(1.0, math.floor(s["warmup_share"] * steps))
    if step < warmup:
        return s["learning_rate"] * (step + 1) / warmup
    high = 1.0
    if s["schedule"] == "cosine":
        high = 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1.0, steps - warmup)))
    elif s["schedule"] == "wsd":
        high = min(1.0, max(0.0, (steps - step) / max(1.0, s["decay_share"] * steps)))
    return s["learning_rate"] * (s["final_share"] + (1 - s["final_share"]) * high)


def train_step(model, optimizer, passes, clip):
    for tokens, targets in passes:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = model(tokens, targets)
        (loss / len(passes)).backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return loss.item()


@torch.no_grad()
def evaluate(model, text, context, batch, end):
    """Mean loss; each token once, from at least half a window of context, as Rhodes' last evaluation."""
    text = np.concatenate(([end], text))
    wanted, stride = len(text) - 1, context // 2
    windows = 1 if wanted <= context else 1 + -(-(wanted - context) // stride)
    nats = 0.0
    for first in range(0, windows, batch):
        rows = range(first, min(windows, first + batch))
        at = np.array([[w * stride + t for t in range(context)] for w in rows])
        inside = at < wanted
        tokens = torch.from_numpy(np.where(inside, text[np.minimum(at, wanted)], end))
        targets = torch.from_numpy(np.where(inside, text[np.minimum(at + 1, wanted)], end))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            losses = model(tokens, targets, "none").view(len(at), context)
        counts = inside & ((np.arange(context) >= context - stride)[None] | (np.array(rows) == 0)[:, None])
        nats += float((losses.float() * torch.from_numpy(counts)).sum())
    return nats / wanted


def bench(arguments):
    layers, width, inner, vocabulary, dim = PRESETS[arguments.preset]
    config = dict(num_hidden_layers=layers, hidden_size=width, intermediate_size=inner, vocab_size=vocabulary,
                  num_attention_heads=width // dim, num_key_value_heads=width // dim, head_dim=dim, rms_norm_eps=1e-5,
                  rope_theta=10000.0, tie_word_embeddings=True)
    settings = dict(learning_rate=1e-3, betas=(0.9, 0.95), epsilon=1e-8, weight_decay=0.1)
    model = Decoder(config, arguments.context)
    parameters = sum(p.numel() for p in model.parameters())
    optimizer = optimizer_of(model, settings)
    run = torch.compile(model) if arguments.compile else model
    tokens = torch.randint(0, vocabulary, (arguments.batch, arguments.context + 1))
    seconds = []
    for step in range(arguments.steps + 3):
        begin = time.perf_counter()
        train_step(run, optimizer, [(tokens[:, :-1], tokens[:, 1:])], 1.0)
        if step >= 3:
            seconds.append(time.perf_counter() - begin)
    median = sorted(seconds)[len(seconds) // 2]
    products = sum(p.numel() for p in model.parameters() if p.dim() == 2)
    flops = 6 * products + 12 * layers * width * arguments.context
    speed = arguments.batch * arguments.context / median
    return dict(preset=arguments.preset, parameters=parameters, median_step_seconds=median,
                fastest_step_seconds=min(seconds), tokens_per_second=speed, flops_per_second=speed * flops)


def to_loss(arguments):
    manifest = json.load(open(f"{arguments.model}/manifest.json"))
    s, counts = manifest["settings"], manifest["counts"]
    s = s.get("train", s)
    config = json.load(open(f"{arguments.model}/config.json"))
    steps, target, context, batch = counts["steps"], counts["validation_loss"], s["context"], s["batch"]
    train, validation = read_split(arguments.shards, "train"), read_split(arguments.shards, "validation")
    torch.manual_seed(s["seed"])
    model = Decoder(config, context)
    optimizer = optimizer_of(model, s)
    run = torch.compile(model) if arguments.compile else model
    windows = np.random.default_rng(s["seed"])
    order, used, spent = windows.permutation((len(train) - 1) // context), 0, 0.0
    reached, loss, best = None, float("nan"), float("inf")
    for step in range(steps):
        begin = time.perf_counter()
        for group in optimizer.param_groups:
            group["lr"] = rate(s, step, steps)
        passes = []
        for _ in range(s.get("accumulation", 1)):
            if used + batch > len(order):
                order, used = windows.permutation(len(order)), 0
            rows = np.stack([train[w * context:w * context + context + 1] for w in order[used:used + batch]])
            used += batch
            passes.append((torch.from_numpy(rows[:, :-1]), torch.from_numpy(rows[:, 1:])))
        loss = train_step(run, optimizer, passes, s["clip"])
        spent += time.perf_counter() - begin
        if arguments.limit and spent > arguments.limit * 60:
            break
        # The last fifth, where the rate is low, is where the loss may be reached before the end.
        if step >= 0.8 * steps and step % max(1, steps // 40) == 0:
            best = min(best, evaluate(model, validation, context, batch, config["eos_token_id"]))
            if best <= target:
                reached = spent
                break
    done = step + 1
    if reached is None and done == steps:
        best = min(best, evaluate(model, validation, context, batch, config["eos_token_id"]))
    if reached is not None or best <= target:
        note, total = "reached", reached if reached is not None else spent
    elif done < steps:
        note, total = f"stopped after {done} of {steps} steps; the seconds are for all of them", spent / done * steps
    else:
        note, total = f"not reached: {best:.4f} after the same {steps} steps", spent
    return dict(seconds_to_loss=total, target_loss=target, loss=best if math.isfinite(best) else None, steps=done,
                tokens_per_second=done * batch * context * s.get("accumulation", 1) / spent, note=note)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shards")
    parser.add_argument("--model")
    parser.add_argument("--metrics", help="not needed; the model's manifest has the target")
    parser.add_argument("--limit", type=float, default=0, help="minutes of training after which to extrapolate; 0: none")
    parser.add_argument("--preset", choices=PRESETS)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--context", type=int, default=256)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--compile", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    result = bench(arguments) if arguments.preset else to_loss(arguments)
    print(json.dumps({"peer": "pytorch " + torch.__version__, "compiled": arguments.compile, **result}))


if __name__ == "__main__":
    main()
