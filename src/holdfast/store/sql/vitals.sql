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
