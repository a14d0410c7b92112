"""Statements that no role of a cell may run."""

from __future__ import annotations

from tests.rules.source import SLICES

SCHEMAS = (*SLICES, "custody", "ledger", "border", "rights", "queue", "house", "public")
FORBIDDEN = (
    *(f"CREATE TABLE {schema}.taken ()" for schema in SCHEMAS),
    "CREATE TEMPORARY TABLE taken ()",
    "CREATE SCHEMA taken",
    "CREATE FUNCTION people.taken() RETURNS int LANGUAGE sql RETURN 1",
    "CREATE VIEW feed.taken AS SELECT 1",
    "CREATE ROLE taken",
    "CREATE PUBLICATION taken",
    "CREATE EXTENSION dblink",
    "ALTER TABLE people.person ADD COLUMN taken text",
    "ALTER TABLE people.person DISABLE TRIGGER ALL",
    "DROP TABLE people.person CASCADE",
    "LOCK TABLE house.migration IN ACCESS EXCLUSIVE MODE",
    "COPY people.person TO PROGRAM 'cat'",
    "COPY people.person TO '/dev/null'",
    "SELECT rolpassword FROM pg_authid",
    "SELECT usename FROM pg_shadow",
    "SELECT umoptions FROM pg_user_mapping",
    "SELECT data FROM pg_largeobject",
    "SELECT pg_read_file('PG_VERSION')",
    "SELECT pg_ls_dir('.')",
    "SELECT pg_ls_waldir()",
    "SELECT pg_current_logfile()",
    "SELECT lo_import('/dev/null')",
    "SELECT pg_create_logical_replication_slot('taken', 'pgoutput')",
    "SET log_statement = 'all'",
    "SET session_replication_role = 'replica'",
    "SET SESSION AUTHORIZATION postgres",
)
