"""Two people who hear of each other: live, in a line, through a push; and not any more."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

from playwright.async_api import Page, Route, expect
from tests.border.push_server import PushServer
from tests.e2e.stage import PATIENCE_MS, Cell, Member, Stage, until

# A browser's push service is a company's; here the browser is given an address at our own.
SUBSCRIBES = """
PushManager.prototype.subscribe = async function (options) {
  const key = options.applicationServerKey
  window.subscribedWith = typeof key === 'string' ? key : null
  return { endpoint: '%s', unsubscribe: async () => true }
}
"""


def keep(page: Page, name: str) -> Any:
    """A picture for who looks at the pages, where a folder is named for it."""
    folder = os.environ.get("LUCIOLE_PICTURES")
    place = str(Path(folder, f"{name}.png")) if folder else None
    return page.screenshot(path=place) if place else asyncio.sleep(0)


async def like(member: Member, clip_id: str) -> None:
    assert (await member.api.put(f"/api/clips/{clip_id}/like")).status_code == 200


async def test_news_of_many_make_one_line_and_one_tap_ends_a_kind(
    cell: Cell, stage: Stage, tiny_film: bytes
) -> None:
    ana = await cell.member("ana")
    clip = await ana.clip(tiny_film, caption="Look")
    fans = [await cell.member(word) for word in ("ben", "cleo", "dora", "emil")]
    page = await stage.phone(ana, "/following")
    ben_page = await stage.phone(fans[0], f"/c/{clip['id']}")
    await ben_page.get_by_test_id("like").click()
    # The page of the other tells at once.
    await expect(page.get_by_test_id("toast")).to_contain_text("Ben")
    await expect(page.get_by_test_id("unread")).to_be_visible()
    for fan in fans[1:]:
        await like(fan, clip["id"])
    await page.goto("/notifications")
    line = page.locator('[data-testid="notice"][data-kind="like"]')
    await expect(line).to_have_count(1)
    await expect(line).to_contain_text("Emil, Dora, and 2 others liked your clip")
    await keep(page, "lines")
    # A new one comes into the line that is on screen.
    late = await cell.member("fay")
    await like(late, clip["id"])
    await expect(line).to_contain_text("Fay, Emil, and 3 others liked your clip")
    await line.get_by_test_id("no-more").click()
    await expect(line.get_by_test_id("is-off")).to_be_visible()
    await keep(page, "off")
    await expect(page.get_by_test_id("toast")).to_have_count(0, timeout=PATIENCE_MS)
    other = await ana.clip(tiny_film, caption="More")
    await like(late, other["id"])
    await late.follow(ana)
    await expect(page.locator('[data-kind="follow"]')).to_contain_text("Fay follows you")
    await expect(line).to_have_count(1)
    # The page shows it at once; the cell knows when it has answered.
    async with page.expect_response("**/api/notifications/kinds/like"):
        await line.get_by_role("button", name="Undo").click()
        await expect(line.get_by_test_id("is-off")).to_have_count(0)
    assert (await ana.api.get("/api/notifications/settings")).json()["kinds"]["like"] is True


async def test_device_is_woken_without_content_and_only_after_a_tap(
    cell: Cell, stage: Stage, tiny_film: bytes, push_service: PushServer
) -> None:
    ana, ben = await cell.member("ana"), await cell.member("ben")
    page = await stage.phone(ana)
    path = f"/wake/{ana.handle}"
    await page.add_init_script(SUBSCRIBES % f"{push_service.origin}{path}")
    await page.context.grant_permissions(["notifications"])
    await page.goto("/settings/notifications")
    await page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    await page.reload()
    switch = page.get_by_test_id("push")
    await expect(switch).not_to_be_checked()
    assert await page.evaluate("window.subscribedWith") is None
    await keep(page, "settings")
    await switch.check()
    settings = page.get_by_test_id("notification-settings")
    await expect(settings).to_contain_text("This device is woken")
    key = (await ana.api.get("/api/me/push")).json()["key"]
    assert await page.evaluate("window.subscribedWith") == key
    # Nobody looks: no page of the cell is open.
    devtools = await page.context.new_cdp_session(page)
    registrations: list[str] = []
    devtools.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda told: registrations.extend(one["registrationId"] for one in told["registrations"]),
    )
    await devtools.send("ServiceWorker.enable")
    await page.goto("about:blank")
    await ben.follow(ana)

    async def woken() -> bool:
        return path in push_service.paths()

    await until(woken)
    assert push_service.paths().count(path) == 1
    message = {"origin": cell.origin, "registrationId": registrations[0], "data": ""}
    await devtools.send("ServiceWorker.deliverPushMessage", message)
    await asyncio.sleep(1)
    await page.goto("/offline.html")
    shown = await page.evaluate(
        "navigator.serviceWorker.ready.then((r) => r.getNotifications())"
        ".then((all) => all.map((one) => `${one.title}: ${one.body} ${one.data.place}`))"
    )
    assert shown == ["Luciole: There is something new for you. /notifications"]
    # An open page tells by itself; and turned off is off.
    await page.goto("/settings/notifications")
    await page.get_by_test_id("push").uncheck()
    await expect(settings).to_contain_text("A push says only")
    assert (await ana.api.get("/api/me/push")).json()["is_on"] is False


async def test_digest_and_quiet_nights_are_chosen_in_the_settings(cell: Cell, stage: Stage) -> None:
    ana, ben = await cell.member("ana"), await cell.member("ben")
    page = await stage.phone(ana, "/settings/notifications")
    await page.get_by_test_id("digest").check()
    await page.get_by_test_id("digest-hour").select_option("20")
    await page.get_by_test_id("quiet-nights").check()
    await page.get_by_test_id("kind-follow").uncheck()
    await keep(page, "wishes")

    async def told() -> bool:
        now = (await ana.api.get("/api/notifications/settings")).json()
        return (now["digest_at"], now["quiet_nights"], now["kinds"]["follow"]) == (20, True, False)

    await until(told)
    await ben.follow(ana)
    await page.goto("/notifications")
    await expect(page.get_by_test_id("notice")).to_have_count(0)


async def test_answer_that_comes_late_undoes_no_later_choice(cell: Cell, stage: Stage) -> None:
    ana = await cell.member("ana")
    page = await stage.phone(ana, "/settings/notifications")
    held = asyncio.Event()

    async def hold(route: Route) -> None:
        """The first choice is kept, and its answer is on its way until the second was made."""
        if route.request.method != "PATCH" or "digest_at" not in route.request.post_data_json:
            await route.continue_()
            return
        answer = await route.fetch()
        await held.wait()
        await route.fulfill(response=answer)

    await page.route("**/api/notifications/settings", hold)
    await page.get_by_test_id("digest").check()
    await page.get_by_test_id("quiet-nights").check()
    held.set()

    async def told() -> bool:
        now = (await ana.api.get("/api/notifications/settings")).json()
        return (now["digest_at"] is not None, now["quiet_nights"]) == (True, True)

    await until(told)
    await expect(page.get_by_test_id("digest")).to_be_checked()
    await expect(page.get_by_test_id("quiet-nights")).to_be_checked()


async def test_choices_that_do_not_arrive_are_taken_back(cell: Cell, stage: Stage) -> None:
    ana = await cell.member("ana")
    page = await stage.phone(ana, "/settings/notifications")
    lost = asyncio.Event()

    async def lose(route: Route) -> None:
        await lost.wait()
        await route.abort()

    await page.route("**/api/notifications/kinds/*", lose)
    await page.get_by_test_id("kind-follow").uncheck()
    await page.get_by_test_id("kind-follow").check()
    lost.set()
    await expect(page.get_by_test_id("notification-settings").get_by_role("alert")).to_be_visible()
    await expect(page.get_by_test_id("kind-follow")).to_be_checked()


async def test_minor_sees_that_nights_are_quiet(cell: Cell, stage: Stage) -> None:
    kid = await cell.member("kid", age_band="13-15")
    page = await stage.phone(kid, "/settings/notifications")
    await expect(page.get_by_test_id("quiet-nights")).to_be_checked()
    await expect(page.get_by_test_id("quiet-nights")).to_be_disabled()
