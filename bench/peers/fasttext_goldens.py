"""Trains the small language models of src/curate/testdata/language_model and writes what fastText says of a few texts.

    pip install fasttext-wheel 'numpy<2'
    python bench/peers/fasttext_goldens.py src/curate/testdata/language_model

One model of every kind that a file can be: losses, n-grams of characters and words, quantised with and without norms,
pruned, with a quantised output. goldens.json has, for each, the labels and probabilities that fastText gives to TEXTS;
line ends are blanks for it, as in datatrove's FT176LID. Training with one thread gives the same bytes each time.
"""
import json
import os
import random
import sys
import tempfile

import fasttext

SENTENCES = {
    "en": "the quick brown fox jumps over a lazy dog and sleeps in the sun",
    "de": "der schnelle braune fuchs springt über den faulen hund und schläft donaudampfschifffahrtsgesellschaft",
    "ar": "الثعلب البني السريع يقفز فوق الكلب الكسول ثم ينام تحت الشمس",
    "ru": "быстрая лиса прыгает через ленивую собаку и потом спит",
    "zh": "敏捷的 棕色 狐狸 跳过 懒狗 然后 睡在 阳光 里",
}
GLOTLID = {"en": "eng_Latn", "de": "deu_Latn", "ar": "arb_Arab", "ru": "rus_Cyrl", "zh": "cmn_Hani"}
# Languages of private use: an output matrix can be quantised from 256 rows on.
MANY = ["q%s%s" % (a, b) for a in "abcdefghijkl" for b in "abcdefghijklmnopqrstuvw"]

TEXTS = [
    "",
    " \n\n ",
    "the dog sleeps",
    "Der Hund schläft über der Sonne",
    "الكلب ينام تحت الشمس الدافئة",
    "собака спит на солнце",
    "狐狸睡在阳光里 然后",
    "the dog\nund der hund\r\nи собака\tspit\x0b\x0csun\x00fox",
    "fox </s> собака спит потом лиса",
    "__label__ru the __label__xx dog __label__eng_Latn",
    "a i o",
    "😀 🎉🎉 é ÿ ¿qué?",
    "x" * 300 + " the " + "ш" * 200,
    "lazy lazy lazy lazy dog " * 40 + "ленивую собаку " * 20,
    "qab qab qcd",
    "donaudampfschifffahrtsgesellschaft the dog",
    "12 345 6789 !!! --- ###",
]

KINDS = {
    "softmax_words.bin": dict(loss="softmax", minn=0, maxn=0, dim=3),
    "softmax_ngrams.bin": dict(loss="softmax", minn=2, maxn=4, dim=3, bucket=199, labels=GLOTLID),
    "hs_ngrams.bin": dict(loss="hs", minn=1, maxn=3, dim=3, bucket=101),
    "hs_word_ngrams.bin": dict(loss="hs", minn=0, maxn=0, dim=3, bucket=101, wordNgrams=3),
    "ova_both.bin": dict(loss="ova", minn=2, maxn=3, dim=3, bucket=101, wordNgrams=2),
    "ns_ngrams.bin": dict(loss="ns", minn=2, maxn=3, dim=3, bucket=101),
    "softmax.ftz": dict(loss="softmax", minn=2, maxn=4, dim=3, bucket=257, quantise=dict(dsub=2)),
    "hs_norm.ftz": dict(loss="hs", minn=2, maxn=4, dim=3, bucket=257, quantise=dict(dsub=2, qnorm=True)),
    "hs_pruned_norm.ftz": dict(loss="hs", minn=2, maxn=4, dim=3, bucket=1000,
                               quantise=dict(dsub=2, qnorm=True, cutoff=300)),
    "softmax_pruned.ftz": dict(loss="softmax", minn=2, maxn=3, dim=3, bucket=1000, wordNgrams=2, labels=GLOTLID,
                               quantise=dict(dsub=4, cutoff=300)),
    "softmax_quantised_output.ftz": dict(loss="softmax", minn=0, maxn=0, dim=2, many=True,
                                         quantise=dict(dsub=2, qnorm=True, qout=True)),
}


def rows(labels):
    out = []
    for i, (language, sentence) in enumerate(SENTENCES.items()):
        words = sentence.split()
        for _ in range(70 - 7 * i):
            chosen = " ".join(random.choice(words) for _ in range(random.randint(3, 9)))
            out.append("__label__%s %s" % (labels[language], chosen))
    random.shuffle(out)
    return out


def main(directory):
    os.makedirs(directory, exist_ok=True)
    goldens = {"texts": TEXTS, "models": {}}
    with tempfile.TemporaryDirectory() as scratch:
        training = os.path.join(scratch, "training.txt")
        for name, kind in KINDS.items():
            random.seed(name)
            kind = dict(kind)
            quantise = kind.pop("quantise", None)
            labels = kind.pop("labels", {language: language for language in SENTENCES})
            lines = ["__label__%s %s" % (c, c) for c in MANY] * 3 if kind.pop("many", False) else rows(labels)
            with open(training, "w", encoding="utf-8") as file:
                file.write("\n".join(lines) + "\n")
            model = fasttext.train_supervised(training, thread=1, epoch=20, lr=0.5, verbose=0, **kind)
            if quantise is not None:
                model.quantize(training, **quantise)
            path = os.path.join(directory, name)
            model.save_model(path)
            model = fasttext.load_model(path)
            answers = []
            for text in TEXTS:
                found = model.f.predict(text.replace("\n", " ") + "\n", -1, 0.0, "strict")
                answers.append({label[len("__label__"):]: round(probability, 7) for probability, label in found[:6]})
            goldens["models"][name] = answers
    with open(os.path.join(directory, "goldens.json"), "w", encoding="utf-8") as file:
        json.dump(goldens, file, ensure_ascii=True, separators=(",", ":"))
        file.write("\n")


main(sys.argv[1])
