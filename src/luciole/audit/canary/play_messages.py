"""The canary persons write to each other: ana and cleo talk; dan asks, and flo before she goes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from typing import Any
from uuid import UUID

from luciole.audit.canary import phone
from luciole.audit.canary.device import Signer
from luciole.audit.canary.stage import Stage
from luciole.cell.messages import framing

M = "/api/messages"
TALK = f"{M}/conversations/{{conversation_id}}"
DEVICE = f"{M}/devices/{{device_id}}"
DAYS_90 = 90 * 86_400


async def run(stage: Stage) -> None:
    """Everybody who talks has a device; all operations, each with success."""
    phones = {person: await Talker.of(stage, person) for person in ("ana", "cleo", "dan", "flo")}
    await talk(stage, phones["ana"], phones["cleo"])
    for person in ("dan", "flo"):
        await ask(phones[person], phones["ana"])
    await keep(stage)
    await phones["dan"].do("DELETE", DEVICE, device_id=phones["dan"].id)


class Talker:
    """A person with a device. What it sends is what its marks say."""

    def __init__(self, stage: Stage, person: str) -> None:
        self.stage, self.person = stage, person
        seed = hmac.digest(stage.book.seed, f"{person}/device".encode(), "sha256")
        self.signer, self.id = Signer(seed), ""

    @classmethod
    async def of(cls, stage: Stage, person: str) -> Talker:
        made = cls(stage, person)
        name = stage.book.plant(person, "message.device name", "Phone {}")
        body = {"signature_key": b64(made.signer.public), "name": name}
        told = (await made.do("POST", f"{M}/devices", json=body)).json()
        made.id = told["id"]
        identity = framing.identity_of(UUID(told["person_id"]), UUID(made.id))
        ends = int(time.time()) + DAYS_90
        packages = [phone.key_package(made.signer.public, identity, ends) for _ in range(3)]
        shown = {"packages": [b64(each) for each in packages[1:]], "last_resort": b64(packages[0])}
        await made.do("POST", f"{DEVICE}/key-packages", device_id=made.id, json=shown)
        await made.do("GET", f"{DEVICE}/key-packages", device_id=made.id)
        await made.do("GET", f"{M}/devices")
        return made

    async def do(self, method: str, path: str, **how: Any) -> Any:
        return await self.stage[self.person].ask(f"{method} {path}", **how)

    async def begin(self, other: Talker, group_id: bytes) -> str:
        """A conversation of two."""
        handle = self.stage.handle(other.person)
        await self.do("GET", f"{M}/people/{{handle}}/devices", handle=handle)
        await self.do("POST", f"{M}/key-packages/claim", json={"handles": [handle]})
        welcome = {"device_ids": [other.id], "body": b64(b"welcome")}
        body = {
            "device_id": self.id,
            "kind": "pair",
            "members": [handle],
            "welcomes": [welcome],
            "group_info": b64(phone.group_info(group_id, 1)),
        }
        made = await self.do("POST", f"{M}/conversations", json=body)
        return str(made.json()["id"])

    async def send(self, conversation: str, field: str, epoch: int) -> str:
        """A sealed message, of which the cell sees the mark as bytes."""
        plant = self.stage.book.plant
        token = plant(self.person, "message.recall token", "{} of a message")
        body = {
            "device_id": self.id,
            "epoch": epoch,
            "body": b64(plant(self.person, field).encode()),
            "recall_hash": b64(hashlib.sha256(token.encode()).digest()),
        }
        path = f"{TALK}/messages"
        made = await self.do("POST", path, conversation_id=conversation, json=body)
        return str(made.json()["id"])

    async def fetch(self) -> None:
        """Takes what waits."""
        waiting = await self.do("GET", f"{DEVICE}/inbox", device_id=self.id)
        last = waiting.json()["items"][-1]["n"]
        await self.do("POST", f"{DEVICE}/acks", device_id=self.id, json={"up_to": last})


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


async def talk(stage: Stage, ana: Talker, cleo: Talker) -> None:
    """Friends: messages, a commit, marks, a file, a report; one message is taken back."""
    plant = stage.book.plant
    group_id = hashlib.sha256(stage.book.seed).digest()[:16]
    pair = await ana.begin(cleo, group_id)
    here = {"conversation_id": pair}
    for one in (ana, cleo):
        await one.do("PATCH", f"{M}/settings", json={"typing": True, "read_marks": True})
        await one.do("GET", f"{M}/settings")
        await one.do("GET", f"{M}/conversations")
    await ana.send(pair, "message.sealed", 1)
    await cleo.fetch()
    signal = {"device_id": ana.id, "body": b64(plant("ana", "message.signal").encode())}
    await ana.do("POST", f"{TALK}/signals", **here, json=signal)
    taken = await ana.send(pair, "message.sealed", 1)
    token = plant("ana", "message.recall token").encode()
    recall = f"{TALK}/messages/{{message_id}}"
    await ana.do("DELETE", recall, **here, message_id=taken, json={"token": b64(token)})
    await cleo.do("GET", f"{TALK}/group-info", **here)
    commit = {
        "device_id": cleo.id,
        "epoch": 1,
        "commit": b64(b"commit"),
        "group_info": b64(phone.group_info(group_id, 2)),
    }
    await cleo.do("POST", f"{TALK}/commits", **here, json=commit)
    sealed = plant("ana", "message.attachment").encode()
    made = await ana.do("POST", f"{TALK}/attachments", **here, content=sealed)
    path = f"{M}/attachments/{{attachment_id}}"
    await cleo.do("GET", path, attachment_id=made.json()["id"])
    for person in ("ben", "visitor"):
        refused = {"attachment_id": made.json()["id"], "expect": (401, 404)}
        await stage[person].ask(f"GET {path}", **refused)
    await cleo.do("PUT", f"{TALK}/mute", **here)
    await cleo.do("DELETE", f"{TALK}/mute", **here)
    said = phone.to_be_signed(group_id, 1, plant("cleo", "message.disclosed").encode())
    signed = {
        "device_id": cleo.id,
        "content": b64(said),
        "signature": b64(cleo.signer.sign(framing.sign_content("FramedContentTBS", said))),
    }
    report = {**here, "reason": "other", "items": [signed]}
    await ana.do("POST", f"{M}/reports", json=report)
    # Something is left when the cell is looked through.
    await ana.send(pair, "message.sealed", 2)


async def ask(one: Talker, ana: Talker) -> None:
    """A stranger's request, which ana accepts and then leaves."""
    pair = await one.begin(ana, hashlib.sha256(one.signer.public).digest())
    await one.send(pair, "message.sealed request", 1)
    await ana.fetch()
    await ana.do("POST", f"{TALK}/accept", conversation_id=pair)
    if one.person == "dan":
        await ana.do("POST", f"{TALK}/leave", conversation_id=pair)
    await one.fetch()


async def keep(stage: Stage) -> None:
    """Backups, sealed on the device."""
    for person in ("ana", "flo"):
        # Not the mark alone: an export's manifest has the hash of each file.
        sealed = stage.book.plant(person, "message.history").encode() + b" and more"
        one = stage[person]
        await one.ask(f"PUT {M}/backup", content=sealed)
        await one.ask(f"GET {M}/backup")
    cleo = stage["cleo"]
    await cleo.ask(f"PUT {M}/backup", content=b"sealed")
    await cleo.ask(f"DELETE {M}/backup")
