-- Creations, updates and deletions somebody asked to be told of, in one order with the messages.
CREATE TABLE resource_change (
    position     bigint      PRIMARY KEY DEFAULT nextval('outbox_position_seq'),
    project      text        NOT NULL,
    kind         text        NOT NULL,
    resource_id  uuid        NOT NULL,
    type         text        NOT NULL,
    version      bigint      NOT NULL,
    old_version  bigint      NOT NULL,
    created_at   timestamptz NOT NULL
);

-- How far the outbox was dealt out. Positions are drawn before their transaction commits, so one that was
-- passed over may still come: it waits in relay_gap until the transactions that ran then have ended.
CREATE TABLE relay_cursor (
    only_one  boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    position  bigint  NOT NULL
);
INSERT INTO relay_cursor (position) SELECT coalesce(max(position), 0) FROM outbox;
CREATE TABLE relay_gap (
    position  bigint      PRIMARY KEY,
    ended_by  xid8        NOT NULL,
    seen_at   timestamptz NOT NULL DEFAULT now()
);

-- What is owed to whom: one row a notification and subscription, gone once it was accepted or given up.
-- place: the order they were dealt out in; of one resource they are sent in it. position: of the message,
-- 0 for the notification a new subscription is tried with. dead_letter_id: what is replayed.
CREATE TABLE delivery (
    project          text   NOT NULL,
    subscription_id  uuid   NOT NULL,
    place            bigint GENERATED ALWAYS AS IDENTITY,
    position         bigint NOT NULL,
    kind             text   NOT NULL,
    resource_id      uuid   NOT NULL,
    dead_letter_id   uuid,
    PRIMARY KEY (project, subscription_id, place)
);
CREATE INDEX delivery_lane ON delivery (project, subscription_id, kind, resource_id, place);
CREATE INDEX delivery_position ON delivery (position);

-- Resources whose next notification could not be delivered: it waits, and all later ones behind it.
CREATE TABLE held_lane (
    project          text        NOT NULL,
    subscription_id  uuid        NOT NULL,
    kind             text        NOT NULL,
    resource_id      uuid        NOT NULL,
    attempts         integer     NOT NULL,
    first_failed_at  timestamptz,
    next_at          timestamptz NOT NULL,
    reason           text        NOT NULL,
    PRIMARY KEY (project, subscription_id, kind, resource_id)
);
CREATE INDEX held_lane_due ON held_lane (project, subscription_id, next_at);

-- How a subscription fares.
CREATE TABLE subscriber (
    project          text        NOT NULL,
    subscription_id  uuid        NOT NULL,
    delivered        bigint      NOT NULL DEFAULT 0,
    failed           bigint      NOT NULL DEFAULT 0,
    buried           bigint      NOT NULL DEFAULT 0,
    last_accepted_at timestamptz,
    last_failed_at   timestamptz,
    last_reason      text,
    PRIMARY KEY (project, subscription_id)
);

-- What was given up, whole, until somebody replays or discards it.
CREATE TABLE dead_letter (
    project           text        NOT NULL,
    id                uuid        NOT NULL DEFAULT gen_random_uuid(),
    subscription_id   uuid        NOT NULL,
    kind              text        NOT NULL,
    resource_id       uuid        NOT NULL,
    sequence_number   bigint      NOT NULL,
    message_id        uuid        NOT NULL,
    resource_version  bigint      NOT NULL,
    old_version       bigint      NOT NULL,
    type              text        NOT NULL,
    created_at        timestamptz NOT NULL,
    body              bytea,
    reason            text        NOT NULL,
    attempts          integer     NOT NULL,
    first_failed_at   timestamptz NOT NULL,
    buried_at         timestamptz NOT NULL DEFAULT now(),
    replayed_at       timestamptz,
    PRIMARY KEY (project, id)
);
CREATE INDEX dead_letter_of ON dead_letter (project, subscription_id, buried_at);

-- Events are found by when they happened; they lie almost in that order.
CREATE INDEX outbox_age ON outbox USING brin (created_at);
