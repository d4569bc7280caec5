# Messages for test/tap/protobuf.pl: what Python's protobuf writes, and between it what a broken producer might send.
# usage: protobuf_messages.py COUNT SEED
# Prints the schema's files and its descriptor set as JSON, then a message a line: the value in hexadecimal and the row
# that Python reads in it, as JSON for json_populate_record; "bad" when it must be refused, "any" when that is open.
import json
import math
import os
import random
import sys
import tempfile

from google.protobuf.message import DecodeError
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf import any_pb2, duration_pb2, struct_pb2, timestamp_pb2, wrappers_pb2  # noqa: F401, in the pool
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.json_format import MessageToDict
from grpc_tools import protoc

count, seed = int(sys.argv[1]), int(sys.argv[2])
rnd = random.Random(seed)
words = ["", "a", "größe", "漢字", "😀", 'quote " here', "back\\slash", "tab\t", "\x7f", "x" * 300, "null", "1e2", "{}", "line\nend"]

files = {
    "shop/line.proto": """
syntax = "proto3";
package shop;
message Line { string sku = 1; int32 quantity = 2; optional double weight = 3; repeated sint64 marks = 4; }
""",
    "shop/order.proto": """
syntax = "proto3";
package shop;
import "shop/line.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/wrappers.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/any.proto";
enum Status { NEW = 0; PAID = 1; SHIPPED = 2; }
message Buyer { string name = 1; Buyer inviter = 2; }
message Order {
  int64 id = 1; uint64 big = 2; bool flag = 3; double ratio = 4; float small = 5; string name = 6; bytes raw = 7;
  Status status = 8; google.protobuf.Timestamp at = 9; google.protobuf.Duration took = 10;
  repeated string tags = 11; repeated fixed64 nums = 12; optional string note = 13; Buyer buyer = 14;
  repeated Line lines = 15; map<string, Line> attrs = 16; map<int32, bool> flags = 17;
  google.protobuf.Int32Value wrapped = 18; google.protobuf.Struct extra = 19;
  oneof choice { int32 number = 20; string word = 21; Line line = 22; }
  google.protobuf.Any any = 500; repeated bytes blobs = 501;
}
""",
}

with tempfile.TemporaryDirectory() as folder:
    for name, text in files.items():
        os.makedirs(os.path.dirname(f"{folder}/{name}"), exist_ok=True)
        with open(f"{folder}/{name}", "w") as out:
            out.write(text)
    google = os.path.join(os.path.dirname(protoc.__file__), "_proto")
    if protoc.main(["", f"-I{folder}", f"-I{google}", "--include_imports", f"-o{folder}/set", "shop/order.proto"]) != 0:
        sys.exit("protoc failed")
    with open(f"{folder}/set", "rb") as file:
        descriptor_set = file.read()
pool = descriptor_pool.DescriptorPool()
for file in descriptor_pb2.FileDescriptorSet.FromString(descriptor_set).file:
    pool.Add(file)
Order = message_factory.GetMessageClass(pool.FindMessageTypeByName("shop.Order"))
Line = message_factory.GetMessageClass(pool.FindMessageTypeByName("shop.Line"))


def word():
    return rnd.choice(words)


def integer(bits, signed):
    value = rnd.getrandbits(rnd.randint(1, bits - (1 if signed else 0)))
    return -value if signed and rnd.random() < 0.4 else value


def real():
    return rnd.choice([0.0, -0.5, 0.1, 1e300, 1e-7, math.inf, -math.inf, math.nan, rnd.random() * 1000])


def fill_line(line):
    line.sku = word()
    line.quantity = integer(32, True)
    if rnd.random() < 0.5:
        line.weight = rnd.choice([0.0, 1.5, 1e22])
    line.marks.extend(integer(64, True) for _ in range(rnd.randint(0, 3)))


def order():
    m = Order()
    some = lambda p=0.7: rnd.random() < p
    if some(): m.id = integer(64, True)
    if some(): m.big = integer(64, False)
    m.flag = some()
    if some(): m.ratio = real()
    if some(): m.small = real() if some(0.5) else rnd.random()
    if some(): m.name = word()
    if some(): m.raw = rnd.randbytes(rnd.randint(0, 9))
    m.status = rnd.choice([0, 1, 2, 2, 9])
    if some(): m.at.FromMicroseconds(rnd.randint(-62135596800, 253402300799) * 1000000 + rnd.randint(0, 999999))
    if some():
        m.took.FromMicroseconds(rnd.randint(-(10**15), 10**15))
    m.tags.extend(word() for _ in range(rnd.randint(0, 3)))
    m.nums.extend(integer(63, False) for _ in range(rnd.randint(0, 3)))
    if some(): m.note = word()
    if some():
        m.buyer.name = word()
        if some(): m.buyer.inviter.name = word()
    for _ in range(rnd.randint(0, 3)):
        fill_line(m.lines.add())
    for _ in range(rnd.randint(0, 3)):
        fill_line(m.attrs[rnd.choice(["color", "size", word()])])
    for _ in range(rnd.randint(0, 2)):
        m.flags[integer(32, True)] = some()
    if some(): m.wrapped.value = integer(32, True)
    if some(): m.extra.update({word(): rnd.choice([None, 1.5, "s", True, [1, {"a": None}], {}]) for _ in range(2)})
    which = rnd.randint(0, 3)
    if which == 0: m.number = integer(32, True)
    if which == 1: m.word = word()
    if which == 2: fill_line(m.line)
    if some(0.3):
        line = Line()
        fill_line(line)
        m.any.Pack(line)
    elif some(0.3):
        m.any.type_url, m.any.value = "example.com/no.Such", b"\x00\x01"
    m.blobs.extend(rnd.randbytes(3) for _ in range(rnd.randint(0, 2)))
    return m


def base64(value):
    import base64

    return base64.b64encode(value).decode()


def number(value):
    return value if math.isfinite(value) else {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")


def shown(field, value):
    kind = field.type
    if kind == FieldDescriptor.TYPE_MESSAGE:
        return message_json(value)
    if kind == FieldDescriptor.TYPE_ENUM:
        known = field.enum_type.values_by_number.get(value)
        return known.name if known else value
    if kind == FieldDescriptor.TYPE_BYTES:
        return base64(value)
    if kind == FieldDescriptor.TYPE_FLOAT and math.isfinite(value):
        # The shortest digits that are this float.
        return next(float(f"%.{n}g" % value) for n in range(1, 18) if as_float(float(f"%.{n}g" % value)) == value)
    return number(value) if isinstance(value, float) else value


def as_float(value):
    return wrappers_pb2.FloatValue(value=value).value


def message_json(message):
    name = message.DESCRIPTOR.full_name
    if name in ("google.protobuf.Timestamp", "google.protobuf.Duration"):
        return message.ToJsonString()
    if name in ("google.protobuf.Struct", "google.protobuf.Value"):
        return MessageToDict(message)
    if name == "google.protobuf.Any":
        if message.Is(Line.DESCRIPTOR):
            line = Line()
            message.Unpack(line)
            return {"@type": message.type_url, **message_json(line)}
        return {"type_url": message.type_url, "value": base64(message.value)}
    if name.startswith("google.protobuf."):
        return message.value
    row = {}
    for field in message.DESCRIPTOR.fields:
        value = getattr(message, field.name)
        if field.message_type and field.message_type.GetOptions().map_entry:
            entry = field.message_type.fields_by_name["value"]
            row[field.name] = {json.dumps(k) if not isinstance(k, str) else k: shown(entry, value[k]) for k in value}
        elif field.is_repeated:
            row[field.name] = [shown(field, one) for one in value]
        elif not field.has_presence or message.HasField(field.name):
            row[field.name] = shown(field, value)
    return row


def hexadecimal(value):
    return "\\x" + value.hex()


def row_of(m):
    doc = message_json(m)
    row = {key: doc.get(key) for key in ("id", "big", "flag", "ratio", "small", "name", "status", "at", "took", "tags", "nums", "note", "lines", "attrs", "wrapped", "extra", "number", "word")}
    row["raw"] = hexadecimal(m.raw)
    row["blobs"] = [hexadecimal(blob) for blob in m.blobs]
    row["status_no"] = m.status
    row["buyer"] = m.buyer.name if m.HasField("buyer") else None
    row["inviter"] = m.buyer.inviter.name if m.buyer.HasField("inviter") else None
    row["first_sku"] = m.lines[0].sku if m.lines else None
    row["second_mark"] = m.lines[0].marks[1] if m.lines and len(m.lines[0].marks) > 1 else None
    row["color"] = m.attrs["color"].quantity if "color" in m.attrs else None
    row["line_quantity"] = m.line.quantity if m.HasField("line") else None
    row["doc"] = doc
    return json.dumps(row)


def hostile(value):
    kind = rnd.randint(0, 5)
    if kind == 0:
        return value + b"\x0a", "bad"
    if kind == 1:
        return b"\x00" + value, "bad"
    if kind == 2:
        return value + b"\x32\xff\xff\xff\xff\x0f", "bad"
    if kind == 3:
        return value + b"\x4a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x10", "bad"
    if kind == 4:
        return value + b"\x32\x01\xff", "bad"
    damaged = bytearray(value or b"\x08")
    damaged[rnd.randrange(len(damaged))] ^= 1 << rnd.randrange(8)
    # Implementations differ in what an entry of a map is that has unknown fields.
    return bytes(damaged), "any"


def line_of(value, verdict):
    if verdict is None:
        try:
            verdict = row_of(Order.FromString(value))
        except DecodeError:
            # Two messages on end may give an Any the type of one and the value of the other.
            verdict = "any"
    return value.hex() + "\t" + verdict


print(json.dumps({"files": files, "set": descriptor_set.hex()}))
for i in range(count):
    value = order().SerializeToString()
    if rnd.random() < 0.2:
        value += order().SerializeToString()
    if rnd.random() < 0.1:
        print(line_of(*hostile(value)))
    else:
        print(line_of(value, None))
