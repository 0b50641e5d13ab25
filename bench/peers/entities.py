#!/usr/bin/env python3
"""Entity matching by the usual means, on the pairs that `rhodes entities --evaluate` is given.

  tf-idf     cosine of TF-IDF vectors of the whole record (scikit-learn); the threshold that is best on the same pairs,
             which is more than anyone has without labels
  forest     the features of py_stringmatching a column (Jaccard, cosine, Jaro-Winkler, Monge-Elkan, Levenshtein) into
             a random forest: Magellan's recipe; 5-fold cross-validation, folds by the left record

Usage: entities.py PAIRS... Prints one JSON object a file. Needs scikit-learn and py_stringmatching from PyPI."""
import json
import sys
import time

import numpy
import py_stringmatching as sm
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import GroupKFold


def columns(text):
    values = {}
    for piece in (" " + text.strip()).split(" COL ")[1:]:
        name, _, value = piece.partition(" VAL")
        values[name.strip()] = value.strip()
    return values


def read(path):
    pairs = []
    for line in open(path, encoding="utf-8"):
        if line.strip():
            left, right, label = line.rstrip("\n").split("\t")
            pairs.append((columns(left), columns(right), int(label)))
    return pairs


def f1(predicted, labels):
    hit = int(numpy.sum(predicted & labels))
    return 2 * hit / max(1, int(numpy.sum(predicted)) + int(numpy.sum(labels)))


def best_f1(scores, labels):
    order = numpy.argsort(-scores, kind="stable")
    hits = numpy.cumsum(labels[order])
    return float(numpy.max(2 * hits / (numpy.arange(1, len(order) + 1) + labels.sum())))


def tf_idf(pairs, labels):
    begun = time.time()
    whole = lambda record: " ".join(record.values())
    left, right = [whole(a) for a, _, _ in pairs], [whole(b) for _, b, _ in pairs]
    vectors = TfidfVectorizer(token_pattern=r"\S+").fit(sorted(set(left + right)))
    scores = numpy.asarray(vectors.transform(left).multiply(vectors.transform(right)).sum(axis=1)).ravel()
    return {"f1": round(best_f1(scores, labels), 4), "seconds": round(time.time() - begun, 2)}


def forest(pairs, labels):
    begun = time.time()
    words, grams = sm.WhitespaceTokenizer(return_set=True), sm.QgramTokenizer(qval=3, return_set=True)
    jaccard, cosine, winkler, monge, edit = sm.Jaccard(), sm.Cosine(), sm.JaroWinkler(), sm.MongeElkan(), sm.Levenshtein()
    names = sorted({name for a, b, _ in pairs for name in list(a) + list(b)})
    rows = []
    for a, b, _ in pairs:
        row = []
        for name in names:
            x, y = a.get(name, ""), b.get(name, "")
            if not x or not y:
                row += [-1.0] * 6
                continue
            short_x, short_y = x[:100], y[:100]
            try:
                number = -abs(float(x) - float(y)) / max(abs(float(x)), abs(float(y)), 1e-9)
            except ValueError:
                number = -2.0
            row += [jaccard.get_raw_score(words.tokenize(x), words.tokenize(y)),
                    cosine.get_raw_score(grams.tokenize(x), grams.tokenize(y)),
                    winkler.get_raw_score(short_x, short_y),
                    monge.get_raw_score(short_x.split()[:12], short_y.split()[:12]),
                    edit.get_sim_score(short_x, short_y), number]
        rows.append(row)
    features = numpy.array(rows)
    groups = [json.dumps(a, sort_keys=True) for a, _, _ in pairs]
    predicted = numpy.zeros(len(pairs), dtype=bool)
    for known, held_out in GroupKFold(5).split(features, labels, groups):
        model = RandomForestClassifier(200, random_state=1, n_jobs=2).fit(features[known], labels[known])
        predicted[held_out] = model.predict(features[held_out])
    return {"f1": round(f1(predicted, labels), 4), "seconds": round(time.time() - begun, 2)}


for path in sys.argv[1:]:
    pairs = read(path)
    labels = numpy.array([label for _, _, label in pairs], dtype=bool)
    print(json.dumps({"pairs": path.rsplit("/", 1)[-1], "tf-idf": tf_idf(pairs, labels), "forest": forest(pairs, labels)}),
          flush=True)
