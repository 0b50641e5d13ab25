#!/usr/bin/env python3
"""Verdicts of datatrove's filters on a JSON Lines file, and how ours differ.

    datatrove_verdicts.py IN.jsonl --language eng_Latn --rules RULES [--stop-words FILE] [--write GOLDEN.jsonl]
    datatrove_verdicts.py IN.jsonl --language eng_Latn --rules RULES --compare OURS.jsonl

RULES is a list of gopher-repetition, gopher-quality, c4-quality, c4-paragraph, fineweb-quality, in the order in which
they are applied, or fineweb2 (with --fineweb2 CONFIG.yml, a file of FineWeb-2's configs/). OURS.jsonl is what
bench_curate_rules --verdicts writes. Needs the PyPI packages datatrove==0.10.0, spacy and pyyaml. Prints one JSON object.
"""
import argparse
import json
import sys
import time

from datatrove.data import Document
from datatrove.pipeline.filters import (C4ParagraphFilter, C4QualityFilter, FineWebQualityFilter, GopherQualityFilter,
                                        GopherRepetitionFilter)

RULES = {
    "gopher-repetition": lambda language, stop: GopherRepetitionFilter(language=language),
    "gopher-quality": lambda language, stop: GopherQualityFilter(language=language, stop_words=stop),
    "c4-quality": lambda language, stop: C4QualityFilter(language=language),
    "c4-paragraph": lambda language, stop: C4ParagraphFilter(),
    "fineweb-quality": lambda language, stop: FineWebQualityFilter(language=language),
}


def filters(arguments):
    """The filters by our names, in the order of the pipeline."""
    config = None
    if arguments.fineweb2:
        import yaml
        with open(arguments.fineweb2, encoding="utf-8") as file:
            config = yaml.safe_load(file)
    made = []
    for rule in arguments.rules.split(","):
        if rule == "fineweb2":
            language = arguments.language
            made += [
                (rule, GopherRepetitionFilter(language=language, dup_para_frac=0, dup_line_char_frac=0, dup_para_char_frac=0,
                                              dup_line_frac=config["dup_line_frac"], top_n_grams=config["top_n_grams"],
                                              dup_n_grams=config["dup_n_grams"])),
                (rule, FineWebQualityFilter(language=language, short_line_thr=999, char_duplicates_ratio=0.1,
                                            line_punct_thr=config["line_punct_thr"],
                                            new_line_ratio=config["new_line_ratio"])),
                (rule, GopherQualityFilter(language=language, max_avg_word_length=config["max_avg_word_length"],
                                           min_avg_word_length=config["min_avg_word_length"],
                                           stop_words=config["stopwords"],
                                           max_non_alpha_words_ratio=config["max_non_alpha_words_ratio"],
                                           min_stop_words=2)),
            ]
        else:
            stop = config["stopwords"] if config else None
            made.append((rule, RULES[rule](arguments.language, stop)))
    return made


def verdict(chain, row):
    document = Document(text=row["text"], id=str(row["id"]))
    for rule, one in chain:
        try:
            result = one.filter(document)
        except Exception as error:  # the reference fails on some texts (one without words, for one)
            return {"id": row["id"], "rule": rule, "reason": f"error: {type(error).__name__}"}
        kept, reason = result if isinstance(result, tuple) else (result, None)
        if not kept:
            return {"id": row["id"], "rule": rule, "reason": reason}
    out = {"id": row["id"], "rule": "", "reason": ""}
    if document.text != row["text"]:
        out["text"] = document.text
    return out


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("input")
    parser.add_argument("--language", default="eng_Latn")
    parser.add_argument("--rules", default="gopher-repetition,gopher-quality,c4-quality,fineweb-quality")
    parser.add_argument("--fineweb2", help="a configuration of FineWeb-2; its stop words are also gopher-quality's")
    parser.add_argument("--write")
    parser.add_argument("--compare")
    parser.add_argument("--show", type=int, default=5, help="print so many disagreements")
    arguments = parser.parse_args()
    with open(arguments.input, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    chain = filters(arguments)
    verdict(chain, rows[0])  # loads the tokenizer
    begun = time.perf_counter()
    theirs = [verdict(chain, row) for row in rows]
    seconds = time.perf_counter() - begun
    size = sum(len(row["text"].encode()) for row in rows)
    result = {"documents": len(rows), "megabytes_per_second": size / seconds / 1e6}
    if arguments.write:
        with open(arguments.write, "w", encoding="utf-8") as file:
            for one in theirs:
                file.write(json.dumps(one, ensure_ascii=False) + "\n")
    if arguments.compare:
        with open(arguments.compare, encoding="utf-8") as file:
            ours = [json.loads(line) for line in file]
        differ = [(a, b) for a, b in zip(theirs, ours) if (a["rule"], a["reason"], a.get("text")) !=
                  (b["rule"], b["reason"], b.get("text"))]
        reasons = {}
        for one in theirs:
            reasons[one["reason"]] = reasons.get(one["reason"], 0) + 1
        result |= {"agree": 1 - len(differ) / len(rows), "differ": len(differ), "reasons": reasons}
        for a, b in differ[:arguments.show]:
            print(json.dumps({"reference": a, "ours": b}, ensure_ascii=False)[:600], file=sys.stderr)
    print(json.dumps(result, ensure_ascii=False))


if __name__ == "__main__":
    main()
