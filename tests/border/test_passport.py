"""Passports and receipts: what is signed is what is read, and nothing else is taken."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec
import pytest

from luciole.border import crossing, passport
from luciole.border.cells import is_fit
from luciole.border.crossing import BadCrossing
from luciole.border.passport import LOGS, PROFILE, BadPassport, Passport
from luciole.keys.signing import Algorithm, SigningKey
from luciole.ledger.entry import canonical
from luciole.ledger.note import KeyKind, Signer

CELL = "6f1d2a34-9b7c-4e58-8a10-5c3de0b7f921"
OTHER = "c0ffee00-1111-4222-8333-444455556666"
KEY = SigningKey(Algorithm.ED25519, b"k" * 32)
FORGER = SigningKey(Algorithm.ED25519, b"f" * 32)
ID = UUID("01a21a62-c0de-7a10-9d39-ca84cca1e30d")


async def sign(message: bytes) -> bytes:
    return KEY.sign(message)


async def forge(message: bytes) -> bytes:
    return FORGER.sign(message)


def said(**changes: Any) -> Passport:
    logs = [
        Signer(f"luciole/{CELL}/{log}", KeyKind.ED25519, log.encode().ljust(32)) for log in LOGS
    ]
    kinds = (KeyKind.COSIGNATURE, KeyKind.SUBTREE)
    witness = [Signer("watch", kind, b"w" * 32) for kind in kinds]
    given: dict[str, Any] = {
        "v": 1,
        "name": "sg",
        "display_name": "Singapore",
        "cell_id": CELL,
        "origin": "https://sg.example",
        "operator": "An association",
        "jurisdiction": "SG",
        "key": str(passport.key_of(CELL, KEY.public)),
        "log_keys": tuple(str(one.verifier) for one in logs),
        "witness_keys": tuple(str(one.verifier) for one in witness),
        "profile": PROFILE,
        "made_at": "2026-11-26T12:00:00Z",
    }
    return Passport(**(given | changes))


async def test_passport_is_read_as_it_was_signed() -> None:
    note = await passport.made(said(), sign)
    found = passport.read(note.encode())
    assert found == said()
    assert found.log_key("border").name == f"luciole/{CELL}/border"
    assert len(found.fingerprint.split()) == 8
    assert found.fingerprint == passport.fingerprint(KEY.public)
    assert found.fingerprint != passport.fingerprint(FORGER.public)


@pytest.mark.parametrize(
    "changes",
    [
        {"v": 2},
        {"name": "SG"},
        {"name": ""},
        {"name": "a" * 21},
        {"cell_id": CELL.upper()},
        {"cell_id": OTHER},
        {"cell_id": "sg"},
        {"origin": "https://sg.example/path"},
        {"origin": "https://user@sg.example"},
        {"origin": "ftp://sg.example"},
        {"profile": "luciole:border/2"},
        {"operator": "x" * 201},
        {"operator": "two\nlines"},
        {"key": "sg"},
        {"log_keys": ()},
        {"witness_keys": ()},
        {"witness_keys": said().log_keys[:2]},
        {"log_keys": said().log_keys[::-1]},
    ],
)
async def test_passport_that_does_not_fit_together_is_refused(changes: dict[str, Any]) -> None:
    raw = canonical(msgspec.to_builtins(said(**changes)))
    note = await passport.signed(raw, passport.key_of(CELL, KEY.public), sign)
    with pytest.raises(BadPassport):
        passport.read(note.encode())


@pytest.mark.parametrize(
    "change",
    [
        lambda note: note.replace("Singapore", "Shanghai"),
        lambda note: note.replace("\n\n", "\n"),
        lambda note: note.partition("\n\n")[0],
        lambda note: note.replace('"v":1', '"v":1,"w":2'),
        lambda note: note.replace('"v":1', '"v": 1'),
        lambda note: "x" * 20_000,
        lambda note: "",
    ],
)
async def test_passport_that_was_changed_is_refused(change: Callable[[str], str]) -> None:
    note = change(await passport.made(said(), sign))
    with pytest.raises(BadPassport):
        passport.read(note.encode())


async def test_passport_signed_by_somebody_else_is_refused() -> None:
    with pytest.raises(BadPassport):
        passport.read((await passport.made(said(), forge)).encode())


@pytest.mark.parametrize(
    ("origin", "fits"),
    [
        ("https://sg.example", True),
        ("http://sg.example", False),
        ("http://127.0.0.1:8090", True),
        ("http://10.1.2.3", True),
        ("http://[::1]:8090", True),
        ("http://localhost", True),
        ("http://8.8.8.8", False),
        ("ftp://10.1.2.3", False),
        ("", False),
    ],
)
def test_cells_speak_with_tls_or_on_a_private_network(origin: str, fits: bool) -> None:
    assert is_fit(origin) == fits


# Receipts

OUT = crossing.out_entry(ID, "2026-11-26T12:00:00Z", "sg", "clip", 900, "ab" * 32)


async def receipt(verdict: str = "accepted", signer: Any = sign, **changes: Any) -> bytes:
    out = msgspec.convert(json.loads(OUT) | changes, crossing.Out)
    entry = crossing.in_entry(out, "2026-11-26T12:00:01Z", "us", verdict)
    key = passport.key_of(CELL, KEY.public)
    return (await passport.signed(crossing.receipt_text(entry), key, signer)).encode()


async def verdict(note: bytes) -> str:
    return crossing.verdict_of(note, passport.key_of(CELL, KEY.public), OUT)


async def test_receipt_says_what_the_receiver_decided() -> None:
    assert await verdict(await receipt()) == "accepted"
    assert await verdict(await receipt("not-of-the-profile")) == "not-of-the-profile"


async def test_receipt_of_another_crossing_or_signer_is_refused() -> None:
    for changes in ({"bytes": 901}, {"sha256": "cd" * 32}, {"wire": "person"}, {"id": OTHER}):
        with pytest.raises(BadCrossing, match="receipt-of-another"):
            await verdict(await receipt(**changes))
    with pytest.raises(BadCrossing, match="receipt-not-signed"):
        await verdict(await receipt(signer=forge))
    with pytest.raises(BadCrossing, match="receipt-not-understood"):
        await verdict(await receipt("Not a code"))
    key = passport.key_of(CELL, KEY.public)
    with pytest.raises(BadCrossing, match="receipt-of-another"):
        await verdict((await passport.signed(OUT, key, sign)).encode())


def test_body_has_to_be_the_one_of_the_entry() -> None:
    body = b"some bytes"
    entry = crossing.out_entry(
        ID, "2026-11-26T12:00:00Z", "sg", "clip", len(body), hashlib.sha256(body).hexdigest()
    )
    out = msgspec.convert(json.loads(entry), crossing.Out)
    crossing.check_body(out, body)
    with pytest.raises(BadCrossing, match="body-of-another"):
        crossing.check_body(out, b"other bytes")
    for changes in ({"wire": "cosign"}, {"wire": "nothing"}, {"reason": "workings"}):
        with pytest.raises(BadCrossing, match="kind-unknown"):
            crossing.check_body(msgspec.structs.replace(out, **changes), body)
