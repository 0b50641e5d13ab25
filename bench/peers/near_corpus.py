"""Makes a corpus for near-duplicate finding out of real text: JSON Lines of id and text, the same bytes every time.

usage: near_corpus.py OUT.jsonl DOCUMENTS SENTENCES FILE...

FILE: text of any kind (plain, JSON, CSV, XML: markup is taken off roughly). A document is SENTENCES
("4-12") sentences drawn from all files; each fifth is an edited copy of an earlier document: words replaced at a rate between 0 and 8 percent.
"""
import html
import json
import random
import re
import sys


def sentences(path):
    text = open(path, encoding="utf-8", errors="replace").read()
    if path.endswith(".json"):
        text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda m: chr(int(m.group(1), 16)), text)
    text = html.unescape(re.sub(r"<[^>]{0,200}>", " ", text))
    text = text.encode("utf-8", "replace").decode("utf-8")
    for sentence in re.split(r"(?<=[.!?\u061f])\s+|\n+", text):
        sentence = sentence.strip()
        if 5 <= len(sentence.split()) <= 60:
            yield sentence


def main():
    out, count = sys.argv[1], int(sys.argv[2])
    fewest, most = map(int, sys.argv[3].split("-"))
    pool = sorted({s for path in sys.argv[4:] for s in sentences(path)})
    rng = random.Random(1)
    words = [w for s in pool[:: max(1, len(pool) // 5000)] for w in s.split()]
    recent = []
    with open(out, "w", encoding="utf-8") as file:
        for i in range(count):
            if i % 5 == 4:
                rate = rng.random() * 0.08
                text = " ".join(rng.choice(words) if rng.random() < rate else w for w in rng.choice(recent).split(" "))
            else:
                text = " ".join(rng.choice(pool) for _ in range(rng.randint(fewest, most)))
                if len(recent) < 20000:
                    recent.append(text)
                else:
                    recent[rng.randrange(20000)] = text
            file.write(json.dumps({"id": f"d{i}", "text": text}, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
