-- More of what an account does only so often, counted over all processes.
ALTER TABLE people.pace DROP CONSTRAINT pace_act_check;
ALTER TABLE people.pace ADD CONSTRAINT pace_act_check CHECK (act IN (
    'like', 'follow', 'comment', 'repost', 'clip', 'conversation', 'report', 'message-report',
    'family-code'));

-- How much a person has sent in files of messages of late: one sum, and not which files.
CREATE TABLE messages.files_sent (
    person_id uuid PRIMARY KEY REFERENCES people.person (id) ON DELETE CASCADE,
    begun_at timestamptz NOT NULL,
    size_bytes bigint NOT NULL CHECK (size_bytes > 0)
);
CREATE INDEX files_sent_by_age ON messages.files_sent (begun_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON messages.files_sent TO luciole_messages;
