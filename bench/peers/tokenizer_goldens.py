#!/usr/bin/env python3
"""Writes the goldens of src/token/tokenizer_identity_test.cc: what Hugging Face tokenizers and tiktoken encode.

    python3 -m venv venv && venv/bin/pip install tokenizers==0.23.3 tiktoken==0.14.0 gigatoken numpy
    venv/bin/python bench/peers/tokenizer_goldens.py src/token/testdata

Reads the vocabularies that tokenizer_interop.py --goldens made, and writes beside them a rank file, a SentencePiece-style
tokenizer.json, and identity.json: texts, and for each kind of tokenizer the file, the JSON merge patch (RFC 7396) to
apply to it or the pattern of the rank file, and the ids: with special tokens as text, where they differ also as tokens,
which texts tiktoken refuses because a special token stands in them, and what decoding gives where it is not the text.
"""
import base64
import copy
import json
import os
import sys

import tiktoken
from tokenizers import Tokenizer, decoders, models, normalizers, trainers

from tokenizer_identity import EXTRA_TOKENS, random_strings
from tokenizer_interop import END_OF_TEXT, PATTERNS
from tokenizer_vocabularies import byte_letters

CL100K = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+\z"
          r"|\s*[\r\n]+|\s+(?!\S)|\s+")
BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
TEXTS = ["", " ", "  ", "a", "\n", " \n\n a", "a" * 70, "ab" * 40, "the  and\u3000of \u00e0 la 12345 it's IT'S  ",
         "e\u0301\u0323 \u1e0b\u0323 \uac01 \u1100\u1161\u11a8 \u0344\u2126", f"one{END_OF_TEXT} two{END_OF_TEXT}{END_OF_TEXT}",
         "<|endoftext", "<|<|endoftext|>", "<s>x</s> </s>y", "\u2581a \u2581\u2581b", "whole unwhole whole.",
         "<left> <left>\t<right> \n<both> a <plain><plain><plain> x", "\u00e9t\u00e9 e\u0301te\u0301 \u00e9t\u00e9s",
         "<special><spec ial>x a b normal abnormal", "\u0645\u0631\u062d\u0628\u0627 \u0628\u0643\u064f\u0645\u064e",
         "\u4e2d\u6587\u5b57\u7b26 \U0001f469\u200d\U0001f469\u200d\U0001f467\u00a0\U0001f642", "x\r\n\r\ny\t\tz //\n/",
         "CamelCaseWORDs ofGPTs \u01c5\u02b0\u00aa", "don't DON'T 'twas \u2019s '\u017f"]


def patched(content, patch):
    """RFC 7396."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(content) if isinstance(content, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = patched(result.get(key), value)
    return result


def split(regex, behavior="Isolated", invert=False):
    step = {"type": "Split", "pattern": {"Regex": regex}, "behavior": behavior, "invert": invert}
    return {"pre_tokenizer": {"type": "Sequence", "pretokenizers": [step, BYTE_LEVEL], "add_prefix_space": None,
                              "trim_offsets": None, "use_regex": None}}


def added(content):
    size = max([*content["model"]["vocab"].values(), *(one["id"] for one in content["added_tokens"])]) + 1
    tokens = list(content["added_tokens"])
    for text, flags in EXTRA_TOKENS:
        fields = {field: field in flags.split() for field in ("single_word", "lstrip", "rstrip", "normalized", "special")}
        known = content["model"]["vocab"].get(text)
        tokens.append({"id": size if known is None else known, "content": text, **fields})
        size += known is None
    return {"added_tokens": sorted(tokens, key=lambda one: one["id"])}


def metaspace(scheme, cut):
    step = {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": scheme, "split": cut}
    return {"normalizer": None, "pre_tokenizer": step}


def sentence_piece(text):
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    tokenizer.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(),
                                           decoders.Strip(" ", 1, 0)])
    special = ["<unk>", "<s>", "</s>"]
    tokenizer.train_from_iterator(text.split("\n"), trainers.BpeTrainer(
        vocab_size=560, min_frequency=2, show_progress=False, limit_alphabet=90, max_token_length=8,
        special_tokens=special + [f"<0x{byte:02X}>" for byte in range(256)]))
    content = json.loads(tokenizer.to_str())
    content["added_tokens"] = [one for one in content["added_tokens"] if one["content"] in special]
    return content


def hugging_face(name, file, content, patch, texts):
    changed = patched(content, patch)
    changed.setdefault("normalizer", None)
    tokenizer = Tokenizer.from_str(json.dumps(changed))
    kind = {"name": name, "file": file, "patch": patch}
    found = {}
    for key, as_text in (("ids", True), ("special", False)):
        tokenizer.encode_special_tokens = as_text
        found[key] = [one.ids for one in tokenizer.encode_batch(texts, add_special_tokens=False)]
    kind["ids"] = found["ids"]
    kind["special"] = {str(n): ids for n, ids in enumerate(found["special"]) if ids != found["ids"][n]}
    decoded = tokenizer.decode_batch(found["ids"], skip_special_tokens=False)
    if "added" not in name:  # there white space is taken away, and letters of added tokens are taken for bytes
        kind["decoded"] = {str(n): text for n, text in enumerate(decoded) if text != texts[n]}
    return kind


def rank_file(name, file, regex, ranks, texts):
    encoding = tiktoken.Encoding(name, pat_str=regex, mergeable_ranks=ranks, special_tokens={END_OF_TEXT: len(ranks)})
    kind = {"name": f"ranks_{name}", "file": file, "pattern": name}
    kind["ids"] = [encoding.encode_ordinary(text) for text in texts]
    allowed = [encoding.encode(text, allowed_special="all") for text in texts]
    kind["special"] = {str(n): ids for n, ids in enumerate(allowed) if ids != kind["ids"][n]}
    kind["decoded"] = {}
    kind["refused"] = []
    for number, text in enumerate(texts):
        try:
            encoding.encode(text)
        except ValueError:
            kind["refused"].append(number)
    assert all(encoding.decode(ids) == text for ids, text in zip(kind["ids"], texts))
    return kind


def main():
    folder = sys.argv[1]

    def read(name):
        with open(os.path.join(folder, name), encoding="utf-8", newline="") as file:
            return file.read()

    base = {name: json.loads(read(f"{name}.json")) for name in PATTERNS}
    base["sentence_piece"] = sentence_piece(read("train.txt"))
    with open(os.path.join(folder, "sentence_piece.json"), "w", encoding="utf-8") as out:
        json.dump(base["sentence_piece"], out, separators=(",", ":"))
        out.write("\n")
    bytes_of = {letter: byte for byte, letter in byte_letters().items()}
    ranks = {bytes(bytes_of[letter] for letter in token): rank
             for token, rank in base["gpt2"]["model"]["vocab"].items() if token != END_OF_TEXT}
    with open(os.path.join(folder, "ranks.tiktoken"), "wb") as out:
        for token, rank in sorted(ranks.items(), key=lambda one: one[1]):
            out.write(base64.b64encode(token) + b" %d\n" % rank)

    texts = TEXTS + [text for text in random_strings(64, 11, [END_OF_TEXT, "</s>"], ["the", " of"]) if len(text) < 60][:22]
    kinds = []
    for name, source, patch in [
            ("gpt2", "gpt2", {}), ("llama3", "llama3", {}), ("qwen2", "qwen2", {}), ("o200k", "o200k", {}),
            ("cl100k_base", "llama3", split(CL100K)), ("qwen2_nfc", "qwen2", {"normalizer": {"type": "NFC"}}),
            ("o200k_removed_inverted", "o200k", split(PATTERNS["o200k"], "Removed", True)),
            ("gpt2_added", "gpt2", added(base["gpt2"])),
            ("qwen2_nfc_added", "qwen2", {"normalizer": {"type": "NFC"}} | added(base["qwen2"])),
            ("llama2", "sentence_piece", {}), ("llama2_added", "sentence_piece", added(base["sentence_piece"])),
            ("gemma", "sentence_piece",
             {"normalizer": {"type": "Replace", "normalizers": None, "pattern": {"String": " "}, "content": "\u2581"},
              "pre_tokenizer": {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious",
                                "invert": False},
              "decoder": {"type": "Sequence", "decoders": [
                  {"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "}, {"type": "ByteFallback"},
                  {"type": "Fuse"}]}}),
            ("metaspace_always", "sentence_piece", metaspace("always", True)),
            ("metaspace_first_whole", "sentence_piece", metaspace("first", False)),
            ("metaspace_first_added", "sentence_piece", metaspace("first", True) | added(base["sentence_piece"])),
            ("metaspace_never", "sentence_piece", metaspace("never", True))]:
        kinds.append(hugging_face(name, f"{source}.json", base[source], patch, texts))
    for name, regex in {**PATTERNS, "cl100k_base": CL100K}.items():
        kinds.append(rank_file(name, "ranks.tiktoken", regex.replace(r"\z", "$"), ranks, texts))
    with open(os.path.join(folder, "identity.json"), "w", encoding="utf-8") as out:
        out.write('{"texts":' + json.dumps(texts, separators=(",", ":")) + ',\n"kinds":[\n')
        out.write(",\n".join(json.dumps(kind, separators=(",", ":")) for kind in kinds))
        out.write("\n]}\n")


if __name__ == "__main__":
    main()
