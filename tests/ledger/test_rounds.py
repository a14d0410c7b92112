"""Rounds of a sequencer: what comes in comes out, once, in a tree that others can check."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import asyncpg
import pytest
from tests.ledger.house import House, person, said

from luciole.border.peers import Witnesses
from luciole.kit.blobs import Moved
from luciole.kit.db import UniqueViolation
from luciole.ledger import store
from luciole.ledger.entry import Kind
from luciole.ledger.note import Checkpoint


async def test_new_log_shows_that_it_is_empty(house: House) -> None:
    assert await house.sequencer().round() == 0
    assert house.published() == []
    assert said((house.folder / "checkpoint").read_bytes())[0] == 0


async def test_entries_are_published_in_order(house: House) -> None:
    made = [person() for _ in range(5)]
    await house.put(*made)
    sequencer = house.sequencer()
    assert await sequencer.is_waiting()
    assert await sequencer.round() == 5
    assert house.published() == made
    assert not await sequencer.is_waiting()
    assert await sequencer.round() == 0


async def test_log_grows_over_many_rounds_and_tiles(house: House) -> None:
    made, sequencer = [], house.sequencer()
    for count in (1, 254, 1, 3, 600, 1):
        batch = [person() for _ in range(count)]
        made += batch
        await house.put(*batch)
        assert await sequencer.round() == count
        assert house.published() == made
    # Partial tiles go once the full one is there.
    assert not any((house.folder / "tile/0/000.p").glob("*"))
    assert not any((house.folder / "tile/entries/000.p").glob("*"))
    assert (house.folder / "tile/0/000").exists()


async def test_more_than_a_batch_takes_more_rounds(decisions: House) -> None:
    made = [b'{"n":%d}' % n for n in range(1001)]
    await decisions.put(*made)
    sequencer = decisions.sequencer()
    assert [await sequencer.round() for _ in range(4)] == [500, 500, 1, 0]
    assert decisions.published() == made


async def test_row_that_commits_late_with_a_small_id_is_not_lost(house: House) -> None:
    """The bug to test first: `id > last` would never see it."""
    slow, fast, later = person(), person(), person()
    sequencer = house.sequencer()
    async with house.api.tx() as tx:
        await store.put(tx, "access", slow, 1)
        await house.put(fast, first_ref=2)
        assert await sequencer.round() == 1
        await house.put(later, first_ref=3)
        assert await sequencer.round() == 1
    assert await sequencer.round() == 1
    assert house.published() == [fast, later, slow]
    places = await house.rows("SELECT ref, idx FROM ledger.place ORDER BY ref")
    assert places == [(1, 2), (2, 0), (3, 1)]


async def test_aborted_act_leaves_nothing(house: House) -> None:
    kept, sequencer = person(), house.sequencer()
    with pytest.raises(ZeroDivisionError):
        await aborted(house)
    await house.put(kept)
    await sequencer.round()
    assert house.published() == [kept]
    assert await house.rows("SELECT * FROM ledger.place") == []


async def aborted(house: House) -> None:
    async with house.api.tx() as tx:
        await store.put(tx, "access", person(), 1)
        raise ZeroDivisionError


async def test_journal_finds_the_index_of_its_entries(house: House) -> None:
    await house.put(*[person() for _ in range(3)])
    await house.put(*[person() for _ in range(3)], first_ref=70)
    await house.sequencer().round()
    async with house.api.read() as tx:
        rows = await tx.fetch("SELECT ref, idx FROM ledger.placed ORDER BY ref")
    assert [tuple(row) for row in rows] == [(70, 3), (71, 4), (72, 5)]


async def test_two_sequencers_at_once_sequence_everything_once(house: House) -> None:
    """The second waits, or finds that the first was there; neither does harm."""
    made: list[bytes] = []
    pair = [house.sequencer(), house.sequencer()]
    is_writing = True

    async def sequence(which: int) -> None:
        while is_writing or await pair[which].is_waiting():
            try:
                await pair[which].round()
            except Moved:
                pair[which].forget()
            await asyncio.sleep(0)

    both = [asyncio.create_task(sequence(which)) for which in (0, 1)]
    for _ in range(40):
        batch = [person() for _ in range(7)]
        made.extend(batch)
        await house.put(*batch)
    is_writing = False
    await asyncio.gather(*both)
    # A witness that one has asked last tells the other so, and is asked again.
    while len(house.published()) < len(made):
        pair[0].forget()
        await pair[0].round()
    assert sorted(house.published()) == sorted(made)


# What the inbox takes


@pytest.mark.parametrize(
    ("log", "given"),
    [
        ("access", b""),
        ("access", b"\1\x80" + bytes(61)),
        ("access", b"\1\x80" + bytes(69)),
        ("access", b"\1\2\1" + bytes(67)),
        ("access", b"\2\2\1" + bytes(68)),
        ("access", b"\1\0\1" + bytes(68)),
        ("access", b"\1\2\6" + bytes(68)),
        ("decisions", b""),
        ("decisions", bytes(65536)),
        ("gossip", b"{}"),
    ],
)
async def test_what_would_spoil_a_log_is_refused(house: House, log: str, given: bytes) -> None:
    with pytest.raises((asyncpg.CheckViolationError, asyncpg.DataError)):
        async with house.api.tx() as tx:
            await store.put(tx, log, given)


async def test_largest_entry_is_taken(decisions: House) -> None:
    made = [bytes([n]) * 65535 for n in range(3)]
    await decisions.put(*made)
    await decisions.sequencer().round()
    assert decisions.published() == made


async def test_label_of_an_enrolment_comes_once(house: House) -> None:
    """Who enrols a second time with one key would repeat all labels, and no seal could be made."""
    enrolled = person(kind=Kind.ENROL)
    await house.put(enrolled)
    for again in (enrolled, enrolled[:1] + b"\2" + enrolled[2:]):
        with pytest.raises(UniqueViolation):
            await house.put(again)


async def test_slices_put_and_read_no_more_than_they_need(house: House) -> None:
    for statement in (
        "SELECT entry FROM ledger.inbox",
        "INSERT INTO ledger.inbox (log, entry) VALUES ('decisions', 'x')",
        "SELECT note FROM ledger.checkpoint",
        "DELETE FROM ledger.place",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with house.api.tx() as tx:
                await tx.execute(statement)


async def test_place_of_an_erased_person_is_forgotten(house: House) -> None:
    await house.put(person(), person(), first_ref=1)
    await house.sequencer().round()
    async with house.api.tx() as tx:
        await tx.execute("SELECT ledger.forget($1)", [1])
    assert await house.rows("SELECT ref FROM ledger.place") == [(2,)]


async def test_quiet_log_shows_cosignatures_that_are_not_older_than_hours(house: House) -> None:
    witnesses = Witnesses(
        house.signer.verifier,
        [house.near],  # type: ignore[list-item]
        lambda: house.clock.now().timestamp(),
    )
    sequencer = house.sequencer(witnesses=witnesses)
    await house.put(person())
    await sequencer.round()

    def seen() -> int:
        shown = house.policy.check((house.folder / "checkpoint").read_bytes())
        return (int(house.clock.now().timestamp()) - min(shown.cosigned.values())) // 3600

    for _ in range(30):
        house.clock.advance(timedelta(hours=1))
        await sequencer.round()
        assert seen() <= 6
    # What is kept is the newest that was said, whoever hands an older line in again.
    kept = "SELECT signer, line FROM ledger.cosignature ORDER BY size DESC, signer"
    lines = await house.rows(kept)
    ((size, root),) = await house.rows(
        "SELECT size, root FROM ledger.checkpoint ORDER BY size DESC LIMIT 1"
    )
    head = Checkpoint(house.signer.verifier.name, size, root)
    old = house.cosigners[0].line(str(head), int(house.clock.now().timestamp()) - 100_000)
    async with house.db.tx() as tx:
        assert await store.cosign(tx, house.log, head, lines[0][0], old)
    assert await house.rows(kept) == lines
