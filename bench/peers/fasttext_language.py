#!/usr/bin/env python3
"""Labels, probabilities and speed of a fastText language model: ours beside fastText's own, on the same texts.

    fasttext_language.py MODEL FILE.jsonl... [--bench build/release/bench/bench_language_model] [--json]

FILE.jsonl has rows with `text`. fastText is asked as datatrove's FT176LID asks it (line ends as blanks), for the best
label only and for all of them (k=-1, which datatrove wants). Needs fasttext (fasttext-wheel with numpy<2). Exits with 1
when a label differs or a probability does by more than 0.00001. Runs of both sides alternate; speeds are the median of
five, of processor time of one thread.
"""
import argparse
import json
import statistics
import subprocess
import tempfile
import time

import fasttext


def peer_seconds(model, lines, k):
    begun = time.process_time()
    for line in lines:
        model.predict(line, k, 0.0, "strict")
    return time.process_time() - begun


def compare(model, path, arguments):
    texts = [json.loads(line)["text"] for line in open(path, encoding="utf-8")]
    lines = [text.replace("\n", " ") + "\n" for text in texts]
    megabytes = sum(len(text.encode("utf-8", "replace")) for text in texts) / 1e6
    labels, worst, differ = 0, 0.0, []
    with tempfile.NamedTemporaryFile("w+") as answers:
        command = [arguments.bench, arguments.model, path, "--answers", answers.name, "--seconds", "0.1"]
        subprocess.run(command, check=True, capture_output=True)
        ours = [json.loads(line) for line in open(answers.name, encoding="utf-8")]
    for i, (line, our) in enumerate(zip(lines, ours)):
        found = model.predict(line, 1, 0.0, "strict")
        probability, label = found[0] if found else (0.0, "__label__")
        error = abs(probability - our["probability"])
        worst = max(worst, error)
        if label[len("__label__"):] == our["label"] and error <= 1e-5:
            labels += 1
        else:
            differ.append({"row": i, "fasttext": [label, probability], "ours": [our["label"], our["probability"]]})
    speeds = {"ours": [], "fasttext": [], "fasttext, all labels": []}
    for _ in range(5):
        run = subprocess.run([arguments.bench, arguments.model, path, "--seconds", "1"], check=True, capture_output=True)
        speeds["ours"].append(json.loads(run.stdout)["documents_per_second"])
        speeds["fasttext"].append(len(lines) / peer_seconds(model, lines, 1))
        speeds["fasttext, all labels"].append(len(lines) / peer_seconds(model, lines, -1))
    result = {"file": path, "documents": len(texts), "megabytes": round(megabytes, 3), "agree": labels,
              "greatest_difference": worst, "differ": differ[:20], "speed": {}}
    for side, values in speeds.items():
        median = statistics.median(values)
        result["speed"][side] = {"documents_per_second": round(median), "spread": round((max(values) - min(values)) / median, 3),
                                 "megabytes_per_second": round(median * megabytes / len(texts), 1)}
    result["times_fasttext"] = round(statistics.median(speeds["ours"]) / statistics.median(speeds["fasttext"]), 2)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model")
    parser.add_argument("files", nargs="+")
    parser.add_argument("--bench", default="build/release/bench/bench_language_model")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    model = fasttext.load_model(arguments.model).f
    failed = False
    for path in arguments.files:
        result = compare(model, path, arguments)
        failed = failed or result["agree"] != result["documents"]
        if arguments.json:
            print(json.dumps(result))
            continue
        print("%s: %d documents, %.1f MB: %d the same label and probability (greatest difference %.2g)" % (
            path, result["documents"], result["megabytes"], result["agree"], result["greatest_difference"]))
        for row in result["differ"]:
            print("  row %d: fastText %s, ours %s" % (row["row"], row["fasttext"], row["ours"]))
        for side, speed in result["speed"].items():
            print("  %-22s %8d documents/s %7.1f MB/s   spread %.0f %%" % (
                side, speed["documents_per_second"], speed["megabytes_per_second"], 100 * speed["spread"]))
        print("  ours / fastText %18.2f" % result["times_fasttext"])
    raise SystemExit(1 if failed else 0)


main()
