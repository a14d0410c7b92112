"""Sealing to somebody whose public key is known: who opens it, and what nobody opens."""

from __future__ import annotations

import pickle

import pytest

from luciole.keys.hpke import PUBLIC_BYTES, Receiver, Sealer
from luciole.keys.seal import SealBroken

SEED = b"s" * 32
INFO = b"luciole/test"


def test_holder_opens_what_was_sealed_and_a_restart_changes_nothing() -> None:
    sealed = Sealer(Receiver(SEED).public).seal(b"a piece", INFO)
    assert len(sealed) == len(b"a piece") + 1136
    assert Receiver(SEED).open(sealed, INFO) == b"a piece"


def test_sealing_twice_gives_two_texts() -> None:
    sealer = Sealer(Receiver(SEED).public)
    assert sealer.seal(b"a", INFO) != sealer.seal(b"a", INFO)


@pytest.mark.parametrize("at", [0, 1087, 1088, 1119, 1120, -1])
def test_one_changed_bit_opens_nothing(at: int) -> None:
    sealed = bytearray(Sealer(Receiver(SEED).public).seal(b"a piece", INFO))
    sealed[at] ^= 1
    with pytest.raises(SealBroken):
        Receiver(SEED).open(bytes(sealed), INFO)


@pytest.mark.parametrize(("seed", "info"), [(b"t" * 32, INFO), (SEED, b"luciole/other")])
def test_another_key_and_another_purpose_open_nothing(seed: bytes, info: bytes) -> None:
    sealed = Sealer(Receiver(SEED).public).seal(b"a piece", INFO)
    with pytest.raises(SealBroken):
        Receiver(seed).open(sealed, info)


@pytest.mark.parametrize("sealed", [b"", b"x" * 1119, b"x" * 1200])
def test_bytes_that_were_never_sealed_open_nothing(sealed: bytes) -> None:
    with pytest.raises(SealBroken):
        Receiver(SEED).open(sealed, INFO)


@pytest.mark.parametrize("size", [0, PUBLIC_BYTES - 1, PUBLIC_BYTES + 1])
def test_public_key_of_another_length_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match=str(PUBLIC_BYTES)):
        Sealer(b"x" * size)


def test_key_shows_in_no_text_and_no_pickle() -> None:
    receiver = Receiver(SEED)
    assert repr(receiver) == "Receiver(key=hidden)"
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(receiver)
