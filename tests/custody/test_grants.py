"""Who gets to use a person's key, and what the log has of it."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest
from tests.custody.conftest import Place, Somebody

from luciole.ask.client import Custody
from luciole.custody.model import CustodyAway, Drawn, Field, KeyGone, NoGrant, NotOpened
from luciole.kit.errors import NotSignedIn
from luciole.kit.ids import new_id
from luciole.ledger import entry
from luciole.ledger import store as ledger_store

MAIL = Field("contact.email", 1, b"ana@example.org")


async def test_session_has_one_grant_and_one_entry(
    place: Place, api: Custody, ana: Somebody
) -> None:
    grants = await asyncio.gather(*(api.session_grant(ana.token) for _ in range(8)))
    assert len({grant.id for grant in grants}) == 1
    assert grants[0].person_id == ana.id
    # The next day, and from a broker that remembers nothing, still the same.
    place.clock.advance(timedelta(days=1))
    again = await place.vault.custody(place.clock).session_grant(ana.token)
    assert again.id == grants[0].id
    assert await place.entries(ana.id) == [0, 1]
    assert await api.session_grant(ana.token) == await api.session_grant(ana.token) == again
    other = await api.session_grant(await place.session(ana.id))
    assert other.id != again.id
    assert await place.entries(ana.id) == [0, 1, 2]


async def test_entry_says_what_the_grant_is_and_nobody_else_can_read_it(
    place: Place, api: Custody, ana: Somebody
) -> None:
    grant = await api.session_grant(ana.token)
    (row,) = await place.rows(
        "SELECT leaf, sealed FROM custody.journal WHERE person_id = $1 AND n = 1", ana.id
    )
    (opened,) = await api.open_journal(grant, [(1, row["sealed"])])
    said = json.loads(opened.opening)
    assert said == {
        "v": 1,
        "n": 1,
        "at": "2026-11-24T09:00:00Z",
        "kind": "grant",
        "class": "self",
        "actor": "you",
        "purpose": "session",
        "columns": ["*"],
        "expires": "2026-12-24T09:00:00Z",
        "note": "Firefox on Linux",
    }
    leaf = entry.decode(row["leaf"])
    assert isinstance(leaf, entry.PersonEntry)
    assert leaf.commit == entry.commitment(opened.nonce, opened.opening)
    assert leaf.label == entry.label_of(await api.label_key(grant), 1)
    assert b"Firefox" not in row["sealed"]


@pytest.mark.parametrize("token", ["", "nobody's", "\ud800", "x" * 5000])
async def test_unknown_token_gets_no_grant(place: Place, api: Custody, token: str) -> None:
    if token.isprintable():
        with pytest.raises(NotSignedIn):
            await api.session_grant(token)
    assert await place.rows("SELECT 1 FROM custody.permit") == []


async def test_session_that_ended_gets_no_grant(place: Place, api: Custody, ana: Somebody) -> None:
    place.clock.advance(timedelta(days=31))
    with pytest.raises(NotSignedIn):
        await api.session_grant(ana.token)


async def test_signed_out_device_loses_its_grant_within_a_minute(
    place: Place, api: Custody, ana: Somebody
) -> None:
    grant = await api.session_grant(ana.token)
    (sealed,) = await api.seal(grant, [MAIL])
    await place.rows("DELETE FROM people.session WHERE person_id = $1", ana.id)
    place.clock.advance(timedelta(seconds=61))
    with pytest.raises(NoGrant):
        await api.open(grant, [Field("contact.email", 1, sealed)])
    with pytest.raises(NotSignedIn):
        await api.session_grant(ana.token)


async def test_session_that_outlived_its_row_has_no_grant(
    place: Place, api: Custody, ana: Somebody
) -> None:
    """The permit still stands, its session has expired: the clock of the session counts."""
    grant = await api.session_grant(ana.token)
    await place.rows("UPDATE people.session SET expires_at = $1", place.clock.now())
    place.clock.advance(timedelta(seconds=61))
    with pytest.raises(NoGrant):
        await api.seal(grant, [MAIL])


async def test_grant_ends_when_it_says(place: Place, worker: Custody, ana: Somebody) -> None:
    grant = await worker.automated_grant(ana.id, "export")
    assert grant.expires_at == place.clock.now().replace(hour=6) + timedelta(days=1)
    # 59 seconds before its end it is taken into memory, and ends there all the same.
    place.clock.advance(grant.expires_at - place.clock.now() - timedelta(seconds=59))
    await worker.seal(grant, [MAIL])
    place.clock.advance(timedelta(seconds=59))
    with pytest.raises(NoGrant):
        await worker.seal(grant, [MAIL])
    place.clock.advance(timedelta(seconds=2))
    with pytest.raises(NoGrant):
        await worker.seal(grant, [MAIL])


async def test_automated_purpose_has_one_entry_a_day(
    place: Place, worker: Custody, ana: Somebody
) -> None:
    grants = await asyncio.gather(*(worker.automated_grant(ana.id, "export") for _ in range(5)))
    assert len({grant.id for grant in grants}) == 1
    (sealed,) = await worker.seal(grants[0], [MAIL])
    await worker.automated_grant(ana.id, "backup")
    assert await place.entries(ana.id) == [0, 1, 2]
    # A broker that was started again knows it.
    fresh = place.vault.custody(place.clock)
    assert await fresh.automated_grant(ana.id, "export") == grants[0]
    again = place.vault.custody(place.clock)
    assert await again.open(grants[0], [Field("contact.email", 1, sealed)]) == [MAIL.data]
    place.clock.advance(timedelta(days=1))
    tomorrow = await worker.automated_grant(ana.id, "export")
    assert tomorrow.id != grants[0].id
    assert await place.entries(ana.id) == [0, 1, 2, 3]


async def test_undeclared_purpose_and_unknown_person_get_nothing(
    place: Place, worker: Custody, ana: Somebody
) -> None:
    with pytest.raises(NoGrant):
        await worker.automated_grant(ana.id, "advertising")
    with pytest.raises(NoGrant):
        await worker.automated_grant(new_id(), "export")
    assert await place.entries(ana.id) == [0]


async def test_grant_opens_its_columns_only(place: Place, worker: Custody, ana: Somebody) -> None:
    grant = await worker.automated_grant(ana.id, "import")
    assert len(await worker.seal(grant, [MAIL])) == 1
    with pytest.raises(NoGrant):
        await worker.seal(grant, [MAIL, Field("export.chunk", 1, b"")])
    with pytest.raises(NoGrant):
        await worker.label_key(grant)
    with pytest.raises(NoGrant):
        await worker.seal(grant, [Field("a", 1, b"")] * 513)


async def test_field_opens_for_its_person_place_and_version_only(
    place: Place, api: Custody, ana: Somebody
) -> None:
    ben = await place.person(api)
    mine, his = await api.session_grant(ana.token), await api.session_grant(ben.token)
    (sealed,) = await api.seal(mine, [MAIL])
    assert await api.open(mine, [Field("contact.email", 1, sealed)]) == [MAIL.data]
    for grant, moved in (
        (his, Field("contact.email", 1, sealed)),
        (mine, Field("contact.phone", 1, sealed)),
        (mine, Field("contact.email", 2, sealed)),
        (mine, Field("contact.email", 1, sealed[:-1])),
    ):
        with pytest.raises(NotOpened):
            await api.open(grant, [moved])
    with pytest.raises(NotOpened):
        await api.open_journal(mine, [(1, sealed)])


async def test_unknown_grant_opens_nothing(api: Custody, ana: Somebody) -> None:
    grant = await api.session_grant(ana.token)
    with pytest.raises(NoGrant):
        await api.open(type(grant)(**{**_fields(grant), "id": new_id()}), [MAIL])


def _fields(grant: object) -> dict[str, object]:
    return {name: getattr(grant, name) for name in grant.__struct_fields__}  # type: ignore[attr-defined]


async def test_no_log_no_key(place: Place, api: Custody, ana: Somebody) -> None:
    """The log does not take the entry: no grant is given, and none is left behind."""
    await place.rows("ALTER TABLE ledger.inbox RENAME TO away")
    try:
        with pytest.raises(CustodyAway):
            await api.session_grant(ana.token)
    finally:
        await place.rows("ALTER TABLE ledger.away RENAME TO inbox")
    assert await place.rows("SELECT 1 FROM custody.permit") == []
    await api.session_grant(ana.token)
    assert await place.entries(ana.id) == [0, 1]


async def test_no_database_no_key(place: Place, api: Custody, ana: Somebody) -> None:
    await place.vault.db.close()
    with pytest.raises(CustodyAway):
        await api.session_grant(ana.token)


async def test_shredded_person_opens_nothing(
    place: Place, api: Custody, worker: Custody, ana: Somebody
) -> None:
    ben = await place.person(api)
    mine, his = await api.session_grant(ana.token), await api.session_grant(ben.token)
    (sealed,) = await api.seal(mine, [MAIL])
    (kept,) = await api.seal(his, [MAIL])
    await worker.shred(ana.id)
    for refused in (
        api.open(mine, [Field("contact.email", 1, sealed)]),
        api.label_key(mine),
        api.seal(mine, [MAIL]),
    ):
        with pytest.raises(KeyGone):
            await refused
    assert await api.open(his, [Field("contact.email", 1, kept)]) == [MAIL.data]


async def test_label_key_is_the_one_that_the_client_made(place: Place, api: Custody) -> None:
    ben = await place.person(api, label_key=b"k" * 32)
    grant = await api.session_grant(ben.token)
    assert await api.label_key(grant) == b"k" * 32
    (row,) = await place.rows(
        "SELECT leaf, sealed FROM custody.journal WHERE person_id = $1 AND n = 0", ben.id
    )
    (opened,) = await api.open_journal(grant, [(0, row["sealed"])])
    assert json.loads(opened.opening)["key_made_by"] == "you"
    assert entry.decode(row["leaf"]).label == entry.label_of(b"k" * 32, 0)  # type: ignore[union-attr]


async def test_enrolment_that_is_repeated_keeps_the_data_key(place: Place, api: Custody) -> None:
    person_id = new_id()
    await api.enrol(person_id, b"a" * 32)
    before = place.vault.store.data_key(person_id)
    await api.enrol(person_id, b"a" * 32)
    assert place.vault.store.data_key(person_id) == before


async def test_act_that_is_rolled_back_leaves_no_hole(
    place: Place, api: Custody, ana: Somebody
) -> None:
    async def undone() -> None:
        async with place.owner.tx() as tx:
            drawn = await api.note(tx, ana.id, kind="export", cls="export", purpose="export")
            assert drawn.n == 1
            raise LookupError

    with pytest.raises(LookupError):
        await undone()
    assert await place.entries(ana.id) == [0]
    async with place.owner.tx() as tx:
        await api.note(tx, ana.id, kind="export", cls="export", purpose="export", note="1 file")
    assert await place.entries(ana.id) == [0, 1]


async def test_acts_at_the_same_time_get_numbers_without_holes(
    place: Place, api: Custody, ana: Somebody
) -> None:
    async def act() -> None:
        async with place.owner.tx() as tx:
            await api.note(tx, ana.id, kind="read", cls="legal", purpose="order")

    await asyncio.gather(*(act() for _ in range(10)))
    assert await place.entries(ana.id) == list(range(11))


async def test_number_that_the_log_knows_from_before_a_restore_is_skipped(
    place: Place, api: Custody, ana: Somebody
) -> None:
    await api.session_grant(ana.token)
    await _note(place, api, ana)
    lost = await place.rows(
        "SELECT n, leaf FROM custody.journal WHERE person_id = $1 AND n > 0 ORDER BY n", ana.id
    )
    # The database as it was before; recovery has noted what the log holds beyond it.
    async with place.owner.tx() as tx:
        await tx.execute("DELETE FROM custody.journal WHERE n > 0")
        await tx.execute("DELETE FROM custody.permit")
        await tx.execute("UPDATE custody.subject SET next = 1")
        await tx.execute("DELETE FROM ledger.inbox")
        await ledger_store.forget(tx, "access", [], {700 + row["n"]: row["leaf"] for row in lost})

    grant = await place.vault.custody(place.clock).session_grant(ana.token)
    again = await _note(place, api, ana)
    rows = await place.rows(
        "SELECT j.n, j.leaf, j.sealed = '' AS is_lost, p.idx FROM custody.journal j"
        " LEFT JOIN ledger.place p ON p.ref = j.ref WHERE j.person_id = $1 ORDER BY j.n",
        ana.id,
    )
    assert [(row["n"], row["is_lost"], row["idx"]) for row in rows] == [
        (0, False, None),
        (1, True, 701),
        (2, True, 702),
        (3, False, None),
        (4, False, None),
    ]
    assert [row["leaf"] for row in rows[1:3]] == [row["leaf"] for row in lost]
    assert again.n == 4
    # What it got is good for use, and nothing that is lost goes to the log a second time.
    assert await api.open(grant, [Field("contact.email", 1, (await api.seal(grant, [MAIL]))[0])])
    handed = {row["entry"] for row in await place.rows("SELECT entry FROM ledger.inbox")}
    assert handed == {rows[3]["leaf"], rows[4]["leaf"]}


async def test_grant_that_another_process_has_just_given_is_the_one(
    place: Place, api: Custody, ana: Somebody
) -> None:
    ((session_id,),) = await place.rows(
        "SELECT id FROM people.session WHERE person_id = $1", ana.id
    )
    theirs = new_id()
    async with place.owner.tx() as tx:
        await tx.execute(
            "INSERT INTO custody.permit"
            " (id, person_id, class, purpose, columns, session_id, made_at, expires_at)"
            " VALUES ($1, $2, 'self', 'session', '{*}', $3,"
            " $4::timestamptz, $4 + interval '1 day')",
            theirs,
            ana.id,
            session_id,
            place.clock.now(),
        )
        asked = asyncio.create_task(api.session_grant(ana.token))
        await _until_it_waits(place)
    assert (await asked).id == theirs


async def test_grant_of_the_day_that_another_process_has_just_given_is_the_one(
    place: Place, worker: Custody, ana: Somebody
) -> None:
    theirs = new_id()
    async with place.owner.tx() as tx:
        await tx.execute(
            "INSERT INTO custody.permit"
            " (id, person_id, class, purpose, columns, day, made_at, expires_at)"
            " VALUES ($1, $2, 'automated', 'backup', '{backup.rows}', $3,"
            " $4::timestamptz, $4 + interval '1 day')",
            theirs,
            ana.id,
            place.clock.now().date(),
            place.clock.now(),
        )
        asked = asyncio.create_task(worker.automated_grant(ana.id, "backup"))
        await _until_it_waits(place)
    assert (await asked).id == theirs


async def _note(place: Place, custody: Custody, ana: Somebody) -> Drawn:
    async with place.owner.tx() as tx:
        return await custody.note(tx, ana.id, kind="export", cls="export", purpose="export")


async def _until_it_waits(place: Place) -> None:
    """Until the broker waits for the transaction that is open here."""
    for _ in range(500):
        waits = await place.rows("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        if waits:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the broker did not ask for the grant within 5 s")
