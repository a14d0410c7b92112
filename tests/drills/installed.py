"""What `luciole install` has written, run inside the unit's walls, in namespaces of its own that
`test_install` makes: `python -m tests.drills.installed SPEC`. Prints what was seen as JSON."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.drills.cell_process import get, is_ready
from tests.drills.films import Film
from tests.drills.phone import Ledger, Phone
from tests.drills.under_unit import PLACE, begin, confine, environment, lines, place

READY_WITHIN_S = 240
PLAYS_WITHIN_S = 240
STOPS_WITHIN_S = 60


def main() -> None:
    "".encode("idna")  # what sockets load at the first address, and would not find inside
    spec = json.loads(Path(sys.argv[1]).read_text())
    base, code, port = Path(spec["base"]), Path(spec["code"]), spec["port"]
    root = base / "root"
    unit = lines((root / "etc/systemd/system/luciole.service").read_text())
    backup = lines((root / "etc/systemd/system/luciole-backup.service").read_text())
    settings = (root / "etc/luciole/cell.env").read_text()
    film = Film("red", (base / "red.mp4").read_bytes(), "published")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    place(base, code)
    confine({**unit, "ReadWritePaths": backup["ReadWritePaths"]})
    given = environment(unit, settings, spec["more"])
    seen: dict[str, Any] = {}
    with alive(unit, given, port, seen):
        status, page = get(port, "/")
        seen["page"] = [status, "<title" in page.decode()]
        seen["film"] = played(port, film)
        seen["doctor"] = said_by(begin(unit, given, [*command(unit), "doctor"]))
        seen["backup"] = said_by(begin(backup, environment(backup, settings, spec["more"])))
        seen["others"] = sorted(
            one.name for one in Path("/srv/backup").iterdir() if one.stat().st_uid != os.getuid()
        )
    seen["as root"] = as_root(unit, spec["more"], "staff", "list")
    seen["renamed"] = renamed(unit, settings, spec["more"])
    again: dict[str, Any] = {}
    with alive(unit, {**given, **origin_in(Path("/tmp/cell.env"))}, port, again):
        seen["former"] = json.loads(get(port, "/api/cell")[1])["former_hosts"]
    seen["again"] = [again["exit"], again["left"]]
    print(json.dumps(seen), flush=True)


@contextlib.contextmanager
def alive(
    unit: dict[str, str], given: dict[str, str], port: int, seen: dict[str, Any]
) -> Iterator[None]:
    """The unit's program, ready; `seen` gets how it ended and what was left of it."""
    process = begin(unit, given)
    told: list[str] = []
    assert process.stdout is not None
    reader = threading.Thread(target=lambda: told.extend(process.stdout or ()), daemon=True)
    reader.start()
    try:
        until = time.monotonic() + READY_WITHIN_S
        while not is_ready(port):
            assert process.poll() is None, "the cell has ended"
            assert time.monotonic() < until, "the cell does not get ready"
            time.sleep(0.2)
        yield
    except BaseException:
        print(json.dumps({**seen, "told": told}), flush=True)
        raise
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            seen["exit"] = process.wait(STOPS_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            seen["exit"] = "it did not stop"
        reader.join(5)
        seen["told"] = told
        seen["left"] = [
            (Path("/proc") / name / "cmdline").read_text()
            for name in os.listdir("/proc")
            if name.isdigit() and Path("/proc", name).stat().st_uid
        ]


def renamed(unit: dict[str, str], settings: str, more: dict[str, str]) -> list[Any]:
    """Root gives the stopped cell another host name."""
    file = Path("/tmp/cell.env")
    file.write_text(settings)
    return as_root(
        unit, more, "domain", "https://new.example", "--settings", str(file), "--yes"
    )  # fmt: skip


def as_root(unit: dict[str, str], more: dict[str, str], *words: str) -> list[Any]:
    """What root types while the cell is stopped: the status, what it says, and the files in the
    cell's folder that are not the cell's afterwards."""
    done = subprocess.run(
        [*command(unit), *words],
        env={"PATH": os.environ["PATH"], "LUCIOLE_DATA_DIR": str(PLACE), **more},
        cwd="/", capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    whose = PLACE.stat().st_uid
    foreign = [str(one) for one in PLACE.rglob("*") if one.lstat().st_uid != whose]
    return [done.returncode, done.stdout + done.stderr, foreign]


def origin_in(file: Path) -> dict[str, str]:
    pairs = [line.partition("=") for line in file.read_text().splitlines()]
    return {name: value.strip('"') for name, _, value in pairs if name.startswith("LUCIOLE_WEB_")}


def command(unit: dict[str, str]) -> list[str]:
    """The unit's program without what it is told to do."""
    return unit["ExecStart"].split()[:-1]


def said_by(process: subprocess.Popen[str]) -> list[Any]:
    text, _ = process.communicate(timeout=120)
    return [process.returncode, text]


def played(port: int, film: Film) -> list[Any]:
    """Somebody signs up, uploads a film, and another sees its bytes."""
    ledger = Ledger()
    phone = Phone(port, ledger, [film], 1)
    clip = phone.publish(film)
    assert clip is not None
    until = time.monotonic() + PLAYS_WITHIN_S
    while True:
        answer = phone.insist("GET", f"/api/clips/{clip.id}")
        state = answer.json.get("state")
        if state in ("published", "refused") or time.monotonic() > until:
            break
        time.sleep(0.5)
    renditions = answer.json.get("renditions") or []
    if not renditions:
        return [state, answer.json]
    film_answer = phone.insist("GET", renditions[0]["url"])
    return [state, film_answer.status, len(film_answer.body) > 1000, ledger.wrong]


if __name__ == "__main__":
    main()
