"""Who is no administrator: own keys, teams one runs, an organisation's teams; and nothing else."""

import time

import pytest
from support.common import fresh, ok
from support.gateway import MASTER_KEY


def user(gateway, role="internal_user", **fields):
    """A user and a key of theirs."""
    body = {"user_id": fresh("user"), "user_role": role, **fields}
    made = ok(gateway.ask("POST", "/user/new", body))
    return made["user_id"], made["key"]


def denied(answer, *statuses):
    assert answer.status in (statuses or (401, 403)), answer.body
    assert answer.json["error"]["type"] == "auth_error", answer.body


@pytest.fixture
def ann(gateway):
    return user(gateway)


@pytest.fixture
def bob(gateway):
    return user(gateway)


def generate(gateway, key, **fields):
    return gateway.ask("POST", "/key/generate", fields, key=key)


def test_a_user_keeps_keys_of_their_own(gateway, ann, bob):
    (me, key), (other, others) = ann, bob
    made = ok(generate(gateway, key, key_alias=fresh("mine"), max_budget=1))
    assert made["user_id"] == me
    ok(gateway.ask("POST", "/key/update", {"key": made["key"], "rpm_limit": 5}, key=key))
    assert ok(gateway.ask("GET", f"/key/info?key={made['key']}", key=key))["info"]["rpm_limit"] == 5
    ok(gateway.ask("POST", "/key/block", {"key": made["key"]}, key=key))
    listed = ok(gateway.ask("GET", "/key/list?size=100", key=key))["keys"]
    assert made["token"] in listed and len(listed) == 2
    again = ok(gateway.ask("GET", f"/key/list?size=100&user_id={other}&user_id={me}", key=key))["keys"]
    assert sorted(again) == sorted(listed), "asking for another's shows one's own"
    for path, body in [
        ("/key/update", {"key": others, "rpm_limit": 5}),
        ("/key/block", {"key": others}),
        ("/key/delete", {"keys": [others]}),
        (f"/key/{others}/regenerate", {}),
    ]:
        denied(gateway.ask("POST", path, body, key=key), 403)
    denied(gateway.ask("GET", f"/key/info?key={others}", key=key), 403)
    assert ok(gateway.ask("POST", "/key/delete", {"keys": [made["key"]]}, key=key))


def test_who_is_refused_reads_what_they_are(gateway, ann):
    me, key = ann
    words = f"Route=/budget/list. Your role=internal_user. Your user_id={me[:6]}{'*' * (len(me) - 8)}{me[-2:]}"
    refused = gateway.ask("GET", "/budget/list", key=key)
    denied(refused, 401)
    assert refused.json["error"]["message"].endswith(words), refused.body
    refused = gateway.ask("GET", "/budget/list", key=gateway.new_key())
    denied(refused, 401)
    assert refused.json["error"]["message"].endswith("Your role=unknown. Your user_id=*******"), refused.body


def test_a_user_gives_no_more_than_they_have(gateway, ann, bob):
    (_, key), (other, _) = ann, bob
    denied(generate(gateway, key, user_id=other), 403)
    denied(generate(gateway, key, team_id=fresh("team")), 403)
    for fields in [
        {"access_group_ids": ["g"]},
        {"budget_id": "b"},
        {"spend": 0},
        {"aliases": {"a": "b"}},
        {"organization_id": "o"},
    ]:
        denied(generate(gateway, key, **fields), 403)
    made = ok(generate(gateway, key))["key"]
    denied(gateway.ask("POST", "/key/update", {"key": made, "user_id": other}, key=key), 403)
    denied(gateway.ask("POST", "/key/update", {"key": made, "user_id": None}, key=key), 403)
    denied(gateway.ask("POST", "/key/update", {"key": made, "spend": 0}, key=key), 403)


@pytest.mark.parametrize(
    "path, body",
    [
        ("/user/new", {}),
        ("/team/new", {"team_id": "x"}),
        ("/team/delete", {"team_ids": ["x"]}),
        ("/budget/new", {}),
        ("/tag/new", {"name": "x"}),
        ("/customer/new", {"user_id": "x"}),
        ("/organization/new", {}),
        ("/key/bulk_update", {"keys": []}),
    ],
)
def test_what_is_an_administrators_stays_theirs(gateway, ann, path, body):
    denied(gateway.ask("POST", path, body, key=ann[1]), 401)


def test_who_only_looks_changes_nothing(gateway):
    me, key = user(gateway, "internal_user_viewer")
    assert ok(gateway.ask("GET", "/key/list", key=key))["total_count"] == 1
    denied(generate(gateway, key), 401)
    denied(gateway.ask("POST", "/key/update", {"key": key, "rpm_limit": 1}, key=key), 401)
    assert ok(gateway.ask("GET", f"/user/info?user_id={me}", key=key))


def test_a_key_of_nobody_manages_nothing(gateway):
    key = gateway.new_key()
    assert ok(gateway.ask("GET", "/key/info", key=key))
    denied(generate(gateway, key), 401)
    denied(gateway.ask("GET", "/key/list", key=key), 401)
    denied(gateway.ask("GET", f"/key/info?key={gateway.new_key()}", key=key), 403)


def test_an_administrators_key_sees_all(gateway):
    _, key = user(gateway, "proxy_admin")
    assert ok(gateway.ask("GET", f"/key/info?key={gateway.new_key()}", key=key))


def test_a_team_is_run_by_its_administrator(gateway, ann, bob):
    (me, key), (other, others) = ann, bob
    team = fresh("team")
    members = [{"user_id": me, "role": "admin"}, {"user_id": other, "role": "user"}]
    ok(gateway.ask("POST", "/team/new", {"team_id": team, "members_with_roles": members, "max_budget": 1}))
    made = ok(generate(gateway, key, team_id=team, user_id=other))
    assert (made["team_id"], made["user_id"]) == (team, other)
    ok(gateway.ask("POST", "/key/update", {"key": made["key"], "rpm_limit": 3}, key=key))
    assert made["token"] in ok(gateway.ask("GET", f"/key/list?team_id={team}&size=100", key=key))["keys"]
    third = {"team_id": team, "member": {"user_id": fresh("user"), "role": "user"}}
    ok(gateway.ask("POST", "/team/member_add", third, key=key))
    ok(gateway.ask("POST", "/team/update", {"team_id": team, "team_alias": fresh("ours")}, key=key))
    denied(gateway.ask("POST", "/team/update", {"team_id": team, "max_budget": 100}, key=key), 403)
    denied(gateway.ask("POST", "/team/delete", {"team_ids": [team]}, key=key), 401)
    together = {"team_id": team, "all_keys_in_team": True, "update_fields": {"rpm_limit": 4}}
    assert ok(gateway.ask("POST", "/team/key/bulk_update", together, key=key))["total_requested"] == 1
    budget = {**together, "update_fields": {"budget_id": "b"}}
    denied(gateway.ask("POST", "/team/key/bulk_update", budget, key=key), 403)
    denied(gateway.ask("POST", "/team/key/bulk_update", together, key=others), 401)
    # Its members look, and do what the team permits.
    assert ok(gateway.ask("GET", f"/team/info?team_id={team}", key=others))["team_id"] == team
    denied(gateway.ask("POST", "/team/member_add", third, key=others), 403)
    denied(generate(gateway, others, team_id=team), 403)
    permitted = {"team_id": team, "team_member_permissions": ["/key/info", "/key/generate"]}
    ok(gateway.ask("POST", "/team/update", permitted))
    assert ok(generate(gateway, others, team_id=team))["user_id"] == other
    # Strangers do neither.
    _, stranger = user(gateway)
    denied(gateway.ask("GET", f"/team/info?team_id={team}", key=stranger), 403)
    assert team not in [row["team_id"] for row in ok(gateway.ask("GET", "/team/list", key=stranger))]
    assert team in [row["team_id"] for row in ok(gateway.ask("GET", "/team/list", key=others))]


def test_an_organisations_administrator_makes_its_teams(gateway, ann):
    me, key = ann
    organization = ok(gateway.ask("POST", "/organization/new", {"organization_alias": fresh("org")}))["organization_id"]
    body = {"organization_id": organization, "member": {"role": "org_admin", "user_id": me}}
    ok(gateway.ask("POST", "/organization/member_add", body))
    team = ok(gateway.ask("POST", "/team/new", {"team_id": fresh("team"), "organization_id": organization}, key=key))
    assert ok(generate(gateway, key, team_id=team["team_id"]))["team_id"] == team["team_id"]
    denied(gateway.ask("POST", "/team/new", {"team_id": fresh("team")}, key=key), 401)
    assert ok(gateway.ask("GET", f"/organization/info?organization_id={organization}", key=key))
    foreign = ok(gateway.ask("POST", "/organization/new", {"organization_alias": fresh("org")}))["organization_id"]
    denied(gateway.ask("GET", f"/organization/info?organization_id={foreign}", key=key), 403)
    several = lambda *ids: gateway.ask("POST", "/organization/info", {"organizations": list(ids)}, key=key)
    assert [row["organization_id"] for row in ok(several(organization))] == [organization]
    denied(several(organization, foreign), 403)
    assert several().status == 400
    denied(gateway.ask("POST", "/team/new", {"organization_id": foreign}, key=key), 401)


def test_a_user_sees_their_own_days(gateway, ann, bob):
    (me, key), (other, others) = ann, bob
    assert gateway.chat(key=others).status == 200
    path = f"/user/daily/activity?start_date=2020-01-01&end_date=2100-01-01&user_id={other}"
    calls = lambda key: ok(gateway.ask("GET", path, key=key))["metadata"]["total_api_requests"]
    until = time.monotonic() + 15
    while calls(MASTER_KEY) < 1:
        assert time.monotonic() < until
        time.sleep(0.1)
    assert (calls(others), calls(key)) == (1, 0)


def test_a_user_reads_its_own_row(gateway, ann, bob):
    user, key = ann
    row = ok(gateway.ask("GET", "/v2/user/info", None, key))
    assert (row["user_id"], row["teams"], row["user_role"]) == (user, [], "internal_user")
    denied(gateway.ask("GET", f"/v2/user/info?user_id={bob[0]}", None, key))
    assert ok(gateway.ask("GET", f"/v2/user/info?user_id={user}"))["user_id"] == user
    assert gateway.ask("GET", "/v2/user/info").status == 422
