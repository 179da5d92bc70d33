"""The OpenAI SDK's chat completions, in front of an OpenAI and an Anthropic provider."""

import base64
import json

import pytest
from conftest import ANTHROPIC_SIDE, SIDES
from support.replies import CALL, JSON_TEXT, TEXT

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
ASK = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Say hello"}]

pytestmark = pytest.mark.parametrize("side", SIDES)


def test_plain(gpt, upstream, side):
    reply = gpt.chat.completions.create(model=f"{side}/say", messages=ASK, max_tokens=50, temperature=0.5)
    assert reply.choices[0].message.content == TEXT
    assert reply.choices[0].finish_reason == "stop"
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens, reply.usage.total_tokens) == (10, 5, 15)
    sent = upstream.last.body
    assert (sent["model"], sent["max_tokens"], sent["temperature"]) == ("say", 50, 0.5)
    system = sent["system"] if side == ANTHROPIC_SIDE else sent["messages"][0]["content"]
    assert "Be brief." in json.dumps(system)


def test_stream(gpt, side):
    stream = gpt.chat.completions.create(model=f"{side}/say", messages=ASK, stream=True)
    chunks = list(stream)
    texts = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
    assert "".join(text or "" for text in texts) == TEXT
    assert len([text for text in texts if text]) == 3, "pieces arrive as the provider sent them"
    assert [c.choices[0].finish_reason for c in chunks if c.choices and c.choices[0].finish_reason] == ["stop"]
    assert all(chunk.usage is None for chunk in chunks), "usage only for callers who ask"


def test_stream_with_usage(gpt, side):
    options = {"include_usage": True}
    stream = gpt.chat.completions.create(model=f"{side}/say", messages=ASK, stream=True, stream_options=options)
    usages = [chunk.usage for chunk in stream if chunk.usage]
    assert len(usages) == 1
    assert (usages[0].prompt_tokens, usages[0].completion_tokens) == (10, 5)


def test_tool_call(gpt, upstream, side):
    reply = gpt.chat.completions.create(
        model=f"{side}/tool", messages=ASK, tools=[WEATHER], tool_choice="required"
    )
    [call] = reply.choices[0].message.tool_calls
    assert (call.function.name, json.loads(call.function.arguments)) == CALL
    assert reply.choices[0].finish_reason == "tool_calls"
    assert "get_weather" in json.dumps(upstream.last.body["tools"])


def test_tool_calls_in_a_stream(gpt, side):
    stream = gpt.chat.completions.create(model=f"{side}/tools", messages=ASK, tools=[WEATHER], stream=True)
    calls, finish = {}, None
    for chunk in stream:
        for choice in chunk.choices:
            finish = choice.finish_reason or finish
            for delta in choice.delta.tool_calls or []:
                call = calls.setdefault(delta.index, {"name": "", "arguments": ""})
                call["name"] += delta.function.name or ""
                call["arguments"] += delta.function.arguments or ""
    cities = [json.loads(calls[index]["arguments"])["city"] for index in sorted(calls)]
    assert cities == ["Paris", "Rome"]
    assert {call["name"] for call in calls.values()} == {"get_weather"}
    assert finish == "tool_calls"


def test_tool_result_goes_back(gpt, upstream, side):
    function = {"name": "get_weather", "arguments": '{"city":"Paris"}'}
    call = {"id": "call_7", "type": "function", "function": function}
    messages = [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_7", "content": "sunny"},
    ]
    gpt.chat.completions.create(model=f"{side}/say", messages=messages, tools=[WEATHER])
    sent = upstream.last.body["messages"]
    assert "call_7" in json.dumps(sent[1]) and "call_7" in json.dumps(sent[2])
    assert "sunny" in json.dumps(sent[2])


def test_image(gpt, upstream, side):
    url = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
    content = [{"type": "text", "text": "What is this?"}, url]
    gpt.chat.completions.create(model=f"{side}/say", messages=[{"role": "user", "content": content}])
    part = upstream.last.body["messages"][0]["content"][1]
    if side == ANTHROPIC_SIDE:
        assert part["source"] == {"type": "base64", "media_type": "image/png", "data": PIXEL}
    else:
        assert part["image_url"]["url"].endswith(PIXEL)
    assert base64.b64decode(PIXEL)


def test_json_schema(gpt, upstream, side):
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
        "required": ["name", "age"],
        "additionalProperties": False,
    }
    form = {"type": "json_schema", "json_schema": {"name": "person", "schema": schema, "strict": True}}
    reply = gpt.chat.completions.create(model=f"{side}/json", messages=ASK, response_format=form)
    assert json.loads(reply.choices[0].message.content) == json.loads(JSON_TEXT)
    assert '"age"' in json.dumps(upstream.last.body), "the schema reaches the provider"


def test_reasoning(gpt, side):
    reply = gpt.chat.completions.create(model=f"{side}/think", messages=ASK, max_tokens=4000)
    message = reply.choices[0].message
    assert message.content == "It is four."
    assert message.reasoning_content == "2 + 2"


def test_unicode_survives(gpt, side):
    text = "naïve 日本語 🦀 \u2028 \\ \" end"
    messages = [{"role": "user", "content": text}]
    stream = gpt.chat.completions.create(model=f"{side}/echo", messages=messages, stream=True)
    assert "".join(c.choices[0].delta.content or "" for c in stream if c.choices) == text
