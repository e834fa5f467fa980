-- The database seen as a part of the shop: is it there, how busy is it, do standbys keep up.

-- name: probe
SELECT 1;

-- name: database_in_numbers
-- One row of numbers about this database, cheap enough to be asked for every few seconds.
SELECT count(*) FILTER (WHERE a.state = 'active')::float8 AS active,
       count(*) FILTER (WHERE a.state = 'idle')::float8 AS idle,
       count(*) FILTER (WHERE a.state LIKE 'idle in transaction%')::float8 AS in_transaction,
       count(*) FILTER (WHERE a.wait_event_type = 'Lock')::float8 AS waiting,
       current_setting('max_connections')::float8 AS allowed,
       coalesce(extract(epoch FROM max(clock_timestamp() - a.xact_start)), 0)::float8 AS oldest_seconds,
       max(d.xact_commit)::float8 AS committed,
       max(d.xact_rollback)::float8 AS rolled_back,
       max(d.deadlocks)::float8 AS deadlocks,
       pg_database_size(current_database())::float8 AS bytes,
       (SELECT count(*) FROM pg_stat_replication)::float8 AS standbys,
       (SELECT coalesce(extract(epoch FROM max(r.replay_lag)), 0) FROM pg_stat_replication r)::float8 AS lag_seconds
  FROM pg_stat_database d
  LEFT JOIN pg_stat_activity a ON a.datname = d.datname AND a.pid <> pg_backend_pid()
 WHERE d.datname = current_database();

-- name: events_in_numbers
-- How events fare, all subscriptions together; counts stop at $1. `lag_seconds`: what waits longest for a subscriber
-- that takes events, so those that wait for another attempt at one that does not are left out.
SELECT (SELECT count(*) FROM (SELECT FROM delivery LIMIT $1::int) q)::float8 AS owed,
       (SELECT count(*) FROM (SELECT FROM held_lane LIMIT $1::int) q)::float8 AS held,
       (SELECT count(*) FROM (SELECT FROM dead_letter l WHERE l.replayed_at IS NULL LIMIT $1::int) q)::float8 AS dead,
       (SELECT count(*) FROM (SELECT FROM outbox o WHERE o.position > k.position LIMIT $1::int) q)::float8 AS undealt,
       coalesce((SELECT extract(epoch FROM now() - o.created_at)
                   FROM outbox o
                  WHERE o.position > k.position
                  ORDER BY o.position
                  LIMIT 1), 0)::float8 AS undealt_seconds,
       coalesce(b.delivered, 0)::float8 AS delivered,
       coalesce(b.failed, 0)::float8 AS failed,
       coalesce(b.buried, 0)::float8 AS buried,
       coalesce((SELECT max(extract(epoch FROM now() - coalesce(o.created_at, c.created_at)))
                   FROM "subscription" s
                  CROSS JOIN LATERAL (SELECT d.position
                                        FROM delivery d
                                       WHERE d.project = s.project
                                         AND d.subscription_id = s.id
                                         AND d.dead_letter_id IS NULL
                                         AND d.position > 0
                                       ORDER BY d.place
                                       LIMIT 1) first
                   LEFT JOIN outbox o ON o.position = first.position
                   LEFT JOIN resource_change c ON c.position = first.position
                  WHERE NOT EXISTS (SELECT FROM held_lane l
                                     WHERE l.project = s.project
                                       AND l.subscription_id = s.id)), 0)::float8 AS lag_seconds
  FROM relay_cursor k
 CROSS JOIN (SELECT sum(delivered) AS delivered, sum(failed) AS failed, sum(buried) AS buried FROM subscriber) b;
