-- What operators set of the usage tiers; whatever is not here is as Holdfast comes.
CREATE TABLE rate_tier (
    project     text             NOT NULL,
    tier        text             NOT NULL,
    per_second  double precision NOT NULL CHECK (per_second > 0),
    burst       double precision NOT NULL CHECK (burst > 0),
    PRIMARY KEY (project, tier)
);

-- API clients that are in another tier than their scopes say.
CREATE TABLE rate_client (
    project    text NOT NULL,
    client_id  text NOT NULL,
    tier       text NOT NULL,
    PRIMARY KEY (project, client_id),
    FOREIGN KEY (project, client_id) REFERENCES api_client (project, id) ON DELETE CASCADE
);
