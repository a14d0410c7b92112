"""The person's own client, against a cell as it answers."""

from __future__ import annotations

import asyncio
import base64
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.cell.house import ORIGIN, PASSWORD, Browser, House
from tests.cell.rights.log import Log

from luciole.me import commands
from luciole.me.client import BadAddress, CellRefused, Client, TokenFileOpen

MINUTE = 29_700_000


class Bridge(httpx.BaseTransport):
    """Requests of a thread, answered by the application in the loop."""

    def __init__(self, browser: Browser) -> None:
        self._browser, self._loop = browser, asyncio.get_running_loop()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        async def ask() -> httpx.Response:
            return await self._browser.request(
                request.method, request.url, content=request.read(), headers=request.headers
            )

        found = asyncio.run_coroutine_threadsafe(ask(), self._loop).result()
        return httpx.Response(found.status_code, headers=found.headers, content=found.content)


def client_of(house: House, handle: str, password: str = PASSWORD, **more: Any) -> Client:
    bridge = Bridge(house.visitor())
    return Client(ORIGIN, handle, more.pop("token_file", None), ask=lambda _: password,
                  transport=bridge, **more)  # fmt: skip


@pytest.fixture
def policy(log: Log, tmp_path: Path) -> Path:
    """Whom to trust, kept by the person."""
    path = tmp_path / "policy"
    path.write_text(f"log {log.signer.verifier}\nquorum none\n")
    return path


async def test_data_and_journal_are_printed(
    house: House, log: Log, ana: Browser, capsys: pytest.CaptureFixture[str]
) -> None:
    client = client_of(house, "@ana")
    assert await asyncio.to_thread(commands.data, client) == 0
    assert await asyncio.to_thread(commands.journal, client) == 0
    printed = capsys.readouterr().out
    assert "PERSONAL: the service needs it" in printed
    assert "1 in people/account" in printed
    assert "self, enrol" in printed
    await asyncio.to_thread(client.close)
    assert len((await ana.get("/api/sessions")).json()["items"]) == 1, "it has signed out again"


async def test_verify_is_green_once_a_day_is_sealed(
    house: House, log: Log, ana: Browser, policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    client = client_of(house, "ana")
    client_in = asyncio.to_thread(client.sign_in)
    await client_in
    await log.take()
    assert await asyncio.to_thread(commands.verify, client, policy, None) == 2
    await log.seal(MINUTE)
    assert await asyncio.to_thread(commands.verify, client, policy, None) == 0
    printed = capsys.readouterr().out
    assert "CANNOT TELL: The log has no seal yet" in printed
    assert "GREEN: No other entry is about you, up to 2026-06-" in printed
    assert "3 entries about you" in printed


async def test_verify_is_red_for_a_cell_that_lies(
    house: House, log: Log, ana: Browser, policy: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    client = client_of(house, "ana")
    await asyncio.to_thread(client.sign_in)
    await log.take()
    await log.seal(MINUTE)
    original = client.get

    async def verdict(change: Any) -> str:
        def get(path: str, **params: Any) -> Any:
            found = original(path, **params)
            change(path, found)
            return found

        monkeypatch.setattr(client, "get", get)
        assert await asyncio.to_thread(commands.verify, client, policy, None) == 1
        return capsys.readouterr().out

    def leave_out(path: str, found: Any) -> None:
        """The last entry, as if it were not there."""
        if path.endswith("proof"):
            found["entries"].pop()

    def swap(path: str, found: Any) -> None:
        if path.endswith("proof"):
            found["entries"].pop(1)

    def reword(path: str, found: Any) -> None:
        if path.endswith("journal"):
            found["items"][0]["opening"] = found["items"][0]["opening"].replace("self", "sell")

    def hide_seals(path: str, found: Any) -> None:
        if path.endswith("proof"):
            found["absence"][0]["nodes"] = []
            found["absence"][0]["leaves"] = found["absence"][0]["leaves"][:1]

    assert "RED" in await verdict(leave_out)
    assert "Entry 1 is missing" in await verdict(swap)
    assert "not what the log committed to" in await verdict(reword)
    assert "RED" in await verdict(hide_seals)
    monkeypatch.setattr(client, "get", original)
    other = tmp_path / "label-key"
    other.write_text(base64.b64encode(bytes(32)).decode())
    assert await asyncio.to_thread(commands.verify, client, policy, other) == 1


async def test_export_is_downloaded_and_compared(
    house: House, log: Log, ana: Browser, tiny_film: bytes, tmp_path: Path
) -> None:
    await ana.clip(house, tiny_film)
    client, target = client_of(house, "ana"), tmp_path / "mine.zip"
    loop = asyncio.get_running_loop()

    def work(_seconds: float) -> None:
        asyncio.run_coroutine_threadsafe(house.work(), loop).result()

    assert await asyncio.to_thread(commands.export, client, target, work) == 0
    assert target.stat().st_mode & 0o077 == 0
    assert commands.compared(target) == ""
    with zipfile.ZipFile(target) as archive:
        assert archive.testzip() is None
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr("more.json", "[]")
    assert commands.compared(target) == "more.json differs."


async def test_erase_asks_for_the_handle_first(
    house: House, log: Log, ana: Browser, capsys: pytest.CaptureFixture[str]
) -> None:
    client = client_of(house, "ana")

    def erase(typed: str) -> int:
        return commands.erase(client, now=False, ask=lambda _: typed)

    assert await asyncio.to_thread(erase, "yes") == 1
    assert (await ana.get("/api/me/erasure")).status_code == 404
    assert await asyncio.to_thread(erase, "@ana") == 0
    assert (await ana.get("/api/me/erasure")).json()["state"] == "waiting"
    assert "ticket" in capsys.readouterr().out


async def test_token_comes_from_a_file_that_is_ones_own(
    house: House, log: Log, ana: Browser, tmp_path: Path
) -> None:
    path = tmp_path / "token"
    path.write_text(f"{ana.token}\n")
    path.chmod(0o644)
    with pytest.raises(TokenFileOpen):
        client_of(house, "ana", token_file=path)
    path.chmod(0o600)
    client = client_of(house, "ana", token_file=path)
    assert await asyncio.to_thread(commands.journal, client) == 0
    await asyncio.to_thread(client.close)
    assert (await ana.get("/api/me")).status_code == 200, "a session of one's own stays open"


async def test_wrong_password_and_open_lines_are_refused(house: House, ana: Browser) -> None:
    with pytest.raises(CellRefused) as refusal:
        await asyncio.to_thread(client_of(house, "ana", "not this").sign_in)
    assert refusal.value.code == "wrong-sign-in"
    with pytest.raises(BadAddress):
        Client("http://cell.example", "ana", None)
