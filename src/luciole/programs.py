"""The processes that a cell consists of: how each is started, knows its login, and is ready."""

from __future__ import annotations

import asyncio
import http.client
import signal
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from luciole import apart, config
from luciole.actors import cluster
from luciole.config import Settings
from luciole.kit import postgres, processes, unix
from luciole.kit.console import say
from luciole.kit.keeper import Program


@dataclass(frozen=True)
class Programs:
    """What the supervisor starts beside PostgreSQL. `urls` are the processes' own logins; who has
    none gets the owner's and acts as its role. With `are_apart` only the gateway, and who cannot do
    without (`apart`), keeps the network of the machine."""

    settings: Settings
    environment: Mapping[str, str]
    owner_url: str
    urls: Mapping[config.Process, str]
    are_apart: bool = False
    _listeners: list[socket.socket] = field(default_factory=list)

    def custody(self) -> Program:
        """The key broker. First of all: nobody else starts without keys of their own from it."""
        return self._program(
            "custody",
            "custody",
            "custody-process",
            ready=self.settings.custody_dir / "api.sock",
            end_within_s=5.0,
        )

    def others(self, listener: socket.socket) -> list[Program]:
        """The rest, which may start together. API processes take requests from `listener`."""
        handle, web = listener.fileno(), self.settings.web
        command = _luciole("api-process", "--socket", str(handle))
        apis = [
            Program(
                f"api-{number}" if web.processes > 1 else "api",
                lambda: processes.launched(command, route=self._route("api", "api")),
                self.settings.data / "log" / "api.log",
                self._environment("api"),
                ready=lambda: answers(web.host, web.port),
                stop=((signal.SIGTERM, 8.0),),
                hands_down=(handle,),
            )
            for number in range(1, web.processes + 1)
        ]
        worker = self._program(
            "worker",
            "worker",
            "worker-process",
            metrics_port=self.settings.worker.metrics_port,
            end_within_s=10.0,
        )
        return [*apis, worker]

    def gateway(self, witness: socket.socket) -> Program:
        """The gateway: whatever leaves the cell leaves through it."""
        return self._program(
            "gateway",
            "gateway",
            *("gateway-process", "--witness", _url(witness)),
            ready=self.settings.gateway_dir / "ledger.sock",
            end_within_s=10.0,
        )

    def trustee(self) -> list[Program]:
        """What does for other cells what this one has promised them, where there can be any."""
        if not self.settings.cell.short_name:
            return []
        return [
            self._program(
                "trustee",
                None,
                "trustee-process",
                ready=self.settings.trustee_socket,
                end_within_s=5.0,
            )
        ]

    def abroad(self, replication_url: str) -> list[Program]:
        """What sends the backup to another cell, where one keeps it."""
        if not self.settings.abroad.peer:
            return []
        url = self.settings.abroad.database_url or replication_url
        return [
            self._program(
                "abroad",
                None,
                "abroad-process",
                more={"LUCIOLE_ABROAD_DATABASE_URL": url},
                url=url,
                metrics_port=self.settings.abroad.metrics_port,
                end_within_s=10.0,
            )
        ]

    def ranking(self) -> list[Program]:
        """Ranking in a process of its own, where a setting asks for that. Raises RayMissing."""
        if not self.settings.feed.ranking:
            return []
        cluster.check()
        return [
            self._program(
                "ranking",
                None,
                "ranking-process",
                ready=self.settings.ranking_socket,
                end_within_s=10.0,
            )
        ]

    def ledger(self, witness: socket.socket) -> list[Program]:
        """The log, and the cell's own witness, which listens on a socket of loopback and, for the
        log, on a Unix socket."""
        inner = _bound(place := self.settings.witness_socket)
        self._listeners.append(inner)
        handles = witness.fileno(), inner.fileno()
        words = ("--socket", str(handles[0]), "--inner-socket", str(handles[1]))
        return [
            self._program(
                "witness",
                None,
                *("witness-process", *words),
                hands_down=handles,
                end_within_s=5.0,
            ),
            self._program(
                "ledger",
                "ledger",
                *("ledger-process", "--witness", _url(witness), "--witness-socket", str(place)),
                metrics_port=self.settings.ledger.metrics_port,
                end_within_s=10.0,
            ),
        ]

    def _program(
        self,
        name: str,
        process: config.Process | None,
        *words: str,
        ready: Path | None = None,
        hands_down: tuple[int, ...] = (),
        more: Mapping[str, str] | None = None,
        url: str = "",
        metrics_port: int = 0,
        end_within_s: float,
    ) -> Program:
        """`process`: whose login to the database it gets, `url` where that is another one; `ready`:
        the Unix socket on which it answers then."""
        route = self._route(name, process, url)
        if metrics_port and route == "lost" and (listener := self._metrics(name, metrics_port)):
            words = (*words, "--metrics", str(listener.fileno()))
            hands_down = (*hands_down, listener.fileno())
        command = _luciole(*words)
        return Program(
            name,
            lambda: processes.launched(command, route=route),
            self.settings.data / "log" / f"{name}.log",
            self._environment(process) | dict(more or {}),
            ready=(lambda: listens(ready)) if ready else None,
            stop=((signal.SIGTERM, end_within_s),),
            hands_down=hands_down,
        )

    def _route(self, name: str, process: config.Process | None, url: str = "") -> str:
        """The word for `kit.launch`."""
        login = url or (process and (self.urls[process] or self.owner_url)) or ""
        is_lost = self.are_apart and not apart.needs_route(self.settings, name, login)
        return "lost" if is_lost else "kept"

    def _metrics(self, name: str, port: int) -> socket.socket | None:
        """Opened here, since nobody could reach one that a process without a route opens."""
        try:
            listener = socket.create_server(("127.0.0.1", port))
        except OSError as error:
            say(f"Nobody can count what {name} does: port {port} ({error.strerror}).")
            return None
        self._listeners.append(listener)
        return listener

    def _environment(self, process: config.Process | None) -> dict[str, str]:
        """Without the logins of the others."""
        logins = {f"LUCIOLE_DATABASE_{one}_URL".upper() for one in config.ROLES}
        logins.add("LUCIOLE_ABROAD_DATABASE_URL")
        own = {
            name: value
            for name, value in self.environment.items()
            if not name.startswith("DATABASE_URL")
            and name not in logins
            and name != "LUCIOLE_DATABASE_URL"
        }
        if process is None:
            return own
        if self.urls[process]:
            return own | {f"LUCIOLE_DATABASE_{process.upper()}_URL": self.urls[process]}
        return own | {"DATABASE_URL": self.owner_url}


def own_logins(settings: Settings) -> dict[config.Process, str]:
    """The logins that an operator has given to the processes, empty where none."""
    return {
        "api": settings.database.api_url,
        "worker": settings.database.worker_url,
        "custody": settings.database.custody_url,
        "ledger": settings.database.ledger_url,
        "gateway": settings.database.gateway_url,
    }


def database(server: postgres.Server) -> Program:
    """PostgreSQL of our own."""

    async def ready() -> bool:
        return server.is_ready()

    return Program(
        "postgresql",
        server.command,
        server.log,
        server.environment(),
        ready=ready,
        stop=postgres.STOP,
        before=server.prepare,
        after=server.forget_address,
    )


def _bound(place: Path) -> socket.socket:
    """A listening Unix socket, for this user only."""
    place.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    with unix.address_of(place) as address:
        listener.bind(address)
    place.chmod(0o600)
    listener.listen()
    return listener


async def listens(place: Path) -> bool:
    """True once somebody answers on a Unix socket."""
    try:
        with unix.address_of(place) as address:
            _, writer = await asyncio.open_unix_connection(address)
    except OSError:
        return False
    writer.close()
    return True


async def answers(host: str, port: int) -> bool:
    """True once the API says that it and what it needs are ready."""

    def ask() -> bool:
        # A socket that accepts without answering yet makes us wait here, so not for long.
        connection = http.client.HTTPConnection(_reachable(host), port, timeout=1)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    return await asyncio.to_thread(ask)


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104


def _url(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


def _luciole(*words: str) -> list[str]:
    return [sys.executable, "-m", "luciole", *words]
