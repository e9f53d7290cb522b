-- How an alert began stands in its own row: most alerts have no other event, and
-- a row of their own for it cost as much as the alert. opened is the event as
-- JSON (opening), empty for alerts of earlier schemas, whose first event is in
-- the table events; intake is the sender's id of the report that opened it, and
-- is apart because it is searched.
ALTER TABLE alerts ADD COLUMN intake TEXT NOT NULL DEFAULT '';
ALTER TABLE alerts ADD COLUMN opened TEXT NOT NULL DEFAULT '';
