#!/usr/bin/env python3
"""Writes src/model/testdata/router_goldens.json: the losses of a mixture's routers and their gradients, by PyTorch.

"layers": logits of one sequence in one layer, and transformers' load_balancing_loss_func of them (the logits behind the
router's cap where there is one), with its gradient in the logits; beside it the z-loss. "models": the Grok-2 models of
pytorch_architectures.py (same weights, tokens, conventions), the gradients of cross-entropy plus both losses, each the
mean over sequences and layers of that function of one sequence and layer. All in f64. Needs torch and transformers.
"""
import json
import pathlib
import sys

import torch
import transformers
from transformers.models.mixtral.modeling_mixtral import load_balancing_loss_func

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import pytorch_architectures as architectures
from pytorch_goldens import sizes

LAYERS = [dict(experts=8, chosen=2, rows=24, cap=0.0, spread=1.5), dict(experts=8, chosen=2, rows=24, cap=1.5, spread=3.0),
          dict(experts=5, chosen=1, rows=17, cap=0.0, spread=0.3), dict(experts=4, chosen=4, rows=9, cap=0.0, spread=1.0),
          dict(experts=16, chosen=4, rows=20, cap=30.0, spread=6.0)]
AUX, Z = 0.5, 0.1


def z_loss(logits):
    return torch.logsumexp(logits, -1).square().mean()


def layer(case):
    generator = torch.Generator().manual_seed(case["experts"] * 100 + case["rows"])
    logits = case["spread"] * torch.randn(case["rows"], case["experts"], generator=generator)
    logits[:, 1] += case["spread"] * 0.7  # one that is liked
    logits = logits.float().double().requires_grad_()
    capped = architectures.cap(logits, case["cap"]) if case["cap"] > 0 else logits
    # The function sums the probabilities in f32: its gradient is made of them in f64, its value holds to f32.
    losses = {"balance": load_balancing_loss_func((capped,), case["experts"], case["chosen"]), "z": z_loss(capped)}
    result = {**case, "logits": logits.detach().flatten().tolist()}
    for name, loss in losses.items():
        (gradient,) = torch.autograd.grad(loss, logits, retain_graph=True)
        result[name] = {"loss": loss.item(), "gradient": gradient.flatten().tolist()}
    return result


def model(name):
    routed = []
    mixture = architectures.grok2_mixture

    def recording(w, p, c, z, gaps):
        routed.append(z @ w[p + "gate.weight"].T)
        return mixture(w, p, c, z, gaps)

    architectures.grok2_mixture = recording
    config, w, logits_of, gaps = architectures.build(architectures.CASES[name])
    v, batch, length = config["vocab_size"], architectures.BATCH, architectures.LENGTH
    tokens = torch.tensor([[(7 * n * n + 3 * n + 5 * m) % v for n in range(length)] for m in range(batch)])
    targets = torch.tensor([[(11 * n + 13 * m + n * n) % v for n in range(length)] for m in range(batch)])
    logits = logits_of(tokens)
    architectures.grok2_mixture = mixture
    nats = torch.nn.functional.cross_entropy(logits.view(batch * length, -1), targets.flatten())
    balances, zs = [], []
    for own in routed:
        capped = architectures.cap(own, config["router_logit_softcapping"]) if name.endswith("sglang") else own
        for sequence in capped:
            balances.append(load_balancing_loss_func((sequence,), config["num_local_experts"],
                                                     config["num_experts_per_tok"]))
            zs.append(z_loss(sequence))
    balance, z = torch.stack(balances).mean(), torch.stack(zs).mean()
    (nats + AUX * balance + Z * z).backward()
    assert min(gaps) > 2e-5, gaps
    return {"config": config, "sequences": batch, "tokens": tokens.flatten().tolist(),
            "targets": targets.flatten().tolist(), "aux": AUX, "z": Z, "loss": nats.item(),
            "balance_loss": balance.item(), "z_loss": z.item(),
            "gradients": {name: sizes(p.grad) for name, p in w.items()}}


def main():
    torch.set_default_dtype(torch.float64)
    out = pathlib.Path(__file__).resolve().parents[2] / "src/model/testdata/router_goldens.json"
    goldens = {"layers": [layer(case) for case in LAYERS],
               "models": {name: model(name) for name in ("grok2", "grok2_sglang")},
               "versions": {"torch": torch.__version__, "transformers": transformers.__version__}}
    round_off = lambda x: float(f"{x:.12g}") if isinstance(x, float) else x
    walk = lambda x: ({k: walk(v) for k, v in x.items()} if isinstance(x, dict)
                      else [walk(v) for v in x] if isinstance(x, list) else round_off(x))
    out.write_text(json.dumps(walk(goldens)).replace('"model.', '\n"model.') + "\n")
    print(out)


if __name__ == "__main__":
    main()
