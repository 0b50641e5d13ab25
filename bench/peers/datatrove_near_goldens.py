"""Makes src/curate/testdata/near/datatrove_goldens.jsonl: texts written for it, and what datatrove makes of them.

usage: datatrove_near_goldens.py > src/curate/testdata/near/datatrove_goldens.jsonl
"""
import json
import tempfile

import numpy as np
import xxhash
from datatrove.pipeline.dedup.minhash import MinhashDedupSignature
from datatrove.utils.text import simplify_text

step = MinhashDedupSignature(tempfile.mkdtemp())
texts = [
 "The quick brown fox jumps over the lazy dog.",
 "",
 "four words are short",
 "five words are just enough",
 "  Prices rose 3.5% to 1,234.56 in 2024; \u0663\u066b\u0665 and \uff11\uff12 too, 1.2.3.4 or 5,,6  ",
 "\u0623\u064e\u0639\u0652\u0644\u064e\u0646\u064e \u0631\u0626\u064a\u0633 \u0627\u0644\u0648\u0632\u0631\u0627\u0621\u060c \u0627\u0644\u0645\u0640\u0640\u0624\u0633\u0633\u0629 \u0625\u0644\u0649 \u0622\u062e\u0631 \u0627\u0644\u0623\u062e\u0628\u0627\u0631\u061f",
 "\u0391\u03a3 \u039f\u0394\u039f\u03a3 \u03a3 \u03a3\u0391\u03a3. \u0130stanbul I\u0307\u0323 \u1e9e STRASSE \ufb01ne \u01c5ungla",
 "caf\u00e9 cafe\u0301 na\u00efve \u00c5ngstr\u00f6m \u212bngstr\u00f6m a\u0323\u0307 a\u0307\u0323 \u1e69",
 "a \u0301 b \u0301",
 "\u0301 leading mark and trailing \u0301",
 "tabs\tand\nlines\r\nand\u00a0nbsp\u3000wide\u2003em\x0bvt\x1cfs\x85nel\u2028ls",
 "\ud55c\uad6d\uc5b4 \u6587\u5b57 \u4e2d\u6587\u3002\u65e5\u672c\u8a9e\u300c\u5f15\u7528\u300d\u7d42\u308f\u308a\uff01 words here",
 "don't stop \u2014 \u201cquoted\u201d \u2018single\u2019 [1] {x} #tag @user a_b c-d e/f",
 "\U0001d7d9\U0001d7da digits \U00010400 deseret \U0001f600 emoji \u302e\u302f marks \U0001d165\U0001d16e notes",
 "\u0915\u094d\u0937\u093f \u0939\u093f\u0928\u094d\u0926\u0940 \u0967\u0968\u0969 \u0995\u09cb \u0e01\u0e33 \u0f73 \u037e \u1fef \u2126",
 "1\u23962 3\u23974 5\u23986 7\u060c8 9.\u0661 10. 11 .12",
 "word " * 40,
 " ".join(f"token{i*7919%101}" for i in range(300)),
]
for t in texts:
    s = simplify_text(t)
    row = {"text": t, "simplified": s}
    words = s.split()
    grams = [" ".join(words[i:i+5]) for i in range(len(words)-4)]
    if grams:
        sh = np.array([xxhash.xxh64_intdigest(g) for g in grams], dtype=np.uint64).reshape(-1,1)
        row["signature"] = [str(v) for b in step.get_signature(sh) for v in b]
    print(json.dumps(row, ensure_ascii=True))
