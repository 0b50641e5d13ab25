#!/usr/bin/env python3
"""Whole training steps of Rhodes beside PyTorch (bf16 autocast, eager and compiled) and llm.c, in turns, in one run.

    python3 -m venv venv && venv/bin/pip install torch numpy
    venv/bin/python bench/peers/train_speed.py --rhodes build/release/rhodes [--llmc CLONE] [--json FILE]

CLONE is a clone (or a bare git directory) of karpathy/llm.c; without it the row "llm.c" is left out. Its train_gpt2.c
is built as its own Makefile builds it, in --scratch, and gets random weights of GPT-2 124M and shards of random tokens.
Its step is B4 T64 whatever one asks, so that is Rhodes' step too in that row. It has as many product weights as the
preset 124m: its GELU layers are 4 widths deep, where SwiGLU has three matrices of 8/3.

Each row is one shape: the same layers, heads, widths, vocabulary, batch, context and threads for all, random tokens,
and forward, backward, clipping and AdamW (fused in PyTorch) in the time; llm.c does not clip. PyTorch must have Rhodes'
number of parameters and all peers must begin at the loss of guessing, or they get no figure. The programs work in turns,
--rounds times, each a few steps (--steps; by default so few that a row takes about a minute on two cores); while one
works the others sleep. Printed: the median step, the rates, the work by `rhodes bench train`'s formula (it is in the
report), and the share of the best peak that Rhodes measured in the row (squares of bf16 products). Ends with 1 when one
fails.

    ... --largest estimate    also the largest llama whose step fits in 22 GB, as `rhodes train --estimate` foretells it
    ... --largest step        and that model takes a few real steps; the memory it then had at most is printed
"""
import argparse
import functools
import json
import math
import os
import pathlib
import pty
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

# Timed steps a round by default: a row takes about a minute on two cores.
ROWS = {
    "124m": dict(preset="124m", batch=4, context=256, steps=1, peers=("eager", "compiled")),
    "14m": dict(preset="14m", batch=16, context=256, steps=2, peers=("eager", "compiled")),
    "1.4m": dict(preset="1.4m", batch=32, context=256, steps=6, peers=("eager", "compiled")),
    "grok2-60m": dict(preset="grok2-60m", batch=8, context=256, steps=2, peers=("eager", "compiled")),
    "llm.c": dict(preset="124m", batch=4, context=64, steps=1, peers=("llm.c",)),
}
GROK2 = dict(num_hidden_layers=6, hidden_size=384, intermediate_size=1024, vocab_size=8192, num_attention_heads=6,
             num_key_value_heads=2, head_dim=64, rms_norm_eps=1e-5, rope_theta=10000.0, num_local_experts=8,
             num_experts_per_tok=2, moe_intermediate_size=768, embedding_multiplier_scale=math.sqrt(384),
             output_multiplier_scale=0.5, attn_logit_softcapping=30.0, final_logit_softcapping=50.0)
VOCABULARY = {"124m": 50304, "14m": 8192, "1.4m": 4096, "grok2-60m": 8192}
LLMC_SHAPE = (1024, 50257, 12, 12, 768, 50304)  # positions, vocabulary, layers, heads, width, padded vocabulary
LLMC_STEPS = 19  # the next one waits for a sample of text


class Rhodes:
    name = "Rhodes"

    def __init__(self, options, row):
        self.command = [options.rhodes, "bench", "train", "--preset", row["preset"], "--batch", str(row["batch"]),
                        "--context", str(row["context"]), "--threads", str(options.threads), "--json"]
        self.reports = []

    def run(self, steps):
        done = subprocess.run(self.command + ["--steps", str(steps)], stdout=subprocess.PIPE, check=True)
        self.reports.append(json.loads(done.stdout))
        # Of two or more steps only their median is reported.
        return [self.reports[-1]["median_step_seconds"]]

    def stop(self):
        pass


class PyTorch:
    """A process of its own, which waits for a number of steps and answers with their seconds."""

    def __init__(self, options, row, mode):
        self.name = "PyTorch, " + mode
        order = dict(preset=row["preset"], batch=row["batch"], context=row["context"], threads=options.threads,
                     mode=mode)
        environment = dict(os.environ, OMP_NUM_THREADS=str(options.threads),
                           TORCHINDUCTOR_CACHE_DIR=str(options.scratch / "inductor"))
        self.process = subprocess.Popen([sys.executable, __file__, "--worker", json.dumps(order)], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        try:
            self.ready = self.read()
        except BaseException:
            self.stop()
            raise
        self.name = f"PyTorch {self.ready['version']}, {mode}"

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name}: ended with {self.process.wait()}")
        return json.loads(line)

    def run(self, steps):
        self.process.stdin.write(f"{steps}\n")
        self.process.stdin.flush()
        return self.read()

    def stop(self):
        self.process.stdin.close()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class LlmC:
    """train_gpt2, stopped (SIGSTOP) while others work; the step in which it was stopped does not count."""

    name = "llm.c"

    def __init__(self, options, row):
        folder = options.scratch / "llm.c"
        make_llmc(folder, options.llmc)
        # A terminal, or its lines would wait in a buffer.
        ours, theirs = pty.openpty()
        self.process = subprocess.Popen(["./train_gpt2"], cwd=folder, stdout=theirs, stdin=subprocess.DEVNULL,
                                        env=dict(os.environ, OMP_NUM_THREADS=str(options.threads)))
        os.close(theirs)
        self.lines = os.fdopen(ours, errors="replace")
        self.done = 0
        try:
            self.ready = {"loss": self.step()[0]}
        except BaseException:
            self.stop()
            raise
        self.process.send_signal(signal.SIGSTOP)

    def step(self):
        while True:
            try:
                line = self.lines.readline()
            except OSError:  # how a terminal without a writer ends
                line = ""
            if not line:
                raise RuntimeError(f"llm.c: ended with {self.process.wait()}")
            found = re.match(r"step \d+: train loss (\S+) \(took (\S+) ms\)", line)
            if found:
                self.done += 1
                return float(found[1]), float(found[2]) / 1e3

    def run(self, steps):
        if self.done + 1 + steps > LLMC_STEPS:
            return []  # the rounds before suffice
        self.process.send_signal(signal.SIGCONT)
        self.step()
        seconds = [self.step()[1] for _ in range(steps)]
        self.process.send_signal(signal.SIGSTOP)
        return seconds

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.lines.close()


def make_llmc(folder, clone):
    """Builds train_gpt2 in `folder` and writes the files it opens, laid out as by its train_gpt2.py and data_common.py."""
    import numpy
    random = numpy.random.default_rng(1)
    shards = folder / "dev/data/tinyshakespeare"
    shards.mkdir(parents=True, exist_ok=True)
    tree = subprocess.run(["git", "-C", clone, "archive", "HEAD", "Makefile", "train_gpt2.c", "llmc"],
                          stdout=subprocess.PIPE, check=True).stdout
    subprocess.run(["tar", "-x", "-C", folder], input=tree, check=True)
    subprocess.run(["make", "train_gpt2", "CC=gcc"], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   check=True)
    positions, vocabulary, layers, heads, width, padded = LLMC_SHAPE

    def header(*values):
        numbers = numpy.zeros(256, numpy.int32)
        numbers[:len(values)] = values
        return numbers.tobytes()

    with open(folder / "gpt2_124M.bin", "wb") as file:
        file.write(header(20240326, 3, positions, vocabulary, layers, heads, width, padded))
        matrix = lambda rows, columns: file.write((0.02 * random.standard_normal((rows, columns), numpy.float32)).data)
        constant = lambda count, value: file.write(numpy.full(count, value, numpy.float32).data)
        matrix(vocabulary, width)
        constant((padded - vocabulary) * width, 0)
        matrix(positions, width)
        constant(layers * width, 1)  # the first norm
        constant(layers * width, 0)
        matrix(layers * 3 * width, width)
        constant(layers * 3 * width, 0)
        matrix(layers * width, width)
        constant(layers * width, 0)
        constant(layers * width, 1)  # the second
        constant(layers * width, 0)
        matrix(layers * 4 * width, width)
        constant(layers * 4 * width, 0)
        matrix(layers * width, 4 * width)
        constant(layers * width, 0)
        constant(width, 1)  # the last
        constant(width, 0)
    for split in ("train", "val"):
        tokens = random.integers(0, vocabulary, 64 * 256 + 1, numpy.uint16)
        (shards / f"tiny_shakespeare_{split}.bin").write_bytes(header(20240520, 1, len(tokens)) + tokens.tobytes())


def worker(order):
    import torch
    from pytorch_grok2 import Grok2
    from pytorch_train import PRESETS, Decoder, train_step
    torch.set_num_threads(order["threads"])
    torch.manual_seed(1)
    if order["preset"] == "grok2-60m":
        model, vocabulary = Grok2(GROK2, order["context"]), GROK2["vocab_size"]
    else:
        layers, width, inner, vocabulary, dim = PRESETS[order["preset"]]
        model = Decoder(dict(num_hidden_layers=layers, hidden_size=width, intermediate_size=inner, head_dim=dim,
                             vocab_size=vocabulary, num_attention_heads=width // dim, rms_norm_eps=1e-5,
                             num_key_value_heads=width // dim, rope_theta=10000.0, tie_word_embeddings=True),
                        order["context"])
    matrices = [p for p in model.parameters() if p.dim() > 1]
    vectors = [p for p in model.parameters() if p.dim() == 1]
    optimizer = torch.optim.AdamW([{"params": matrices}, {"params": vectors, "weight_decay": 0.0}], lr=1e-4,
                                  betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1, fused=True)
    run = torch.compile(model) if order["mode"] == "compiled" else model
    tokens = torch.randint(0, vocabulary, (order["batch"], order["context"] + 1))
    passes = [(tokens[:, :-1].contiguous(), tokens[:, 1:].contiguous())]
    begin = time.perf_counter()
    loss = train_step(run, optimizer, passes, 1.0)
    first = time.perf_counter() - begin
    train_step(run, optimizer, passes, 1.0)
    count = sum(p.numel() for p in model.parameters())
    print(json.dumps({"version": torch.__version__, "parameters": count, "loss": loss, "first_step_seconds": first}),
          flush=True)
    for line in sys.stdin:
        seconds = []
        for _ in range(int(line)):
            begin = time.perf_counter()
            train_step(run, optimizer, passes, 1.0)
            seconds.append(time.perf_counter() - begin)
        print(json.dumps(seconds), flush=True)


def check(peer, report):
    """The same model before any figure: as many weights, and the loss of a guess among the vocabulary's tokens."""
    count = peer.ready.get("parameters", report["parameters"])
    if count != report["parameters"]:
        raise RuntimeError(f"{count} parameters where Rhodes has {report['parameters']}")
    guess = math.log(VOCABULARY[report["preset"]])
    if not abs(peer.ready["loss"] - guess) < 0.5:
        raise RuntimeError(f"begins at a loss of {peer.ready['loss']}, and guessing has {guess:.2f}")


def take_turns(options, row, fail):
    """Rhodes' reports, and the seconds of the steps by program; a peer that fails is told to `fail` and left out."""
    ours, peers, seconds = Rhodes(options, row), [], {}
    steps = options.steps or row["steps"]
    try:
        for mode in row["peers"]:
            print(f"train_speed: {row['preset']}: starting {mode}", file=sys.stderr)
            try:
                peers.append(LlmC(options, row) if mode == "llm.c" else PyTorch(options, row, mode))
            except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
                fail(mode, error)
        for turn in range(options.rounds):
            seconds.setdefault(ours.name, []).extend(ours.run(steps))
            for peer in list(peers):
                try:
                    if turn == 0:
                        check(peer, ours.reports[0])
                    seconds.setdefault(peer.name, []).extend(peer.run(steps))
                except (RuntimeError, OSError) as error:
                    fail(peer.name, error)
                    seconds.pop(peer.name, None)
                    peers.remove(peer)
                    peer.stop()
    finally:
        for peer in peers:
            peer.stop()
    return ours.reports, {name: times for name, times in seconds.items() if times}


def measure(options, name, row, fail):
    begin = time.perf_counter()
    reports, seconds = take_turns(options, row, fail)
    peak = max(report["peak_flops_per_second"] for report in reports)
    tokens = row["batch"] * row["context"]
    medians = {program: statistics.median(times) for program, times in seconds.items()}
    programs = []
    for program, times in seconds.items():
        flops = tokens / medians[program] * reports[0]["flops_per_token"]
        programs.append({"program": program, "median_step_seconds": medians[program],
                         "fastest_step_seconds": min(times), "slowest_step_seconds": max(times),
                         "measurements": len(times), "tokens_per_second": tokens / medians[program],
                         "flops_per_second": flops, "share_of_peak": flops / peak,
                         "rhodes_is_faster": medians[program] / medians[Rhodes.name]})
    return {"row": name, "preset": row["preset"], "batch": row["batch"], "context": row["context"],
            "threads": options.threads, "parameters": reports[0]["parameters"], "formula": reports[0]["formula"],
            "peak_flops_per_second": peak, "programs": programs, "seconds_taken": time.perf_counter() - begin}


# A llama of 2048 wide that grows by layers, and then by its inner width, in steps of 1 to 2 % of its weights.
LARGE = dict(architectures=["LlamaForCausalLM"], model_type="llama", vocab_size=32768, hidden_size=2048,
             num_attention_heads=16, num_key_value_heads=16, head_dim=128, max_position_embeddings=256,
             rms_norm_eps=1e-5, rope_theta=10000.0, tie_word_embeddings=True, hidden_act="silu")
LARGE_BYTES = 22_000_000_000


def estimate(options, layers, inner, optimizer, memory):
    """What `rhodes train --estimate` says, after real steps if they fit into `memory`, and the most memory it had."""
    with tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder) / "config.json"
        config.write_text(json.dumps({**LARGE, "num_hidden_layers": layers, "intermediate_size": inner}))
        process = subprocess.Popen([options.rhodes, "train", "--estimate", "--config", str(config), "--batch", "1",
                                    "--context", "256", "--recompute", "--optimizer", optimizer, "--memory", memory,
                                    "--threads", str(options.threads), "--json"], stdout=subprocess.PIPE)
        report = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"rhodes train --estimate ended with {process.returncode}")
        return json.loads(report), usage.ru_maxrss * 1024


def last_that_fits(low, high, bytes_of):
    """The largest n in [low, high) with bytes_of(n) <= LARGE_BYTES; `low` fits."""
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if bytes_of(middle) <= LARGE_BYTES else (low, middle)
    return low


def largest(options):
    results = []
    for optimizer in ("adamw", "muon"):
        # So little memory is allowed that nothing is run.
        foretell = lambda layers, inner: estimate(options, layers, inner, optimizer, "1MB")[0]
        bytes_of = lambda layers, inner: foretell(layers, inner)["memory_bytes"]["total"]
        layers = last_that_fits(1, 512, lambda n: bytes_of(n, 5632))
        inner = 128 * last_that_fits(44, 88, lambda n: bytes_of(layers, 128 * n))
        report = foretell(layers, inner)
        result = {"optimizer": optimizer, "layers": layers, "hidden_size": LARGE["hidden_size"],
                  "intermediate_size": inner, "parameters": report["parameters"],
                  "foretold_bytes": report["memory_bytes"]["total"], "memory_bytes": report["memory_bytes"]}
        if options.largest == "step":
            report, resident = estimate(options, layers, inner, optimizer, f"{LARGE_BYTES // 10**9}GB")
            result |= {"resident_bytes": resident, "tokens_per_second": report["tokens_per_second"],
                       "share_of_peak": report["share_of_peak"]}
        results.append(result)
    return results


def print_row(result):
    work = f"{result['preset']}, B{result['batch']} T{result['context']}, {result['threads']} threads"
    for found in result["programs"]:
        times = [1e3 * found[key + "_step_seconds"] for key in ("median", "fastest", "slowest")]
        ours = "" if found is result["programs"][0] else f"{found['rhodes_is_faster']:.2f}x"
        print(f"| {work} | {found['program']} | {times[0]:.0f} ({times[1]:.0f} to {times[2]:.0f}) | "
              f"{found['tokens_per_second']:.0f} | {found['flops_per_second'] / 1e9:.0f} | "
              f"{100 * found['share_of_peak']:.0f} % of {result['peak_flops_per_second'] / 1e9:.0f} | {ours} |", flush=True)


def print_largest(large):
    print("\n| largest in 22 GB, B1 T256, recomputing | parameters | layers, inner width | foretold, GB | resident, GB "
          "| tokens/s |\n|---|---|---|---|---|---|")
    for found in large:
        measured = (f"{found['resident_bytes'] / 1e9:.2f} | {found['tokens_per_second']:.0f}"
                    if "resident_bytes" in found else " | ")
        print(f"| {found['optimizer']} | {found['parameters'] / 1e9:.3f} billion | "
              f"{found['layers']}, {found['intermediate_size']} | {found['foretold_bytes'] / 1e9:.2f} | {measured} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rhodes", default="build/release/rhodes")
    parser.add_argument("--llmc", help="clone of karpathy/llm.c; without it the row llm.c is left out")
    parser.add_argument("--rows", nargs="*", choices=ROWS, default=list(ROWS), help="none: with --largest alone")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=0, help="timed steps a round (default: 1 to 6 by row)")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--scratch", type=pathlib.Path, default=pathlib.Path("bench/scratch/train_speed"))
    parser.add_argument("--largest", choices=("estimate", "step"))
    parser.add_argument("--json", type=pathlib.Path, help="also write the report to this file")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        return worker(json.loads(options.worker))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the peers are ended too
    options.rhodes = shutil.which(options.rhodes) or parser.error(f"{options.rhodes} is no program")
    options.scratch = options.scratch.resolve()
    options.scratch.mkdir(parents=True, exist_ok=True)
    report = {"rows": [], "largest": [], "failures": []}
    fail = lambda row, program, error: report["failures"].append(f"{row}: {program}: {error}")

    def write():  # after each row, so that a run that is ended leaves what it had
        if options.json:
            options.json.write_text(json.dumps(report) + "\n")

    if options.rows:
        print("| work | program | step, ms (fastest to slowest) | tokens/s | GFLOP/s | share of peak "
              "| Rhodes is faster |\n|---|---|---|---|---|---|---|", flush=True)
    for name in options.rows:
        if name == "llm.c" and not options.llmc:
            print("train_speed: no --llmc: its row is left out", file=sys.stderr)
            continue
        try:
            report["rows"].append(measure(options, name, ROWS[name], functools.partial(fail, name)))
            print_row(report["rows"][-1])
        except subprocess.CalledProcessError as error:
            fail(name, Rhodes.name, error)
        write()
    if options.largest:
        report["largest"] = largest(options)
        print_largest(report["largest"])
        write()
    print(json.dumps(report))
    for failure in report["failures"]:
        print("failed:", failure, file=sys.stderr)
    return 1 if report["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())
