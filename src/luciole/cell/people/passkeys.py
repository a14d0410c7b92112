"""Passkey ceremonies (W3C WebAuthn level 3) for one origin, by the library `webauthn`.

Credentials are discoverable, so that a person signs in without typing a handle; user verification
is preferred; no attestation is asked for, because who made a device is none of our business.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import options_to_json_dict
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from luciole.cell.people.model import CHALLENGE_MINUTES
from luciole.cell.people.refusals import PasskeyRefused

CHALLENGE_BYTES = 32
TIMEOUT_MS = CHALLENGE_MINUTES * 60_000
MAX_SIGN_COUNT = 2**32 - 1


class Made(msgspec.Struct, frozen=True):
    """A new credential that proved itself."""

    credential_id: bytes
    public_key: bytes
    sign_count: int


class Passkeys:
    """Options for the browser, and judgement of what it sends back. Keeps nothing."""

    def __init__(self, cell_name: str, origin: str) -> None:
        self._rp_name = cell_name
        self._origin = origin
        self._rp_id = urlsplit(origin).hostname or "localhost"

    def new_challenge(self) -> bytes:
        return secrets.token_bytes(CHALLENGE_BYTES)

    def creation_options(
        self,
        challenge: bytes,
        person_id: UUID,
        handle: str,
        display_name: str,
        known: Sequence[bytes],
    ) -> dict[str, Any]:
        """What `navigator.credentials.create` needs; `known` credentials are not made again."""
        options = generate_registration_options(
            rp_id=self._rp_id,
            rp_name=self._rp_name,
            user_id=person_id.bytes,
            user_name=handle,
            user_display_name=display_name,
            challenge=challenge,
            timeout=TIMEOUT_MS,
            attestation=AttestationConveyancePreference.NONE,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.PREFERRED,
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=each) for each in known],
        )
        return options_to_json_dict(options)

    def request_options(self, challenge: bytes) -> dict[str, Any]:
        """What `navigator.credentials.get` needs; any passkey of this cell may answer."""
        options = generate_authentication_options(
            rp_id=self._rp_id,
            challenge=challenge,
            timeout=TIMEOUT_MS,
            user_verification=UserVerificationRequirement.PREFERRED,
        )
        return options_to_json_dict(options)

    def made(self, credential: dict[str, Any], challenge: bytes) -> Made:
        """Judges a new credential. Raises PasskeyRefused."""
        try:
            verified = verify_registration_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=self._rp_id,
                expected_origin=self._origin,
            )
        except Exception as error:
            # The library decodes CBOR, COSE and X.509 that a stranger wrote, and raises what its
            # decoders raise. Whatever it is, the answer is no.
            raise PasskeyRefused from error
        return Made(verified.credential_id, verified.credential_public_key, verified.sign_count)

    def used(
        self, credential: dict[str, Any], challenge: bytes, public_key: bytes, sign_count: int
    ) -> int:
        """Judges a signature; gives the new signature counter. Raises PasskeyRefused, also when
        the counter went back, which is what a copied authenticator looks like."""
        try:
            verified = verify_authentication_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=self._rp_id,
                expected_origin=self._origin,
                credential_public_key=public_key,
                credential_current_sign_count=sign_count,
            )
        except Exception as error:
            raise PasskeyRefused from error
        return verified.new_sign_count


def challenge_in(credential: dict[str, Any]) -> bytes:
    """The challenge that a credential answers. Raises PasskeyRefused."""
    try:
        client_data = msgspec.json.decode(decoded(credential["response"]["clientDataJSON"]))
        return decoded(client_data["challenge"])
    except (
        msgspec.DecodeError,
        UnicodeDecodeError,
        RecursionError,
        KeyError,
        TypeError,
    ) as error:
        raise PasskeyRefused from error


def decoded(text: object) -> bytes:
    """Bytes from base64url without padding. Raises PasskeyRefused."""
    if not isinstance(text, str):
        raise PasskeyRefused
    try:
        padded = text + "=" * (-len(text) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise PasskeyRefused from error
