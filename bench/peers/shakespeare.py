#!/usr/bin/env python3
"""nanoGPT's Shakespeare setting for CPUs, here and with PyTorch: 4 layers, 4 heads, 128 wide, context 64, batch 12, 2000
steps; the first nine tenths of the text to train on, the last to hold out.

    shakespeare.py --rhodes build/release/rhodes --text tinyshakespeare.txt [--threads 2] [--optimizer muon]

Ours is a llama of as many weights, on bytes (257 tokens: each character of the text is one byte, so nats a token are nats
a character; 192 of the tokens never occur). PyTorch's is nanoGPT's model and recipe written out (65 characters, learned
positions, LayerNorm, GELU, AdamW 1e-3 to 1e-4 along a cosine, betas 0.9 and 0.99). Losses are of the whole held-out
text, each character predicted once, in windows side by side. Prints one JSON object; needs the package torch.
"""
import argparse
import json
import math
import pathlib
import subprocess
import tempfile
import time

STEPS, BATCH, CONTEXT, LAYERS, HEADS, WIDTH = 2000, 12, 64, 4, 4, 128


def tokenize(rhodes, folder, train, held_out):
    """One document each; a document's place follows from the hash of its id, so ids are tried until both are right."""
    for attempt in range(200):
        lines = [json.dumps({"id": f"{name}-{attempt}", "text": text}) for name, text in
                 (("train", train), ("held-out", held_out))]
        (folder / "documents.jsonl").write_text("\n".join(lines) + "\n")
        done = subprocess.run([rhodes, "tokenize", str(folder / "documents.jsonl"), "--out", str(folder), "--vocabulary",
                               "257", "--validation", "0.5", "--json"], check=True, capture_output=True, text=True)
        report = json.loads(done.stdout)
        if report["validation"]["tokens"] == len(held_out) + 1:
            return report
    raise SystemExit("no ids found that split the text as wanted")


def ours(args, train, held_out):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        tokenize(args.rhodes, folder, train, held_out)
        (folder / "config.json").write_text(json.dumps({
            "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 257, "hidden_size": WIDTH,
            "intermediate_size": 344, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS,
            "num_key_value_heads": HEADS, "head_dim": WIDTH // HEADS, "max_position_embeddings": CONTEXT,
            "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "tie_word_embeddings": True, "hidden_act": "silu"}))
        begun = time.time()
        command = [args.rhodes, "train", "--config", str(folder / "config.json"), "--tokenizer",
                   str(folder / "tokenizer.json"), "--shards", str(folder / "shards"), "--out", str(folder / "run"),
                   "--steps", str(STEPS), "--batch", str(BATCH), "--context", str(CONTEXT), "--seed", str(args.seed),
                   "--threads", str(args.threads), "--optimizer", args.optimizer, "--learning-rate", str(args.rate),
                   "--eval-every", str(STEPS - 1), "--eval-tokens", str(len(held_out) + 1), "--json"]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        seconds = time.time() - begun
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        last = lines[-1]
        side_by_side = next(line["validation_loss"] for line in lines if line.get("step") == STEPS - 1 and
                            "validation_loss" in line and not line.get("final"))
        return {"optimizer": args.optimizer, "parameters": last["parameters"], "validation_loss": side_by_side,
                "validation_loss_overlapping": last["validation_loss"], "train_loss": last["train_loss"],
                "step_seconds": last["training_seconds"], "seconds": seconds,
                "tokens_per_second": last["tokens_per_second"]}


def peer(args, train, held_out, autocast):
    import torch
    import torch.nn.functional as F

    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    characters = sorted(set(train + held_out))
    number = {c: i for i, c in enumerate(characters)}
    data = {name: torch.tensor([number[c] for c in text]) for name, text in (("train", train), ("held", held_out))}

    class Block(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.norm1 = torch.nn.LayerNorm(WIDTH, bias=False)
            self.norm2 = torch.nn.LayerNorm(WIDTH, bias=False)
            self.qkv = torch.nn.Linear(WIDTH, 3 * WIDTH, bias=False)
            self.out = torch.nn.Linear(WIDTH, WIDTH, bias=False)
            self.up = torch.nn.Linear(WIDTH, 4 * WIDTH, bias=False)
            self.down = torch.nn.Linear(4 * WIDTH, WIDTH, bias=False)

        def forward(self, x):
            b, t, _ = x.shape
            q, k, v = (part.view(b, t, HEADS, -1).transpose(1, 2) for part in self.qkv(self.norm1(x)).split(WIDTH, 2))
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.out(y.transpose(1, 2).reshape(b, t, WIDTH))
            return x + self.down(F.gelu(self.up(self.norm2(x))))

    class GPT(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.tokens = torch.nn.Embedding(len(characters), WIDTH)
            self.positions = torch.nn.Embedding(CONTEXT, WIDTH)
            self.blocks = torch.nn.ModuleList(Block() for _ in range(LAYERS))
            self.norm = torch.nn.LayerNorm(WIDTH, bias=False)
            for name, p in self.named_parameters():
                if p.dim() == 2:
                    last = name.endswith(("out.weight", "down.weight"))
                    torch.nn.init.normal_(p, std=0.02 / math.sqrt(2 * LAYERS) if last else 0.02)

        def forward(self, x, y):
            h = self.tokens(x) + self.positions.weight[: x.shape[1]]
            for block in self.blocks:
                h = block(h)
            logits = F.linear(self.norm(h), self.tokens.weight)
            return F.cross_entropy(logits.float().view(-1, logits.shape[-1]), y.reshape(-1))

    model = GPT()
    groups = [{"params": [p for p in model.parameters() if p.dim() == 2], "weight_decay": 0.1},
              {"params": [p for p in model.parameters() if p.dim() < 2], "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.99))
    context = torch.autocast("cpu", torch.bfloat16, enabled=autocast)
    begun = time.time()
    for step in range(STEPS):
        rate = 1e-3 * (step + 1) / 101 if step < 100 else (
            1e-4 + 0.5 * (1 + math.cos(math.pi * (step - 100) / (STEPS - 100))) * 9e-4)
        for group in optimizer.param_groups:
            group["lr"] = rate
        at = torch.randint(len(data["train"]) - CONTEXT, (BATCH,))
        x = torch.stack([data["train"][i:i + CONTEXT] for i in at])
        y = torch.stack([data["train"][i + 1:i + 1 + CONTEXT] for i in at])
        with context:
            loss = model(x, y)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    seconds = time.time() - begun
    held = data["held"]
    count = (len(held) - 1) // CONTEXT
    with torch.no_grad(), context:
        x = held[: count * CONTEXT].view(count, CONTEXT)
        y = held[1: count * CONTEXT + 1].view(count, CONTEXT)
        total = sum(model(x[i:i + 64], y[i:i + 64]).item() * len(x[i:i + 64]) for i in range(0, count, 64))
    return {"autocast": autocast, "parameters": sum(p.numel() for p in model.parameters()),
            "validation_loss": total / count, "step_seconds": seconds,
            "tokens_per_second": STEPS * BATCH * CONTEXT / seconds, "torch": torch.__version__}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rhodes", required=True)
    parser.add_argument("--text", required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1337)
    parser.add_argument("--optimizer", default="adamw")
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--no-peer", action="store_true")
    args = parser.parse_args()
    text = pathlib.Path(args.text).read_text()
    cut = len(text) * 9 // 10
    result = {"rhodes": ours(args, text[:cut], text[cut:])}
    if not args.no_peer:
        modes = [peer(args, text[:cut], text[cut:], autocast) for autocast in (False, True)]
        result["pytorch"] = modes
        best = min(mode["step_seconds"] for mode in modes)
        result["times_faster_than_the_better"] = best / result["rhodes"]["step_seconds"]
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
