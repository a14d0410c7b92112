"""A cell of the version before requests could carry many crossings: it cosigns heads, and takes one
crossing at a time. It keeps nothing and believes everything."""

from __future__ import annotations

import base64
import contextlib
import os
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import uuid4

import msgspec

from luciole.border import crossing, passport
from luciole.border.passport import LOGS, Passport
from luciole.keys.signing import Algorithm, SigningKey
from luciole.ledger.note import KeyKind, Note, Signer


class FormerPeer:
    """What was asked of it, by path, and the numbers of the crossings that it took."""

    def __init__(self, name: str) -> None:
        self.asked = Counter[str]()
        self.taken = list[str]()
        self._name, self._number = name, str(uuid4())
        self._key = SigningKey(Algorithm.ED25519, os.urandom(32))
        self._witness = Signer(name, KeyKind.COSIGNATURE, os.urandom(32))
        self._origin = ""

    @property
    def passport(self) -> Passport:
        logs = [
            str(Signer(f"luciole/{self._number}/{log}", KeyKind.ED25519, os.urandom(32)).verifier)
            for log in LOGS
        ]
        witness = [
            str(self._witness.verifier),
            str(Signer(self._name, KeyKind.SUBTREE, os.urandom(32)).verifier),
        ]
        return Passport(
            v=1,
            name=self._name,
            display_name=self._name,
            cell_id=self._number,
            origin=self._origin,
            operator=self._name,
            jurisdiction="FR",
            key=str(passport.key_of(self._number, self._key.public)),
            log_keys=tuple(logs),
            witness_keys=tuple(witness),
            profile=passport.PROFILE,
            made_at="2026-11-26T12:00:00Z",
        )

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[FormerPeer]:
        """Answers on a port of loopback until the block ends."""
        peer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                status, answer = peer.answer(self.path.removeprefix("/"), self.headers, body)
                self.send_response(status)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def do_GET(self) -> None:
                self.send_response(404)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._origin = f"http://127.0.0.1:{server.server_address[1]}"
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            serving.join()

    def answer(self, path: str, headers: object, body: bytes) -> tuple[int, bytes]:
        """Status and body."""
        self.asked[path] += 1
        if path == "border/ask/cosign":
            note = Note.parse(body.partition(b"\n\n")[2])
            return 200, self._witness.line(note.text, int(time.time())).encode()
        if path != "border/inbox":
            return 404, b'{"code":"not-found"}'
        entry = base64.b64decode(headers[crossing.ENTRY])  # type: ignore[index]
        out = msgspec.json.decode(entry, type=crossing.Out)
        crossing.check_body(out, body)
        into = crossing.in_entry(out, out.at, "us", crossing.ACCEPTED)
        text = crossing.receipt_text(into)
        key = passport.key_of(self._number, self._key.public)
        signature = self._key.sign(passport.line_of(text))
        self.taken.append(str(out.id))
        return 200, passport.noted(text, key, signature).encode()
