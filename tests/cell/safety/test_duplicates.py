"""Films that look alike: one decision for them, parted where they are not; and what is like a film
that was removed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from tests.cell.house import Browser, House, refused
from tests.cell.safety.bench import ANSWER, REMOVE, REVIEW, at_work, decide, report, take
from tests.unit.media import films

SECONDS = 4.0
SMALLER = ("-vf", "scale=180:320", "-crf", "34")
OTHER = "mandelbrot=s=270x480:r=10:start_scale=0.4:end_pts=40"


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of some seconds, with enough in its pictures."""
    path = tmp_path_factory.mktemp("alike") / "first.mp4"
    return films.make(path, size="270x480", seconds=SECONDS, rate=10)


@pytest.fixture(scope="module")
def copy(film: Path) -> bytes:
    """The same film, trimmed, smaller, and encoded again."""
    path = film.with_name("copy.mp4")
    films.run("-ss", "1", "-i", str(film), "-preset", "ultrafast", *SMALLER, str(path))
    return path.read_bytes()


@pytest.fixture(scope="module")
def other(film: Path) -> bytes:
    """Another film."""
    path = film.with_name("other.mp4")
    films.run(
        "-f", "lavfi", "-t", str(SECONDS), "-i", OTHER, "-preset", "ultrafast",
        "-pix_fmt", "yuv420p", str(path),
    )  # fmt: skip
    return path.read_bytes()


async def reported(house: House, by: Browser, clip: dict[str, Any], **fields: Any) -> None:
    await report(by, "clip", clip["id"], **fields)
    await house.work()


async def test_smaller_and_trimmed_copy_gets_the_same_decision_and_another_film_none(
    house: House, ana: Browser, ben: Browser, film: Path, copy: bytes, other: bytes, owner_url: str
) -> None:
    carl = await house.person("carl")
    clips = [
        await ana.clip(house, film.read_bytes()),
        await carl.clip(house, copy),
        await carl.clip(house, other),
    ]
    for clip in clips:
        await reported(house, ben, clip)
    max_ = await at_work(house, owner_url, "max")
    case = await take(max_)
    assert case
    assert [one["clip_id"] for one in case["subjects"]] == [one["id"] for one in clips[:2]]
    for one in case["subjects"]:
        assert one["alike"]["of"] == 3
        assert one["alike"]["stills"] >= 2
        assert one["alike"]["bits"] <= 31
    # Each film is there to be looked at before one decides for both.
    for clip in clips[:2]:
        place = f"{REVIEW}/cases/{case['id']}/clips/{clip['id']}/film"
        assert (await max_.get(place)).status_code == 200
    await decide(max_)
    for clip, status in zip(clips, (410, 410, 200), strict=True):
        assert (await ben.get(f"/api/clips/{clip['id']}")).status_code == status
    rest = await take(max_)
    assert rest
    assert [one["clip_id"] for one in rest["subjects"]] == [clips[2]["id"]]
    assert rest["subjects"][0]["alike"] is None


async def test_copy_whose_files_are_elsewhere_just_now_is_found_by_its_stills(
    house: House, ana: Browser, ben: Browser, film: Path, copy: bytes, owner_url: str
) -> None:
    clips = [await ana.clip(house, film.read_bytes()), await ana.clip(house, copy)]
    for kept in Path(house.settings.blobs_place).rglob("*.mp4"):
        kept.unlink()
    for clip in clips:
        await reported(house, ben, clip)
    case = await take(await at_work(house, owner_url, "max"))
    assert case
    assert [one["clip_id"] for one in case["subjects"]] == [one["id"] for one in clips]


async def test_case_in_hand_takes_in_no_copy(
    house: House, ana: Browser, ben: Browser, film: Path, copy: bytes, owner_url: str
) -> None:
    first = await ana.clip(house, film.read_bytes())
    second = await ana.clip(house, copy)
    await reported(house, ben, first)
    max_ = await at_work(house, owner_url, "max")
    assert await take(max_)
    await reported(house, ben, second)
    case = await take(max_)
    assert case
    assert [one["clip_id"] for one in case["subjects"]] == [first["id"]]


async def test_what_is_parted_is_a_case_of_its_own_and_stays_one(
    house: House, ana: Browser, ben: Browser, film: Path, copy: bytes, owner_url: str
) -> None:
    carl = await house.person("carl")
    first, second = await ana.clip(house, film.read_bytes()), await carl.clip(house, copy)
    await reported(house, ben, first, explanation="Of the first.")
    await reported(house, ben, second, explanation="Of the second.")
    max_, eve = [await at_work(house, owner_url, name) for name in ("max", "eve")]
    case = await take(max_)
    assert case
    assert len(case["subjects"]) == len(case["reports"]) == 2
    place = f"{REVIEW}/cases/{case['id']}/parting"
    wish = {"clip_id": second["id"]}
    refused(await eve.post(place, json=wish), 409, "review-decided")
    refused(await max_.post(place, json={"clip_id": case["id"]}), 404, "no-such-review")
    answer = await max_.post(place, json=wish)
    assert answer.status_code == 201, answer.text
    left = answer.json()
    assert [one["clip_id"] for one in left["subjects"]] == [first["id"]]
    assert [one["explanation"] for one in left["reports"]] == ["Of the first."]
    refused(await max_.post(place, json={"clip_id": first["id"]}), 409, "nothing-to-part")
    # It is not put back, not even when there is something new to match.
    (apart,) = await house.rows("SELECT id FROM safety.review WHERE is_apart")
    async with house.db.tx() as tx:
        await house.parts.queue.put(tx, "safety.match", {"review_id": str(apart["id"])})
    await house.work()
    await decide(max_)
    other = await take(eve)
    assert other
    assert other["id"] == str(apart["id"])
    assert [one["explanation"] for one in other["reports"]] == ["Of the second."]
    assert (await ben.get(f"/api/clips/{first['id']}")).status_code == 410
    assert (await ben.get(f"/api/clips/{second['id']}")).status_code == 200
    closed = f"{REVIEW}/cases/{other['id']}/dismissal"
    assert (await eve.post(closed, json={"answer": ANSWER})).status_code == 204
    outcomes = {one["explanation"]: one["outcome"] for one in await of(ben)}
    assert outcomes == {"Of the first.": "acted", "Of the second.": "no-violation"}


async def of(browser: Browser) -> list[dict[str, Any]]:
    """What somebody has reported."""
    return list((await browser.get("/api/reports")).json()["items"])


async def test_upload_like_a_removed_film_is_pointed_at_and_stays(
    house: House, ana: Browser, ben: Browser, film: Path, copy: bytes, other: bytes, owner_url: str
) -> None:
    carl = await house.person("carl")
    first = await ana.clip(house, film.read_bytes())
    await reported(house, ben, first)
    max_ = await at_work(house, owner_url, "max")
    removal = await decide(max_)
    again = await carl.clip(house, copy)
    await carl.clip(house, other)
    assert (await ben.get(f"/api/clips/{again['id']}")).status_code == 200
    case = await take(max_)
    assert case
    assert case["reports"] == []
    assert [one["clip_id"] for one in case["subjects"]] == [again["id"]]
    (said,) = case["suggestions"]
    assert (said["method"], said["name"]) == ("copy", "removed-film")
    assert (said["decision_id"], said["clip_id"]) == (removal["id"], first["id"])
    assert said["facts"]["stills"] >= 2
    assert said["facts"]["tried"] > 0
    # The film that was removed can be compared with it, and no other one.
    place = f"{REVIEW}/cases/{case['id']}/clips"
    assert (await max_.get(f"{place}/{first['id']}/poster")).status_code == 200
    refused(await max_.get(f"{place}/{case['id']}/poster"), 404, "no-such-review")
    statement = await decide(max_)
    assert statement["is_suggested"]
    (measured,) = await house.rows("SELECT method, confirmed, dismissed FROM safety.measured")
    assert tuple(measured) == ("copy", 1, 0)
    assert await take(max_) is None


async def test_report_of_an_older_copy_is_pointed_at_and_a_reversal_ends_that(
    house: House, ana: Browser, ben: Browser, film: Path, copy: bytes, owner_url: str
) -> None:
    carl = await house.person("carl")
    older = await carl.clip(house, copy)
    first = await ana.clip(house, film.read_bytes())
    await reported(house, ben, first)
    max_, eve = [await at_work(house, owner_url, name) for name in ("max", "eve")]
    removal = await decide(max_)
    # Nobody looks through what is there already: that is for whoever reports it.
    assert await take(max_) is None
    await reported(house, ben, older)
    case = await take(max_)
    assert case
    assert [one["decision_id"] for one in case["suggestions"]] == [removal["id"]]
    closed = f"{REVIEW}/cases/{case['id']}/dismissal"
    assert (await max_.post(closed, json={"answer": ANSWER})).status_code == 204
    words = {"explanation": "That was a play, and all of us agreed to it."}
    await ana.post(f"/api/statements/{removal['id']}/appeal", json=words)
    case = await take(eve)
    assert case
    # Of an appeal, nothing is parted.
    parting = await eve.post(f"{REVIEW}/cases/{case['id']}/parting", json={"clip_id": first["id"]})
    refused(parting, 409, "nothing-to-part")
    place = f"{REVIEW}/cases/{case['id']}/appeal/reversed"
    assert (await eve.post(place, json={"answer": ANSWER})).status_code == 204
    await carl.clip(house, copy)
    assert await take(max_) is None
    assert await take(eve) is None


async def test_limits_and_labels_are_no_removals(
    house: House, ana: Browser, ben: Browser, film: Path, copy: bytes, owner_url: str
) -> None:
    first = await ana.clip(house, film.read_bytes())
    await reported(house, ben, first)
    max_ = await at_work(house, owner_url, "max")
    await decide(max_, **{**REMOVE, "act": "label", "label": "sensitive"})
    await ana.clip(house, copy)
    assert await take(max_) is None


@pytest.mark.skipif("LUCIOLE_CORPUS" not in os.environ, reason="needs real films")
async def test_real_film_encoded_again_is_found_and_another_is_not(
    house: House, ana: Browser, ben: Browser, tmp_path: Path, owner_url: str
) -> None:
    folder = Path(os.environ["LUCIOLE_CORPUS"]) / "videos"
    source, another = folder / "misc/mediabunny_video.mp4", folder / "misc/nasa_13013.mp4"
    again = tmp_path / "again.mp4"
    films.run(
        "-ss", "1", "-i", str(source), "-an", "-vf", "scale=640:-2", "-preset", "ultrafast",
        "-crf", "32", str(again),
    )  # fmt: skip
    made = [await ana.clip(house, one.read_bytes()) for one in (source, again, another)]
    for clip in made:
        await reported(house, ben, clip)
    case = await take(await at_work(house, owner_url, "max"))
    assert case
    assert [one["clip_id"] for one in case["subjects"]] == [one["id"] for one in made[:2]]
