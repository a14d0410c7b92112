-- Families: the accounts of an adult and of a young person, paired by a code that both confirm.

-- One side shows a code, the other enters it; a person has one at most, good once.
CREATE TABLE people.family_code (
    person_id uuid PRIMARY KEY REFERENCES people.person (id) ON DELETE CASCADE,
    code_hash bytea NOT NULL UNIQUE CHECK (octet_length(code_hash) = 32),
    expires_at timestamptz NOT NULL
);
CREATE INDEX family_code_by_time ON people.family_code (expires_at);

-- Waits until both have agreed, `expires_at` at the latest. `ends_at`: the young person wants out,
-- and the guardian was told.
CREATE TABLE people.family_pairing (
    id uuid PRIMARY KEY,
    guardian_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    teen_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    made_at timestamptz NOT NULL,
    expires_at timestamptz,
    guardian_agreed_at timestamptz,
    teen_agreed_at timestamptz,
    ends_at timestamptz,
    UNIQUE (guardian_id, teen_id),
    CHECK (guardian_id <> teen_id),
    CHECK ((expires_at IS NULL) = (guardian_agreed_at IS NOT NULL AND teen_agreed_at IS NOT NULL)),
    CHECK (ends_at IS NULL OR expires_at IS NULL)
);
CREATE INDEX family_pairing_by_teen ON people.family_pairing (teen_id);
CREATE INDEX family_pairing_ending ON people.family_pairing (coalesce(ends_at, expires_at))
    WHERE ends_at IS NOT NULL OR expires_at IS NOT NULL;

-- Each set of limits that a guardian has set or proposed, so that the young person sees all of them.
-- A limit only ever adds to what the age band gives: there is no column that could take from it.
CREATE TABLE people.family_limits (
    id uuid PRIMARY KEY,
    pairing_id uuid NOT NULL REFERENCES people.family_pairing (id) ON DELETE CASCADE,
    state text NOT NULL CHECK (state IN ('proposed', 'in-force', 'declined', 'replaced')),
    daily_min smallint CHECK (daily_min BETWEEN 10 AND 240),
    sleep_from text CHECK (sleep_from ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'),
    sleep_to text CHECK (sleep_to ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'),
    keeps_private boolean NOT NULL,
    for_you_off boolean NOT NULL,
    made_at timestamptz NOT NULL,
    answered_at timestamptz,
    CHECK ((sleep_from IS NULL) = (sleep_to IS NULL))
);
CREATE INDEX family_limits_by_pairing ON people.family_limits (pairing_id, id);
CREATE UNIQUE INDEX family_limits_standing ON people.family_limits (pairing_id, state)
    WHERE state IN ('proposed', 'in-force');

-- Minutes a day as a device of the young person reports them, sealed with that person's key; the
-- row goes with the session of the device, which sends everything anew when it signs in again.
CREATE TABLE people.family_time (
    session_id uuid PRIMARY KEY REFERENCES people.session (id) ON DELETE CASCADE,
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    version integer NOT NULL,
    sealed bytea NOT NULL,
    offset_minutes smallint NOT NULL CHECK (offset_minutes BETWEEN -840 AND 840),
    reported_at timestamptz NOT NULL
);
CREATE INDEX family_time_by_person ON people.family_time (person_id, reported_at DESC);
CREATE INDEX family_time_by_time ON people.family_time (reported_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON
    people.family_code, people.family_pairing, people.family_limits, people.family_time
    TO luciole_people;

-- Five kinds more of news that the cell itself tells, whatever kinds there are by now.
DO $$
DECLARE
    named text;
    said text;
BEGIN
    FOR named, said IN
        SELECT conrelid::regclass || ' ' || conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE (conrelid = 'notify.line'::regclass AND conname = 'line_kind_check')
           OR (conrelid = 'notify.notification'::regclass
               AND conname IN ('notification_kind_check', 'notification_check'))
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I',
            split_part(named, ' ', 1), split_part(named, ' ', 2));
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I %s',
            split_part(named, ' ', 1), split_part(named, ' ', 2),
            replace(said, '''appeal-decided''::text', '''appeal-decided''::text, '
                '''family-paired''::text, ''family-limits''::text, ''family-answered''::text, '
                '''family-ending''::text, ''family-ended''::text'));
    END LOOP;
END
$$;
