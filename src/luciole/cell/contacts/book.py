"""The filter of tags, and the book of sealed handles, as devices fetch them.

Up to `whole_up_to` people the filter is one part, which every device fetches whole: who looks for
whom stays on the device. Above it is cut by a piece of the tag into parts of about a hundred. A
part is a Golomb-coded set: with `n` members, each is a number below `n * 2^FALSE_BITS`; sorted, the
gaps are written with `RICE_BITS` low bits and the rest in unary.

The book is always cut, into buckets of about fifty records, by another piece of the tag; every
bucket is filled up with random bytes to the size of the fullest. A device fetches a fixed number of
them, real ones among dummies.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence, Set
from typing import Any

import msgspec
import numpy as np

from luciole.cell.contacts import store
from luciole.cell.contacts.model import (
    FALSE_BITS,
    MARK_BYTES,
    NONCE_BYTES,
    PEOPLE_PER_BUCKET,
    PEOPLE_PER_PART,
    RECORD_BYTES,
    NothingAsked,
    State,
)
from luciole.kit.db import Database

RICE_BITS = 7
ENTRY_BYTES = MARK_BYTES + RECORD_BYTES
# Read in so many pieces.
PIECES = 16
# People who are leaving drop out without a new edition.
OLDEST_S = 600.0
# Making a filter takes at most this share of a core.
SHARE = 0.05

Array = np.ndarray[Any, np.dtype[Any]]


class Edition(msgspec.Struct, frozen=True):
    """A filter and a book that belong together, under one round of the key."""

    number: int
    round: int
    people: int
    part_bits: int
    parts: tuple[bytes, ...]
    bucket_bits: int
    bucket_bytes: int
    book: bytes

    def bucket(self, index: int) -> bytes:
        """Raises NothingAsked."""
        if not 0 <= index < 1 << self.bucket_bits:
            raise NothingAsked
        return self.book[index * self.bucket_bytes : (index + 1) * self.bucket_bytes]

    def part(self, index: int) -> bytes:
        """Raises NothingAsked."""
        if not 0 <= index < len(self.parts):
            raise NothingAsked
        return self.parts[index]


def edition(state: State, entries: bytes, whole_up_to: int) -> Edition:
    """A filter and a book of marks (16 bytes) with records (48 bytes)."""
    rows = np.frombuffer(entries, np.uint8).reshape(-1, ENTRY_BYTES)
    marks = np.ascontiguousarray(rows[:, :MARK_BYTES])
    tags = marks[:, :8].copy().view(">u8").astype(np.uint64).ravel()
    of_part = marks[:, 8:12].copy().view(">u4").astype(np.uint32).ravel()
    of_bucket = marks[:, 12:16].copy().view(">u4").astype(np.uint32).ravel()
    people = len(rows)
    part_bits = 0 if people <= whole_up_to else _bits(people, PEOPLE_PER_PART)
    where = _top(of_part, part_bits)
    order = np.argsort(where, kind="stable")
    ends = np.searchsorted(where[order], np.arange((1 << part_bits) + 1))
    parts = [coded(tags[order[ends[i] : ends[i + 1]]]) for i in range(1 << part_bits)]
    if part_bits:
        # All of one size, so that a bucket's size tells nothing to who only counts bytes.
        size = max(map(len, parts))
        parts = [one.ljust(size, b"\0") for one in parts]
    bucket_bits = _bits(people, PEOPLE_PER_BUCKET)
    records = np.ascontiguousarray(rows[:, MARK_BYTES:])
    book, bucket_bytes = _book(_top(of_bucket, bucket_bits), records, bucket_bits)
    return Edition(
        state.number,
        state.round,
        people,
        part_bits,
        tuple(parts),
        bucket_bits,
        bucket_bytes,
        book,
    )


def without(bucket: bytes, gone: Set[bytes]) -> bytes:
    """A bucket with random bytes in the place of records that are not to be found any more. `gone`:
    how those begin."""
    if not gone:
        return bucket
    records = [bucket[i : i + RECORD_BYTES] for i in range(0, len(bucket), RECORD_BYTES)]
    if not any(record[:NONCE_BYTES] in gone for record in records):
        return bucket
    return b"".join(
        sorted(
            secrets.token_bytes(RECORD_BYTES) if record[:NONCE_BYTES] in gone else record
            for record in records
        )
    )


def coded(tags: Array) -> bytes:
    """A Golomb-coded set: how many (4 bytes), then the gaps."""
    n = len(tags)
    head = n.to_bytes(4, "big")
    if not n:
        return head
    # (tag * n * 2^FALSE_BITS) >> 64, in two halves of 32 bits.
    room = n << FALSE_BITS
    high, low = tags >> np.uint64(32), tags & np.uint64(0xFFFFFFFF)
    places = np.sort(_scaled(high, low, room))
    gaps = np.diff(places, prepend=np.uint64(0))
    over = (gaps >> np.uint64(RICE_BITS)).astype(np.int64)
    lengths = over + 1 + RICE_BITS
    ends = np.cumsum(lengths)
    bits = np.zeros(int(ends[-1]), np.uint8)
    stops = ends - lengths + over
    bits[stops] = 1
    for i in range(RICE_BITS):
        bits[stops + 1 + i] = ((gaps >> np.uint64(RICE_BITS - 1 - i)) & np.uint64(1)).astype(
            np.uint8
        )
    return head + np.packbits(bits).tobytes()


def _scaled(high: Array, low: Array, room: int) -> Array:
    """(high * 2^32 + low) * room >> 64, without more than 64 bits at a time."""
    room_high, room_low = np.uint64(room >> 32), np.uint64(room & 0xFFFFFFFF)
    shift = np.uint64(32)
    mask = np.uint64(0xFFFFFFFF)
    low_low, high_low = low * room_low, high * room_low
    low_high, high_high = low * room_high, high * room_high
    middle = (low_low >> shift) + (high_low & mask) + (low_high & mask)
    scaled: Array = high_high + (high_low >> shift) + (low_high >> shift) + (middle >> shift)
    return scaled


def _bits(people: int, each: int) -> int:
    """The number of bits of a tag that cut people into groups of at most about so many."""
    return max(-(-people // each) - 1, 0).bit_length()


def _top(values: Array, bits: int) -> Array:
    top: Array = (values.astype(np.uint64) << np.uint64(bits)) >> np.uint64(32)
    return top.astype(np.int64)


def _book(where: Array, records: Array, bits: int) -> tuple[bytes, int]:
    buckets = 1 << bits
    counts = np.bincount(where, minlength=buckets)
    room = max(int(counts.max()), 1)
    book = np.frombuffer(secrets.token_bytes(buckets * room * RECORD_BYTES), np.uint8).copy()
    shaped = book.reshape(buckets, room, RECORD_BYTES)
    order = np.argsort(where, kind="stable")
    starts = np.concatenate(([0], np.cumsum(counts)[:-1]))
    within = np.arange(len(order)) - starts[where[order]]
    # The order in a bucket tells nothing: records are as random as what fills it up, and sorted.
    shaped[where[order], within] = records[order]
    for bucket in shaped:
        bucket[:] = bucket[np.lexsort(bucket.T[::-1])]
    return book.tobytes(), room * RECORD_BYTES


class Shelf:
    """The newest edition, made when it is asked for, at most so often that it takes little."""

    def __init__(
        self, db: Database, whole_up_to: int, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._db, self._whole_up_to, self._monotonic = db, whole_up_to, monotonic
        self._edition: Edition | None = None
        self._made_at = self._took_s = 0.0
        self._making = asyncio.Lock()

    async def newest(self) -> Edition:
        async with self._making:
            now = self._monotonic()
            age = now - self._made_at
            async with self._db.snapshot() as tx:
                state = await store.state(tx)
                # Of a round that is over, nothing is given out.
                if (made := self._edition) and made.round == state.round:
                    is_new = made.number == state.number and age < OLDEST_S
                    if is_new or age < self._took_s / SHARE:
                        return made
                entries = b"".join([await store.entries(tx, *ends) for ends in _pieces()])
            made = await asyncio.to_thread(edition, state, entries, self._whole_up_to)
            self._edition, self._made_at = made, self._monotonic()
            self._took_s = self._made_at - now
            return made

    def forget(self) -> None:
        """For another database under the same process, as tests have it."""
        self._edition = None


def _pieces() -> Sequence[tuple[bytes, bytes | None]]:
    step = 256 // PIECES
    starts = [bytes([i * step]) for i in range(PIECES)]
    return list(zip(starts, [*starts[1:], None], strict=True))
