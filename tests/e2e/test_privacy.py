"""What a visitor, a friend and a stranger get to see."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect
from tests.e2e.stage import Cell, Member, Stage, plays


async def test_visitor_sees_public_clip_and_profile_and_is_asked_to_sign_in_to_like(
    stage: Stage, author: Member
) -> None:
    page = await stage.phone(path=f"/@{author.handle}")
    await expect(page.get_by_test_id("grid-clip").first).to_be_visible()
    await expect(page.get_by_test_id("profile")).to_contain_text("24 clips")
    await page.get_by_test_id("grid-clip").first.tap()
    await plays(page)
    await page.locator('[data-current="true"]').get_by_test_id("like").tap()
    await expect(page.get_by_test_id("ask-sign-up")).to_be_visible()
    await page.get_by_test_id("ask-sign-in").get_by_role("link", name="Sign in").tap()
    await expect(page.get_by_test_id("sign-in-handle")).to_be_visible()


@pytest.mark.long
async def test_only_me_and_friends_clips_do_not_exist_for_others(
    cell: Cell, stage: Stage, tiny_film: bytes
) -> None:
    ana, ben = await cell.member("ana"), await cell.member("ben")
    shared = await ana.clip(tiny_film, caption="For friends", audience="friends")
    hidden = await ana.clip(tiny_film, caption="For me", audience="only-me")
    visitor, stranger = await stage.phone(), await stage.phone(ben)
    for page in (visitor, stranger):
        for clip in (shared, hidden):
            await page.goto(f"/c/{clip['id']}")
            await expect(page.get_by_test_id("problem")).to_be_visible()
            await expect(page.locator("video")).to_have_count(0)
        await page.goto(f"/@{ana.handle}")
        await expect(page.get_by_test_id("profile")).to_contain_text("Ana")
        await expect(page.get_by_test_id("grid-clip")).to_have_count(0)
    # Friends are those who follow each other.
    await ana.follow(ben)
    await ben.follow(ana)
    await stranger.goto(f"/c/{shared['id']}")
    await plays(stranger, shared["id"])
    await stranger.goto(f"/c/{hidden['id']}")
    await expect(stranger.get_by_test_id("problem")).to_be_visible()
    await stranger.goto("/friends")
    await plays(stranger, shared["id"])


@pytest.mark.long
async def test_private_account_shows_its_clips_after_the_request_is_accepted(
    cell: Cell, stage: Stage, tiny_film: bytes
) -> None:
    ana, ben = await cell.member("ana"), await cell.member("ben")
    await ana.patch(is_private=True)
    clip = await ana.clip(tiny_film, caption="Behind the door")
    hers = await stage.phone(ana, "/")
    his = await stage.phone(ben, f"/@{ana.handle}")
    await expect(his.get_by_test_id("private-account")).to_be_visible()
    await expect(his.get_by_test_id("grid-clip")).to_have_count(0)
    await his.get_by_test_id("follow").tap()
    await expect(his.get_by_test_id("follow")).to_have_attribute("data-state", "pending")

    await hers.get_by_test_id("toast").get_by_role("link").tap()
    row = hers.get_by_test_id("person")
    await expect(row).to_have_attribute("data-handle", ben.handle)
    await row.get_by_test_id("accept").tap()
    await expect(row).to_have_count(0)

    # His page follows by itself.
    await expect(his.get_by_test_id("follow")).to_have_attribute("data-state", "yes")
    await his.get_by_test_id("grid-clip").first.tap()
    await plays(his, clip["id"])

    hers_again = await stage.phone(ana, f"/@{ana.handle}/followers")
    await expect(hers_again.get_by_test_id("person")).to_have_count(1)


@pytest.mark.long
async def test_narrowed_clip_disappears_and_deleted_clip_too(
    cell: Cell, stage: Stage, tiny_film: bytes
) -> None:
    ana = await cell.member("ana")
    clips = [await ana.clip(tiny_film, caption=word) for word in ("One", "Two")]
    hers = await stage.phone(ana, f"/@{ana.handle}")
    await hers.get_by_test_id("grid-manage").first.tap()
    sheet = hers.get_by_test_id("manage-sheet")
    await sheet.get_by_text("Only me").tap()
    await sheet.get_by_test_id("manage-save").tap()
    await expect(sheet).to_be_hidden()
    visitor = await stage.phone(path=f"/@{ana.handle}")
    await expect(visitor.get_by_test_id("grid-clip")).to_have_count(1)
    await visitor.goto(f"/c/{clips[1]['id']}")
    await expect(visitor.get_by_test_id("problem")).to_be_visible()

    await hers.get_by_test_id("grid-manage").last.tap()
    await sheet.get_by_test_id("delete").tap()
    await sheet.get_by_test_id("delete-confirm").tap()
    await expect(hers.get_by_test_id("grid-clip")).to_have_count(1)
    # Her page counts as everybody's does: the narrowed one is not in it.
    await expect(hers.get_by_test_id("profile").get_by_role("list").first).to_contain_text(
        re.compile(r"0\s*clips")
    )
    await visitor.goto(f"/@{ana.handle}")
    await expect(visitor.get_by_test_id("profile")).to_contain_text("Ana")
    await expect(visitor.get_by_test_id("grid-clip")).to_have_count(0)
