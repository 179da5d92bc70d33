"""The Anthropic SDK's messages, in front of an OpenAI and an Anthropic provider."""

import json

import pytest
from conftest import ANTHROPIC_SIDE, SIDES
from support.replies import CALL, TEXT
from test_chat import PIXEL

WEATHER = {
    "name": "get_weather",
    "description": "The weather in a city",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
ASK = [{"role": "user", "content": "Say hello"}]

pytestmark = pytest.mark.parametrize("side", SIDES)


def create(claude, model, messages=ASK, **options):
    return claude.messages.create(model=model, max_tokens=50, messages=messages, **options)


def test_plain(claude, upstream, side):
    reply = create(claude, f"{side}/say", system="Be brief.")
    assert [block.text for block in reply.content] == [TEXT]
    assert (reply.stop_reason, reply.role, reply.type) == ("end_turn", "assistant", "message")
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (10, 5)
    assert "Be brief." in json.dumps(upstream.last.body)


def test_stream(claude, side):
    with claude.messages.stream(model=f"{side}/say", max_tokens=50, messages=ASK) as stream:
        texts = list(stream.text_stream)
        final = stream.get_final_message()
    assert "".join(texts) == TEXT
    assert len(texts) == 3, "pieces arrive as the provider sent them"
    assert final.stop_reason == "end_turn"
    assert (final.usage.input_tokens, final.usage.output_tokens) == (10, 5)


def test_event_order(claude, side):
    stream = create(claude, f"{side}/say", stream=True)
    kinds = [event.type for event in stream if event.type != "ping"]
    assert kinds[:2] == ["message_start", "content_block_start"]
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    assert set(kinds[2:-3]) == {"content_block_delta"}


def test_tool_call(claude, upstream, side):
    reply = create(claude, f"{side}/tool", tools=[WEATHER], tool_choice={"type": "any"})
    [call] = [block for block in reply.content if block.type == "tool_use"]
    assert (call.name, call.input) == CALL
    assert reply.stop_reason == "tool_use"
    assert "get_weather" in json.dumps(upstream.last.body["tools"])


def test_tool_calls_in_a_stream(claude, side):
    with claude.messages.stream(model=f"{side}/tools", max_tokens=50, messages=ASK, tools=[WEATHER]) as stream:
        final = stream.get_final_message()
    assert [block.input["city"] for block in final.content if block.type == "tool_use"] == ["Paris", "Rome"]
    assert final.stop_reason == "tool_use"


def test_tool_result_goes_back(claude, upstream, side):
    call = {"type": "tool_use", "id": "toolu_7", "name": "get_weather", "input": {"city": "Paris"}}
    result = {"type": "tool_result", "tool_use_id": "toolu_7", "content": "sunny"}
    messages = [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": [call]},
        {"role": "user", "content": [result]},
    ]
    create(claude, f"{side}/say", messages, tools=[WEATHER])
    sent = upstream.last.body["messages"]
    assert "toolu_7" in json.dumps(sent[1]) and "toolu_7" in json.dumps(sent[2])
    assert "sunny" in json.dumps(sent[2])


def test_image(claude, upstream, side):
    source = {"type": "base64", "media_type": "image/png", "data": PIXEL}
    content = [{"type": "image", "source": source}, {"type": "text", "text": "What is this?"}]
    create(claude, f"{side}/say", [{"role": "user", "content": content}])
    part = upstream.last.body["messages"][0]["content"][0]
    if side == ANTHROPIC_SIDE:
        assert part["source"] == source
    else:
        assert part["image_url"]["url"] == f"data:image/png;base64,{PIXEL}"


def test_thinking(claude, side):
    thinking = {"type": "enabled", "budget_tokens": 1024}
    reply = claude.messages.create(model=f"{side}/think", max_tokens=4000, messages=ASK, thinking=thinking)
    kinds = [block.type for block in reply.content]
    assert kinds == ["thinking", "text"]
    assert reply.content[0].thinking == "2 + 2"
    if side == ANTHROPIC_SIDE:
        assert reply.content[0].signature == "c2lnbmVk"


def test_cache_marks_reach_a_provider_that_knows_them(claude, upstream, side):
    block = {"type": "text", "text": "Long text", "cache_control": {"type": "ephemeral"}}
    create(claude, f"{side}/say", system=[block])
    marked = "cache_control" in json.dumps(upstream.last.body)
    assert marked or side != ANTHROPIC_SIDE
