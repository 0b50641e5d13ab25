#!/usr/bin/env python3
"""Writes src/model/testdata/architecture_goldens.json: training steps of tiny models of every architecture, by PyTorch.

The llama family is Hugging Face's transformers (its own modelling code, so its rotary scalings, biases, QK-norm and
sliding windows); Grok-2, which transformers does not have, is written out below after the formulas of the released
implementations, in both router conventions (see src/model/grok2.h). All in f64; weights are a closed formula that the
C++ test repeats, numbered by the alphabetic order of their names. Needs torch and transformers.
"""
import json
import math
import pathlib
import sys

import torch
import transformers

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from pytorch_goldens import ADAMW, CLIP, norm, rotate, sizes, value

STEPS = 3
BATCH, LENGTH = 2, 14
SHAPE = dict(vocab_size=40, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
             num_key_value_heads=2, max_position_embeddings=64, rms_norm_eps=1e-5, initializer_range=0.02,
             bos_token_id=None, eos_token_id=None, pad_token_id=None)
CASES = {
    "llama3": dict(model_type="llama", tie_word_embeddings=False,
                   rope_scaling=dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
                                     original_max_position_embeddings=64)),
    "llama_biases": dict(model_type="llama", tie_word_embeddings=True, attention_bias=True, mlp_bias=True,
                         rope_scaling=dict(rope_type="linear", factor=3.0)),
    "mistral": dict(model_type="mistral", tie_word_embeddings=False, sliding_window=5, head_dim=12),
    "qwen2": dict(model_type="qwen2", tie_word_embeddings=True, use_sliding_window=True, sliding_window=4,
                  max_window_layers=1),
    "qwen3": dict(model_type="qwen3", tie_word_embeddings=False, head_dim=10,
                  rope_scaling=dict(rope_type="yarn", factor=4.0, original_max_position_embeddings=16)),
    "grok2": dict(model_type="grok2", router_convention="llama.cpp"),
    "grok2_sglang": dict(model_type="grok2", router_convention="sglang"),
}
# Caps so low that they bend, and more experts than a short batch fills evenly.
GROK2 = dict(architectures=["Grok1ForCausalLM"], head_dim=8, moe_intermediate_size=24, num_local_experts=8,
             num_experts_per_tok=2, residual_moe=True, embedding_multiplier_scale=5.5, output_multiplier_scale=0.7,
             attn_logit_softcapping=2.0, router_logit_softcapping=1.5, final_logit_softcapping=4.0,
             tie_word_embeddings=False, rope_theta=10000.0)


def grok2_shapes(c):
    width, inner, expert = c["hidden_size"], c["intermediate_size"], c["moe_intermediate_size"]
    query, key = c["num_attention_heads"] * c["head_dim"], c["num_key_value_heads"] * c["head_dim"]
    shapes = {"model.embed_tokens.weight": (c["vocab_size"], width), "model.norm.weight": (width,),
              "lm_head.weight": (c["vocab_size"], width)}
    for n in range(c["num_hidden_layers"]):
        p = f"model.layers.{n}."
        shapes |= {p + name + "_norm.weight": (width,) for name in ("pre_attn", "post_attn", "pre_moe", "post_moe")}
        shapes |= {p + "self_attn.q_proj.weight": (query, width), p + "self_attn.k_proj.weight": (key, width),
                   p + "self_attn.v_proj.weight": (key, width), p + "self_attn.o_proj.weight": (width, query),
                   p + "mlp.gate_proj.weight": (inner, width), p + "mlp.up_proj.weight": (inner, width),
                   p + "mlp.down_proj.weight": (width, inner),
                   p + "block_sparse_moe.gate.weight": (c["num_local_experts"], width)}
        for e in range(c["num_local_experts"]):
            q = p + f"block_sparse_moe.experts.{e}."
            shapes |= {q + "w1.weight": (expert, width), q + "w2.weight": (width, expert),
                       q + "w3.weight": (expert, width)}
    return shapes


def cap(x, c):
    return c * torch.tanh(x / c)


def gated(x, gate, up, down):
    return (torch.nn.functional.gelu(x @ gate.T, approximate="tanh") * (x @ up.T)) @ down.T


def grok2_attention(w, p, c, y, cos, sin):
    b, t, d = *y.shape[:2], c["head_dim"]
    heads, kv = c["num_attention_heads"], c["num_key_value_heads"]
    q = (y @ w[p + "q_proj.weight"].T).view(b, t, heads, d).transpose(1, 2)
    k = (y @ w[p + "k_proj.weight"].T).view(b, t, kv, d).transpose(1, 2)
    v = (y @ w[p + "v_proj.weight"].T).view(b, t, kv, d).transpose(1, 2)
    q, k = rotate(q, cos, sin), rotate(k, cos, sin)
    k, v = k.repeat_interleave(heads // kv, 1), v.repeat_interleave(heads // kv, 1)
    scores = cap(q @ k.transpose(-1, -2) / math.sqrt(d), c["attn_logit_softcapping"])
    later = torch.ones(t, t).triu(1).bool()
    attended = scores.masked_fill(later, float("-inf")).softmax(-1) @ v
    return attended.transpose(1, 2).reshape(b, t, heads * d) @ w[p + "o_proj.weight"].T


def grok2_mixture(w, p, c, z, gaps):
    logits = z @ w[p + "gate.weight"].T
    sglang = c["router_convention"] == "sglang"
    probabilities = (cap(logits, c["router_logit_softcapping"]) if sglang else logits).softmax(-1)
    shares, chosen = probabilities.topk(c["num_experts_per_tok"], -1)
    best = probabilities.topk(c["num_experts_per_tok"] + 1, -1).values
    gaps.append((best[..., -2] - best[..., -1]).min().item())
    if not sglang:
        shares = shares / shares.sum(-1, keepdim=True)
    result = torch.zeros_like(z)
    for e in range(c["num_local_experts"]):
        share = torch.where(chosen == e, shares, torch.zeros_like(shares)).sum(-1, keepdim=True)
        q = p + f"experts.{e}."
        result = result + share * gated(z, w[q + "w1.weight"], w[q + "w3.weight"], w[q + "w2.weight"])
    return result


def grok2_logits(w, c, tokens, gaps):
    d, t = c["head_dim"], tokens.shape[1]
    frequency = 1.0 / c["rope_theta"] ** (torch.arange(0, d, 2) / d)
    angle = torch.outer(torch.arange(t).double(), frequency)
    cos, sin = torch.cat((angle, angle), -1).cos(), torch.cat((angle, angle), -1).sin()
    x = c["embedding_multiplier_scale"] * w["model.embed_tokens.weight"][tokens]
    for n in range(c["num_hidden_layers"]):
        p = f"model.layers.{n}."
        y = grok2_attention(w, p + "self_attn.", c, norm(x, w[p + "pre_attn_norm.weight"]), cos, sin)
        x = x + norm(y, w[p + "post_attn_norm.weight"])
        z = norm(x, w[p + "pre_moe_norm.weight"])
        dense = gated(z, *(w[p + f"mlp.{name}_proj.weight"] for name in ("gate", "up", "down")))
        mixed = grok2_mixture(w, p + "block_sparse_moe.", c, z, gaps)
        x = x + norm((dense + mixed) / math.sqrt(2), w[p + "post_moe_norm.weight"])
    logits = norm(x, w["model.norm.weight"]) @ w["lm_head.weight"].T
    return cap(c["output_multiplier_scale"] * logits, c["final_logit_softcapping"])


def formula(k, name, shape):
    n = math.prod(shape)
    is_norm = len(shape) == 1 and name.endswith(".weight")
    values = [1.0 + 0.1 * value(k, i, 1.0) if is_norm else value(k, i, 0.3) for i in range(n)]
    return torch.tensor(values).float().double().reshape(shape)


def build(case):
    """config.json, the weights by name, and tokens -> logits."""
    config = {**SHAPE, **(GROK2 if case["model_type"] == "grok2" else {}), **case}
    if case["model_type"] == "grok2":
        shapes = grok2_shapes(config)
        w = {name: formula(k, name, shapes[name]).requires_grad_() for k, name in enumerate(sorted(shapes))}
        gaps = []
        return config, w, lambda tokens: grok2_logits(w, config, tokens, gaps), gaps
    own = dict(config)
    made = transformers.AutoConfig.for_model(own.pop("model_type"), **own, attn_implementation="eager")
    model = transformers.AutoModelForCausalLM.from_config(made, dtype=torch.float64)
    names = sorted(name for name, _ in model.named_parameters())
    w = dict(model.named_parameters())
    with torch.no_grad():
        for k, name in enumerate(names):
            w[name].copy_(formula(k, name, w[name].shape))
    return config, {name: w[name] for name in names}, lambda tokens: model(tokens).logits, []


def run(case):
    config, w, logits_of, gaps = build(case)
    v = config["vocab_size"]
    tokens = torch.tensor([[(7 * n * n + 3 * n + 5 * m) % v for n in range(LENGTH)] for m in range(BATCH)])
    targets = torch.tensor([[(11 * n + 13 * m + n * n) % v for n in range(LENGTH)] for m in range(BATCH)])
    optimizer = torch.optim.AdamW(
        [{"params": [p for p in w.values() if p.dim() == 2]},
         {"params": [p for p in w.values() if p.dim() == 1], "weight_decay": 0.0}], foreach=False, **ADAMW)
    result = {"config": config, "sequences": BATCH, "tokens": tokens.flatten().tolist(),
              "targets": targets.flatten().tolist(), "steps": []}
    for step in range(STEPS):
        optimizer.zero_grad()
        logits = logits_of(tokens)
        loss = torch.nn.functional.cross_entropy(logits.view(BATCH * LENGTH, -1), targets.flatten())
        loss.backward()
        if step == 0:
            result["logits"] = sizes(logits)
            result["first_logits"] = logits[0, :2].detach().flatten().tolist()
            result["gradients"] = {name: sizes(p.grad) for name, p in w.items()}
        gradient_norm = torch.nn.utils.clip_grad_norm_(list(w.values()), CLIP)
        optimizer.step()
        result["steps"].append({"loss": loss.item(), "gradient_norm": gradient_norm.item()})
    result["weights"] = {name: sizes(p) for name, p in w.items()}
    # A choice of experts that hangs on the last bits would not be a test.
    assert not gaps or min(gaps) > 2e-5, gaps
    return result


def main():
    torch.set_default_dtype(torch.float64)
    out = pathlib.Path(__file__).resolve().parents[2] / "src/model/testdata/architecture_goldens.json"
    goldens = {name: run(case) for name, case in CASES.items()}
    goldens["adamw"] = {**ADAMW, "clip": CLIP}
    goldens["versions"] = {"torch": torch.__version__, "transformers": transformers.__version__}
    round_off = lambda x: float(f"{x:.12g}") if isinstance(x, float) else x
    walk = lambda x: ({k: walk(v) for k, v in x.items()} if isinstance(x, dict)
                      else [walk(v) for v in x] if isinstance(x, list) else round_off(x))
    out.write_text(json.dumps(walk(goldens)).replace('"model.', '\n"model.') + "\n")
    print(out)


if __name__ == "__main__":
    main()
