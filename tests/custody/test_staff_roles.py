"""What staff may do by their role: operators ask, sign and read; moderators review."""

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
from luciole.custody.model import ApprovalRefused, NotStaff, StaffRead
from luciole.kit.ids import new_id


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


async def test_who_has_no_passkey_does_not_become_staff(place: Place, ana: Somebody) -> None:
    async with place.vault.db.tx() as tx:
        handle = await handle_of(place, ana.id)
        assert not await store.add_staff(tx, new_id(), handle, place.clock.now(), [OPERATOR])
