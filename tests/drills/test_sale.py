"""A cell is sold from one machine to another, by the commands that people type, with kills in
between."""

from __future__ import annotations

import http.cookiejar
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.drills.cell_process import ROOT, free_port, get, none_left, serve, started

from luciole.ledger import handover
from luciole.ledger.note import Note
from luciole.ledger.policy import Policy

READY = r"The cell answers after ([\d.]+) s: (\S+)"
PASSWORD = "seven turquoise herons"
MARKS = ["qmarkmail7c2@example.org", "qmarkbiography9d4", "Qmarkname8a6"]
KILLS = 6

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("start"), pytest.mark.timeout(600)]


class Person:
    """A client with cookies, at one cell."""

    def __init__(self, port: int) -> None:
        self._address = f"http://127.0.0.1:{port}"
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(jar)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310
            self._address + path,
            data,
            {"content-type": "application/json", "sec-fetch-site": "same-origin"},
            method=method,
        )
        with self._opener.open(request, timeout=30) as answer:
            raw = answer.read()
        return json.loads(raw) if raw else None


def luciole(data: Path, *words: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    _, environment = serve(data, 1, LUCIOLE_CELL_DEMO="true", **more)
    command = [sys.executable, "-m", "luciole", *map(str, words)]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def killed(data: Path, after_s: float, *words: str | Path) -> None:
    """A command that is ended in the middle, with all its children."""
    _, environment = serve(data, 1, LUCIOLE_CELL_DEMO="true")
    command = [sys.executable, "-m", "luciole", *map(str, words)]
    quiet: Mapping[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True, **quiet)
    try:
        process.wait(after_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_cell_is_sold(tmp_path: Path) -> None:
    seller, buyer, bundle = (tmp_path / name for name in ("seller", "buyer", "bundle"))
    port = free_port()
    more = {"LUCIOLE_CELL_DEMO": "true", "LUCIOLE_CELL_OPERATOR": "Ancienne Maison SA"}
    with started(*serve(seller, port, **more)) as cell:
        cell.wait_for(READY, 90)
        ana = Person(port)
        ana.ask(
            "POST",
            "/api/sign-up",
            {
                "handle": "ana",
                "display_name": MARKS[2],
                "age_band": "18+",
                "locale": "en",
                "password": PASSWORD,
            },
        )
        ana.ask("PUT", "/api/me/contacts/email", {"value": MARKS[0]})
        ana.ask("PATCH", "/api/me", {"bio": MARKS[1]})
        done = luciole(
            buyer,
            *("sale", "key", tmp_path / "ours", "--cell", f"http://127.0.0.1:{port}"),
            *("--operator", "Nouvelle Maison SAS", "--jurisdiction", "FR"),
        )
        assert done.returncode == 0, done.stderr
        done = luciole(seller, "divest", "--announce", "0", "--to", tmp_path / "ours.pub")
        assert done.returncode == 0, done.stderr
        assert "1 people are told" in done.stdout
        assert ana.ask("GET", "/api/notifications")["items"][0]["kind"] == "operator-change"
        assert (
            "The cell is running"
            in luciole(seller, "divest", bundle, "--to", tmp_path / "ours.pub").stderr
        )
        old_policy = get(port, "/ledger/policy")[1]
        assert cell.stop() == 0
    copy = tmp_path / "copy-of-the-database"
    shutil.copytree(seller / "postgres", copy, ignore=shutil.ignore_patterns("socket"))

    # Killed anywhere, and done again.
    drawn = random.Random(2026)
    for _ in range(KILLS):
        killed(seller, drawn.uniform(0.5, 4), "divest", bundle, "--to", tmp_path / "ours.pub")
        if not (bundle / "manifest.json").exists():
            refused = luciole(buyer, "adopt", bundle, "--key", tmp_path / "ours.key")
            assert refused.returncode == 1
            assert "not whole" in refused.stderr
    done = luciole(seller, "divest", bundle, "--to", tmp_path / "ours.pub")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "is whole: 1 people" in done.stdout
    with started(*serve(seller, port, **more)) as cell:
        assert cell.process.wait(90) == 1
        assert any("handed over to Nouvelle Maison SAS" in line for line in cell.console)
    refused = luciole(seller, "prove-removal", "--yes")
    assert "receipt" in refused.stderr

    # The buyer, with the seller off.
    for _ in range(KILLS // 2):
        killed(buyer, drawn.uniform(0.5, 3), "adopt", bundle, "--key", tmp_path / "ours.key")
    (tmp_path / "policy").write_bytes(old_policy)
    given = ("--key", tmp_path / "ours.key", "--policy", tmp_path / "policy")
    done = luciole(buyer, "adopt", bundle, *given)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Adopted: 1 people" in done.stdout
    port = free_port()
    more = {"LUCIOLE_CELL_OPERATOR": "Nouvelle Maison SAS", "LUCIOLE_CELL_JURISDICTION": "FR"}
    with started(*serve(buyer, port, **more)) as cell:
        cell.wait_for(READY, 90)
        again = Person(port)
        again.ask("POST", "/api/sessions", {"handle": "ana", "password": PASSWORD})
        contacts = again.ask("GET", "/api/me/contacts")["items"]
        assert [one["value"] for one in contacts] == [MARKS[0]]
        assert again.ask("GET", "/api/people/ana")["bio"] == MARKS[1]
        assert get(port, "/api/cell")[1].count(b"Nouvelle Maison SAS") == 1
        lists = handover.parse(get(port, "/ledger/access/handover")[1])
        policy, ends = handover.known_by(Policy.parse(old_policy), lists)
        assert len(lists) == 1
        wait_until_grown(port, lists[0].size)
        head = get(port, "/ledger/access/pending")[1]
        Note.parse(head).verify([lists[0].new])
        assert ends == {lists[0].old: lists[0].size}
        assert lists[0].new in {party.key for party in policy.logs}
        assert cell.stop() == 0
        last = cell.console
    assert not [line for line in last if "refused" in line]

    # The seller removes everything.
    (tmp_path / "marks").write_text("\n".join(MARKS))
    done = luciole(
        seller,
        "prove-removal",
        "--yes",
        *("--receipt", buyer / "sale" / "receipt.note"),
        *("--canaries", tmp_path / "marks", "--also", bundle),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\nGREEN\n\nNot proved:\n- That no copy exists" in done.stdout
    assert not (seller / "postgres").exists()
    assert not any((seller / "keys").glob("*")) if (seller / "keys").exists() else True
    statement = luciole(buyer, "sale", "removal", seller / "sale" / "removal.note")
    assert "has stated the removal: GREEN" in statement.stdout, statement.stderr
    # Who kept the database has no key to it.
    (seller / "keys").mkdir(exist_ok=True)
    shutil.copytree(copy, seller / "postgres", dirs_exist_ok=True)
    with started(*serve(seller, free_port())) as cell:
        assert cell.process.wait(90) == 1
        assert any("keys are missing" in line for line in cell.console), cell.console
    for folder in (seller, buyer):
        assert none_left(folder) == []


def wait_until_grown(port: int, size: int) -> None:
    """Until the new operator has signed more than the old one."""
    end = time.monotonic() + 30
    while int(get(port, "/ledger/access/pending")[1].split(b"\n")[1]) <= size:
        assert time.monotonic() < end, "the log does not go on"
        time.sleep(0.2)
