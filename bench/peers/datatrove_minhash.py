"""Near duplicates of a JSON Lines file by datatrove's four MinHash stages, timed. Peer of bench/near_duplicates.cc.

usage: datatrove_minhash.py FILE.jsonl FOLDER [DOCUMENTS [WORKERS]]

DOCUMENTS: only the first so many (0: all). Stage 1 runs in WORKERS processes, one shard each; the rest as datatrove can.
"""
import json
import os
import shutil
import sys
import time

os.environ.setdefault("LOGURU_LEVEL", "ERROR")
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import MinhashDedupCluster, MinhashDedupFilter, MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupBuckets
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter
from datatrove.utils.typeshelper import Languages


def main():
    path, folder = sys.argv[1], sys.argv[2]
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    workers = int(sys.argv[4]) if len(sys.argv) > 4 else 2
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(f"{folder}/in")
    lines = open(path, encoding="utf-8").readlines()
    if count:
        lines = lines[:count]
    for worker in range(workers):
        with open(f"{folder}/in/{worker:05d}.jsonl", "w", encoding="utf-8") as shard:
            shard.writelines(lines[len(lines) * worker // workers : len(lines) * (worker + 1) // workers])
    text_bytes = sum(len(json.loads(line)["text"].encode()) for line in lines)
    config = MinhashConfig()
    reader = JsonlReader(f"{folder}/in")
    stages = [
        ([reader, MinhashDedupSignature(f"{folder}/sig", config=config, language=Languages.english)], workers),
        ([MinhashDedupBuckets(f"{folder}/sig", f"{folder}/dups", config=config)], config.num_buckets),
        ([MinhashDedupCluster(f"{folder}/dups", f"{folder}/remove", config=config)], 1),
        ([reader, MinhashDedupFilter(f"{folder}/remove"), JsonlWriter(f"{folder}/out", compression=None)], workers),
    ]
    begun = time.time()
    took = []
    for number, (pipeline, tasks) in enumerate(stages):
        at = time.time()
        LocalPipelineExecutor(
            pipeline, tasks=tasks, workers=min(workers, tasks), logging_dir=f"{folder}/log{number}"
        ).run()
        took.append(time.time() - at)
    seconds = time.time() - begun
    kept = sum(1 for name in os.listdir(f"{folder}/out") for _ in open(f"{folder}/out/{name}", encoding="utf-8"))
    print(
        f"datatrove: {len(lines)} documents, {text_bytes / 1e6:.1f} MB of text, {workers} workers: {seconds:.2f} s "
        f"({', '.join(f'{s:.2f}' for s in took)}): {len(lines) / seconds:.0f} documents/s, "
        f"{text_bytes / 1e6 / seconds:.2f} MB/s; dropped {len(lines) - kept}"
    )


if __name__ == "__main__":
    main()
