-- Counters of uses under a limit, for those who want to know how far they are; the committer counts.

-- name: read_tallies
SELECT t.name, t.used
  FROM tally t
 WHERE t.project = $1 AND t.name = ANY ($2::text[]);
