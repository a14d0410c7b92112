-- How often an account does what others meet: one row for each act, from when it counts.
CREATE TABLE people.pace (
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    act text NOT NULL CHECK (act IN (
        'like', 'follow', 'comment', 'repost', 'clip', 'conversation')),
    begun_at timestamptz NOT NULL,
    done integer NOT NULL CHECK (done > 0),
    PRIMARY KEY (person_id, act)
);
CREATE INDEX pace_by_time ON people.pace (begun_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON people.pace TO luciole_people;

-- What rules against spam and rings look at: acts and their times, a week at most.
CREATE VIEW clips.like_made AS SELECT person_id, clip_id, made_at FROM clips.liked;
CREATE VIEW clips.comment_said AS SELECT id, writer_id, text, made_at FROM clips.comment;
CREATE VIEW graph.follow_made AS
    SELECT follower_id, followee_id, made_at FROM graph.follow WHERE state = 'accepted';
CREATE INDEX liked_by_time ON clips.liked (made_at);
CREATE INDEX follow_by_time ON graph.follow (made_at) WHERE state = 'accepted';
GRANT USAGE ON SCHEMA graph TO luciole_safety;
GRANT SELECT ON clips.like_made, clips.comment_said, graph.follow_made, graph.friends
    TO luciole_safety;
