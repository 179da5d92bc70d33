"""Three gateways keep rates together over Redis: to the call, through floods, a flushed store and a lost one."""

import shutil
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.common import ok
from support.gateway import entry
from support.postgres import Postgres, programs
from test_shared_state import Redis

needs = pytest.mark.skipif(
    shutil.which("redis-server") is None or not programs(), reason="SKIPPED: needs redis-server and PostgreSQL"
)
pytestmark = needs


@pytest.fixture(scope="module")
def server():
    server = Postgres()
    yield server
    server.stop()


@pytest.fixture
def redis(tmp_path):
    redis = Redis(tmp_path)
    yield redis
    redis.stop()


@pytest.fixture
def replicas(server, redis, spawn, request):
    environment = {"DATABASE_URL": server.database()}
    settings = {"redis_host": "127.0.0.1", "redis_port": redis.port, "redis_password": "sesame"}
    general = getattr(request, "param", {})
    started = [
        spawn(environment=environment, router_settings=settings, general_settings=general) for _ in range(3)
    ]
    for gateway in started:
        connected(gateway, 1)
    return started


def metric(gateway, name):
    for line in gateway.ask("GET", "/metrics").body.decode().splitlines():
        if line.startswith(name + " "):
            return float(line.split()[1])
    return None


def connected(gateway, wanted):
    until = time.monotonic() + 15
    while metric(gateway, "gateway_shared_rates_connected") != wanted:
        assert time.monotonic() < until, gateway.log()
        time.sleep(0.05)


def flush(redis):
    with socket.create_connection(("127.0.0.1", redis.port), timeout=5) as line:
        line.sendall(b"AUTH sesame\r\nFLUSHALL\r\n")
        heard = b""
        while heard.count(b"+OK") < 2:
            heard += line.recv(100)


def race(replicas, key, requests, share=lambda number: number, **fields):
    ask = lambda number: replicas[share(number) % len(replicas)].chat("oai/say", key, **fields).status
    with ThreadPoolExecutor(24) as pool:
        return list(pool.map(ask, range(requests)))


def seen_by_all(replicas, key):
    for gateway in replicas:
        gateway.key_info(key)


@pytest.mark.parametrize("share", [lambda number: number, lambda number: 0 if number % 10 else number // 10])
def test_requests_of_all_replicas_together(replicas, upstream, share):
    limit = 300
    key = replicas[0].new_key(rpm_limit=limit, model_rpm_limit={"oai/say": limit + 50})
    began = time.monotonic()
    statuses = race(replicas, key, 900, share)
    assert set(statuses) == {200, 429}
    admitted = statuses.count(200)
    while admitted < limit * 0.99 and time.monotonic() - began < 40:
        admitted += race(replicas, key, 6).count(200)
    assert limit * 0.99 <= admitted <= limit, admitted
    assert time.monotonic() - began < 55, "all in one window"
    assert len(upstream.asked) == admitted
    refused = replicas[1].chat("oai/say", key)
    assert refused.status == 429
    assert "Rate limit exceeded for api_key: " in refused.json["error"]["message"]
    assert f"Current limit: {limit}, Remaining: 0." in refused.json["error"]["message"]


@pytest.mark.parametrize("fields", [{}, {"max_tokens": 100}, {"max_tokens": 1}])
def test_few_calls_fill_a_limit_of_tokens(replicas, fields):
    """Twenty calls of fifteen tokens, one after the other at three gateways: as many as one gateway would let in,
    whether calls use as much as they asked for, less or more."""
    calls, began, admitted = 20, time.monotonic(), 0
    key = replicas[0].new_key(tpm_limit=calls * 15)
    seen_by_all(replicas, key)
    refused = 0
    for number in range(2_000):
        status = replicas[number % 3].chat("oai/say", key, **fields).status
        assert status in (200, 429)
        refused = 0 if status == 200 else refused + 1
        admitted += status == 200
        if refused > 60 and admitted >= calls or time.monotonic() - began > 40:
            break
        # What was set aside beyond need comes back after a round.
        time.sleep(0.02 if refused > 9 else 0)
    # A call that used more than it asked for may be told of too late at one gateway.
    assert admitted - calls in ((0, 1) if fields.get("max_tokens") == 1 else (0,)), admitted


def test_headers_tell_what_is_left_for_all(replicas):
    key = replicas[0].new_key(rpm_limit=50, tpm_limit=100_000)
    left = [int(one.chat("oai/say", key).headers["x-ratelimit-api_key-remaining-requests"]) for one in replicas]
    assert left == [49, 48, 47]


def test_a_flushed_store_lets_nobody_in_twice(replicas, redis):
    limit = 400
    key = replicas[0].new_key(rpm_limit=limit)
    counts, over = [0, 0, 0], threading.Event()

    def flood(number):
        while not over.is_set():
            counts[number] += replicas[number].chat("oai/say", key).status == 200
            time.sleep(0.02)

    threads = [threading.Thread(target=flood, args=(number,)) for number in range(3)]
    [thread.start() for thread in threads]
    for _ in range(3):
        time.sleep(1.5)
        flush(redis)
    until = time.monotonic() + 35
    while sum(counts) < limit * 0.99 and time.monotonic() < until:
        time.sleep(0.2)
    time.sleep(1)
    over.set()
    [thread.join() for thread in threads]
    assert limit * 0.99 <= sum(counts) <= limit * 1.01, counts


def test_places_of_all_replicas_together(replicas):
    key = replicas[0].new_key(max_parallel_requests=5)
    ask = lambda number: replicas[number % 3].chat("oai/slow-1500", key).status
    with ThreadPoolExecutor(30) as pool:
        statuses = list(pool.map(ask, range(30)))
    assert statuses.count(200) <= 5 and set(statuses) == {200, 429}, statuses
    until = time.monotonic() + 10
    while replicas[2].chat("oai/say", key).status != 200:
        assert time.monotonic() < until, "places come back"
        time.sleep(0.1)


def test_without_the_store_each_counts_for_itself(replicas, redis):
    key = replicas[0].new_key(rpm_limit=10)
    assert replicas[0].chat("oai/say", key).status == 200
    redis.stop()
    for gateway in replicas:
        connected(gateway, 0)
    statuses = [[gateway.chat("oai/say", key).status for _ in range(12)] for gateway in replicas]
    assert [one.count(200) for one in statuses[1:]] == [10, 10]
    redis.start()
    for gateway in replicas:
        connected(gateway, 1)
    assert replicas[0].chat("oai/say", key).status == 429, "what was counted meanwhile counts"


@pytest.mark.parametrize("replicas", [{"fail_closed_rate_limit_enforcement": True}], indirect=True)
def test_without_the_store_calls_with_rates_may_be_refused(replicas, redis):
    limited, free = replicas[0].new_key(rpm_limit=10), replicas[0].new_key()
    assert replicas[0].chat("oai/say", limited).status == 200
    redis.stop()
    connected(replicas[0], 0)
    refused = replicas[0].chat("oai/say", limited)
    assert refused.status == 503 and "Redis is away" in refused.json["error"]["message"]
    assert replicas[0].chat("oai/say", free).status == 200


SHARED = {"redis_host": "127.0.0.1", "redis_password": "sesame"}


def sharing(spawn, server, redis, upstream, count=2, **litellm):
    """Gateways that share a model of a hundred calls a minute."""
    environment = {"DATABASE_URL": server.database()}
    models = [entry("hundred", "openai/say", upstream.base + "/v1", rpm=100)]
    router, litellm = {**SHARED, "redis_port": redis.port}, {"callbacks": ["dynamic_rate_limiter_v3"], **litellm}
    start = lambda: spawn(environment=environment, router_settings=router, litellm_settings=litellm, models=models)
    started = [start() for _ in range(count)]
    for gateway in started:
        connected(gateway, 1)
    return started


def wait_for_a_fresh_minute(margin=25):
    """What is counted by the minute would begin anew in the middle of a test."""
    left = 60 - time.time() % 60
    if left < margin:
        time.sleep(left + 0.1)


def until_told(gateway, key, header, wanted, seconds=5):
    """Asks until a header has a value; gives the answer and how long that took."""
    began = time.monotonic()
    while True:
        answer = gateway.chat("hundred", key)
        if answer.headers.get(header) == wanted:
            return answer, time.monotonic() - began
        assert time.monotonic() - began < seconds, (answer.status, answer.headers.get(header))
        time.sleep(0.1)


def test_how_full_a_model_is_counts_over_all_gateways(spawn, server, redis, upstream):
    shares = {"prod": 0.6, "dev": {"type": "rpm", "value": 2}}
    settings = {"priority_reservation": shares, "priority_reservation_settings": {"saturation_threshold": 0.5}}
    here, there = sharing(spawn, server, redis, upstream, **settings)
    prod, dev = (here.new_key(metadata={"priority": word}) for word in ("prod", "dev"))
    wait_for_a_fresh_minute()
    assert [here.chat("hundred", prod).status for _ in range(55)] == [200] * 55
    # The other gateway has served next to nothing; what it is told of the first one makes the model half full.
    calls, full = 0, 0.0
    while full < 55:
        calls += 1
        assert calls < 20, full
        time.sleep(0.25)
        full = float(there.chat("hundred", dev).headers["x-litellm-saturation"].rstrip("%"))
    refused = [there.chat("hundred", dev).status for _ in range(3)]
    assert refused[-1] == 429, "dev has its two, and the model is full enough"
    assert here.chat("hundred", prod).status == 200, "its sixty are not used up"


def test_keys_are_counted_over_all_gateways(spawn, server, redis, upstream):
    here, there = sharing(spawn, server, redis, upstream, priority_reservation=None)
    first, second = here.new_key(), here.new_key()
    assert here.chat("hundred", first).headers["x-ratelimit-current-active-projects"] == "1"
    answer, took = until_told(there, second, "x-ratelimit-current-active-projects", "2")
    assert took < 3
    # The same key at both is one key.
    assert there.chat("hundred", first).headers["x-ratelimit-current-active-projects"] == "2"
    # Without Redis each goes by what it sees itself: the first gateway has seen one key.
    redis.stop()
    connected(here, 0)
    until_told(here, first, "x-ratelimit-current-active-projects", "1", seconds=15)


@pytest.mark.parametrize("direction, tokens", [("itpm", 10), ("otpm", 5)])
def test_a_projects_tokens_of_one_direction_count_over_all_gateways(replicas, upstream, direction, tokens):
    """A call has ten tokens of prompt and five of answer; two hundred calls of them are what the project may have."""
    gateways, calls = replicas[:2], 200
    owner = ok(gateways[0].ask("POST", "/team/new", {}))["team_id"]
    body = {"team_id": owner, f"model_{direction}_limit": {"oai/say": calls * tokens}}
    made = ok(gateways[0].ask("POST", "/project/new", body))["project_id"]
    key = gateways[0].new_key(team_id=owner, project_id=made)
    began = time.monotonic()
    statuses = race(gateways, key, 500)
    assert set(statuses) == {200, 429}
    admitted = statuses.count(200)
    # What a gateway had set aside, or taken ahead, and did not need comes back.
    while admitted < calls * 0.99 and time.monotonic() - began < 40:
        time.sleep(0.1)
        admitted += race(gateways, key, 6).count(200)
    assert time.monotonic() - began < 55, "all in one window"
    assert calls * 0.99 <= admitted <= calls * 1.01, admitted
    assert len(upstream.asked) == admitted
    for gateway in gateways:
        refused = gateway.chat("oai/say", key)
        assert refused.status == 429 and f"model_per_project_{direction}: {made}:" in refused.json["error"]["message"]
    free = gateways[1].new_key(team_id=owner)
    assert gateways[1].chat("oai/say", free).status == 200, "the limit is the project's alone"
