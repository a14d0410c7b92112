"""What staff may do by their role: operators ask, sign and read; moderators review, and ask for
what was disclosed to them."""

from __future__ import annotations

import pytest
from tests.custody.conftest import Place, Somebody
from tests.custody.test_staff import (
    EMAIL,
    OPERATOR,
    REASON,
    approve,
    eve,  # noqa: F401 - a fixture
    handle_of,
    read,  # noqa: F401 - a fixture
    staff,
)

from luciole.ask.client import Custody
from luciole.custody import store
from luciole.custody.model import (
    ApprovalRefused,
    Field,
    NotApproved,
    NotStaff,
    ReadRefused,
    StaffRead,
)
from luciole.kit.ids import new_id

REPORT = "messages.report"


async def test_moderators_review_and_read_nothing(
    place: Place,
    api: Custody,
    ana: Somebody,
    read: StaffRead,  # noqa: F811
) -> None:
    mia, both = await staff(place, api, "moderator"), await staff(place, api, "moderator", OPERATOR)
    text = b"A shift of reviews."
    for one in (mia, both):
        assert await api.signer_of(text, one.sign(text), "moderator") == one.id
    with pytest.raises(ApprovalRefused):
        await api.signer_of(text, mia.sign(text))
    with pytest.raises(ApprovalRefused):
        await approve(api, read, mia)
    with pytest.raises(NotStaff):
        await api.reads(mia.token)
    with pytest.raises(NotStaff):
        await api.ask_read(mia.token, ana.id, "abuse-report", [EMAIL], 30, REASON)
    await approve(api, read, both)
    assert [one.id for one in await api.reads(both.token)] == [read.id]


async def test_moderator_asks_for_a_report_of_messages_that_two_operators_sign(
    place: Place, api: Custody, ana: Somebody
) -> None:
    mia, other = [await staff(place, api, "moderator") for _ in range(2)]
    eve_, max_ = [await staff(place, api) for _ in range(2)]
    grant = await api.session_grant(ana.token)
    (sealed,) = await api.seal(grant, [Field(REPORT, 1, b"what was disclosed")])
    field = Field(REPORT, 1, sealed)
    # What has this purpose opens no address, and what opens addresses is not for moderators.
    with pytest.raises(ReadRefused):
        await api.ask_read(mia.token, ana.id, "message-report", [EMAIL], 30, REASON)
    read_ = await api.ask_read(mia.token, ana.id, "message-report", [REPORT], 30, REASON)
    for one in (mia, other):
        with pytest.raises(ApprovalRefused):
            await approve(api, read_, one)
    await approve(api, read_, eve_)
    with pytest.raises(NotApproved):
        await api.open_read(mia.token, read_.id, [field])
    await approve(api, read_, max_)
    assert await api.open_read(mia.token, read_.id, [field]) == [b"what was disclosed"]
    for one in (other, eve_):
        with pytest.raises(NotApproved):
            await api.open_read(one.token, read_.id, [field])
    # An auditor is no operator and no moderator.
    auditor = await staff(place, api, "auditor")
    with pytest.raises(NotStaff):
        await api.open_read(auditor.token, read_.id, [field])


async def test_who_has_no_passkey_does_not_become_staff(place: Place, ana: Somebody) -> None:
    async with place.vault.db.tx() as tx:
        handle = await handle_of(place, ana.id)
        assert not await store.add_staff(tx, new_id(), handle, place.clock.now(), [OPERATOR])
