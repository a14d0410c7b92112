"""A sealer with keys of its own, and what the standard's library says of a file."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from typing import Any

import c2pa as library

from luciole.ask.client import Custody
from luciole.cell.media.sealing import Sealer
from luciole.custody import wire
from luciole.custody.model import Certificates
from luciole.keys import certificate
from luciole.keys.signing import Algorithm, SigningKey

HOST = "cell.example"
KEY = SigningKey(Algorithm.ED25519, b"k" * 32)
ROOT, LEAF = certificate.chain(b"r" * 32, KEY.public, HOST)


async def answer(asked: wire.Asked) -> Any:
    match asked:
        case wire.CertificatesOf():
            return Certificates(ROOT, LEAF)
        case wire.Sign("credentials", message):
            return KEY.sign(message)
    raise AssertionError(asked)


def sealer() -> Sealer:
    return Sealer(Custody.within(answer), "0.1.0")


def pem(der: bytes) -> str:
    lines = base64.encodebytes(der).decode()
    return f"-----BEGIN CERTIFICATE-----\n{lines}-----END CERTIFICATE-----\n"


def judged(film: bytes, root: bytes | None = ROOT) -> dict[str, Any]:
    """The report of the library, which trusts the root."""
    chosen: dict[str, Any] = {
        "verify": {"verify_trust": True, "remote_manifest_fetch": False, "ocsp_fetch": False}
    }
    if root is not None:
        chosen["trust"] = {"trust_anchors": pem(root)}
    context = library.Context.from_dict(chosen)
    with library.Reader("video/mp4", io.BytesIO(film), context=context) as reader:
        return dict(json.loads(reader.json()))


def active(report: dict[str, Any]) -> dict[str, Any]:
    return dict(report["manifests"][report["active_manifest"]])


def said(report: dict[str, Any], label: str) -> dict[str, Any]:
    """What an assertion of the active manifest says."""
    found = [one["data"] for one in active(report)["assertions"] if one["label"] == label]
    return dict(found[0])


def judges(film: bytes) -> str:
    """The library's one word for bytes that may be anything."""
    try:
        return str(judged(film)["validation_state"])
    except library.C2paError:
        return "Invalid"


def names(film: bytes, picture: bytes, root: bytes = ROOT) -> bool:
    """Whether sound credentials by this root say that the picture is one of the film."""
    if judges(film) == "Invalid":
        return False
    report = judged(film, root)
    if report["validation_state"] != "Trusted":
        return False
    *_, done = said(report, "c2pa.actions.v2")["actions"]
    named = done.get("parameters", {}).get("org.luciole.pictures", {})
    return hashlib.sha256(picture).hexdigest() in named.values()


def other_root() -> bytes:
    return certificate.chain(b"o" * 32, KEY.public, HOST)[0]
