"""What an earlier version of this repository left, with its own code, works with this one: its data
folder after `luciole upgrade`, and its backup after `luciole restore`."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.cell.house import Browser
from tests.cell.messages.phone import Phone, befriend
from tests.drills import earlier
from tests.drills.cell_process import ROOT, free_port, none_left, serve, started
from tests.drills.films import watch
from tests.unit.media import films

from luciole.keys.signing import Algorithm, SigningKey

READY = r"The cell answers after ([\d.]+) s: (\S+)"
PASSWORD = "seven turquoise herons"
EMAIL = "ana@example.org"
SEALED = b"sealed by a device of ana"
LOGS = ("access", "decisions")
#: The newest migration of each: the one of the evening of 26 November.
EARLIER = ("0027",)
WITHIN_S = 120.0
Command = tuple[list[str], dict[str, str]]
pytestmark = [pytest.mark.long, pytest.mark.xdist_group("start"), pytest.mark.timeout(1800)]


@dataclass
class Left:
    """What the people of the earlier version have: the clip as it played, the journal of ana, and
    how far the logs had come."""

    anas: Phone
    bens: Phone
    talk: str
    clip_id: str
    place: str
    film: bytes
    journal: list[dict[str, Any]]
    sizes: dict[str, int]


@contextlib.asynccontextmanager
async def browsers(port: int) -> AsyncIterator[Callable[[], Browser]]:
    async with contextlib.AsyncExitStack() as stack:

        def one() -> Browser:
            made = Browser(
                base_url=f"http://localhost:{port}",
                headers={"sec-fetch-site": "same-origin"},
                timeout=60,
            )
            stack.push_async_callback(made.aclose)
            return made

        yield one


async def ask(browser: Browser, method: str, path: str, **fields: Any) -> Any:
    answer = await browser.request(method, path, **fields)
    assert answer.is_success, (method, path, answer.status_code, answer.text)
    return answer.json() if "json" in answer.headers.get("content-type", "") else answer.content


async def until(what: Callable[[], Awaitable[Any]], right: Callable[[Any], bool]) -> Any:
    end = time.monotonic() + WITHIN_S
    while not right(found := await what()):
        assert time.monotonic() < end, found
        await asyncio.sleep(0.3)
    return found


async def signed_up(browser: Browser, handle: str) -> Phone:
    """Somebody new, with a device for messages."""
    body = {
        "handle": handle,
        "display_name": handle.title(),
        "age_band": "18+",
        "locale": "en",
        "password": PASSWORD,
    }
    await ask(browser, "POST", "/api/sign-up", json=body)
    browser.handle = handle
    phone = Phone(browser, SigningKey(Algorithm.ED25519, os.urandom(32)), datetime.now(UTC))
    made = (await phone.add()).json()
    phone.id, phone.person_id = made["id"], made["person_id"]
    assert (await phone.publish([phone.package()], phone.package())).is_success
    return phone


async def sizes(browser: Browser) -> dict[str, int]:
    """How many entries the published heads of the logs have."""
    return {
        log: int((await ask(browser, "GET", f"/ledger/{log}/checkpoint")).split(b"\n")[1])
        for log in LOGS
    }


async def journal(browser: Browser) -> list[dict[str, Any]]:
    """The person's entries, each with its place in the log."""

    async def read() -> Any:
        return (await ask(browser, "GET", "/api/me/journal"))["items"]

    return list(await until(read, lambda items: bool(items)))


async def live(one: Callable[[], Browser], folder: Path) -> Left:
    """Two people use the earlier version."""
    ana, ben = one(), one()
    anas, bens = await signed_up(ana, "ana"), await signed_up(ben, "ben")
    await ask(ana, "PUT", "/api/me/contacts/email", json={"value": EMAIL})
    await befriend(ana, ben)
    film = films.make(folder / "tiny.mp4", size="90x160", seconds=0.6, rate=10).read_bytes()
    draft = await ana.draft(film, caption="Hello #sea")
    clip_id = (await ask(ana, "POST", "/api/clips", json=draft))["id"]

    async def clip() -> Any:
        return await ask(ana, "GET", f"/api/clips/{clip_id}")

    shown = await until(clip, lambda found: found["state"] == "published")
    await ask(ben, "PUT", f"/api/clips/{clip_id}/like")
    await ask(ben, "POST", f"/api/clips/{clip_id}/comments", json={"text": "From before"})
    talk = await anas.talk("pair", bens)
    assert (await anas.send(talk, SEALED)).is_success
    # An entry about ana, of the grant with which this opened.
    assert (await ask(ana, "GET", "/api/me/contacts"))["items"][0]["value"] == EMAIL

    async def grown() -> Any:
        return await sizes(ana)

    return Left(
        anas,
        bens,
        talk,
        clip_id,
        place := shown["renditions"][0]["url"],
        await ask(ana, "GET", place),
        await journal(ana),
        await until(grown, lambda found: found["access"] >= 2),
    )


async def all_there(
    one: Callable[[], Browser], left: Left, folder: Path, *, is_restored: bool
) -> None:
    """Everything of before, asked for by the people themselves; and the cell goes on."""
    ana, ben = one(), one()
    for browser, handle in ((ana, "ana"), (ben, "ben")):
        sign_in = {"handle": handle, "password": PASSWORD}
        await ask(browser, "POST", "/api/sessions", json=sign_in)
        browser.handle = handle
    (clip,) = (await ask(one(), "GET", "/api/people/ana/clips"))["items"]
    assert (clip["id"], clip["caption"], clip["likes"]) == (left.clip_id, "Hello #sea", 1)
    stranger = one()

    async def played() -> tuple[str, bytes]:
        # A newer version seals files of before anew, under new names; then one asks again.
        place = (await ask(stranger, "GET", f"/api/clips/{left.clip_id}"))["renditions"][0]["url"]
        answer = await stranger.get(place)
        return place, answer.content if answer.is_success else b""

    place, film = await until(played, lambda found: bool(found[1]))
    assert film == left.film or place != left.place
    (folder / "plays.mp4").write_bytes(film)
    assert watch(folder / "plays.mp4", None) == ""
    said = (await ask(ana, "GET", f"/api/clips/{left.clip_id}/comments"))["items"]
    assert [(each["text"], each["by"]["handle"]) for each in said] == [("From before", "ben")]
    assert (await ask(ana, "GET", "/api/me/contacts"))["items"][0]["value"] == EMAIL
    kept = {each["n"]: each["purpose"] for each in left.journal}
    found = {each["n"]: each["purpose"] for each in await journal(ana)}
    assert found.items() >= kept.items()
    assert len(found) > len(kept)
    if not is_restored:
        # What was on its way arrives, at the device of before, and what is sent now, too.
        left.bens.browser, left.anas.browser = ben, ana
        assert ("message", SEALED) in await left.bens.fetch()
        assert (await left.anas.send(left.talk, b"later")).is_success
        assert await left.bens.fetch() == [("message", b"later")]
    await ask(ben, "POST", f"/api/clips/{left.clip_id}/comments", json={"text": "And after"})

    async def grown() -> Any:
        return await sizes(ana)

    await until(grown, lambda now: now["access"] > left.sizes["access"])


def audit(port: int, policy: Path, remember: Path, report: Path) -> dict[str, Any]:
    """What an auditor finds, who has seen the logs before where `remember` is there."""
    done = subprocess.run(
        [
            *(sys.executable, ROOT / "verifier" / "luciole_verify.py"),
            *(f"http://localhost:{port}/ledger", "--policy", policy),
            *("--remember", remember, "--json"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    report.write_text(done.stdout + done.stderr)
    return dict(json.loads(done.stdout))


def green(found: dict[str, Any], subject: str) -> bool:
    """Whether a claim was made about it, and holds."""
    about = [one for one in found["claims"] if one["claim"].startswith(subject)]
    return bool(about) and all(one["verdict"] == "GREEN" for one in about)


def run(command: Command, *words: str | Path) -> str:
    """What a command of a version said."""
    done = subprocess.run(
        [*command[0][:-1], *words], env=command[1], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("number", EARLIER)
async def test_what_an_earlier_version_left_works_with_this_one(
    number: str, tmp_path: Path
) -> None:
    commit = earlier.commit_with(number)
    tree = earlier.unpacked(commit, tmp_path / "tree")
    data, port, remember = tmp_path / "data", free_port(), tmp_path / "remember"
    backup, policy = tmp_path / "backup", tmp_path / "policy"
    # 1. The earlier version, with its own code and its own people.
    before = earlier.serve(tree, data, port)
    with started(*before, cwd=tree) as cell:
        cell.wait_for(READY, WITHIN_S)
        async with browsers(port) as one:
            left = await live(one, tmp_path)
            policy.write_bytes(await ask(one(), "GET", "/ledger/policy"))
        found = audit(port, policy, remember, tmp_path / "audit-before.json")
        assert found["verdict"] != "RED", found
        run(before, "backup", backup)
        assert cell.stop() == 0
    assert none_left(data) == []
    keys = tmp_path / "keys"
    shutil.copytree(data / "keys", keys)

    # 2. Its data folder, brought to this version.
    now = serve(data, port)
    said = run(now, "upgrade")
    assert "Applied: " in said, said
    assert "people.person 2" in said
    assert "clips.clip 1" in said
    with started(*now) as cell:
        cell.wait_for(READY, WITHIN_S)
        async with browsers(port) as one:
            await all_there(one, left, tmp_path, is_restored=False)
        # The auditor who has seen the heads of before: what is there now has grown out of them.
        found = audit(port, policy, remember, tmp_path / "audit-after.json")
        assert found["verdict"] != "RED", found
        assert green(found, "access: history"), found
        assert green(found, "decisions: history"), found
        assert "Nothing stands in the way." in run(now, "doctor")
        assert cell.stop() == 0
    assert none_left(data) == []

    # 3. Its backup, put by this version into an empty cell that has its keys.
    again, port = tmp_path / "again", free_port()
    again.mkdir(mode=0o700)
    shutil.copytree(keys, again / "keys")
    restored = serve(again, port)
    run(restored, "restore", backup)
    with started(*restored) as cell:
        cell.wait_for(READY, WITHIN_S)
        async with browsers(port) as one:
            await all_there(one, left, tmp_path, is_restored=True)
        assert "Nothing stands in the way." in run(restored, "doctor")
        assert cell.stop() == 0
    assert none_left(again) == []
