"""A browser in a drill, with passkeys in software; it says for which name it asks."""

from __future__ import annotations

import hashlib
import http.client
import json
import ssl
from typing import Any

from tests.cell.people.authenticator import Authenticator, b64

PASSWORD = "seven turquoise herons"


class Browser:
    """Somebody's, at one host name: by TLS where a `trusted` root is given, else as the proxy in
    front of the cell asks, which hands `Host` on."""

    def __init__(self, port: int, host: str, trusted: ssl.SSLContext | None = None) -> None:
        self.port, self.host, self.token = port, host, ""
        self.trusted = trusted
        self.codes: list[str] = []
        self.headers: dict[str, str] = {}

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        line = (
            http.client.HTTPSConnection(self.host, self.port, timeout=60, context=self.trusted)
            if self.trusted
            else http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        )
        headers = {"host": self.host, "origin": f"https://{self.host}"}
        headers |= {"sec-fetch-site": "same-origin", "content-type": "application/json"}
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        try:
            line.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = line.getresponse()
            text = answer.read().decode()
            names = {name.lower() for name in answer.headers}
            self.headers = {one: "\n".join(answer.headers.get_all(one, [])) for one in names}
        finally:
            line.close()
        is_json = "json" in answer.headers.get("content-type", "")
        return answer.status, json.loads(text) if is_json and text else text

    def did(self, method: str, path: str, body: Any = None) -> Any:
        status, said = self.ask(method, path, body)
        assert status < 300, (method, path, status, said)
        return said

    def device(self) -> Authenticator:
        return Authenticator(f"https://{self.host}", self.host)

    def sign_up(self, handle: str, key: Authenticator | None = None) -> None:
        person = {"handle": handle, "display_name": handle, "age_band": "18+", "locale": "en"}
        if key is None:
            proof: dict[str, Any] = {"password": PASSWORD}
        else:
            begun = self.did("POST", "/api/sign-up/passkey-options", {
                "handle": handle, "display_name": handle,
            })  # fmt: skip
            made = key.create(begun["options"])
            passkey = {"challenge_id": begun["challenge_id"], "credential": made, "name": "Phone"}
            proof = {"passkey": passkey}
        answer = self.did("POST", "/api/sign-up", {**person, **proof})
        self.token, self.codes = answer["token"], answer["recovery_codes"]

    def by_password(self, handle: str) -> None:
        body = {"handle": handle, "password": PASSWORD}
        self.token = self.did("POST", "/api/sessions", body)["token"]

    def by_code(self, handle: str, code: str) -> None:
        body = {"handle": handle, "code": code}
        self.token = self.did("POST", "/api/sessions/recovery", body)["token"]

    def by_passkey(self, key: Authenticator) -> tuple[int, Any]:
        begun = self.did("POST", "/api/sessions/passkey-options", {})
        # A browser offers a passkey only for its own name; this one is made to try all the same.
        given = key.get({**begun["options"], "rpId": key.rp_id})
        body = {"challenge_id": begun["challenge_id"], "credential": given}
        status, said = self.ask("POST", "/api/sessions/passkey", body)
        if status == 201:
            self.token = said["token"]
        return status, said

    def add_passkey(self) -> Authenticator:
        begun, key = self.did("POST", "/api/me/passkeys/options", {}), self.device()
        made = key.create(begun["options"])
        body = {"challenge_id": begun["challenge_id"], "credential": made, "name": "New"}
        self.did("POST", "/api/me/passkeys", body)
        return key

    def begin_work(self, key: Authenticator, role: str = "operator") -> tuple[int, Any]:
        status, asked = self.ask("POST", "/api/staff/console/shifts", {"role": role})
        if status >= 300:
            return status, asked
        challenge = b64(hashlib.sha256(asked["asked"].encode()).digest())
        assert challenge == asked["challenge"]
        given = key.get({"rpId": key.rp_id, "challenge": challenge})
        where = f"/api/staff/console/shifts/{asked['id']}/signature"
        return self.ask("POST", where, {"credential": given})
