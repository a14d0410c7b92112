"""For what the cell may use a person's data by itself: a closed list, printed in the docs.

A purpose that is not here gets no grant. `columns` are field ids of the catalogue (`*`: all).
"""

from __future__ import annotations

import msgspec

from luciole.custody.model import EVERYTHING, Class


class Purpose(msgspec.Struct, frozen=True):
    """A declared use, its class in the log, what it may open, its sentence, and which of the staff
    may ask for it."""

    cls: Class
    columns: tuple[str, ...]
    says: str
    asked_by: tuple[str, ...] = ("operator",)


SESSION = Purpose("self", (EVERYTHING,), "you use the application")

AUTOMATED: dict[str, Purpose] = {
    "export": Purpose("export", (EVERYTHING,), "your export is made, because you asked for it"),
    "import": Purpose(
        "automated",
        (
            "import.chunk",
            "contact.email",
            "contact.phone",
            "imported.suggestions",
            "imported.favourites",
            "imported.carried",
        ),
        "what you brought along is put into your account",
    ),
    "backup": Purpose(
        "automated",
        ("backup.rows", "backup.object"),
        "a backup of your data is sealed with your key",
    ),
    "push": Purpose(
        "automated",
        ("push.endpoint",),
        "your device is woken through its push service, because you asked for that",
    ),
    "contacts": Purpose(
        "automated",
        ("contacts.opening",),
        "people who have your address find you by your handle and under the key of now, because "
        "you asked to be found",
    ),
    "family": Purpose(
        "automated",
        ("family.time",),
        "somebody of your family who is paired with you looks at your minutes a day",
    ),
    "guardian": Purpose(
        "automated", (), "the guardian gave its half of your key back to this cell for good"
    ),
    "restore": Purpose("automated", (), "your data was put back from a backup"),
    "erasure": Purpose(
        "automated",
        ("journal.entry", "feed.taste"),
        "your data is deleted, because you asked for it",
    ),
}

# For what the application asks, because somebody waits for the answer. All others are the worker's,
# so that whoever takes the application over opens nothing else without a session.
BY_API = ("family",)

# For what staff may ask to read, each time with two signatures (`custody.staff`).
_ADDRESSES = ("contact.email", "contact.phone")
STAFF: dict[str, Purpose] = {
    "abuse-report": Purpose(
        "staff", _ADDRESSES, "somebody has reported you, and it is looked into"
    ),
    # A moderator has the case; that two operators sign is the same.
    "message-report": Purpose(
        "staff",
        ("messages.report",),
        "you reported messages, and the report is looked into",
        asked_by=("operator", "moderator"),
    ),
    "account-help": Purpose("staff", _ADDRESSES, "you asked for help with your account"),
    "incident": Purpose("staff", _ADDRESSES, "an attack on the cell or on people is looked into"),
    "legal-order": Purpose("legal", _ADDRESSES, "a court or an authority has ordered it"),
}

# For what the cell's processes may derive keys of their own.
DERIVED = {
    "api": ("cursors", "devices", "media-links", "feed", "contacts"),
    "worker": ("cursors", "devices", "media-links", "feed", "contacts"),
    "ledger": ("ledger/access", "ledger/decisions", "ledger/border"),
    "copies": ("backup",),
    "trustee": ("trustee",),
}
