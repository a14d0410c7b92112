"""A push service on this machine, which believes nobody: it checks each request as RFC 8030 and
RFC 8292 want it."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from luciole.keys.signing import Algorithm, verifies

DAY_S = 24 * 3600


@dataclass
class PushServer:
    """What came in, by path; `answers` is what a path gets instead of 201."""

    origin: str = ""
    taken: list[dict[str, Any]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    answers: dict[str, list[tuple[int, dict[str, str]]]] = field(default_factory=dict)
    now: Callable[[], float] = time.time

    def paths(self) -> list[str]:
        return [one["path"] for one in self.taken]

    def judge(self, path: str, headers: dict[str, str], body: bytes) -> int:
        """The status for a request; what is wrong with it is in `faults`."""
        try:
            scheme, _, rest = headers["authorization"].partition(" ")
            given = dict(part.strip().split("=", 1) for part in rest.split(","))
            said, _, signature = given["t"].rpartition(".")
            head, claims = (json.loads(_unb64(part)) for part in said.split("."))
            key = _unb64(given["k"])
            checks = {
                "scheme": scheme == "vapid",
                "algorithm": head == {"typ": "JWT", "alg": "ES256"},
                "signature": verifies(Algorithm.P_256, key, _unb64(signature), said.encode()),
                "audience": claims["aud"] == self.origin,
                "expiry": self.now() < claims["exp"] <= self.now() + DAY_S,
                "ttl": headers["ttl"].isdigit(),
                "topic": len(headers["topic"]) <= 32,
                "no body": body == b"" and "content-encoding" not in headers,
                "nothing else": set(headers) <= KNOWN_HEADERS,
            }
        except (KeyError, ValueError) as error:
            checks = {f"form ({error!r})": False}
            key = b""
        wrong = [name for name, is_right in checks.items() if not is_right]
        self.faults += [f"{path}: {name}" for name in wrong]
        self.taken.append({"path": path, "key": key, "topic": headers.get("topic")})
        return 403 if wrong else 201


KNOWN_HEADERS = {
    "host",
    "accept-encoding",
    "authorization",
    "ttl",
    "topic",
    "urgency",
    "content-length",
}


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@contextmanager
def push_server() -> Iterator[PushServer]:
    """Runs one while the block runs."""
    made = PushServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, extra = made.judge(self.path, headers, body), dict[str, str]()
            if status == 201 and made.answers.get(self.path):
                status, extra = made.answers[self.path].pop(0)
            self.send_response(status)
            for name, value in extra.items():
                self.send_header(name, value)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.origin = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
