-- How long incidents took, as far as they got, in microseconds from their
-- declaration on; NULL: not that far. One row for each service, '' where there is
-- none. What does not count (exercises, what was cancelled) has no row.
CREATE TABLE incident_figures (
    service     TEXT   NOT NULL,
    severity    TEXT   NOT NULL,
    incident_id BIGINT NOT NULL,
    private     BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    acknowledge BIGINT,
    mitigate    BIGINT,
    resolve     BIGINT,
    PRIMARY KEY (service, severity, incident_id)
) {{clustered}};
CREATE INDEX incident_figures_incident ON incident_figures (incident_id);

-- Who may see the private incidents: those who take part.
CREATE TABLE incident_viewers (
    account     TEXT   NOT NULL,
    name        TEXT   NOT NULL,
    connection  TEXT   NOT NULL,
    incident_id BIGINT NOT NULL,
    PRIMARY KEY (account, name, connection, incident_id)
) {{clustered}};
CREATE INDEX incident_viewers_incident ON incident_viewers (incident_id);
