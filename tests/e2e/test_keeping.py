"""Keeping a clip, passing it on, and making one with its sound: two people, two phones."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Locator, Page, expect
from tests.e2e.stage import PATIENCE_MS, Cell, Stage, plays


def current(page: Page, clip_id: str) -> Locator:
    return page.locator(f'[data-clip="{clip_id}"]')


async def test_clip_is_kept_passed_on_and_its_sound_used_by_somebody_else(
    cell: Cell, stage: Stage, tiny_film: bytes, phone_film: Path
) -> None:
    ana, ben, carl = [await cell.member(name) for name in ("ana", "ben", "carl")]
    await carl.follow(ben)
    made = await ana.clip(tiny_film, caption="Hum with me")
    hers = await stage.phone(ana, "/notifications")
    his = await stage.phone(ben, f"/c/{made['id']}")
    await plays(his, made["id"])
    slide = current(his, made["id"])

    # Ben keeps it, in a collection that he makes on the way.
    await slide.get_by_test_id("keep").click()
    await expect(slide.get_by_test_id("keep")).to_have_attribute("aria-pressed", "true")
    await his.get_by_test_id("collection-name").fill("To hum")
    await his.get_by_test_id("collection-add").click()
    await expect(his.get_by_test_id("collections")).to_contain_text("To hum")
    await his.get_by_test_id("see-favourites").click()
    await expect(his.get_by_test_id("grid-clip")).to_have_count(1)
    await his.get_by_test_id("collections").get_by_text("To hum").click()
    await expect(his.get_by_test_id("collection")).to_contain_text("Only you")
    await expect(his.get_by_test_id("grid-clip")).to_have_count(1)
    # To anybody else it is not there.
    address = his.url
    theirs = await stage.phone(carl, address)
    await expect(theirs.get_by_test_id("collection")).to_contain_text("does not exist")

    # He passes it on: Ana hears of it, and Carl, who follows Ben, gets it with Ben's name.
    await his.goto(f"/c/{made['id']}")
    await plays(his, made["id"])
    await slide.get_by_test_id("share").click()
    await expect(his.get_by_test_id("share-code").locator("svg")).to_be_visible()
    await his.get_by_test_id("repost").click()
    await expect(his.get_by_test_id("toast")).to_contain_text("Passed on")
    await hers.reload()
    await expect(hers.get_by_test_id("notice").first).to_have_attribute("data-kind", "repost")
    await theirs.goto("/following")
    await plays(theirs, made["id"])
    await expect(current(theirs, made["id"]).get_by_test_id("reposted-by")).to_contain_text("Ben")

    # He uses its sound for a film of his own.
    await slide.get_by_test_id("sound-line").click()
    await expect(his.get_by_test_id("sound-page")).to_contain_text("Original sound of Ana")
    await his.get_by_test_id("use-sound").click()
    await his.get_by_test_id("publish-file").set_input_files(phone_film)
    await expect(his.get_by_test_id("chosen-sound")).to_contain_text("Original sound of Ana")
    await his.get_by_test_id("sound-mode").get_by_text("Both").click()
    await his.get_by_test_id("publish-caption").fill("Humming along")
    await his.get_by_test_id("publish-post").click()
    await expect(his.get_by_test_id("clip-state")).to_have_attribute(
        "data-state", "published", timeout=PATIENCE_MS
    )
    await his.get_by_test_id("publish-watch").click()
    await expect(his.get_by_test_id("sound-line").first).to_contain_text("Original sound of Ana")
    await hers.goto(f"/s/{made['sound']['id']}")
    await expect(hers.get_by_test_id("grid-clip")).to_have_count(2)
    await expect(hers.get_by_test_id("sound-page")).to_contain_text("2 clips")

    # Ana keeps her sound to herself from now on.
    await hers.get_by_test_id("sound-edit").click()
    await hers.get_by_test_id("sound-reuse").click()
    await his.goto(f"/s/{made['sound']['id']}")
    await expect(his.get_by_test_id("sound-closed")).to_be_visible()
    await expect(his.get_by_test_id("use-sound")).to_have_count(0)


async def test_likes_are_shown_once_their_person_wants_it(
    cell: Cell, stage: Stage, tiny_film: bytes
) -> None:
    ana, ben = [await cell.member(name) for name in ("ana", "ben")]
    made = await ana.clip(tiny_film, caption="Liked")
    await ben.api.put(f"/api/clips/{made['id']}/like")
    hers = await stage.phone(ana, f"/@{ben.handle}")
    await expect(hers.get_by_test_id("tab-reposts")).to_be_visible()
    await expect(hers.get_by_test_id("tab-likes")).to_have_count(0)
    his = await stage.phone(ben, "/settings/likes")
    await his.get_by_test_id("show-likes").click()
    await expect(his.get_by_test_id("show-likes")).to_be_checked()
    await expect(his.get_by_test_id("show-likes")).to_be_enabled()
    await hers.reload()
    await hers.get_by_test_id("tab-likes").click()
    await expect(hers.get_by_test_id("grid-clip")).to_have_count(1)
