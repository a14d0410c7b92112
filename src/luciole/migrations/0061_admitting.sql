-- Who may join is decided at the console too. What is done there is one of these words. And of a
-- pairing, the last day on which its guardian looked: that look is an entry of its own.

ALTER TABLE console.act DROP CONSTRAINT act_act_check;
ALTER TABLE console.act ADD CONSTRAINT act_act_check CHECK (act IN (
    'begin', 'end', 'look', 'retry', 'heal', 'approve', 'refuse', 'invite', 'withdraw'));

ALTER TABLE people.family_pairing ADD COLUMN seen_on date;
