"""The app around the clips: French, dark, installable, there without a connection."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect
from tests.e2e.stage import Cell, Member, Stage, current, offline, true


@pytest.mark.long
async def test_french_browser_gets_french_and_so_does_a_french_person(
    cell: Cell, stage: Stage, author: Member
) -> None:
    page = await stage.phone(locale="fr-FR", path="/")
    await expect(page.get_by_test_id("tab-for-you")).to_have_text("Pour vous")
    await expect(page.get_by_test_id("tab-latest")).to_have_text("Récents")
    assert await page.locator("html").get_attribute("lang") == "fr"
    await page.goto("/sign-up")
    await expect(page.locator("h1")).to_have_text("Rejoindre Luciole")
    await page.goto("/sign-in")
    await page.get_by_test_id("sign-in-handle").fill(author.handle)
    await page.get_by_test_id("sign-in-password").fill("not the password")
    await page.get_by_test_id("sign-in-submit").click()
    refusal = page.get_by_test_id("problem")
    await expect(refusal).to_contain_text("clé d’accès")

    # What a person has chosen counts for more than the browser's language.
    chosen = await stage.phone(await cell.member("fleur", locale="fr"), "/settings")
    await expect(chosen.locator("h1")).to_have_text("Réglages")
    await chosen.get_by_test_id("settings-language").select_option("en")
    await expect(chosen.locator("h1")).to_have_text("Settings")
    await chosen.reload()
    await expect(chosen.locator("h1")).to_have_text("Settings")


@pytest.mark.parametrize(("scheme", "is_dark"), [("light", False), ("dark", True)])
@pytest.mark.long
async def test_colours_follow_the_device(stage: Stage, scheme: str, is_dark: bool) -> None:
    page = await stage.phone(path="/sign-in", color_scheme=scheme)
    await expect(page.locator("h1")).to_be_visible()
    told = await page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    red, green, blue = (int(part) for part in re.findall(r"\d+", told)[:3])
    assert (red + green + blue < 100) is is_dark


async def test_app_is_installable_and_its_shell_opens_offline(stage: Stage) -> None:
    page = await stage.phone(path="/sign-in")
    manifest = await page.locator("link[rel=manifest]").get_attribute("href")
    assert manifest is not None
    told = await (await page.request.get(manifest)).json()
    assert told["name"] == "Luciole"
    assert told["display"] == "standalone"
    sizes = set()
    for icon in told["icons"]:
        answer = await page.request.get(icon["src"])
        assert answer.ok
        assert answer.headers["content-type"].startswith("image/")
        sizes.add(icon["sizes"])
    assert {"192x192", "512x512"} <= sizes
    line = await page.context.new_cdp_session(page)
    # Chromium's own check; an incognito window, which each test has, is its one objection.
    errors = (await line.send("Page.getInstallabilityErrors"))["installabilityErrors"]
    assert {error["errorId"] for error in errors} <= {"in-incognito"}

    await true(page, "navigator.serviceWorker.ready.then((worker) => worker.active !== null)")
    await page.reload()
    await true(page, "navigator.serviceWorker.controller !== null")
    async with offline(page):
        await page.goto("/")
        await expect(page.get_by_test_id("problem")).to_be_visible()
    await page.get_by_test_id("retry").click()
    await expect(page.get_by_test_id("problem")).to_have_count(0)


async def test_nothing_is_asked_of_another_host(stage: Stage, author: Member) -> None:
    page = await stage.phone()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(f"/@{author.handle}")
    await page.get_by_test_id("grid-clip").first.tap()
    await expect(current(page)).to_be_visible()
    origin = stage.cell.origin
    assert [url for url in asked if not url.startswith((origin, "blob:", "data:"))] == []


async def test_what_is_not_there_is_not_asked_for_again_but_offers_a_way_on(
    cell: Cell, stage: Stage
) -> None:
    nothing = "/c/01999999-9999-7999-8999-999999999999"
    visitor = await stage.phone(path="/@nobody.by.that.name")
    await expect(visitor.get_by_role("link", name="Watch Latest")).to_be_visible()
    await expect(visitor.get_by_test_id("retry")).to_have_count(0)
    # It may be shared with somebody who only has to sign in.
    await visitor.goto(nothing)
    await visitor.get_by_role("main").get_by_role("link", name="Sign in").tap()
    await expect(visitor).to_have_url(re.compile("/sign-in\\?next=%2Fc%2F01999999"))
    person = await stage.phone(await cell.member("looker"), nothing)
    await expect(person.get_by_role("link", name="Watch Latest")).to_be_visible()
    await expect(person.get_by_role("link", name="Sign in")).to_have_count(0)


async def test_person_without_a_line_is_not_taken_for_a_visitor(cell: Cell, stage: Stage) -> None:
    page = await stage.phone(await cell.member("tunnel"), "/settings")
    await true(page, "navigator.serviceWorker.ready.then((worker) => worker.active !== null)")
    await page.reload()
    await true(page, "navigator.serviceWorker.controller !== null")
    async with offline(page):
        for path in ("/friends", "/settings"):
            await page.goto(path)
            await expect(page.get_by_test_id("problem")).to_be_visible()
            await expect(page.get_by_test_id("feed-sign-in")).to_have_count(0)
            await expect(page.get_by_test_id("nav-sign-in")).to_have_count(0)
            await expect(page).to_have_url(re.compile(f"{path}$"))
    # It comes by itself when the line does.
    await expect(page.get_by_test_id("settings")).to_be_visible()
