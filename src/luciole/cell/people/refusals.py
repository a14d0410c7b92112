"""What people may be told when an account matter is refused."""

from __future__ import annotations

from luciole.kit.errors import Conflict, Invalid, NotAllowed, NotFound, TooMany, Unavailable


class BadHandle(Invalid):
    code = "bad-handle"
    sentence = "A handle has 3 to 24 characters: a to z, 0 to 9, dot and underscore."
    next_step = "Choose one with at least one letter, without a dot at either end or two in a row."


class HandleTaken(Conflict):
    code = "handle-taken"
    sentence = "This handle, or one that looks like it, belongs to somebody or once did."
    next_step = "Choose another handle."


class HandleChangedOften(TooMany):
    code = "handle-changed-often"
    sentence = "A handle can be changed twice in 30 days."
    next_step = "Keep this one for now."


class BadMove(Invalid):
    code = "bad-move"
    sentence = "This is not the address of a profile in another cell."
    next_step = "Give it whole, such as https://cell.example/@ana."


class BadDisplayName(Invalid):
    code = "bad-display-name"
    sentence = "A name has 1 to 50 characters that can be seen, on one line."
    next_step = "Choose another name."


class BadBio(Invalid):
    code = "bad-bio"
    sentence = "A bio has at most 300 characters, without control characters."
    next_step = "Shorten it, or type it again as plain text."


class TooYoung(NotAllowed):
    code = "too-young"
    sentence = "This cell has no accounts for your age."
    next_step = "You can watch public clips without an account."


class AgeBandOnlyUp(Conflict):
    code = "age-band-only-up"
    sentence = "An age band can only move up."
    next_step = "If it was set too high by mistake, ask the operator of this cell."


class WeakPassword(Invalid):
    code = "weak-password"
    sentence = "This password is easy to guess."
    next_step = (
        "Use 10 characters or more: several unrelated words, or what a password manager gives."
    )


class NoWayIn(Invalid):
    code = "no-way-in"
    sentence = "An account needs a password or a passkey, and only one of them at sign-up."
    next_step = "Choose a password or make a passkey; the other can be added afterwards."


class WrongSignIn(NotAllowed):
    """One refusal for an unknown handle, a wrong password and an account without a password."""

    code = "wrong-sign-in"
    sentence = "The handle and this proof do not belong together."
    next_step = "Check both. A passkey or a recovery code works as well."
    http_status = 401


class WrongPassword(NotAllowed):
    code = "wrong-password"
    sentence = "The current password is not this one."
    next_step = "Type it again, or give one of your recovery codes instead."


class WrongRecoveryCode(NotAllowed):
    code = "wrong-recovery-code"
    sentence = "This is not one of the account's recovery codes, or it was used before."
    next_step = "Try another one. Each works once; only the newest ten count."


class ProofNeeded(NotAllowed):
    code = "proof-needed"
    sentence = "This needs a fresh proof that it is you; the last one is some time ago."
    next_step = "Give your password or passkey once more, then repeat it."


class PasskeyRefused(NotAllowed):
    code = "passkey-refused"
    sentence = "This passkey did not prove that it is yours."
    next_step = "Try again from the start; a started sign-in is good for five minutes and once."
    http_status = 401


class PasskeyKnown(Conflict):
    code = "passkey-known"
    sentence = "This passkey is already in use here."
    next_step = "Use another device or security key."


class TooManyPasskeys(Conflict):
    code = "too-many-passkeys"
    sentence = "An account has at most 20 passkeys."
    next_step = "Remove one that you do not use."


class LastWayIn(Conflict):
    code = "last-way-in"
    sentence = "This passkey is the only way into the account."
    next_step = "Set a password or add another passkey first."


class NoSuchPasskey(NotFound):
    code = "no-such-passkey"
    sentence = "This account has no such passkey."
    next_step = "Reload the list."


class NoSuchSession(NotFound):
    code = "no-such-session"
    sentence = "This account has no such session; it may have ended already."
    next_step = "Reload the list."


class NoSuchContact(NotFound):
    code = "no-such-contact"
    sentence = "This account has no such address."
    next_step = "Reload the list."


class BadEmail(Invalid):
    code = "bad-email"
    sentence = "This is not an e-mail address."
    next_step = "Write it like name@example.org."


class BadPhone(Invalid):
    code = "bad-phone"
    sentence = "This is not a telephone number with its country code."
    next_step = "Write it like +33 6 12 34 56 78."


class BadLabelKey(Invalid):
    code = "bad-label-key"
    sentence = "The label key is not 32 bytes in base64url."
    next_step = "Send one that was made anew, or none."


class BadAvatar(Invalid):
    code = "bad-avatar"
    sentence = "This is not a picture that the cell can read."
    next_step = "Choose a JPEG, PNG, WebP or GIF of at most 5.2 MB."


class Busy(Unavailable):
    code = "busy"
    sentence = "Too many people are signing in at this moment."
    next_step = "Try again in a few seconds."
