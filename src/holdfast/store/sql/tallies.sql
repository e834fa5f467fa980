-- Counters of uses under a limit, for those who want to know how far they are; the committer counts.

-- name: read_tallies
SELECT wanted.n, t.used
  FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS wanted (project, name, n)
  JOIN tally t USING (project, name);
