"""What people may be told when a report, a review or an appeal is refused."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from luciole.cell.safety.model import (
    APPEAL_ANSWERED_DAYS,
    BREAK_MINUTES,
    CASES_A_DAY,
    FORMS_AN_HOUR,
    SHIFT_HOURS,
)
from luciole.kit.errors import Conflict, Invalid, NotAllowed, NotFound, TooMany


class NothingToReport(NotFound):
    code = "nothing-to-report"
    sentence = "There is no such clip, comment or person here, or it is not shared with you."
    next_step = "Check the address; what is gone needs no report."


class BadReport(Invalid):
    code = "bad-safety-report"
    sentence = "A report says in up to 2,000 characters what is wrong, and why it would be illegal."
    next_step = "Say in your own words what you saw, and where in it."


class OwnThing(Invalid):
    code = "own-thing"
    sentence = "This is yours."
    next_step = "You can change or delete it yourself."


class NotInGoodFaith(Invalid):
    code = "good-faith-missing"
    sentence = "A notice needs your word that what it says is accurate and complete."
    next_step = "Tick the box if you believe so in good faith, and send it again."


class NoMailHere(Invalid):
    code = "no-mail-here"
    sentence = "This cell sends no mail, so it takes no address for one."
    next_step = "Leave the e-mail out, and keep the code: it finds the outcome."


class FormsOften(TooMany):
    code = "notices-often"
    sentence = f"From one place, {FORMS_AN_HOUR} notices an hour may come without an account."
    next_step = "Wait an hour, or sign in and report it there."


class NoSuchReport(NotFound):
    code = "no-such-report"
    sentence = "There is no such report, or it is not yours."
    next_step = "Check the code that you were given."


class NoSuchStatement(NotFound):
    code = "no-such-statement"
    sentence = "There is no such statement of reasons."
    next_step = "Check the address; your own decisions are in your settings."


class NothingToPart(Conflict):
    code = "nothing-to-part"
    sentence = "This case has no other film that it could be parted from, or is one of an appeal."
    next_step = "Decide about it as it is."


class NotModerator(NotAllowed):
    code = "not-moderator"
    sentence = "This is for the moderators of this cell."
    next_step = "Ask the operator, who adds them with ./luciole staff add --role moderator."


class ShiftNeeded(NotAllowed):
    code = "shift-needed"
    sentence = f"Reviewing begins with your passkey, and again after {SHIFT_HOURS} hours."
    next_step = "Take a break, then begin again with your passkey."


class BreakNeeded(TooMany):
    code = "break-needed"
    sentence = f"After a shift of {SHIFT_HOURS} hours comes a break of {BREAK_MINUTES} minutes."
    next_step = "Leave the screen, and begin again when the break is over."
    http_headers: dict[str, str]

    @classmethod
    def until(cls, rested_at: datetime, now: datetime) -> Self:
        """The refusal that says when the next shift may begin."""
        told = cls(
            next_step=f"Leave the screen; begin again from {rested_at:%H:%M:%S} UTC on.",
            retry_after_s=max(1, int((rested_at - now).total_seconds()) + 1),
        )
        per_s = SHIFT_HOURS * 3600 + BREAK_MINUTES * 60
        told.http_headers = {"x-pace": f"most=1;per_s={per_s};until={rested_at:%Y-%m-%dT%H:%M:%SZ}"}
        return told


class EnoughForToday(TooMany):
    code = "enough-for-today"
    sentence = f"You have taken {CASES_A_DAY} cases in a day, which is as many as one should."
    next_step = "Leave the rest to others, or to tomorrow."


class NoSuchReview(NotFound):
    code = "no-such-review"
    sentence = "This case is not yours to look at."
    next_step = "Take the next case of the queue."


class NothingDisclosed(NotFound):
    code = "nothing-disclosed"
    sentence = "What was disclosed in this report is not kept any more."
    next_step = "Decide by what else the case has, or close it."


class NoNameNeeded(Conflict):
    code = "no-name-needed"
    sentence = "In this case it does not count who sent a notice, or nobody has given a name."
    next_step = "Decide by what is reported."


class AlreadyDecided(Conflict):
    code = "review-decided"
    sentence = "This case has been decided, or given to somebody else, in the meantime."
    next_step = "Take the next case of the queue."


class BadDecision(Invalid):
    code = "bad-decision"
    sentence = "A decision says what it does, on which ground, why, and on which facts."
    next_step = "Fill in all fields; an act has to fit what the case is about."


class NoAppeal(Conflict):
    code = "no-appeal"
    sentence = "This cannot be appealed, or has been already, or its time for that is over."
    next_step = "The statement names other ways: an out-of-court body, or a court."


class BadAppeal(Invalid):
    code = "bad-appeal"
    sentence = "An appeal says in up to 2,000 characters why the decision is wrong."
    next_step = f"Another moderator answers within {APPEAL_ANSWERED_DAYS} days; write for them."


class NotForYou(NotAllowed):
    code = "another-moderator"
    sentence = "Whoever has decided before, or has a part in it, does not decide this."
    next_step = "Leave it to another moderator."
