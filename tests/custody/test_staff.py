"""What staff may read: with two passkeys of two of them, one person, for minutes, each an entry."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from tests.cell.people.authenticator import Authenticator, b64
from tests.cell.vault import ORIGIN
from tests.custody.conftest import Place, Somebody

from luciole.ask.client import Custody
from luciole.custody import store
from luciole.custody.keyring import Renew
from luciole.custody.model import (
    ApprovalRefused,
    Field,
    KeyGone,
    NoGrant,
    NoSuchRead,
    NotApproved,
    NotOpened,
    NotStaff,
    ReadRefused,
    StaffRead,
)
from luciole.kit.ids import new_id

EMAIL = "contact.email"
OPERATOR = "operator"
REASON = "Report 4711 says that this account threatens people."
ADD_PASSKEY = """
INSERT INTO people.passkey (id, person_id, credential_id, public_key, sign_count, name, created_at)
VALUES ($1, $2, $3, $4, 0, 'Key', now())
"""


@dataclass
class Staff:
    """One of the staff, and their passkey."""

    somebody: Somebody
    id: UUID
    key: Authenticator

    @property
    def token(self) -> str:
        return self.somebody.token

    def sign(self, asked: bytes) -> dict[str, Any]:
        challenge = b64(hashlib.sha256(asked).digest())
        return self.key.get({"rpId": "localhost", "challenge": challenge})


def public_key_of(key: Authenticator) -> bytes:
    """COSE, as the library stores it."""
    from tests.cell.people.authenticator import cbor

    point = key.key.public_key().public_numbers()
    return cbor({1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32), -3: point.y.to_bytes(32)})


async def add_passkey(place: Place, person_id: UUID) -> Authenticator:
    key = Authenticator(ORIGIN)
    async with place.owner.tx() as tx:
        await tx.execute(ADD_PASSKEY, new_id(), person_id, key.credential_id, public_key_of(key))
    return key


async def handle_of(place: Place, person_id: UUID) -> str:
    (row,) = await place.rows("SELECT handle FROM people.person WHERE id = $1", person_id)
    return str(row["handle"])


async def staff(place: Place, api: Custody, *roles: str) -> Staff:
    somebody = await place.person(api)
    key, staff_id, now = await add_passkey(place, somebody.id), new_id(), place.clock.now()
    async with place.vault.db.tx() as tx:
        handle = await handle_of(place, somebody.id)
        assert await store.add_staff(tx, staff_id, handle, now, roles or [OPERATOR])
    return Staff(somebody, staff_id, key)


@pytest.fixture
async def eve(place: Place, api: Custody) -> Staff:
    return await staff(place, api)


@pytest.fixture
async def max_(place: Place, api: Custody) -> Staff:
    return await staff(place, api)


@pytest.fixture
async def email(api: Custody, ana: Somebody) -> Field:
    grant = await api.session_grant(ana.token)
    (sealed,) = await api.seal(grant, [Field(EMAIL, 1, b"ana@example.org")])
    return Field(EMAIL, 1, sealed)


@pytest.fixture
async def read(api: Custody, eve: Staff, ana: Somebody) -> StaffRead:
    return await api.ask_read(eve.token, ana.id, "abuse-report", [EMAIL], 30, REASON)


async def approve(api: Custody, read: StaffRead, *those: Staff) -> StaffRead:
    done = read
    for one in those:
        done = await api.approve_read(read.id, one.sign(read.asked))
    return done


async def journal(place: Place, api: Custody, whose: Somebody) -> list[dict[str, Any]]:
    """What the person reads about themselves, without what they did."""
    grant = await api.session_grant(whose.token)
    rows = await place.rows(
        "SELECT n, sealed FROM custody.journal WHERE person_id = $1 ORDER BY n", whose.id
    )
    opened = await api.open_journal(grant, [(row["n"], row["sealed"]) for row in rows])
    said = [msgspec.json.decode(each.opening) for each in opened]
    return [each for each in said if each["class"] != "self"]


async def test_two_approve_one_reads_and_the_person_can_see_it(
    place: Place,
    api: Custody,
    ana: Somebody,
    eve: Staff,
    max_: Staff,
    read: StaffRead,
    email: Field,
) -> None:
    said = read.said
    assert (said["subject"], said["class"], said["columns"]) == (str(ana.id), "staff", [EMAIL])
    assert (said["minutes"], said["reason"], said["staff"]) == (30, REASON, str(eve.id))
    one = await approve(api, read, eve)
    assert (one.signatures, one.is_granted) == (1, False)
    both = await approve(api, read, max_)
    assert (both.signatures, both.is_granted) == (2, True)
    assert both.ends_at == place.clock.now() + timedelta(minutes=30)
    assert await api.open_read(eve.token, read.id, [email]) == [b"ana@example.org"]
    grant, seen = await journal(place, api, ana)
    assert (grant["kind"], grant["purpose"], grant["note"]) == ("grant", "abuse-report", REASON)
    assert grant["columns"] == [EMAIL]
    assert grant["expires"] == "2026-11-24T09:30:00Z"
    assert {f"staff {eve.id}", f"staff {max_.id}"} == set(grant["actor"].split(", "))
    assert (seen["kind"], seen["class"], seen["columns"]) == ("read", "staff", [EMAIL])
    assert seen["actor"] == f"staff {eve.id}"
    assert await place.entries(ana.id) == [0, 1, 2, 3]


async def test_each_read_is_an_entry_of_its_own(
    place: Place, api: Custody, ana: Somebody, eve: Staff, max_: Staff, read: StaffRead
) -> None:
    await approve(api, read, max_, eve)
    for _ in range(2):
        assert await api.open_read(eve.token, read.id, []) == []
    assert [each["kind"] for each in await journal(place, api, ana)] == ["grant", "read", "read"]


async def test_an_order_of_the_law_is_told_apart(
    place: Place, api: Custody, ana: Somebody, eve: Staff, max_: Staff
) -> None:
    read = await api.ask_read(eve.token, ana.id, "legal-order", [EMAIL], 5, REASON)
    await approve(api, read, eve, max_)
    assert [each["class"] for each in await journal(place, api, ana)] == ["legal"]


async def test_one_alone_cannot_approve_with_two_keys_or_twice(
    place: Place, api: Custody, eve: Staff, read: StaffRead, email: Field
) -> None:
    await approve(api, read, eve, eve)
    async with place.vault.db.tx() as tx:
        await tx.execute(
            "INSERT INTO custody.staff_key VALUES ($1, $2, $3, 0)",
            (second := Authenticator(ORIGIN)).credential_id,
            eve.id,
            public_key_of(second),
        )
    done = await approve(api, read, Staff(eve.somebody, eve.id, second))
    assert (done.signatures, done.is_granted) == (1, False)
    with pytest.raises(NotApproved):
        await api.open_read(eve.token, read.id, [email])


async def test_passkey_added_later_approves_nothing(
    place: Place, api: Custody, max_: Staff, read: StaffRead
) -> None:
    later = Staff(max_.somebody, max_.id, await add_passkey(place, max_.somebody.id))
    with pytest.raises(ApprovalRefused):
        await approve(api, read, later)


async def test_signature_for_something_else_approves_nothing(
    place: Place, api: Custody, eve: Staff, max_: Staff, ana: Somebody, read: StaffRead
) -> None:
    other = await api.ask_read(eve.token, ana.id, "account-help", [EMAIL], 60, REASON)
    with pytest.raises(ApprovalRefused):
        await api.approve_read(read.id, max_.sign(other.asked))
    # Another site, another key, no key, junk.
    elsewhere = Staff(max_.somebody, max_.id, max_.key.copy())
    elsewhere.key.origin = "https://elsewhere.example"
    forged = Staff(max_.somebody, max_.id, Authenticator(ORIGIN))
    forged.key.credential_id = max_.key.credential_id
    for credential in (
        elsewhere.sign(read.asked),
        forged.sign(read.asked),
        Staff(max_.somebody, max_.id, Authenticator(ORIGIN)).sign(read.asked),
        {},
        {"id": "!", "rawId": 3, "response": None, "type": "public-key"},
    ):
        with pytest.raises(ApprovalRefused):
            await api.approve_read(read.id, credential)
    assert (await approve(api, read, max_)).signatures == 1


async def test_a_counter_that_goes_back_approves_nothing(
    api: Custody, eve: Staff, max_: Staff, read: StaffRead, ana: Somebody
) -> None:
    max_.key.sign_count = 5
    thief = Staff(max_.somebody, max_.id, max_.key.copy())
    await approve(api, read, max_)
    other = await api.ask_read(eve.token, ana.id, "abuse-report", [EMAIL], 60, REASON)
    with pytest.raises(ApprovalRefused):
        await approve(api, other, thief)


async def test_presence_without_verification_is_not_enough(
    api: Custody, max_: Staff, read: StaffRead, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.cell.people.authenticator.USER_VERIFIED", 0)
    with pytest.raises(ApprovalRefused):
        await approve(api, read, max_)


@pytest.mark.parametrize(
    "changes",
    [
        {"purpose": "curiosity"},
        {"columns": []},
        {"columns": ["*"]},
        {"columns": [EMAIL, "journal.entry"]},
        {"minutes": 0},
        {"minutes": 61},
        {"reason": "because"},
        {"reason": "x" * 501},
        {"person_id": UUID(int=7)},
    ],
)
async def test_request_out_of_bounds_is_refused(
    api: Custody, eve: Staff, ana: Somebody, changes: dict[str, Any]
) -> None:
    asked = {
        "person_id": ana.id,
        "purpose": "abuse-report",
        "columns": [EMAIL],
        "minutes": 30,
        "reason": REASON,
    }
    await api.ask_read(eve.token, **asked)
    with pytest.raises(ReadRefused):
        await api.ask_read(eve.token, **{**asked, **changes})


async def test_only_staff_ask_look_and_read(
    api: Custody, ana: Somebody, eve: Staff, max_: Staff, read: StaffRead, email: Field
) -> None:
    await approve(api, read, eve, max_)
    with pytest.raises(NotStaff):
        await api.ask_read(ana.token, ana.id, "abuse-report", [EMAIL], 30, REASON)
    with pytest.raises(NotStaff):
        await api.reads(ana.token)
    with pytest.raises(NotStaff):
        await api.open_read(ana.token, read.id, [email])
    # And of the staff, the one who asked.
    with pytest.raises(NotApproved):
        await api.open_read(max_.token, read.id, [email])
    assert [each.id for each in await api.reads(max_.token)] == [read.id]


async def test_the_box_opens_what_it_names_of_one_person(
    api: Custody, ana: Somebody, eve: Staff, max_: Staff, read: StaffRead, email: Field
) -> None:
    await approve(api, read, eve, max_)
    with pytest.raises(NoGrant):
        await api.open_read(eve.token, read.id, [Field("contact.phone", 1, email.data)])
    # Another person's field, under the name that is allowed.
    grant = await api.session_grant(max_.token)
    (theirs,) = await api.seal(grant, [Field(EMAIL, 1, b"max@example.org")])
    with pytest.raises(NotOpened):
        await api.open_read(eve.token, read.id, [Field(EMAIL, 1, theirs)])


async def test_the_box_closes(
    place: Place, api: Custody, eve: Staff, max_: Staff, read: StaffRead, email: Field
) -> None:
    await approve(api, read, eve, max_)
    place.clock.advance(timedelta(minutes=29))
    assert await api.open_read(eve.token, read.id, [email])
    place.clock.advance(timedelta(minutes=1))
    with pytest.raises(NoSuchRead):
        await api.open_read(eve.token, read.id, [email])
    with pytest.raises(NoSuchRead):
        await approve(api, read, max_)
    assert await api.reads(eve.token) == []


async def test_request_waits_a_day_for_its_signatures(
    place: Place, api: Custody, max_: Staff, read: StaffRead
) -> None:
    place.clock.advance(timedelta(hours=24))
    with pytest.raises(NoSuchRead):
        await approve(api, read, max_)
    await place.broker.tidy()
    assert await place.rows("SELECT 1 FROM custody.staff_read")
    place.clock.advance(timedelta(days=30))
    await place.broker.tidy()
    assert not await place.rows("SELECT 1 FROM custody.staff_read")


async def test_granted_read_is_not_signed_again(
    api: Custody, eve: Staff, max_: Staff, read: StaffRead
) -> None:
    await approve(api, read, eve, max_)
    with pytest.raises(NoSuchRead):
        await approve(api, read, max_)


async def test_former_staff_neither_sign_nor_read(
    place: Place, api: Custody, eve: Staff, max_: Staff, read: StaffRead
) -> None:
    async with place.vault.db.tx() as tx:
        handle = await handle_of(place, max_.somebody.id)
        assert [(each, roles) for each, _, roles in await store.staff(tx)] == [
            (eve.id, [OPERATOR]),
            (max_.id, [OPERATOR]),
        ]
        assert await store.drop_staff(tx, handle) == max_.id
        assert await store.drop_staff(tx, handle) is None
    with pytest.raises(ApprovalRefused):
        await approve(api, read, max_)
    with pytest.raises(NotStaff):
        await api.reads(max_.token)


async def test_nothing_opens_when_the_log_takes_no_entry(
    place: Place, api: Custody, eve: Staff, max_: Staff, read: StaffRead, email: Field
) -> None:
    await approve(api, read, eve, max_)
    await place.rows("ALTER TABLE ledger.inbox ADD CHECK (log <> 'access') NOT VALID")
    with pytest.raises(Exception) as refusal:  # noqa: PT011 - whatever it is, no answer
        await api.open_read(eve.token, read.id, [email])
    assert "ana@" not in str(refusal.value)
    await place.rows("ALTER TABLE ledger.inbox DROP CONSTRAINT inbox_log_check1")


async def test_erased_person_cannot_be_read(
    place: Place, api: Custody, ana: Somebody, eve: Staff, max_: Staff, read: StaffRead
) -> None:
    await approve(api, read, eve, max_)
    place.vault.store.shred(ana.id)
    place.clock.advance(timedelta(minutes=2))
    with pytest.raises(KeyGone):
        await api.open_read(eve.token, read.id, [])


async def test_who_of_the_staff_signed_a_text_is_told(
    api: Custody, eve: Staff, max_: Staff, ana: Somebody
) -> None:
    text = b"Withhold this here."
    assert await api.signer_of(text, eve.sign(text)) == eve.id
    assert await api.signer_of(text, max_.sign(text)) == max_.id
    with pytest.raises(ApprovalRefused):
        await api.signer_of(b"Withhold that.", eve.sign(text))


async def test_guardian_that_wants_a_newer_entry_gets_none_for_the_staff(
    place: Place,
    api: Custody,
    eve: Staff,
    max_: Staff,
    read: StaffRead,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What two have approved is one grant: only the two can make another."""
    await approve(api, read, eve, max_)

    async def asks(_: UUID, renew: Renew) -> None:
        await renew()

    monkeypatch.setattr(place.broker._ring, "key", asks)
    with pytest.raises(NotApproved):
        await api.open_read(eve.token, read.id, [])
