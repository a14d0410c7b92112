-- Views that were offered and are read by no query of the slice itself: what it shows of them comes
-- through `clips.card`, which is read with the rights of the owner.

REVOKE SELECT ON people.card, graph.accepted, graph.friends FROM luciole_clips;
REVOKE USAGE ON SCHEMA people, graph FROM luciole_clips;
REVOKE SELECT ON media.playable FROM luciole_feed;
REVOKE USAGE ON SCHEMA media FROM luciole_feed;
