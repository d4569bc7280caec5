# Messages for test/tap/json.pl: what Python's json writes, and between it what a broken producer might send.
# usage: json_messages.py orders|texts COUNT SEED; prints a message a line, hexadecimal.
import itertools
import json
import random
import sys

kind, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
rnd = random.Random(seed)
words = ["", "a", "größe", "漢字", "😀", 'quote " here', "back\\slash", "tab\t", "nul\\u0000?", "/", "\x7f", "x" * 300, "null", "1e2"]


def number():
    return rnd.choice([0, -1, 1.5, 1e2, 1e-7, 12345678901234567890123, 10**rnd.randrange(30), rnd.randrange(-(2**63), 2**63), rnd.random(), None])


def value(depth=0):
    dice = rnd.random()
    if dice < 0.3 or depth > 4:
        return rnd.choice([rnd.choice(words), number(), True, False, None])
    if dice < 0.6:
        return [value(depth + 1) for _ in range(rnd.randrange(4))]
    return {rnd.choice(words) + str(i): value(depth + 1) for i in range(rnd.randrange(4))}


def order(i):
    doc = {
        "id": i,
        "price": round(rnd.random() * 1000, 2),
        "name": rnd.choice(words),
        "tags": [rnd.choice(words) for _ in range(rnd.randrange(4))],
        "details": {"note": value(3), "items": [{"sku": rnd.choice(words), "qty": rnd.randrange(9)} for _ in range(rnd.randrange(3))]},
        "at": rnd.choice(["2024-02-29T12:34:56.789Z", "2024-02-29 12:34:56+02", None]),
        "extra": value(),
    }
    for name in list(doc):
        if name != "id" and rnd.random() < 0.1:
            del doc[name]
    names = list(doc)
    if rnd.random() < 0.5:
        rnd.shuffle(names)
    return {name: doc[name] for name in names}


def written(doc):
    text = json.dumps(doc, ensure_ascii=rnd.random() < 0.5, indent=rnd.choice([None, None, 2]), separators=rnd.choice([None, (",", ":")]))
    return text.encode()


def hostile(good):
    dice = rnd.randrange(9)
    if dice == 0:
        return good[: rnd.randrange(len(good))]
    if dice == 1:
        at = rnd.randrange(len(good))
        return good[:at] + bytes([rnd.randrange(256)]) + good[at + 1 :]
    if dice == 2:
        at = rnd.randrange(len(good))
        return good[:at] + rnd.choice([b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"\0", b"\xff", b"\xed\xa0\x80", b"1", b"\n"]) + good[at:]
    if dice == 3:
        return b'{"id": ' + rnd.choice([b"1e400", b"9" * 40, b"1.5", b"true", b'"x"', b"[1]", b"-", b"01", b"1e", b"0x1"]) + b"}"
    if dice == 4:
        return b'{"id": 1, "name": "' + rnd.choice([b"\\u0000", b"\\ud83d", b"\\ude00\\ud83d", b"\\u12", b"\\x", b"\\ud83d\\ude00"]) + b'"}'
    if dice == 5:
        return b'{"id": 1, "extra": ' + b"[" * rnd.choice([900, 999, 2000, 100000])
    if dice == 6:
        return b'{"id": 1, "id": ' + str(rnd.randrange(99)).encode() + b', "details": {"note": 1}, "details": {"items": []}}'
    if dice == 7:
        return good + rnd.choice([b" ", b"\n", b",", b"{}", b"\0", b"x"])
    return rnd.choice([b"", b" ", b"[]", b"{}", b"null", b'"x"', b"12", b"\xef\xbb\xbf{}", b'{"id"}', b"{'id': 1}", b'{"id": NaN}', b'{"tags": "{a,b}"}', b'{"tags": {"a": 1}}'])


pieces = ["{", "}", "[", "]", ",", ":", '"a"', "1", "-", "0.5", "e+1", "true", "nul", " ", '"\\u0000"', '"\\ud800', '\\udc00"', '"', "\\", "\n", "\f", "/**/", "\ufeff", "é", '{"a":', "[1,", "l"]

if kind == "orders":
    for i in range(count):
        message = written(order(i))
        print((hostile(message) if rnd.random() < 0.15 else message).hex())
else:
    short = ["".join(text) for length in (1, 2) for text in itertools.product(pieces, repeat=length)]
    for text in short:
        print(text.encode().hex())
    for _ in range(count):
        print("".join(rnd.choice(pieces) for _ in range(rnd.randrange(3, 9))).encode().hex())
