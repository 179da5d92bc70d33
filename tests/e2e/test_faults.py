"""Providers and callers at their worst: slow, hung, cut, absurdly large."""

import json
import socket
import time

import anthropic
import openai
import pytest
from conftest import SIDES, anthropic_client, openai_client
from support.gateway import MASTER_KEY, entry
from support.ports import free_port

ASK = [{"role": "user", "content": "hi"}]


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("fault", ["cut", "stopless", "broken"])
def test_a_truncated_stream_never_ends_cleanly_openai(gateway, side, fault):
    body = {"model": f"{side}/{fault}", "messages": ASK, "stream": True}
    raw = read_to_the_end(gateway, "/v1/chat/completions", body)
    assert "Hello" in raw or '"error"' in raw
    assert "[DONE]" not in raw
    assert '"finish_reason":"stop"' not in raw.replace(" ", "")
    assert '"error"' in raw


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("fault", ["cut", "stopless", "broken"])
def test_a_truncated_stream_never_ends_cleanly_anthropic(gateway, side, fault):
    body = {"model": f"{side}/{fault}", "messages": ASK, "stream": True, "max_tokens": 5}
    raw = read_to_the_end(gateway, "/v1/messages", body)
    assert "message_stop" not in raw
    assert '"stop_reason":"end_turn"' not in raw.replace(" ", "")
    assert "event: error" in raw


def read_to_the_end(gateway, path, body):
    """All bytes of an answer, whether or not it ends properly."""
    data = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\ncontent-type: application/json\r\n"
    head += f"authorization: Bearer {MASTER_KEY}\r\ncontent-length: {len(data)}\r\n\r\n"
    received = b""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as connection:
        connection.sendall(head.encode() + data)
        try:
            while piece := connection.recv(65536):
                received += piece
        except ConnectionResetError:
            pass
    return received.decode(errors="replace")


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("fault", ["cut", "garbage"])
def test_a_broken_whole_reply_is_an_error(gateway, side, fault):
    with pytest.raises(openai.APIStatusError) as caught:
        openai_client(gateway).chat.completions.create(model=f"{side}/{fault}", messages=ASK)
    assert caught.value.status_code in (500, 502)
    with pytest.raises(anthropic.APIStatusError) as caught:
        anthropic_client(gateway).messages.create(model=f"{side}/{fault}", max_tokens=5, messages=ASK)
    assert caught.value.status_code in (500, 502)


@pytest.mark.parametrize("side", SIDES)
def test_a_frame_that_is_no_json_is_no_clean_stop(gateway, side):
    client = anthropic_client(gateway) if side == "oai" else openai_client(gateway)
    ask = {"model": f"{side}/garbage", "messages": ASK, "stream": True, "max_tokens": 5}
    create = client.messages.create if side == "oai" else client.chat.completions.create
    with pytest.raises((openai.APIError, anthropic.APIError)):
        list(create(**ask))


def test_a_hung_provider_is_given_up_after_the_timeout(spawn, upstream):
    hung = entry("hung", "openai/hang", upstream.base + "/v1", timeout=1)
    stalled = entry("stalled", "openai/stall", upstream.base + "/v1", timeout=1, stream_timeout=1)
    gateway = spawn(models=[hung, stalled])
    began = time.monotonic()
    answer = gateway.chat("hung")
    assert answer.status in (408, 504), answer.body
    assert time.monotonic() - began < 5
    raw = read_to_the_end(gateway, "/v1/chat/completions", {"model": "stalled", "messages": ASK, "stream": True})
    assert time.monotonic() - began < 15
    assert "[DONE]" not in raw and '"error"' in raw


def test_an_absent_provider_is_an_error_without_its_key(spawn):
    gateway = spawn(models=[entry("absent", "openai/say", f"http://127.0.0.1:{free_port()}/v1")])
    answer = gateway.chat("absent")
    assert answer.status in (500, 502, 503)
    assert "sk-upstream-secret" not in answer.body.decode() + gateway.log()


def test_a_provider_that_takes_no_connection_is_left_for_another(spawn, upstream):
    """`connect_timeout` is a limit of its own: the answer may take much longer."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        # A full accept queue: the kernel takes no further connection.
        silent.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(silent.getsockname())
        base = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        patient = {"timeout": 600, "connect_timeout": 0.5}
        away = entry("pair", "openai/say", base, order=1, **patient)
        there = entry("pair", "openai/slow-1500", upstream.base + "/v1", order=2, **patient)
        gateway = spawn(models=[away, there, entry("away", "openai/say", base, **patient)])
        began = time.monotonic()
        answer = gateway.chat("pair", timeout=60)
        assert answer.status == 200, answer.body
        assert 2.0 <= time.monotonic() - began < 20, "half a second for the one, its own time for the other"
        alone = gateway.chat("away", timeout=60)
        assert alone.status in (408, 504) and "a connection to" in alone.json["error"]["message"], alone.body
        for one in waiting:
            one.close()


def test_retries_hide_a_passing_fault(spawn, upstream):
    gateway = spawn(router_settings={"num_retries": 2})
    answer = gateway.chat("oai/flaky-2")
    assert answer.status == 200
    assert answer.headers["x-litellm-attempted-retries"] == "2"
    assert len(upstream.asked) == 3


def test_fallbacks_go_to_another_group(spawn, upstream):
    broken = entry("broken", "openai/error-500", upstream.base + "/v1")
    gateway = spawn(models=[broken], router_settings={"fallbacks": [{"broken": ["claude"]}]})
    answer = gateway.chat("broken")
    assert answer.status == 200
    assert answer.headers["x-litellm-model-group"] == "claude"
    assert answer.headers["x-litellm-attempted-fallbacks"] == "1"


def test_a_huge_body_is_refused_without_being_kept(spawn):
    gateway = spawn()
    gateway.chat()
    before = gateway.memory_peak()
    size = 200_000_000
    head = "POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\ncontent-type: application/json\r\n"
    head += f"authorization: Bearer {MASTER_KEY}\r\ncontent-length: {size}\r\n\r\n"
    answer = b""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as connection:
        try:
            connection.sendall(head.encode() + b'{"model":"gpt","messages":[{"role":"user","content":"')
            block = b"x" * 1_000_000
            for _ in range(size // len(block)):
                connection.sendall(block)
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            answer = connection.recv(65536)
        except ConnectionResetError:
            pass
    assert answer == b"" or answer.startswith(b"HTTP/1.1 413"), answer[:200]
    assert gateway.memory_peak() - before < 150_000_000
    assert gateway.chat().status == 200


def test_a_large_body_within_the_limit_passes(gateway, upstream):
    content = "word " * 400_000
    answer = gateway.chat(messages=[{"role": "user", "content": content}])
    assert answer.status == 200, answer.body[:300]
    assert upstream.last.body["messages"][0]["content"] == content


@pytest.mark.slow
def test_slow_senders_are_dropped_and_block_nobody(spawn):
    gateway = spawn()
    slow = [socket.create_connection(("127.0.0.1", gateway.port), timeout=90) for _ in range(100)]
    try:
        for connection in slow:
            connection.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\nx-slow: ")
        assert all(gateway.chat().status == 200 for _ in range(20))
        began = time.monotonic()
        slow[0].recv(1)
        assert time.monotonic() - began < 75, "a half-sent head is dropped in time"
    finally:
        for connection in slow:
            connection.close()
    assert gateway.chat().status == 200
