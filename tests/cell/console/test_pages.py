"""What the pages of the console show, and that none of them shows a person."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from tests.cell.console.bench import CONSOLE, at_work, begin, page, staff
from tests.cell.house import Browser, House, refused
from tests.cell.notices.court import Pools, decisions, withhold
from tests.cell.safety import bench as safety
from tests.cell.test_glass import entry, publish

from luciole.cell.console import model, policies
from luciole.cell.console.logs import Reader
from luciole.config import BorderSettings, KeysSettings, Settings, WebSettings
from luciole.ledger.entry import Class, Kind, PersonEntry

STICK = """
UPDATE queue.pgqueuer SET status = 'picked', attempts = 3, updated = now() - interval '3 hours',
    heartbeat = now() - interval '2 hours' WHERE entrypoint = $1
"""


@pytest.fixture(autouse=True)
def nothing_read_yet(house: House) -> None:
    house.parts.console.looking._reader = Reader(house.parts.blobs)


async def count(house: House) -> None:
    await house.parts.queue._periodic["console.count"][0]()


def numbers(found: dict[str, Any]) -> dict[str, int]:
    return {one["name"]: one["value"] for one in found["items"]}


async def test_figures_are_counted_by_a_job_and_name_nobody(
    house: House, ana: Browser, owner_url: str
) -> None:
    eve = await at_work(house, owner_url, "eve", "operator")
    assert await page(eve, "people") == {"counted_at": None, "items": []}
    await house.person("tim", age_band="16-17")
    await withhold(house, "person", "ana")
    await count(house)
    found = numbers(await page(eve, "people"))
    assert (found["people.age.18+"], found["people.age.16-17"]) == (2, 1)
    assert (found["people.with-a-passkey"], found["people.leaving"]) == (1, 0)
    # Counted anew, what is gone is gone.
    await ana.patch("/api/me", json={"is_private": True})
    await count(house)
    found = numbers(await page(eve, "people"))
    assert found["people.private"] == 2  # and who is not of age
    assert "clips.comments" in numbers(await page(eve, "clips"))
    storage = await page(eve, "storage")
    assert {"bytes.films.uploads", "tables.people"} <= set(numbers(storage["figures"]))
    assert [disk["place"] for disk in storage["disks"]] == ["data", "objects"]
    assert all(0 < disk["free_bytes"] <= disk["total_bytes"] for disk in storage["disks"])


async def test_overview_says_what_to_look_at(house: House, ana: Browser, owner_url: str) -> None:
    eve = await at_work(house, owner_url, "eve", "operator")

    async def health() -> dict[str, tuple[str, int | None]]:
        found = (await page(eve, "overview"))["checks"]
        return {one["name"]: (one["health"], one["value"]) for one in found}

    seen = await health()
    assert (seen["worker"], seen["witnesses"]) == (("unknown", None), ("unknown", None))
    assert (seen["jobs"], seen["cases"], seen["appeals"]) == (("well", 0), ("well", 0), ("well", 0))
    await count(house)
    await publish(house, {"decisions": [entry("founded")]})
    await safety.report(ana, "person", "eve")
    house.clock.advance(timedelta(minutes=model.COUNTED_WITHIN_MINUTES + 1))
    seen = await health()
    assert seen["worker"][0] == "look"
    assert seen["witnesses"] == ("bad", 0)
    assert seen["disk"][0] == "well"


async def test_case_that_waits_and_appeal_that_is_late_are_seen(
    house: House, ana: Browser, owner_url: str
) -> None:
    ben = await house.person("ben")
    eve, hers = await staff(house, owner_url, "eve", "operator")
    await begin(eve, hers, "operator")
    await safety.report(ana, "person", "ben")
    max_ = await safety.at_work(house, owner_url, "max")
    found = await page(eve, "queue")
    (category,) = found["categories"]
    assert (category["category"], category["waiting"]) == ("violence", 1)
    assert (found["appeals"], found["next_appeal_due"]) == (0, None)
    assert [(one["taken"], one["is_at_work"]) for one in found["loads"]] == [(0, True)]
    statement = await safety.decide(max_, act="limit", acts=["comment"], days=3)
    found = await page(eve, "queue")
    assert (found["categories"], found["loads"][0]["taken"]) == ([], 1)
    answer = await ben.post(
        f"/api/statements/{statement['id']}/appeal", json={"explanation": "It was a joke."}
    )
    assert answer.status_code in (200, 201), answer.text
    found = await page(eve, "queue")
    assert (found["appeals"], found["next_appeal_due"] is not None) == (1, True)
    house.clock.advance(timedelta(days=15))
    await begin(eve, hers, "operator")
    seen = {one["name"]: one for one in (await page(eve, "overview"))["checks"]}
    assert (seen["appeals"]["health"], seen["appeals"]["value"]) == ("bad", 1)
    assert (seen["cases"]["health"], seen["cases"]["value"]) == ("look", 15 * 86_400)


async def test_moderator_sees_how_much_waits_and_not_what_others_do(
    house: House, ana: Browser, owner_url: str
) -> None:
    await safety.at_work(house, owner_url, "max")
    kim = await at_work(house, owner_url, "kim", "moderator")
    await safety.report(ana, "person", "max")
    found = await page(kim, "queue")
    assert (len(found["categories"]), found["loads"]) == (1, [])


async def test_operator_heals_stuck_jobs(
    house: House, ana: Browser, owner_url: str, pools: Pools
) -> None:
    eve = await at_work(house, owner_url, "eve", "operator")
    await house.rows("DELETE FROM queue.pgqueuer RETURNING id")
    async with house.db.tx() as tx:
        for name in ("media.prepare", "media.ladder"):
            await house.parts.queue.put(tx, name, {"asset_id": "x"})
    (waiting,) = [
        one for one in (await page(eve, "jobs"))["counts"] if one["name"] == "media.prepare"
    ]
    assert (waiting["waiting"], waiting["stuck"]) == (1, 0)
    (row,) = await house.rows("SELECT id FROM queue.pgqueuer WHERE entrypoint = 'media.prepare'")
    # A job that is not stuck is left alone.
    refused(await eve.post(f"{CONSOLE}/jobs/{row['id']}/retry"), 409, "job-not-stuck")
    async with pools[0].tx() as tx:
        await tx.execute(STICK, "media.prepare")
        await tx.execute(STICK, "media.ladder")
    stuck = (await page(eve, "jobs"))["stuck"]
    assert {one["name"] for one in stuck} == {"media.prepare", "media.ladder"}
    assert all(one["attempts"] == 3 and one["is_running"] for one in stuck)
    answer = await eve.post(f"{CONSOLE}/jobs/{row['id']}/retry")
    assert answer.json() == {"jobs": ["media.prepare"]}
    (again,) = await house.rows("SELECT * FROM queue.pgqueuer WHERE id = $1", row["id"])
    assert (again["status"], again["attempts"]) == ("queued", 0)
    assert [one["name"] for one in (await page(eve, "jobs"))["stuck"]] == ["media.ladder"]
    assert (await eve.post(f"{CONSOLE}/jobs/healing")).json() == {"jobs": ["media.ladder"]}
    assert (await eve.post(f"{CONSOLE}/jobs/healing")).json() == {"jobs": []}
    acts = [one for one in await decisions(pools) if one["kind"] == "console"]
    assert [(one["act"], one["what"]) for one in acts] == [
        ("begin", ""),
        ("retry", "media.prepare"),
        ("heal", "1: media.ladder"),
    ]


async def test_film_that_waits_is_told_without_whose_it_is(
    house: House, ana: Browser, owner_url: str, pools: Pools
) -> None:
    eve = await at_work(house, owner_url, "eve", "operator")
    answer = await ana.post("/api/clips", json=await ana.draft(b"a film"))
    assert answer.status_code == 201, answer.text
    async with pools[0].tx() as tx:
        await tx.execute("UPDATE media.asset SET waits_for = 'disk'")
    house.clock.advance(timedelta(minutes=5))
    (late,) = (await page(eve, "jobs"))["late"]
    assert late == {"waits_for": "disk", "films": 1, "oldest_s": 300}


async def test_keys_are_named_and_never_shown(house: House, owner_url: str, pools: Pools) -> None:
    eve = await at_work(house, owner_url, "eve", "operator")
    await count(house)
    found = await page(eve, "keys")
    assert (found["root"], found["epoch"], found["people"]) == ("file:", None, 1)
    assert [one["purpose"] for one in found["public"]] == ["border", "export", "push"]
    assert all(len(one["sha256"]) == 64 for one in found["public"])
    await publish(
        house,
        {"decisions": [entry("epoch", epoch=2, destroyed=1), entry("epoch", epoch=3, destroyed=2)]},
    )
    found = await page(eve, "keys")
    assert (found["epoch"], found["epoch_began"]) == (3, "2026-11-26T12:00:00Z")
    assert [one["destroyed"] for one in found["ends"]] == [2, 1]


async def test_logs_are_counted_by_kind_and_gaps_are_seen(house: House, owner_url: str) -> None:
    zoe = await at_work(house, owner_url, "zoe", "auditor")
    assert (await page(zoe, "ledger"))["logs"] == []
    person = PersonEntry(Kind.GRANT, Class.SELF, 1, bytes(32), bytes(32)).encode()
    many = [entry("report", report=str(n)) for n in range(300)]
    await publish(house, {"decisions": [*many, b"no entry"], "access": [person]})
    found = {one["log"]: one for one in (await page(zoe, "ledger"))["logs"]}
    assert found["decisions"]["kinds"] == {"report": 300, "unreadable": 1}
    assert (found["decisions"]["read"], found["decisions"]["gaps"]) == (301, [])
    assert found["access"]["kinds"] == {"grant": 1}
    # It reads on from where it was, and says what it cannot read.
    more = [*many, b"no entry", *(entry("decision") for _ in range(400))]
    await publish(house, {"decisions": more, "access": [person]})
    lost = "ledger/decisions/tile/entries/001"
    content = await house.parts.blobs.get(lost)
    await house.parts.blobs.delete(lost)
    (log,) = [one for one in (await page(zoe, "ledger"))["logs"] if one["log"] == "decisions"]
    assert log["gaps"] == [{"first": 301, "end": 512}]
    await house.parts.blobs.put(lost, content)
    (log,) = [one for one in (await page(zoe, "ledger"))["logs"] if one["log"] == "decisions"]
    assert (log["gaps"], log["kinds"]["decision"], log["read"]) == ([], 400, 701)


async def test_another_log_is_read_from_its_beginning(house: House, owner_url: str) -> None:
    zoe = await at_work(house, owner_url, "zoe", "auditor")
    await publish(house, {"decisions": [entry("report"), entry("report")]})
    await page(zoe, "ledger")
    await publish(house, {"decisions": [entry("decision")]})
    (log,) = (await page(zoe, "ledger"))["logs"]
    assert (log["kinds"], log["read"]) == ({"decision": 1}, 1)


async def test_policies_are_those_in_force_without_secrets(house: House, owner_url: str) -> None:
    zoe = await at_work(house, owner_url, "zoe", "auditor")
    found = await page(zoe, "policies")
    settings = {one["name"]: one for one in found["settings"]}
    assert settings["LUCIOLE_MEDIA_MIN_FREE_BYTES"]["value"] == "0"
    assert not settings["LUCIOLE_MEDIA_MIN_FREE_BYTES"]["is_default"]
    assert settings["LUCIOLE_CELL_NAME"]["is_default"]
    assert (found["registration"], found["terms"], found["has_imprint"]) == ("open", [], False)
    assert found["ages"]["FR"] == 15
    assert len(found["ages_sha256"]) == 64


def test_no_secret_of_the_settings_is_shown() -> None:
    settings = Settings(
        blobs="s3://bucket/prefix?secret_access_key=hush",
        web=WebSettings(metrics_token="hush"),
        keys=KeysSettings(root="pkcs11:token=x?pin-value=hush", token_file="/run/hush"),
        border=BorderSettings(codes_url="https://hush@sms.example", codes_secret_file="/hush"),
    )
    found = {one.name: one.value for one in policies.settings_in_force(settings)}
    assert "hush" not in json.dumps(list(found.values()))
    assert found["LUCIOLE_BLOBS"] == f"s3:{policies.HIDDEN}"
    assert found["LUCIOLE_WEB_METRICS_TOKEN"] == policies.HIDDEN
    assert found["LUCIOLE_DATABASE_URL"] == ""


async def test_no_page_names_anybody(house: House, ana: Browser, owner_url: str) -> None:
    words = "A secret of the quay"
    await ana.patch("/api/me", json={"display_name": "Ana Quay", "bio": words})
    await ana.put("/api/me/contacts/email", json={"value": "ana@example.org"})
    await ana.post("/api/clips", json=await ana.draft(b"a film", caption=words))
    await safety.report(await house.person("ben"), "person", "ana", explanation=words)
    eve = await at_work(house, owner_url, "eve", "operator")
    await count(house)
    ids = {str(await house.person_id(name)) for name in ("ana", "ben", "eve")}
    for name in model.PAGES:
        told = json.dumps(await page(eve, name))
        for secret in (words, "Quay", "ana@", '"ana"', '"ben"', *ids):
            assert secret not in told, (name, secret)
