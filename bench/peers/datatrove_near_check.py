"""Checks SimplifyText() and the signatures of the compatibility mode against datatrove itself, on any texts.

usage: bench_near_quality FILE.jsonl signatures | datatrove_near_check.py FILE.jsonl

Exits with 1 at a difference. Words are those of datatrove's own English tokenizer on both sides.
"""
import json
import sys
import tempfile
import unicodedata

import numpy as np
import xxhash
from datatrove.pipeline.dedup.minhash import MinhashDedupSignature
from datatrove.utils.text import simplify_text


def main():
    step = MinhashDedupSignature(tempfile.mkdtemp())
    count = forms = signatures = unassigned = 0
    for line, ours in zip(open(sys.argv[1], encoding="utf-8"), sys.stdin):
        text = json.loads(line)["text"]
        if any(unicodedata.category(c) == "Cn" for c in text):
            unassigned += 1
            continue
        row = json.loads(ours)
        simplified = simplify_text(text)
        words = step.word_tokenizer.word_tokenize(simplified)
        count += 1
        forms += simplified != row["simplified"]
        grams = [" ".join(words[i : i + 5]) for i in range(len(words) - 4)]
        if grams:
            hashes = np.array([xxhash.xxh64_intdigest(gram.encode()) for gram in grams], dtype=np.uint64).reshape(-1, 1)
            signatures += [v for bucket in step.get_signature(hashes) for v in bucket] != row.get("signature")
    print(
        f"{count} texts: {forms} forms differ, {signatures} signatures differ; {unassigned} texts with code points that "
        f"this Python's Unicode {unicodedata.unidata_version} does not know were passed over"
    )
    return 1 if forms or signatures else 0


if __name__ == "__main__":
    sys.exit(main())
