-- Clips, their captions and likes.

CREATE TABLE clips.clip (
    id uuid PRIMARY KEY,
    author_id uuid NOT NULL REFERENCES people.person (id),
    asset_id uuid NOT NULL UNIQUE,
    caption text NOT NULL DEFAULT '' CHECK (char_length(caption) <= 2200),
    hashtags text[] NOT NULL DEFAULT '{}',
    audience text NOT NULL CHECK (audience IN ('everyone', 'friends', 'only-me')),
    state text NOT NULL DEFAULT 'processing'
        CHECK (state IN ('processing', 'in_review', 'published', 'refused', 'removed')),
    refused_code text CHECK ((refused_code IS NOT NULL) = (state = 'refused')),
    made_with_ai boolean NOT NULL DEFAULT false,
    likes integer NOT NULL DEFAULT 0 CHECK (likes >= 0),
    captions_language text,
    captions_vtt text CHECK (octet_length(captions_vtt) <= 262144),
    created_at timestamptz NOT NULL DEFAULT now(),
    published_at timestamptz,
    CHECK (state <> 'published' OR published_at IS NOT NULL),
    CHECK ((captions_vtt IS NULL) = (captions_language IS NULL))
);
-- Latest: what everybody may see, newest first.
CREATE INDEX clip_latest ON clips.clip (published_at DESC, id DESC)
    WHERE state = 'published' AND audience = 'everyone';
-- Following and Friends take a few of each author.
CREATE INDEX clip_by_author_published ON clips.clip (author_id, published_at DESC, id DESC)
    WHERE state = 'published';
-- The grid of a profile, the author's own view included.
CREATE INDEX clip_by_author ON clips.clip (author_id, id DESC) WHERE state <> 'removed';
CREATE INDEX clip_processing ON clips.clip (created_at) WHERE state = 'processing';

CREATE TABLE clips.liked (
    clip_id uuid NOT NULL REFERENCES clips.clip (id) ON DELETE CASCADE,
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    made_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (clip_id, person_id)
);
CREATE INDEX liked_by_person ON clips.liked (person_id, made_at DESC);

-- Public clips of each author, counted as it happens.
CREATE TABLE clips.tally (
    person_id uuid PRIMARY KEY REFERENCES people.person (id) ON DELETE CASCADE,
    clips integer NOT NULL DEFAULT 0 CHECK (clips >= 0)
);

-- What a feed shows of a clip. Nothing about any viewer is in it.
CREATE VIEW clips.card AS
    SELECT
        c.id, c.author_id, c.asset_id, c.caption, c.hashtags, c.audience, c.state, c.refused_code,
        c.made_with_ai, c.likes, c.captions_language, c.created_at, c.published_at,
        p.handle, p.display_name, p.avatar_key, p.is_private,
        m.duration_ms, m.width, m.height, m.progress, m.renditions, m.poster_key, m.has_audio
    FROM clips.clip c
    JOIN people.card p ON p.id = c.author_id
    LEFT JOIN media.playable m ON m.asset_id = c.asset_id
    WHERE c.state <> 'removed';

GRANT SELECT, INSERT, UPDATE, DELETE ON clips.clip, clips.liked, clips.tally TO luciole_clips;
GRANT SELECT ON clips.card TO luciole_clips, luciole_feed;
GRANT USAGE ON SCHEMA clips TO luciole_feed;
GRANT USAGE ON SCHEMA people, media TO luciole_clips;
GRANT SELECT ON people.card TO luciole_clips;
GRANT SELECT ON media.playable TO luciole_clips;
