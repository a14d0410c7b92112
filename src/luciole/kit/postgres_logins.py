"""Who may come into a PostgreSQL of our own, and the SQL that lets them in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

SUPERUSER = "postgres"
PROCESSES = (
    "luciole_api",
    "luciole_worker",
    "luciole_custody_process",
    "luciole_ledger_process",
    "luciole_gateway_process",
)
# A cluster of an earlier version lacks some, or has them from a migration, without a login. Asked
# first, because in single-user mode an error ends the server even where it is caught.
MAKE_ROLE = """DO $$BEGIN
IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {text}) THEN CREATE ROLE {name}; END IF;
END$$"""


@dataclass(frozen=True)
class Logins:
    """Who may come in. The owner makes the others, so it may grant them its slices' roles.

    The owner may create roles and nothing else beyond its database: an outside server's
    administrator can give it the same rights.
    """

    database: str = "luciole"
    owner: str = "luciole_owner"
    processes: tuple[str, ...] = PROCESSES

    @property
    def names(self) -> tuple[str, ...]:
        return (SUPERUSER, self.owner, *self.processes)

    def making(self, passwords: Mapping[str, str]) -> list[str]:
        """Statements that make the database and all logins in a new cluster."""
        owner, database = _name(self.owner), _name(self.database)
        return [
            f"CREATE ROLE {owner} LOGIN CREATEROLE PASSWORD {_text(passwords[self.owner])}",
            f"CREATE DATABASE {database} OWNER {owner}",
            f"REVOKE ALL ON DATABASE {database} FROM PUBLIC",
            "REVOKE ALL ON DATABASE postgres FROM PUBLIC",
            *self.restoring({login: passwords[login] for login in self.processes}),
        ]

    def restoring(self, passwords: Mapping[str, str]) -> list[str]:
        """Statements that give logins these passwords, and make processes that are not there."""
        return [
            f"SET SESSION AUTHORIZATION {_name(self.owner)}",
            *(MAKE_ROLE.format(text=_text(one), name=_name(one)) for one in self._own(passwords)),
            *(
                f"GRANT CONNECT ON DATABASE {_name(self.database)} TO {_name(one)}"
                for one in self._own(passwords)
            ),
            "RESET SESSION AUTHORIZATION",
            *(
                f"ALTER ROLE {_name(login)} LOGIN PASSWORD {_text(password)}"
                for login, password in passwords.items()
            ),
        ]

    def _own(self, logins: Iterable[str]) -> list[str]:
        return [login for login in logins if login in self.processes]


def _name(word: str) -> str:
    return '"' + word.replace('"', '""') + '"'


def _text(word: str) -> str:
    return "'" + word.replace("'", "''") + "'"
