"""Members and users in bulk; teams to join, pickers, what users of a team spent; budgets page by page."""

import time
import uuid

from support.common import fresh, ok, team, until
from support.gateway import CALL_COST

V1 = "/management/v1"


def user(gateway, role="internal_user", **fields):
    id = fresh("user")
    body = {"user_id": id, "user_email": f"{id}@example.org", "user_role": role, "auto_create_key": False, **fields}
    return ok(gateway.ask("POST", "/user/new", body))["user_id"]


def members(gateway, team):
    rows = ok(gateway.ask("GET", f"/team/info?team_id={team}"))["team_memberships"]
    return {row["user_id"]: row for row in rows}


def test_members_leave_in_bulk(gateway):
    one, two, three = user(gateway), user(gateway), user(gateway)
    id = team(gateway, one, two, three)
    asked = [{"user_id": one}, {"user_email": f"{two}@example.org"}, {"user_id": one}, {"user_id": "nobody"}]
    told = ok(gateway.ask("POST", f"{V1}/teams/{id}/members/bulk_delete", {"members": asked}))["data"]
    assert [row["success"] for row in told] == [True, True, False, False]
    assert (told[1]["user_id"], told[1]["error"]) == (two, None)
    assert told[2]["error"] and told[3]["error"]
    assert set(members(gateway, id)) == {"default_user_id", three}


def test_members_get_limits_in_bulk(gateway):
    one, two = user(gateway), user(gateway)
    id = team(gateway, one, two, team_member_budget=7)
    limits = {"max_budget_in_team": 3, "rpm_limit": 9, "budget_duration": "1d", "allowed_models": ["gpt"]}
    told = ok(
        gateway.ask(
            "POST",
            f"{V1}/teams/{id}/members/bulk_update",
            {"members": [{"user_id": one, **limits}, {"user_id": two, "tpm_limit": 5}]},
        )
    )["data"]
    assert (told[0]["max_budget"], told[0]["max_budget_source"], told[0]["rpm_limit"]) == (3.0, "member", 9)
    assert (told[0]["budget_duration"], told[0]["allowed_models"]) == ("1d", ["gpt"])
    assert (told[1]["max_budget"], told[1]["max_budget_source"], told[1]["tpm_limit"]) == (7.0, "team_default", 5)
    body = {"members": [{"user_id": one, "max_budget_in_team": None}]}
    [row] = ok(gateway.ask("POST", f"{V1}/teams/{id}/members/bulk_update", body))["data"]
    assert (row["max_budget"], row["max_budget_source"], row["rpm_limit"]) == (7.0, "team_default", 9)


def test_what_bulk_routes_refuse(gateway):
    one = user(gateway)
    id = team(gateway, one)
    gone = gateway.ask("POST", f"{V1}/teams/{fresh('team')}/members/bulk_delete", {"members": [{"user_id": one}]})
    assert (gone.status, gone.headers["content-type"]) == (404, "application/problem+json")
    assert (gone.json["status"], gone.json["title"]) == (404, "Team not found")
    both = {"user_id": one, "user_email": "x@example.org"}
    for wrong in ([], None, [{}], [both], [{"user_id": one, "role": "admin"}], [{"user_id": one}] * 501):
        answer = gateway.ask("POST", f"{V1}/teams/{id}/members/bulk_delete", {"members": wrong})
        assert answer.status == 422, answer.body
    assert gateway.ask("POST", f"{V1}/teams/{id}/members/bulk_delete", {"members": [], "x": 1}).status == 422
    assert one in members(gateway, id)
    ann, mia = user(gateway), user(gateway)
    own = team(gateway, {"user_id": ann, "role": "admin"}, mia)
    for who, status in ((ann, 200), (mia, 403)):
        key = gateway.new_key(user_id=who)
        body = {"members": [{"user_id": mia, "rpm_limit": 5}]}
        assert gateway.ask("POST", f"{V1}/teams/{own}/members/bulk_update", body, key=key).status == status


def test_users_come_and_go_in_bulk(gateway):
    id, one, two = team(gateway), fresh("user"), fresh("user")
    asked = [
        {"user_id": one, "user_email": f"{one}@example.org", "teams": [id]},
        {"user_id": two, "auto_create_key": True},
        {"user_id": one},
        {"user_id": fresh("user"), "teams": ["nobody"]},
        {"user_id": fresh("user"), "send_invite_email": True},
        {"user_id": fresh("user"), "user_role": "king"},
    ]
    told = ok(gateway.ask("POST", f"{V1}/users/bulk", {"users": asked}))
    assert told["meta"] == {"total_requested": 6, "created": 2, "failed": 4}
    assert [row["success"] for row in told["data"]] == [True, True, False, False, False, False]
    assert (told["data"][0]["teams"], told["data"][0]["key"]) == ([id], None)
    assert told["data"][1]["key"].startswith("sk-")
    assert all(row["error"] for row in told["data"][2:])
    assert one in members(gateway, id)
    asked = {"user_ids": [one, two, one, "nobody"]}
    gone = ok(gateway.ask("POST", f"{V1}/users/bulk_delete", asked))["data"]
    assert [row["success"] for row in gone] == [True, True, False, False]
    assert (gone[0]["teams_removed"], gone[0]["user_email"]) == ([id], f"{one}@example.org")
    assert gateway.ask("GET", f"/user/info?user_id={one}").status == 404
    assert gateway.chat(key=told["data"][1]["key"]).status == 401
    assert one not in members(gateway, id)
    key = gateway.new_key(user_id=user(gateway))
    assert gateway.ask("POST", f"{V1}/users/bulk", {"users": [{}]}, key=key).status == 401
    assert gateway.ask("POST", f"{V1}/users/bulk_delete", asked, key=key).status == 403
    for wrong in ({}, {"users": []}, {"users": ["x"]}, {"users": [{}], "x": 1}):
        assert gateway.ask("POST", f"{V1}/users/bulk", wrong).status == 422


def test_a_team_that_is_open_is_joined(spawn):
    open_team = fresh("open")
    gateway = spawn(litellm_settings={"default_internal_user_params": {"available_teams": [open_team]}})
    ok(gateway.ask("POST", "/team/new", {"team_id": open_team, "team_alias": "all hands"}))
    closed, mia = team(gateway), user(gateway)
    key = gateway.new_key(user_id=mia)
    [row] = ok(gateway.ask("GET", "/team/available", key=key))
    assert (row["team_id"], row["team_alias"]) == (open_team, "all hands")
    join = lambda team, **member: gateway.ask(
        "POST", "/team/member_add", {"team_id": team, "member": {"user_id": mia, "role": "user", **member}}, key=key
    )
    assert join(closed).status == 403
    assert join(open_team, role="admin").status == 403
    assert join(open_team, user_id=user(gateway)).status == 403
    more = {"team_id": open_team, "member": {"user_id": mia}, "max_budget_in_team": 99}
    assert gateway.ask("POST", "/team/member_add", more, key=key).status == 403
    ok(join(open_team))
    assert ok(gateway.ask("GET", "/team/available", key=key)) == []
    assert "available_teams" not in ok(gateway.ask("GET", f"/user/info?user_id={mia}"))["user_info"]


def test_teams_and_users_are_picked(gateway):
    word = uuid.uuid4().hex[:8]
    one, two, eve = user(gateway, user_alias=f"ann {word}"), user(gateway), user(gateway)
    id = team(gateway, one, two, team_alias=f"Blue {word}")
    assert [row["team_id"] for row in ok(gateway.ask("GET", f"/team/filter/ui?team_alias={word}"))] == [id]
    assert [row["team_id"] for row in ok(gateway.ask("GET", f"/team/filter/ui?team_id={id[2:]}"))] == [id]
    find = lambda part, **more: ok(gateway.ask("GET", f"/user/filter/ui?user_email={part}", **more))
    [row] = find(f"{one}@example.org")
    assert (row["user_id"], row["user_email"]) == (one, f"{one}@example.org")
    as_two, as_eve = gateway.new_key(user_id=two), gateway.new_key(user_id=eve)
    assert [row["user_id"] for row in find(one, key=as_two)] == [one]
    assert find(one, key=as_eve) == [], "who shares no team is not seen"
    assert gateway.ask("GET", "/team/filter/ui", key=as_two).status == 401
    counts = ok(gateway.ask("GET", "/user/available_users"))
    assert counts["total_users_used"] >= 3 and counts["total_users"] is None
    assert gateway.ask("GET", "/user/available_users", key=as_two).status == 401


def test_what_users_of_a_team_spent(gateway):
    one, two, eve = user(gateway), user(gateway), user(gateway)
    id = team(gateway, one, two, team_alias="spenders")
    keys = [gateway.new_key(team_id=id, user_id=who) for who in (one, one, two)]
    for key in keys:
        ok(gateway.chat(key=key))
    day = lambda days: time.strftime("%Y-%m-%d", time.gmtime(time.time() + days * 86_400))
    path = f"/team/spend/by_user?start_date={day(-1)}&end_date={day(1)}"
    rows = lambda **more: ok(gateway.ask("GET", f"{path}&team_ids={id}", **more))["results"]
    until(lambda: sum(row["api_requests"] for row in rows()) == 3)
    told = rows(key=keys[2])
    assert [(row["user_id"], row["api_requests"]) for row in told] == [(one, 2), (two, 1)]
    assert abs(told[0]["spend"] - 2 * CALL_COST) < 1e-12
    assert (told[0]["user_email"], told[0]["team_alias"]) == (f"{one}@example.org", "spenders")
    assert gateway.ask("GET", path).status == 400
    assert gateway.ask("GET", f"/team/spend/by_user?team_ids={id}").status == 400
    other = gateway.ask("GET", f"{path}&team_ids={id}", key=gateway.new_key(user_id=eve))
    assert other.status == 404


def test_budgets_page_by_page(gateway):
    word = uuid.uuid4().hex[:8]
    for number, (max_budget, duration) in enumerate([(5, "7d"), (1, "30d"), (None, None)]):
        body = {"budget_id": f"b{number}-{word}", "max_budget": max_budget, "budget_duration": duration}
        ok(gateway.ask("POST", "/budget/new", body))
    ask = lambda query: gateway.ask("GET", f"{V1}/budgets?q={word.upper()}&{query}")
    ids = lambda query: [row["budget_id"][:2] for row in ok(ask(query))["data"]]
    assert ids("sort=budget_id") == ["b0", "b1", "b2"]
    assert ids("sort=-max_budget") == ["b0", "b1", "b2"]
    assert ids("sort=max_budget&filter[max_budget][is_null]=false") == ["b1", "b0"]
    assert ids("filter[max_budget][gte]=2") == ["b0"]
    assert ids("filter[budget_duration][in]=30d,1h") == ["b1"]
    assert ids("filter[budget_duration][is_null]=true") == ["b2"]
    assert ids("filter[created_at][gte]=2999-01-01T00:00:00Z") == []
    page = ok(ask("sort=budget_id&page_size=2&page=2"))
    assert [row["budget_id"][:2] for row in page["data"]] == ["b2"]
    assert page["meta"] == {"total_count": 3, "page": 2, "page_size": 2, "total_pages": 2}
    assert page["links"]["next"] is None
    assert ok(gateway.ask("GET", page["links"]["prev"]))["meta"]["page"] == 1
    for wrong in ("sort=name", "page=two", "filter[max_budget][gte]=much", "colour=red"):
        answer = ask(wrong)
        assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json"), wrong
    assert gateway.ask("GET", f"{V1}/budgets", key=gateway.new_key(user_id=user(gateway))).status == 401


def test_the_fields_of_a_budget(gateway):
    id = ok(gateway.ask("POST", "/budget/new", {"max_budget": 5, "rpm_limit": 60}))["budget_id"]
    fields = {row["field_name"]: row for row in ok(gateway.ask("GET", f"/budget/settings?budget_id={id}"))}
    assert (fields["max_budget"]["field_value"], fields["max_budget"]["field_type"]) == (5.0, "Float")
    assert (fields["rpm_limit"]["field_value"], fields["rpm_limit"]["stored_in_db"]) == (60, True)
    assert (fields["tpm_limit"]["field_value"], fields["tpm_limit"]["stored_in_db"]) == (None, False)
    assert gateway.ask("GET", "/budget/settings").status == 422
    assert gateway.ask("GET", "/budget/settings?budget_id=nobody").status == 404
