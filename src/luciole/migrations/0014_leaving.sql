-- Leaving: an account that is to be erased is hidden at once, and gone after its grace.

-- When the account goes; NULL: it stays.
ALTER TABLE people.person ADD COLUMN leaving_at timestamptz;

-- Whoever leaves is nobody to others from that moment on: profiles, lists, clips, notifications and
-- files are all read through this view.
CREATE OR REPLACE VIEW people.card AS
    SELECT
        id, handle, display_name, bio, avatar_key, is_private,
        age_band <> '18+' AS age_band_minor
    FROM people.person
    WHERE leaving_at IS NULL;

-- The feeds take a few clips of each followed person: none of those who leave, else a page would be
-- short.
CREATE OR REPLACE VIEW graph.accepted AS
    SELECT f.follower_id, f.followee_id
    FROM graph.follow f
    JOIN people.card p ON p.id = f.followee_id
    WHERE f.state = 'accepted';

CREATE OR REPLACE VIEW graph.friends AS
    SELECT one.follower_id AS a, one.followee_id AS b
    FROM graph.follow one
    JOIN graph.follow other
        ON other.follower_id = one.followee_id AND other.followee_id = one.follower_id
    JOIN people.card p ON p.id = one.followee_id
    WHERE one.state = 'accepted' AND other.state = 'accepted';

GRANT USAGE ON SCHEMA people TO luciole_media;
GRANT SELECT ON people.card TO luciole_media;

-- One line for each erasure that was asked for and not taken back. Who holds the ticket, and only
-- they, can ask for it; once all is gone it names nobody.
CREATE TABLE rights.erasure (
    id uuid PRIMARY KEY,
    ticket_hash bytea NOT NULL UNIQUE,
    -- Without a reference: it is needed until the key is destroyed, which is after the row is gone.
    person_id uuid UNIQUE,
    -- waiting: for its day. erasing: row by row. emptying: no row is left; objects and key are.
    state text NOT NULL DEFAULT 'waiting'
        CHECK (state IN ('waiting', 'erasing', 'emptying', 'erased')),
    asked_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    done_at timestamptz,
    -- How many of what was removed.
    removed jsonb NOT NULL DEFAULT '{}',
    -- The entry in the log, and what opens it, for who holds the ticket.
    ref bigint,
    leaf bytea,
    nonce bytea,
    opening bytea,
    CHECK ((state = 'erased') = (person_id IS NULL)),
    CHECK ((state = 'erased') = (done_at IS NOT NULL))
);
CREATE INDEX erasure_due ON rights.erasure (due_at) WHERE state <> 'erased';

-- Where objects of somebody who is being erased are or may still appear; empty: nothing to look at.
CREATE TABLE rights.emptied_place (
    erasure_id uuid NOT NULL REFERENCES rights.erasure (id) ON DELETE CASCADE,
    place text NOT NULL,
    PRIMARY KEY (erasure_id, place)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON rights.erasure, rights.emptied_place TO luciole_rights;

-- When the database's own remains of deleted rows were last removed.
CREATE TABLE house.upkeep (
    began_at timestamptz PRIMARY KEY,
    ended_at timestamptz NOT NULL
);
GRANT SELECT ON house.upkeep TO luciole_api, luciole_worker;
