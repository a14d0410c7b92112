-- Which people a withheld cell has is found by the index on their home. By the text of their handles
-- each page of clips planned for, and with a million people ran, a scan of all of them.
CREATE OR REPLACE VIEW notices.person_of AS
    SELECT id AS person_id, handle, avatar_key, home AS cell FROM people.person;
