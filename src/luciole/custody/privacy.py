"""What the key broker stores, in the database and beside it."""

from __future__ import annotations

from luciole.kit.catalogue import Border, DataClass, Held, columns

_LIFE = "until the account is deleted"

HELD: tuple[Held, ...] = (
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
