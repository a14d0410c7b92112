"""A cell for tests of what happens between cells: `python -m tests.border.cell`.

The same programs as `luciole serve` starts, from the same settings, over a database that does not
flush; with a worker where the test asks for one, and a gateway that logs the keys of its TLS
sessions. It prints one line when all answer, and ends with a signal.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace

from tests.border.keys_logged import KEY_LOG
from tests.conftest import NOT_DURABLE

from luciole import config, programs, serve
from luciole.kit import logs, migrate, postgres, processes
from luciole.kit.keeper import Keeper, Program

READY = "all parts answer"
# Set where the test needs the worker too.
WORKS = "LUCIOLE_TEST_WORKS"


async def main() -> None:
    environment = dict(os.environ)
    settings = config.load(environment)
    logs.setup("supervisor", level="warning")
    stop = serve._stop_on_signals()
    with serve._folder(settings) as lock:
        log = settings.data / "log" / "postgresql.log"
        are_apart = await asyncio.to_thread(processes.can_lose_route)
        server = postgres.Server(
            settings.data / "postgres", log, settings=NOT_DURABLE, loses_route=are_apart
        )
        keeper = Keeper(print, lambda children: lock.write(settings.origin, children))
        try:
            with (
                serve._bind(settings.web.host, settings.web.port) as listener,
                serve._bind("127.0.0.1", 0) as witness,
            ):
                await keeper.start(programs.database(server))
                await migrate.apply(server.url())
                urls = {process: server.url(role) for process, role in config.ROLES.items()}
                cell = programs.Programs(settings, environment, server.url(), urls, are_apart)
                await keeper.start(cell.custody())
                api, worker = cell.others(listener)
                gateway = cell.gateway(witness)
                if KEY_LOG in environment:
                    gateway = readable(gateway)
                parts = [*cell.ledger(witness), gateway, *cell.trustee(), api]
                if WORKS in environment:
                    parts.append(worker)
                await asyncio.gather(*(keeper.start(part) for part in parts))
                print(READY, flush=True)
                await stop.wait()
        finally:
            await keeper.stop()


def readable(program: Program) -> Program:
    """The same program, through what logs its session keys."""

    def command() -> list[str]:
        return ["tests.border.keys_logged" if one == "luciole" else one for one in plain()]

    plain = program.command
    return replace(program, command=command)


if __name__ == "__main__":
    asyncio.run(main())
