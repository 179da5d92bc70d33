"""Lists of users and teams: who is in them, in which order."""

import pytest
from support.common import fresh, ok, team, until


@pytest.fixture(scope="module")
def made(shared):
    """Three users and three teams, with names that nobody else has."""
    word = fresh("list")
    for number, spend in enumerate((3, 1, 2)):
        ok(shared.ask("POST", "/user/new", {
            "user_id": f"{word}-u{number}", "user_email": f"{word}-{2 - number}@e.org", "user_alias": f"{word} {number}",
            "auto_create_key": False, "spend": spend,
        }))
        team(shared, f"{word}-u{number}", team_id=f"{word}-t{number}", team_alias=f"{word} Team {2 - number}")
    return word


def users(gateway, query):
    answer = ok(gateway.ask("GET", f"/user/list?{query}"))
    return [user["user_id"].rsplit("-", 1)[1] for user in answer["users"]]


def teams(gateway, query):
    answer = ok(gateway.ask("GET", f"/v2/team/list?{query}".replace(" ", "%20")))
    return [row["team_id"].rsplit("-", 1)[1] for row in answer["teams"]]


def test_users_by_what_is_asked(gateway, made):
    mine = f"search={made}-u"
    assert users(gateway, mine) == ["u2", "u1", "u0"], "the newest first"
    assert users(gateway, mine + "&sort_by=user_id&sort_order=asc") == ["u0", "u1", "u2"]
    assert users(gateway, mine + "&sort_by=user_email&sort_order=asc") == ["u2", "u1", "u0"]
    assert users(gateway, mine + "&sort_by=user_alias&sort_order=desc") == ["u2", "u1", "u0"]
    assert users(gateway, mine + "&sort_by=spend&sort_order=desc&page_size=2") == ["u0", "u2"]
    refused = gateway.ask("GET", "/user/list?sort_by=colour")
    assert refused.status == 400 and "Invalid sort column" in refused.json["detail"]["error"]
    assert gateway.ask("GET", "/user/list?sort_by=spend&sort_order=up").status == 400


def test_users_of_teams_and_organisations(gateway, made):
    assert users(gateway, f"team={made}-t1&search={made}") == ["u1"]
    assert users(gateway, f"team={made}-t1&user_ids={made}-u0,{made}-u2") == []
    assert users(gateway, "team=nobody-has-this-team") == [], "no members are not everybody"
    org = ok(gateway.ask("POST", "/organization/new", {"organization_alias": fresh("org")}))["organization_id"]
    assert users(gateway, f"organization_ids={org}&search={made}") == []
    member = {"user_id": f"{made}-u2", "role": "internal_user"}
    ok(gateway.ask("POST", "/organization/member_add", {"organization_id": org, "member": member}))
    assert users(gateway, f"organization_ids=none,{org}&search={made}") == ["u2"]


def test_teams_by_what_is_asked(gateway, made):
    mine = f"search={made}"
    assert teams(gateway, mine) == ["t2", "t1", "t0"], "the newest first"
    assert teams(gateway, mine + "&sort_by=team_alias") == ["t2", "t1", "t0"]
    assert teams(gateway, mine + "&sort_by=team_id&sort_order=asc") == ["t0", "t1", "t2"]
    assert teams(gateway, f"team_alias={made} Team 0") == ["t2"]
    assert teams(gateway, f"team_alias={made} team") == ["t2", "t1", "t0"], "a part is enough"
    assert teams(gateway, f"user_id={made}-u1") == ["t1"]
    assert teams(gateway, f"user_id={made}-u1&team_id={made}-t0") == []
    gateway.new_key(team_id=f"{made}-t1")
    row = ok(gateway.ask("GET", f"/v2/team/list?team_id={made}-t1"))["teams"][0]
    assert row["keys_count"] == 1 and row["members_count"] >= 1
    refused = gateway.ask("GET", "/v2/team/list?status=lost")
    assert refused.status == 400 and "'deleted'" in refused.json["detail"]["error"]


def test_deleted_teams(gateway):
    gone, there = team(gateway), team(gateway)
    ok(gateway.ask("POST", "/team/delete", {"team_ids": [gone]}))
    found = ok(gateway.ask("GET", f"/v2/team/list?status=deleted&team_id={gone}"))
    assert [row["team_id"] for row in found["teams"]] == [gone]
    assert ok(gateway.ask("GET", f"/v2/team/list?status=deleted&team_id={there}"))["teams"] == []


def test_who_sees_the_lists(gateway, made):
    """People see their own teams, whatever they ask for; administrators of an organisation see its users."""
    key = gateway.new_key(user_id=f"{made}-u1")
    for query in ("", f"?user_id={made}-u0"):
        own = ok(gateway.ask("GET", f"/v2/team/list{query}", key=key))["teams"]
        assert [row["team_id"] for row in own] == [f"{made}-t1"]
    refused = gateway.ask("GET", "/user/list", key=key)
    assert refused.status == 403 and "organization admins can list users" in refused.json["detail"]["error"]
    org, other = (ok(gateway.ask("POST", "/organization/new", {"organization_alias": fresh("o")}))["organization_id"] for _ in "ab")
    add = lambda id, user, role: ok(gateway.ask("POST", "/organization/member_add", {
        "organization_id": id, "member": {"user_id": user, "role": role}}))
    add(org, f"{made}-u1", "org_admin")
    add(org, f"{made}-u0", "internal_user")
    add(other, f"{made}-u2", "internal_user")
    listed = lambda query="": {user["user_id"] for user in ok(gateway.ask("GET", f"/user/list{query}", key=key))["users"]}
    assert listed() == listed(f"?organization_ids={org},{other}") == {f"{made}-u0", f"{made}-u1"}
    assert gateway.ask("GET", f"/user/list?organization_ids={other}", key=key).status == 403


def test_organisations_by_a_part_of_their_name(gateway):
    name = fresh("Org")
    id = ok(gateway.ask("POST", "/organization/new", {"organization_alias": name}))["organization_id"]
    for query in (f"org_alias={name[:-2].upper()}", f"org_id={id}"):
        assert [org["organization_id"] for org in ok(gateway.ask("GET", f"/organization/list?{query}"))] == [id]


def test_what_people_see_beside_lists(gateway):
    """Roles are no secret; members see their organisations; who runs a team or an organisation sees what it did."""
    from datetime import date, timedelta

    user, other = fresh("user"), fresh("user")
    key = ok(gateway.ask("POST", "/user/new", {"user_id": user, "user_role": "internal_user"}))["key"]
    assert "internal_user" in ok(gateway.ask("GET", "/user/available_roles", key=key))
    mine, foreign = (ok(gateway.ask("POST", "/organization/new", {"organization_alias": fresh("o")}))["organization_id"] for _ in "ab")
    listed = lambda: [org["organization_id"] for org in ok(gateway.ask("GET", "/organization/list", key=key))]
    assert listed() == []
    add = lambda org, who, role, by: gateway.ask("POST", "/organization/member_add", {
        "organization_id": org, "member": {"user_id": who, "role": role}}, key=by)
    assert add(mine, other, "internal_user", key).status == 403
    ok(gateway.ask("POST", "/organization/member_add", {"organization_id": mine, "member": {"user_id": user, "role": "org_admin"}}))
    assert listed() == [mine]
    assert add(mine, other, "internal_user", key).status == 200 and add(foreign, other, "org_admin", key).status == 403
    days = f"start_date={date.today() - timedelta(days=1)}&end_date={date.today() + timedelta(days=1)}"
    assert gateway.ask("GET", f"/organization/daily/activity?{days}", key=key).status == 200
    assert gateway.ask("GET", f"/organization/daily/activity?{days}&organization_ids={foreign}", key=key).status == 403
    own = ok(gateway.ask("POST", "/team/new", {"organization_id": mine}))["team_id"]
    stranger = team(gateway)
    assert gateway.ask("GET", f"/team/daily/activity?{days}&team_ids={own}", key=key).status == 200
    assert gateway.ask("GET", f"/team/daily/activity?{days}&team_ids={own},{stranger}", key=key).status == 404


def test_keys_of_users_name_their_teams(gateway, made):
    key = gateway.new_key(user_id=f"{made}-u0", team_id=f"{made}-t0")
    hashed = ok(gateway.ask("GET", "/key/info", key=key))["key"]
    own = ok(gateway.ask("GET", f"/user/info?user_id={made}-u0"))
    alias = f"{made} Team 2"
    assert {row["token"]: row["team_alias"] for row in own["keys"]}[hashed] == alias
    everything = ok(gateway.ask("GET", "/user/info"))
    assert {row["token"]: row["team_alias"] for row in everything["keys"]}[hashed] == alias
    assert {row["team_id"] for row in everything["teams"]} >= {f"{made}-t{number}" for number in range(3)}
    assert everything["user_id"]


def test_keys_by_their_state(gateway):
    user = fresh("user")
    hashed = lambda **fields: ok(gateway.ask("POST", "/key/generate", {"user_id": user, **fields}))["token"]
    plain, later, gone, stopped = hashed(), hashed(duration="1h"), hashed(duration="1s"), hashed(blocked=True, duration="1s")
    listed = lambda query: set(ok(gateway.ask("GET", f"/key/list?user_id={user}&{query}"))["keys"])
    until(lambda: listed("status=expired") == {gone}, what="an expired key")
    assert listed("status=active") == {plain, later} and listed("status=revoked") == {stopped}
    assert listed("expires=active") == {plain, later} and listed("expires=expired") == {gone, stopped}
    assert listed("status=deleted") == set() and listed("page=1") == {plain, later, gone, stopped}
    for query in ("status=odd", "expires=odd"):
        refused = gateway.ask("GET", f"/key/list?{query}")
        assert refused.status == 400 and "'expired'" in refused.json["error"]["message"]


@pytest.mark.parametrize(
    ("query", "name", "kind"),
    [
        ("page=0", "page", "greater_than_equal"),
        ("size=0", "size", "greater_than_equal"),
        ("size=101", "size", "less_than_equal"),
        ("page=two", "page", "int_parsing"),
    ],
)
def test_pages_of_keys_that_are_none(gateway, query, name, kind):
    [problem] = ok(gateway.ask("GET", f"/key/list?{query}"), 422)["detail"]
    assert (problem["loc"], problem["type"], problem["input"]) == (["query", name], kind, query.split("=")[1])


def test_whole_keys_say_whose_they_are(gateway):
    user, org, team_id = fresh("user"), fresh("org"), fresh("team")
    ok(gateway.ask("POST", "/organization/new", {"organization_id": org, "organization_alias": "Acme", "max_budget": 9}))
    ok(gateway.ask("POST", "/user/new", {"user_id": user, "user_alias": "Ann Doe", "auto_create_key": False}))
    ok(gateway.ask("POST", "/team/new", {"team_id": team_id, "team_alias": "Search", "rpm_limit": 7, "max_budget": 5, "models": ["gpt"], "organization_id": org}))
    ok(gateway.ask("POST", "/team/member_add", {"team_id": team_id, "member": {"user_id": user, "role": "user"}}))
    key = gateway.new_key(user_id=user, team_id=team_id, organization_id=org)
    listed = lambda query, key=None: ok(gateway.ask("GET", f"/key/list?user_id={user}&{query}", **({"key": key} if key else {})))["keys"]
    [row] = listed("return_full_object=true")
    said = {name: row[name] for name in ("team_alias", "team_rpm_limit", "team_max_budget", "team_models", "team_blocked", "org_id", "organization_alias", "organization_max_budget")}
    assert said == {"team_alias": "Search", "team_rpm_limit": 7, "team_max_budget": 5, "team_models": ["gpt"], "team_blocked": False,
        "org_id": org, "organization_alias": "Acme", "organization_max_budget": 9}  # fmt: skip
    assert (row["team_spend"], row["team_member_spend"], row["team_member"]["role"]) == (0.0, 0.0, "user")
    assert "user" not in row and row["project_alias"] is None
    [row] = listed("expand=user")
    assert (row["user"]["user_alias"], row["user"]["teams"]) == ("Ann Doe", [team_id])
    [own] = listed("return_full_object=true", key=key)
    assert (own["team_alias"], own["organization_alias"]) == ("Search", None), "nobody sees an organisation they are not in"
    assert listed("size=5")[0] == own["token"]
