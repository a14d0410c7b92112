"""The cell gets another host name: told before, done after, and in the log."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import msgspec
import pytest
from tests.cell.house import House
from tests.cell.people.authenticator import Authenticator
from tests.cell.people.support import ORIGIN, refused
from tests.cell.people.test_passkeys import add

from luciole import rehoming, staffing
from luciole.config import DatabaseSettings, Settings, WebSettings, load
from luciole.kit.db import Database

OLD, NEW = "https://old.example", "https://new.example"


@pytest.fixture
def settings(empty_url: str) -> Settings:
    return Settings(database=DatabaseSettings(url=empty_url), web=WebSettings(origin=OLD))


async def test_what_follows_is_told_and_nothing_is_done_without_a_yes(
    house: House, settings: Settings, tmp_path: Path, pools: tuple[Database, Database]
) -> None:
    ana = await house.person("ana")
    await add(ana, Authenticator(ORIGIN))  # type: ignore[arg-type]
    file = tmp_path / "cell.env"
    file.write_text(f"LUCIOLE_CELL_NAME=Mine\nLUCIOLE_WEB_ORIGIN={OLD}\nLUCIOLE_PUSH=off\n")
    said = "\n".join(await rehoming.done(settings, NEW, str(file), do=False))
    assert "those of 1 people open nothing any more" in said
    assert "0 of them have no password" in said
    assert "Nothing was changed" in said
    assert OLD in file.read_text()

    await rehoming.done(settings, f"{NEW}/", str(file), do=True)
    assert file.read_text() == (
        f"LUCIOLE_CELL_NAME=Mine\nLUCIOLE_WEB_ORIGIN={NEW}\n"
        'LUCIOLE_WEB_FORMER_HOSTS="old.example"\nLUCIOLE_PUSH=off\n'
    )
    async with pools[0].read() as tx:
        entries = await tx.fetch("SELECT entry FROM ledger.inbox WHERE log = 'decisions'")
    told = [msgspec.json.decode(row["entry"]) for row in entries]
    assert [(one["kind"], one["from"], one["to"]) for one in told] == [("domain", OLD, NEW)]


async def test_passkeys_go_on_where_only_the_port_changes(settings: Settings) -> None:
    said = "\n".join(await rehoming.done(settings, f"{OLD}:8443", "", do=False))
    assert "they go on" in said


@pytest.mark.parametrize(
    "origin", ["new.example", "http://new.example", OLD, "https://a b.example"]
)
async def test_what_is_no_origin_is_refused(settings: Settings, origin: str) -> None:
    with pytest.raises(rehoming.BadDomain):
        await rehoming.done(settings, origin, "", do=False)


async def test_a_file_without_the_line_is_not_touched(settings: Settings, tmp_path: Path) -> None:
    for file in (tmp_path / "missing.env", tmp_path / "other.env"):
        if file.name == "other.env":
            file.write_text("A=1\n")
        with pytest.raises(rehoming.NoSettingsFile):
            await rehoming.done(settings, NEW, str(file), do=True)


async def test_a_passkey_of_a_former_name_is_no_way_in_until_the_name_is_back(
    house: House, settings: Settings, tmp_path: Path
) -> None:
    ana = await house.person("ana")
    await add(ana, Authenticator(ORIGIN))  # type: ignore[arg-type]
    await staffing.change(settings, "add", "ana", house.clock, ("moderator",))
    file = tmp_path / "cell.env"
    file.write_text(f"LUCIOLE_WEB_ORIGIN={OLD}\n")
    said = await rehoming.done(settings, NEW, str(file), do=True)
    assert "  luciole staff remove ana; luciole staff add ana --role moderator" in said
    assert "redir https://new.example{uri} 308" in said[-1]
    (listed,) = (await ana.get("/api/me/passkeys")).json()["items"]
    assert listed["former_host"] == "old.example"
    # It is counted as one that works nowhere, and makes nobody staff.
    assert await rehoming.staff_outside(settings) == ["ana"]
    await staffing.change(settings, "remove", "ana", house.clock)
    with pytest.raises(staffing.CannotBeStaff):
        await staffing.change(settings, "add", "ana", house.clock)
    there = load({"LUCIOLE_WEB_ORIGIN": NEW, "LUCIOLE_WEB_FORMER_HOSTS": "old.example"})
    there = msgspec.structs.replace(there, database=settings.database)
    said = await rehoming.done(there, OLD, str(file), do=True)
    assert "Passkeys: those of 0 people open nothing any more" in "\n".join(said)
    assert file.read_text() == (
        f'LUCIOLE_WEB_ORIGIN={OLD}\nLUCIOLE_WEB_FORMER_HOSTS="new.example"\n'
    )
    (listed,) = (await ana.get("/api/me/passkeys")).json()["items"]
    assert listed["former_host"] is None
    await staffing.change(settings, "add", "ana", house.clock)
    assert await rehoming.staff_outside(settings) == []


async def test_the_last_passkey_that_opens_something_stays(
    house: House, settings: Settings, tmp_path: Path
) -> None:
    ana = await house.person("ana")
    await add(ana, Authenticator(ORIGIN))  # type: ignore[arg-type]
    file = tmp_path / "cell.env"
    file.write_text(f"LUCIOLE_WEB_ORIGIN={OLD}\n")
    await rehoming.done(settings, NEW, str(file), do=True)
    await add(ana, Authenticator(ORIGIN))  # type: ignore[arg-type]
    owner = await Database.open(settings.database.url, size=1)
    async with owner.tx() as tx:
        await tx.execute("DELETE FROM people.password")
    await owner.close()
    former, new = (await ana.get("/api/me/passkeys")).json()["items"]
    refused(await ana.delete(f"/api/me/passkeys/{new['id']}"), 409, "last-way-in")
    assert (await ana.delete(f"/api/me/passkeys/{former['id']}")).status_code == 204


def chosen(file: Path, *, yes: bool) -> argparse.Namespace:
    return argparse.Namespace(origin=NEW, settings=str(file), yes=yes)


def test_the_old_name_is_what_the_file_says_and_not_the_shell(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[str] = []

    async def noted(settings: Settings, origin: str, *, do: bool) -> list[str]:
        seen.extend((settings.origin, settings.cell.name, origin))
        return ["It follows."]

    monkeypatch.setattr(rehoming, "_noted", noted)
    monkeypatch.setenv("LUCIOLE_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("LUCIOLE_WEB_ORIGIN", raising=False)
    file = tmp_path / "cell.env"
    file.write_text(f'# Mine\nLUCIOLE_CELL_NAME="My cell"\nLUCIOLE_WEB_ORIGIN={OLD}\n')
    assert rehoming.command(chosen(file, yes=True)) == 0
    assert seen == [OLD, "My cell", NEW]
    assert f"{file} names {NEW} now." in capsys.readouterr().out
    file.write_text('LUCIOLE_CELL_NAME="My cell\n')
    with pytest.raises(rehoming.NoSettingsFile):
        rehoming.command(chosen(file, yes=False))


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user, so needs root")
def test_root_leaves_the_database_to_the_user_whose_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def noted(settings: Settings, origin: str, *, do: bool) -> list[str]:
        return [f"{os.getresuid()} {os.getresgid()} {os.getgroups()}"]

    monkeypatch.setattr(rehoming, "_noted", noted)
    data, file = tmp_path / "data", tmp_path / "cell.env"
    data.mkdir()
    os.chown(data, 12345, 12346)
    monkeypatch.setenv("LUCIOLE_DATA_DIR", str(data))
    file.write_text(f"LUCIOLE_WEB_ORIGIN={OLD}\n")
    assert rehoming.command(chosen(file, yes=True)) == 0
    assert "(12345, 12345, 12345) (12346, 12346, 12346) []" in capsys.readouterr().out
    assert file.stat().st_uid == 0
    assert NEW in file.read_text()
