"""The operator's sender of mail and text messages on this machine: it checks the signature of each
request, as docs/howto/send-codes.md says, and sends nothing."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "a secret of the tests only"
MAX_AGE_S = 300


@dataclass
class CodeServer:
    """What came in and was signed as it should be; `status` is what it answers then."""

    url: str = ""
    taken: list[dict[str, Any]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    status: int = 204

    def judge(self, headers: dict[str, str], body: bytes) -> int:
        stamp = headers.get("luciole-timestamp", "")
        expected = hmac.new(SECRET.encode(), f"{stamp}.".encode() + body, hashlib.sha256)
        is_signed = hmac.compare_digest(
            headers.get("luciole-signature", ""), f"v1={expected.hexdigest()}"
        )
        if not is_signed or abs(time.time() - int(stamp)) > MAX_AGE_S:
            self.faults.append("not signed, or not now")
            return 403
        self.taken.append(json.loads(body))
        return self.status

    def newest(self, address: str) -> str:
        """The last code for an address."""
        return next(str(one["code"]) for one in reversed(self.taken) if one["to"] == address)


@contextmanager
def code_server() -> Iterator[CodeServer]:
    """Runs one while the block runs."""
    made = CodeServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(made.judge(headers, body))
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_address[1]}/send"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
