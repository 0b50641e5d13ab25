"""Telemetry to rendered documents by hand: DuckDB reads the records, Python f-strings (or Jinja2) write the text, DuckDB
writes the Parquet. The peer of bench/fuse_render.cc, on the same records and with the same texts.

  fuse_render.py DIRECTORY [--jinja] [--runs N] [--check]

DIRECTORY is what bench_fuse_render made. --check compares every text with that of DIRECTORY/out/documents.
"""
import argparse, hashlib, os, statistics, time

import duckdb

MONTHS = ("January February March April May June July August September October November December").split()


def moment(at):
    return f"{at.day} {MONTHS[at.month - 1]} {at.year}, {at.hour:02}:{at.minute:02}:{at.second:02} UTC"


def number(value, decimals):
    text = f"{value:.{decimals}f}"
    return text[1:] if text.startswith("-") and not text.strip("-0.") else text


def by_f_strings(rows):
    for identity, at, name, speed, latitude, longitude, battery, outside, inside in rows:
        text = (f"On {moment(at)} the car {name} drove {number(speed, 1)} km/h at {number(latitude, 5)} north, "
                f"{number(longitude, 5)} east.")
        if battery is not None and outside is not None:
            text += f" Its battery held {number(battery, 0)}% and it was {number(outside, 1)} °C outside."
        if inside is not None:
            text += f" The cabin was at {number(inside, 1)} °C."
        yield identity, text, at


def by_jinja(rows):
    import jinja2

    environment = jinja2.Environment()
    environment.filters.update(moment=moment, number=number)
    template = environment.from_string(
        "On {{at|moment}} the car {{name}} drove {{speed|number(1)}} km/h at {{latitude|number(5)}} north, "
        "{{longitude|number(5)}} east.{% if battery is not none and outside is not none %} Its battery held "
        "{{battery|number(0)}}% and it was {{outside|number(1)}} °C outside.{% endif %}{% if inside is not none %} The "
        "cabin was at {{inside|number(1)}} °C.{% endif %}")
    names = ("at", "name", "speed", "latitude", "longitude", "battery", "outside", "inside")
    for row in rows:
        yield row[0], template.render(zip(names, row[1:])), row[1]


def make(directory, write):
    begun = time.perf_counter()
    db = duckdb.connect()
    db.execute("SET threads = 2")
    rows = db.execute(
        "SELECT id, time, author, channels['speed'], latitude, longitude, channels['battery'], channels['outside'], "
        f"channels['inside'] FROM read_parquet('{directory}/out/records/samples/part-*.parquet')").fetchall()
    documents = [(hashlib.sha256(f"{text}\0{parent}".encode()).hexdigest()[:32], text, at, [parent])
                 for parent, text, at in write(rows)]
    documents.sort()
    import pyarrow as pa
    table = pa.table({"id": [d[0] for d in documents], "text": [d[1] for d in documents],
                      "time": [d[2] for d in documents], "parents": [d[3] for d in documents]})
    db.register("made", table)
    target = f"{directory}/peer.parquet"
    db.execute(f"COPY made TO '{target}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)")
    return time.perf_counter() - begun, target


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory")
    parser.add_argument("--jinja", action="store_true")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--check", action="store_true")
    flags = parser.parse_args()
    write = by_jinja if flags.jinja else by_f_strings
    seconds = []
    for _ in range(flags.runs):
        taken, target = make(flags.directory, write)
        seconds.append(taken)
    name = "Jinja2" if flags.jinja else "f-strings"
    print(f"DuckDB and Python {name}: median {statistics.median(seconds):.2f} s "
          f"({min(seconds):.2f} to {max(seconds):.2f})")
    if flags.check:
        ours = f"{flags.directory}/out/documents/part-*.parquet"
        wrong, count = duckdb.sql(
            f"SELECT count(*) FILTER (a.text IS DISTINCT FROM b.text OR a.parents IS DISTINCT FROM b.parents), count(*) "
            f"FROM read_parquet('{ours}') a FULL JOIN read_parquet('{target}') b ON a.id = b.id").fetchall()[0]
        print(f"{count} texts compared, {wrong} differ")
        raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
