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
    "luciole_films_process",
)
# Who may copy the whole cluster, where a backup abroad is made; through the socket only.
REPLICATION = "luciole_replication"
# What waits for another cell does not fill the disk.
FOR_REPLICATION: Mapping[str, str] = {"max_slot_wal_keep_size": "2GB"}
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
    has_replication: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        replication = (REPLICATION,) if self.has_replication else ()
        return (SUPERUSER, self.owner, *self.processes, *replication)

    @property
    def access(self) -> str:
        """The server's list of who may come in (pg_hba.conf)."""
        replication = (
            f"local replication {REPLICATION} scram-sha-256\n" if self.has_replication else ""
        )
        return (
            "# Written by Luciole. A password for everybody, also through the socket.\n"
            f"{replication}"
            "local all all scram-sha-256\n"
            "host  all all 127.0.0.1/32 scram-sha-256\n"
        )

    def making(self, passwords: Mapping[str, str]) -> list[str]:
        """Statements that make the database and all logins in a new cluster."""
        owner, database = _name(self.owner), _name(self.database)
        return [
            f"CREATE ROLE {owner} LOGIN CREATEROLE PASSWORD {_text(passwords[self.owner])}",
            f"CREATE DATABASE {database} OWNER {owner}",
            f"REVOKE ALL ON DATABASE {database} FROM PUBLIC",
            "REVOKE ALL ON DATABASE postgres FROM PUBLIC",
            *self.restoring(
                {login: passwords[login] for login in self.names[2:]},
            ),
        ]

    def restoring(self, passwords: Mapping[str, str]) -> list[str]:
        """Statements that give logins these passwords, and make processes that are not there."""
        own = list(self._own(passwords))
        return [
            # As the superuser: in single-user mode, what follows SET SESSION AUTHORIZATION stays
            # the owner's, also after RESET. Only a superuser gives the right to replicate, which is
            # the only right of that role.
            *(
                MAKE_ROLE.format(text=_text(one), name=_name(one))
                for one in passwords
                if one == REPLICATION
            ),
            *(
                f"ALTER ROLE {_name(login)} LOGIN {'REPLICATION ' * (login == REPLICATION)}"
                f"PASSWORD {_text(password)}"
                for login, password in passwords.items()
                if login not in own
            ),
            f"SET SESSION AUTHORIZATION {_name(self.owner)}",
            *(MAKE_ROLE.format(text=_text(one), name=_name(one)) for one in own),
            *(f"GRANT CONNECT ON DATABASE {_name(self.database)} TO {_name(one)}" for one in own),
            *(f"ALTER ROLE {_name(one)} LOGIN PASSWORD {_text(passwords[one])}" for one in own),
        ]

    def _own(self, logins: Iterable[str]) -> list[str]:
        return [login for login in logins if login in self.processes]


def _name(word: str) -> str:
    return '"' + word.replace('"', '""') + '"'


def _text(word: str) -> str:
    return "'" + word.replace("'", "''") + "'"
