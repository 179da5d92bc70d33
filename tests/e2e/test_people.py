"""What the operator says of people: who makes keys, for whom calls are made, who is slowed down."""

import json
import time

import pytest
from support.common import fresh, ok, until
from support.gateway import CALL_COST, MASTER_KEY, entry

TINY = round(CALL_COST / 2, 9)
# Rows of calls are there soon.
SOON = {"proxy_batch_write_at": 1}


def user(gateway, role="internal_user", **fields):
    """A new user and its key."""
    made = ok(gateway.ask("POST", "/user/new", {"user_id": fresh("user"), "user_role": role, **fields}))
    return made["user_id"], made["key"]


def spent(gateway, key, **fields):
    """Calls until the budget is spent; the refusal."""
    return until(lambda: (answer := gateway.chat(key=key, **fields)).status != 200 and answer, 5, "it is never refused")


RULES = {
    "team_key_generation": {"allowed_team_member_roles": ["admin"], "required_params": ["tags"]},
    "personal_key_generation": {"allowed_user_roles": ["proxy_admin"], "required_params": ["duration"]},
}


def test_who_makes_keys(spawn):
    gateway = spawn(litellm_settings={"key_generation_settings": RULES})
    ann, key = user(gateway)
    ben, of_ben = user(gateway)
    team = fresh("team")
    members = [{"role": "admin", "user_id": ann}, {"role": "user", "user_id": ben}]
    fields = {"team_id": team, "members_with_roles": members, "team_member_permissions": ["/key/generate"]}
    ok(gateway.ask("POST", "/team/new", fields))

    def refusal(by, **fields):
        answer = gateway.ask("POST", "/key/generate", fields, key=by)
        assert answer.status == 400, answer.body
        return answer.json["detail"]

    words = "Personal key creation has been restricted by admin. Allowed roles=['proxy_admin']. Your role=internal_user"
    assert refusal(key) == words
    assert refusal(MASTER_KEY) == "Required param duration not in data"
    ok(gateway.ask("POST", "/key/generate", {"duration": "1d"}))
    assert refusal(key, team_id=team) == "Required param tags not in data"
    ok(gateway.ask("POST", "/key/generate", {"team_id": team, "tags": ["red"]}, key=key))
    words = "Team member role user not in allowed_team_member_roles=['admin']"
    assert refusal(of_ben, team_id=team, tags=["red"]) == words
    stranger, _ = user(gateway)
    words = f"User={stranger} not assigned to team={team}"
    assert refusal(key, team_id=team, user_id=stranger, tags=["red"]) == words
    assert refusal(MASTER_KEY, team_id="nobodys") == "Unable to find team object in database. Team ID: nobodys"
    ok(gateway.ask("POST", "/key/generate", {"team_id": team})), "administrators follow no rule of teams"


def test_keys_of_teams_only(spawn):
    gateway = spawn(general_settings={"default_team_disabled": True})
    ann, key = user(gateway)
    refused = gateway.ask("POST", "/key/generate", {}, key=key)
    assert refused.status == 400 and "Personal key creation has been restricted by admin" in refused.json["detail"]
    team = fresh("team")
    ok(gateway.ask("POST", "/team/new", {"team_id": team, "members_with_roles": [{"role": "admin", "user_id": ann}]}))
    ok(gateway.ask("POST", "/key/generate", {"team_id": team}, key=key))
    ok(gateway.ask("POST", "/key/generate", {}))
    assert ok(gateway.ask("GET", "/sso/get/ui_settings"))["DEFAULT_TEAM_DISABLED"] is True


def test_what_teams_of_a_provider_begin_with(spawn):
    usual = {"max_budget": 7.5, "budget_duration": "1d", "rpm_limit": 9, "models": ["gpt"]}
    settings = {"default_team_params": {**usual, "team_member_permissions": ["/key/generate"]}}
    gateway = spawn(litellm_settings={**settings, "budget_reset_time": "06:00"})
    group = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Search"}
    made = ok(gateway.ask("POST", "/scim/v2/Groups", group), 201)
    info = ok(gateway.ask("GET", f"/team/info?team_id={made['id']}"))["team_info"]
    assert {name: info[name] for name in usual} == usual
    assert info["team_member_permissions"] == ["/key/generate"] and info["team_alias"] == "Search"
    assert "T06:00:00" in info["budget_reset_at"], "days begin when they are said to"
    key = gateway.new_key(max_budget=1, budget_duration="30d")
    assert "-01T06:00:00" in gateway.key_info(key)["budget_reset_at"]


def test_end_users_nobody_knows_are_left_out(spawn):
    gateway = spawn(litellm_settings={"validate_end_user_id_in_db": True}, general_settings=SOON)
    customer, mail = fresh("customer"), f"{fresh('ann')}@example.com"
    ok(gateway.ask("POST", "/customer/new", {"user_id": customer}))
    ann, _ = user(gateway, user_email=mail)
    key = gateway.new_key()
    blob = json.dumps({"device_id": "1", "session_id": "2"})
    said = [customer, ann, mail, "stranger", "stranger@example.com", blob]
    for name in said:
        ok(gateway.chat(key=key, user=name))
    rows = gateway.rows(key, len(said))
    assert sorted(row["end_user"] or "" for row in rows) == sorted([customer, ann, mail, "", "", ""])
    late = fresh("late")
    ok(gateway.chat(key=key, user=late))
    ok(gateway.ask("POST", "/customer/new", {"user_id": late, "blocked": True}))
    assert gateway.chat(key=key, user=late).status == 401, "one that is made is known at once"


def test_end_users_with_a_budget_by_default_stay(spawn):
    settings = {"validate_end_user_id_in_db": True, "max_end_user_budget_id": "guests"}
    gateway = spawn(litellm_settings=settings)
    ok(gateway.ask("POST", "/budget/new", {"budget_id": "guests", "max_budget": TINY}))
    key = gateway.new_key()
    assert spent(gateway, key, user=fresh("guest")).status == 422
    for _ in range(3):
        ok(gateway.chat(key=key, user='{"session_id": 1}'))


def test_what_end_users_spend_may_be_left_out(spawn):
    gateway = spawn(litellm_settings={"disable_end_user_cost_tracking": True}, general_settings=SOON)
    name, key = fresh("customer"), gateway.new_key()
    ok(gateway.ask("POST", "/customer/new", {"user_id": name, "max_budget": TINY}))
    slow = fresh("slow")
    ok(gateway.ask("POST", "/budget/new", {"budget_id": slow, "rpm_limit": 1}))
    ok(gateway.ask("POST", "/customer/new", {"user_id": slow, "budget_id": slow}))
    for _ in range(3):
        ok(gateway.chat(key=key, user=name))
    assert all(not row["end_user"] for row in gateway.rows(key, 3))
    assert ok(gateway.ask("GET", f"/customer/info?end_user_id={name}"))["spend"] == 0
    ok(gateway.chat(key=key, user=slow))
    assert gateway.chat(key=key, user=slow).status == 429, "rates hold all the same"


MAPPINGS = [
    {"header_name": "X-User-Mail", "litellm_user_role": "customer"},
    {"header_name": "X-User-Id", "litellm_user_role": "internal_user"},
]


def test_headers_that_name_users(spawn):
    gateway = spawn(general_settings={"user_header_mappings": MAPPINGS, "user_header_name": "X-Old", **SOON})
    ann, _ = user(gateway, max_budget=TINY)
    ben, _ = user(gateway)
    key = gateway.new_key(max_budget=100)
    ok(gateway.chat(key=key, headers={"x-user-mail": "ann@example.com", "x-old": "old"}, user="body"))
    ok(gateway.chat(key=key, headers={"x-old": "old", "x-user-id": ben}, user="body"))
    rows = gateway.rows(key, 2)
    assert sorted((row["end_user"], row["user"] or "") for row in rows) == [("ann@example.com", ""), ("old", ben)]
    refused = spent(gateway, key, headers={"x-user-id": ann})
    assert refused.status == 422 and f"User={ann}" in refused.json["error"]["message"]
    ok(gateway.chat(key=key, headers={"x-user-id": ben}))
    assert gateway.chat(headers={"x-user-id": ann}).status == 422, "the operator's calls are the user's, too"
    ok(gateway.chat(headers={"x-user-id": ben}))
    ok(gateway.ask("GET", "/key/list", headers={"x-user-id": ben})), "who manages is who it is"
    spend = lambda: ok(gateway.ask("GET", f"/user/info?user_id={ben}"))["user_info"]["spend"]
    until(lambda: spend() >= 3 * CALL_COST - 1e-12, 15, "ben pays for three calls")
    ok(gateway.ask("POST", "/key/block", {"key": key}))
    assert gateway.chat(key=key, headers={"x-user-id": ben}).status == 401, "what changes at the key holds at once"


def test_a_key_without_money_goes_on_slowly(spawn):
    gateway = spawn(litellm_settings={"budget_exceeded_throttle_percentage": 0.1})
    slow = gateway.new_key(max_budget=TINY, rpm_limit=40, throttle_on_budget_exceeded=True)
    plain = gateway.new_key(max_budget=TINY, rpm_limit=40)
    without = gateway.new_key(max_budget=TINY, throttle_on_budget_exceeded=True)
    assert spent(gateway, plain).status == 422
    assert spent(gateway, without).status == 422, "without rates there is nothing to make slower"
    refused = spent(gateway, slow)
    assert refused.status == 429, refused.body
    assert "Limit type: requests. Current limit: 4," in refused.json["error"]["message"]
    wrong = gateway.ask("POST", "/key/generate", {"throttle_on_budget_exceeded": "often"})
    assert (wrong.status, wrong.json["detail"][0]["loc"]) == (422, ["body", "throttle_on_budget_exceeded"])


def test_a_shared_budget_says_which_models(gateway):
    budget, team, member = fresh("budget"), fresh("team"), fresh("user")
    ok(gateway.ask("POST", "/budget/new", {"budget_id": budget, "allowed_models": ["gpt"]}))
    key, name = gateway.new_key(budget_id=budget), fresh("customer")
    ok(gateway.chat(key=key))
    assert gateway.chat("claude", key).json["error"]["type"] == "key_model_access_denied"
    ok(gateway.chat("claude", gateway.new_key(budget_id=budget, models=["claude"])))
    ok(gateway.ask("POST", "/customer/new", {"user_id": name, "budget_id": budget}))
    other = gateway.new_key()
    ok(gateway.chat(key=other, user=name))
    assert gateway.chat("claude", other, user=name).json["error"]["type"] == "customer_model_access_denied"
    ok(gateway.ask("POST", "/budget/update", {"budget_id": budget, "allowed_models": ["claude"]}))
    ok(gateway.chat("claude", other, user=name))
    ok(gateway.chat("claude", key))


def test_a_customer_whose_region_does_not_serve_the_model(spawn, upstream):
    base = upstream.base + "/v1"
    models = [
        entry("here", "openai/say", base, region_name="eu-west-1"),
        entry("there", "openai/say", base, region_name="us-east-1"),
        entry("usual", "openai/other", base),
    ]
    gateway = spawn(models=models, general_settings=SOON)
    name, bound = fresh("customer"), fresh("customer")
    ok(gateway.ask("POST", "/customer/new", {"user_id": name, "allowed_model_region": "eu", "default_model": "usual"}))
    ok(gateway.ask("POST", "/customer/new", {"user_id": bound, "allowed_model_region": "eu"}))
    key = gateway.new_key()
    group = lambda **fields: gateway.chat(key=key, **fields)
    ok(group(model="here", user=name))
    ok(group(model="there", user=name))
    assert group(model="there", user=bound).status != 200
    rows = gateway.rows(key, 3)
    assert sorted(row["model_group"] for row in rows if row["status"] == "success") == ["here", "usual"]


def test_wrong_passwords_are_limited_as_told(spawn):
    settings = {"max_failed_login_attempts_per_source": 4, "failed_login_block_seconds": 2}
    gateway = spawn(general_settings=settings)
    attempt = lambda name, password="wrong": gateway.ask("POST", "/v2/login", {"username": name, "password": password}, key=None)
    assert [attempt("ann").status for _ in range(3)] == [401, 401, 429], "of one name half as many"
    assert attempt("admin", MASTER_KEY).status == 200
    assert [attempt(name).status for name in ("ben", "cid")] == [401, 401]
    refused = attempt("admin", MASTER_KEY)
    assert refused.status == 429, "who is blocked is blocked"
    assert "try again in" in refused.body.decode()
    until(lambda: attempt("admin", MASTER_KEY).status == 200, 10, "the block ends")


@pytest.mark.parametrize("on", [True, False])
def test_crawlers_are_asked_to_stay_away(spawn, on):
    gateway = spawn(general_settings={"block_robots": on})
    answer = gateway.ask("GET", "/robots.txt", key=None)
    assert answer.status == (200 if on else 404)
    if on:
        assert answer.body == b"User-agent: *\nDisallow: /\n"
