"""Projects of teams, and groups of models that teams and keys may use."""

import time
import uuid

import pytest
from support.common import fresh, ok, team
from support.gateway import CALL_COST

TINY = round(CALL_COST / 2, 9)


def project(gateway, team_id, **fields):
    return ok(gateway.ask("POST", "/project/new", {"team_id": team_id, **fields}))["project_id"]


def eventually(call, wanted, seconds=5):
    until = time.monotonic() + seconds
    while True:
        answer = call()
        if answer.status == wanted or time.monotonic() > until:
            break
        time.sleep(0.05)
    assert answer.status == wanted, answer.body
    return answer


def test_a_project_in_litellms_shape(gateway):
    owner = team(gateway)
    asked = {"team_id": owner, "project_alias": "flights", "max_budget": 2.5, "models": ["gpt"], "tags": ["a"],
             "description": "Finds flights", "metadata": {"use_case_id": "S-1"}}  # fmt: skip
    made = ok(gateway.ask("POST", "/project/new", asked))
    assert uuid.UUID(made["project_id"]).version == 4
    assert (made["project_alias"], made["team_id"], made["models"]) == ("flights", owner, ["gpt"])
    assert made["litellm_budget_table"]["max_budget"] == 2.5
    assert made["metadata"] == {"use_case_id": "S-1", "tags": ["a"]}
    assert (made["description"], made["spend"], made["blocked"]) == ("Finds flights", 0.0, False)
    again = gateway.ask("POST", "/project/new", {"team_id": owner, "project_id": made["project_id"]})
    assert again.status == 400 and "already exists" in again.json["error"]["message"]
    named = {"project_id": made["project_id"]}
    changed = ok(gateway.ask("POST", "/project/update", {**named, "rpm_limit": 7, "guardrails": ["g"]}))
    assert (changed["rpm_limit"], changed["max_budget"], changed["team_id"]) == (7, 2.5, owner)
    assert changed["metadata"] == {"use_case_id": "S-1", "tags": ["a"], "guardrails": ["g"]}
    assert ok(gateway.ask("GET", f"/project/info?project_id={made['project_id']}"))["rpm_limit"] == 7
    assert made["project_id"] in [row["project_id"] for row in ok(gateway.ask("GET", "/project/list"))]
    gone = ok(gateway.ask("DELETE", "/project/delete", {"project_ids": [made["project_id"]]}))
    assert [row["project_id"] for row in gone] == [made["project_id"]]
    assert gateway.ask("GET", f"/project/info?project_id={made['project_id']}").status == 404


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"models": ["claude"]}, "not in team's allowed models"),
        ({"max_budget": 11}, "exceeds team's max_budget"),
        ({"rpm_limit": 101}, "exceeds team's rpm_limit"),
        ({"max_budget": 5, "soft_budget": 6}, "must be strictly lower"),
    ],
)
def test_a_project_has_no_more_than_its_team(gateway, fields, words):
    owner = team(gateway, models=["gpt"], max_budget=10, rpm_limit=100)
    answer = gateway.ask("POST", "/project/new", {"team_id": owner, **fields})
    assert answer.status == 400 and words in answer.json["detail"]["error"]
    made = project(gateway, owner)
    answer = gateway.ask("POST", "/project/update", {"project_id": made, **fields})
    assert answer.status == 400 and words in answer.json["detail"]["error"]


def test_a_project_needs_its_team(gateway):
    answer = gateway.ask("POST", "/project/new", {"team_id": "nobodys"})
    assert answer.status == 404 and answer.json["error"]["param"] == "team_id"
    answer = gateway.ask("POST", "/project/new", {})
    assert answer.status == 422 and answer.json["detail"][0]["loc"] == ["body", "team_id"]


def test_a_projects_limits_hold_for_its_keys(gateway):
    owner = team(gateway)
    made = project(gateway, owner, models=["gpt"], max_budget=TINY)
    key = gateway.new_key(team_id=owner, project_id=made)
    refused = gateway.chat("claude", key=key)
    assert refused.status == 403 and refused.json["error"]["type"] == "project_model_access_denied"
    assert gateway.chat(key=key).status == 200
    over = eventually(lambda: gateway.chat(key=key), 422)
    assert over.json["error"]["type"] == "budget_exceeded"
    assert ok(gateway.ask("GET", f"/project/info?project_id={made}"))["spend"] == pytest.approx(CALL_COST)
    ok(gateway.ask("POST", "/project/update", {"project_id": made, "max_budget": 5, "blocked": True}))
    assert eventually(lambda: gateway.chat(key=key), 401)
    ok(gateway.ask("POST", "/project/update", {"project_id": made, "blocked": False}))
    assert eventually(lambda: gateway.chat(key=key), 200)
    kept = gateway.ask("DELETE", "/project/delete", {"project_ids": [made]})
    assert kept.status == 400 and "1 key(s)" in kept.json["error"]["message"]


@pytest.mark.parametrize("direction, limit", [("itpm", 12), ("otpm", 6)])
def test_a_project_counts_prompts_and_answers_apart(gateway, direction, limit):
    # Calls have 10 tokens of prompt and 5 of answer: what is counted together allows one call, each alone two.
    owner, name = team(gateway), f"model_{direction}_limit"
    made = project(gateway, owner, **{name: {"gpt": limit}})
    assert ok(gateway.ask("GET", f"/project/info?project_id={made}"))[name] == {"gpt": limit}
    key = gateway.new_key(team_id=owner, project_id=made)
    header = f"x-ratelimit-model_per_project_{direction}"
    first = eventually(lambda: gateway.chat(key=key), 200)
    assert first.headers[f"{header}-limit-tokens"] == str(limit)
    eventually(lambda: gateway.chat(key=key), 200)
    refused = eventually(lambda: gateway.chat(key=key), 429)
    error = refused.json["error"]
    assert f"Rate limit exceeded for model_per_project_{direction}: {made}:gpt. Limit type: tokens" in error["message"]
    assert gateway.chat("claude", key=key).status == 200
    ok(gateway.ask("POST", "/project/update", {"project_id": made, name: {"gpt": 1000}}))
    eventually(lambda: gateway.chat(key=key), 200)
    wrong = gateway.ask("POST", "/project/update", {"project_id": made, name: {"gpt": "many"}})
    assert wrong.status == 422 and wrong.json["detail"][0]["loc"] == ["body", name]


def test_who_may_see_and_change_projects(gateway):
    def somebody(role, **fields):
        made = ok(gateway.ask("POST", "/user/new", {"user_id": fresh("user"), "user_role": "internal_user"}))
        member = {"role": role, "user_id": made["user_id"]}
        ok(gateway.ask("POST", "/team/member_add", {"team_id": owner, "member": member}))
        return made["key"]

    owner, other = team(gateway), team(gateway)
    boss, member = somebody("admin"), somebody("user")
    own, foreign = project(gateway, owner), project(gateway, other)
    as_boss = lambda method, path, body=None: gateway.ask(method, path, body, boss)  # noqa: E731
    made = ok(as_boss("POST", "/project/new", {"team_id": owner}))["project_id"]
    assert as_boss("POST", "/project/new", {"team_id": other}).status == 403
    ok(as_boss("POST", "/project/update", {"project_id": own, "description": "x"}))
    assert as_boss("POST", "/project/update", {"project_id": foreign}).status == 403
    # What the query names does not count for a change, and a project cannot be taken to a foreign team.
    assert as_boss("POST", f"/project/update?project_id={own}", {"project_id": foreign}).status == 403
    assert as_boss("POST", "/project/update", {"project_id": own, "team_id": other}).status == 403
    assert as_boss("DELETE", "/project/delete", {"project_ids": [own]}).status in (401, 403)
    assert gateway.ask("POST", "/project/new", {"team_id": owner}, member).status == 403
    assert gateway.ask("GET", f"/project/info?project_id={own}", None, member).status == 200
    assert gateway.ask("GET", f"/project/info?project_id={foreign}", None, member).status == 403
    seen = {row["project_id"] for row in ok(gateway.ask("GET", "/project/list", None, member))}
    assert seen == {own, made}


def group(gateway, **fields):
    body = {"access_group_name": fresh("group"), **fields}
    return ok(gateway.ask("POST", "/v1/access_group", body), 201)


def test_an_access_group_in_litellms_shape(gateway):
    owner = team(gateway, team_alias="Crew")
    made = group(gateway, description="d", access_model_names=["gpt"], assigned_team_ids=[owner])
    assert made["assigned_teams"] == [{"id": owner, "name": "Crew"}]
    assert (made["access_model_names"], made["assigned_key_ids"], made["description"]) == (["gpt"], [], "d")
    path = f"/v1/access_group/{made['access_group_id']}"
    assert ok(gateway.ask("GET", path)) == made
    assert ok(gateway.ask("GET", "/v1/unified_access_group"))[0] == made
    taken = gateway.ask("POST", "/v1/access_group", {"access_group_name": made["access_group_name"]})
    assert taken.status == 409 and "already exists" in taken.json["detail"]
    unknown = gateway.ask("PUT", path, {"assigned_team_ids": ["nobodys"]})
    assert unknown.status == 400 and unknown.json["detail"] == "Unknown team ids: nobodys"
    changed = ok(gateway.ask("PUT", path, {"access_model_names": ["claude"], "assigned_team_ids": []}))
    assert (changed["access_model_names"], changed["assigned_team_ids"]) == (["claude"], [])
    assert changed["description"] == "d"
    gone = gateway.ask("DELETE", path)
    assert (gone.status, gone.body) == (204, b"")
    assert gateway.ask("GET", path).status == 404


def test_a_group_gives_keys_and_teams_its_models(gateway):
    owner = team(gateway, models=["gpt"])
    of_team, own = gateway.new_key(team_id=owner), gateway.new_key(models=["gpt"])
    denied = gateway.chat("claude", key=of_team)
    assert denied.status == 403 and denied.json["error"]["type"] == "team_model_access_denied"
    assert gateway.chat("claude", key=own).json["error"]["type"] == "key_model_access_denied"
    made = group(gateway, access_model_names=["claude"], assigned_team_ids=[owner], assigned_key_ids=[own])
    for key in (of_team, own):
        eventually(lambda key=key: gateway.chat("claude", key=key), 200)
        assert gateway.chat("gpt", key=key).status == 200
    path = f"/v1/access_group/{made['access_group_id']}"
    ok(gateway.ask("PUT", path, {"access_model_names": ["nothing-else"]}))
    for key in (of_team, own):
        eventually(lambda key=key: gateway.chat("claude", key=key), 403)
    ok(gateway.ask("PUT", path, {"access_model_names": ["claude"]}))
    eventually(lambda: gateway.chat("claude", key=of_team), 200)
    assert gateway.ask("DELETE", path).status == 204
    for key in (of_team, own):
        eventually(lambda key=key: gateway.chat("claude", key=key), 403)
    info = gateway.key_info(own)
    assert info["access_group_ids"] == [] and info["models"] == ["gpt"]
