-- How many people were here in a month, and mail to who sent a notice without an account.

-- That somebody's last session of a month is over: signed out, expired or erased. It says of nobody
-- whose it was; the number of the month is made with it, and it goes with the month after.
CREATE TABLE people.session_over (
    n bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    month date NOT NULL CHECK (extract(day FROM month) = 1)
);
CREATE INDEX session_over_by_month ON people.session_over (month);
GRANT SELECT, INSERT, UPDATE, DELETE ON people.session_over TO luciole_people;

CREATE FUNCTION people.note_sessions_over() RETURNS trigger
    LANGUAGE plpgsql SET search_path = ''
    AS $$
    BEGIN
        INSERT INTO people.session_over (month)
        SELECT g.month FROM (
            SELECT DISTINCT person_id, date_trunc('month', last_seen_on)::date AS month FROM gone
        ) g
        WHERE NOT EXISTS (
            SELECT 1 FROM people.session s
            WHERE s.person_id = g.person_id AND s.last_seen_on >= g.month
        );
        RETURN NULL;
    END
    $$;
CREATE TRIGGER session_over AFTER DELETE ON people.session
    REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION people.note_sessions_over();

-- How many people used an account of theirs in the month that begins on `first`. `at_least`: those
-- with a session whose last day is in it. `at_most`: those who may have been here in it, with those
-- whose last session is over, once for each time they came back and left.
CREATE FUNCTION people.active(first date) RETURNS TABLE (at_least bigint, at_most bigint)
    LANGUAGE sql STABLE SET search_path = ''
    AS $$
        SELECT count(DISTINCT s.person_id) FILTER (WHERE s.last_seen_on < first + interval '1 month'),
               count(DISTINCT s.person_id)
                   + (SELECT count(*) FROM people.session_over o WHERE o.month = first)
        FROM people.session s
        WHERE s.last_seen_on >= first
          AND s.created_at < (first + interval '1 month') AT TIME ZONE 'UTC'
    $$;
REVOKE ALL ON FUNCTION people.note_sessions_over, people.active FROM PUBLIC;
GRANT EXECUTE ON FUNCTION people.active TO luciole_people;

-- Months of which the number is in the log, or of which too little is known: where people were here
-- already, the one in which this migration came, and the one before it.
CREATE TABLE safety.counted_month (
    month date PRIMARY KEY CHECK (extract(day FROM month) = 1)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON safety.counted_month TO luciole_safety;
INSERT INTO safety.counted_month (month)
SELECT (date_trunc('month', now() AT TIME ZONE 'UTC') - past)::date
FROM unnest(ARRAY[interval '0', interval '1 month']) past
WHERE EXISTS (SELECT 1 FROM people.session);

-- Who sent a notice is written to, in their language, once about each outcome (`told`).
ALTER TABLE safety.notifier
    ADD COLUMN locale text NOT NULL DEFAULT 'en' CHECK (char_length(locale) <= 12),
    ADD COLUMN told text NOT NULL DEFAULT ''
        CHECK (told IN ('', 'acted', 'no-violation', 'gone', 'upheld', 'reversed'));
