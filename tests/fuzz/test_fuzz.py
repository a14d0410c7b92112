"""Whatever is sent to any address of the API gets an answer that its description allows, and each
refusal says what to do; never a 500. The requests are made up from the description itself, and each
is sent by everybody there is: a visitor, people old and young, one who is suspended, and the staff
in each of their roles. One of them names what there is, the others anything."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import CHECKS
from tests.cell.house import House
from tests.cell.rights.log import Log
from tests.cell.roles.everybody import (
    HANDLES,
    STAFF,
    WHO,
    Everybody,
    cookies,
    everybody,
    put_back,
)
from tests.cell.safety import bench as safety
from tests.cell.vault import Vault
from tests.conftest import Emptying
from tests.unit.media import films

from luciole.kit.db import Database

# Another run tries other requests: LUCIOLE_FUZZ_SEED=2 ./luciole test tests/fuzz
SEED = int(os.environ.get("LUCIOLE_FUZZ_SEED", "20261124"))
DESCRIBED = Path(__file__).resolve().parents[2] / "docs" / "reference" / "openapi.json"
# It never ends by itself; tests/cell/notify speaks with it.
ENDLESS = "GET /api/live"
ADDRESSES = {
    each.ok().label: each.ok()
    for each in schemathesis.openapi.from_dict(
        json.loads(DESCRIBED.read_text(encoding="utf-8"))
    ).get_all_operations()
    if each.ok().label != ENDLESS
}
# Requests to each address beside the one that names what there is, each sent by all of WHO. More of
# them: LUCIOLE_FUZZ_TIMES=250
TIMES = [
    pytest.param(1, id="quick"),
    pytest.param(int(os.environ.get("LUCIOLE_FUZZ_TIMES", "3")), id="long", marks=pytest.mark.long),
]
CHECKED = CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "response_schema_conformance",
        "content_type_conformance",
    ]
)
NOT_SENT = {"connection", "user-agent", "accept-encoding", "x-schemathesis-testcaseid"}


class Stage:
    """A furnished cell in an event loop of its own, as Hypothesis calls tests without one."""

    def __init__(
        self, runner: asyncio.Runner, house: House, log: Log, film: bytes, owner_url: str
    ) -> None:
        self._runner, self._house, self._log = runner, house, log
        self.world: Everybody = runner.run(everybody(house, owner_url, film))
        # Values that are there, by the name of the path's part; all but handles are of `member`.
        self.real = {name: [value] for name, value in self.world.real.items()}
        self.real["handle"] += [*HANDLES.values(), "nobody.here"]
        runner.run(self._at_work())

    async def _at_work(self) -> None:
        """What the staff have in hand: a case, a read, a job."""
        await self._log.take()
        browsers = self.world.browsers
        asked = {
            "handle": "mel",
            "purpose": "abuse-report",
            "columns": ["contact.email"],
            "minutes": 10,
            "reason": "Report 4711 says that this account threatens people.",
        }
        read = await browsers["operator"].post("/api/staff/reads", json=asked)
        await safety.report(browsers["other"], "person", "ned")
        case = await safety.take(browsers["moderator"])
        assert case is not None
        role = {"role": "moderator"}
        shift = await browsers["resting"].post("/api/staff/console/shifts", json=role)
        async with self._house.db.tx() as tx:
            await self._house.parts.queue.put(tx, "media.sweep", {})
        jobs = await self._house.rows("SELECT id FROM queue.pgqueuer")
        self.real |= {
            "read_id": [read.json()["id"]],
            "review_id": [case["id"]],
            "job_id": [str(jobs[0]["id"])],
            "shift_id": [shift.json()["id"]],
            "name": ["poster"],
            "outcome": ["upheld"],
        }

    async def _as_before(self, who: str) -> None:
        """Whose session or shift a request has ended has another, and whoever leaves stays."""
        browser = self.world.browsers[who]
        me = await browser.get("/api/me")
        if me.status_code == 401:
            await self.world.again(who)
        elif who != "visitor":
            browser.handle = me.json()["handle"]
            await browser.delete("/api/me/erasure")
            shift = STAFF.get(who) and await browser.get("/api/staff/console/shift")
            if shift and who != "resting" and shift.json()["role"] is None:
                await self.world.begin(who)

    def send(self, case: Any, who: str) -> Any:
        """The answer to a made-up request of somebody."""

        async def sent() -> Any:
            words = case.as_transport_kwargs(base_url="http://localhost:8080")
            content = words.pop("data", None)
            if content is not None:
                words["content"] = content
            words["headers"] = {
                name: value.encode("utf-8", "surrogateescape")
                for name, value in words["headers"].items()
                if name.lower() not in NOT_SENT
            }
            words.pop("cookies", None)
            browser = self.world.browsers[who]
            kept = cookies(browser)
            answer = await browser.request(**words)
            put_back(browser, kept)
            if case.method not in ("GET", "HEAD", "OPTIONS") and answer.is_success:
                await self._as_before(who)
            return answer

        return self._runner.run(sent())


@pytest.fixture(scope="module")
def stage(
    owner_url: str, emptying: Emptying, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("fuzz")
    film = films.make(folder / "tiny.mp4", size="90x160", seconds=0.4, rate=10).read_bytes()

    async def opened() -> tuple[Database, Database, House]:
        owner = await Database.open(owner_url, size=1)
        async with owner.tx() as tx:
            await emptying(tx)
        await owner.close()
        db = await Database.open(owner_url, role="luciole_api", size=4)
        keys = await Database.open(owner_url, role="luciole_custody_process", size=2)
        house = House.at(db, Vault.at(folder, keys), folder / "var")
        return db, keys, house

    with asyncio.Runner() as runner:
        db, keys, house = runner.run(opened())
        owner = runner.run(Database.open(owner_url, size=1))
        log = Log(owner, house.parts.blobs, house.vault.store.secret.cell_id)
        yield Stage(runner, house, log, film, owner_url)
        runner.run(owner.close())
        runner.run(house.close())
        house.vault.store.close()
        runner.run(db.close())
        runner.run(keys.close())


@pytest.mark.parametrize("times", TIMES)
@pytest.mark.parametrize("address", ADDRESSES)
def test_any_request_gets_an_answer_as_described(stage: Stage, address: str, times: int) -> None:
    def tried(most: int, is_real: bool) -> None:
        @seed(SEED)
        @settings(
            max_examples=most,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        )
        @given(case=ADDRESSES[address].as_strategy(), choice=st.data())
        def one(case: Any, choice: st.DataObject) -> None:
            drawn = dict(case.path_parameters or {})
            there = {part: stage.real.get(part, []) for part in drawn}
            for part, values in there.items():
                named = values if is_real and values else [None, *values]
                drawn[part] = choice.draw(st.sampled_from(named)) or drawn[part]
            for who in WHO:
                # Whose it is takes it away by another test's hands: here the next one needs it.
                if who != "member" or case.method != "DELETE" or not any(there.values()):
                    case.path_parameters.update(drawn)
                answered(case, who)

        one()

    def answered(case: Any, who: str) -> None:
        answer = stage.send(case, who)
        case.validate_response(answer, checks=CHECKED)
        if answer.status_code >= 400 and case.method != "HEAD":
            assert all(answer.json()[part] for part in ("code", "sentence", "next_step"))

    tried(1, is_real=True)
    tried(times, is_real=False)


def test_every_address_is_tried_with_what_there_is(stage: Stage) -> None:
    assert len(ADDRESSES) > 50
    assert ENDLESS not in ADDRESSES
    parts = {
        (part.name, label)
        for label, one in ADDRESSES.items()
        for part in one.path_parameters
        if "enum" not in part.definition.get("schema", {})
    }
    none = sorted((name, label) for name, label in parts if name not in stage.real)
    assert not none, f"Make one of these in tests/cell/roles/everybody.py: {none}"
