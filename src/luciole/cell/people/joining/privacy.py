"""What joining stores."""

from __future__ import annotations

from luciole.cell.people.joining import store
from luciole.cell.people.joining.model import REQUEST_DAYS
from luciole.kit.catalogue import Border, DataClass, Held, Owned, columns
from luciole.kit.exported import Exported, of

_LIFE = "until the account is deleted"
_INVITATION = "until it is used up, taken back or has run out, and the next tidying"
_REQUEST = f"until an account is made with it, {REQUEST_DAYS} days at most"

HELD: tuple[Held, ...] = (
    *columns(
        "people.registration",
        "one mode changed_at",
        DataClass.PUBLIC,
        "says how the cell takes people",
        "until its operator changes it",
        Border.PUBLISHED,
    ),
    *columns(
        "people.invitation",
        "id note uses_left made_at expires_at",
        DataClass.PERSONAL,
        "lets an operator see their invitations; nothing says who came by one",
        _INVITATION,
        Border.NEVER,
    ),
    Held(
        "people.invitation.code_hash",
        DataClass.SECRET,
        "checks an invitation",
        _INVITATION,
        Border.NEVER,
    ),
    *columns(
        "people.request",
        "id name words made_at state reason decided_at",
        DataClass.PERSONAL,
        "lets an operator decide on who asks for an account, and tells them how",
        _REQUEST,
        Border.NEVER,
    ),
    Held(
        "people.request.ticket_hash",
        DataClass.SECRET,
        "checks the ticket of who asked for an account",
        _REQUEST,
        Border.NEVER,
    ),
    *columns(
        "people.spent_work",
        "mark spent_at",
        DataClass.TELEMETRY,
        "makes the work before an account good for one use; belongs to nobody",
        "two hours and the next tidying",
        Border.NEVER,
    ),
    *columns(
        "people.terms",
        "version said first_shown_at",
        DataClass.PUBLIC,
        "the cell's terms as they were when somebody agreed to them",
        "for good: what was agreed to has to be readable",
        Border.PUBLISHED,
    ),
    *columns(
        "people.agreement",
        "person_id version agreed_at",
        DataClass.PERSONAL,
        "shows to which version of the terms a person has agreed, and when",
        _LIFE,
        Border.NEVER,
    ),
)

OWNED: tuple[Owned, ...] = (
    Owned("people.registration"),
    Owned("people.invitation", stays="invitations are made anew"),
    Owned("people.request", stays="who waits has no key to seal it with, and asks again"),
    Owned("people.spent_work", stays="good for hours"),
    Owned("people.terms"),
    Owned("people.agreement", ("person_id",)),
)

EXPORT: tuple[Exported, ...] = (
    Exported(
        "agreements",
        "the terms of the cell to which you agreed, with their words, and when",
        {
            **of("people.agreement", "version agreed_at"),
            **of("people.terms", "said"),
        },
        store.agreements,
        whose="people.agreement.person_id",
        stays="each cell has its own terms",
    ),
)
_NO_ACCOUNT = "of somebody who has no account yet; your own is deleted when you get one"
_NOTE = "an operator's note about nobody in particular"
_OF_CELL = "of the cell, and of nobody"
NOT_EXPORTED = {
    "people.request.id": _NO_ACCOUNT,
    "people.request.name": _NO_ACCOUNT,
    "people.request.words": _NO_ACCOUNT,
    "people.request.made_at": _NO_ACCOUNT,
    "people.request.state": _NO_ACCOUNT,
    "people.request.reason": _NO_ACCOUNT,
    "people.request.decided_at": _NO_ACCOUNT,
    "people.invitation.id": _NOTE,
    "people.invitation.note": _NOTE,
    "people.invitation.uses_left": _NOTE,
    "people.invitation.made_at": _NOTE,
    "people.invitation.expires_at": _NOTE,
    "people.registration.one": _OF_CELL,
    "people.registration.mode": _OF_CELL,
    "people.registration.changed_at": _OF_CELL,
    "people.terms.version": "beside each of your agreements",
    "people.terms.first_shown_at": _OF_CELL,
}
