-- What becomes of an attached alert is told in the incident's timeline, also of
-- a later alert of the same object.
ALTER TABLE incident_alerts ADD COLUMN source TEXT NOT NULL DEFAULT '';
ALTER TABLE incident_alerts ADD COLUMN fingerprint TEXT NOT NULL DEFAULT '';
UPDATE incident_alerts SET source = COALESCE((SELECT source FROM alerts WHERE alerts.id = incident_alerts.alert_id), ''),
    fingerprint = COALESCE((SELECT fingerprint FROM alerts WHERE alerts.id = incident_alerts.alert_id), '');
CREATE INDEX incident_alerts_object ON incident_alerts (source, fingerprint);
