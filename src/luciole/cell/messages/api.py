"""Routes of messages about devices, settings and reports; the others are beside."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from litestar import Router, delete, get, patch, post
from litestar.params import FromPath, JSONBody

from luciole.cell.media.service import Room
from luciole.cell.messages import api_conversations, api_files, limits, shapes
from luciole.cell.messages.devices import Proved
from luciole.cell.messages.model import Device, Settings
from luciole.cell.messages.reports import Disclosed
from luciole.cell.messages.service import Messages
from luciole.cell.people.model import NoSuchPerson, Person, Viewer
from luciole.cell.people.service import People
from luciole.kit.blobs import Blobs
from luciole.kit.db import Database, Tx
from luciole.kit.web import AnyRequest

AvatarUrl = Callable[[str | None], str | None]
MAX_PACKAGES_BODY_BYTES = 2 * 1024 * 1024
MAX_REPORT_BODY_BYTES = 4 * 1024 * 1024


def routes(
    db: Database,
    people: People,
    messages: Messages,
    blobs: Blobs,
    room: Room,
    avatar_url: AvatarUrl,
) -> Router:
    """All routes of messages over their collaborators."""
    devices = messages.devices

    async def writer(tx: Tx, request: AnyRequest) -> Viewer:
        """The signed-in person, who is old enough for messages."""
        me = await people.require(tx, request)
        messages.check_age(me)
        return me

    async def seen(tx: Tx, me: Viewer, handle: str) -> Person:
        """Somebody whom a block does not keep apart. Raises NoSuchPerson."""
        person = await people.by_handle(tx, handle)
        if person.id != me.person_id:
            between = await devices.between(tx, me.person_id, person.id)
            if between is None or between.is_apart:
                raise NoSuchPerson
        return person

    @post("/devices")
    async def add(request: AnyRequest, data: JSONBody[shapes.DeviceNew]) -> shapes.DeviceMade:
        """Adds a device of the person, which the log notes; what comes next are key packages."""
        grant = await people.grant(request)
        async with db.tx() as tx:
            me = await writer(tx, request)
            messages.rates.take(limits.DEVICE, str(me.person_id))
            device = await devices.add(tx, grant, data.signature_key, data.name)
        return shapes.DeviceMade(device.id, device.person_id)

    @get("/devices")
    async def mine(request: AnyRequest) -> shapes.DeviceList:
        """The person's devices, also those that were removed in the last year."""
        async with db.read() as tx:
            me = await people.require(tx, request)
            found = await devices.of_person(tx, me.person_id)
        return shapes.DeviceList([_device(each) for each in found])

    @delete("/devices/{device_id:uuid}")
    async def remove(request: AnyRequest, device_id: FromPath[UUID]) -> None:
        """Removes a device, which the log notes; nothing is delivered to it any more."""
        grant = await people.grant(request)
        async with db.tx() as tx:
            await people.require(tx, request)
            await devices.revoke(tx, grant, device_id)

    @get("/people/{handle:str}/devices")
    async def directory(request: AnyRequest, handle: FromPath[str]) -> shapes.Directory:
        """A person's devices with what the log says of each, to check the keys that one is given;
        for who talks with them, or may. It tells the number of each entry in their journal."""
        async with db.read() as tx:
            me = await people.require(tx, request)
            person = await people.by_handle(tx, handle)
            if not await devices.may_check(tx, me, person.id):
                raise NoSuchPerson
            found = await devices.directory(tx, person.id)
        return shapes.Directory(person.id, person.handle, [_proved(each) for each in found])

    @post(
        "/devices/{device_id:uuid}/key-packages",
        status_code=200,
        request_max_body_size=MAX_PACKAGES_BODY_BYTES,
    )
    async def publish(
        request: AnyRequest, device_id: FromPath[UUID], data: JSONBody[shapes.KeyPackages]
    ) -> shapes.KeyPackagesLeft:
        """Leaves key packages of a device for others to claim; gives how many there are then."""
        async with db.tx() as tx:
            me = await writer(tx, request)
            device = await devices.own(tx, me.person_id, device_id)
            left = await devices.publish(tx, device, data.packages, data.last_resort)
        return shapes.KeyPackagesLeft(left)

    @get("/devices/{device_id:uuid}/key-packages")
    async def left(request: AnyRequest, device_id: FromPath[UUID]) -> shapes.KeyPackagesLeft:
        """How many key packages can still be claimed, without the one of last resort."""
        async with db.read() as tx:
            me = await people.require(tx, request)
            device = await devices.own(tx, me.person_id, device_id)
            return shapes.KeyPackagesLeft(await devices.packages_left(tx, device))

    @post("/key-packages/claim", status_code=200)
    async def claim(request: AnyRequest, data: JSONBody[shapes.Claim]) -> shapes.ClaimedPackages:
        """A key package of each device of some people to whom the person may begin to write."""
        async with db.tx() as tx:
            me = await writer(tx, request)
            messages.rates.take(limits.CLAIM, str(me.person_id), len(data.handles))
            asked = {}
            for handle in data.handles:
                person = await seen(tx, me, handle)
                asked[person.id] = person.handle
                if person.id != me.person_id:
                    await devices.may_begin(tx, me, person.id)
            found = await devices.claim(tx, list(asked), data.device_id)
        return shapes.ClaimedPackages(
            [
                shapes.ClaimedPackage(
                    asked[each.person_id], each.person_id, each.device_id, each.package
                )
                for each in found
            ]
        )

    @get("/settings")
    async def settings(request: AnyRequest) -> shapes.SettingsBody:
        """Who may begin to write to the person, and which marks they give."""
        async with db.read() as tx:
            me = await people.require(tx, request)
            return _settings(me, await messages.settings(tx, me))

    @patch("/settings")
    async def change(
        request: AnyRequest, data: JSONBody[shapes.SettingsChange]
    ) -> shapes.SettingsBody:
        """Changes what is given."""
        async with db.tx() as tx:
            me = await writer(tx, request)
            chosen = await messages.change_settings(
                tx, me, who=data.who, typing=data.typing, read_marks=data.read_marks
            )
            return _settings(me, chosen)

    @post("/reports", request_max_body_size=MAX_REPORT_BODY_BYTES)
    async def report(request: AnyRequest, data: JSONBody[shapes.ReportNew]) -> shapes.ReportMade:
        """Discloses messages of somebody in a conversation, and nothing else, to be looked into.
        Each has to be signed by the device that it names."""
        grant = await people.grant(request)
        async with db.tx() as tx:
            me = await writer(tx, request)
            conversation = await messages.conversations.to_report(
                tx, me.person_id, data.conversation_id
            )
            items = [Disclosed(each.device_id, each.content, each.signature) for each in data.items]
            made = await messages.reports.add(tx, grant, conversation, data.reason, items)
        return shapes.ReportMade(made)

    return Router(
        "/api/messages",
        route_handlers=[
            add,
            mine,
            remove,
            directory,
            publish,
            left,
            claim,
            settings,
            change,
            report,
            *api_conversations.handlers(db, people, messages, avatar_url, writer, seen),
            *api_files.handlers(db, people, messages, blobs, room, writer),
        ],
        tags=["messages"],
    )


def _device(device: Device) -> shapes.DeviceBody:
    return shapes.DeviceBody(
        device.id,
        device.name,
        device.signature_key,
        device.made_at,
        device.seen_on,
        device.revoked_at,
    )


def _proved(proved: Proved) -> shapes.DirectoryDevice:
    device = proved.device
    return shapes.DirectoryDevice(
        device.id,
        device.signature_key,
        device.made_at,
        device.revoked_at,
        [
            shapes.LogEntryBody(
                each.act,
                each.n,
                each.leaf,
                each.nonce,
                each.opening.decode(),
                each.index,
                receipt,
            )
            for each, receipt in proved.entries
        ],
    )


def _settings(me: Viewer, chosen: Settings) -> shapes.SettingsBody:
    is_off = Messages.is_too_young(me)
    return shapes.SettingsBody(chosen.who, chosen.typing, chosen.read_marks, is_off)
