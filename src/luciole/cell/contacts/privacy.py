"""What contact discovery stores. Of an address book nothing is in it."""

from __future__ import annotations

from uuid import UUID

from luciole.cell.contacts import store
from luciole.cell.contacts.model import CODE_MINUTES
from luciole.kit.catalogue import Border, DataClass, Held, Owned, Removed, columns
from luciole.kit.db import Tx
from luciole.kit.exported import Exported, of

_CODE = f"until it is typed, at most {CODE_MINUTES} minutes and the next tidying"
_VERIFIED = "until the address is changed or removed, or the account is deleted"
_FOUND = "until you want to be found no more, or the address or the account is gone"
_COMES = "until the key that comes is in use, or you want to be found no more"
_ANEW = "an address is verified, and a wish to be found made, in each cell anew"

HELD: tuple[Held, ...] = (
    *columns(
        "contacts.verification",
        "person_id kind version code_hash tries made_at address_index",
        DataClass.SECRET,
        "checks a code that was sent to an address, by a keyed hash",
        _CODE,
        Border.NEVER,
    ),
    *columns(
        "contacts.sent",
        "person_id day codes",
        DataClass.PERSONAL,
        "limits how many codes are sent",
        "2 days",
        Border.NEVER,
    ),
    *columns(
        "contacts.verified",
        "person_id kind version verified_on",
        DataClass.PERSONAL,
        "says that an address is its owner's, without the address",
        _VERIFIED,
        Border.NEVER,
    ),
    Held(
        "contacts.verified.address_index",
        DataClass.PERSONAL,
        "knows by a keyed hash when somebody else shows that the address is theirs now",
        _VERIFIED,
        Border.NEVER,
    ),
    *columns(
        "contacts.renewed",
        "person_id kind round",
        DataClass.PERSONAL,
        "who has been brought to the key that comes",
        _COMES,
        Border.NEVER,
    ),
    *columns(
        "contacts.renewed",
        "mark record",
        DataClass.SHARED,
        "where a person will be in the filter, and their handle, sealed, under the key that comes",
        _COMES,
        Border.NEVER,
    ),
    Held(
        "contacts.renewed.opening",
        DataClass.PERSONAL,
        "makes the record under the key that comes; sealed with the person's data key",
        _COMES,
        Border.NEVER,
    ),
    *columns(
        "contacts.round",
        "number is_current why since other_key",
        DataClass.TELEMETRY,
        "which key people are found under, since when, and the other cell's public key for it",
        "until another key has come",
        Border.COUNTED,
    ),
    Held(
        "contacts.round.salt",
        DataClass.SECRET,
        "makes this cell's half of the key, with a secret that is not in the database",
        "until another key has come",
        Border.NEVER,
    ),
    *columns(
        "contacts.withdrawn",
        "number nonce at",
        DataClass.TELEMETRY,
        "keeps what is not to be found any more out of the book that is given out; the first "
        "bytes of a sealed record, drawn at random, and of nobody once the record is gone",
        "1 day",
        Border.NEVER,
    ),
    *columns(
        "contacts.findable",
        "person_id kind",
        DataClass.PERSONAL,
        "by which kinds of address a person wants to be found",
        _FOUND,
        Border.NEVER,
    ),
    *columns(
        "contacts.findable",
        "mark record",
        DataClass.SHARED,
        "where a person is in the filter of tags, and their handle, sealed so that only who has "
        "the address opens it; the mark comes of a key whose other half is in another cell",
        _FOUND,
        Border.NEVER,
    ),
    Held(
        "contacts.findable.opening",
        DataClass.PERSONAL,
        "makes the record anew when the handle or the key changes: the value and the address, "
        "sealed with the person's data key",
        _FOUND,
        Border.NEVER,
    ),
    *columns(
        "contacts.asked",
        "person_id since points",
        DataClass.PERSONAL,
        "counts how many contacts somebody has looked for, and none of them",
        "until the account is deleted",
        Border.NEVER,
    ),
    *columns(
        "contacts.day",
        "day points",
        DataClass.TELEMETRY,
        "how many contacts all together have looked for on a day; published",
        "400 days",
        Border.COUNTED,
    ),
    *columns(
        "contacts.edition",
        "one number",
        DataClass.TELEMETRY,
        "tells when the filter is to be made anew",
        "for ever",
        Border.NEVER,
    ),
    Held(
        "cache:contact filter",
        DataClass.SHARED,
        "the filter of tags and the book of sealed handles, as devices fetch them",
        "in memory only, until who wants to be found changes",
        Border.NEVER,
    ),
)

OWNED: tuple[Owned, ...] = (
    Owned("contacts.verification", stays="good for minutes"),
    Owned("contacts.sent", stays="counted for a day"),
    Owned("contacts.verified", ("person_id",)),
    Owned("contacts.findable", ("person_id",)),
    Owned("contacts.renewed", stays="made anew by each change of the key"),
    Owned("contacts.round", stays="of a key of this cell"),
    Owned("contacts.withdrawn", stays="good for a day"),
    Owned("contacts.asked", ("person_id",)),
    Owned("contacts.day"),
    Owned("contacts.edition", stays="counts changes in one database"),
)

EXPORT: tuple[Exported, ...] = (
    Exported(
        "verified-addresses",
        "which of your addresses you have verified, and by which you want to be found",
        {
            **of("contacts.verified", "kind version verified_on"),
            "is_findable": "contacts.findable.kind",
            "mark": "contacts.findable.mark",
        },
        store.export_verified,
        whose="contacts.verified.person_id contacts.findable.person_id",
        stays=_ANEW,
    ),
    Exported(
        "contacts-asked",
        "how many contacts you have looked for, and since when; whom, this cell does not know",
        of("contacts.asked", "since points"),
        store.export_asked,
        whose="contacts.asked.person_id",
        stays="counted by each cell",
    ),
    Exported(
        "codes-sent",
        "how many codes were sent to you lately",
        of("contacts.sent", "day codes"),
        store.export_sent,
        whose="contacts.sent.person_id",
        stays="counted by each cell",
    ),
)
NOT_EXPORTED = {
    "cache:contact filter": "made of the marks and records of all, in memory only",
    "contacts.findable.record": "your own handle, sealed for who has your address",
    "contacts.findable.opening": "the key of that record, which your address and two cells make",
    "contacts.renewed.person_id": "as in what you are found by now",
    "contacts.renewed.kind": "as in what you are found by now",
    "contacts.renewed.round": "which key comes: the same for everybody",
    "contacts.renewed.mark": "as the mark that you are found by, under the key that comes",
    "contacts.renewed.record": "your own handle, sealed for who has your address",
    "contacts.renewed.opening": "as what you are found by now",
    "contacts.verified.address_index": "a keyed hash of the address, which is in `contacts`",
}


async def erase(tx: Tx, person_id: UUID) -> Removed:
    """Takes the person out of what others find, and forgets what they have verified and asked."""
    return Removed({"found by": await store.erase(tx, person_id)})
