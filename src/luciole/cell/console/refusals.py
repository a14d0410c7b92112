"""What the staff may be told when the console refuses something."""

from __future__ import annotations

from luciole.cell.console.model import SHIFT_HOURS
from luciole.kit.errors import Conflict, NotAllowed


class ConsoleShiftNeeded(NotAllowed):
    code = "console-shift-needed"
    sentence = f"What the staff see opens with your passkey, and again after {SHIFT_HOURS} hours."
    next_step = "Load the page /staff anew, choose as what you work, and sign with your passkey."


class NotInThisRole(NotAllowed):
    code = "not-in-this-role"
    sentence = "This page is not for the role in which you are at work."
    next_step = "End your shift and begin one in another role, if you have it."


class JobNotStuck(Conflict):
    code = "job-not-stuck"
    sentence = "This job is not stuck, or has ended in the meantime."
    next_step = "Load the list of jobs again."
