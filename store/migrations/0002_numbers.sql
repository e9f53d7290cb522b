-- A short number for each alert, that people can say and type: #42. Given in
-- the order in which alerts were stored, never twice. alerts_changed is for
-- those who keep a picture of all open alerts up to date.
ALTER TABLE alerts ADD COLUMN number BIGINT NOT NULL DEFAULT 0;
UPDATE alerts SET number = n.number
    FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY id) AS number FROM alerts) AS n
    WHERE alerts.id = n.id;
CREATE UNIQUE INDEX alerts_number ON alerts (number);
CREATE INDEX alerts_changed ON alerts (last_id);
