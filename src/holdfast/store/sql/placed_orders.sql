-- What is known of orders that somebody was told of.

-- name: read_placed
-- Orders as they are, with their first message, which has them as they were placed, and whether they were deleted.
SELECT wanted.n, d.body, m.body AS message,
       EXISTS (SELECT 1
                 FROM outbox o
                WHERE o.project = wanted.project AND o.kind = 'order' AND o.resource_id = wanted.id
                  AND o.type = 'OrderDeleted') AS deleted
  FROM unnest($1::text[], $2::uuid[]) WITH ORDINALITY AS wanted (project, id, n)
  LEFT JOIN "order" d ON d.project = wanted.project AND d.id = wanted.id
  LEFT JOIN outbox m
    ON m.project = wanted.project AND m.kind = 'order' AND m.resource_id = wanted.id AND m.sequence_number = 1;
