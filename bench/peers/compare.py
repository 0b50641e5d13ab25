#!/usr/bin/env python3
"""Data to model: Rhodes beside the job done by hand, from one run of bench/run. Usage: compare.py RESULTS OUT"""

import json
import sys


def last_json_line(path):
    return json.loads(open(path).read().strip().splitlines()[-1])


def main():
    results, out = sys.argv[1:3]
    stages = {}
    for stage, path in (("fuse", "documents"), ("curate", "corpus"), ("tokenize", "shards"), ("train", "model")):
        stages[stage] = json.load(open(f"{out}/{path}/manifest.json"))["seconds"]
    import glob
    stages["ingest"] = sum(json.load(open(p))["seconds"] for p in glob.glob(f"{out}/records/*/manifest.json"))
    hand = last_json_line(f"{results}/by_hand.json")
    torch = last_json_line(f"{results}/pytorch.json")
    ours = sum(stages.values())
    theirs = hand["total"] + torch["seconds_to_loss"]
    data_ours = ours - stages["train"]
    print(f"data   rhodes {data_ours:8.1f} s   by hand {hand['total']:8.1f} s   ratio {hand['total'] / data_ours:6.2f}")
    print(f"train  rhodes {stages['train']:8.1f} s   PyTorch {torch['seconds_to_loss']:8.1f} s   ratio {torch['seconds_to_loss'] / stages['train']:6.2f}"
          f"   (validation loss {torch['target_loss']:.4f}; {torch.get('note', 'reached')})")
    print(f"whole  rhodes {ours:8.1f} s   by hand {theirs:8.1f} s   ratio {theirs / ours:6.2f}")


if __name__ == "__main__":
    main()
