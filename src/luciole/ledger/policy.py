"""Whom a reader of a log trusts (C2SP tlog-policy): which logs, which witnesses, how many of them.

    log <vkey> [<url>]
    witness <name> <vkey> [<url>]
    group <name> all|any|<k> <name>…
    quorum <name>|none

What the caller must still do: take the policy from somebody other than the log it judges, or say
openly that it did not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from luciole.ledger.merkle import Refused
from luciole.ledger.note import BadNote, Checkpoint, Kind, Note, VerifierKey

MAX_POLICY_BYTES = 1_000_000
MAX_DEFINITIONS = 1000

_ALLOWED = re.compile(rb"[\t\n\x20-\x7e\x80-\xff]*")


class BadPolicy(Refused):
    """A policy that is malformed."""


class NotTrusted(Refused):
    """A checkpoint that the policy does not let pass: not signed by its log, or cosigned by too
    few."""


@dataclass(frozen=True, slots=True)
class Log:
    """A log that a policy accepts."""

    key: VerifierKey
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness that a policy knows, by its name within the policy."""

    name: str
    key: VerifierKey
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """A group has witnessed what at least `least` of its members have."""

    least: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Trusted:
    """A checkpoint that a policy let pass, and when each witness cosigned it (POSIX seconds, by
    its name within the policy)."""

    checkpoint: Checkpoint
    cosigned: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Policy:
    """Logs, witnesses and the quorum (the name of a witness or group, or None)."""

    logs: tuple[Log, ...]
    witnesses: tuple[Witness, ...]
    groups: Mapping[str, Group]
    quorum: str | None

    @classmethod
    def parse(cls, policy: bytes) -> Policy:
        """Raises BadPolicy with the number of the line. Names are octets to the standard; here
        they are latin-1 text, which keeps each octet apart."""
        if len(policy) > MAX_POLICY_BYTES:
            raise BadPolicy("The policy is too long.")
        if not _ALLOWED.fullmatch(policy) or (policy and not policy.endswith(b"\n")):
            raise BadPolicy("A policy is lines of text without control characters.")
        reader = _Reader()
        for number, line in enumerate(policy.decode("latin-1").split("\n"), 1):
            words = re.split("[ \t]+", line.strip(" \t"))
            if words[0] and not words[0].startswith("#"):
                try:
                    reader.take(words)
                except (Refused, UnicodeDecodeError) as error:
                    raise BadPolicy(f"Line {number}: {error}") from error
        if not reader.has_quorum:
            raise BadPolicy("A policy has a quorum.")
        return cls(tuple(reader.logs), tuple(reader.witnesses), reader.groups, reader.quorum)

    def check(self, note: str | bytes) -> Trusted:
        """The checkpoint in `note` if one of the logs signed it under its own name and enough
        witnesses cosigned it. Raises BadNote, NotTrusted."""
        parsed = Note.parse(note)
        checkpoint = Checkpoint.parse(parsed.text)
        logs = {log.key for log in self.logs if log.key.name == checkpoint.origin}
        names = {witness.key: witness.name for witness in self.witnesses}
        signatures = parsed.verify([*logs, *names])
        if not any(signature.key in logs for signature in signatures):
            raise NotTrusted("No log of the policy signed this checkpoint.")
        cosigned = {
            names[signature.key]: signature.time
            for signature in signatures
            if signature.key in names and signature.time is not None
        }
        if not self.is_enough(set(cosigned)):
            raise NotTrusted("Too few witnesses cosigned this checkpoint.")
        return Trusted(checkpoint, cosigned)

    def is_enough(self, witnesses: set[str]) -> bool:
        """Whether cosignatures by these witnesses satisfy the quorum."""
        return self.quorum is None or self._has_witnessed(self.quorum, witnesses)

    def _has_witnessed(self, name: str, witnesses: set[str]) -> bool:
        if name not in self.groups:
            return name in witnesses
        group = self.groups[name]
        return sum(self._has_witnessed(each, witnesses) for each in group.members) >= group.least


class _Reader:
    """Takes a policy's lines in order."""

    def __init__(self) -> None:
        self.logs: list[Log] = []
        self.witnesses: list[Witness] = []
        self.groups: dict[str, Group] = {}
        self.quorum: str | None = None
        self.has_quorum = False
        self._names: set[str] = set()
        self._members: set[str] = set()

    def take(self, words: list[str]) -> None:
        match words:
            case ["log", key, *url] if len(url) <= 1:
                self._log(_key(key, Kind.ED25519, Kind.SUBTREE), *url)
            case ["witness", name, key, *url] if len(url) <= 1:
                self._witness(name, _key(key, Kind.COSIGNATURE, Kind.SUBTREE), *url)
            case ["group", name, least, *members] if members:
                self._group(name, least, members)
            case ["quorum", name] if not self.has_quorum:
                if name not in self._names and name != "none":
                    raise BadPolicy("the quorum is not defined above.")
                self.quorum, self.has_quorum = None if name == "none" else name, True
            case _:
                raise BadPolicy("not a line of a policy, or a second quorum.")

    def _log(self, key: VerifierKey, url: str | None = None) -> None:
        if any(log.key.public == key.public for log in self.logs):
            raise BadPolicy("the same log again.")
        self.logs.append(Log(key, url))

    def _witness(self, name: str, key: VerifierKey, url: str | None = None) -> None:
        if any(witness.key.public == key.public for witness in self.witnesses):
            raise BadPolicy("the same witness again.")
        self._define(name)
        self.witnesses.append(Witness(name, key, url))

    def _group(self, name: str, least: str, members: list[str]) -> None:
        for member in members:
            if member not in self._names or member in self._members:
                raise BadPolicy("a member is not defined above, or has a group already.")
            self._members.add(member)
        if re.fullmatch("[1-9][0-9]{0,3}", least):
            count = int(least)
        else:
            count = {"any": 1, "all": len(members)}.get(least, 0)
        if not 1 <= count <= len(members):
            raise BadPolicy("a group asks for `any`, `all` or 1 to as many as it has members.")
        self._define(name)
        self.groups[name] = Group(count, tuple(members))

    def _define(self, name: str) -> None:
        if name == "none" or name in self._names or len(self._names) >= MAX_DEFINITIONS:
            raise BadPolicy("the name is taken, or there are too many.")
        self._names.add(name)


def _key(text: str, *kinds: Kind) -> VerifierKey:
    key = VerifierKey.parse(text.encode("latin-1").decode())
    if key.kind not in kinds:
        raise BadNote("a key of this kind does not sign here.")
    return key
