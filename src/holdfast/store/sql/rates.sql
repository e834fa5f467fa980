-- Usage tiers as operators set them.

-- name: read_tiers
SELECT project, tier, per_second, burst
  FROM rate_tier
 ORDER BY project, tier
 LIMIT $1;

-- name: read_clients
SELECT project, client_id, tier
  FROM rate_client
 ORDER BY project, client_id
 LIMIT $1;

-- name: set_rates
-- Tiers and clients of a project, all or none; a tier without numbers or a client without a tier is forgotten.
WITH tier AS (
    SELECT * FROM unnest($2::text[], $3::float8[], $4::float8[]) AS given (tier, per_second, burst)
),
client AS (
    SELECT * FROM unnest($5::text[], $6::text[]) AS given (client_id, tier)
),
tiers_forgotten AS (
    DELETE FROM rate_tier
     WHERE project = $1
       AND tier IN (SELECT tier FROM tier WHERE per_second IS NULL)
),
tiers_set AS (
    INSERT INTO rate_tier (project, tier, per_second, burst)
    SELECT $1, tier, per_second, burst
      FROM tier
     WHERE per_second IS NOT NULL
        ON CONFLICT (project, tier) DO UPDATE
       SET per_second = excluded.per_second, burst = excluded.burst
),
clients_forgotten AS (
    DELETE FROM rate_client
     WHERE project = $1
       AND client_id IN (SELECT client_id FROM client WHERE tier IS NULL)
)
INSERT INTO rate_client (project, client_id, tier)
SELECT $1, client_id, tier
  FROM client
 WHERE tier IS NOT NULL
    ON CONFLICT (project, client_id) DO UPDATE
   SET tier = excluded.tier;
