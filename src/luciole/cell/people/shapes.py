"""What the HTTP API of people takes and gives.

Upper bounds here only keep bodies small; the rules of a field, and the sentences about them, are
in `model`.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from luciole.cell.people.joining.work import Done
from luciole.cell.people.model import (
    Account,
    AgeBand,
    ContactKind,
    Locale,
    Passkey,
    Session,
    avatar_url,
)

Handle = Annotated[str, Meta(max_length=64, description="3 to 24 of a-z, 0-9, `.` and `_`")]
DisplayName = Annotated[str, Meta(max_length=200, description="1 to 50 characters")]
Bio = Annotated[str, Meta(max_length=1200, description="at most 300 characters")]
Password = Annotated[str, Meta(max_length=256, description="10 characters or more")]
Code = Annotated[str, Meta(max_length=64)]
LabelKey = Annotated[
    str,
    Meta(max_length=44, description="32 random bytes in base64url, made and kept by the client"),
]
Address = Annotated[str, Meta(max_length=320)]
_Id = Annotated[str, Meta(max_length=2048)]
_Blob = Annotated[str, Meta(max_length=65_536)]


class CredentialResponse(msgspec.Struct, frozen=True, omit_defaults=True):
    """An authenticator's answer; either `attestationObject` or the last three are there."""

    client_data_json: _Blob = msgspec.field(name="clientDataJSON")
    attestation_object: _Blob | None = msgspec.field(name="attestationObject", default=None)
    authenticator_data: _Blob | None = msgspec.field(name="authenticatorData", default=None)
    signature: _Blob | None = None
    user_handle: _Id | None = msgspec.field(name="userHandle", default=None)


class Credential(msgspec.Struct, frozen=True, omit_defaults=True):
    """A PublicKeyCredential as its `toJSON()` gives it; what is not used is passed over."""

    id: _Id
    raw_id: _Id = msgspec.field(name="rawId")
    type: Literal["public-key"]
    response: CredentialResponse

    def as_json(self) -> dict[str, Any]:
        """The form that the WebAuthn library reads."""
        built: dict[str, Any] = msgspec.to_builtins(self)
        return built


class NewPasskey(msgspec.Struct, forbid_unknown_fields=True):
    challenge_id: UUID
    credential: Credential
    name: DisplayName = "Passkey"


class SignUp(msgspec.Struct, forbid_unknown_fields=True):
    handle: Handle
    display_name: DisplayName
    age_band: AgeBand
    locale: Locale
    password: Password | None = None
    passkey: NewPasskey | None = None
    label_key: LabelKey | None = None
    invitation: Code | None = None
    """The code of an invitation, or an approved ticket."""
    work: Done | None = None
    terms: Annotated[str, Meta(max_length=64)] | None = None
    """The version of the terms that was agreed to."""


class PasskeySignIn(msgspec.Struct, forbid_unknown_fields=True):
    challenge_id: UUID
    credential: Credential


class Proof(msgspec.Struct, forbid_unknown_fields=True):
    password: Password | None = None
    passkey: PasskeySignIn | None = None
    recovery_code: Code | None = None


class PasskeySubject(msgspec.Struct, forbid_unknown_fields=True):
    handle: Handle
    display_name: DisplayName


class Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """An empty object."""


class PasswordSignIn(msgspec.Struct, forbid_unknown_fields=True):
    handle: Handle
    password: Password


class RecoverySignIn(msgspec.Struct, forbid_unknown_fields=True):
    handle: Handle
    code: Code


class ProfileChange(msgspec.Struct, forbid_unknown_fields=True):
    display_name: DisplayName | None = None
    bio: Bio | None = None
    locale: Locale | None = None
    is_private: bool | None = None


class HandleChange(msgspec.Struct, forbid_unknown_fields=True):
    handle: Handle


class AgeBandChange(msgspec.Struct, forbid_unknown_fields=True):
    age_band: AgeBand


class PasswordChange(msgspec.Struct, forbid_unknown_fields=True):
    """Where there is a password already, it or a recovery code proves who changes it."""

    password: Password
    current: Password | None = None
    recovery_code: Code | None = None


class ContactChange(msgspec.Struct, forbid_unknown_fields=True):
    value: Address


class Me(msgspec.Struct):
    id: UUID
    handle: str
    display_name: str
    bio: str
    avatar_url: str | None
    locale: Locale
    age_band: AgeBand
    is_private: bool
    leaving_at: datetime | None
    """When the account goes, where its owner has asked for that."""
    has_password: bool
    recovery_codes_left: int


class SignedUp(msgspec.Struct):
    me: Me
    recovery_codes: list[str]
    token: str


class SignedIn(msgspec.Struct):
    me: Me
    token: str


class CeremonyBody(msgspec.Struct):
    challenge_id: UUID
    options: dict[str, Any]


class SessionBody(msgspec.Struct):
    id: UUID
    label: str
    created_at: datetime
    last_seen_on: date
    current: bool


class SessionList(msgspec.Struct):
    items: list[SessionBody]


class PasskeyBody(msgspec.Struct):
    """A passkey. `former_host`: made under that name of the cell, and opens nothing under this."""

    id: UUID
    name: str
    created_at: datetime
    last_used_on: date | None
    former_host: str | None


class PasskeyList(msgspec.Struct):
    items: list[PasskeyBody]


class ContactBody(msgspec.Struct):
    kind: ContactKind
    value: str


class ContactList(msgspec.Struct):
    items: list[ContactBody]


class RecoveryCodes(msgspec.Struct):
    recovery_codes: list[str]


def me_of(account: Account) -> Me:
    return Me(
        account.id,
        account.handle,
        account.display_name,
        account.bio,
        avatar_url(account.avatar_key),
        account.locale,
        account.age_band,
        account.is_private,
        account.leaving_at,
        account.has_password,
        account.recovery_codes_left,
    )


def session_of(session: Session, current: UUID) -> SessionBody:
    return SessionBody(
        session.id,
        session.label,
        session.created_at,
        session.last_seen_on,
        session.id == current,
    )


def passkey_of(passkey: Passkey) -> PasskeyBody:
    return PasskeyBody(
        passkey.id, passkey.name, passkey.created_at, passkey.last_used_on, passkey.former_host
    )
