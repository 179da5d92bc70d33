"""Bearers of tokens who call with a virtual key: a claim names them, a rule says which key (`/jwt/key/mapping/*`)."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.common import fresh, ok, team, until
from support.gateway import CALL_COST
from support.issuer import Issuer

ROUTE = "/jwt/key/mapping"


def said(answer):
    return answer.json["error"]["message"]


@pytest.fixture
def issuer():
    issuer = Issuer()
    yield issuer
    issuer.close()


@pytest.fixture
def start(spawn, issuer):
    """A gateway that trusts the issuer, and maps the claim `azp` to keys; `auth` says more."""

    def started(auth=None, own=None, environment=None):
        issuers = [{"issuer": issuer.url, "audience": "gateway", **(own or {})}]
        auth = {"user_id_jwt_field": "sub", "virtual_key_claim_field": "azp", "issuers": issuers, **(auth or {})}
        return spawn(environment=environment, general_settings={"enable_jwt_auth": True, "litellm_jwtauth": auth})

    return started


def rule(gateway, value, key, **fields):
    return ok(gateway.ask("POST", f"{ROUTE}/new", {
        "jwt_claim_name": "azp", "jwt_claim_value": value, "key": key, **fields,
    }))


def test_a_bearer_calls_with_its_key(start, issuer):
    """The key's limits and budget are the bearer's, and what it calls is booked on the key."""
    gateway = start()
    key = gateway.new_key(models=["gpt"], max_budget=10 * CALL_COST, key_alias=fresh("app"))
    made = rule(gateway, "app", key, description="the app")
    assert made["jwt_issuer"] is None and made["is_active"] and made["description"] == "the app"
    assert "token" not in made and "key" not in made
    token = issuer.token(azp="app")
    assert gateway.chat("gpt", token).status == 200
    refused = gateway.chat("claude", token)
    assert refused.status == 403 and "key_model_access_denied" in str(refused.json)
    gateway.spend(key, CALL_COST)
    assert gateway.chat("gpt", issuer.token(azp="app", sub="somebody else")).status == 200
    assert len(gateway.rows(key, 2)) == 2
    # What is changed holds at once, for the tokens that were seen as well.
    ok(gateway.ask("POST", "/key/update", {"key": key, "models": ["claude"]}))
    assert (gateway.chat("claude", token).status, gateway.chat("gpt", token).status) == (200, 403)
    ok(gateway.ask("POST", "/key/block", {"key": key}))
    assert gateway.chat("claude", token).status == 401
    ok(gateway.ask("POST", "/key/unblock", {"key": key}))
    other = gateway.new_key(models=["gpt"])
    changed = ok(gateway.ask("POST", f"{ROUTE}/update", {"id": made["id"], "key": other, "description": "moved"}))
    assert (changed["description"], changed["id"]) == ("moved", made["id"])
    assert (gateway.chat("gpt", token).status, gateway.chat("claude", token).status) == (200, 403)
    # A new secret is the same key; a deleted one has no bearers.
    ok(gateway.ask("POST", "/key/regenerate", {"key": other, "new_key": "sk-0123456789abcdef"}))
    assert gateway.chat("gpt", token).status == 200
    ok(gateway.ask("POST", "/key/delete", {"keys": ["sk-0123456789abcdef"]}))
    refused = gateway.chat("gpt", token)
    assert refused.status == 401 and "User doesn't exist" in said(refused), "the token says who it is, and nobody knows"
    assert ok(gateway.ask("GET", f"{ROUTE}/list"))["mappings"] == []


def test_a_key_does_not_outlive_the_token(start, issuer):
    gateway = start()
    rule(gateway, "app", gateway.new_key())
    token = issuer.token(azp="app", exp=int(time.time()) + 2)
    assert gateway.chat("gpt", token).status == 200
    until(lambda: gateway.chat("gpt", token).status == 401, seconds=6)
    assert gateway.chat("gpt", issuer.token(azp="app")).status == 200


def test_rules_of_one_issuer_and_of_all(start, issuer):
    gateway = start()
    one, all_of_them = gateway.new_key(models=["gpt"]), gateway.new_key(models=["claude"])
    rule(gateway, "app", all_of_them)
    token = issuer.token(azp="app")
    assert (gateway.chat("gpt", token).status, gateway.chat("claude", token).status) == (403, 200)
    own = rule(gateway, "app", one, jwt_issuer=issuer.url)
    assert own["jwt_issuer"] == issuer.url
    assert (gateway.chat("gpt", token).status, gateway.chat("claude", token).status) == (200, 403)
    ok(gateway.ask("POST", f"{ROUTE}/update", {"id": own["id"], "is_active": False}))
    assert (gateway.chat("gpt", token).status, gateway.chat("claude", token).status) == (403, 200)
    rule(gateway, "other", one, jwt_issuer="https://somebody.else")
    assert gateway.chat("gpt", issuer.token(azp="other")).status == 401


def test_who_has_no_key(start, issuer):
    asked = start({"user_id_upsert": True})
    assert asked.chat("gpt", issuer.token(azp="nobody")).status == 200, "the token says what it may"
    assert asked.chat("gpt", issuer.token()).status == 200
    closed = start({"user_id_upsert": True}, own={"unregistered_jwt_client_behavior": "reject"})
    refused = closed.chat("gpt", issuer.token(azp="nobody"))
    assert refused.status == 403 and "No registered mapping for azp='nobody'" in said(refused)
    refused = closed.chat("gpt", issuer.token())
    assert refused.status == 403 and "'azp' is missing from the JWT" in said(refused)
    rule(closed, "nobody", closed.new_key())
    assert closed.chat("gpt", issuer.token(azp="nobody")).status == 200


def test_bearers_get_keys(start, issuer):
    gateway = start({"user_id_upsert": True, "unregistered_jwt_client_behavior": "auto_register",
                     "user_allowed_email_domain": "e.org", "user_email_jwt_field": "email", "team_id_jwt_field": "team"})
    id = team(gateway, models=["gpt"])
    token = issuer.token(azp="new app", email="ann@e.org", team=id)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: gateway.chat("gpt", token).status, range(8)))
    assert answers == [200] * 8
    [key] = ok(gateway.ask("GET", f"/key/list?team_id={id}&return_full_object=true"))["keys"]
    assert (key["user_id"], key["team_id"]) == ("ann", id)
    assert key["metadata"]["auto_registered"] is True and key["metadata"]["jwt_claim_value"] == "new app"
    [one] = ok(gateway.ask("GET", f"{ROUTE}/list"))["mappings"]
    assert (one["jwt_claim_value"], one["jwt_issuer"], one["created_by"]) == ("new app", issuer.url, "auto_register")
    assert gateway.chat("claude", token).status == 403, "the team's models"
    refused = gateway.chat("gpt", issuer.token(azp="stranger", email="eve@evil.org", team=id))
    assert refused.status == 403, "nobody gets a key whom the rules do not let in"
    assert gateway.chat("gpt", issuer.token(email="ann@e.org")).status == 403, "there is nothing to remember it by"
    assert len(ok(gateway.ask("GET", f"/key/list?team_id={id}"))["keys"]) == 1


def test_a_user_s_own_key_is_taken(start, issuer):
    gateway = start({"user_id_upsert": True, "unregistered_jwt_client_behavior": "auto_register",
                     "virtual_key_claim_field": "sub", "auto_register_map_existing_key": True})
    ok(gateway.ask("POST", "/user/new", {"user_id": "ann", "auto_create_key": False}))
    gateway.new_key(user_id="ann", duration="1s")
    own = gateway.new_key(user_id="ann", models=["gpt"])
    gateway.new_key(user_id="ann", key_type="management")
    time.sleep(1.1)
    assert gateway.chat("gpt", issuer.token(sub="ann")).status == 200
    assert gateway.chat("claude", issuer.token(sub="ann")).status == 403
    assert len(gateway.rows(own, 1)) >= 1


def test_what_is_refused(start, issuer):
    gateway = start()
    key = gateway.new_key()
    made = rule(gateway, "app", key)
    ask = lambda path, body: gateway.ask("POST", f"{ROUTE}/{path}", body)
    claim = {"jwt_claim_name": "azp", "jwt_claim_value": "x"}
    for body, status, words in (
        (claim, 400, "exactly one"),
        ({**claim, "key": key, "token": "a" * 64}, 400, "both given"),
        ({**claim, "token": "sk-1"}, 400, "64 lower-case hex"),
        ({**claim, "key": "sk-unknown"}, 400, "does not match an existing virtual key"),
        ({**claim, "jwt_claim_value": "app", "key": key}, 409, "already exists"),
        ({"jwt_claim_name": "azp", "key": key}, 422, "jwt_claim_value"),
        ({**claim, "key": key, "jwt_issuer": "x" * 600}, 400, "`jwt_issuer` has 600 bytes"),
        ({**claim, "key": key, "colour": "red"}, 422, "colour"),
    ):
        answer = ask("new", body)
        assert answer.status == status and words in str(answer.json), (body, answer.status, answer.body)
    assert ask("update", {"id": "nobody"}).status == ask("delete", {"id": "nobody"}).status == 404
    assert gateway.ask("GET", f"{ROUTE}/info?id=nobody").status == 404
    assert ok(gateway.ask("GET", f"{ROUTE}/info?id={made['id']}")) == made
    assert gateway.ask("GET", f"{ROUTE}/list?size=101").status == 422
    page = ok(gateway.ask("GET", f"{ROUTE}/list?page=1&size=1"))
    assert (page["total_count"], page["current_page"], page["total_pages"]) == (1, 1, 1)
    assert ok(ask("delete", {"id": made["id"]})) == {"status": "success"}
    users = {role: ok(gateway.ask("POST", "/user/new", {"user_role": role}))["key"]
             for role in ("internal_user", "proxy_admin_viewer")}
    for path, body in (("new", {**claim, "key": key}), ("update", {"id": "x"}), ("delete", {"id": "x"})):
        for user in users.values():
            assert gateway.ask("POST", f"{ROUTE}/{path}", body, key=user).status in (401, 403)
    assert gateway.ask("GET", f"{ROUTE}/list", key=users["internal_user"]).status in (401, 403)
    assert gateway.ask("GET", f"{ROUTE}/list", key=users["proxy_admin_viewer"]).status == 200
    rows = ok(gateway.ask("GET", "/audit?table_name=LiteLLM_JWTKeyMapping"))["audit_logs"]
    assert [row["action"] for row in rows] == ["deleted", "created"]
