#!/usr/bin/env python3
"""Tiny models of the llama family, saved by transformers, through `rhodes logits`: the logits must be the same.

  bench/peers/transformers_families.py RHODES [FOLDER]

RHODES is the program; FOLDER (default bench/scratch/families) receives the models. Covers tied and separate output
weights, grouped queries, head_dim other than width / heads, the llama3 and yarn scalings, biases, QK-norm, sliding
windows, and weights in shards. Prints the largest difference over the largest logit of each; exits with 1 above 1e-4.
Needs torch and transformers.
"""
import json
import pathlib
import subprocess
import sys

import torch
import transformers

SHAPE = dict(vocab_size=96, hidden_size=64, intermediate_size=96, num_hidden_layers=3, num_attention_heads=4,
             num_key_value_heads=2, max_position_embeddings=128, initializer_range=0.2, bos_token_id=None,
             eos_token_id=None, pad_token_id=None)
LLAMA3 = dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=32)
YARN = dict(rope_type="yarn", factor=4.0, original_max_position_embeddings=32)
FAMILIES = {
    "smollm2": ("llama", dict(tie_word_embeddings=True)),
    "llama3": ("llama", dict(rope_scaling=LLAMA3)),
    "biases": ("llama", dict(attention_bias=True, mlp_bias=True)),
    "mistral": ("mistral", dict(sliding_window=8, head_dim=24)),
    "qwen2.5": ("qwen2", dict(tie_word_embeddings=True)),
    "qwen2.5-window": ("qwen2", dict(use_sliding_window=True, sliding_window=6, max_window_layers=1)),
    "qwen3": ("qwen3", dict(tie_word_embeddings=True, head_dim=24, rope_scaling=YARN)),
}
TOKENS = [(7 * i * i + 3 * i + 1) % SHAPE["vocab_size"] for i in range(40)]
MOST = 1e-4


def build(family, options):
    torch.manual_seed(1)
    config = transformers.AutoConfig.for_model(family, **SHAPE, **options)
    model = transformers.AutoModelForCausalLM.from_config(config).float().eval()
    for name, weight in model.named_parameters():
        if weight.dim() == 1:  # norms away from one, biases away from zero
            low, high = (0.5, 1.5) if "norm" in name else (-0.5, 0.5)
            torch.nn.init.uniform_(weight, low, high)
    return model


def main():
    rhodes = sys.argv[1]
    scratch = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else "bench/scratch/families")
    failed = False
    for name, (family, options) in FAMILIES.items():
        model = build(family, options)
        folder = scratch / name
        model.save_pretrained(folder, max_shard_size="60KB" if name == "qwen3" else "5GB")
        with torch.no_grad():
            expected = model(torch.tensor([TOKENS])).logits[0]
        command = [rhodes, "logits", "--model", str(folder), "--tokens", " ".join(map(str, TOKENS)), "--json"]
        answer = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        actual = torch.tensor(answer["logits"]).reshape(expected.shape)
        error = ((actual - expected).abs().max() / expected.abs().max()).item()
        failed = failed or not error < MOST
        print(f"{name}: {error:.2e}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
