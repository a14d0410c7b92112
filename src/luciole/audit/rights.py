"""Who may do what in the database, asked of the database itself: role by column by verb.

PostgreSQL answers with what a role can really do, through its own grants, those of roles that it is
a member of, and those of PUBLIC. Whatever is not in the answer is refused.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set

import msgspec

from luciole.audit.markdown import table
from luciole.kit.catalogue import Held
from luciole.kit.db import Tx

PUBLIC = "public"
PREFIX = "luciole_"
# The role that owns all tables: migrations run under it, and no process of a running cell does.
OWNER = "luciole_owner"
COLUMN_VERBS = ("SELECT", "INSERT", "UPDATE", "REFERENCES")
TABLE_VERBS = ("DELETE", "TRUNCATE", "TRIGGER")
SEQUENCE_VERBS = ("USAGE", "SELECT", "UPDATE")
# Held by no role but the owner, in a cell that is in order.
NEVER_VERBS = ("REFERENCES", "TRUNCATE", "TRIGGER")

ROLES = """
SELECT r.rolname::text AS name, r.rolsuper, r.rolcreaterole, r.rolcreatedb, r.rolreplication,
       r.rolbypassrls,
       ARRAY(SELECT m.roleid::regrole::text FROM pg_auth_members m WHERE m.member = r.oid
             ORDER BY 1) AS member_of
FROM pg_roles r
WHERE starts_with(r.rolname, 'luciole_') AND r.rolname <> $1
ORDER BY r.rolname
"""
SCHEMAS = """
SELECT n.nspname::text AS place, r.name AS role, v.verb
FROM pg_namespace n CROSS JOIN unnest($1::text[]) AS r (name)
     CROSS JOIN unnest(ARRAY['USAGE', 'CREATE']) AS v (verb)
WHERE NOT starts_with(n.nspname, 'pg_') AND n.nspname <> 'information_schema'
  AND has_schema_privilege(r.name, n.oid, v.verb)
ORDER BY 1, 2, 3
"""
DATABASE = """
SELECT 'this database' AS place, r.name AS role, v.verb
FROM unnest($1::text[]) AS r (name)
     CROSS JOIN unnest(ARRAY['CONNECT', 'CREATE', 'TEMPORARY']) AS v (verb)
WHERE has_database_privilege(r.name, current_database(), v.verb)
ORDER BY 1, 2, 3
"""
RELATIONS = """
SELECT n.nspname || '.' || c.relname AS place, c.relkind IN ('v', 'm') AS is_view,
       ARRAY(SELECT a.attname::text FROM pg_attribute a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
             ORDER BY a.attnum) AS columns
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT starts_with(n.nspname, 'pg_')
  AND n.nspname <> 'information_schema'
ORDER BY 1
"""
COLUMNS = """
SELECT n.nspname || '.' || c.relname || '.' || a.attname AS place, r.name AS role, v.verb
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     CROSS JOIN unnest($1::text[]) AS r (name) CROSS JOIN unnest($2::text[]) AS v (verb)
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT starts_with(n.nspname, 'pg_')
  AND n.nspname <> 'information_schema'
  AND has_schema_privilege(r.name, n.oid, 'USAGE')
  AND has_column_privilege(r.name, c.oid, a.attnum, v.verb)
ORDER BY n.nspname, c.relname, a.attnum, 2, 3
"""
TABLES = """
SELECT n.nspname || '.' || c.relname AS place, r.name AS role, v.verb
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     CROSS JOIN unnest($1::text[]) AS r (name) CROSS JOIN unnest($2::text[]) AS v (verb)
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT starts_with(n.nspname, 'pg_')
  AND n.nspname <> 'information_schema'
  AND has_schema_privilege(r.name, n.oid, 'USAGE')
  AND has_table_privilege(r.name, c.oid, v.verb)
ORDER BY 1, 2, 3
"""
SEQUENCES = """
SELECT n.nspname || '.' || c.relname AS place, r.name AS role, v.verb
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     CROSS JOIN unnest($1::text[]) AS r (name) CROSS JOIN unnest($2::text[]) AS v (verb)
WHERE c.relkind = 'S' AND NOT starts_with(n.nspname, 'pg_') AND n.nspname <> 'information_schema'
  AND has_schema_privilege(r.name, n.oid, 'USAGE')
  AND has_sequence_privilege(r.name, c.oid, v.verb)
ORDER BY 1, 2, 3
"""
# A function that can be reached needs the right to use its schema as well.
FUNCTIONS = """
SELECT n.nspname || '.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')'
       AS place,
       p.prosecdef AS runs_as_owner,
       coalesce((SELECT split_part(c, '=', 2) FROM unnest(p.proconfig) AS c
                 WHERE starts_with(c, 'search_path=')), '') AS search_path,
       p.prorettype = 'trigger'::regtype AS is_trigger,
       ARRAY(SELECT r.name FROM unnest($1::text[]) AS r (name)
             WHERE has_schema_privilege(r.name, n.oid, 'USAGE')
               AND has_function_privilege(r.name, p.oid, 'EXECUTE') ORDER BY 1) AS roles
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE NOT starts_with(n.nspname, 'pg_') AND n.nspname <> 'information_schema'
ORDER BY 1
"""

# A verb, and the roles that have it.
Verbs = dict[str, tuple[str, ...]]


class Role(msgspec.Struct, frozen=True):
    """A role of the cell: what it acts as, and what PostgreSQL lets it do beyond tables."""

    name: str
    member_of: tuple[str, ...]
    powers: tuple[str, ...]


class Relation(msgspec.Struct, frozen=True):
    """A table or a view, and who may touch which column of it."""

    name: str
    is_view: bool
    columns: dict[str, Verbs]
    verbs: Verbs

    @property
    def schema(self) -> str:
        return self.name.partition(".")[0]


class Function(msgspec.Struct, frozen=True):
    """A function of ours; one that `runs_as_owner` does for its caller what the caller may not."""

    name: str
    runs_as_owner: bool
    is_trigger: bool
    search_path: str
    roles: tuple[str, ...]


class Rights(msgspec.Struct, frozen=True):
    """Everything that anybody but the owner may do in one database."""

    roles: tuple[Role, ...]
    relations: tuple[Relation, ...]
    functions: tuple[Function, ...]
    sequences: dict[str, Verbs]
    schemas: dict[str, Verbs]
    database: Verbs

    def names(self) -> tuple[str, ...]:
        """The roles that were asked about, and PUBLIC, which stands for everybody."""
        return (*(role.name for role in self.roles), PUBLIC)


async def read(tx: Tx) -> Rights:
    """What the database says. Any login may ask: the catalogues are open to everybody."""
    roles = [
        Role(
            row["name"],
            tuple(row["member_of"]),
            tuple(word for word in _POWERS if row[f"rol{word}"]),
        )
        for row in await tx.fetch(ROLES, OWNER)
    ]
    names = [*(role.name for role in roles), PUBLIC]
    columns = _by_place(await tx.fetch(COLUMNS, names, list(COLUMN_VERBS)))
    tables = _by_place(await tx.fetch(TABLES, names, list(TABLE_VERBS)))
    relations = [
        Relation(
            row["place"],
            row["is_view"],
            {name: columns.get(f"{row['place']}.{name}", {}) for name in row["columns"]},
            tables.get(row["place"], {}),
        )
        for row in await tx.fetch(RELATIONS)
    ]
    functions = [
        Function(
            row["place"],
            row["runs_as_owner"],
            row["is_trigger"],
            row["search_path"],
            tuple(row["roles"]),
        )
        for row in await tx.fetch(FUNCTIONS, names)
    ]
    database = _by_place(await tx.fetch(DATABASE, names))
    return Rights(
        tuple(roles),
        tuple(relations),
        tuple(functions),
        _by_place(await tx.fetch(SEQUENCES, names, list(SEQUENCE_VERBS))),
        _by_place(await tx.fetch(SCHEMAS, names)),
        database.get("this database", {}),
    )


_POWERS = ("super", "createrole", "createdb", "replication", "bypassrls")


def _by_place(rows: Iterable[Mapping[str, str]]) -> dict[str, Verbs]:
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        found[row["place"]][row["verb"]].append(row["role"])
    return {
        place: {verb: tuple(roles) for verb, roles in verbs.items()}
        for place, verbs in found.items()
    }


WRITING = frozenset({"INSERT", "UPDATE", "DELETE", "TRUNCATE"})


def reach(rights: Rights, wanted: Set[str]) -> dict[str, set[str]]:
    """By role: the tables and views of which it has one of the wanted verbs on any column."""
    found: dict[str, set[str]] = {name: set() for name in rights.names()}
    for relation in rights.relations:
        for verbs in (*relation.columns.values(), relation.verbs):
            for verb, roles in verbs.items():
                for role in roles if verb in wanted else ():
                    found[role].add(relation.name)
    return found


# The page


def page(rights: Rights, held: Iterable[Held], note: str = "") -> str:
    """The same for people: who may read what, table by table and role by role."""
    classes = {one.where: one.data_class.value for one in held}
    roles = [
        (
            f"`{role.name}`",
            _ABOUT.get(role.name.removeprefix(PREFIX), "a slice; nobody logs in as it"),
            _roles(role.member_of) if role.member_of else "itself only",
            ", ".join(role.powers) or "none",
        )
        for role in rights.roles
    ]
    parts = [
        f"# Who may read and write what\n\n{note}"
        "What PostgreSQL really allows each role, column by column, as the database itself "
        "answers after all migrations. What is not on this page is refused. A test compares the "
        "page with a real database, and tries every combination of role, column and verb for "
        "real.\n\n"
        "A process logs in as a role and may do what the slices may as which it acts. Roles are "
        f"written without `{PREFIX}`. The owner of the tables is not listed: migrations run under "
        "it, and no process that answers requests or does jobs. Class says how closely a column "
        "belongs to a person: see [data](data.md).\n\n"
        f"{_never(rights)}\n"
        f"## Roles\n\n{table(('role', 'what it is', 'acts as', 'powers'), roles)}"
        "\n## In short\n\nTables and views. A process may do what those may as whom it acts, and "
        "what stands here besides.\n\n"
        f"{table(('role', 'may read', 'may write'), _in_short(rights))}"
    ]
    schema = ""
    for relation in rights.relations:
        if relation.schema != schema:
            schema = relation.schema
            users = rights.schemas.get(schema, {})
            parts.append(
                f"\n## {schema}\n\nThe schema may be used by: {_roles(users.get('USAGE', ()))}.\n"
            )
        kind = "a view" if relation.is_view else "a table"
        parts.append(
            f"\n### {relation.name}\n\n{kind[0].upper()}{kind[1:]}. Rows may be deleted by: "
            f"{_roles(relation.verbs.get('DELETE', ()))}.\n\n"
            f"{table(_HEAD, _alike(relation, classes))}"
        )
    functions = [
        (
            f"`{function.name}`",
            "the owner" if function.runs_as_owner else "the caller",
            "by triggers only" if function.is_trigger else _roles(function.roles),
        )
        for function in rights.functions
    ]
    sequences = [
        (f"`{name}`", *(_roles(verbs.get(verb, ())) for verb in SEQUENCE_VERBS))
        for name, verbs in rights.sequences.items()
    ]
    parts.append(
        "\n## Functions\n\n"
        f"{table(('function', 'runs with the rights of', 'may be called by'), functions)}"
        "\n## Sequences\n\n"
        f"{table(('sequence', 'next number', 'look', 'set'), sequences)}"
    )
    return "".join(parts)


_HEAD = ("columns", "class", "may read", "may insert", "may change")
_ABOUT = {
    "api": "the process that answers requests",
    "worker": "the process that does jobs",
    "custody_process": "the process that holds keys: the broker",
    "ledger_process": "the process that writes the log",
    "gateway_process": "the process that speaks outside",
    "films_process": "the process of machines that only encode",
    "queue": "whoever puts or takes jobs",
    "replication": "what copies the cluster for a backup abroad, through the socket only",
    "custody": "the key broker's own tables",
    "ledger": "the log's own tables",
    "border": "what was offered to the outside",
}


def _never(rights: Rights) -> str:
    """That nobody may truncate, refer to, or hang triggers on a table; or who may."""
    wrong = [
        f"{role} may {verb} {relation.name}"
        for relation in rights.relations
        for verbs in (relation.verbs, *relation.columns.values())
        for verb, roles in verbs.items()
        if verb in NEVER_VERBS
        for role in roles
    ]
    wrong += [
        f"{role} may {verb} in {schema}"
        for schema, verbs in rights.schemas.items()
        for verb, roles in verbs.items()
        if verb == "CREATE"
        for role in roles
    ]
    wrong += [
        f"{role} may {verb} in the database"
        for verb, roles in rights.database.items()
        if verb != "CONNECT"
        for role in roles
    ]
    if wrong:
        return f"**Not in order:** {'; '.join(dict.fromkeys(wrong))}.\n"
    return (
        "No role may truncate a table, refer to one from a table of its own, hang a trigger on "
        "one, or make anything in this database: tables, functions, schemas, temporary tables.\n"
    )


def _in_short(rights: Rights) -> list[tuple[str, ...]]:
    acts_as = {role.name: role.member_of for role in rights.roles}
    reads, writes = reach(rights, {"SELECT"}), reach(rights, WRITING)
    rows = []
    for role in rights.names():
        lent = acts_as.get(role, ())
        rows.append(
            (
                _short(role),
                *(
                    ", ".join(sorted(found[role] - {x for one in lent for x in found[one]}))
                    or ("nothing else" if lent else "nothing")
                    for found in (reads, writes)
                ),
            )
        )
    return rows


def _alike(relation: Relation, classes: Mapping[str, str]) -> list[tuple[str, ...]]:
    """Columns with the same class and the same rights, in one row."""
    rows: dict[tuple[str, ...], list[str]] = {}
    for name, verbs in relation.columns.items():
        said = (
            classes.get(f"{relation.name}.{name}", "as in the table" if relation.is_view else "?"),
            *(_roles(verbs.get(verb, ())) for verb in COLUMN_VERBS[:3]),
        )
        rows.setdefault(said, []).append(f"`{name}`")
    return [(", ".join(names), *said) for said, names in rows.items()]


def _roles(roles: Iterable[str]) -> str:
    return ", ".join(map(_short, roles)) or "nobody"


def _short(role: str) -> str:
    return "everybody" if role == PUBLIC else role.removeprefix(PREFIX)
