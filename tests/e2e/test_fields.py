"""No field of LiteLLM's requests about keys, users, teams and so on is lost: each is given back, and stays."""

import time

import pytest
from support.common import fresh, ok, until
from support.gateway import CALL_COST

SOON = "2030-01-31T00:00:00Z"
BUDGETS = {"max_budget": 5.5, "soft_budget": 4.5, "tpm_limit": 1000, "rpm_limit": 10, "tpd_limit": 99}
BUDGETS |= {"max_parallel_requests": 3, "budget_duration": "30d"}
BY_MODEL = {"model_max_budget": {"gpt": {"max_budget": 1, "budget_duration": "1d"}}}
BY_MODEL |= {"model_rpm_limit": {"gpt": 5}, "model_tpm_limit": {"gpt": 500}}
WINDOWS = {"budget_limits": [{"budget_duration": "1h", "max_budget": 1}]}
NAMES = {"guardrails": ["pii"], "policies": ["strict"], "prompts": ["greeting"], "tags": ["red"]}
PERMISSION = {"object_permission": {"mcp_servers": ["s1"], "vector_stores": ["v1"], "agents": ["a1"]}}
ROUTING = {"router_settings": {"num_retries": 1}}
ROUTES = {"allowed_passthrough_routes": ["/raw"], "denied_passthrough_routes": ["/raw/x"]}
INDEXES = {"allowed_vector_store_indexes": [{"index_name": "docs", "index_permissions": ["read"]}]}
ANSWERS = {"default_estimated_output_tokens": 50, "default_estimated_output_tokens_per_model": {"gpt": 20}}
KINDS = {"rpm_limit_type": "best_effort_throughput", "tpm_limit_type": "dynamic"}

KEY = {
    **BUDGETS, **BY_MODEL, **WINDOWS, **NAMES, **PERMISSION, **ROUTING, **ROUTES, **INDEXES, **ANSWERS, **KINDS,
    "models": ["gpt"], "aliases": {"mine": "gpt"}, "config": {"a": 1}, "permissions": {"get_spend_routes": True},
    "metadata": {"cost-centre": 42}, "allowed_cache_controls": ["no-cache"], "budget_fallbacks": {"gpt": ["claude"]},
    "mcp_rpm_limit": {"s1": 3}, "tag_rpm_limit": {"red": 4}, "blocked": True, "disable_global_guardrails": True,
    "enable_prompt_caching": True, "throttle_on_budget_exceeded": True, "enforced_params": ["user"],
    "allowed_routes": ["llm_api_routes"], "key_type": "llm_api", "auto_rotate": False, "rotation_interval": "90d",
    "agent_id": "agent-1", "end_user_budget_id": "guests", "spend": 1.25, "access_group_ids": [],
}  # fmt: skip
TEAM = {
    **BUDGETS, **BY_MODEL, **WINDOWS, **NAMES, **PERMISSION, **ROUTING, **ROUTES, **INDEXES, **ANSWERS,
    "models": ["gpt"], "metadata": {"cost-centre": 42}, "blocked": True, "model_aliases": {"mine": "gpt"},
    "team_member_permissions": ["/key/generate"], "disable_global_guardrails": True, "mcp_rpm_limit": {"s1": 3},
    "secret_manager_settings": {"mount": "kv"}, "rpm_limit_type": "guaranteed_throughput", "tpm_limit_type": "best_effort_throughput",
    "team_member_key_duration": "7d", "default_team_member_models": ["gpt"], "access_group_ids": [],
    "enforced_batch_output_expires_after": {"anchor": "created_at", "seconds": 3600},
    "enforced_file_expires_after": {"anchor": "created_at", "seconds": 3600},
}  # fmt: skip
USER = {
    **BUDGETS, **BY_MODEL, **WINDOWS, **PERMISSION, "models": ["gpt"], "metadata": {"cost-centre": 42},
    "allowed_cache_controls": ["no-cache"], "policies": ["strict"], "blocked": False, "user_alias": "Ann",
    "user_role": "internal_user", "sso_user_id": "idp-ann",
}  # fmt: skip
ORGANIZATION = {**BUDGETS, **BY_MODEL, **PERMISSION, "models": ["gpt"], "metadata": {"cost-centre": 42}}
PROJECT = {
    **BUDGETS, **BY_MODEL, **PERMISSION, "models": ["gpt"], "blocked": True, "description": "a project",
    "model_itpm_limit": {"gpt": 100}, "model_otpm_limit": {"gpt": 50}, "project_alias": "p",
}  # fmt: skip
BUDGET = {**BUDGETS, "model_max_budget": BY_MODEL["model_max_budget"], "allowed_models": ["gpt"], "budget_reset_at": SOON}
CUSTOMER = {
    **PERMISSION, "alias": "Acme", "blocked": True, "allowed_model_region": "eu", "default_model": "gpt", "models": ["gpt"],
}  # fmt: skip
TAG = {"description": "a tag", "models": ["gpt"], "model_info": {"gpt": {}}}
# Of a scope's own budget LiteLLM shows a row.
IN_BUDGET = {**BUDGETS, "model_max_budget": BY_MODEL["model_max_budget"]}
# These are kept among the metadata, as LiteLLM keeps them.
IN_METADATA = {"project": NAMES}


def same(row, fields, but=()):
    """Every field of a request is in the row."""
    read = lambda name: row.get(name)
    lost = {name: read(name) for name, value in fields.items() if name not in but and read(name) != value}
    assert not lost, f"not as they were sent: {lost}"


def test_fields_of_keys(gateway):
    gateway.ask("POST", "/budget/new", {"budget_id": "guests", "max_budget": 1})
    made = ok(gateway.ask("POST", "/key/generate", KEY))
    same(made, KEY)
    info = gateway.key_info(made["key"])
    same(info, KEY)
    changed = {"key": made["key"], **KEY, "max_budget": 7, "tags": ["blue"], "rotation_interval": "60d"}
    ok(gateway.ask("POST", "/key/update", changed))
    same(gateway.key_info(made["key"]), changed, but=["key"])
    again = ok(gateway.ask("POST", "/key/regenerate", {"key": made["key"]}))
    same(gateway.key_info(again["key"]), changed, but=["key"])


def test_fields_of_teams(gateway):
    name = fresh("team")
    same(ok(gateway.ask("POST", "/team/new", {"team_id": name, "team_alias": "Search", **TEAM})), TEAM, but=["metadata"])
    info = ok(gateway.ask("GET", f"/team/info?team_id={name}"))["team_info"]
    same(info, TEAM)
    changed = {"team_id": name, **TEAM, "max_budget": 7, "tags": ["blue"]}
    ok(gateway.ask("POST", "/team/update", changed))
    same(ok(gateway.ask("GET", f"/team/info?team_id={name}"))["team_info"], changed)


def test_fields_of_users(gateway):
    name = fresh("user")
    fields = {"user_id": name, "user_email": f"{name}@example.com", **USER}
    made = ok(gateway.ask("POST", "/user/new", {**fields, "aliases": {"mine": "gpt"}, "permissions": {"get_spend_routes": True}}))
    same(made, fields)
    same(ok(gateway.ask("GET", f"/user/info?user_id={name}"))["user_info"], fields)
    key = gateway.key_info(made["key"])
    assert (key["aliases"], key["permissions"]) == ({"mine": "gpt"}, {"get_spend_routes": True}), "they are of the key"
    ok(gateway.ask("POST", "/user/update", {"user_id": name, "max_budget": 7}))
    same(ok(gateway.ask("GET", f"/user/info?user_id={name}"))["user_info"], {**fields, "max_budget": 7})


def test_fields_of_organizations_and_projects(gateway):
    name = fresh("org")
    fields = {"organization_id": name, "organization_alias": "Acme", **ORGANIZATION}
    ok(gateway.ask("POST", "/organization/new", fields))
    info = ok(gateway.ask("GET", f"/organization/info?organization_id={name}"))
    same(info, fields)
    same(info["litellm_budget_table"], IN_BUDGET)
    team, project = fresh("team"), fresh("project")
    ok(gateway.ask("POST", "/team/new", {"team_id": team}))
    fields = {"project_id": project, "team_id": team, **PROJECT}
    same(ok(gateway.ask("POST", "/project/new", {**fields, **IN_METADATA["project"]})), fields)
    info = ok(gateway.ask("GET", f"/project/info?project_id={project}"))
    same(info, fields)
    assert {name: info["metadata"][name] for name in ("tags", "guardrails", "policies")} == {
        name: NAMES[name] for name in ("tags", "guardrails", "policies")
    }


def test_fields_of_budgets_customers_and_tags(gateway):
    name = fresh("budget")
    ok(gateway.ask("POST", "/budget/new", {"budget_id": name, **BUDGET}))
    row = ok(gateway.ask("POST", "/budget/info", {"budgets": [name]}))[0]
    same(row, BUDGET, but=["budget_reset_at"])
    assert row["budget_reset_at"].startswith("2030-01-31T00:00:00")
    customer = fresh("customer")
    same(ok(gateway.ask("POST", "/customer/new", {"user_id": customer, **CUSTOMER})), CUSTOMER)
    same(ok(gateway.ask("GET", f"/customer/info?end_user_id={customer}")), CUSTOMER)
    tag = fresh("tag")
    ok(gateway.ask("POST", "/tag/new", {"name": tag, **TAG, **BUDGETS}))
    row = ok(gateway.ask("POST", "/tag/info", {"names": [tag]}))[tag]
    same(row, TAG)
    same(row["litellm_budget_table"], BUDGETS)


def test_a_period_ends_when_it_is_said_to(gateway):
    name, key = fresh("customer"), gateway.new_key()
    soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3))
    fields = {"user_id": name, "max_budget": CALL_COST / 2, "budget_duration": "30d", "budget_reset_at": soon}
    ok(gateway.ask("POST", "/customer/new", fields))
    until = time.monotonic() + 3
    while gateway.chat(key=key, user=name).status == 200 and time.monotonic() < until:
        time.sleep(0.05)
    until = time.monotonic() + 10
    while gateway.chat(key=key, user=name).status != 200:
        assert time.monotonic() < until, "the period starts anew"
        time.sleep(0.1)
    row = ok(gateway.ask("GET", f"/customer/info?end_user_id={name}"))
    assert row["litellm_budget_table"]["budget_reset_at"] > soon, "the next one is as long as `budget_duration` says"
    refused = gateway.ask("POST", "/budget/new", {"budget_reset_at": "soon"})
    assert (refused.status, refused.json["error"]["param"]) == (400, "budget_reset_at")


def test_a_team_guarantees_no_more_than_it_has(gateway):
    team = fresh("team")
    ok(gateway.ask("POST", "/team/new", {"team_id": team, "rpm_limit": 100, "model_tpm_limit": {"gpt": 1000}}))
    own = {"team_id": team, "rpm_limit_type": "guaranteed_throughput", "tpm_limit_type": "guaranteed_throughput"}
    first = gateway.new_key(rpm_limit=60, model_tpm_limit={"gpt": 700}, **own)
    refused = gateway.ask("POST", "/key/generate", {"rpm_limit": 50, **own})
    error = refused.json["error"]
    assert (refused.status, error["param"]) == (400, "rpm_limit")
    assert error["message"] == "Allocated RPM limit=60 + Key RPM limit=50 is greater than team RPM limit=100"
    refused = gateway.ask("POST", "/key/generate", {"model_tpm_limit": {"gpt": 400}, **own})
    assert "is greater than team TPM limit=1000 for model=gpt" in refused.json["error"]["message"]
    gateway.new_key(rpm_limit=500, team_id=team, rpm_limit_type="best_effort_throughput")
    assert gateway.ask("POST", "/key/update", {"key": first, "rpm_limit": 80}).status == 400, "500 are another's by now"
    other = fresh("team")
    ok(gateway.ask("POST", "/team/new", {"team_id": other, "rpm_limit": 100}))
    alone = gateway.new_key(rpm_limit=60, **{**own, "team_id": other})
    ok(gateway.ask("POST", "/key/update", {"key": alone, "rpm_limit": 100}))
    assert gateway.ask("POST", "/key/update", {"key": alone, "rpm_limit": 101}).status == 400
    wrong = gateway.ask("POST", "/key/generate", {"rpm_limit_type": "much"})
    assert (wrong.status, wrong.json["detail"][0]["loc"]) == (422, ["body", "rpm_limit_type"])


def test_what_is_guaranteed_is_not_asked_again(gateway):
    team = fresh("team")
    ok(gateway.ask("POST", "/team/new", {"team_id": team, "rpm_limit": 100}))
    key = gateway.new_key(team_id=team, rpm_limit=60, rpm_limit_type="guaranteed_throughput")
    gateway.new_key(team_id=team, rpm_limit=500)
    ok(gateway.ask("POST", "/key/block", {"key": key}))
    ok(gateway.ask("POST", "/key/update", {"key": key, "metadata": {"a": 1}}))


def test_an_organisation_guarantees_no_more_than_it_has(gateway):
    own, one, two = fresh("org"), fresh("team"), fresh("team")
    ok(gateway.ask("POST", "/organization/new", {"organization_id": own, "organization_alias": own, "tpm_limit": 1000}))
    of = {"organization_id": own, "tpm_limit_type": "guaranteed_throughput"}
    ok(gateway.ask("POST", "/team/new", {"team_id": one, "tpm_limit": 600, **of}))
    refused = gateway.ask("POST", "/team/new", {"team_id": two, "tpm_limit": 401, **of})
    error = refused.json["error"]
    assert (refused.status, error["param"]) == (400, "tpm_limit")
    message = "Allocated TPM limit=600 + Team TPM limit=401 is greater than organization TPM limit=1000"
    assert error["message"] == message
    ok(gateway.ask("POST", "/team/new", {"team_id": two, "tpm_limit": 300, **of}))
    gateway.new_key(tpm_limit=100, **of)
    refused = gateway.ask("POST", "/key/generate", {"tpm_limit": 1, **of})
    assert "Allocated TPM limit=1000 + Key TPM limit=1" in refused.json["error"]["message"]
    refused = gateway.ask("POST", "/team/update", {"team_id": two, "tpm_limit": 301})
    assert refused.status == 400
    ok(gateway.ask("POST", "/team/update", {"team_id": two, "tpm_limit": 200, "team_alias": "smaller"}))
    gateway.new_key(tpm_limit=200, team_id=two, **of)  # It takes of the team's.


def test_what_a_team_gives_its_members(gateway):
    team, user = fresh("team"), fresh("user")
    fields = {"team_id": team, "team_member_key_duration": "7d", "default_team_member_models": ["claude"]}
    ok(gateway.ask("POST", "/team/new", fields))
    ok(gateway.ask("POST", "/team/member_add", {"team_id": team, "member": {"role": "user", "user_id": user}}))
    key = gateway.new_key(team_id=team, user_id=user)
    week = time.strftime("%Y-%m-%dT", time.gmtime(time.time() + 7 * 86_400))
    assert gateway.key_info(key)["expires"].startswith(week)
    assert gateway.key_info(gateway.new_key(team_id=team))["expires"] is None, "it is for keys of members"
    assert gateway.chat("claude", key).status == 200
    refused = gateway.chat("gpt", key)
    assert (refused.status, refused.json["error"]["type"]) == (403, "team_member_model_access_denied")
    ok(gateway.ask("POST", "/team/member_add", {
        "team_id": team, "member": {"role": "user", "user_id": fresh("other")}, "allowed_models": ["gpt"]}))  # fmt: skip


def test_a_members_budget_raised_for_a_time(gateway):
    team, user = fresh("team"), fresh("user")
    ok(gateway.ask("POST", "/team/new", {"team_id": team}))
    member = {"team_id": team, "member": {"role": "user", "user_id": user}, "max_budget_in_team": CALL_COST / 2}
    ok(gateway.ask("POST", "/team/member_add", member))
    key = gateway.new_key(team_id=team, user_id=user)
    until = time.monotonic() + 5
    while gateway.chat(key=key).status == 200:
        assert time.monotonic() < until
        time.sleep(0.05)
    raised = {"team_id": team, "user_id": user, "temp_budget_increase": 1, "temp_budget_expiry": SOON}
    answer = ok(gateway.ask("POST", "/team/member_update", raised))
    assert (answer["temp_budget_increase"], answer["temp_budget_expiry"]) == (1, SOON)
    assert gateway.chat(key=key).status == 200
    alone = gateway.ask("POST", "/team/member_update", {"team_id": team, "user_id": user, "temp_budget_increase": 1})
    assert alone.status == 400


def test_a_key_that_may_see_all_spend(gateway):
    key = gateway.new_key(permissions={"get_spend_routes": True})
    assert gateway.ask("GET", "/global/spend/keys?limit=3", key=key).status == 200
    assert gateway.ask("GET", "/spend/logs/v2?start_date=2026-01-01&end_date=2026-01-02", key=key).status == 200
    assert gateway.ask("POST", "/global/spend/reset", {}, key=key).status in (401, 403)
    assert gateway.ask("GET", "/key/list", key=key).status in (401, 403)
    assert gateway.ask("GET", "/global/spend/keys?limit=3", key=gateway.new_key()).status in (401, 403)


@pytest.mark.parametrize(("field", "value"), [("team_member_key_duration", "often"), ("default_team_member_models", "gpt")])
def test_what_teams_cannot_give_is_refused(gateway, field, value):
    refused = gateway.ask("POST", "/team/new", {field: value})
    assert (refused.status, refused.json["detail"][0]["loc"]) == (422, ["body", field])


def test_older_names_of_members(gateway):
    team = fresh("team")
    body = {"team_id": team, "admins": ["anna"], "members": ["bert", "anna"], "members_with_roles": [{"user_id": "carl", "role": "user"}]}
    ok(gateway.ask("POST", "/team/new", body))
    members = ok(gateway.ask("GET", f"/team/info?team_id={team}"))["team_info"]["members_with_roles"]
    roles = {member["user_id"]: member["role"] for member in members}
    assert roles.items() >= {"anna": "admin", "bert": "user", "carl": "user"}.items()


def test_what_is_wrong_in_a_query_is_said_to_be_there(gateway):
    refused = gateway.ask("GET", "/team/info")
    assert refused.status == 422 and refused.json["detail"][0]["loc"] == ["query", "team_id"]
    refused = gateway.ask("POST", "/team/update", {})
    assert refused.status == 422 and refused.json["detail"][0]["loc"] == ["body", "team_id"]


def test_a_period_that_is_cleared(gateway):
    key = gateway.new_key(max_budget=1, budget_duration="30d")
    assert gateway.key_info(key)["budget_reset_at"]
    ok(gateway.ask("POST", "/key/update", {"key": key, "budget_duration": "-1"}))
    assert gateway.key_info(key)["budget_duration"] is None and gateway.key_info(key)["budget_reset_at"] is None
    team = ok(gateway.ask("POST", "/team/new", {"max_budget": 1, "budget_duration": "7d"}))["team_id"]
    ok(gateway.ask("POST", "/team/update", {"team_id": team, "budget_duration": "-1"}))
    assert ok(gateway.ask("GET", f"/team/info?team_id={team}"))["team_info"]["budget_duration"] is None


def test_what_would_limit_nothing_is_refused(gateway):
    """Rates that are no numbers, and a shared budget that is not there."""
    for path, body in (("/key/generate", {}), ("/team/new", {}), ("/organization/new", {"organization_alias": fresh("o")})):
        for field, rates in (("model_rpm_limit", {"gpt": "x"}), ("model_rpm_limit", {"gpt": -1}), ("model_tpm_limit", {"gpt": 1.5}), ("model_tpm_limit", "x")):
            refused = gateway.ask("POST", path, {**body, field: rates})
            assert refused.status == 422 and refused.json["detail"][0]["loc"] == ["body", field], (path, field, refused.body)
    key = gateway.new_key(model_rpm_limit={"gpt": 5, "claude": None})
    assert gateway.key_info(key)["model_rpm_limit"]["gpt"] == 5
    refused = gateway.ask("POST", "/key/generate", {"budget_id": "nobody-made-it"})
    assert refused.status == 400 and refused.json["error"]["param"] == "budget_id"
    assert gateway.ask("POST", "/key/update", {"key": key, "budget_id": "nobody-made-it"}).status == 400


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/key/generate", {"tag_rpm_limit": "x"}),
        ("/key/generate", {"aliases": {"a": 5}}),
        ("/key/generate", {"object_permission": 5}),
        ("/key/generate", {"guardrails": "x"}),
        ("/key/generate", {"prompts": "x"}),
        ("/team/new", {"model_aliases": "x"}),
        ("/team/new", {"policies": 5}),
        ("/team/new", {"team_member_permissions": ["/bogus"]}),
        ("/customer/new", {"user_id": "c", "allowed_model_region": "mars"}),
    ],
)
def test_what_could_not_be_read_is_refused(gateway, path, fields):
    refused = gateway.ask("POST", path, fields)
    field = list(fields)[-1]
    assert (refused.status, refused.json["detail"][0]["loc"]) == (422, ["body", field]), refused.body


def test_what_is_named_must_be_there(gateway):
    def refused(path, fields, status, words):
        answer = gateway.ask("POST", path, fields)
        assert answer.status == status and words in answer.body.decode(), answer.body

    key, team = gateway.new_key(), fresh("team")
    ok(gateway.ask("POST", "/team/new", {"team_id": team}))
    for path, rest in (("/key/generate", {}), ("/key/update", {"key": key})):
        refused(path, {**rest, "organization_id": "none"}, 400, "Organization not found for organization_id=none")
        refused(path, {**rest, "project_id": "none"}, 404, "Project not found, project_id=none")
        refused(path, {**rest, "end_user_budget_id": "none"}, 400, "end_user_budget_id=none does not match any budget")
        refused(path, {**rest, "access_group_ids": ["none"]}, 400, "Access group 'none' does not exist")
        refused(path, {**rest, "budget_id": "none"}, 400, "Budget with id 'none' does not exist")
    for path, rest in (("/team/new", {}), ("/team/update", {"team_id": team})):
        refused(path, {**rest, "organization_id": "none"}, 400, "Organization not found for organization_id=none")
        refused(path, {**rest, "access_group_ids": ["none"]}, 400, "Access group 'none' does not exist")
    customer = fresh("customer")
    refused("/customer/new", {"user_id": customer, "budget_id": "none"}, 400, "Budget with id 'none' does not exist")
    assert gateway.ask("GET", f"/customer/info?end_user_id={customer}").status == 404, "it was not made"
    ok(gateway.ask("POST", "/customer/new", {"user_id": customer}))
    refused("/customer/update", {"user_id": customer, "budget_id": "none"}, 400, "Budget with id 'none' does not exist")
    refused("/key/generate", {"rotation_interval": "bad"}, 400, "`rotation_interval` is `bad`")
    refused("/user/new", {"budget_limits": [{"max_budget": 1}]}, 400, "budget_limits")
    refused("/customer/new", {"user_id": ""}, 400, "is empty")
    refused("/tag/new", {"name": ""}, 400, "is empty")


def test_a_team_has_no_more_than_its_organisation(gateway):
    limits = {"models": ["gpt"], "max_budget": 10, "rpm_limit": 60, "tpm_limit": 1000}
    organization = ok(gateway.ask("POST", "/organization/new", {"organization_alias": fresh("o"), **limits}))["organization_id"]
    within = lambda **fields: gateway.ask("POST", "/team/new", {"organization_id": organization, **fields})
    for fields, words in (
        ({"max_budget": 11}, "Team max_budget (11) exceeds organization's max_budget (10)"),
        ({"rpm_limit": 61}, "Team rpm_limit (61) exceeds organization's rpm_limit (60)"),
        ({"tpm_limit": 1001}, "Team tpm_limit (1001) exceeds organization's tpm_limit (1000)"),
        ({"models": ["gpt", "claude"]}, "Model 'claude' not in organization's allowed models"),
    ):
        refused = within(**fields)
        assert refused.status == 400 and words in refused.json["detail"]["error"], refused.body
    team = ok(within(**limits))["team_id"]
    assert gateway.ask("POST", "/team/update", {"team_id": team, "max_budget": 11}).status == 400
    # What it had before is not looked at again.
    ok(gateway.ask("PATCH", "/organization/update", {"organization_id": organization, "max_budget": 5}))
    ok(gateway.ask("POST", "/team/update", {"team_id": team, "team_alias": fresh("t")}))
    alone = ok(gateway.ask("POST", "/team/new", {"max_budget": 11}))["team_id"]
    assert gateway.ask("POST", "/team/update", {"team_id": alone, "organization_id": organization}).status == 400


def test_a_key_has_no_more_than_its_project(gateway):
    team = ok(gateway.ask("POST", "/team/new", {"team_id": fresh("team")}))["team_id"]
    body = {"team_id": team, "project_alias": fresh("p"), "models": ["gpt"], "max_budget": 5}
    project = ok(gateway.ask("POST", "/project/new", body))["project_id"]
    within = lambda **fields: gateway.ask("POST", "/key/generate", {"team_id": team, "project_id": project, **fields})
    assert "Key max_budget (6) exceeds project's max_budget (5)" in within(max_budget=6).json["detail"]["error"]
    assert "Model 'claude' not in project's allowed models" in within(models=["claude"]).json["detail"]["error"]
    key = ok(within(models=["all-team-models"], max_budget=5))["key"]
    assert gateway.ask("POST", "/key/update", {"key": key, "max_budget": 6}).status == 400
    ok(gateway.ask("POST", "/key/update", {"key": key, "max_budget": 4, "models": ["gpt"]}))


def test_what_a_team_says_of_itself(gateway):
    org, name, admin, plain = fresh("org"), fresh("team"), fresh("user"), fresh("user")
    ok(gateway.ask("POST", "/organization/new", {"organization_id": org, "organization_alias": "Acme", "models": ["gpt"]}))
    group = ok(gateway.ask("POST", "/v1/access_group", {"access_group_name": fresh("group"), "access_model_names": ["claude"]}), 201)
    for user in (admin, plain):
        ok(gateway.ask("POST", "/user/new", {"user_id": user, "user_alias": f"{user} Doe", "auto_create_key": False}))
    members = [{"user_id": admin, "role": "admin"}, {"user_id": plain, "role": "user"}]
    made = ok(gateway.ask("POST", "/team/new", {"team_id": name, "models": ["gpt"], "organization_id": org, "members_with_roles": members,
        "team_member_budget": 3, "model_max_budget": {"gpt": {"max_budget": 1, "budget_duration": "1d"}}}))  # fmt: skip
    columns = {"access_group_ids": [], "default_team_member_models": [], "policies": [], "model_id": None, "model_spend": {},
        "object_permission_id": None, "allow_team_guardrail_config": False}  # fmt: skip
    same(made, columns)
    ok(gateway.ask("POST", "/team/update", {"team_id": name, "access_group_ids": [group["access_group_id"]]}))
    ok(gateway.ask("POST", "/team/member_update", {"team_id": name, "user_id": plain, "max_budget_in_team": 1}))
    told = ok(gateway.ask("GET", f"/team/info?team_id={name}"))
    info = told["team_info"]
    assert (info["organization_models"], info["caller_edit_access"]) == (["gpt"], {"kind": "unrestricted"})
    assert info["team_member_budget_table"]["max_budget"] == 3
    assert info["model_max_budget_usage"] == {"gpt": {"current_spend": 0.0, "budget_limit": 1.0, "time_period": "1d"}}
    assert (info["access_group_models"], info["access_group_details"][0]["models"]) == (["claude"], ["claude"])
    assert {member["user_id"]: member["user_alias"] for member in info["members_with_roles"]}[plain] == f"{plain} Doe"
    budgets = {row["user_id"]: (row["budget_source"], row["litellm_budget_table"]["max_budget"]) for row in told["team_memberships"]}
    assert (budgets[admin], budgets[plain]) == (("team_default", 3), ("custom", 1))
    [row] = ok(gateway.ask("GET", f"/v2/team/list?team_id={name}"))["teams"]
    assert row["access_group_models"] == ["claude"] and set(columns) <= set(row)
    seen = lambda user: ok(gateway.ask("GET", f"/team/info?team_id={name}", key=gateway.new_key(user_id=user)))["team_info"]
    assert (seen(plain)["caller_edit_access"], seen(plain)["organization_models"]) == ({"kind": "none"}, None)
    access, key = seen(admin)["caller_edit_access"], gateway.new_key(user_id=admin)
    assert access["kind"] == "team_admin" and "max_budget" not in access["editable_fields"]
    for field, value in (("team_alias", "Search"), ("tags", ["red"]), ("team_member_rpm_limit", 5)):
        assert field in access["editable_fields"]
        ok(gateway.ask("POST", "/team/update", {"team_id": name, field: value}, key=key))
    assert gateway.ask("POST", "/team/update", {"team_id": name, "max_budget": 9}, key=key).status == 403


def test_what_a_user_says_of_itself(gateway):
    name = fresh("user")
    columns = {"object_permission_id": None, "password_reset_required": None, "allowed_cache_controls": [], "model_spend": {}, "policies": []}
    made = ok(gateway.ask("POST", "/user/new", {"user_id": name, "team_id": ok(gateway.ask("POST", "/team/new", {}))["team_id"]}))
    same(made, columns)
    same(ok(gateway.ask("GET", f"/v2/user/info?user_id={name}")), columns)
    [row] = ok(gateway.ask("GET", f"/user/list?user_ids={name}"))["users"]
    same(row, columns)
    ok(gateway.chat(key=made["key"]))
    spent = lambda: ok(gateway.ask("GET", f"/user/info?user_id={name}"))
    until(lambda: sum(spent()["user_info"]["model_spend"].values()) == pytest.approx(CALL_COST), what="spend by model of a user")
    assert spent()["user_info"]["model_max_budget_usage"] == {}
    assert sum(spent()["keys"][0]["model_spend"].values()) == pytest.approx(CALL_COST)
    assert sum(spent()["teams"][0]["model_spend"].values()) == pytest.approx(CALL_COST)
