-- When people are reminded the next time of what an incident lacks; 0: never.
ALTER TABLE incidents ADD COLUMN remind_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX incidents_remind ON incidents (remind_at) WHERE remind_at > 0;
