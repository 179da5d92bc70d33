"""The OpenAI SDK's responses, in front of a provider of that API and of two that have other ones."""

import json
import time

import openai
import pydantic
import pytest
from conftest import openai_client
from support.gateway import CALL_COST
from support.replies import CALL, TEXT

# A provider that keeps responses itself, and two for which the gateway keeps them.
NATIVE = "oai"
HELD = ["cha", "ant"]
ALL = [NATIVE, *HELD]
WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather in a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    "strict": False,
}
everywhere = pytest.mark.parametrize("side", ALL)
held = pytest.mark.parametrize("side", HELD)


def said(upstream):
    """What the provider was told last, whatever its API calls it."""
    body = upstream.last.body
    return json.dumps(body.get("input") or body.get("messages"))


def finished(gpt, reply_id, seconds=15):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        reply = gpt.responses.retrieve(reply_id)
        if reply.status not in ("queued", "in_progress"):
            return reply
        time.sleep(0.1)
    raise AssertionError(f"{reply_id} is still {reply.status}")


@everywhere
def test_plain(gpt, upstream, side):
    reply = gpt.responses.create(model=f"{side}/say", instructions="Be brief.", input="Say hello", max_output_tokens=50)
    assert reply.output_text == TEXT
    assert (reply.status, reply.object, reply.error) == ("completed", "response", None)
    assert (reply.usage.input_tokens, reply.usage.output_tokens, reply.usage.total_tokens) == (10, 5, 15)
    assert "Be brief." in json.dumps(upstream.last.body)
    caps = [upstream.last.body.get(name) for name in ("max_output_tokens", "max_completion_tokens", "max_tokens")]
    assert 50 in caps


@everywhere
def test_stream(gpt, side):
    events = list(gpt.responses.create(model=f"{side}/say", input="hi", stream=True))
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert deltas == ["Hello ", "from ", "upstream."], "pieces arrive as the provider sent them"
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert (events[0].type, events[-1].type) == ("response.created", "response.completed")
    assert events[-1].response.output_text == TEXT
    assert events[-1].response.usage.total_tokens == 15
    assert events[0].response.id == events[-1].response.id


@everywhere
def test_the_sdks_own_reader_of_streams(gpt, side):
    with gpt.responses.stream(model=f"{side}/tool", input="hi", tools=[WEATHER]) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_response()
    assert "response.function_call_arguments.delta" in kinds
    call = final.output[0]
    assert (call.type, call.name, json.loads(call.arguments)) == ("function_call", *CALL)


@everywhere
def test_a_tool_loop(gpt, upstream, side):
    first = gpt.responses.create(model=f"{side}/tools", input="Weather?", tools=[WEATHER], tool_choice="required")
    calls = [item for item in first.output if item.type == "function_call"]
    assert [json.loads(call.arguments)["city"] for call in calls] == ["Paris", "Rome"]
    results = [{"type": "function_call_output", "call_id": call.call_id, "output": f"sunny {call.call_id}"} for call in calls]
    context = [{"role": "user", "content": "Weather?"}, *[item.model_dump() for item in first.output], *results]
    reply = gpt.responses.create(model=f"{side}/say", input=context, tools=[WEATHER])
    assert reply.output_text == TEXT
    told = said(upstream)
    assert all(f"sunny {call.call_id}" in told for call in calls), told


@everywhere
def test_structured_output(gpt, upstream, side):
    class Person(pydantic.BaseModel):
        name: str
        age: int

    reply = gpt.responses.parse(model=f"{side}/json", input="Who?", text_format=Person)
    assert reply.output_parsed == Person(name="Ada", age=36)
    assert "properties" in json.dumps(upstream.last.body), "the schema reaches the provider"


@everywhere
def test_thoughts_are_shown(gpt, side):
    if side == NATIVE:
        pytest.skip("the mock's native thoughts are forwarded as they are")
    reply = gpt.responses.create(model=f"{side}/think", input="2 + 2?")
    assert reply.output[0].type == "reasoning"
    assert reply.output[0].summary[0].text == "2 + 2"
    assert reply.output_text == "It is four."


def test_thoughts_go_back_to_their_vendor(gpt, upstream):
    first = gpt.responses.create(model="ant/think", input="2 + 2?")
    context = [{"role": "user", "content": "2 + 2?"}, *[item.model_dump() for item in first.output], {"role": "user", "content": "Sure?"}]
    gpt.responses.create(model="ant/say", input=context)
    blocks = upstream.last.body["messages"][1]["content"]
    assert blocks[0] == {"type": "thinking", "thinking": "2 + 2", "signature": "c2lnbmVk"}


@everywhere
def test_errors_of_the_provider(gpt, side):
    with pytest.raises(openai.RateLimitError) as caught:
        gpt.responses.create(model=f"{side}/error-429", input="hi")
    assert "upstream says 429" in str(caught.value)


@everywhere
def test_a_cut_stream_is_no_answer(gpt, side):
    kinds = []
    try:
        kinds = [event.type for event in gpt.responses.create(model=f"{side}/cut", input="hi", stream=True)]
    except openai.APIError:
        return
    assert kinds[-1] in ("error", "response.failed") and "response.completed" not in kinds


def test_what_other_apis_lack_is_refused_by_name(gpt):
    with pytest.raises(openai.BadRequestError) as caught:
        gpt.responses.create(model="cha/say", input="hi", conversation="conv_1")
    assert "`conversation`" in str(caught.value)
    with pytest.raises(openai.BadRequestError) as caught:
        gpt.responses.create(model="cha/say", input="hi", tools=[{"type": "code_interpreter", "container": {"type": "auto"}}])
    assert "tools[0]" in str(caught.value)


def test_chats_that_search_the_web_are_asked_where_the_vendor_searches(spawn, upstream):
    params = {"model": "xai/say", "api_base": upstream.base + "/v1", "api_key": "k"}
    always = {**params, "web_search_options": {"search_context_size": "high"}}
    gateway = spawn(models=[{"model_name": "x", "litellm_params": params}, {"model_name": "always", "litellm_params": always}])
    chats = openai_client(gateway).chat.completions
    for model, more in [("x", {"web_search_options": {"search_context_size": "low"}}), ("always", {})]:
        reply = chats.create(model=model, messages=[{"role": "user", "content": "hi"}], **more)
        assert reply.object == "chat.completion" and reply.choices[0].message.content == TEXT
        assert upstream.last.path == "/v1/responses" and upstream.last.body["tools"] == [{"type": "web_search"}]
        stream = chats.create(model=model, messages=[{"role": "user", "content": "hi"}], stream=True, **more)
        assert "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices) == TEXT
        assert upstream.last.path == "/v1/responses"
    chats.create(model="x", messages=[{"role": "user", "content": "web_search_options"}])
    assert upstream.last.path == "/v1/chat/completions" and "tools" not in upstream.last.body


def test_own_tools_reach_a_provider_that_has_them(gpt, upstream):
    tool = {"type": "mcp", "server_label": "s", "server_url": "https://mcp.example", "require_approval": "never"}
    gpt.responses.create(model="oai/say", input="hi", tools=[tool], extra_body={"unknown_member": {"a": 1}})
    assert upstream.last.path == "/v1/responses"
    assert upstream.last.body["tools"] == [tool]
    assert upstream.last.body["unknown_member"] == {"a": 1}


def test_the_callers_bytes_are_sent(gateway, upstream):
    body = b'{ "model" : "oai/say",\n  "input": [{"role":"user", "content":"\\u0041"}], "x":1.10 }'
    assert gateway.ask("POST", "/v1/responses", body).status == 200
    assert upstream.last.raw == body.replace(b"oai/say", b"say")


@pytest.mark.parametrize("path", ["/v1/responses", "/responses", "/openai/v1/responses"])
def test_paths(gateway, path):
    answer = gateway.ask("POST", path, {"model": "cha/say", "input": "hi"})
    assert answer.status == 200
    again = gateway.ask("GET", f"{path}/{answer.json['id']}")
    assert (again.status, again.json) == (200, answer.json)


def test_chat_callers_reach_models_that_are_called_by_responses(gpt, claude, upstream):
    reply = gpt.chat.completions.create(model="res/say", messages=[{"role": "user", "content": "hi"}])
    assert reply.choices[0].message.content == TEXT
    assert upstream.last.path == "/v1/responses"
    message = claude.messages.create(model="res/tool", max_tokens=50, messages=[{"role": "user", "content": "hi"}])
    assert (message.stop_reason, message.content[0].input) == ("tool_use", CALL[1])
    with claude.messages.stream(model="res/think", max_tokens=50, messages=[{"role": "user", "content": "hi"}]) as stream:
        assert stream.get_final_text() == "It is four."


# ── kept replies ───────────────────────────────────────────────────────────────────────────────


@everywhere
def test_a_reply_can_be_asked_for_and_deleted(gpt, side):
    made = gpt.responses.create(model=f"{side}/say", input="hi")
    assert gpt.responses.retrieve(made.id).output_text == TEXT
    items = gpt.responses.input_items.list(made.id)
    assert items.data[0].role == "user" and "hi" in items.data[0].content[0].text
    gpt.responses.delete(made.id)
    with pytest.raises(openai.NotFoundError):
        gpt.responses.retrieve(made.id)


@held
def test_a_streamed_reply_can_be_asked_for(gpt, side):
    events = list(gpt.responses.create(model=f"{side}/say", input="hi", stream=True))
    kept = gpt.responses.retrieve(events[-1].response.id)
    assert kept == events[-1].response
    again = list(gpt.responses.retrieve(kept.id, stream=True))
    assert again[-1].type == "response.completed" and again[-1].response == kept


@everywhere
def test_a_reply_that_is_not_to_be_stored_is_not(gpt, side):
    made = gpt.responses.create(model=f"{side}/say", input="hi", store=False)
    with pytest.raises(openai.NotFoundError):
        gpt.responses.retrieve(made.id)


@held
def test_a_conversation_goes_on(gpt, upstream, side):
    first = gpt.responses.create(model=f"{side}/say", input="My name is Bo.", instructions="Be kind.")
    second = gpt.responses.create(model=f"{side}/echo", input="What is my name?", previous_response_id=first.id)
    assert second.previous_response_id == first.id
    third = gpt.responses.create(model=f"{side}/say", input="Really?", previous_response_id=second.id)
    told = said(upstream)
    order = [told.index(words) for words in ("My name is Bo.", TEXT, "What is my name?", "Really?")]
    assert order == sorted(order)
    assert "Be kind." not in json.dumps(upstream.last.body), "instructions are for one reply"
    items = gpt.responses.input_items.list(third.id, order="asc", limit=3)
    assert items.has_more and items.data[0].content[0].text == "My name is Bo."
    rest = gpt.responses.input_items.list(third.id, order="asc", after=items.data[-1].id)
    assert rest.data[-1].content[0].text == "Really?"


def test_a_conversation_goes_on_at_another_vendor(gpt, upstream):
    first = gpt.responses.create(model="ant/think", input="My name is Bo.")
    gpt.responses.create(model="oai/say", input="Who am I?", previous_response_id=first.id)
    body = upstream.last.body
    assert "previous_response_id" not in body
    assert [item["type"] for item in body["input"] if "type" in item] == ["message", "message"]


def test_a_conversation_goes_on_where_it_is_kept(spawn, upstream):
    base = upstream.base + "/v1"
    params = {"api_base": base, "input_cost_per_token": 0, "output_cost_per_token": 0}
    models = [
        {"model_name": "two", "litellm_params": {"model": "openai/say", "api_key": f"sk-upstream-{n}-secret", **params}}
        for n in range(4)
    ]
    gpt = openai_client(spawn(models=models))
    for _ in range(6):
        first = gpt.responses.create(model="two", input="hi")
        key = upstream.last.headers["authorization"]
        second = gpt.responses.create(model="two", input="again", previous_response_id=first.id)
        assert upstream.last.body["previous_response_id"] == first.id, "the provider knows the reply by its id"
        assert upstream.last.headers["authorization"] == key, "the account that keeps it is asked"
        gpt.responses.retrieve(second.id)
        assert upstream.last.headers["authorization"] == key


def test_replies_are_for_their_key_and_team(gateway):
    owner, other = gateway.new_key(), gateway.new_key()
    mate, friend = gateway.new_key(team_id="blue"), gateway.new_key(team_id="blue")
    for side in ALL:
        made = openai_client(gateway, owner).responses.create(model=f"{side}/say", input="hi").id
        ours = openai_client(gateway, mate).responses.create(model=f"{side}/say", input="hi").id
        stranger = openai_client(gateway, other)
        for ask in (stranger.responses.retrieve, stranger.responses.delete, stranger.responses.cancel, stranger.responses.input_items.list):
            with pytest.raises(openai.NotFoundError):
                ask(made)
        with pytest.raises(openai.NotFoundError):
            stranger.responses.create(model=f"{side}/say", input="x", previous_response_id=made)
        assert openai_client(gateway, friend).responses.retrieve(ours).id == ours, "teams share"
        assert openai_client(gateway, owner).responses.retrieve(made).id == made


def test_an_unknown_previous_reply_is_told(gpt):
    with pytest.raises(openai.NotFoundError) as caught:
        gpt.responses.create(model="cha/say", input="hi", previous_response_id="resp_" + "0" * 32)
    assert caught.value.param == "previous_response_id"


def test_replies_outlive_a_restart(spawn):
    gateway = spawn()
    made = openai_client(gateway).responses.create(model="cha/say", input="My name is Bo.")
    gateway.stop()
    gateway.start()
    gpt = openai_client(gateway)
    assert gpt.responses.retrieve(made.id).output_text == TEXT
    assert gpt.responses.create(model="cha/echo", input="again", previous_response_id=made.id).output_text == "again"


def test_nothing_is_kept_where_the_operator_says_so(spawn):
    gpt = openai_client(spawn(general_settings={"responses_retention_days": 0}))
    made = gpt.responses.create(model="cha/say", input="hi")
    with pytest.raises(openai.NotFoundError):
        gpt.responses.retrieve(made.id)


def test_tokens_are_counted_by_the_provider_or_estimated(gpt, gateway, upstream):
    assert gpt.responses.input_tokens.count(model="oai/say", input="hi").input_tokens == 42
    assert (upstream.last.path, upstream.last.body) == ("/v1/responses/input_tokens", {"model": "say", "input": "hi"})
    for model in ("ant/say", "oai/countless"):
        answer = gateway.ask("POST", "/v1/responses/input_tokens", {"model": model, "input": "hi there, you"})
        assert (answer.status, answer.headers["x-gateway-tokens-estimated"]) == (200, "true")
        assert answer.json["object"] == "response.input_tokens" and 0 < answer.json["input_tokens"] < 20


def test_a_conversation_is_compacted_where_the_provider_can(gateway, upstream):
    key = gateway.new_key()
    gpt = openai_client(gateway, key)
    short = gpt.responses.compact(model="oai/say", input=[{"role": "user", "content": "hi"}])
    assert (short.object, short.output[0].type) == ("response.compaction", "compaction")
    assert upstream.last.path == "/v1/responses/compact"
    assert gateway.spend(key, CALL_COST) == pytest.approx(CALL_COST)
    with pytest.raises(openai.BadRequestError) as caught:
        gpt.responses.compact(model="ant/say", input="hi")
    assert "compacted" in str(caught.value)


# ── in the background ──────────────────────────────────────────────────────────────────────────


@everywhere
def test_a_background_reply_is_made_while_nobody_waits(gateway, side):
    key = gateway.new_key()
    gpt = openai_client(gateway, key)
    made = gpt.responses.create(model=f"{side}/say", input="hi", background=True)
    assert made.status in ("queued", "in_progress") and made.background
    reply = finished(gpt, made.id)
    assert (reply.status, reply.output_text) == ("completed", TEXT)
    assert gateway.spend(key, CALL_COST) == pytest.approx(CALL_COST), "it is billed once, at what it used"


@held
def test_a_background_reply_can_be_stopped(gateway, upstream, side):
    key = gateway.new_key()
    gpt = openai_client(gateway, key)
    made = gpt.responses.create(model=f"{side}/long-200-50", input="hi", background=True)
    time.sleep(1.5)
    assert gpt.responses.retrieve(made.id).status == "in_progress"
    assert gpt.responses.cancel(made.id).status == "cancelled"
    until = time.monotonic() + 5
    while upstream.in_flight["long-200-50"] and time.monotonic() < until:
        time.sleep(0.05)
    assert not upstream.in_flight["long-200-50"], "the provider is hung up on"
    assert finished(gpt, made.id).status == "cancelled"
    spend = gateway.spend(key, 1e-9)
    whole = 200 * 2 * 0.000002
    assert 0 < spend < whole, "what was made until then is billed"


def test_a_providers_background_reply_can_be_stopped(gpt):
    made = gpt.responses.create(model="oai/say", input="hi", background=True)
    assert gpt.responses.cancel(made.id).status == "cancelled"
    assert gpt.responses.retrieve(made.id).status == "cancelled"


@held
def test_a_background_stream_goes_on_without_its_caller(gateway, side):
    gpt = openai_client(gateway)
    stream = gpt.responses.create(model=f"{side}/long-20-50", input="hi", background=True, stream=True)
    first = next(iter(stream))
    stream.close()
    reply = finished(gpt, first.response.id)
    assert reply.status == "completed" and reply.output_text.endswith("word19 ")


@held
def test_a_background_failure_is_kept(gpt, side):
    made = gpt.responses.create(model=f"{side}/error-500", input="hi", background=True)
    reply = finished(gpt, made.id)
    assert reply.status == "failed" and "upstream says 500" in reply.error.message


def test_a_reply_whose_maker_is_gone_does_not_stay_in_progress(spawn):
    gateway = spawn()
    gpt = openai_client(gateway)
    made = gpt.responses.create(model="cha/long-2000-50", input="hi", background=True)
    assert gpt.responses.retrieve(made.id).status in ("queued", "in_progress")
    gateway.kill()
    gateway.start()
    gpt = openai_client(gateway)
    reply = finished(gpt, made.id, seconds=30)
    assert reply.status == "failed" and "was stopped" in reply.error.message
    with pytest.raises(openai.NotFoundError):
        gpt.responses.retrieve("resp_" + "0" * 32)
    assert gpt.responses.cancel(made.id).status == "failed", "it stays what it is"


def test_a_providers_background_stream_that_is_left_is_billed_at_what_it_used(gateway, upstream):
    key = gateway.new_key()
    gpt = openai_client(gateway, key)
    stream = gpt.responses.create(model="oai/long-40-50", input="hi", background=True, stream=True)
    first = next(iter(stream))
    stream.close()
    assert gateway.spend(key, CALL_COST) == pytest.approx(CALL_COST), "what the provider says, not an estimate"
    assert finished(gpt, first.response.id).status == "completed"


def test_what_was_not_made_in_the_background_cannot_be_stopped(gpt):
    made = gpt.responses.create(model="cha/say", input="hi")
    with pytest.raises(openai.BadRequestError):
        gpt.responses.cancel(made.id)
