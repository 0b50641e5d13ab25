"""The joins of bench/fuse_joins.cc with what people use today, on the records that it wrote.

    fuse_joins.py DIRECTORY [duckdb] [polars] [scipy]

duckdb: SQL by hand: ASOF JOIN with a filter, and a join on a grid of rounded degrees (which is wrong at the poles and the
180th meridian). polars: join_asof with a tolerance. scipy: cKDTree over points on the unit sphere, scaled so that the
window in time is a fourth axis; its pairs are then measured. Prints seconds, pairs and the peak of the memory."""

import math
import resource
import sys
import time

EARTH = 6371008.7714
METRES, WINDOW = 1000.0, 600.0


def report(what, begun, pairs):
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{what:28} {time.time() - begun:7.1f} s  {pairs:>10} pairs  peak memory {peak:.2f} GB", flush=True)


def with_duckdb(directory):
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET threads = 2; SET memory_limit = '2500MB'")
    connection.execute(f"SET temp_directory = '{directory}/spill_peer'")
    for side in ("left", "right"):
        connection.execute(f"CREATE VIEW {side}_records AS FROM '{directory}/{side}.parquet'")
    begun = time.time()
    connection.execute(
        """CREATE TABLE joined AS SELECT l.id, CASE WHEN l.time - r.time <= INTERVAL 10 MINUTE THEN r.id END AS near_id
        FROM left_records l ASOF LEFT JOIN right_records r ON l.time >= r.time""")
    report("duckdb asof", begun, connection.sql("SELECT count(near_id) FROM joined").fetchone()[0])
    begun = time.time()
    connection.execute(
        f"""CREATE OR REPLACE TABLE joined AS
        WITH r AS (SELECT *, unnest([-1, 0, 1]) AS dy FROM right_records), rx AS (SELECT *, unnest([-1, 0, 1]) AS dx
        FROM r), rt AS (SELECT *, unnest([-1, 0, 1]) AS dt FROM rx)
        SELECT l.id, r.id AS near_id FROM left_records l JOIN rt r
        ON floor(l.latitude / 0.009) = floor(r.latitude / 0.009) + dy
        AND floor(l.longitude / 0.012) = floor(r.longitude / 0.012) + dx
        AND epoch_us(l.time) // 600000000 = epoch_us(r.time) // 600000000 + dt
        WHERE abs(epoch_us(l.time) - epoch_us(r.time)) <= 600000000 AND 2 * {EARTH} * asin(sqrt(least(1,
        pow(sin(radians(r.latitude - l.latitude) / 2), 2) + cos(radians(l.latitude)) * cos(radians(r.latitude)) *
        pow(sin(radians(r.longitude - l.longitude) / 2), 2)))) <= {METRES}""")
    report("duckdb within", begun, connection.sql("SELECT count(near_id) FROM joined").fetchone()[0])


def with_polars(directory):
    import polars

    begun = time.time()
    left = polars.read_parquet(f"{directory}/left.parquet", columns=["id", "time"]).sort("time")
    right = polars.read_parquet(f"{directory}/right.parquet", columns=["id", "time"]).sort("time")
    joined = left.join_asof(right, on="time", strategy="backward", tolerance="10m", suffix="_near")
    report("polars asof", begun, joined["id_near"].count())


def with_scipy(directory):
    import duckdb
    import numpy
    from scipy.spatial import cKDTree

    begun = time.time()

    def points(side):
        rows = duckdb.sql(
            f"SELECT epoch_us(time)::DOUBLE / 1e6 AS t, radians(latitude) AS y, radians(longitude) AS x "
            f"FROM '{directory}/{side}.parquet'").fetchnumpy()
        y, x, t = rows["y"], rows["x"], rows["t"] - 1.7672e9
        chord = 2 * math.sin(METRES / EARTH / 2)
        return numpy.stack([numpy.cos(y) * numpy.cos(x) / chord, numpy.cos(y) * numpy.sin(x) / chord, numpy.sin(y) / chord,
                            t / WINDOW], axis=1)

    left, right = points("left"), points("right")
    tree = cKDTree(right)
    pairs = 0
    for begin in range(0, len(left), 200_000):
        block = left[begin:begin + 200_000]
        found = tree.query_ball_point(block, math.sqrt(2), workers=2)
        lengths = numpy.fromiter((len(one) for one in found), dtype=numpy.int64, count=len(found))
        i = numpy.repeat(numpy.arange(len(block)), lengths)
        j = numpy.concatenate([numpy.asarray(one, dtype=numpy.int64) for one in found]) if lengths.sum() else i
        delta = block[i] - right[j]
        pairs += int(((delta[:, :3] ** 2).sum(axis=1) <= 1).__and__(abs(delta[:, 3]) <= 1).sum())
    report("scipy within", begun, pairs)


def main():
    directory = sys.argv[1]
    chosen = sys.argv[2:] or ["duckdb", "polars", "scipy"]
    for name in chosen:
        {"duckdb": with_duckdb, "polars": with_polars, "scipy": with_scipy}[name](directory)


main()
