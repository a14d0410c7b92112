-- All films of a person that the cell holds as they were sent, published or not, are limited.

DROP INDEX media.upload_open;
CREATE INDEX upload_by_owner ON media.upload (owner_id);
