"""What was spent, by whom, on what: the reports of LiteLLM's API, from sums that the ledger keeps."""

import datetime
import hashlib
import time

import pytest
from support.common import fresh, ok, until
from support.gateway import CALL_COST

DAY = datetime.timedelta(days=1)


@pytest.fixture(scope="module")
def spent(shared, provider):
    """A team, a user, a customer and a tag with three calls, one of them to another model, one failed."""
    provider.clear()
    names = {word: fresh(word) for word in ("team", "user", "customer", "tag", "alias")}
    ok(shared.ask("POST", "/team/new", {"team_id": names["team"], "team_alias": names["alias"]}))
    key = shared.new_key(team_id=names["team"], user_id=names["user"], key_alias=fresh("key"))
    body = {"user": names["customer"], "metadata": {"tags": [names["tag"]]}}
    assert shared.chat("oai/say", key, **body).status == 200
    assert shared.chat("claude", key, **body).status == 200
    assert shared.chat("oai/error-500", key, **body).status >= 500
    shared.spend(key, 2 * CALL_COST)
    names["key"], names["hash"] = key, ok(shared.ask("GET", f"/key/info", key=key))["key"]
    until = time.monotonic() + 10
    while len(ok(shared.ask("GET", f"/spend/logs?summarize=false&api_key={key}"))) < 3:
        assert time.monotonic() < until
        time.sleep(0.1)
    return names


@pytest.fixture
def days():
    today = datetime.datetime.now(datetime.UTC).date()
    return f"start_date={today - DAY}&end_date={today + DAY}"


def total(rows, name, value):
    return next(row["total_spend"] for row in rows if row[name] == value)


def test_the_log_by_call_and_by_day(gateway, spent, days):
    rows = ok(gateway.ask("GET", f"/spend/logs?summarize=false&api_key={spent['key']}"))
    assert len(rows) == 3
    good = [row for row in rows if row["status"] == "success"]
    assert [row["spend"] for row in good] == [pytest.approx(CALL_COST)] * 2
    for row in rows:
        assert (row["api_key"], row["team_id"], row["end_user"]) == (spent["hash"], spent["team"], spent["customer"])
        assert row["request_tags"] == [spent["tag"]]
    one = ok(gateway.ask("GET", f"/spend/logs?request_id={rows[0]['request_id']}"))
    assert [row["request_id"] for row in one] == [rows[0]["request_id"]]
    element = ok(gateway.ask("GET", f"/spend/logs?{days}&api_key={spent['key']}"))
    assert len(element) == 1
    assert element[0]["spend"] == element[0][spent["hash"]] == pytest.approx(2 * CALL_COST)
    assert element[0]["users"] == {spent["user"]: pytest.approx(2 * CALL_COST)}
    page = ok(gateway.ask("GET", f"/spend/logs/v2?{days}&api_key={spent['key']}&page_size=2"))
    assert (len(page["data"]), page["total"], page["total_pages"]) == (2, 3, 2)


def test_sums_by_everything(gateway, spent, days):
    ask = lambda path: ok(gateway.ask("GET", path))
    both = pytest.approx(2 * CALL_COST)
    assert total(ask("/global/spend/keys"), "api_key", spent["hash"]) == both
    teams = ask(f"/global/spend/teams?{days}")
    assert total(teams["total_spend_per_team"], "team_id", spent["alias"]) == both
    assert teams["daily_spend"][-1][spent["alias"]] == both
    tags = ask(f"/global/spend/tags?{days}")["spend_per_tag"]
    assert next(tag for tag in tags if tag["name"] == spent["tag"]) == {
        "name": spent["tag"], "spend": both, "log_count": 3,
    }
    assert spent["tag"] in ask("/global/spend/all_tag_names")["tag_names"]
    assert next(t for t in ask("/spend/tags") if t["individual_request_tag"] == spent["tag"])["log_count"] == 3
    customers = ok(gateway.ask("POST", "/global/spend/end_users", {}))
    assert total(customers, "end_user", spent["customer"]) == both
    assert ask("/global/spend")["spend"] >= 2 * CALL_COST - 1e-12
    models = {row["model"] for row in ask("/global/spend/models")}
    assert "say" in models
    assert {row["provider"] for row in ask(f"/global/spend/provider?{days}")} >= {"openai", "anthropic"}
    activity = ask(f"/global/activity?{days}&api_key={spent['key']}")
    assert (activity["sum_api_requests"], activity["sum_total_tokens"]) == (3, 30)
    by_model = ask(f"/global/activity/model?{days}&api_key={spent['key']}")
    assert {row["model"]: row["sum_api_requests"] for row in by_model}["claude"] == 1
    assert spent["hash"] in [row["token"] for row in ask("/spend/keys")]


def uses(rows):
    """Spend and tokens of the metadata of a report's rows, checked against their totals."""
    for row in rows:
        assert row["total_spend"] == pytest.approx(sum(use["spend"] for use in row["metadata"]), abs=1e-12)
    return [use for row in rows for use in row["metadata"]]


def test_the_report_has_the_forms_of_litellm(gateway, spent, days):
    report = lambda query: ok(gateway.ask("GET", f"/global/spend/report?{days}&{query}"))
    both = pytest.approx(2 * CALL_COST)
    [key] = report(f"group_by=api_key&api_key={spent['key']}")
    assert (key["api_key"], key["total_cost"]) == (spent["hash"], both)
    assert key["total_input_tokens"] + key["total_output_tokens"] == 30
    assert sum(model["total_cost"] for model in key["model_details"]) == both
    assert report(f"internal_user_id={spent['user']}") == [key]
    assert key in report("group_by=api_key")
    for group, list_of, name, whose in [
        ("team", "teams", "team_name", spent["alias"]), ("customer", "customers", "customer", spent["customer"])
    ]:
        rows = [(day["group_by_day"], row) for day in report(f"group_by={group}") for row in day[list_of] if row[name] == whose]
        assert {day for day, _ in rows} == {f"{datetime.datetime.now(datetime.UTC).date()}T00:00:00+00:00"}
        found = uses([row for _, row in rows])
        assert {use["api_key"] for use in found} == {spent["hash"]}
        assert sum(use["spend"] for use in found) == both
        assert sum(use["total_tokens"] for use in found) == 30
    [day] = report(f"team_id={spent['team']}&customer_id={spent['customer']}")
    [row] = day["teams_customers"]
    assert (row["team_name"], row["customer"], row["total_spend"]) == (spent["alias"], spent["customer"], both)
    assert report(f"team_id={spent['team']}&customer_id=nobody") == []
    missing = gateway.ask("GET", "/global/spend/report")
    assert (missing.status, missing.json["detail"]["error"]) == (400, "Please provide start_date and end_date")


def test_tags_are_summed_up_and_customers_named(gateway, spent):
    today = datetime.datetime.now(datetime.UTC).date()
    days = f"start_date={today - DAY}&end_date={today + DAY}"
    summary = lambda query: ok(gateway.ask("GET", f"/tag/summary?{days}&{query}"))["results"]
    [row] = summary(f"tag_filter={spent['tag'].upper()}")
    assert row["total_spend"] == pytest.approx(2 * CALL_COST)
    counted = {name: row[name] for name in row if name not in ("total_spend", "total_tokens")}
    assert counted == {
        "tag": spent["tag"],
        "unique_users": 1,
        "total_requests": 3,
        "successful_requests": 2,
        "failed_requests": 1,
    }
    assert row["total_tokens"] > 0
    assert summary(f"tag_filters=nothing&tag_filters={spent['tag']}") == [row]
    assert summary("tag_filters=nothing") == []
    assert ok(gateway.ask("GET", f"/tag/summary?start_date={today + DAY}&end_date={today + DAY}")) == {"results": []}
    assert gateway.ask("GET", "/tag/summary").status == 422
    assert spent["customer"] in ok(gateway.ask("GET", "/global/all_end_users"))["end_users"]
    agent = f"User-Agent: {spent['tag']}"
    key = gateway.new_key()
    assert gateway.chat("oai/say", key, metadata={"tags": [agent]}).status == 200
    until = time.monotonic() + 10
    while agent not in (tags := [row["tag"] for row in ok(gateway.ask("GET", "/tag/distinct"))["results"]]):
        assert time.monotonic() < until, tags
        time.sleep(0.1)
    assert spent["tag"] not in tags
    for path in ("/tag/distinct", f"/tag/summary?{days}", "/global/all_end_users"):
        assert gateway.ask("GET", path, key=key).status in (401, 403), path


@pytest.mark.parametrize(
    "entity, ids", [("user", "user_id"), ("team", "team_ids"), ("customer", "end_user_ids"), ("tag", "tags")]
)
@pytest.mark.parametrize("form", ["", "/aggregated"])
def test_daily_activity(gateway, spent, days, entity, ids, form):
    name = spent[entity]
    answer = ok(gateway.ask("GET", f"/{entity}/daily/activity{form}?{days}&{ids}={name}"))
    assert len(answer["results"]) == 1
    day = answer["results"][0]
    assert day["metrics"]["spend"] == answer["metadata"]["total_spend"] == pytest.approx(2 * CALL_COST)
    assert (day["metrics"]["successful_requests"], day["metrics"]["failed_requests"]) == (2, 1)
    parts = day["breakdown"]
    assert set(parts["entities"]) == {name}
    assert parts["entities"][name]["api_key_breakdown"][spent["hash"]]["metadata"]["team_id"] == spent["team"]
    assert parts["providers"]["anthropic"]["metrics"]["spend"] == pytest.approx(CALL_COST)
    assert set(parts["api_keys"]) == {spent["hash"]}
    other = ok(gateway.ask("GET", f"/{entity}/daily/activity{form}?{days}&exclude_{ids.replace('user_id', 'user_ids') if entity == 'user' else ids}={name}"))
    assert all(name not in result["breakdown"]["entities"] for result in other["results"])


def test_what_is_wrong_is_said(gateway):
    answer = gateway.ask("GET", "/user/daily/activity")
    assert (answer.status, answer.json["detail"]["error"]) == (400, "Please provide start_date and end_date")
    for path in ("/global/activity", "/global/activity/model", "/global/spend/provider"):
        for query in ("", "?start_date=2026-01-01", "?end_date=2026-01-01"):
            answer = gateway.ask("GET", path + query)
            assert (answer.status, answer.json["detail"]["error"]) == (400, "Please provide start_date and end_date"), path
    answer = gateway.ask("GET", "/global/spend/tags?start_date=2026-01-01")
    error = answer.json["error"]
    assert (answer.status, error["message"], error["type"]) == (400, "Please provide start_date and end_date", "bad_request")
    answer = gateway.ask("GET", "/global/activity?start_date=yesterday")
    assert answer.status == 422 and answer.json["detail"][0]["loc"] == ["query", "start_date"]
    assert gateway.ask("GET", "/global/spend/report?group_by=moon").status == 422
    assert gateway.ask("GET", "/global/spend", key=gateway.new_key()).status == 401


def test_costs_are_told_before_and_after(gateway):
    asked = {"model": "gpt", "messages": [{"role": "user", "content": "hi"}]}
    prompt = ok(gateway.ask("POST", "/spend/calculate", asked))["cost"]
    assert 0 < prompt < CALL_COST
    reply = gateway.chat().json
    body = {"model": "gpt", "completion_response": reply}
    assert ok(gateway.ask("POST", "/spend/calculate", body))["cost"] == pytest.approx(CALL_COST, abs=1e-12)
    assert gateway.ask("POST", "/spend/calculate", {"model": "gpt"}).status == 400
    unknown = gateway.ask("POST", "/spend/calculate", {"model": "nobody", "messages": []})
    assert (unknown.status, unknown.json["error"]["param"]) == (400, "model")
    assert unknown.json["error"]["type"] == "invalid_request_error"
    question = {"model": "gpt", "input_tokens": 10, "output_tokens": 5, "num_requests_per_day": 3}
    told = ok(gateway.ask("POST", "/cost/estimate", question))
    assert told["cost_per_request"] == pytest.approx(CALL_COST, abs=1e-12)
    assert told["input_cost_per_request"] == told["output_cost_per_request"] == pytest.approx(CALL_COST / 2)
    assert told["daily_cost"] == pytest.approx(3 * CALL_COST) and told["monthly_cost"] is None
    assert gateway.ask("POST", "/cost/estimate", {"model": "gpt", "input_tokens": -1}).status == 422
    unknown = gateway.ask("POST", "/cost/estimate", {**question, "model": "nobody"})
    assert unknown.status == 404 and "'nobody'" in unknown.json["detail"]["error"]


def test_models_of_the_price_map_are_priced_though_nobody_has_configured_them(gateway):
    for model in ("gpt-4o-mini", "openai/gpt-4o-mini"):
        asked = {"model": model, "messages": [{"role": "user", "content": "hi"}]}
        assert 0 < ok(gateway.ask("POST", "/spend/calculate", asked))["cost"] < 0.0001
    reply = {"model": "gpt-4o-mini", "object": "chat.completion", "choices": [], "usage": {"prompt_tokens": 1_000_000, "completion_tokens": 0}}
    assert ok(gateway.ask("POST", "/spend/calculate", {"completion_response": reply}))["cost"] == pytest.approx(0.15)
    question = {"model": "gpt-4o-mini", "input_tokens": 1_000_000, "output_tokens": 0, "num_requests_per_month": "2"}
    told = ok(gateway.ask("POST", "/cost/estimate", question))
    assert (told["cost_per_request"], told["monthly_cost"]) == (pytest.approx(0.15), pytest.approx(0.3))
    assert told["provider"] == "openai" and told["input_cost_per_token"] == pytest.approx(1.5e-7)


def test_days_tell_the_dearest_keys_apart(gateway):
    team_id = ok(gateway.ask("POST", "/team/new", {}))["team_id"]
    dear, cheap = gateway.new_key(team_id=team_id), gateway.new_key(team_id=team_id)
    for key in (dear, dear, cheap):
        assert gateway.chat(key=key).status == 200
    day = lambda ahead: (datetime.datetime.now(datetime.timezone.utc) + ahead * DAY).strftime("%Y-%m-%d")
    ask = lambda query: gateway.ask("GET", f"/team/daily/activity{query}&team_ids={team_id}")
    whole = f"/aggregated?start_date={day(-1)}&end_date={day(1)}"
    until(lambda: ok(ask(whole))["metadata"]["total_api_requests"] == 3, seconds=20, what="three calls")
    told = ok(ask(whole + "&api_key_limit=1"))
    meta, [result] = told["metadata"], told["results"]
    assert (meta["api_key_limit"], meta["total_api_keys"], meta["entity_total_api_keys"]) == (1, 2, {team_id: 2})
    assert list(result["breakdown"]["api_keys"]) == [hashlib.sha256(dear.encode()).hexdigest()]
    assert len(result["breakdown"]["entities"][team_id]["api_key_breakdown"]) == 1
    assert result["metrics"]["api_requests"] == result["breakdown"]["entities"][team_id]["metrics"]["api_requests"] == 3
    assert ok(ask(whole))["metadata"]["api_key_limit"] == 100
    for wrong in ("api_key_limit=0", "api_key_limit=1001", "timezone=here"):
        [problem] = ok(ask(f"{whole}&{wrong}"), 422)["detail"]
        assert problem["loc"] == ["query", wrong.split("=")[0]]
    # A caller whose day began later than UTC's: its today is yesterday there.
    behind = f"?start_date={day(-1)}&end_date={day(-1)}&timezone={24 * 60}"
    assert ok(ask(behind))["results"] == []
    assert len(ok(ask(behind + "&include_current_utc_day=true"))["results"]) == 1
    past = f"?start_date={day(-3)}&end_date={day(-2)}&timezone={24 * 60}&include_current_utc_day=true"
    assert ok(ask(past))["results"] == [], "what is past stays as it is asked for"
