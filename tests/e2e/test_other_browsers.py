"""Firefox and WebKit, which is Safari's engine: the same journeys as in Chromium, the few that use
what browsers do differently (media sources, cryptography, forms, files)."""

from __future__ import annotations

import contextlib
import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image
from playwright.async_api import expect
from tests.browser import others
from tests.browser.others import Window
from tests.e2e.stage import COOKIE, PASSWORD, PATIENCE_MS, Cell, Member, Stage, free_port
from tests.e2e.test_messages import befriend, begin, line, say
from tests.unit.media import films

ARROW_DOWN = "\ue015"
ENGINES = {
    "firefox": (others.firefox, others.in_firefox),
    "webkit": (others.webkit, others.in_webkit),
}
CURRENT = "document.querySelector('[data-testid=slide][data-current=true]')"
BOX = f"{CURRENT}?.querySelector('[data-testid=stage-box]')"
# What goes wrong on a page is asked for at the end.
LISTENS = """
window.__faults = []
addEventListener('error', (event) => window.__faults.push(String(event.message)))
addEventListener('unhandledrejection', (event) => window.__faults.push(String(event.reason)))
addEventListener('securitypolicyviolation', (event) =>
    window.__faults.push(`${event.violatedDirective} ${event.blockedURI}`))
"""
pytestmark = [pytest.mark.long, pytest.mark.xdist_group("e2e-others")]


@contextlib.asynccontextmanager
async def window(
    engine: str, cell: Cell, home: Path, member: Member | None = None, path: str = "/"
) -> AsyncIterator[Window]:
    """A page of the cell in one of the browsers; without it the test is skipped."""
    is_there, opened = ENGINES[engine]
    if not is_there():
        told = f"No {engine} here. As root, `./luciole test all` installs it by apt-get."
        pytest.skip(told)
    home.mkdir(mode=0o700)
    async with opened(cell.origin, home, free_port()) as made:
        if member is not None:
            await made.sign_in(COOKIE, member.token)
        await made.goto(path)
        await made.run(LISTENS)
        try:
            yield made
        except BaseException:
            (home / "failed.png").write_bytes(await made.screenshot())
            raise
        assert await made.run("return window.__faults") in ([], None)


async def plays(one: Window, clip_id: str) -> None:
    """Waits until that clip is on screen, painted, and its time goes on."""
    await one.true(f"{CURRENT}?.dataset.clip === {clip_id!r}")
    await one.true(f"{BOX}?.dataset.painted === 'true' && {BOX}?.dataset.playing === 'true'")
    before = await one.run(f"return {CURRENT}.querySelector('video').currentTime")
    await one.true(f"{CURRENT}.querySelector('video').currentTime !== {before}")
    assert await one.run(f"return {CURRENT}.querySelector('video').error") is None


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def fluent(cell: Cell, tmp_path_factory: pytest.TempPathFactory) -> Member:
    """Somebody with bright clips of as many frames a second as phones take. (Of 15, WebKitGTK 2.50
    leaves the first 133 ms out, where playing begins, and waits.)"""
    made = await cell.member("fluent")
    folder = tmp_path_factory.mktemp("fluent")
    for number in range(3):
        look = f"eq=contrast=0.3:brightness=0.25,hue=h={number * 50}"
        path = films.make(folder / f"{number}.mp4", "-vf", look, size="180x320", seconds=4, rate=30)
        await made.clip(path.read_bytes(), caption=f"Fluent {number}")
    return made


@pytest.mark.parametrize("engine", ENGINES)
async def test_feed_plays_clip_after_clip(
    engine: str, cell: Cell, fluent: Member, tmp_path: Path
) -> None:
    viewer = await cell.member("viewer")
    await viewer.follow(fluent)
    items = (await viewer.api.get("/api/feeds/following?limit=50")).json()["items"]
    async with window(engine, cell, tmp_path / engine, viewer, "/following") as page:
        for clip in items:
            await plays(page, clip["id"])
            await page.press(ARROW_DOWN)
        # What was swiped past is there again when one goes back, without a load of the page.
        await page.true(_one("caught-up"))
        await page.press("\ue013")
        await plays(page, items[-1]["id"])
        assert await page.run("return document.querySelectorAll('video').length") <= 5
        with Image.open(io.BytesIO(await page.screenshot())) as picture:
            middle = picture.convert("RGB").crop((40, 150, 290, 300))
        # The picture itself, not its place: none of these films is dark or of one colour.
        assert len(middle.getcolors(middle.width * middle.height) or []) > 20
        assert min(high for _, high in middle.getextrema()) > 60
        assert await page.run(
            f"return {CURRENT}.querySelector('video').currentSrc.startsWith('blob:')"
        )


@pytest.mark.parametrize("engine", ENGINES)
async def test_somebody_signs_up_and_publishes(
    engine: str, cell: Cell, tmp_path: Path, phone_film: Path
) -> None:
    handle = cell.handle("newcomer")
    async with window(engine, cell, tmp_path / engine, path="/sign-up") as page:
        await page.type("sign-up-handle", handle)
        await page.type("sign-up-name", "Somebody")
        await page.run(
            "for (const label of document.querySelectorAll('label'))"
            " if (label.innerText.trim() === '18 or over') label.click()"
        )
        # Where the browser has no passkeys, the field is there already.
        if await page.run("return 'PublicKeyCredential' in window"):
            await page.click("sign-up-use-password")
        await page.type("sign-up-password", PASSWORD)
        await page.click("sign-up-submit")
        await page.click("codes-kept")
        await page.click("codes-done")
        await page.true(f"{_one('nav-profile')}?.getAttribute('href') === '/@{handle}'")
        await page.goto("/publish")
        await page.run(LISTENS)
        await page.type("publish-file", str(phone_film))
        await page.type("publish-caption", "From another browser")
        # The page grows while the film is looked at, and moves the button from under the finger.
        await page.seen("trim-start")
        await page.click("publish-post")
        await page.true(
            f"{_one('clip-state')}?.dataset.state === 'published'",
            within_s=120,
        )
        place = await page.run(f"return {_one('publish-watch')}.getAttribute('href')")
        await page.goto(place)
        await page.run(LISTENS)
        await plays(page, place.rsplit("/", 1)[1])


async def test_firefox_and_chromium_write_to_each_other(
    cell: Cell, stage: Stage, tmp_path: Path
) -> None:
    """Two makes of cryptography. (WebKit on Linux takes one of two hundred keys not at all.)"""
    ada, bea = await cell.member("ada"), await cell.member("bea")
    await befriend(ada, bea)
    beas = await stage.phone(bea)
    await begin(beas)
    async with window("firefox", cell, tmp_path / "firefox", ada, "/messages") as adas:
        await adas.click("begin")
        await adas.true(f"{_one('messages')}?.dataset.phase === 'ready'")
        await adas.goto(f"/@{bea.handle}")
        await adas.run(LISTENS)
        await adas.click("write-to")
        await adas.type("message-text", "the heron flies at dusk")
        await adas.click("message-send")
        await beas.get_by_test_id("conversation").first.click(timeout=PATIENCE_MS)
        await expect(line(beas, "the heron flies at dusk")).to_be_visible(timeout=PATIENCE_MS)
        # The word that it came has gone where it leads: it would lie over what is written next.
        await expect(beas.get_by_test_id("toast")).to_have_count(0, timeout=1000)
        await say(beas, "then I shall wait by the weir")
        await adas.true(f"{_one('thread')}.innerText.includes('then I shall wait by the weir')")
        await adas.click("thread-info")
        await adas.click("safety")
        await adas.seen("safety-number")
        theirs = await adas.run(f"return {_one('safety-number')}.innerText")
        await beas.get_by_test_id("thread-info").click()
        await beas.get_by_test_id("safety").click()
        number = await beas.get_by_test_id("safety-number").inner_text()
        assert number.split() == theirs.split()
        assert len("".join(number.split())) == 60


def _one(testid: str) -> str:
    return f"document.querySelector('[data-testid={testid}]')"
