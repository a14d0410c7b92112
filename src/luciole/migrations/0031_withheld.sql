-- What is withheld, in which countries, by whose order; and which orders a government has sent.
-- Whoever asks from such a country gets 451 (RFC 7725) and the notice, and everybody the notice.

DO $$ BEGIN
    CREATE ROLE luciole_notices NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;  -- another cell of this cluster made it
END $$;
GRANT luciole_notices TO luciole_api, luciole_worker, CURRENT_USER;
CREATE SCHEMA IF NOT EXISTS notices;
GRANT USAGE ON SCHEMA notices TO luciole_notices;

-- Orders and requests of authorities, whatever they ask for. Under a gag only `commit` is public;
-- `is_told` says that the log has all of it. An outcome is in the log as soon as both are known.
CREATE TABLE notices.request (
    id uuid PRIMARY KEY,
    authority text NOT NULL CHECK (char_length(authority) BETWEEN 2 AND 200),
    country text NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
    law text NOT NULL CHECK (char_length(law) BETWEEN 2 AND 300),
    asks_for text NOT NULL CHECK (asks_for IN ('data', 'withhold', 'other')),
    persons integer NOT NULL CHECK (persons >= 0),
    received_on date NOT NULL,
    gag_until date,
    nonce bytea NOT NULL CHECK (octet_length(nonce) = 32),
    made_at timestamptz NOT NULL,
    is_told boolean NOT NULL,
    outcome text NOT NULL DEFAULT 'pending'
        CHECK (outcome IN ('pending', 'complied', 'partly', 'refused', 'withdrawn')),
    settled_at timestamptz,
    is_settled_told boolean NOT NULL DEFAULT false,
    CHECK ((outcome = 'pending') = (settled_at IS NULL)),
    CHECK (is_told OR gag_until IS NOT NULL)
);
CREATE INDEX request_gagged ON notices.request (gag_until) WHERE NOT is_told;
CREATE INDEX request_unsettled ON notices.request (id)
    WHERE outcome <> 'pending' AND NOT is_settled_told;

-- `countries`: ISO 3166 codes, or `*` for everywhere. Without an order of a court or an authority
-- two of the staff sign it first (`waiting`). What it is about is in notices.subject.
CREATE TABLE notices.notice (
    id uuid PRIMARY KEY,
    what text NOT NULL CHECK (what IN ('clip', 'person', 'cell')),
    countries text[] NOT NULL CHECK (cardinality(countries) BETWEEN 1 AND 250),
    ground text NOT NULL CHECK (ground IN ('court', 'authority', 'rules')),
    ordered_by text NOT NULL CHECK (char_length(ordered_by) BETWEEN 2 AND 200),
    law text NOT NULL CHECK (char_length(law) BETWEEN 2 AND 300),
    reason text NOT NULL CHECK (char_length(reason) BETWEEN 10 AND 1000),
    appeal text NOT NULL CHECK (char_length(appeal) BETWEEN 5 AND 300),
    until timestamptz,
    request_id uuid REFERENCES notices.request (id),
    staff uuid[] NOT NULL DEFAULT '{}' CHECK (cardinality(staff) <= 2),
    state text NOT NULL CHECK (state IN ('waiting', 'in-force', 'ended')),
    is_named boolean NOT NULL,
    made_at timestamptz NOT NULL,
    begun_at timestamptz,
    ended_at timestamptz,
    ended_why text NOT NULL DEFAULT '' CHECK (char_length(ended_why) <= 300),
    commitment bytea NOT NULL CHECK (octet_length(commitment) = 32),
    CHECK ((ground = 'rules') = (request_id IS NULL)),
    CHECK ((state = 'ended') = (ended_at IS NOT NULL)),
    CHECK (state <> 'in-force' OR begun_at IS NOT NULL)
);
CREATE INDEX notice_in_force ON notices.notice (id) WHERE state = 'in-force';
CREATE INDEX notice_by_request ON notices.notice (request_id) WHERE request_id IS NOT NULL;

-- Goes with its person; the notice stays and says no more whom it was about. `told`: what its person
-- has been told last.
CREATE TABLE notices.subject (
    notice_id uuid PRIMARY KEY REFERENCES notices.notice (id) ON DELETE CASCADE,
    person_id uuid REFERENCES people.person (id) ON DELETE CASCADE,
    clip_id uuid,
    cell text,
    said text NOT NULL CHECK (char_length(said) <= 100),
    nonce bytea NOT NULL CHECK (octet_length(nonce) = 32),
    told text NOT NULL DEFAULT '' CHECK (told IN ('', 'withheld', 'withheld-ended')),
    CHECK ((person_id IS NULL) = (cell IS NOT NULL))
);
CREATE INDEX subject_by_person ON notices.subject (person_id);
CREATE INDEX subject_by_clip ON notices.subject (clip_id) WHERE clip_id IS NOT NULL;

-- Whose a clip is, and by what its files are found.
CREATE VIEW notices.clip_of AS
    SELECT c.id AS clip_id, c.author_id, a.token
    FROM clips.clip c JOIN media.asset a ON a.id = c.asset_id;
CREATE VIEW notices.person_of AS
    SELECT id AS person_id, handle, avatar_key, split_part(handle, '@', 2) AS cell
    FROM people.person;

-- What holds where the asking session says that it comes from (`luciole.country`). A session that
-- says nothing, such as a job's, asks for nobody, and nothing is withheld from it.
CREATE VIEW notices.here AS
    SELECT n.id AS notice_id, n.what, s.person_id, s.clip_id, s.cell
    FROM notices.notice n JOIN notices.subject s ON s.notice_id = n.id
    WHERE n.state = 'in-force' AND (n.until IS NULL OR n.until > now())
      AND nullif(current_setting('luciole.country', true), '') IS NOT NULL
      AND n.countries && ARRAY['*', current_setting('luciole.country', true)];
CREATE VIEW notices.clips_here AS
    SELECT clip_id, notice_id FROM notices.here WHERE what = 'clip';
CREATE VIEW notices.people_here AS
    SELECT person_id, notice_id FROM notices.here WHERE what = 'person'
    UNION ALL
    SELECT p.person_id, h.notice_id
    FROM notices.here h JOIN notices.person_of p ON p.cell = h.cell WHERE h.what = 'cell';
CREATE VIEW notices.files_here AS
    SELECT c.token, c.author_id, h.notice_id
    FROM notices.clip_of c JOIN notices.clips_here h ON h.clip_id = c.clip_id
    UNION ALL
    SELECT c.token, c.author_id, h.notice_id
    FROM notices.clip_of c JOIN notices.people_here h ON h.person_id = c.author_id;
CREATE VIEW notices.avatars_here AS
    SELECT p.avatar_key, p.person_id, h.notice_id
    FROM notices.person_of p JOIN notices.people_here h ON h.person_id = p.person_id
    WHERE p.avatar_key IS NOT NULL;

GRANT SELECT, INSERT, UPDATE, DELETE ON notices.notice, notices.subject, notices.request
    TO luciole_notices;
GRANT SELECT ON notices.here, notices.clip_of, notices.person_of, notices.clips_here,
    notices.people_here, notices.files_here, notices.avatars_here TO luciole_notices;
GRANT USAGE ON SCHEMA notices TO luciole_clips, luciole_feed, luciole_search;
GRANT SELECT ON notices.clips_here, notices.people_here
    TO luciole_clips, luciole_feed, luciole_search;
GRANT USAGE ON SCHEMA ledger TO luciole_notices;
GRANT EXECUTE ON FUNCTION ledger.put TO luciole_notices;

-- What a person who is withheld has said under clips is left out as well; they see it themselves.
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
    $$;

-- The cell itself tells whoever is withheld, as it tells of reads by staff.
ALTER TABLE notify.line DROP CONSTRAINT line_kind_check;
ALTER TABLE notify.line ADD CONSTRAINT line_kind_check CHECK (kind IN (
    'like', 'follow', 'follow-request', 'follow-accepted', 'data-read', 'comment',
    'comment-reply', 'comment-like', 'mention', 'repost', 'clip-reply', 'message-request',
    'digest', 'withheld', 'withheld-ended'));
ALTER TABLE notify.notification DROP CONSTRAINT notification_kind_check;
ALTER TABLE notify.notification DROP CONSTRAINT notification_check;
ALTER TABLE notify.notification ADD CONSTRAINT notification_kind_check CHECK (kind IN (
    'like', 'follow', 'follow-request', 'follow-accepted', 'data-read', 'comment',
    'comment-reply', 'comment-like', 'mention', 'repost', 'clip-reply', 'message-request',
    'withheld', 'withheld-ended'));
ALTER TABLE notify.notification ADD CONSTRAINT notification_check
    CHECK ((actor_id IS NULL) = (kind IN ('data-read', 'withheld', 'withheld-ended')));
