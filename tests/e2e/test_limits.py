"""What a key may not do: other models, more calls, more tokens, more money, longer life."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import anthropic
import pytest
from conftest import anthropic_client, openai_client
from support.gateway import CALL_COST

ASK = [{"role": "user", "content": "hi"}]


def test_models(gateway, upstream):
    key = gateway.new_key(models=["gpt"])
    assert gateway.chat("gpt", key).status == 200
    answer = gateway.chat("claude", key)
    assert answer.status == 403
    error = answer.json["error"]
    assert (error["type"], error["param"], error["code"]) == ("key_model_access_denied", "model", "403")
    assert len(upstream.asked) == 1


def test_model_wildcard(gateway):
    key = gateway.new_key(models=["oai/*"])
    assert gateway.chat("oai/say", key).status == 200
    assert gateway.chat("ant/say", key).status == 403


def test_a_spent_budget_refuses_in_both_dialects(gateway, upstream):
    key = gateway.new_key(max_budget=CALL_COST / 2)
    first = gateway.chat(key=key)
    assert first.status in (200, 422), first.body
    if first.status == 200:
        gateway.spend(key, CALL_COST)
    upstream.clear()
    refused = gateway.chat(key=key)
    assert refused.status == 422
    assert refused.json["error"]["type"] == "budget_exceeded"
    assert refused.json["error"]["message"].startswith("Budget has been exceeded! Key=")
    with pytest.raises(anthropic.UnprocessableEntityError):
        anthropic_client(gateway, key).messages.create(model="claude", max_tokens=5, messages=ASK)
    assert upstream.asked == []


def test_the_operator_chooses_the_status_of_a_spent_budget(spawn):
    gateway = spawn(litellm_settings={"budget_exceeded_status_code": 400})
    key = gateway.new_key(max_budget=0.000000001)
    for _ in range(3):
        refused = gateway.chat(key=key)
        time.sleep(0.2)
    assert (refused.status, refused.json["error"]["type"]) == (400, "budget_exceeded")


def test_a_raised_budget_opens_again(gateway):
    key = gateway.new_key(max_budget=0.000000001)
    for _ in range(3):
        refused = gateway.chat(key=key).status
        time.sleep(0.2)
    assert refused == 422
    assert gateway.ask("POST", "/key/update", {"key": key, "max_budget": 10.0}).status == 200
    assert gateway.chat(key=key).status == 200


def test_requests_per_minute(gateway):
    key = gateway.new_key(rpm_limit=3)
    answers = [gateway.chat(key=key) for _ in range(5)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429, 429]
    assert answers[-1].json["error"]["type"] == "throttling_error"
    assert "Limit type: requests" in answers[-1].json["error"]["message"]
    assert int(answers[-1].headers["retry-after"]) in range(1, 61)


def test_requests_per_minute_hold_under_concurrency(gateway):
    key = gateway.new_key(rpm_limit=10)
    with ThreadPoolExecutor(40) as pool:
        statuses = list(pool.map(lambda _: gateway.chat(key=key).status, range(40)))
    assert statuses.count(200) == 10
    assert statuses.count(429) == 30


def test_tokens_per_minute(gateway):
    key = gateway.new_key(tpm_limit=40)
    statuses = []
    for _ in range(6):
        statuses.append(gateway.chat(key=key).status)
        time.sleep(0.2)
    assert statuses[0] == 200
    assert statuses[-1] == 429
    assert 1 <= statuses.count(200) <= 4, "40 tokens are at most three calls of 15 and the one that crosses"


def test_parallel_requests(gateway, upstream):
    key = gateway.new_key(max_parallel_requests=2)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: gateway.chat("oai/slow-700", key), range(6)))
    assert [answer.status for answer in answers].count(200) == 2
    assert upstream.most_in_flight["slow-700"] <= 2
    denied = next(answer for answer in answers if answer.status == 429)
    assert "max_parallel_requests" in denied.json["error"]["message"]
    assert gateway.chat(key=key).status == 200, "places are given back"


def test_a_caller_who_leaves_gives_the_place_back(gateway):
    key = gateway.new_key(max_parallel_requests=1)
    client = openai_client(gateway, key)
    stream = client.chat.completions.create(model="oai/long-100-50", messages=ASK, stream=True)
    next(iter(stream))
    assert gateway.chat(key=key).status == 429
    stream.close()
    until = time.monotonic() + 5
    while gateway.chat(key=key).status != 200:
        assert time.monotonic() < until, "the place of a caller who left was not given back"
        time.sleep(0.1)


def test_expiry(gateway):
    key = gateway.new_key(duration="2s")
    assert gateway.chat(key=key).status == 200
    assert gateway.key_info(key)["expires"]
    time.sleep(2.2)
    answer = gateway.chat(key=key)
    assert answer.status == 401
    assert answer.json["error"]["type"] == "expired_key"


def test_limits_of_one_key_leave_others_alone(gateway):
    full, free = gateway.new_key(rpm_limit=1), gateway.new_key()
    results = []
    gateway.chat(key=full)
    threads = [threading.Thread(target=lambda: results.append(gateway.chat(key=free).status)) for _ in range(10)]
    for thread in threads:
        thread.start()
        gateway.chat(key=full)
    for thread in threads:
        thread.join()
    assert results == [200] * 10
