-- A new alert is found by its id: only what changed since it was stored, or is
-- over, needs an entry for when that was.
DROP INDEX alerts_changed;
CREATE INDEX alerts_changed ON alerts (last_id) WHERE closed <> 0 OR revision > 1;
