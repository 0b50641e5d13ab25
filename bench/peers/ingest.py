"""X posts as JSON lines into stored Parquet: `rhodes ingest` beside DuckDB's read_json + COPY TO parquet (zstd).

  ingest.py RHODES SCRATCH [--samples FILE.jsonl[.gz]...] [--megabytes N] [--runs N] [--no-peer] [--large GIGABYTES]

Input is made of the posts in --samples, repeated under other ids and with other words until it has N megabytes: v1.1
posts as the stream writes them, and v2 posts, one a line. Both programs run in turn on the same file on the same
cores; the median of --runs counts. Rhodes keeps lineage and the original bytes of each post, DuckDB the
typed columns it finds. --large measures the memory on an input of that size instead, and 1 against 2 cores.
"""
import argparse, gzip, json, os, random, resource, shutil, statistics, subprocess, sys, time


def open_text(path):
    return gzip.open(path, "rt", encoding="utf-8") if path.endswith(".gz") else open(path, encoding="utf-8")


def posts_of(paths):
    for path in paths:
        for line in open_text(path):
            value = json.loads(line)
            data = value.get("data", value)
            for post in data if isinstance(data, list) else [data]:
                if isinstance(post, dict) and ("full_text" in post or "text" in post) and "id" in post:
                    yield post


def write_posts(path, posts, size, seed=1):
    """Lines of posts that differ in id and text, until `size` bytes are written. The number of lines."""
    # Each template is cut at its id and at the end of its text, so that a line is made by joining strings.
    templates = []
    for post in posts:
        own = str(post.get("id_str", post["id"]))
        key = "full_text" if "full_text" in post else "text"
        post = dict(post, **{key: post[key] + "\x01"})
        line = json.dumps(post, ensure_ascii=False, separators=(",", ":")).replace(own, "\x00").replace("\\u0001", "\x01")
        pieces = []
        for number, part in enumerate(line.split("\x00")):
            if number:
                pieces.append(None)
            for position, text in enumerate(part.split("\x01")):
                if position:
                    pieces.append(False)
                pieces.append(text)
        templates.append(pieces)
    words = "harbour lantern meadow orchard pebble quarry river saddle timber valley willow amber basin cedar delta".split()
    chance = random.Random(seed)
    written = lines = 0
    with open(path, "w", encoding="utf-8", buffering=1 << 22) as out:
        while written < size:
            for pieces in templates:
                number = str(1000000000000000000 + lines * 4194304 + chance.randrange(4096))
                more = f" {words[lines % 15]} {words[lines // 15 % 15]} {lines}"
                line = "".join(number if p is None else more if p is False else p for p in pieces) + "\n"
                written += out.write(line)
                lines += 1
                if written >= size:
                    break
    return lines


def timed(cores, command):
    """Seconds and peak bytes of a child process that is kept to some cores."""
    command = ["taskset", "-c", ",".join(str(core) for core in range(cores)), *command]
    begun = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"failed: {' '.join(command)}")
    return time.monotonic() - begun, usage.ru_maxrss * 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rhodes")
    parser.add_argument("scratch")
    parser.add_argument("--samples", nargs="+", required=True)
    parser.add_argument("--megabytes", type=int, default=300)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--large", type=float)
    options = parser.parse_args()
    os.makedirs(options.scratch, exist_ok=True)
    path = os.path.join(options.scratch, "posts.jsonl")
    size = int(options.large * 1e9) if options.large else options.megabytes * 1000000
    lines = write_posts(path, list(posts_of(options.samples)), size)
    size = os.path.getsize(path)
    print(f"{lines} posts, {size / 1e6:.0f} MB", flush=True)
    out = os.path.join(options.scratch, "out")

    def rhodes(cores):
        shutil.rmtree(out, ignore_errors=True)
        return timed(cores, [options.rhodes, "ingest", path, "--name", "posts", "--out", out, "--quiet"])

    copy = ("import duckdb, sys\nc = duckdb.connect()\nc.execute(f'SET threads = {sys.argv[1]}')\n"
            "c.execute(f\"COPY (SELECT * FROM read_json('{sys.argv[2]}', format = 'newline_delimited')) "
            "TO '{sys.argv[3]}' (FORMAT parquet, COMPRESSION zstd)\")")

    def duckdb(cores):
        return timed(cores, [sys.executable, "-c", copy, str(cores), path, os.path.join(options.scratch, "duckdb.parquet")])

    results = {"posts": lines, "bytes": size}
    runs = 1 if options.large else options.runs
    for cores in (1, 2):
        mine, theirs = [], []
        for _ in range(runs):
            mine.append(rhodes(cores))
            if not options.no_peer and not options.large:
                theirs.append(duckdb(cores))
        for name, times in (("rhodes", mine), ("duckdb", theirs)):
            if times:
                seconds = statistics.median(each[0] for each in times)
                results[f"{name}_{cores}"] = {"seconds": round(seconds, 3), "mb_per_second": round(size / 1e6 / seconds, 1),
                                                "peak_mb": round(max(each[1] for each in times) / 1e6)}
                print(f"{name:7} {cores} cores: {seconds:8.2f} s {size / 1e6 / seconds:8.1f} MB/s  peak "
                      f"{max(each[1] for each in times) / 1e6:.0f} MB", flush=True)
        if theirs:
            print(f"ratio   {cores} cores: {statistics.median(t[0] for t in theirs) / statistics.median(m[0] for m in mine):.2f}")
    print(f"1 to 2 cores: {results['rhodes_1']['seconds'] / results['rhodes_2']['seconds']:.2f} times")
    stored = subprocess.run([options.rhodes, "sql", out, "SELECT count(*) AS n FROM posts", "--format", "json"],
                            capture_output=True, text=True, check=True).stdout
    results["stored"] = json.loads(stored)["n"]
    print(json.dumps(results))


main()
