"""What the drills read TLS with: against the trace of RFC 8448, and against OpenSSL itself."""

from __future__ import annotations

import json
import ssl
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.drills import certificates, tls13
from tests.drills.tls13 import Keys, Sealed

TRACE = json.loads(Path(__file__).with_name("rfc8448.json").read_text())
SENT, ANSWERED = (bytes.fromhex("".join(TRACE[end])) for end in ("client", "server"))
RANDOM = bytes.fromhex(TRACE["client_random"])
KEYS = {(label, RANDOM): bytes.fromhex(key) for label, key in TRACE["keys"].items()}


def test_trace_of_rfc_8448_is_opened() -> None:
    found = tls13.opened(SENT, ANSWERED, KEYS)
    assert found.sent == found.answered == bytes.fromhex(TRACE["data"])
    hellos = [bytes.fromhex(TRACE[end][0]) for end in ("client", "server")]
    assert found.clear == b"".join(hellos)


@pytest.mark.parametrize("label", sorted(TRACE["keys"]))
def test_without_a_key_it_stays_sealed(label: str) -> None:
    with pytest.raises(Sealed, match="no key was logged"):
        tls13.opened(SENT, ANSWERED, {at: key for at, key in KEYS.items() if at[0] != label})


def test_changed_byte_is_not_opened() -> None:
    changed = bytearray(SENT)
    changed[-30] ^= 1
    with pytest.raises(Sealed, match="does not open it"):
        tls13.opened(bytes(changed), ANSWERED, KEYS)


def test_what_is_no_tls_is_said_to_be_none() -> None:
    with pytest.raises(Sealed, match="not TLS"):
        tls13.opened(b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", KEYS)


@dataclass
class Line:
    """Both ends of a connection of OpenSSL's, without a network; all bytes of each are kept."""

    client: ssl.SSLObject
    server: ssl.SSLObject
    bytes_of: dict[str, bytes]

    def move(self, ends: dict[str, tuple[ssl.MemoryBIO, ssl.MemoryBIO]]) -> None:
        for name, other in (("client", "server"), ("server", "client")):
            moved = ends[name][1].read()
            self.bytes_of[name] += moved
            ends[other][0].write(moved)


def spoken(folder: Path, groups: str, words: list[bytes]) -> tuple[dict[str, bytes], Keys]:
    """What OpenSSL's two ends put on a wire, and the keys that the client has logged."""
    made = certificates.made(folder, "10.77.7.1")
    asks = ssl.create_default_context(cafile=made.authority)
    asks.keylog_filename = str(folder / "keys")
    answers = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    answers.load_cert_chain(made.certificate, made.key)
    answers.set_ecdh_curve(groups)
    ends = {name: (ssl.MemoryBIO(), ssl.MemoryBIO()) for name in ("client", "server")}
    line = Line(
        asks.wrap_bio(*ends["client"], server_hostname="10.77.7.1"),
        answers.wrap_bio(*ends["server"], server_side=True),
        {"client": b"", "server": b""},
    )
    left = [line.client, line.server]
    while left:
        for one in list(left):
            try:
                one.do_handshake()
                left.remove(one)
            except ssl.SSLWantReadError:
                pass
        line.move(ends)
    for word in words:
        line.client.write(word)
        line.move(ends)
        assert line.server.read(len(word)) == word
        line.server.write(word[::-1])
        line.move(ends)
        assert line.client.read(len(word)) == word[::-1]
    return line.bytes_of, tls13.keys_in(folder / "keys")


# The second is a group for which the client has not sent a share, so that it has to begin anew.
@pytest.mark.parametrize("groups", ["prime256v1", "secp384r1"])
def test_what_openssl_says_is_opened(tmp_path: Path, groups: str) -> None:
    words = [b"one", b"two" * 5000, b"\0\0"]
    on_wire, keys = spoken(tmp_path, groups, words)
    found = tls13.opened(on_wire["client"], on_wire["server"], keys)
    assert found.sent == b"".join(words)
    assert found.answered == b"".join(word[::-1] for word in words)
    assert b"one" not in on_wire["client"]
