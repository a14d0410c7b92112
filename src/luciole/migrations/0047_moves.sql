-- Recalls that another cell refused are asked for again, and people who move to another cell are
-- followed there.

-- A recall under way, by the address of what is called back: `crossing` is its number the last time.
-- `again_at`: it was refused, the first time at `refused_at`, and is not asked for again before. Of
-- who is erased, only that they are called back themselves is left, without whose it was.
CREATE TABLE abroad.recall (
    peer text NOT NULL,
    uri text NOT NULL CHECK (char_length(uri) <= 500),
    crossing uuid NOT NULL UNIQUE,
    person_id uuid REFERENCES people.person (id) ON DELETE SET NULL,
    refused_at timestamptz,
    again_at timestamptz,
    refusals smallint NOT NULL DEFAULT 0,
    PRIMARY KEY (peer, uri),
    CHECK (again_at IS NULL OR refused_at IS NOT NULL)
);
CREATE INDEX recall_due ON abroad.recall (again_at) WHERE again_at IS NOT NULL;
CREATE INDEX recall_by_person ON abroad.recall (person_id) WHERE person_id IS NOT NULL;
GRANT SELECT, INSERT, UPDATE, DELETE ON abroad.recall TO luciole_abroad;

-- Where somebody went is told to whoever looks, if they wish.
ALTER TABLE people.moved ADD COLUMN is_shown boolean NOT NULL DEFAULT true;

-- What a person has said of their own move: that they `left` for `uri`, another cell's address of
-- theirs, or `came` from it. `cells`: those that know them by the former one, as they brought along.
CREATE TABLE abroad.move (
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    side text NOT NULL CHECK (side IN ('left', 'came')),
    uri text NOT NULL CHECK (octet_length(uri) <= 500),
    cells text[] NOT NULL DEFAULT '{}',
    is_shown boolean NOT NULL DEFAULT true,
    said_at timestamptz NOT NULL,
    ended_at timestamptz,
    PRIMARY KEY (person_id, side, uri)
);
-- Moves that both cells have said, of somebody who is known here: from `uri` to `to_uri`. `person_id`
-- stands for the former address, `to_id` for the new one. Until `is_carried`, follows go over.
CREATE TABLE abroad.moved (
    uri text PRIMARY KEY CHECK (octet_length(uri) <= 500),
    to_uri text NOT NULL CHECK (octet_length(to_uri) <= 500),
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    to_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    moved_at timestamptz NOT NULL,
    is_carried boolean NOT NULL DEFAULT false
);
CREATE INDEX moved_to ON abroad.moved (to_uri);
CREATE INDEX moved_by_person ON abroad.moved (person_id);
CREATE INDEX moved_to_person ON abroad.moved (to_id);
CREATE INDEX moved_not_carried ON abroad.moved (moved_at) WHERE NOT is_carried;
GRANT SELECT, INSERT, UPDATE, DELETE ON abroad.move, abroad.moved TO luciole_abroad;

ALTER TABLE abroad.crossing DROP CONSTRAINT crossing_kind_check;
ALTER TABLE abroad.crossing ADD CONSTRAINT crossing_kind_check
    CHECK (kind IN ('person', 'clip', 'comment', 'gone', 'move'));

-- Whom the wider Fediverse may be told of as moved: who asked to be read there, with the address that
-- they went to, if they wish it shown, and those that they came from.
CREATE VIEW border.public_move AS
    SELECT a.id, a.operator, a.jurisdiction,
           (SELECT m.uri FROM abroad.move m
            WHERE m.person_id = s.person_id AND m.side = 'left' AND m.is_shown
                AND m.ended_at IS NULL
            ORDER BY m.said_at DESC LIMIT 1) AS moved_to,
           ARRAY(SELECT m.uri FROM abroad.move m
                 WHERE m.person_id = s.person_id AND m.side = 'came' AND m.ended_at IS NULL
                 ORDER BY m.said_at DESC, m.uri LIMIT 10) AS came_from
    FROM border.public_author a JOIN abroad.persona s ON s.id = a.id;
GRANT SELECT ON border.public_move TO luciole_border;
-- Which address followers there were told of, so that they are told once.
CREATE TABLE border.fedi_moved (
    author uuid PRIMARY KEY,
    to_uri text NOT NULL CHECK (octet_length(to_uri) <= 500),
    told_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT, UPDATE, DELETE ON border.fedi_moved TO luciole_border;
CREATE FUNCTION border.note_fedi_move() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
    DECLARE persona uuid;
    BEGIN
        FOR persona IN SELECT s.id FROM abroad.persona s WHERE s.person_id = NEW.person_id LOOP
            PERFORM border.note_fedi('person', persona);
        END LOOP;
        RETURN NULL;
    END $$;
REVOKE ALL ON FUNCTION border.note_fedi_move FROM PUBLIC;
CREATE TRIGGER noted_fedi AFTER INSERT OR UPDATE ON abroad.move
    FOR EACH ROW EXECUTE FUNCTION border.note_fedi_move();
