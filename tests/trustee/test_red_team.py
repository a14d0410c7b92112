"""No log, no key: with everything that root on the app host has, and without an entry, nothing of a
person who has no open grant opens. `bench/guardian.py` tries 100,000 times."""

from __future__ import annotations

from datetime import timedelta

from tests.trustee.attempts import Attacker
from tests.trustee.house import Guarded

from luciole.custody.model import Field

TRIES = 400


async def test_without_an_entry_nothing_opens(us: Guarded) -> None:
    custody = us.custody()
    ana, ben = await us.person(), await us.person()
    for one in (ana, ben):
        grant = await custody.session_grant(one.token)
        await custody.seal(grant, [Field("contact.email", 1, b"a")])
    # A day later Ben uses the cell, and Ana does not.
    us.clock.advance(timedelta(hours=25))
    grant = await custody.session_grant(await us.session(ben.id))
    await custody.seal(grant, [Field("contact.email", 1, b"a")])
    us.forget()
    attacker = Attacker(us, ana.id, seed=6)
    await attacker.look()
    before = await us.entries(ana.id)
    for number in range(TRIES):
        await attacker.attempt(number)
    assert attacker.opened == 0, attacker.outcomes
    assert attacker.outcomes["given"] == 0
    assert sum(attacker.outcomes.values()) == TRIES
    # Each kind of refusal was met, so each check was reached.
    assert {"other-label", "too-old", "not-in-log", "no-grant", "does not open"} <= set(
        attacker.outcomes
    )
    assert await us.entries(ana.id) == before
    # And it is the entry that makes the difference, nothing else.
    token = await us.session(ana.id)
    grant = await custody.session_grant(token)
    await custody.seal(grant, [Field("contact.email", 1, b"a")])
    assert len(await us.entries(ana.id)) == len(before) + 1
