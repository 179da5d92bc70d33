"""What travels beside the body: identities, our own headers, and nothing that was smuggled in."""

import json

import pytest
from conftest import openai_client
from support.gateway import CALL_COST

ASK = [{"role": "user", "content": "hi"}]


def test_the_callers_key_never_reaches_the_provider(gateway, upstream):
    key = gateway.new_key()
    for name in ("authorization", "x-api-key", "api-key", "x-litellm-api-key"):
        for model in ("gpt", "claude"):
            value = f"Bearer {key}" if name == "authorization" else key
            assert gateway.chat(model, key=None, headers={name: value}).status == 200
            sent = upstream.last
            assert key not in json.dumps(sent.headers) + sent.raw.decode()
            secrets = [sent.headers.get("authorization"), sent.headers.get("x-api-key")]
            assert {"Bearer sk-upstream-secret", "sk-upstream-secret"} & set(secrets)


def test_our_headers_stay_with_us(gateway, upstream):
    mine = {"x-litellm-tags": "a,b", "x-litellm-call-id": "7", "cookie": "a=b", "x-forwarded-for": "1.2.3.4"}
    answer = gateway.chat(headers=mine)
    assert answer.status == 200
    assert not [name for name in upstream.last.headers if name.startswith("x-litellm") or name in mine]


def test_response_headers(gateway):
    key = gateway.new_key(max_budget=1.0, rpm_limit=100)
    answer = gateway.chat(key=key, headers={"x-litellm-call-id": "call-of-mine"})
    headers = answer.headers
    assert headers["x-litellm-call-id"] == "call-of-mine"
    assert headers["x-litellm-model-group"] == "gpt"
    assert headers["x-litellm-model-id"]
    assert float(headers["x-litellm-response-cost"]) == pytest.approx(CALL_COST)
    assert float(headers["x-litellm-key-max-budget"]) == 1.0
    assert float(headers["x-litellm-response-duration-ms"]) > 0
    assert headers["x-litellm-version"]
    assert headers["llm_provider-x-request-id"].startswith("req_up")


def test_call_ids_are_made_up_when_none_is_given(gateway):
    ids = {gateway.chat().headers["x-litellm-call-id"] for _ in range(3)}
    assert len(ids) == 3


@pytest.mark.parametrize("text", ["a\r\nx-evil: 1", "a\nx-evil: 1", "a\x00b"])
def test_line_breaks_in_fields_become_no_headers(gateway, upstream, text):
    answer = gateway.chat(user=text, metadata={"tags": [text], text: text})
    assert "x-evil" not in answer.headers
    for asked in upstream.asked:
        assert "x-evil" not in asked.headers
    answer = gateway.chat(text)
    assert answer.status in (400, 403, 404)
    assert "x-evil" not in answer.headers


def test_metadata_cannot_claim_another_identity(gateway):
    key, victim = gateway.new_key(), gateway.new_key()
    claims = {
        "user_api_key": victim,
        "user_api_key_hash": victim,
        "user_api_key_spend": 0,
        "user_api_key_max_budget": 1e9,
    }
    assert gateway.chat(key=key, metadata=claims).status == 200
    assert gateway.spend(key, CALL_COST) == pytest.approx(CALL_COST)
    assert gateway.spend(victim) == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"input_cost_per_token": 0, "output_cost_per_token": 0},
        {"mock_response": "made up"},
        {"metadata": {"allow_client_pricing_override": True}, "input_cost_per_token": 0},
    ],
)
def test_a_caller_cannot_set_prices_or_answers(gateway, fields):
    key = gateway.new_key()
    answer = gateway.chat(key=key, **fields)
    assert answer.status == 200
    assert answer.json["choices"][0]["message"]["content"] == "Hello from upstream."
    assert gateway.spend(key, CALL_COST) == pytest.approx(CALL_COST)


def test_unknown_fields_reach_a_provider_of_the_same_dialect(gateway, upstream):
    openai_client(gateway).chat.completions.create(
        model="gpt", messages=ASK, extra_body={"top_k": 7, "chat_template_kwargs": {"enable_thinking": False}}
    )
    assert upstream.last.body["top_k"] == 7
    assert upstream.last.body["chat_template_kwargs"] == {"enable_thinking": False}


def test_what_a_provider_is_not_told_is_told_to_the_caller(gateway, upstream):
    def left_out(**said):
        answer = gateway.chat("claude", **said)
        assert answer.status == 200, answer.body
        return answer.headers.get("x-gateway-left-out")

    assert left_out() is None
    assert gateway.chat("gpt", user="u-1").headers.get("x-gateway-left-out") is None
    named = [{"role": "user", "content": "hi", "name": "ann", "mood\r\nx-evil: 1": "good"}]
    assert left_out(messages=named) == "messages.name, messages.moodx-evil: 1"
    assert left_out(response_format={"type": "json_object"}) == "response_format"
    assert left_out(seed=7, drop_params=True) == "seed"
    assert left_out(temperature=0.5, additional_drop_params=["temperature"]) == "temperature"
    refused = gateway.chat("claude", seed=7)
    assert refused.status == 400 and "`seed`" in refused.json["error"]["message"]


def test_streams_too_tell_what_was_left_out(gateway):
    client = openai_client(gateway, gateway.new_key())
    named = [{"role": "user", "content": "hi", "name": "ann"}]
    raw = client.chat.completions.with_raw_response.create(model="claude", messages=named, stream=True)
    assert raw.headers["x-gateway-left-out"] == "messages.name"
    assert [chunk for chunk in raw.parse()]


def test_callers_of_other_apis_are_told_of_their_own_members(gateway):
    ask = {"model": "gpt", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}], "diagnostics": {"x": 1}}
    answer = gateway.ask("POST", "/v1/messages", ask)
    assert answer.status == 200, answer.body
    assert answer.headers["x-gateway-left-out"] == "diagnostics"
