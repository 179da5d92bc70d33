"""Several gateways share one PostgreSQL: they share budgets too, to the cent."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.gateway import CALL_COST, entry


@pytest.fixture
def replicas(server, spawn):
    """Three gateways on one database."""
    environment = {"DATABASE_URL": server.database()}
    return [spawn(environment=environment) for _ in range(3)]


def race(replicas, key, requests, model="oai/slow-20", **fields):
    """Statuses of calls that go to all replicas at the same time."""
    ask = lambda number: replicas[number % len(replicas)].chat(model, key, **fields).status
    with ThreadPoolExecutor(60) as pool:
        return list(pool.map(ask, range(requests)))


def settled(gateway, key, amount):
    until = time.monotonic() + 20
    while abs((spend := gateway.key_info(key)["spend"]) - amount) > 1e-9:
        assert time.monotonic() < until, (spend, amount)
        time.sleep(0.2)


@pytest.mark.parametrize("count", [1, 3])
def test_a_thousand_racing_requests_on_a_dollar(count, server, spawn, upstream):
    """A call costs half a cent, and that is what is set aside for it: a dollar pays for two hundred, no more, no less."""
    dear = entry("dear", "openai/slow-20", upstream.base + "/v1", input_cost_per_token=0, output_cost_per_token=0.001)
    environment = {"DATABASE_URL": server.database()} if count > 1 else {}
    replicas = [spawn(environment=environment, models=[dear]) for _ in range(count)]
    key, cap, cost = replicas[0].new_key(max_budget=1), 1.0, 5 * 0.001
    statuses = race(replicas, key, 1000, "dear")
    assert set(statuses) == {200, 422}
    paid = statuses.count(200)
    assert paid == len(upstream.asked), "what was refused reached nobody"
    assert paid * cost <= cap, "billed within the cap"
    # Once all is settled nothing is held back: every call that the dollar still pays for is let in, and no other one.
    until = time.monotonic() + 30
    while paid < 200:
        assert time.monotonic() < until, f"{paid} of 200 calls were let in"
        time.sleep(0.2)
        paid += race(replicas, key, 3, "dear").count(200)
    for gateway in replicas:
        settled(gateway, key, cap)
        assert gateway.chat("dear", key).status == 422
    assert len(upstream.asked) == 200


def test_racing_replicas_do_not_overshoot_a_budget(replicas, upstream):
    cap = 200 * CALL_COST
    key = replicas[0].new_key(max_budget=cap)
    statuses = race(replicas, key, 1000)
    assert set(statuses) == {200, 422}
    paid = statuses.count(200)
    assert paid == len(upstream.asked), "what was refused reached nobody"
    assert paid * CALL_COST <= cap + 1e-12
    # What the replicas held and did not need comes back: the rest of the budget is spent, not stranded.
    until = time.monotonic() + 30
    while paid < 199:
        assert time.monotonic() < until, f"{paid} of 200 calls were let in"
        time.sleep(0.5)
        paid += race(replicas, key, 3).count(200)
    assert paid * CALL_COST <= cap + CALL_COST + 1e-12, "the last call may begin with less than it costs"
    settled(replicas[1], key, paid * CALL_COST)


def test_racing_replicas_do_not_overshoot_a_teams_budget(replicas):
    cap = 60 * CALL_COST
    made = replicas[0].ask("POST", "/team/new", {"max_budget": cap}).json
    keys = [replicas[0].new_key(team_id=made["team_id"]) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda key: race(replicas, key, 100), keys))
    paid = sum(statuses.count(200) for statuses in found)
    assert 30 <= paid
    assert paid * CALL_COST <= cap + CALL_COST + 1e-12


def test_what_a_dead_replica_had_leased_comes_back(replicas, spawn):
    key = replicas[0].new_key(max_budget=8 * CALL_COST)
    assert replicas[0].chat(key=key).status == 200
    replicas[0].kill()
    replicas[0].start()
    paid = 1
    until = time.monotonic() + 20
    while paid < 7:
        assert time.monotonic() < until, paid
        paid += replicas[1].chat(key=key).status == 200
        time.sleep(0.1)


def test_a_replica_that_has_been_idle_keeps_nothing(replicas):
    key = replicas[0].new_key(max_budget=10 * CALL_COST)
    assert replicas[0].chat(key=key).status == 200
    time.sleep(2.5)
    statuses = [replicas[1].chat(key=key).status for _ in range(9)]
    assert statuses.count(200) >= 8, "the slice of the idle replica was given back"
