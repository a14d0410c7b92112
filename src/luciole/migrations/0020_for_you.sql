-- For You: the log of what happened to clips, pages that were given out, and what people let the cell
-- learn of them.

-- What ranking may know of a clip.
CREATE VIEW clips.rankable AS
    SELECT c.id, c.author_id, c.hashtags, c.caption, c.published_at, m.duration_ms
    FROM clips.clip c
    JOIN people.card p ON p.id = c.author_id
    JOIN media.playable m ON m.asset_id = c.asset_id
    WHERE c.state = 'published' AND c.audience = 'everyone' AND NOT p.is_private;

-- A walk through the feed. It names nobody; who lets the cell learn has a line in `learner` too.
CREATE TABLE feed.session (
    id uuid PRIMARY KEY,
    mode text NOT NULL CHECK (mode IN ('public', 'learning')),
    -- How much what happens in it may weigh.
    trust real NOT NULL CHECK (trust BETWEEN 0 AND 1),
    made_at timestamptz NOT NULL,
    -- What a visitor does not want to see again; who has an account has `hidden`.
    hidden_authors uuid[] NOT NULL DEFAULT '{}' CHECK (cardinality(hidden_authors) <= 500),
    hidden_hashtags text[] NOT NULL DEFAULT '{}' CHECK (cardinality(hidden_hashtags) <= 500)
);
CREATE INDEX session_by_age ON feed.session (made_at);

-- Whose a session is, only where its person lets the cell learn. `sealed` holds the name of the
-- session in the log, so that without the person's key the log leads to nobody.
CREATE TABLE feed.learner (
    session_id uuid PRIMARY KEY REFERENCES feed.session (id) ON DELETE CASCADE,
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    sealed bytea NOT NULL
);
CREATE INDEX learner_by_person ON feed.learner (person_id);

-- A page as it was given out, and all that it was computed from. Sealed in sessions of learners.
CREATE TABLE feed.page (
    id uuid PRIMARY KEY,
    session_id uuid NOT NULL REFERENCES feed.session (id) ON DELETE CASCADE,
    n integer NOT NULL CHECK (n >= 0),
    made_at timestamptz NOT NULL,
    weights_version integer NOT NULL,
    seed bigint NOT NULL,
    is_end boolean NOT NULL,
    slots bytea NOT NULL,
    inputs bytea NOT NULL,
    UNIQUE (session_id, n)
);

-- The log. A row is something that happened to a clip in a slot of a page, or, where `signal` is
-- NULL, that the clip is new, changed or gone. Read in the order of (xid, seq) and only below
-- pg_snapshot_xmin: there nothing is added any more, so everybody reads the same.
CREATE TABLE feed.event (
    seq bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    at timestamptz NOT NULL DEFAULT now(),
    clip_id uuid NOT NULL,
    -- A keyed digest of page, slot and signal: the same is noted once, and leads to no page.
    once bytea UNIQUE,
    session_id uuid,
    signal smallint CHECK (signal BETWEEN 0 AND 11),
    value integer NOT NULL DEFAULT 0 CHECK (value BETWEEN 0 AND 3600000),
    loops smallint NOT NULL DEFAULT 0 CHECK (loops >= 0),
    source smallint NOT NULL DEFAULT 6,
    features bytea NOT NULL DEFAULT '',
    trust real NOT NULL DEFAULT 0 CHECK (trust BETWEEN 0 AND 1),
    propensity double precision NOT NULL DEFAULT 0,
    sign smallint NOT NULL DEFAULT 1 CHECK (sign IN (-1, 1)),
    CHECK ((signal IS NULL) = (session_id IS NULL))
);
CREATE INDEX event_in_order ON feed.event (xid, seq);
CREATE INDEX event_by_age ON feed.event (at);

-- What came of the log up to a row of it.
CREATE TABLE feed.snapshot (
    taken_at timestamptz PRIMARY KEY,
    xid xid8 NOT NULL,
    seq bigint NOT NULL,
    weights_version integer NOT NULL,
    digest text NOT NULL,
    data bytea NOT NULL
);

-- Whether a person lets the cell learn. `version` counts what was sealed for them ever: the seal
-- holds it, so that nothing older put back in its place opens.
CREATE TABLE feed.profile (
    person_id uuid PRIMARY KEY REFERENCES people.person (id) ON DELETE CASCADE,
    mode text NOT NULL CHECK (mode IN ('public', 'learning')),
    since timestamptz NOT NULL,
    version integer NOT NULL DEFAULT 0 CHECK (version >= 0),
    -- The version when all was forgotten last: what a process has in memory from before is void.
    forgot integer NOT NULL DEFAULT 0 CHECK (forgot <= version)
);

-- What happened in a day of somebody who lets the cell learn, sealed in parts of some hundred events,
-- so that adding a few does not write the whole day anew.
CREATE TABLE feed.taste_day (
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    day date NOT NULL,
    part smallint NOT NULL CHECK (part >= 0),
    version integer NOT NULL CHECK (version > 0),
    events integer NOT NULL CHECK (events > 0),
    sealed bytea NOT NULL,
    PRIMARY KEY (person_id, day, part)
);
CREATE INDEX taste_day_by_age ON feed.taste_day (day);

-- What a person does not want to see again: ids of authors, clips and sounds, words of hashtags.
-- The day only: the hour would lead from here to a row of the log.
CREATE TABLE feed.hidden (
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('author', 'clip', 'hashtag', 'sound')),
    value text NOT NULL CHECK (char_length(value) BETWEEN 1 AND 60),
    hidden_on date NOT NULL,
    PRIMARY KEY (person_id, kind, value)
);
CREATE INDEX hidden_by_value ON feed.hidden (kind, value);

-- How many sessions an account has begun in a day; not which.
CREATE TABLE feed.allowance (
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    day date NOT NULL,
    sessions integer NOT NULL CHECK (sessions > 0),
    PRIMARY KEY (person_id, day)
);
CREATE INDEX allowance_by_age ON feed.allowance (day);

-- Whatever changes what For You may show becomes a row of the log, in the same transaction.
CREATE FUNCTION feed.note_clip() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
    BEGIN
        IF (TG_OP <> 'INSERT' AND OLD.state = 'published')
            OR (TG_OP <> 'DELETE' AND NEW.state = 'published') THEN
            INSERT INTO feed.event (clip_id)
            VALUES (CASE WHEN TG_OP = 'DELETE' THEN OLD.id ELSE NEW.id END);
            PERFORM pg_notify('luciole_feed', pg_current_xact_id()::text);
        END IF;
        RETURN NULL;
    END
    $$;
CREATE TRIGGER noted_for_feed
    AFTER INSERT OR DELETE OR UPDATE OF state, audience, caption, hashtags, published_at
    ON clips.clip FOR EACH ROW EXECUTE FUNCTION feed.note_clip();

CREATE FUNCTION feed.note_author() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
    BEGIN
        INSERT INTO feed.event (clip_id)
        SELECT id FROM clips.clip WHERE author_id = NEW.id AND state = 'published';
        PERFORM pg_notify('luciole_feed', pg_current_xact_id()::text);
        RETURN NULL;
    END
    $$;
CREATE TRIGGER noted_for_feed
    AFTER UPDATE OF is_private, leaving_at ON people.person FOR EACH ROW
    WHEN (OLD.is_private <> NEW.is_private
          OR (OLD.leaving_at IS NULL) <> (NEW.leaving_at IS NULL))
    EXECUTE FUNCTION feed.note_author();

REVOKE ALL ON FUNCTION feed.note_clip, feed.note_author FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON
    feed.session, feed.learner, feed.page, feed.event, feed.snapshot, feed.profile,
    feed.taste_day, feed.hidden, feed.allowance TO luciole_feed;
GRANT SELECT ON clips.rankable TO luciole_feed;
