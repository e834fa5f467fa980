-- What the operations page lists.

-- name: newest_findings
-- What the audit found and is still so, in all projects, the newest first.
SELECT f.project, f.check_name, f.kind, f.subject, f.detail, f.remedy, f.first_seen, f.last_seen
  FROM finding f
 WHERE f.gone_at IS NULL
 ORDER BY f.first_seen DESC
 LIMIT $1::int;
