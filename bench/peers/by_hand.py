#!/usr/bin/env python3
"""The demo's job up to tokens, done by hand with the tools people use today: Python readers, a join in pandas, a quality
and a duplicate filter in Python, Hugging Face tokenizers. Training follows in pytorch_train.py.

Usage: by_hand.py DATA_DIRECTORY OUT_DIRECTORY --vocabulary N
Prints one JSON object: seconds per stage, documents, text bytes, tokens. Needs: pandas lxml tokenizers numpy pycld2.
It reads the same files as examples/debian/rhodes.toml and makes the same kinds of documents; every step is the plain,
idiomatic way (compiled parsers where there are any), in all the processes the machine has cores for.
"""

import argparse
import glob
import gzip
import hashlib
import json
import multiprocessing
import os
import re
import time
import unicodedata

import numpy
import pandas
from lxml import html as lxml_html
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

FIELD = re.compile(r"^([A-Za-z0-9-]+):[ \t]?(.*(?:\n[ \t].*)*)", re.M)
ENTRY = re.compile(r"^(\S+) \(([^)]+)\) ([^;]+); .*\n((?:.*\n)*?) -- (.*?)  (.*)\n?", re.M)
PATTERN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
           r"|\s+(?!\S)|\s+")


def read_text(path):
    data = open(path, "rb").read()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def unfold(value):
    lines = value.split("\n")
    body = "\n".join("" if line.strip() == "." else line[1:] for line in lines[1:])
    return lines[0] + ("\n" + body if body else "")


def paragraphs(path):
    for paragraph in read_text(path).split("\n\n"):
        if paragraph.strip():
            yield dict(FIELD.findall(paragraph))


def read_descriptions(path):
    language = path.rsplit("-", 1)[1]
    key = f"Description-{language}"
    return [(p["Package"], language, p.get("Description-md5", ""), unfold(p[key])) for p in paragraphs(path) if key in p]


def read_changelog(path):
    return [(m[0], m[1], m[4], m[5], m[3].strip("\n")) for m in ENTRY.findall(read_text(path))]


MACRO = re.compile(r"^[.'](\S+)[ \t]*(.*)$")
ESCAPE = re.compile(r"\\(?:f\[[^\]]*\]|f.|&|\||\^|%|/|,|c)")


def read_man(path):
    lines = []
    for line in read_text(path).split("\n"):
        if line.startswith(('.\\"', "'\\\"")):
            continue
        match = MACRO.match(line)
        if match:
            if match[1] in ("TH", "de", "so", "ie", "el", "if", "ds", "nr", ".", "nh", "ad"):
                continue
            line = match[2].replace('"', "")
            if not line:
                continue
        line = ESCAPE.sub("", line).replace("\\-", "-").replace("\\(em", "—").replace("\\e", "\\").replace("\\(aq", "'")
        lines.append(line)
    return "\n".join(lines)


def read_html(path):
    tree = lxml_html.fromstring(open(path, "rb").read())
    for node in tree.xpath("//script|//style|//nav"):
        node.drop_tree()
    blocks = tree.xpath("//p|//li|//h1|//h2|//h3|//h4|//pre|//dt|//dd|//td")
    return "\n".join(" ".join(b.text_content().split()) for b in blocks)


def clean(text):
    text = unicodedata.normalize("NFC", text)
    text = re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", "", text)
    text = re.sub(r"[ \t]+\n", "\n", text)
    text = re.sub(r"\n{3,}", "\n\n", text).strip()
    import pycld2
    try:
        _, _, details = pycld2.detect(text.encode(), bestEffort=False)
        language = details[0][1]
    except pycld2.error:
        language = "un"
    words = text.split()
    lines = text.split("\n")
    keep = (len(words) >= 5 and 2 <= sum(map(len, words)) / len(words) <= 15
            and sum(any(c.isalpha() for c in w) for w in words) >= 0.5 * len(words)
            and len(set(lines)) >= 0.3 * len(lines))
    return (text, language, hashlib.md5(text.encode()).digest()) if keep else None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    parser.add_argument("out")
    parser.add_argument("--vocabulary", type=int, default=8192)
    options = parser.parse_args()
    os.makedirs(options.out, exist_ok=True)
    seconds = {}
    pool = multiprocessing.Pool(os.cpu_count())
    begin = time.time()

    index = pandas.DataFrame(paragraphs(f"{options.data}/index/Packages"))
    translations = [row for rows in pool.map(read_descriptions, sorted(glob.glob(f"{options.data}/descriptions/*"))) for row in rows]
    descriptions = pandas.DataFrame(translations, columns=["Package", "language", "md5", "text"])
    changelogs = pool.map(read_changelog, sorted(glob.glob(f"{options.data}/packages/*/usr/share/doc/*/changelog*.gz")), 8)
    changes = pandas.DataFrame([entry for log in changelogs for entry in log], columns=["Package", "version", "author", "date", "text"])
    man_paths = sorted(glob.glob(f"{options.data}/packages/*/usr/share/man/man*/*"))
    page_paths = sorted(glob.glob(f"{options.data}/manuals/*/usr/share/man/**/*.*", recursive=True))
    html_paths = sorted(glob.glob(f"{options.data}/manuals/**/*.html", recursive=True))
    text_paths = sorted(glob.glob(f"{options.data}/manuals/**/*.txt.gz", recursive=True))
    man = pandas.DataFrame({"Package": [p.split("/packages/")[1].split("/")[0] for p in man_paths], "text": pool.map(read_man, man_paths, 16)})
    rest = pool.map(read_man, page_paths, 16) + pool.map(read_html, html_paths, 16) + pool.map(read_text, text_paths)
    seconds["ingest"] = time.time() - begin

    begin = time.time()
    english = descriptions[descriptions.language == "en"].drop_duplicates(["Package", "md5"])
    joined = index.drop_duplicates("Package").merge(english[["Package", "md5", "text"]], left_on=["Package", "Description-md5"],
                                                    right_on=["Package", "md5"], how="left")
    history = changes.groupby("Package").head(8).groupby("Package").agg(
        {"text": "\n".join, "version": list, "author": list, "date": list}).rename(columns={"text": "changes"})
    joined = joined.merge(history["changes"], left_on="Package", right_index=True, how="left")
    joined = joined.merge(man.groupby("Package").text.agg("\n".join).rename("manual"), left_on="Package", right_index=True, how="left")
    documents = []
    for row in joined.itertuples():
        text = f"Question: What is the package {row.Package}?\nAnswer: {row.text if isinstance(row.text, str) else row.Description}"
        text += f"\nThe version is {row.Version}, the section {row.Section}; {row.Maintainer} maintains it."
        if isinstance(row.changes, str):
            text += "\n\nChanges:\n" + row.changes
        if isinstance(row.manual, str):
            text += "\n\n" + row.manual
        documents.append(text)
    documents += list(descriptions[descriptions.language != "en"].text) + list(changes.text) + rest
    seconds["fuse"] = time.time() - begin

    begin = time.time()
    seen, kept = set(), []
    for result in pool.imap(clean, documents, 256):
        if result and result[2] not in seen:
            seen.add(result[2])
            kept.append(result[0])
    seconds["curate"] = time.time() - begin

    begin = time.time()
    tokenizer = Tokenizer(models.BPE())
    from tokenizers import Regex
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(PATTERN), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=options.vocabulary, special_tokens=["<|endoftext|>"], show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(kept, trainer)
    tokenizer.save(f"{options.out}/tokenizer.json")
    seconds["tokenizer"] = time.time() - begin

    begin = time.time()
    end = tokenizer.token_to_id("<|endoftext|>")
    tokens = 0
    with open(f"{options.out}/train.bin", "wb") as out:
        for start in range(0, len(kept), 4096):
            for encoding in tokenizer.encode_batch(kept[start:start + 4096]):
                ids = numpy.array(encoding.ids + [end], dtype=numpy.uint16)
                tokens += len(ids)
                out.write(ids.tobytes())
    seconds["encode"] = time.time() - begin
    print(json.dumps({"seconds": seconds, "total": sum(seconds.values()), "documents": len(kept),
                      "text_bytes": sum(len(t.encode()) for t in kept), "tokens": tokens}))


if __name__ == "__main__":
    main()
