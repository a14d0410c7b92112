"""A visit from another machine: `python -m tests.drills.visiting HOST BORDER ROOT`. HOST is visited
over TLS that ROOT vouches for, somebody signs up with a passkey and comes back with it; BORDER is
knocked at. Prints what was seen as JSON."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import sys
from typing import Any

from tests.drills.browser import Browser


def certificate_of(host: str, trusted: ssl.SSLContext) -> dict[str, Any]:
    """Of whoever answers at 443, as the root vouches for it."""
    with (
        socket.create_connection((host, 443), 60) as line,
        trusted.wrap_socket(line, server_hostname=host) as tls,
    ):
        found = tls.getpeercert()
    assert found
    issuer: Any = found["issuer"]
    by = dict(pair for part in issuer for pair in part)["commonName"]
    return {"names": [one[1] for one in found["subjectAltName"]], "by": by}


def plain(host: str) -> list[Any]:
    """What port 80 says to who comes without TLS."""
    line = http.client.HTTPConnection(host, 80, timeout=60)
    line.request("GET", "/@ana?x=1")
    answer = line.getresponse()
    return [answer.status, answer.getheader("location")]


def main(host: str, border: str, root: str) -> None:
    trusted = ssl.create_default_context(cafile=root)
    seen: dict[str, Any] = {name: certificate_of(name, trusted) for name in (host, border)}
    seen["plain"] = plain(host)
    visitor = Browser(443, host, trusted)
    status, page = visitor.ask("GET", "/")
    seen["page"] = [status, "<title" in page, visitor.headers.get("strict-transport-security")]
    seen["operators"] = [visitor.ask("GET", path)[0] for path in ("/metrics", "/readyz")]
    ana = Browser(443, host, trusted)
    key = ana.device()
    ana.sign_up("ana", key)
    seen["cookie"] = ana.headers["set-cookie"]
    seen["again"] = Browser(443, host, trusted).by_passkey(key)[0]
    seen["pages at the border"] = Browser(443, border, trusted).ask("GET", "/api/cell")[0]
    # Whoever does not know the authority believes nothing.
    try:
        certificate_of(host, ssl.create_default_context())
    except ssl.SSLCertVerificationError:
        seen["stranger"] = "does not believe it"
    print(json.dumps(seen))


if __name__ == "__main__":
    main(*sys.argv[1:])
