-- How a cell takes people is chosen at the console too.

ALTER TABLE console.act DROP CONSTRAINT act_act_check;
ALTER TABLE console.act ADD CONSTRAINT act_act_check CHECK (act IN (
    'begin', 'end', 'look', 'retry', 'heal', 'approve', 'refuse', 'invite', 'withdraw',
    'registration'));
