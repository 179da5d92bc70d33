"""Who pays besides the key: teams, users, members, organisations, customers, tags; and shared budgets."""

import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.common import fresh, ok, team
from support.gateway import CALL_COST

# Less than the call costs that is made first; what is left after it is nothing.
TINY = round(CALL_COST / 2, 9)


def user(gateway, **fields):
    made = ok(gateway.ask("POST", "/user/new", {"user_id": fresh("user"), "auto_create_key": False, **fields}))
    return made["user_id"]


def refused(gateway, call, payer):
    """The call is refused once what the first one cost is settled."""
    until = time.monotonic() + 5
    while True:
        answer = call()
        if answer.status != 200 or time.monotonic() > until:
            break
        time.sleep(0.1)
    assert answer.status == 422, answer.body
    error = answer.json["error"]
    assert error["type"] == "budget_exceeded"
    assert error["message"].startswith(f"Budget has been exceeded! {payer} Current cost: "), error


def test_a_team_in_litellms_shape(gateway):
    made = ok(gateway.ask("POST", "/team/new", {"team_alias": "shape", "max_budget": 2.5, "models": ["gpt"]}))
    assert uuid.UUID(made["team_id"]).version == 4
    assert (made["team_alias"], made["max_budget"], made["models"]) == ("shape", 2.5, ["gpt"])
    assert made["members_with_roles"] == [{"user_id": "default_user_id", "user_email": None, "role": "admin"}]
    assert (made["spend"], made["blocked"]) == (0.0, False)
    again = gateway.ask("POST", "/team/new", {"team_id": made["team_id"]})
    assert again.status == 400 and "already exists" in again.json["detail"]["error"]
    info = ok(gateway.ask("GET", f"/team/info?team_id={made['team_id']}"))
    assert info["team_info"]["team_alias"] == "shape"
    assert [row["user_id"] for row in info["team_memberships"]] == ["default_user_id"]
    assert gateway.ask("GET", "/team/info?team_id=nobody").status == 404
    changed = ok(gateway.ask("POST", "/team/update", {"team_id": made["team_id"], "tpm_limit": 9}))
    assert (changed["data"]["tpm_limit"], changed["data"]["max_budget"]) == (9, 2.5)
    assert made["team_id"] in [row["team_id"] for row in ok(gateway.ask("GET", "/team/list"))]


@pytest.mark.parametrize("word", ["max_budget", "tpm_limit", "models"])
def test_wrong_types_are_named(gateway, word):
    answer = gateway.ask("POST", "/team/new", {word: {"no": "such"}})
    assert answer.status == 422
    assert answer.json["detail"][0]["loc"] == ["body", word]


def test_a_teams_budget_holds_for_all_its_keys(gateway):
    id = team(gateway, max_budget=TINY)
    one, two = gateway.new_key(team_id=id), gateway.new_key(team_id=id)
    assert gateway.chat(key=one).status == 200
    refused(gateway, lambda: gateway.chat(key=two), f"Team={id}")
    ok(gateway.ask("POST", "/team/update", {"team_id": id, "max_budget": 1}))
    assert gateway.chat(key=two).status == 200, "a raised budget opens at once"


def test_a_teams_budget_is_not_overshot_by_concurrency(gateway, upstream):
    # Each call sets aside its worst case, 10 tokens of prompt estimated and 5 of answer.
    id = team(gateway, max_budget=10 * CALL_COST)
    keys = [gateway.new_key(team_id=id) for _ in range(4)]
    with ThreadPoolExecutor(32) as pool:
        statuses = list(pool.map(lambda number: gateway.chat("oai/slow-100", keys[number % 4]).status, range(120)))
    assert set(statuses) == {200, 422}
    assert statuses.count(200) * CALL_COST <= 10 * CALL_COST + CALL_COST
    until = time.monotonic() + 10
    spend = lambda: ok(gateway.ask("GET", f"/team/info?team_id={id}"))["team_info"]["spend"]
    while abs(spend() - statuses.count(200) * CALL_COST) > 1e-9:
        assert time.monotonic() < until, (spend(), statuses.count(200) * CALL_COST)
        time.sleep(0.1)


def test_a_blocked_team_and_its_models(gateway):
    id = team(gateway, models=["gpt"])
    key = gateway.new_key(team_id=id)
    assert gateway.chat("gpt", key).status == 200
    denied = gateway.chat("claude", key)
    assert (denied.status, denied.json["error"]["type"]) == (403, "team_model_access_denied")
    ok(gateway.ask("POST", "/team/model/add", {"team_id": id, "models": ["claude"]}))
    assert gateway.chat("claude", key).status == 200
    ok(gateway.ask("POST", "/team/block", {"team_id": id}))
    denied = gateway.chat("gpt", key)
    assert denied.status == 401
    assert f"Team={id} is blocked" in denied.json["error"]["message"]
    ok(gateway.ask("POST", "/team/unblock", {"team_id": id}))
    assert gateway.chat("gpt", key).status == 200


def test_members_come_change_and_go(gateway):
    id, who = team(gateway), user(gateway, user_email=f"{fresh('mail')}@example.org")
    added = {"team_id": id, "member": {"role": "user", "user_id": who}, "max_budget_in_team": TINY}
    row = ok(gateway.ask("POST", "/team/member_add", added))
    assert row["updated_team_memberships"][0]["litellm_budget_table"]["max_budget"] == TINY
    again = gateway.ask("POST", "/team/member_add", added)
    assert (again.status, again.json["error"]["type"]) == (400, "team_member_already_in_team")
    key = gateway.new_key(team_id=id, user_id=who)
    assert gateway.chat(key=key).status == 200
    refused(gateway, lambda: gateway.chat(key=key), f"TeamMember={who}:{id}")
    assert gateway.chat(key=gateway.new_key(team_id=id)).status == 200, "the others' budget is another one"
    changed = {"team_id": id, "user_id": who, "max_budget_in_team": 1.0, "role": "admin"}
    assert ok(gateway.ask("POST", "/team/member_update", changed))["max_budget_in_team"] == 1.0
    assert gateway.chat(key=key).status == 200
    assert ok(gateway.ask("GET", f"/user/info?user_id={who}"))["user_info"]["teams"] == [id]
    row = ok(gateway.ask("POST", "/team/member_delete", {"team_id": id, "user_id": who}))
    assert who not in [member["user_id"] for member in row["members_with_roles"]]
    assert gateway.ask("POST", "/team/member_delete", {"team_id": id, "user_id": who}).status == 404


def test_unknown_members_become_users(gateway):
    mail = f"{fresh('new')}@example.org"
    id = team(gateway)
    row = ok(gateway.ask("POST", "/team/member_add", {"team_id": id, "member": [{"role": "user", "user_email": mail}]}))
    made = row["updated_users"][0]
    assert (made["user_email"], made["user_role"]) == (mail, "internal_user")
    found = ok(gateway.ask("GET", f"/user/list?search={mail}"))
    assert [entry["user_id"] for entry in found["users"]] == [made["user_id"]]


def test_a_teams_budget_for_every_member(gateway):
    id, who = team(gateway, team_member_budget=TINY), user(gateway)
    ok(gateway.ask("POST", "/team/member_add", {"team_id": id, "member": {"role": "user", "user_id": who}}))
    key = gateway.new_key(team_id=id, user_id=who)
    assert gateway.chat(key=key).status == 200
    refused(gateway, lambda: gateway.chat(key=key), f"TeamMember={who}:{id}")
    ok(gateway.ask("POST", "/team/update", {"team_id": id, "team_member_budget": 1.0}))
    assert gateway.chat(key=key).status == 200, "the shared budget was raised for every member"


def test_a_users_budget_holds_for_personal_keys_only(gateway):
    who, id = user(gateway, max_budget=TINY), team(gateway)
    own, of_team = gateway.new_key(user_id=who), gateway.new_key(user_id=who, team_id=id)
    assert gateway.chat(key=own).status == 200
    refused(gateway, lambda: gateway.chat(key=own), f"User={who}")
    assert gateway.chat(key=of_team).status == 200


def test_rates_of_a_team_and_of_a_user(gateway):
    id = team(gateway, rpm_limit=2)
    keys = [gateway.new_key(team_id=id) for _ in range(2)]
    assert [gateway.chat(key=keys[number % 2]).status for number in range(4)] == [200, 200, 429, 429]
    denied = gateway.chat(key=keys[0])
    assert f"Rate limit exceeded for team: {id}. Limit type: requests" in denied.json["error"]["message"]
    who = user(gateway, rpm_limit=1)
    key = gateway.new_key(user_id=who)
    assert [gateway.chat(key=key).status for _ in range(2)] == [200, 429]


def test_an_organisations_budget(gateway):
    alias = fresh("org")
    made = ok(gateway.ask("POST", "/organization/new", {"organization_alias": alias, "max_budget": TINY}))
    id = made["organization_id"]
    assert made["litellm_budget_table"]["max_budget"] == TINY
    key = gateway.new_key(organization_id=id)
    assert gateway.chat(key=key).status == 200
    refused(gateway, lambda: gateway.chat(key=key), f"Organization={id}")
    changed = {"organization_id": id, "max_budget": 1.0}
    assert ok(gateway.ask("PATCH", "/organization/update", changed))["organization_alias"] == alias
    assert gateway.chat(key=key).status == 200
    member = {"organization_id": id, "member": {"role": "org_admin", "user_id": user(gateway)}}
    assert ok(gateway.ask("POST", "/organization/member_add", member))["updated_organization_memberships"]
    user(gateway, organizations=[id])
    members = ok(gateway.ask("GET", f"/organization/info?organization_id={id}"))["members"]
    assert sorted(member["user_role"] for member in members) == ["internal_user", "org_admin"]
    assert ok(gateway.ask("DELETE", "/organization/delete", {"organization_ids": [id]}))
    assert gateway.ask("GET", f"/organization/info?organization_id={id}").status == 404


def test_customers_are_made_by_their_first_call_and_have_budgets(gateway):
    who, key = fresh("customer"), gateway.new_key()
    assert gateway.chat(key=key, user=who).status == 200
    until = time.monotonic() + 10
    while (found := gateway.ask("GET", f"/customer/info?end_user_id={who}")).status != 200:
        assert time.monotonic() < until, found.body
        time.sleep(0.1)
    assert found.json["spend"] == pytest.approx(CALL_COST)
    ok(gateway.ask("POST", "/customer/update", {"user_id": who, "max_budget": TINY}))
    refused(gateway, lambda: gateway.chat(key=key, user=who), f"EndUser={who}")
    assert gateway.chat(key=key, user=fresh("other")).status == 200
    assert gateway.chat(key=key).status == 200
    ok(gateway.ask("POST", "/customer/block", {"user_ids": [who]}))
    blocked = gateway.chat(key=key, user=who)
    assert blocked.status == 401 and f"User={who}" in blocked.json["error"]["message"]
    assert who not in ok(gateway.ask("POST", "/customer/unblock", {"user_ids": [who]}))["blocked_users"]
    assert ok(gateway.ask("POST", "/end_user/delete", {"user_ids": [who]}))["deleted_customers"] == 1
    gone = gateway.ask("GET", f"/end_user/info?end_user_id={who}")
    assert (gone.status, gone.json["error"]["type"]) == (404, "not_found")


def test_a_customer_made_anew_begins_anew(gateway):
    who, key = fresh("again"), gateway.new_key()
    ok(gateway.ask("POST", "/customer/new", {"user_id": who, "max_budget": TINY}))
    assert gateway.chat(key=key, user=who).status == 200
    refused(gateway, lambda: gateway.chat(key=key, user=who), f"EndUser={who}")
    ok(gateway.ask("POST", "/customer/delete", {"user_ids": [who]}))
    ok(gateway.ask("POST", "/customer/new", {"user_id": who, "max_budget": TINY}))
    assert gateway.chat(key=key, user=who).status == 200, "what the old one spent is gone with it"


def test_a_preset_spend_counts_at_once(gateway):
    name, key = fresh("preset"), gateway.new_key()
    body = {"metadata": {"tags": [name]}}
    assert gateway.chat(key=key, **body).status == 200
    ok(gateway.ask("POST", "/tag/new", {"name": name, "max_budget": 1.0, "spend": 2.0}))
    assert gateway.chat(key=key, **body).status == 422


def test_customers_share_a_budget(gateway):
    budget, ann, bob = fresh("gold"), fresh("ann"), fresh("bob")
    ok(gateway.ask("POST", "/budget/new", {"budget_id": budget, "max_budget": 1.0, "rpm_limit": 1}))
    for who in (ann, bob):
        made = ok(gateway.ask("POST", "/customer/new", {"user_id": who, "budget_id": budget}))
        assert made["budget_id"] == budget
    key = gateway.new_key()
    ask = lambda who: gateway.chat(key=key, user=who).status
    assert [ask(ann), ask(ann), ask(bob), ask(bob)] == [200, 429, 200, 429], "the limit is shared, the use is not"
    assert ok(gateway.ask("POST", "/budget/update", {"budget_id": budget, "rpm_limit": 100}))["rpm_limit"] == 100
    assert ask(ann) == 200
    assert ok(gateway.ask("POST", "/budget/info", {"budgets": [budget]}))[0]["max_budget"] == 1.0
    both = {"user_id": fresh("x"), "budget_id": budget, "max_budget": 1.0}
    assert gateway.ask("POST", "/customer/new", both).status == 422
    assert gateway.ask("POST", "/budget/new", {"budget_id": budget}).status == 400
    assert ok(gateway.ask("POST", "/budget/delete", {"id": budget}))["budget_id"] == budget


def test_a_key_takes_the_limits_of_a_shared_budget(gateway):
    budget = fresh("silver")
    ok(gateway.ask("POST", "/budget/new", {"budget_id": budget, "rpm_limit": 1}))
    key, own = gateway.new_key(budget_id=budget), gateway.new_key(budget_id=budget, rpm_limit=3)
    assert [gateway.chat(key=key).status for _ in range(2)] == [200, 429]
    assert [gateway.chat(key=own).status for _ in range(4)] == [200, 200, 200, 429]
    ok(gateway.ask("POST", "/budget/update", {"budget_id": budget, "rpm_limit": 9}))
    assert gateway.chat(key=key).status == 200


def test_tags_have_budgets(gateway):
    name = fresh("tag")
    ok(gateway.ask("POST", "/tag/new", {"name": name, "max_budget": TINY, "description": "red"}))
    key, body = gateway.new_key(), {"metadata": {"tags": [name]}}
    assert gateway.chat(key=key, **body).status == 200
    refused(gateway, lambda: gateway.chat(key=key, **body), f"Tag={name}")
    assert gateway.chat(key=key).status == 200
    assert ok(gateway.ask("POST", "/tag/info", {"names": [name]}))[name]["description"] == "red"
    ok(gateway.ask("POST", "/tag/delete", {"name": name}))
    assert gateway.chat(key=key, **body).status == 200


def test_a_period_of_a_team_starts_anew(gateway):
    id = team(gateway, max_budget=TINY, budget_duration="2s")
    key = gateway.new_key(team_id=id)
    until = time.monotonic() + 20
    for wanted in (200, 422, 200):
        while gateway.chat(key=key).status != wanted:
            assert time.monotonic() < until, f"never again {wanted}"
            time.sleep(0.1)


def test_deleting_a_team_takes_its_keys(gateway):
    id = team(gateway)
    key = gateway.new_key(team_id=id)
    assert gateway.chat(key=key).status == 200
    assert ok(gateway.ask("POST", "/team/delete", {"team_ids": [id]})) == {"deleted_teams": [id]}
    assert gateway.chat(key=key).status == 401
    assert gateway.ask("POST", "/team/delete", {"team_ids": [id]}).status == 404


def test_users_and_their_keys(gateway):
    who, mail = fresh("user"), f"{fresh('m')}@example.org"
    asked = {"user_id": who, "user_email": mail, "user_role": "internal_user", "max_budget": 3.0}
    made = ok(gateway.ask("POST", "/user/new", asked))
    assert made["key"].startswith("sk-") and made["token"] is None
    assert (made["user_email"], made["user_role"], made["max_budget"]) == (mail, "internal_user", 3.0)
    assert gateway.chat(key=made["key"]).status == 200
    assert gateway.ask("POST", "/user/new", asked).status == 409
    assert gateway.ask("POST", "/user/new", {"user_email": mail}).status == 409
    changed = ok(gateway.ask("POST", "/user/update", {"user_email": mail, "max_budget": 4.0}))
    assert (changed["user_id"], changed["data"]["max_budget"]) == (who, 4.0)
    info = ok(gateway.ask("GET", f"/user/info?user_id={who}"))
    assert [row["user_id"] for row in info["keys"]] == [who]
    assert ok(gateway.ask("GET", "/user/info", key=made["key"]))["user_id"] == who
    assert gateway.ask("GET", "/user/info?user_id=somebody", key=made["key"]).status == 403
    assert gateway.ask("GET", "/user/list", key=made["key"]).status == 403
    assert ok(gateway.ask("POST", "/user/delete", {"user_ids": [who]})) == 1
    assert gateway.chat(key=made["key"]).status == 401
    assert gateway.ask("GET", f"/user/info?user_id={who}").status == 404


def test_roles_of_users_open_management(gateway):
    admin = gateway.new_key(user_id=user(gateway, user_role="proxy_admin"))
    viewer = gateway.new_key(user_id=user(gateway, user_role="proxy_admin_viewer"))
    nobody = gateway.new_key(user_id=user(gateway, user_role="internal_user"))
    ask = lambda key, path, body=None: gateway.ask("POST" if body else "GET", path, body, key).status
    assert [ask(key, "/team/list") for key in (admin, viewer, nobody)] == [200, 200, 200], "one's own"
    assert [ask(key, "/budget/list") for key in (admin, viewer, nobody)] == [200, 200, 401]
    new = {"team_alias": "x"}
    assert [ask(key, "/team/new", new) for key in (admin, viewer, nobody)] == [200, 403, 401]
    assert "proxy_admin" in ok(gateway.ask("GET", "/user/available_roles"))


def test_replicas_see_a_change_within_a_second(spawn):
    one = spawn()
    if one.server is None:
        pytest.skip("two gateways share a PostgreSQL: GATEWAY_E2E_DATABASE=postgres")
    two = spawn(environment={"DATABASE_URL": one.environment["DATABASE_URL"]})
    id = team(one)
    key = one.new_key(team_id=id)
    assert two.chat(key=key).status == 200
    ok(one.ask("POST", "/team/block", {"team_id": id}))
    time.sleep(1.0)
    assert two.chat(key=key).status == 401
