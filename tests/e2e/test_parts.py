"""Limits beside the usual ones: of one model, of several periods, for a time; of providers, deployments, tags."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.common import fresh, ok, team
from support.gateway import CALL_COST, entry

# Less than one call costs: what is left after the first call is nothing.
TINY = round(CALL_COST / 2, 9)


def refusal(call, status):
    """The error of a call that is refused as soon as the ones before it are settled."""
    until = time.monotonic() + 5
    while (answer := call()).status == 200:
        assert time.monotonic() < until, "it is never refused"
        time.sleep(0.05)
    assert answer.status == status, answer.body
    return answer


def ratelimits(answer):
    """What is left of rates, by name."""
    return {
        name.removeprefix("x-ratelimit-"): int(value)
        for name, value in answer.headers.items()
        if name.startswith("x-ratelimit-")
    }


def test_requests_of_a_model_per_key(gateway):
    key = gateway.new_key(model_rpm_limit={"gpt": 2}, model_tpm_limit={"gpt": 10_000})
    first = gateway.chat("gpt", key)
    left = ratelimits(first)
    assert left["model_per_key-limit-requests"] == 2 and left["model_per_key-remaining-requests"] == 1
    assert left["model_per_key-limit-tokens"] == 10_000 and left["model_per_key-remaining-tokens"] < 10_000
    assert not any(name.startswith("api_key") for name in left), "the key as a whole has no limit"
    assert gateway.chat("gpt", key).status == 200
    refused = gateway.chat("gpt", key)
    assert refused.status == 429
    digest = gateway.ask("GET", "/key/info", key=key).json["key"]
    message = refused.json["error"]["message"]
    assert message.startswith(f"Rate limit exceeded for model_per_key: {digest}:gpt. Limit type: requests."), message
    assert refused.headers["rate_limit_type"] == "requests" and refused.headers["retry-after"]
    other = gateway.chat("claude", key)
    assert other.status == 200 and not ratelimits(other)


def test_tokens_of_a_model_in_metadata(gateway):
    key = gateway.new_key(metadata={"model_tpm_limit": {"gpt": 20}})
    error = refusal(lambda: gateway.chat("gpt", key), 429).json["error"]
    assert "Limit type: tokens. Current limit: 20" in error["message"]


def test_rates_of_a_tag_per_key(gateway):
    key = gateway.new_key(tag_rpm_limit={"red": 1})
    first = gateway.chat(key=key, metadata={"tags": ["red"]})
    assert ratelimits(first)["tag_per_key-limit-requests"] == 1
    assert gateway.chat(key=key, metadata={"tags": ["red"]}).status == 429
    assert gateway.chat(key=key, metadata={"tags": ["blue"]}).status == 200


def test_rates_of_a_team_and_of_its_models(gateway):
    name = team(gateway, rpm_limit=50, model_rpm_limit={"gpt": 2})
    keys = [gateway.new_key(team_id=name) for _ in range(2)]
    left = ratelimits(gateway.chat("gpt", keys[0]))
    assert (left["team-limit-requests"], left["team-remaining-requests"]) == (50, 49)
    assert (left["model_per_team-limit-requests"], left["model_per_team-remaining-requests"]) == (2, 1)
    assert gateway.chat("gpt", keys[1]).status == 200
    refused = gateway.chat("gpt", keys[1])
    assert refused.status == 429
    assert f"exceeded for model_per_team: {name}:gpt." in refused.json["error"]["message"]
    assert gateway.chat("claude", keys[0]).status == 200
    ok(gateway.ask("POST", "/team/update", {"team_id": name, "model_rpm_limit": {"gpt": 100}}))
    assert gateway.chat("gpt", keys[1]).status == 200, "a raised limit holds at once, with what was counted"


def test_rates_the_deployment_gives_every_key(spawn, upstream):
    models = [entry("own", "openai/say", upstream.base + "/v1", default_api_key_rpm_limit=2)]
    gateway = spawn(models=models)
    plain, named = gateway.new_key(), gateway.new_key(model_rpm_limit={"own": 3})
    statuses = [gateway.chat("own", plain).status for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert [gateway.chat("own", named).status for _ in range(4)] == [200, 200, 200, 429]
    assert gateway.chat("gpt", plain).status == 200


@pytest.mark.parametrize("words", [("budget_limit", "time_period"), ("max_budget", "budget_duration")])
def test_a_budget_of_a_model_per_key(gateway, upstream, words):
    amount, period = words
    alias = fresh("alias")
    key = gateway.new_key(key_alias=alias, model_max_budget={"gpt": {amount: TINY, period: "1d"}})
    error = refusal(lambda: gateway.chat("gpt", key), 422).json["error"]
    digest = gateway.ask("GET", "/key/info", key=key).json["key"]
    expected = f"LiteLLM Virtual Key: {digest}, key_alias: {alias}, exceeded budget for model=gpt"
    assert (error["type"], error["message"]) == ("budget_exceeded", expected)
    upstream.clear()
    assert gateway.chat("gpt", key).status == 422 and not upstream.asked
    assert gateway.chat("claude", key).status == 200
    # As a whole the key has no budget, and what it spent counts for both models.
    assert gateway.spend(key, 2 * CALL_COST) >= 2 * CALL_COST - 1e-12


def test_budgets_of_models_for_user_team_and_customer(gateway):
    budget = {"gpt": {"budget_limit": TINY, "time_period": "1d"}}
    name = fresh("user")
    ok(gateway.ask("POST", "/user/new", {"user_id": name, "auto_create_key": False, "model_max_budget": budget}))
    users = gateway.new_key(user_id=name)
    teams = gateway.new_key(team_id=team(gateway, model_max_budget=budget))
    customer = fresh("customer")
    ok(gateway.ask("POST", "/customer/new", {"user_id": customer, "model_max_budget": budget}))
    plain = gateway.new_key()
    for key, fields, whose in [
        (users, {}, f"LiteLLM User: {name}"),
        (teams, {}, "LiteLLM Team: team-"),
        (plain, {"user": customer}, f"LiteLLM End User: {customer}"),
    ]:
        error = refusal(lambda: gateway.chat("gpt", key, **fields), 422).json["error"]
        assert error["message"].startswith(whose) and "exceeded budget for model=gpt" in error["message"], error
        assert gateway.chat("claude", key, **fields).status == 200


def test_another_model_serves_where_a_models_budget_is_spent(gateway, upstream):
    chain = ["claude", "oai/say"]
    tiny = {"budget_limit": TINY, "time_period": "1d"}
    key = gateway.new_key(model_max_budget={"gpt": tiny, "claude": tiny}, budget_fallbacks={"gpt": chain})
    assert gateway.key_info(key)["budget_fallbacks"] == {"gpt": chain}
    said = "x-gateway-budget-fallback-from"
    served, until = ["gpt"], time.monotonic() + 20
    first = gateway.chat("gpt", key)
    assert first.status == 200 and said not in first.headers
    calls = 1
    while served[-1] != "oai/say":
        assert time.monotonic() < until, served
        answer = gateway.chat("gpt", key)
        assert answer.status == 200, answer.body
        calls += 1
        if said in answer.headers:
            assert answer.headers[said] == "gpt"
            served.append(answer.headers["x-litellm-model-group"])
        else:
            time.sleep(0.05)
    assert served[1] == "claude", "the first that has a budget left serves"
    assert gateway.spend(key, calls * CALL_COST) == pytest.approx(calls * CALL_COST, rel=0, abs=5e-10)
    groups = [row["model_group"] for row in gateway.rows(key, calls)]
    assert set(groups) == {"gpt", "claude", "oai/say"} and groups.count("claude") <= 2
    assert '"budget_fallback_from":"gpt"' in gateway.log()
    # What serves in place of another is no reason to be asked for itself.
    refusal(lambda: gateway.chat("claude", key), 422)
    stream = gateway.chat("gpt", key, stream=True)
    assert stream.status == 200 and stream.headers[said] == "gpt"


def test_models_in_place_of_others_are_for_whom_they_are(gateway):
    tiny = {"gpt": {"budget_limit": TINY, "time_period": "1d"}}
    name = team(gateway, models=["gpt", "oai/say"])
    for fields in (
        {"models": ["gpt", "oai/say"], "budget_fallbacks": {"gpt": ["claude", "oai/say"]}},
        {"team_id": name, "budget_fallbacks": {"gpt": ["claude", "oai/say"]}},
    ):
        key = gateway.new_key(model_max_budget=tiny, **fields)
        until = time.monotonic() + 10
        while "x-gateway-budget-fallback-from" not in (answer := gateway.chat("gpt", key)).headers:
            assert answer.status == 200 and time.monotonic() < until
            time.sleep(0.05)
        assert answer.headers["x-litellm-model-group"] == "oai/say", "`claude` is not for this key or its team"
    only = gateway.new_key(models=["gpt"], model_max_budget=tiny, budget_fallbacks={"gpt": ["claude"]})
    error = refusal(lambda: gateway.chat("gpt", only), 422).json["error"]
    assert "exceeded budget for model=gpt" in error["message"]
    whole = gateway.new_key(max_budget=TINY, model_max_budget=tiny, budget_fallbacks={"gpt": ["claude"]})
    error = refusal(lambda: gateway.chat("gpt", whole), 422).json["error"]
    assert error["message"].startswith("Budget has been exceeded! Key="), "the key's whole budget holds for all"


def test_models_in_place_of_others_are_not_overshot_by_concurrency(gateway):
    budget = {"max_budget": 10 * CALL_COST, "budget_duration": "1d"}
    key = gateway.new_key(
        model_max_budget={"oai/slow-20": budget, "ant/slow-20": budget},
        budget_fallbacks={"oai/slow-20": ["ant/slow-20"]},
    )
    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(lambda _: gateway.chat("oai/slow-20", key), range(120)))
    assert {answer.status for answer in answers} == {200, 422}
    until = time.monotonic() + 30
    while (answer := gateway.chat("oai/slow-20", key)).status == 200:
        answers.append(answer)
        assert time.monotonic() < until
    said = "x-gateway-budget-fallback-from"
    own = sum(answer.status == 200 and said not in answer.headers for answer in answers)
    others = sum(answer.status == 200 and said in answer.headers for answer in answers)
    # To the last call each, of which a part may have been left.
    assert own in (10, 11) and others in (10, 11), (own, others)
    assert gateway.spend(key, (own + others) * CALL_COST) == pytest.approx((own + others) * CALL_COST, abs=5e-10)


def test_a_models_budget_is_not_overshot_by_concurrency(gateway, upstream):
    key = gateway.new_key(model_max_budget={"oai/slow-20": {"max_budget": 20 * CALL_COST, "budget_duration": "1d"}})
    with ThreadPoolExecutor(40) as pool:
        statuses = list(pool.map(lambda _: gateway.chat("oai/slow-20", key).status, range(200)))
    assert set(statuses) == {200, 422}
    until = time.monotonic() + 20
    paid = statuses.count(200)
    while gateway.chat("oai/slow-20", key).status == 200:
        paid += 1
        assert time.monotonic() < until
    assert paid in (20, 21), "to the last call, of which a part may have been left"


def test_several_periods_at_once(gateway):
    windows = [{"budget_duration": "2s", "max_budget": TINY}, {"budget_duration": "30d", "max_budget": 100}]
    key = gateway.new_key(key_alias=fresh("windows"), max_budget=50, budget_limits=windows)
    error = refusal(lambda: gateway.chat(key=key), 422).json["error"]
    assert " Budget window=2s Current cost: " in error["message"], error
    until = time.monotonic() + 8
    while gateway.chat(key=key).status != 200:
        assert time.monotonic() < until, "the short period starts anew"
        time.sleep(0.1)
    assert gateway.spend(key, 2 * CALL_COST) >= 2 * CALL_COST - 1e-12, "the key's own budget goes on"


def test_what_parts_have_spent_survives_a_crash(spawn):
    gateway = spawn()
    key = gateway.new_key(
        model_max_budget={"gpt": {"max_budget": TINY, "budget_duration": "30d"}},
        budget_limits=[{"budget_duration": "1mo", "max_budget": 1}],
    )
    refusal(lambda: gateway.chat("gpt", key), 422)
    gateway.kill()
    gateway.start()
    assert gateway.chat("gpt", key).status == 422
    again = ok(gateway.ask("POST", "/key/regenerate", {"key": key}))["key"]
    assert gateway.chat("gpt", again).status == 422, "a new secret is no new budget"
    assert gateway.chat("claude", again).status == 200


def test_a_budget_raised_for_a_time(gateway):
    key = gateway.new_key(max_budget=TINY)
    refusal(lambda: gateway.chat(key=key), 422)
    soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 4))
    raised = {"key": key, "temp_budget_increase": 1, "temp_budget_expiry": soon}
    ok(gateway.ask("POST", "/key/update", raised))
    answer = gateway.chat(key=key)
    assert answer.status == 200
    assert float(answer.headers["x-litellm-key-max-budget"]) == pytest.approx(1 + TINY)
    assert gateway.key_info(key)["max_budget"] == TINY
    refusal(lambda: (time.sleep(0.2), gateway.chat(key=key))[1], 422)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"temp_budget_increase": 1}, "temp_budget_increase"),
        ({"temp_budget_increase": 1, "temp_budget_expiry": "soon"}, "temp_budget_increase"),
        ({"model_max_budget": {"gpt": {"budget_duration": "1d"}}}, "model_max_budget"),
        ({"model_max_budget": {"gpt": {"max_budget": 1, "budget_duration": "often"}}}, "model_max_budget"),
        ({"budget_limits": [{"budget_duration": "1d"}]}, "budget_limits"),
        ({"budget_limits": [5]}, "budget_limits"),
        ({"budget_fallbacks": {"gpt": "claude"}}, "budget_fallbacks"),
        ({"budget_fallbacks": ["claude"]}, "budget_fallbacks"),
    ],
)
def test_what_makes_no_sense_is_refused(gateway, fields, param):
    refused = gateway.ask("POST", "/key/generate", fields)
    assert (refused.status, refused.json["error"]["param"]) == (400, param)
    if "temp" not in param:
        assert gateway.ask("POST", "/team/new", fields).status == 400


def test_a_soft_budget_is_told_once(spawn):
    gateway = spawn()
    key = gateway.new_key(soft_budget=1.5 * CALL_COST)
    name = team(gateway, soft_budget=0.5 * CALL_COST)
    teams = gateway.new_key(team_id=name)
    assert not gateway.key_info(key)["soft_budget_cooldown"]
    for _ in range(3):
        assert gateway.chat(key=key).status == gateway.chat(key=teams).status == 200
    gateway.spend(key, 3 * CALL_COST)
    until = time.monotonic() + 10
    while len(told := [line for line in gateway.log().splitlines() if "a soft budget is passed" in line]) < 2:
        assert time.monotonic() < until, gateway.log()
        time.sleep(0.1)
    assert gateway.key_info(key)["soft_budget_cooldown"]
    digest = gateway.ask("GET", "/key/info", key=key).json["key"]
    assert sum(digest in line for line in told) == 1 and sum(name in line for line in told) == 1, told
    metrics = gateway.ask("GET", "/metrics").body.decode()
    assert "gateway_soft_budgets_passed 2" in metrics


def test_keys_have_a_soft_budget_where_the_operator_has_one_for_all(spawn):
    gateway = spawn(litellm_settings={"default_soft_budget": 0.5 * CALL_COST})
    key, own = gateway.new_key(), gateway.new_key(soft_budget=3)
    assert gateway.key_info(key)["soft_budget"] == pytest.approx(0.5 * CALL_COST)
    assert gateway.key_info(own)["soft_budget"] == 3
    assert gateway.chat(key=key).status == 200
    gateway.spend(key, CALL_COST)
    until = time.monotonic() + 10
    while "a soft budget is passed" not in gateway.log():
        assert time.monotonic() < until, gateway.log()
        time.sleep(0.1)
    assert gateway.chat(key=key).status == 200, "it refuses nothing"


def test_a_deployment_without_money_is_left_out(spawn, upstream):
    models = [
        entry("both", "openai/say", upstream.base + "/v1", max_budget=TINY, budget_duration="1d"),
        entry("both", "anthropic/say", upstream.base),
        entry("alone", "openai/say-2", upstream.base + "/v1", max_budget=TINY, budget_duration="1d"),
    ]
    models[0]["model_info"] = {"id": "small"}
    gateway = spawn(models=models)
    asked = []
    for _ in range(20):
        answer = gateway.chat("both")
        assert answer.status == 200, answer.body
        asked.append(answer.headers["x-litellm-model-id"])
    assert asked.count("small") == 1, "it is asked until its budget is spent, and not again"
    error = refusal(lambda: gateway.chat("alone"), 429).json["error"]
    assert error["message"].startswith("No deployments available - crossed budget: Exceeded budget for deployment"), error
    assert "model_name: alone, litellm_params.model: openai/say-2" in error["message"]
    gateway.kill()
    gateway.start()
    assert gateway.chat("alone").status == 429, "what was spent survives"


def test_a_call_killed_in_flight_is_paid_at_its_deployment(spawn, upstream):
    models = [entry("alone", "openai/slow-5000", upstream.base + "/v1", max_budget=TINY, budget_duration="30d")]
    gateway = spawn(models=models)
    upstream.clear()

    def caller():
        try:
            gateway.chat("alone", timeout=20)
        except OSError:
            pass

    thread = threading.Thread(target=caller)
    thread.start()
    deadline = time.monotonic() + 20
    while not upstream.asked:
        assert time.monotonic() < deadline, "the provider was not asked"
        time.sleep(0.01)
    gateway.kill()
    thread.join()
    gateway.start()
    answer = gateway.chat("alone")
    assert answer.status == 429 and "crossed budget" in answer.json["error"]["message"], answer.body


def test_a_provider_without_money(spawn, upstream):
    budgets = {"openai": {"budget_limit": TINY, "time_period": "1d"}}
    gateway = spawn(router_settings={"provider_budget_config": budgets})
    error = refusal(lambda: gateway.chat("gpt"), 429).json["error"]
    assert error["message"].startswith(
        "No deployments available - crossed budget: Exceeded budget for provider openai: "
    ), error
    upstream.clear()
    assert gateway.chat("oai/say").status == 429 and not upstream.asked
    assert gateway.chat("claude").status == 200


def test_tags_and_the_gateway_have_budgets(spawn):
    settings = {
        "tag_budget_config": {"red": {"budget_limit": TINY, "time_period": "1d"}},
        "max_budget": 4.5 * CALL_COST,
        "budget_duration": "30d",
    }
    gateway = spawn(litellm_settings=settings)
    red = {"metadata": {"tags": ["red"]}}
    error = refusal(lambda: gateway.chat(**red), 429).json["error"]
    assert error["message"].startswith(
        "No deployments available - crossed budget: Exceeded budget for tag='red', tag_spend="
    ), error
    answers = [gateway.chat() for _ in range(6)]
    assert answers[0].status == 200
    refused = refusal(gateway.chat, 422).json["error"]
    assert refused["message"].startswith("Budget has been exceeded! Current cost: "), refused
