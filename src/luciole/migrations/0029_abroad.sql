-- People and clips of other cells, and what of ours is elsewhere.

-- A person of another cell has its name as `home`, a handle `name@cell`, and no more than what they
-- published: no way in, no key, no age, no language. Whoever counts, greets, exports or erases people
-- of this cell looks at those without a home elsewhere.
ALTER TABLE people.person
    ADD COLUMN home text CHECK (home ~ '^[a-z0-9-]{1,20}$'),
    ALTER COLUMN locale DROP NOT NULL,
    ALTER COLUMN age_band DROP NOT NULL,
    DROP CONSTRAINT person_handle_check,
    ADD CONSTRAINT person_handle_check CHECK (
        handle ~ '^[a-z0-9_.]{3,24}(@[a-z0-9-]{1,20})?$'
        AND nullif(split_part(handle, '@', 2), '') IS NOT DISTINCT FROM home),
    ADD CONSTRAINT person_of_here_check CHECK (
        (home IS NULL) = (locale IS NOT NULL) AND (home IS NULL) = (age_band IS NOT NULL)),
    ADD CONSTRAINT person_of_elsewhere_check CHECK (
        home IS NULL OR (NOT is_private AND leaving_at IS NULL));
CREATE INDEX person_by_home ON people.person (home, id) WHERE home IS NOT NULL;

CREATE OR REPLACE VIEW people.card AS
    SELECT
        id, handle, display_name, bio, avatar_key, is_private,
        coalesce(age_band <> '18+', false) AS age_band_minor, home
    FROM people.person
    WHERE leaving_at IS NULL;
-- Nobody writes to, and nobody of the staff is, somebody of another cell.
CREATE OR REPLACE VIEW people.writer AS
    SELECT id, age_band <> '18+' AS is_minor,
           age_band IN ('under-13', '13-15') AS is_too_young
    FROM people.person WHERE leaving_at IS NULL AND home IS NULL;
CREATE OR REPLACE VIEW people.passkey_claim AS
    SELECT p.id AS person_id, p.handle, k.credential_id, k.public_key, k.sign_count
    FROM people.person p LEFT JOIN people.passkey k ON k.person_id = p.id
    WHERE p.home IS NULL;

-- A handle in a text of elsewhere is none of here.
CREATE OR REPLACE VIEW clips.person AS
    SELECT
        p.id AS person_id, p.handle, p.display_name, p.avatar_key,
        coalesce(r.comments_by, CASE WHEN p.age_band_minor THEN 'friends' ELSE 'everyone' END)
            AS comments_by,
        coalesce(r.mentions_by, CASE WHEN p.age_band_minor THEN 'friends' ELSE 'everyone' END)
            AS mentions_by,
        coalesce(r.filter_words, '{}') AS filter_words, p.home
    FROM people.card p LEFT JOIN clips.preference r ON r.person_id = p.id;

DO $$ BEGIN
    CREATE ROLE luciole_abroad NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;  -- another cell of this cluster made it
END $$;
GRANT luciole_abroad TO luciole_api, luciole_worker, CURRENT_USER;
CREATE SCHEMA abroad;
GRANT USAGE ON SCHEMA abroad TO luciole_abroad;

-- Under which number other cells know one of ours: another than their account has here.
CREATE TABLE abroad.persona (
    person_id uuid PRIMARY KEY REFERENCES people.person (id) ON DELETE CASCADE,
    id uuid NOT NULL UNIQUE,
    made_at timestamptz NOT NULL
);

-- What a person was shown and said yes to: the text by its version and digest, and to whom what then
-- goes. It ends when it is taken back or another takes its place; it holds for those cells only, and
-- only as long as they and this one have the operators and the law that were named.
CREATE TABLE abroad.consent (
    id uuid PRIMARY KEY,
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    act text NOT NULL CHECK (act IN ('clip', 'comment', 'fediverse')),
    text_version smallint NOT NULL CHECK (text_version > 0),
    text_sha256 bytea NOT NULL CHECK (octet_length(text_sha256) = 32),
    locale text NOT NULL CHECK (locale IN ('en', 'fr')),
    operator text NOT NULL,
    jurisdiction text NOT NULL,
    -- [{"name": …, "operator": …, "jurisdiction": …}]
    peers jsonb NOT NULL,
    given_at timestamptz NOT NULL,
    ended_at timestamptz
);
CREATE UNIQUE INDEX consent_in_force ON abroad.consent (person_id, act) WHERE ended_at IS NULL;
CREATE INDEX consent_by_person ON abroad.consent (person_id, given_at, id);

-- How far a clip goes; no row: it stays in its region. The same of a comment on a clip of elsewhere.
CREATE TABLE abroad.reach (
    clip_id uuid PRIMARY KEY REFERENCES clips.clip (id) ON DELETE CASCADE,
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    reach text NOT NULL CHECK (reach IN ('cells', 'fediverse')),
    chosen_at timestamptz NOT NULL
);
CREATE INDEX reach_by_person ON abroad.reach (person_id, clip_id);
CREATE TABLE abroad.said (
    comment_id uuid PRIMARY KEY REFERENCES clips.comment (id) ON DELETE CASCADE,
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    chosen_at timestamptz NOT NULL
);
CREATE INDEX said_by_person ON abroad.said (person_id, comment_id);

-- What of a person went, or is on its way, to another cell: one row each time, under the number that
-- the crossing has in the logs of both. `subject_id`: the account, the clip or the comment, which may
-- be gone by now; `uri`: its address elsewhere. `receipt` is what the other cell signed. What was
-- `replaced` by a newer one never left.
CREATE TABLE abroad.crossing (
    id uuid PRIMARY KEY,
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('person', 'clip', 'comment', 'gone')),
    subject_kind text NOT NULL CHECK (subject_kind IN ('person', 'clip', 'comment')),
    subject_id uuid NOT NULL,
    peer text NOT NULL,
    operator text NOT NULL,
    jurisdiction text NOT NULL,
    consent_id uuid,
    uri text NOT NULL,
    body_sha256 bytea NOT NULL CHECK (octet_length(body_sha256) = 32),
    state text NOT NULL DEFAULT 'offered'
        CHECK (state IN ('offered', 'replaced', 'crossed', 'refused')),
    refusal text,
    receipt text CHECK (octet_length(receipt) <= 65536),
    offered_at timestamptz NOT NULL,
    settled_at timestamptz,
    CHECK ((state = 'offered') = (settled_at IS NULL))
);
CREATE INDEX crossing_by_person ON abroad.crossing (person_id, id DESC);
CREATE INDEX crossing_by_subject ON abroad.crossing (subject_id, peer, id DESC);

-- What has to be looked at again, with what changed, in the same transaction. `due_at`: not before.
CREATE TABLE abroad.stale (
    n bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    kind text NOT NULL CHECK (kind IN ('clip', 'comment', 'person', 'reading')),
    id uuid NOT NULL,
    due_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX stale_due ON abroad.stale (due_at, n);

-- What came from other cells and is not in its place yet: in the order in which it came.
CREATE TABLE abroad.arrival (
    id uuid PRIMARY KEY,
    peer text NOT NULL,
    kind text NOT NULL,
    uri text NOT NULL,
    body bytea NOT NULL,
    came_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    tries smallint NOT NULL DEFAULT 0
);
CREATE INDEX arrival_due ON abroad.arrival (due_at, id);
CREATE INDEX arrival_about ON abroad.arrival (peer, uri);

-- Who and what of other cells is here, by the address that it has there.
CREATE TABLE abroad.person (
    person_id uuid PRIMARY KEY REFERENCES people.person (id) ON DELETE CASCADE,
    peer text NOT NULL,
    uri text NOT NULL UNIQUE CHECK (char_length(uri) <= 500),
    -- The digest of the picture that was taken over.
    avatar_sha256 bytea
);
CREATE TABLE abroad.clip (
    clip_id uuid PRIMARY KEY REFERENCES clips.clip (id) ON DELETE CASCADE,
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    peer text NOT NULL,
    uri text NOT NULL UNIQUE CHECK (char_length(uri) <= 500)
);
CREATE INDEX clip_by_person ON abroad.clip (person_id, clip_id);
CREATE TABLE abroad.comment (
    comment_id uuid PRIMARY KEY REFERENCES clips.comment (id) ON DELETE CASCADE,
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    peer text NOT NULL,
    uri text NOT NULL UNIQUE CHECK (char_length(uri) <= 500)
);
CREATE INDEX comment_by_person ON abroad.comment (person_id, comment_id);

GRANT SELECT, INSERT, UPDATE, DELETE ON
    abroad.persona, abroad.consent, abroad.reach, abroad.said, abroad.crossing, abroad.stale,
    abroad.arrival, abroad.person, abroad.clip, abroad.comment
    TO luciole_abroad;
GRANT USAGE ON SCHEMA media, graph, clips, custody, border TO luciole_abroad;
GRANT SELECT ON media.playable, graph.accepted, graph.followed_by, clips.card,
    clips.comment_card, border.peers TO luciole_abroad;
GRANT EXECUTE ON FUNCTION border.put, border.withdraw, border.take_news, border.take_arrivals
    TO luciole_abroad;
-- What crosses is an entry of its person.
GRANT EXECUTE ON FUNCTION custody.take_number, custody.record TO luciole_abroad;
