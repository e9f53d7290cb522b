-- Steps of what is done with an incident's channel are duties: step names them.
-- after_card is the destination whose card must be posted before, or empty.
ALTER TABLE deliveries ADD COLUMN step TEXT NOT NULL DEFAULT '';
ALTER TABLE deliveries ADD COLUMN after_card TEXT NOT NULL DEFAULT '';
