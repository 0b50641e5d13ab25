#!/usr/bin/env python3
"""`rhodes encode` and `rhodes decode` beside Hugging Face tokenizers, tiktoken and gigatoken: the same ids everywhere.

    python3 -m venv venv && venv/bin/pip install tokenizers tiktoken gigatoken numpy
    venv/bin/python bench/peers/tokenizer_identity.py --rhodes build/release/rhodes --text FILE... -- TOKENIZER...

Each TOKENIZER is a tokenizer.json, or a tiktoken rank file named after its encoding (o200k_base.tiktoken);
tokenizer_vocabularies.py makes a folder of them. A tokenizer.json is also tried in variants: with added tokens of every
kind, and when it is SentencePiece-style with the pre-tokenizer Metaspace in all its forms. Compared are, with special
tokens as text and as tokens: slices of the files of --text whole and by line; every code point of Unicode alone and
between letters, spaces, digits, marks and apostrophes; and --strings random strings in all that sit on the patterns'
borders, until --seconds have gone by. What `rhodes decode` makes of the ids is compared too: it is the text, arbitrary
bytes come back, and a decoder that gets one id at a time never says half a character. A text with a special token that
tiktoken refuses is refused.

The reference of a tokenizer.json is Hugging Face tokenizers, of a rank file tiktoken. Where they differ from gigatoken
is counted, and no failure. Ends with 1 when anything differs from the reference, and shows the first cases.
"""
import argparse
import copy
import itertools
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time

import numpy
import tokenizers

PIECES = ["'s", "'S", "'\u017f", "'re", "'RE", "'ll", "'Ll", "'lL", "'d", "'ve", "'t", "'m", "'", "''", " ", "  ", "   ",
          "\n", "\n\n", "\r\n", "\r", "\t", "\u00a0", "\u3000", "\u2028", "\u2029", "\u180e", "\u200b", "\ufeff", "a",
          "B", "word", "WORD", "CamelCase", "iOS", "\u00aa", "\u01c5", "\u02b0", "\u00e9", "e\u0301", "\u0301", "\u0645",
          "\u0645\u0631\u062d\u0628\u0627", "\u0648\u064e\u0644\u064e\u062f", "\u4e2d", "\u6587\u5b57", "1", "12", "123",
          "1234", "\u0663", "\u2167", "\u00bd", "!", "...", "/", "//", "\n/", "-", "\u2014", "\U0001f642", "_", "\x00",
          "\U0001f469\u200d\U0001f469\u200d\U0001f467", "\u200d", "\u0085", "\x1c", "\x1f", "\x0b", "\x0c", "\u0130",
          "\u00df", "\ufb01", "\u212a", "\u0915\u093f", "\u0e44\u0e17\u0e22", "\u2581", "\u2581\u2581", "<0x0A>", "</s>",
          "\uac00", "\u1100\u1161", "\u1161", "\u0344", "\u2126", "\ufb4b", "0", "x=1;", "{}", "==", "\u0600", "\U00010940"]
REPEATED = ["a", "ab", " ", "=", "\n", "1", "A", "aA", "\u00e9", "\u4e2d", "'s", " '", "a ", "\t\n", "\u0645\u064e",
            "\U0001f642", "\u2581", "-=", "the ", "/"]
EXTRA_TOKENS = [  # content, and the fields that are true
    ("<left>", "lstrip special"), ("<right>", "rstrip special"), ("<both>", "lstrip rstrip"), ("whole", "single_word"),
    ("<plain>", ""), ("<plain><plain>", ""), ("normal", "normalized"), ("\u00e9t\u00e9", "normalized single_word"),
    ("<special>", "special"), ("<spec", ""), ("ial>x", ""), ("a b", "normalized"), ("\n\n\n", ""),
    ("<rn>", "rstrip normalized special"), ("<ln>", "lstrip normalized")]


def random_strings(count, seed, special, words):
    """`words`: the tokens of the vocabulary as text."""
    rng = random.Random(seed)
    cut = [text[:at] for text in special for at in (1, len(text) // 2, len(text) - 1)] + [text[1:] for text in special]
    pieces = PIECES + special + cut
    ranges = [(0, 0x7f), (0, 0x7ff), (0, 0xd7ff), (0xe000, 0x1ffff), (0x20, 0x7e), (0x300, 0x36f), (0x600, 0x6ff)]
    for number in range(count):
        kind = number % 10
        if kind == 0:
            low, high = rng.choice(ranges)
            yield "".join([chr(rng.randint(low, high)) for _ in range(rng.randint(1, 12))])
        elif kind == 1:
            unit = rng.choice(REPEATED)
            yield rng.choice(pieces) + unit * rng.randint(1, 200 // len(unit)) + rng.choice(pieces)
        elif kind == 2:
            yield "".join(rng.choices("abcdeinorst", k=rng.randint(1, 70)))
        elif kind < 5:
            yield "".join(rng.choices(words, k=rng.randint(1, 8)))
        elif kind == 5:
            yield "".join([rng.choice(rng.choice((words, pieces))) for _ in range(rng.randint(1, 10))])
        else:
            yield "".join(rng.choices(pieces, k=rng.randint(1, 14)))


def unicode_strings(thin):
    """All that Unicode assigns or may soon (planes 0 to 3 and 14), every `thin`th of the others."""
    for code in range(0x110000):
        if 0xd800 <= code <= 0xdfff or (0x34000 <= code and not 0xe0000 <= code < 0xe0200 and code % thin):
            continue
        one = chr(code)
        yield one
        yield f"a{one}b {one}A"
        yield f" {one} {one}{one}1{one}2 '{one}s"
        yield f"\n{one}\n\t{one}e\u0301{one}\u0301"


class HuggingFace:
    def __init__(self, content):
        self.tokenizer = tokenizers.Tokenizer.from_str(json.dumps(content))

    def encode(self, texts, special):
        self.tokenizer.encode_special_tokens = not special
        return [one.ids for one in self.tokenizer.encode_batch_fast(texts, add_special_tokens=False)]

    def decode(self, ids):
        return self.tokenizer.decode_batch(ids, skip_special_tokens=False)

    def words(self, rng):
        size = self.tokenizer.get_vocab_size()
        found = self.decode([[rng.randrange(size)] for _ in range(8000)])
        return [word for word in found if word]


class Tiktoken:
    def __init__(self, path):
        import tiktoken
        import tiktoken_ext.openai_public as public
        from tiktoken.load import load_tiktoken_bpe
        ranks = load_tiktoken_bpe(path)
        public.load_tiktoken_bpe = lambda *_, **__: ranks
        name = os.path.basename(path).split(".")[0]
        self.encoding = tiktoken.Encoding(**getattr(public, name)())
        self.tokens = list(ranks)

    def encode(self, texts, special):
        if special:
            return self.encoding.encode_batch(texts, num_threads=2, allowed_special="all")
        return self.encoding.encode_ordinary_batch(texts, num_threads=2)

    def words(self, rng):
        return [rng.choice(self.tokens).decode("utf-8", "replace") for _ in range(8000)]

    def refuses(self, text):
        try:
            self.encoding.encode(text)
        except ValueError:
            return True
        return False


class Gigatoken:
    """It always takes special tokens for what they are."""

    def __init__(self, path):
        import gigatoken
        load = gigatoken.Tokenizer if path.endswith(".json") else gigatoken.Tokenizer.from_tiktoken
        self.tokenizer = load(path)

    def encode(self, texts):
        return self.tokenizer.encode_batch_list(texts)


def flat(lists):
    lengths = numpy.fromiter(map(len, lists), numpy.int64, len(lists))
    return lengths, numpy.fromiter(itertools.chain.from_iterable(lists), numpy.int64, int(lengths.sum()))


class Output:
    """What `rhodes encode` printed: a line of ids for each text."""

    def __init__(self, data, count):
        self.data = data
        raw = numpy.frombuffer(data, numpy.uint8)
        ends = numpy.flatnonzero(raw == 10)
        assert len(ends) == count, f"{len(ends)} lines of ids for {count} texts"
        starts = numpy.concatenate([[0], ends[:-1] + 1])
        spaces = numpy.concatenate([[0], numpy.cumsum(raw == 32)])
        self.lengths = numpy.where(ends > starts, spaces[ends] - spaces[starts] + 1, 0)
        self.ids = numpy.fromstring(data, numpy.int64, sep=" ") if len(data) > count else numpy.zeros(0, numpy.int64)

    def equals(self, lists):
        lengths, ids = flat(lists)
        return numpy.array_equal(lengths, self.lengths) and numpy.array_equal(ids, self.ids)

    def lists(self):
        return [part.tolist() for part in numpy.split(self.ids, numpy.cumsum(self.lengths)[:-1])]


class Subject:
    """Rhodes with one tokenizer; `shown(text, reference ids)` is what decoding must give, or is None."""

    def __init__(self, rhodes, path, shown, strips):
        self.rhodes, self.path, self.shown, self.strips = rhodes, path, shown, strips

    def run(self, command, data, *flags):
        done = subprocess.run([self.rhodes, command, "--tokenizer", self.path, *flags], input=data,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return done.returncode, done.stdout, done.stderr

    def must(self, command, data, *flags):
        code, out, error = self.run(command, data, *flags)
        if code:
            raise SystemExit(f"rhodes {command} --tokenizer {self.path}: {error.decode()}")
        return out

    def encode(self, texts, special):
        """Yields the texts' numbers and Output: texts with NUL go by line, all others end in NUL, those with both one by
        one, and of them a few."""
        groups = {"--null": [], "--lines": [], "": []}
        for number, text in enumerate(texts):
            groups["--null" if "\0" not in text else "--lines" if "\n" not in text else ""].append(number)
        allow = ["--allow-special"] if special else []
        for flag, end in (("--null", "\0"), ("--lines", "\n")):
            numbers = groups[flag]
            if numbers:
                data = "".join([texts[number] + end for number in numbers]).encode()
                yield numbers, Output(self.must("encode", data, flag, *allow), len(numbers))
        for number in groups[""][:5]:
            yield [number], Output(self.must("encode", texts[number].encode(), *allow), 1)


class Run:
    def __init__(self):
        self.failed = self.compared = self.decoded = self.random = self.gigatoken = self.gigatoken_differs = 0

    def show(self, what, texts, output, theirs):
        differing = 0
        for text, mine, other in zip(texts, output.lists(), theirs, strict=True):
            if mine == other:
                continue
            differing += 1
            if differing <= 3:
                print(f"  {what}: {text[:200]!r}\n    rhodes {mine[:40]}\n    theirs {other[:40]}")
        return differing

    def compare(self, what, subject, reference, peer, texts, special):
        theirs = reference.encode(texts, special)
        others = peer.encode(texts) if peer and special else None
        differing = 0
        for numbers, output in subject.encode(texts, special):
            some = [texts[number] for number in numbers]
            expected = [theirs[number] for number in numbers]
            self.compared += len(numbers)
            if not output.equals(expected):
                differing += self.show(what, some, output, expected)
            elif subject.shown and not special:
                self.check_decoding(what, subject, some, expected, output)
            if others is not None:
                self.gigatoken += len(numbers)
                expected = [others[number] for number in numbers]
                if not output.equals(expected):
                    self.gigatoken_differs += self.show(f"{what}, gigatoken", some, output, expected)
        self.failed += differing
        return differing

    def check_decoding(self, what, subject, texts, ids, output):
        expected = "".join(subject.shown(texts, ids))
        if subject.strips and expected.startswith(" "):
            expected = expected[1:]
        self.decoded += len(texts)
        if subject.must("decode", output.data).decode() != expected:
            self.failed += 1
            print(f"  DIFFERENT  {what}: decoding {len(texts)} texts does not give them")

    def check(self, name, subject, reference, peer, texts, special, until, size=200_000):
        begun = time.time()
        count = differing = 0
        texts = iter(texts)
        while (batch := list(itertools.islice(texts, size))) and (count == 0 or time.time() < until):
            differing += self.compare(name, subject, reference, peer, batch, special)
            count += len(batch)
        print(f"{'DIFFERENT' if differing else 'same':<10} {name}{' (special)' if special else ''}: {count} strings, "
              f"{differing} differ, {time.time() - begun:.0f} s", flush=True)
        return count

    def say(self, good, what):
        self.failed += not good
        print(f"{'same' if good else 'DIFFERENT':<10} {what}", flush=True)

    def round_trip(self, name, subject, marks):
        rng = random.Random(17)
        data = bytes(rng.choice([rng.randrange(256), rng.randrange(128), 0xe2, 0x96, 0x81, 0x20]) for _ in range(300_000))
        while marks and b"\xe2\x96\x81" in data:  # the mark itself becomes a space
            data = data.replace(b"\xe2\x96\x81", b"")
        self.say(subject.must("decode", subject.must("encode", data)) == data, f"{name}: arbitrary bytes come back")

    def refusal(self, name, subject, reference, special):
        texts = [text for text in random_strings(400, 5, special, ["a", " b"]) if "\0" not in text][:60] + special
        good = all((subject.run("encode", text.encode(), "--refuse-special")[0] == 3) == reference.refuses(text)
                   for text in texts)
        self.say(good, f"{name}: refuses the special tokens that tiktoken refuses ({len(texts)} texts)")

    def streaming(self, name, subject):
        """Ids one by one: each piece that comes out is whole characters, and together they are the text."""
        text = "word " + "".join(random_strings(60, 9, [], ["\u4e2d\u6587", "\U0001f642\U00010940", "\u0645\u064e "]))
        text = text.replace("\0", "").replace("\u2581", "")
        ids = subject.must("encode", text.encode()).split()[:1500]
        whole = subject.must("decode", b" ".join(ids)).decode("utf-8", "ignore").encode()
        process = subprocess.Popen([subject.rhodes, "decode", "--tokenizer", subject.path], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, bufsize=0)

        reads = threading.Event()

        def feed():
            for one in ids:
                process.stdin.write(one + b"\n")
                if not reads.is_set():
                    reads.wait(60)  # until the tokenizer is loaded
                time.sleep(0.0005)
            process.stdin.close()

        threading.Thread(target=feed).start()
        pieces = []
        while piece := os.read(process.stdout.fileno(), 65536):
            reads.set()
            pieces.append(piece)
        process.wait()
        halves = 0
        for piece in pieces[:-1]:
            try:
                piece.decode()
            except UnicodeDecodeError:
                halves += 1
        good = halves == 0 and b"".join(pieces).decode("utf-8", "ignore").encode() == whole
        self.say(good, f"{name}: {len(ids)} ids one by one: {len(pieces)} pieces, {halves} that split a character")


def is_sentence_piece(content):
    return bool(content["model"].get("byte_fallback"))


def with_added(content):
    changed = copy.deepcopy(content)
    next_id = 1 + max(max(changed["model"]["vocab"].values()), *(one["id"] for one in changed["added_tokens"]))
    for text, flags in EXTRA_TOKENS:
        fields = {field: field in flags.split() for field in ("single_word", "lstrip", "rstrip", "normalized", "special")}
        known = next((one["id"] for one in changed["added_tokens"] if one["content"] == text), None)
        known = changed["model"]["vocab"].get(text, known)
        changed["added_tokens"] = [one for one in changed["added_tokens"] if one["content"] != text]
        changed["added_tokens"].append({"id": next_id if known is None else known, "content": text, **fields})
        next_id += known is None
    changed["added_tokens"].sort(key=lambda one: one["id"])
    return changed


def metaspace_variants(content):
    for scheme in ("always", "first", "never"):
        for split in (True, False):
            changed = copy.deepcopy(content)
            step = {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": scheme, "split": split}
            changed.update(normalizer=None, pre_tokenizer=step, decoder=step)
            yield f"Metaspace {scheme}, split {split}", changed
    changed = copy.deepcopy(content)
    step = {"type": "Metaspace", "replacement": "\u2581", "add_prefix_space": True}
    changed.update(normalizer=None, pre_tokenizer=step, decoder=step)
    yield "Metaspace, old form", changed


def shown_by(content, reference):
    """What decoding the ids of ordinary texts gives, and whether a space at the beginning goes."""
    if content is None:
        return (lambda texts, _: texts), False
    written = json.dumps(content["normalizer"]) + json.dumps(content["pre_tokenizer"])
    if not is_sentence_piece(content):
        if content["normalizer"]:
            return (lambda _, ids: reference.decode(ids)), False
        return (lambda texts, _: texts), False
    prefix = "missing" if re.search(r'"(always|first)"|"add_prefix_space": true', written) else ""
    prefix = "always" if "Prepend" in written else prefix

    def shown(texts, _):
        for text in texts:
            begins = text.startswith((" ", "\u2581"))
            space = " " if text and (prefix == "always" or (prefix == "missing" and not begins)) else ""
            yield space + text.replace("\u2581", " ")

    strips = '"Strip"' in json.dumps(content["decoder"]) or ("Metaspace" in json.dumps(content["decoder"]) and prefix)
    return shown, bool(strips)


def variants(path):
    """Names, contents (None: a rank file), special tokens."""
    name = os.path.basename(path)
    if not path.endswith(".json"):
        reference = Tiktoken(path)
        yield name, None, reference, sorted(reference.encoding.special_tokens_set)
        return
    content = json.load(open(path, encoding="utf-8"))
    special = [one["content"] for one in content["added_tokens"]][:12]
    yield name, content, HuggingFace(content), special
    extra = special + [text for text, _ in EXTRA_TOKENS]
    changed = with_added(content)
    yield f"{name} + added", changed, HuggingFace(changed), extra
    if is_sentence_piece(content):
        for what, other in metaspace_variants(content):
            yield f"{name}, {what}", other, HuggingFace(other), special
        other = with_added(other)
        yield f"{name}, {what} + added", other, HuggingFace(other), extra


def read_text(path, size, rng):
    """A slice of a file, of JSON Lines its texts."""
    with open(path, "rb") as file:
        file.seek(rng.randrange(max(1, os.path.getsize(path) - size)))
        data = file.read(size)
    if path.endswith(".jsonl"):
        lines = data.split(b"\n")[1:-1] or [b"{}"]
        try:
            return "\n".join(str(json.loads(line).get("text", line.decode())) for line in lines).replace("\0", " ")
        except (ValueError, AttributeError):
            pass
    return data.decode("utf-8", "replace").replace("\0", " ")


def text_files(paths):
    for path in paths:
        if os.path.isfile(path):
            yield path
        for folder, _, names in os.walk(path):
            yield from (os.path.join(folder, name) for name in sorted(names))


def check_tokenizer(run, options, path, share, until):
    rng = random.Random(f"{options.seed} {os.path.basename(path)}")
    peer = None
    try:
        peer = Gigatoken(path)
    except Exception as error:  # whatever it raises: it cannot load this one
        print(f"           {os.path.basename(path)}: no gigatoken: {str(error)[:120]}")
    begun = time.time()
    for number, (name, content, reference, special) in enumerate(variants(path)):
        main = number == 0
        if not main and options.only_main:
            break
        with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
            if not main:
                json.dump(content, file)
                file.flush()
            shown, strips = shown_by(content, reference)
            subject = Subject(options.rhodes, path if main else file.name, None if "added" in name else shown, strips)
            peer = peer if main else None
            size = options.text_bytes if main else options.text_bytes // 20
            whole = [read_text(one, size, rng) for one in text_files(options.text)]
            whole = [text for text in whole if text]
            if whole:
                run.check(f"{name}: files", subject, reference, peer, whole, False, until)
                lines = [line + "\n" for text in whole for line in text.split("\n")]
                for special_too in (False, True):
                    run.check(f"{name}: lines", subject, reference, peer, lines, special_too, until)
            strings = share * 2 // 5 if main else share // 40
            stop = until - (until - begun) * (0.5 if main else 0)
            words = reference.words(rng)
            for special_too in (False, True):
                texts = random_strings(strings, rng.randrange(1 << 32), special, words)
                run.random += run.check(f"{name}: random", subject, reference, peer, texts, special_too, stop)
            if not main:
                continue
            if options.thin:
                run.check(f"{name}: Unicode", subject, reference, peer, unicode_strings(options.thin), False, until)
                run.check(f"{name}: Unicode", subject, reference, peer, unicode_strings(10 ** 9), True, until)
            if content is None:
                run.refusal(name, subject, reference, special)
            if content is None or not content["normalizer"] or is_sentence_piece(content):
                run.round_trip(name, subject, content is not None and is_sentence_piece(content))
            run.streaming(name, subject)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rhodes", default="build/release/rhodes")
    parser.add_argument("--text", nargs="*", default=[], help="files, or folders of them")
    parser.add_argument("--text-bytes", type=int, default=1_000_000, help="of each file, from anywhere in it")
    parser.add_argument("--strings", type=int, default=10_000_000, help="random strings in all")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="about how long, for all tokenizers")
    parser.add_argument("--thin", type=int, default=61,
                        help="of the unassigned planes, every so manieth code point; 0: no code points")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only-main", action="store_true", help="no variants")
    parser.add_argument("tokenizers", nargs="+")
    options = parser.parse_args()
    run = Run()
    end = time.time() + options.seconds
    for number, path in enumerate(options.tokenizers):
        left = len(options.tokenizers) - number
        share = max(1, (options.strings - run.random) // left)
        until = time.time() + (end - time.time()) / left
        check_tokenizer(run, options, path, share, until)
    print(f"{run.compared} strings compared, {run.random} of them random; {run.failed} differ; {run.decoded} decoded; "
          f"{run.gigatoken} compared with gigatoken, {run.gigatoken_differs} differ there")
    return 1 if run.failed else 0


if __name__ == "__main__":
    sys.exit(main())
