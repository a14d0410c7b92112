"""The request to each address as it would be right for whoever may make it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
from http.cookiejar import Cookie
from pathlib import Path
from typing import Any, cast

import httpx
from tests.cell.house import PASSWORD, PIECE, TUS
from tests.cell.messages.phone import b64
from tests.cell.roles.everybody import FRIEND, NOWHERE, VTT, Everybody, cookies, put_back

from luciole.audit.canary.phone import group_info
from luciole.keys.signing import Algorithm, SigningKey

DESCRIBED = Path(__file__).resolve().parents[3] / "docs" / "reference" / "openapi.json"
API = json.loads(DESCRIBED.read_text(encoding="utf-8"))
METHODS = ("get", "head", "options", "post", "put", "patch", "delete")
# It never ends by itself.
ENDLESS = ("GET", "/api/live")
#: What the path's part stands for where it depends on the address, by its beginning.
PARTS = {
    "/api/contacts": {"kind": "email"},
    "/api/me/contacts": {"kind": "email"},
    "/api/notifications": {"kind": "like"},
    "/api/me/away": {"distance": "mute"},
    "/api/people": {"distance": "mute"},
    "/api/me/abroad": {"act": "clip"},
}
QUERY = {("DELETE", "/api/feeds/for-you/hidden"): "?kind=author"}
# They end a clip with all that is of it, an account, a session or a name: after all else, in this
# order.
LAST = (
    ("DELETE", "/api/clips/{clip_id}"),
    ("POST", "/api/messages/conversations/{conversation_id}/leave"),
    ("DELETE", "/api/sessions/{session_id}"),
    ("PUT", "/api/me/handle"),
    ("POST", "/api/me/recovery-codes"),
    ("PUT", "/api/me/password"),
    ("PUT", "/api/me/age-band"),
    ("POST", "/api/sign-up"),
    ("POST", "/api/sessions"),
    ("POST", "/api/sessions/recovery"),
    ("POST", "/api/sessions/passkey"),
    ("POST", "/api/me/erasure"),
    ("DELETE", "/api/me/erasure"),
    ("DELETE", "/api/sessions/current"),
)
Address = tuple[str, str]


def addresses() -> list[Address]:
    """Every address of the description, in an order in which none takes away what a later one
    needs: what is taken away goes from the inside out."""
    found = [
        (method.upper(), path)
        for path, methods in API["paths"].items()
        for method in methods
        if method in METHODS
    ]

    def order(one: Address) -> tuple[Any, ...]:
        late = LAST.index(one) if one in LAST else -1
        return (late, one[0] == "DELETE", -one[1].count("/") if one[0] == "DELETE" else 0, one[1])

    return sorted(found, key=order)


def like(schema: dict[str, Any]) -> Any:
    """The least value that a schema of the description allows."""
    if "$ref" in schema:
        return like(API["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    for several in ("oneOf", "anyOf"):
        if several in schema:
            return like({**schema[several][0]})
    kind = schema.get("type", "object")
    if kind == "object":
        properties = schema.get("properties", {})
        return {name: like(properties[name]) for name in schema.get("required", [])}
    if kind == "array":
        return [like(schema["items"])] * schema.get("minItems", 0)
    if kind == "string":
        if "contentEncoding" in schema:
            return b64(bytes(max(1, schema.get("minLength", 1))))
        if schema.get("format") == "uuid":
            return NOWHERE
        return "x" * max(1, schema.get("minLength", 1))
    if kind == "integer":
        return int(schema.get("minimum", 0))
    return kind == "boolean"


def bodies(world: Everybody, who: str) -> dict[Address, Any]:
    """What is sent where the least that is allowed would be refused for what it is."""
    real, phone = world.real, world.phone
    sealed = {"device_id": phone.id, "body": b64(b"sealed")}
    talk = "/api/messages/conversations/{conversation_id}"
    device = SigningKey(Algorithm.ED25519, os.urandom(32)).public
    return {
        ("POST", "/api/clips/{clip_id}/comments"): {"text": f"Words of {who}"},
        ("PUT", "/api/clips/{clip_id}/captions"): {"captions_vtt": VTT},
        ("PATCH", "/api/clips/{clip_id}"): {"caption": "Hello again #sea"},
        ("POST", "/api/clips"): {"upload_id": real["draft"], "audience": "everyone"},
        ("PATCH", "/api/collections/{collection_id}"): {"name": "Still mine"},
        ("PUT", "/api/me/age-band"): {"age_band": "13-15" if who == "teen" else "18+"},
        ("PUT", "/api/me/handle"): {"handle": f"{who}.later"},
        ("PUT", "/api/me/password"): {"current": PASSWORD, "password": PASSWORD},
        ("PATCH", "/api/me"): {"bio": "Words"},
        ("POST", "/api/me/circles"): {"name": "Us", "handles": []},
        ("PUT", "/api/me/circles/{circle_id}"): {"name": "We", "handles": []},
        ("POST", "/api/me/collections"): {"name": "Mine"},
        ("PUT", "/api/me/contacts/{kind}"): {"value": f"{who}@example.org"},
        ("PUT", "/api/me/came-from"): {"known_as": "https://a.example/@mel"},
        ("PUT", "/api/me/moved"): {"address": "https://a.example/@mel"},
        ("PUT", "/api/me/abroad/consents/{act}"): {"locale": "en", "sha256": "0" * 64},
        ("PUT", "/api/me/imported/suggestions"): {"handles": [FRIEND]},
        ("PUT", "/api/me/imported/favourites"): {"items": []},
        ("POST", "/api/me/terms"): {"version": "x"},
        ("PUT", "/api/me/family/time"): {"days": [], "offset_minutes": 60},
        ("PUT", "/api/me/push"): {"endpoint": "https://push.example/x", "offset_minutes": 0},
        ("POST", "/api/messages/devices"): {"signature_key": b64(device), "name": "Phone"},
        ("POST", "/api/messages/devices/{device_id}/key-packages"): {
            "packages": [b64(phone.package())]
        },
        ("POST", "/api/messages/devices/{device_id}/acks"): {"up_to": 0},
        ("POST", "/api/messages/key-packages/claim"): {
            "handles": [FRIEND],
            "device_id": phone.id,
        },
        ("POST", "/api/messages/conversations"): {
            "device_id": phone.id,
            "kind": "group",
            "members": [FRIEND],
            "welcomes": [{"device_ids": [world.friends.id], "body": b64(b"welcome")}],
            "group_info": b64(group_info(os.urandom(16), 1)),
        },
        ("POST", f"{talk}/messages"): {
            **sealed,
            # The commit before it has ended the first.
            "epoch": 2,
            "recall_hash": b64(bytes(32)),
        },
        ("POST", f"{talk}/signals"): sealed,
        ("POST", f"{talk}/commits"): {
            "device_id": phone.id,
            "epoch": 1,
            "commit": b64(b"commit"),
            "group_info": b64(group_info(phone.groups[world.talk][0], 2)),
            "welcomes": [],
        },
        ("POST", "/api/messages/reports"): {
            "conversation_id": world.talk,
            "reason": "threat",
            "items": [world.friends.signed(world.talk, b'{"v":1,"kind":"text","text":"Hm"}')],
        },
        ("POST", "/api/reports"): {
            "what": "person",
            "name": FRIEND,
            "category": "violence",
        },
        ("POST", "/api/report-form"): {
            "address": f"http://localhost:8080/c/{real['clip_id']}",
            "category": "violence",
            "explanation": "It threatens somebody.",
            "is_in_good_faith": True,
        },
        ("POST", "/api/report-form/{code}/appeal"): {"explanation": "Look again."},
        ("POST", "/api/reports/{report_id}/appeal"): {"explanation": "Look again."},
        ("POST", "/api/statements/{decision_id}/appeal"): {"explanation": "Look again."},
        ("POST", "/api/sessions"): {"handle": FRIEND, "password": PASSWORD},
        ("POST", "/api/sessions/current/proof"): {"password": PASSWORD},
        ("POST", "/api/sign-up"): {
            "handle": f"new.{who}",
            "display_name": "New",
            "age_band": "18+",
            "locale": "en",
            "password": PASSWORD,
        },
        ("POST", "/api/sign-up/passkey-options"): {"handle": "new.one", "display_name": "New"},
        ("POST", "/api/sign-up/requests"): {"name": "Nora", "words": "May I come in?"},
        ("POST", "/api/feeds/for-you/signals"): {
            "signals": [{"page": real["page_id"], "slot": 0, "kind": "shown"}]
        },
    }


#: Bytes that are no JSON, with their headers.
RAW: dict[Address, tuple[bytes, dict[str, str]]] = {
    ("POST", "/api/uploads"): (b"", {**TUS, "upload-length": "9"}),
    ("HEAD", "/api/uploads/{upload_id}"): (b"", TUS),
    ("PATCH", "/api/uploads/{upload_id}"): (b"", {**PIECE, "upload-offset": "0"}),
    ("DELETE", "/api/uploads/{upload_id}"): (b"", TUS),
    ("OPTIONS", "/api/uploads"): (b"", TUS),
    ("POST", "/api/me/imports"): (b"x", {**PIECE, "upload-length": "5"}),
    ("HEAD", "/api/me/imports/{import_id}/file"): (b"", TUS),
    ("PATCH", "/api/me/imports/{import_id}/file"): (b"y", {**PIECE, "upload-offset": "1"}),
    ("PUT", "/api/me/avatar"): (
        base64.b64decode(
            "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E"
            "rkJggg=="
        ),
        {"content-type": "application/octet-stream"},
    ),
    ("PUT", "/api/messages/backup"): (b"sealed" * 10, {}),
    ("POST", "/api/messages/conversations/{conversation_id}/attachments"): (b"sealed" * 10, {}),
}


def place(world: Everybody, path: str) -> str:
    """The address with what there is in it."""
    here = {
        k: v for start, more in PARTS.items() if path.startswith(start) for k, v in more.items()
    }
    for name, value in {**world.real, **here}.items():
        path = path.replace(f"{{{name}}}", value)
    assert "{" not in path, f"say in tests/cell/roles what {path} is of"
    return path


async def sent(world: Everybody, address: Address, who: str) -> httpx.Response:
    """The answer; the browser is signed in as it was before."""
    method, path = address
    where = place(world, path) + QUERY.get(address, "")
    browser = world.browsers[who]
    kept = cookies(browser)
    if address == ENDLESS:
        return httpx.Response(await _begun(world, where, kept))
    words: dict[str, Any] = {}
    if address in RAW:
        words["content"], words["headers"] = RAW[address]
    elif body := _described(address):
        words["json"] = bodies(world, who).get(address, like(body))
    answer = await browser.request(method, where, **words)
    if address == ("PUT", "/api/me/handle") and answer.is_success:
        browser.handle = words["json"]["handle"]
    put_back(browser, kept)
    return answer


async def _begun(world: Everybody, path: str, kept: list[Cookie]) -> int:
    """The status of an answer that never ends; it is left as soon as that is known."""
    status: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    cookie = "; ".join(f"{one.name}={one.value}" for one in kept)
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "client": ("192.0.2.1", 50_000),
        "server": ("localhost", 8080),
        "headers": [(b"host", b"localhost:8080"), (b"cookie", cookie.encode())],
    }

    async def receive() -> Any:
        await status
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start" and not status.done():
            status.set_result(message["status"])

    asked = asyncio.create_task(cast(Any, world.house.app)(scope, receive, send))
    found = await asyncio.wait_for(status, 30)
    asked.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asked
    return found


def _described(address: Address) -> dict[str, Any] | None:
    content = API["paths"][address[1]][address[0].lower()].get("requestBody", {}).get("content")
    schema: dict[str, Any] | None = (content or {}).get("application/json", {}).get("schema")
    return schema
