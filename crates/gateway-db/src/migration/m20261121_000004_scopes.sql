CREATE TABLE scopes (
    kind text NOT NULL,
    id text NOT NULL,
    member text NOT NULL,
    alias text,
    email text,
    role text,
    organization_id text,
    team_id text,
    budget_id text,
    models json_type NOT NULL,
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
    blocked boolean NOT NULL DEFAULT FALSE,
    extra json_type NOT NULL,
    created_at bigint NOT NULL,
    created_by text,
    updated_at bigint NOT NULL,
    updated_by text,
    deleted_at bigint,
    deleted_by text,
    version bigint NOT NULL,
    PRIMARY KEY (kind, id, member)
);
CREATE INDEX scopes_version ON scopes (version);
CREATE INDEX scopes_member ON scopes (member, kind) WHERE member <> '';
CREATE INDEX scopes_email ON scopes (email) WHERE email IS NOT NULL;
CREATE INDEX scopes_organization ON scopes (organization_id, kind) WHERE organization_id IS NOT NULL;
CREATE INDEX scopes_budget ON scopes (budget_id) WHERE budget_id IS NOT NULL;
CREATE INDEX scopes_reset ON scopes (budget_reset_at) WHERE budget_reset_at IS NOT NULL;
INSERT INTO change_feed (name, version) VALUES ('scopes', 0);
ALTER TABLE spend_log ADD COLUMN project_id text;
