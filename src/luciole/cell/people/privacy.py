"""What people stores."""

from __future__ import annotations

from luciole.cell.people.model import CHALLENGE_MINUTES, HANDLE_CHANGE_DAYS
from luciole.kit.catalogue import Border, DataClass, Held, columns

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
    *columns(
        "people.person",
        "locale age_band is_private created_at",
        DataClass.PERSONAL,
        "settings of the account; an age band in place of a birth date",
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
        "name created_at last_used_on",
        DataClass.PERSONAL,
        "lets a person tell their passkeys apart",
        "until it is removed or the account is deleted",
        Border.NEVER,
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
)
