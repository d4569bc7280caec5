# Messages for test/tap/avro.pl: what Python's fastavro writes, and between it what a broken producer might send.
# usage: avro_messages.py KIND COUNT SEED
# Prints a message a line: the value and the key in hexadecimal, and the row that fastavro reads in it, as JSON for
# json_populate_record; "bad" when it must be refused, "any" when the two may disagree. Schemas come first, as JSON.
import base64
import datetime
import decimal
import io
import json
import math
import random
import sys
import uuid

import fastavro
from fastavro.schema import fingerprint, to_parsing_canonical_form

kind, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
rnd = random.Random(seed)
words = ["", "a", "größe", "漢字", "😀", 'quote " here', "back\\slash", "tab\t", "/", "\x7f", "x" * 300, "null", "1e2", "{}", "line\nend"]
utc = datetime.timezone.utc


def logical(type_, logical_type, **more):
    return {"type": type_, "logicalType": logical_type, **more}


line = {"type": "record", "name": "Line", "fields": [{"name": "sku", "type": "string"}, {"name": "n", "type": "int"}, {"name": "w", "type": "double"}]}
order = {
    "type": "record",
    "name": "shop.Order",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "skipped", "type": {"type": "array", "items": {"type": "map", "values": ["null", "string"]}}},
        {"name": "price", "type": logical("bytes", "decimal", precision=38, scale=4)},
        {"name": "weight", "type": logical("fixed", "decimal", name="W", size=8, precision=18, scale=2)},
        {"name": "name", "type": ["null", "string"]},
        {"name": "tags", "type": {"type": "array", "items": "string"}},
        {"name": "at", "type": ["null", logical("long", "timestamp-micros")]},
        {"name": "ms", "type": logical("long", "timestamp-millis")},
        {"name": "wall", "type": logical("long", "local-timestamp-micros")},
        {"name": "day", "type": logical("int", "date")},
        {"name": "clock", "type": logical("long", "time-micros")},
        {"name": "uid", "type": logical("string", "uuid")},
        {"name": "raw", "type": "bytes"},
        {"name": "code", "type": {"type": "fixed", "name": "Code", "size": 3}},
        {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["NEW", "PAID", "SENT"]}},
        {"name": "ok", "type": "boolean"},
        {"name": "f", "type": "float"},
        {"name": "d", "type": "double"},
        {"name": "details", "type": {"type": "record", "name": "Details", "fields": [
            {"name": "note", "type": ["null", "string", "long", "boolean"]},
            {"name": "lines", "type": {"type": "array", "items": line}},
            {"name": "attributes", "type": {"type": "map", "values": "string"}},
            {"name": "parent", "type": ["null", "Details"]}]}},
    ],
}


def text():
    return rnd.choice(words)


def details(depth):
    return {
        "note": rnd.choice([None, text(), rnd.randrange(-(2**63), 2**63), True]),
        "lines": [{"sku": text(), "n": rnd.randrange(-(2**31), 2**31), "w": rnd.random()} for _ in range(rnd.randrange(4))],
        "attributes": {text() + str(i): text() for i in range(rnd.randrange(4))},
        "parent": details(depth + 1) if rnd.random() < 0.3 and depth < 6 else None,
    }


def real():
    return rnd.choice([0.0, -1.5, 1e300, 1e-300, rnd.random(), float(rnd.randrange(10**9)), math.inf, -math.inf, math.nan])


def order_of(i):
    at = datetime.datetime(1970, 1, 1, tzinfo=utc) + datetime.timedelta(microseconds=rnd.randrange(-(10**16), 10**17))
    return {
        "id": i,
        "skipped": [{text(): rnd.choice([None, text()])} for _ in range(rnd.randrange(3))],
        "price": decimal.Decimal(rnd.randrange(-(10**rnd.randrange(1, 37)), 10**rnd.randrange(1, 37))).scaleb(-4, decimal.Context(prec=60)),
        "weight": decimal.Decimal(rnd.randrange(-(10**18) + 1, 10**18)).scaleb(-2, decimal.Context(prec=60)),
        "name": rnd.choice([None, text()]),
        "tags": [text() for _ in range(rnd.randrange(4))],
        "at": rnd.choice([None, at]),
        "ms": at.replace(microsecond=at.microsecond // 1000 * 1000),
        "wall": at.replace(tzinfo=None),
        "day": at.date(),
        "clock": datetime.time(rnd.randrange(24), rnd.randrange(60), rnd.randrange(60), rnd.randrange(10**6)),
        "uid": uuid.UUID(int=rnd.getrandbits(128)),
        "raw": rnd.randbytes(rnd.randrange(20)),
        "code": rnd.randbytes(3),
        "kind": rnd.choice(["NEW", "PAID", "SENT"]),
        "ok": rnd.random() < 0.5,
        "f": fastavro_float(),
        "d": real(),
        "details": details(0),
    }


def fastavro_float():
    return float(rnd.choice([0.0, -1.5, 0.5, 1024.25, float(rnd.randrange(10**6))]))


def write(schema, value):
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema, value)
    return out.getvalue()


# As the decoder shows it in JSON.
def plain(value):
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, (datetime.date, datetime.time, uuid.UUID)):
        return str(value)
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def row_of(value):
    row = plain(value)
    row["raw"] = "\\x" + value["raw"].hex()
    row["code"] = "\\x" + value["code"].hex()
    row["note"] = value["details"]["note"]
    lines = value["details"]["lines"]
    row["sku"] = lines[1]["sku"] if len(lines) > 1 else None
    row["a0"] = value["details"]["attributes"].get("a0")
    row["details"] = plain(value["details"])
    return row


def zigzag(number):
    number = (number << 1) ^ (number >> 63)
    out = b""
    while number >= 0x80:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


# Any change of a byte: when fastavro reads a value that it would write like this, both must read the same.
def judged(schema, message):
    try:
        stream = io.BytesIO(message)
        value = fastavro.schemaless_reader(stream, schema)
        if stream.tell() == len(message) and write(schema, value) == message and "\0" not in json.dumps(plain(value)) and "\\u0000" not in json.dumps(plain(value)):
            return row_of(value)
    except Exception:
        pass
    return "any"


def show(message, expected, key=b""):
    print(message.hex(), key.hex(), json.dumps(expected), sep="\t")


def broken(schema, good, frame=b""):
    dice = rnd.randrange(6)
    if dice == 0:
        return frame + good[: rnd.randrange(len(good))], "bad"
    if dice == 1:
        return frame + good + rnd.randbytes(rnd.randrange(1, 5)), "bad"
    if dice == 2:
        return frame + zigzag(7) + zigzag(2 ** rnd.randrange(20, 62)) + good[:20], "bad"
    if dice == 3:
        return frame + zigzag(7) + zigzag(-5) + zigzag(2 ** rnd.randrange(20, 62)), "bad"
    if dice == 4:
        return frame + b"\xff" * rnd.randrange(1, 40), "bad"
    at = rnd.randrange(len(good))
    changed = good[:at] + rnd.randbytes(1) + good[at + 1:]
    return frame + changed, judged(schema, changed)


def single_object(schema):
    # fastavro shows the fingerprint in the order of its bytes in the message.
    return b"\xc3\x01" + bytes.fromhex(fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO"))


if kind == "orders":
    parsed = fastavro.parse_schema(order)
    print(json.dumps([order]))
    for i in range(count):
        value = order_of(i)
        good = write(parsed, value)
        if rnd.random() < 0.1:
            show(*broken(parsed, good))
        else:
            show(good, row_of(value))
elif kind == "versions":
    first = {"type": "record", "name": "V", "fields": [{"name": "id", "type": "int"}, {"name": "title", "type": "string"}, {"name": "gone", "type": "bytes"}]}
    second = {"type": "record", "name": "V", "fields": [
        {"name": "added", "type": {"type": "array", "items": "int"}}, {"name": "id", "type": "long"}, {"name": "name", "type": ["null", "string"]}]}
    reader = {"type": "record", "name": "V", "fields": [
        {"name": "id", "type": "double"}, {"name": "name", "type": ["null", "string"], "aliases": ["title"]},
        {"name": "added", "type": {"type": "array", "items": "long"}, "default": [1, 2]},
        {"name": "state", "type": {"type": "enum", "name": "S", "symbols": ["OLD", "NEW"]}, "default": "OLD"}]}
    print(json.dumps([first, second, reader]))
    writers = [fastavro.parse_schema(s) for s in (first, second)]
    parsed_reader = fastavro.parse_schema(reader)
    frames = [single_object(s) for s in (first, second)]
    for i in range(count):
        which = rnd.randrange(2)
        if which == 0:
            value = {"id": rnd.randrange(-(2**31), 2**31), "title": text(), "gone": rnd.randbytes(5)}
        else:
            value = {"added": [rnd.randrange(100) for _ in range(rnd.randrange(4))], "id": rnd.randrange(-(2**40), 2**40), "name": rnd.choice([None, text()])}
        good = write(writers[which], value)
        if rnd.random() < 0.1:
            bad = rnd.choice([frames[which] + good[:-1], good, b"\xc3\x01" + bytes(8) + good, frames[which][:7], b"{}", frames[which] + good + b"\0"])
            show(bad, "bad")
        else:
            read = fastavro.schemaless_reader(io.BytesIO(good), writers[which], parsed_reader)
            show(frames[which] + good, read)
elif kind == "changes":
    row = {"type": "record", "name": "Value", "fields": [
        {"name": "id", "type": "int"}, {"name": "v", "type": ["null", "string"]},
        {"name": "at", "type": {"type": "long", "connect.version": 1, "connect.name": "io.debezium.time.MicroTimestamp"}}], "connect.name": "shop.Value"}
    envelope = {"type": "record", "name": "Envelope", "namespace": "shop", "fields": [
        {"name": "before", "type": ["null", row]}, {"name": "after", "type": ["null", "Value"]},
        {"name": "source", "type": {"type": "record", "name": "Source", "fields": [{"name": "lsn", "type": "long"}]}},
        {"name": "op", "type": "string"}, {"name": "ts_ms", "type": ["null", "long"]}], "connect.name": "shop.Envelope"}
    key = {"type": "record", "name": "shop.Key", "fields": [{"name": "id", "type": "int"}]}
    print(json.dumps([envelope, key]))
    writer, key_writer = fastavro.parse_schema(envelope), fastavro.parse_schema(key)
    rows = {}
    for lsn in range(count):
        id_ = rnd.randrange(50)
        before = rows.get(id_)
        after = {"id": id_, "v": rnd.choice([None, text()]), "at": rnd.randrange(10**15)}
        if before and rnd.random() < 0.3:
            op, after = "d", None
            shown_before = rnd.choice([before, None])
        else:
            op = "u" if before else rnd.choice("cr")
            shown_before = before
            if before and before["v"] is not None and rnd.random() < 0.2:
                after = dict(after, v=before["v"])
        if after is None:
            rows.pop(id_, None)
        else:
            rows[id_] = after
        written = after
        if op == "u" and before["v"] is not None and after["v"] == before["v"]:
            written = dict(after, v="__debezium_unavailable_value")
        event = {"before": shown_before, "after": written, "source": {"lsn": lsn}, "op": op, "ts_ms": lsn}
        show(write(writer, event), None, write(key_writer, {"id": id_}))
        if rnd.random() < 0.05:
            show(write(writer, dict(event, op="x")), "bad", write(key_writer, {"id": id_}))
    print(json.dumps(list(rows.values())))
