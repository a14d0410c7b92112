"""Leaks in what the cell sends: bodies, headers, pages, live events, exports."""

from __future__ import annotations

import base64
import contextlib
import ctypes
import hashlib
import json
import os
import socket
from collections.abc import Callable, Iterator
from typing import Any

from tests.leaks.known import leak
from tests.leaks.tap import Answered, Asked, Tap


def _add(name: str, value: Callable[[Asked], str]) -> Callable[[Asked, Answered], None]:
    """A further member in a JSON object that is answered."""

    def change(asked: Asked, answered: Answered) -> None:
        if answered.status == 200 and answered.body[:1] == b"{":
            answered.body = json.dumps({**answered.json(), name: value(asked)}).encode()

    return change


def _header(name: bytes, value: Callable[[Asked, Answered], str]) -> Any:
    def change(asked: Asked, answered: Answered) -> None:
        if answered.status < 300:
            answered.headers.append((name, value(asked, answered).encode()))

    return change


@leak("answer", "POST /api/sign-up", "refused.body")
def refusal_that_quotes(tap: Tap) -> None:
    """A refusal that repeats what was sent."""

    def change(asked: Asked, answered: Answered) -> None:
        if answered.status == 400:
            said = asked.body.decode("utf-8", "replace")
            answered.body = json.dumps({**answered.json(), "sentence": f"Not a {said}"}).encode()

    tap.on_answer("POST", "/api/sign-up", change)


@leak("answer", "GET /api/people/{handle}/followers", "refused.parameter", "base64")
def stack_in_a_refusal(tap: Tap) -> None:
    """A refusal with the state of the program in base64, for whoever reports it."""

    def change(asked: Asked, answered: Answered) -> None:
        if answered.status >= 400:
            state = base64.b64encode(f"locals: {asked.query}".encode()).decode()
            answered.body = json.dumps({**answered.json(), "trace": state}).encode()

    tap.on_answer("GET", "/api/people/", change)


@leak("answer", "GET /api/people/{handle}", "contact.email")
def address_of_another_in_a_profile(tap: Tap) -> None:
    """Somebody's e-mail address in their profile, which everybody may open."""
    tap.on_answer("GET", "/api/people/", _add("email", lambda _: tap.seen.get("email", "")))


@leak("answer", "GET /api/people/{handle}", "contact.email", "md5")
def picture_by_the_hash_of_an_address(tap: Tap) -> None:
    """The address of a picture made of the MD5 of an e-mail address."""

    def picture(_: Asked) -> str:
        email = tap.seen.get("email", "").encode()
        return f"/avatar/{hashlib.md5(email).hexdigest()}"

    tap.on_answer("GET", "/api/people/", _add("picture", picture))


@leak("answer", "GET /api/notifications", "contact.phone")
def number_in_a_notification(tap: Tap) -> None:
    """A telephone number in the text of somebody else's notification."""

    def text(_: Asked) -> str:
        return f"You know {tap.seen.get('phone', '')}"

    tap.on_answer("GET", "/api/notifications", _add("text", text))


@leak("answer", "GET /api/feeds/latest", "clip.caption for oneself")
def hidden_clip_in_a_feed(tap: Tap) -> None:
    """The caption of a clip that is for its author only, in everybody's feed."""

    def keep(asked: Asked) -> None:
        if asked.data.get("audience") == "only-me" and asked.data.get("caption"):
            tap.seen["hidden"] = str(asked.data["caption"])

    tap.on("POST", "/api/clips", keep)
    tap.on_answer(
        "GET", "/api/feeds/latest", _add("promoted", lambda _: tap.seen.get("hidden", ""))
    )


@leak("answer", "captions.vtt", "clip.captions for oneself")
def hidden_captions_for_everybody(tap: Tap) -> None:
    """The captions of a clip that is for its author only, given to whoever has its address."""

    def keep(asked: Asked) -> None:
        if asked.path.endswith("/captions"):
            tap.seen["vtt"] = str(asked.data.get("captions_vtt", ""))

    def change(asked: Asked, answered: Answered) -> None:
        if asked.path.endswith(".vtt") and tap.seen.get("vtt") and answered.status == 200:
            answered.body += tap.seen["vtt"].encode()

    tap.on("PUT", "/api/clips/", keep)
    tap.on_answer("GET", "/api/clips/", change)


@leak("headers", "GET /api/me/contacts: etag", "contact.email", "sha256")
def tag_of_a_cache_from_an_address(tap: Tap) -> None:
    """An ETag that is the SHA-256 of what is answered alone: of one e-mail address."""

    def tag(_: Asked, answered: Answered) -> str:
        value = answered.json()["items"][0]["value"] if answered.json()["items"] else ""
        return f'"{hashlib.sha256(value.encode()).hexdigest()[:24]}"'

    tap.on_answer("GET", "/api/me/contacts", _header(b"etag", tag))


@leak("headers", "GET /api/me: x-cache-key", "person.display name")
def key_of_a_cache_with_a_name(tap: Tap) -> None:
    """The key of a cache in a header, with a name in it."""
    tap.on_answer(
        "GET",
        "/api/me",
        _header(b"x-cache-key", lambda _, answered: str(answered.json().get("display_name"))),
    )


@leak("headers", "POST /api/uploads: location", "film.file name", "base64")
def file_name_in_an_address(tap: Tap) -> None:
    """The name of a file, as the phone has it, in the address of its upload."""

    def change(asked: Asked, answered: Answered) -> None:
        told = asked.headers.get("upload-metadata", "").partition(" ")[2]
        answered.headers = [
            (name, value + f"?name={told}".encode() if name == b"location" else value)
            for name, value in answered.headers
        ]

    tap.on_answer("POST", "/api/uploads", change)


@leak("headers", "POST /api/sign-up: set-cookie", "person.handle")
def handle_in_a_cookie(tap: Tap) -> None:
    """A cookie that names the person to whoever sees the request."""
    tap.on_answer(
        "POST",
        "/api/sign-up",
        _header(b"set-cookie", lambda asked, _: f"who={asked.data.get('handle')}; path=/"),
    )


@leak("headers", "GET /api/people/{handle}: link", "person.id")
def number_of_a_person_in_a_link(tap: Tap) -> None:
    """The number of a person in an address that browsers and proxies write down."""
    tap.on_answer(
        "GET",
        "/api/people/",
        _header(b"link", lambda _, answered: f"</people/{answered.json().get('id')}>"),
    )


@leak("answer", "GET a page", "person.handle")
def page_made_for_one_person(tap: Tap) -> None:
    """A page with the viewer's handle in it; it is the same for everybody, and kept by caches."""

    def change(asked: Asked, answered: Answered) -> None:
        handle = tap.seen.get(asked.headers.get("authorization", ""), "")
        answered.headers = [pair for pair in answered.headers if pair[0] != b"content-encoding"]
        answered.body = f"<p>{handle}</p>".encode()

    def keep(asked: Asked, answered: Answered) -> None:
        if answered.status == 200:
            token = asked.headers.get("authorization", "")
            tap.seen[token] = str(answered.json().get("handle", ""))

    tap.on_answer("GET", "/api/me", keep)
    tap.on_answer("GET", "/following", change)


@leak("answer", "GET /api/live", "contact.phone", "plain")
def number_in_a_live_event(tap: Tap) -> None:
    """A telephone number in a live event, sent to every open page."""
    tap.streamed.append(lambda part: part + f": {tap.seen.get('phone', '')}\n\n".encode())


@leak("answer", "GET /api/cell", "request.address")
def visitors_in_a_public_answer(tap: Tap) -> None:
    """The last visitor's network address in what everybody may ask."""

    def keep(asked: Asked) -> None:
        tap.seen["last"] = asked.address

    tap.on("GET", "/api/feeds", keep)
    tap.on_answer("GET", "/api/cell", _add("last", lambda _: tap.seen.get("last", "")))


@leak("export", "/file", "contact.phone")
def number_of_another_in_an_export(tap: Tap) -> None:
    """Somebody else's telephone number in what a person takes along."""

    def change(asked: Asked, answered: Answered) -> None:
        is_file = asked.path.endswith("/file") and answered.status == 200
        # Not the first: that one is taken in again, and would be refused.
        if is_file and tap.seen.setdefault("export", asked.path) != asked.path:
            answered.body += tap.seen.get("phone", "").encode()

    tap.on_answer("GET", "/api/me/exports", change)


@contextlib.contextmanager
def in_network_of(pid: int) -> Iterator[None]:
    """Lets what is opened meanwhile be in the network of the supervisor, which has a way out: root
    gets back there, and nobody else."""
    if os.readlink("/proc/thread-self/ns/net") == os.readlink(f"/proc/{pid}/ns/net"):
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net") as ours, open(f"/proc/{pid}/ns/net") as theirs:
        assert libc.setns(theirs.fileno(), 0) == 0, os.strerror(ctypes.get_errno())
        try:
            yield
        finally:
            assert libc.setns(ours.fileno(), 0) == 0


@leak("network", "192.0.2.1", "a connection", "to another machine")
def call_to_another_machine(tap: Tap) -> None:
    """A connection to a machine elsewhere, such as of somebody who counts visits."""
    kept: list[socket.socket] = []

    def call(_: Asked) -> None:
        if not kept:
            with in_network_of(os.getppid()):
                kept.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            kept[0].connect(("192.0.2.1", 4318))

    tap.on("GET", "/api/feeds", call)
