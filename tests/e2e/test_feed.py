"""The feed as it is watched: by finger, wheel and keys, with few players and no repeats."""

from __future__ import annotations

import asyncio
import io

from PIL import Image
from playwright.async_api import FloatRect, Page, expect
from tests.e2e.stage import Cell, Member, Stage, current, plays, swipe, true, untouched

SEEN = "document.querySelector('[data-current=true]').dataset.clip"


async def viewer(cell: Cell, author: Member) -> Member:
    """Somebody who follows the author only: that feed is the same whatever other tests publish."""
    made = await cell.member("viewer")
    assert await made.follow(author) == "yes"
    return made


async def ids(member: Member) -> list[str]:
    page = (await member.api.get("/api/feeds/following?limit=50")).json()
    assert page["next"] is None
    return [clip["id"] for clip in page["items"]]


async def test_few_players_are_alive_and_no_clip_repeats_however_long_one_scrolls(
    cell: Cell, stage: Stage, author: Member
) -> None:
    member = await viewer(cell, author)
    wanted = await ids(member)
    # With reduced motion a step is a jump, and a clip waits, with its first frame painted.
    page = await stage.desktop(member, "/following", reduced_motion="reduce")
    most, seen = 0, []
    for clip_id in wanted:
        await expect(current(page)).to_have_attribute("data-clip", clip_id)
        await expect(current(page).get_by_test_id("stage-box")).to_have_attribute(
            "data-painted", "true"
        )
        seen.append(await page.evaluate(SEEN))
        most = max(most, await page.locator("video").count())
        await page.keyboard.press("ArrowDown")
    await expect(page.get_by_test_id("caught-up")).to_be_in_viewport()
    assert seen == wanted
    assert 3 <= most <= 5
    slides = page.get_by_test_id("slide")
    shown = await slides.evaluate_all("slides => slides.map((slide) => slide.dataset.clip)")
    assert shown == wanted
    await page.keyboard.press("ArrowUp")
    await expect(current(page)).to_have_attribute("data-clip", wanted[-1])


async def test_finger_swipes_forth_and_back(cell: Cell, stage: Stage, author: Member) -> None:
    member = await viewer(cell, author)
    wanted = await ids(member)
    page = await stage.phone(member, "/following")
    for clip_id in wanted[:3]:
        await plays(page, clip_id)
        await swipe(page)
    await swipe(page, up=False)
    await plays(page, wanted[2])


async def test_next_two_clips_are_warm_before_they_are_asked_for(
    cell: Cell, stage: Stage, author: Member
) -> None:
    page = await stage.phone(await viewer(cell, author), "/following")
    await plays(page)
    for ahead in (1, 2):
        video = page.get_by_test_id("slide").nth(ahead).locator("video")
        await true(
            page,
            f"document.querySelectorAll('[data-testid=slide]')[{ahead}]"
            ".querySelector('video')?.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA",
        )
        assert await video.evaluate("(video) => video.paused")
    third = page.get_by_test_id("slide").nth(3)
    assert await third.locator("video").count() == 0


async def test_clip_shows_its_picture_before_it_plays(
    cell: Cell, stage: Stage, author: Member
) -> None:
    """`data-painted`, and what bench/swipe.py takes for a picture on screen, is one."""
    # With reduced motion a clip waits for a tap, with its first frame painted.
    page = await stage.phone(await viewer(cell, author), "/following", reduced_motion="reduce")
    following = page.get_by_test_id("slide").nth(1)
    box = following.get_by_test_id("stage-box")
    await expect(box).to_have_attribute("data-painted", "true")
    await page.keyboard.press("ArrowDown")
    await expect(following).to_have_attribute("data-current", "true")
    await expect(box).to_have_attribute("data-playing", "false")
    await box.evaluate("""(box) => {
        for (const part of box.children)
            if (!part.classList.contains('host')) part.style.opacity = 0
    }""")
    area = {"x": 20, "y": 150, "width": 250, "height": 150}
    assert await colours(page, area) > 20
    await box.locator("video").evaluate("(video) => { video.style.opacity = 0 }")
    assert await colours(page, area) == 1


async def colours(page: Page, area: FloatRect) -> int:
    """How many different colours a part of the screen has."""
    picture = Image.open(io.BytesIO(await page.screenshot(clip=area))).convert("RGB")
    return len(picture.getcolors(picture.width * picture.height) or [])


async def test_wheel_brings_one_clip_a_flick(cell: Cell, stage: Stage, author: Member) -> None:
    member = await viewer(cell, author)
    wanted = await ids(member)
    page = await stage.desktop(member, "/following")
    await plays(page, wanted[0])
    await page.mouse.move(640, 400)
    # At once: with pauses between them they are flicks of their own.
    await asyncio.gather(*(page.mouse.wheel(0, 60) for _ in range(5)))
    await plays(page, wanted[1])
    await asyncio.sleep(0.5)
    await page.mouse.wheel(0, -200)
    await plays(page, wanted[0])


async def test_keys_move_pause_seek_and_switch_sound_and_captions(
    cell: Cell, stage: Stage, author: Member
) -> None:
    member = await viewer(cell, author)
    wanted = await ids(member)
    page = await stage.desktop(member, "/following")
    await plays(page, wanted[0])
    press, box = page.keyboard.press, current(page).get_by_test_id("stage-box")
    await press("ArrowDown")
    await plays(page, wanted[1])
    await press("j")
    await plays(page, wanted[2])
    await press("k")
    await press("PageUp")
    await plays(page, wanted[0])

    await press(" ")
    await expect(box).to_have_attribute("data-playing", "false")
    await press("ArrowLeft")
    await true(page, "document.querySelector('[data-current=true] video').currentTime === 0")
    await press("ArrowRight")
    await true(page, "document.querySelector('[data-current=true] video').currentTime > 1")
    await press(" ")
    await expect(box).to_have_attribute("data-playing", "true")

    sound, video = current(page).get_by_test_id("sound"), current(page).locator("video")
    was_on = await sound.get_attribute("aria-pressed") == "true"
    for is_on in (not was_on, was_on):
        await press("m")
        await expect(sound).to_have_attribute("aria-pressed", "true" if is_on else "false")
        assert await video.evaluate("(video) => video.muted") is not is_on
    await expect(current(page).get_by_test_id("cue")).to_have_text("A small thing hums")
    await press("c")
    await expect(current(page).get_by_test_id("cue")).to_have_count(0)
    await press("l")
    await expect(current(page).get_by_test_id("like")).to_have_attribute("aria-pressed", "true")
    await press("l")
    await expect(current(page).get_by_test_id("like")).to_have_attribute("aria-pressed", "false")


async def test_tap_pauses_and_finger_seeks(cell: Cell, stage: Stage, author: Member) -> None:
    page = await stage.phone(await viewer(cell, author), "/following")
    await plays(page)
    box = current(page).get_by_test_id("stage-box")
    await page.touchscreen.tap(195, 350)
    await expect(box).to_have_attribute("data-playing", "false")
    bar = await current(page).get_by_test_id("seek").bounding_box()
    assert bar is not None
    # Its left end is the beginning, its right end the end of the two seconds.
    await page.touchscreen.tap(bar["x"] + bar["width"] * 0.75, bar["y"] + bar["height"] - 6)
    await true(
        page,
        "Math.abs(document.querySelector('[data-current=true] video').currentTime - 1.5) < 0.2",
    )
    await page.touchscreen.tap(195, 350)
    await expect(box).to_have_attribute("data-playing", "true")


async def test_browser_that_refuses_sound_plays_silently_and_offers_it(
    cell: Cell, stage: Stage, author: Member
) -> None:
    page = await stage.phone(await viewer(cell, author), "/following")
    await untouched(page, "document.querySelector('[data-current=true] [data-painted=true]')")
    await plays(page)
    assert await current(page).locator("video").evaluate("(video) => video.muted")
    await page.get_by_test_id("tap-for-sound").tap()
    await expect(current(page).get_by_test_id("sound")).to_have_attribute("aria-pressed", "true")
    assert not await current(page).locator("video").evaluate("(video) => video.muted")
    # The choice holds for the next clip.
    await swipe(page)
    await true(
        page, "document.querySelectorAll('[data-testid=slide]')[1].dataset.current === 'true'"
    )
    await plays(page)
    assert not await current(page).locator("video").evaluate("(video) => video.muted")


async def test_shared_link_is_plain_and_opens_the_clip(
    cell: Cell, stage: Stage, author: Member
) -> None:
    page = await stage.desktop(await viewer(cell, author), "/following")
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await plays(page)
    clip_id = await page.evaluate(SEEN)
    await current(page).get_by_test_id("share").click()
    await page.get_by_test_id("copy-link").click()
    await expect(page.get_by_test_id("toast")).to_contain_text("The link is copied")
    link = await page.evaluate("navigator.clipboard.readText()")
    assert link == f"{cell.origin}/c/{clip_id}"
    visitor = await stage.phone(path=link)
    await plays(visitor, clip_id)


async def test_place_in_the_feed_is_kept_while_one_visits_a_profile(
    cell: Cell, stage: Stage, author: Member
) -> None:
    member = await viewer(cell, author)
    wanted = await ids(member)
    page = await stage.phone(member, "/following")
    await plays(page, wanted[0])
    await swipe(page)
    await plays(page, wanted[1])
    await current(page).get_by_test_id("author").tap()
    await expect(page.get_by_test_id("profile")).to_contain_text("Films small things.")
    await page.go_back()
    await plays(page, wanted[1])


async def test_new_clip_is_offered_not_forced(
    cell: Cell, stage: Stage, author: Member, tiny_film: bytes
) -> None:
    page: Page = await stage.phone(await cell.member("viewer"), "/latest")
    await plays(page)
    before = await page.evaluate(SEEN)
    fresh = await (await cell.member("eve")).clip(tiny_film, caption="Just now")
    await page.get_by_test_id("fresh").wait_for()
    assert await page.evaluate(SEEN) == before
    await page.get_by_test_id("fresh").tap()
    await plays(page, fresh["id"])


async def test_long_words_stay_on_the_stage_and_their_button_is_reached(
    cell: Cell, stage: Stage, tiny_film: bytes
) -> None:
    vtt = "WEBVTT\n\n00:00.000 --> 00:02.000\nSaid at some length,\nand then said again\n"
    author = await cell.member("long")
    await author.patch(display_name="Zoë Delacroix-Montgolfier de la Très Longue Lignée")
    fields = {"captions_vtt": vtt, "captions_language": "en", "made_with_ai": True}
    clip = await author.clip(tiny_film, caption="On and on and on. " * 60, **fields)
    page = await stage.phone(path=f"/c/{clip['id']}", viewport={"width": 360, "height": 640})
    await plays(page, clip["id"])
    slide, cue = current(page), current(page).get_by_test_id("cue")
    await expect(cue).to_be_visible()
    who = await slide.get_by_test_id("author").bounding_box()
    said, like = await cue.bounding_box(), await slide.get_by_test_id("like").bounding_box()
    assert who is not None
    assert said is not None
    assert like is not None
    assert who["x"] + who["width"] <= like["x"]
    assert said["y"] + said["height"] <= who["y"]
    more = slide.get_by_test_id("expand")
    # Its middle is its own, not the seek bar's.
    await more.tap()
    await expect(more).to_have_attribute("aria-expanded", "true")
    await expect(cue).to_have_css("opacity", "0")
    await more.tap()
    await expect(cue).to_have_css("opacity", "1")
