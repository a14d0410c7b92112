"""What an account is, and the rules of its fields. Pure: no database, no clock."""

from __future__ import annotations

import base64
import re
import unicodedata
from datetime import date, datetime
from typing import Literal
from uuid import UUID

import msgspec

from luciole.cell.people import refusals
from luciole.kit.errors import NotFound

AgeBand = Literal["under-13", "13-15", "16-17", "18+"]
Locale = Literal["en", "fr"]
ContactKind = Literal["email", "phone"]
ChallengeKind = Literal["sign-up", "sign-in", "add"]

AGE_BANDS: tuple[AgeBand, ...] = ("under-13", "13-15", "16-17", "18+")
MAX_BIO_CHARS = 300
MAX_NAME_CHARS = 50
HANDLE_CHANGES = 2
HANDLE_CHANGE_DAYS = 30
CHALLENGE_MINUTES = 5
RECOVERY_CODES = 10
MAX_SESSIONS = 50
MAX_PASSKEYS = 20
# So long a proof of identity counts for acts that show everything or cannot be undone.
PROOF_MINUTES = 10
MAX_AVATAR_BYTES = 5 * 1024 * 1024

# Names of sealed fields in the associated data. They outlive tables: never change or reuse one.
FIELD_OF: dict[ContactKind, str] = {"email": "contact.email", "phone": "contact.phone"}


class NoSuchPerson(NotFound):
    code = "no-such-person"
    sentence = "There is nobody by this handle here."
    next_step = "Check the handle; it may have been changed."


#: What a decision of moderators keeps somebody from.
RestrictedAct = Literal["everything", "publish", "comment", "message"]


class Viewer(msgspec.Struct, frozen=True):
    """The signed-in person behind a request."""

    person_id: UUID
    session_id: UUID
    handle: str
    locale: Locale
    age_band: AgeBand
    proved_at: datetime
    """When they last gave a password, a passkey or a code on this device."""
    restricted: frozenset[str] = frozenset()
    """What a decision keeps them from (`RestrictedAct`)."""

    @property
    def is_minor(self) -> bool:
        return self.age_band != "18+"


#: What an account does only so often, since others meet it or it could be guessed.
PacedAct = Literal[
    "like",
    "follow",
    "comment",
    "repost",
    "clip",
    "conversation",
    "report",
    "message-report",
    "family-code",
]


# What is counted, from the beginning again where that was at this time or before.
Counted = tuple[PacedAct, datetime]


class Pace(msgspec.Struct, frozen=True):
    """How often somebody has done something since it counts."""

    act: PacedAct
    begun_at: datetime
    done: int


class Restriction(msgspec.Struct, frozen=True):
    """What a decision keeps a person from, until when; `id` is the decision's."""

    id: UUID
    person_id: UUID
    acts: tuple[RestrictedAct, ...]
    begun_at: datetime
    until: datetime | None


class Person(msgspec.Struct, frozen=True):
    """What everybody may see of an account."""

    id: UUID
    handle: str
    display_name: str
    bio: str
    avatar_key: str | None
    is_private: bool


class Account(msgspec.Struct, frozen=True):
    """What its owner sees of an account."""

    id: UUID
    handle: str
    display_name: str
    bio: str
    avatar_key: str | None
    locale: Locale
    age_band: AgeBand
    is_private: bool
    leaving_at: datetime | None
    has_password: bool
    recovery_codes_left: int


class Session(msgspec.Struct, frozen=True):
    """A device that is signed in."""

    id: UUID
    label: str
    created_at: datetime
    last_seen_on: date


class Passkey(msgspec.Struct, frozen=True):
    """A passkey as its owner sees it. With a `former_host` it opens nothing any more."""

    id: UUID
    name: str
    created_at: datetime
    last_used_on: date | None
    former_host: str | None = None


class StoredPasskey(msgspec.Struct, frozen=True):
    """A passkey as a sign-in needs it."""

    id: UUID
    person_id: UUID
    public_key: bytes
    sign_count: int


class StoredPassword(msgspec.Struct, frozen=True):
    """Whose password hash it is."""

    person_id: UUID
    hash: str


class Challenge(msgspec.Struct, frozen=True):
    """A passkey ceremony that was started here; `subject_id` is the person it is for."""

    subject_id: UUID | None
    challenge_hash: bytes


class Contact(msgspec.Struct, frozen=True):
    """An address in the clear, for its owner only."""

    kind: ContactKind
    value: str


class SealedContact(msgspec.Struct, frozen=True):
    """An address as it is stored."""

    kind: ContactKind
    sealed: bytes
    version: int


def avatar_url(avatar_key: str | None) -> str | None:
    """Where the picture is served: an unguessable address that never changes its contents."""
    return None if avatar_key is None else f"/media/{avatar_key}"


# --- handles -----------------------------------------------------------------------------------

_HANDLE = re.compile(r"(?=.*[a-z])(?!\.)(?!.*\.\.)[a-z0-9_.]{3,24}(?<!\.)")
_HOME = re.compile(r"[a-z0-9-]{1,20}")
_ALIKE = str.maketrans({"0": "o", "1": "l", "_": "", ".": ""})
# Wider, for the reserved words only: people do call themselves Ilka and Lilka.
_ALIKE_RESERVED = str.maketrans({"i": "l", "3": "e", "4": "a", "5": "s", "7": "t"})
_RESERVED_WORDS = """
    abuse account admin administrator all anonymous api app assets billing bot cell clip clips
    contact everyone explore feed following followers friends health help here home info jobs
    latest legal login logout luciole mail me media mod moderation moderator news nobody
    notifications null official operator owner police postmaster press privacy publish register
    report reports root search security service session sessions settings signin signout signup
    somebody staff static status support system tag team terms test undefined user users verified
    webmaster www
"""


def likeness(handle: str) -> str:
    """What a handle looks like at a glance; two persons never have handles that are alike."""
    return handle.translate(_ALIKE)


_RESERVED = frozenset(likeness(word).translate(_ALIKE_RESERVED) for word in _RESERVED_WORDS.split())


def handle_of(text: str) -> str:
    """The handle that a person typed, in its one form. Raises BadHandle, HandleTaken (for words
    that would pass as the cell itself)."""
    handle = handle_sought(text)
    if handle is None or "@" in handle:
        raise refusals.BadHandle
    if likeness(handle).translate(_ALIKE_RESERVED) in _RESERVED:
        raise refusals.HandleTaken
    return handle


def handle_sought(text: str) -> str | None:
    """The one form of a handle to look for, or None for what cannot be a handle. Those of other
    cells are `handle@cell`."""
    # Asked before lower(): the Kelvin sign, for one, would turn into a plain k.
    if not text.isascii():
        return None
    handle = text.strip().removeprefix("@").lower()
    name, at, home = handle.partition("@")
    if at and not _HOME.fullmatch(home):
        return None
    return handle if _HANDLE.fullmatch(name) else None


# --- moving ------------------------------------------------------------------------------------

_ADDRESS = re.compile(
    r"(https?)://([a-z0-9.-]{1,253}|\[[0-9a-f:]{2,39}\])(:[0-9]{1,5})?/@([^/?#]+)"
)


def move_of(text: str, origin: str) -> str:
    """The address of a profile in another cell, in its one form. Raises BadMove, also for one of
    this cell (`origin`), and for http:// where this cell has https://."""
    found = _ADDRESS.fullmatch(text.strip())
    handle = handle_sought(found[4]) if found else None
    if found is None or handle is None:
        raise refusals.BadMove
    there = f"{found[1]}://{found[2]}{found[3] or ''}"
    if there == origin or (found[1] == "http" and origin.startswith("https:")):
        raise refusals.BadMove
    return f"{there}/@{handle}"


# --- names and texts ---------------------------------------------------------------------------

_JOINERS = "\u200c\u200d"  # Persian and Indic words and joined emoji need them
_MAX_MARKS = 4  # combining marks on one letter; Vietnamese needs two, Hebrew with points three


def _is_plain(text: str, allowed: str) -> bool:
    """Whether a text has no control, direction or unassigned characters and no towers of marks."""
    marks = 0
    for character in text:
        category = unicodedata.category(character)
        # Emoji flags of regions are spelt with tag characters.
        is_tag = "\U000e0020" <= character <= "\U000e007f"
        if category[0] == "C" and character not in allowed + _JOINERS and not is_tag:
            return False
        if category in ("Zl", "Zp"):
            return False
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if marks > _MAX_MARKS:
            return False
    return True


def _can_be_seen(text: str) -> bool:
    # U+3164 and its kin are letters by category and blank on the screen.
    return any(
        unicodedata.category(c)[0] in "LNPS" and c not in "\u115f\u1160\u3164\uffa0\u2800"
        for c in text
    )


def display_name_of(text: str) -> str:
    """A name as it is shown: composed, blanks merged. Raises BadDisplayName."""
    if not _is_plain(text, ""):
        raise refusals.BadDisplayName
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not 1 <= len(name) <= MAX_NAME_CHARS or not _can_be_seen(name):
        raise refusals.BadDisplayName
    return name


def bio_of(text: str) -> str:
    """A bio as it is shown; line breaks stay. Raises BadBio."""
    bio = unicodedata.normalize("NFC", text.replace("\r\n", "\n")).strip()
    if len(bio) > MAX_BIO_CHARS or not _is_plain(bio, "\n"):
        raise refusals.BadBio
    return bio


# --- age ---------------------------------------------------------------------------------------


def is_older(band: AgeBand, other: AgeBand) -> bool:
    """Whether `band` lies above `other`."""
    return AGE_BANDS.index(band) > AGE_BANDS.index(other)


# --- contacts ----------------------------------------------------------------------------------

# Deliberately wide: the only proof of an address is a message that arrives.
_EMAIL = re.compile(
    r"[^\s@\"(),:;<>\[\\\]]{1,64}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_]{2,63}"
)
_PHONE = re.compile(r"\+[1-9][0-9]{7,14}")
_PHONE_PUNCTUATION = re.compile(r"[\s().\-/\u00a0\u202f]")


def contact_of(kind: ContactKind, text: str) -> str:
    """An address as its owner sees it again. Raises BadEmail, BadPhone."""
    if kind == "phone":
        # ITU-T E.164: a plus, a country code, at most 15 digits.
        phone = _PHONE_PUNCTUATION.sub("", text)
        if not _PHONE.fullmatch(phone):
            raise refusals.BadPhone
        return phone
    email = unicodedata.normalize("NFC", text.strip())
    if len(email) > 254 or not _EMAIL.fullmatch(email) or not _is_plain(email, ""):
        raise refusals.BadEmail
    return email


def index_form(kind: ContactKind, contact: str) -> str:
    """The form under which an address is found again: one for all spellings of it."""
    return contact.casefold() if kind == "email" else contact


# --- the log -----------------------------------------------------------------------------------

LABEL_KEY_BYTES = 32


def label_key_of(text: str) -> bytes:
    """The key that a person's client made for their labels in the log. Raises BadLabelKey."""
    try:
        key = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raise refusals.BadLabelKey from None
    if len(key) != LABEL_KEY_BYTES:
        raise refusals.BadLabelKey
    return key


# --- devices -----------------------------------------------------------------------------------

# In this order: Edge and Opera also call themselves Chrome, and Chrome calls itself Safari.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def device_label(user_agent: str) -> str:
    """A session's name: browser family and system family, and nothing finer."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), None)
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), None)
    if browser is None:
        return f"An app on {system}" if system else "An app"
    return f"{browser} on {system}" if system else browser
