-- Conversation: comments in threads and the likes on them; who may comment on and mention whom.

-- Not chosen yet is not 'everyone': what holds then goes by age, and a minor's stays narrow when
-- something else of the row is chosen.
ALTER TABLE clips.preference
    ALTER COLUMN comments_by DROP NOT NULL, ALTER COLUMN comments_by DROP DEFAULT,
    ALTER COLUMN mentions_by DROP NOT NULL, ALTER COLUMN mentions_by DROP DEFAULT;

-- What clips needs to know of a person who comments, is commented or is mentioned.
CREATE VIEW clips.person AS
    SELECT
        p.id AS person_id, p.handle, p.display_name, p.avatar_key,
        coalesce(r.comments_by, CASE WHEN p.age_band_minor THEN 'friends' ELSE 'everyone' END)
            AS comments_by,
        coalesce(r.mentions_by, CASE WHEN p.age_band_minor THEN 'friends' ELSE 'everyone' END)
            AS mentions_by,
        coalesce(r.filter_words, '{}') AS filter_words
    FROM people.card p LEFT JOIN clips.preference r ON r.person_id = p.id;

-- The order of `best`. An estimate that is safe for few likes: the lower end of the 95 % score
-- interval of a Poisson mean, k + z²/2 - z·sqrt(k + z²/4) with z = 1.96; on a log scale, plus the
-- time: a comment that is a week younger stands as high as one with e times the likes. It changes
-- with its own likes only, so it can be stored and a page read from an index.
CREATE FUNCTION clips.comment_score(likes integer, made_at timestamptz) RETURNS double precision
    LANGUAGE sql STABLE
    AS $$
        SELECT ln(1 + likes + 1.9208::float8 - 1.96::float8 * sqrt(likes + 0.9604::float8))
            + extract(epoch FROM made_at)::float8 / 604800
    $$;

CREATE TABLE clips.comment (
    id uuid PRIMARY KEY,
    clip_id uuid NOT NULL REFERENCES clips.clip (id) ON DELETE CASCADE,
    writer_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    -- The comment at the head of the thread; NULL: this one is.
    parent_id uuid REFERENCES clips.comment (id) ON DELETE CASCADE,
    -- Whom of the thread it replies to. Without a reference: that comment may be gone.
    to_id uuid,
    text text NOT NULL CHECK (char_length(text) BETWEEN 1 AND 500),
    -- The handles in it that are links: of people who let its writer mention them.
    mentions text[] NOT NULL DEFAULT '{}' CHECK (cardinality(mentions) <= 20),
    -- Why it waits for the author of the clip; NULL: it does not.
    held_for text CHECK (held_for IN ('words', 'restricted')),
    likes integer NOT NULL DEFAULT 0 CHECK (likes >= 0),
    -- Replies that do not wait.
    replies integer NOT NULL DEFAULT 0 CHECK (replies >= 0),
    score double precision NOT NULL,
    pinned_at timestamptz CHECK (pinned_at IS NULL OR parent_id IS NULL),
    made_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((parent_id IS NULL) = (to_id IS NULL))
);
CREATE INDEX comment_best ON clips.comment (clip_id, score DESC, id DESC)
    WHERE parent_id IS NULL AND pinned_at IS NULL;
CREATE INDEX comment_newest ON clips.comment (clip_id, id DESC)
    WHERE parent_id IS NULL AND pinned_at IS NULL;
CREATE INDEX comment_pinned ON clips.comment (clip_id) WHERE pinned_at IS NOT NULL;
CREATE INDEX comment_reply ON clips.comment (parent_id, id) WHERE parent_id IS NOT NULL;
CREATE INDEX comment_by_clip ON clips.comment (clip_id);
CREATE INDEX comment_by_writer ON clips.comment (writer_id, id DESC);
CREATE INDEX comment_held ON clips.comment (clip_id, id DESC) WHERE held_for IS NOT NULL;
-- The clips that reply to a comment.
CREATE INDEX clip_answering ON clips.clip (answers_id, id) WHERE answers_id IS NOT NULL;

CREATE TABLE clips.comment_liked (
    comment_id uuid NOT NULL REFERENCES clips.comment (id) ON DELETE CASCADE,
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    made_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (comment_id, person_id)
);
CREATE INDEX comment_liked_by_person ON clips.comment_liked (person_id, made_at DESC);

-- Nothing about any viewer is in it; whoever is leaving is not.
CREATE VIEW clips.comment_card AS
    SELECT
        c.id, c.clip_id, c.writer_id, c.parent_id, c.to_id, c.text, c.mentions, c.held_for, c.likes,
        c.replies, c.score, c.pinned_at, c.made_at, w.handle, w.display_name, w.avatar_key,
        k.author_id, k.audience
    FROM clips.comment c
    JOIN clips.clip k ON k.id = c.clip_id
    JOIN people.card w ON w.id = c.writer_id;

-- The comments that somebody (NULL: a visitor) may see, as far as it is up to the comment; whether
-- they may see its clip has to be asked as well. One that waits: its writer and the author. Under a
-- clip for friends: who is a friend of both. Never between two who are kept apart, and of whom the
-- author keeps away, nobody sees any. PostgreSQL unfolds this in the query, index and all.
CREATE FUNCTION clips.comments_for(viewer uuid) RETURNS SETOF clips.comment_card
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
    $$;

REVOKE ALL ON FUNCTION clips.comment_score, clips.comments_for FROM PUBLIC;
GRANT EXECUTE ON FUNCTION clips.comment_score, clips.comments_for TO luciole_clips;
GRANT SELECT, INSERT, UPDATE, DELETE ON clips.comment, clips.comment_liked TO luciole_clips;
GRANT SELECT ON clips.person, clips.comment_card TO luciole_clips;
GRANT USAGE ON SCHEMA graph TO luciole_clips;
GRANT SELECT ON graph.accepted, graph.friends, graph.apart, graph.restricted TO luciole_clips;
