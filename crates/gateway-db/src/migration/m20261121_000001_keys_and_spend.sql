CREATE TABLE verification_keys (
    hash text NOT NULL PRIMARY KEY,
    name text,
    alias text,
    user_id text,
    team_id text,
    organization_id text,
    project_id text,
    agent_id text,
    models json_type NOT NULL,
    aliases json_type NOT NULL,
    config json_type NOT NULL,
    permissions json_type NOT NULL,
    metadata json_type NOT NULL,
    spend bigint NOT NULL DEFAULT 0,
    total_spend bigint NOT NULL DEFAULT 0,
    max_budget bigint,
    soft_budget bigint,
    budget_duration text,
    budget_reset_at bigint,
    rpm_limit bigint,
    tpm_limit bigint,
    tpd_limit bigint,
    max_parallel_requests bigint,
    model_max_budget json_type NOT NULL,
    model_rpm_limit json_type NOT NULL,
    model_tpm_limit json_type NOT NULL,
    allowed_routes json_type NOT NULL,
    key_type text,
    blocked boolean NOT NULL DEFAULT FALSE,
    expires_at bigint,
    access_group_ids json_type NOT NULL,
    auto_rotate boolean NOT NULL DEFAULT FALSE,
    rotation_interval text,
    rotate_at bigint,
    rotation_count bigint NOT NULL DEFAULT 0,
    last_rotation_at bigint,
    extra json_type NOT NULL,
    last_active bigint,
    created_at bigint NOT NULL,
    created_by text,
    updated_at bigint NOT NULL,
    updated_by text,
    deleted_at bigint,
    deleted_by text,
    version bigint NOT NULL
);
CREATE UNIQUE INDEX verification_keys_alias ON verification_keys (alias) WHERE deleted_at IS NULL;
CREATE INDEX verification_keys_version ON verification_keys (version);
CREATE INDEX verification_keys_user ON verification_keys (user_id);
CREATE INDEX verification_keys_team ON verification_keys (team_id);
CREATE INDEX verification_keys_reset ON verification_keys (budget_reset_at) WHERE budget_reset_at IS NOT NULL;

CREATE TABLE change_feed (
    name text NOT NULL PRIMARY KEY,
    version bigint NOT NULL
);
INSERT INTO change_feed (name, version) VALUES ('keys', 0);

CREATE TABLE spend_log (
    request_id text NOT NULL PRIMARY KEY,
    call_id text,
    started_at bigint NOT NULL,
    duration_us bigint NOT NULL,
    first_byte_us bigint,
    key_hash text,
    user_id text,
    team_id text,
    organization_id text,
    end_user text,
    model_group text NOT NULL,
    model text,
    provider text,
    deployment text,
    call_type text NOT NULL,
    outcome text NOT NULL,
    status bigint NOT NULL,
    error text,
    flags bigint NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    cache_read_tokens bigint NOT NULL,
    cache_write_tokens bigint NOT NULL,
    reasoning_tokens bigint NOT NULL,
    usage text,
    cost bigint,
    retries bigint NOT NULL,
    fallbacks bigint NOT NULL,
    tags text,
    metadata text
);
CREATE INDEX spend_log_time ON spend_log (started_at);
CREATE INDEX spend_log_key ON spend_log (key_hash, started_at);
CREATE INDEX spend_log_call ON spend_log (call_id) WHERE call_id IS NOT NULL;
CREATE INDEX spend_log_end_user ON spend_log (end_user, started_at) WHERE end_user IS NOT NULL;

CREATE TABLE daily_spend (
    day bigint NOT NULL,
    key_hash text NOT NULL,
    user_id text NOT NULL,
    team_id text NOT NULL,
    organization_id text NOT NULL,
    model_group text NOT NULL,
    model text NOT NULL,
    provider text NOT NULL,
    call_type text NOT NULL,
    requests bigint NOT NULL,
    failed bigint NOT NULL,
    unpriced bigint NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    cache_read_tokens bigint NOT NULL,
    cache_write_tokens bigint NOT NULL,
    reasoning_tokens bigint NOT NULL,
    cost bigint NOT NULL,
    duration_us bigint NOT NULL,
    PRIMARY KEY (day, key_hash, user_id, team_id, organization_id, model_group, model, provider, call_type)
);
CREATE INDEX daily_spend_key ON daily_spend (key_hash, day);

CREATE TABLE ledger_cursor (
    segment text NOT NULL PRIMARY KEY,
    node text NOT NULL,
    position bigint NOT NULL,
    updated_at bigint NOT NULL
);
CREATE INDEX ledger_cursor_node ON ledger_cursor (node);

CREATE TABLE settings (
    name text NOT NULL PRIMARY KEY,
    value json_type NOT NULL,
    updated_at bigint NOT NULL
);
