"""`/cost/predict-cache`: what the next request of a conversation costs where it has been, and elsewhere."""

import pytest
from support.common import ok, until
from support.gateway import entry

READ, WRITE, PLAIN = 0.1, 1.25, 1.0
PRICES = {
    "input_cost_per_token": PLAIN, "cache_read_input_token_cost": READ, "cache_creation_input_token_cost": WRITE,
    "output_cost_per_token": 1.0,
}
LONG = "word " * 1600  # 2,000 tokens of four bytes


def request(*texts, mark=True):
    parts = [{"type": "text", "text": text} for text in texts]
    if mark:
        parts[-1]["cache_control"] = {"type": "ephemeral"}
    messages = [{"role": "user", "content": parts}, {"role": "user", "content": "and now?"}]
    return {"model": "claude-pair", "max_tokens": 5, "messages": messages}


@pytest.fixture
def gateway(spawn, upstream):
    def model(id):
        made = entry("claude-pair", "anthropic/say", upstream.base, **PRICES)
        return {**made, "model_info": {"id": id}}

    models = [model("one"), model("two"), {**entry("gone", "anthropic/say", upstream.base), "model_info": {"id": "bare"}}]
    return spawn(models=models, router_settings={"optional_pre_call_checks": ["prompt_caching"]})


def predict(gateway, body, current="one", candidate="two", **more):
    asked = {"current_deployment_id": current, "candidate_deployment_id": candidate, "request": body}
    return gateway.ask("POST", "/cost/predict-cache", asked, **more)


def test_staying_is_cheap_and_going_elsewhere_is_dear(gateway):
    key = gateway.new_key()
    cold = ok(predict(gateway, request(LONG), key=key))
    assert (cold["stay"]["cache_state"], cold["switch"]["cache_state"]) == ("stale", "stale")
    assert cold["switch_delta"] == 0 and cold["stay"]["evidence"] is None
    served = gateway.ask("POST", "/v1/messages", request(LONG), key)
    assert served.status == 200, served.body
    home = served.headers["x-litellm-model-id"]
    other = {"one": "two", "two": "one"}[home]
    told = ok(predict(gateway, request(LONG), home, other, key=key))
    stay, switch = told["stay"], told["switch"]
    assert (stay["cache_state"], switch["cache_state"]) == ("warm", "stale")
    tokens = stay["estimate"]["tokens"]
    assert tokens["cache_read_input_tokens"] == 2000 and tokens["cache_creation_5m_input_tokens"] == 0
    plain = tokens["input_tokens"]
    assert stay["estimate"]["input_cost"] == pytest.approx(2000 * READ + plain * PLAIN)
    assert switch["estimate"] == switch["cold"] and switch["warm"]["input_cost"] == stay["estimate"]["input_cost"]
    assert switch["cold"]["tokens"]["cache_creation_5m_input_tokens"] == 2000
    assert told["switch_delta"] == pytest.approx(2000 * (WRITE - READ)) == pytest.approx(told["cache_rebuild_penalty"])
    assert stay["evidence"]["expires_at"] - stay["evidence"]["observed_at"] == pytest.approx(300, abs=1)
    assert told["pricing_basis"] == "input_before_discounts_and_margins" and told["cache_guarantee"] is False
    # What is warm for one caller is nobody else's to know.
    assert ok(predict(gateway, request(LONG), home, other, key=gateway.new_key()))["stay"]["cache_state"] == "stale"
    # A conversation that has grown has a part of it warm.
    marked = request(LONG)["messages"][0]["content"]
    grown = request(LONG, LONG)
    grown["messages"][0]["content"][0] = marked[0]
    partly = ok(predict(gateway, grown, home, other, key=key))["stay"]
    assert partly["cache_state"] == "partial"
    assert partly["estimate"]["tokens"]["cache_read_input_tokens"] == 2000
    assert partly["estimate"]["tokens"]["cache_creation_5m_input_tokens"] == 2000


def test_what_cannot_be_said_says_why(gateway):
    unmarked = ok(predict(gateway, request(LONG, mark=False)))
    assert unmarked["stay"]["reason"] == "unsupported_prompt_shape" and unmarked["switch_delta"] is None
    short = ok(predict(gateway, request("hi")))["stay"]
    assert short["cache_state"] == "disabled" and short["estimate"] == short["warm"]
    assert short["estimate"]["tokens"]["cache_read_input_tokens"] == 0


def test_what_is_refused(gateway):
    assert predict(gateway, request(LONG), current="nobody").status == 404
    assert predict(gateway, request(LONG), key=gateway.new_key(models=["gpt"])).status == 404
    extra = {"current_deployment_id": "one", "candidate_deployment_id": "two", "request": {}, "model": "x"}
    for body, word in ((extra, "`model`"), ({"request": {}}, "current_deployment_id"), ({}, "`request`")):
        refused = gateway.ask("POST", "/cost/predict-cache", body)
        assert refused.status == 400 and word in refused.json["error"]["message"], refused.body
