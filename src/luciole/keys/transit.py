"""A root in OpenBao or HashiCorp Vault: their transit engine encrypts, its key never comes out.

    transit:https://bao.example:8200/v1/transit/keys/luciole

The one module of keys that speaks to another machine: a key service in the operator's own network,
over TLS, with a handful of calls at the start and at each rotation. What goes there are wrapped
keys of the cell and random ids, never a person's data. The standard library's client is enough for
three requests; `hvac` would bring `requests` into the process that holds the keys.

The key in the address wraps the cell secret and the share key. Each epoch key has a transit key of
its own, `<name>-<cell id>-epoch-<n>`, which `retire` deletes: then no copy of the wraps opens, not
even one that the operator has kept. Needed of the engine: keys of type aes256-gcm96 (the default),
and `associated_data` (every OpenBao; Vault 1.9).
"""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import UUID

from luciole.keys import private
from luciole.keys.root import AnotherRoot, RootUnavailable, bound

TIMEOUT_S = 10.0
MAX_ANSWER_BYTES = 65_536
STEP_403 = "Put a token into the file of LUCIOLE_KEYS_TOKEN_FILE whose policy allows this path."


class TransitRoot:
    """Wraps by asking a transit engine."""

    def __init__(
        self,
        address: str,
        *,
        cell_id: UUID,
        token_file: Path,
        ca_file: Path | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """`address` is https://host[:port]/v1/<mount>/keys/<name>. Raises ValueError for another
        form, RootUnavailable where a file cannot be used."""
        parts = urlsplit(address)
        mount, _, name = parts.path.strip("/").removeprefix("v1/").rpartition("/keys/")
        if parts.scheme != "https" or not parts.hostname or not mount or not name:
            raise ValueError("expected https://host:port/v1/transit/keys/NAME")
        self.cell_id = cell_id
        self._host, self._port = parts.hostname, parts.port or 443
        self._mount, self._name = f"/v1/{mount}", name
        self._token_file = token_file
        self._timeout_s = timeout_s
        try:
            self._tls = ssl.create_default_context(cafile=ca_file)
        except OSError as error:
            raise RootUnavailable(
                f"The file of certificates {ca_file} cannot be read ({error.strerror}).",
                next_step="Name it in LUCIOLE_KEYS_CA_FILE, in PEM.",
            ) from error

    def __repr__(self) -> str:
        return f"TransitRoot(cell_id={self.cell_id}, host={self._host!r})"

    def wrap(self, label: str, secret: bytes, context: bytes = b"") -> bytes:
        """What the engine calls a ciphertext: `vault:v1:…` in ASCII. Raises RootUnavailable."""
        name = self._key(label, context)
        if name != self._name:
            self._ask("POST", f"keys/{name}", {"type": "aes256-gcm96"})
        answer = self._ask("POST", f"encrypt/{name}", self._place(label, context, plaintext=secret))
        return str(answer["ciphertext"]).encode()

    def unwrap(self, label: str, wrapped: bytes, context: bytes = b"") -> bytes:
        """Raises AnotherRoot, RootUnavailable."""
        body = self._place(label, context) | {"ciphertext": wrapped.decode("ascii", "replace")}
        answer = self._ask("POST", f"decrypt/{self._key(label, context)}", body)
        return base64.b64decode(answer["plaintext"])

    def retire(self, label: str, context: bytes) -> None:
        """Deletes the transit key of that epoch. Raises RootUnavailable."""
        name = self._key(label, context)
        if self._ask("GET", f"keys/{name}", None):
            self._ask("POST", f"keys/{name}/config", {"deletion_allowed": True})
            self._ask("DELETE", f"keys/{name}", None)

    def _key(self, label: str, context: bytes) -> str:
        if label != "epoch":
            return self._name
        return f"{self._name}-{self.cell_id}-epoch-{int.from_bytes(context)}"

    def _place(self, label: str, context: bytes, **binary: bytes) -> dict[str, Any]:
        binary["associated_data"] = bound(self.cell_id, label, context)
        return {name: base64.b64encode(value).decode() for name, value in binary.items()}

    def _ask(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        """The `data` of the answer; empty where there is none, and for a GET of nothing."""
        # Read anew each time: an agent may renew the token in the file.
        text = private.read_needed(self._token_file, "token", STEP_403)
        token = text.decode("ascii", "replace").strip()
        link = http.client.HTTPSConnection(
            self._host, self._port, timeout=self._timeout_s, context=self._tls
        )
        try:
            link.request(
                method,
                f"{self._mount}/{quote(path)}",
                json.dumps(body) if body is not None else None,
                {"X-Vault-Token": token, "Content-Type": "application/json"},
            )
            answer = link.getresponse()
            content = answer.read(MAX_ANSWER_BYTES)
        except (OSError, http.client.HTTPException) as error:
            raise RootUnavailable(
                f"The key service at {self._host}:{self._port} does not answer "
                f"({type(error).__name__}).",
                next_step="Look whether it runs, whether this machine reaches it, and whether "
                "LUCIOLE_KEYS_CA_FILE holds the certificate of its authority.",
            ) from error
        finally:
            link.close()
        if answer.status in (200, 204):
            return dict(json.loads(content or b"{}").get("data") or {})
        if answer.status == 404 and method == "GET":
            return {}
        raise self._refusal(answer.status, path)

    def _refusal(self, status: int, path: str) -> Exception:
        service = f"The key service at {self._host}:{self._port}"
        if status == 403:
            return RootUnavailable(f"{service} does not let us in (403).", next_step=STEP_403)
        if status == 503:
            return RootUnavailable(
                f"{service} is sealed or on stand-by (503).",
                next_step="Unseal it (bao operator unseal).",
            )
        if status == 400 and path.startswith("decrypt/"):
            return AnotherRoot()
        return RootUnavailable(
            f"{service} refused {path.partition('/')[0]!r} ({status}).",
            next_step="Look whether the transit engine is mounted there and has the key.",
        )
