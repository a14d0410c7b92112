"""The operator's mail server on this machine: it speaks as much SMTP as a code needs (RFC 5321),
with a certificate of its own, and misbehaves when it is told to."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "luciole", "a password of this test"


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate for a host, signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    host = x509.IPAddress(ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([host]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    crt, pem = folder / f"{name}.crt", folder / f"{name}.key"
    crt.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return crt, pem


@dataclass
class MailServer:
    """What it took, and how it is to behave. `answers` are used up, one for each mail, in place of
    250 after the mail; `cuts` end a connection at a command, in the `body` or before the
    `answer`."""

    scheme: str
    authority: Path
    port: int = 0
    taken: list[EmailMessage] = field(default_factory=list)
    rcpt: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    connections: int = 0
    answers: list[int] = field(default_factory=list)
    rcpt_status: int = 250
    cuts: list[str] = field(default_factory=list)
    slow_at: str = ""
    has_starttls: bool = True
    has_utf8: bool = False

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"


class _Cut(Exception):
    pass


@contextlib.asynccontextmanager
async def mail_server(
    folder: Path, scheme: str = "smtps", name: str = "127.0.0.1"
) -> AsyncIterator[MailServer]:
    """Runs one while the block runs. `name`: whom its certificate names."""
    crt, pem = certificate(folder, name)
    made = MailServer(scheme, crt)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(crt, pem)
    open_now: set[asyncio.StreamWriter] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_now.add(writer)
        made.connections += 1
        with contextlib.suppress(_Cut, OSError, asyncio.IncompleteReadError):
            await _talk(made, tls, reader, writer)
        writer.close()

    first = tls if scheme == "smtps" else None
    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=first)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for writer in open_now:
            writer.close()


async def _talk(
    made: MailServer,
    tls: ssl.SSLContext,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    is_encrypted = made.scheme == "smtps"

    async def say(text: str) -> None:
        writer.write(f"{text}\r\n".encode())
        await writer.drain()

    async def at(step: str) -> None:
        if made.slow_at == step:
            # As slow as to never stop: each byte keeps a timeout of a socket away.
            for _ in range(600):
                writer.write(b"2")
                await writer.drain()
                await asyncio.sleep(0.1)
        if made.cuts and made.cuts[0] == step:
            made.cuts.pop(0)
            raise _Cut

    await at("greeting")
    await say("220 mail.test ESMTP")
    while line := (await reader.readline()).decode().strip():
        made.said.append(line)
        verb = line.split(" ")[0].split(":")[0].upper()
        await at(verb)
        match verb:
            case "EHLO":
                more = ["250-STARTTLS"] if made.has_starttls and not is_encrypted else []
                more += ["250-SMTPUTF8"] if made.has_utf8 else []
                await say("\r\n".join(["250-mail.test", *more, "250 AUTH PLAIN"]))
            case "STARTTLS":
                await say("220 go on")
                await writer.start_tls(tls)
                is_encrypted = True
            case "AUTH":
                right = base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode()
                await say("235 welcome" if line.split(" ")[-1] == right else "535 no")
            case "MAIL":
                await say("250 so be it")
            case "RCPT":
                made.rcpt.append(line)
                await say(f"{made.rcpt_status} {line} is written down")
            case "DATA":
                await say("354 go on")
                whole = b""
                while not whole.endswith(b"\r\n.\r\n"):
                    whole += await reader.readline() or b"\r\n.\r\n"
                    await at("body")
                status = made.answers.pop(0) if made.answers else 250
                if status < 400:
                    text = whole[:-3].replace(b"\r\n..", b"\r\n.")
                    made.taken.append(message_from_bytes(text, policy=policy.default))
                await at("answer")
                await say(f"{status} that is what I say")
            case _:
                await say("250 well")
