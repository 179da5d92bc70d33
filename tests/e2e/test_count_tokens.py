"""The Anthropic SDK's count of tokens: the provider's where it speaks Anthropic, else an estimate."""

import anthropic
import pytest
from conftest import anthropic_client

ASK = [{"role": "user", "content": "Say hello to everybody in this room, one after the other."}]


def test_the_provider_counts(claude, upstream):
    tools = [{"name": "look", "input_schema": {"type": "object"}}]
    counted = claude.messages.count_tokens(model="ant/say", messages=ASK, system="Be brief.", tools=tools)
    assert counted.input_tokens == 42
    asked = upstream.last
    assert asked.path == "/v1/messages/count_tokens"
    assert asked.body == {"model": "say", "messages": ASK, "system": "Be brief.", "tools": tools}
    assert asked.headers["x-api-key"] == "sk-upstream-secret"


@pytest.mark.parametrize("side", ["oai", "coh"])
def test_it_is_estimated_elsewhere(claude, upstream, side):
    short = claude.messages.count_tokens(model=f"{side}/say", messages=ASK).input_tokens
    long = claude.messages.count_tokens(model=f"{side}/say", messages=ASK * 5).input_tokens
    assert 10 <= short <= 40 and 5 * short - 5 <= long <= 5 * short + 5
    assert upstream.asked == []


def test_errors(gateway, claude):
    with pytest.raises(anthropic.BadRequestError) as caught:
        claude.messages.count_tokens(model="ant/error-400", messages=ASK)
    assert "upstream says 400" in caught.value.message
    with pytest.raises(anthropic.AuthenticationError):
        anthropic_client(gateway, key="sk-nobody").messages.count_tokens(model="ant/say", messages=ASK)
    for path in ["/v1/messages/count_tokens", "/anthropic/v1/messages/count_tokens"]:
        answer = gateway.ask("POST", path, {"model": "oai/say"})
        assert answer.status == 400 and "messages" in answer.json["error"]["message"]


def test_nothing_is_charged(gateway, upstream):
    key = gateway.new_key(max_budget=0.0000001)
    anthropic_client(gateway, key).messages.count_tokens(model="ant/say", messages=ASK)
    assert gateway.spend(key) == 0
