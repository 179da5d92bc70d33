"""Several at once: users changed, members let in, permissions given; and who may."""

import pytest
from support.common import fresh, ok, team


def user(gateway, **fields):
    made = ok(gateway.ask("POST", "/user/new", {"user_id": fresh("user"), "user_role": "internal_user", **fields}))
    return made["user_id"], made["key"]


def test_users_are_changed_each_by_itself(gateway):
    (ann, _), (bob, _) = user(gateway), user(gateway)
    wanted = [{"user_id": ann, "max_budget": 3}, {"user_id": "nobody", "max_budget": 4}, {"user_id": bob, "rpm_limit": 5}]
    answer = ok(gateway.ask("POST", "/user/bulk_update", {"users": wanted}))
    assert (answer["total_requested"], answer["successful_updates"], answer["failed_updates"]) == (3, 2, 1)
    good, bad, other = answer["results"]
    assert good["success"] and good["updated_user"]["max_budget"] == 3
    assert (bad["user_id"], bad["success"]) == ("nobody", False) and "nobody" in bad["error"]
    assert ok(gateway.ask("GET", f"/v2/user/info?user_id={bob}"))["rpm_limit"] == 5
    everybody = ok(gateway.ask("POST", "/user/bulk_update", {"all_users": True, "user_updates": {"tpm_limit": 77}}))
    assert everybody["failed_updates"] == 0
    assert ok(gateway.ask("GET", f"/v2/user/info?user_id={ann}"))["tpm_limit"] == 77


@pytest.mark.parametrize("body", [{}, {"users": {}}, {"users": ["x"]}, {"all_users": True}, {"users": [], "all_users": True}])
def test_a_bulk_update_says_whom(gateway, body):
    answer = gateway.ask("POST", "/user/bulk_update", body)
    assert answer.status == 400 and "`users`" in answer.json["detail"]["error"]


def test_members_come_in_each_by_itself(gateway):
    owner, (ann, key), (bob, _) = team(gateway), user(gateway), user(gateway)
    members = [{"user_id": ann, "role": "admin"}, {"user_id": bob, "role": "user"}, {"user_id": bob, "role": "user"}]
    asked = {"team_id": owner, "members": members, "max_budget_in_team": 2}
    answer = ok(gateway.ask("POST", "/team/bulk_member_add", asked))
    assert (answer["successful_additions"], answer["failed_additions"]) == (2, 1)
    assert [result["success"] for result in answer["results"]] == [True, True, False]
    assert {row["user_id"] for row in answer["updated_team"]["members_with_roles"]} >= {ann, bob}
    mine = ok(gateway.ask("GET", f"/team/{owner}/members/me", None, key))
    assert (mine["user_id"], mine["user_role"], mine["litellm_budget_table"]["max_budget"]) == (ann, "admin", 2)
    stranger = user(gateway)[1]
    assert gateway.ask("GET", f"/team/{owner}/members/me", None, stranger).status == 404
    assert gateway.ask("POST", "/team/bulk_member_add", asked, key).status in (401, 403)


def test_what_members_may_do(gateway):
    owner, other, (ann, key) = team(gateway), team(gateway), user(gateway)
    ok(gateway.ask("POST", "/team/member_add", {"team_id": owner, "member": {"user_id": ann, "role": "user"}}))
    listed = ok(gateway.ask("GET", f"/team/permissions_list?team_id={owner}", None, key))
    assert listed["team_member_permissions"] == [] and "/key/generate" in listed["all_available_permissions"]
    mine = {"team_id": owner, "user_id": ann}
    assert gateway.ask("POST", "/key/generate", mine, key).status == 401
    wanted = {"team_id": owner, "team_member_permissions": ["/key/generate"]}
    assert gateway.ask("POST", "/team/permissions_update", wanted, key).status == 403
    assert ok(gateway.ask("POST", "/team/permissions_update", wanted))["team_member_permissions"] == ["/key/generate"]
    ok(gateway.ask("POST", "/key/generate", mine, key))
    wrong = gateway.ask("POST", "/team/permissions_update", {**wanted, "team_member_permissions": ["/model/new"]})
    assert wrong.status == 400 and "`/model/new`" in wrong.json["detail"]["error"]
    several = {"team_ids": [owner, other], "permissions": ["/key/list"]}
    assert ok(gateway.ask("POST", "/team/permissions_bulk_update", several))["teams_updated"] == 2
    both = ok(gateway.ask("GET", f"/team/permissions_list?team_id={owner}"))["team_member_permissions"]
    assert both == ["/key/generate", "/key/list"]


def test_a_team_is_changed_by_its_path(gateway):
    owner, other, (ann, key) = team(gateway), team(gateway), user(gateway)
    ok(gateway.ask("POST", "/team/member_add", {"team_id": owner, "member": {"user_id": ann, "role": "admin"}}))
    assert ok(gateway.ask("PATCH", f"/team/{owner}", {"rpm_limit": 6}))["data"]["rpm_limit"] == 6
    ok(gateway.ask("PATCH", f"/team/{owner}", {"metadata": {"a": "b"}}, key))
    # The path decides whose team it is, whatever the body says.
    assert gateway.ask("PATCH", f"/team/{other}", {"metadata": {}}, key).status == 403
    assert gateway.ask("PATCH", f"/team/{other}", {"team_id": owner, "metadata": {}}, key).status == 403
    assert gateway.ask("PATCH", f"/team/{owner}", {"rpm_limit": 60}, key).status == 403
