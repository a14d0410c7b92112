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

from luciole.keys.backup import restore as restore
from luciole.keys.hpke import Receiver as Receiver
from luciole.keys.hpke import Sealer as Sealer
from luciole.keys.private import KeyFileRefused as KeyFileRefused
from luciole.keys.root import AnotherRoot as AnotherRoot
from luciole.keys.root import Root as Root
from luciole.keys.root import RootKey as RootKey
from luciole.keys.root import RootUnavailable as RootUnavailable
from luciole.keys.seal import SealBroken as SealBroken
from luciole.keys.seal import open_field as open_field
from luciole.keys.seal import seal_field as seal_field
from luciole.keys.secret import CellSecret as CellSecret
from luciole.keys.secret import WrongRootKey as WrongRootKey
from luciole.keys.shares import Card as Card
from luciole.keys.shares import Half as Half
from luciole.keys.store import HalfNeeded as HalfNeeded
from luciole.keys.store import KeysInUse as KeysInUse
from luciole.keys.store import KeyStore as KeyStore
from luciole.keys.store import NoKey as NoKey
