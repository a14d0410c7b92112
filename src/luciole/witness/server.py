"""The HTTP side of a witness: tlog-witness for logs, and its mirrors for everybody.

Standard library: it starts at once. Each connection has a thread, which asks the event loop.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from luciole.border.peers import PeerAway
from luciole.kit.blobs import Missing
from luciole.witness.mirror import Refusal

MAX_BODY_BYTES = 1_000_000
MAX_CONNECTIONS = 64
IDLE_S = 60.0
ANSWERS_WITHIN_S = 120.0
TEXT = "text/plain; charset=utf-8"

Add = Callable[[bytes], Coroutine[Any, Any, str]]
Read = Callable[[str], Coroutine[Any, Any, bytes]]


class Server(ThreadingHTTPServer):
    """Answers on a listening socket until it is closed."""

    daemon_threads = True

    def __init__(self, listener: socket.socket, add: Add, read: Read) -> None:
        super().__init__(listener.getsockname()[:2], _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self._add, self._read, self._loop = add, read, asyncio.get_running_loop()
        self._room = threading.BoundedSemaphore(MAX_CONNECTIONS)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def add(self, body: bytes) -> str:
        """The answer to a head, from a connection's thread."""
        answer: str = self._wait(self._add(body))
        return answer

    def read(self, path: str) -> bytes:
        """A file of a mirror, from a connection's thread."""
        found: bytes = self._wait(self._read(path))
        return found

    def _wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(ANSWERS_WITHIN_S)

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._room.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "luciole-witness", ""
    timeout = IDLE_S
    server: Server

    def do_POST(self) -> None:
        length = self.headers.get("content-length", "")
        if not length.isdigit() or int(length) > MAX_BODY_BYTES:
            self.close_connection = True
            self._answer(413, b"The body has no length or is too long.\n")
            return
        body = self.rfile.read(int(length))
        if self.path.strip("/") != "add-checkpoint":
            self._answer(404, b"There is nothing here.\n")
            return
        try:
            self._answer(200, self.server.add(body).encode())
        except Refusal as refusal:
            kind = "text/x.tlog.size" if refusal.status == 409 else TEXT
            self._answer(refusal.status, refusal.body.encode(), kind)
        except (PeerAway, TimeoutError, OSError):
            self._answer(503, b"I cannot get the entries just now.\n")

    def do_GET(self) -> None:
        path = self.path.strip("/")
        try:
            found = self.server.read(path)
        except (Missing, OSError, TimeoutError):
            self._answer(404, b"There is nothing here.\n")
            return
        is_head = path.endswith("/checkpoint")
        self._answer(200, found, TEXT if is_head else "application/octet-stream")

    def _answer(self, status: int, body: bytes, kind: str = TEXT) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Addresses of visitors stay out of the logs."""
