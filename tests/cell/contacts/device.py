"""A person's device, as the browser's client is one, in Python."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field

import numpy as np
from tests.cell.house import Browser

from luciole import blind
from luciole.cell.contacts import book, model


@dataclass
class Found:
    """What came of a look-up, and everything that was sent for it."""

    handles: dict[str, str]
    sent: list[bytes] = field(default_factory=list)
    received: list[bytes] = field(default_factory=list)


async def look(browser: Browser, contacts: list[str]) -> Found:
    """Which handles the contacts (`phone:+…`, `email:…`) have, by contact."""
    found = Found({})

    async def got(method: str, path: str, **body: object) -> bytes:
        answer = await browser.request(method, path, **body)  # type: ignore[arg-type]
        assert answer.status_code == 200, answer.text
        found.sent.append(str(answer.request.url).encode() + answer.request.content)
        found.received.append(answer.content)
        return answer.content

    terms = (await browser.get("/api/contacts/")).json()
    keys = [bytes.fromhex(key) for key in terms["keys"]]
    blinded = [blind.blind(one.encode()) for one in contacts]
    points = b"".join(point for _, point in blinded)
    answer = await got("POST", "/api/contacts/points", content=points)
    size = len(points)
    halves = answer[: size + 64], answer[size + 64 :]
    for key, half in zip(keys, halves, strict=True):
        blind.check(key, points, half[:size], half[size:])
    whole = blind.together(*(half[:size] for half in halves))
    values = {
        one: blind.finish(one.encode(), scalar, whole[i * 32 : i * 32 + 32])
        for i, (one, (scalar, _)) in enumerate(zip(contacts, blinded, strict=True))
    }
    read = await got("GET", "/api/contacts/filter")
    part_bits, bucket_bits = read[12], read[13]
    room = int.from_bytes(read[14:16], "big") * model.RECORD_BYTES
    if part_bits:
        indexes = sorted({_top(value[8:12], part_bits) for value in values.values()})
        body = {"bits": part_bits, "indexes": indexes}
        cut = await got("POST", "/api/contacts/filter", json=body)
        size = len(cut) // len(indexes)
        parts = {index: cut[i * size : (i + 1) * size] for i, index in enumerate(indexes)}
    else:
        parts = {0: read[20:]}
    sets = {index: _members(part) for index, part in parts.items()}
    matches = {}
    for one, value in values.items():
        n, members = sets[_top(value[8:12], part_bits)]
        if (int.from_bytes(value[:8], "big") * (n << model.FALSE_BITS)) >> 64 in members:
            matches[one] = value
    wanted = {_top(value[12:16], bucket_bits) for value in matches.values()}
    most = 1 << bucket_bits
    while len(wanted) < min(24, most):
        wanted.add(secrets.randbelow(most))
    order = sorted(wanted)
    pages = await got("POST", "/api/contacts/buckets", json={"bits": bucket_bits, "indexes": order})
    for one, value in matches.items():
        at = order.index(_top(value[12:16], bucket_bits)) * room
        page = pages[at : at + room]
        for i in range(0, room, model.RECORD_BYTES):
            handle = opened(value[-32:], page[i : i + model.RECORD_BYTES])
            if handle:
                found.handles[one] = handle
    return found


def opened(key: bytes, record: bytes) -> str | None:
    """The handle of a record, None where another key made it."""
    hidden, tag = record[:32], record[32:]
    made = hmac.digest(key, b"luciole/contacts/check/v1" + hidden, hashlib.sha256)[:16]
    if not hmac.compare_digest(made, tag):
        return None
    stream = hmac.digest(key, b"luciole/contacts/stream/v1" + hidden[:8], hashlib.sha512)
    return bytes(a ^ b for a, b in zip(hidden[8:], stream, strict=False)).rstrip(b"\0").decode()


def _members(part: bytes) -> tuple[int, set[int]]:
    n = int.from_bytes(part[:4], "big")
    bits = np.unpackbits(np.frombuffer(part[4:], np.uint8))
    found, at, place = set(), 0, 0
    for _ in range(n):
        start = at
        while not bits[at]:
            at += 1
        low = bits[at + 1 : at + 1 + book.RICE_BITS]
        gap = ((at - start) << book.RICE_BITS) | int("".join(map(str, low)), 2)
        at += 1 + book.RICE_BITS
        place += gap
        found.add(place)
    return n, found


def _top(piece: bytes, bits: int) -> int:
    return int.from_bytes(piece, "big") >> (32 - bits)
