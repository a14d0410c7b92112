-- Roles and schemas of the log, of the key broker and of rights, and the two processes that hold
-- no slice: the broker reaches custody only, the log's sequencer the ledger only.

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'luciole_ledger', 'luciole_custody', 'luciole_rights',
        'luciole_custody_process', 'luciole_ledger_process'
    ] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', name);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;  -- another cell of this cluster made it
        END;
    END LOOP;
END
$$;

GRANT luciole_rights TO luciole_api, luciole_worker;
GRANT luciole_custody TO luciole_custody_process;
GRANT luciole_ledger TO luciole_ledger_process;
GRANT luciole_ledger, luciole_custody, luciole_rights, luciole_custody_process,
      luciole_ledger_process TO CURRENT_USER;

CREATE SCHEMA ledger;
CREATE SCHEMA custody;
CREATE SCHEMA rights;

GRANT USAGE ON SCHEMA ledger TO luciole_ledger;
GRANT USAGE ON SCHEMA custody TO luciole_custody;
GRANT USAGE ON SCHEMA rights TO luciole_rights;
