"""The guardian's own check: what it gives a half for, and everything that it does not."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from luciole.ledger import entry
from luciole.ledger.merkle import inclusion_proof, leaf_hash, root_of
from luciole.ledger.note import Checkpoint, KeyKind, Signer
from luciole.ledger.proof import Proof
from luciole.trustee import shares
from luciole.trustee.asked import Refused
from luciole.trustee.book import Book
from luciole.trustee.guardian import MOST_AGE_MINUTES, Guardian

US, EU = UUID(int=10), UUID(int=11)
NOW = 1_764_158_400
WITNESS = Signer("sg-witness", KeyKind.COSIGNATURE, b"w" * 32)
LOG = Signer(f"luciole/{US}/access", KeyKind.ED25519, b"l" * 32)
ANA = shares.Deposited(b"a" * 16, b"A" * 32, b"1" * 32)
BEN = shares.Deposited(b"b" * 16, b"B" * 32, b"2" * 32)


class Town:
    """A guardian and a log of which it holds halves."""

    def __init__(self, folder: Path) -> None:
        self.now = float(NOW)
        self.book = Book(folder / "halves.sqlite", b"k" * 32)
        self.guardian = Guardian(self.book, [WITNESS.verifier], lambda: self.now)
        self.entries = [os.urandom(71) for _ in range(5)]

    async def ask(self, asked: shares.Asked, peer: UUID = US) -> bytes:
        return await self.guardian.answer(peer, shares.encode(asked))

    async def refused(self, asked: shares.Asked, peer: UUID = US) -> str:
        with pytest.raises(Refused) as refused:
            await self.ask(asked, peer)
        return refused.value.code

    def put(self, whose: shares.Deposited, n: int, **changed: object) -> bytes:
        """An entry about somebody, in the log."""
        made = entry.PersonEntry(
            entry.Kind.GRANT,
            entry.Class.SELF,
            int(self.now) // 60,
            entry.label_of(whose.label_key, n),
            os.urandom(32),
        )
        leaf = replace(made, **changed).encode()  # type: ignore[arg-type]
        self.entries += [leaf, os.urandom(71)]
        return leaf

    def proof(
        self, leaf: bytes, *, origin: str = "", by: Signer = WITNESS, log: Signer = LOG
    ) -> str:
        hashes = [leaf_hash(one) for one in self.entries]
        index = self.entries.index(leaf)
        text = str(Checkpoint(origin or log.verifier.name, len(hashes), root_of(hashes)))
        note = log.sign(text) + by.line(text, int(self.now))
        return str(Proof(index, tuple(inclusion_proof(hashes, index)), note))


@pytest.fixture
async def town(tmp_path: Path) -> Town:
    made = Town(tmp_path)
    await made.ask(shares.Deposit([ANA, BEN]))
    return made


async def test_half_is_given_for_an_entry_in_the_log(town: Town) -> None:
    leaf = town.put(ANA, 3)
    asked = shares.Release(ANA.handle, 3, leaf, town.proof(leaf))
    assert msgspec.msgpack.decode(await town.ask(asked)) == ANA.secret
    # Once more for the same entry, and for a newer one.
    town.now += 3600
    assert msgspec.msgpack.decode(await town.ask(asked)) == ANA.secret
    later = town.put(ANA, 7, kind=entry.Kind.READ, cls=entry.Class.STAFF)
    await town.ask(shares.Release(ANA.handle, 7, later, town.proof(later)))
    assert town.book.counted(US) == shares.Counted(2, 3, 0, 1, 0, NOW, NOW)
    (given,) = town.book.told(US, b"", 10)
    assert (given.handle, given.times, given.first_at, given.last_at) == (
        ANA.handle,
        3,
        NOW,
        NOW + 3600,
    )
    # What was spent is refused, although its entry is of today.
    assert await town.refused(asked) == "spent"


async def test_everything_else_is_refused_and_counted(town: Town) -> None:
    leaf = town.put(ANA, 3)
    good = shares.Release(ANA.handle, 3, leaf, town.proof(leaf))
    old = town.put(ANA, 4, minute=NOW // 60 - MOST_AGE_MINUTES - 1)
    ahead = town.put(ANA, 4, minute=NOW // 60 + 6)
    enrolment = town.put(ANA, 4, kind=entry.Kind.ENROL)
    decision = town.put(ANA, 4, kind=entry.Kind.DECISION)
    seal = entry.SealEntry(entry.Scope.DAY, NOW // 60, 0, 1, 1, bytes(32)).encode()
    town.entries.append(seal)
    hidden = entry.PersonEntry(
        entry.Kind.GRANT,
        entry.Class.SELF,
        NOW // 60,
        entry.label_of(ANA.label_key, 4),
        bytes(32),
    ).encode()
    other = Signer("other-witness", KeyKind.COSIGNATURE, b"o" * 32)
    same_name = Signer("sg-witness", KeyKind.COSIGNATURE, b"o" * 32)
    eu = Signer(f"luciole/{EU}/access", KeyKind.ED25519, b"l" * 32)
    border = Signer(f"luciole/{US}/border", KeyKind.ED25519, b"l" * 32)
    proof = town.proof(leaf)
    tries = {
        "unknown-handle": [replace_(good, handle=b"z" * 16)],
        "no-grant": [
            replace_(good, leaf=enrolment, n=4, proof=town.proof(enrolment)),
            replace_(good, leaf=decision, n=4, proof=town.proof(decision)),
            replace_(good, leaf=seal, proof=town.proof(seal)),
            replace_(good, leaf=b""),
            replace_(good, leaf=leaf + b"\0"),
        ],
        "other-label": [
            replace_(good, handle=BEN.handle),
            replace_(good, n=4),
            replace_(good, n=0),
        ],
        "too-old": [
            replace_(good, leaf=old, n=4, proof=town.proof(old)),
            replace_(good, leaf=ahead, n=4, proof=town.proof(ahead)),
        ],
        "not-in-log": [
            replace_(good, n=4, leaf=hidden),
            replace_(good, proof=town.proof(leaf, by=other)),
            replace_(good, proof=town.proof(leaf, by=same_name)),
            replace_(good, proof=town.proof(leaf, log=eu)),
            replace_(good, proof=town.proof(leaf, log=border)),
            replace_(good, proof=town.proof(leaf).rpartition("— sg-witness")[0]),
            replace_(good, proof=proof.replace("index 5", "index 6")),
            replace_(good, proof=town.proof(old)),
            replace_(good, proof="c2sp.org/tlog-proof@v1\nindex 0\n\n"),
            replace_(good, proof=""),
        ],
    }
    for code, asks in tries.items():
        for asked in asks:
            assert await town.refused(asked) == code, asked
    # What another cell asks for a handle that is not its own.
    assert await town.refused(good, EU) == "unknown-handle"
    assert town.book.counted(US).given == 0
    assert town.book.counted(US).refused == sum(map(len, tries.values()))
    assert await town.ask(good)


def replace_(asked: shares.Release, **changed: object) -> shares.Release:
    return msgspec.structs.replace(asked, **changed)


async def test_half_cannot_be_exchanged(town: Town) -> None:
    await town.ask(shares.Deposit([ANA]))
    for other in (
        shares.Deposited(ANA.handle, b"Z" * 32, ANA.label_key),
        shares.Deposited(ANA.handle, ANA.secret, b"Z" * 32),
    ):
        assert await town.refused(shares.Deposit([BEN, other])) == "other-half"
    leaf = town.put(ANA, 1)
    asked = shares.Release(ANA.handle, 1, leaf, town.proof(leaf))
    assert msgspec.msgpack.decode(await town.ask(asked)) == ANA.secret


async def test_destroyed_halves_are_gone_and_what_was_given_is_still_told(
    town: Town, tmp_path: Path
) -> None:
    leaf = town.put(ANA, 1)
    asked = shares.Release(ANA.handle, 1, leaf, town.proof(leaf))
    await town.ask(asked)
    await town.ask(shares.Deposit([ANA]), EU)
    counted = msgspec.msgpack.decode(await town.ask(shares.Destroy()), type=shares.Counted)
    assert (counted.held, counted.destroyed, counted.given_persons) == (0, 2, 1)
    assert await town.refused(asked) == "unknown-handle"
    (told,) = msgspec.msgpack.decode(await town.ask(shares.Told(b"")), type=list[shares.Given])
    assert (told.handle, told.first_at, told.is_held) == (ANA.handle, NOW, False)
    # Another cell's are as they were, and the file holds nothing of the destroyed ones.
    assert town.book.counted(EU).held == 1
    assert town.book.cells() == [US, EU]
    await town.ask(shares.Forget([ANA.handle]), EU)
    assert town.book.counted(EU).held == 0


async def test_book_is_closed_to_who_has_another_key(town: Town, tmp_path: Path) -> None:
    raw = (tmp_path / "halves.sqlite").read_bytes()
    assert ANA.secret not in raw
    assert ANA.label_key not in raw
    assert (tmp_path / "halves.sqlite").stat().st_mode & 0o077 == 0
    from luciole.keys import SealBroken

    stranger = Book(tmp_path / "halves.sqlite", b"s" * 32)
    with pytest.raises(SealBroken):
        stranger.held(US, ANA.handle)
    stranger.close()


@pytest.mark.parametrize(
    "body",
    [b"", b"\xc1", b"\x80", shares.encode({"ask": "everything"}), shares.encode({"ask": "told"})],
)
async def test_malformed_question_is_refused(town: Town, body: bytes) -> None:
    with pytest.raises(Refused) as refused:
        await town.guardian.answer(US, body)
    assert refused.value.code == "malformed"
