#!/usr/bin/env python3
"""Main text of labelled article pages: rhodes beside trafilatura.

html_text.py RHODES PAGES TRUTH [--peer]   PAGES: a folder of STEM.html.gz; TRUTH: {STEM: {"articleBody": ...}}

Prints word-level F1 (bags of words, mean over pages), the F1 over 4-word shingles summed over all pages, and seconds a
page on one core. With --peer trafilatura (PyPI) does the same pages in the same run.
"""
import collections, gzip, json, pathlib, re, subprocess, sys, tempfile, time

WORD = re.compile(r"\w+", re.UNICODE)


def words(text):
    return WORD.findall(text or "")


def bag_f1(found, truth):
    a, b = collections.Counter(words(found)), collections.Counter(words(truth))
    common = sum((a & b).values())
    if not common:
        return 1.0 if not a and not b else 0.0
    precision, recall = common / sum(a.values()), common / sum(b.values())
    return 2 * precision * recall / (precision + recall)


def shingles(text, n=4):
    tokens = words(text)
    return collections.Counter(tuple(tokens[i:i + n]) for i in range(max(1, len(tokens) - n + 1)))


def report(name, texts, truth, seconds):
    f1 = [bag_f1(texts.get(stem, ""), entry["articleBody"]) for stem, entry in truth.items()]
    tp = fp = fn = 0.0
    for stem, entry in truth.items():
        a, b = shingles(texts.get(stem, "")), shingles(entry["articleBody"])
        common = sum((a & b).values())
        total = common + sum((a - b).values()) + sum((b - a).values())
        tp, fp, fn = tp + common / total, fp + sum((a - b).values()) / total, fn + sum((b - a).values()) / total
    shingle = 2 * tp / (2 * tp + fp + fn)
    print(f"{name:12} word F1 {sum(f1) / len(f1):.4f}   4-shingle F1 {shingle:.4f}   {1000 * seconds / len(truth):.2f} ms/page")
    return dict(zip(truth, f1))


def main():
    rhodes, pages, truth_file = sys.argv[1:4]
    truth = json.load(open(truth_file))
    with tempfile.TemporaryDirectory() as scratch:
        plain = pathlib.Path(scratch, "pages")
        plain.mkdir()
        html = {}
        for stem in truth:
            raw = gzip.open(f"{pages}/{stem}.html.gz").read()
            (plain / f"{stem}.html").write_bytes(raw)
            html[stem] = raw
        repeats = 5
        timing = json.loads(subprocess.run([rhodes, "ingest", str(plain), "--format", "html", "--name", "p", "--out",
                                            f"{scratch}/out", "--threads", "1", "--json", "--quiet"],
                                           check=True, capture_output=True).stdout)
        rows = subprocess.run([rhodes, "sql", f"{scratch}/out", "SELECT file, text FROM p", "--format", "json"],
                              check=True, capture_output=True, text=True).stdout
        ours = {pathlib.Path(r["file"]).stem: r["text"] for r in map(json.loads, rows.splitlines())}
    scores = report("rhodes", ours, truth, timing["seconds"])
    if "--worst" in sys.argv:
        for stem, score in sorted(scores.items(), key=lambda item: item[1])[:14]:
            print(f"  {score:.3f} {stem[:12]} truth {len(words(truth[stem]['articleBody']))} ours {len(words(ours.get(stem, '')))}  {truth[stem].get('url', '')[:90]}")
    if "--peer" in sys.argv:
        import trafilatura
        begun = time.perf_counter()
        theirs = {stem: trafilatura.extract(raw, include_comments=False) or "" for stem, raw in html.items()}
        report("trafilatura", theirs, truth, time.perf_counter() - begun)


main()
