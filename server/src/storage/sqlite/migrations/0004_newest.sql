-- When a topic's newest event was appended, to find the busiest ones without reading them all.
ALTER TABLE topics ADD COLUMN newest_at INTEGER NOT NULL DEFAULT 0; -- milliseconds since the Unix epoch, UTC

UPDATE topics SET newest_at = coalesce((SELECT at FROM events WHERE topic = topics.id AND seq = topics.head), 0);

CREATE INDEX topics_by_newest ON topics (newest_at);
