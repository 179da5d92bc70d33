"""Callers with a JWT of their own identity provider: who they are, what they may, and what proves nothing."""

import hashlib
import hmac
import json
import time

import pytest
from support.common import fresh, ok, team
from support.gateway import CALL_COST
from support.issuer import Issuer, Key, b64, encode


def said(answer):
    return answer.json["error"]["message"]


@pytest.fixture
def issuer():
    issuer = Issuer()
    yield issuer
    issuer.close()


@pytest.fixture
def start(spawn, issuer):
    """A gateway that trusts the issuer; `auth` says the rest of `litellm_jwtauth`."""

    def started(auth=None, own=None, environment=None, **general):
        issuers = [{"issuer": issuer.url, "audience": "gateway", **(own or {})}]
        auth = {"user_id_jwt_field": "sub", "user_id_upsert": True, "issuers": issuers, **(auth or {})}
        general = {"enable_jwt_auth": True, "litellm_jwtauth": auth, **general}
        return spawn(environment=environment, general_settings=general)

    return started


def spend(gateway, path, seconds=20):
    """Waits until something was spent."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        row = ok(gateway.ask("GET", path))
        found = (row.get("team_info") or row.get("user_info"))["spend"]
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError("nothing was spent")


def test_every_algorithm_of_two_halves_proves(start, issuer):
    issuer.keys = [Key(alg.lower(), alg) for alg in ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA")]
    gateway = start()
    for key in issuer.keys:
        assert gateway.chat(key=issuer.token(key)).status == 200, key.alg
    assert gateway.chat(key=issuer.token(issuer.keys[-1], sub="bob")).status == 200
    users = {user["user_id"]: user for user in ok(gateway.ask("GET", "/user/list"))["users"]}
    assert users["ann"]["user_role"] == "internal_user" and "bob" in users
    assert spend(gateway, "/user/info?user_id=bob") == pytest.approx(CALL_COST)


def test_what_proves_nothing(start, issuer):
    gateway = start()
    key = issuer.keys[0]
    now = int(time.time())
    good = issuer.token()
    assert gateway.chat(key=good).status == 200
    public = json.dumps(key.public()).encode()

    def hs256(message):
        return hmac.new(public, message, hashlib.sha256).digest()

    claims = issuer.claims()
    head, body, signature = good.split(".")
    stranger = Key("one")
    other = Issuer()
    tokens = {
        "alg none": encode({"alg": "none", "kid": "one"}, claims, lambda _: b""),
        "alg None in other case": encode({"alg": "nOnE", "kid": "one"}, claims, lambda _: b""),
        "public key as secret": encode({"alg": "HS256", "kid": "one"}, claims, hs256),
        "another alg of the same key": encode({"alg": "PS256", "kid": "one"}, claims, key.sign),
        "no alg": encode({"kid": "one"}, claims, key.sign),
        "stranger's key": issuer.token(stranger),
        "edited claims": f"{head}.{b64(json.dumps(issuer.claims(sub='root')).encode())}.{signature}",
        "no signature": f"{head}.{body}.",
        "expired": issuer.token(exp=now - 1),
        "never ends": issuer.token(exp=None),
        "not yet": issuer.token(nbf=now + 300),
        "issued tomorrow": issuer.token(iat=now + 86400),
        "another audience": issuer.token(aud="somebody"),
        "no audience": issuer.token(aud=None),
        "another issuer": issuer.token(iss="https://elsewhere.example"),
        "brings its own keys": encode(
            {"alg": "RS256", "kid": "two", "jku": other.url + "/keys", "x5u": other.url, "jwk": stranger.public()},
            claims,
            stranger.sign,
        ),
        "critical extension": encode({"alg": "RS256", "kid": "one", "crit": ["exp"]}, claims, key.sign),
        "too long": issuer.token(padding="x" * 20000),
        "no json": "a.b.c",
        "text for a time": issuer.token(exp="tomorrow"),
    }
    for what, token in tokens.items():
        answer = gateway.chat(key=token)
        assert answer.status == 401, (what, answer.status, answer.body)
        assert answer.json["error"]["type"] == "auth_error", what
        assert token not in answer.body.decode(), what
    assert other.asked == [], "no address of a token is asked"
    assert "Token Expired" in said(gateway.chat(key=tokens["expired"]))
    assert "alg value is not allowed" in said(gateway.chat(key=tokens["public key as secret"]))
    assert gateway.chat(key=issuer.token(aud=["somebody", "gateway"])).status == 200
    assert good.split(".")[2] not in gateway.log(), "tokens are not logged"
    other.close()


def test_a_token_ends_on_an_open_connection_too(start, issuer):
    gateway = start()
    token = issuer.token(exp=int(time.time()) + 2)
    assert gateway.chat(key=token).status == 200
    until = time.monotonic() + 20
    while gateway.chat(key=token).status == 200:
        assert time.monotonic() < until
        time.sleep(0.1)
    assert gateway.chat(key=token).status == 401


def test_keys_are_exchanged(start, issuer):
    gateway = start()
    assert gateway.chat(key=issuer.token()).status == 200
    fetched = issuer.asked.count("/keys")
    for _ in range(3):
        gateway.chat(key=issuer.token(sub=fresh("user")))
    assert issuer.asked.count("/keys") == fetched, "calls do not fetch"
    issuer.keys = [Key("two", "ES256")]
    until = time.monotonic() + 30
    while gateway.chat(key=issuer.token()).status != 200:
        assert time.monotonic() < until, "the new key is never found"
        time.sleep(0.2)
    fetched = issuer.asked.count("/keys")
    for number in range(30):
        answer = gateway.chat(key=issuer.token(header={"kid": f"guess-{number}"}))
        assert (answer.status, "No matching public key" in said(answer)) == (401, True)
    assert issuer.asked.count("/keys") <= fetched + 2, "guessing keys does not make the gateway fetch"


def test_an_issuer_that_is_away(start, issuer):
    issuer.broken = True
    gateway = start()
    answer = gateway.chat(key=issuer.token())
    assert (answer.status, answer.json["error"]["type"]) == (503, "auth_provider_unavailable")
    assert gateway.chat().status == 200, "the master key needs no issuer"


def test_keys_of_an_address_in_the_environment(spawn, issuer):
    environment = {"JWT_PUBLIC_KEY_URL": issuer.url + "/keys", "JWT_AUDIENCE": "gateway", "JWT_ISSUER": issuer.url}
    general = {"enable_jwt_auth": True, "litellm_jwtauth": {"user_id_jwt_field": "sub", "user_id_upsert": True}}
    gateway = spawn(environment=environment, general_settings=general)
    assert gateway.chat(key=issuer.token()).status == 200
    assert "Invalid issuer" in said(gateway.chat(key=issuer.token(iss="elsewhere")))
    assert "Audience doesn't match" in said(gateway.chat(key=issuer.token(aud="elsewhere")))


def test_the_token_says_the_team(start, issuer):
    gateway = start({"team_id_jwt_field": "tenant.team", "end_user_id_jwt_field": "customer"})
    red = team(gateway, models=["gpt"])
    token = issuer.token(tenant={"team": red}, customer="c-1")
    ok(gateway.chat(key=token))
    assert spend(gateway, f"/team/info?team_id={red}") == pytest.approx(CALL_COST)
    denied = gateway.chat("claude", key=token)
    assert (denied.status, denied.json["error"]["type"]) == (403, "team_model_access_denied")
    missing = gateway.chat(key=issuer.token())
    assert missing.status == 403 and "Checked team_id field 'tenant.team'" in said(missing)
    nobody = gateway.chat(key=issuer.token(tenant={"team": "nobody"}))
    assert nobody.status == 401 and "Team doesn't exist in db. Team=nobody" in said(nobody)
    ok(gateway.ask("POST", "/team/block", {"team_id": red}))
    assert gateway.chat(key=token).status == 401
    assert gateway.ask("POST", "/key/generate", {}, key=token).status == 403, "a team's token manages nothing"


def test_the_first_team_that_has_the_model_serves(start, issuer):
    gateway = start({"team_ids_jwt_field": "groups", "enforce_team_based_model_access": True})
    red, blue = team(gateway, models=["gpt"]), team(gateway, models=["claude"])
    token = issuer.token(groups=["no-team", red, blue])
    ok(gateway.chat("gpt", key=token))
    ok(gateway.chat("claude", key=token))
    assert spend(gateway, f"/team/info?team_id={blue}") == pytest.approx(CALL_COST)
    none = gateway.chat("oai/say", key=token)
    assert none.status == 403 and "No team has access to the requested model: oai/say" in said(none)
    chosen = {"x-litellm-team-id": blue}
    assert gateway.chat("gpt", key=token, headers=chosen).status == 403
    ok(gateway.chat("claude", key=token, headers=chosen))
    assert gateway.chat("gpt", key=token, headers={"x-litellm-team-id": "elsewhere"}).status == 403
    assert gateway.chat("gpt", key=issuer.token(groups=[])).status == 403


def test_teams_and_members_are_made_where_that_is_wanted(start, issuer):
    gateway = start({"team_ids_jwt_field": "groups", "team_id_upsert": True, "upsert_sso_user_to_team": True})
    name = fresh("team")
    ok(gateway.chat(key=issuer.token(groups=[name])))
    info = ok(gateway.ask("GET", f"/team/info?team_id={name}"))["team_info"]
    assert [member["user_id"] for member in info["members_with_roles"]] == ["ann"]
    told = ok(gateway.ask("GET", f"/audit?object_id={name}"))["audit_logs"]
    assert [(row["action"], row["changed_by"]) for row in told] == [("created", "ann")]


def test_aliases_name_teams_and_organisations(start, issuer):
    gateway = start({"team_alias_jwt_field": "kubernetes\\.io.namespace", "org_alias_jwt_field": "org"})
    alias = fresh("ns")
    red = team(gateway, team_alias=alias)
    ok(gateway.ask("POST", "/organization/new", {"organization_alias": "acme"}))
    token = issuer.token(**{"kubernetes.io": {"namespace": alias}}, org="acme")
    ok(gateway.chat(key=token))
    assert spend(gateway, f"/team/info?team_id={red}")
    unknown = gateway.chat(key=issuer.token(**{"kubernetes.io": {"namespace": "elsewhere"}}))
    assert unknown.status == 401 and "`elsewhere`" in said(unknown)


def test_users_are_known_or_made(start, issuer):
    gateway = start({"user_id_upsert": False})
    unknown = gateway.chat(key=issuer.token())
    assert unknown.status == 401 and "User doesn't exist in db. 'user_id=ann'" in said(unknown)
    ok(gateway.ask("POST", "/user/new", {"user_id": "ann", "auto_create_key": False}))
    ok(gateway.chat(key=issuer.token()))
    mine = ok(gateway.ask("POST", "/key/generate", {}, key=issuer.token()))
    assert mine["user_id"] == "ann"
    assert gateway.ask("GET", "/user/list", key=issuer.token()).status in (401, 403)


def test_only_one_domain_is_let_in(start, issuer):
    gateway = start({"user_email_jwt_field": "email", "user_allowed_email_domain": "corp.example"})
    ok(gateway.chat(key=issuer.token(email="Ann@Corp.example")))
    for mail in ["ann@elsewhere.example", "ann@corp.example.evil.example", "corp.example", "@corp.example", None]:
        assert gateway.chat(key=issuer.token(email=mail)).status == 403, mail


def test_a_scope_makes_an_administrator(start, issuer):
    gateway = start({"admin_jwt_scope": "boss"})
    token = issuer.token(scope="openid boss")
    made = ok(gateway.ask("POST", "/key/generate", {"user_id": "bob"}, key=token))
    told = ok(gateway.ask("GET", f"/audit?object_id={made['token']}", key=token))["audit_logs"]
    assert told[0]["changed_by"] == "ann"
    ok(gateway.ask("POST", "/team/new", {"team_alias": "x"}, key=token))
    assert gateway.chat(key=token).status == 403, "administrators manage, unless `admin_allowed_routes` says more"
    assert gateway.ask("POST", "/team/new", {}, key=issuer.token(scope="bosses")).status in (401, 403)


def test_roles_and_scopes_say_the_models(start, issuer):
    gateway = start(
        {
            "roles_jwt_field": "groups",
            "role_mappings": [{"role": "admins", "internal_role": "proxy_admin"}],
            "jwt_litellm_role_map": [{"jwt_role": "dev-*", "litellm_role": "internal_user"}],
            "enforce_scope_based_access": True,
            "scope_mappings": [{"scope": "tier1", "models": ["gpt"]}, {"scope": "tier2", "models": ["claude"]}],
        },
        enforce_rbac=True,
        role_permissions=[{"role": "internal_user", "models": ["gpt"], "routes": ["/v1/chat/completions"]}],
    )
    dev = {"groups": ["dev-red"], "scope": ["tier1", "tier2"]}
    ok(gateway.chat("gpt", key=issuer.token(**dev)))
    assert gateway.chat("claude", key=issuer.token(**dev)).status == 403, "the scope has it, the role does not"
    assert gateway.chat("gpt", key=issuer.token(groups=["dev-red"], scope="tier2")).status == 403
    assert gateway.chat("gpt", key=issuer.token(groups=["dev-red"])).status == 403
    assert gateway.ask("GET", "/v1/models", key=issuer.token(**dev)).status == 403
    nobody = gateway.chat("gpt", key=issuer.token(groups=["guests"], scope="tier1"))
    assert nobody.status == 403 and "enforce_rbac" in said(nobody)
    ok(gateway.ask("GET", "/user/list", key=issuer.token(groups=["admins"])))


def test_virtual_keys_go_on(start, issuer):
    gateway = start()
    key = gateway.new_key()
    assert gateway.chat(key=key).status == 200
    assert gateway.chat(key="sk-a.b.c").status == 401
    assert "expected to start with 'sk-'" in said(gateway.chat(key="opaque"))


def memberships(gateway, user):
    return set(ok(gateway.ask("GET", f"/v2/user/info?user_id={user}"))["teams"])


def test_role_and_teams_are_stored_where_that_is_wanted(start, issuer):
    gateway = start({
        "sync_user_role_and_teams": True, "team_ids_jwt_field": "groups", "roles_jwt_field": "roles",
        "jwt_litellm_role_map": [{"jwt_role": "auditor", "litellm_role": "internal_user_viewer"}],
    })
    one, two, other = team(gateway), team(gateway), team(gateway)
    assert gateway.chat(key=issuer.token(sub="eve", groups=[one, two])).status == 200
    assert memberships(gateway, "eve") == {one, two}
    ok(gateway.ask("POST", "/team/member_add", {"team_id": other, "member": {"user_id": "eve", "role": "user"}}))
    assert gateway.chat(key=issuer.token(sub="eve", groups=[two], roles=["auditor"])).status in (200, 403)
    assert memberships(gateway, "eve") == {two}
    assert ok(gateway.ask("GET", "/v2/user/info?user_id=eve"))["user_role"] == "internal_user_viewer"
    assert gateway.chat(key=issuer.token(sub="eve")).status == 200
    assert memberships(gateway, "eve") == set()


def test_a_team_that_is_not_here(start, issuer):
    strict = start({"team_id_jwt_field": "team"})
    assert strict.chat(key=issuer.token(sub="bob", team="elsewhere")).status == 401
    gateway = start({"team_id_jwt_field": "team", "team_claim_fallback": True})
    token = issuer.token(sub="bob", team="elsewhere")
    assert gateway.chat(key=token).status == 200, "without a team"
    only = team(gateway, models=["gpt"])
    ok(gateway.ask("POST", "/team/member_add", {"team_id": only, "member": {"user_id": "bob", "role": "user"}}))
    assert gateway.chat("claude", issuer.token(sub="bob", team="elsewhere", n=1)).status == 403, "the user's only team"
    assert gateway.chat("gpt", issuer.token(sub="bob", team="elsewhere", n=2)).status == 200


def test_a_claim_that_names_team_or_user_by_role(start, issuer):
    gateway = start({
        "user_id_jwt_field": None, "object_id_jwt_field": "oid", "roles_jwt_field": "roles",
        "role_mappings": [{"role": "app", "internal_role": "team"}, {"role": "person", "internal_role": "internal_user"}],
    })
    id = team(gateway, models=["gpt"])
    token = issuer.token(roles=["app"], oid=id)
    assert (gateway.chat("gpt", token).status, gateway.chat("claude", token).status) == (200, 403)
    name = fresh("person")
    assert gateway.chat("claude", issuer.token(roles=["person"], oid=name)).status == 200
    assert ok(gateway.ask("GET", f"/user/info?user_id={name}"))["user_info"]["user_role"] == "internal_user"
