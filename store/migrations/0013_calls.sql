-- Alerts that call for an incident by a route, until that was answered. due_at is
-- when to look (again).
CREATE TABLE incident_calls (
    id       {{id}},
    alert_id BIGINT NOT NULL,
    route    TEXT   NOT NULL,
    due_at   BIGINT NOT NULL
);
CREATE INDEX incident_calls_due ON incident_calls (due_at, id);

-- Which machine declared an incident (a route, a program with a token), and which
-- of that machine's incidents it is: none is declared twice.
ALTER TABLE incidents ADD COLUMN origin TEXT NOT NULL DEFAULT '';
ALTER TABLE incidents ADD COLUMN origin_key TEXT NOT NULL DEFAULT '';
CREATE INDEX incidents_origin ON incidents (origin, origin_key, number) WHERE origin <> '';
CREATE INDEX incidents_declared ON incidents (origin, created_at) WHERE origin <> '';
