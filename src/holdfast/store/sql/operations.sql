-- What the operations page lists.

-- name: newest_findings
-- What the audit found and is still so, in all projects, the newest first.
SELECT f.project, f.check_name, f.kind, f.subject, f.detail, f.remedy, f.first_seen, f.last_seen
  FROM finding f
 WHERE f.gone_at IS NULL
 ORDER BY f.first_seen DESC
 LIMIT $1::int;

-- name: newest_dead_letters
-- What was given up and not discarded, in all projects, the newest first; replayed_at: it is on its way again.
SELECT l.project, l.id::text AS id, l.subscription_id::text AS subscription_id, s.query->>'key' AS subscription_key,
       l.kind, l.resource_id::text AS resource_id, l.type, l.sequence_number, l.reason, l.attempts,
       l.created_at, l.first_failed_at, l.buried_at, l.replayed_at
  FROM dead_letter l
  LEFT JOIN "subscription" s ON s.project = l.project AND s.id = l.subscription_id
 ORDER BY l.buried_at DESC
 LIMIT $1::int;
