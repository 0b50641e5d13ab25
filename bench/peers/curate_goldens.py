#!/usr/bin/env python3
"""Writes testdata/curate_goldens_en.jsonl and _ar.jsonl: synthetic documents and what datatrove says of them.

    curate_goldens.py OUT_DIRECTORY ARB_ARAB.yml

Each row: id, text, and by chain of rules the reference's rule, reason and (when it changed it) the SHA-256 of
the text. The documents are
made here, from word lists of this file, so that every reason occurs and every threshold is met from both sides.
ARB_ARAB.yml is FineWeb-2's configs/arb_Arab.yml. Needs datatrove==0.10.0, spacy and pyyaml.
"""
import argparse
import hashlib
import json
import random
import sys

import datatrove_verdicts

ENGLISH = ("the be to of and that have with a in is it for on as was at by this from they we say her she or an will my one "
           "all would there their what so up out if about who get which go me when make can like time no just him know "
           "take people into year your good some could them see other than then now look only come its over think also "
           "back after use two how our work first well way even new want because any these give day most us river "
           "mountain kitchen harbour weather evening letter question answer market village engine window garden").split()
ARABIC = ("في من على إلى عن مع هذا هذه التي الذي كان كانت بين بعد قبل كل لم قد ما لا أو ثم حيث عند حتى منذ وقال الرجل "
          "البيت المدينة الكتاب العمل الناس اليوم السنة الطريق الماء السماء الأرض المدرسة الطالب المعلم الرئيس الحكومة "
          "الشركة السوق اللغة العربية العلم الحياة الشمس القمر البحر النهر الجبل الصحراء الشجرة الباب النافذة الطعام").split()
# What splitters of words differ about.
ODD = ("don't can't we'll I'm it's o'clock gonna U.S. e.g. a.m. Mr. 10km 5% $20 20$ 3.5GB 12:30 1,000 well-known "
       "mother-in-law and/or http://example.com/a?b=c www.example.org user@example.com example.com/path 192.0.2.1 "
       "8.8.8.8 :) :-( ;) (8) 1-8) C++ foo.Bar end.Start a,b x=y 2+2 1998-2001 \"quoted\" 'single' (paren) [1] "
       "[citation needed] … ... .. -- — – • - # ## <3 km/h 5m. 98°F. US$5 5€ ️ © 中文 日本語 русский 10.5 .5 +5 +x").split()
ODD_ARABIC = "، ؛ ؟ . ق.م د. أ.د إلخ 10كم 5% (هذا) «نص» عربي/انجليزي الكِتَابُ كـتـاب ١٢٣ 12،5 www.example.com".split()


class Maker:
    def __init__(self, words, odd, ends, comma, seed):
        self.random = random.Random(seed)
        self.words, self.odd, self.ends, self.comma = words, odd, ends, comma
        self.texts = []

    def sentence(self, length=None, odd=0.03, end=True):
        length = length or self.random.randint(6, 16)
        words = [self.random.choice(self.odd if self.random.random() < odd else self.words) for _ in range(length)]
        return " ".join(words) + (self.random.choice(self.ends) if end else "")

    def paragraph(self, sentences=None, **how):
        return " ".join(self.sentence(**how) for _ in range(sentences or self.random.randint(2, 5)))

    def document(self, lines=8, **how):
        return "\n".join(self.paragraph(**how) for _ in range(lines))

    def add(self, text):
        self.texts.append(text)

    def make(self):
        choose = self.random
        for _ in range(30):  # good text
            self.add(self.document(choose.randint(4, 12)))
        for words in (0, 1, 2, 3, 48, 49, 50, 51, 52):  # length
            self.add(" ".join(choose.choice(self.words) for _ in range(words)) or " ")
        for words in (99_999, 100_001):
            self.add(" ".join(f"{choose.choice(self.words)}{i % 7919}" for i in range(words)))
        for letters in (1, 2, 3, 4, 8, 9, 10, 11, 12):  # length of words
            self.add("\n".join(" ".join(self.words[0][:1] * letters if choose.random() < 0.9 else choose.choice(self.words)
                                       for _ in range(12)) + "." for _ in range(10)))
            self.add("\n".join(" ".join("".join(choose.choice("abcdefgh") for _ in range(letters)) for _ in range(12)) + " "
                               + choose.choice(self.words) + "." for _ in range(10)))
        for mark in ("#", "...", "…", "....", "......"):  # symbols a word
            for share in (0.03, 0.08, 0.1, 0.11, 0.15):
                self.add("\n".join(" ".join(choose.choice(self.words) + (" " + mark if choose.random() < share else "")
                                           for _ in range(14)) + self.ends[0] for _ in range(8)))
        for mark in ("- ", "• ", "-", "  • ", "* "):  # lines that begin with
            for share in (0.5, 0.85, 0.9, 0.95, 1):
                self.add("\n".join((mark if i < share * 20 else "") + self.sentence() for i in range(20)))
        for end in ("...", "…", "..", "… ", " ..."):  # lines that end with
            for share in (0.2, 0.29, 0.3, 0.31, 0.5):
                self.add("\n".join(self.sentence(14, end=False) + (end if i < share * 100 else ".") for i in range(100)))
        for share in (0.1, 0.18, 0.2, 0.22, 0.3):  # words without letters
            for other in ("12", "3.5", "--", "(", "1998"):
                self.add("\n".join(" ".join(other + str(choose.randint(1, 99)) if choose.random() < share else
                                           choose.choice(self.words) for _ in range(14)) + "." for _ in range(8)))
        rare = [word for word in self.words if len(word) > 4]
        for stop in ([], self.words[:1], self.words[:2], ["The", "OF"], ["،"]):  # stop words
            self.add("\n".join(" ".join(choose.choice(rare + stop) for _ in range(14)) + "." for _ in range(8)))
        for repeats in (2, 3, 4, 6, 8):  # lines and paragraphs again
            for joint in ("\n", "\n\n", "\n\n\n"):
                line, others = self.paragraph(2), [self.paragraph(2) for _ in range(10)]
                texts = others + [line] * repeats
                choose.shuffle(texts)
                self.add(joint.join(texts))
                self.add("\n" + joint.join([self.sentence(3, end=False)] * repeats + others) + "\n\n")
        for length in range(2, 13):  # n-grams again
            for share in (0.05, 0.1, 0.13, 0.2, 0.35):
                gram = " ".join(choose.choice(self.words) for _ in range(length))
                pieces = [gram if choose.random() < share * 8 / length else self.sentence(8, end=False) for _ in range(30)]
                self.add(" ".join(pieces) + ".")
        for count in range(1, 9):  # sentences and lines of C4
            self.add("\n".join(self.sentence() for _ in range(count)))
            self.add(self.paragraph(count))
            self.add("\n".join([self.sentence(2)] * 2 + [self.sentence() for _ in range(count)]))
        for phrase in ("lorem ipsum dolor", "Lorem Ipsum", "please enable JavaScript now", "read our Privacy Policy here",
                       "this site uses cookies today", "Terms of Use apply here", "a cookie policy", "the use of cookies",
                       "they use cookies", "a { b } c", "java[1]script is on", "word" * 251 + " is long", "w" * 1000,
                       "w" * 1001, "note[12] that[edit] is[citation needed] cited", "with [ ] and [] brackets", "[٣] three"):
            for end in (".", "", "...", '."', "?'", "!", " .", "؟"):
                lines = [self.paragraph(2) for _ in range(6)]
                lines.insert(choose.randint(0, 6), f"{self.sentence(4, end=False)} {phrase}{end}")
                self.add("\n".join(lines))
        for end in ("\r\n", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\n \n", " \n\t"):  # line ends, white space
            self.add(end.join(self.paragraph(2) for _ in range(8)))
            self.add(end + end.join("- " + self.sentence() for _ in range(12)) + end)
        for length in (199, 200, 201):  # C4 paragraphs
            for lines in (2, 3, 4):
                self.add("\n".join((self.paragraph(9) + "x" * 200)[:length] for _ in range(lines)) + "\nshort")
        for share in (0.08, 0.12, 0.14, 0.15, 0.5):  # FineWeb: ends, short lines, line ends a word
            self.add("\n".join(self.sentence(12, end=False) + ("." if i < share * 100 else "") for i in range(100)))
            self.add("\n".join((self.sentence() * 3)[: 30 if i < (share + 0.54) * 50 else 31] + "." for i in range(50)))
        for words in (2, 3, 4, 5, 6):
            self.add("\n".join(self.sentence(words) for _ in range(30)))
            self.add("\n\n".join(self.sentence(words, odd=0.3) for _ in range(30)))
        for words in (2, 3):  # long words: few words a line, but no short lines
            for dots in (".", " ."):
                self.add("\n".join(" ".join("".join(choose.choice("abcdefgh") for _ in range(20)) for _ in range(words)) +
                                   dots for _ in range(30)))
        for share in (0.1, 0.3, 0.6, 1):  # odd words
            for _ in range(12):
                self.add(self.document(8, odd=share))
                text = "".join(choose.choice(self.odd + [" ", "\n", "  "]) for _ in range(150))
                self.add(self.document(4) + "\n" + text)
        return self.texts


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("arabic")
    arguments = parser.parse_args()
    languages = {
        "en": ("eng_Latn", None, Maker(ENGLISH, ODD, [".", "!", "?", '."'], ",", 1)),
        "ar": ("arb_Arab", arguments.arabic, Maker(ARABIC, ODD_ARABIC + ODD[:40], [".", "؟", "!", " ."], "،", 2)),
    }
    for name, (language, config, maker) in languages.items():
        chains = ["gopher-repetition", "gopher-quality", "c4-quality", "c4-paragraph", "fineweb-quality",
                  "gopher-repetition,gopher-quality,c4-quality,c4-paragraph,fineweb-quality"]
        if config:
            chains.append("fineweb2")
        made = {chain: datatrove_verdicts.filters(argparse.Namespace(rules=chain, language=language, fineweb2=config))
                for chain in chains}
        reasons = {}
        with open(f"{arguments.out}/curate_goldens_{name}.jsonl", "w", encoding="utf-8") as file:
            for number, text in enumerate(maker.make()):
                if len(text) > 200_000:  # too long to be kept in the repository
                    continue
                row = {"id": str(number), "text": text, "language": language, "verdicts": {}}
                for chain in chains:
                    one = datatrove_verdicts.verdict(made[chain], row)
                    if one["reason"].startswith("error"):
                        continue
                    row["verdicts"][chain] = {key: one[key] for key in ("rule", "reason")}
                    if "text" in one:
                        digest = hashlib.sha256(one["text"].encode()).hexdigest()
                        row["verdicts"][chain]["text_sha256"] = digest
                    if one["rule"] and "," not in chain:
                        key = one["rule"] + " " + one["reason"]
                        reasons[key] = reasons.get(key, 0) + 1
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
        print(name, json.dumps(reasons, indent=1, sort_keys=True), file=sys.stderr)


if __name__ == "__main__":
    main()
