"""For what the cell signs, and with which key: a closed list.

Each key is derived from the cell secret for its purpose, but for the one RSA key, which is drawn
and kept. What is signed is the asking process's business; which purposes it may name is the
socket's (`server`).
"""

from __future__ import annotations

from uuid import UUID

from luciole.custody.model import NoGrant
from luciole.keys import KeyStore, certificate
from luciole.keys.rsa import RsaKey
from luciole.keys.signing import Algorithm, SigningKey

# Push services want ES256 (RFC 8292).
SIGNING = {
    "export": Algorithm.ED25519,
    "push": Algorithm.P_256,
    "border": Algorithm.ED25519,
    "actor": Algorithm.ED25519,
    "credentials": Algorithm.ED25519,
}
# Signs certificates, and nothing that anybody asks for.
ROOT = "credentials-root"
# A key for each persona: the purpose is `actor/<number of the persona>`.
OF_EACH = ("actor",)
# RSA, for servers of the wider Fediverse that verify nothing newer.
FEDIVERSE = "fediverse"


class Signers:
    """The keys by which one cell signs."""

    def __init__(self, keys: KeyStore) -> None:
        self._keys = keys
        self._rsa: RsaKey | None = None

    def key(self, purpose: str) -> SigningKey | RsaKey:
        """Raises NoGrant for a purpose that is not declared."""
        if purpose == FEDIVERSE:
            # Reading one takes longer than signing with it.
            self._rsa = self._rsa or RsaKey.kept(self._keys.folder, self._keys.secret)
            return self._rsa
        name, _, number = purpose.partition("/")
        is_whole = _is_number(number) if name in OF_EACH else name == purpose
        if name not in SIGNING or not is_whole:
            raise NoGrant
        return SigningKey(SIGNING[name], self._keys.secret.derived(f"sign/{purpose}"))

    def certificates(self, host: str) -> tuple[bytes, bytes]:
        """The root of this cell and the certificate of its key for content credentials (DER)."""
        root = self._keys.secret.derived(f"sign/{ROOT}")
        return certificate.chain(root, self.key("credentials").public, host)


def _is_number(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
