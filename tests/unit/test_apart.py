"""Who keeps the network of the machine and why, and what losing it does to a process."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from luciole import apart, config, programs, routes
from luciole.border.peers import PeerAway, WitnessPeer
from luciole.config import Settings
from luciole.kit import processes
from luciole.witness.server import Server

SOCKET_URL = "postgresql://luciole_api:x@/luciole?host=%2Fvar%2Flib%2Fluciole%2Fs&port=5432"
TCP_URL = "postgresql://luciole_api:x@db.example:5432/luciole"
S3, TRANSIT, RAY = "s3://films/us", "transit:https://bao.example:8200/transit/luciole", "ray"

CONNECT = (
    "import socket, sys\n"
    "try:\n    socket.create_connection(('127.0.0.1', int(sys.argv[1])), 5)\n"
    "except OSError as error:\n    sys.exit(error.errno)\n"
)


def settings(**given: str) -> Settings:
    named = {f"LUCIOLE_{name.upper()}": value for name, value in given.items()}
    return config.load({"LUCIOLE_DATA_DIR": "/var/lib/luciole", **named})


def kept(given: Settings, url: str = SOCKET_URL) -> set[str]:
    urls = dict.fromkeys(config.ROLES, url)
    return {name for name, why in apart.processes(given, urls) if why}


def test_without_anything_outside_only_the_gateway_keeps_it() -> None:
    assert kept(settings(cell_short_name="us", abroad_peer="sg")) == set()
    assert apart.needs_route(settings(), "gateway")


def test_who_has_to_reach_a_service_keeps_it_and_nobody_else() -> None:
    assert kept(settings(blobs=S3)) == {"api", "ledger", "witness", "worker"}
    assert kept(settings(blobs="file:///srv/films")) == set()
    assert kept(settings(keys_root=TRANSIT, keys_token_file="/etc/token")) == {"custody"}
    assert kept(settings(feed_ranking=RAY)) == {"ranking"}
    assert kept(settings(), TCP_URL) == {"api", "custody", "ledger", "worker"}


@pytest.mark.parametrize(
    ("url", "is_kept"),
    [
        (SOCKET_URL, False),
        ("postgresql://x@/luciole?host=/run/postgresql", False),
        (TCP_URL, True),
        ("postgresql://x@/luciole?host=db.example", True),
        ("postgresql://x@/luciole", True),
        ("", False),
    ],
)
def test_way_to_the_database_decides(url: str, is_kept: bool) -> None:
    assert bool(apart.needs_route(settings(), "api", url)) == is_kept


def test_route_of_each_process_is_what_it_is_started_with(tmp_path: Path) -> None:
    given = config.load({"LUCIOLE_DATA_DIR": str(tmp_path), "LUCIOLE_CELL_SHORT_NAME": "us"})
    (tmp_path / "run").mkdir()
    urls = dict.fromkeys(config.ROLES, SOCKET_URL)

    def routes_of(are_apart: bool) -> dict[str, str]:
        cell = programs.Programs(given, {}, SOCKET_URL, urls, are_apart)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            made = [cell.custody(), *cell.ledger(listener), cell.gateway(listener)]
            made += [*cell.trustee(), *cell.others(listener)]
        words = {one.name: list(one.command()) for one in made}
        for opened in cell._listeners:
            opened.close()
        return {name: one[one.index("--") - 1] for name, one in words.items()}

    assert set(routes_of(are_apart=False).values()) == {"kept"}
    found = routes_of(are_apart=True)
    assert [name for name, route in found.items() if route == "kept"] == ["gateway"]
    assert set(found.values()) == {"kept", "lost"}


def test_doctor_names_who_keeps_it_and_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = {"LUCIOLE_DATA_DIR": str(tmp_path)}
    monkeypatch.setattr(processes, "can_lose_route", lambda: True)
    assert [one.verdict for one in routes.looked(config.load(place))] == ["OK"]
    (found,) = routes.looked(config.load(place | {"LUCIOLE_BLOBS": S3}))
    assert found.verdict == "WARN"
    assert found.sentence.startswith("ledger, api, worker, witness: as the gateway, because")
    monkeypatch.setattr(processes, "can_lose_route", lambda: False)
    (found,) = routes.looked(config.load(place))
    assert (found.verdict, "no network namespaces" in found.sentence) == ("WARN", True)


async def test_witness_is_asked_through_a_unix_socket(tmp_path: Path) -> None:
    async def add(body: bytes) -> str:
        return f"{len(body)}\n"

    async def read(path: str) -> bytes:
        return path.encode()

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place := tmp_path / "witness.sock"))
        listener.listen()
        server = Server(listener, add, read)
        # Nobody is at that address: the socket alone leads to the witness.
        peer = WitnessPeer("http://127.0.0.1:1", through=place)
        assert await peer.get("a/checkpoint") == b"a/checkpoint"
        answer = await peer.add_checkpoint(0, [], b"note")
        assert (answer.status, answer.body) == (200, b"11\n")
        peer.close()
        await asyncio.to_thread(server.shutdown)
        server.server_close()
    place.unlink()
    with pytest.raises(PeerAway):
        await peer.get("a/checkpoint")


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


@pytest.mark.skipif(not processes.can_lose_route(), reason="no network namespaces here")
@pytest.mark.parametrize(("route", "status"), [("kept", 0), ("lost", 111)])
def test_program_that_lost_its_route_reaches_not_even_this_machine(
    listener: socket.socket, route: str, status: int
) -> None:
    command = processes.launched(
        [sys.executable, "-c", CONNECT, str(listener.getsockname()[1])], route=route
    )
    # 111 is ECONNREFUSED: the loopback is there, and it is another one.
    assert subprocess.run(command, check=False).returncode == status


@pytest.mark.skipif(not processes.can_lose_route(), reason="no network namespaces here")
def test_metrics_are_read_from_a_process_without_a_route(listener: socket.socket) -> None:
    code = (
        "import sys, time\nfrom luciole.kit import scraping\n"
        "scraping.serve(1, int(sys.argv[1]))\ntime.sleep(60)\n"
    )
    handle, port = listener.fileno(), listener.getsockname()[1]
    command = processes.launched([sys.executable, "-c", code, str(handle)], route="lost")
    with subprocess.Popen(command, pass_fds=[handle]) as child:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
            assert b"python_info" in answer.read()
        child.terminate()
