"""Backups that an erased person cannot be read from, and what puts them back.

    FOLDER/manifest.json     what belongs together; written last, by rename
    FOLDER/rows-<id>/…       the tables, one file each, and whose rows are in them
    FOLDER/objects/…         films, posters, pictures, one file each; kept from backup to backup
    FOLDER/ledger/…          the archive of the logs, which is public

Every row is sealed under a key per person and backup, and that key under the person's data key, by
the key broker. So the backup opens only with the key store of today: whoever was erased since, and
whatever week of keys is gone, stays closed. Around that lies a layer of the cell's own, so that not
even how many rows belong to one person can be seen from outside.
"""
