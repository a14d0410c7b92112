"""A root in a hardware security module, through PKCS#11: AES-256-GCM with keys that cannot leave.

    pkcs11:token=luciole;object=root?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/…

(RFC 7512.) The key is made in the token at a cell's first start, sensitive and not extractable.
Each epoch key has a key of its own in the token, which `retire` destroys: then no copy of the wraps
opens, not even one that the operator has kept.

AES-GCM rather than AES key wrap, because it binds to a place by associated data. The nonce (96
random bits) is ours; a token makes a handful of wraps a week. A token that insists on nonces of its
own (some in FIPS mode) does not work with this module. A session is opened for each call, so that
a token that was pulled and put back is found again.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID

from luciole.keys import private, seal
from luciole.keys.root import AnotherRoot, RootUnavailable, bound, own_key

FORM = "pkcs11:token=NAME;object=NAME?module-path=FILE&pin-source=file:FILE"
# The library of a token is loaded once a process and is not asked by two threads at a time.
_ONE_AT_A_TIME = threading.Lock()


class Pkcs11Root:
    """Wraps by asking a token."""

    def __init__(self, address: str, cell_id: UUID, *, is_new: bool) -> None:
        """`is_new` lets it make its key in the token. Raises ValueError for an address of another
        form, RootUnavailable, also where the optional library is missing."""
        parts = urlsplit(address)
        path = dict(each.partition("=")[::2] for each in parts.path.split(";"))
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        try:
            self._token, self._name = unquote(path["token"]), unquote(path["object"])
            self._module, self._pin = query["module-path"], query["pin-source"]
        except KeyError as error:
            raise ValueError(f"expected {FORM}; there is no {error.args[0]}") from None
        try:
            import pkcs11
        except ImportError:
            raise RootUnavailable(
                "LUCIOLE_KEYS_ROOT names a PKCS#11 token, and python-pkcs11 is not installed.",
                next_step="Install it: pip install 'luciole[pkcs11]'.",
            ) from None
        self.cell_id = cell_id
        self._p11: Any = pkcs11
        with self._session() as session:
            if not self._find(session, self._name):
                if not is_new:
                    raise RootUnavailable(
                        f"The token {self._token!r} holds no key {self._name!r}.",
                        next_step="Put in the token with which this cell was made, or restore it.",
                    )
                self._make(session, self._name)

    def wrap(self, label: str, secret: bytes, context: bytes = b"") -> bytes:
        """nonce (12) ‖ ciphertext ‖ tag (16). Raises RootUnavailable."""
        name, nonce = (
            own_key(self._name, self.cell_id, label, context),
            os.urandom(seal.NONCE_BYTES),
        )
        with self._session() as session:
            key = self._find(session, name) or self._make(session, name)
            return nonce + bytes(key.encrypt(secret, **self._gcm(nonce, label, context)))

    def unwrap(self, label: str, wrapped: bytes, context: bytes = b"") -> bytes:
        """Raises AnotherRoot, RootUnavailable."""
        nonce, ciphertext = wrapped[: seal.NONCE_BYTES], wrapped[seal.NONCE_BYTES :]
        with self._session() as session:
            key = self._find(session, own_key(self._name, self.cell_id, label, context))
            try:
                return bytes(key.decrypt(ciphertext, **self._gcm(nonce, label, context)))
            except (AttributeError, self._p11.PKCS11Error):
                # No such key; or a broken seal, which has another code in each make of token.
                raise AnotherRoot from None

    def retire(self, epoch: bytes) -> None:
        """Destroys the key of that epoch in the token. Raises RootUnavailable."""
        with self._session() as session:
            if key := self._find(session, own_key(self._name, self.cell_id, "epoch", epoch)):
                key.destroy()

    def _gcm(self, nonce: bytes, label: str, context: bytes) -> dict[str, Any]:
        place = bound(self.cell_id, label, context)
        parameters = self._p11.GCMParams(nonce=nonce, aad=place, tag_bits=seal.TAG_BYTES * 8)
        return {"mechanism": self._p11.Mechanism.AES_GCM, "mechanism_param": parameters}

    def _find(self, session: Any, label: str) -> Any:
        kind = self._p11.ObjectClass.SECRET_KEY
        wanted = {self._p11.Attribute.CLASS: kind, self._p11.Attribute.LABEL: label}
        return next(iter(list(session.get_objects(wanted))), None)

    def _make(self, session: Any, label: str) -> Any:
        attribute, can = self._p11.Attribute, self._p11.MechanismFlag
        return session.generate_key(
            self._p11.KeyType.AES,
            seal.KEY_BYTES * 8,
            label=label,
            store=True,
            capabilities=can.ENCRYPT | can.DECRYPT,
            template={attribute.SENSITIVE: True, attribute.EXTRACTABLE: False},
        )

    @contextmanager
    def _session(self) -> Iterator[Any]:
        pin_file = Path(self._pin.removeprefix("file:"))
        pin = private.needed(pin_file, "token's PIN", "Name it in pin-source.").decode().strip()
        with _ONE_AT_A_TIME:
            try:
                token = self._p11.lib(self._module).get_token(token_label=self._token)
                with token.open(rw=True, user_pin=pin) as session:
                    yield session
            except self._p11.PKCS11Error as error:
                raise RootUnavailable(
                    f"The token {self._token!r} cannot be used ({type(error).__name__}).",
                    next_step="Look whether it is there (pkcs11-tool --list-slots), and whether "
                    "the PIN in the file of pin-source is right.",
                ) from error
