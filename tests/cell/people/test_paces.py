"""How often an account may do something, and how it is told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from tests.cell.house import Browser, House, refused

from luciole.cell.people import paces
from luciole.cell.people.paces import Limit
from luciole.config import PacesSettings


@pytest.fixture(autouse=True)
def as_before(only_house: House) -> Iterator[None]:
    """The house is shared: its limits are put back."""
    limits = only_house.parts.people._paces._limits
    before = dict(limits)
    yield
    limits.update(before)  # type: ignore[attr-defined]


def limited(house: House, act: str, most: int, per: timedelta) -> None:
    """Sets one limit of a house."""
    house.parts.people._paces._limits[act] = Limit(most, per)  # type: ignore[index]


async def test_a_limit_says_what_how_many_and_until_when(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    limited(house, "like", 2, paces.HOUR)
    clips = [await ana.clip(house, tiny_film, caption=str(n)) for n in range(3)]
    began = house.clock.now()
    for clip in clips[:2]:
        assert (await ben.put(f"/api/clips/{clip['id']}/like")).status_code == 200
        house.clock.advance(timedelta(minutes=10))
    answer = await ben.put(f"/api/clips/{clips[2]['id']}/like")
    refused(answer, 429, "pace-like")
    until = began + paces.HOUR
    assert "liked 2 times in an hour" in answer.json()["sentence"]
    assert f"{until:%H:%M} UTC" in answer.json()["next_step"]
    assert answer.headers["x-pace"] == f"most=2;per_s=3600;until={until:%Y-%m-%dT%H:%M:%SZ}"
    assert 0 < int(answer.headers["retry-after"]) <= 2401
    # Nothing was done, taking back is free and gives nothing back, and others go on.
    assert (await ana.get(f"/api/clips/{clips[2]['id']}")).json()["likes"] == 0
    assert (await ben.delete(f"/api/clips/{clips[0]['id']}/like")).status_code == 200
    refused(await ben.put(f"/api/clips/{clips[0]['id']}/like"), 429, "pace-like")
    assert (await ana.put(f"/api/clips/{clips[2]['id']}/like")).status_code == 200
    assert (await ben.put("/api/people/ana/follow")).status_code == 200
    # And so does this one, from then on.
    house.clock.advance(timedelta(minutes=40))
    assert (await ben.put(f"/api/clips/{clips[2]['id']}/like")).status_code == 200


async def test_what_is_refused_is_not_counted(house: House, ben: Browser) -> None:
    limited(house, "follow", 1, paces.DAY)
    for _ in range(3):
        assert (await ben.put("/api/people/nobody/follow")).status_code == 404
    await house.person("cleo")
    assert (await ben.put("/api/people/cleo/follow")).status_code == 200
    refused(await ben.put("/api/people/cleo/follow"), 429, "pace-follow")
    # Forgotten after a day.
    house.clock.advance(timedelta(days=1, minutes=1))
    async with house.db.tx() as tx:
        await paces.tidy(tx, house.clock.now())
    assert await house.rows("SELECT FROM people.pace") == []


async def test_reports_are_told_of_as_the_others_are(
    house: House, ana: Browser, ben: Browser
) -> None:
    limited(house, "report", 2, paces.DAY)
    body = {"what": "person", "name": "ana", "category": "violence"}
    # What is refused for what it says is no report.
    assert (await ben.post("/api/reports", json={**body, "name": "nobody"})).status_code == 404
    for _ in range(2):
        assert (await ben.post("/api/reports", json=body)).status_code == 201
    answer = await ben.post("/api/reports", json=body)
    refused(answer, 429, "pace-report")
    assert "sent 2 reports in a day" in answer.json()["sentence"]
    assert "emergency number" in answer.json()["next_step"]
    assert answer.headers["x-pace"].startswith("most=2;per_s=86400;until=")
    assert (await ana.post("/api/reports", json={**body, "name": "ben"})).status_code == 201
    house.clock.advance(timedelta(days=1, seconds=1))
    assert (await ben.post("/api/reports", json=body)).status_code == 201


@pytest.mark.parametrize(
    ("method", "path", "act"),
    [
        ("PUT", "/api/clips/1/like", "like"),
        ("PUT", "/api/comments/1/like", "like"),
        ("PUT", "/api/people/ana/follow", "follow"),
        ("POST", "/api/clips/1/comments", "comment"),
        ("PUT", "/api/clips/1/repost", "repost"),
        ("POST", "/api/clips", "clip"),
        ("POST", "/api/messages/conversations", "conversation"),
        ("DELETE", "/api/clips/1/like", None),
        ("GET", "/api/clips/1/comments", None),
        ("POST", "/api/messages/conversations/1/messages", None),
        ("POST", "/api/reports", "report"),
        ("POST", "/api/messages/reports", "message-report"),
        ("POST", "/api/me/family/claims", "family-code"),
        ("POST", "/api/report-form", None),
        ("POST", "/api/reports/1/appeal", None),
    ],
)
def test_which_request_is_which_act(method: str, path: str, act: str | None) -> None:
    assert paces.act_of(method, path) == act


def test_each_act_has_a_limit_and_a_refusal() -> None:
    acts = [act for act, _, _ in paces.ACTS]
    assert set(acts) == set(paces.REFUSALS) == set(paces.Paces(PacesSettings())._limits)
    assert len({one.code for one in paces.REFUSALS.values()}) == len(acts)
