"""The google-genai SDK, in front of a Gemini, an OpenAI and an Anthropic provider; and the other SDKs in
front of a Gemini provider."""

import json
import urllib.error
import urllib.request

import pytest
from conftest import anthropic_client, openai_client
from google import genai
from google.genai import errors, types
from support.gateway import MASTER_KEY, Gateway, config, entry
from support.gemini import COUNTED, SIGNATURE, GeminiUpstream
from support.replies import CALL, INPUT_TOKENS, OUTPUT_TOKENS, TEXT

SIDES = ["gem", "oai", "ant"]
WEATHER = types.FunctionDeclaration(
    name="get_weather",
    description="The weather in a city",
    parameters={"type": "OBJECT", "properties": {"city": {"type": "STRING"}}, "required": ["city"]},
)
TOOLS = types.GenerateContentConfig(
    tools=[types.Tool(function_declarations=[WEATHER])],
    automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
)


@pytest.fixture(scope="module")
def google():
    upstream = GeminiUpstream()
    yield upstream
    upstream.close()


@pytest.fixture(scope="module")
def front(provider, google, tmp_path_factory):
    models = [entry("gem/*", "gemini/*", google.base), entry("flash", "gemini/say", google.base)]
    gateway = Gateway(tmp_path_factory.mktemp("gemini"), config(provider, models)).start()
    yield gateway
    gateway.stop()


@pytest.fixture
def client(front):
    return genai.Client(api_key=MASTER_KEY, http_options=types.HttpOptions(base_url=front.url))


@pytest.mark.parametrize("side", SIDES)
def test_plain(client, side):
    reply = client.models.generate_content(
        model=f"{side}/say",
        contents="Say hello",
        config=types.GenerateContentConfig(system_instruction="Be brief.", max_output_tokens=50),
    )
    assert reply.text == TEXT
    [candidate] = reply.candidates
    assert (candidate.finish_reason, candidate.content.role) == (types.FinishReason.STOP, "model")
    usage = reply.usage_metadata
    assert (usage.prompt_token_count, usage.candidates_token_count) == (INPUT_TOKENS, OUTPUT_TOKENS)


@pytest.mark.parametrize("side", SIDES)
def test_stream(client, side):
    chunks = list(client.models.generate_content_stream(model=f"{side}/say", contents="Say hello"))
    texts = [chunk.text for chunk in chunks if chunk.text]
    assert "".join(texts) == TEXT
    assert len(texts) == 3, "pieces arrive as the provider sent them"
    ends = [chunk.candidates[0].finish_reason for chunk in chunks if chunk.candidates[0].finish_reason]
    assert ends == [types.FinishReason.STOP]
    assert chunks[-1].usage_metadata.total_token_count == INPUT_TOKENS + OUTPUT_TOKENS


@pytest.mark.parametrize("side", SIDES)
def test_tool_call(client, side):
    reply = client.models.generate_content(model=f"{side}/tool", contents="Weather?", config=TOOLS)
    [call] = reply.function_calls
    assert (call.name, call.args) == CALL


@pytest.mark.parametrize("side", SIDES)
def test_tool_calls_in_a_stream(client, side):
    chunks = client.models.generate_content_stream(model=f"{side}/tools", contents="Weather?", config=TOOLS)
    calls = [call for chunk in chunks for call in chunk.function_calls or []]
    assert [call.args["city"] for call in calls] == ["Paris", "Rome"]


@pytest.mark.parametrize("side", SIDES)
def test_tool_result_goes_back(client, google, upstream, side):
    asked = client.models.generate_content(model=f"{side}/tool", contents="Weather?", config=TOOLS)
    result = types.Part.from_function_response(name="get_weather", response={"output": "sunny"})
    contents = [
        types.Content(role="user", parts=[types.Part.from_text(text="Weather?")]),
        asked.candidates[0].content,
        types.Content(role="user", parts=[result]),
    ]
    reply = client.models.generate_content(model=f"{side}/say", contents=contents, config=TOOLS)
    assert reply.text == TEXT
    sent = (google if side == "gem" else upstream).last.body
    assert "sunny" in json.dumps(sent) and "Paris" in json.dumps(sent)
    if side == "oai":
        call, answer = sent["messages"][-2], sent["messages"][-1]
        assert answer["tool_call_id"] == call["tool_calls"][0]["id"] != ""


@pytest.mark.parametrize("side", SIDES)
def test_error(client, side):
    with pytest.raises(errors.ClientError) as caught:
        client.models.generate_content(model=f"{side}/error-429", contents="Hi")
    assert (caught.value.code, caught.value.status) == (429, "RESOURCE_EXHAUSTED")


def test_error_of_the_gateway(client):
    with pytest.raises(errors.ClientError) as caught:
        client.models.generate_content(model="no-such-model", contents="Hi")
    assert caught.value.code in (400, 404)
    assert "no-such-model" in caught.value.message


@pytest.mark.parametrize("model", ["gem/cut", "gem/broken", "oai/cut", "ant/broken"])
def test_a_stream_that_fails_does_not_end_cleanly(client, model):
    with pytest.raises(errors.APIError):
        list(client.models.generate_content_stream(model=model, contents="Hi"))


def test_count_tokens(client, google):
    assert client.models.count_tokens(model="gem/say", contents="Hi").total_tokens == COUNTED
    assert google.last.path == "/v1beta/models/say:countTokens"
    estimated = client.models.count_tokens(model="oai/say", contents="x" * 400)
    assert 90 <= estimated.total_tokens <= 110
    raw = ask(client, "/v1beta/models/oai/say:countTokens", {"contents": [{"parts": [{"text": "Hi"}]}]})
    assert raw.headers["x-gateway-tokens-estimated"] == "true"


def ask(client, path, body, headers=None):
    url = client._api_client._http_options.base_url.rstrip("/") + path
    headers = headers or {"x-goog-api-key": MASTER_KEY}
    data = json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json", **headers})
    return urllib.request.urlopen(request, timeout=30)


BODY = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}


@pytest.mark.parametrize("model", ["gem/say", "oai/say"])
def test_without_alt_sse_a_stream_is_a_list(client, model):
    with ask(client, f"/v1beta/models/{model}:streamGenerateContent", BODY) as answer:
        assert answer.headers["content-type"] == "application/json"
        chunks = json.loads(answer.read())
    texts = [part.get("text", "") for chunk in chunks for part in chunk["candidates"][0]["content"]["parts"]]
    assert "".join(texts) == TEXT


@pytest.mark.parametrize(
    "path",
    [
        "/models/flash:generateContent",
        "/v1/models/flash:generateContent",
        "/v1/projects/p/locations/us-central1/publishers/google/models/flash:generateContent",
        "/v1beta1/projects/p/locations/global/publishers/google/models/flash:generateContent",
        "/vertex_ai/v1/projects/p/locations/us-central1/publishers/google/models/flash:generateContent",
    ],
)
def test_every_path_leads_to_the_model(client, path):
    with ask(client, path, BODY) as answer:
        assert json.loads(answer.read())["responseId"] == "resp-1"


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("?key=" + MASTER_KEY, {"accept": "*/*"}),
        ("", {"authorization": f"Bearer {MASTER_KEY}"}),
        ("", {"x-goog-api-key": MASTER_KEY}),
    ],
)
def test_keys_are_read_where_clients_put_them(client, google, query, headers):
    with ask(client, "/v1beta/models/flash:generateContent" + query, BODY, headers) as answer:
        assert answer.status == 200
    assert google.last.headers["x-goog-api-key"] == "sk-upstream-secret"
    assert MASTER_KEY not in google.last.path + json.dumps(google.last.headers)


def test_no_key_is_refused_in_googles_words(client):
    with pytest.raises(urllib.error.HTTPError) as caught:
        ask(client, "/v1beta/models/flash:generateContent", BODY, {"accept": "*/*"})
    assert caught.value.code == 401
    assert json.loads(caught.value.read())["error"]["status"] == "UNAUTHENTICATED"


def test_same_dialect_bytes_are_the_callers(client, google):
    body = {"contents": [{"parts": [{"text": "Grüße"}]}], "generation_config": {"top_k": 3}, "unknown": [1.0]}
    ask(client, "/v1beta/models/flash:generateContent", body).close()
    assert google.last.raw == json.dumps(body).encode()


def test_openai_sdk_on_gemini(front, google):
    gpt = openai_client(front)
    tools = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}]
    asked = gpt.chat.completions.create(
        model="gem/tool", messages=[{"role": "user", "content": "Weather?"}], tools=tools
    )
    [call] = asked.choices[0].message.tool_calls
    assert (call.function.name, json.loads(call.function.arguments)) == CALL
    assert asked.choices[0].finish_reason == "tool_calls"
    # A client that keeps only what OpenAI's form has gives the signature back with the id.
    messages = [
        {"role": "user", "content": "Weather?"},
        {
            "role": "assistant",
            "tool_calls": [{"id": call.id, "type": "function", "function": call.function.model_dump()}],
        },
        {"role": "tool", "tool_call_id": call.id, "content": "sunny"},
    ]
    stream = gpt.chat.completions.create(model="gem/say", messages=messages, tools=tools, stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices) == TEXT
    parts = google.last.body["contents"][1]["parts"]
    assert parts[0]["thoughtSignature"] == SIGNATURE


def test_anthropic_sdk_on_gemini(front, google):
    claude = anthropic_client(front)
    reply = claude.messages.create(
        model="gem/think",
        max_tokens=2000,
        messages=[{"role": "user", "content": "2 + 2?"}],
        thinking={"type": "enabled", "budget_tokens": 1024},
    )
    assert reply.content[0].type == "thinking"
    assert "".join(block.text for block in reply.content if block.type == "text") == "It is four."
    assert google.last.body["generationConfig"]["maxOutputTokens"] == 2000
