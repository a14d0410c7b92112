"""What a real database says about itself: tables, views, and who may do what with them."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field

import asyncpg
from tests.rules.source import OWNERS

# Read and written by no migration of ours, or by PostgreSQL itself.
SCHEMAS = ("house", *OWNERS)
RELATIONS = """
SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relkind = 'v' AS is_view,
       pg_get_viewdef(c.oid, true) AS definition
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f') AND n.nspname NOT LIKE 'pg\\_%'
  AND n.nspname <> 'information_schema'
ORDER BY array_position($1::text[], n.nspname::text), n.nspname, c.relkind = 'v', c.oid
"""
# Of relations, in the definition of a view.
NAMED = re.compile(r"\b[a-z_]+\.[a-z_]+\b")
COLUMNS = """
SELECT a.attrelid, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull,
       pg_get_expr(d.adbin, d.adrelid, true) AS default_
FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = ANY($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
"""
CONSTRAINTS = """
SELECT conrelid, conname AS name, pg_get_constraintdef(oid, true) AS definition
FROM pg_constraint
WHERE conrelid = ANY($1::oid[]) AND contype IN ('p', 'u', 'f', 'c')
ORDER BY conrelid, array_position(ARRAY['p', 'u', 'f', 'c'], contype::text), conname
"""
INDEXES = """
SELECT i.indrelid, pg_get_indexdef(i.indexrelid, 0, true) AS definition
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = ANY($1::oid[])
  AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype <> 'f')
ORDER BY i.indrelid, c.relname
"""
GRANTS = """
SELECT c.oid, g.grantee::regrole::text AS role, array_agg(g.privilege_type::text) AS rights
FROM pg_class c, aclexplode(c.relacl) g
WHERE c.oid = ANY($1::oid[]) AND g.grantee <> c.relowner
GROUP BY c.oid, g.grantee ORDER BY c.oid, 2
"""
SCHEMA_GRANTS = """
SELECT n.nspname AS schema, coalesce(r.rolname, 'PUBLIC') AS role, g.privilege_type::text AS right_
FROM pg_namespace n CROSS JOIN aclexplode(n.nspacl) g LEFT JOIN pg_roles r ON r.oid = g.grantee
WHERE g.grantee <> n.nspowner AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
ORDER BY array_position($1::text[], n.nspname::text), n.nspname, 2, 3
"""
MEMBERS = """
SELECT m.member::regrole::text AS member, m.roleid::regrole::text AS role
FROM pg_auth_members m
WHERE m.roleid::regrole::text LIKE 'luciole\\_%' AND m.member::regrole::text
      LIKE 'luciole\\_%' AND m.member::regrole::text <> 'luciole_owner'
ORDER BY 1, 2
"""
COLUMN_GRANTS = """
SELECT n.nspname || '.' || c.relname || '.' || a.attname
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE a.attacl IS NOT NULL AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
"""
SAFE_RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE")


@dataclass
class Relation:
    """A table or a view as PostgreSQL describes it."""

    schema: str
    name: str
    is_view: bool
    definition: str
    columns: list[tuple[str, str]] = field(default_factory=list)
    constraints: list[str] = field(default_factory=list)
    indexes: list[str] = field(default_factory=list)
    # role: its rights, in the order SELECT, INSERT, UPDATE, DELETE, others
    grants: dict[str, tuple[str, ...]] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)

    @property
    def full_name(self) -> str:
        return f"{self.schema}.{self.name}"


@dataclass
class Described:
    """A whole database."""

    relations: list[Relation]
    # schema: the roles that may use it
    users: dict[str, tuple[str, ...]]
    # (member, role)
    members: list[tuple[str, str]]
    column_grants: list[str]

    def tables(self) -> list[Relation]:
        return [relation for relation in self.relations if not relation.is_view]


async def describe(url: str) -> Described:
    """What the database at `url` holds, in the order in which the migrations made it."""
    connection = await asyncpg.connect(url, server_settings={"search_path": "pg_catalog"})
    try:
        found: dict[int, Relation] = {}
        for row in await connection.fetch(RELATIONS, list(SCHEMAS)):
            found[row["oid"]] = Relation(
                row["schema"], row["name"], row["is_view"], row["definition"] or ""
            )
        oids = list(found)
        for row in await connection.fetch(COLUMNS, oids):
            words = [row["type"]]
            if row["default_"] is not None:
                words.append(f"DEFAULT {row['default_']}")
            if row["attnotnull"]:
                words.append("NOT NULL")
            found[row["attrelid"]].columns.append((row["name"], " ".join(words)))
            found[row["attrelid"]].names.append(row["name"])
        for row in await connection.fetch(CONSTRAINTS, oids):
            found[row["conrelid"]].constraints.append(f"{row['name']} {row['definition']}")
        for row in await connection.fetch(INDEXES, oids):
            found[row["indrelid"]].indexes.append(row["definition"])
        for row in await connection.fetch(GRANTS, oids):
            found[row["oid"]].grants[row["role"]] = _in_order(row["rights"])
        users: dict[str, list[str]] = defaultdict(list)
        for row in await connection.fetch(SCHEMA_GRANTS, list(SCHEMAS)):
            users[row["schema"]].append(
                row["role"] if row["right_"] == "USAGE" else f"{row['role']} ({row['right_']})"
            )
        members = [(row["member"], row["role"]) for row in await connection.fetch(MEMBERS)]
        column_grants = [row[0] for row in await connection.fetch(COLUMN_GRANTS)]
    finally:
        await connection.close()
    return Described(
        list(found.values()),
        {schema: tuple(roles) for schema, roles in users.items()},
        members,
        column_grants,
    )


def _in_order(rights: list[str]) -> tuple[str, ...]:
    known = [right for right in SAFE_RIGHTS if right in rights]
    return (*known, *sorted(set(rights) - set(SAFE_RIGHTS)))


HEADER = """\
-- The tables of a cell as PostgreSQL describes them after all migrations.
--
-- Generated by `make reference` from a real database; changes belong into a new file of
-- src/luciole/migrations/. One schema and one role for each slice: a slice writes its own schema
-- only and reads others through the views that they offer. The processes luciole_api and
-- luciole_worker act as the slices and own nothing.
--
-- The schema `queue` is left out: PgQueuer makes it. data.md names its columns.
"""


def as_sql(described: Described) -> str:
    """schema.sql: runs on an empty database whose cluster has the roles."""
    parts = [HEADER]
    for schema in SCHEMAS:
        rule = "-" * (70 - len(schema))
        parts.append(f"\n-- {schema} {rule}\n\nCREATE SCHEMA {schema};\n")
        roles = described.users.get(schema, ())
        if roles:
            parts.append(f"GRANT USAGE ON SCHEMA {schema} TO {', '.join(roles)};\n")
        parts.extend(
            f"\n{_relation(relation)}"
            for relation in _buildable(
                [each for each in described.relations if each.schema == schema]
            )
        )
    parts.append("\n-- Who acts as whom " + "-" * 54 + "\n\n")
    acts: dict[str, list[str]] = defaultdict(list)
    for member, role in described.members:
        acts[member].append(role)
    parts.extend(f"GRANT {', '.join(roles)}\n    TO {member};\n" for member, roles in acts.items())
    return "".join(parts)


def _buildable(relations: list[Relation]) -> list[Relation]:
    """The same in an order in which each can be made: a view that was replaced may read one that
    came after it."""
    ready: list[Relation] = []
    waiting = list(relations)
    while waiting:
        ahead = {each.full_name for each in waiting if each.is_view}
        for relation in waiting:
            read = set(NAMED.findall(relation.definition)) - {relation.full_name}
            if not relation.is_view or not read & ahead:
                ready.append(relation)
                waiting.remove(relation)
                break
        else:
            raise ValueError(f"views read each other: {sorted(ahead)}")
    return ready


def _relation(relation: Relation) -> str:
    if relation.is_view:
        body = relation.definition.strip().rstrip(";")
        text = f"CREATE VIEW {relation.full_name} AS\n    {_indented(body)};\n"
    else:
        width = max(len(name) for name, _ in relation.columns)
        lines = [f"{name.ljust(width)}  {words}" for name, words in relation.columns]
        lines += [f"CONSTRAINT {constraint}" for constraint in relation.constraints]
        inside = ",\n".join(f"    {line}" for line in lines)
        text = f"CREATE TABLE {relation.full_name} (\n{inside}\n);\n"
        text += "".join(f"{index};\n" for index in relation.indexes)
    for role, rights in relation.grants.items():
        text += f"GRANT {', '.join(rights)} ON {relation.full_name} TO {role};\n"
    return text


def _indented(body: str) -> str:
    return "\n".join(line.rstrip() for line in body.splitlines()).replace("\n", "\n    ")


def without_taste(sql: str) -> str:
    """The same text for two versions of PostgreSQL, which qualify columns of a view differently."""
    return re.sub(r"\s+", " ", re.sub(r"(?<![\w.])\w+\.(?=\w+\b(?!\())", "", sql))
