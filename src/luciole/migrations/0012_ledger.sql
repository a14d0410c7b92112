-- The log's inbox: entries that wait to be put into a log, written in the transaction of the act.

CREATE TABLE ledger.inbox (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    log text NOT NULL CHECK (log IN ('access', 'decisions', 'border')),
    entry bytea NOT NULL CHECK (octet_length(entry) BETWEEN 1 AND 65535),
    ref bigint
);

CREATE FUNCTION ledger.put(into_log text, new_entry bytea, new_ref bigint) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = ''
    AS $$ INSERT INTO ledger.inbox (log, entry, ref) VALUES (into_log, new_entry, new_ref) $$;
REVOKE ALL ON FUNCTION ledger.put FROM PUBLIC;
GRANT SELECT, DELETE ON ledger.inbox TO luciole_ledger;
