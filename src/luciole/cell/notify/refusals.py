"""Why notify says no."""

from __future__ import annotations

from luciole.kit.errors import Invalid, NotAllowed, NotFound


class BadHour(Invalid):
    code = "bad-digest-hour"
    sentence = "A digest comes between 7 in the morning and 9 in the evening."
    next_step = "Choose a full hour from 7 to 21."


class BadOffset(Invalid):
    code = "bad-clock-offset"
    sentence = "A clock is at most 14 hours away from UTC."
    next_step = "Send the minutes that your clock is ahead of UTC."


class NightsStayQuiet(NotAllowed):
    code = "nights-stay-quiet"
    sentence = "Before 18, nights stay quiet: nothing is told between 22 and 7 o'clock."
    next_step = "You can change this once your age band is 18 or over."


class NoPush(NotFound):
    code = "no-push"
    sentence = "This cell does not wake devices."
    next_step = "Open the app to see what is new, or ask the operator of this cell."


class BadPushAddress(Invalid):
    code = "bad-push-address"
    sentence = "This is no address of a push service that this cell may speak to."
    next_step = "Turn notifications on again in another browser, or ask the operator of this cell."
