"""The worker that people write in Python: confluent-kafka consumes, psycopg copies, and the offsets are written in the
same transaction: exactly once. The queue of librdkafka is never full, and a transaction is 100,000 rows.

usage: python_worker.py BROKERS TOPIC ROWS; libpq's environment tells the server
Ends when ROWS are committed and prints seconds, CPU ticks of itself, CPU ticks of its backend.
"""
import time

start = time.monotonic()  # the modules are part of the time

import os
import sys

import confluent_kafka
import psycopg

FETCH = 10_000
ROWS_IN_TRANSACTION = 100_000


def cpu_ticks(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def main(brokers, topic, wanted):
    consumer = confluent_kafka.Consumer({
        "bootstrap.servers": brokers,
        "broker.address.family": "v4",
        "group.id": "python_worker",
        "enable.auto.commit": False,
        "queued.min.messages": 10_000_000,
        "queued.max.messages.kbytes": 2_000_000,
    })
    with psycopg.connect(autocommit=True) as server:
        stored = dict(server.execute("SELECT partition, next_offset FROM client_offsets").fetchall())
        partitions = consumer.list_topics(topic).topics[topic].partitions
        consumer.assign([confluent_kafka.TopicPartition(topic, p, stored.get(p, 0)) for p in partitions])
        committed = 0
        while committed < wanted:
            rows = 0
            positions = {}
            with server.transaction(), server.cursor() as cursor:
                with cursor.copy("COPY target FROM STDIN (FORMAT csv)") as copy:
                    while rows < ROWS_IN_TRANSACTION and committed + rows < wanted:
                        messages = consumer.consume(FETCH, 0.1)
                        for message in messages:
                            if message.error():
                                raise confluent_kafka.KafkaException(message.error())
                            positions[message.partition()] = message.offset() + 1
                        copy.write(b"".join(message.value() + b"\n" for message in messages))
                        rows += len(messages)
                cursor.executemany(
                    "INSERT INTO client_offsets VALUES (%s, %s)"
                    " ON CONFLICT (partition) DO UPDATE SET next_offset = excluded.next_offset",
                    list(positions.items()))
            committed += rows
        seconds = time.monotonic() - start
        print(f"{seconds:.3f}\t{cpu_ticks(os.getpid())}\t{cpu_ticks(server.info.backend_pid)}")
    consumer.close()


main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
