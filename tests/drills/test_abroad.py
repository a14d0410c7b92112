"""Two real cells: one keeps the backup of the other, whose machine is lost and comes back."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import shutil
import subprocess
import time
from pathlib import Path
from uuid import UUID

import pytest
from tests import canary, keeper_keys
from tests.drills.cell_process import Cell, free_port, get, none_left, serve, started
from tests.drills.planted import PASSWORD, ask, browser

from luciole.border.kept import PIECE_BYTES
from luciole.config import CellSettings, Settings
from luciole.kit.blobs import Blobs
from luciole.ledger.archive import CHECKPOINT, PENDING, Tiles
from luciole.ledger.note import Checkpoint, Note

READY = r"The cell answers after ([\d.]+) s: (\S+)"
STEM = "quetzalcanary"
pytestmark = [pytest.mark.long, pytest.mark.xdist_group("start"), pytest.mark.timeout(900)]

Place = tuple[list[str], dict[str, str]]


def place(data: Path, name: str, port: int, border: int, **more: str) -> Place:
    return serve(
        data,
        port,
        LUCIOLE_CELL_SHORT_NAME=name,
        LUCIOLE_BORDER_PORT=str(border),
        LUCIOLE_BORDER_ORIGIN=f"http://127.0.0.1:{border}",
        **more,
    )


def luciole(at: Place, *words: str, seconds: float = 240) -> str:
    command, environment = at
    done = subprocess.run(
        [*command[:-1], *words],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def make_peers(one: Place, other: Place) -> None:
    for here, there in ((one, other), (other, one)):
        said = luciole(there, "peer", "invite")
        address = re.search(r"address:\s+(\S+)", said)
        fingerprint = re.search(r"fingerprint:\s+([0-9a-f ]+)", said)
        assert address
        assert fingerprint
        luciole(here, "peer", "add", address[1], "--fingerprint", fingerprint[1].strip())


def person(port: int, handle: str, stem: str = STEM) -> None:
    with browser(port) as http:
        body = {
            "handle": handle,
            "display_name": f"{stem} {handle}",
            "age_band": "18+",
            "locale": "en",
            "password": PASSWORD,
        }
        ask(http, "POST", "/api/sign-up", json=body)
        ask(
            http,
            "PUT",
            "/api/me/contacts/email",
            json={"value": f"{stem.replace(' ', '-')}{handle}@example.org"},
        )


def head_of(folder: Path, log: str, name: str) -> Checkpoint:
    raw = (folder / "ledger" / log / name).read_bytes()
    return Checkpoint.parse(Note.parse(raw).text)


async def continues(blobs: Path, log: str, old: Checkpoint) -> int:
    """How many entries a log has more than an old head, which it must continue."""
    new = head_of(blobs, log, CHECKPOINT)
    store = Blobs.open(str(blobs))
    await Tiles(lambda path: store.get(f"ledger/{log}/{path}")).proof(old, new)
    return new.size - old.size


def kill_shipper(cell: Cell, data: Path) -> None:
    """The shipper is killed; the supervisor starts it again."""
    note = json.loads((data / "run" / "running.json").read_text())
    subprocess.run(["kill", "-9", str(note["children"]["abroad"][0])], check=True)
    cell.wait_for("abroad ended", 30)


def nothing_opens(data: Path, home_root: bytes) -> None:
    """With the root of the cell that keeps the pieces, and all that this opens there."""
    keeper = Settings(data_dir=str(data), cell=CellSettings(short_name="sg"))
    keys = keeper_keys.keys_in(keeper, UUID(home_root.split()[1].decode()))
    assert len([name for name in keys if name.startswith("data key")]) == 1
    assert keeper_keys.is_blind(keys, min(PIECE_BYTES)) == []
    pieces = [path.read_bytes() for path in canary.files(keeper.trustee_dir / "backups")]
    assert len(pieces) > 10
    tried = keeper_keys.tried(pieces, keys)
    assert (tried.tries, tried.opened) == (len(pieces) * len(keys), [])


def test_lost_machine_comes_back_from_the_other_cell(tmp_path: Path) -> None:
    data, border, port = tmp_path / "us", free_port(), free_port()
    sg_port, sg_border, keys = free_port(), free_port(), tmp_path / "key-copies"
    sg = place(tmp_path / "sg", "sg", sg_port, sg_border, LUCIOLE_TRUSTEE_BACKUP_BYTES=str(1 << 30))
    more = {
        "LUCIOLE_ABROAD_PEER": "sg",
        "LUCIOLE_ABROAD_EVERY_S": "1",
        "LUCIOLE_KEYS_BACKUP_DIR": str(keys),
    }
    us = place(data, "us", port, border, **more)
    with started(*sg) as other:
        other.wait_for(READY, 90)
        with started(*us) as cell:
            cell.wait_for(READY, 90)
            make_peers(us, sg)
            person(sg_port, "kim", "neighbour")
            luciole(us, "abroad", "key", str(tmp_path / "recovery.key"))
            person(port, "ana")
            luciole(us, "abroad", "now")
            kill_shipper(cell, data)
            person(port, "ben")
            # The copy of the keys, and the round with it.
            time.sleep(3)
            luciole(us, "abroad", "now")
            said = luciole(us, "abroad", "status")
            assert "sealed to the recovery key" in said
            cell.stop()
        last = {log: head_of(data / "blobs", log, PENDING) for log in ("access", "decisions")}
        root = (data / "keys" / "root.key").read_bytes()
        shutil.rmtree(data)
        shutil.rmtree(keys)
        # All that the other cell holds, root included.
        assert canary.search(canary.files(tmp_path / "sg"), {"stem": STEM.encode()}) == []
        nothing_opens(tmp_path / "sg", root)
        # Another machine: the root, the recovery key, and the address of the other cell.
        (data / "keys").mkdir(mode=0o700, parents=True)
        (data / "keys" / "root.key").write_bytes(root)
        (data / "keys" / "root.key").chmod(0o600)
        origin = f"http://127.0.0.1:{sg_border}"
        said = luciole(us, "abroad", "restore", str(tmp_path / "recovery.key"), "--from", origin)
        assert "2 people" in said, said
        assert "erased again: 0 people" in said, said
        assert "is lost" not in said, said
        with started(*us) as cell:
            cell.wait_for(READY, 90)
            with browser(port) as http:
                ask(http, "POST", "/api/sessions", json={"handle": "ana", "password": PASSWORD})
                mail = ask(http, "GET", "/api/me/contacts").text
                assert f"{STEM}ana@example.org" in mail
                entries = ask(http, "GET", "/api/me/journal").json()["items"]
                assert "restore" in {entry["purpose"] for entry in entries}
            assert get(port, "/api/people/ana")[0] == 200
            # The logs go on behind what was there last, and nobody is told another story.
            for log, old in last.items():
                until = time.monotonic() + 60
                while True:
                    with contextlib.suppress(OSError):
                        size = head_of(data / "blobs", log, CHECKPOINT).size
                        if size > old.size or (log == "access" and size >= old.size):
                            break
                    assert time.monotonic() < until, log
                    time.sleep(0.2)
                assert asyncio.run(continues(data / "blobs", log, old)) >= 0
            cell.stop()
        other.stop()
    assert none_left(tmp_path) == []
