"""What a decision keeps a person from doing, by the requests that do it.

Who is suspended may still read, take back, take their data along, appeal and leave: everything else
that changes something is refused, so that a new route is closed to them until it is listed here.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from luciole.cell.people.model import Restriction
from luciole.cell.people.store import restrictions as store
from luciole.kit.db import Tx
from luciole.kit.errors import NotAllowed
from luciole.kit.web import SAFE_METHODS

# Taking something back is always allowed; and what is the person's own.
OPEN = re.compile(
    r"/api/(me|sessions|reports|statements|appeals|notifications|search|feeds|report-form)(/|$)"
)
# Of messages, too: what one leaves, does not hear, has received, or reports.
OPEN_MESSAGES = re.compile(
    r"/api/messages/(reports|devices/[^/]+/acks|conversations/[^/]+/(leave|mute))$"
)
# What others would see of it.
CLOSED = re.compile(
    r"/api/me/(avatar|handle|collections|abroad|circles|conversation|came-from)(/|$)|/api/me$"
    # Nobody is paired with while they are suspended.
    r"|/api/me/family/(codes|claims|pairings/[^/]+/(confirm|limits))$"
)
ACTS: dict[str, re.Pattern[str]] = {
    "publish": re.compile(r"/api/(uploads|clips)(/[^/]+(/(captions|reach|repost))?)?$"),
    "comment": re.compile(r"/api/clips/[^/]+/comments$"),
    "message": re.compile(r"/api/messages/(conversations|key-packages/claim)(/|$)"),
}
# Devices take in what was sent, and what was said can be reported, whatever one may not send.
STILL = re.compile(r"/api/messages/(conversations/[^/]+/(leave|mute|commits)$|reports$)")


class Suspended(NotAllowed):
    code = "account-suspended"
    sentence = "Your account is suspended by a decision of this cell's moderators."
    next_step = "Read the statement under Settings, Decisions: it says why, and how to appeal."


class Limited(NotAllowed):
    code = "account-limited"
    sentence = "A decision of this cell's moderators keeps you from doing this for now."
    next_step = "Read the statement under Settings, Decisions: it says how long, and how to appeal."


def check(restricted: Collection[str], method: str, path: str) -> None:
    """Raises Suspended, Limited where the request does what is restricted."""
    if method in SAFE_METHODS or method == "DELETE":
        return
    is_open = OPEN_MESSAGES.match(path) or (OPEN.match(path) and not CLOSED.match(path))
    if "everything" in restricted and not is_open:
        raise Suspended
    for act, pattern in ACTS.items():
        if act in restricted and pattern.match(path) and not STILL.match(path):
            raise Limited


async def begin(tx: Tx, restriction: Restriction) -> None:
    """Keeps a person from something, from their next request on."""
    await store.begin(tx, restriction)


async def end(tx: Tx, decision_id: UUID, now: datetime) -> None:
    """Ends what a decision restricted; safe to repeat."""
    await store.end(tx, decision_id, now)
