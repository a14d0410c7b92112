"""For You with learning: opt-in, what is kept and how, Reset, and that nobody else opens it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from tests.cell.feed.walks import (
    FOR_YOU,
    ids,
    learn,
    page,
    report,
    settings,
    shelf,
    signal,
    walk,
    why,
)
from tests.cell.house import Browser, House, refused

from luciole.cell.feed.learning import Learning
from luciole.cell.feed.model import KEPT_DAYS, TASTE_FIELD
from luciole.cell.feed.store import log
from luciole.custody.model import Field, NoGrant, NotOpened

DAYS = """
SELECT person_id, day, part, version, events, sealed FROM feed.taste_day ORDER BY day, part
"""
NOTHING_HIDDEN = {"authors": [], "hashtags": [], "sounds": [], "clips": 0}


async def watched(house: House, viewer: Browser, count: int = 10) -> dict[str, Any]:
    """A page of which every clip was shown and watched to its end."""
    body = await page(viewer, limit=count)
    house.clock.advance(timedelta(seconds=30))
    sent = [signal(body, at, "shown") for at in range(len(body["items"]))]
    sent += [signal(body, at, "watched", ms=9_900) for at in range(len(body["items"]))]
    assert (await report(viewer, *sent))["refused"] == []
    return body


async def test_without_a_profile_nothing_is_kept(house: House, ana: Browser, ben: Browser) -> None:
    await shelf(house, ana, 10)
    await watched(house, ben)
    assert await settings(ben) == {
        "mode": "public",
        "may_learn": True,
        "since": None,
        "keeps_days": KEPT_DAYS,
        "events_kept": 0,
        "hidden": NOTHING_HIDDEN,
    }
    assert await house.rows(DAYS) == []


async def test_who_opts_in_sees_what_is_kept(house: House, ana: Browser, ben: Browser) -> None:
    await shelf(house, ana, 10)
    since = (await learn(ben))["since"]
    assert since is not None
    await watched(house, ben, 5)
    said = await settings(ben)
    assert (said["mode"], said["events_kept"], said["since"]) == ("learning", 10, since)
    assert (await learn(ben))["since"] == since
    assert (await settings(ana))["mode"] == "public"


async def test_taste_changes_what_comes_next(house: House, ana: Browser, ben: Browser) -> None:
    cats = set(await shelf(house, ana, 40, ["cats"]))
    await shelf(house, ben, 40, ["dogs"])
    dora = await house.person("dora")
    await learn(dora)
    body = await page(dora, limit=30)
    house.clock.advance(timedelta(seconds=60))
    sent = []
    for at, clip_id in enumerate(ids(body)):
        is_cat = clip_id in cats
        sent.append(signal(body, at, "shown"))
        sent.append(signal(body, at, "watched", ms=9_900 if is_cat else 300))
        if is_cat:
            sent.append(signal(body, at, "liked"))
    await report(dora, *sent[:100])
    following = await page(dora, body["next"], limit=10)
    said = [await why(dora, following, at) for at in range(10)]
    liked = [
        next((part["adds"] for part in one["parts"] if part["name"] == "taste_topic"), 0.0)
        for one in said
    ]
    of_cats = [felt for one, felt in zip(said, liked, strict=True) if one["clip_id"] in cats]
    others = [felt for one, felt in zip(said, liked, strict=True) if one["clip_id"] not in cats]
    assert of_cats
    assert min(of_cats) > max(others, default=0.0)


async def test_what_is_learnt_is_sealed_and_leads_to_no_row_of_the_log(
    house: House, ana: Browser, ben: Browser
) -> None:
    made = await shelf(house, ana, 10)
    await learn(ben)
    await watched(house, ben)
    await page(ben)
    person_id = await house.person_id("ben")
    (day,) = await house.rows(DAYS)
    assert day["person_id"] == person_id
    kept = [day["sealed"]]
    for table, column in (
        ("feed.page", "slots"),
        ("feed.page", "inputs"),
        ("feed.learner", "sealed"),
    ):
        kept += [row[0] for row in await house.rows(f"SELECT {column} FROM {table}")]
    log = {row["session_id"] for row in await house.rows(
        "SELECT session_id FROM feed.event WHERE session_id IS NOT NULL"
    )}  # fmt: skip
    assert len(log) == 1
    for text in kept:
        for clip_id in made:
            assert clip_id.encode() not in text
            assert bytes.fromhex(clip_id.replace("-", "")) not in text
        for name in log:
            assert name.bytes not in text
            assert str(name).encode() not in text
    # The session that the person is named beside is another one than that of the log.
    sessions = {row[0] for row in await house.rows("SELECT session_id FROM feed.learner")}
    assert sessions & log == set()


async def test_nobody_else_opens_what_is_learnt(house: House, ana: Browser, ben: Browser) -> None:
    await shelf(house, ana, 4)
    await learn(ben)
    await watched(house, ben)
    (day,) = await house.rows(DAYS)
    custody = house.parts.custody
    field = Field(TASTE_FIELD, day["version"], day["sealed"])
    own = await house.parts.people.grant_of(ben.token)
    (opened,) = await custody.open(own, [field])
    assert len(msgspec.json.decode(opened)["events"]) == 8
    others = await house.parts.people.grant_of(ana.token)
    with pytest.raises(NotOpened):
        await custody.open(others, [field])
    older = Field(TASTE_FIELD, day["version"] + 1, day["sealed"])
    with pytest.raises(NotOpened):
        await custody.open(own, [older])
    for purpose in ("import", "backup"):
        automated = await custody.automated_grant(own.person_id, purpose)
        with pytest.raises(NoGrant):
            await custody.open(automated, [field])


async def test_learners_signals_are_taken_of_their_own_pages_only(
    house: House, ana: Browser, ben: Browser
) -> None:
    await shelf(house, ana, 4)
    await learn(ben)
    body = await page(ben)
    carl = await house.person("carl")
    await learn(carl)
    for other in (ana, carl, house.visitor()):
        taken = await report(other, signal(body, 0, "shown"))
        assert taken["refused"] == [{"at": 0, "code": "not-served"}]
    assert (await report(ben, signal(body, 0, "shown")))["taken"] == 1
    for _ in range(2):
        await report(ben, signal(body, 0, "shown"), signal(body, 1, "shown"))
    assert (await settings(ben))["events_kept"] == 2


@pytest.mark.parametrize("how", ["reset", "switched off and on", "90 days"])
async def test_feed_that_forgot_equals_a_new_accounts(
    house: House, ana: Browser, ben: Browser, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("luciole.cell.feed.pages.secrets.randbits", lambda _bits: 7)
    await shelf(house, ana, 40, ["cats"])
    await shelf(house, ben, 40, ["dogs"])
    dora = await house.person("dora")
    await learn(dora)
    await watched(house, dora, 30)
    kept = await page(dora, limit=30)
    emil = await house.person("emil")
    await learn(emil)
    new = await page(emil, limit=30)
    assert ids(kept) != ids(new)
    if how == "reset":
        answer = await dora.post(f"{FOR_YOU}/reset")
        assert answer.json()["events_kept"] == 0
        assert answer.json()["mode"] == "learning"
    elif how == "90 days":
        house.clock.advance(timedelta(days=KEPT_DAYS, hours=24))
        await house.parts.queue.run_periodic("feed.tidy")
        new = await page(emil, limit=30)
    else:
        assert (await learn(dora, "public"))["events_kept"] == 0
        await learn(dora)
    forgot = await page(dora, limit=30)
    assert ids(forgot) == ids(new)
    for at in range(30):
        one, other = await why(dora, forgot, at), await why(emil, new, at)
        assert (one["parts"], one["chance"]) == (other["parts"], other["chance"])


async def test_switching_off_forgets_rows_and_sessions(
    house: House, ana: Browser, ben: Browser
) -> None:
    await shelf(house, ana, 4)
    await learn(ben)
    body = await watched(house, ben)
    await learn(ben, "public")
    assert await house.rows(DAYS) == []
    assert await house.rows("SELECT 1 FROM feed.learner") == []
    assert await house.rows("SELECT 1 FROM feed.page") == []
    refused(await ben.get(f"{FOR_YOU}/pages/{body['page']}/0/why"), 404, "not-served")


async def test_older_seal_put_back_does_not_open(house: House, ana: Browser, ben: Browser) -> None:
    await shelf(house, ana, 8)
    await learn(ben)
    await watched(house, ben, 2)
    (older,) = await house.rows(DAYS)
    await ben.post(f"{FOR_YOU}/reset")
    await watched(house, ben, 2)
    await house.rows("UPDATE feed.taste_day SET sealed = $1", older["sealed"])
    refused(await ben.get(FOR_YOU), 409, "not-opened")


@pytest.mark.parametrize("band", ["13-15", "16-17"])
async def test_minors_have_no_profile(house: House, band: str) -> None:
    young = await house.person("young", age_band=band)
    refused(
        await young.put(f"{FOR_YOU}/mode", json={"mode": "learning"}),
        403,
        "learning-not-for-minors",
    )
    said = await settings(young)
    assert (said["mode"], said["may_learn"]) == ("public", False)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "settings", None),
        ("PUT", "mode", {"mode": "learning"}),
        ("POST", "reset", None),
    ],
)
async def test_choices_need_a_session(house: House, method: str, path: str, body: Any) -> None:
    answer = await house.visitor().request(method, f"{FOR_YOU}/{path}", json=body)
    refused(answer, 401, "not-signed-in")


async def test_days_are_added_to_one_after_another(
    house: House, ana: Browser, ben: Browser
) -> None:
    await shelf(house, ana, 60)
    await learn(ben)
    for number in range(3):
        await watched(house, ben, 5)
        await watched(house, ben, 5)
        rows = await house.rows(DAYS)
        assert [row["events"] for row in rows] == [20] * (number + 1)
        house.clock.advance(timedelta(days=1))
    assert [row["version"] for row in rows] == [2, 4, 6]
    # Another process, which holds nothing in memory, draws by the same taste.
    assert len(await walk(ben)) == 60


async def test_long_day_is_kept_in_parts(
    house: House, ana: Browser, ben: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("luciole.cell.feed.learning.PARTS_A_DAY", 4)
    await shelf(house, ana, 260, ["cats"])
    await learn(ben)
    for _ in range(3):
        await watched(house, ben, 30)
    parts = await house.rows(DAYS)
    assert [(row["part"], row["events"]) for row in parts] == [(0, 60), (1, 60), (2, 60)]
    await watched(house, ben, 10)
    parts = await house.rows(DAYS)
    assert [row["events"] for row in parts] == [60, 60, 80]
    grant = await house.parts.people.grant_of(ben.token)
    learning = house.parts.for_you._learning
    async with house.db.read() as tx:
        warm = (await learning.of(tx, grant)).taste.dump()
        learning.forget_memory()
        assert (await learning.of(tx, grant)).taste.dump() == warm
    # Beyond the most that is kept of a day, nothing is added.
    for _ in range(3):
        await watched(house, ben, 30)
    assert [row["events"] for row in await house.rows(DAYS)] == [60, 60, 80, 60]


async def test_other_process_forgets_too(house: House, ana: Browser, ben: Browser) -> None:
    await shelf(house, ana, 60, ["cats"])
    await learn(ben)
    await watched(house, ben, 5)
    grant = await house.parts.people.grant_of(ben.token)
    other = Learning(house.parts.custody, house.clock, log.clips)
    async with house.db.read() as tx:
        await other.of(tx, grant)
    await ben.post(f"{FOR_YOU}/reset")
    await watched(house, ben, 10)
    async with house.db.read() as tx:
        known = await other.of(tx, grant)
        other.forget_memory()
        anew = await other.of(tx, grant)
    assert known.taste.dump() == anew.taste.dump()
    assert known.versions == anew.versions


async def test_why_names_whom_one_follows_and_what_one_likes(
    house: House, ana: Browser, ben: Browser
) -> None:
    anas = set(await shelf(house, ana, 12, ["lighthouse"]))
    dora = await house.person("dora")
    doras = set(await shelf(house, dora, 40, ["lighthouse"]))
    await shelf(house, ben, 40)
    emil = await house.person("emil")
    await emil.follow(ana)
    await learn(emil)
    body = await page(emil, limit=30)
    house.clock.advance(timedelta(seconds=60))
    sent = []
    for at, clip_id in enumerate(ids(body)):
        sent.append(signal(body, at, "shown"))
        sent.append(signal(body, at, "watched", ms=9_900 if clip_id in doras else 300))
    await report(emil, *sent)
    found: dict[str, set[str]] = {}
    for _ in range(2):
        body = await page(emil, body["next"], limit=30)
        for at, clip_id in enumerate(ids(body)):
            because = (await why(emil, body, at))["because"]
            if because is not None:
                found.setdefault(because["kind"], set()).add(because["text"])
                if because == {"kind": "author", "text": "ana"}:
                    assert clip_id in anas
    assert found, "no slot says why"
    assert found.get("author", set()) <= {"ana", "ben", "dora"}
    assert found.get("hashtag", set()) <= {"lighthouse", "clip", "dora"}
