-- Ground for people together: who is kept apart, what a clip counts, what people prefer.

-- Nothing of either reaches the other.
CREATE TABLE graph.block (
    blocker_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    blocked_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    made_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (blocker_id, blocked_id),
    CHECK (blocker_id <> blocked_id)
);
CREATE INDEX block_by_blocked ON graph.block (blocked_id, blocker_id);

-- Not shown to the one who mutes; nobody else notices.
CREATE TABLE graph.mute (
    muter_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    muted_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    made_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (muter_id, muted_id),
    CHECK (muter_id <> muted_id)
);
CREATE INDEX mute_by_muted ON graph.mute (muted_id);

-- What they say to the one who restricts waits for a yes; they are not told.
CREATE TABLE graph.restriction (
    restricter_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    restricted_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    made_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (restricter_id, restricted_id),
    CHECK (restricter_id <> restricted_id)
);
CREATE INDEX restriction_by_restricted ON graph.restriction (restricted_id);

-- Both ways, whoever of the two blocked.
CREATE VIEW graph.apart AS
    SELECT blocker_id AS a, blocked_id AS b FROM graph.block
    UNION ALL
    SELECT blocked_id AS a, blocker_id AS b FROM graph.block;
CREATE VIEW graph.muted AS SELECT muter_id AS person_id, muted_id AS other_id FROM graph.mute;
CREATE VIEW graph.restricted AS
    SELECT restricter_id AS person_id, restricted_id AS other_id FROM graph.restriction;

-- UPDATE too: to lock a row is that right.
GRANT SELECT, INSERT, UPDATE, DELETE ON graph.block, graph.mute, graph.restriction TO luciole_graph;

-- What people choose about their clips and what others may do with them; no row: the defaults.
CREATE TABLE clips.preference (
    person_id uuid PRIMARY KEY REFERENCES people.person (id) ON DELETE CASCADE,
    -- How far back others see one's clips; NULL: all of them.
    past_days smallint CHECK (past_days IN (3, 30, 183)),
    comments_by text NOT NULL DEFAULT 'everyone'
        CHECK (comments_by IN ('everyone', 'followers', 'friends', 'nobody')),
    mentions_by text NOT NULL DEFAULT 'everyone'
        CHECK (mentions_by IN ('everyone', 'followers', 'friends', 'nobody')),
    -- Comments with one of these wait for the author.
    filter_words text[] NOT NULL DEFAULT '{}' CHECK (cardinality(filter_words) <= 200),
    shows_likes boolean NOT NULL DEFAULT false
);
GRANT SELECT, INSERT, UPDATE, DELETE ON clips.preference TO luciole_clips;

ALTER TABLE clips.clip
    ADD COLUMN comments integer NOT NULL DEFAULT 0 CHECK (comments >= 0),
    ADD COLUMN reposts integer NOT NULL DEFAULT 0 CHECK (reposts >= 0),
    ADD COLUMN favourites integer NOT NULL DEFAULT 0 CHECK (favourites >= 0),
    -- Who may comment; NULL: as the author prefers.
    ADD COLUMN comments_by text CHECK (comments_by IN ('everyone', 'followers', 'friends', 'nobody')),
    ADD COLUMN sound_id uuid,
    -- The comment that this clip replies to.
    ADD COLUMN answers_id uuid;

CREATE OR REPLACE VIEW clips.card AS
    SELECT
        c.id, c.author_id, c.asset_id, c.caption, c.hashtags, c.audience, c.state, c.refused_code,
        c.made_with_ai, c.likes, c.captions_language, c.created_at, c.published_at,
        p.handle, p.display_name, p.avatar_key, p.is_private,
        m.duration_ms, m.width, m.height, m.progress, m.renditions, m.poster_key, m.has_audio,
        c.comments, c.reposts, c.favourites, c.comments_by, c.sound_id, c.answers_id
    FROM clips.clip c
    JOIN people.card p ON p.id = c.author_id
    LEFT JOIN media.playable m ON m.asset_id = c.asset_id
    WHERE c.state <> 'removed';

ALTER TABLE notify.notification DROP CONSTRAINT notification_kind_check;
ALTER TABLE notify.notification ADD CONSTRAINT notification_kind_check CHECK (kind IN (
    'like', 'follow', 'follow-request', 'follow-accepted', 'data-read', 'comment', 'comment-reply',
    'comment-like', 'mention', 'repost', 'clip-reply', 'message-request'));
ALTER TABLE notify.event DROP CONSTRAINT event_kind_check;
ALTER TABLE notify.event ADD CONSTRAINT event_kind_check CHECK (kind IN (
    'clip', 'like', 'follow', 'follow-accepted', 'new-clip', 'comment', 'message', 'signal',
    'notification', 'hidden'));
