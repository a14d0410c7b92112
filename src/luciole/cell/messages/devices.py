"""Devices: adding and removing them, each an entry of the log, and their key packages."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from luciole.ask.client import Custody
from luciole.cell.messages import framing, model, refusals
from luciole.cell.messages.model import Act, Claimed, Device, LogEntry
from luciole.cell.messages.store import devices as store
from luciole.cell.messages.store import people as people_store
from luciole.cell.people.model import Viewer
from luciole.custody.model import Grant
from luciole.kit.clock import Clock
from luciole.kit.db import Tx
from luciole.kit.ids import new_id

# The proof of an entry of the log by its index, None until a published head covers it.
Prove = Callable[[int], Awaitable[str | None]]
LAST_DAY = datetime(9999, 12, 31, tzinfo=UTC)


class Proved(msgspec.Struct, frozen=True):
    """A device as others check it: what the log says of it, each with its receipt."""

    device: Device
    entries: list[tuple[LogEntry, str | None]]


class Devices:
    """The directory of devices. Whoever talks to a person can check it against the log."""

    def __init__(self, custody: Custody, clock: Clock, prove: Prove) -> None:
        self._custody = custody
        self._clock = clock
        self._prove = prove

    async def add(self, tx: Tx, grant: Grant, signature_key: bytes, name: str) -> Device:
        """Adds a device of the grant's person; it is in the log if, and only if, `tx` commits.
        Raises DeviceKeyTaken, TooManyDevices, CustodyAway."""
        person_id, now = grant.person_id, self._clock.now()
        await store.lock_person(tx, person_id)
        known = await store.of_person(tx, person_id)
        if sum(each.revoked_at is None for each in known) >= model.MAX_DEVICES:
            raise refusals.TooManyDevices
        named = " ".join(name.split())[: model.MAX_NAME_CHARS] or "Device"
        device = Device(new_id(), person_id, signature_key, named, now, now.date(), None)
        if not await store.add(tx, device):
            raise refusals.DeviceKeyTaken
        await self._note(tx, grant, device, "added")
        return device

    async def revoke(self, tx: Tx, grant: Grant, device_id: UUID) -> None:
        """Removes a device of the grant's person, with all that waits for it. Raises NoSuchDevice,
        CustodyAway."""
        device = await self.own(tx, grant.person_id, device_id)
        if not await store.revoke(tx, device_id, grant.person_id, self._clock.now()):
            raise refusals.NoSuchDevice
        await self._note(tx, grant, device, "revoked")

    async def _note(self, tx: Tx, grant: Grant, device: Device, act: Act) -> None:
        """Puts an entry into the log and the journal, and opens it for those who check."""
        drawn = await self._custody.note(
            tx,
            grant.person_id,
            kind="key",
            cls="self",
            purpose=f"device-{act}",
            actor="you",
            device=str(device.id),
            key=base64.b64encode(device.signature_key).decode(),
        )
        (opened,) = await self._custody.open_journal(grant, [(drawn.n, drawn.sealed)])
        await store.add_entry(tx, device.id, act, drawn.n, drawn.leaf, opened.nonce, opened.opening)

    async def own(self, tx: Tx, person_id: UUID, device_id: UUID) -> Device:
        """A device of the person that is in use. Raises NoSuchDevice."""
        found = (await store.by_id(tx, [device_id])).get(device_id)
        if found is None or found.person_id != person_id or found.revoked_at is not None:
            raise refusals.NoSuchDevice
        return found

    async def active(self, tx: Tx, ids: Sequence[UUID]) -> dict[UUID, Device]:
        """Those of some devices that are in use."""
        found = await store.by_id(tx, ids)
        return {each.id: each for each in found.values() if each.revoked_at is None}

    async def of_person(self, tx: Tx, person_id: UUID) -> list[Device]:
        """A person's devices, also those that were removed lately."""
        return await store.of_person(tx, person_id)

    async def directory(self, tx: Tx, person_id: UUID) -> list[Proved]:
        """The same as others check them."""
        entries: dict[UUID, list[tuple[LogEntry, str | None]]] = {}
        for each in await store.entries(tx, person_id):
            receipt = None if each.index is None else await self._prove(each.index)
            entries.setdefault(each.device_id, []).append((each, receipt))
        return [
            Proved(each, entries.get(each.id, [])) for each in await self.of_person(tx, person_id)
        ]

    async def see(self, tx: Tx, device: Device) -> None:
        """Notes the day on which a device was last here."""
        today = self._clock.now().date()
        if device.seen_on < today:
            await store.see(tx, device.id, today)

    # --- key packages --------------------------------------------------------------------------

    async def packages_left(self, tx: Tx, device: Device) -> int:
        """How many others can still claim, without the one of last resort."""
        return await store.packages_left(tx, device.id, self._clock.now(), model.MAX_KEY_PACKAGES)

    async def publish(
        self, tx: Tx, device: Device, packages: Sequence[bytes], last_resort: bytes | None
    ) -> int:
        """Keeps key packages for others to claim; gives how many there are. Raises BadKeyPackage,
        TooManyKeyPackages."""
        made = [(new_id(), each, self._end_of(device, each)) for each in packages]
        left = await self.packages_left(tx, device)
        if left + len(made) > model.MAX_KEY_PACKAGES:
            raise refusals.TooManyKeyPackages
        await store.add_packages(tx, device.id, made)
        if last_resort is not None:
            end = self._end_of(device, last_resort)
            await store.set_last_resort(tx, new_id(), device.id, last_resort, end)
        return left + len(made)

    def _end_of(self, device: Device, package: bytes) -> datetime:
        """When a key package ends, which is one of this device. Raises BadKeyPackage."""
        try:
            found = framing.key_package(package)
        except framing.Malformed:
            raise refusals.BadKeyPackage from None
        identity = framing.identity_of(device.person_id, device.id)
        if (found.signature_key, found.identity) != (device.signature_key, identity):
            raise refusals.BadKeyPackage
        now = self._clock.now()
        try:
            end = datetime.fromtimestamp(found.not_after, UTC)
        except (ValueError, OverflowError, OSError):
            end = LAST_DAY
        if end < now + timedelta(minutes=1):
            raise refusals.BadKeyPackage
        return end

    async def claim(self, tx: Tx, people: Sequence[UUID], but: UUID | None) -> list[Claimed]:
        """A key package of each device of some people, but one. A device that has none left and
        gave none of last resort is missing."""
        now = self._clock.now()
        devices = [
            device
            for person_id in people
            for device in await store.of_person(tx, person_id)
            if device.revoked_at is None and device.id != but
        ]
        found = [await store.take_package(tx, device, now) for device in devices]
        return [each for each in found if each is not None]

    # --- how people stand to each other --------------------------------------------------------

    async def between(self, tx: Tx, me: UUID, other: UUID) -> model.Between | None:
        """How two people stand to each other; None where the other one is not there."""
        return await people_store.between(tx, me, other)

    async def may_check(self, tx: Tx, me: Viewer, other: UUID) -> bool:
        """Whether the viewer may look at somebody's directory: who is in a group with them, also
        if a block keeps them apart, for whose keys are there has to be known; else who is in a
        pair with them or may begin one. None of it, and not apart: raises CannotWrite."""
        if me.person_id == other or await people_store.shares(tx, me.person_id, other, ["group"]):
            return True
        between = await self.between(tx, me.person_id, other)
        if between is None or between.is_apart:
            return False
        if not await people_store.shares(tx, me.person_id, other, ["pair"]):
            await self.may_begin(tx, me, other)
        return True

    async def may_begin(self, tx: Tx, me: Viewer, other: UUID) -> model.Between:
        """How the viewer stands to somebody to whom they may begin to write. Raises CannotWrite."""
        between = await people_store.between(tx, me.person_id, other)
        if between is None or not model.may_begin(between, is_minor=me.is_minor):
            raise refusals.CannotWrite
        return between

    async def tidy(self, tx: Tx) -> None:
        """Forgets key packages that have ended and devices that were removed long ago."""
        now = self._clock.now()
        await store.tidy(tx, now, now - timedelta(days=model.REVOKED_KEPT_DAYS))
