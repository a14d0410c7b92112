"""Reports of messages: what somebody discloses is what the other one's device signed, or nothing.

A report names messages as their sender signed them (RFC 9420, FramedContentTBS) with the signature.
Each has to verify against the key that the directory has of the device, and belong to the
conversation's group. What is kept is what was disclosed, sealed under the reporter's key.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from luciole.ask.client import Custody
from luciole.cell.messages import framing, model, payload, refusals
from luciole.cell.messages.model import Conversation, Device, Kept, Opened, Reason
from luciole.cell.messages.store import devices as devices_store
from luciole.cell.messages.store import reports as store
from luciole.custody.model import Field, Grant, NoSuchRead
from luciole.kit.clock import Clock
from luciole.kit.db import Tx
from luciole.kit.ids import new_id

LABEL = "FramedContentTBS"


class Disclosed(msgspec.Struct, frozen=True):
    """A message as a device signed it: the bytes of its FramedContentTBS, and the signature."""

    device_id: UUID
    content: bytes
    signature: bytes


class Reports:
    """Takes reports."""

    def __init__(self, custody: Custody, clock: Clock) -> None:
        self._custody = custody
        self._clock = clock

    async def add(
        self,
        tx: Tx,
        grant: Grant,
        conversation: Conversation,
        reason: Reason,
        items: Sequence[Disclosed],
    ) -> UUID:
        """Keeps a report of the grant's person. Raises BadReport, ReportNotSigned, CustodyAway."""
        if not 1 <= len(items) <= model.MAX_REPORTED:
            raise refusals.BadReport
        known = await devices_store.by_id(tx, [each.device_id for each in items])
        said = [await self._verified(conversation, known, each) for each in items]
        about = {known[each.device_id].person_id for each in items}
        if len(about) != 1 or grant.person_id in about:
            raise refusals.BadReport
        text = {
            "v": 1,
            "reason": reason,
            "messages": [
                {
                    "device": str(each.device_id),
                    "epoch": one.epoch,
                    "content": base64.b64encode(each.content).decode(),
                    "signature": base64.b64encode(each.signature).decode(),
                    "key": base64.b64encode(known[each.device_id].signature_key).decode(),
                }
                for each, one in zip(items, said, strict=True)
            ],
        }
        field = Field(model.REPORT_FIELD, model.REPORT_VERSION, msgspec.json.encode(text))
        (sealed,) = await self._custody.seal(grant, [field])
        report_id = new_id()
        await store.add(tx, report_id, grant.person_id, about.pop(), sealed, self._clock.now())
        return report_id

    async def _verified(
        self, conversation: Conversation, known: dict[UUID, Device], item: Disclosed
    ) -> framing.Said:
        device = known.get(item.device_id)
        try:
            said = framing.application_message(item.content)
        except framing.Malformed:
            raise refusals.ReportNotSigned from None
        if device is None or said.group_id != conversation.group_id:
            raise refusals.ReportNotSigned
        signed = framing.sign_content(LABEL, item.content)
        if not await self._custody.verify(device.signature_key, item.signature, signed):
            raise refusals.ReportNotSigned
        return said

    # --- for staff -----------------------------------------------------------------------------

    async def waiting(self, tx: Tx) -> list[tuple[UUID, str, datetime]]:
        """The newest reports: which, by whom, when."""
        return await store.waiting(tx, model.MAX_REPORTS_LISTED)

    async def of_approved(self, tx: Tx, token: str, read_id: UUID) -> list[Opened]:
        """What the person of an approved request of staff disclosed; the key broker notes the read
        first. Raises NoSuchRead, and what `Custody.open_read` raises."""
        read = next((each for each in await self._custody.reads(token) if each.id == read_id), None)
        if read is None:
            raise NoSuchRead
        found = await store.of_reporter(tx, read.person_id)
        fields = [Field(model.REPORT_FIELD, model.REPORT_VERSION, each.sealed) for each in found]
        opened = await self._custody.open_read(token, read_id, fields)
        return [
            Opened(each.id, each.about, each.made_at, msgspec.json.decode(text))
            for each, text in zip(found, opened, strict=True)
        ]

    async def one(self, tx: Tx, report_id: UUID) -> Kept | None:
        """A report as it is kept, sealed."""
        return await store.one(tx, report_id)

    async def disclosed(self, token: str, read_id: UUID, report: Kept) -> model.Disclosed:
        """What was disclosed in one report, in words, under an approved read of who made it; the
        key broker notes the read first. Raises what `Custody.open_read` raises."""
        field = Field(model.REPORT_FIELD, model.REPORT_VERSION, report.sealed)
        (text,) = await self._custody.open_read(token, read_id, [field])
        told = msgspec.json.decode(text)
        return model.Disclosed(
            told["reason"],
            [
                payload.said(framing.application_message(base64.b64decode(one["content"])).content)
                for one in told["messages"]
            ],
        )

    async def tidy(self, tx: Tx) -> None:
        """Forgets old reports."""
        await store.tidy(tx, self._clock.now() - timedelta(days=model.REPORT_KEPT_DAYS))
