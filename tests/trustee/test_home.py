"""A cell whose keys have a guardian: what works as before, and what an outage stops."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from tests.trustee.house import Guarded

from luciole.custody.model import Field, GuardianAway, KeyGone, NoGrant
from luciole.keys import HalfNeeded
from luciole.kit.ids import new_id
from luciole.ledger.note import KeyKind, Signer
from luciole.trustee import shares

FIELD = "contact.email"
GRANT, ENROL = 2, 1


async def test_person_reads_and_writes_as_without_a_guardian(us: Guarded) -> None:
    custody = us.custody()
    ana = await us.person()
    assert us.keys.guarded() == 1
    with pytest.raises(HalfNeeded):
        us.keys.data_key(ana.id)
    grant = await custody.session_grant(ana.token)
    (sealed,) = await custody.seal(grant, [Field(FIELD, 1, b"ana@example.org")])
    us.forget()
    assert await custody.open(grant, [Field(FIELD, 1, sealed)]) == [b"ana@example.org"]
    assert len(await custody.label_key(grant)) == 32
    # One grant, one entry: no use of it makes another on the same day.
    assert await us.entries(ana.id) == [ENROL, GRANT]
    counted = us.book.counted(us.cell_id)
    assert (counted.held, counted.given_persons, counted.refused) == (1, 1, 0)
    (row,) = await us.rows("SELECT asked FROM custody.guardian")
    assert row["asked"] == counted.given == 2


async def test_journal_is_read_by_its_person_and_written_without_the_guardian(
    us: Guarded,
) -> None:
    custody = us.custody()
    ana = await us.person()
    grant = await custody.session_grant(ana.token)
    us.way.is_away = True
    us.forget()
    async with us.owner.tx() as tx:
        drawn = await custody.note(
            tx, ana.id, kind="decision", cls="automated", purpose="moderation"
        )
    us.way.is_away = False
    opened = await custody.open_journal(grant, [(drawn.n, drawn.sealed)])
    assert b"moderation" in opened[0].opening
    # Meanwhile the key is warm, and what is sealed with it is read as well.
    async with us.owner.tx() as tx:
        again = await custody.note(tx, ana.id, kind="decision", cls="automated", purpose="twice")
    assert drawn.sealed[0] == 2
    assert again.sealed[0] == 1
    rows = [
        (row["n"], row["sealed"]) for row in await us.rows("SELECT n, sealed FROM custody.entry")
    ]
    assert len(await custody.open_journal(grant, rows)) == 4


async def test_outage_stops_personal_reads_after_a_quarter_of_an_hour(us: Guarded) -> None:
    custody = us.custody()
    ana = await us.person()
    grant = await custody.session_grant(ana.token)
    (sealed,) = await custody.seal(grant, [Field(FIELD, 1, b"a")])
    us.way.is_away = True
    for _ in range(13):
        us.clock.advance(timedelta(minutes=1))
        assert await custody.open(grant, [Field(FIELD, 1, sealed)]) == [b"a"]
    us.clock.advance(timedelta(minutes=2))
    with pytest.raises(GuardianAway):
        await custody.open(grant, [Field(FIELD, 1, sealed)])
    # Signing in goes on, and so does what is noted; signing up does not.
    assert await custody.session_grant(await us.session(ana.id))
    with pytest.raises(GuardianAway):
        await custody.enrol(new_id(), None)
    us.way.is_away = False
    assert await custody.open(grant, [Field(FIELD, 1, sealed)]) == [b"a"]


async def test_half_in_use_is_asked_for_anew_before_it_ends(us: Guarded) -> None:
    custody = us.custody()
    ana = await us.person()
    grant = await custody.session_grant(ana.token)
    await custody.seal(grant, [Field(FIELD, 1, b"a")])
    given = us.book.counted(us.cell_id).given
    us.clock.advance(timedelta(minutes=6))
    await custody.seal(grant, [Field(FIELD, 1, b"a")])
    await asyncio.gather(*us.home._asking.values())
    assert us.book.counted(us.cell_id).given == given + 1
    us.clock.advance(timedelta(minutes=10))
    us.way.is_away = True
    await custody.seal(grant, [Field(FIELD, 1, b"a")])


async def test_session_that_goes_on_makes_one_entry_a_day(us: Guarded) -> None:
    custody = us.custody()
    ana = await us.person()
    grant = await custody.session_grant(ana.token)
    for _ in range(6):
        us.clock.advance(timedelta(hours=12))
        await custody.seal(grant, [Field(FIELD, 1, b"a")])
    assert await us.entries(ana.id) == [ENROL] + [GRANT] * 4
    rows = await us.rows("SELECT n, sealed FROM custody.entry ORDER BY n")
    opened = await custody.open_journal(grant, [(row["n"], row["sealed"]) for row in rows])
    assert b"still in use" in opened[-1].opening


async def test_many_who_ask_at_once_ask_the_guardian_once(us: Guarded) -> None:
    custody = us.custody()
    ana = await us.person()
    grant = await custody.session_grant(ana.token)
    us.forget()
    await asyncio.gather(*(custody.seal(grant, [Field(FIELD, n, b"a")]) for n in range(20)))
    assert us.book.counted(us.cell_id).given == 1


async def test_database_that_was_put_back_goes_on_with_a_new_entry(us: Guarded) -> None:
    custody = us.custody()
    ana = await us.person()
    grant = await custody.session_grant(ana.token)
    await custody.seal(grant, [Field(FIELD, 1, b"a")])
    card = us.keys.card(ana.id)
    assert card is not None
    # The guardian has seen entry 2, of which this database knows nothing.
    us.book.given(us.cell_id, card.handle, 2, 0)
    us.forget()
    await custody.seal(grant, [Field(FIELD, 1, b"a")])
    assert await us.entries(ana.id) == [ENROL, GRANT, GRANT]


async def test_log_that_is_not_cosigned_gives_no_key(
    us: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("luciole.trustee.home.WITHIN_S", 0.3)
    custody = us.custody()
    ana = await us.person()
    stranger = us.way.known._replace(
        witness=[Signer("other", KeyKind.COSIGNATURE, b"o" * 32).verifier]
    )
    us.home._peer = stranger
    grant = await custody.session_grant(ana.token)
    with pytest.raises(GuardianAway):
        await custody.seal(grant, [Field(FIELD, 1, b"a")])
    assert us.book.counted(us.cell_id).given == 0


async def test_erased_person_is_forgotten_by_the_guardian_also_after_an_outage(
    us: Guarded,
) -> None:
    custody = us.custody()
    ana = await us.person()
    grant = await custody.session_grant(ana.token)
    us.way.is_away = True
    await custody.shred(ana.id)
    with pytest.raises((KeyGone, NoGrant)):
        await custody.seal(grant, [Field(FIELD, 1, b"a")])
    with pytest.raises(GuardianAway):
        await us.moving.once()
    assert us.book.counted(us.cell_id).held == 1
    us.way.is_away = False
    await us.moving.once()
    assert us.book.counted(us.cell_id).held == 0
    assert await us.rows("SELECT 1 FROM custody.orphan") == []


async def test_what_crosses_names_nobody(us: Guarded) -> None:
    custody = us.custody()
    ana = await us.person()
    grant = await custody.session_grant(ana.token)
    await custody.seal(grant, [Field(FIELD, 1, b"ana@example.org")])
    assert us.way.told
    for body in us.way.told:
        assert isinstance(
            shares.asked.decode(body), shares.Deposit | shares.Release | shares.Counts
        )
        for mark in (ana.id.bytes, str(ana.id).encode(), ana.token.encode(), b"ana@", b"Firefox"):
            assert mark not in body
