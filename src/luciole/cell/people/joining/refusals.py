"""What people may be told when they may not join, or not yet."""

from __future__ import annotations

from luciole.kit.errors import Conflict, Invalid, NotAllowed, NotFound


class RegistrationClosed(NotAllowed):
    code = "registration-closed"
    sentence = "This cell takes no new accounts at present."
    next_step = "You can watch public clips without one."


class InvitationNeeded(NotAllowed):
    code = "invitation-needed"
    sentence = "This cell takes new accounts by invitation only."
    next_step = "Ask its operator for an invitation, and open its link."


class ApprovalNeeded(NotAllowed):
    code = "approval-needed"
    sentence = "The operator of this cell looks at each request for an account."
    next_step = "Say who you are, and come back with your ticket when it is approved."


class InvitationSpent(NotAllowed):
    """One refusal for a code that never was, was used up, ran out or was taken back."""

    code = "invitation-spent"
    sentence = "This invitation is not known here, has run out, or was used up."
    next_step = "Check the link, or ask for another one."


class NotAwaited(Conflict):
    code = "not-awaited"
    sentence = "This cell does not decide on requests one by one at present."
    next_step = "Reload the page; it shows how the cell takes people."


class NoSuchTicket(NotFound):
    code = "no-such-ticket"
    sentence = "This ticket is not known here; a request is kept for 30 days at most."
    next_step = "Check it, or ask once more."


class NoSuchRequest(NotFound):
    code = "nobody-waits"
    sentence = "Nobody waits under this id, or they were answered already."
    next_step = "Load the list of who waits again: `luciole people list`, or the console."


class NoSuchInvitation(NotFound):
    code = "no-such-invitation"
    sentence = "There is no invitation of this id."
    next_step = "Load the list again: `luciole invite list`, or the console."


class BadInvitation(Invalid):
    code = "bad-invitation"
    sentence = "An invitation is for 1 to 10,000 people and 1 to 365 days."
    next_step = "Choose other numbers."


class ReasonNeeded(Invalid):
    code = "reason-needed"
    sentence = "Whoever is refused is told why."
    next_step = "Say it, as they may read it; at the machine with --why."


class BadRequestWords(Invalid):
    code = "bad-request-words"
    sentence = "What you say about yourself has 1 to 300 characters."
    next_step = "Shorten it, or type it again as plain text."


class WorkNeeded(Invalid):
    code = "work-needed"
    sentence = "The work that this cell asks of a device is missing, wrong, too old or used up."
    next_step = "Send the form again: your browser does it anew, in a few seconds."


class TermsNotAgreed(Conflict):
    code = "terms-not-agreed"
    sentence = "This cell has terms, and their present version was not agreed to."
    next_step = "Read them, agree, and send the form again."


class NoText(NotFound):
    code = "no-text"
    sentence = "The operator of this cell has not written this page."
    next_step = "Ask the operator."
