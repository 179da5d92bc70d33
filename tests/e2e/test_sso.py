"""Single sign-on through the real binary and a provider of the test's own: who gets in, as whom, and who does not."""

import concurrent.futures
import hashlib
import hmac
import http.client
import json
import re
from concurrent.futures import ThreadPoolExecutor
import urllib.parse

import pytest

from support.gateway import MASTER_KEY
from support.issuer import Key, b64
from support.provider import ACCESS, CLIENT, SECRET, Provider


@pytest.fixture
def people():
    provider = Provider()
    yield provider
    provider.close()


@pytest.fixture
def start(spawn, people):
    def started(sections=None, **environment):
        return spawn(environment={**people.environment(), **environment}, **(sections or {}))

    return started


def ask(gateway, method, path, body=None, **headers):
    """One request, without following where it leads."""
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=30)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    return answer.status, answer.headers, data


def begin(gateway, query=""):
    """Where the browser is sent, and its cookie."""
    status, headers, body = ask(gateway, "GET", "/sso/key/generate" + query)
    assert status == 303, body
    return headers["location"], headers["set-cookie"].split(";")[0]


def finish(gateway, code, state, cookie, **headers):
    query = urllib.parse.urlencode({"code": code, "state": state})
    given = {**({"cookie": cookie} if cookie else {}), **headers}
    status, headers, body = ask(gateway, "GET", f"/sso/callback?{query}", **given)
    return status, headers, json.loads(body)


def sign_in(gateway, people):
    address, cookie = begin(gateway)
    return finish(gateway, *people.sign_in(address), cookie)


def cookies(headers):
    return " | ".join(headers.get_all("set-cookie"))


def test_a_person_signs_in_and_manages(start, people):
    gateway = start(PROXY_ADMIN_ID="ann")
    status, headers, _ = ask(gateway, "GET", "/sso/key/generate")
    asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(headers["location"]).query))
    assert asked["redirect_uri"] == "https://gateway.example/sso/callback"
    assert (asked["code_challenge_method"], asked["response_type"], asked["client_id"]) == ("S256", "code", CLIENT)
    assert asked["state"] and asked["nonce"] and SECRET not in headers["location"]
    cookie = headers["set-cookie"]
    assert cookie.startswith("__Host-gateway_sso=")
    assert all(word in cookie for word in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/"])
    status, headers, made = sign_in(gateway, people)
    assert status == 200, made
    assert (made["user_id"], made["user_email"], made["user_role"]) == ("ann", "ann@corp.example", "proxy_admin")
    assert headers["cache-control"] == "no-store" and "__Host-gateway_sso=; " in cookies(headers)
    claims = json.loads(json.loads(json.dumps(_decoded(made["token"]))))
    assert (claims["key"], claims["user_role"], claims["login_method"]) == (made["key"], "proxy_admin", "sso")
    forged = hmac.new(MASTER_KEY.encode(), made["token"].rsplit(".", 1)[0].encode(), hashlib.sha256).digest()
    assert made["token"].rsplit(".", 1)[1] != b64(forged), "the master key cannot be guessed from a session"
    team = gateway.ask("POST", "/team/new", {"team_alias": "red"}, key=made["key"])
    assert team.status == 200, team.body
    told = gateway.ask("GET", f"/audit?object_id={team.json['team_id']}", key=made["key"]).json["audit_logs"]
    assert told[0]["changed_by"] == "ann"
    assert gateway.chat(key=made["key"]).status == 403, "a session manages, it does not call models"
    info = gateway.ask("GET", f"/key/info?key={made['key']}").json["info"]
    assert info["expires"] and info["user_id"] == "ann"
    log = gateway.log()
    assert not [secret for secret in (made["key"], made["token"], SECRET, ACCESS, cookie[20:60]) if secret in log]
    assert gateway.ask("POST", "/session/logout", {}, key=made["key"]).status == 200
    assert gateway.ask("GET", "/key/list", key=made["key"]).status == 401
    assert gateway.ask("POST", "/session/logout", {}, key=gateway.new_key()).status == 400
    assert gateway.ask("POST", "/session/logout", {}).status == 400


def _decoded(token):
    import base64

    part = token.split(".")[1]
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode()


def test_browsers_see_a_page_that_runs_nothing(start, people):
    gateway = start()
    people.person["email"] = "<script>alert(1)</script>@corp.example"
    address, cookie = begin(gateway)
    code, state = people.sign_in(address)
    query = urllib.parse.urlencode({"code": code, "state": state})
    status, headers, body = ask(gateway, "GET", f"/sso/callback?{query}", cookie=cookie, accept="text/html,*/*")
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert b"<script>" not in body and b"&lt;script&gt;" in body and b"sk-" in body
    assert "default-src 'none'" in headers["content-security-policy"]
    status, headers, body = ask(gateway, "GET", "/sso/callback?state=x", accept="text/html")
    assert status == 400 and b"<h1>Not signed in</h1>" in body


def test_people_are_not_administrators_unless_said(start, people):
    gateway = start()
    _, _, made = sign_in(gateway, people)
    assert made["user_role"] == "internal_user_viewer"
    assert gateway.ask("POST", "/team/new", {}, key=made["key"]).status in (401, 403)
    people.person["role"] = "proxy_admin_viewer"
    _, _, made = sign_in(gateway, people)
    assert made["user_role"] == "proxy_admin_viewer"
    assert gateway.ask("GET", "/user/list", key=made["key"]).status == 200
    people.person["role"] = "root"
    assert sign_in(gateway, people)[2]["user_role"] == "proxy_admin_viewer"


def test_new_users_get_the_defaults_and_known_ones_are_found_by_their_address(start, people):
    defaults = {"user_role": "internal_user", "max_budget": 7, "models": ["gpt"]}
    gateway = start({"litellm_settings": {"default_internal_user_params": defaults}})
    assert sign_in(gateway, people)[2]["user_role"] == "internal_user"
    info = gateway.ask("GET", "/user/info?user_id=ann").json["user_info"]
    assert (info["max_budget"], info["models"], info["sso_user_id"]) == (7, ["gpt"], "ann")
    bob = gateway.ask("POST", "/user/new", {"user_email": "Bob@corp.example", "auto_create_key": False}).json
    assert bob["max_budget"] == 7, "users that are made by hand get them too"
    people.person = {"sub": "b-1", "preferred_username": "bob", "email": "bob@corp.example"}
    assert sign_in(gateway, people)[2]["user_id"] == bob["user_id"]
    people.person = {"sub": "e-1", "preferred_username": "eve", "email": "bob@corp.example", "email_verified": False}
    status, _, made = sign_in(gateway, people)
    assert (status, made["user_id"]) == (200, "eve"), "an address that nobody verified makes nobody Bob"


def test_a_name_that_changes_hands_takes_nobodys_user(start, people):
    gateway = start()
    assert sign_in(gateway, people)[0] == 200
    people.person["sub"] = "another-ann"
    status, _, told = sign_in(gateway, people)
    assert status == 403 and "sso_subject" in told["error"]["message"]
    assert gateway.ask("POST", "/user/update", {"user_id": "ann", "sso_subject": None}).status == 200
    assert sign_in(gateway, people)[0] == 200, "an administrator let the new one have it"
    people.person = {"sub": "m-1", "preferred_username": "default_user_id"}
    assert sign_in(gateway, people)[0] == 403, "nobody becomes the operator by a name"


def test_groups_become_roles_and_teams(start, people):
    jwt = {"enable_jwt_auth": True, "litellm_jwtauth": {"team_ids_jwt_field": "groups"}}
    mapping = json.dumps({"proxy_admin_viewer": ["ops"], "internal_user": ["dev"]})
    gateway = start(
        {"general_settings": jwt},
        JWT_PUBLIC_KEY_URL=people.url + "/keys",
        GENERIC_ROLE_MAPPINGS_GROUP_CLAIM="groups",
        GENERIC_ROLE_MAPPINGS_ROLES=mapping,
        GENERIC_ROLE_MAPPINGS_DEFAULT_ROLE="internal_user_viewer",
    )
    assert gateway.ask("POST", "/team/new", {"team_id": "dev"}).status == 200
    people.claims = {"groups": ["dev", "ops", "unknown"]}
    assert sign_in(gateway, people)[2]["user_role"] == "proxy_admin_viewer", "the ID token says groups, too"
    members = gateway.ask("GET", "/team/info?team_id=dev").json["team_info"]["members_with_roles"]
    assert "ann" in [member["user_id"] for member in members]
    people.claims = {"groups": ["dev"]}
    assert sign_in(gateway, people)[2]["user_role"] == "internal_user"


def test_only_the_browser_that_began_ends_and_once(start, people):
    gateway = start()
    address, cookie = begin(gateway)
    other_address, other_cookie = begin(gateway)
    code, state = people.sign_in(address)
    name, value = cookie.split("=", 1)
    secret, until, _ = value.split(".")
    for wrong_state, wrong_cookie in [
        (state, None),
        (state, other_cookie),
        ("", cookie),
        ("guess", cookie),
        (state, f"{name}=nonsense"),
        (state, f"{name}={secret}.{int(until) - 1}."),
        (state, f"{name}={secret}.{until}.cli-other"),
        (state, f"other={value}"),
    ]:
        assert finish(gateway, code, wrong_state, wrong_cookie)[0] == 400
    assert people.forms == [], "nobody asked the provider"
    assert finish(gateway, code, state, cookie)[0] == 200
    people.codes["again"] = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(address).query))
    status, _, told = finish(gateway, "again", state, cookie)
    assert status == 400 and "given before" in told["error"]["message"], "a state is good once, whatever the code"
    people.sign_in(other_address)
    stolen, _ = people.sign_in(address)
    other_state = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(other_address).query))["state"]
    assert finish(gateway, stolen, other_state, other_cookie)[0] == 502, "PKCE: a code is of the browser that asked"
    address, cookie = begin(gateway)
    _, state = people.sign_in(address)
    assert ask(gateway, "GET", f"/sso/callback?state={state}&error=access_denied", cookie=cookie)[0] == 401


def test_one_of_many_equal_answers_is_taken(start, people):
    gateway = start()
    address, cookie = begin(gateway)
    code, state = people.sign_in(address)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: finish(gateway, code, state, cookie)[0], range(8)))
    assert sorted(done) == [200] + [400] * 7
    assert len(people.forms) == 1


def test_no_request_says_where_people_are_sent(start, people):
    gateway = start()
    evil = "https://evil.example"
    query = "?" + urllib.parse.urlencode(dict.fromkeys(["redirect_uri", "return_to", "redirect_to", "next"], evil))
    address, cookie = begin(gateway, query)
    status, headers, _ = ask(gateway, "GET", "/sso/key/generate", host="evil.example", x_forwarded_host="evil.example")
    assert status == 303
    assert "evil" not in address and "evil" not in headers["location"] and "evil" not in headers["set-cookie"]
    code, state = people.sign_in(address)
    query = urllib.parse.urlencode({"code": code, "state": state, "redirect_to": evil, "return_to": evil})
    status, headers, body = ask(gateway, "GET", f"/sso/callback?{query}", cookie=cookie, host="evil.example")
    assert status == 200 and "location" not in headers and b"evil" not in body


@pytest.mark.parametrize("configured", [False, True], ids=["keys guessed", "issuer configured"])
def test_id_tokens_that_prove_nothing_are_refused(start, people, configured):
    gateway = start(**({"GENERIC_ISSUER": people.url} if configured else {}))
    assert sign_in(gateway, people)[0] == 200
    assert "/keys" in people.asked, "the signature is looked at"
    for wrong in [
        {"nonce": "of-another-sign-in"},
        {"nonce": None},
        {"aud": "another-client"},
        {"aud": [CLIENT, "another-client"]},
        {"azp": "another-client"},
        {"exp": 5},
        {"exp": None},
        {"sub": "somebody-else"},
    ]:
        people.claims = wrong
        status, _, told = sign_in(gateway, people)
        assert status == 401, (wrong, told)
    people.claims = {}
    for header in [{"alg": "none"}, {"alg": "HS256"}, {"crit": ["x"]}]:
        people.header = header
        assert sign_in(gateway, people)[0] == 401, header
    people.header = {}
    people.signs_with = Key("one")
    assert sign_in(gateway, people)[0] == 401, "another key under the same name"
    people.signs_with = Key("two")
    assert sign_in(gateway, people)[0] == 401, "a key that is not published"
    people.signs_with = None
    assert sign_in(gateway, people)[0] == 200
    people.claims = {"iss": "https://evil.example"}
    status, _, _ = sign_in(gateway, people)
    assert status == (401 if configured else 200), "an issuer elsewhere is trusted for the host that gave the token"
    people.claims, people.with_id_token = {}, False
    assert sign_in(gateway, people)[0] == (401 if configured else 200)
    assert not [path for path in people.asked if "evil" in path]


def test_domains_and_blocked_users(start, people):
    gateway = start(ALLOWED_EMAIL_DOMAINS="corp.example")
    assert sign_in(gateway, people)[0] == 200
    assert gateway.ask("POST", "/user/update", {"user_id": "ann", "blocked": True}).status == 200
    assert sign_in(gateway, people)[0] == 403
    people.person = {"sub": "eve", "email": "eve@corp.example.evil"}
    assert sign_in(gateway, people)[0] == 403
    assert gateway.ask("GET", "/user/info?user_id=eve").status == 404


def test_other_providers(spawn, people):
    """GitHub has no ID tokens; Microsoft's are of a tenant."""
    people.person = {"id": 77, "login": "ann", "email": "public@profile.example"}
    people.emails = [
        {"email": "old@corp.example", "primary": False, "verified": True},
        {"email": "ann@corp.example", "primary": True, "verified": True},
    ]
    people.with_id_token = False
    base = {"PROXY_BASE_URL": "http://gateway.example"}
    github = {
        "GITHUB_CLIENT_ID": CLIENT,
        "GITHUB_CLIENT_SECRET": SECRET,
        "GITHUB_AUTHORIZATION_ENDPOINT": people.url + "/authorize",
        "GITHUB_TOKEN_ENDPOINT": people.url + "/token",
        "GITHUB_USERINFO_ENDPOINT": people.url + "/user",
    }
    gateway = spawn(environment={**base, **github, "ALLOWED_EMAIL_DOMAINS": "corp.example"})
    address, cookie = begin(gateway)
    assert cookie.startswith("gateway_sso=") and "nonce" not in address
    status, _, made = finish(gateway, *people.sign_in(address), cookie)
    assert (status, made.get("user_id"), made.get("user_email")) == (200, "77", "ann@corp.example"), made
    people.emails[1]["verified"] = False
    assert sign_in(gateway, people)[0] == 403, "an address that is not verified lets nobody in"
    tenant = "11111111-2222-3333-4444-555555555555"
    microsoft = {
        "MICROSOFT_CLIENT_ID": CLIENT,
        "MICROSOFT_CLIENT_SECRET": SECRET,
        "MICROSOFT_TENANT": tenant,
        "MICROSOFT_AUTHORIZATION_ENDPOINT": people.url + "/authorize",
        "MICROSOFT_TOKEN_ENDPOINT": people.url + "/token",
        "MICROSOFT_USERINFO_ENDPOINT": people.url + "/me",
        "MICROSOFT_JWKS_ENDPOINT": people.url + "/keys",
    }
    gateway = spawn(environment={**base, **microsoft})
    people.person = {"id": "o-1", "userPrincipalName": "ann@corp.example", "displayName": "Ann"}
    people.with_id_token = True
    own = {"iss": f"https://login.microsoftonline.com/{tenant}/v2.0", "tid": tenant, "oid": "o-1", "roles": ["proxy_admin"]}
    people.claims = own
    status, _, made = sign_in(gateway, people)
    assert (status, made.get("user_id"), made.get("user_role")) == (200, "o-1", "proxy_admin"), made
    other = "99999999-2222-3333-4444-555555555555"
    for wrong in [
        {"tid": other, "iss": f"https://login.microsoftonline.com/{other}/v2.0"},
        {"tid": None},
        {"iss": "https://login.microsoftonline.com/evil/v2.0"},
        {"oid": "o-2"},
    ]:
        people.claims = own | wrong
        assert sign_in(gateway, people)[0] == 401, wrong


def test_the_operator_signs_in_by_password(spawn, start):
    gateway = spawn(environment={"UI_USERNAME": "root", "UI_PASSWORD": "correct horse"})
    status, headers, body = ask(gateway, "GET", "/sso/key/generate")
    assert status == 200 and b'name="password"' in body, "where no provider is configured"
    right = {"username": "root", "password": "correct horse"}
    form = {"content_type": "application/x-www-form-urlencoded"}
    status, headers, body = ask(gateway, "POST", "/login", urllib.parse.urlencode(right), **form)
    assert status == 200 and "token=" in headers["set-cookie"] and "HttpOnly" in headers["set-cookie"]
    made = gateway.ask("POST", "/v2/login", right, key=None)
    assert (made.status, made.json["user_role"], made.json["login_method"]) == (200, "proxy_admin", "username_password")
    assert made.json["redirect_url"].endswith("/ui/?login=success") and made.json["token"].count(".") == 2
    assert gateway.ask("GET", "/user/list", key=made.json["key"]).status == 200
    assert gateway.chat(key=made.json["key"]).status == 403
    code = gateway.ask("POST", "/v3/login", right, key=None).json["code"]
    changed = gateway.ask("POST", "/v3/login/exchange", {"code": code}, key=None)
    assert changed.status == 200 and gateway.ask("GET", "/user/list", key=changed.json["key"]).status == 200
    assert gateway.ask("POST", "/v3/login/exchange", {"code": code}, key=None).status == 401, "a code is good once"
    for wrong in [{**right, "password": "x"}, {**right, "username": "admin"}, {}]:
        denied = gateway.ask("POST", "/v2/login", wrong, key=None)
        assert denied.status == 401, denied.body
        assert (denied.json["error"]["type"], denied.json["error"]["param"]) == ("auth_error", "invalid_credentials")
    denied = [gateway.ask("POST", "/v2/login", {**right, "password": "x"}, key=None).status for _ in range(10)]
    assert denied[-1] == 429 and gateway.ask("POST", "/v2/login", right, key=None).status == 429
    assert "correct horse" not in gateway.log()
    assert spawn().ask("POST", "/v2/login", {"username": "admin", "password": MASTER_KEY}, key=None).status == 200
    only = {"general_settings": {"disable_password_login_when_sso_enabled": True}}
    closed = start(only).ask("POST", "/v2/login", {"username": "admin", "password": MASTER_KEY}, key=None)
    assert closed.status == 403 and "disable_password_login_when_sso_enabled" in closed.body.decode()


def test_without_a_provider_it_says_what_lacks(spawn, start):
    gateway = spawn()
    assert gateway.ask("GET", "/sso/readiness").json["sso_configured"] is False
    assert gateway.ask("GET", "/sso/readiness", key=None).status == 401
    assert gateway.ask("GET", "/sso/readiness", key=gateway.new_key()).status == 401
    assert gateway.ask("GET", "/sso/get/ui_settings").json["SSO_ENABLED"] is False
    status, _, body = ask(gateway, "GET", "/sso/callback?state=x&code=y")
    assert status == 404 and b"GENERIC_CLIENT_ID" in body
    lacking = start(GENERIC_TOKEN_ENDPOINT="", GENERIC_ROLE_MAPPINGS_ROLES="nonsense")
    answer = lacking.ask("GET", "/sso/readiness")
    assert (answer.status, answer.json["missing_environment_variables"]) == (503, ["GENERIC_TOKEN_ENDPOINT"])
    assert "GENERIC_ROLE_MAPPINGS_ROLES" in answer.json["problems"][0]
    assert ask(lacking, "GET", "/sso/key/generate")[0] == 500
    ready = start().ask("GET", "/sso/readiness")
    assert (ready.status, ready.json["provider"]) == (200, "generic")


def cli(gateway, login, team=None, secret=None):
    headers = {"x-litellm-cli-poll-secret": secret or login["poll_secret"]}
    query = f"?team_id={team}" if team else ""
    return gateway.ask("GET", f"/sso/cli/poll/{login['login_id']}{query}", key=None, headers=headers)


def in_the_browser(gateway, people, login):
    """The ticket of the page that asks for the code."""
    address, cookie = begin(gateway, f"?source=litellm-cli&key={login['login_id']}")
    query = urllib.parse.urlencode(dict(zip(("code", "state"), people.sign_in(address))))
    status, _, body = ask(gateway, "GET", f"/sso/callback?{query}", cookie=cookie)
    assert status == 200, body
    assert login["user_code"].encode() not in body and b"sk-" not in body
    return re.search(rb'name="ticket" value="([^"]+)"', body)[1].decode()


def confirm(gateway, login, ticket, code=None):
    body = {"ticket": ticket, "user_code": code or login["user_code"]}
    return gateway.ask("POST", f"/sso/cli/complete/{login['login_id']}", body, key=None).status


def test_a_command_line_gets_a_key_for_calls(start, people):
    gateway = start({"litellm_settings": {"default_internal_user_params": {"user_role": "internal_user"}}})
    login = gateway.ask("POST", "/sso/cli/start", key=None).json
    assert re.fullmatch(r"[A-Z2-9]{4}-[A-Z2-9]{4}", login["user_code"])
    assert cli(gateway, login).json == {"status": "pending"}
    assert cli(gateway, login, secret="guess").status == 403
    ticket = in_the_browser(gateway, people, login)
    assert cli(gateway, login).json == {"status": "pending"}, "nobody typed the code"
    assert confirm(gateway, login, "another browser") == 403
    assert confirm(gateway, login, ticket, "AAAA-AAAA") == 400
    assert confirm(gateway, login, ticket) == 200
    ready = cli(gateway, login).json
    assert (ready["status"], ready["user_id"], ready["teams"]) == ("ready", "ann", [])
    assert gateway.chat(key=ready["key"]).status == 200
    assert cli(gateway, login).status == 404, "a key is given once"
    assert ready["key"] not in gateway.log()
    for name in ("red", "blue"):
        member = {"user_id": "ann", "role": "user"}
        assert gateway.ask("POST", "/team/new", {"team_id": name, "members_with_roles": [member]}).status == 200
    login = gateway.ask("POST", "/sso/cli/start", key=None).json
    assert confirm(gateway, login, in_the_browser(gateway, people, login)) == 200
    choice = cli(gateway, login).json
    assert choice["requires_team_selection"] and sorted(choice["teams"]) == ["blue", "red"]
    assert cli(gateway, login, team="green").status == 403
    ready = cli(gateway, login, team="red").json
    assert gateway.key_info(ready["key"])["team_id"] == "red"


def test_one_address_does_not_take_the_room_of_all(start):
    """Sign-ins that wait are kept for minutes; nobody needs a key to begin one."""
    gateway = start({"general_settings": {"use_x_forwarded_for": True}})

    def begin(address):
        return gateway.ask("POST", "/sso/cli/start", key=None, headers={"x-forwarded-for": address})

    with ThreadPoolExecutor(8) as pool:
        # Of one network of IPv6 somebody has every address.
        statuses = list(pool.map(lambda n: begin(f"2001:db8:1:2::{n:x}").status, range(1_050)))
    assert set(statuses) == {200, 429} and 1_000 <= statuses.count(200) <= 1_010
    refused = begin("2001:db8:1:2:ffff::1")
    assert refused.status == 429 and "too many sign-ins" in refused.body.decode()
    assert begin("2001:db8:1:3::1").status == begin("192.0.2.7").status == 200


def test_codes_of_command_lines_cannot_be_guessed(start, people):
    gateway = start()
    login = gateway.ask("POST", "/sso/cli/start", key=None).json
    ticket = in_the_browser(gateway, people, login)
    assert [confirm(gateway, login, ticket, "AAAA-AAAA") for _ in range(5)] == [400, 400, 400, 400, 404]
    assert confirm(gateway, login, ticket) == 404 and cli(gateway, login).status == 404
    status, _, _ = ask(gateway, "GET", "/sso/key/generate?source=litellm-cli&key=cli-unknown")
    assert status == 404
