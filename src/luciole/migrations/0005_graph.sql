-- Who follows whom. Friends are two people who follow each other.

CREATE TABLE graph.follow (
    follower_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    followee_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    state text NOT NULL CHECK (state IN ('pending', 'accepted')),
    made_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (follower_id, followee_id),
    CHECK (follower_id <> followee_id)
);
CREATE INDEX follow_by_followee ON graph.follow (followee_id, state, made_at DESC, follower_id DESC);
CREATE INDEX follow_by_follower ON graph.follow (follower_id, state, made_at DESC, followee_id DESC);

-- Counted as it happens, so that a profile never counts rows.
CREATE TABLE graph.tally (
    person_id uuid PRIMARY KEY REFERENCES people.person (id) ON DELETE CASCADE,
    followers integer NOT NULL DEFAULT 0 CHECK (followers >= 0),
    following integer NOT NULL DEFAULT 0 CHECK (following >= 0)
);

CREATE VIEW graph.accepted AS
    SELECT follower_id, followee_id FROM graph.follow WHERE state = 'accepted';

CREATE VIEW graph.friends AS
    SELECT one.follower_id AS a, one.followee_id AS b
    FROM graph.follow one
    JOIN graph.follow other
        ON other.follower_id = one.followee_id AND other.followee_id = one.follower_id
    WHERE one.state = 'accepted' AND other.state = 'accepted';

GRANT SELECT, INSERT, UPDATE, DELETE ON graph.follow, graph.tally TO luciole_graph;
GRANT USAGE ON SCHEMA people TO luciole_graph;
GRANT SELECT ON people.card TO luciole_graph;

GRANT USAGE ON SCHEMA graph TO luciole_clips, luciole_feed;
GRANT SELECT ON graph.accepted, graph.friends TO luciole_clips, luciole_feed;
