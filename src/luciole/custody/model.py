"""What the broker and its callers speak of: grants, fields, drawn entries, refusals."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from luciole.kit.errors import Conflict, Invalid, NotAllowed, NotFound, Problem, Unavailable

Kind = Literal["enrol", "grant", "read", "export", "import", "erase", "decision", "crossing", "key"]
Class = Literal["self", "automated", "staff", "legal", "export"]
EVERYTHING = "*"


class Grant(msgspec.Struct, frozen=True):
    """A permission to use one person's data key; `columns` are field ids, or `*` for all."""

    id: UUID
    person_id: UUID
    cls: Class
    purpose: str
    columns: tuple[str, ...]
    expires_at: datetime

    def covers(self, field_id: str) -> bool:
        return EVERYTHING in self.columns or field_id in self.columns


class Field(msgspec.Struct, frozen=True):
    """A field to seal (`data` in the clear) or to open (`data` sealed)."""

    field_id: str
    version: int
    data: bytes


class Drawn(msgspec.Struct, frozen=True):
    """Entry `n` about a person: the leaf that the log publishes, and its sealed opening."""

    n: int
    leaf: bytes
    sealed: bytes


class OpenedEntry(msgspec.Struct, frozen=True):
    """What an entry means, and the nonce with which anybody can check that it does."""

    n: int
    nonce: bytes
    opening: bytes


class PublicKey(msgspec.Struct, frozen=True):
    """A key of a cell, to verify with."""

    cell_id: UUID
    key: bytes


class Certificates(msgspec.Struct, frozen=True):
    """The root of a cell and, under it, the certificate of its key for content credentials; DER."""

    root: bytes
    signer: bytes


class StaffRead(msgspec.Struct, frozen=True):
    """What staff ask to read of one person. `asked` is the request as JSON, whose SHA-256 they
    sign; `ends_at` is until when it may be signed or, granted, be used."""

    id: UUID
    person_id: UUID
    staff_id: UUID
    asked: bytes
    ends_at: datetime
    is_granted: bool = False
    signatures: int = 0

    @property
    def said(self) -> dict[str, Any]:
        return dict(msgspec.json.decode(self.asked))


class GuardianState(msgspec.Struct, frozen=True):
    """Who guards the keys of people, and what both sides have counted. `guarded` and `alone` are
    numbers of persons; `asked` is counted here, the next four by the guardian; `left` are persons
    who are still to be moved; `fault` is a stable code; `told` are handles of halves that were
    given: how often, first and last (POSIX seconds)."""

    peer: str = ""
    cell_id: UUID | None = None
    is_on: bool = False
    since: datetime | None = None
    guarded: int = 0
    alone: int = 0
    asked: int = 0
    held: int = 0
    given: int = 0
    refused: int = 0
    compared_at: datetime | None = None
    left: int = 0
    fault: str = ""
    given_persons: int = 0
    first_given_at: datetime | None = None
    told: tuple[tuple[bytes, int, int, int], ...] = ()


class StaffKey(msgspec.Struct, frozen=True):
    """A passkey that approves, and whose it is."""

    staff_id: UUID
    public_key: bytes
    sign_count: int
    roles: list[str]


class CustodyAway(Unavailable):
    """The broker does not answer, or the log does not take its entry: no log, no key."""

    code = "custody-away"
    sentence = "What is sealed cannot be opened right now."


class GuardianAway(CustodyAway):
    """The cell that holds the other half of the key gives none."""

    code = "guardian-away"
    sentence = "Another cell holds the second key to your data, and does not answer right now."
    next_step = "Try again in a few minutes. Nothing is lost; public pages go on as usual."


class NoGuardian(Conflict):
    """There is no peer that could be it, or no setting names one."""

    code = "no-guardian"
    sentence = "No guardian is named, or the one that is named is no peer of this cell."
    next_step = "Invite the peer (luciole peer invite), then set LUCIOLE_KEYS_GUARDIAN to its name."


class NoGrant(NotAllowed):
    """There is no such grant, or it has ended, or it does not cover what was asked."""

    code = "no-grant"
    sentence = "This needs a permission that is not there."
    next_step = "Sign in again, then repeat it."


class KeyGone(Conflict):
    """The person's key is not in the store: erased, or from before the store's last copy."""

    code = "key-gone"
    sentence = "The key to this is gone, so nobody can open it any more."
    next_step = "Remove it and enter it again; if you did not expect this, tell the operator."


class NotOpened(Conflict):
    """What was to be opened was not sealed for this place."""

    code = "not-opened"
    sentence = "This was damaged in storage and cannot be opened."
    next_step = "Enter it again; if you did not expect this, tell the operator."


class NotStaff(NotAllowed):
    code = "not-staff"
    sentence = "This is for the staff of this cell."
    next_step = "Ask the operator, who adds staff with ./luciole staff add."


class NoSuchRead(NotFound):
    code = "no-such-read"
    sentence = "This request does not exist, or its time is over."
    next_step = "Ask for the read again."


class ReadRefused(Invalid):
    code = "read-refused"
    sentence = (
        "A read needs one person, a known purpose with its columns, 1 to 60 minutes, a reason."
    )
    next_step = "Correct the request; the reason takes 10 to 500 characters."


class NotApproved(NotAllowed):
    code = "read-not-approved"
    sentence = "Two staff have to approve this read, and only who asked for it may read."
    next_step = "Ask a second one to sign it with their passkey."


class ApprovalRefused(NotAllowed):
    code = "approval-refused"
    sentence = "This passkey did not approve this request."
    next_step = "Use a passkey that you had when you were added to the staff."


# What the broker may answer besides results, by code.
REFUSALS: dict[str, type[Problem]] = {
    refusal.code: refusal
    for refusal in (
        *(CustodyAway, GuardianAway, NoGuardian, NoGrant, KeyGone, NotOpened),
        *(NotStaff, NoSuchRead, ReadRefused, NotApproved, ApprovalRefused),
    )
}

Opening = dict[str, Any]
