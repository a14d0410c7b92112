-- Notifications that a person reads, and events that reach the open page at once.

CREATE TABLE notify.notification (
    id uuid PRIMARY KEY,
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('like', 'follow', 'follow-request', 'follow-accepted')),
    actor_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    clip_id uuid,
    made_at timestamptz NOT NULL DEFAULT now(),
    is_read boolean NOT NULL DEFAULT false,
    -- Liking twice tells once.
    UNIQUE NULLS NOT DISTINCT (person_id, kind, actor_id, clip_id)
);
CREATE INDEX notification_by_person ON notify.notification (person_id, id DESC);
CREATE INDEX notification_by_actor ON notify.notification (actor_id);
CREATE INDEX notification_unread ON notify.notification (person_id) WHERE NOT is_read;
CREATE INDEX notification_by_age ON notify.notification (made_at);

-- An event lives for an hour, long enough to bridge a lost connection. `xact` orders them by
-- commit safely: a reader that saw everything below pg_snapshot_xmin has missed nothing.
CREATE TABLE notify.event (
    id uuid PRIMARY KEY,
    person_id uuid REFERENCES people.person (id) ON DELETE CASCADE,  -- NULL: for everybody
    kind text NOT NULL CHECK (kind IN ('clip', 'like', 'follow', 'follow-accepted', 'new-clip')),
    actor_id uuid REFERENCES people.person (id) ON DELETE CASCADE,
    clip_id uuid,
    body jsonb NOT NULL DEFAULT '{}',
    made_at timestamptz NOT NULL DEFAULT now(),
    xact xid8 NOT NULL DEFAULT pg_current_xact_id()
);
CREATE INDEX event_by_person ON notify.event (person_id, xact);
CREATE INDEX event_by_actor ON notify.event (actor_id);
CREATE INDEX event_by_age ON notify.event (made_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON notify.notification, notify.event TO luciole_notify;
GRANT USAGE ON SCHEMA people TO luciole_notify;
GRANT SELECT ON people.card TO luciole_notify;
