"""Whatever is sent to any address of the API gets an answer that its description allows, and each
refusal says what to do; never a 500. The requests are made up from the description itself, and sent
by a visitor, by people, and by the staff at work in each of their roles."""

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
from tests.cell.console import bench as console
from tests.cell.house import PIECE, Browser, House
from tests.cell.people.authenticator import Authenticator
from tests.cell.rights.log import Log
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
# Requests to each address: about 500 in the long run. More of them: LUCIOLE_FUZZ_TIMES=250
TIMES = [
    pytest.param(2, id="quick"),
    pytest.param(int(os.environ.get("LUCIOLE_FUZZ_TIMES", "9")), id="long", marks=pytest.mark.long),
]
CHECKED = CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "response_schema_conformance",
        "content_type_conformance",
    ]
)
ROLES = ("moderator", "operator", "auditor")
# Two people, a visitor, and one of the staff in each role.
LAST = 2 + len(ROLES)
NOT_SENT = {"connection", "user-agent", "accept-encoding", "x-schemathesis-testcaseid"}


class Stage:
    """A furnished cell in an event loop of its own, as Hypothesis calls tests without one."""

    def __init__(
        self, runner: asyncio.Runner, house: House, log: Log, film: bytes, owner_url: str
    ) -> None:
        self._runner, self._house, self._log, self._film = runner, house, log, film
        self._owner_url = owner_url
        self._people: list[Browser] = []
        self._staff: dict[str, tuple[Browser, Authenticator]] = {}
        # Values that are there, by the name of the path's part.
        self.real: dict[str, list[str]] = {}
        runner.run(self._furnish())

    async def _furnish(self) -> None:
        ana = await self._house.person("ana")
        ben = await self._house.person("ben")
        assert (await ben.patch("/api/me", json={"is_private": True})).status_code == 200
        clips = [
            await ana.clip(self._house, self._film, caption="Hello #sea"),
            await ben.clip(self._house, self._film, audience="only-me"),
            await ana.clip(self._house, b"no film", audience="friends"),
        ]
        sessions = (await ben.get("/api/sessions")).json()["items"]
        addresses = [clip["renditions"][0]["url"].removeprefix("/media/") for clip in clips[:2]]
        export = (await ana.post("/api/me/exports")).json()["id"]
        await self._house.work()
        dora = await self._house.person("dora")
        brought = await dora.post(
            "/api/me/imports", content=b"x", headers={**PIECE, "upload-length": "5"}
        )
        await self._log.take()
        self._people = [ana, ben]
        for role in ROLES:
            await self._at_work(role)
        asked = {
            "handle": "ana",
            "purpose": "abuse-report",
            "columns": ["contact.email"],
            "minutes": 10,
            "reason": "Report 4711 says that this account threatens people.",
        }
        read = await self._staff["operator"][0].post("/api/staff/reads", json=asked)
        await safety.report(ben, "clip", clips[0]["id"])
        case = await safety.take(self._staff["moderator"][0])
        assert case is not None
        self.real = {
            "handle": ["ana", "ben", "nobody.here"],
            "clip_id": [clip["id"] for clip in clips],
            "upload_id": [(await ana.draft(self._film))["upload_id"]],
            "session_id": [each["id"] for each in sessions],
            "kind": ["email", "phone"],
            "export_id": [export],
            "import_id": [brought.headers["location"].split("/")[-2]],
            "read_id": [read.json()["id"]],
            "review_id": [case["id"]],
            "key": [address.partition("?")[0] for address in addresses],
        }

    async def _at_work(self, role: str) -> Browser:
        """One of the staff at work in a role; a new one where a request has ended the session."""
        found = self._staff.get(role)
        shift = await found[0].get("/api/staff/console/shift") if found else None
        if found is None or shift is None or shift.status_code != 200:
            handle = f"{role[:3]}{os.urandom(6).hex()}"
            found = await console.staff(self._house, self._owner_url, handle, role)
            self._staff[role] = found
        browser, key = found
        if (await browser.get("/api/staff/console/shift")).json()["role"] is None:
            await console.begin(browser, key, role)
            if role == "moderator":
                await safety.begin(browser, key)
        return browser

    async def _who(self, number: int) -> Browser:
        """A visitor, one of two people, or one of the staff; a new one where a request has ended
        the session."""
        if number > len(self._people):
            return await self._at_work(ROLES[number - len(self._people) - 1])
        if number == len(self._people):
            return self._house.visitor()
        if (await self._people[number].get("/api/me")).status_code == 401:
            handle = f"again{os.urandom(6).hex()}"
            self._people[number] = await self._house.person(handle)
        return self._people[number]

    def send(self, case: Any, who: int) -> Any:
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
            browser = await self._who(who)
            return await browser.request(**words)

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
    @seed(SEED)
    @settings(
        max_examples=times,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    @given(case=ADDRESSES[address].as_strategy(), choice=st.data(), who=st.integers(0, LAST))
    def one(case: Any, choice: st.DataObject, who: int) -> None:
        for part in case.path_parameters or {}:
            there = choice.draw(st.sampled_from([None, *stage.real.get(part, [])]))
            if there is not None:
                case.path_parameters[part] = there
        answer = stage.send(case, who)
        case.validate_response(answer, checks=CHECKED)
        if answer.status_code >= 400 and case.method != "HEAD":
            assert all(answer.json()[part] for part in ("code", "sentence", "next_step"))

    one()


def test_every_address_is_tried() -> None:
    assert len(ADDRESSES) > 50
    assert ENDLESS not in ADDRESSES
