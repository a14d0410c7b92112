"""The filter and the book, read as a device reads them."""

from __future__ import annotations

import random

import numpy as np
import pytest

from luciole.cell.contacts import book, model


def members(part: bytes) -> tuple[int, set[int]]:
    """How many, and their places, read bit by bit."""
    n = int.from_bytes(part[:4], "big")
    bits = np.unpackbits(np.frombuffer(part[4:], np.uint8))
    found, at, place = set(), 0, 0
    for _ in range(n):
        over = 0
        while not bits[at]:
            over, at = over + 1, at + 1
        at += 1
        low = int("".join(map(str, bits[at : at + book.RICE_BITS])), 2)
        at += book.RICE_BITS
        place += (over << book.RICE_BITS) | low
        found.add(place)
    return n, found


def place_of(value: bytes, n: int) -> int:
    return (int.from_bytes(value[:8], "big") * (n << model.FALSE_BITS)) >> 64


def people(number: int, seed: int = 1) -> list[bytes]:
    made = random.Random(seed)
    return [made.randbytes(64) for _ in range(number)]


def entries_of(values: list[bytes]) -> bytes:
    return b"".join(
        value[:16] + model.sealed_handle(value[-32:], model.new_nonce(), f"p{i}")
        for i, value in enumerate(sorted(values))
    )


@pytest.mark.parametrize("number", [0, 1, 2, 99, 5_000])
def test_everybody_is_in_the_whole_filter(number: int) -> None:
    values = people(number)
    made = book.edition(model.State(7, 1), entries_of(values), 1_000_000)
    assert (made.part_bits, len(made.parts), made.people) == (0, 1, number)
    n, found = members(made.parts[0])
    assert n == number
    assert {place_of(value, n) for value in values} == found
    if number == 5_000:
        strangers = people(20_000, seed=2)
        # One in 256, give or take five times the deviation of 20,000 draws.
        assert 34 <= sum(place_of(value, n) in found for value in strangers) <= 122
        # 9.54 bits each, whatever the numbers are.
        assert len(made.parts[0]) / number < 1.2


def test_a_cut_filter_has_parts_of_one_size_with_everybody_in_theirs() -> None:
    values = people(5_000)
    made = book.edition(model.State(1, 1), entries_of(values), 1_000)
    assert made.part_bits == 6
    assert len({len(part) for part in made.parts}) == 1
    read = [members(part) for part in made.parts]
    assert sum(n for n, _ in read) == 5_000
    for value in values:
        n, found = read[int.from_bytes(value[8:12], "big") >> (32 - made.part_bits)]
        assert place_of(value, n) in found


def test_every_handle_is_in_its_bucket_and_opens_with_its_key_only() -> None:
    values = sorted(people(500))
    made = book.edition(model.State(1, 1), entries_of(values), 1_000)
    assert made.bucket_bits == 4
    for i, value in enumerate(values):
        bucket = made.bucket(int.from_bytes(value[12:16], "big") >> (32 - made.bucket_bits))
        records = [bucket[at : at + 48] for at in range(0, len(bucket), 48)]
        nonces = [record[:8] for record in records]
        assert nonces == sorted(nonces)
        assert [
            record
            for record in records
            if record == model.sealed_handle(value[-32:], record[:8], f"p{i}")
        ] != []
    sizes = {len(made.bucket(index)) for index in range(16)}
    assert sizes == {made.bucket_bytes}


def test_a_record_that_is_withdrawn_leaves_a_bucket_of_the_same_size_and_order() -> None:
    values = sorted(people(40))
    made = book.edition(model.State(1, 1), entries_of(values), 1_000)
    bucket = made.bucket(0)
    records = [bucket[at : at + 48] for at in range(0, len(bucket), 48)]
    gone = records[3][:8]
    left = book.without(bucket, {gone})
    after = [left[at : at + 48] for at in range(0, len(left), 48)]
    assert len(left) == len(bucket)
    assert after == sorted(after)
    assert set(records) - set(after) == {records[3]}
    assert len(set(after) - set(records)) == 1
    assert book.without(bucket, {bytes(8)}) == bucket
