"""Grok-2's mixture of experts as a tuned PyTorch model, for train_speed.py: what src/model/grok2.h computes.

Rows of tokens are gathered by expert and multiplied in one grouped product (torch.nn.functional.grouped_mm), which is
quicker here than a loop over the experts and compiles without a break. scaled_dot_product_attention knows no soft cap of
the scores, so attention is written out.
"""
import math

import torch
import torch.nn.functional as F

from pytorch_train import Norm, rotate


def cap(x, limit):
    return limit * torch.tanh(x / limit)


class Attention(torch.nn.Module):
    def __init__(self, c):
        super().__init__()
        self.heads, self.kv, self.dim = c["num_attention_heads"], c["num_key_value_heads"], c["head_dim"]
        self.limit = c["attn_logit_softcapping"]
        self.qkv = torch.nn.Linear(c["hidden_size"], (self.heads + 2 * self.kv) * self.dim, bias=False)
        self.out = torch.nn.Linear(self.heads * self.dim, c["hidden_size"], bias=False)

    def forward(self, x, cos, sin):
        b, t, _ = x.shape
        q, k, v = self.qkv(x).split([n * self.dim for n in (self.heads, self.kv, self.kv)], -1)
        q, k, v = (y.view(b, t, -1, self.dim).transpose(1, 2) for y in (q, k, v))
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        k, v = (y.repeat_interleave(self.heads // self.kv, 1) for y in (k, v))
        scores = cap((q @ k.transpose(-1, -2)).float() / math.sqrt(self.dim), self.limit)
        later = torch.ones(t, t, dtype=torch.bool).triu(1)
        y = scores.masked_fill(later, float("-inf")).softmax(-1).to(v.dtype) @ v
        return self.out(y.transpose(1, 2).reshape(b, t, -1))


class Mixture(torch.nn.Module):
    def __init__(self, c):
        super().__init__()
        width, inner = c["hidden_size"], c["moe_intermediate_size"]
        self.experts, self.chosen = c["num_local_experts"], c["num_experts_per_tok"]
        self.router = torch.nn.Linear(width, self.experts, bias=False)
        self.gate_up = torch.nn.Parameter(torch.empty(self.experts, 2 * inner, width))
        self.down = torch.nn.Parameter(torch.empty(self.experts, width, inner))

    def forward(self, x):
        shares, chosen = self.router(x).float().softmax(-1).topk(self.chosen, -1)
        shares = shares / shares.sum(-1, keepdim=True)
        chosen = chosen.flatten()
        order = chosen.argsort(stable=True)
        ends = F.one_hot(chosen, self.experts).sum(0).cumsum(0).to(torch.int32)
        rows = order // self.chosen
        y = x.bfloat16().index_select(0, rows)
        gate, up = F.grouped_mm(y, self.gate_up.bfloat16().transpose(1, 2), offs=ends).chunk(2, -1)
        y = F.gelu(gate, approximate="tanh") * up
        y = F.grouped_mm(y, self.down.bfloat16().transpose(1, 2), offs=ends)
        y = y.float() * shares.flatten().index_select(0, order)[:, None]
        return torch.zeros(x.shape, dtype=torch.float32).index_add(0, rows, y)


class Block(torch.nn.Module):
    def __init__(self, c):
        super().__init__()
        width, inner = c["hidden_size"], c["intermediate_size"]
        self.norms = torch.nn.ModuleList(Norm(width, c["rms_norm_eps"]) for _ in range(4))
        self.attention, self.mixture = Attention(c), Mixture(c)
        self.gate_up = torch.nn.Linear(width, 2 * inner, bias=False)
        self.down = torch.nn.Linear(inner, width, bias=False)

    def forward(self, x, cos, sin):
        x = x + self.norms[1](self.attention(self.norms[0](x), cos, sin).float())
        z = self.norms[2](x)
        gate, up = self.gate_up(z).chunk(2, -1)
        dense = self.down(F.gelu(gate, approximate="tanh") * up)
        mixed = self.mixture(z.flatten(0, 1)).view(z.shape)
        return x + self.norms[3]((dense + mixed) / math.sqrt(2))


class Grok2(torch.nn.Module):
    def __init__(self, c, context):
        super().__init__()
        self.c = c
        self.embedding = torch.nn.Embedding(c["vocab_size"], c["hidden_size"])
        self.blocks = torch.nn.ModuleList(Block(c) for _ in range(c["num_hidden_layers"]))
        self.norm = Norm(c["hidden_size"], c["rms_norm_eps"])
        self.head = torch.nn.Linear(c["hidden_size"], c["vocab_size"], bias=False)
        dim = c["head_dim"]
        angle = torch.outer(torch.arange(context).float(), c["rope_theta"] ** (-torch.arange(0, dim, 2).float() / dim))
        self.register_buffer("cos", angle.cos().bfloat16())
        self.register_buffer("sin", angle.sin().bfloat16())
        for p in self.parameters():
            if p.dim() > 1:
                torch.nn.init.normal_(p, 0, 0.02)

    def forward(self, tokens, targets):
        x = self.c["embedding_multiplier_scale"] * self.embedding(tokens)
        for block in self.blocks:
            x = block(x, self.cos, self.sin)
        logits = self.c["output_multiplier_scale"] * self.head(self.norm(x)).float()
        logits = cap(logits, self.c["final_logit_softcapping"])
        return F.cross_entropy(logits.view(-1, logits.shape[-1]), targets.reshape(-1))
