-- Which topic has the newest event, by the order in which the log took them: the clock may have been wrong.
ALTER TABLE topics ADD COLUMN newest INTEGER NOT NULL DEFAULT 0;

UPDATE topics SET newest = place FROM
    (SELECT id AS topic, row_number() OVER (ORDER BY newest_at, id) AS place FROM topics)
    WHERE id = topic;

DROP INDEX topics_by_newest;

ALTER TABLE topics DROP COLUMN newest_at;

CREATE INDEX topics_by_newest ON topics (newest);
