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
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from luciole.ledger.merkle import Refused
from luciole.ledger.note import Checkpoint, KeyKind, Note, VerifierKey

MAX_LINES = 1000
_NO_END: Mapping[VerifierKey, int] = {}

_ALLOWED = re.compile(rb"(?:[\t\x20-\x7e\x80-\xff]*\n)*")


class BadPolicy(Refused):
    """A policy that is malformed."""


class NotTrusted(Refused):
    """A checkpoint that the policy does not let pass: not signed by its log, or cosigned by too
    few."""


class Party(NamedTuple):
    """A log or a witness that a policy names, and where it is reached, if the policy says so."""

    key: VerifierKey
    url: str | None


class Group(NamedTuple):
    """A group has witnessed what at least `least` of its members have."""

    least: int
    members: tuple[str, ...]


class Trusted(NamedTuple):
    """A checkpoint that a policy let pass, and when each witness cosigned it (POSIX seconds, by
    its name within the policy)."""

    checkpoint: Checkpoint
    cosigned: Mapping[str, int]


@dataclass(slots=True)
class Policy:
    """Logs, witnesses and groups by name, and the name of the witness or group that is enough."""

    logs: list[Party] = field(default_factory=list)
    witnesses: dict[str, Party] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    quorum: str = ""

    @classmethod
    def parse(cls, policy: bytes) -> Policy:
        """Raises BadPolicy with the number of the line. Names are octets to the standard; here
        they are latin-1 text, which keeps each octet apart."""
        lines = policy.split(b"\n")
        if not _ALLOWED.fullmatch(policy) or len(lines) > MAX_LINES:
            raise BadPolicy("A policy is lines of text without control characters.")
        made = cls()
        for number, line in enumerate(lines, 1):
            words = [word.decode("latin-1") for word in line.split()]
            if words and not words[0].startswith("#"):
                try:
                    made._take(words)
                except (Refused, UnicodeError) as error:
                    raise BadPolicy(f"Line {number}: {error}") from error
        if not made.quorum:
            raise BadPolicy("A policy has a quorum.")
        return made

    def check(self, note: str | bytes, ends: Mapping[VerifierKey, int] = _NO_END) -> Trusted:
        """The checkpoint in `note` if one of the logs signed it under its own name and enough
        witnesses cosigned it. `ends`: up to which size keys may have signed that have handed their
        log over (`ledger.handover`). Raises BadNote, NotTrusted."""
        parsed = Note.parse(note)
        checkpoint = Checkpoint.parse(parsed.text)
        logs = {log.key for log in self.logs if log.key.name == checkpoint.origin}
        names = {witness.key: name for name, witness in self.witnesses.items()}
        signatures = parsed.verify([*logs, *names])
        signers = [signature.key for signature in signatures if signature.key in logs]
        if not signers:
            raise NotTrusted("No log of the policy signed this checkpoint.")
        if all(checkpoint.size > ends.get(key, checkpoint.size) for key in signers):
            raise NotTrusted("Who signed this checkpoint had handed the log over before.")
        cosigned: dict[str, int] = {}
        for key, time in signatures:
            if key in names:
                cosigned[names[key]] = max(time, cosigned.get(names[key], 0))
        if not self.is_enough(cosigned):
            raise NotTrusted("Too few witnesses cosigned this checkpoint.")
        return Trusted(checkpoint, cosigned)

    def is_enough(self, witnesses: Iterable[str]) -> bool:
        """Whether cosignatures by these witnesses satisfy the quorum."""
        witnessed = {"none", *witnesses}
        for name, group in self.groups.items():  # in the order of the file: members come first
            if sum(member in witnessed for member in group.members) >= group.least:
                witnessed.add(name)
        return self.quorum in witnessed

    def _take(self, words: list[str]) -> None:
        """One line that is not empty."""
        match words:
            case ["log", key, *url] if len(url) <= 1:
                self.logs.append(_party(self.logs, (KeyKind.ED25519, KeyKind.SUBTREE), key, *url))
            case ["witness", name, key, *url] if len(url) <= 1:
                kinds = (KeyKind.COSIGNATURE, KeyKind.SUBTREE)
                party = _party(self.witnesses.values(), kinds, key, *url)
                self.witnesses[self._new(name)] = party
            case ["group", name, least, *members]:
                in_groups = {each for group in self.groups.values() for each in group.members}
                for member in members:
                    if not self._is_defined(member) or member in in_groups:
                        raise BadPolicy("a member is not defined above, or has a group already.")
                    in_groups.add(member)
                count = {"any": 1, "all": len(members)}.get(least, 0)
                if re.fullmatch("[1-9][0-9]{0,3}", least):
                    count = int(least)
                if not 1 <= count <= len(members):
                    raise BadPolicy("a group asks for `any`, `all` or 1 to all of its members.")
                self.groups[self._new(name)] = Group(count, tuple(members))
            case ["quorum", name] if not self.quorum:
                if name != "none" and not self._is_defined(name):
                    raise BadPolicy("the quorum is not defined above.")
                self.quorum = name
            case _:
                raise BadPolicy("not a line of a policy, or a second quorum.")

    def _is_defined(self, name: str) -> bool:
        return name in self.witnesses or name in self.groups

    def _new(self, name: str) -> str:
        if name == "none" or self._is_defined(name):
            raise BadPolicy("the name is taken.")
        return name


def _party(
    others: Iterable[Party], kinds: Sequence[KeyKind], vkey: str, url: str | None = None
) -> Party:
    key = VerifierKey.parse(vkey.encode("latin-1").decode())
    if key.kind not in kinds or any(key.public == other.key.public for other in others):
        raise BadPolicy("a key of this kind does not sign here, or the same key comes again.")
    return Party(key, url)
