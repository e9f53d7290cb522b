-- Channels of the built-in room that Belfry made. Others are names alone: they
-- are there because something was posted to them, or a configuration says so.
-- links are those that Belfry set, as JSON.
CREATE TABLE room_channels (
    name        TEXT   NOT NULL PRIMARY KEY,
    key         TEXT   NOT NULL UNIQUE,
    title       TEXT   NOT NULL,
    topic       TEXT   NOT NULL,
    purpose     TEXT   NOT NULL,
    links       TEXT   NOT NULL,
    private     BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    archived_at BIGINT NOT NULL
) {{clustered}};

CREATE INDEX room_channels_open ON room_channels (name) WHERE archived_at = 0;
CREATE INDEX room_channels_archived ON room_channels (archived_at) WHERE archived_at <> 0;

-- Who was brought into them; a private one shows to these alone.
CREATE TABLE room_members (
    channel   TEXT   NOT NULL,
    person_id BIGINT NOT NULL,
    joined_at BIGINT NOT NULL,
    PRIMARY KEY (channel, person_id)
) {{clustered}};
CREATE INDEX room_members_person ON room_members (person_id);

-- Messages that are kept at hand.
CREATE TABLE room_pins (
    channel    TEXT   NOT NULL,
    message_id BIGINT NOT NULL,
    pinned_at  BIGINT NOT NULL,
    PRIMARY KEY (channel, message_id)
) {{clustered}};
