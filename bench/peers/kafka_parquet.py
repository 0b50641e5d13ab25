"""The same way in Python: a topic of JSON lines with confluent-kafka and pyarrow, to Parquet (zstd 1) that is synced.

    pip install confluent-kafka pyarrow orjson
    python kafka_parquet.py HOST:PORT TOPIC MESSAGES OUT

Prints one JSON object, as bench/kafka_follow.mjs does. It keeps no ids, no byte ranges and no rejects, and commits nothing.
"""
import json
import os
import resource
import sys
import time

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from confluent_kafka import Consumer, TopicPartition, OFFSET_BEGINNING

address, topic, wanted, out = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
os.makedirs(out, exist_ok=True)
consumer = Consumer({"bootstrap.servers": address, "group.id": "peer", "enable.auto.commit": False,
                     "queued.max.messages.kbytes": 262144, "queued.min.messages": 10000000})
begun = time.time()
partitions = consumer.list_topics(topic, 10).topics[topic].partitions
consumer.assign([TopicPartition(topic, p, OFFSET_BEGINNING) for p in partitions])
count = size = part = 0
rows = {"n": [], "text": [], "original": [], "partition": [], "offset": []}


def write():
    global rows, part
    table = pa.table(rows)
    path = f"{out}/part-{part:05}.parquet"
    pq.write_table(table, path, compression="zstd", compression_level=1, row_group_size=8192)
    with open(path, "rb") as file:
        os.fsync(file.fileno())
    part += 1
    rows = {name: [] for name in rows}


while count < wanted:
    for message in consumer.consume(10000, 1.0):
        if message.error():
            raise SystemExit(message.error())
        value = message.value()
        record = orjson.loads(value)
        rows["n"].append(record["n"])
        rows["text"].append(record["text"])
        rows["original"].append(value)
        rows["partition"].append(message.partition())
        rows["offset"].append(message.offset())
        count += 1
        size += len(value)
    if len(rows["n"]) >= 60000:
        write()
write()
seconds = time.time() - begun
usage = resource.getrusage(resource.RUSAGE_SELF)
processor = usage.ru_utime + usage.ru_stime
print(json.dumps({"seconds": round(seconds, 3), "megabytes_per_second": round(size / 1e6 / seconds, 1),
                  "records_per_second": round(count / seconds), "processor_seconds": round(processor, 2),
                  "records_per_processor_second": round(count / processor),
                  "peak_megabytes": round(usage.ru_maxrss / 1024)}))
