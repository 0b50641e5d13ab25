#!/usr/bin/env python3
"""`rhodes encode` beside Hugging Face tokenizers and tiktoken: the same ids for every string.

    python3 -m venv venv && venv/bin/pip install tokenizers tiktoken
    venv/bin/python bench/peers/tokenizer_identity.py --rhodes build/release/rhodes --text FILE... TOKENIZER...

Each TOKENIZER is a tokenizer.json, or a tiktoken rank file named after its encoding (o200k_base.tiktoken). A
tokenizer.json is also tried in variants: with added tokens of every kind, and when it is SentencePiece-style with the
pre-tokenizer Metaspace in all its forms. Compared are, with special tokens as text and as tokens: the files of --text
whole and by line; every code point of Unicode alone and between letters, spaces, digits and apostrophes; and --strings
random strings that sit on the patterns' borders. Arbitrary bytes must come back from `rhodes decode`. Ends with 1 when
anything differs, and shows the first cases.
"""
import argparse
import copy
import json
import os
import random
import subprocess
import sys
import tempfile
import time

import tokenizers

PIECES = ["'s", "'S", "'\u017f", "'re", "'RE", "'ll", "'Ll", "'lL", "'d", "'ve", "'t", "'m", "'", "''", " ", "  ", "   ",
          "\n", "\n\n", "\r\n", "\r", "\t", "\u00a0", "\u3000", "\u2028", "\u2029", "\u180e", "\u200b", "\ufeff", "a",
          "B", "word", "WORD", "CamelCase", "iOS", "\u00aa", "\u01c5", "\u02b0", "\u00e9", "e\u0301", "\u0301", "\u0645",
          "\u0645\u0631\u062d\u0628\u0627", "\u0648\u064e\u0644\u064e\u062f", "\u4e2d", "\u6587\u5b57", "1", "12", "123",
          "1234", "\u0663", "\u2167", "\u00bd", "!", "...", "/", "//", "\n/", "-", "\u2014", "\U0001f642", "_", "\x00",
          "\U0001f469\u200d\U0001f469\u200d\U0001f467", "\u200d", "\u0085", "\x1c", "\x1f", "\x0b", "\x0c", "\u0130",
          "\u00df", "\ufb01", "\u212a", "\u0915\u093f", "\u0e44\u0e17\u0e22", "\u2581", "\u2581\u2581", "<0x0A>", "</s>",
          "\uac00", "\u1100\u1161", "\u1161", "\u0344", "\u2126", "\ufb4b", "0", "x=1;", "{}", "==", "\u0600", "\U00010940"]
REPEATED = ["a", "ab", " ", "=", "\n", "1", "A", "aA", "\u00e9", "\u4e2d", "'s", " '", "a ", "\t\n", "\u0645\u064e",
            "\U0001f642", "\u2581", "-=", "the ", "/"]
EXTRA_TOKENS = [  # content, and the fields that are true
    ("<left>", "lstrip special"), ("<right>", "rstrip special"), ("<both>", "lstrip rstrip"), ("whole", "single_word"),
    ("<plain>", ""), ("<plain><plain>", ""), ("normal", "normalized"), ("\u00e9t\u00e9", "normalized single_word"),
    ("<special>", "special"), ("<spec", ""), ("ial>x", ""), ("a b", "normalized"), ("\n\n\n", ""),
    ("<rn>", "rstrip normalized special"), ("<ln>", "lstrip normalized")]


def random_strings(count, seed, extra):
    rng = random.Random(seed)
    pieces = PIECES + extra
    ranges = [(0, 0x7f), (0, 0x7ff), (0, 0xd7ff), (0xe000, 0x1ffff), (0x20, 0x7e)]
    for number in range(count):
        kind = number % 8
        if kind == 0:
            low, high = rng.choice(ranges)
            yield "".join(chr(rng.randint(low, high)) for _ in range(rng.randint(1, 12)))
        elif kind == 1:
            unit = rng.choice(REPEATED)
            yield rng.choice(pieces) + unit * rng.randint(1, 200 // len(unit)) + rng.choice(pieces)
        elif kind == 2:
            yield "".join(rng.choice("abcdeinorst") for _ in range(rng.randint(1, 70)))
        else:
            yield "".join(rng.choice(pieces) for _ in range(rng.randint(1, 14)))


def unicode_strings(thin):
    """All that Unicode assigns or may soon (planes 0 to 3 and 14), every `thin`th of the others."""
    for code in range(0x110000):
        if 0xd800 <= code <= 0xdfff or (0x34000 <= code and not 0xe0000 <= code < 0xe0200 and code % thin):
            continue
        one = chr(code)
        yield one
        yield f"a{one}b {one}A"
        yield f" {one} {one}{one}1{one}2 '{one}s"
        yield f"\n{one}\n\t{one}e\u0301{one}\u0301"


class HuggingFace:
    def __init__(self, content):
        self.tokenizer = tokenizers.Tokenizer.from_str(json.dumps(content))

    def encode(self, texts, special):
        self.tokenizer.encode_special_tokens = not special
        return [one.ids for one in self.tokenizer.encode_batch_fast(texts, add_special_tokens=False)]


class Tiktoken:
    def __init__(self, path):
        import tiktoken
        import tiktoken_ext.openai_public as public
        from tiktoken.load import load_tiktoken_bpe
        ranks = load_tiktoken_bpe(path)
        public.load_tiktoken_bpe = lambda *_, **__: ranks
        name = os.path.basename(path).split(".")[0]
        self.encoding = tiktoken.Encoding(**getattr(public, name)())

    def encode(self, texts, special):
        if special:
            return self.encoding.encode_batch(texts, num_threads=2, allowed_special="all")
        return self.encoding.encode_ordinary_batch(texts, num_threads=2)


def rhodes_encode(rhodes, tokenizer, texts, special):
    """Texts with NUL go by line, all others end in NUL; those with both NUL and line feed one by one."""
    groups = {"--null": [], "--lines": [], "": []}
    for number, text in enumerate(texts):
        groups["--null" if "\0" not in text else "--lines" if "\n" not in text else ""].append(number)
    results = [None] * len(texts)
    allow = ["--allow-special"] if special else []
    for flag, numbers in groups.items():
        if flag:
            end = "\0" if flag == "--null" else "\n"
            data = [("".join(texts[number] + end for number in numbers)).encode()]
        else:
            numbers = numbers[:5]
            data = [texts[number].encode() for number in numbers]
        for one in data if numbers else []:
            run = subprocess.run([rhodes, "encode", "--tokenizer", tokenizer] + ([flag] if flag else []) + allow,
                                 input=one, stdout=subprocess.PIPE, check=True)
            lines = run.stdout.decode().split("\n")[:-1]
            for number, line in zip(numbers if flag else [numbers[data.index(one)]], lines, strict=True):
                results[number] = line
    return results


class Run:
    def __init__(self, rhodes):
        self.rhodes = rhodes
        self.failed = 0
        self.compared = 0

    def compare(self, what, path, reference, texts, special):
        ours = rhodes_encode(self.rhodes, path, texts, special)
        differing = 0
        for text, mine, theirs in zip(texts, ours, reference.encode(texts, special)):
            if mine is None:
                continue
            self.compared += 1
            if mine == " ".join(map(str, theirs)):
                continue
            differing += 1
            if differing <= 3:
                print(f"  {what}: {text[:200]!r}\n    rhodes {mine[:300]}\n    theirs {' '.join(map(str, theirs))[:300]}")
        self.failed += differing
        return differing

    def check(self, name, path, reference, texts, special, size=250_000):
        begun = time.time()
        count = differing = 0
        batch = []
        for text in texts:
            batch.append(text)
            if len(batch) == size:
                differing += self.compare(name, path, reference, batch, special)
                count += len(batch)
                batch = []
        differing += self.compare(name, path, reference, batch, special) if batch else 0
        count += len(batch)
        print(f"{'DIFFERENT' if differing else 'same':<10} {name}{' (special)' if special else ''}: {count} strings, "
              f"{differing} differ, {time.time() - begun:.0f} s", flush=True)

    def round_trip(self, name, path):
        rng = random.Random(17)
        data = bytes(rng.choice([rng.randrange(256), rng.randrange(128), 0xe2, 0x96, 0x81, 0x20]) for _ in range(300_000))
        if "\u2581" in json.dumps(name) or path.endswith(".pieces.json"):  # the mark itself becomes a space
            data = data.replace(b"\xe2\x96\x81", b"")
        encoded = subprocess.run([self.rhodes, "encode", "--tokenizer", path], input=data, stdout=subprocess.PIPE,
                                 check=True).stdout
        decoded = subprocess.run([self.rhodes, "decode", "--tokenizer", path], input=encoded, stdout=subprocess.PIPE,
                                 check=True).stdout
        self.failed += decoded != data
        print(f"{'same' if decoded == data else 'DIFFERENT':<10} {name}: arbitrary bytes come back", flush=True)


def is_sentence_piece(content):
    return bool(content["model"].get("byte_fallback"))


def with_added(content):
    changed = copy.deepcopy(content)
    next_id = 1 + max(max(changed["model"]["vocab"].values()), *(one["id"] for one in changed["added_tokens"]))
    for text, flags in EXTRA_TOKENS:
        fields = {field: field in flags.split() for field in ("single_word", "lstrip", "rstrip", "normalized", "special")}
        known = next((one["id"] for one in changed["added_tokens"] if one["content"] == text), None)
        known = changed["model"]["vocab"].get(text, known)
        changed["added_tokens"] = [one for one in changed["added_tokens"] if one["content"] != text]
        changed["added_tokens"].append({"id": next_id if known is None else known, "content": text, **fields})
        next_id += known is None
    changed["added_tokens"].sort(key=lambda one: one["id"])
    return changed


def metaspace_variants(content):
    for scheme in ("always", "first", "never"):
        for split in (True, False):
            changed = copy.deepcopy(content)
            step = {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": scheme, "split": split}
            changed.update(normalizer=None, pre_tokenizer=step, decoder=step)
            yield f"Metaspace {scheme}, split {split}", changed
    changed = copy.deepcopy(content)
    step = {"type": "Metaspace", "replacement": "\u2581", "add_prefix_space": True}
    changed.update(normalizer=None, pre_tokenizer=step, decoder=step)
    yield "Metaspace, old form", changed


def variants(path):
    """Names, reference encoders and contents (None: the file as it is)."""
    name = os.path.basename(path)
    if not path.endswith(".json"):
        return [(name, Tiktoken(path), None, [])]
    content = json.load(open(path, encoding="utf-8"))
    special = [one["content"] for one in content["added_tokens"]][:12]
    extra = special + [text for text, _ in EXTRA_TOKENS]
    changed = with_added(content)
    found = [(name, HuggingFace(content), None, special), (f"{name} + added", HuggingFace(changed), changed, extra)]
    if is_sentence_piece(content):
        for what, other in metaspace_variants(content):
            found.append((f"{name}, {what}", HuggingFace(other), other, special))
        other = with_added(other)
        found.append((f"{name}, {what} + added", HuggingFace(other), other, extra))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rhodes", default="build/release/rhodes")
    parser.add_argument("--text", nargs="*", default=[])
    parser.add_argument("--strings", type=int, default=1_000_000, help="random strings for each tokenizer")
    parser.add_argument("--thin", type=int, default=61, help="of the unassigned planes, every so manieth code point")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only-main", action="store_true", help="no variants")
    parser.add_argument("tokenizers", nargs="+")
    options = parser.parse_args()
    run = Run(options.rhodes)
    files = {path: open(path, "rb").read().decode("utf-8", "replace").replace("\0", " ") for path in options.text}
    for path in options.tokenizers:
        for number, (name, reference, content, extra) in enumerate(variants(path)):
            if number and options.only_main:
                break
            with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
                if content is not None:
                    json.dump(content, file)
                    file.flush()
                used = path if content is None else file.name
                whole = list(files.values())
                run.check(f"{name}: files", used, reference, whole, False)
                lines = (line + "\n" for text in whole for line in text.split("\n"))
                run.check(f"{name}: lines", used, reference, lines, False)
                strings = options.strings if number == 0 else options.strings // 5
                for special in (False, True):
                    seed = options.seed + special
                    run.check(f"{name}: random", used, reference, random_strings(strings // 2, seed, extra), special)
                if number == 0:
                    run.check(f"{name}: Unicode", used, reference, unicode_strings(options.thin), False)
                if content is None and not (path.endswith(".json") and json.load(open(path))["normalizer"]):
                    run.round_trip(name, used)
    print(f"{run.compared} strings compared, {run.failed} differ")
    return 1 if run.failed else 0


if __name__ == "__main__":
    sys.exit(main())
