"""What a person chooses: kinds that are off, a digest, quiet nights."""

from __future__ import annotations

from uuid import UUID

import msgspec

from luciole.cell.notify.model import DIGEST_HOURS, OFFSETS, ChosenKind, Wishes
from luciole.cell.notify.refusals import BadHour, BadOffset, NightsStayQuiet
from luciole.cell.notify.store import wishes as store
from luciole.kit.db import Tx


class Changed(msgspec.Struct, frozen=True):
    """The parts that are given change."""

    digest_at: int | msgspec.UnsetType | None = msgspec.UNSET
    quiet_nights: bool | msgspec.UnsetType = msgspec.UNSET
    offset_minutes: int | msgspec.UnsetType = msgspec.UNSET


async def wishes(tx: Tx, person_id: UUID) -> Wishes:
    """What a person has chosen, also one who is leaving."""
    return await store.chosen(tx, person_id)


async def change(tx: Tx, person_id: UUID, changed: Changed) -> Wishes:
    """Raises BadHour, BadOffset, NightsStayQuiet. What waited for a digest is told when there is
    none any more."""
    now = await wishes(tx, person_id)
    digest_at, quiet, offset = now.digest_at, now.quiet_nights, now.offset_minutes
    if changed.digest_at is not msgspec.UNSET:
        digest_at = changed.digest_at
        if digest_at is not None and digest_at not in DIGEST_HOURS:
            raise BadHour
    if changed.quiet_nights is not msgspec.UNSET:
        quiet = changed.quiet_nights
        if now.is_minor and not quiet:
            raise NightsStayQuiet
    if changed.offset_minutes is not msgspec.UNSET:
        offset = checked_offset(changed.offset_minutes)
    await store.set_wishes(tx, person_id, sorted(now.off), digest_at, quiet, offset)
    if digest_at is None and now.digest_at is not None:
        await store.release(tx, person_id)
    return await wishes(tx, person_id)


async def turn(tx: Tx, person_id: UUID, kind: ChosenKind, is_on: bool) -> Wishes:
    """Turns a kind on or off; what was told of it stays in the list."""
    await store.turn(tx, person_id, kind, is_on)
    return await wishes(tx, person_id)


def checked_offset(offset_minutes: int) -> int:
    """Raises BadOffset."""
    least, most = OFFSETS
    if not least <= offset_minutes <= most:
        raise BadOffset
    return offset_minutes
