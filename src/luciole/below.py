"""What the folders below the cell store: the key broker, the log, and the border.

Declared here and not there, so that the trusted core is what has to be read to trust it.
"""

from __future__ import annotations

from luciole.kit.catalogue import Border, DataClass, Held, Owned, columns

_LIFE = "until the account is deleted"
_LOG = "as long as the log"

CUSTODY: tuple[Held, ...] = (
    *columns(
        "custody.subject",
        "person_id next",
        DataClass.PERSONAL,
        "counts the log's entries about a person, so that none can be missing unseen",
        _LIFE,
        Border.NEVER,
    ),
    *columns(
        "custody.journal",
        "person_id n ref",
        DataClass.PERSONAL,
        "says which entries of the log are about whom",
        _LIFE,
        Border.NEVER,
    ),
    Held(
        "custody.journal.leaf",
        DataClass.PERSONAL,
        "the entry as it is in the log, where nobody else can tell whose it is",
        _LIFE,
        Border.NEVER,
    ),
    Held(
        "custody.journal.sealed",
        DataClass.PERSONAL,
        "what an entry means: who used what for which purpose, sealed with the person's data key",
        _LIFE,
        Border.NEVER,
    ),
    *columns(
        "custody.permit",
        "id person_id class purpose columns session_id day made_at expires_at",
        DataClass.PERSONAL,
        "permissions to use a person's data key",
        "until it ends: with the session, or a few hours after its day",
        Border.NEVER,
    ),
    *columns(
        "custody.cell",
        "is_this cell_id mark",
        DataClass.TELEMETRY,
        "tells whether the keys and the database belong together",
        "as long as the cell",
        Border.NEVER,
    ),
    *columns(
        "custody.staff",
        "id person_id added_at",
        DataClass.PERSONAL,
        "who may ask to read something of a person",
        "until they leave the staff",
        Border.NEVER,
    ),
    *columns(
        "custody.staff_key",
        "credential_id staff_id public_key sign_count",
        DataClass.PERSONAL,
        "verifies who of the staff has approved a read",
        "until they leave the staff",
        Border.NEVER,
    ),
    *columns(
        "custody.staff_read",
        "id person_id staff_id asked ends_at is_granted is_told",
        DataClass.PERSONAL,
        "what staff ask to read of whom, what for and why",
        "30 days after its end",
        Border.NEVER,
    ),
    *columns(
        "custody.staff_approval",
        "read_id staff_id",
        DataClass.PERSONAL,
        "who of the staff has approved a read",
        "as long as the request",
        Border.NEVER,
    ),
    Held(
        "file:keys/wraps",
        DataClass.SECRET,
        "each person's data key and label key, wrapped under the key of the week",
        "until the account is deleted; copies are useless after the week's end and a day",
        Border.NEVER,
    ),
    Held(
        "cache:data keys",
        DataClass.SECRET,
        "opens fields again without unwrapping the key each time, in the key broker only",
        "in memory only, for 60 seconds",
        Border.NEVER,
    ),
)

LEDGER: tuple[Held, ...] = (
    *columns(
        "ledger.inbox",
        "log id entry",
        DataClass.TELEMETRY,
        "entries on their way into a log: opaque ones, and readable ones without personal data",
        "until the log has them, about a second",
        Border.NETWORK,
    ),
    Held(
        "ledger.inbox.ref",
        DataClass.TELEMETRY,
        "a number by which the key broker finds its entry again",
        "until the log has it, about a second",
        Border.NEVER,
    ),
    Held(
        "ledger.taken.label",
        DataClass.TELEMETRY,
        "labels that may not come again; nobody but their owner can tell whose they are",
        _LOG,
        Border.NETWORK,
    ),
    *columns(
        "ledger.taken",
        "leaf idx",
        DataClass.TELEMETRY,
        "the entry that the log holds under a label which a restored database has forgotten",
        _LOG,
        Border.NETWORK,
    ),
    *columns(
        "ledger.state",
        "log size frontier unsealed_minute",
        DataClass.TELEMETRY,
        "how far each log is",
        _LOG,
        Border.NETWORK,
    ),
    *columns(
        "ledger.seal",
        "idx entry",
        DataClass.TELEMETRY,
        "which ranges of the log are sealed",
        _LOG,
        Border.NETWORK,
    ),
    *columns(
        "ledger.staged",
        "log path content",
        DataClass.TELEMETRY,
        "pieces of a log on their way into the object store",
        "until they are there, about a second",
        Border.NETWORK,
    ),
    *columns(
        "ledger.checkpoint",
        "log size root made_at note published_at",
        DataClass.TELEMETRY,
        "signed heads of a log",
        "until a newer one is published",
        Border.NETWORK,
    ),
    *columns(
        "ledger.cosignature",
        "log size signer line",
        DataClass.TELEMETRY,
        "what witnesses have said of a head",
        "until a newer head is published",
        Border.NETWORK,
    ),
    *columns(
        "ledger.place",
        "ref idx",
        DataClass.TELEMETRY,
        "at which index of the log the entry with a number is; whose it is says the journal alone",
        "until the person is erased",
        Border.NEVER,
    ),
    Held(
        "blob:ledger/",
        DataClass.PUBLIC,
        "the logs themselves, in tiles that anybody may read: nothing in them names a person",
        "for ever",
        Border.NETWORK,
    ),
)

_OFFER = "until it is sent, at most half a day"
BORDER: tuple[Held, ...] = (
    *columns(
        "border.offer",
        "ref id kind made_at due_at attempts",
        DataClass.TELEMETRY,
        "what waits to leave the cell, under numbers that say nothing to the gateway",
        _OFFER,
        Border.NEVER,
    ),
    Held(
        "border.offer.body",
        DataClass.SHARED,
        "one of the declared shapes that may cross: for a push the device's address at its push "
        "service and the cell's signature, nothing of what happened or to whom",
        _OFFER,
        Border.ADDRESSED,
    ),
    *columns(
        "border.gone",
        "ref made_at",
        DataClass.TELEMETRY,
        "which receivers exist no more, so that the slice that offered forgets them",
        "until the slice has looked, at most 7 days",
        Border.NEVER,
    ),
    *columns(
        "border.crossing",
        "id kind service made_at",
        DataClass.TELEMETRY,
        "what has left the cell, to which service, before the log of crossings tells it",
        "until its hour is over",
        Border.NETWORK,
    ),
)

_STAFF = "who may approve reads is decided anew after a restore: luciole staff add"
_OF_AN_ENTRY = ("ref > custody.journal.ref > person_id",)
OWNED: tuple[Owned, ...] = (
    Owned("custody.subject", ("person_id",)),
    Owned("custody.journal", ("person_id",)),
    Owned("custody.permit", stays="hang on sessions, or end within a day"),
    Owned("custody.cell"),
    Owned("custody.staff", stays=_STAFF),
    Owned("custody.staff_key", stays=_STAFF),
    Owned("custody.staff_read", stays="kept for days only; what was read stands in the journal"),
    Owned("custody.staff_approval", stays="end with what they approve"),
    Owned("ledger.inbox", _OF_AN_ENTRY),
    Owned("ledger.place", _OF_AN_ENTRY),
    Owned("ledger.taken"),
    Owned("ledger.state"),
    Owned("ledger.seal"),
    Owned("ledger.staged"),
    Owned("ledger.checkpoint"),
    Owned("ledger.cosignature"),
    Owned("border.offer", stays="sent, or given up, within half a day"),
    Owned("border.gone", stays="about devices, which do not come back with a backup"),
    Owned("border.crossing", stays="in the log of crossings within an hour"),
)
