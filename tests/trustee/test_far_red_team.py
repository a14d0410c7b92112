"""The same as `test_red_team`, against a guardian that is another running cell: over its door, its
gateway and its trustee's socket. `bench/guardian.py --far N` tries more often."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.border.conftest import Cell, cell_in, peered, running, until
from tests.custody.conftest import Somebody
from tests.trustee.attempts import Attacker
from tests.trustee.far import far
from tests.trustee.test_two_cells import EMAIL, person, session

from luciole import guarding
from luciole.ask.client import Custody
from luciole.custody.model import CustodyAway, Field, GuardianAway
from luciole.kit.ids import new_token
from luciole.trustee.book import BOOK

pytestmark = [pytest.mark.xdist_group("cells"), pytest.mark.timeout(480)]
TRIES = 300


async def uses(custody: Custody, somebody: Somebody) -> None:
    """They sign in and keep something, as soon as the guardian answers in time."""

    async def kept() -> bool:
        with contextlib.suppress(GuardianAway, CustodyAway):
            grant = await custody.session_grant(somebody.token)
            await custody.seal(grant, [Field(EMAIL, 1, b"somebody@example.org")])
            return True
        return False

    await until(kept)


async def attacked(us: Cell, sg: Cell, place: Path, tries: int) -> tuple[Attacker, dict[str, int]]:
    """So many tries against somebody who has no open grant, with everything that is there; how many
    went which way. That their entry would have made the difference is looked at, too."""
    await peered(us, sg)
    custody = Custody.at(us.settings.custody_dir / "api.sock")
    operator = Custody.at(us.settings.custody_dir / "operator.sock")

    async def in_office() -> bool:
        state = await operator.guardian("status")
        return state.is_on and not state.left and not state.fault

    await until(in_office)

    async def somebody() -> Somebody | None:
        with contextlib.suppress(GuardianAway, CustodyAway):
            return await person(us, custody)
        return None

    ana, ben = [await until(somebody) for _ in range(2)]
    await uses(custody, ben)

    def counted() -> tuple[int, int]:
        (found,) = guarding.counts_of(sg.settings.trustee_dir / BOOK).values()
        return found.given, found.refused

    async with far(us, sg, place) as root:
        await root.obtained(ben)
        await root.yesterday(ana.id)
        attacker = await root.attacker(ana.id, seed=6)
        before, (given, refused) = await root.entries(ana.id), counted()
        for number in range(tries):
            await attacker.attempt(number)
        asked = dict(root.way.asked)
        assert await root.entries(ana.id) == before, "an entry was made: it proves nothing"

        # It counts those that it looked at, a moment later; and has given nothing to anybody.
        async def are_counted() -> bool:
            return counted()[1] > refused

        await until(are_counted)
        assert counted()[0] == given
        token = new_token(32)
        await session(us, ana.id, token)
        await uses(custody, Somebody(ana.id, token))
        assert len(await root.entries(ana.id)) == len(before) + 1
    for line in (custody, operator, us, sg):
        await line.close()
    return attacker, asked


def test_without_an_entry_another_cell_gives_nothing(tmp_path: Path) -> None:
    us, sg = cell_in(tmp_path, "us"), cell_in(tmp_path, "sg")
    us.settings = replace(us.settings, keys=replace(us.settings.keys, guardian="sg"))
    with running(us, sg):
        attacker, asked = asyncio.run(attacked(us, sg, tmp_path / "stolen-keys", TRIES))
    assert attacker.opened == 0, attacker.outcomes
    assert attacker.outcomes["given"] == 0
    assert sum(attacker.outcomes.values()) == TRIES
    # Each kind of refusal was met, so each check was reached; by both ways.
    met = {"other-label", "too-old", "not-in-log", "no-grant", "does not open"}
    assert met <= set(attacker.outcomes)
    assert min(asked.values()) > TRIES // 4, asked
    assert len(asked) == 2
