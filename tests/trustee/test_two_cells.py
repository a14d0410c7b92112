"""Two real cells, one the guardian of the other: processes, sockets, HTTP, logs and witnesses."""

from __future__ import annotations

import asyncio
import hashlib
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.border.conftest import Cell, cell_in, peered, running, until
from tests.custody.conftest import ADD_PERSON, ADD_SESSION, Somebody

from luciole import guarding
from luciole.ask.client import Custody
from luciole.custody.model import Field, GuardianAway
from luciole.kit.clock import Clock
from luciole.kit.ids import new_id, new_token
from luciole.roots.choose import open_secret
from luciole.trustee import lending
from luciole.trustee.book import BOOK

pytestmark = [pytest.mark.xdist_group("cells")]
EMAIL = "contact.email"


async def person(us: Cell, custody: Custody) -> Somebody:
    person_id, token = new_id(), new_token(32)
    drawn = await custody.enrol(person_id, None)
    owner = await us.owner()
    await owner.execute(ADD_PERSON, person_id)
    await owner.fetchval("SELECT custody.take_number($1)", person_id)
    record = "SELECT custody.record($1, 0, $2, $3)"
    await owner.fetchval(record, person_id, drawn.leaf, drawn.sealed)
    await session(us, person_id, token)
    return Somebody(person_id, token)


async def session(us: Cell, person_id: object, token: str) -> None:
    hashed = hashlib.sha256(token.encode()).digest()
    until = datetime.now(UTC) + timedelta(days=30)
    await (await us.owner()).execute(ADD_SESSION, new_id(), person_id, hashed, until)


async def drill(us: Cell, sg: Cell, file: Path) -> None:
    await peered(us, sg)
    custody = Custody.at(us.settings.custody_dir / "api.sock")
    operator = Custody.at(us.settings.custody_dir / "operator.sock")

    async def in_office() -> bool:
        state = await operator.guardian("status")
        return state.is_on and not state.left and not state.fault

    # The setting names sg, so it comes into office as soon as it is a peer.
    await until(in_office, 60)
    ana = await person(us, custody)
    began = time.perf_counter()
    grant = await custody.session_grant(ana.token)
    (sealed,) = await custody.seal(grant, [Field(EMAIL, 1, b"ana@example.org")])
    print(f"sign-in and first use: {time.perf_counter() - began:.3f} s")
    assert await custody.open(grant, [Field(EMAIL, 1, sealed)]) == [b"ana@example.org"]
    state = await operator.guardian("status")
    assert (state.peer, state.guarded, state.alone, state.held) == ("sg", 1, 0, 1)
    assert state.asked == state.given == 1
    assert guarding.verdict(state) == "GREEN"
    ((handle, times, *_),) = (await operator.guardian("told")).told
    assert (len(handle), times) == (16, 1)
    said = "\n".join(guarding.lines_of(state))
    assert "CANNOT TELL" in said
    assert str(ana.id) not in said
    # At the guardian: what is held for whom, and no half in the clear.
    (counted,) = guarding.counts_of(sg.settings.trustee_dir / BOOK).values()
    assert (counted.held, counted.given, counted.refused) == (1, 1, 0)
    decisions = [one for one in await us.entries("decisions") if one["kind"] == "guardian"]
    assert decisions[0]["act"] == "on"
    # All halves at once, for who would have to put us back: for its key only, and told in the log.
    line = guarding.ask(us.settings)[-1]
    await guarding.lend(sg.settings, line, file, Clock())
    secret = open_secret(**us.settings.key_place)
    assert secret is not None
    with open(file, "rb") as lent:  # noqa: ASYNC230
        halves = lending.read(lent, secret.cell_id, secret.derived(lending.PURPOSE))
    assert list(halves) == [handle]

    async def told() -> bool:
        entries = await sg.entries("decisions")
        return any(one.get("act") == "lent" and one["halves"] == 1 for one in entries)

    await until(told)
    assert sg.process is not None
    await asyncio.to_thread(sg.process.stop)
    with pytest.raises(GuardianAway):
        await person(us, custody)
    # Ana's half is warm.
    assert await custody.open(grant, [Field(EMAIL, 1, sealed)]) == [b"ana@example.org"]
    for line in (custody, operator, us, sg):
        await line.close()


def test_guardian_in_another_cell(tmp_path: Path) -> None:
    us, sg = cell_in(tmp_path, "us"), cell_in(tmp_path, "sg")
    us.settings = replace(us.settings, keys=replace(us.settings.keys, guardian="sg"))
    with running(us, sg):
        asyncio.run(drill(us, sg, tmp_path / "halves"))
