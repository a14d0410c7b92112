"""Block lists point at clips; people decide, and what they make of it is counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.cell.house import Browser, House
from tests.cell.safety.bench import (
    ANSWER,
    REMOVE,
    REVIEW,
    Pools,
    at_work,
    decide,
    report,
    settings_of,
    take,
)
from tests.cell.safety.test_reports import raw

from luciole import cli, listing
from luciole.cell.media import pdq
from luciole.cell.safety import list_refusals as refusals
from luciole.cell.safety import lists, model
from luciole.cell.safety.likeness import HASH_BYTES, Likeness
from luciole.ledger.entry import parse_canonical

OTHER = "f" * 64


def flipped(hash_: bytes, bits: int) -> bytes:
    """Another one, so many bits away."""
    value = int.from_bytes(hash_, "big")
    for bit in range(bits):
        value ^= 1 << bit * 7 % 256
    return value.to_bytes(HASH_BYTES, "big")


async def stills(house: House, clip_id: str) -> list[bytes]:
    found = await house.rows(
        "SELECT s.pdq FROM media.still s JOIN clips.clip c ON c.asset_id = s.asset_id "
        "WHERE c.id::text = $1 ORDER BY s.at_ms",
        clip_id,
    )
    return [row["pdq"] for row in found]


async def told(house: House, owner_url: str, *words: str) -> list[str]:
    chosen = cli.parser().parse_args(["blocklist", *words])
    return await listing.done(settings_of(owner_url), chosen, house.clock)


async def load(
    house: House, owner_url: str, folder: Path, *hashes: bytes, version: str = "1", **more: str
) -> None:
    file = folder / "list.txt"
    file.write_text("# a list\n\n" + "\n".join(one.hex() for one in hashes) + "\n")
    words = [word for name, value in more.items() for word in (f"--{name}", value)]
    await told(house, owner_url, "load", str(file), "--name", "known", "--version", version, *words)
    await house.parts.queue.run_periodic("safety.settle")
    await house.work()


async def entries(pools: Pools, *kinds: str) -> list[dict[str, Any]]:
    said = [parse_canonical(one) for one in await raw(pools)]
    return [one for one in said if one["kind"] in kinds]


async def test_a_list_points_and_the_clip_stays(
    house: House,
    ana: Browser,
    ben: Browser,
    tiny_film: bytes,
    owner_url: str,
    tmp_path: Path,
    pools: Pools,
) -> None:
    clip = await ana.clip(house, tiny_film)
    await house.rows("UPDATE media.still SET quality = 80")
    (first, *_) = await stills(house, clip["id"])
    near = flipped(first, 20)
    await load(house, owner_url, tmp_path, near, category="violence", source="a keeper")
    assert (await ben.get(f"/api/clips/{clip['id']}")).status_code == 200
    max_ = await at_work(house, owner_url, "max")
    case = await take(max_)
    assert case
    assert case["category"] == "violence"
    assert case["reports"] == []
    (said,) = case["suggestions"]
    assert (said["method"], said["name"], said["version"]) == ("list", "known", "1")
    assert said["facts"]["bits"] <= 20
    assert said["facts"]["near_bits"] == 31
    assert (said["confirmed"], said["dismissed"]) == (0, 0)
    assert case["subjects"][0]["clip_id"] == clip["id"]
    # A person decides, and the statement says that a machine has pointed.
    statement = await decide(max_)
    assert statement["is_suggested"]
    assert not statement["is_notice"]
    assert not statement["is_report"]
    assert (await ben.get(f"/api/clips/{clip['id']}")).status_code == 410
    (loaded,) = await entries(pools, "list-loaded")
    assert (loaded["name"], loaded["size"], loaded["source"]) == ("known", 1, "a keeper")
    (made,) = await entries(pools, "decision")
    assert made["statement"]["automated_detection"] == "Yes"
    assert made["statement"]["automated_decision"] == "AUTOMATED_DECISION_NOT_AUTOMATED"
    assert [one["outcome"] for one in await entries(pools, "suggestions-decided")] == ["confirmed"]
    (line,) = await told(house, owner_url, "list")
    assert "1 confirmed, 0 dismissed" in line
    assert "all clips compared" in line
    # Another version does not point at it again.
    await load(house, owner_url, tmp_path, near, version="2")
    assert await take(max_) is None


async def test_new_clips_are_compared_when_their_stills_are_there(
    house: House, ana: Browser, tiny_film: bytes, owner_url: str, tmp_path: Path
) -> None:
    first = await ana.clip(house, tiny_film)
    some = await stills(house, first["id"])
    # Before the list, and flat: a match would say little.
    await house.rows("UPDATE media.still SET quality = 10")
    await load(house, owner_url, tmp_path, *some)
    assert await house.rows("SELECT FROM safety.suggestion") == []
    await house.rows("UPDATE media.still SET quality = 80")
    asset = (await house.rows("SELECT asset_id FROM clips.clip"))[0]["asset_id"]
    async with house.db.tx() as tx:
        await house.parts.queue.put(tx, lists.LOOKED_JOB, {"asset_id": str(asset)})
    await house.work()
    (one,) = await house.rows("SELECT name, facts::text AS facts FROM safety.suggestion")
    assert one["name"] == "known"
    assert '"bits": 0' in one["facts"]


async def test_what_only_its_maker_sees_is_compared_when_others_may(
    house: House, ana: Browser, tiny_film: bytes, owner_url: str, tmp_path: Path
) -> None:
    clip = await ana.clip(house, tiny_film, audience="only-me")
    await house.rows("UPDATE media.still SET quality = 80")
    await load(house, owner_url, tmp_path, *await stills(house, clip["id"]))
    assert await house.rows("SELECT FROM safety.suggestion") == []
    answer = await ana.patch(f"/api/clips/{clip['id']}", json={"audience": "friends"})
    assert answer.status_code == 200, answer.text
    await house.work()
    assert len(await house.rows("SELECT FROM safety.suggestion")) == 1


async def test_dismissals_and_reversals_count_against_a_list(
    house: House, ana: Browser, tiny_film: bytes, owner_url: str, tmp_path: Path
) -> None:
    clips = [await ana.clip(house, tiny_film, caption=str(n)) for n in range(2)]
    await house.rows("UPDATE media.still SET quality = 80")
    await load(house, owner_url, tmp_path, *await stills(house, clips[0]["id"]))
    max_, eve = [await at_work(house, owner_url, name) for name in ("max", "eve")]
    # The same bytes are one case, with both suggestions.
    case = await take(max_)
    assert case
    assert len(case["suggestions"]) == len(case["subjects"]) == 2
    wish = {"answer": ANSWER}
    place = f"{REVIEW}/cases/{case['id']}"
    await max_.post(f"{place}/decision", json=REMOVE)
    (measured,) = await house.rows("SELECT confirmed, dismissed FROM safety.measured")
    assert tuple(measured) == (2, 0)
    (one, *_) = (await ana.get("/api/statements")).json()["items"]
    words = {"explanation": "It is another picture."}
    await ana.post(f"/api/statements/{one['id']}/appeal", json=words)
    case = await take(eve)
    assert case
    place = f"{REVIEW}/cases/{case['id']}"
    assert (await eve.post(f"{place}/appeal/reversed", json=wish)).status_code == 204
    (measured,) = await house.rows("SELECT confirmed, dismissed FROM safety.measured")
    assert tuple(measured) == (0, 2)


async def test_dismissed_without_a_report_leaves_a_note(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes, owner_url: str, tmp_path: Path
) -> None:
    clip = await ana.clip(house, tiny_film)
    await house.rows("UPDATE media.still SET quality = 80")
    await load(house, owner_url, tmp_path, *await stills(house, clip["id"]))
    max_ = await at_work(house, owner_url, "max")
    case = await take(max_)
    assert case
    place = f"{REVIEW}/cases/{case['id']}"
    assert (await max_.post(f"{place}/dismissal", json={"answer": ANSWER})).status_code == 204
    assert [row["words"] for row in await house.rows("SELECT words FROM safety.note")] == [ANSWER]
    (measured,) = await house.rows("SELECT confirmed, dismissed FROM safety.measured")
    assert tuple(measured) == (0, 1)
    # A report of the same clip is a case of its own, and nothing of the list's.
    await report(ben, "clip", clip["id"])
    case = await take(max_)
    assert case is None or case["suggestions"] == []


async def test_removed_list_points_no_more(
    house: House, ana: Browser, tiny_film: bytes, owner_url: str, tmp_path: Path, pools: Pools
) -> None:
    await load(house, owner_url, tmp_path, bytes.fromhex(OTHER))
    assert await told(house, owner_url, "remove", "known")
    clip = await ana.clip(house, tiny_film)
    assert (await house.rows("SELECT hashes FROM safety.list"))[0]["hashes"] == b""
    assert await house.rows("SELECT FROM safety.suggestion") == []
    assert await told(house, owner_url, "list") == ["No list is loaded."]
    with pytest.raises(refusals.NoSuchList):
        await told(house, owner_url, "remove", "known")
    assert [one["kind"] for one in await entries(pools, "list-loaded", "list-removed")] == [
        "list-loaded",
        "list-removed",
    ]
    assert clip


async def test_old_clips_are_compared_in_bounded_batches(
    house: House,
    ana: Browser,
    tiny_film: bytes,
    owner_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clips = [await ana.clip(house, tiny_film, caption=str(n)) for n in range(3)]
    await house.rows("UPDATE media.still SET quality = 80")
    some = await stills(house, clips[0]["id"])
    monkeypatch.setattr(lists, "STILLS_AT_ONCE", len(some) + 1)
    await load(house, owner_url, tmp_path, *some)
    found = await house.rows("SELECT about_id::text FROM safety.suggestion")
    assert {row["about_id"] for row in found} == {one["id"] for one in clips}
    (one,) = await house.rows("SELECT checked_at FROM safety.list")
    assert one["checked_at"] is not None


async def test_bad_files_are_refused_whole(house: House, owner_url: str, tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    words = ("load", str(file), "--name", "known", "--version", "1")
    for content, says in (
        (f"{OTHER}\n{OTHER[:-1]}\n", "Line 2"),
        (f"# fine\n{OTHER}\n\nnot a hash\n", "Line 4"),
        ("\xff" * 64 + "\n", "Line 1"),
        (f"{OTHER}{' ' * 200}\n", "Line 1"),
        ("# nothing\n", "no hash"),
    ):
        file.write_bytes(content.encode("latin-1"))
        with pytest.raises(refusals.BadList) as caught:
            await told(house, owner_url, *words)
        assert says in caught.value.sentence
    file.unlink()
    with pytest.raises(refusals.BadList):
        await told(house, owner_url, *words)
    file.write_text(OTHER)
    for bad in (("--name", "Bad Name"), ("--version", ""), ("--near", "32"), ("--source", "a\nb")):
        with pytest.raises(refusals.BadListName):
            await told(house, owner_url, *words, *bad)
    with pytest.raises(refusals.BadListName):
        await told(house, owner_url, *words, "--category", "everything")
    assert await house.rows("SELECT FROM safety.list") == []
    await told(house, owner_url, *words)
    with pytest.raises(refusals.ListLoaded):
        await told(house, owner_url, *words)


def test_too_many_hashes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "MAX_HASHES", 2)
    some = [f"{n:064x}".encode() for n in range(3)]
    assert len(lists.parsed([*some[:2], some[0].upper()])) == 2 * HASH_BYTES
    with pytest.raises(refusals.ListTooLong):
        lists.parsed(some)


@pytest.mark.parametrize("near_bits", [0, 8, 31])
@pytest.mark.parametrize("is_clustered", [False, True])
def test_the_index_finds_what_comparing_all_finds(near_bits: int, is_clustered: bool) -> None:
    random = np.random.default_rng(near_bits)
    listed = [random.bytes(HASH_BYTES) for _ in range(400)]
    if is_clustered:
        listed = [flipped(listed[0], n % 40) for n in range(400)]
    stills_ = [flipped(listed[n], n) for n in range(40)] + [random.bytes(HASH_BYTES)] * 5
    found = Likeness(b"".join(listed)).close(b"".join(stills_), near_bits)
    far = [min(pdq.distance(one, other) for other in listed) for one in stills_]
    near = [one for one in far if one <= near_bits]
    if not near:
        assert found is None
        return
    assert found is not None
    assert (found.bits, found.stills) == (min(near), len(near))
    assert far[found.still] == found.bits


def test_nothing_is_close_to_nothing() -> None:
    assert Likeness(bytes(HASH_BYTES)).close(b"", 31) is None
    with pytest.raises(ValueError, match="reach"):
        Likeness(bytes(HASH_BYTES)).close(bytes(HASH_BYTES), 32)
