"""What a decision does: where it holds, who may still do what; and what it never touches."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from tests.cell.feed.walks import digest, ids, live_digest, page, shelf
from tests.cell.house import TUS, Browser, House, refused
from tests.cell.notices.court import DE, FR, decisions
from tests.cell.safety.bench import (
    ANSWER,
    REVIEW,
    Pools,
    at_work,
    decide,
    report,
    take,
    told,
)
from tests.cell.test_apart_everywhere import Scene, scene  # noqa: F401 - a fixture

from luciole.cell.people import restrictions
from luciole.cell.people.restrictions import Limited, Suspended
from luciole.cell.safety.eu_database import Statement
from luciole.config import WebSettings


async def test_removed_clip_is_in_no_list(scene: Scene, owner_url: str) -> None:  # noqa: F811
    before = await scene.found(scene.ben)
    assert {"clip", "grid", "favourites", "latest", "search clips", "hashtag"} <= before
    await report(scene.ben, "clip", scene.clip["id"])
    await decide(await at_work(scene.house, owner_url, "max"))
    found = await scene.found(scene.ben, may_be=(410,))
    gone = {"clip", "grid", "favourites", "reposts of carl", "latest", "search clips", "hashtag"}
    assert found & (gone | {"for you", "friends", "sound", "comments"}) == set()


async def test_clip_is_kept_from_the_countries_of_a_decision(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes, owner_url: str
) -> None:
    clip = await ana.clip(house, tiny_film)
    await report(ben, "clip", clip["id"])
    said = await decide(await at_work(house, owner_url, "max"), countries=["FR"])
    refused(await house.visitor(**FR).get(f"/api/clips/{clip['id']}"), 451, "restricted-here")
    assert (await house.visitor(**DE).get(f"/api/clips/{clip['id']}")).status_code == 200
    exported = (await house.visitor().get("/api/statements/export")).json()["statements"]
    assert exported[0]["puid"] == said["id"]
    assert exported[0]["decision_visibility"] == ["DECISION_VISIBILITY_CONTENT_DISABLED"]
    assert exported[0]["territorial_scope"] == ["FR"]


async def test_a_case_says_whether_the_cell_knows_countries(
    house: House, ana: Browser, ben: Browser, owner_url: str
) -> None:
    await report(ben, "person", "ana")
    max_ = await at_work(house, owner_url, "max")
    case = await take(max_)
    assert case is not None
    assert case["knows_countries"] is True
    # As after `luciole install`, where no proxy says where people are.
    untold = msgspec.structs.replace(house.settings, web=WebSettings())
    other = House(house.db, untold, house.vault, clock=house.clock)
    same = await take(other.visitor(authorization=f"Bearer {max_.token}"))
    await other.close()
    assert same is not None
    assert (same["id"], same["knows_countries"]) == (case["id"], False)


async def test_clip_for_adults_is_for_adults_with_an_account(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes, owner_url: str
) -> None:
    clip = await ana.clip(house, tiny_film)
    teen = await house.person("teo", age_band="16-17")
    await report(ben, "clip", clip["id"])
    await decide(await at_work(house, owner_url, "max"), act="adults", days=20)
    for one in (teen, house.visitor()):
        refused(await one.get(f"/api/clips/{clip['id']}"), 403, "adults-only")
        assert (await one.get(clip["poster_url"])).status_code == 403
        assert (await one.get("/api/feeds/latest")).json()["items"] == []
        assert (await one.get("/api/feeds/for-you")).json()["items"] == []
    assert (await ben.get(f"/api/clips/{clip['id']}")).status_code == 200
    film = await ben.get(clip["poster_url"])
    assert (film.status_code, "public" in film.headers["cache-control"]) == (200, False)
    assert [one["id"] for one in (await ben.get("/api/feeds/latest")).json()["items"]] == [
        clip["id"]
    ]
    # It ends on its day, which is noted and told in the statement.
    house.clock.advance(timedelta(days=21))
    await house.rows("UPDATE notices.measure SET until = now() - interval '1 second'")
    await house.parts.queue.run_periodic("safety.settle")
    assert (await house.visitor().get(f"/api/clips/{clip['id']}")).status_code == 200
    (mine,) = (await ana.get("/api/statements")).json()["items"]
    assert (mine["is_in_force"], mine["ended_why"]) == (False, "over")


async def test_label_is_shown_with_its_statement(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes, owner_url: str
) -> None:
    clip = await ana.clip(house, tiny_film)
    await report(ben, "clip", clip["id"])
    said = await decide(await at_work(house, owner_url, "max"), act="label", label="misleading")
    shown = (await house.visitor().get(f"/api/clips/{clip['id']}")).json()
    assert shown["labels"] == [{"label": "misleading", "statement": said["id"]}]


async def test_removed_comment_is_seen_by_its_writer_only(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes, owner_url: str
) -> None:
    clip = await ana.clip(house, tiny_film)
    path = f"/api/clips/{clip['id']}/comments"
    comment = (await ben.post(path, json={"text": "I will find you"})).json()
    await report(ana, "comment", comment["id"])
    case = await take(max_ := await at_work(house, owner_url, "max"))
    assert case is not None
    assert (case["subjects"][0]["text"], case["acts"]) == (
        "I will find you",
        ["remove", "limit", "suspend"],
    )
    await decide(max_)
    assert (await ana.get(path)).json()["items"] == []
    assert len((await ben.get(path)).json()["items"]) == 1
    assert (await told(ben))[0] == "decision"


async def test_suspended_person_reads_appeals_and_leaves_but_does_not_act(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes, owner_url: str
) -> None:
    clip, others = await ana.clip(house, tiny_film), await ben.clip(house, tiny_film)
    await report(ben, "person", "ana")
    said = await decide(await at_work(house, owner_url, "max"), act="suspend", days=7)
    refused(await ben.get("/api/people/ana"), 410, "removed-by-decision")
    refused(await ben.get(f"/api/clips/{clip['id']}"), 410, "removed-by-decision")
    like = f"/api/clips/{others['id']}/like"
    refused(await ana.put(like), 403, "account-suspended")
    film = {**TUS, "upload-length": "9"}
    refused(await ana.post("/api/uploads", headers=film), 403, "account-suspended")
    refused(await ana.patch("/api/me", json={"bio": "Still here"}), 403, "account-suspended")
    assert (await ana.get("/api/feeds/latest")).status_code == 200
    assert (await ana.post("/api/me/exports", json={})).status_code in (200, 201, 202, 403)
    appeal = f"/api/statements/{said['id']}/appeal"
    assert (await ana.post(appeal, json={"explanation": "It was not me."})).status_code == 201
    eve = await at_work(house, owner_url, "eve")
    case = await take(eve)
    assert case is not None
    place = f"{REVIEW}/cases/{case['id']}/appeal/reversed"
    assert (await eve.post(place, json={"answer": ANSWER})).status_code == 204
    assert (await ana.put(like)).status_code == 200
    assert (await ben.get(f"/api/clips/{clip['id']}")).status_code == 200


async def test_limited_person_does_all_but_one_thing(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes, owner_url: str
) -> None:
    clip = await ben.clip(house, tiny_film)
    await report(ben, "person", "ana")
    await decide(await at_work(house, owner_url, "max"), act="limit", acts=["comment"], days=1)
    path = f"/api/clips/{clip['id']}"
    refused(await ana.post(f"{path}/comments", json={"text": "Hi"}), 403, "account-limited")
    assert (await ana.put(f"{path}/like")).status_code == 200
    house.clock.advance(timedelta(days=2))
    assert (await ana.post(f"{path}/comments", json={"text": "Hi"})).status_code == 201


def test_every_route_that_acts_on_others_is_closed_to_who_is_suspended(only_house: House) -> None:
    open_to_them = set()
    for path, methods in only_house.app.openapi_schema.to_schema()["paths"].items():
        for method in methods:
            if method not in ("post", "put", "patch"):
                continue
            filled = path.replace("{", "").replace("}", "")
            try:
                restrictions.check({"everything"}, method.upper(), filled)
            except Suspended:
                continue
            open_to_them.add(filled.split("/")[2] + "/" + "/".join(filled.split("/")[3:4]))
    assert open_to_them == {
        "feeds/for-you", "me/age-band", "me/contacts", "me/erasure", "me/exports",
        "me/family", "me/follow-requests", "me/imported", "me/imports", "me/moved", "me/passkeys",
        "me/password", "me/past-clips", "me/push", "me/quotes", "me/recovery-codes",
        "me/shown-likes", "me/terms", "messages/conversations", "messages/devices",
        "messages/reports",
        "notifications/kinds", "notifications/read", "notifications/settings", "report-form/",
        "report-form/code", "reports/", "reports/report_id", "search/", "search/clips",
        "search/people",
        "sessions/", "sessions/current", "sessions/passkey", "sessions/passkey-options",
        "sessions/recovery", "statements/decision_id",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("act", "method", "path"),
    [
        ("publish", "POST", "/api/uploads"),
        ("publish", "PATCH", "/api/uploads/0190"),
        ("publish", "POST", "/api/clips"),
        ("comment", "POST", "/api/clips/0190/comments"),
        ("message", "POST", "/api/messages/conversations/0190/messages"),
    ],
)
def test_limits_close_what_they_name(act: str, method: str, path: str) -> None:
    with pytest.raises(Limited):
        restrictions.check({act}, method, path)
    for other in {"publish", "comment", "message"} - {act}:
        restrictions.check({other}, method, path)
    restrictions.check({act}, "DELETE", path)


async def test_ranking_knows_nothing_of_reports_and_decisions(
    house: House, ana: Browser, ben: Browser, owner_url: str, pools: Pools
) -> None:
    made = await shelf(house, ana, 8)
    await page(ben)
    before = await digest(house)
    rows = "SELECT seq FROM feed.event ORDER BY seq"
    events = await house.rows(rows)
    max_ = await at_work(house, owner_url, "max")
    for clip, wish in zip(
        made,
        ({"act": "remove"}, {"act": "adults"}, {"act": "label", "label": "sensitive"}),
        strict=False,
    ):
        await report(ben, "clip", clip)
        await decide(max_, **wish)
    await report(ben, "clip", made[3])
    # The state from which every score is made is the same, to the byte, and no event came of it.
    assert await digest(house) == before == await live_digest(house)
    assert await house.rows(rows) == events
    # What is left out is left out of the page, and of nothing else.
    left: set[str] = set()
    for _ in range(6):
        left |= set(ids(await page(house.visitor())))
    assert left == set(made) - set(made[:2])
    # And ranking could not look: its role may read no table of decisions or of reports.
    query = """
        SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE (n.nspname = 'safety' OR (n.nspname = 'notices' AND c.relname = 'measure')
               OR (n.nspname = 'people' AND c.relname = 'restriction'))
          AND c.relkind IN ('r', 'v')
          AND has_table_privilege('luciole_feed', c.oid, 'SELECT, INSERT, UPDATE, DELETE')
    """
    async with pools[0].read() as tx:
        assert await tx.fetch(query) == []


async def test_statements_are_in_the_fields_of_the_database(
    house: House, ana: Browser, ben: Browser, owner_url: str, pools: Pools
) -> None:
    max_ = await at_work(house, owner_url, "max")
    (clip,) = await shelf(house, ana, 1)
    await report(ben, "clip", clip, is_illegal=True, explanation="Against the law, article 1.")
    await decide(max_, act="adults", is_illegal=True, ground="Criminal code, article 1", days=3)
    house.clock.advance(timedelta(minutes=1))
    await report(ben, "person", "ana")
    await decide(max_, act="suspend")
    found = (await house.visitor().get("/api/statements/export")).json()
    suspended, restricted = found["statements"]
    for one in (suspended, restricted):
        msgspec.convert(one, Statement)  # nothing that the database does not know
        assert clip not in str(one)
        assert "ana" not in str(one).split()
    assert suspended["decision_account"] == "DECISION_ACCOUNT_SUSPENDED"
    assert "decision_visibility" not in suspended
    assert suspended["incompatible_content_ground"]
    assert (suspended["content_type"], suspended["content_type_other"]) == (
        ["CONTENT_TYPE_OTHER"],
        "account",
    )
    assert restricted["decision_visibility"] == ["DECISION_VISIBILITY_CONTENT_AGE_RESTRICTED"]
    assert restricted["source_type"] == "SOURCE_ARTICLE_16"
    assert restricted["illegal_content_legal_ground"] == "Criminal code, article 1"
    assert restricted["end_date_visibility_restriction"] > restricted["application_date"]
    assert found["left_out"] == []
    logged: list[dict[str, Any]] = [
        one["statement"] for one in await decisions(pools) if one["kind"] == "decision"
    ]
    assert [one["category"] for one in logged] == ["STATEMENT_CATEGORY_VIOLENCE"] * 2
    assert all("decision_facts" not in one for one in logged)


async def test_statement_that_breaks_a_rule_is_left_out_by_name(
    house: House, ana: Browser, ben: Browser, owner_url: str
) -> None:
    max_ = await at_work(house, owner_url, "max")
    said = []
    for number, clip in enumerate(await shelf(house, ana, 2)):
        house.clock.advance(timedelta(minutes=1))
        await report(ben, "clip", clip)
        said.append(await decide(max_, explanation=f"The terms allow no threats, {number}."))
    await house.rows(
        'UPDATE safety.decision SET statement = statement || \'{"category": "NOISE"}\''
        f" WHERE id = '{said[0]['id']}' RETURNING id"
    )
    found = (await house.visitor().get("/api/statements/export")).json()
    assert [one["puid"] for one in found["statements"]] == [said[1]["id"]]
    assert found["left_out"] == [said[0]["id"]]


async def test_decision_outside_of_europe_is_no_statement_of_theirs(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes, owner_url: str
) -> None:
    clip = await ana.clip(house, tiny_film)
    await report(ben, "clip", clip["id"])
    await decide(await at_work(house, owner_url, "max"), countries=["US"])
    found = (await house.visitor().get("/api/statements/export")).json()
    assert found == {"statements": [], "next": None, "left_out": []}
