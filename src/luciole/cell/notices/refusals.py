"""What is said in the place of what a decision of moderators keeps from who asks."""

from __future__ import annotations

from luciole.kit.errors import Problem


class Removed(Problem):
    """410: a decision of the cell's moderators has removed it, everywhere."""

    code = "removed-by-decision"
    sentence = "This was removed by a decision of this cell's moderators."
    next_step = "Read the statement of reasons; whose it is has been told, and may appeal."
    http_status = 410

    def __init__(self, sentence: str | None = None, *, link: str = "") -> None:
        super().__init__(sentence)
        self.http_headers = {"link": link} if link else {}


class RemovedHere(Removed):
    """451: a decision of the cell's moderators has restricted it to other countries."""

    code = "restricted-here"
    sentence = "A decision of this cell's moderators keeps this from the country where you are."
    http_status = 451


class AdultsOnly(Removed):
    """403: a decision of the cell's moderators shows it to adults with an account only."""

    code = "adults-only"
    sentence = "A decision of this cell's moderators shows this to adults only."
    next_step = "Sign in with an account whose age band is 18 or older."
    http_status = 403
