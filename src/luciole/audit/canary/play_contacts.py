"""What the canary persons do of contact discovery: an address is verified by a code, over a real
sender. What needs another cell is asked for, and has to be refused: `tests/e2e/test_find_people.py`
looks for leaks of it, in two cells at once."""

from __future__ import annotations

from luciole.audit.canary.browser import Stale
from luciole.audit.canary.stage import VISITOR, Stage

# A cell that stands alone refuses these, and says why.
NEEDS_PEER = frozenset(
    {
        "POST /api/contacts/points",
        "GET /api/contacts/filter",
        "POST /api/contacts/filter",
        "POST /api/contacts/buckets",
        "PUT /api/contacts/{kind}/findable",
    }
)
ALONE = "contacts-not-offered"


async def run(stage: Stage) -> None:
    """Somebody who has given a number verifies it, and looks for what this cell cannot offer."""
    ana = stage["ana"]
    await stage[VISITOR].ask("GET /api/contacts/terms")
    before = len(stage.codes)
    await ana.ask("POST /api/contacts/{kind}/code", kind="phone")
    if len(stage.codes) == before:
        raise Stale("a code did not reach the sender")
    await ana.ask("PUT /api/contacts/{kind}/code", kind="phone", json={"code": stage.codes[-1]})
    told = (await ana.ask("GET /api/contacts")).json()
    if told["is_offered"] or not any(one["is_verified"] for one in told["mine"]):
        raise Stale("a cell alone offers contact discovery, or a right code verified nothing")
    await ana.ask("POST /api/contacts/points", content=bytes(32), expect=(404,))
    await ana.ask("GET /api/contacts/filter", expect=(404,))
    for part in ("filter", "buckets"):
        asked = {"bits": 0, "indexes": [0]}
        await ana.ask(f"POST /api/contacts/{part}", json=asked, expect=(404,))
    await ana.ask("PUT /api/contacts/{kind}/findable", kind="phone", expect=(404,))
    await ana.ask("DELETE /api/contacts/{kind}/findable", kind="phone")
