#!/usr/bin/env python3
"""Rhodes' shards beside the tools whose formats they are: what Rhodes writes, they read; the same documents, the same bytes.

    python3 -m venv venv && venv/bin/pip install numpy torch datatrove mosaicml-streaming tokenizers megatron-core
    venv/bin/python bench/peers/shard_readers.py --rhodes build/release/rhodes --text FILE... [--llmc CHECKOUT]
    venv/bin/python bench/peers/shard_readers.py --goldens src/token/testdata/shards      # writes the unit tests' goldens

Each FILE is UTF-8 text; its paragraphs (blank lines between) become documents of one source; an empty document and one of
all paragraphs, longer than a small shard, join them. The documents are tokenised into every format, in one shard and in
many; each reader must give back the documents that Hugging Face tokenizers encodes, each once, on one side
of the split. datatrove and MosaicML streaming also write the same documents, which must be the same bytes. With a
checkout of llm.c, its own dataloader.h is compiled and reads the shards. A reader that is not installed is skipped and
named. Ends with 1 when anything differs.
"""
import argparse
import glob
import json
import os
import struct
import subprocess
import sys
import tempfile

import numpy as np

END_OF_TEXT = ("<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>")  # the first one that a tokenizer has
FORMATS = ("megatron", "ds", "nanogpt", "llmc", "mds")


def golden_documents(vocabulary):
    """Twelve documents of 1 to 300 tokens by a formula, the last token the greatest of the vocabulary."""
    documents = []
    for i, length in enumerate([1, 2, 3, 17, 254, 255, 256, 300, 5, 64, 1, 9]):
        tokens = [(j * 7919 + i * 104729 + j * j * 31) % (vocabulary - 1) for j in range(length - 1)]
        documents.append(tokens + [vocabulary - 1])
    return documents


def write_datatrove(documents, directory, name, width, tokenizer="golden/tokenizer.json"):
    from datatrove.pipeline.tokens.tokenizer import TokenizedFile
    file = TokenizedFile(directory, name, save_final_metadata=True, token_size=width, tokenizer_name_or_path=tokenizer)
    for tokens in documents:
        file.write(tokens, None)
    file.close()


def write_datatrove_megatron(documents, directory, name, width):
    from datatrove.pipeline.tokens.megatron_tokenizer import MegatronTokenizedFile
    file = MegatronTokenizedFile(directory, name, token_size=width)
    for tokens in documents:
        file.write(tokens)
    file.close()


def write_mds(documents, directory, width, size_limit=1 << 26):
    from streaming import MDSWriter
    dtype, column = (np.uint16, "ndarray:uint16") if width == 2 else (np.int32, "ndarray:int32")
    with MDSWriter(columns={"tokens": column}, out=directory, size_limit=size_limit) as out:
        for tokens in documents:
            out.write({"tokens": np.array(tokens, dtype)})


def write_llmc(documents, path, width, checkout):
    sys.path.insert(0, os.path.join(checkout, "dev", "data"))
    import data_common
    eot_first = [t for tokens in documents for t in [tokens[-1]] + tokens[:-1]]
    data_common.write_datafile(path, eot_first, "gpt-2" if width == 2 else "llama-3")


def write_goldens(directory, checkout):
    os.makedirs(directory, exist_ok=True)
    for width, vocabulary in ((2, 50257), (4, 128256)):
        documents = golden_documents(vocabulary)
        try:
            import datatrove  # noqa: F401
            write_datatrove(documents, directory, f"golden{width}.ds", width)
            write_datatrove_megatron(documents, directory, f"golden{width}", width)
            print("datatrove")
        except ImportError:
            print("datatrove is not here: its goldens stay as they are")
        try:
            import streaming  # noqa: F401
            for limit in (1 << 26, 2048, 512):  # the last: samples longer than a shard
                out = os.path.join(directory, f"mds{width}_{limit}")
                subprocess.run(["rm", "-rf", out], check=True)
                write_mds(documents, out, width, limit)
            print("streaming")
        except ImportError:
            print("mosaicml-streaming is not here: its goldens stay as they are")
        if checkout:
            write_llmc(documents, os.path.join(directory, f"llmc{width}.bin"), width, checkout)
    # nanoGPT's prepare.py: a memmap of 16-bit tokens, nothing else.
    flat = np.array([t for tokens in golden_documents(50257) for t in tokens], np.uint16)
    mapped = np.memmap(os.path.join(directory, "nanogpt.bin"), dtype=np.uint16, mode="w+", shape=flat.shape)
    mapped[:] = flat
    mapped.flush()


def lineage(path):
    """Rows and ends of the documents of a shard, by docs/formats.md."""
    raw = open(path, "rb").read()
    assert raw[:8] == b"RHLINE2\0", path
    documents, rows, text_bytes, tokens, data_bytes, block = struct.unpack_from("<6Q", raw, 8)
    row_bits, low_bits = struct.unpack_from("<2I", raw, 56)
    words = np.frombuffer(raw, "<u8", (len(raw) - 64) // 8, 64)
    at = -(-data_bytes // block)

    def section(bits):
        nonlocal at
        count = -(-bits // 64)
        part = np.unpackbits(words[at:at + count].view(np.uint8), bitorder="little")[:bits]
        at += count
        return part

    def numbers(bits):
        packed = section(documents * bits).reshape(documents, bits).astype(np.uint64)
        return (packed << np.arange(bits, dtype=np.uint64)).sum(axis=1, dtype=np.uint64) if bits else np.zeros(documents, np.uint64)

    row = numbers(row_bits)
    low = numbers(low_bits)
    ones = np.flatnonzero(section(documents + (tokens >> low_bits))).astype(np.uint64)
    ends = ((ones - np.arange(documents, dtype=np.uint64)) << np.uint64(low_bits)) | low
    assert len(ends) == documents and (not documents or ends[-1] == tokens) and at == len(words) - 1
    return row.tolist(), ends.tolist(), text_bytes, rows


def cut(flat, ends):
    begins = [0] + ends[:-1]
    return [flat[b:e].tolist() for b, e in zip(begins, ends)]


def megatron_indexed_dataset():
    """Megatron's own reader, or None."""
    try:
        import warnings
        warnings.simplefilter("ignore")
        from megatron.core.datasets.indexed_dataset import IndexedDataset
        return IndexedDataset
    except ImportError:
        return None


def read_megatron(directory, split, eot):
    """By hand (dtype, lengths, pointers, document borders) and by Megatron's IndexedDataset, which must agree."""
    documents = []
    reader = megatron_indexed_dataset()
    for path in sorted(glob.glob(f"{directory}/{split}-*.idx")):
        raw = open(path, "rb").read()
        assert raw[:9] == b"MMIDIDX\0\0" and struct.unpack_from("<Q", raw, 9)[0] == 1
        dtype = {8: np.uint16, 4: np.int32}[raw[17]]
        sequences, borders = struct.unpack_from("<2Q", raw, 18)
        lengths = np.frombuffer(raw, np.int32, sequences, 34)
        pointers = np.frombuffer(raw, np.int64, sequences, 34 + lengths.nbytes)
        assert np.array_equal(np.frombuffer(raw, np.int64, borders, 34 + 12 * sequences), np.arange(sequences + 1))
        flat = np.memmap(path[:-4] + ".bin", dtype, "r")
        for length, pointer in zip(lengths, pointers):
            begin = pointer // flat.itemsize
            documents.append(flat[begin:begin + length].tolist())
        if reader is not None:
            theirs = reader(path[:-4])
            assert len(theirs) == sequences and np.array_equal(theirs.document_indices, np.arange(sequences + 1))
            for i, tokens in enumerate(documents[-sequences:] if sequences else []):
                assert theirs[i].tolist() == tokens, f"{path}: IndexedDataset reads other tokens in document {i}"
            print(f"ok    megatron-core: IndexedDataset reads {len(theirs)} documents of {os.path.basename(path)}")
    return documents


def read_ds(directory, split, eot):
    """Tokens through DatatroveFolderDataset (what nanotron uses), borders through its positions."""
    from datatrove.utils.dataset import DatatroveFolderDataset
    metadata = open(sorted(glob.glob(f"{directory}/{split}/*.metadata"))[0]).read().split("\n")
    width = int(metadata[0].split("|")[1])
    dataset = DatatroveFolderDataset(f"{directory}/{split}", seq_len=63, token_size=width, return_positions=True)
    seen = np.concatenate([dataset[i]["input_ids"].numpy() for i in range(len(dataset))] or [np.zeros(0, np.int64)])
    documents = []
    files = sorted(glob.glob(f"{directory}/{split}/*.ds"))
    windows = []
    for path in files:
        flat = np.fromfile(path, {2: np.uint16, 4: np.uint32}[width])
        assert len(flat) == int(open(path + ".metadata").read().split("\n")[1])
        windows.append(flat[:len(flat) // 64 * 64])
        documents += cut(flat, np.fromfile(path + ".index", np.uint64).astype(int).tolist())
    assert np.array_equal(seen, np.concatenate(windows)), "datatrove reads other tokens"
    for i in range(min(len(dataset), 200)):
        positions = dataset[i]["positions"].numpy()
        tokens = dataset[i]["input_ids"].numpy()
        starts = np.flatnonzero(positions == 0)
        assert all(tokens[s - 1] == eot for s in starts if s > 0), "a position is 0 inside a document"
    return documents


def read_nanogpt(directory, split, eot):
    flat = np.memmap(f"{directory}/{'val' if split == 'validation' else split}.bin", np.uint16, "r")
    return cut(np.asarray(flat), (np.flatnonzero(flat == eot) + 1).tolist())


LLMC_READER = r"""
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include "llmc/dataloader.h"
int main(int argc, char** argv) {
  DataLoader loader;
  dataloader_init(&loader, argv[1], 1, 64, 0, 1, 0);
  fprintf(stderr, "%zu\n", loader.num_tokens);
  for (size_t shard = 0; shard < loader.glob_result.gl_pathc; ++shard)
    for (size_t i = 0; i < loader.shard_num_samples; ++i) {
      dataloader_next_batch(&loader);
      fwrite(loader.inputs, sizeof(int), 64, stdout);
    }
  dataloader_free(&loader);
  return argc == 2 ? 0 : 1;
}
"""


def read_llmc(directory, split, eot, checkout=None):
    name = "val" if split == "validation" else split
    documents = []
    first = []
    files = sorted(glob.glob(f"{directory}/{name}_*.bin"))
    for path in files:
        header = np.fromfile(path, np.int32, 256)
        narrow = header[0] == 20240520
        assert (header[0], header[1]) in ((20240520, 1), (20240801, 7)) and not header[3:].any()
        flat = np.fromfile(path, np.uint16 if narrow else np.uint32, offset=1024)
        assert len(flat) == header[2]
        starts = np.flatnonzero(flat == eot)
        assert starts[0] == 0
        for tokens in cut(flat, np.append(starts[1:], len(flat)).tolist()):
            documents.append(tokens[1:] + tokens[:1])
        first.append(flat)
    if checkout and narrow and len(first) == 1 and len(first[0]) > 64:
        with tempfile.TemporaryDirectory() as scratch:
            source = os.path.join(scratch, "reader.c")
            open(source, "w").write(LLMC_READER)
            subprocess.run(["gcc", "-O1", "-w", "-I", checkout, source, "-o", scratch + "/reader", "-lm"], check=True)
            out = subprocess.run([scratch + "/reader", f"{directory}/{name}_*.bin"], check=True, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE)
            # Its loader prints lines of its own before the tokens.
            tokens = np.frombuffer(out.stdout[-(len(first[0]) - 1) // 64 * 64 * 4:], np.int32)
            wanted = (len(first[0]) - 1) // 64 * 64
            tokens = np.frombuffer(out.stdout[len(out.stdout) - wanted * 4:], np.int32)
            assert np.array_equal(tokens, first[0][:wanted]), "llm.c's dataloader.h reads other tokens"
            assert int(out.stderr.split()[-1]) == len(first[0])
            print(f"ok    llmc: dataloader.h reads {wanted} tokens of {name}")
    return documents


def read_mds(directory, split, eot):
    from streaming import StreamingDataset
    from streaming.base.util import clean_stale_shared_memory
    clean_stale_shared_memory()
    dataset = StreamingDataset(local=directory, split=split, shuffle=False, batch_size=1)
    return [dataset[i]["tokens"].tolist() for i in range(dataset.num_samples)]


READERS = {"megatron": read_megatron, "ds": read_ds, "nanogpt": read_nanogpt, "llmc": read_llmc, "mds": read_mds}
LINEAGE = {"megatron": "{0}/{1}-*.lineage", "ds": "{0}/{1}/*.lineage", "nanogpt": "{0}/{2}.lineage",
           "llmc": "{0}/{2}_*.lineage", "mds": "{0}/{1}/*.lineage"}


def rewrite(kind, documents, directory, split, scratch, width, tokenizer):
    """The peer writes the documents; its files must be ours."""
    if kind == "ds":
        write_datatrove(documents, scratch, f"{split}-00000.ds", width, tokenizer)
        names = [f"{split}-00000.ds", f"{split}-00000.ds.index", f"{split}-00000.ds.metadata"]
        pairs = [(f"{directory}/{split}/{n}", f"{scratch}/{n}") for n in names]
    elif kind == "megatron":
        write_datatrove_megatron(documents, scratch, f"{split}-00000", width)
        pairs = [(f"{directory}/{split}-00000.{e}", f"{scratch}/{split}-00000.{e}") for e in ("bin", "idx")]
    elif kind == "mds":
        write_mds(documents, f"{scratch}/{split}", width)
        names = sorted(os.path.basename(p) for p in glob.glob(f"{scratch}/{split}/*"))
        pairs = [(f"{directory}/{split}/{n}", f"{scratch}/{split}/{n}") for n in names]
    else:
        return None
    for ours, theirs in pairs:
        if open(ours, "rb").read() != open(theirs, "rb").read():
            raise AssertionError(f"{ours} is not what the peer writes")
    return [os.path.basename(p) for p, _ in pairs]


def compare(options):
    from tokenizers import Tokenizer
    failures = 0
    with tempfile.TemporaryDirectory() as scratch:
        texts = []
        with open(f"{scratch}/documents.jsonl", "w", encoding="utf-8") as out:
            def add(text, source):
                texts.append(text)
                out.write(json.dumps({"text": text, "id": str(len(texts)), "sources": [source]}) + "\n")

            for path in options.text:
                for paragraph in open(path, encoding="utf-8", errors="replace", newline="").read().replace("\r\n", "\n").split("\n\n"):
                    if paragraph.strip():
                        add(paragraph, os.path.basename(path))
            add("\n\n".join(texts), "all")
            add("", "nothing")
        for vocabulary in [8192] + options.tokenizer:
            tokenizer_path = vocabulary if vocabulary in options.tokenizer else f"{scratch}/tokenizer-{vocabulary}.json"
            if tokenizer_path is not vocabulary:
                subprocess.run([options.rhodes, "tokenize", "--train", f"{scratch}/documents.jsonl", "--vocab",
                                str(vocabulary), "--out", tokenizer_path, "--quiet"], check=True, stdout=subprocess.DEVNULL)
            theirs = Tokenizer.from_file(tokenizer_path)
            theirs.encode_special_tokens = True
            eot = next(i for i in map(theirs.token_to_id, END_OF_TEXT) if i is not None)
            vocabulary = theirs.get_vocab_size()
            wanted = [e.ids + [eot] for e in theirs.encode_batch(texts, add_special_tokens=False)]
            for kind, shard_tokens in [(k, n) for k in FORMATS for n in (None, 5000)]:
                directory = f"{scratch}/{kind}-{vocabulary}-{shard_tokens}"
                if kind == "nanogpt" and (theirs.get_vocab_size() > 65536 or shard_tokens):
                    continue
                subprocess.run([options.rhodes, "tokenize", "--tokenizer", tokenizer_path, f"{scratch}/documents.jsonl",
                                "--shards", directory, "--shard-format", kind, "--quiet", "--validation", "0.05"] +
                               (["--shard-tokens", str(shard_tokens)] if shard_tokens else []),
                               check=True, stdout=subprocess.DEVNULL)
                subprocess.run([options.rhodes, "check", directory, "--quiet"], check=True, stdout=subprocess.DEVNULL)
                try:
                    seen = []
                    shard_bytes = lineage_bytes = 0
                    for split in ("train", "validation"):
                        extra = {"checkout": options.llmc} if kind == "llmc" else {}
                        documents = READERS[kind](directory, split, eot, **extra)
                        pattern = LINEAGE[kind].format(directory, split, "val" if split == "validation" else split)
                        rows = []
                        for path in sorted(glob.glob(pattern)):
                            more, ends, _, corpus = lineage(path)
                            assert corpus == len(texts)
                            lengths = [e - b for b, e in zip([0] + ends[:-1], ends)]
                            assert lengths == [len(d) for d in documents[len(rows):len(rows) + len(more)]], path
                            rows += more
                            lineage_bytes += os.path.getsize(path)
                        for row, tokens in zip(rows, documents):
                            assert tokens == wanted[row], f"{split}: document of row {row} differs"
                        seen += rows
                        with tempfile.TemporaryDirectory() as again:
                            width = 2 if theirs.get_vocab_size() <= (65499 if kind == "megatron" else 65536) else 4
                            same = None
                            if not shard_tokens:
                                same = rewrite(kind, documents, directory, split, again, width, tokenizer_path)
                            if same:
                                print(f"same  {kind} {vocabulary}: {', '.join(same)} byte for byte as the peer writes them")
                    assert sorted(seen) == list(range(len(texts))), "documents are missing or doubled"
                    for base, _, files in os.walk(directory):
                        shard_bytes += sum(os.path.getsize(f"{base}/{f}") for f in files
                                           if f.endswith((".bin", ".ds", ".mds")))
                    print(f"ok    {kind} {vocabulary}: {len(seen)} documents, lineage {100 * lineage_bytes / shard_bytes:.2f} %")
                except ImportError as error:
                    print(f"skip  {kind}: {error.name} is not installed")
                except AssertionError as error:
                    print(f"FAIL  {kind} {vocabulary}: {error}")
                    failures += 1
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rhodes", default="build/release/rhodes")
    parser.add_argument("--text", nargs="+", default=[])
    parser.add_argument("--tokenizer", action="append", default=[], metavar="FILE",
                        help="this tokenizer.json as well: of more than 65,536 tokens, for 32 bits a token")
    parser.add_argument("--llmc", help="a checkout of llm.c")
    parser.add_argument("--goldens")
    options = parser.parse_args()
    if options.goldens:
        write_goldens(options.goldens, options.llmc)
        return 0
    if not options.text:
        parser.error("--text: which files?")
    return 1 if compare(options) else 0


if __name__ == "__main__":
    sys.exit(main())
