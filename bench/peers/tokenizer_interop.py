#!/usr/bin/env python3
"""Rhodes' tokenizer beside Hugging Face tokenizers: the same merges, the same ids, the same shards; then the time.

    python3 -m venv venv && venv/bin/pip install tokenizers numpy
    venv/bin/python bench/peers/tokenizer_interop.py --rhodes build/release/rhodes --text FILE...
    venv/bin/python bench/peers/tokenizer_interop.py --goldens src/token/testdata     # writes the unit tests' goldens

Each FILE is UTF-8 text; its paragraphs (blank lines between) become documents. Ends with 1 when anything differs; only
what agrees is timed. Prints one line a check and a JSON object with the times at the end.
"""
import argparse
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

PATTERNS = {
    "gpt2": r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    "llama3": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
              r"|\s+(?!\S)|\s+",
    "qwen2": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
             r"|\s+(?!\S)|\s+",
    "o200k": r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
             r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
             r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
}
IGNORE_MERGES = {"llama3"}  # as llama.cpp does for this pattern
END_OF_TEXT = "<|endoftext|>"
PIECES = ["'s", "'S", "'\u017f", "'re", "'RE", "'ll", "'Ll", " ", "  ", "\n", "\r\n", "\t", "\u00a0", "\u3000",
          "\u2028", "a", "B", "word", "WORD", "CamelCase", "\u00aa", "\u01c5", "\u02b0", "\u00e9", "e\u0301", "\u0301",
          "\u0645", "\u0645\u0631\u062d\u0628\u0627", "\u4e2d", "\u6587\u5b57", "1", "12", "1234", "\u0663", "\u2167",
          "\u00bd", "!", "...", "/", "//", "\n/", "'", "-", "\u2014", "\U0001f642",
          "\U0001f469\u200d\U0001f469\u200d\U0001f467", END_OF_TEXT, "\u200d", "\u0085", "\x1c", "\x0b", "\u0130",
          "\u00df", "\ufb01", "\u212a", "\u0915\u093f", "\u0e44\u0e17\u0e22", "\x00", "_"]


def pre_tokenizer(pattern):
    if pattern == "gpt2":
        return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(PATTERNS[pattern]), "isolated"),
                                    pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def train(pattern, texts, vocabulary_size):
    tokenizer = Tokenizer(models.BPE(ignore_merges=pattern in IGNORE_MERGES))
    tokenizer.pre_tokenizer = pre_tokenizer(pattern)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=vocabulary_size - 1, min_frequency=2, special_tokens=[], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.add_special_tokens([END_OF_TEXT])
    return tokenizer


def random_texts(count, seed):
    """Pieces that sit on the patterns' borders, and arbitrary code points."""
    rng = random.Random(seed)
    texts = ["".join(rng.choice(PIECES) for _ in range(rng.randint(1, 14))) for _ in range(count)]
    ranges = [(0, 0x7f), (0, 0x7ff), (0, 0xd7ff), (0xe000, 0x1ffff)]
    for _ in range(count // 2):
        texts.append("".join(chr(rng.randint(*rng.choice(ranges))) for _ in range(rng.randint(1, 10))))
    return texts


def read_model(path):
    model = json.load(open(path, encoding="utf-8"))["model"]
    merges = [tuple(m.split(" ")) if isinstance(m, str) else tuple(m) for m in model["merges"]]
    return model["vocab"], merges


def write_goldens(directory):
    text = open(os.path.join(directory, "train.txt"), encoding="utf-8", newline="").read()
    cases = random_texts(120, 7) + ["", text[:700]]
    goldens = {}
    for pattern in PATTERNS:
        tokenizer = train(pattern, [text], 512)
        tokenizer.encode_special_tokens = True
        tokenizer.save(os.path.join(directory, f"{pattern}.json"), pretty=False)
        rows = []
        for case in cases:
            pieces = tokenizer.pre_tokenizer.pre_tokenize_str(case)
            ids = tokenizer.encode(case, add_special_tokens=False).ids
            rows.append({"text": case, "words": [len(piece) for piece, _ in pieces], "ids": ids})
        tokenizer.encode_special_tokens = False
        special = f"one{END_OF_TEXT} two{END_OF_TEXT}{END_OF_TEXT}"
        goldens[pattern] = {"cases": rows, "special": {"text": special, "ids": tokenizer.encode(special).ids}}
    with open(os.path.join(directory, "goldens.json"), "w", encoding="utf-8") as out:
        json.dump(goldens, out, ensure_ascii=True, separators=(",", ":"))
        out.write("\n")


class Checks:
    def __init__(self):
        self.failed = 0

    def say(self, name, good, detail=""):
        self.failed += not good
        print(f"{'same' if good else 'DIFFERENT':<10} {name} {detail}", flush=True)


def rhodes_ids(rhodes, tokenizer, text):
    run = subprocess.run([rhodes, "encode", "--tokenizer", tokenizer, "--json"], input=text.encode(),
                         stdout=subprocess.PIPE, check=True)
    return json.loads(run.stdout)["ids"]


def read_megatron(prefix):
    """The sequences of PREFIX.bin/.idx, as Megatron-LM's indexed_dataset reads them."""
    import numpy
    with open(prefix + ".idx", "rb") as index:
        assert index.read(9) == b"MMIDIDX\x00\x00", "magic"
        assert int.from_bytes(index.read(8), "little") == 1, "version"
        dtype = {4: numpy.int32, 8: numpy.uint16}[index.read(1)[0]]
        sequences = int.from_bytes(index.read(8), "little")
        documents = int.from_bytes(index.read(8), "little")
        offset = index.tell()
    raw = numpy.memmap(prefix + ".idx", mode="r")
    lengths = numpy.frombuffer(raw, numpy.int32, sequences, offset)
    offset += lengths.nbytes
    pointers = numpy.frombuffer(raw, numpy.int64, sequences, offset)
    offset += pointers.nbytes
    bounds = numpy.frombuffer(raw, numpy.int64, documents, offset)
    assert offset + bounds.nbytes == len(raw), "the index has bytes left over"
    assert list(bounds) == list(range(sequences + 1)), "one sequence a document"
    data = numpy.memmap(prefix + ".bin", mode="r") if os.path.getsize(prefix + ".bin") else b""
    return [numpy.frombuffer(data, dtype, length, pointer) for length, pointer in zip(lengths, pointers)]


def check_shards(checks, out, tokenizer, texts):
    end = tokenizer.token_to_id(END_OF_TEXT)
    found = []
    shards = sorted(name[:-4] for name in os.listdir(os.path.join(out, "shards")) if name.endswith(".idx"))
    ended = True
    for shard in shards:
        for sequence in read_megatron(os.path.join(out, "shards", shard)):
            ended &= int(sequence[-1]) == end
            found.append(tokenizer.decode([int(token) for token in sequence[:-1]], skip_special_tokens=False))
    checks.say("shards: every document ends with end-of-text", ended, f"({len(shards)} shards)")
    checks.say("shards: decoded documents are the corpus", sorted(found) == sorted(texts), f"({len(found)})")


def compare(rhodes, files, vocabulary_size):
    checks = Checks()
    times = {}
    texts = []
    for file in files:
        content = open(file, encoding="utf-8", errors="replace", newline="").read()
        texts += [part for part in content.split("\n\n") if part]
    size = sum(len(text.encode()) for text in texts)
    with tempfile.TemporaryDirectory() as folder:
        corpus = os.path.join(folder, "corpus.jsonl")
        with open(corpus, "w", encoding="utf-8") as out:
            for number, text in enumerate(texts):
                identity = hashlib.sha256(f"{number} {text}".encode()).hexdigest()[:32]
                out.write(json.dumps({"id": identity, "text": text}, ensure_ascii=False) + "\n")
        for pattern in PATTERNS:
            begun = time.perf_counter()
            theirs = train(pattern, texts, vocabulary_size)
            trained = time.perf_counter() - begun
            theirs.save(os.path.join(folder, "theirs.json"))
            out = os.path.join(folder, pattern)
            run = subprocess.run([rhodes, "tokenize", corpus, "--out", out, "--vocabulary", str(vocabulary_size),
                                  "--pattern", pattern, "--json"], stdout=subprocess.PIPE, check=True)
            report = json.loads(run.stdout)
            path = os.path.join(out, "tokenizer.json")
            our_vocabulary, our_merges = read_model(path)
            their_vocabulary, their_merges = read_model(os.path.join(folder, "theirs.json"))
            their_vocabulary[END_OF_TEXT] = len(their_vocabulary)
            checks.say(f"{pattern}: merges", our_merges == their_merges, f"({len(our_merges)})")
            checks.say(f"{pattern}: vocabulary", our_vocabulary == their_vocabulary)

            ours = Tokenizer.from_file(path)  # their code, our file
            ours.encode_special_tokens = True
            probes = {"text": "\n\n".join(texts[:2000])[:2_000_000], "borders": "".join(random_texts(4000, 3))}
            for name, probe in probes.items():
                expected = ours.encode(probe, add_special_tokens=False).ids
                checks.say(f"{pattern}: ids of {name}", rhodes_ids(rhodes, path, probe) == expected,
                           f"({len(expected)})")
            check_shards(checks, out, ours, texts)

            begun = time.perf_counter()
            ours.encode_batch_fast(texts, add_special_tokens=False)
            encoded = time.perf_counter() - begun
            times[pattern] = {"bytes": size, "tokenizers_train_seconds": round(trained, 3),
                              "tokenizers_encode_seconds": round(encoded, 3), "rhodes_seconds": report}
    print(json.dumps(times))
    return checks.failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rhodes", default="build/release/rhodes")
    parser.add_argument("--text", nargs="+", default=[])
    parser.add_argument("--vocabulary", type=int, default=8192)
    parser.add_argument("--goldens")
    options = parser.parse_args()
    if options.goldens:
        write_goldens(options.goldens)
        return 0
    if not options.text:
        parser.error("--text: which files?")
    return 1 if compare(options.rhodes, options.text, options.vocabulary) else 0


if __name__ == "__main__":
    sys.exit(main())
