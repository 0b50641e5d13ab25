#!/usr/bin/env python3
"""Evaluation overlap beside datatrove's n-gram decontamination: same sets, same documents, same verdicts?

    datatrove_overlap.py check --rhodes BIN --documents FILE.jsonl [--language eng_Latn] [--query-ngrams] SET.jsonl...
    datatrove_overlap.py goldens OUT.jsonl
    datatrove_overlap.py speed --documents FILE.jsonl SET.jsonl...

check: turns each SET (rows with question/answer, query/choices, context/continuation and the like) into the documents
that NGramsDecontIndexer takes (text: the answer, metadata query), plants passages of them into copies of a third of the
documents (in other case, with other punctuation, some with a word changed so that they must not be found), runs
NGramsDecontFilter and `rhodes curate --compatibility datatrove --rules overlap=...` on them, and compares kept or
dropped, the task named and the n-gram found. Prints one JSON object and the first differences; exits with 1 when there
are any.
goldens: synthetic sets and documents with the reference's verdicts, for src/curate/overlap_goldens_test.cc.
speed: megabytes of text a second of NGramsDecontFilter, one process.

Needs the PyPI packages datatrove==0.10.0, spacy, xxhash and numpy; lighteval, which only its own tasks need, is not.
"""
import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time

import datatrove.utils.hashes.xxhash
import numpy as np
import xxhash
from datatrove.data import Document
from datatrove.pipeline.decont.n_grams import NGramsDecontConfig, NGramsDecontFilter, NGramsDecontIndexer

SEED = 11


# Only the reference's built-in tasks need that package.
NGramsDecontIndexer._requires_dependencies.clear()
# xxhash 4 no longer takes str, which the reference gives it; those before encoded it as UTF-8.
datatrove.utils.hashes.xxhash.xxhash64 = lambda text: xxhash.xxh64_intdigest(text.encode())


def reference_filter(tasks, folder, language, query_ngrams, joined_ngrams=True, n=12):
    """The filter over `tasks` {name: [{text, query}]}, by way of files as NGramsDecontIndexer.run() writes them."""
    config = NGramsDecontConfig(n_grams=n, find_query_ngrams=query_ngrams, find_overlap_ngrams=joined_ngrams)
    indexer = NGramsDecontIndexer(folder, config=config, language=language)
    for task, rows in tasks.items():
        hashes = set()
        for row in rows:
            hashes.update(indexer.compute_hashes(row["text"], row.get("query")))
        array = np.array(list(hashes), dtype=config.hash_config.np_descr)
        array.tofile(os.path.join(folder, f"{task.replace(' ', '_')}.index.hashes"))
    return NGramsDecontFilter(folder, config=config, language=language)


def reference_verdict(decontaminate, row):
    document = Document(text=row["text"], id=str(row["id"]))
    result = decontaminate.filter(document)
    if result is True:
        return {"task": "", "ngram": ""}
    assert result == (False, "contaminated")
    return {"task": document.metadata["contaminated_task"], "ngram": document.metadata["contaminated_ngram"]}


def strings(value):
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [text for part in value for text in strings(part)]
    if isinstance(value, dict):
        return [text for part in value.values() for text in strings(part)]
    return []


def answers_of(row):
    """A row of an evaluation set as documents of the indexer."""
    for query, texts in (("question", "answer"), ("query", "choices"), ("context", "continuation"), ("ctx", "endings"),
                         ("prompt", "canonical_solution"), ("question", "question")):
        if query in row and texts in row:
            question = row[query]
            if isinstance(question, dict):
                question = question.get("stem", "")
            return [{"text": text, "query": question} for text in strings(row[texts]) if text]
    return [{"text": text, "query": ""} for text in strings(row) if text]


def read_rows(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def noisy(words, chance):
    """The same passage as another page would have it."""
    out = []
    for word in words:
        if chance.random() < 0.2:
            word = word.upper()
        if chance.random() < 0.1:
            word = word + chance.choice([",", " --", "!", ";"])
        out.append(word)
    return chance.choice([" ", "\n", "  "]).join(out) if chance.random() < 0.3 else " ".join(out)


def plant(documents, tasks, chance):
    """Copies of a third of `documents` with a passage of 8 to 40 words of an item, every fourth with a word changed."""
    items = [row for rows in tasks.values() for row in rows]
    planted = []
    for document in documents:
        if chance.random() > 1 / 3:
            continue
        row = chance.choice(items)
        words = (row["query"] + " " + row["text"]).split()
        if not words:
            continue
        begin = chance.randrange(len(words))
        passage = words[begin:begin + chance.randrange(8, 40)]
        if chance.random() < 0.25:
            passage[len(passage) // 2] = "elsewhere"
        lines = document["text"].split("\n")
        lines.insert(chance.randrange(len(lines) + 1), noisy(passage, chance))
        planted.append({"id": f"planted-{len(planted)}", "text": "\n".join(lines)})
    return planted


def write_rows(path, rows):
    with open(path, "w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def check(arguments):
    chance = random.Random(SEED)
    tasks = {}
    for path in arguments.sets:
        name = os.path.basename(path).split(".")[0]
        tasks[name] = [answer for row in read_rows(path) for answer in answers_of(row)]
    documents = [{"id": str(row.get("id", i)), "text": row["text"]} for i, row in enumerate(read_rows(arguments.documents))]
    documents += plant(documents, tasks, chance)
    with tempfile.TemporaryDirectory() as scratch:
        folder = os.path.join(scratch, "index")
        os.mkdir(folder)
        decontaminate = reference_filter(tasks, folder, arguments.language, arguments.query_ngrams)
        begun = time.process_time()
        reference = {row["id"]: reference_verdict(decontaminate, row) for row in documents}
        seconds = time.process_time() - begun
        rules = []
        for name, rows in tasks.items():
            write_rows(os.path.join(scratch, name + ".jsonl"), rows)
            rules.append(f"overlap={name}:{scratch}/{name}.jsonl")
        write_rows(os.path.join(scratch, "documents.jsonl"), documents)
        command = [arguments.rhodes, "curate", scratch + "/documents.jsonl", "--out", scratch + "/out", "--rules",
                   ",".join(rules), "--compatibility", "datatrove", "--language", arguments.language, "--json"]
        if arguments.query_ngrams:
            command += ["--set", "overlap.query_ngrams=true"]
        report = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        ours = {row["id"]: {"task": "", "ngram": ""} for row in documents}
        for row in read_rows(scratch + "/out/dropped.jsonl"):
            task = row["reason"].removeprefix("contaminated: ").rsplit(" item ", 1)[0]
            found = next(one for one in row["overlap"] if one["set"] == task)
            ours[row["id"]] = {"task": task, "ngram": found["passage"]}
    differences = []
    for document_id, theirs in reference.items():
        mine = ours[document_id]
        # A passage is shown up to 400 bytes.
        same = mine["task"] == theirs["task"] and theirs["ngram"].encode()[:400].startswith(mine["ngram"].encode()[:396])
        if not same:
            differences.append({"id": document_id, "datatrove": theirs, "rhodes": mine})
    result = {"documents": len(reference), "contaminated": sum(1 for one in reference.values() if one["task"]),
              "differences": len(differences), "ngrams": sum(one["ngrams"] for one in report["overlap"]),
              "datatrove_seconds": round(seconds, 2), "rhodes_seconds": round(report["seconds"], 3)}
    print(json.dumps(result))
    for one in differences[:arguments.show]:
        print(json.dumps(one, ensure_ascii=False))
    return 1 if differences else 0


ENGLISH = """the a one two every old young copper river teacher letter garden winter station kettle bridge doctor island
market morning engine paper window travel carry build answer forget whistle measure 12 3.5 1,000 don't O'Neil's e-mail
U.S. café naïve Monday isn't they're we'll "quoted" (aside) x=1 #tag @name 50% and/or ... end. stop! why? né""".split()
ARABIC = """الولد المدرسة كتاب ذَهَبَ إلى أحمد آمن مؤمن شيء قـــلم ٣ ١٢٫٥ ،المدينة السوق. صباح النهر؟ جسر "نهر" طبيب
جزيرة رسالة شتاء (حديقة) محطة، قطار ورق نافذة سافر بنى أجاب نسي قاس د. م. إلخ""".split()


def sentence(words, count, chance):
    return " ".join(chance.choice(words) for _ in range(count))


def goldens(arguments):
    chance = random.Random(SEED)
    out = []
    for language, words in (("eng_Latn", ENGLISH), ("arb_Arab", ARABIC)):
        tasks = {}
        for task in ("beta:one", "alpha", "gamma"):
            tasks[task] = [{"text": sentence(words, chance.randrange(1, 25), chance),
                            "query": sentence(words, chance.randrange(1, 25), chance)} for _ in range(12)]
        tasks["gamma"][0] = tasks["alpha"][0]  # two sets share an item
        tasks["beta:one"][1] = {"text": "", "query": sentence(words, 30, chance)}
        documents = [{"id": f"{i}", "text": sentence(words, chance.randrange(20, 60), chance)} for i in range(100)]
        planted = plant(documents * 2, {"all": [row for rows in tasks.values() for row in rows]}, chance)
        documents = documents[:20] + planted
        for settings in ({"query_ngrams": False, "joined_ngrams": True, "n": 12},
                         {"query_ngrams": True, "joined_ngrams": False, "n": 5},
                         {"query_ngrams": True, "joined_ngrams": True, "n": 3}):
            with tempfile.TemporaryDirectory() as folder:
                decontaminate = reference_filter(tasks, folder, language, settings["query_ngrams"],
                                                 settings["joined_ngrams"], settings["n"])
                verdicts = [reference_verdict(decontaminate, row) for row in documents]
            out.append({"language": language, "settings": settings,
                        "contaminated": sum(1 for one in verdicts if one["task"]), "verdicts": verdicts})
        out.append({"language": language, "tasks": tasks, "documents": [row["text"] for row in documents]})
    write_rows(arguments.out, out)
    return 0


def speed(arguments):
    tasks = {os.path.basename(path): [answer for row in read_rows(path) for answer in answers_of(row)]
             for path in arguments.sets}
    documents = read_rows(arguments.documents)[:arguments.most]
    with tempfile.TemporaryDirectory() as folder:
        decontaminate = reference_filter(tasks, folder, arguments.language, False)
        decontaminate.load_index_hashes()
        best = 1e9
        for _ in range(3):
            begun = time.process_time()
            dropped = sum(1 for row in documents if reference_verdict(decontaminate, {"id": "", "text": row["text"]})["task"])
            best = min(best, time.process_time() - begun)
    size = sum(len(row["text"].encode()) for row in documents)
    print(json.dumps({"documents": len(documents), "dropped": dropped, "mb_per_s": round(size / 1e6 / best, 3)}))
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("check", "speed"):
        command = commands.add_parser(name)
        command.add_argument("sets", nargs="+")
        command.add_argument("--documents", required=True)
        command.add_argument("--language", default="eng_Latn")
        command.add_argument("--most", type=int, default=1000)
        command.add_argument("--rhodes")
        command.add_argument("--query-ngrams", action="store_true")
        command.add_argument("--show", type=int, default=5)
    commands.add_parser("goldens").add_argument("out")
    arguments = parser.parse_args()
    return {"check": check, "goldens": goldens, "speed": speed}[arguments.command](arguments)


if __name__ == "__main__":
    sys.exit(main())
