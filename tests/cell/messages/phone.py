"""A device as the delivery service sees one: a real key, key packages and group infos in the form
of RFC 9420, and any bytes for all that is sealed."""

from __future__ import annotations

import base64
import hashlib
import os
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
from tests.cell.house import Browser, House

from luciole.audit.canary.phone import group_info, key_package, to_be_signed
from luciole.cell.messages import framing
from luciole.keys.signing import Algorithm, SigningKey

M = "/api/messages"


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def unb64(text: str) -> bytes:
    return base64.b64decode(text)


@dataclass
class Phone:
    """A device of the person of a browser."""

    browser: Browser
    key: SigningKey
    now: datetime
    id: str = ""
    person_id: str = ""
    acked: int = 0
    groups: dict[str, tuple[bytes, int]] = field(default_factory=dict)

    @classmethod
    async def of(cls, house: House, browser: Browser, *, packages: int = 3) -> Phone:
        """A device with key packages at the cell."""
        now = house.clock.now()
        made = cls(browser, SigningKey(Algorithm.ED25519, os.urandom(32)), now)
        answer = await made.add()
        assert answer.status_code == 201, answer.text
        made.id, made.person_id = answer.json()["id"], answer.json()["person_id"]
        answer = await made.publish([made.package() for _ in range(packages)], made.package())
        assert answer.status_code == 200, answer.text
        return made

    async def add(self, name: str = "Phone") -> httpx.Response:
        body = {"signature_key": b64(self.key.public), "name": name}
        return await self.browser.post(f"{M}/devices", json=body)

    def package(self, **other: Any) -> bytes:
        given = {
            "signature_key": self.key.public,
            "identity": UUID(self.person_id).bytes + UUID(self.id).bytes,
            "not_after": self.now + timedelta(days=90),
            **other,
        }
        return key_package(**{**given, "not_after": int(given["not_after"].timestamp())})

    async def publish(
        self, packages: list[bytes], last_resort: bytes | None = None
    ) -> httpx.Response:
        body: dict[str, Any] = {"packages": [b64(each) for each in packages]}
        if last_resort is not None:
            body["last_resort"] = b64(last_resort)
        return await self.browser.post(f"{M}/devices/{self.id}/key-packages", json=body)

    async def claim(self, *handles: str) -> httpx.Response:
        body = {"handles": list(handles), "device_id": self.id}
        return await self.browser.post(f"{M}/key-packages/claim", json=body)

    async def begin(self, kind: str, *others: Phone, **other: Any) -> httpx.Response:
        """A conversation in which each of the other devices is welcomed."""
        group_id = os.urandom(16)
        handles = dict.fromkeys(each.browser.handle for each in others)
        handles.pop(self.browser.handle, None)
        body = {
            "device_id": self.id,
            "kind": kind,
            "members": list(handles),
            "welcomes": [
                {"device_ids": [each.id], "body": b64(b"welcome " + each.id.encode())}
                for each in others
            ],
            "group_info": b64(group_info(group_id, 1)),
            **other,
        }
        answer = await self.browser.post(f"{M}/conversations", json=body)
        if answer.is_success:
            for each in (self, *others):
                each.groups[answer.json()["id"]] = (group_id, 1)
        return answer

    async def talk(self, kind: str, *others: Phone) -> str:
        """The id of a new conversation."""
        answer = await self.begin(kind, *others)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def send(
        self, conversation: str, body: bytes = b"sealed", *, epoch: int | None = None
    ) -> httpx.Response:
        wanted = self.groups[conversation][1] if epoch is None else epoch
        token = hashlib.sha256(body).digest()
        message = {
            "device_id": self.id,
            "epoch": wanted,
            "body": b64(body),
            "recall_hash": b64(hashlib.sha256(token).digest()),
        }
        return await self.browser.post(f"{M}/conversations/{conversation}/messages", json=message)

    async def take_back(self, conversation: str, message_id: str, body: bytes) -> httpx.Response:
        return await self.browser.request(
            "DELETE",
            f"{M}/conversations/{conversation}/messages/{message_id}",
            json={"token": b64(hashlib.sha256(body).digest())},
        )

    async def commit(
        self, conversation: str, *welcomed: Phone, epoch: int | None = None, **other: Any
    ) -> httpx.Response:
        group_id, known = self.groups[conversation]
        at = known if epoch is None else epoch
        body = {
            "device_id": self.id,
            "epoch": at,
            "commit": b64(b"commit of " + self.id.encode()),
            "group_info": b64(group_info(group_id, at + 1)),
            "welcomes": [
                {"device_ids": [each.id], "body": b64(b"welcome " + each.id.encode())}
                for each in welcomed
            ],
            **other,
        }
        answer = await self.browser.post(f"{M}/conversations/{conversation}/commits", json=body)
        if answer.is_success:
            for each in (self, *welcomed):
                each.groups[conversation] = (group_id, at + 1)
        return answer

    async def waiting(self, **query: int) -> list[dict[str, Any]]:
        """What is in the inbox; it stays there."""
        answer = await self.browser.get(f"{M}/devices/{self.id}/inbox", params=query)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["items"])

    async def fetch(self) -> list[tuple[str, bytes]]:
        """Kinds and bodies of what is in the inbox, which is empty then."""
        items = await self.waiting()
        if items:
            answer = await self.ack(items[-1]["n"])
            assert answer.status_code == 204, answer.text
        return [(each["kind"], unb64(each["body"])) for each in items]

    async def ack(self, up_to: int) -> httpx.Response:
        return await self.browser.post(f"{M}/devices/{self.id}/acks", json={"up_to": up_to})

    def signed(self, conversation: str, content: bytes) -> dict[str, str]:
        """A message of this device as it is disclosed in a report."""
        text = to_be_signed(*self.groups[conversation], content)
        signature = self.key.sign(framing.sign_content("FramedContentTBS", text))
        return {"device_id": self.id, "content": b64(text), "signature": b64(signature)}


async def folder(browser: Browser, name: str) -> list[dict[str, Any]]:
    """The conversations in a folder of somebody."""
    answer = await browser.get(f"{M}/conversations", params={"folder": name})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def befriend(one: Browser, other: Browser) -> None:
    await one.follow(other)
    await other.follow(one)


async def keep_away(browser: Browser, handle: str, distance: str) -> None:
    """`block` or `restriction`."""
    answer = await browser.put(f"/api/people/{handle}/away/{distance}")
    assert answer.status_code == 204, answer.text
