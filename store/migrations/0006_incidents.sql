-- Incidents. number is what people call them, from 1 on without gaps: rows are
-- never deleted. is_open is 1 while there is something to do about the problem
-- itself. last_id is as in alerts. body is the rest as JSON.
CREATE TABLE incidents (
    id           {{id}},
    number       BIGINT NOT NULL UNIQUE,
    status       TEXT   NOT NULL,
    is_open      BIGINT NOT NULL,
    kind         TEXT   NOT NULL,
    severity     TEXT   NOT NULL,
    private      BIGINT NOT NULL,
    title        TEXT   NOT NULL,
    parent       BIGINT NOT NULL,
    duplicate_of BIGINT NOT NULL,
    revision     BIGINT NOT NULL,
    entries      BIGINT NOT NULL,
    last_id      BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    body         TEXT   NOT NULL
);
CREATE INDEX incidents_open ON incidents (number) WHERE is_open = 1;
CREATE INDEX incidents_counts ON incidents (status, severity, kind);

-- What is looked for in incidents, in small letters, each between line ends. It
-- stands apart because all of it is read for a search.
CREATE TABLE incident_words (
    number BIGINT PRIMARY KEY,
    words  TEXT   NOT NULL
) {{clustered}};

-- The timelines. at is when it happened, which people may tell later; what was
-- written is never changed.
CREATE TABLE incident_entries (
    incident_id BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    id          BIGINT NOT NULL,
    kind        TEXT   NOT NULL,
    body        TEXT   NOT NULL,
    PRIMARY KEY (incident_id, at, id)
) {{clustered}};

-- What is to be done, during incidents (task) and after them (followup).
CREATE TABLE incident_tasks (
    incident_id BIGINT NOT NULL,
    number      BIGINT NOT NULL,
    kind        TEXT   NOT NULL,
    owner       TEXT   NOT NULL,
    due_at      BIGINT NOT NULL,
    done_at     BIGINT NOT NULL,
    body        TEXT   NOT NULL,
    PRIMARY KEY (incident_id, number)
) {{clustered}};
CREATE INDEX incident_tasks_open ON incident_tasks (owner, due_at) WHERE done_at = 0;

-- Alerts that belong to incidents. They may be gone by now: body says what they were.
CREATE TABLE incident_alerts (
    incident_id BIGINT NOT NULL,
    alert_id    BIGINT NOT NULL,
    body        TEXT   NOT NULL,
    PRIMARY KEY (incident_id, alert_id)
) {{clustered}};
CREATE INDEX incident_alerts_alert ON incident_alerts (alert_id);

-- The channels in which incidents are run.
CREATE TABLE incident_channels (
    incident_id BIGINT NOT NULL,
    connection  TEXT   NOT NULL,
    channel     TEXT   NOT NULL,
    body        TEXT   NOT NULL,
    PRIMARY KEY (incident_id, connection, channel)
) {{clustered}};
CREATE INDEX incident_channels_channel ON incident_channels (connection, channel);
