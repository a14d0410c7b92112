"""What speaks TLS before a cell's inward door: a proxy, as an operator has one; and a way from
outside of a namespace to a cell's pages in it.

`python -m tests.drills.doors HOST PORT INNER CERTIFICATE KEY` hands on to 127.0.0.1:INNER and does
nothing else, as does `python -m tests.drills.doors SOCKET INNER` from a Unix socket; `caddy` gives
the first with Caddy, where that is installed.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import ssl
import sys
from pathlib import Path
from typing import Any

from tests.drills.certificates import Made

READY = "the door is open"
PIECE_BYTES = 1 << 16


def relay(host: str, port: int, inner: int, made: Made) -> list[str]:
    """The command of a door that adds nothing to what goes through it."""
    words = [host, str(port), str(inner), str(made.certificate), str(made.key)]
    return [sys.executable, "-m", "tests.drills.doors", *words]


def caddy(host: str, port: int, inner: int, made: Made, folder: Path) -> list[str]:
    """The command of Caddy, with the lines of the how-to about peers."""
    file = folder / f"Caddyfile-{host}"
    file.write_text(
        f"{{\n\tadmin off\n\tauto_https disable_redirects\n\tdefault_sni {host}\n}}\n"
        f"https://{host}:{port} {{\n\ttls {made.certificate} {made.key}\n"
        f"\treverse_proxy 127.0.0.1:{inner}\n}}\n"
    )
    program = shutil.which("caddy")
    assert program is not None
    return [program, "run", "--adapter", "caddyfile", "--config", str(file)]


def hall(place: Path, inner: int) -> list[str]:
    """The command of a way in from a Unix socket."""
    return [sys.executable, "-m", "tests.drills.doors", str(place), str(inner)]


async def main(*words: str) -> None:
    inner = words[2] if len(words) == 5 else words[1]

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while piece := await reader.read(PIECE_BYTES):
                writer.write(piece)
                await writer.drain()
        with contextlib.suppress(OSError):
            writer.close()

    async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        within = await asyncio.open_connection("127.0.0.1", int(inner))
        await asyncio.gather(carry(reader, within[1]), carry(within[0], writer))

    async with await _listening(met, *words) as server:
        print(READY, flush=True)
        await server.serve_forever()


async def _listening(met: Any, *words: str) -> asyncio.Server:
    if len(words) == 2:
        return await asyncio.start_unix_server(met, words[0])
    host, port, _, certificate, key = words
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return await asyncio.start_server(met, host, int(port), ssl=context)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(*sys.argv[1:]))
