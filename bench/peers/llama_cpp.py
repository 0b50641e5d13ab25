#!/usr/bin/env python3
"""Models out of Rhodes in unmodified llama.cpp and transformers: the same logits, ids and greedy text.

  bench/peers/llama_cpp.py build/release/rhodes [--scratch DIR] [--write-goldens]
  bench/peers/llama_cpp.py build/release/rhodes --model FOLDER [--prompt TEXT]     # a model of one's own
  bench/peers/llama_cpp.py build/release/rhodes --tokenizers FILE... [--texts FILE...]

Needs, in a venv: llama-cpp-python (builds llama.cpp from source), transformers, torch, safetensors, jinja2.

The tiny models are made here, their weights a closed formula that src/exchange/exchange_test.cc repeats; tokenizers are
those of src/token/testdata. For each: config.json, model.safetensors and tokenizer.json are written, `rhodes export`
makes GGUF files of every type, `rhodes import` makes a folder of them again, and `rhodes logits` computes from all.
--write-goldens stores what llama.cpp and transformers said in src/exchange/testdata/peer_goldens.json. Exit code 1 when
anything differs.
"""
import argparse
import json
import math
import pathlib
import subprocess
import sys
import tempfile

sys.path[:] = [p for p in sys.path if pathlib.Path(p or ".").resolve() != pathlib.Path(__file__).resolve().parent]
import llama_cpp  # the package: this file has its name, hence the line above
import numpy as np
import torch
from safetensors.numpy import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDENS = ROOT / "src/exchange/testdata/peer_goldens.json"
TOLERANCE = 1e-3  # of the largest logit's magnitude, in f32
# bf16 keeps 8 bits and rounds activations too in llama.cpp; q8_0 rounds activations to 8 bits as well.
LOOSE = {"bf16": 3e-2, "q8_0": 6e-2}

BASE = dict(attention_bias=False, hidden_act="silu", mlp_bias=False, rms_norm_eps=1e-5, vocab_size=512,
            max_position_embeddings=128, bos_token_id=511, eos_token_id=511, torch_dtype="float32", rope_scaling=None)
LLAMA = dict(BASE, architectures=["LlamaForCausalLM"], model_type="llama")
CASES = {
    "tied": dict(LLAMA, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
                 num_key_value_heads=2, head_dim=16, rope_theta=10000.0, tie_word_embeddings=True, tokenizer="llama3"),
    "untied": dict(LLAMA, hidden_size=64, intermediate_size=160, num_hidden_layers=1, num_attention_heads=2,
                   num_key_value_heads=2, head_dim=64, rope_theta=500000.0, rms_norm_eps=1e-6,
                     tie_word_embeddings=False, tokenizer="gpt2"),
}
SHAPE = dict(hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
             head_dim=16, rope_theta=10000.0, tie_word_embeddings=False)
CASES["llama3_biases"] = dict(
    LLAMA, **dict(SHAPE, tokenizer="llama3", attention_bias=True, mlp_bias=True, rope_scaling=dict(
        rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=32)))
CASES["linear"] = dict(LLAMA, **dict(SHAPE, tokenizer="gpt2", rope_scaling=dict(rope_type="linear", factor=4.0)))
CASES["yarn"] = dict(LLAMA, **dict(SHAPE, tokenizer="gpt2", rope_scaling=dict(
    rope_type="yarn", factor=4.0, original_max_position_embeddings=32)))
CASES["qwen2"] = dict(
    {k: v for k, v in BASE.items() if k not in ("attention_bias", "mlp_bias")}, **dict(
        SHAPE, tokenizer="qwen2", architectures=["Qwen2ForCausalLM"], model_type="qwen2", use_sliding_window=False))
CASES["qwen3"] = dict(
    {k: v for k, v in BASE.items() if k != "mlp_bias"}, **dict(
        SHAPE, head_dim=32, tokenizer="qwen2", architectures=["Qwen3ForCausalLM"], model_type="qwen3",
        use_sliding_window=False))
CASES["grok2"] = dict(
    vocab_size=512, hidden_size=64, intermediate_size=96, moe_intermediate_size=32, num_hidden_layers=2,
    num_attention_heads=4, num_key_value_heads=2, head_dim=16, num_local_experts=8, num_experts_per_tok=2,
    residual_moe=True, rms_norm_eps=1e-5, rope_theta=208533496.0, max_position_embeddings=128,
    embedding_multiplier_scale=8.0, output_multiplier_scale=0.5, attn_logit_softcapping=30.0,
    router_logit_softcapping=30.0, final_logit_softcapping=50.0, tie_word_embeddings=False, bos_token_id=511,
    eos_token_id=511, torch_dtype="float32", architectures=["Grok1ForCausalLM"], model_type="grok2",
    tokenizer="qwen2")
TOKENS = [511, 72, 300, 5, 411, 220, 17, 488, 260, 99]
STORED_POSITIONS = [0, 9]
STORED_STEP = 4  # every fourth token's
TEXTS = ["Hello, world! 1234567 it's We'LL", "naïve café — Ünïcödé", "مرحبا بالعالم 2026", "日本語のテキスト", "a\n\n  b\t\tc \r\n d   ",
         "def f(x):\n    return x**2  # code", "🙂🙃 emoji 👩‍👩‍👧", "ALLCAPS camelCase snake_case", " leading", "trailing  "]


def formula(tensor, index, scale):
    """As in pytorch_goldens.py: exact in f64 and in C++."""
    return scale * math.sin(1.0 + 0.7 * tensor + 0.37 * index + 0.011 * ((index * 7919 + tensor * 104729) % 1009))


def shapes(c):
    """Names and shapes in the order of their numbers in the formula: sorted by name."""
    return sorted(llama_shapes(c) if c["model_type"] != "grok2" else grok2_shapes(c))


def grok2_shapes(c):
    width, inner, expert, d = c["hidden_size"], c["intermediate_size"], c["moe_intermediate_size"], c["head_dim"]
    out = [("model.embed_tokens.weight", (c["vocab_size"], width)), ("model.norm.weight", (width,)),
           ("lm_head.weight", (c["vocab_size"], width))]
    for i in range(c["num_hidden_layers"]):
        p = f"model.layers.{i}."
        out += [(p + f"{n}_norm.weight", (width,)) for n in ["pre_attn", "post_attn", "pre_moe", "post_moe"]]
        out += [(p + "self_attn.q_proj.weight", (c["num_attention_heads"] * d, width)),
                (p + "self_attn.k_proj.weight", (c["num_key_value_heads"] * d, width)),
                (p + "self_attn.v_proj.weight", (c["num_key_value_heads"] * d, width)),
                (p + "self_attn.o_proj.weight", (width, c["num_attention_heads"] * d)),
                (p + "mlp.gate_proj.weight", (inner, width)), (p + "mlp.up_proj.weight", (inner, width)),
                (p + "mlp.down_proj.weight", (width, inner)),
                (p + "block_sparse_moe.gate.weight", (c["num_local_experts"], width))]
        for e in range(c["num_local_experts"]):
            q = p + f"block_sparse_moe.experts.{e}."
            out += [(q + "w1.weight", (expert, width)), (q + "w3.weight", (expert, width)),
                    (q + "w2.weight", (width, expert))]
    return out


def llama_shapes(c):
    width, inner, d = c["hidden_size"], c["intermediate_size"], c["head_dim"]
    out = [("model.embed_tokens.weight", (c["vocab_size"], width))]
    for i in range(c["num_hidden_layers"]):
        p = f"model.layers.{i}."
        out += [(p + "input_layernorm.weight", (width,)),
                (p + "self_attn.q_proj.weight", (c["num_attention_heads"] * d, width)),
                (p + "self_attn.k_proj.weight", (c["num_key_value_heads"] * d, width)),
                (p + "self_attn.v_proj.weight", (c["num_key_value_heads"] * d, width)),
                (p + "self_attn.o_proj.weight", (width, c["num_attention_heads"] * d)),
                (p + "post_attention_layernorm.weight", (width,)),
                (p + "mlp.gate_proj.weight", (inner, width)), (p + "mlp.up_proj.weight", (inner, width)),
                (p + "mlp.down_proj.weight", (width, inner))]
        if c.get("attention_bias") or c["model_type"] == "qwen2":
            out += [(p + "self_attn.q_proj.bias", (c["num_attention_heads"] * d,)),
                    (p + "self_attn.k_proj.bias", (c["num_key_value_heads"] * d,)),
                    (p + "self_attn.v_proj.bias", (c["num_key_value_heads"] * d,))]
        if c.get("attention_bias"):
            out.append((p + "self_attn.o_proj.bias", (width,)))
        if c.get("mlp_bias"):
            out += [(p + "mlp.gate_proj.bias", (inner,)), (p + "mlp.up_proj.bias", (inner,)),
                    (p + "mlp.down_proj.bias", (width,))]
        if c["model_type"] == "qwen3":
            out += [(p + "self_attn.q_norm.weight", (d,)), (p + "self_attn.k_norm.weight", (d,))]
    out.append(("model.norm.weight", (width,)))
    if not c["tie_word_embeddings"]:
        out.append(("lm_head.weight", (c["vocab_size"], width)))
    return out


def write_model(folder, case):
    folder.mkdir(parents=True, exist_ok=True)
    weights = {}
    for number, (name, shape) in enumerate(shapes(case)):
        n = math.prod(shape)
        norm = len(shape) == 1
        values = [1.0 + 0.1 * formula(number, k, 1.0) if norm else formula(number, k, 0.25) for k in range(n)]
        weights[name] = np.array(values, dtype=np.float32).reshape(shape)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    config = {k: v for k, v in case.items() if k != "tokenizer"}
    (folder / "config.json").write_text(json.dumps(config, indent=2))
    (folder / "tokenizer.json").write_text((ROOT / f"src/token/testdata/{case['tokenizer']}.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps(
        {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>",
         "add_bos_token": True, "clean_up_tokenization_spaces": False}))


class LlamaCpp:
    """A GGUF file in llama.cpp, with an f32 cache and no flash attention, so that f32 is f32 throughout."""

    def __init__(self, path):
        self.llama = llama_cpp.Llama(str(path), n_ctx=128, n_batch=128, n_threads=1, logits_all=True, verbose=False,
                                     type_k=0, type_v=0, flash_attn=False, n_gpu_layers=0)

    def logits(self, tokens):
        self.llama.reset()
        self.llama.eval(tokens)
        return np.array(self.llama.scores[:len(tokens)], dtype=np.float64)

    def greedy(self, tokens, count):
        tokens = list(tokens)
        for _ in range(count):
            tokens.append(int(np.argmax(self.logits(tokens)[-1])))
        return tokens

    def encode(self, text, special=False):
        return self.llama.tokenize(text.encode(), add_bos=False, special=special)

    def encode_as_configured(self, text):
        """With a begin-of-text token if the file says so."""
        return self.llama.tokenize(text.encode(), add_bos=True, special=False)


def run(*arguments, **options):
    done = subprocess.run([str(a) for a in arguments], capture_output=True, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, arguments))}: {done.stderr.decode()}")
    return done.stdout


class Checks:
    def __init__(self):
        self.failed = 0

    def logits(self, what, got, expected, tolerance=TOLERANCE):
        error = float(np.max(np.abs(got - expected)) / np.max(np.abs(expected)))
        self.report(what, f"relative difference {error:.1e} (at most {tolerance:.0e})", error <= tolerance)

    def equal(self, what, got, expected):
        same = got == expected
        self.report(what, "the same" if same else f"{got!r} instead of {expected!r}", same)

    def report(self, what, text, good):
        print(f"{'ok  ' if good else 'FAIL'} {what:52} {text}", flush=True)
        self.failed += not good


def rhodes_logits(rhodes, model, tokens):
    out = json.loads(run(rhodes, "logits", "--model", model, "--tokens", " ".join(map(str, tokens)), "--json"))
    return np.array(out["logits"], dtype=np.float64)


def rhodes_encode(rhodes, tokenizer, text):
    return [int(i) for i in run(rhodes, "encode", "--tokenizer", tokenizer, input=text.encode()).split()]


def rhodes_greedy(rhodes, model, tokens, count):
    tokens = list(tokens)
    for _ in range(count):
        out = json.loads(run(rhodes, "logits", "--model", model, "--tokens", " ".join(map(str, tokens)), "--last", "--json"))
        tokens.append(int(np.argmax(out["logits"][0])))
    return tokens


def check_transformers(name, folder, scratch, checks, tokens, ours, greedy):
    def load(path):
        model = AutoModelForCausalLM.from_pretrained(path, torch_dtype=torch.float32, attn_implementation="eager")
        return model, model(torch.tensor([tokens])).logits[0].numpy().astype(np.float64)

    with torch.no_grad():
        model, logits = load(folder)
        checks.logits(f"{name}: transformers", logits, ours)
        _, again = load(scratch / f"{name}-f32-imported")
        checks.equal(f"{name}: transformers after export and import", np.array_equal(again, logits), True)
        generated = model.generate(torch.tensor([tokens[:3]]), max_new_tokens=20, do_sample=False, eos_token_id=None,
                                   pad_token_id=0, attention_mask=torch.ones(1, 3))[0].tolist()
        checks.equal(f"{name}: greedy text, transformers", generated, greedy)
    return logits


def check(rhodes, name, folder, scratch, checks, tokens):
    ours = rhodes_logits(rhodes, folder, tokens)
    files = {}
    for kind in ["f32", "bf16", "q8_0"]:
        files[kind] = scratch / f"{name}-{kind}.gguf"
        run(rhodes, "export", folder, "--gguf", files[kind], "--type", kind)
    peer = LlamaCpp(files["f32"])
    theirs = peer.logits(tokens)
    checks.logits(f"{name}: llama.cpp, f32", theirs, ours)
    for kind in ["bf16", "q8_0"]:
        checks.logits(f"{name}: llama.cpp, {kind}", LlamaCpp(files[kind]).logits(tokens),
                      rhodes_logits(rhodes, files[kind], tokens), LOOSE[kind])
    checks.equal(f"{name}: our logits of the f32 file", np.array_equal(rhodes_logits(rhodes, files["f32"], tokens), ours),
                 True)
    for kind in ["f32", "q8_0"]:
        back = scratch / f"{name}-{kind}-imported"
        run(rhodes, "import", files[kind], "--out", back)
        checks.equal(f"{name}: our logits after import of {kind}",
                     np.array_equal(rhodes_logits(rhodes, back, tokens), rhodes_logits(rhodes, files[kind], tokens)), True)
    greedy = peer.greedy(tokens[:3], 20)
    checks.equal(f"{name}: greedy text, llama.cpp", greedy, rhodes_greedy(rhodes, folder, tokens[:3], 20))
    torch_logits = None
    if json.loads((folder / "config.json").read_text())["model_type"] != "grok2":  # which transformers does not have
        torch_logits = check_transformers(name, folder, scratch, checks, tokens, ours, greedy)
    hugging_face = AutoTokenizer.from_pretrained(folder)
    ids = [rhodes_encode(rhodes, folder / "tokenizer.json", text) for text in TEXTS]
    checks.equal(f"{name}: ids, llama.cpp", [peer.encode(text) for text in TEXTS], ids)
    checks.equal(f"{name}: ids, transformers", [hugging_face.encode(t, add_special_tokens=False) for t in TEXTS], ids)
    imported = scratch / f"{name}-q8_0-imported/tokenizer.json"
    checks.equal(f"{name}: ids after export and import", [rhodes_encode(rhodes, imported, t) for t in TEXTS], ids)
    return theirs, torch_logits, greedy


def check_tokenizer(rhodes, path, texts, scratch, checks):
    """A tokenizer.json of one's own in a model of random weights: llama.cpp's ids beside ours, text by text."""
    vocabulary = json.loads(path.read_text())
    ids = list(vocabulary["model"]["vocab"].values()) + [t["id"] for t in vocabulary["added_tokens"]]
    case = dict(LLAMA, hidden_size=32, intermediate_size=32, num_hidden_layers=1, num_attention_heads=1,
                num_key_value_heads=1, head_dim=32, rope_theta=10000.0, tie_word_embeddings=True,
                vocab_size=max(ids) + 1, bos_token_id=0, eos_token_id=0)
    folder = scratch / f"tokenizer-{path.stem}"
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(1)
    save_file({name: random.standard_normal(shape, dtype=np.float32) for name, shape in shapes(case)},
              folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(case))
    (folder / "tokenizer.json").write_bytes(path.read_bytes())
    report = json.loads(run(rhodes, "export", folder, "--gguf", scratch / "tokenizer.gguf", "--type", "q8_0", "--json"))
    for note in report["notes"]:
        print(f"note {path.stem}: in llama.cpp, {note}")
    peer = LlamaCpp(scratch / "tokenizer.gguf")
    run(rhodes, "import", scratch / "tokenizer.gguf", "--out", scratch / "tokenizer-imported")
    lines = "\n".join(t.replace("\n", " ") for t in texts)
    encode = lambda file: [[int(i) for i in line.split()] for line in
                           run(rhodes, "encode", "--tokenizer", file, "--lines", input=lines.encode()).decode().split("\n")]
    ours = encode(path)[:len(texts)]
    checks.equal(f"{path.stem}: ids after export and import, {len(texts)} texts",
                 encode(scratch / "tokenizer-imported/tokenizer.json")[:len(texts)] == ours, True)
    theirs = [peer.encode(t) for t in lines.split("\n")]
    wrong = [i for i in range(len(texts)) if theirs[i] != ours[i]]
    checks.report(f"{path.stem}: ids, llama.cpp", f"{len(texts) - len(wrong)} of {len(texts)} texts the same"
                  + (f", not {lines.split(chr(10))[wrong[0]]!r}" if wrong else ""), not wrong)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rhodes")
    parser.add_argument("--scratch")
    parser.add_argument("--model", type=pathlib.Path, help="check this folder instead of the tiny models")
    parser.add_argument("--prompt", default="The quick brown fox")
    parser.add_argument("--tokenizers", type=pathlib.Path, nargs="+", help="check these tokenizer.json files instead")
    parser.add_argument("--texts", type=pathlib.Path, nargs="+", default=[], help="with lines of these files")
    parser.add_argument("--write-goldens", action="store_true")
    arguments = parser.parse_args()
    scratch = pathlib.Path(arguments.scratch or tempfile.mkdtemp(prefix="rhodes-llama-cpp-"))
    scratch.mkdir(parents=True, exist_ok=True)
    checks = Checks()
    if arguments.model:
        ids = rhodes_encode(arguments.rhodes, arguments.model / "tokenizer.json", arguments.prompt)
        check(arguments.rhodes, arguments.model.name, arguments.model, scratch, checks, ids)
        sys.exit(1 if checks.failed else 0)
    if arguments.tokenizers:
        texts = [line for file in arguments.texts for line in file.read_text().split("\n") if line]
        for path in arguments.tokenizers:
            check_tokenizer(arguments.rhodes, path, [t.replace("\n", " ") for t in TEXTS] + texts, scratch, checks)
        sys.exit(1 if checks.failed else 0)
    goldens = {"made_by": f"bench/peers/llama_cpp.py: llama-cpp-python {llama_cpp.__version__}, torch {torch.__version__}",
               "tokens": TOKENS, "positions": STORED_POSITIONS, "step": STORED_STEP, "cases": {}}
    for name, case in CASES.items():
        folder = scratch / name
        write_model(folder, case)
        theirs, torch_logits, greedy = check(arguments.rhodes, name, folder, scratch, checks, TOKENS)
        rounded = lambda rows: [[float(f"{v:.5g}") for v in rows[p][::STORED_STEP]] for p in STORED_POSITIONS]
        goldens["cases"][name] = {
            "config": {k: v for k, v in case.items() if k != "tokenizer"}, "tokenizer": case["tokenizer"],
            "llama_cpp": rounded(theirs), "greedy": greedy}
        if torch_logits is not None:
            goldens["cases"][name]["transformers"] = rounded(torch_logits)
    if arguments.write_goldens and not checks.failed:
        GOLDENS.parent.mkdir(parents=True, exist_ok=True)
        GOLDENS.write_text(json.dumps(goldens, separators=(",", ":")) + "\n")
        print(f"wrote {GOLDENS.relative_to(ROOT)}")
    sys.exit(1 if checks.failed else 0)


if __name__ == "__main__":
    main()
