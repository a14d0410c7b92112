"""What people stores."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

from luciole.cell.people.family import privacy as family
from luciole.cell.people.family import store as family_store
from luciole.cell.people.joining import privacy as joining
from luciole.cell.people.joining import store as joining_store
from luciole.cell.people.model import CHALLENGE_MINUTES, FIELD_OF, HANDLE_CHANGE_DAYS
from luciole.cell.people.store import erasure, exports, moves, paces, restrictions
from luciole.kit import queue
from luciole.kit.catalogue import Border, DataClass, Held, Owned, Removed, columns
from luciole.kit.db import Tx
from luciole.kit.exported import Exported, ExportedRow, Sealed, Stored, of

_LIFE = "until the account is deleted"
_SESSION = "30 days after the last use, or until it is ended"
_CHALLENGE = f"until it is answered, at most {CHALLENGE_MINUTES} minutes and the next tidying"

HELD: tuple[Held, ...] = (
    *columns(
        "people.person",
        "id handle display_name bio avatar_key",
        DataClass.PUBLIC,
        "who a person is to others",
        _LIFE,
        Border.PUBLISHED,
    ),
    Held(
        "people.person.home",
        DataClass.PUBLIC,
        "which other cell somebody lives in; empty for people of this one",
        _LIFE,
        Border.NEVER,
    ),
    *columns(
        "people.person",
        "locale age_band is_private created_at leaving_at",
        DataClass.PERSONAL,
        "settings of the account; an age band in place of a birth date",
        _LIFE,
        Border.NEVER,
    ),
    *columns(
        "people.pace",
        "person_id act begun_at done",
        DataClass.PERSONAL,
        "how often an account has liked, followed, reported and so on of late, for limits that "
        "explain themselves",
        "a day",
        Border.NEVER,
    ),
    *columns(
        "people.restriction",
        "id person_id act begun_at until ended_at",
        DataClass.PERSONAL,
        "what a decision of moderators keeps a person from doing, and until when",
        _LIFE,
        Border.NEVER,
    ),
    Held(
        "people.handle_taken.likeness",
        DataClass.PUBLIC,
        "keeps a handle from ever naming somebody else",
        "for good; without a person once the account is deleted",
        Border.NEVER,
    ),
    Held(
        "people.handle_taken.person_id",
        DataClass.PERSONAL,
        "lets a person return to a former handle",
        _LIFE,
        Border.NEVER,
    ),
    *columns(
        "people.handle_change",
        "id person_id changed_at",
        DataClass.PERSONAL,
        "limits how often a handle changes",
        f"{HANDLE_CHANGE_DAYS} days",
        Border.NEVER,
    ),
    Held(
        "people.data_key.person_id",
        DataClass.PERSONAL,
        "says whose data key it is",
        _LIFE,
        Border.NEVER,
    ),
    Held(
        "people.data_key.wrapped",
        DataClass.SECRET,
        "opened sealed fields in earlier versions; moves into the key broker's store at its start",
        "until the next start",
        Border.NEVER,
    ),
    *columns(
        "people.password",
        "person_id hash",
        DataClass.SECRET,
        "checks a password (argon2id)",
        "until it is changed or the account is deleted",
        Border.NEVER,
    ),
    *columns(
        "people.passkey",
        "id person_id credential_id public_key sign_count",
        DataClass.SECRET,
        "checks a passkey",
        "until it is removed or the account is deleted",
        Border.NEVER,
    ),
    *columns(
        "people.passkey",
        "name created_at last_used_on former_host",
        DataClass.PERSONAL,
        "lets a person tell their passkeys apart",
        "until it is removed or the account is deleted",
        Border.NEVER,
    ),
    *columns(
        "people.moved",
        "person_id address moved_at is_shown",
        DataClass.PUBLIC,
        "shows on your profile where you went when you moved to another cell",
        "until you take it back, or delete the account",
        Border.PUBLISHED,
    ),
    *columns(
        "people.recovery_code",
        "person_id code_hash",
        DataClass.SECRET,
        "checks a recovery code",
        "until it is used or replaced, or the account is deleted",
        Border.NEVER,
    ),
    *columns(
        "people.challenge",
        "id kind subject_id challenge_hash expires_at",
        DataClass.SECRET,
        "makes a passkey's answer good for one use",
        _CHALLENGE,
        Border.NEVER,
    ),
    *columns(
        "people.session",
        "id person_id token_hash",
        DataClass.SECRET,
        "recognises a signed-in device",
        _SESSION,
        Border.NEVER,
    ),
    *columns(
        "people.session",
        "label created_at proved_at last_seen_on expires_at",
        DataClass.PERSONAL,
        "lets a person see where they are signed in, by browser family, system and day",
        _SESSION,
        Border.NEVER,
    ),
    *columns(
        "people.session_over",
        "n month",
        DataClass.TELEMETRY,
        "that somebody's last session of a month is over, and not whose, for how many were here",
        "until the month after it is over",
        Border.NEVER,
    ),
    *columns(
        "people.contact",
        "person_id kind version",
        DataClass.PERSONAL,
        "says which addresses an account has",
        "until it is removed or the account is deleted",
        Border.NEVER,
    ),
    Held(
        "people.contact.sealed",
        DataClass.PERSONAL,
        "an e-mail address or telephone number, sealed with the person's data key",
        "until it is removed or the account is deleted",
        Border.NEVER,
    ),
    Held(
        "people.contact.address_index",
        DataClass.PERSONAL,
        "finds an account by its address, under a key that is not in the database",
        "until it is removed or the account is deleted",
        Border.NEVER,
    ),
    Held(
        "blob:p/<token>/avatar.webp",
        DataClass.PUBLIC,
        "the picture of an account, without metadata",
        "until it is changed or removed, or the account is deleted; an hour where it was not used",
        Border.PUBLISHED,
    ),
    Held(
        "cache:sign-in limits",
        DataClass.TELEMETRY,
        "slows guessing down; network addresses and handles as HMACs under a key of the process",
        "in memory only, until the process ends or 50,000 newer ones have come",
        Border.NEVER,
    ),
    *joining.HELD,
    *family.HELD,
)

_WAYS_IN = "ways into an account are made anew where it is"


async def _account(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    async for row in exports.account(tx, person_id):
        key = row.pop("avatar_key")
        yield {**row, "avatar": Stored("media/avatar.webp", (key,)) if key else None}


async def _contacts(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    async for row in exports.contacts(tx, person_id):
        sealed = Sealed(FIELD_OF[row["kind"]], row["version"], row.pop("sealed"))
        yield {**row, "address": sealed}


OWNED: tuple[Owned, ...] = (
    Owned("people.restriction", ("person_id",)),
    Owned("people.pace", stays="it counts anew after a restore"),
    Owned("people.person", ("id",), objects="avatar_key", again=("id",)),
    Owned("people.handle_taken", ("person_id",), outlives="person_id"),
    Owned("people.handle_change", ("person_id",)),
    Owned("people.data_key", stays="of an earlier version; the key broker takes them at its start"),
    Owned("people.password", ("person_id",)),
    Owned("people.passkey", ("person_id",)),
    Owned("people.recovery_code", ("person_id",)),
    Owned("people.challenge", stays="good for minutes"),
    Owned("people.session", stays="after a restore everybody signs in again"),
    Owned("people.session_over"),
    Owned("people.contact", ("person_id",)),
    Owned("people.moved", ("person_id",)),
    *joining.OWNED,
    *family.OWNED,
)

EXPORT: tuple[Exported, ...] = (
    Exported(
        "restrictions",
        "what a decision of moderators keeps or kept you from",
        of("people.restriction", "id act begun_at until ended_at"),
        restrictions.export,
        whose="people.restriction.person_id",
        stays="a decision is of one cell",
    ),
    Exported(
        "account",
        "who you are to others, and the settings of your account",
        {
            **of(
                "people.person",
                "id handle display_name bio locale age_band is_private created_at leaving_at",
            ),
            "avatar": "people.person.avatar_key blob:p/<token>/avatar.webp",
        },
        _account,
        anew=frozenset({"id", "handle", "created_at", "leaving_at"}),
    ),
    Exported(
        "handles",
        "what your handles, the former ones too, look like at a glance; nobody else gets them",
        of("people.handle_taken", "likeness"),
        exports.handles,
        whose="people.handle_taken.person_id",
        stays="handles are given by each cell",
    ),
    Exported(
        "handle-changes",
        "when you changed your handle lately",
        of("people.handle_change", "id changed_at"),
        exports.handle_changes,
        whose="people.handle_change.person_id",
        stays="handles are given by each cell",
    ),
    Exported(
        "contacts",
        "the e-mail address and telephone number that you gave, opened; sealed where it is stored",
        {**of("people.contact", "kind version"), "address": "people.contact.sealed"},
        _contacts,
        whose="people.contact.person_id",
        anew=frozenset({"version"}),
    ),
    Exported(
        "moved",
        "where you went when you moved to another cell",
        of("people.moved", "address moved_at is_shown"),
        moves.exported,
        whose="people.moved.person_id",
        stays="who comes along is here",
    ),
    Exported(
        "sessions",
        "where you are signed in; what recognises a device stays secret",
        of("people.session", "label created_at proved_at last_seen_on expires_at"),
        exports.sessions,
        stays=_WAYS_IN,
    ),
    Exported(
        "passkeys",
        "the names of your passkeys; what checks them stays secret",
        of("people.passkey", "name created_at last_used_on former_host"),
        exports.passkeys,
        stays=_WAYS_IN,
    ),
    *joining.EXPORT,
    *family.EXPORT,
)
NOT_EXPORTED = {
    **{
        f"people.pace.{name}": "counts of the last day, nearly all of what is in the export itself"
        for name in ("person_id", "act", "begun_at", "done")
    },
    **joining.NOT_EXPORTED,
    **family.NOT_EXPORTED,
    "people.person.home": "empty for people of this cell; others ask their own",
    "people.contact.address_index": "a keyed hash of the address, which is in `contacts`",
    "people.data_key.person_id": "your own id, beside a key that opens nothing outside the cell",
}


async def erase(tx: Tx, person_id: UUID) -> Removed:
    """Takes away every way in, the addresses and what waits to be done about the person. The
    account's own row is the last of all to go: `People.drop`."""
    counts = await erasure.drop_ways_in(tx, person_id)
    counts["family"] = await family_store.erase(tx, person_id)
    counts["addresses"] = await erasure.drop_contacts(tx, person_id)
    await erasure.drop_handle_changes(tx, person_id)
    await moves.drop(tx, person_id)
    await paces.erase(tx, person_id)
    await joining_store.drop_agreements(tx, person_id)
    avatar = await erasure.avatar(tx, person_id)
    places = (avatar,) if avatar else ()
    await queue.forget(tx, [str(person_id), *places])
    return Removed(counts, places)
