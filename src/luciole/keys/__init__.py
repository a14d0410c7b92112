"""The keys of one cell: a root key in a file, a data key per person, sealed fields, derived keys.

    root key (file, 256 bits)
      ├─ HKDF "wrap"       → wraps each person's data key        `Keyring.new_data_key`
      │     └─ data key (256 bits, one per person)
      │           └─ seals that person's fields                  `Keyring.seal`, `Keyring.open`
      ├─ HKDF "index/…"    → finds a sealed value again by HMAC  `Keyring.index`
      └─ HKDF "…"          → keys for cursors, media links, …    `Keyring.derived`

What the caller must still do: keep the wrapped data key apart from the fields it opens (its own
table, later its own store), forget it when the person is erased, and never log an argument or a
result of this package. Only this package (and the verifier) imports `cryptography`.
"""

from luciole.keys.keyring import Keyring, Opened, SealBroken, WrongRootKey
from luciole.keys.root import RootKey, RootKeyRefused

__all__ = ["Keyring", "Opened", "RootKey", "RootKeyRefused", "SealBroken", "WrongRootKey"]
