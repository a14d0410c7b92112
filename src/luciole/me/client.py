"""Requests as one person, with a token from a file that only they can read, or a password."""

from __future__ import annotations

import getpass
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import httpx

from luciole.kit.errors import Invalid, NotAllowed, Problem, Unavailable

PATIENCE_S = 60.0
DOWNLOAD_TRIES = 20

Ask = Callable[[str], str]


class TokenFileOpen(NotAllowed):
    code = "token-file-open"


class CellRefused(Problem):
    """What the cell answered, in its own words."""

    code = "cell-refused"
    sentence = "The cell refused this."
    next_step = "Do what it says, then run it again."


class CellAway(Unavailable):
    code = "cell-away"
    sentence = "The cell does not answer at this address."
    next_step = "Check the address and your network, then run it again."


class BadAddress(Invalid):
    code = "bad-address"
    sentence = "This is not the address of a cell that can be trusted with a password."
    next_step = "Give its https:// address; http:// is for a cell on this machine only."


class Client:
    """One person at one cell."""

    def __init__(
        self,
        cell: str,
        handle: str,
        token_file: Path | None,
        *,
        ask: Ask = getpass.getpass,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        url = httpx.URL(cell)
        is_near = url.host in ("localhost", "127.0.0.1", "::1")
        if url.scheme != "https" and not (url.scheme == "http" and is_near):
            raise BadAddress
        self.handle = handle.removeprefix("@")
        self._ask = ask
        self._http = httpx.Client(base_url=cell, timeout=PATIENCE_S, transport=transport)
        self._token = read_token(token_file) if token_file else ""
        self._is_ours = False

    @property
    def address(self) -> str:
        """Of the cell."""
        return str(self._http.base_url).rstrip("/")

    def ask(self, words: str) -> str:
        """What the person types, unseen."""
        return self._ask(words)

    def close(self) -> None:
        """Ends the session that was opened here; one from a file stays."""
        if self._is_ours:
            self.call("DELETE", "/api/sessions/current")
        self._http.close()

    def sign_in(self) -> None:
        """Opens a session with a password where no file gave one. Raises CellRefused."""
        if not self._token:
            body = {"handle": self.handle, "password": self._ask("Password: ")}
            self._token = self.call("POST", "/api/sessions", json=body)["token"]
            self._is_ours = True

    def prove(self) -> None:
        """Gives the password once more, where the cell wants it. Raises CellRefused."""
        body = {"password": self._ask("Password, once more: ")}
        self.call("POST", "/api/sessions/current/proof", json=body)

    def get(self, path: str, **params: Any) -> Any:
        return self.call("GET", path, params=params)

    def call(self, method: str, path: str, **how: Any) -> Any:
        """The decoded answer. Raises CellRefused, CellAway."""
        answer = self._send(method, path, **how)
        if "application/json" in answer.headers.get("content-type", "") and answer.content:
            return answer.json()
        return answer.text

    def opened(self, method: str, path: str, headers: dict[str, str]) -> str:
        """Where the cell put what was begun. Raises CellRefused, CellAway."""
        return self._send(method, path, more=headers).headers["location"]

    def send(self, method: str, path: str, headers: dict[str, str], body: bytes) -> None:
        """Sends bytes. Raises CellRefused, CellAway."""
        self._send(method, path, more=headers, content=body)

    def download(self, path: str, target: Path, tell: Callable[[int, int], None]) -> None:
        """Writes a file, going on where it broke off. Raises CellRefused, CellAway."""
        tag = ""
        part = target.with_name(target.name + ".part")
        part.unlink(missing_ok=True)
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            for _ in range(DOWNLOAD_TRIES):
                headers = {"range": f"bytes={file.tell()}-", "if-range": tag} if tag else {}
                try:
                    with self._http.stream("GET", path, headers=self._headers(headers)) as answer:
                        self._check(answer)
                        if answer.status_code == 200:
                            file.seek(0)
                            file.truncate()
                        tag = answer.headers["etag"]
                        total = file.tell() + int(answer.headers["content-length"])
                        for chunk in answer.iter_bytes():
                            file.write(chunk)
                            tell(file.tell(), total)
                    if file.tell() == total:
                        break
                except httpx.TransportError:
                    continue
            else:
                raise CellAway
        part.replace(target)

    def pages(self, path: str, **params: Any) -> Iterator[Any]:
        """All items of a list that is given page by page, the newest first."""
        before: int | None = None
        while True:
            page = self.get(path, **params, **({} if before is None else {"before": before}))
            yield from page["items"]
            before = page["next"]
            if before is None:
                return

    def _send(
        self, method: str, path: str, *, more: dict[str, str] | None = None, **how: Any
    ) -> httpx.Response:
        try:
            answer = self._http.request(method, path, headers=self._headers(more or {}), **how)
        except httpx.TransportError as error:
            raise CellAway from error
        self._check(answer)
        return answer

    def _headers(self, more: dict[str, str]) -> dict[str, str]:
        return {**({"authorization": f"Bearer {self._token}"} if self._token else {}), **more}

    @staticmethod
    def _check(answer: httpx.Response) -> None:
        if answer.is_success:
            return
        answer.read()
        try:
            body = cast(dict[str, str], answer.json())
            raise CellRefused(body["sentence"], code=body["code"], next_step=body["next_step"])
        except (ValueError, KeyError, TypeError):
            raise CellAway from None


def read_token(path: Path) -> str:
    """The session token in a file. Raises TokenFileOpen where others may read it."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(handle, encoding="utf-8") as file:
        state = os.fstat(file.fileno())
        if stat.S_IMODE(state.st_mode) & 0o077 or state.st_uid not in (os.geteuid(), 0):
            raise TokenFileOpen(
                f"Others may read the token in {path}.",
                next_step=f"Run: chmod 600 {path}  Then end that session in the settings.",
            )
        return file.read().strip()
