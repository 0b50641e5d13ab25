#!/usr/bin/env python3
"""The rule families beside datatrove: same input, same rules, same verdicts, in one run.

    datatrove_speed.py BENCH_CURATE_RULES IN.jsonl --language eng_Latn --rules RULES [--fineweb2 CONFIG.yml] [--limit MB]

Runs bench_curate_rules on IN.jsonl (rows with id and text) with datatrove's words, then datatrove's filters on the first
MB megabytes of it, and prints one JSON object: megabytes a second of processor time and by the clock, one core each, the
factor between them, and the share of documents with the same verdict, reason and text. Needs datatrove==0.10.0, spacy and
pyyaml.
"""
import argparse
import json
import subprocess
import tempfile
import time

import datatrove_verdicts


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("input")
    parser.add_argument("--language", default="eng_Latn")
    parser.add_argument("--rules", default="gopher-repetition,gopher-quality,c4-quality,fineweb-quality")
    parser.add_argument("--fineweb2")
    parser.add_argument("--limit", type=float, default=4)
    arguments = parser.parse_args()
    rows, size = [], 0
    with open(arguments.input, encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            rows.append(row)
            size += len(row["text"].encode())
            if size > arguments.limit * 1e6:
                break
    with tempfile.NamedTemporaryFile() as verdicts:
        ours = json.loads(subprocess.run(
            [arguments.program, arguments.input, "--language", arguments.language, "--rules", arguments.rules,
             "--datatrove", "--seconds", "3", "--threads", "2", "--verdicts", verdicts.name],
            check=True, capture_output=True, text=True).stdout)
        with open(verdicts.name, encoding="utf-8") as file:
            our_verdicts = [json.loads(line) for line in file][:len(rows)]
    chain = datatrove_verdicts.filters(arguments)
    datatrove_verdicts.verdict(chain, rows[0])  # loads the tokenizer
    wall, processor = time.perf_counter(), time.process_time()
    theirs = [datatrove_verdicts.verdict(chain, row) for row in rows]
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    same = sum((a["rule"], a["reason"], a.get("text")) == (b["rule"], b["reason"], b.get("text"))
               for a, b in zip(theirs, our_verdicts))
    print(json.dumps({
        "ours": ours,
        "datatrove": {"documents": len(rows), "megabytes_per_second": size / wall / 1e6,
                      "megabytes_per_processor_second": size / processor / 1e6},
        "times_per_processor_second": ours["megabytes_per_processor_second"] / (size / processor / 1e6),
        "same": same / len(rows),
    }))


if __name__ == "__main__":
    main()
