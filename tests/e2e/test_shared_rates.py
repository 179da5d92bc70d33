"""Three gateways keep rates together over Redis: to the call, through floods, a flushed store and a lost one."""

import shutil
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
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
