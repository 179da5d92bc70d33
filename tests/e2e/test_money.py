"""Spend is exact: under concurrency, over restarts, and when the process is killed."""

import itertools
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import SIDES, anthropic_client, openai_client
from support.gateway import CALL_COST, INPUT_PRICE, OUTPUT_PRICE, entry

ASK = [{"role": "user", "content": "hi"}]


def exactly(amount):
    return pytest.approx(amount, rel=0, abs=5e-10)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("stream", [False, True])
def test_every_pair_of_dialects_costs_the_same(gateway, side, stream):
    key = gateway.new_key()
    reply = openai_client(gateway, key).chat.completions.create(model=f"{side}/say", messages=ASK, stream=stream)
    if stream:
        list(reply)
    reply = anthropic_client(gateway, key).messages.create(
        model=f"{side}/say", max_tokens=5, messages=ASK, stream=stream
    )
    if stream:
        list(reply)
    assert gateway.spend(key, 2 * CALL_COST) == exactly(2 * CALL_COST)


def test_failed_calls_cost_nothing(gateway):
    key = gateway.new_key()
    for model in ("oai/error-500", "oai/error-400", "ant/error-429"):
        assert gateway.chat(model, key).status >= 400
    gateway.chat(key=key)
    gateway.spend(key, CALL_COST)
    time.sleep(0.5)
    assert gateway.spend(key) == exactly(CALL_COST)


def test_spend_is_exact_under_fifty_callers(gateway):
    key = gateway.new_key(max_budget=1.0)
    with ThreadPoolExecutor(50) as pool:
        statuses = list(pool.map(lambda n: gateway.chat(("gpt", "claude")[n % 2], key).status, range(200)))
    assert statuses == [200] * 200
    assert gateway.spend(key, 200 * CALL_COST) == exactly(200 * CALL_COST)


def test_fifty_callers_never_overshoot_a_budget(gateway):
    budget = 20 * CALL_COST
    key = gateway.new_key(max_budget=budget)
    with ThreadPoolExecutor(50) as pool:
        statuses = list(pool.map(lambda _: gateway.chat("oai/slow-100", key).status, range(100)))
    served = statuses.count(200)
    assert statuses.count(422) == 100 - served
    assert 0 < served <= 20
    spend = gateway.spend(key, served * CALL_COST)
    assert spend == exactly(served * CALL_COST)
    assert spend <= budget + 1e-12
    # What was reserved and not spent is free again, call by call.
    while gateway.chat(key=key).status == 200:
        served += 1
    spend = gateway.spend(key, served * CALL_COST)
    assert spend == exactly(served * CALL_COST) and spend <= budget + CALL_COST


def test_a_caller_who_leaves_is_billed(gateway):
    key = gateway.new_key()
    stream = openai_client(gateway, key).chat.completions.create(model="oai/long-50-20", messages=ASK, stream=True)
    next(iter(stream))
    stream.close()
    assert gateway.spend(key, 1e-9, seconds=10) > 0


def test_a_restart_keeps_keys_and_spend(spawn):
    gateway = spawn()
    key = gateway.new_key(max_budget=1.0, key_alias="stays")
    for _ in range(5):
        assert gateway.chat(key=key).status == 200
    assert gateway.stop() == 0
    gateway.start()
    assert gateway.chat(key=key).status == 200
    assert gateway.spend(key, 6 * CALL_COST) == exactly(6 * CALL_COST)
    assert gateway.key_info(key)["key_alias"] == "stays"


def test_a_kill_after_the_books_are_written_loses_and_doubles_nothing(spawn):
    gateway = spawn()
    key = gateway.new_key()
    total = 0
    for _ in range(3):
        with ThreadPoolExecutor(20) as pool:
            statuses = list(pool.map(lambda _: gateway.chat(key=key).status, range(60)))
        assert statuses == [200] * 60
        total += 60
        assert gateway.spend(key, total * CALL_COST) == exactly(total * CALL_COST)
        gateway.kill()
        gateway.start()
        assert gateway.spend(key, total * CALL_COST) == exactly(total * CALL_COST)


def test_a_kill_right_behind_an_answer_books_it_at_least_at_its_cost(spawn):
    gateway = spawn()
    key = gateway.new_key()
    for answered in range(1, 4):
        assert gateway.chat(key=key).status == 200
        gateway.kill()
        gateway.start()
        spend = gateway.spend(key, answered * CALL_COST)
        # The answer may be out before its outcome is written: then it is booked at its reservation.
        assert answered * CALL_COST - 5e-10 <= spend <= 2 * answered * CALL_COST


def test_a_kill_under_load_books_what_was_answered_and_no_call_twice(spawn):
    gateway = spawn()
    key = gateway.new_key()
    started, answered, lock, stop = [0], [0], threading.Lock(), threading.Event()

    def caller():
        while not stop.is_set():
            with lock:
                started[0] += 1
            try:
                status = gateway.chat("oai/slow-20", key, timeout=5).status
            except OSError:
                return
            assert status == 200
            with lock:
                answered[0] += 1

    callers = [threading.Thread(target=caller) for _ in range(10)]
    for thread in callers:
        thread.start()
    time.sleep(1.5)
    gateway.kill()
    stop.set()
    for thread in callers:
        thread.join()
    assert answered[0] > 20
    gateway.start()
    spend = gateway.spend(key, answered[0] * CALL_COST)
    time.sleep(1)
    spend = max(spend, gateway.spend(key))
    unknown = started[0] - answered[0]
    assert spend >= answered[0] * CALL_COST - 5e-10, "an answered call is not booked"
    # A call of unknown outcome is booked at its reservation: its prompt and its five tokens.
    assert spend <= answered[0] * CALL_COST + unknown * 20 * CALL_COST, "calls are booked twice"
    calls = round(spend / CALL_COST)
    before = gateway.spend(key)
    gateway.kill()
    gateway.start()
    time.sleep(1)
    assert gateway.spend(key, calls * CALL_COST / 2) == exactly(before), "a second start books nothing again"


def test_stops_under_load_book_every_call_exactly(spawn, upstream):
    """SIGTERM, three times: whoever was let in is answered, what was answered is booked once and at its cost."""
    gateway = spawn()
    key, numbers = gateway.new_key(max_budget=1), itertools.count()
    upstream.clear()
    answered, refused, lock = set(), [], threading.Lock()

    def caller(over):
        while not over.is_set():
            name = f"call-{next(numbers)}"
            try:
                status = gateway.chat("oai/slow-20", key, timeout=20, user=name).status
            except OSError:
                if over.is_set():
                    return  # the door is shut
                continue
            with lock:
                answered.add(name) if status == 200 else refused.append(status)

    for _ in range(3):
        over = threading.Event()
        callers = [threading.Thread(target=caller, args=(over,)) for _ in range(10)]
        [thread.start() for thread in callers]
        time.sleep(0.7)
        gateway.signal(signal.SIGTERM)
        over.set()
        [thread.join() for thread in callers]
        assert gateway.stop() == 0
        gateway.start()
    assert len(answered) > 30 and not refused
    asked = {asked.body["user"] for asked in upstream.asked}
    assert asked == answered, "whoever reached the provider has an answer"
    rows = gateway.rows(key, len(answered))
    assert sorted(row["end_user"] for row in rows) == sorted(answered)
    assert {row["metadata"]["outcome"] for row in rows} == {"completed"}
    assert gateway.spend(key, len(answered) * CALL_COST) == exactly(len(answered) * CALL_COST)


def test_a_dearer_fallback_is_set_aside_before_it_is_asked(spawn, upstream):
    """Calls are admitted at the price of a cheap model that fails; the one that answers costs 50 times as much."""
    base = upstream.base + "/v1"
    dear = {"input_cost_per_token": 50 * INPUT_PRICE, "output_cost_per_token": 50 * OUTPUT_PRICE}
    gateway = spawn(
        models=[entry("cheap", "openai/error-500", base), entry("dear", "openai/slow-100", base, **dear)],
        router_settings={"fallbacks": [{"cheap": ["dear"]}]},
    )
    budget = 210 * CALL_COST
    key = gateway.new_key(max_budget=budget)
    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(lambda _: gateway.chat("cheap", key, max_tokens=5), range(40)))
    served = sum(answer.status == 200 for answer in answers)
    assert 0 < served <= 4, [answer.status for answer in answers]
    refused = [answer for answer in answers if answer.status != 200]
    # A caller is told of the first failure, as LiteLLM tells it, and of the budget that did not hold the fallback.
    assert {answer.status for answer in refused} == {500}, {answer.status: answer.body for answer in refused}
    for answer in refused:
        unpaid = answer.headers["x-gateway-fallback-unpaid"]
        assert unpaid.startswith("Fallback `dear` was not asked: Budget has been exceeded! Key="), unpaid
        assert answer.json["error"]["message"].endswith(unpaid)
    assert "Fallback `dear` was not asked: Budget has been exceeded!" in gateway.log()
    spend = served * 50 * CALL_COST
    assert gateway.spend(key, spend) == exactly(spend)
    assert spend <= budget
    last = gateway.chat("cheap", gateway.new_key(max_budget=budget), max_tokens=5)
    assert last.status == 200, "what was set aside for others is free again"


def test_what_was_set_aside_for_fallbacks_is_given_back(spawn, upstream):
    base = upstream.base + "/v1"
    dear = {"input_cost_per_token": 50 * INPUT_PRICE, "output_cost_per_token": 50 * OUTPUT_PRICE}
    gateway = spawn(
        models=[entry("cheap", "openai/error-500", base), entry("dear", "openai/say", base, **dear)],
        router_settings={"fallbacks": [{"cheap": ["dear"]}]},
    )
    calls = 12
    key = gateway.new_key(max_budget=(calls + 1) * 55 * CALL_COST)
    for _ in range(calls):
        assert gateway.chat("cheap", key, max_tokens=5).status == 200
    assert gateway.spend(key, calls * 50 * CALL_COST) == exactly(calls * 50 * CALL_COST)


def test_a_dear_fallback_of_a_group_with_nobody_to_ask_is_set_aside_too(spawn, upstream):
    """The first deployment that is asked is the fallback's: all of the cheap group rest."""
    base = upstream.base + "/v1"
    dear = {"input_cost_per_token": 50 * INPUT_PRICE, "output_cost_per_token": 50 * OUTPUT_PRICE}
    gateway = spawn(
        models=[entry("cheap", "openai/error-500", base), entry("cheap", "openai/error-500", base, weight=2),
                entry("dear", "openai/slow-100", base, **dear)],
        router_settings={"fallbacks": [{"cheap": ["dear"]}], "disable_cooldowns": False, "allowed_fails": 0, "cooldown_time": 600},
    )
    for _ in range(4):
        gateway.chat("cheap", gateway.new_key())
    upstream.clear()
    key = gateway.new_key(max_budget=210 * CALL_COST)
    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(lambda _: gateway.chat("cheap", key, max_tokens=5), range(40)))
    served = [answer.status for answer in answers].count(200)
    assert "error-500" not in {asked.body["model"] for asked in upstream.asked}, "all of the cheap group rest"
    assert 0 < served <= 4
    assert gateway.spend(key, served * 50 * CALL_COST) == exactly(served * 50 * CALL_COST)


def test_a_crash_books_what_was_set_aside_for_the_fallback(spawn, upstream):
    base = upstream.base + "/v1"
    dear = {"input_cost_per_token": 50 * INPUT_PRICE, "output_cost_per_token": 50 * OUTPUT_PRICE}
    gateway = spawn(
        models=[entry("cheap", "openai/error-500", base), entry("dear", "openai/hang", base, **dear)],
        router_settings={"fallbacks": [{"cheap": ["dear"]}]},
    )
    key = gateway.new_key(max_budget=1.0)
    thread = threading.Thread(target=lambda: pytest.raises(Exception, gateway.chat, "cheap", key, max_tokens=5))
    thread.start()
    deadline = time.monotonic() + 20
    while "hang" not in {asked.body["model"] for asked in upstream.asked}:
        assert time.monotonic() < deadline, "the fallback was not asked"
        time.sleep(0.02)
    gateway.kill()
    thread.join()
    gateway.start()
    answer_alone = 5 * 50 * OUTPUT_PRICE
    assert gateway.spend(key, answer_alone) >= answer_alone
