-- What keeps a call from being answered, for people; '': nothing does.
ALTER TABLE incident_calls ADD COLUMN trouble TEXT NOT NULL DEFAULT '';
