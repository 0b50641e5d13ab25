"""Near duplicates of a JSON Lines file by rensa's R-MinHash and LSH, timed. Peer of bench/near_duplicates.cc.

usage: rensa_dedup.py FILE.jsonl [DOCUMENTS [WORDS_A_SHINGLE]]

126 permutations in 21 bands as ours, of word 5-grams that Python joins (1: of single words, rensa's own example, which
is less work and another similarity). A document is dropped when an earlier kept one that shares a band has an estimated
similarity of at least 0.72, as in rensa's documentation.
"""
import json
import sys
import time

import rensa


def main():
    path = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    size = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    begun = time.time()
    documents = []
    text_bytes = 0
    with open(path, encoding="utf-8") as file:
        for line in file:
            documents.append(json.loads(line)["text"])
            if len(documents) == count:
                break
    at_read = time.time()
    lsh = rensa.RMinHashLSH(threshold=0.72, num_perm=126, num_bands=21)
    sketches = {}
    dropped = 0
    for number, text in enumerate(documents):
        words = text.lower().split()
        grams = words if size == 1 else [" ".join(words[i : i + size]) for i in range(len(words) - size + 1)]
        sketch = rensa.RMinHash(num_perm=126, seed=1)
        sketch.update(grams)
        if any(sketch.jaccard(sketches[other]) >= 0.72 for other in lsh.query(sketch) if other in sketches):
            dropped += 1
            continue
        lsh.insert(number, sketch)
        sketches[number] = sketch
    seconds = time.time() - begun
    text_bytes = sum(len(text.encode()) for text in documents)
    print(
        f"rensa: {len(documents)} documents, {text_bytes / 1e6:.1f} MB of text, shingles of {size}, 1 thread: "
        f"{seconds:.2f} s (of it reading {at_read - begun:.2f}): {len(documents) / seconds:.0f} documents/s, "
        f"{text_bytes / 1e6 / seconds:.1f} MB/s; dropped {dropped}"
    )


if __name__ == "__main__":
    main()
