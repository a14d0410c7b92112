"""Firefox and WebKit, driven by what they bring for it: Marionette, and W3C WebDriver.

Playwright's own builds of them come from no package registry. What people use is nearer to the
system's packages anyway: Firefox ESR, and WebKitGTK with the engine, the media code and the managed
sources of Safari.

Wire formats: firefox-source-docs.mozilla.org/testing/marionette/Protocol.html and
w3.org/TR/webdriver2.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import glob
import json
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, ClassVar, Protocol

import httpx

PATIENCE_S = 45.0
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
WIDTH, HEIGHT = 412, 880
SHELLS = ("/usr/lib/*/webkit2gtk-4.*/MiniBrowser", "/usr/libexec/webkit2gtk-4.*/MiniBrowser")
PACKAGES = (
    "firefox-esr", "webkit2gtk-driver", "xvfb", "gstreamer1.0-plugins-good",
    "gstreamer1.0-plugins-bad", "gstreamer1.0-libav",
)  # fmt: skip
# Nothing goes to its maker, and a clip may begin with its sound, as on a page that was touched.
PREFERENCES = {
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "devtools.console.stdout.content": True,
    "datareporting.policy.dataSubmissionEnabled": False,
    "intl.accept_languages": "en-GB",
    "media.autoplay.default": 0,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "toolkit.telemetry.server": "",
}


class Line(Protocol):
    """One open window, by the names that Marionette has for the commands of WebDriver."""

    async def ask(self, command: str, **fields: Any) -> Any: ...


def firefox() -> str | None:
    return shutil.which("firefox-esr") or shutil.which("firefox")


def webkit() -> tuple[str, str] | None:
    """The driver, and the smallest of browsers around the engine."""
    driver, shell = shutil.which("WebKitWebDriver"), None
    for place in (
        "/usr/lib/*/webkit2gtk-4.*/MiniBrowser",
        "/usr/libexec/webkit2gtk-4.*/MiniBrowser",
    ):
        shell = shell or next(iter(sorted(glob.glob(place))), None)
    return (driver, shell) if driver and shell and shutil.which("Xvfb") else None


def fetch(say: Callable[[str], None]) -> None:
    """Installs both, where the system has packages and we may."""
    if (firefox() and webkit()) or os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    say("No Firefox or WebKit yet; trying the system's packages")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", *PACKAGES]):
        subprocess.run(
            ["apt-get", *words], env=quiet, capture_output=True, check=False, timeout=600
        )


class Marionette:
    """Firefox's own line: JSON behind its length, over loopback."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._last = 0

    @classmethod
    async def at(cls, port: int) -> Marionette:
        end = asyncio.get_running_loop().time() + PATIENCE_S
        while True:
            try:
                made = cls(*await asyncio.open_connection("127.0.0.1", port, limit=2**26))
                await made._read()
                return made
            except OSError:
                assert asyncio.get_running_loop().time() < end, "Firefox does not answer"
                await asyncio.sleep(0.2)

    async def ask(self, command: str, **fields: Any) -> Any:
        self._last += 1
        said = json.dumps([0, self._last, f"WebDriver:{command}", fields]).encode()
        self._writer.write(b"%d:%b" % (len(said), said))
        await self._writer.drain()
        _, _, error, result = await self._read()
        assert error is None, f"{command}: {error}"
        return result.get("value", result) if isinstance(result, dict) else result

    async def _read(self) -> Any:
        length = await self._reader.readuntil(b":")
        return json.loads(await self._reader.readexactly(int(length[:-1])))

    def close(self) -> None:
        self._writer.close()


class WebDriver:
    """WebKit's line: HTTP to its driver."""

    PATHS: ClassVar = {
        "Navigate": "POST /url",
        "ExecuteScript": "POST /execute/sync",
        "FindElement": "POST /element",
        "ElementClick": "POST /element/{id}/click",
        "ElementSendKeys": "POST /element/{id}/value",
        "AddCookie": "POST /cookie",
        "PerformActions": "POST /actions",
        "TakeScreenshot": "GET /screenshot",
        "SetWindowRect": "POST /window/rect",
    }

    def __init__(self, http: httpx.AsyncClient, session: str) -> None:
        self._http, self._session = http, session

    @classmethod
    async def at(cls, http: httpx.AsyncClient, shell: str) -> WebDriver:
        options = {"binary": shell, "args": ["--automation"]}
        wanted = {"alwaysMatch": {"webkitgtk:browserOptions": options}}
        end = asyncio.get_running_loop().time() + PATIENCE_S
        while True:
            try:
                answer = await http.post("/session", json={"capabilities": wanted})
            except httpx.ConnectError:
                assert asyncio.get_running_loop().time() < end, "WebKit's driver does not answer"
                await asyncio.sleep(0.2)
                continue
            assert answer.status_code == 200, answer.text
            return cls(http, answer.json()["value"]["sessionId"])

    async def ask(self, command: str, **fields: Any) -> Any:
        method, _, path = self.PATHS[command].partition(" ")
        place = f"/session/{self._session}{path.format(id=fields.pop('id', ''))}"
        answer = await self._http.request(method, place, json=fields if method == "POST" else None)
        assert answer.status_code == 200, f"{command}: {answer.text}"
        return answer.json()["value"]


class Window:
    """A page in one of them, the size of a phone's."""

    def __init__(self, line: Line, origin: str) -> None:
        self._line, self._origin = line, origin

    async def goto(self, path: str) -> None:
        await self._line.ask("Navigate", url=self._origin + path)

    async def sign_in(self, cookie: str, token: str) -> None:
        """A cookie is only taken by a page of its origin."""
        await self.goto("/robots.txt")
        said = {"name": cookie, "value": token, "path": "/", "httpOnly": True, "sameSite": "Lax"}
        await self._line.ask("AddCookie", cookie=said)

    async def run(self, script: str, *words: Any) -> Any:
        """What a function with that body gives."""
        return await self._line.ask("ExecuteScript", script=script, args=list(words))

    async def true(self, expression: str, within_s: float = PATIENCE_S) -> None:
        """Waits until an expression is true on the page."""
        end = asyncio.get_running_loop().time() + within_s
        while not await self.run(f"return Boolean({expression})"):
            if asyncio.get_running_loop().time() > end:
                text = await self.run("return document.body.innerText")
                raise AssertionError(f"never true: {expression}; the page says: {text}")
            await asyncio.sleep(0.1)

    async def seen(self, testid: str) -> None:
        await self.true(
            f"document.querySelector('[data-testid={testid}]')?.getClientRects().length"
        )

    async def click(self, testid: str) -> None:
        """Once it has come to rest, since sheets slide in; off from the edges, where bars lie."""
        await self.seen(testid)
        found = f"document.querySelector('[data-testid={testid}]')"
        await self.run(f"{found}.scrollIntoView({{block: 'center', behavior: 'instant'}})")
        before = None
        while (
            now := await self.run(f"return JSON.stringify({found}.getBoundingClientRect())")
        ) != before:
            before = now
            await asyncio.sleep(0.1)
        await self._line.ask("ElementClick", id=await self._handle(testid))

    async def type(self, testid: str, text: str) -> None:
        """Also the path of a file, into a field for files."""
        # A field for files is not on screen: the button beside it opens the chooser.
        await self.true(f"document.querySelector('[data-testid={testid}]')")
        await self._line.ask("ElementSendKeys", id=await self._handle(testid), text=text)

    async def press(self, key: str) -> None:
        """A key, by WebDriver's code for it."""
        strokes = [{"type": kind, "value": key} for kind in ("keyDown", "keyUp")]
        keys = {"type": "key", "id": "keyboard", "actions": strokes}
        await self._line.ask("PerformActions", actions=[keys])

    async def screenshot(self) -> bytes:
        return base64.b64decode(await self._line.ask("TakeScreenshot"))

    async def _handle(self, testid: str) -> str:
        found = await self._line.ask(
            "FindElement", using="css selector", value=f"[data-testid={testid}]"
        )
        return str(found[ELEMENT])


@contextlib.asynccontextmanager
async def in_firefox(origin: str, home: Path, port: int) -> AsyncIterator[Window]:
    """A window of Firefox with a profile of its own in `home`."""
    program = firefox()
    assert program is not None
    told = {**PREFERENCES, "marionette.port": port}
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in told.items()]
    (home / "user.js").write_text("\n".join(lines))
    words = [program, "--headless", "--marionette", "--no-remote", "--profile", str(home)]
    with _running(words, home):
        line = await Marionette.at(port)
        try:
            await line.ask("NewSession", capabilities={})
            await line.ask("SetWindowRect", width=WIDTH, height=HEIGHT)
            yield Window(line, origin)
        finally:
            line.close()


@contextlib.asynccontextmanager
async def in_webkit(origin: str, home: Path, port: int) -> AsyncIterator[Window]:
    """A window of WebKit on a screen that nobody sees."""
    found = webkit()
    assert found is not None
    driver, shell = found
    with _screen(home) as display:
        more = {"DISPLAY": display, "LIBGL_ALWAYS_SOFTWARE": "1"}
        if os.geteuid() == 0:
            # Its sandbox is not made for root, who runs tests in containers.
            more["WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS"] = "1"
        with _running([driver, f"--port={port}"], home, **more):
            place = f"http://127.0.0.1:{port}"
            async with httpx.AsyncClient(
                base_url=place, timeout=2 * PATIENCE_S, trust_env=False
            ) as http:
                line = await WebDriver.at(http, shell)
                await line.ask("SetWindowRect", x=0, y=0, width=WIDTH, height=HEIGHT)
                yield Window(line, origin)


@contextlib.contextmanager
def _running(words: list[str], home: Path, **more: str) -> Any:
    """A program and all that it starts, in a group of their own that ends with the block."""
    environment = {**os.environ, "HOME": str(home), "XDG_RUNTIME_DIR": str(home), **more}
    with (home / "output.log").open("ab") as log:
        process = subprocess.Popen(
            words, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextlib.contextmanager
def _screen(home: Path) -> Any:
    """The name of a display that is free: the server chooses it, and says so."""
    reads, writes = os.pipe()
    words = ["Xvfb", "-displayfd", str(writes), "-screen", "0", f"{WIDTH}x{HEIGHT}x24"]
    with (home / "screen.log").open("ab") as log:
        process = subprocess.Popen(
            [*words, "-nolisten", "tcp"], pass_fds=[writes], stdin=subprocess.DEVNULL,
            stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    os.close(writes)
    try:
        with os.fdopen(reads) as told:
            number = told.readline().strip()
        assert number, (home / "screen.log").read_text()
        yield f":{number}"
    finally:
        process.terminate()
        process.wait()
