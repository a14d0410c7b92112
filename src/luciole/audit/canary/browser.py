"""A canary person's browser: sends marks along with every request and keeps every answer."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx
import msgspec

from luciole.audit.canary import marks
from luciole.audit.canary.marks import Mark

MOST_TRIES = 3


class Exchange(msgspec.Struct):
    """One answer as the person got it. `operation`: as the API's description names it."""

    operation: str
    viewer: str
    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Stale(Exception):
    """The canary asks for something that the API does not have, or got an answer that it did not
    expect; the text says what. It has to follow the API."""


class Book:
    """All marks of a run: those planted, and those learnt from the cell."""

    def __init__(self, seed: bytes) -> None:
        self.seed = seed
        self.planted: dict[tuple[str, str], Mark] = {}
        self.learnt: list[Mark] = []

    def plant(self, person: str, field: str, shape: str = "{}") -> str:
        """The marked value of a field; `shape` puts text around the token. The same each time."""
        known = self.planted.get((person, field))
        if known is None:
            token = marks.token(self.seed, person, field)
            known = Mark(field, person, shape.format(token), token)
            self.planted[person, field] = known
        return known.value

    def plant_as(self, mark: Mark) -> str:
        """A mark of a form of its own."""
        return self.planted.setdefault((mark.person, mark.field), mark).value

    def phone(self, person: str) -> str:
        """A telephone number of 15 digits, of an international range that nobody is given."""
        number = marks.digits(self.seed, person, "contact.phone", 12)
        return self.plant_as(Mark("contact.phone", person, f"+883{number}", number))

    def address(self, person: str) -> str:
        """A network address of the range for documentation (RFC 3849)."""
        drawn = marks.digits(self.seed, person, "request.address", 28)
        low = int(drawn) % 2**96
        address = ipaddress.IPv6Address(0x2001_0DB8 << 96 | low)
        mark = Mark("request.address", person, str(address), str(address), address.packed)
        return self.plant_as(mark)

    def learn(self, person: str, field: str, value: str, raw: bytes = b"") -> None:
        """A value that the cell made. Short ones would be found by chance, so they are refused."""
        if len(value) < 12:
            raise Stale(f"{field}: {len(value)} characters are too few to be a mark")
        mark = Mark(field, person, value, value, raw)
        if mark not in self.learnt:
            self.learnt.append(mark)

    def all(self) -> list[Mark]:
        return [*self.planted.values(), *self.learnt]


class Browser:
    """Requests as one person, or as a visitor."""

    def __init__(self, http: httpx.AsyncClient, book: Book, person: str, heard: list[Exchange]):
        self.person, self.book, self._http, self._heard = person, book, http, heard
        self.token = ""

    def sent_along(self) -> dict[str, str]:
        """What browsers, proxies and tracers add to a request."""
        plant = self.book.plant
        system = "(Linux; Android 16) AppleWebKit/537.36 Chrome/140.0"
        found = {
            "x-forwarded-for": self.book.address(self.person),
            "user-agent": plant(self.person, "request.browser", f"Mozilla/5.0 {system} {{}}/1.0"),
            "referer": plant(self.person, "request.referrer", "https://elsewhere.example/{}"),
            "accept-language": plant(self.person, "request.languages", "x-{};q=0.9,en;q=0.8"),
            "baggage": plant(self.person, "request.baggage", "person={}"),
            "cookie": plant(self.person, "request.cookie", "theme={}"),
            "sec-fetch-site": "same-origin",
        }
        if self.token:
            found["authorization"] = f"Bearer {self.token}"
        return found

    async def ask(
        self,
        operation: str,
        *,
        expect: tuple[int, ...] = (200, 201, 204),
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        **how: Any,
    ) -> httpx.Response:
        """The answer to `METHOD /path/{part}`; further words fill the parts of the path. Raises
        Stale when the status is not expected; an empty `expect` expects any."""
        method, _, path = operation.partition(" ")
        body = {name: how.pop(name) for name in ("json", "content") if name in how}
        for part, value in how.items():
            path = path.replace(f"{{{part}}}", quote(str(value), safe="/"))
        if "{" in path:
            raise Stale(f"{operation}: a part of the path is missing in {path}")
        mark = self.book.plant(self.person, "request.query")
        try:
            answer = await self._http.request(
                method,
                path,
                headers={**self.sent_along(), **(headers or {})},
                params={"utm_source": mark, **(query or {})},
                **body,
            )
        except httpx.HTTPError as error:
            raise Stale(f"{operation} as {self.person}: {type(error).__name__}") from error
        self.hear(operation, answer)
        if expect and answer.status_code not in expect:
            code = answer.json().get("code") if answer.content else ""
            raise Stale(f"{operation} as {self.person}: {answer.status_code} {code}")
        return answer

    def hear(self, operation: str, answer: httpx.Response) -> None:
        """Keeps an answer for the scan. What it set is not kept: the next request says all anew."""
        headers = [(name.lower(), value) for name, value in answer.headers.multi_items()]
        self._heard.append(
            Exchange(operation, self.person, answer.status_code, headers, answer.content)
        )
        self._http.cookies.clear()
