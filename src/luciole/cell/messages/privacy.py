"""What messages store: who talks with whom, as far as carrying needs it, and bytes that only
devices open."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

from luciole.cell.messages import model
from luciole.cell.messages.store import erasure, exports, files
from luciole.kit.catalogue import Border, DataClass, Held, Owned, Removed, columns
from luciole.kit.db import Tx
from luciole.kit.exported import Exported, ExportedRow, Sealed, Stored, of

PLACES_AT_ONCE = 100
REPORTS_AT_ONCE = 200

_DEVICE = "a year after the device is removed, or until the account is deleted"
_TALK = "until nobody is in the conversation any more"
_MEMBER = "until the person leaves; of a request that was declined, until its maker does"
_WAITS = f"until every device has fetched it, {model.KEPT_DAYS} days at most"

HELD: tuple[Held, ...] = (
    *columns(
        "messages.device",
        "id person_id signature_key made_at revoked_at",
        DataClass.SHARED,
        "the directory of devices, by which others know whose keys they are given",
        _DEVICE,
        Border.ADDRESSED,
    ),
    *columns(
        "messages.device",
        "name seen_on next_n",
        DataClass.PERSONAL,
        "tells a person their devices apart, and counts what was delivered to each",
        _DEVICE,
        Border.NEVER,
    ),
    *columns(
        "messages.device_entry",
        "device_id act n leaf nonce opening",
        DataClass.SHARED,
        "what the log commits to about a device, open to who checks its key",
        _DEVICE,
        Border.ADDRESSED,
    ),
    *columns(
        "messages.key_package",
        "id device_id is_last_resort package expires_at",
        DataClass.SHARED,
        "keys with which others add a device to a conversation, each used once",
        "until it is claimed, or its time is over",
        Border.ADDRESSED,
    ),
    *columns(
        "messages.conversation",
        "id kind group_id epoch group_info knocks is_over updated_on",
        DataClass.SHARED,
        "a conversation's group, so that commits come one after the other and new devices join",
        _TALK,
        Border.NEVER,
    ),
    *columns(
        "messages.conversation",
        "low_id high_id",
        DataClass.SHARED,
        "makes sure that two people have one conversation",
        "until one of the two leaves it",
        Border.NEVER,
    ),
    *columns(
        "messages.member",
        "conversation_id person_id place folder is_muted",
        DataClass.SHARED,
        "who is in a conversation, and whether they have accepted it",
        _MEMBER,
        Border.NEVER,
    ),
    *columns(
        "messages.seat",
        "conversation_id device_id",
        DataClass.SHARED,
        "to which devices a conversation is delivered",
        "until the person leaves, or the device is removed",
        Border.NEVER,
    ),
    *columns(
        "messages.envelope",
        "id conversation_id kind epoch body at",
        DataClass.SHARED,
        "a message that devices have sealed, on its way; who sent it is not stored",
        _WAITS,
        Border.NEVER,
    ),
    Held(
        "messages.envelope.recall_hash",
        DataClass.SECRET,
        "lets who sent a message take it back where it still waits",
        _WAITS,
        Border.NEVER,
    ),
    *columns(
        "messages.delivery",
        "device_id n envelope_id",
        DataClass.PERSONAL,
        "which devices have not fetched an envelope yet",
        _WAITS,
        Border.NEVER,
    ),
    *columns(
        "messages.attachment",
        "id conversation_id object_key size_bytes at",
        DataClass.SHARED,
        "where the sealed files of messages are; who sent one is not stored",
        f"{model.KEPT_DAYS} days",
        Border.NEVER,
    ),
    *columns(
        "messages.backup",
        "person_id object_key size_bytes made_on",
        DataClass.PERSONAL,
        "where the backup of a person's messages is, which only their recovery code opens",
        "until the person deletes it or makes another",
        Border.NEVER,
    ),
    *columns(
        "messages.setting",
        "person_id who typing read_marks",
        DataClass.PERSONAL,
        "who may begin to write to a person, and which marks they give",
        "as long as the account",
        Border.NEVER,
    ),
    *columns(
        "messages.report",
        "id reporter_id about_id sealed made_at",
        DataClass.PERSONAL,
        "messages that a person disclosed to have them looked into, sealed with their data key",
        f"{model.REPORT_KEPT_DAYS} days",
        Border.NEVER,
    ),
    *columns(
        "messages.files_sent",
        "person_id begun_at size_bytes",
        DataClass.PERSONAL,
        "how many bytes a person has sent in files of messages, in all, for a limit; not which",
        f"{model.KEPT_DAYS} days",
        Border.NEVER,
    ),
    *columns(
        "messages.unclaimed",
        "object_key since is_doomed",
        DataClass.TELEMETRY,
        "objects of messages to delete",
        "an hour and ten minutes",
        Border.NEVER,
    ),
    Held(
        "blob:attachments/",
        DataClass.SHARED,
        "files in messages, sealed by the device that sent them",
        f"{model.KEPT_DAYS} days",
        Border.NEVER,
    ),
    Held(
        "blob:histories/",
        DataClass.PERSONAL,
        "backups of messages, sealed by a person's device with their recovery code",
        "until the person deletes it or makes another",
        Border.NEVER,
    ),
    Held(
        "cache:message limits",
        DataClass.PERSONAL,
        "how often somebody has lately sent, claimed or begun something",
        "until others push it out or the process ends; in memory only",
        Border.NEVER,
    ),
)


async def _reports(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    async for row in exports.reports(tx, person_id):
        sealed = Sealed(model.REPORT_FIELD, model.REPORT_VERSION, row.pop("sealed"))
        yield {**row, "disclosed": sealed}


async def _backup(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    async for row in exports.backup(tx, person_id):
        stored = Stored("messages/backup.sealed", (row.pop("object_key"),), row["size_bytes"])
        yield {**row, "file": stored}


_MOVES_ON = "devices hold the keys and have moved on; after a restore a conversation is begun anew"
OWNED: tuple[Owned, ...] = (
    Owned("messages.device", ("person_id",)),
    Owned("messages.device_entry", ("device_id > messages.device.id > person_id",)),
    Owned("messages.key_package", stays="each is used once; devices leave new ones"),
    Owned("messages.conversation", stays=_MOVES_ON),
    Owned("messages.member", stays=_MOVES_ON),
    Owned("messages.seat", stays=_MOVES_ON),
    Owned("messages.envelope", stays="sealed to devices that have moved on, and gone within days"),
    Owned("messages.delivery", stays="sealed to devices that have moved on, and gone within days"),
    Owned("messages.attachment", stays=_MOVES_ON),
    Owned("messages.backup", ("person_id",), objects="object_key", again=("person_id",)),
    Owned("messages.setting", ("person_id",)),
    Owned("messages.report", ("reporter_id", "about_id")),
    Owned("messages.files_sent", stays="it counts anew after a restore"),
    Owned("messages.unclaimed", stays="objects without a row are not copied"),
)

_OF_ONE_CELL = "conversations are of one cell; in another they are begun anew"
EXPORT: tuple[Exported, ...] = (
    Exported(
        "devices",
        "your devices with messages, and their public keys",
        of("messages.device", "id signature_key name made_at seen_on revoked_at next_n"),
        exports.devices,
        whose="messages.device.person_id",
        stays="a device's keys are on the device, which is added in the other cell",
    ),
    Exported(
        "device-entries",
        "what the log commits to about each of them",
        of("messages.device_entry", "device_id act n leaf nonce opening"),
        exports.entries,
        stays="the log is of one cell",
    ),
    Exported(
        "key-packages",
        "the key packages that your devices have left for others",
        of("messages.key_package", "id device_id is_last_resort package expires_at"),
        exports.key_packages,
        stays=_OF_ONE_CELL,
    ),
    Exported(
        "conversations",
        "your conversations and who is in them; what is said in them is on your devices only",
        {
            **of(
                "messages.conversation",
                "id kind group_id epoch knocks is_over updated_on",
            ),
            **of("messages.member", "place folder is_muted"),
            "handles": "people.person.handle messages.member.conversation_id",
            "devices": "messages.seat.conversation_id messages.seat.device_id",
        },
        exports.conversations,
        whose="messages.member.person_id messages.conversation.low_id "
        "messages.conversation.high_id",
        stays=_OF_ONE_CELL,
    ),
    Exported(
        "setting",
        "who may begin to write to you, and which marks you give",
        of("messages.setting", "who typing read_marks"),
        exports.setting,
        whose="messages.setting.person_id",
        stays="is chosen in the other cell, where other people are",
    ),
    Exported(
        "backup",
        "the backup of your messages, which your recovery code opens",
        {
            **of("messages.backup", "size_bytes made_on"),
            "file": "messages.backup.object_key blob:histories/",
        },
        _backup,
        whose="messages.backup.person_id",
        stays="your devices make a new one in the other cell",
    ),
    Exported(
        "reports",
        "messages that you disclosed to have them looked into",
        {
            **of("messages.report", "id about_id made_at"),
            "about": "people.person.handle",
            "disclosed": "messages.report.sealed",
        },
        _reports,
        whose="messages.report.reporter_id",
        stays="a report is for the staff of one cell",
    ),
)
_SEALED = "sealed to your devices, which have it or fetch it; nobody here can read it"
NOT_EXPORTED: dict[str, str] = {
    "messages.conversation.group_info": "public keys of the group's devices, which have it",
    **{
        f"messages.envelope.{name}": _SEALED
        for name in ("id", "conversation_id", "kind", "epoch", "body", "at")
    },
    **{f"messages.delivery.{name}": _SEALED for name in ("device_id", "n", "envelope_id")},
    **{
        f"messages.attachment.{name}": _SEALED
        for name in ("id", "conversation_id", "object_key", "size_bytes", "at")
    },
    **{
        f"messages.files_sent.{name}": "a sum for a limit, of files that are sealed"
        for name in ("person_id", "begun_at", "size_bytes")
    },
    "blob:attachments/": _SEALED,
    "cache:message limits": "numbers in memory that are gone within a day",
}


async def erase(tx: Tx, person_id: UUID) -> Removed:
    """Takes the person out of all conversations, ends those of two, and removes devices, settings,
    backup and reports. What waits for others stays until they have fetched it: it names nobody."""
    left, keys = await erasure.erase_places(tx, person_id, PLACES_AT_ONCE)
    if left:
        await files.announce(tx, keys, model.LONG_AGO)
        return Removed({"conversations": left}, tuple(keys), is_more=True)
    if reports := await erasure.erase_reports(tx, person_id, REPORTS_AT_ONCE):
        return Removed({"message reports": reports}, is_more=True)
    await erasure.erase_setting(tx, person_id)
    await files.erase_sent(tx, person_id)
    backup = await erasure.erase_backup(tx, person_id)
    if backup is not None:
        await files.announce(tx, [backup], model.LONG_AGO)
    devices = await erasure.erase_devices(tx, person_id)
    return Removed({"message devices": devices}, (backup,) if backup else ())
