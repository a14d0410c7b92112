-- Who is kept apart, everywhere, and for whom a clip is.

GRANT SELECT ON graph.apart TO luciole_graph, luciole_feed;
GRANT SELECT ON graph.muted TO luciole_feed;
GRANT USAGE ON SCHEMA people, graph TO luciole_clips;
GRANT SELECT ON people.card, graph.friends TO luciole_clips;

-- Their lists, newest first.
CREATE INDEX block_by_time ON graph.block (blocker_id, made_at DESC, blocked_id DESC);
CREATE INDEX mute_by_time ON graph.mute (muter_id, made_at DESC, muted_id DESC);
CREATE INDEX restriction_by_time
    ON graph.restriction (restricter_id, made_at DESC, restricted_id DESC);

-- Of whom a person is told nothing: a row for each two people of whom one blocks, mutes or restricts
-- the other. Graph says who; notify reads no more of it.
CREATE TABLE notify.hushed (
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    actor_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    PRIMARY KEY (person_id, actor_id),
    CHECK (person_id <> actor_id)
);
CREATE INDEX hushed_by_actor ON notify.hushed (actor_id, person_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON notify.hushed TO luciole_notify;

-- A clip may name those for whom it is, or those for whom it is not. A list narrows the audience,
-- and a clip with one is never for visitors.
ALTER TABLE clips.clip
    ADD COLUMN audience_list text CHECK (audience_list IN ('share-with', 'hide-from')),
    ADD CHECK (audience = 'friends'
               OR (audience = 'everyone' AND audience_list IS DISTINCT FROM 'share-with')
               OR audience_list IS NULL);
CREATE TABLE clips.audience_member (
    clip_id uuid NOT NULL REFERENCES clips.clip (id) ON DELETE CASCADE,
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    PRIMARY KEY (clip_id, person_id)
);
CREATE INDEX audience_member_by_person ON clips.audience_member (person_id);

-- People under a name, to be put on such lists again.
CREATE TABLE clips.circle (
    id uuid PRIMARY KEY,
    owner_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 50),
    made_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX circle_by_owner ON clips.circle (owner_id, id);
CREATE TABLE clips.circle_member (
    circle_id uuid NOT NULL REFERENCES clips.circle (id) ON DELETE CASCADE,
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    PRIMARY KEY (circle_id, person_id)
);
CREATE INDEX circle_member_by_person ON clips.circle_member (person_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON
    clips.audience_member, clips.circle, clips.circle_member TO luciole_clips;

-- Whether the list of a clip lets a person see it. Who may ask learns of one pair, and reads no list.
CREATE FUNCTION clips.is_open_to(viewer uuid, clip uuid, list text) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
    AS $$
        SELECT list IS NULL OR (viewer IS NOT NULL AND (list = 'share-with') = EXISTS (
            SELECT 1 FROM clips.audience_member m WHERE m.clip_id = clip AND m.person_id = viewer))
    $$;
REVOKE ALL ON FUNCTION clips.is_open_to FROM PUBLIC;
GRANT EXECUTE ON FUNCTION clips.is_open_to TO luciole_clips, luciole_feed;

-- From when on others see an author's clips, where the author does not show all of them.
CREATE VIEW clips.shown_since AS
    SELECT person_id, now() - make_interval(days => past_days) AS since
    FROM clips.preference WHERE past_days IS NOT NULL;
GRANT SELECT ON clips.shown_since TO luciole_clips, luciole_feed;

-- `is_past`: older than its author lets others look back. Made anew, after what it reads.
DROP VIEW clips.card;
CREATE VIEW clips.card AS
    SELECT
        c.id, c.author_id, c.asset_id, c.caption, c.hashtags, c.audience, c.state, c.refused_code,
        c.made_with_ai, c.likes, c.captions_language, c.created_at, c.published_at,
        p.handle, p.display_name, p.avatar_key, p.is_private,
        m.duration_ms, m.width, m.height, m.progress, m.renditions, m.poster_key, m.has_audio,
        c.comments, c.reposts, c.favourites, c.comments_by, c.sound_id, c.answers_id,
        c.audience_list, coalesce(c.published_at < w.since, false) AS is_past
    FROM clips.clip c
    JOIN people.card p ON p.id = c.author_id
    LEFT JOIN media.playable m ON m.asset_id = c.asset_id
    LEFT JOIN clips.shown_since w ON w.person_id = c.author_id
    WHERE c.state <> 'removed';
GRANT SELECT ON clips.card TO luciole_clips, luciole_feed;

CREATE OR REPLACE VIEW clips.published AS
    SELECT id, author_id, audience, published_at, audience_list
    FROM clips.clip WHERE state = 'published';

-- What falls out of a window has to be found each minute, without a look at all clips.
CREATE INDEX clip_for_everyone ON clips.clip (author_id, published_at)
    WHERE state = 'published' AND audience = 'everyone';
CREATE INDEX preference_with_window ON clips.preference (person_id) WHERE past_days IS NOT NULL;
