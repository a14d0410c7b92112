"""What people are told when an act of a family is refused."""

from __future__ import annotations

from luciole.kit.errors import Conflict, Invalid, NotAllowed, NotFound


class NoSuchFamilyCode(NotFound):
    code = "no-such-family-code"
    sentence = "This code is not one that is shown right now."
    next_step = "Ask for a new one: a code is good for ten minutes, and once."


class OwnFamilyCode(Conflict):
    code = "own-family-code"
    sentence = "This is the code that you show yourself."
    next_step = "Enter it on the phone of the other one."


class NotAFamily(Conflict):
    code = "not-a-family"
    sentence = "One of the two accounts has to be an adult's, and the other one a young person's."
    next_step = "Look at the age band of both accounts under Settings, Account."


class AlreadyPaired(Conflict):
    code = "already-paired"
    sentence = "You two are paired already."
    next_step = "Look at the family page: it lists who is paired."


class GuardiansTooMany(Conflict):
    code = "guardians-too-many"
    sentence = "A young person's account has two guardians at most."
    next_step = "End one of the pairings first."


class TeensTooMany(Conflict):
    code = "teens-too-many"
    sentence = "An account can be paired with six young people at most."
    next_step = "End one of the pairings first."


class NoSuchPairing(NotFound):
    code = "no-such-pairing"
    sentence = "There is no such pairing, or it has ended."
    next_step = "Look at the family page: it lists who is paired."


class NotPaired(Conflict):
    code = "not-paired"
    sentence = "No family is paired with this account, so minutes are not taken."
    next_step = "There is nothing to do: what a device counts stays on it."


class BadFamilyLimits(Invalid):
    code = "bad-family-limits"
    sentence = (
        "A daily limit has 10 to 240 minutes, and hours of sleep are two times, 14 hours at most."
    )
    next_step = "Correct the limits and send them again."


class NothingProposed(Conflict):
    code = "nothing-proposed"
    sentence = "No limits wait for an answer."
    next_step = "Look at the family page: what was proposed may have been replaced."


class BadFamilyTime(Invalid):
    code = "bad-family-time"
    sentence = "Minutes are reported once a day, 0 to 1440, for 14 days at most."
    next_step = "Reload the page, so that the device counts anew."


class KeptPrivate(NotAllowed):
    code = "family-keeps-private"
    sentence = "Your family has agreed on a private account."
    next_step = "Talk about it with your guardian; the family page says who set it, and when."


class TimeToSleep(NotAllowed):
    code = "family-sleep"
    sentence = "These are hours of sleep that your family has set: For You waits until they end."
    next_step = "Come back in the morning; the family page says who set them, and when."


class ForYouOff(NotAllowed):
    code = "family-for-you-off"
    sentence = "Your family has set that For You is off."
    next_step = "Watch Following, Friends or Latest; the family page says who set it, and when."
