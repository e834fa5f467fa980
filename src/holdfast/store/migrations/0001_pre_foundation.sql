-- The template every resource type's table is made from: one table per type, the same columns.
-- body is what is served, byte for byte; query is what predicates see.
CREATE TABLE resource (
    project          text        NOT NULL,
    id               uuid        NOT NULL,
    version          bigint      NOT NULL CHECK (version > 0),
    sequence_number  bigint      NOT NULL DEFAULT 0,
    created_at       timestamptz NOT NULL,
    modified_at      timestamptz NOT NULL,
    body             bytea       NOT NULL,
    query            jsonb       NOT NULL,
    PRIMARY KEY (project, id)
);
ALTER TABLE resource ALTER COLUMN body SET STORAGE EXTERNAL;

-- Values no two resources of a type may share within a project: key, slug.en, sku, orderNumber …
CREATE TABLE unique_value (
    project  text NOT NULL,
    kind     text NOT NULL,
    field    text NOT NULL,
    value    text NOT NULL,
    id       uuid NOT NULL,
    PRIMARY KEY (project, kind, field, value)
);
CREATE INDEX unique_value_of ON unique_value (project, kind, id);

-- Who points at whom, for references that forbid deleting their target.
CREATE TABLE reference (
    project      text NOT NULL,
    target_kind  text NOT NULL,
    target_id    uuid NOT NULL,
    source_kind  text NOT NULL,
    source_id    uuid NOT NULL,
    PRIMARY KEY (project, target_kind, target_id, source_kind, source_id)
);
CREATE INDEX reference_from ON reference (project, source_kind, source_id);

-- The counters of an inventory entry. The check is the second guard behind the committer's:
-- only a movement that may go below zero lifts it, and it comes back once the level is sound.
CREATE TABLE stock (
    project    text    NOT NULL,
    entry_id   uuid    NOT NULL,
    on_stock   bigint  NOT NULL,
    reserved   bigint  NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    available  bigint  GENERATED ALWAYS AS (on_stock - reserved) STORED,
    unguarded  boolean NOT NULL DEFAULT false,
    PRIMARY KEY (project, entry_id),
    CHECK (on_stock - reserved >= 0 OR unguarded)
) WITH (fillfactor = 50);

-- Messages, written by the transaction that made them true, told to others after it.
CREATE TABLE outbox (
    project           text        NOT NULL,
    kind              text        NOT NULL,
    resource_id       uuid        NOT NULL,
    sequence_number   bigint      NOT NULL,
    position          bigint      GENERATED ALWAYS AS IDENTITY,
    id                uuid        NOT NULL,
    resource_version  bigint      NOT NULL,
    type              text        NOT NULL,
    created_at        timestamptz NOT NULL,
    body              bytea       NOT NULL,
    PRIMARY KEY (project, kind, resource_id, sequence_number)
);
CREATE INDEX outbox_position ON outbox (position);
