"""A clip is made in the browser: filmed in parts, cut into pieces, written on."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.async_api import Page, expect
from tests.e2e.stage import PATIENCE_MS, Cell, Stage, plays
from tests.e2e.test_publish import choose, published
from tests.unit.media import films

# Where somebody who wants to look at the pages has them put.
FOLDER = os.environ.get("LUCIOLE_PICTURES")


async def picture(page: Page, name: str) -> None:
    if FOLDER:
        await page.wait_for_timeout(400)
        await page.screenshot(path=f"{FOLDER}/{name}.png")


async def films_for(page: Page, tenths: int) -> None:
    """Films one part of so long."""
    record = page.get_by_test_id("record")
    await record.tap()
    await expect(record).to_have_attribute("aria-label", "Stop filming", timeout=PATIENCE_MS)
    await page.wait_for_timeout(tenths * 100)
    await record.tap()
    await expect(page.get_by_test_id("camera-done")).to_be_visible()


async def test_clip_is_filmed_in_parts_and_the_last_one_is_taken_back(
    cell: Cell, stage: Stage
) -> None:
    member = await cell.member("parts")
    page = await stage.phone(member, "/publish", permissions=["camera", "microphone"])
    await page.get_by_test_id("publish-camera").tap()
    timer = page.get_by_test_id("camera-timer")
    await expect(timer).to_have_attribute("aria-label", "Start after 3 seconds")
    await timer.tap()
    await expect(timer).to_have_attribute("aria-label", "Start after 10 seconds")
    await timer.tap()
    await expect(timer).to_have_attribute("aria-label", "Start after 0 seconds")
    await films_for(page, 15)
    await page.wait_for_timeout(2500)  # a rest, of which nothing is to be seen
    await films_for(page, 25)
    await picture(page, "camera-parts")
    await page.get_by_test_id("camera-undo").tap()
    await films_for(page, 15)
    await page.get_by_test_id("camera-done").tap()
    await expect(page.get_by_test_id("piece")).to_have_count(2)
    await picture(page, "editor-parts")
    await page.get_by_test_id("publish-caption").fill("In two parts")
    await page.get_by_test_id("publish-post").tap()
    address = await published(page)
    clip = (await member.api.get(f"/api{address.replace('/c/', '/clips/')}")).json()
    # Neither the rest nor the part that was taken back; a busy machine films a little longer.
    assert 2000 < clip["duration_ms"] < 5500
    assert clip["has_audio"]
    await page.goto(address)
    await plays(page)


async def test_film_is_split_turned_written_on_and_muted_with_keys(
    cell: Cell, stage: Stage, tmp_path: Path
) -> None:
    film = films.make(tmp_path / "long.mp4", size="180x320", seconds=6, rate=15)
    member = await cell.member("maker")
    page = await stage.phone(member, "/publish")
    await choose(page, film, "Turned around")
    start = page.get_by_test_id("trim-start")
    await start.focus()
    for _ in range(20):
        await page.keyboard.press("ArrowRight")
    # The preview stands where the handle does; a split two seconds later.
    await page.get_by_test_id("preview").evaluate("video => { video.currentTime = 4 }")
    split = page.get_by_test_id("split")
    await expect(split).to_contain_text("0:04.0")
    await split.press("Enter")
    await expect(page.get_by_test_id("piece")).to_have_count(2)
    await page.get_by_test_id("piece-earlier").nth(1).press("Enter")
    await expect(page.get_by_test_id("piece").first).to_contain_text("0:04.0 – 0:06.0")
    await page.get_by_test_id("add-text").press("Enter")
    await page.get_by_test_id("text-words").fill("Nuit d’été 夜 ليل ✨")
    await page.get_by_test_id("text-down").focus()
    for _ in range(5):
        await page.keyboard.press("ArrowRight")
    await page.get_by_test_id("mute").press("Space")
    await page.get_by_test_id("texts").scroll_into_view_if_needed()
    await picture(page, "editor-text")
    await page.evaluate("scrollTo(0, 0)")
    await picture(page, "editor-top")
    await page.get_by_test_id("publish-post").click()
    address = await published(page)
    clip = (await member.api.get(f"/api{address.replace('/c/', '/clips/')}")).json()
    assert abs(clip["duration_ms"] - 4000) <= 100
    assert not clip["has_audio"]
    await page.goto(address)
    await plays(page)
    await picture(page, "clip-with-text")
    made = tmp_path / "made.mp4"
    made.write_bytes((await member.api.get(clip["renditions"][-1]["url"])).content)
    plain = tmp_path / "plain.mp4"
    films.run("-ss", "4", "-i", str(film), "-t", "2", str(plain))
    # Where the words are, the film is another; below them it is not.
    size = "9:16"
    ours, theirs = (films.frame(path, 1.0, size=size) for path in (made, plain))
    apart = [abs(one - other) for one, other in zip(ours, theirs, strict=True)]
    rows = [sum(apart[at : at + 27]) / 27 for at in range(0, len(apart), 27)]
    assert max(rows[4:8]) > 3 * max(rows[12:])


async def test_duet_and_stitch_are_made_from_a_clip_of_another(
    cell: Cell, stage: Stage, tiny_film: bytes, tmp_path: Path
) -> None:
    first, maker = await cell.member("first"), await cell.member("second")
    clip = await first.clip(tiny_film, caption="The first one")
    film = films.make(tmp_path / "own.mp4", size="180x320", seconds=2, rate=15)
    page = await stage.phone(maker, f"/c/{clip['id']}", permissions=["camera", "microphone"])
    await page.get_by_test_id("share").click()
    await expect(page.get_by_test_id("make-duet")).to_be_visible()
    await picture(page, "share-duet")
    await page.get_by_test_id("make-stitch").click()
    await expect(page.get_by_test_id("quoted")).to_contain_text(first.handle)
    await choose(page, film, "And then me")
    length = page.get_by_test_id("quote-length")
    await length.focus()
    await page.keyboard.press("ArrowLeft")
    await page.get_by_test_id("quoted").scroll_into_view_if_needed()
    await picture(page, "editor-stitch")
    await page.get_by_test_id("publish-post").click()
    address = await published(page)
    await page.goto(address)
    await plays(page)
    await expect(page.get_by_test_id("credit")).to_contain_text(f"@{first.handle}")
    await picture(page, "clip-stitch")
    made = (await maker.api.get(f"/api{address.replace('/c/', '/clips/')}")).json()
    assert abs(made["duration_ms"] - 3900) <= 150
    await page.goto(f"/publish?duet={clip['id']}")
    await page.get_by_test_id("publish-camera").tap()
    for _ in range(2):
        await page.get_by_test_id("camera-timer").tap()
    await films_for(page, 10)
    await expect(page.get_by_test_id("camera-beside")).to_be_visible()
    await picture(page, "camera-duet")
    await page.get_by_test_id("camera-done").tap()
    await page.get_by_test_id("publish-caption").fill("Both of us")
    await page.get_by_test_id("publish-post").tap()
    await page.goto(await published(page))
    await plays(page)
    await expect(page.get_by_test_id("credit")).to_contain_text("Duet with")
    await picture(page, "clip-duet")
    await page.get_by_test_id("credit").click()
    await expect(page.get_by_test_id("caption")).to_contain_text("The first one")
    # The first one takes it back with a switch.
    other = await stage.phone(first, "/settings")
    switch = other.get_by_test_id("lets-quote")
    await expect(switch).to_be_checked()
    await switch.press("Space")
    await expect(switch).not_to_be_checked()
    await page.reload()
    await page.get_by_test_id("share").click()
    await expect(page.get_by_test_id("share-sheet")).to_be_visible()
    await expect(page.get_by_test_id("make-duet")).to_have_count(0)


def plain(path: Path, colour: str) -> Path:
    """Two seconds in which there is nothing bright."""
    films.run(
        "-f", "lavfi", "-i", f"color=c={colour}:s=180x320:r=15:d=2", "-f", "lavfi", "-i",
        "sine=440:d=2", "-c:v", "libx264", "-pix_fmt", "yuv420p", str(path),
    )  # fmt: skip
    return path


def bright(path: Path, at_s: float) -> list[float]:
    """Which share of the left and of the right half of a frame is almost white."""
    side = 64
    frame = films.frame(path, at_s, size=f"{side}:{side}")
    white = [min(frame[at : at + 3]) > 150 for at in range(0, len(frame), 3)]
    rows = [white[at : at + side] for at in range(0, len(white), side)]
    left = sum(sum(row[: side // 2]) for row in rows)
    return [2 * part / len(white) for part in (left, sum(white) - left)]


async def test_text_on_a_duet_is_on_ones_half_and_on_a_stitch_on_ones_part(
    cell: Cell, stage: Stage, tmp_path: Path
) -> None:
    first, maker = await cell.member("plain"), await cell.member("writer")
    clip = await first.clip(plain(tmp_path / "first.mp4", "0x203060").read_bytes(), caption="First")
    own = plain(tmp_path / "own.mp4", "0x404040")
    page = await stage.phone(maker)
    made = {}
    for how in ("duet", "stitch"):
        await page.goto(f"/publish?{how}={clip['id']}")
        await choose(page, own, f"Written on a {how}")
        await page.get_by_test_id("add-text").click()
        await page.get_by_test_id("text-words").fill("WORDS WORDS WORDS WORDS WORDS WORDS")
        await expect(page.get_by_test_id("texts")).to_contain_text(
            {"duet": "on your half", "stitch": "once your own part begins"}[how]
        )
        if how == "stitch":
            await expect(page.get_by_test_id("quote-length")).to_be_visible()
        await page.get_by_test_id("preview").scroll_into_view_if_needed()
        await picture(page, f"editor-text-{how}")
        await page.get_by_test_id("publish-post").click()
        address = await published(page)
        found = (await maker.api.get(f"/api{address.replace('/c/', '/clips/')}")).json()
        made[how] = tmp_path / f"{how}.mp4"
        made[how].write_bytes((await maker.api.get(found["renditions"][0]["url"])).content)
        await page.goto(address)
        await plays(page)
        await picture(page, f"clip-text-{how}")
    mine, theirs = bright(made["duet"], 1.0)
    assert mine > 0.02
    assert theirs == 0
    # Two seconds of theirs, then two of one's own.
    assert bright(made["stitch"], 1.0) == [0, 0]
    assert min(bright(made["stitch"], 3.0)) > 0.02


async def test_maker_speaks_french(cell: Cell, stage: Stage, tmp_path: Path) -> None:
    film = films.make(tmp_path / "film.mp4", size="180x320", seconds=3, rate=15)
    page = await stage.phone(await cell.member("faiseur", locale="fr"), "/publish")
    await choose(page, film, "En français")
    await expect(page.get_by_test_id("split")).to_contain_text("Couper à")
    await page.get_by_test_id("add-text").click()
    await expect(page.get_by_test_id("texts")).to_contain_text("En hauteur")
    await page.get_by_test_id("texts").scroll_into_view_if_needed()
    await picture(page, "editor-fr")
