"""Who sent a notice without an account: a moderator sees the name where it counts who says so, and
that they looked is in the log."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.cell.house import Browser, House, refused
from tests.cell.notices.court import Pools, decisions
from tests.cell.safety.bench import ANSWER, REVIEW, at_work, report, take
from tests.cell.safety.test_reports import FORM, NOTICE

MINE = "intellectual-property-infringements"


async def notice(house: House, category: str, name: str = "Zoé Martin", **fields: Any) -> None:
    body = {**NOTICE, "address": "/@ana", "category": category, "name": name, **fields}
    answer = await house.visitor().post(FORM, json=body)
    assert answer.status_code == 201, answer.text


async def case_of(moderator: Browser) -> dict[str, Any]:
    case = await take(moderator)
    assert case is not None
    return case


async def looks(pools: Pools) -> list[dict[str, Any]]:
    return [one for one in await decisions(pools) if one["kind"] == "name-seen"]


@pytest.mark.parametrize("category", [MINE, "data-protection-and-privacy-violations"])
async def test_a_name_is_shown_where_it_counts_who_says_so(
    house: House, ana: Browser, owner_url: str, pools: Pools, category: str
) -> None:
    max_ = await at_work(house, owner_url, "max")
    await notice(house, category)
    case = await case_of(max_)
    assert case["has_names"] is True
    # Not before one asks.
    assert "Martin" not in json.dumps(case)
    answer = await max_.post(f"{REVIEW}/cases/{case['id']}/names")
    assert answer.status_code == 201, answer.text
    assert answer.json() == {"names": ["Zoé Martin"]}
    (entry,) = await looks(pools)
    (row,) = await house.rows("SELECT id FROM safety.report")
    (staff,) = await house.rows("SELECT id FROM custody.office")
    assert (entry["reports"], entry["staff"]) == ([str(row["id"])], str(staff["id"]))
    assert "Martin" not in json.dumps(await decisions(pools))


async def test_elsewhere_no_name_is_shown(
    house: House, ana: Browser, ben: Browser, owner_url: str, pools: Pools
) -> None:
    max_ = await at_work(house, owner_url, "max")
    # By what is reported; without a name; and who has an account is never named.
    await notice(house, "illegal-or-harmful-speech")
    await notice(house, MINE, name="")
    await report(ben, "person", "ana", category=MINE)
    case = await case_of(max_)
    assert (len(case["reports"]), case["has_names"]) == (3, False)
    refused(await max_.post(f"{REVIEW}/cases/{case['id']}/names"), 409, "no-name-needed")
    assert await looks(pools) == []
    # Of several, those for which it counts.
    await notice(house, MINE, name="Ida Roth")
    answer = await max_.post(f"{REVIEW}/cases/{case['id']}/names")
    assert answer.json() == {"names": ["Ida Roth"]}


async def test_only_who_has_the_case_in_hand_sees_a_name(
    house: House, ana: Browser, owner_url: str, pools: Pools
) -> None:
    max_, kim = [await at_work(house, owner_url, name) for name in ("max", "kim")]
    await notice(house, MINE)
    case = await case_of(max_)
    place = f"{REVIEW}/cases/{case['id']}"
    refused(await kim.post(f"{place}/names"), 409, "review-decided")
    refused(await ana.post(f"{place}/names"), 403, "not-moderator")
    answer = await max_.post(f"{place}/dismissal", json={"answer": ANSWER})
    assert answer.status_code == 204, answer.text
    refused(await max_.post(f"{place}/names"), 409, "review-decided")
    assert await looks(pools) == []
