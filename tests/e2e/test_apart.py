"""People who keep each other away, and clips that are for some only, each in a browser."""

from __future__ import annotations

from playwright.async_api import expect
from tests.e2e.stage import Cell, Stage, current
from tests.e2e.test_accessibility import faults
from tests.e2e.test_talk import friends, look


async def test_block_is_felt_at_once_and_can_be_taken_back(
    cell: Cell, stage: Stage, tiny_film: bytes
) -> None:
    lena, omar = await friends(cell)
    clip = await omar.clip(tiny_film, caption="From Omar")
    other = await lena.clip(tiny_film, caption="From Lena")
    hers = await stage.phone(lena, "/friends", color_scheme="light")
    his = await stage.phone(omar, f"/@{lena.handle}", color_scheme="light")
    await expect(current(hers)).to_have_attribute("data-clip", clip["id"])
    await expect(his.get_by_test_id("grid-clip")).to_have_count(1)

    # She blocks him from his clip: it leaves the reel.
    await current(hers).get_by_test_id("away").click()
    await expect(hers.get_by_test_id("away-sheet")).to_contain_text("None of this is told")
    await look(hers, "away-sheet")
    assert await faults(hers) == []
    await hers.get_by_test_id("block-person").click()
    await expect(hers.get_by_test_id("away-sheet")).to_contain_text("find nothing of each other")
    await look(hers, "away-sure")
    await hers.get_by_test_id("block-confirm").click()
    await expect(hers.get_by_test_id("feed-empty")).to_be_visible()

    # To him she is nobody, from the next answer on.
    await his.reload()
    await expect(his.locator("main")).to_contain_text("There is nobody by this handle here")
    await his.goto(f"/c/{other['id']}")
    await expect(his.locator("main")).to_contain_text("does not exist, or is not shared")

    # She sees whom she has blocked, and takes it back in the settings.
    await hers.goto(f"/@{omar.handle}")
    await expect(hers.get_by_test_id("blocked-account")).to_be_visible()
    await look(hers, "away-profile")
    await hers.goto("/settings/away")
    await expect(hers.get_by_test_id("person")).to_have_attribute("data-handle", omar.handle)
    await look(hers, "away-lists")
    assert await faults(hers) == []
    await hers.get_by_test_id("let-near").click()
    await expect(hers.get_by_test_id("person")).to_have_count(0)
    await his.goto(f"/@{lena.handle}")
    await expect(his.get_by_test_id("grid-clip")).to_have_count(1)
    await expect(his.get_by_test_id("follow")).to_have_attribute("data-state", "no")


async def test_muted_person_leaves_the_feeds_and_learns_nothing(
    cell: Cell, stage: Stage, tiny_film: bytes
) -> None:
    lena, omar = await friends(cell)
    await omar.clip(tiny_film, caption="From Omar")
    hers = await stage.phone(lena, f"/@{omar.handle}", color_scheme="light")
    await hers.get_by_test_id("away").click()
    await hers.get_by_test_id("mute-person").click()
    await expect(hers.get_by_test_id("mute-person")).to_be_checked()
    # While it is being kept, the switch cannot be used, and a key that goes to it goes nowhere.
    await expect(hers.get_by_test_id("mute-person")).to_be_enabled()
    await hers.keyboard.press("Escape")
    await expect(hers.get_by_test_id("away-sheet")).to_have_count(0)
    await expect(hers.get_by_test_id("grid-clip")).to_have_count(1)
    await hers.goto("/following")
    await expect(hers.get_by_test_id("feed-empty")).to_be_visible()
    his = await stage.phone(omar, f"/@{lena.handle}")
    await expect(his.get_by_test_id("follow")).to_have_attribute("data-state", "yes")
    await hers.goto("/settings/away")
    # The lists are tabs, which the arrow keys move between.
    await hers.get_by_test_id("tab-block").focus()
    await hers.keyboard.press("ArrowRight")
    await expect(hers.get_by_test_id("tab-mute")).to_be_focused()
    await hers.get_by_test_id("let-near").click()
    await hers.goto("/following")
    await expect(current(hers)).to_contain_text("From Omar")


async def test_clip_for_some_friends_is_seen_by_those_alone(
    cell: Cell, stage: Stage, tiny_film: bytes
) -> None:
    lena, omar = await friends(cell)
    nils = await cell.member("nils")
    await nils.follow(lena)
    await lena.follow(nils)
    clip = await lena.clip(tiny_film, caption="For some")
    hers = await stage.phone(lena, "/settings/circles", color_scheme="light")

    # A circle first, then the clip for that circle.
    await hers.get_by_test_id("circle-new").click()
    await hers.get_by_test_id("circle-name").fill("The sea")
    await hers.get_by_test_id(f"pick-{omar.handle}").check()
    await look(hers, "circle-new")
    assert await faults(hers) == []
    await hers.get_by_test_id("picker-done").click()
    await expect(hers.get_by_test_id("circle")).to_contain_text("The sea")
    await look(hers, "circles")
    await hers.goto(f"/c/{clip['id']}")
    await current(hers).get_by_test_id("manage").click()
    await hers.get_by_test_id("manage-audience").get_by_text("Some friends").click()
    await hers.get_by_test_id("picker-circle").click()
    await expect(hers.get_by_test_id(f"pick-{omar.handle}")).to_be_checked()
    await expect(hers.get_by_test_id(f"pick-{nils.handle}")).not_to_be_checked()
    await look(hers, "picker")
    await hers.get_by_test_id("picker-done").click()
    await expect(hers.get_by_test_id("manage-audience-names")).to_contain_text(omar.name)
    await hers.get_by_test_id("manage-audience").scroll_into_view_if_needed()
    await look(hers, "audience")
    assert await faults(hers) == []
    await hers.get_by_test_id("manage-save").click()
    await expect(hers.get_by_test_id("manage-sheet")).to_be_hidden()

    his = await stage.phone(omar, f"/c/{clip['id']}")
    await expect(current(his)).to_contain_text("For some")
    theirs = await stage.phone(nils, f"/c/{clip['id']}")
    await expect(theirs.locator("main")).to_contain_text("does not exist, or is not shared")
    await theirs.goto(f"/@{lena.handle}")
    await expect(theirs.get_by_test_id("profile")).to_contain_text("No clips yet")

    # She hides it from him instead: what she opens again is what she chose.
    await hers.reload()
    await current(hers).get_by_test_id("manage").click()
    await expect(hers.get_by_test_id("manage-audience-names")).to_contain_text(omar.name)
    await hers.get_by_test_id("manage-audience").get_by_text("Everyone").click()
    await hers.get_by_test_id("manage-audience-list").click()
    await hers.get_by_test_id("picker-find").fill(omar.handle)
    await hers.get_by_test_id("picker-find").press("Enter")
    await hers.get_by_test_id("picker-done").click()
    await hers.get_by_test_id("manage-save").click()
    await expect(hers.get_by_test_id("manage-sheet")).to_be_hidden()
    await his.reload()
    await expect(his.locator("main")).to_contain_text("does not exist, or is not shared")
    await theirs.reload()
    await expect(theirs.get_by_test_id("grid-clip")).to_have_count(1)


async def test_settings_say_how_far_back_others_see(cell: Cell, stage: Stage) -> None:
    lena = await cell.member("lena")
    hers = await stage.phone(lena, "/settings/audience", color_scheme="light")
    month = hers.get_by_test_id("past-clips").get_by_label("A month")
    await month.check()
    await expect(hers.get_by_text("Saved.")).to_be_visible()
    await hers.get_by_test_id("audience-settings").scroll_into_view_if_needed()
    await look(hers, "past-clips")
    assert await faults(hers) == []
    await hers.reload()
    await expect(month).to_be_checked()
    assert (await lena.api.get("/api/me/past-clips")).json() == {"days": 30}


async def test_who_comments_can_be_blocked_right_there(
    cell: Cell, stage: Stage, tiny_film: bytes
) -> None:
    lena, omar = await friends(cell)
    clip = await lena.clip(tiny_film, caption="From Lena")
    said = await omar.api.post(f"/api/clips/{clip['id']}/comments", json={"text": "Not nice"})
    assert said.status_code == 201, said.text
    hers = await stage.phone(lena, f"/c/{clip['id']}?comments=1", color_scheme="light")
    comment = hers.get_by_test_id("comment").filter(has_text="Not nice")
    await comment.get_by_test_id("comment-more").click()
    await comment.get_by_test_id("comment-away").click()
    await hers.get_by_test_id("block-person").click()
    await hers.get_by_test_id("block-confirm").click()
    await expect(hers.get_by_test_id("talk")).to_have_count(0)
    await current(hers).get_by_test_id("comments").click()
    await expect(hers.get_by_test_id("talk")).to_contain_text("Nothing said yet")
