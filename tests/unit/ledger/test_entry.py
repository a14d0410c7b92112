"""Entries, labels, commitments and canonical JSON: fixed values, and what is refused."""

from __future__ import annotations

import hmac
import json
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luciole.ledger import entry
from luciole.ledger.entry import BadEntry, Class, Kind, PersonEntry, Scope, SealEntry

PERSON = PersonEntry(Kind.GRANT, Class.SELF, 0x01020304, b"L" * 32, b"C" * 32)
PERSON_BYTES = bytes.fromhex("01020101020304") + b"L" * 32 + b"C" * 32
SEAL = SealEntry(Scope.MONTH, 5, 6, 7, 8, b"R" * 32)
SEAL_BYTES = (
    bytes.fromhex("01800200000005" + "00" * 7 + "06" + "00" * 7 + "07" + "00" * 7 + "08")
    + b"R" * 32
)


def test_person_entry_has_71_bytes() -> None:
    assert PERSON.encode() == PERSON_BYTES
    assert len(PERSON_BYTES) == 71
    assert entry.decode(PERSON_BYTES) == PERSON


def test_seal_entry_has_63_bytes() -> None:
    assert SEAL.encode() == SEAL_BYTES
    assert len(SEAL_BYTES) == 63
    assert entry.decode(SEAL_BYTES) == SEAL


minutes = st.integers(0, 2**32 - 1)
numbers = st.integers(0, 2**64 - 1)
hashes = st.binary(min_size=32, max_size=32)


@given(
    st.builds(PersonEntry, st.sampled_from(Kind), st.sampled_from(Class), minutes, hashes, hashes)
    | st.builds(SealEntry, st.sampled_from(Scope), minutes, numbers, numbers, numbers, hashes)
)
def test_entry_is_read_back(made: PersonEntry | SealEntry) -> None:
    assert entry.decode(made.encode()) == made


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x01",
        PERSON_BYTES[:-1],
        PERSON_BYTES + b"\0",
        SEAL_BYTES[:-1],
        SEAL_BYTES + b"\0",
        b"\x02" + PERSON_BYTES[1:],
        b"\x02" + SEAL_BYTES[1:],
        b"\x01\x00" + PERSON_BYTES[2:],
        b"\x01\x0a" + PERSON_BYTES[2:],
        b"\x01\x81" + PERSON_BYTES[2:],
        b"\x01\x80" + PERSON_BYTES[2:],
        b"\x01\x01\x00" + PERSON_BYTES[3:],
        b"\x01\x01\x06" + PERSON_BYTES[3:],
        b"\x01\x80\x00" + SEAL_BYTES[3:],
        b"\x01\x80\x03" + SEAL_BYTES[3:],
        b"\x01\x01" + SEAL_BYTES[2:],
        b'{"kind":"release"}',
    ],
)
def test_bytes_that_are_no_entry_are_refused(raw: bytes) -> None:
    with pytest.raises(BadEntry):
        entry.decode(raw)


# Labels and commitments

KEY = bytes(range(32))


def test_labels_are_those_of_the_format() -> None:
    assert entry.label_of(KEY, 0) == sha256(b"luciole/label-key/v1" + KEY).digest()
    wanted = hmac.new(KEY, b"luciole/access/v1\0\0\0\0\0\0\1\2", sha256).digest()
    assert entry.label_of(KEY, 258) == wanted


def test_labels_differ_by_number_and_by_key() -> None:
    labels = {entry.label_of(key, n) for key in (KEY, bytes(32)) for n in range(100)}
    assert len(labels) == 200


@pytest.mark.parametrize(("key", "n"), [(KEY[:31], 1), (KEY, -1), (KEY, 2**64)])
def test_label_of_nobody_is_refused(key: bytes, n: int) -> None:
    with pytest.raises(ValueError, match="label key"):
        entry.label_of(key, n)


def test_commitment_is_that_of_the_format() -> None:
    wanted = sha256(b"luciole/open/v1" + KEY + b"{}").digest()
    assert entry.commitment(KEY, b"{}") == wanted
    with pytest.raises(ValueError, match="nonce"):
        entry.commitment(KEY[:31], b"{}")


# Canonical JSON

OPENING = {
    "v": 1, "n": 3, "at": "2026-11-26T12:00:00Z", "kind": "grant", "class": "self",
    "actor": "you", "purpose": "session", "columns": ["*"], "note": "Chrome « Ägypten » \u2028\x7f",
}  # fmt: skip


def test_canonical_json_has_one_form() -> None:
    assert entry.canonical(OPENING).decode() == (
        '{"actor":"you","at":"2026-11-26T12:00:00Z","class":"self","columns":["*"],"kind":"grant",'
        '"n":3,"note":"Chrome « Ägypten » \u2028\x7f","purpose":"session","v":1}'
    )
    assert entry.canonical({"b": '"\\/\b\f\n\r\t\0\x1f', "a": [None, True, -1, {}]}) == (
        b'{"a":[null,true,-1,{}],"b":"\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f"}'
    )


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("ab:_ 9", max_size=3), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.text("abc"), values))
def test_canonical_json_is_read_back(value: dict[str, Any]) -> None:
    raw = entry.canonical(value)
    assert entry.parse_canonical(raw) == value
    spaced = json.dumps(value, ensure_ascii=False, sort_keys=True).encode()
    if spaced != raw:
        with pytest.raises(BadEntry):
            entry.parse_canonical(spaced)


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        2**53,
        -(2**53),
        {"é": 1},
        {"\n": 1},
        {1: 1},
        {"a": 1.5},
        [b"a"],
        {"a": {"b": 0.1}},
        "\ud800",
    ],
    ids=repr,
)
def test_value_without_one_form_is_refused(value: Any) -> None:
    with pytest.raises(BadEntry):
        entry.canonical(value)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"1",
        b"{",
        b'{"a": 1}',
        b'{"a":1}\n',
        b'{"b":1,"a":1}',
        b'{"a":1,"a":1}',
        b'{"a":1.0}',
        b'{"a":1e2}',
        b'{"a":-0}',
        b'{"a":NaN}',
        b'{"a":"\\u0041"}',
        b'{"a":"\\/"}',
        b'{"a":"\\ud800"}',
        b'{"a":9007199254740992}',
        b'\xef\xbb\xbf{"a":1}',
        b'{"a":"\xff"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
    ids=lambda raw: repr(raw[:20]),
)
def test_json_of_another_form_is_refused(raw: bytes) -> None:
    with pytest.raises(BadEntry):
        entry.parse_canonical(raw)
