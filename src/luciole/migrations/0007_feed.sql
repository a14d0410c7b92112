-- Feed stores nothing yet; it reads what clips and graph offer.

CREATE VIEW clips.published AS
    SELECT id, author_id, audience, published_at FROM clips.clip WHERE state = 'published';

GRANT SELECT ON clips.published TO luciole_feed;
