-- What a decision of moderators does: what it takes from view is kept in notices.measure and left out
-- by the same views as what an order withholds; what it keeps a person from, in people.restriction.

DO $$ BEGIN
    CREATE ROLE luciole_safety NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;  -- another cell of this cluster made it
END $$;
GRANT luciole_safety TO luciole_api, luciole_worker, CURRENT_USER;
CREATE SCHEMA IF NOT EXISTS safety;
GRANT USAGE ON SCHEMA safety TO luciole_safety;

-- Staff have roles: an operator signs reads and notices, a moderator reviews.
ALTER TABLE custody.staff ADD COLUMN roles text[] NOT NULL DEFAULT '{operator}'
    CHECK (cardinality(roles) >= 1 AND roles <@ ARRAY['operator', 'moderator']);
CREATE VIEW custody.moderator AS
    SELECT id, person_id FROM custody.staff WHERE 'moderator' = ANY (roles);
GRANT USAGE ON SCHEMA custody TO luciole_safety;
GRANT SELECT ON custody.moderator TO luciole_safety;

-- What a decision does to a clip, a comment, or all that a person shows. `id` is the decision's.
-- `countries`: ISO 3166 codes, or `*` for everywhere.
CREATE TABLE notices.measure (
    id uuid NOT NULL,
    effect text NOT NULL CHECK (effect IN ('withhold', 'adults', 'label')),
    what text NOT NULL CHECK (what IN ('clip', 'comment', 'person')),
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    clip_id uuid,
    comment_id uuid,
    countries text[] NOT NULL CHECK (cardinality(countries) BETWEEN 1 AND 250),
    label text CHECK (label IN ('sensitive', 'misleading', 'made-with-ai')),
    begun_at timestamptz NOT NULL,
    until timestamptz,
    ended_at timestamptz,
    PRIMARY KEY (id, effect),
    CHECK ((effect = 'label') = (label IS NOT NULL)),
    CHECK ((what = 'clip') = (clip_id IS NOT NULL)),
    CHECK ((what = 'comment') = (comment_id IS NOT NULL))
);
CREATE INDEX measure_by_person ON notices.measure (person_id);
CREATE INDEX measure_by_clip ON notices.measure (clip_id) WHERE clip_id IS NOT NULL;
CREATE INDEX measure_by_comment ON notices.measure (comment_id) WHERE comment_id IS NOT NULL;
GRANT SELECT, INSERT, UPDATE, DELETE ON notices.measure TO luciole_notices;

-- As before for orders; and what decisions keep from who asks. Only a session of an adult says that
-- it is one (`luciole.adult`): a query that forgets to ask asks as a minor.
CREATE OR REPLACE VIEW notices.here AS
    SELECT n.id AS notice_id, n.what, s.person_id, s.clip_id, s.cell
    FROM notices.notice n JOIN notices.subject s ON s.notice_id = n.id
    WHERE n.state = 'in-force' AND (n.until IS NULL OR n.until > now())
      AND nullif(current_setting('luciole.country', true), '') IS NOT NULL
      AND n.countries && ARRAY['*', current_setting('luciole.country', true)]
    UNION ALL
    SELECT m.id, m.what, m.person_id, m.clip_id, NULL
    FROM notices.measure m
    WHERE m.what <> 'comment' AND m.ended_at IS NULL AND (m.until IS NULL OR m.until > now())
      AND nullif(current_setting('luciole.country', true), '') IS NOT NULL
      AND m.countries && ARRAY['*', current_setting('luciole.country', true)]
      AND (m.effect = 'withhold' OR (m.effect = 'adults'
           AND coalesce(current_setting('luciole.adult', true), '') <> 'yes'));
-- Whether a decision keeps a comment from who asks. Who may call it reads no list.
CREATE FUNCTION notices.keeps_comment(comment uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = '' AS $$ BEGIN
        RETURN EXISTS (
            SELECT 1 FROM notices.measure m
            WHERE m.comment_id = comment AND m.ended_at IS NULL AND (m.until IS NULL OR m.until > now())
              AND nullif(current_setting('luciole.country', true), '') IS NOT NULL
              AND m.countries && ARRAY['*', current_setting('luciole.country', true)]
              AND (m.effect = 'withhold' OR (m.effect = 'adults'
                   AND coalesce(current_setting('luciole.adult', true), '') <> 'yes')));
    END $$;
REVOKE ALL ON FUNCTION notices.keeps_comment FROM PUBLIC;
GRANT EXECUTE ON FUNCTION notices.keeps_comment TO luciole_notices, luciole_clips;
CREATE VIEW notices.label_of AS
    SELECT clip_id, label, id AS decision_id FROM notices.measure
    WHERE effect = 'label' AND ended_at IS NULL AND (until IS NULL OR until > now());
GRANT SELECT ON notices.label_of TO luciole_notices;

CREATE FUNCTION notices.note_measure() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
    DECLARE persona uuid;
    BEGIN
        IF NEW.what = 'clip' THEN
            PERFORM border.note_fedi('clip', NEW.clip_id);
        ELSIF NEW.what = 'person' THEN
            SELECT p.id INTO persona FROM abroad.persona p WHERE p.person_id = NEW.person_id;
            IF persona IS NOT NULL THEN
                PERFORM border.note_fedi('person', persona);
            END IF;
        END IF;
        RETURN NULL;
    END $$;
CREATE TRIGGER noted_outside AFTER INSERT OR UPDATE OF ended_at ON notices.measure
    FOR EACH ROW EXECUTE FUNCTION notices.note_measure();
REVOKE ALL ON FUNCTION notices.note_measure FROM PUBLIC;

CREATE OR REPLACE FUNCTION clips.comments_for(viewer uuid) RETURNS SETOF clips.comment_card
    LANGUAGE sql STABLE
    AS $$
        SELECT c.*
        FROM clips.comment_card c
        WHERE (c.held_for IS NULL OR viewer IN (c.writer_id, c.author_id))
          AND (c.audience <> 'friends' OR c.writer_id = c.author_id
               OR viewer IN (c.writer_id, c.author_id)
               OR EXISTS (SELECT 1 FROM graph.friends f WHERE f.a = viewer AND f.b = c.writer_id))
          AND NOT EXISTS (
              SELECT 1 FROM graph.apart x
              WHERE x.a = c.writer_id AND (x.b = viewer OR x.b = c.author_id))
          AND (c.writer_id = viewer OR NOT EXISTS (
              SELECT 1 FROM notices.people_here h WHERE h.person_id = c.writer_id))
          AND (c.writer_id = viewer OR NOT notices.keeps_comment(c.id))
    $$;

-- What a decision keeps a person from doing; `id` is the decision's. They can still sign in, read,
-- appeal, take their data along and leave.
CREATE TABLE people.restriction (
    id uuid NOT NULL,
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    act text NOT NULL CHECK (act IN ('everything', 'publish', 'comment', 'message')),
    begun_at timestamptz NOT NULL,
    until timestamptz,
    ended_at timestamptz,
    PRIMARY KEY (id, act)
);
CREATE INDEX restriction_by_person ON people.restriction (person_id) WHERE ended_at IS NULL;
GRANT SELECT, INSERT, UPDATE, DELETE ON people.restriction TO luciole_people;
CREATE VIEW people.opened AS
    SELECT id AS person_id, created_at::date AS opened_on FROM people.person;
