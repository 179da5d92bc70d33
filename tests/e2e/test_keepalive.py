"""Signs of life in silent streams: comments, `ping` events of Messages, before the provider answers and between its words."""

import http.client
import json
import time
from concurrent.futures import ThreadPoolExecutor

import anthropic
import openai
import pytest
from support.gateway import MASTER_KEY

COMMENT, EVENT = b": ping\n\n", b"event: ping\n"


def read(gateway, path, body, **headers):
    """The bytes of a stream, its status, and when its first byte came."""
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=60)
    headers = {"authorization": f"Bearer {MASTER_KEY}", "content-type": "application/json", **headers}
    began = time.monotonic()
    connection.request("POST", path, json.dumps(body), headers)
    answer = connection.getresponse()
    first = answer.read(1)
    after = time.monotonic() - began
    return answer.status, first + answer.read(), after


def chat(gateway, model, more=None, **headers):
    asked = {"model": model, "stream": True, "messages": [{"role": "user", "content": "Hi"}], **(more or {})}
    status, body, _ = read(gateway, "/v1/chat/completions", asked, **headers)
    assert status == 200, body
    return body


def together(ask, *cases):
    """What comes of each case: all of them at the same time."""
    with ThreadPoolExecutor(len(cases)) as pool:
        return list(pool.map(ask, cases))


def words(stream):
    events = [json.loads(line[6:]) for line in stream.decode().splitlines() if line.startswith("data: {")]
    return "".join(choice["delta"].get("content") or "" for event in events for choice in event["choices"])


def entry(upstream, name, provider="openai", model="long-1-1400", **params):
    base = upstream.base + ("/v1" if provider == "openai" else "")
    return {"model_name": name, "litellm_params": {"model": f"{provider}/{model}", "api_key": "sk-up", "api_base": base, **params}}


@pytest.fixture
def kept(spawn, upstream):
    return spawn(models=[
        entry(upstream, "plain"),
        entry(upstream, "kept", keepalive_seconds=0.5),
        entry(upstream, "claude", provider="anthropic", keepalive_seconds=1),
        entry(upstream, "choosable", allow_client_keepalive_override=True),
        entry(upstream, "never", allow_client_keepalive_override=True, keepalive_seconds=0),
    ])


def test_a_silent_stream_gets_comments_where_its_deployment_says_so(kept):
    plain, alive, translated = together(lambda name: chat(kept, name), "plain", "kept", "claude")
    assert COMMENT not in plain
    # Half a second is less than may be: a second it is, which each silence of 1.4 seconds has once.
    assert 3 <= alive.count(COMMENT) <= alive.count(b"data: ") + 1, alive
    assert words(alive) == words(plain) and alive.endswith(b"data: [DONE]\n\n")
    # Forwarded and translated alike.
    assert COMMENT in translated


def test_callers_choose_where_they_may(kept):
    body, header = {"keepalive_seconds": 1}, {"x-litellm-keepalive-seconds": "1"}
    cases = [(name, more, headers, name == "choosable") for name in ("choosable", "plain", "never") for more, headers in [(body, {}), ({}, header)]]
    cases.append(("choosable", {"keepalive_seconds": 0}, {}, False))
    streams = together(lambda case: chat(kept, case[0], case[1], **case[2]), *cases)
    for case, stream in zip(cases, streams):
        assert (COMMENT in stream) == case[3], case


def test_messages_get_their_own_event_and_sdks_read_on(kept):
    asked = {"model": "claude", "max_tokens": 64, "stream": True, "messages": [{"role": "user", "content": "Hi"}]}
    _, body, _ = read(kept, "/v1/messages", asked)
    assert EVENT in body and COMMENT not in body
    client = anthropic.Anthropic(base_url=kept.url, api_key=MASTER_KEY, max_retries=0)
    with client.messages.stream(model="kept", max_tokens=64, messages=asked["messages"]) as stream:
        said = stream.get_final_text()
    sdk = openai.OpenAI(base_url=kept.url + "/v1", api_key=MASTER_KEY, max_retries=0)
    chunks = sdk.chat.completions.create(model="kept", stream=True, messages=asked["messages"])
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices).strip() == said.strip()


def test_messages_are_pinged_without_being_asked_to_and_not_where_that_is_off(spawn, upstream):
    asked = {"model": "plain", "max_tokens": 64, "stream": True, "messages": [{"role": "user", "content": "Hi"}]}
    for pause, comes in [(1, True), (0, False)]:
        gateway = spawn(models=[entry(upstream, "plain")], litellm_settings={"anthropic_sse_ping_interval_seconds": pause})
        _, body, _ = read(gateway, "/v1/messages", asked)
        assert (EVENT in body) == comes
        assert COMMENT not in chat(gateway, "plain")


def test_a_stream_begins_before_its_provider_answers(spawn, upstream):
    models = [entry(upstream, "slow", model="slow-2600"),
              entry(upstream, "quick", model="say"), entry(upstream, "broken", model="error-401")]
    gateway = spawn(models=models, litellm_settings={"sse_keepalive_ping_interval_seconds": 1, "num_retries": 0})
    asked = {"model": "slow", "stream": True, "messages": [{"role": "user", "content": "Hi"}]}
    status, body, after = read(gateway, "/v1/chat/completions", asked)
    assert status == 200 and body.startswith(COMMENT * 2) and body.endswith(b"data: [DONE]\n\n")
    assert 0.9 < after < 2.4, after
    assert words(body)
    # Who answers or fails in time has its own status and headers.
    status, body, _ = read(gateway, "/v1/chat/completions", {**asked, "model": "quick"})
    assert status == 200 and COMMENT not in body
    status, body, _ = read(gateway, "/v1/chat/completions", {**asked, "model": "broken"})
    assert status == 401 and json.loads(body)["error"]
    # What is no stream waits as ever.
    status, body, after = read(gateway, "/v1/chat/completions", {**asked, "stream": False})
    assert status == 200 and json.loads(body)["choices"] and after > 2.4


def test_a_failure_after_the_first_sign_is_told_in_the_stream(spawn, upstream):
    unanswered = entry(upstream, "hangs", model="hang", timeout=2.5)
    gateway = spawn(models=[unanswered], litellm_settings={"sse_keepalive_ping_interval_seconds": 1, "num_retries": 0})
    asked = {"model": "hangs", "stream": True, "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
    for path, start in [("/v1/chat/completions", b"data: "), ("/v1/messages", b"event: error\ndata: ")]:
        status, body, _ = read(gateway, path, asked)
        *_, last = body.removesuffix(b"\n\n").split(b"\n\n")
        assert status == 200 and last.startswith(start), body
        assert json.loads(last.removeprefix(start))["error"]["message"]
