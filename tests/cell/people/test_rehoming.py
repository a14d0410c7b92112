"""The cell gets another host name: told before, done after, and in the log."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from tests.cell.house import House
from tests.cell.people.authenticator import Authenticator
from tests.cell.people.support import ORIGIN
from tests.cell.people.test_passkeys import add

from luciole import rehoming
from luciole.config import DatabaseSettings, Settings, WebSettings
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
        f"LUCIOLE_CELL_NAME=Mine\nLUCIOLE_WEB_ORIGIN={NEW}\nLUCIOLE_PUSH=off\n"
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
