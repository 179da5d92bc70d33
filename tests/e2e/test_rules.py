"""What keys, teams and the configuration say of calls beside limits: tags, required parameters, customers' defaults."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.common import fresh, ok
from support.gateway import CALL_COST, MASTER_KEY

TINY = round(CALL_COST / 2, 9)
HI = [{"role": "user", "content": "hi"}]


def refusal(call, status):
    """The error of a call that is refused as soon as the ones before it are settled."""
    until = time.monotonic() + 5
    while (answer := call()).status == 200:
        assert time.monotonic() < until, "it is never refused"
        time.sleep(0.05)
    assert answer.status == status, answer.body
    return answer.json["error"]


def test_a_customer_nobody_made_has_the_configured_budget(spawn, upstream):
    gateway = spawn(litellm_settings={"max_end_user_budget": TINY})
    key, one, other = gateway.new_key(), fresh("guest"), fresh("guest")
    error = refusal(lambda: gateway.chat(key=key, user=one), 422)
    assert error["message"].startswith(f"Budget has been exceeded! EndUser={one} Current cost: "), error
    assert error["message"].endswith("Max budget: 0.00001")
    upstream.clear()
    assert gateway.chat(key=key, user=one).status == 422 and not upstream.asked
    assert gateway.chat(key=MASTER_KEY, user=one).status == 422, "the operator's calls are for the customer, too"
    assert gateway.chat(key=key, user=other).status == 200, "each has a budget of its own"
    assert gateway.chat(key=key).status == 200
    gateway.kill()
    gateway.start()
    assert gateway.chat(key=key, user=one).status == 422, "what was spent survives a crash"
    ok(gateway.ask("POST", "/customer/new", {"user_id": fresh("vip"), "max_budget": 1}))
    made = fresh("made")
    ok(gateway.ask("POST", "/customer/new", {"user_id": made, "max_budget": 1}))
    for _ in range(3):
        assert gateway.chat(key=key, user=made).status == 200, "whoever has a budget of its own has no other"
    plain = fresh("plain")
    ok(gateway.ask("POST", "/customer/new", {"user_id": plain, "alias": "made, without a budget"}))
    refusal(lambda: gateway.chat(key=key, user=plain), 422)


def test_customers_share_the_terms_of_a_budget_not_its_money(spawn):
    gateway = spawn(litellm_settings={"max_end_user_budget_id": "guests", "max_end_user_budget": 100})
    ok(gateway.ask("POST", "/budget/new", {"budget_id": "guests", "max_budget": TINY, "budget_duration": "3s"}))
    vip = {"budget_id": "vips", "rpm_limit": 2, "model_max_budget": {"gpt": {"max_budget": 1}}}
    ok(gateway.ask("POST", "/budget/new", vip))
    key, guest = gateway.new_key(), fresh("guest")
    refusal(lambda: gateway.chat(key=key, user=guest), 422)
    assert gateway.chat(key=key, user=fresh("guest")).status == 200
    until = time.monotonic() + 12
    while gateway.chat(key=key, user=guest).status != 200:
        assert time.monotonic() < until, "the period starts anew"
        time.sleep(0.1)
    lounge = gateway.new_key(end_user_budget_id="vips")
    statuses = [gateway.chat(key=lounge, user=fresh("vip")).status for _ in range(3)]
    assert statuses == [200] * 3, "each customer has the rates of the key's budget"
    someone = fresh("vip")
    answers = [gateway.chat(key=lounge, user=someone) for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert answers[0].headers["x-ratelimit-end_user-limit-requests"] == "2"
    assert f"Rate limit exceeded for end_user: {someone}." in answers[2].json["error"]["message"]
    ok(gateway.ask("POST", "/budget/update", {"budget_id": "vips", "rpm_limit": 50}))
    assert gateway.chat(key=lounge, user=someone).status == 200, "a change of the budget holds at once"


def test_a_customers_default_is_not_overshot_by_concurrency(spawn):
    gateway = spawn(litellm_settings={"max_end_user_budget": 10 * CALL_COST})
    key, guest = gateway.new_key(), fresh("guest")
    with ThreadPoolExecutor(40) as pool:
        statuses = list(pool.map(lambda _: gateway.chat("oai/slow-20", key, user=guest).status, range(100)))
    assert set(statuses) == {200, 422}
    paid, until = statuses.count(200), time.monotonic() + 20
    while gateway.chat("oai/slow-20", key, user=guest).status == 200:
        paid += 1
        assert time.monotonic() < until
    assert paid in (10, 11), "to the last call, of which a part may have been left"


@pytest.mark.parametrize("held", [False, True])
def test_a_users_budget_and_the_keys_of_teams(spawn, held):
    gateway = spawn(general_settings={"apply_user_budget_to_team_keys": held})
    user, team = fresh("user"), fresh("team")
    fields = {"user_id": user, "auto_create_key": False, "max_budget": TINY, "models": ["claude"]}
    ok(gateway.ask("POST", "/user/new", fields))
    ok(gateway.ask("POST", "/team/new", {"team_id": team}))
    key = gateway.new_key(user_id=user, team_id=team)
    if held:
        error = refusal(lambda: gateway.chat("gpt", key), 422)
        assert error["message"].startswith(f"Budget has been exceeded! User={user} "), error
    else:
        assert [gateway.chat("gpt", key).status for _ in range(3)] == [200] * 3
        assert gateway.spend(key, 3 * CALL_COST) >= 3 * CALL_COST - 1e-12


def test_new_internal_users_have_the_configured_budget(spawn):
    gateway = spawn(litellm_settings={"max_internal_user_budget": 7.5, "internal_user_budget_duration": "30d"})
    for role, given, expected in [
        ("internal_user", {}, (7.5, "30d")),
        ("internal_user", {"max_budget": 1, "budget_duration": "1d"}, (1, "1d")),
        ("proxy_admin", {}, (None, None)),
    ]:
        fields = {"user_id": fresh("user"), "user_role": role, "auto_create_key": False, **given}
        made = ok(gateway.ask("POST", "/user/new", fields))
        assert (made["max_budget"], made["budget_duration"]) == expected, role


def test_tags_of_keys_teams_and_projects_are_on_their_calls(gateway):
    red, blue, green, white = (fresh(color) for color in ("red", "blue", "green", "white"))
    ok(gateway.ask("POST", "/tag/new", {"name": red, "max_budget": TINY}))
    team, project = fresh("team"), fresh("project")
    ok(gateway.ask("POST", "/team/new", {"team_id": team, "tags": [blue]}))
    ok(gateway.ask("POST", "/project/new", {"project_id": project, "team_id": team, "tags": [green]}))
    key = gateway.new_key(team_id=team, project_id=project, tags=[red], metadata={"cost-centre": 42})
    assert gateway.key_info(key)["tags"] == [red]
    assert gateway.chat(key=key, metadata={"tags": [white, red]}).status == 200
    assert sorted(gateway.rows(key, 1)[0]["request_tags"]) == sorted([red, blue, green, white])
    assert f"Tag={red}" in refusal(lambda: gateway.chat(key=key), 422)["message"], "a tag's budget holds"
    kept = gateway.new_key(metadata={"tags": [red]})
    assert gateway.chat(key=kept).status == 422, "also where LiteLLM keeps them"
    assert gateway.chat(key=gateway.new_key()).status == 200


def test_what_a_body_must_have(spawn):
    rules = {"enforced_params": ["metadata.run"], "service_account_settings": {"enforced_params": ["user"]}}
    gateway = spawn(general_settings=rules)
    key = gateway.new_key(enforced_params=["temperature"])
    for fields, missing in [
        ({}, "[metadata][run]"),
        ({"metadata": {}}, "[metadata][run]"),
        ({"metadata": {"run": "7"}}, "temperature"),
        ({"metadata": {"run": "7"}, "temperature": 0}, None),
    ]:
        answer = gateway.chat(key=key, **fields)
        if missing is None:
            assert answer.status == 200, answer.body
            continue
        error = answer.json["error"]
        expected = f"BadRequest please pass param={missing} in request body. This is a required param"
        assert answer.status == 400 and expected in error["message"], error
    run = {"metadata": {"run": "7"}}
    team = fresh("team")
    ok(gateway.ask("POST", "/team/new", {"team_id": team}))
    service = gateway.new_key(metadata={"service_account_id": "ci"}, team_id=team)
    assert gateway.chat(key=service, **run).status == 400
    assert gateway.chat(key=service, user="ann", **run).status == 200
    assert gateway.chat(key=MASTER_KEY).status == 400, "the operator's rule is for everybody"
    body = {"model": "claude", "max_tokens": 5, "messages": HI}
    assert gateway.ask("POST", "/v1/messages", body, key=gateway.new_key()).status == 400
    assert gateway.ask("POST", "/v1/messages", {**body, **run}, key=gateway.new_key()).status == 200


def test_answers_are_as_long_as_a_key_says(gateway):
    ask = {"model": "gpt", "messages": HI}
    left = "x-ratelimit-api_key-remaining-tokens"

    def rest(**fields):
        key = gateway.new_key(tpm_limit=10_000, **fields)
        answer = gateway.ask("POST", "/v1/chat/completions", ask, key=key)
        assert answer.status == 200
        return int(answer.headers[left])

    team = fresh("team")
    ok(gateway.ask("POST", "/team/new", {"team_id": team, "default_estimated_output_tokens": 300}))
    assert rest() < 7_000, "without a word the most the model may say is set aside"
    assert 9_600 < rest(team_id=team) <= 9_700
    assert 9_400 < rest(team_id=team, default_estimated_output_tokens=500) <= 9_500
    by_model = {"gpt": 700}
    assert 9_200 < rest(default_estimated_output_tokens_per_model=by_model, default_estimated_output_tokens=5) <= 9_300


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"tags": "red"}, "tags"),
        ({"enforced_params": [1]}, "enforced_params"),
        ({"default_estimated_output_tokens": "many"}, "default_estimated_output_tokens"),
        ({"default_estimated_output_tokens_per_model": {"gpt": -1}}, "default_estimated_output_tokens_per_model"),
    ],
)
def test_rules_that_make_no_sense_are_refused(gateway, fields, param):
    refused = gateway.ask("POST", "/key/generate", fields)
    assert (refused.status, refused.json["detail"][0]["loc"]) == (422, ["body", param])
