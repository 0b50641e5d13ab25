#!/usr/bin/env python3
"""Conversations through transformers' apply_chat_template, beside the form that Rhodes puts them into.

  bench/peers/chat_template.py MODEL_FOLDER

MODEL_FOLDER is one that `rhodes train` wrote. Stores what transformers makes of its chat template in
src/infer/testdata/chat_goldens.json, which src/infer/chat_template_test.cc compares with ChatTemplate::Render.
"""
import json
import pathlib
import sys

import transformers

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDENS = ROOT / "src/infer/testdata/chat_goldens.json"
CONVERSATIONS = [
    [("user", "What is zstd?")],
    [("system", "Be brief."), ("user", "What is zstd?")],
    [("developer", "Be brief."), ("user", "What is zstd?")],
    [("user", "One?"), ("assistant", "Yes."), ("user", "Two?")],
    [("system", "A\n\nB\n"), ("user", "  spaces \n"), ("assistant", "\n- list\n- more\n"), ("user", "{{ not }} {% a %} <b>&amp;")],
    [("user", "سؤال؟"), ("assistant", "جواب 🙂"), ("user", "")],
]


def main():
    folder = pathlib.Path(sys.argv[1])
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    cases = []
    for conversation in CONVERSATIONS:
        messages = [{"role": role, "content": content} for role, content in conversation]
        cases.append({"messages": messages,
                      "text": tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)})
    template = json.loads((folder / "tokenizer_config.json").read_text())["chat_template"]
    GOLDENS.write_text(json.dumps({"made_by": f"bench/peers/chat_template.py: transformers {transformers.__version__}",
                                   "template": template, "cases": cases}, ensure_ascii=False, indent=1) + "\n")
    print(f"wrote {GOLDENS.relative_to(ROOT)}: {len(cases)} conversations")


if __name__ == "__main__":
    main()
