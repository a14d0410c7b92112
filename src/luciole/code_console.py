"""Where the codes of a demo go: onto its console, in place of a sender of mail and text messages.

It is a sender as docs/howto/send-codes.md describes one, on loopback: it checks the signature, and
says the code to whoever runs the demo.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable
from pathlib import Path

from luciole.config import Settings
from luciole.kit.console import say

MAX_HEAD_BYTES = 8192
MAX_BODY_BYTES = 4096
MAX_AGE_S = 300
READS_WITHIN_S = 5.0


class CodeConsole:
    """A running one. `environment`: what makes the gateway send codes here."""

    def __init__(self, server: asyncio.Server, secret_file: Path) -> None:
        self._server = server
        port = server.sockets[0].getsockname()[1]
        self.environment = {
            "LUCIOLE_BORDER_CODES_URL": f"http://127.0.0.1:{port}/",
            "LUCIOLE_BORDER_CODES_SECRET_FILE": str(secret_file),
        }

    def close(self) -> None:
        self._server.close()


async def begun(settings: Settings, tell: Callable[[str], None] = say) -> CodeConsole:
    """Begins to listen on a free port of loopback, with a secret of its own."""
    place = settings.data / "demo" / "code-secret"
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    secret = secrets.token_hex(32).encode()
    place.touch(mode=0o600)
    place.write_bytes(secret)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        status = 400
        with contextlib.suppress(OSError, ValueError, TimeoutError, asyncio.IncompleteReadError):
            async with asyncio.timeout(READS_WITHIN_S):
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                lines = head.split("\r\n")[1:]
                headers = {
                    name.lower(): value.strip()
                    for name, _, value in (line.partition(":") for line in lines)
                }
                size = int(headers.get("content-length", "0"))
                body = await reader.readexactly(min(size, MAX_BODY_BYTES))
            status = heard(secret, headers, body, tell)
        writer.write(
            f"HTTP/1.1 {status} \r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode()
        )
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, limit=MAX_HEAD_BYTES)
    return CodeConsole(server, place)


def heard(secret: bytes, headers: dict[str, str], body: bytes, tell: Callable[[str], None]) -> int:
    """The HTTP status for a request; one that is signed is told. Raises ValueError."""
    stamp = headers.get("luciole-timestamp", "")
    expected = hmac.digest(secret, f"{stamp}.".encode() + body, hashlib.sha256).hex()
    if not hmac.compare_digest(headers.get("luciole-signature", ""), f"v1={expected}"):
        return 403
    if abs(time.time() - int(stamp)) > MAX_AGE_S:
        return 403
    said = json.loads(body)
    kind = {"phone": "text message", "email": "mail"}[said["channel"]]
    tell(f"  A {kind} for {said['to']} would say: {said['code']} is your code for {said['cell']}.")
    return 204
