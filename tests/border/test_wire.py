"""What may cross, and to whom."""

from __future__ import annotations

import msgspec
import pytest

from luciole.border.wire import BadCrossing, Push, Services, decode, encode
from luciole.config import Settings

PUSH = Push("https://push.example/a", "vapid t=x, k=y", "luciole", 60)


def test_push_is_read_back_and_nothing_else_is() -> None:
    assert decode(encode(PUSH)) == PUSH
    said = msgspec.json.decode(encode(PUSH))
    for strange in (
        {**said, "kind": "mail"},
        {**said, "body": "Ben likes your clip"},
        {name: value for name, value in said.items() if name != "topic"},
        {**said, "ttl_s": "60"},
    ):
        with pytest.raises(BadCrossing):
            decode(msgspec.json.encode(strange))
    with pytest.raises(BadCrossing):
        decode(b"\xff")


ALLOWED = Services("https://push.example https://*.below.example http://127.0.0.1:9000")


@pytest.mark.parametrize(
    ("endpoint", "service"),
    [
        ("https://push.example/send/abc?x=1", "https://push.example"),
        ("https://a.b.below.example/x", "https://a.b.below.example"),
        ("http://127.0.0.1:9000/x", "http://127.0.0.1:9000"),
        ("http://push.example/x", None),
        ("https://push.example", None),
        ("https://push.example:8443/x", None),
        ("https://push.example.evil.example/x", None),
        ("https://evilbelow.example/x", None),
        ("https://below.example/x", None),
        ("https://push.example@evil.example/x", None),
        ("https://evil.example/https://push.example/x", None),
        ("https://PUSH.example/x", None),
        ("https://push.example/x#y", None),
        ("https://push.example/x y", None),
        ("https://push.example/x\r\nHost: y", None),
        ("https://push.example/" + "x" * 1024, None),
        ("https://[::1/x", None),
        ("https://a.below.example:99999/x", None),
        ("https://127.0.0.1/x", None),
        ("file:///etc/passwd", None),
        ("", None),
    ],
)
def test_only_addresses_at_known_services_are_taken(endpoint: str, service: str | None) -> None:
    assert ALLOWED.of(endpoint) == service


@pytest.mark.parametrize(
    "word", ["push.example", "https://a/b", "ftp://a", "https://u@a", "https://"]
)
def test_list_of_services_takes_origins_only(word: str) -> None:
    with pytest.raises(ValueError, match="no origin"):
        Services(word)


def test_services_of_the_settings_are_origins() -> None:
    known = Services(Settings().border.push_services)
    for endpoint in (
        "https://fcm.googleapis.com/fcm/send/x",
        "https://updates.push.services.mozilla.com/wpush/v2/x",
        "https://db5p.notify.windows.com/w/?token=x",
        "https://web.push.apple.com/x",
    ):
        assert known.of(endpoint)
