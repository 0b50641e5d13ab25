"""A topic of JSON lines to Parquet as one would write it by hand: confluent-kafka and pyarrow, in one thread.

    python kafka_follow.py ADDRESS TOPIC MESSAGES OUT

Takes all partitions from their beginnings, parses batches of messages with pyarrow's JSON reader (multi-threaded C++), and
writes them beside the messages' bytes, partition and offset: zstd level 1, a file each 64 MB of input, synced to the disk.
No ids, no telling of duplicates, no positions kept: less than the program does. Prints one line of JSON.
"""

import io
import json
import os
import resource
import sys
import time

import pyarrow as pa
import pyarrow.json
import pyarrow.parquet as pq
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

address, topic, wanted, out = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
consumer = Consumer({"bootstrap.servers": address, "group.id": "peer", "enable.auto.commit": False,
                     "isolation.level": "read_committed", "queued.max.messages.kbytes": 65536,
                     "fetch.message.max.bytes": 8388608, "fetch.wait.max.ms": 100})
partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
consumer.assign([TopicPartition(topic, p, OFFSET_BEGINNING) for p in partitions])
os.makedirs(out, exist_ok=True)
begun = None
seen = total = held = number = 0
tables = []


def close_part():
    global tables, held, number
    path = os.path.join(out, f"part-{number:05}.parquet")
    pq.write_table(pa.concat_tables(tables), path, compression="zstd", compression_level=1, row_group_size=8192)
    with open(path, "rb") as file:
        os.fsync(file.fileno())
    tables, held, number = [], 0, number + 1


while seen < wanted:
    messages = [m for m in consumer.consume(8192, timeout=1.0) if m.error() is None]
    if not messages:
        continue
    begun = begun or time.monotonic()
    values = [m.value() for m in messages]
    table = pyarrow.json.read_json(io.BytesIO(b"\n".join(values)),
                                   read_options=pyarrow.json.ReadOptions(block_size=64 << 20))
    assert table.num_rows == len(values)
    table = table.append_column("original", pa.array(values, pa.binary()))
    table = table.append_column("partition", pa.array([m.partition() for m in messages], pa.int32()))
    tables.append(table.append_column("offset", pa.array([m.offset() for m in messages], pa.int64())))
    size = sum(map(len, values))
    seen, total, held = seen + len(values), total + size, held + size
    if held >= 64 << 20:
        close_part()
if tables:
    close_part()
seconds = time.monotonic() - begun
usage = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"seconds": round(seconds, 3), "megabytes_per_second": round(total / 1e6 / seconds, 1),
                  "records_per_second": round(seen / seconds),
                  "processor_seconds": round(usage.ru_utime + usage.ru_stime, 2),
                  "peak_megabytes": usage.ru_maxrss // 1024}))
