"""A real cell in its own processes and a real Chromium, one of each for a test process."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect
from tests.border.push_server import PushServer, push_server
from tests.browser import find
from tests.drills.cell_process import none_left, serve, started
from tests.e2e import stuck
from tests.e2e.bright import CLIPS, SECONDS
from tests.e2e.stage import PATIENCE_MS, Cell, Member, Stage, corpus, free_port
from tests.unit.media import films

from luciole.demo import film as demo_film
from luciole.demo import reel

HERE = Path(__file__).parent
DIST = HERE.parents[1] / "web" / "dist" / "index.html"
READY = r"The cell answers after [\d.]+ s: (\S+)"
SETTINGS = {
    "LUCIOLE_PEOPLE_SIGN_UPS_PER_HOUR": "100000",
    # Little, so that the browser does it each time.
    "LUCIOLE_PEOPLE_SIGN_UP_WORK": "3",
    "LUCIOLE_PEOPLE_SIGN_INS_PER_MINUTE": "100000",
    "LUCIOLE_MEDIA_MIN_FREE_BYTES": "0",
    "LUCIOLE_MEDIA_MAX_OPEN_UPLOADS": "50",
    # As a proxy in front would say where a visitor is.
    "LUCIOLE_WEB_COUNTRY_HEADER": "X-Country",
}
# A journey has many steps, each of which may take a while on a busy machine.
JOURNEY_S = 300
# More than one page of the feed (20).
AUTHORED = 24
OPTIONS = [
    # A machine without a camera films a rolling test picture, and is not asked whether it may.
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--mute-audio",
]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests here drive the browser, in one event loop, because they share it."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.timeout(JOURNEY_S))
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
            if "author" in getattr(item, "fixturenames", ()):
                # Their clips take a while to make: once is enough.
                item.add_marker(pytest.mark.xdist_group("e2e-author"))
            if "showing" in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.xdist_group("e2e-showing"))


# Of the one event loop that all journeys share.
LOOP: list[asyncio.AbstractEventLoop] = []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(call: pytest.CallInfo[None]) -> Iterator[pytest.TestReport]:
    """A journey that takes too long says where it stood."""
    report = yield
    if call.excinfo is not None and "Timeout" in call.excinfo.exconly() and LOOP:
        report.sections.append(("Where the journey stood", stuck.stand(LOOP[0])))
    return report


@pytest.fixture(scope="session", autouse=True)
def patience() -> None:
    """What is expected may take as long as everything else: a busy machine is no failure."""
    expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def push_service() -> Iterator[PushServer]:
    """The push service that the cell may speak to."""
    with push_server() as made:
        yield made
        assert made.faults == []


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def cell(
    tmp_path_factory: pytest.TempPathFactory, push_service: PushServer
) -> AsyncIterator[Cell]:
    """A cell started as a person starts it: supervisor, PostgreSQL, API, worker, gateway."""
    assert DIST.exists(), "Build the web client first: python web/build.py"
    data = tmp_path_factory.mktemp("cell") / "var"
    services = {
        "LUCIOLE_BORDER_PUSH_SERVICES": push_service.origin,
        # A test puts terms there, and takes them away.
        "LUCIOLE_CELL_TEXTS_DIR": str(data.parent),
    }
    with started(*serve(data, free_port(), **SETTINGS, **services)) as process:
        made = Cell(process.wait_for(READY, 90)[1], data)
        yield made
        await made.close()
        process.stop()
    assert none_left(data) == []


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium; without one the test is skipped, and fails in CI."""
    program = find.find()
    if program is None:
        told = "No Chromium here. Install one, or set LUCIOLE_CHROMIUM to one."
        pytest.fail(told) if os.environ.get("CI") else pytest.skip(told)
    LOOP.append(asyncio.get_running_loop())
    options = [*OPTIONS, "--no-sandbox"] if os.geteuid() == 0 else OPTIONS
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=program, args=options)
        yield chromium
        await chromium.close()


@pytest_asyncio.fixture(loop_scope="session")
async def stage(cell: Cell, browser: Browser) -> AsyncIterator[Stage]:
    made = Stage(cell, browser)
    yield made
    await made.close()


@pytest.fixture(scope="session")
def tiny_film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Two seconds with a tone, small enough to be converted at once."""
    path = tmp_path_factory.mktemp("films") / "tiny.mp4"
    return films.make(path, size="90x160", seconds=2, rate=15).read_bytes()


@pytest.fixture(scope="session")
def phone_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A phone's own video where the corpus is here, else one that the demo draws."""
    if (found := corpus("phone", "sample_portrait.mp4")) is not None:
        return found
    path = tmp_path_factory.mktemp("films") / "drawn.mp4"
    clip = reel.CLIPS[0]
    demo_film.render(demo_film.Job(clip.scene, clip.mood, 3.0, clip.seed, clip.look), path)
    return path


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def author(cell: Cell, tiny_film: bytes, tmp_path_factory: pytest.TempPathFactory) -> Member:
    """Somebody with two dozen public clips, more than a page; the newest one has captions."""
    made = await cell.member("author")
    await made.patch(bio="Films small things.")
    path = tmp_path_factory.mktemp("films") / "blink.mp4"
    blink = films.make(path, size="90x160", seconds=0.4, rate=15).read_bytes()
    clips = [
        made.clip(blink, caption=f"Number {number} #counted") for number in range(AUTHORED - 3)
    ]
    await asyncio.gather(*clips)
    for number in range(2):
        await made.clip(tiny_film, caption=f"Longer {number}")
    vtt = "WEBVTT\n\n00:00.000 --> 00:02.000\nA small thing hums\n"
    await made.clip(tiny_film, caption="The newest", captions_vtt=vtt, captions_language="en")
    return made


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def showing(cell: Cell, tmp_path_factory: pytest.TempPathFactory) -> Member:
    """Somebody with a few bright clips of some seconds, in segments."""
    made = await cell.member("showing")
    folder = tmp_path_factory.mktemp("bright")
    for number in range(CLIPS):
        # Nothing in it is dark, and each has a colour of its own.
        look = f"eq=contrast=0.3:brightness=0.25,hue=h={number * 50}"
        path = films.make(folder / f"{number}.mp4", "-vf", look, size="180x320", seconds=SECONDS,
                          rate=15)  # fmt: skip
        await made.clip(path.read_bytes(), caption=f"Bright {number}")
    return made
