-- The sale of a cell: who gets it and when, so that people know and may leave first; how far it is,
-- so that a kill in the middle is no end; and since when a cell has another operator, on which
-- consents hang that were given to the former one.

CREATE TABLE house.sale (
    id uuid PRIMARY KEY,
    state text NOT NULL CHECK (state IN (
        'announced', 'cancelled',
        -- From here on the cell does not start any more: its logs go to the other's keys.
        'handing-over', 'divested',
        -- Of the new operator.
        'adopted')),
    -- Of who gets it: legal name, jurisdiction, and the file with the public keys.
    operator text NOT NULL CHECK (char_length(operator) BETWEEN 1 AND 200),
    jurisdiction text NOT NULL CHECK (char_length(jurisdiction) BETWEEN 2 AND 6),
    keys text NOT NULL CHECK (octet_length(keys) <= 8192),
    announced_at timestamptz NOT NULL,
    not_before timestamptz NOT NULL,
    -- Whether everybody's journal says that the keys were handed out.
    is_noted boolean NOT NULL DEFAULT false,
    -- SHA-256 of what the bundle holds, as the log names it.
    contents text,
    ended_at timestamptz
);
CREATE UNIQUE INDEX sale_open ON house.sale ((true))
    WHERE state IN ('announced', 'handing-over', 'divested');

-- What everybody may know of it.
CREATE VIEW house.sale_notice AS
    SELECT id, state, operator, jurisdiction, announced_at, not_before, ended_at
    FROM house.sale WHERE state IN ('announced', 'adopted');

-- Since when the cell has the operator of today; NULL for the first one. What people have agreed to
-- before, and depends on who runs the cell, has to be asked again.
CREATE FUNCTION house.operator_since() RETURNS timestamptz
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
    AS $$ SELECT max(ended_at) FROM house.sale WHERE state = 'adopted' $$;
REVOKE ALL ON FUNCTION house.operator_since FROM PUBLIC;

GRANT USAGE ON SCHEMA house
    TO luciole_people, luciole_rights, luciole_notify, luciole_clips, luciole_abroad;
GRANT SELECT ON house.sale_notice TO luciole_rights;
GRANT EXECUTE ON FUNCTION house.operator_since
    TO luciole_people, luciole_rights, luciole_notify, luciole_clips, luciole_abroad;

-- Everybody is told: a kind of notification by nobody, as reads by staff are. The checks are found
-- by what they say, since other kinds may have come meanwhile.
DO $$
DECLARE
    one record;
BEGIN
    FOR one IN
        SELECT c.conrelid::regclass AS place, c.conname AS name,
               pg_get_constraintdef(c.oid) AS says
        FROM pg_constraint c
        WHERE c.contype = 'c' AND c.conrelid IN ('notify.line'::regclass,
                                                 'notify.notification'::regclass)
          AND pg_get_constraintdef(c.oid) LIKE '%''data-read''%'
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I, ADD CONSTRAINT %I %s',
            one.place, one.name, one.name,
            CASE WHEN one.says LIKE '%= ''data-read''::text%' THEN
                replace(one.says, '= ''data-read''::text',
                        '= ANY (ARRAY[''data-read''::text, ''operator-change''::text])')
            ELSE
                replace(one.says, '''data-read''::text',
                        '''data-read''::text, ''operator-change''::text')
            END);
    END LOOP;
END
$$;

-- Where somebody went who moved to another cell: shown on the profile that stays behind.
CREATE TABLE people.moved (
    person_id uuid PRIMARY KEY REFERENCES people.person (id) ON DELETE CASCADE,
    address text NOT NULL CHECK (char_length(address) BETWEEN 10 AND 300),
    moved_at timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON people.moved TO luciole_people;
