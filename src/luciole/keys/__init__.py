"""The keys of one cell: a root, an epoch key, a data key per person, sealed fields, derived keys.

    root (file, OpenBao transit or PKCS#11)                       `Root`
      ├─ cell secret
      │     ├─ HKDF "index/…"  finds a sealed value again by HMAC `CellSecret.index`
      │     └─ HKDF "…"        keys for cursors, media links, logs `CellSecret.derived`
      └─ epoch key (weekly) and share key
            └─ data key (256 bits, one per person)                `KeyStore.data_key`
                  ├─ seals that person's fields                   `seal_field`, `open_field`
                  └─ seals that person's label key                `KeyStore.label_key`

What the caller must still do: see `KeyStore`; and never log an argument or a result of this
package. Only this package (and the verifier) imports `cryptography`.
"""

from luciole.keys.backup import restore
from luciole.keys.choose import open_root, open_secret
from luciole.keys.keyring import Keyring
from luciole.keys.private import KeyFileRefused
from luciole.keys.root import AnotherRoot, Root, RootKey, RootKeyRefused, RootUnavailable
from luciole.keys.seal import Opened, SealBroken, open_field, seal_field
from luciole.keys.secret import CellSecret, WrongRootKey
from luciole.keys.share import Share
from luciole.keys.store import Enrolled, KeysInUse, KeyStore, NoKey, Rotated, commitment

__all__ = [
    "AnotherRoot",
    "CellSecret",
    "Enrolled",
    "KeyFileRefused",
    "KeyStore",
    "Keyring",
    "KeysInUse",
    "NoKey",
    "Opened",
    "Root",
    "RootKey",
    "RootKeyRefused",
    "RootUnavailable",
    "Rotated",
    "SealBroken",
    "Share",
    "WrongRootKey",
    "commitment",
    "open_field",
    "open_root",
    "open_secret",
    "restore",
    "seal_field",
]
