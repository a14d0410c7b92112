"""The small tree of refusals. Each has a stable code, a sentence for a person, and the next step.

Slices subclass and fill the three class attributes; an instance may override the sentence where
the case needs a number. No personal data goes into any of them. Only `kit.web` knows HTTP.
"""

from __future__ import annotations


class Problem(Exception):
    """A refusal that a person can act on."""

    code = "problem"
    sentence = "Something did not work."
    next_step = "Try again in a moment."

    def __init__(
        self,
        sentence: str | None = None,
        *,
        code: str | None = None,
        next_step: str | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        if sentence is not None:
            self.sentence = sentence
        if code is not None:
            self.code = code
        if next_step is not None:
            self.next_step = next_step
        self.retry_after_s = retry_after_s
        super().__init__(self.code)


class Invalid(Problem):
    """The request itself is wrong; sending it again unchanged cannot work."""

    code = "invalid"
    sentence = "Part of this request is not in the expected form."
    next_step = "Correct it and send it again."


class NotSignedIn(Problem):
    """The act needs a session, and there is none, or it has ended."""

    code = "not-signed-in"
    sentence = "You are not signed in."
    next_step = "Sign in, then do it again."


class NotAllowed(Problem):
    """The person is known and may not do this."""

    code = "not-allowed"
    sentence = "You may not do this."
    next_step = "Ask the person who owns it."


class NotFound(Problem):
    """It does not exist, or it is not for this viewer; the two look alike on purpose."""

    code = "not-found"
    sentence = "This does not exist, or is not shared with you."
    next_step = "Check the link, or sign in with the account it was shared with."


class Conflict(Problem):
    """The state has moved on since the caller last looked."""

    code = "conflict"
    sentence = "This has changed in the meantime."
    next_step = "Reload, look again, and repeat if you still want it."


class TooLarge(Problem):
    """A body or a file above its limit."""

    code = "too-large"
    sentence = "This is larger than the cell accepts."
    next_step = "Send something smaller."


class TooMany(Problem):
    """A rate or a number above its limit; `retry_after_s` says when it may work."""

    code = "too-many"
    sentence = "That was too often in a short time."
    next_step = "Wait a moment, then try again."


class Unavailable(Problem):
    """A part that the act needs is down; nothing was changed."""

    code = "unavailable"
    sentence = "The cell cannot do this right now; nothing was changed."
    next_step = "Try again in a minute. If it goes on, tell the operator of this cell."
