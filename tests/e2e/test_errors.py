"""Errors arrive as the exception classes of the SDKs; bad input is refused and harms nobody."""

import anthropic
import openai
import pytest
from conftest import SIDES, anthropic_client, openai_client

ASK = [{"role": "user", "content": "hi"}]
# LiteLLM's status per status of the provider.
OPENAI_CLASSES = {
    400: openai.BadRequestError,
    401: openai.AuthenticationError,
    403: openai.PermissionDeniedError,
    404: openai.NotFoundError,
    429: openai.RateLimitError,
    500: openai.InternalServerError,
    503: openai.InternalServerError,
}
ANTHROPIC_CLASSES = {
    400: anthropic.BadRequestError,
    401: anthropic.AuthenticationError,
    403: anthropic.PermissionDeniedError,
    404: anthropic.NotFoundError,
    429: anthropic.RateLimitError,
    500: anthropic.InternalServerError,
}


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("status", OPENAI_CLASSES)
def test_provider_errors_as_openai_exceptions(gpt, side, status):
    for stream in (False, True):
        with pytest.raises(OPENAI_CLASSES[status]) as caught:
            gpt.chat.completions.create(model=f"{side}/error-{status}", messages=ASK, stream=stream)
        assert caught.value.status_code == status
        assert f"upstream says {status}" in caught.value.message


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("status", ANTHROPIC_CLASSES)
def test_provider_errors_as_anthropic_exceptions(claude, side, status):
    for stream in (False, True):
        with pytest.raises(ANTHROPIC_CLASSES[status]) as caught:
            claude.messages.create(model=f"{side}/error-{status}", max_tokens=5, messages=ASK, stream=stream)
        assert caught.value.status_code == status
        assert caught.value.body["type"] == "error"
        assert f"upstream says {status}" in caught.value.body["error"]["message"]


@pytest.mark.parametrize("key", ["sk-nobody-knows-this", "no-prefix", "sk-"])
def test_bad_keys(gateway, upstream, key):
    with pytest.raises(openai.AuthenticationError) as caught:
        openai_client(gateway, key).chat.completions.create(model="gpt", messages=ASK)
    assert key not in str(caught.value) or len(key) < 6, "the key is not shown"
    with pytest.raises(anthropic.AuthenticationError):
        anthropic_client(gateway, key).messages.create(model="claude", max_tokens=5, messages=ASK)
    assert upstream.asked == []


def test_no_key(gateway):
    answer = gateway.chat(key=None)
    assert answer.status == 401
    assert answer.json["error"]["message"] == "Authentication Error, No api key passed in."
    assert answer.json["error"]["type"] == "auth_error"
    assert answer.json["error"]["code"] == "401"


@pytest.mark.parametrize("name", ["x-api-key", "api-key", "x-goog-api-key", "x-litellm-api-key"])
def test_other_key_headers(gateway, name):
    key = gateway.new_key()
    assert gateway.chat(key=None, headers={name: key}).status == 200


def test_unknown_model(gateway, gpt):
    with pytest.raises(openai.BadRequestError) as caught:
        gpt.chat.completions.create(model="no-such-model", messages=ASK)
    assert "no-such-model" in caught.value.message


def test_unknown_route(gateway):
    assert gateway.ask("POST", "/v1/nothing-here", {}).status == 404
    assert gateway.ask("GET", "/v1/chat/completions").status == 405


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"nonsense", b'{"model": "gpt", "messages": [', b"[]", b"null", b'{"model": "gpt"}\0', b"\xff{}"],
)
def test_malformed_json(gateway, upstream, body):
    for path in ("/v1/chat/completions", "/v1/messages"):
        answer = gateway.ask("POST", path, body)
        assert answer.status == 400, (path, answer.body)
        assert answer.json["error"]["message"]
    assert upstream.asked == []


@pytest.mark.parametrize("fields", [{"messages": None}, {"model": None}, {"model": 7}, {"model": ""}])
def test_wrong_fields(gateway, upstream, fields):
    body = {"model": "gpt", "messages": ASK, **fields}
    body = {name: value for name, value in body.items() if value is not None}
    answer = gateway.ask("POST", "/v1/chat/completions", body)
    assert answer.status == 400, answer.body
    assert upstream.asked == []


@pytest.mark.parametrize("where", ['{"model":"gpt","messages":%s}', '{"model":"gpt","messages":[],"x":%s}'])
def test_deep_nesting_does_not_end_the_gateway(gateway, where):
    for depth in (1_000, 200_000):
        body = (where % ("[" * depth + "]" * depth)).encode()
        for path in ("/v1/chat/completions", "/v1/messages"):
            assert gateway.ask("POST", path, body).status in (200, 400, 500)
    assert gateway.chat().status == 200


@pytest.mark.parametrize("field", ["api_base", "base_url", "api_key"])
def test_a_caller_cannot_send_the_call_elsewhere(gateway, upstream, field):
    key = gateway.new_key()
    gateway.chat(key=key, **{field: "http://127.0.0.1:9/evil"})
    for asked in upstream.asked:
        assert asked.headers["authorization"] == "Bearer sk-upstream-secret"
        assert "evil" not in asked.raw.decode()
