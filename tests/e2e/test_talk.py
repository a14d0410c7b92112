"""People who talk under a clip, each in a browser of their own."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.async_api import Page, expect
from tests.e2e.stage import Cell, Member, Stage, current, true
from tests.e2e.test_accessibility import faults


async def look(page: Page, name: str) -> None:
    """A picture for whoever asks for one."""
    if folder := os.environ.get("LUCIOLE_PICTURES"):
        await page.wait_for_timeout(700)
        await page.screenshot(path=str(Path(folder) / f"{name}.png"))


async def opened(page: Page) -> None:
    await current(page).get_by_test_id("comments").click()
    await expect(page.get_by_test_id("talk")).to_be_visible()


async def say(page: Page, text: str) -> None:
    await page.get_by_test_id("comment-text").fill(text)
    await page.get_by_test_id("comment-send").click()
    await expect(page.get_by_test_id("comment-text")).to_have_value("")


async def friends(cell: Cell) -> tuple[Member, Member]:
    lena, omar = await cell.member("lena"), await cell.member("omar")
    await lena.follow(omar)
    await omar.follow(lena)
    return lena, omar


async def test_two_people_talk_under_a_clip(cell: Cell, stage: Stage, tiny_film: bytes) -> None:
    lena, omar = await friends(cell)
    clip = await lena.clip(tiny_film, caption=f"Low tide, with @{omar.handle}")
    hers = await stage.phone(lena, f"/c/{clip['id']}", color_scheme="light")
    his = await stage.phone(omar, f"/c/{clip['id']}")
    for page in (hers, his):
        await opened(page)
    await expect(hers.get_by_test_id("talk")).to_contain_text("Nothing said yet")
    await look(hers, "empty")

    # What he says appears on her open page, and what she answers on his.
    await say(his, "Where is this?")
    on_hers = hers.get_by_test_id("comment").filter(has_text="Where is this?")
    await expect(on_hers).to_be_visible()
    await on_hers.get_by_test_id("comment-like").click()
    await on_hers.get_by_test_id("reply").click()
    await say(hers, "Saint-Malo, at six in the morning")
    reply = his.get_by_test_id("comment").filter(has_text="Saint-Malo")
    await expect(reply.or_(his.get_by_test_id("show-replies"))).to_be_visible()
    if await his.get_by_test_id("show-replies").is_visible():
        await his.get_by_test_id("show-replies").click()
    await expect(reply).to_contain_text("Author")
    await look(his, "thread")

    # A mention is offered while one writes it, and is a link afterwards.
    await hers.get_by_test_id("comment-text").press_sequentially(f"Come along @{omar.handle[:3]}")
    await expect(hers.get_by_test_id("mentionable")).to_contain_text(omar.handle)
    await look(hers, "mention")
    await hers.keyboard.press("Enter")
    await hers.get_by_test_id("comment-send").click()
    said = hers.get_by_test_id("comment").filter(has_text="Come along")
    await expect(said.locator(f'a.mention[href="/@{omar.handle}"]')).to_be_visible()

    # She pins his, and deletes her own.
    await on_hers.get_by_test_id("comment-more").click()
    await on_hers.get_by_test_id("pin").click()
    await expect(on_hers).to_contain_text("Pinned")
    await look(hers, "pinned")
    await said.get_by_test_id("comment-more").click()
    await said.get_by_test_id("comment-delete").click()
    await said.get_by_test_id("comment-delete-yes").click()
    await expect(said).to_have_count(0)
    await hers.get_by_test_id("talk-close").click()
    await expect(current(hers).get_by_test_id("comment-count")).to_have_text("2")

    # His list says what happened, and leads to the words.
    await his.goto("/notifications")
    for kind in ("comment-reply", "comment-like", "mention"):
        await expect(his.locator(f'[data-testid=notice][data-kind="{kind}"]').first).to_be_visible()
    await look(his, "notices")
    await his.locator('[data-testid=notice][data-kind="comment-reply"] a').click()
    await expect(his.get_by_test_id("comment").first).to_contain_text("Where is this?")


async def test_filtered_comment_waits_until_the_author_shows_it(
    cell: Cell, stage: Stage, tiny_film: bytes
) -> None:
    lena, omar = await friends(cell)
    clip = await lena.clip(tiny_film, caption="Low tide")
    hers = await stage.phone(lena, "/settings/comments", color_scheme="light")
    await hers.get_by_test_id("filter-word").fill("Boring, très nul")
    await hers.get_by_test_id("filter-add").click()
    await expect(hers.get_by_test_id("talk-settings")).to_contain_text("tres nul")
    his = await stage.phone(omar, f"/c/{clip['id']}")
    await opened(his)
    await say(his, "BORING!")
    await expect(his.get_by_test_id("held")).to_be_visible()
    third = await stage.phone(path=f"/c/{clip['id']}?comments=1")
    await expect(third.get_by_test_id("talk")).to_contain_text("Nothing has been said")
    await third.get_by_test_id("comment-sign-in").click()
    await expect(third.get_by_test_id("ask-sign-in")).to_be_visible()
    await hers.reload()
    await expect(hers.get_by_test_id("held-comment")).to_contain_text("BORING!")
    await hers.get_by_test_id("talk-settings").scroll_into_view_if_needed()
    await look(hers, "settings")
    await hers.get_by_test_id("held-approve").click()
    await expect(hers.get_by_test_id("held-comment")).to_have_count(0)
    await third.reload()
    await expect(third.get_by_test_id("comment")).to_contain_text("BORING!")


async def test_closed_comments_say_who_may(cell: Cell, stage: Stage, tiny_film: bytes) -> None:
    lena, omar = await friends(cell)
    clip = await lena.clip(tiny_film, caption="Quiet", comments_by="nobody")
    page = await stage.phone(omar, f"/c/{clip['id']}?comments=1")
    await expect(page.get_by_test_id("may-not")).to_contain_text("takes no comments here")
    await expect(page.get_by_test_id("comment-text")).to_have_count(0)


async def test_clip_answers_a_comment(
    cell: Cell, stage: Stage, tiny_film: bytes, phone_film: Path
) -> None:
    lena, omar = await friends(cell)
    clip = await lena.clip(tiny_film, caption="Low tide")
    place = f"/api/clips/{clip['id']}/comments"
    await omar.api.post(place, json={"text": "Show us the boats?"})
    page = await stage.phone(lena, f"/c/{clip['id']}?comments=1", color_scheme="light")
    row = page.get_by_test_id("comment")
    await row.get_by_test_id("comment-more").click()
    await row.get_by_test_id("answer-by-clip").click()
    await expect(page.get_by_test_id("answers")).to_contain_text("Show us the boats?")
    await look(page, "publish")
    await page.get_by_test_id("publish-file").set_input_files(phone_film)
    await expect(page.get_by_test_id("answers")).to_be_visible()
    await page.get_by_test_id("comments-by").select_option("friends")
    await page.get_by_test_id("publish-post").click()
    (answer,) = await answered(omar, place)
    await lena.published(answer["clip_id"])
    his = await stage.phone(omar, f"/c/{answer['clip_id']}")
    await expect(current(his).get_by_test_id("answers")).to_contain_text("Show us the boats?")
    await look(his, "answer")
    await current(his).get_by_test_id("answers").click()
    await expect(his.get_by_test_id("answered")).to_contain_text(lena.handle)


async def answered(member: Member, place: str) -> list[dict[str, str]]:
    from tests.e2e.stage import until

    async def answers() -> list[dict[str, str]] | None:
        (comment,) = (await member.api.get(place)).json()["items"]
        return list(comment["answers"]) or None

    return await until(answers)


async def test_comments_by_keyboard_and_for_a_screen_reader(
    cell: Cell, stage: Stage, tiny_film: bytes
) -> None:
    lena, omar = await friends(cell)
    clip = await lena.clip(tiny_film, caption="Low tide")
    place = f"/api/clips/{clip['id']}/comments"
    head = (await omar.api.post(place, json={"text": "Where is this?"})).json()
    await lena.api.post(place, json={"text": "At home", "reply_to": head["id"]})
    page = await stage.desktop(
        lena, f"/c/{clip['id']}", color_scheme="light", reduced_motion="reduce"
    )
    await expect(current(page)).to_be_visible()
    await page.keyboard.press("d")
    dialog = page.get_by_role("dialog", name="2 comments")
    await expect(dialog).to_be_visible()
    await page.get_by_test_id("show-replies").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("comment")).to_have_count(2)
    await look(page, "desktop")
    assert await faults(page) == []
    # The focus stays inside: it passes the browser's own bar and comes back.
    for _ in range(30):
        await page.keyboard.press("Tab")
    await true(
        page,
        "document.activeElement === document.body"
        " || Boolean(document.activeElement.closest('dialog'))",
    )
    await page.get_by_test_id("comment-text").focus()
    await page.keyboard.type("By keys")
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("comment")).to_have_count(3)
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("talk")).to_have_count(0)
