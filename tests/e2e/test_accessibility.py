"""What a person needs who hears the screen, has no pointer, or cannot bear movement."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from playwright.async_api import Page, expect
from tests.browser import find
from tests.e2e.stage import Cell, Member, Stage, current, plays, true
from tests.e2e.told import lived
from tests.tiktok import named

SERIOUS = {"serious", "critical"}


# Colours change over a few frames, even where motion is reduced, and what fades in ends somewhere.
# Asked again and again: what runs in a fold that closes never says that it has ended.
SETTLED = """async () => {
    const wait = (ms) => new Promise((go) => setTimeout(go, ms))
    const frame = () => new Promise(requestAnimationFrame)
    for (let frames = 0; frames < 4; frames += 1) await Promise.race([frame(), wait(250)])
    const moves = (one) =>
        one.playState === 'running' && Number.isFinite(one.effect?.getComputedTiming().endTime)
    for (let tries = 0; tries < 250 && document.getAnimations().some(moves); tries += 1)
        await wait(20)
}"""


async def faults(page: Page) -> list[str]:
    """What axe-core finds serious or critical on the page as it is now, in light and in dark."""
    # Through the debugger, as the page's own rules let no foreign script in.
    await page.evaluate(f"() => {{ {find.axe_core()} }}")
    await page.evaluate(SETTLED)
    found = await checked(page, "{resultTypes: ['violations']}")
    await page.emulate_media(color_scheme="dark")
    await page.evaluate(SETTLED)
    found += await checked(page, "{resultTypes: ['violations'], runOnly: ['color-contrast']}")
    await page.emulate_media(color_scheme="light")
    return found


async def checked(page: Page, options: str) -> list[str]:
    told: dict[str, Any] = await page.evaluate(f"axe.run(document, {options})")
    return [
        f"{page.url}: {rule['id']} ({rule['impact']}) {node['html'][:160]}: "
        f"{node['failureSummary']}"
        for rule in told["violations"]
        if rule["impact"] in SERIOUS
        for node in rule["nodes"]
    ]


async def test_axe_sees_a_button_without_a_name(stage: Stage) -> None:
    page = await stage.phone(path="/sign-in")
    await expect(page.get_by_test_id("sign-in-handle")).to_be_visible()
    await page.evaluate("document.querySelector('main').append(document.createElement('button'))")
    assert any("button-name" in fault for fault in await faults(page))


async def test_nothing_waits_for_what_moves_in_a_fold_that_closes(stage: Stage) -> None:
    page = await stage.phone(path="/sign-in")
    await expect(page.get_by_test_id("sign-in-handle")).to_be_visible()
    await page.evaluate(
        """async () => {
            const fold = document.createElement('details')
            const within = document.createElement('p')
            fold.append(within)
            document.querySelector('main').append(fold)
            fold.open = true
            await new Promise(requestAnimationFrame)
            within.style.transition = 'opacity 3s'
            within.style.opacity = '0.9'
            for (const _ of '12') await new Promise(requestAnimationFrame)
            within.style.opacity = '1'
            for (const _ of '12') await new Promise(requestAnimationFrame)
            setTimeout(() => (fold.open = false), 1500)
        }"""
    )
    assert await asyncio.wait_for(faults(page), 60) == []


@pytest.mark.long
async def test_axe_finds_nothing_serious_for_a_visitor(stage: Stage, author: Member) -> None:
    page = await stage.phone(color_scheme="light", reduced_motion="reduce")
    found = []
    for path, mark in (
        ("/", "stage-box"),
        ("/latest", "stage-box"),
        ("/following", "feed-sign-in"),
        ("/settings/for-you", "time-settings"),
        (f"/@{author.handle}", "grid-clip"),
        ("/sign-in", "sign-in-handle"),
        ("/sign-up", "sign-up-handle"),
    ):
        await page.goto(path)
        await expect(page.get_by_test_id(mark).first).to_be_visible()
        found += await faults(page)
    await page.goto(f"/@{author.handle}")
    await page.get_by_test_id("grid-clip").first.click()
    await expect(current(page)).to_be_visible()
    await current(page).get_by_test_id("like").click()
    await expect(page.get_by_test_id("ask-sign-in")).to_be_visible()
    found += await faults(page)
    await page.goto("/")
    await current(page).get_by_test_id("why").click()
    await page.get_by_test_id("why-more").locator("summary").click()
    await expect(page.get_by_test_id("hide-author")).to_be_visible()
    found += await faults(page)
    await page.evaluate(
        "localStorage.setItem('luciole.time-wishes', '{\"quiet\": true, '"
        ' + \'"quietFrom": "00:00", "quietTo": "23:59"}\')'
    )
    await page.reload()
    await expect(page.get_by_test_id("rest")).to_be_visible()
    found += await faults(page)
    await page.get_by_test_id("rest-go-on").click()
    await page.goto("/c/01890000-0000-7000-8000-000000000000")
    await expect(page.get_by_test_id("problem")).to_be_visible()
    found += await faults(page)
    await page.goto("/no/such/page")
    await expect(page.locator("h1")).to_be_visible()
    found += await faults(page)
    assert found == []


@pytest.mark.long
async def test_axe_finds_nothing_serious_for_a_person(
    cell: Cell, stage: Stage, author: Member, tiny_film: bytes
) -> None:
    member, fan = await cell.member("axel"), await cell.member("fan")
    await member.follow(author)
    await fan.follow(member)
    await member.patch(is_private=True)
    await (await cell.member("asker")).follow(member)
    clip = await member.clip(tiny_film, caption="Mine #own", audience="friends", made_with_ai=True)
    await member.follow(fan)
    await fan.api.put(f"/api/clips/{clip['id']}/like")
    options = {"color_scheme": "light", "reduced_motion": "reduce"}
    phone, desktop = await stage.phone(member, **options), await stage.desktop(member, **options)
    found = []
    for path, mark in (
        ("/following", "stage-box"),
        ("/friends", "feed-empty"),
        (f"/c/{clip['id']}", "stage-box"),
        (f"/@{member.handle}", "grid-clip"),
        (f"/@{member.handle}/followers", "person"),
        ("/requests", "person"),
        ("/notifications", "notice"),
        ("/settings", "sessions"),
        ("/publish", "publish-choose"),
    ):
        for page in (phone, desktop) if path in ("/following", f"/@{member.handle}") else (phone,):
            await page.goto(path)
            await expect(page.get_by_test_id(mark).first).to_be_visible()
            found += await faults(page)
    await phone.get_by_test_id("publish-file").set_input_files(
        {"name": "clip.mp4", "mimeType": "video/mp4", "buffer": tiny_film}
    )
    await expect(phone.get_by_test_id("trim-start")).to_be_visible()
    found += await faults(phone)
    await desktop.get_by_test_id("grid-manage").first.click()
    await expect(desktop.get_by_test_id("manage-save")).to_be_visible()
    found += await faults(desktop)
    assert found == []


@pytest.mark.long
async def test_axe_finds_nothing_serious_in_what_is_said_about_one_s_data(
    cell: Cell, stage: Stage
) -> None:
    member = await cell.member("owner")
    page = await stage.phone(member, color_scheme="light", reduced_motion="reduce")
    told = lived()
    await told.stand_in(page)
    await page.goto("/settings/data")
    await expect(page.get_by_test_id("held")).to_be_visible()
    found = await faults(page)
    await page.get_by_test_id("verify-all").click()
    await expect(page.get_by_test_id("findings")).to_be_visible()
    await page.get_by_test_id("entry").first.locator("summary").click()
    for name in ("not-proved", "held-personal", "held-kept"):
        await page.get_by_test_id(name).locator("summary").first.click()
    await expect(page.get_by_test_id("entry").first.get_by_test_id("verdict")).to_be_visible()
    found += await faults(page)
    await page.get_by_test_id("leave-open").click()
    await expect(page.get_by_test_id("leave-confirm")).to_be_visible()
    found += await faults(page)
    await page.goto("/settings/import")
    await page.get_by_test_id("import-file").set_input_files(named.HERE / "text-en.zip")
    await expect(page.get_by_test_id("problem")).to_be_visible()
    found += await faults(page)
    await page.get_by_test_id("import-file").set_input_files(named.HERE / "g3.zip")
    await page.get_by_test_id("tick-posts").check()
    await page.get_by_test_id("tick-bio").check()
    for name in ("import-left", "import-strangers"):
        await page.get_by_test_id(name).locator("summary").click()
    found += await faults(page)
    await page.get_by_test_id("tick-posts").uncheck()
    await page.get_by_test_id("import-start").click()
    await expect(page.get_by_test_id("import-finish")).to_be_visible()
    found += await faults(page)
    gone = {
        "state": "erased",
        "asked_at": "2026-11-20T12:00:00Z",
        "due_at": "2026-11-20T12:00:00Z",
        "done_at": "2026-11-20T12:01:00Z",
        "unreadable_by": "2026-11-28T12:01:00Z",
        "remains_gone_at": None,
        "removed": {"clips": 2, "likes": 5},
        "entry": None,
    }
    await page.route("**/api/erasures/*", lambda route: route.fulfill(json=gone))
    await page.goto("/erasure/a-ticket")
    await expect(page.get_by_text("What was erased")).to_be_visible()
    found += await faults(page)
    assert found == []


async def test_keyboard_alone_gets_from_the_feed_to_a_like_and_a_profile(
    cell: Cell, stage: Stage, author: Member
) -> None:
    member = await cell.member("keys")
    await member.follow(author)
    page = await stage.desktop(member, "/following")
    await plays(page)
    # The first stop lets one skip the menu.
    await page.keyboard.press("Tab")
    assert await focused(page) == "Skip to the content"
    await page.keyboard.press("Enter")
    await tab_to(page, "Like, 0 so far")
    await page.keyboard.press("Enter")
    await expect(current(page).get_by_test_id("like")).to_have_attribute("aria-pressed", "true")
    await current(page).get_by_test_id("like").press("Enter")
    await expect(current(page).get_by_test_id("like")).to_have_attribute("aria-pressed", "false")
    # Slides that are not on screen are no stops.
    stops = set()
    for _ in range(40):
        await page.keyboard.press("Tab")
        stops.add(
            await page.evaluate("document.activeElement.closest('[data-clip]')?.dataset.clip")
        )
    assert len(stops - {None}) == 1
    await current(page).get_by_test_id("author").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("profile")).to_contain_text("Films small things.")
    await tab_to(page, f"Stop following @{author.handle}")


async def test_sheet_takes_the_focus_and_gives_it_back(
    cell: Cell, stage: Stage, tiny_film: bytes
) -> None:
    member = await cell.member("sheet")
    await member.clip(tiny_film, caption="Mine")
    page = await stage.desktop(member, f"/@{member.handle}")
    opener = page.get_by_test_id("grid-manage")
    await opener.focus()
    await page.keyboard.press("Enter")
    sheet = page.get_by_test_id("manage-sheet")
    await expect(sheet).to_be_visible()
    await true(page, "document.activeElement.closest('[data-testid=manage-sheet]') !== null")
    await page.keyboard.press("Escape")
    await expect(sheet).to_be_hidden()
    await expect(opener).to_be_focused()


@pytest.mark.long
async def test_reduced_motion_waits_for_the_person_and_nothing_moves(
    cell: Cell, stage: Stage, author: Member
) -> None:
    member = await cell.member("calm")
    await member.follow(author)
    page = await stage.desktop(member, "/following", reduced_motion="reduce")
    box = current(page).get_by_test_id("stage-box")
    await expect(box).to_have_attribute("data-painted", "true")
    await expect(box).to_have_attribute("data-playing", "false")
    await page.keyboard.press(" ")
    await plays(page)
    await page.keyboard.press("ArrowDown")
    # A jump, not a slide: nothing is between two clips.
    await true(
        page, "document.querySelectorAll('[data-testid=slide]')[1].dataset.current === 'true'"
    )
    reel = page.get_by_test_id("feed")
    assert await reel.evaluate("(reel) => reel.scrollTop === reel.clientHeight")
    moving = await page.evaluate(
        "document.getAnimations().filter((one) => one.effect.getComputedTiming().duration > 1"
        " && one.playState === 'running').length"
    )
    assert moving == 0


async def focused(page: Page) -> str:
    """The name of the element that has the focus."""
    return str(
        await page.evaluate(
            "document.activeElement.getAttribute('aria-label')"
            " ?? document.activeElement.textContent.trim()"
        )
    )


async def tab_to(page: Page, name: str) -> None:
    for _ in range(30):
        await page.keyboard.press("Tab")
        if await focused(page) == name:
            return
    raise AssertionError(f"no way by Tab to {name!r}")
