"""Of which shape everything is that cells say beside the bodies which their logs tell: first lines,
headers value for value, refusals. Written from FEDERATION.md and the RFCs; of what is free there
(a nonce, a time) only so many signs of so many kinds are taken.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from http import HTTPStatus

from tests.drills.wire import Message

from luciole.ledger.merkle import Refused
from luciole.ledger.tiles import Tile

ASKED = ("cosign", "share", "lookup", "backup")
POSTED = re.compile(rf"POST /border/(crossings|inbox|media|ask/({'|'.join(ASKED)})) HTTP/1\.1")
READ = re.compile(r"GET (/[!-~]+) HTTP/1\.1")
BASE64 = r"[A-Za-z0-9+/]+={0,2}"
DAY = r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4}"
REQUESTS = {
    "accept-encoding": "identity",
    "content-type": r"application/(json|octet-stream|activity\+json)",
    "content-length": r"[1-9]\d{0,7}",
    "signature": r"sig1=:[A-Za-z0-9+/]{86}==:",
    "luciole-entry": BASE64,
    "luciole-proof": BASE64,
}
SIGNED = (
    r'sig1=\("@method" "@target-uri" "content-digest" "content-type"\);created=\d{10};'
    r'keyid="%s";alg="ed25519";nonce="[A-Za-z0-9_-]{16}"'
)
ANSWERS = {
    "date": DAY + r" \d\d:\d\d:\d\d GMT",
    "content-type": r"application/(json|octet-stream)|text/plain; charset=utf-8",
    "content-length": r"\d{1,9}",
    "transfer-encoding": "chunked",
    "retry-after": r"\d{1,3}",
    "access-control-allow-origin": r"\*",
    "x-content-type-options": "nosniff",
    "luciole-entry": BASE64,
    "luciole-proof": BASE64,
}
# What Caddy says of itself, beside that.
CADDYS = {"server": "Caddy", "alt-svc": r'h3=":\d{4,5}"; ma=2592000'}

# By status, what a cell says instead of an answer. Those before the first line that is left out
# here get no entry in the receiver's log: nothing was done.
UNDONE: dict[int, set[str]] = {
    401: {
        *("not-signed", "unknown-key", "wrong-signature", "not-of-now", "digest-of-other-bytes"),
        *("body-not-covered", "covers-too-little", "signature-not-read", "another-algorithm"),
    },
    403: {"log-red", "not-public"},
    404: {"not-found", "kind-unknown", "missing", "changed"},
    409: {"replayed"},
    413: {"too-large"},
    429: {"too-many"},
    500: {"internal"},
}
REFUSALS: dict[int, set[str]] = {
    **UNDONE,
    400: {
        *("not-understood", "entry-not-read", "entry-not-ours", "proof-not-read", "twice"),
        *("body-of-another", "kind-unknown"),
    },
    422: {
        *("malformed", "unknown-handle", "no-grant", "other-label", "spent", "too-old"),
        *("not-in-log", "other-half", "too-large", "unknown-kind", "bad-lookup", "no-such-round"),
        *("asked-too-much", "too-many-askers", "no-piece", "piece-differs", "not-understood"),
    },
    503: {"unavailable", "not-proven", "not-cosigned", "no-room", "not-found"},
}
ORIGIN = r"luciole/[0-9a-f-]{36}/(access|decisions|border)"
# What a witness says instead of a cosignature, in its own words (C2SP tlog-witness: 409 is the size
# that it knows).
WITNESSES = {
    404: rf"I do not follow {ORIGIN}\.\n",
    403: rf"{ORIGIN} did not sign this\.\n",
    409: r"\d{1,12}\n",
    503: r"(The cell shows no policy yet|I cannot get the entries just now)\.\n",
}


def wrong_headers(
    message: Message, authority: str, key_name: str, *, behind_caddy: bool
) -> Iterator[str]:
    """Headers that nobody has declared, and those that say something else than they should.
    `authority`: of whoever is asked; `key_name`: of the key of who asks."""
    if message.is_request:
        digest = f"sha-256=:{b64encode(sha256(message.body).digest()).decode()}:"
        shapes = REQUESTS | {
            "host": re.escape(authority),
            "content-digest": re.escape(digest),
            "signature-input": SIGNED % re.escape(key_name),
        }
    else:
        shapes = ANSWERS | (CADDYS if behind_caddy else {})
    for name, value in message.headers.items():
        if name not in shapes:
            yield f"header {name} of"
        elif not re.fullmatch(shapes[name], value):
            yield f"the value of header {name} of"


def is_first_line(message: Message) -> bool:
    """Of a request: a declared path, or that of a public file; of an answer: a status with its own
    name."""
    if message.is_request:
        read = READ.fullmatch(message.first)
        return bool(POSTED.fullmatch(message.first) or (read and is_public(read[1])))
    version, status, words = message.first.split(" ", 2)
    known = {"502": "Bad Gateway"} | {str(one.value): one.phrase for one in HTTPStatus}
    return version == "HTTP/1.1" and known.get(status, "").lower() == words.lower()


def is_public(path: str) -> bool:
    """Whether this may be the path of a file that everybody may read."""
    match path.split("/")[1:]:
        case [".well-known", "luciole-cell"] | ["ledger", "policy"]:
            return True
        case ["ledger", "access" | "decisions" | "border", *name]:
            return _is_file("/".join(name), ("checkpoint", "pending", "handover"))
        case ["witness", digest, *name] if re.fullmatch("[0-9a-f]{64}", digest):
            return _is_file("/".join(name), ("checkpoint",))
    return False


def _is_file(name: str, names: tuple[str, ...]) -> bool:
    try:
        return name in names or bool(Tile.of_path(name))
    except Refused:
        return False


def refusal(message: Message, *, behind_caddy: bool) -> str:
    """What is wrong with an answer that is none: empty where it is a declared refusal."""
    assert message.request is not None
    status = int(message.first.split(" ")[1])
    if behind_caddy and status == 502 and not message.body:
        return ""  # of the proxy itself: the cell does not answer yet
    if message.request.path == "/border/ask/cosign":
        text = message.body.decode("utf-8", "replace")
        if re.fullmatch(WITNESSES.get(status, "(?!)"), text):
            return ""
    code = code_of(message)
    return "" if code in REFUSALS.get(status, ()) else f"a refusal ({status}) that is none"


def code_of(message: Message) -> str:
    """The code of a refusal in JSON, written as a cell writes it; else nothing."""
    try:
        code = json.loads(message.body)["code"]
    except (ValueError, KeyError, TypeError):
        return ""
    return (
        code if message.body == json.dumps({"code": code}, separators=(",", ":")).encode() else ""
    )


def is_undone(message: Message) -> bool:
    """Whether this was refused before anything was done or noted."""
    status = int(message.first.split(" ")[1])
    return status == 502 or code_of(message) in UNDONE.get(status, ())
