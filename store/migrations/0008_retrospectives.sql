-- What people made of incidents' retrospectives. Every version is kept, the
-- highest counts. body is who wrote it, and the text (Markdown), as JSON.
CREATE TABLE incident_retrospectives (
    incident_id BIGINT NOT NULL,
    version     BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    body        TEXT   NOT NULL,
    PRIMARY KEY (incident_id, version)
) {{clustered}};
