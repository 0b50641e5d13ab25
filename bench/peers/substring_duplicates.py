#!/usr/bin/env python3
"""Compares bench/substring_duplicates.cc with google-research/deduplicate-text-datasets (the tool of Lee et al. 2021).

    substring_duplicates.py INPUT.jsonl --ours PATH/bench_substring_duplicates --peer PATH/dedup_dataset
    substring_duplicates.py --golden src/curate/testdata/substring --peer PATH/dedup_dataset

INPUT.jsonl has one document a line with the member "text". Needs NumPy. Both get the same bytes: the texts in ASCII
(other characters as "?"), as ours counts characters and the peer bytes. Both run on one thread.

The answer is checked before the time is: from the peer's suffix array, windows of LENGTH bytes that are equal are
grouped, the first of each group is kept with all others of its document, and the others are joined to cuts, which must
be ours, byte for byte. And every cut must lie in the ranges that the peer itself reports (it reports all copies, those
that are kept too).

--golden writes a small made-up corpus and the cuts found from the peer's suffix array, for the unit tests.
"""

import argparse
import json
import os
import random
import struct
import subprocess
import sys
import tempfile
import time

import numpy as np


def read_texts(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line)["text"].encode("ascii", "replace") for line in lines]


def made_up_texts():
    """Documents put together from passages of 30 to 300 letters, some of them twice or cut short."""
    draw = random.Random(20211107)
    words = ["".join(draw.choice("abcdefgh") for _ in range(draw.randint(2, 8))) for _ in range(300)]
    passages = [" ".join(draw.choice(words) for _ in range(draw.randint(6, 60))) for _ in range(25)]
    texts = []
    for _ in range(70):
        pieces = []
        for _ in range(draw.randint(1, 5)):
            piece = draw.choice(passages) if draw.random() < 0.6 else " ".join(draw.choice(words) for _ in range(20))
            begin = draw.randint(0, len(piece) // 3)
            pieces.append(piece[begin : len(piece) - draw.randint(0, len(piece) // 3)])
        texts.append(". ".join(pieces).encode())
    return texts + [b"ab" * 150, b"x" * 400, b"y" + b"ab" * 90, b"x" * 250, b""]


def run_peer(binary, texts, length, directory):
    """The suffix array, the ranges reported, and the seconds taken."""
    data = directory + "/data"
    begins = []
    with open(data, "wb") as out:
        for number, text in enumerate(texts):
            out.write(b"\xff\xff" + struct.pack("<I", number))
            begins.append(out.tell())
            out.write(text)
    cache = directory + "/cache"
    os.mkdir(cache)
    os.mkdir(directory + "/tmp")
    begun = time.monotonic()
    common = ["--data-file", data, "--length-threshold", str(length), "--cache-dir", cache]
    for arguments in (
        ["make", "--data-file", data],
        ["self-similar", *common, "--num-threads", "1"],
    ):
        subprocess.run([binary, *arguments], check=True, cwd=directory, stdout=subprocess.DEVNULL)
    ranges = subprocess.run([binary, "collect", *common], check=True, cwd=directory, stdout=subprocess.PIPE, text=True)
    seconds = time.monotonic() - begun
    text = np.fromfile(data, dtype=np.uint8)
    table = np.fromfile(data + ".table.bin", dtype=np.uint8)
    width = len(table) // len(text)
    suffixes = np.zeros((len(text), 8), dtype=np.uint8)
    suffixes[:, :width] = table.reshape(len(text), width)
    lines = ranges.stdout.split("out\n", 1)[-1].split("\n")
    pairs = [tuple(map(int, line.split())) for line in lines if len(line.split()) == 2]
    return text, suffixes.view("<i8").ravel(), np.array(begins, dtype=np.int64), pairs, seconds


def cuts_of(text, suffixes, begins, ends, length):
    """The cuts as src/curate/substring.h defines them: (document, begin, end, kept document, kept begin)."""
    document = np.searchsorted(begins, suffixes, side="right") - 1
    inside = (document >= 0) & (suffixes + length <= ends[np.maximum(document, 0)])
    inside &= suffixes >= begins[np.maximum(document, 0)]
    places = suffixes[inside]
    document = document[inside]
    same = np.ones(len(places) - 1, dtype=bool)
    for offset in range(length):
        same &= text[places[:-1] + offset] == text[places[1:] + offset]
    heads = np.concatenate(([0], np.flatnonzero(~same) + 1))
    first = np.minimum.reduceat(places, heads)
    sizes = np.diff(np.concatenate((heads, [len(places)])))
    first = np.repeat(first, sizes)
    repeated = document != np.searchsorted(begins, first, side="right") - 1
    order = np.argsort(places[repeated])
    cuts = []
    for place, number, kept in zip(
        places[repeated][order].tolist(), document[repeated][order].tolist(), first[repeated][order].tolist()
    ):
        if cuts and cuts[-1][0] == number and place <= cuts[-1][2]:
            cuts[-1][2] = place + length
        else:
            kept_number = int(np.searchsorted(begins, kept, side="right")) - 1
            cuts.append([number, place, place + length, kept_number, kept - int(begins[kept_number])])
    return [[n, b - int(begins[n]), e - int(begins[n]), kn, kb] for n, b, e, kn, kb in cuts]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input", nargs="?")
    parser.add_argument("--ours")
    parser.add_argument("--peer", required=True)
    parser.add_argument("--length", type=int, default=100)
    parser.add_argument("--golden")
    options = parser.parse_args()
    peer = os.path.abspath(options.peer)
    texts = made_up_texts() if options.golden else read_texts(options.input)
    with tempfile.TemporaryDirectory() as directory:
        text, suffixes, begins, ranges, seconds = run_peer(peer, texts, options.length, directory)
        ends = begins + np.array([len(t) for t in texts], dtype=np.int64)
        expected = cuts_of(text, suffixes, begins, ends, options.length)
        covered = np.zeros(len(text) + 1, dtype=bool)
        for begin, end in ranges:
            covered[begin:end] = True
        outside = sum(not covered[begins[n] + b : begins[n] + e].all() for n, b, e, _, _ in expected)
        if outside or not ranges:
            sys.exit(f"{outside} cuts are not in the ranges of the peer")
        if options.golden:
            with open(options.golden + "/texts.jsonl", "w", encoding="ascii") as out:
                out.writelines(json.dumps({"text": t.decode()}) + "\n" for t in texts)
            with open(options.golden + "/cuts.txt", "w", encoding="ascii") as out:
                out.writelines(" ".join(map(str, cut)) + "\n" for cut in expected)
            print(f"{len(texts)} documents, {len(expected)} cuts, {len(ranges)} ranges of the peer")
            return
        with open(directory + "/ascii.jsonl", "w", encoding="ascii") as out:
            out.writelines(json.dumps({"text": t.decode()}) + "\n" for t in texts)
        result = subprocess.run(
            [options.ours, directory + "/ascii.jsonl", "1", "2000", str(options.length), "characters", directory + "/cuts"],
            check=True, stdout=subprocess.PIPE, text=True,
        )
        print(result.stdout, end="")
        with open(directory + "/cuts", encoding="ascii") as lines:
            ours = [list(map(int, line.split())) for line in lines]
    if ours != expected:
        first = next(i for i, pair in enumerate(zip(ours + [None], expected + [None])) if pair[0] != pair[1])
        sys.exit(f"not the same cuts: ours {ours[first:first + 2]}, from the suffix array {expected[first:first + 2]}")
    size = sum(map(len, texts))
    ours_seconds = float(result.stdout.split("threads: ")[1].split(" s")[0])
    print(f"the same {len(ours)} cuts of {sum(c[2] - c[1] for c in ours)} bytes from the peer's suffix array")
    print(f"peer: {seconds:.2f} s, {size / 1e6 / seconds:.1f} MB/s; ours is {seconds / ours_seconds:.1f} times as fast")


if __name__ == "__main__":
    main()
