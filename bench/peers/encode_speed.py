#!/usr/bin/env python3
"""The rate of encoding beside tiktoken, Hugging Face tokenizers and gigatoken: the same ids first, then the time.

    python3 -m venv venv && venv/bin/pip install tokenizers tiktoken gigatoken numpy
    venv/bin/python bench/peers/encode_speed.py --rhodes build/release/rhodes --vocabularies FOLDER --text FILE...

FOLDER is what tokenizer_vocabularies.py makes: gpt2.json and r50k_base.tiktoken, o200k.json and o200k_base.tiktoken. Each
FILE of UTF-8 is encoded as one text, from the file to ids in memory, on one thread (and by Rhodes and gigatoken on all).
"cold": the encoder has seen no text; "warm": it has seen the file's first half and encodes the second; "seen": it has
seen this very text. tiktoken and Hugging Face tokenizers get the text in pieces of about --piece bytes that end in a
line, since they are slower with longer ones, and only the first --slow-bytes. Rounds of all go in turn; medians are
printed, as a table for docs/benchmarks.md and as JSON. Ends with 1 when any id differs.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import gigatoken
import numpy
import tiktoken
import tokenizers

ENCODINGS = [("GPT-2", "gpt2.json", "r50k_base.tiktoken", "r50k_base"),
             ("o200k", "o200k.json", "o200k_base.tiktoken", "o200k_base")]


def pieces_of(text, size):
    pieces, begin = [], 0
    while begin < len(text):
        end = text.find("\n", begin + size) + 1 or len(text)
        pieces.append(text[begin:end])
        begin = end
    return pieces


def timed(call):
    begin = time.perf_counter()
    result = call()
    return result, time.perf_counter() - begin


def load_tiktoken(path, name):
    ranks = {}
    import base64
    for line in open(path, "rb"):
        token, rank = line.split()
        ranks[base64.b64decode(token)] = int(rank)
    from tiktoken_ext import openai_public
    known = {"r50k_base": (openai_public.r50k_pat_str if hasattr(openai_public, "r50k_pat_str") else
                           r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"),
             "o200k_base": "|".join([
                 r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
                 r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
                 r"\p{N}{1,3}", r" ?[^\s\p{L}\p{N}]+[\r\n/]*", r"\s*[\r\n]+", r"\s+(?!\S)", r"\s+"])}[name]
    return tiktoken.Encoding(name, pat_str=known, mergeable_ranks=ranks, special_tokens={})


def rhodes_ids(options, vocabulary, path):
    with tempfile.NamedTemporaryFile() as out:
        subprocess.run([options.rhodes, "encode", "--tokenizer", vocabulary], stdin=open(path, "rb"), stdout=out,
                       check=True)
        return numpy.fromfile(out.name, dtype=numpy.int64, sep=" ")


def measure(options, label, json_name, ranks_name, encoding, path):
    ranks = os.path.join(options.vocabularies, ranks_name)
    text = open(path, encoding="utf-8").read()
    if "\0" in text:
        sys.exit(f"{path}: holds NUL characters, which part the texts that are given to Rhodes; remove them")
    size = os.path.getsize(path)
    slow = pieces_of(text[:options.slow_bytes], options.piece)
    slow_size = sum(len(piece.encode()) for piece in slow)
    half = path_of_half(path)

    # The ids first. Pieces end in a line, where every pattern here cuts only if the next line begins with no white
    # space; so the peers' ids are compared on what they are given, piece by piece through Rhodes too.
    with tempfile.TemporaryDirectory() as folder:
        joined = os.path.join(folder, "pieces")
        with open(joined, "wb") as file:
            file.write(b"\0".join(piece.encode() for piece in slow))
        lines = subprocess.run([options.rhodes, "encode", "--tokenizer", ranks, "--null"], stdin=open(joined, "rb"),
                               capture_output=True, check=True).stdout.split(b"\n")
    ours = [numpy.array(line.split(), dtype=numpy.int64) for line in lines[:len(slow)]]
    openai = load_tiktoken(ranks, encoding)
    same = {"tiktoken": all(numpy.array_equal(a, openai.encode_ordinary(b)) for a, b in zip(ours, slow))}
    hugging_face = tokenizers.Tokenizer.from_file(os.path.join(options.vocabularies, json_name))
    same["tokenizers"] = all(numpy.array_equal(a, hugging_face.encode(b, add_special_tokens=False).ids)
                             for a, b in zip(ours, slow))
    giga = gigatoken.Tokenizer.from_tiktoken(ranks)
    whole = numpy.asarray(giga.encode_files(gigatoken.TextFileSource([path]), parallel=False)[0])
    same["gigatoken"] = numpy.array_equal(whole, rhodes_ids(options, ranks, path))

    rates = {}

    def add(key, bytes_, seconds):
        rates.setdefault(key, []).append(bytes_ / seconds)

    for _ in range(options.rounds):
        for threads in (1, os.cpu_count()):
            run = subprocess.run([options.rhodes, "bench", "encode", "--tokenizer", ranks, path, "--rounds", "1",
                                  "--threads", str(threads), "--json"], capture_output=True, check=True)
            found = json.loads(run.stdout)["bytes_per_second"]["all_threads"]
            for state, rate in found.items():
                rates.setdefault(("rhodes", threads, state), []).append(rate)
            parallel = threads > 1
            giga = gigatoken.Tokenizer.from_tiktoken(ranks)
            add(("gigatoken", threads, "cold"), size,
                timed(lambda: giga.encode_files(gigatoken.TextFileSource([path]), parallel=parallel))[1])
            add(("gigatoken", threads, "seen"), size,
                timed(lambda: giga.encode_files(gigatoken.TextFileSource([path]), parallel=parallel))[1])
            giga = gigatoken.Tokenizer.from_tiktoken(ranks)
            giga.encode_files(gigatoken.TextFileSource([half[0]]), parallel=parallel)
            add(("gigatoken", threads, "warm"), os.path.getsize(half[1]),
                timed(lambda: giga.encode_files(gigatoken.TextFileSource([half[1]]), parallel=parallel))[1])
        openai = load_tiktoken(ranks, encoding)
        add(("tiktoken", 1, "cold"), slow_size, timed(lambda: [openai.encode_ordinary(piece) for piece in slow])[1])
        hugging_face = tokenizers.Tokenizer.from_file(os.path.join(options.vocabularies, json_name))
        add(("tokenizers", 1, "cold"), slow_size,
            timed(lambda: [hugging_face.encode(piece, add_special_tokens=False).ids for piece in slow])[1])
    for file in half:
        os.unlink(file)
    rates = {key: statistics.median(values) for key, values in rates.items()}
    return {"vocabulary": label, "text": os.path.basename(path), "bytes": size, "same_ids": same,
            "rates": [{"program": program, "threads": threads, "state": state, "bytes_per_second": rate}
                      for (program, threads, state), rate in rates.items()]}


def path_of_half(path):
    """Two files: the first half of `path`, up to a line, and the rest."""
    content = open(path, "rb").read()
    cut = content.find(b"\n", len(content) // 2) + 1
    names = []
    for part in (content[:cut], content[cut:]):
        with tempfile.NamedTemporaryFile(delete=False) as file:
            file.write(part)
            names.append(file.name)
    return names


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rhodes", required=True)
    parser.add_argument("--vocabularies", required=True)
    parser.add_argument("--text", nargs="+", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--piece", type=int, default=4096)
    parser.add_argument("--slow-bytes", type=int, default=8_000_000)
    options = parser.parse_args()
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    results = [measure(options, *encoding, path) for path in options.text for encoding in ENCODINGS]
    print("| vocabulary, text | threads | state | Rhodes, MB/s | gigatoken | tiktoken | tokenizers |")
    print("|---|---|---|---|---|---|---|")
    for result in results:
        rate = {(row["program"], row["threads"], row["state"]): row["bytes_per_second"] for row in result["rates"]}
        for threads in sorted({key[1] for key in rate if key[0] == "rhodes"}):
            for state in ("cold", "warm", "seen"):
                ours = rate[("rhodes", threads, state)]
                cells = []
                for peer in ("gigatoken", "tiktoken", "tokenizers"):
                    theirs = rate.get((peer, threads, state)) or (rate.get((peer, 1, "cold")) if threads == 1 else None)
                    cells.append(f"{theirs / 1e6:.1f} ({ours / theirs:.2f}x)" if theirs else "")
                print(f"| {result['vocabulary']}, {result['text']} | {threads} | {state} | {ours / 1e6:.1f} | "
                      + " | ".join(cells) + " |")
    print(json.dumps(results))
    bad = [(result["vocabulary"], result["text"], peer) for result in results
           for peer, same in result["same_ids"].items() if not same]
    for case in bad:
        print("differs:", *case, file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
