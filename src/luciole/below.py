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
        "id person_id added_at roles",
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
    *columns(
        "custody.guardian",
        "is_this peer cell_id is_on since asked held given refused compared_at",
        DataClass.TELEMETRY,
        "which cell holds the other half of people's keys, and what both have counted",
        "as long as the cell",
        Border.NETWORK,
    ),
    *columns(
        "custody.orphan",
        "handle made_at",
        DataClass.TELEMETRY,
        "random handles of halves whose keys are gone, until the guardian has destroyed them",
        "until the guardian has done it",
        Border.NETWORK,
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
    Held(
        "cache:halves of keys",
        DataClass.SECRET,
        "what the guardian gave against an entry in the log, in the key broker only",
        "in memory only, for 14 minutes",
        Border.NEVER,
    ),
    Held(
        "file:trustee/halves.sqlite",
        DataClass.SECRET,
        "halves of keys of people of other cells, by random handles, sealed with the trustee's "
        "key; how often and when each was given",
        "until their cell has it destroyed; that one was given stays known",
        Border.NEVER,
    ),
)

ABROAD: tuple[Held, ...] = (
    Held(
        "file:abroad/state.sqlite",
        DataClass.TELEMETRY,
        "which pieces of the sealed backup are in another cell, and names of objects in them",
        "as long as the pieces are there",
        Border.NEVER,
    ),
    Held(
        "file:abroad/wal",
        DataClass.PERSONAL,
        "what the database has written and the other cell does not have yet",
        "until it is there, seconds as a rule; the newest file of it until the next one",
        Border.NEVER,
    ),
    Held(
        "file:abroad/recovery.pub",
        DataClass.TELEMETRY,
        "the half of the recovery key that seals backups, and opens nothing",
        "as long as the backup",
        Border.NEVER,
    ),
    Held(
        "file:trustee/backups",
        DataClass.TELEMETRY,
        "sealed backups of other cells: pieces of two sizes under random names, which only their "
        "home can open",
        "until their home drops them, and a day more",
        Border.NETWORK,
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

_OFFER = "until it is sent, at most half a day; to another cell 7 days, a recall until it is taken"
_PEERING = "as long as the operators of both cells want to exchange"
BORDER: tuple[Held, ...] = (
    *columns(
        "border.offer",
        "ref id kind peer entry floor made_at due_at attempts",
        DataClass.TELEMETRY,
        "what waits to leave the cell, under numbers that say nothing to the gateway",
        _OFFER,
        Border.NEVER,
    ),
    Held(
        "border.offer.body",
        DataClass.SHARED,
        "one of the declared shapes that may cross: for a push the device's address at its push "
        "service and the cell's signature, nothing of what happened or to whom; for another cell "
        "what the person published or addressed there",
        _OFFER,
        Border.ADDRESSED,
    ),
    Held(
        "border.offer.payload",
        DataClass.SHARED,
        "the same, as the bytes that go over the wire",
        _OFFER,
        Border.ADDRESSED,
    ),
    *columns(
        "border.peer",
        "name cell_id origin passport display_name operator jurisdiction border_key log_keys "
        "witness_keys added_at verdict verdict_code verdict_at held_log_keys passport_code",
        DataClass.TELEMETRY,
        "which cells this one exchanges with, as they sign it themselves, and what our witness "
        "says of their logs",
        _PEERING,
        Border.NETWORK,
    ),
    *columns(
        "border.news",
        "crossing ref kind peer state code receipt made_at",
        DataClass.TELEMETRY,
        "what became of offers to other cells, with their receipts, until the slice takes it",
        "until the slice has looked, at most 30 days",
        Border.NEVER,
    ),
    *columns(
        "border.arrival",
        "crossing peer kind place made_at",
        DataClass.TELEMETRY,
        "what came from other cells and waits for its slice",
        "until the slice has looked",
        Border.NEVER,
    ),
    Held(
        "border.arrival.body",
        DataClass.PUBLIC,
        "what people of other cells published or addressed here, in one of the declared shapes",
        "until the slice has looked",
        Border.NEVER,
    ),
    *columns(
        "border.received",
        "crossing peer sha256 receipt made_at",
        DataClass.TELEMETRY,
        "receipts of crossings that came in, so that what comes twice counts once",
        "30 days",
        Border.NETWORK,
    ),
    *columns(
        "border.seen",
        "signature made_at",
        DataClass.TELEMETRY,
        "digests of signed requests of other cells, so that none is done twice",
        "15 minutes",
        Border.NEVER,
    ),
    *columns(
        "border.exchange",
        "id peer is_ours kind asked answered made_at",
        DataClass.TELEMETRY,
        "digests of what was asked and answered between cells, until the log of crossings tells it",
        "until their hour is over",
        Border.NETWORK,
    ),
    Held(
        "cache:border/incoming",
        DataClass.PUBLIC,
        "films of public clips of other cells, on their way into the cell's own store",
        "until they are taken over, at most a day",
        Border.NEVER,
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
    Owned("custody.guardian"),
    Owned("custody.orphan"),
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
    Owned("border.peer"),
    Owned("border.news", stays="about crossings that a restored cell offers anew"),
    Owned("border.arrival", stays="taken within seconds; the sender has the receipt"),
    Owned("border.received"),
    Owned("border.seen", stays="good for minutes"),
    Owned("border.exchange", stays="in the log of crossings within an hour"),
)
