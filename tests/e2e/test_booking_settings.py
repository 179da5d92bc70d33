"""What the operator says of budgets' periods, of rows of calls and of the secrets of keys."""

import time
from concurrent.futures import ThreadPoolExecutor

from support.common import fresh, ok, until
from support.gateway import CALL_COST, entry

TINY = round(CALL_COST / 2, 9)
SOON = {"proxy_batch_write_at": 1}


def refused(gateway, key):
    """Calls until the budget is spent; the refusal."""
    answer = until(lambda: (answer := gateway.chat(key=key)).status != 200 and answer, 5, "it is never refused")
    assert answer.status == 422, answer.body


def test_what_is_spent_too_much_counts_in_the_next_period(spawn):
    gateway = spawn(litellm_settings={"budget_rollover": True})
    team = fresh("team")
    ok(gateway.ask("POST", "/team/new", {"team_id": team, "max_budget": TINY, "budget_duration": "6s"}))
    key, of_team = gateway.new_key(max_budget=TINY, budget_duration="6s"), gateway.new_key(team_id=team)
    for one in (key, of_team):
        refused(gateway, one)
    spend = lambda: gateway.key_info(key)["spend"]
    # The one call cost twice the budget: the next period is spent from its beginning.
    until(lambda: abs(spend() - TINY) < 1e-12, 10, "what is too much is carried over")
    assert gateway.chat(key=key).status == 422
    for one in (key, of_team):
        until(lambda: gateway.chat(key=one).status == 200, 15, "the period after that begins anew")


def test_budgets_that_stay_spent(spawn):
    gateway = spawn(general_settings={"disable_reset_budget": True})
    key = gateway.new_key(max_budget=TINY, budget_duration="1s")
    refused(gateway, key)
    end = gateway.key_info(key)["budget_reset_at"]
    until(lambda: time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - 3)) > end, 10)
    assert gateway.chat(key=key).status == 422
    assert gateway.key_info(key)["budget_reset_at"] == end


def test_sums_without_rows(spawn):
    gateway = spawn(general_settings={"disable_spend_logs": True, **SOON})
    key = gateway.new_key()
    ok(gateway.chat(key=key))
    assert gateway.spend(key, at_least=CALL_COST) > 0
    until(lambda: "gateway_ledger_shipped_rows 1" in gateway.ask("GET", "/metrics").body.decode(), 15)
    assert gateway.rows(key, 0) == []
    gateway.kill()
    gateway.start()
    assert abs(gateway.key_info(key)["spend"] - CALL_COST) < 1e-12, "the call is booked once"
    day = time.strftime("%Y-%m-%d", time.gmtime())
    activity = ok(gateway.ask("GET", f"/user/daily/activity?start_date={day}&end_date={day}"))
    assert activity["metadata"]["total_spend"] > 0


def test_no_rows_of_failures(spawn):
    gateway = spawn(general_settings={"disable_error_logs": True, **SOON})
    key = gateway.new_key()
    assert gateway.chat("oai/error-500", key=key).status >= 500
    ok(gateway.chat(key=key))
    rows = gateway.rows(key, 1)
    assert [row["status"] for row in rows] == ["success"]


def test_a_call_that_may_not_fit_is_refused(spawn, upstream):
    # Less than the five tokens cost that a call may have for an answer.
    budget = TINY / 2
    open_one, closed = spawn(), spawn(general_settings={"fail_closed_budget_enforcement": True})
    ok(open_one.chat(key=open_one.new_key(max_budget=budget)))
    upstream.clear()
    assert closed.chat(key=closed.new_key(max_budget=budget)).status == 422 and not upstream.asked
    ok(closed.chat(key=closed.new_key(max_budget=1)))


def test_nobody_chooses_the_secret_of_a_key(spawn):
    gateway = spawn(general_settings={"disable_custom_api_keys": True, "allow_public_health_readiness_details": True})
    answer = gateway.ask("POST", "/key/generate", {"key": f"sk-{fresh('chosen-secret')}"})
    words = "Custom API key values are disabled by your administrator. Keys must be auto-generated."
    assert (answer.status, answer.json["detail"]) == (403, {"error": words})
    key = gateway.new_key()
    answer = gateway.ask("POST", "/key/regenerate", {"key": key, "new_key": f"sk-{fresh('chosen-secret')}"})
    assert answer.status == 403
    ok(gateway.ask("POST", "/key/regenerate", {"key": key}))
    assert ok(gateway.ask("GET", "/health/readiness/details", key=None))["status"] == "healthy"


def test_changes_of_a_model_at_the_same_time_are_all_kept(spawn, upstream):
    gateway = spawn(general_settings={"store_model_in_db": True})
    params = entry("stored", "openai/say", upstream.base + "/v1")["litellm_params"]
    made = ok(gateway.ask("POST", "/model/new", {"model_name": "stored", "litellm_params": params, "model_info": {}}))
    id, groups, notes = made["model_id"], [f"group{n}" for n in range(6)], [f"note{n}" for n in range(6)]
    new = lambda name: gateway.ask("POST", "/access_group/new", {"access_group": name, "model_ids": [id]})
    edit = lambda name: gateway.ask("PATCH", f"/model/{id}/update", {"model_info": {name: name}})
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda work: work[0](work[1]), [(new, g) for g in groups] + [(edit, n) for n in notes]))
    assert all(answer.status == 200 for answer in answers), [answer.body for answer in answers]
    info = next(row for row in ok(gateway.ask("GET", "/model/info"))["data"] if row["model_info"]["id"] == id)["model_info"]
    assert sorted(info["access_groups"]) == groups
    assert all(info[name] == name for name in notes)
