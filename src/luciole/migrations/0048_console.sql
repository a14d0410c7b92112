-- The operator's console: who of the staff is at work there in which role, what they looked at and
-- did, and figures of the cell that a job counts, so that no page counts a table.

DO $$ BEGIN
    CREATE ROLE luciole_console NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;  -- another cell of this cluster made it
END $$;
GRANT luciole_console TO luciole_api, luciole_worker, CURRENT_USER;
CREATE SCHEMA console;
GRANT USAGE ON SCHEMA console TO luciole_console;

-- An auditor reads what the staff and the cell have done, and does nothing.
ALTER TABLE custody.staff DROP CONSTRAINT staff_roles_check;
ALTER TABLE custody.staff ADD CONSTRAINT staff_roles_check
    CHECK (cardinality(roles) >= 1 AND roles <@ ARRAY['operator', 'moderator', 'auditor']);
CREATE VIEW custody.office AS SELECT id, person_id, roles FROM custody.staff;
CREATE VIEW custody.guarding AS SELECT peer, is_on, since, held FROM custody.guardian;

-- One of the staff at work in one role, on the session that asked; a passkey begins it.
CREATE TABLE console.shift (
    id uuid PRIMARY KEY,
    session_id uuid NOT NULL,
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    role text NOT NULL CHECK (role IN ('operator', 'moderator', 'auditor')),
    staff_id uuid,
    asked_at timestamptz NOT NULL,
    ends_at timestamptz,
    CHECK ((staff_id IS NULL) = (ends_at IS NULL))
);
CREATE INDEX shift_by_session ON console.shift (session_id);
CREATE INDEX shift_by_person ON console.shift (person_id);
CREATE INDEX shift_by_age ON console.shift (asked_at);

-- What was done, by a random id of the staff; `what` is a page, or the name of a job.
CREATE TABLE console.act (
    id uuid PRIMARY KEY,
    at timestamptz NOT NULL,
    staff_id uuid NOT NULL,
    role text NOT NULL CHECK (role IN ('operator', 'moderator', 'auditor')),
    act text NOT NULL CHECK (act IN ('begin', 'end', 'look', 'retry', 'heal')),
    what text NOT NULL CHECK (char_length(what) <= 200)
);
CREATE INDEX act_by_age ON console.act (at);

-- A digest over the acts of each day, as the log has it.
CREATE TABLE console.day (
    day date PRIMARY KEY,
    acts integer NOT NULL CHECK (acts > 0),
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32)
);

CREATE TABLE console.figure (
    name text PRIMARY KEY,
    value bigint NOT NULL,
    counted_at timestamptz NOT NULL
);

-- What the job counts. Nobody of ours is named, and of other cells' people none is counted.
CREATE VIEW people.counted AS
    SELECT 'people.age.' || age_band AS name, count(*) AS value
        FROM people.person WHERE home IS NULL GROUP BY age_band
    UNION ALL SELECT 'people.leaving', count(*) FROM people.person WHERE leaving_at IS NOT NULL
    UNION ALL SELECT 'people.private', count(*)
        FROM people.person WHERE home IS NULL AND is_private
    UNION ALL SELECT 'people.new-in-a-week', count(*)
        FROM people.person WHERE home IS NULL AND created_at > now() - interval '7 days'
    UNION ALL SELECT 'people.limited.' || act, count(*) FROM people.restriction
        WHERE ended_at IS NULL AND (until IS NULL OR until > now()) GROUP BY act
    UNION ALL SELECT 'people.sessions', count(*) FROM people.session
    UNION ALL SELECT 'people.with-a-passkey', count(DISTINCT person_id) FROM people.passkey
    UNION ALL SELECT 'people.waiting', count(*) FROM people.request WHERE state = 'waiting';
CREATE VIEW clips.counted AS
    SELECT 'clips.state.' || state AS name, count(*) AS value FROM clips.clip GROUP BY state
    UNION ALL SELECT 'clips.audience.' || audience, count(*)
        FROM clips.clip WHERE state = 'published' GROUP BY audience
    UNION ALL SELECT 'clips.new-in-a-week', count(*)
        FROM clips.clip WHERE created_at > now() - interval '7 days'
    UNION ALL SELECT 'clips.comments', count(*) FROM clips.comment
    UNION ALL SELECT 'clips.sounds', count(*) FROM clips.sound;
CREATE VIEW media.counted AS
    SELECT 'bytes.films.' || kind AS name, sum(size_bytes)::bigint AS value
        FROM media.file GROUP BY kind
    UNION ALL SELECT 'bytes.films.uploads', coalesce(sum(size_bytes), 0)::bigint FROM media.chunk
    UNION ALL SELECT 'films.unclaimed', count(*) FROM media.unclaimed;
CREATE VIEW messages.counted AS
    SELECT 'bytes.messages.files' AS name, coalesce(sum(size_bytes), 0)::bigint AS value
        FROM messages.attachment;
CREATE VIEW rights.counted AS
    SELECT 'bytes.exports' AS name, coalesce(sum(size_bytes), 0)::bigint AS value
        FROM rights.export
    UNION ALL SELECT 'bytes.imports', coalesce(sum(offset_bytes), 0)::bigint
        FROM rights.import WHERE state <> 'done';
CREATE VIEW notices.counted AS
    SELECT 'withheld.' || effect AS name, count(*) AS value FROM notices.measure
        WHERE ended_at IS NULL AND (until IS NULL OR until > now()) GROUP BY effect;
CREATE VIEW ledger.waiting AS
    SELECT log, count(*) AS entries FROM ledger.inbox GROUP BY log;
-- How large the tables of each slice are, with their indexes.
CREATE VIEW console.tables AS
    SELECT n.nspname::text AS name, sum(pg_total_relation_size(c.oid))::bigint AS size_bytes
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
    GROUP BY n.nspname;
-- The versions of the terms, and how many have agreed to each.
CREATE VIEW people.terms_known AS
    SELECT t.version, t.first_shown_at,
           (SELECT count(*) FROM people.agreement a WHERE a.version = t.version) AS agreed
    FROM people.terms t;

GRANT SELECT, INSERT, UPDATE, DELETE ON console.shift, console.act, console.day, console.figure
    TO luciole_console;
GRANT SELECT ON console.tables TO luciole_console;
GRANT USAGE ON SCHEMA custody, people, clips, media, messages, rights, notices, ledger
    TO luciole_console;
GRANT SELECT ON custody.office, custody.guarding, people.counted, people.terms_known, clips.counted,
    media.counted, messages.counted, rights.counted, notices.counted, ledger.waiting
    TO luciole_console;
GRANT EXECUTE ON FUNCTION ledger.put TO luciole_console;
