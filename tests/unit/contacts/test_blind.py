"""The blinded function against the RFC's own numbers, and what must not be taken."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from luciole import blind

# RFC 9497, appendix A.1.2, in case the shared vectors are not at hand.
SEED, INFO = bytes([0xA3] * 32), b"test key"
SECRET = "e6f73f344b79b379f1a0dd37e07ff62e38d9f71345ce62ae3a9bc60b04ccd909"
PUBLIC = "c803e2cc6b05fc15064549b5920659ca4a77b2cca6f04f6b357009335476ad4e"


def vectors() -> list[dict[str, Any]]:
    corpus = os.environ.get("LUCIOLE_CORPUS")
    place = Path(corpus or "nowhere") / "tlog-vectors" / "rfc9497" / "allVectors.json"
    if not place.is_file():
        pytest.skip("LUCIOLE_CORPUS names no folder with the vectors of RFC 9497")
    (suite,) = (
        one
        for one in json.loads(place.read_text())
        if one["identifier"] == "ristretto255-SHA512" and one["mode"] == 1
    )
    assert suite["skSm"] == SECRET
    return list(suite["vectors"])


def hexes(text: str) -> list[bytes]:
    return [bytes.fromhex(part) for part in text.split(",")]


def test_keys_are_those_of_the_rfc() -> None:
    key = blind.derive_key(SEED, INFO)
    assert key.hex() == SECRET
    assert blind.public_key(key).hex() == PUBLIC


def test_every_vector_of_the_rfc() -> None:
    key, public = bytes.fromhex(SECRET), bytes.fromhex(PUBLIC)
    found = vectors()
    assert len(found) == 3
    for one in found:
        points = b"".join(hexes(one["BlindedElement"]))
        answers, proof = blind.evaluate(key, points)
        assert answers == b"".join(hexes(one["EvaluationElement"]))
        blind.check(public, points, answers, proof)
        # The RFC's own proof, made with another random number.
        blind.check(public, points, answers, bytes.fromhex(one["Proof"]["proof"]))
        for text, scalar, answer, output in zip(
            hexes(one["Input"]),
            hexes(one["Blind"]),
            hexes(one["EvaluationElement"]),
            hexes(one["Output"]),
            strict=True,
        ):
            assert blind.finish(text, scalar, answer) == output


def test_two_halves_make_what_neither_makes() -> None:
    one, two = blind.derive_key(bytes(32), b"a"), blind.derive_key(bytes(32), b"b")
    scalar, point = blind.blind(b"phone:+33612345678")
    again, other_point = blind.blind(b"phone:+33612345678")
    assert point != other_point
    answers = [blind.evaluate(key, point)[0] for key in (one, two)]
    whole = blind.finish(b"phone:+33612345678", scalar, blind.together(*answers))
    others = [blind.evaluate(key, other_point)[0] for key in (one, two)]
    assert blind.finish(b"phone:+33612345678", again, blind.together(*others)) == whole
    for alone in answers:
        assert blind.finish(b"phone:+33612345678", scalar, alone) != whole


@pytest.mark.parametrize("changed", ["proof", "answer", "key", "order", "fewer"])
def test_what_the_key_did_not_make_is_refused(changed: str) -> None:
    key = blind.derive_key(bytes(32), b"")
    points = b"".join(blind.blind(bytes([i]))[1] for i in range(3))
    answers, proof = blind.evaluate(key, points)
    public = blind.public_key(key)
    blind.check(public, points, answers, proof)
    if changed == "proof":
        proof = proof[:-1] + bytes([proof[-1] ^ 1])
    elif changed == "answer":
        answers = points[:32] + answers[32:]
    elif changed == "key":
        public = blind.public_key(blind.derive_key(bytes(32), b"another"))
    elif changed == "order":
        answers = answers[32:64] + answers[:32] + answers[64:]
    else:
        answers = answers[:64]
    with pytest.raises(blind.BadProof):
        blind.check(public, points, answers, proof)


@pytest.mark.parametrize(
    "points", [b"", bytes(31), bytes(32), b"\xff" * 32, bytes(31) + b"\x80"], ids=len
)
def test_what_is_no_point_is_refused(points: bytes) -> None:
    with pytest.raises(blind.BadPoint):
        blind.evaluate(blind.derive_key(bytes(32), b""), points)
