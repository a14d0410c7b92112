"""A cell gets another host name, and people and staff get in again under it: through its front
door, with the commands that the operator types."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.drills.browser import Browser
from tests.drills.cell_process import ROOT, free_port, none_left, serve, started

READY = r"The cell answers after"
OLD, NEW = "old.example", "new.example"

pytestmark = [
    pytest.mark.long, pytest.mark.xdist_group("start"), pytest.mark.timeout(900)
]  # fmt: skip


def said_by(environment: dict[str, str], *words: str) -> tuple[int, str]:
    """What the operator types at the machine, and what comes."""
    done = subprocess.run(
        [sys.executable, "-m", "luciole", *words], cwd=ROOT, env=environment,
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_people_and_staff_get_in_under_the_new_name(tmp_path: Path) -> None:
    data, port, file = tmp_path / "data", free_port(), tmp_path / "cell.env"
    file.write_text(
        f'LUCIOLE_CELL_NAME="Mine"\nLUCIOLE_WEB_ORIGIN=https://{OLD}\nLUCIOLE_PUSH=off\n'
    )

    def settings() -> dict[str, str]:
        """As the unit gives them: from the file."""
        lines = [line.partition("=") for line in file.read_text().splitlines()]
        return {name: value.strip('"') for name, _, value in lines}

    command, machine = serve(data, port, LUCIOLE_PEOPLE_REGISTRATION="open")
    with started(command, {**machine, **settings()}) as cell:
        cell.wait_for(READY, 240)
        # With a password alone; with both; with a passkey alone; and one of the staff.
        people = {name: Browser(port, OLD) for name in ("pia", "ben", "kay", "eve")}
        people["pia"].sign_up("pia")
        people["ben"].sign_up("ben")
        keys = {"ben": people["ben"].add_passkey()}
        for name in ("kay", "eve"):
            keys[name] = people[name].device()
            people[name].sign_up(name, keys[name])
        assert said_by({**machine, **settings()}, "staff", "add", "eve")[0] == 0
        assert people["eve"].begin_work(keys["eve"])[0] == 201
        for name, key in keys.items():
            assert Browser(port, OLD).by_passkey(key)[0] == 201, name

        # What follows is said first. The file has the old name; the shell of the operator has not.
        words = ("domain", f"https://{NEW}", "--settings", str(file))
        status, told = said_by(machine, *words)
        assert status == 0, told
        assert f"From https://{OLD} to https://{NEW}:" in told
        assert "those of 3 people open nothing any more" in told
        assert "2 of them have no password" in told
        assert "0 of them have neither" in told
        assert "luciole staff remove eve; luciole staff add eve --role operator" in told
        assert "Nothing was changed" in told
        assert cell.stop() == 0

    status, told = said_by(machine, *words, "--yes")
    assert status == 0, told
    assert f"redir https://{NEW}{{uri}} 308" in told
    assert settings()["LUCIOLE_WEB_ORIGIN"] == f"https://{NEW}"
    assert settings()["LUCIOLE_WEB_FORMER_HOSTS"] == OLD
    assert settings()["LUCIOLE_CELL_NAME"] == "Mine"

    with started(command, {**machine, **settings()}) as cell:
        cell.wait_for(READY, 240)
        here = {**machine, **settings()}
        # Whoever comes is told why their passkey is not offered, and of which name it was.
        assert Browser(port, NEW).did("GET", "/api/cell")["former_hosts"] == [OLD]
        for key in keys.values():
            status, refusal = Browser(port, NEW).by_passkey(key)
            assert (status, refusal["code"]) == (401, "passkey-refused")
            assert refusal["next_step"]
        # Each other way works; a new passkey then does what the old one did.
        for name in ("pia", "ben"):
            Browser(port, NEW).by_password(name)
        kay = Browser(port, NEW)
        kay.by_code("kay", people["kay"].codes[0])
        (listed,) = kay.did("GET", "/api/me/passkeys")["items"]
        assert listed["former_host"] == OLD
        new_key = kay.add_passkey()
        assert Browser(port, NEW).by_passkey(new_key)[0] == 201
        # The old one is no way in, so the new one is the last.
        items = kay.did("GET", "/api/me/passkeys")["items"]
        last = next(one["id"] for one in items if one["former_host"] is None)
        status, refusal = kay.ask("DELETE", f"/api/me/passkeys/{last}")
        assert (status, refusal["code"]) == (409, "last-way-in")
        kay.did("DELETE", f"/api/me/passkeys/{listed['id']}")

        # Staff: the doctor says who is left outside, and the documented way lets them in.
        status, told = said_by(here, "doctor")
        assert status == 0, told
        assert "WARN  staff: nothing opens for eve" in told
        eve = Browser(port, NEW)
        eve.by_code("eve", people["eve"].codes[0])
        assert eve.begin_work(keys["eve"])[0] == 403
        said_by(here, "staff", "remove", "eve")
        # Not with the passkeys of then.
        status, told = said_by(here, "staff", "add", "eve")
        assert status == 1, told
        assert "a passkey for the cell's name as it is" in told
        staff_key = eve.add_passkey()
        status, told = said_by(here, "staff", "add", "eve", "--role", "operator")
        assert status == 0, told
        assert eve.begin_work(staff_key)[0] == 201
        overview = eve.did("GET", "/api/staff/console/overview")
        assert overview
        status, told = said_by(here, "doctor")
        assert status == 0, told
        assert "OK    staff: each has a passkey for the cell's name" in told
        assert "FAIL" not in told

        # What the cell gives away names the new address, and the old one nowhere.
        status, told = said_by(here, "invite", "add")
        assert status == 0, told
        assert f"https://{NEW}/sign-up#" in told
        for path in ("/@pia", "/api/cell", "/ledger/policy", "/api/glass"):
            text = json.dumps(Browser(port, NEW).did("GET", path))
            assert f"//{OLD}" not in text, path
            assert path != "/ledger/policy" or f"https://{NEW}/" in text
        assert cell.stop() == 0
    assert none_left(data) == []
