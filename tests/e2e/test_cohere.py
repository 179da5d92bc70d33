"""Cohere's SDK, in front of providers of every dialect."""

import json

import cohere
import pytest
from cohere.core.api_error import ApiError
from conftest import ANTHROPIC_SIDE, COHERE_SIDE, OPENAI_SIDE, cohere_client
from support.gateway import CALL_COST
from support.replies import CALL, JSON_TEXT, TEXT

SIDES = [OPENAI_SIDE, ANTHROPIC_SIDE, COHERE_SIDE]
ASK = [{"role": "user", "content": "Say hello"}]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"type": "function", "function": {"name": "get_weather", "description": "Weather", "parameters": SCHEMA}}
ONCE = {"max_retries": 0}

every_side = pytest.mark.parametrize("side", SIDES)


def chat(command, model, messages=ASK, **options):
    return command.chat(model=model, messages=messages, max_tokens=50, request_options=ONCE, **options)


def stream(command, model, **options):
    return list(command.chat_stream(model=model, messages=ASK, max_tokens=50, request_options=ONCE, **options))


@every_side
def test_plain(command, upstream, side):
    messages = [{"role": "system", "content": "Be brief."}, *ASK]
    reply = chat(command, f"{side}/say", messages)
    assert [block.text for block in reply.message.content] == [TEXT]
    assert (reply.finish_reason, reply.message.role) == ("COMPLETE", "assistant")
    assert reply.usage.billed_units.input_tokens == 10 and reply.usage.billed_units.output_tokens == 5
    assert "Be brief." in json.dumps(upstream.last.body)


@every_side
def test_stream(command, side):
    events = stream(command, f"{side}/say")
    kinds = [event.type for event in events]
    assert kinds[:2] == ["message-start", "content-start"]
    assert kinds[-2:] == ["content-end", "message-end"]
    texts = [event.delta.message.content.text for event in events if event.type == "content-delta"]
    assert "".join(texts) == TEXT and len(texts) == 3
    assert events[-1].delta.finish_reason == "COMPLETE"
    assert events[-1].delta.usage.billed_units.output_tokens == 5


@every_side
def test_tool_call(command, upstream, side):
    reply = chat(command, f"{side}/tool", tools=[WEATHER], tool_choice="REQUIRED")
    [call] = reply.message.tool_calls
    assert (call.function.name, json.loads(call.function.arguments)) == CALL
    assert reply.finish_reason == "TOOL_CALL"
    assert "get_weather" in json.dumps(upstream.last.body["tools"])
    if side == COHERE_SIDE:
        assert reply.message.tool_plan == "I will look."


@every_side
def test_tool_calls_in_a_stream(command, side):
    events = stream(command, f"{side}/tools", tools=[WEATHER])
    calls = {}
    for event in events:
        if event.type == "tool-call-start":
            calls[event.index] = ""
        if event.type == "tool-call-delta":
            calls[event.index] += event.delta.message.tool_calls.function.arguments
    assert [json.loads(text)["city"] for text in calls.values()] == ["Paris", "Rome"]
    assert events[-1].delta.finish_reason == "TOOL_CALL"


@every_side
def test_tool_result_goes_back(command, upstream, side):
    call = {"id": "w_7", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'}}
    messages = [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "tool_plan": "I will look.", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "w_7", "content": "sunny"},
    ]
    chat(command, f"{side}/say", messages, tools=[WEATHER])
    sent = upstream.last.body["messages"]
    assert "w_7" in json.dumps(sent[-2]) and "w_7" in json.dumps(sent[-1])
    assert "sunny" in json.dumps(sent[-1])


@every_side
def test_thinking(command, side):
    reply = chat(command, f"{side}/think", thinking={"type": "enabled", "token_budget": 2000})
    said = {block.type: getattr(block, block.type) for block in reply.message.content}
    assert said == {"thinking": "2 + 2", "text": "It is four."}


@every_side
def test_schema(command, upstream, side):
    reply = chat(command, f"{side}/json", response_format={"type": "json_object", "json_schema": SCHEMA})
    assert json.loads(reply.message.content[0].text) == json.loads(JSON_TEXT)
    assert "city" in json.dumps(upstream.last.body)


@every_side
def test_documents(command, upstream, side):
    documents = [{"id": "1", "data": {"text": "The dock is seven.", "source": "registry"}}]
    chat(command, f"{side}/say", documents=documents)
    sent = upstream.last.body
    assert "The dock is seven." in json.dumps(sent)
    assert ("documents" in sent) == (side == COHERE_SIDE)


@every_side
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, cohere.BadRequestError),
        (404, cohere.NotFoundError),
        (429, cohere.TooManyRequestsError),
        (500, cohere.InternalServerError),
    ],
)
def test_errors_of_the_provider(command, side, status, kind):
    with pytest.raises(kind) as caught:
        chat(command, f"{side}/error-{status}")
    assert f"upstream says {status}" in caught.value.body["message"]


def test_errors_of_ours(gateway, command):
    with pytest.raises(cohere.UnauthorizedError):
        chat(cohere_client(gateway, key="sk-nobody"), "coh/say")
    with pytest.raises(cohere.BadRequestError) as caught:
        chat(command, "oai/say", [])
    assert "messages" in caught.value.body["message"]
    answer = gateway.ask("POST", "/v2/chat", {"model": "coh/say"})
    assert answer.status == 400 and "messages" in answer.json["message"]


@every_side
def test_a_broken_stream_is_no_clean_end(command, side):
    events = stream(command, f"{side}/broken")
    assert events[-1].type == "message-end"
    assert events[-1].delta.finish_reason == "ERROR" and events[-1].delta.error
    with pytest.raises(ApiError):
        stream(command, f"{side}/error-500")


def test_same_dialect_is_the_callers_bytes(gateway, upstream):
    body = b'{ "model":"coh/say",  "messages":[{"role":"user","content":"\\u0041"}], "priority": 3, "new_field": [1.50] }'
    answer = gateway.ask("POST", "/cohere/v2/chat", body)
    assert answer.status == 200
    assert upstream.last.raw == body.replace(b"coh/say", b"say")
    assert upstream.last.path == "/v2/chat"


def test_the_billed_units_are_charged(gateway):
    key = gateway.new_key()
    command = cohere_client(gateway, key)
    chat(command, "coh/say")
    stream(command, "coh/say")
    assert gateway.spend(key, 2 * CALL_COST) == pytest.approx(2 * CALL_COST)


def test_openai_and_anthropic_callers(gpt, claude):
    reply = gpt.chat.completions.create(model="coh/tool", messages=ASK, tools=[WEATHER])
    [call] = reply.choices[0].message.tool_calls
    assert (call.function.name, json.loads(call.function.arguments)) == CALL
    assert reply.choices[0].finish_reason == "tool_calls"
    assert reply.choices[0].message.reasoning_content == "I will look."
    with claude.messages.stream(model="coh/say", max_tokens=50, messages=ASK) as told:
        assert "".join(told.text_stream) == TEXT
        assert told.get_final_message().stop_reason == "end_turn"
