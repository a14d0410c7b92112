-- The host name for which a passkey was made, once the cell has another one: it opens nothing until
-- the cell is under that name again. `luciole domain` writes it.
ALTER TABLE people.passkey ADD COLUMN former_host text;

CREATE OR REPLACE VIEW people.passkey_claim AS
    SELECT p.id AS person_id, p.handle, k.credential_id, k.public_key, k.sign_count, k.former_host
    FROM people.person p LEFT JOIN people.passkey k ON k.person_id = p.id
    WHERE p.home IS NULL;
