#!/usr/bin/env python3
"""Training a byte-level BPE vocabulary: `rhodes tokenize --train` beside Hugging Face tokenizers and rustbpe.

    python3 -m venv venv && venv/bin/pip install tokenizers rustbpe
    venv/bin/python bench/peers/tokenizer_training.py --rhodes build/release/rhodes --input english.jsonl \
        [--bytes 1000000000] [--vocab 32768] [--pattern gpt2] [--repeat 3] [--peers tokenizers,rustbpe]

The input is JSON Lines with "text". The first --bytes of its texts are written to a file of their own, so that all read
the same. The peers are handed the texts as a list that is in memory already; Rhodes' time is that of the whole program,
reading the file included, and again with the file out of the system's cache where that is allowed (needs root). The
programs take turns.

Before anything is said about time, the merges are compared: Hugging Face's must be the same, one for one, in the same
order (ties go to the pair of smaller ids in both). rustbpe breaks ties by other rules (the smaller pair of ids as it
numbers them, which are the bytes' values), so of it is said how many of its tokens are among ours, and how many merges
agree from the first on.
Ends with 1 when Hugging Face's merges differ. Prints a table and one JSON object.
"""
import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

PATTERNS = {
    "gpt2": r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    "llama3": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
              r"|\s+(?!\S)|\s+",
}


def take(path, limit, out):
    """Copies lines until their texts have `limit` bytes; the texts."""
    texts, size = [], 0
    with open(path, encoding="utf-8") as lines, open(out, "w", encoding="utf-8") as copy:
        for line in lines:
            text = json.loads(line)["text"]
            texts.append(text)
            copy.write(line)
            size += len(text.encode())
            if size >= limit:
                break
    return texts, size


def byte_names():
    """Hugging Face's letters for bytes."""
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in plain]
    return {**{chr(byte): byte for byte in plain}, **{chr(256 + i): byte for i, byte in enumerate(others)}}


NAMES = byte_names()


def to_bytes(token):
    return bytes(NAMES[letter] for letter in token)


def merges_of(path):
    model = json.load(open(path, encoding="utf-8"))["model"]
    pairs = [merge.split(" ") if isinstance(merge, str) else merge for merge in model["merges"]]
    return [(to_bytes(left), to_bytes(right)) for left, right in pairs]


def drop_from_cache(path):
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)


class Clock:
    """Seconds that pass, and those of all processors: the latter say more on a machine that others use as well."""

    def __init__(self, who):
        self.who = who
        self.wall, self.used = time.perf_counter(), self.processors()

    def processors(self):
        usage = resource.getrusage(self.who)
        return usage.ru_utime + usage.ru_stime

    def read(self):
        return time.perf_counter() - self.wall, self.processors() - self.used


def run_rhodes(options, corpus, folder, threads=0):
    out = os.path.join(folder, "rhodes.json")
    clock = Clock(resource.RUSAGE_CHILDREN)
    run = subprocess.run([options.rhodes, "tokenize", "--train", corpus, "--vocab", str(options.vocab), "--pattern",
                          options.pattern, "--out", out, "--json", "--threads", str(threads)],
                         stdout=subprocess.PIPE, check=True)
    return clock.read(), json.loads(run.stdout), merges_of(out)


def run_tokenizers(options, texts, folder):
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers
    tokenizer = Tokenizer(models.BPE())
    if options.pattern == "gpt2":
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
            pre_tokenizers.Split(Regex(PATTERNS[options.pattern]), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    trainer = trainers.BpeTrainer(vocab_size=options.vocab - 1, min_frequency=2, special_tokens=[], show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    clock = Clock(resource.RUSAGE_SELF)
    tokenizer.train_from_iterator(texts, trainer)
    seconds = clock.read()
    out = os.path.join(folder, "tokenizers.json")
    tokenizer.save(out)
    return seconds, merges_of(out)


def run_rustbpe(options, texts):
    import rustbpe
    tokenizer = rustbpe.Tokenizer()
    clock = Clock(resource.RUSAGE_SELF)
    tokenizer.train_from_iterator(texts, options.vocab - 1, pattern=PATTERNS[options.pattern])
    seconds = clock.read()
    return seconds, [bytes(token) for token, _ in sorted(tokenizer.get_mergeable_ranks(), key=lambda pair: pair[1])]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rhodes", default="build/release/rhodes")
    parser.add_argument("--input", required=True)
    parser.add_argument("--bytes", type=int, default=10 ** 9)
    parser.add_argument("--vocab", type=int, default=32768)
    parser.add_argument("--pattern", choices=sorted(PATTERNS), default="gpt2")
    parser.add_argument("--repeat", type=int, default=3, help="of Rhodes and of the peers, in turn")
    parser.add_argument("--peers", default="tokenizers,rustbpe")
    options = parser.parse_args()
    peers = [name for name in options.peers.split(",") if name]
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    failed = False
    times = {"rhodes": [], "rhodes, from the disk": [], **{name: [] for name in peers}}
    result = {"vocab": options.vocab, "pattern": options.pattern, "cpus": os.cpu_count()}
    with tempfile.TemporaryDirectory(dir=os.path.dirname(os.path.abspath(options.input))) as folder:
        corpus = os.path.join(folder, "english.jsonl")
        texts, size = take(options.input, options.bytes, corpus)
        result.update(bytes=size, documents=len(texts))
        print(f"{len(texts)} texts of {size} bytes, {options.vocab} tokens, pattern {options.pattern}", flush=True)
        for turn in range(options.repeat):
            seconds, report, ours = run_rhodes(options, corpus, folder)
            times["rhodes"].append(seconds)
            result["parts"] = {"counting": report["counting_seconds"], "merging": report["merging_seconds"],
                               "different_words": report["different_words"]}
            drop_from_cache(corpus)
            times["rhodes, from the disk"].append(run_rhodes(options, corpus, folder)[0])
            if "tokenizers" in peers:
                seconds, theirs = run_tokenizers(options, texts, folder)
                times["tokenizers"].append(seconds)
                same = ours == theirs
                failed |= not same
                if turn == 0:
                    agree = next((i for i, pair in enumerate(zip(ours, theirs)) if pair[0] != pair[1]),
                                 min(len(ours), len(theirs)))
                    result["tokenizers_merges"] = "identical" if same else f"differ from merge {agree} on"
                    print(f"{'same' if same else 'DIFFERENT':<10} merges of tokenizers: {agree} of {len(theirs)}")
            if "rustbpe" in peers:
                seconds, tokens = run_rustbpe(options, texts)
                times["rustbpe"].append(seconds)
                if turn == 0:
                    made = [left + right for left, right in ours]
                    theirs = tokens[256:]
                    agree = next((i for i, pair in enumerate(zip(made, theirs)) if pair[0] != pair[1]), len(made))
                    shared = len(set(made) & set(theirs))
                    result["rustbpe_tokens_shared"] = shared / max(1, len(theirs))
                    print(f"{'':<10} tokens of rustbpe: {shared} of {len(theirs)} are ours, the first {agree} in order")
        # What reading costs: the limit.
        begun = time.perf_counter()
        with open(corpus, "rb", buffering=0) as file:
            while file.read(1 << 22):
                pass
        result["reading_seconds"] = time.perf_counter() - begun
    result["peak_memory_of_rhodes_kb"] = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    middle = {name: [statistics.median(column) for column in zip(*pairs)] for name, pairs in times.items() if pairs}
    print(f"{'':<24} {'median s':>9} {'least s':>9} {'most s':>9} {'MB/s':>8} {'times ours':>11} {'CPU s':>8} "
          f"{'times ours':>11}")
    for name, (wall, used) in middle.items():
        seconds = [pair[0] for pair in times[name]]
        result[name] = {"seconds": seconds, "cpu_seconds": [pair[1] for pair in times[name]]}
        print(f"{name:<24} {wall:>9.2f} {min(seconds):>9.2f} {max(seconds):>9.2f} {size / wall / 1e6:>8.1f} "
              f"{wall / middle['rhodes'][0]:>11.2f} {used:>8.2f} {used / middle['rhodes'][1]:>11.2f}")
    print(f"{'reading the file':<24} {result['reading_seconds']:>9.2f}")
    print(json.dumps(result))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
