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
    body = answer.json
    assert body.get("detail") or body["error"]["type"] in ("auth_error", "team_member_permission_error"), answer.body


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
    listed = ok(gateway.ask("GET", "/key/list?size=100", key=key))["keys"]
    assert made["token"] in listed and len(listed) == 2
    asks = lambda query: gateway.ask("GET", f"/key/list?size=100&{query}", key=key)
    for query in (f"user_id={other}", f"user_id={other}&user_id={me}", "team_id=other", "organization_id=other"):
        refused = asks(query)
        assert (refused.status, refused.json["error"]["param"]) == (403, query.split("=")[0])
    part = ok(asks(f"substring_matching=true&user_id={me}"))["keys"]
    assert sorted(part) == sorted(listed), "a part of an id finds nobody else's"
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
    assert generate(gateway, key, team_id=fresh("team")).status == 400, "no such team"
    denied(gateway.ask("POST", "/key/bulk_update", {"keys": []}, key=key), 403)
    for fields in [
        {"access_group_ids": ["g"]},
        {"budget_id": "b"},
        {"spend": 0},
        {"aliases": {"a": "b"}},
        {"organization_id": "o"},
        {"allowed_routes": ["/team/new"]},
        {"key_type": "management"},
        {"permissions": {"get_spend_routes": True}},
        {"throttle_on_budget_exceeded": True},
        {"default_estimated_output_tokens": 1},
        {"metadata": {"default_estimated_output_tokens": 1}},
        {"metadata": {"service_account_id": "s"}},
    ]:
        denied(generate(gateway, key, **fields), 403)
    ok(generate(gateway, key, key_type="llm_api", allowed_routes=[], permissions={}, throttle_on_budget_exceeded=False))
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
        ("/model/new", {}),
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
    denied(generate(gateway, others, team_id=team), 401)
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


def test_what_a_key_may_spend_is_not_its_holders_to_change(gateway, ann):
    me, key = ann
    update = lambda name, **fields: gateway.ask("POST", "/key/update", {"key": name, **fields}, key=key)
    given = gateway.new_key(user_id=me, max_budget=1)
    denied(update(given, key_alias=fresh("mine")), 403)
    made = ok(generate(gateway, key, max_budget=1, budget_duration="30d"))["key"]
    ok(update(made, rpm_limit=5, max_budget=1, budget_duration="30d"))
    for fields in (
        {"max_budget": 2},
        {"max_budget": None},
        {"budget_duration": "1s"},
        {"soft_budget": 1},
        {"budget_limits": [{"budget_duration": "1d", "max_budget": 5}]},
        {"temp_budget_increase": 5, "temp_budget_expiry": "2100-01-01"},
    ):
        denied(update(made, **fields), 403)
        denied(gateway.ask("POST", f"/key/{made}/regenerate", fields, key=key), 403)
    info = ok(gateway.ask("GET", f"/key/info?key={made}"))["info"]
    assert (info["max_budget"], info["budget_duration"], info["soft_budget"]) == (1, "30d", None)
    # What an administrator blocked stays so.
    ok(gateway.ask("POST", "/key/block", {"key": made}))
    denied(gateway.ask("POST", "/key/unblock", {"key": made}, key=key), 403)
    denied(update(made, blocked=False), 403)
    denied(gateway.ask("POST", f"/key/{made}/reset_spend", {"reset_to": 0}, key=key), 403)
    assert gateway.chat(key=made).status == 401
    # No key gives another more than it has.
    small = ok(generate(gateway, key, max_budget=0.5))["key"]
    assert generate(gateway, small, max_budget=1).status == 400
    assert generate(gateway, small, budget_limits=[{"budget_duration": "1d", "max_budget": 1}]).status == 400
    assert ok(generate(gateway, small, max_budget=0.5))["max_budget"] == 0.5


def test_a_teams_administrator_manages_its_keys(gateway, ann, bob):
    (me, key), (other, others) = ann, bob
    team = fresh("team")
    members = [{"user_id": me, "role": "admin"}, {"user_id": other, "role": "user"}]
    ok(gateway.ask("POST", "/team/new", {"team_id": team, "members_with_roles": members}))
    theirs = gateway.new_key(user_id=other, team_id=team, max_budget=1)
    act = lambda path, body, key=key: gateway.ask("POST", path, body, key=key)
    assert act("/key/block", {"key": theirs}).status == 200 and gateway.chat(key=theirs).status == 401
    denied(act("/key/unblock", {"key": theirs}, others), 403)
    ok(act("/key/unblock", {"key": theirs}))
    ok(act("/key/update", {"key": theirs, "max_budget": 2}))
    assert gateway.chat(key=theirs).status == 200
    ok(act(f"/key/{theirs}/reset_spend", {"reset_to": 0}))
    service = act("/key/service-account/generate", {"team_id": team, "key_alias": fresh("robot")})
    assert ok(service)["team_id"] == team and service.json["user_id"] is None
    denied(act("/key/service-account/generate", {"team_id": team}, others), 401)
    # A member does with the team's keys what the team permits, its own among them.
    denied(act("/key/update", {"key": theirs, "rpm_limit": 7}, others), 401)
    ok(gateway.ask("POST", "/team/permissions_update", {"team_id": team, "team_member_permissions": ["/key/update"]}))
    ok(act("/key/update", {"key": theirs, "rpm_limit": 7}, others))
    denied(act("/key/update", {"key": theirs, "max_budget": 9}, others), 403)
    assert act("/key/generate", {"team_id": team, "user_id": fresh("stranger")}).status == 400, "no member"


def test_aliases_and_several_keys_are_shown_to_whom_they_belong(gateway, ann, bob):
    (me, key), (other, others) = ann, bob
    team, mine, ours, theirs = fresh("team"), fresh("a-mine"), fresh("b-ours"), fresh("c-theirs")
    ok(gateway.ask("POST", "/team/new", {"team_id": team, "members_with_roles": [{"user_id": me, "role": "user"}]}))
    own = gateway.new_key(user_id=me, key_alias=mine)
    of_team = gateway.new_key(team_id=team, key_alias=ours)
    foreign = gateway.new_key(user_id=other, key_alias=theirs)
    aliases = lambda key, query="": ok(gateway.ask("GET", f"/key/aliases?size=100{query}", key=key))
    assert aliases(key)["aliases"] == [mine, ours] and aliases(key)["total_count"] == 2
    assert aliases(key, f"&team_id={team}")["aliases"] == [ours]
    assert aliases(others)["aliases"] == [theirs]
    for alias in (mine, ours, theirs):
        assert aliases(MASTER_KEY, f"&search={alias}")["aliases"] == [alias]
    asked = {"keys": [own, of_team, foreign]}
    rows = lambda key: [row["key_alias"] for row in ok(gateway.ask("POST", "/v2/key/info", asked, key=key))["info"]]
    assert rows(key) == [mine, ours], "members see their team's keys"
    assert rows(others) == [theirs] and rows(MASTER_KEY) == [mine, ours, theirs]
    assert rows(of_team) == [ours], "a key of nobody sees itself"


def test_members_see_what_their_teams_show(gateway, ann, bob):
    (me, key), (other, others) = ann, bob
    team = fresh("team")
    members = [{"user_id": me, "role": "admin"}, {"user_id": other, "role": "user"}]
    ok(gateway.ask("POST", "/team/new", {"team_id": team, "members_with_roles": members}))
    service = ok(gateway.ask("POST", "/key/service-account/generate", {"team_id": team, "key_alias": fresh("robot")}))
    anns = ok(gateway.ask("POST", "/key/generate", {"team_id": team, "user_id": me}))
    listed = lambda key, query: set(ok(gateway.ask("GET", f"/key/list?size=100&{query}", key=key))["keys"])
    teams = "include_team_keys=true"
    assert {service["token"], anns["token"]} <= listed(key, teams)
    assert service["token"] in listed(others, teams) and anns["token"] not in listed(others, teams)
    assert service["token"] not in listed(others, "")
    permitted = {"team_id": team, "team_member_permissions": ["/key/list"]}
    ok(gateway.ask("POST", "/team/permissions_update", permitted))
    assert anns["token"] in listed(others, teams)
    made = ok(generate(gateway, key, team_id=team, user_id=other))["token"]
    assert made not in listed(key, "") and made in listed(key, "include_created_by_keys=true")


def test_days_of_teams_and_tags_show_a_member_its_own(gateway, ann, bob):
    (me, key), (other, others) = ann, bob
    team, tag, hidden = fresh("team"), fresh("tag"), fresh("tag")
    members = [{"user_id": me, "role": "admin"}, {"user_id": other, "role": "user"}]
    ok(gateway.ask("POST", "/team/new", {"team_id": team, "members_with_roles": members}))
    for whose, label in ((me, hidden), (me, hidden), (other, tag)):
        call = {"model": "gpt", "messages": [{"role": "user", "content": "hi"}], "metadata": {"tags": [label]}}
        ok(gateway.ask("POST", "/v1/chat/completions", call, key=gateway.new_key(user_id=whose, team_id=team)))
    days = "start_date=2020-01-01&end_date=2100-01-01"
    ask = lambda path, key, query="": gateway.ask("GET", f"{path}?{days}{query}", key=key)
    calls = lambda path, key, query="": ok(ask(path, key, query))["metadata"]["total_api_requests"]
    until = time.monotonic() + 15
    while calls("/team/daily/activity", MASTER_KEY, f"&team_ids={team}") < 3:
        assert time.monotonic() < until
        time.sleep(0.1)
    assert (calls("/team/daily/activity", key), calls("/team/daily/activity", others)) == (3, 1)
    stranger = user(gateway)[1]
    assert calls("/team/daily/activity", stranger) == 0, "who is in no team sees nothing"
    refused = ask("/team/daily/activity", stranger, f"&team_ids={team}")
    assert refused.status == 404 and "does not belong" in refused.json["detail"]["error"]
    permitted = {"team_id": team, "team_member_permissions": ["/team/daily/activity"]}
    ok(gateway.ask("POST", "/team/permissions_update", permitted))
    assert calls("/team/daily/activity", others) == 3
    assert calls("/organization/daily/activity", others) == 0
    assert ask("/organization/daily/activity", others, "&organization_ids=x").status == 403

    assert calls("/tag/daily/activity", others) == 1 and calls("/tag/daily/activity", key, f"&tags={tag}") == 0
    names = lambda key: {row["name"] for row in ok(gateway.ask("GET", "/tag/list", key=key))}
    assert {tag, hidden} <= names(MASTER_KEY)
    assert tag in names(others) and hidden not in names(others)
    assert names(stranger) == set()
    ok(gateway.ask("POST", "/tag/new", {"name": tag, "description": "kept"}))
    rows = {row["name"]: row for row in ok(gateway.ask("GET", f"/tag/list?{days}"))}
    assert rows[tag]["description"] == "kept" and rows[hidden]["models"] is None
    assert ok(gateway.ask("GET", "/tag/list?start_date=2020-01-01&end_date=2020-01-02")) != []
    assert gateway.ask("GET", "/tag/list?start_date=2020-01-01").status == 400


def test_an_organisations_administrator_keeps_its_people(gateway, ann, bob):
    (me, key), (other, others) = ann, bob
    new = lambda: ok(gateway.ask("POST", "/organization/new", {"organization_alias": fresh("org")}))["organization_id"]
    mine, foreign = new(), new()
    member = {"organization_id": mine, "member": {"role": "org_admin", "user_id": me}}
    ok(gateway.ask("POST", "/organization/member_add", member))
    act = lambda path, body: gateway.ask("POST", path, body, key=key)
    team = ok(act("/team/new", {"organization_id": mine}))["team_id"]
    made = ok(act("/user/new", {"user_id": fresh("user"), "organizations": [mine], "teams": [team]}))
    assert made["teams"] == [team] and gateway.chat(key=made["key"]).status == 200
    denied(act("/user/new", {"organizations": [mine, foreign]}), 401)
    denied(act("/user/new", {}), 401)
    denied(act("/user/new", {"organizations": [mine], "user_role": "proxy_admin"}), 403)
    denied(act("/user/new", {"organizations": [mine], "permissions": {"get_spend_routes": True}}), 403)
    strange = ok(gateway.ask("POST", "/team/new", {"organization_id": foreign}))["team_id"]
    denied(act("/user/new", {"organizations": [mine], "teams": [strange]}), 403)
    denied(act("/user/delete", {"user_ids": [other]}), 403)
    ok(gateway.ask("POST", "/organization/member_add", {"organization_id": foreign, "member": {"role": "internal_user", "user_id": made["user_id"]}}))
    denied(act("/user/delete", {"user_ids": [made["user_id"]]}), 403)
    second = ok(act("/user/new", {"organizations": [mine]}))["user_id"]
    assert ok(act("/user/delete", {"user_ids": [second]})) == 1
    # What its teams may spend, within what it has itself.
    ok(gateway.ask("PATCH", "/organization/update", {"organization_id": mine, "max_budget": 10}))
    ok(act("/team/update", {"team_id": team, "max_budget": 5, "models": ["gpt"]}))
    assert act("/team/update", {"team_id": team, "max_budget": 11}).status == 400
    page = ok(gateway.ask("GET", f"/team/info?team_id={team}", key=key))["team_info"]
    assert (page["max_budget"], page["caller_edit_access"]) == (5, {"kind": "unrestricted"})
    for place in (foreign, None):
        denied(act("/team/update", {"team_id": team, "organization_id": place}), 403)
    # Its teams, to the end.
    of_team = gateway.new_key(team_id=team)
    ok(act("/team/block", {"team_id": team}))
    assert gateway.chat(key=of_team).status == 401
    ok(act("/team/unblock", {"team_id": team}))
    denied(act("/team/block", {"team_id": strange}), 401)
    denied(act("/team/delete", {"team_ids": [team, strange]}), 401)
    ok(act("/team/delete", {"team_ids": [team]}))


def test_an_invitation_is_given_by_who_runs_all_that_its_user_is_in(gateway, ann, bob):
    (me, key), (other, others) = ann, bob
    invite = lambda user, key=key: gateway.ask("POST", "/invitation/new", {"user_id": user}, key=key)
    assert invite(other).status == 400, "who runs nothing invites nobody"
    team = fresh("team")
    members = [{"user_id": me, "role": "admin"}, {"user_id": other, "role": "user"}]
    ok(gateway.ask("POST", "/team/new", {"team_id": team, "members_with_roles": members}))
    link = ok(invite(other))["id"]
    assert ok(gateway.ask("POST", "/invitation/delete", {"invitation_id": link}, key=key))["user_id"] == other
    assert invite(other, others).status == 400
    # A password opens all that its user may do: other teams, and an administrator's rights.
    ok(gateway.ask("POST", "/team/new", {"team_id": fresh("team"), "members_with_roles": members[1:]}))
    assert "your organization or team" in invite(other).json["detail"]["error"]
    chief, _ = user(gateway, "proxy_admin")
    ok(gateway.ask("POST", "/team/member_add", {"team_id": team, "member": {"user_id": chief, "role": "user"}}))
    assert invite(chief).status == 400


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
