"""A root in OpenBao or HashiCorp Vault: their transit engine encrypts, its key never comes out.

    transit:https://bao.example:8200/v1/transit/keys/luciole

The one module of keys that speaks to another machine: a key service in the operator's own network,
over TLS, with a handful of calls at the start and at each rotation. What goes there are keys of the
cell to be wrapped and random ids, never a person's data. The standard library's client is enough
for that; `hvac` would bring `requests` into the process that holds the keys.

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
from luciole.keys.root import AnotherRoot, RootUnavailable, bound, own_key

TIMEOUT_S = 10.0
MAX_ANSWER_BYTES = 65_536
STEPS = {
    403: "Put a token into the file of LUCIOLE_KEYS_TOKEN_FILE whose policy allows this.",
    503: "Unseal it (bao operator unseal), or wait until it is no longer on stand-by.",
}
OTHER_STEP = "Look whether the transit engine is mounted there and has the key."


class TransitRoot:
    """Wraps by asking a transit engine."""

    def __init__(
        self,
        address: str,
        cell_id: UUID,
        token_file: Path,
        ca_file: Path | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """`address` is https://host[:port]/v1/<mount>/keys/<name>. Raises ValueError for another
        form, RootUnavailable where the certificates cannot be read."""
        parts = urlsplit(address)
        mount, _, self._name = parts.path.strip("/").removeprefix("v1/").rpartition("/keys/")
        if parts.scheme != "https" or not parts.hostname or not mount or not self._name:
            raise ValueError("expected https://host:port/v1/transit/keys/NAME")
        self.cell_id, self._mount = cell_id, f"/v1/{mount}"
        self._host, self._port = parts.hostname, parts.port or 443
        self._token_file, self._timeout_s = token_file, timeout_s
        try:
            self._tls = ssl.create_default_context(cafile=ca_file)
        except OSError as error:
            raise RootUnavailable(
                f"The file of certificates {ca_file} cannot be read ({error.strerror}).",
                next_step="Name it in LUCIOLE_KEYS_CA_FILE, in PEM.",
            ) from error

    def wrap(self, label: str, secret: bytes, context: bytes = b"") -> bytes:
        """What the engine calls a ciphertext: `vault:v1:…` in ASCII. Raises RootUnavailable."""
        key = own_key(self._name, self.cell_id, label, context)
        if key != self._name:
            self._ask("POST", f"keys/{key}", type="aes256-gcm96")
        place = bound(self.cell_id, label, context)
        answer = self._ask("POST", f"encrypt/{key}", plaintext=secret, associated_data=place)
        return str(answer["ciphertext"]).encode()

    def unwrap(self, label: str, wrapped: bytes, context: bytes = b"") -> bytes:
        """Raises AnotherRoot, RootUnavailable."""
        key = own_key(self._name, self.cell_id, label, context)
        text, place = wrapped.decode("ascii", "replace"), bound(self.cell_id, label, context)
        answer = self._ask("POST", f"decrypt/{key}", ciphertext=text, associated_data=place)
        return base64.b64decode(answer["plaintext"])

    def retire(self, epoch: bytes) -> None:
        """Deletes the transit key of that epoch. Raises RootUnavailable."""
        path = f"keys/{own_key(self._name, self.cell_id, 'epoch', epoch)}"
        if self._ask("GET", path):
            self._ask("POST", f"{path}/config", deletion_allowed=True)
            self._ask("DELETE", path)

    def _ask(self, method: str, path: str, **body: object) -> dict[str, Any]:
        """The `data` of the answer; empty where there is none, and for a GET of nothing."""
        # Read anew each time: an agent may renew the token in the file.
        token = private.needed(self._token_file, "token", STEPS[403]).decode("ascii", "replace")
        service = f"The key service at {self._host}:{self._port}"
        link = http.client.HTTPSConnection(
            self._host, self._port, timeout=self._timeout_s, context=self._tls
        )
        try:
            link.request(
                method,
                f"{self._mount}/{quote(path)}",
                json.dumps(body, default=lambda binary: base64.b64encode(binary).decode()),
                {"X-Vault-Token": token.strip(), "Content-Type": "application/json"},
            )
            answer = link.getresponse()
            content = answer.read(MAX_ANSWER_BYTES)
        except (OSError, http.client.HTTPException) as error:
            raise RootUnavailable(
                f"{service} does not answer ({type(error).__name__}).",
                next_step="Look whether it runs, whether this machine reaches it, and whether "
                "LUCIOLE_KEYS_CA_FILE holds the certificate of its authority.",
            ) from error
        finally:
            link.close()
        if answer.status in (200, 204):
            return dict(json.loads(content or b"{}").get("data") or {})
        if answer.status == 404 and method == "GET":
            return {}
        if answer.status == 400 and path.startswith("decrypt/"):
            raise AnotherRoot
        raise RootUnavailable(
            f"{service} refuses {path.partition('/')[0]!r} ({answer.status}).",
            next_step=STEPS.get(answer.status, OTHER_STEP),
        )
