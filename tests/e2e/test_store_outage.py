"""The database goes away under load and comes back: calls go on or are refused as told, and nothing is lost or
booked twice."""

import itertools
import os
import random
import signal
import sqlite3
import subprocess
import threading
import time

import pytest
from support.gateway import CALL_COST
from support.issuer import Issuer
from support.postgres import Postgres, programs


@pytest.fixture
def server():
    if not programs():
        pytest.skip("PostgreSQL is not installed")
    server = Postgres(synchronous_commit="on")
    yield server
    server.stop()


def eventually(found, seconds=30):
    """What `found` gives, once it is true."""
    until = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < until, "it did not come true in time"
        time.sleep(0.05)
    return value


def state(gateway):
    return gateway.ask("GET", "/health/readiness", key=None)


class Load:
    """Callers that call all the time, each call under a name of its own."""

    def __init__(self, gateway, keys, callers=6):
        self.gateway, self.over = gateway, threading.Event()
        self.numbers, self.lock, self.statuses = itertools.count(), threading.Lock(), []
        self.words = set()
        run = lambda key: threading.Thread(target=self.call, args=(key,))
        self.threads = [run(key) for key, _ in zip(itertools.cycle(keys), range(callers))]
        [thread.start() for thread in self.threads]

    def call(self, key):
        while not self.over.is_set():
            began = time.monotonic()
            answer = self.gateway.chat("oai/slow-20", key, timeout=60, user=f"call-{next(self.numbers)}")
            with self.lock:
                self.statuses.append((key, began, time.monotonic() - began, answer.status))
                if answer.status != 200:
                    self.words.add(answer.json["error"]["message"])

    def stop(self):
        self.over.set()
        [thread.join() for thread in self.threads]
        return self.statuses


def is_the_tally(gateway, upstream, keys):
    """Each call that the provider saw is a row, once, and the keys' spend is the sum of it."""
    tally = [asked.body["user"] for asked in upstream.asked if "user" in asked.body]
    assert len(tally) == len(set(tally))
    until = time.monotonic() + 60
    while True:
        # Calls that were refused after they were announced have rows without a cost.
        rows = {key: [row for row in gateway.rows(key, 0) if row["spend"]] for key in keys}
        names = [row["end_user"] for key in keys for row in rows[key]]
        if len(names) >= len(tally) or time.monotonic() > until:
            break
        time.sleep(0.3)
    assert len(names) == len(set(names)), "no call is booked twice"
    assert set(names) == set(tally), (len(names), len(tally))
    ids = [row["request_id"] for key in keys for row in rows[key]]
    assert len(ids) == len(set(ids))
    for key in keys:
        assert gateway.spend(key, len(rows[key]) * CALL_COST) == pytest.approx(len(rows[key]) * CALL_COST, abs=1e-9)
    return {key: len(rows[key]) for key in keys}


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGQUIT], ids=["stopped", "crashed"])
def test_known_keys_go_on_while_the_database_is_away(server, spawn, upstream, end):
    gateway = spawn(environment={"DATABASE_URL": server.database()})
    free, capped = gateway.new_key(), gateway.new_key(max_budget=1000)
    made = gateway.ask("POST", "/customer/new", {"user_id": "made", "blocked": True})
    assert made.status == 200, made.body
    load = Load(gateway, [free, capped])
    eventually(lambda: len(load.statuses) > 50)
    assert state(gateway).json["db"] == "connected"
    server.halt(end)
    eventually(lambda: state(gateway).json["db"] == "disconnected")
    gone = time.monotonic()
    told = state(gateway)
    assert told.status == 200, "orchestrators leave it in: it goes on"
    assert told.json["status"] == "degraded"
    assert gateway.ask("GET", "/health/readiness/details").json["on_store_outage"] == "continue"
    assert gateway.metric("gateway_store_answers") == 0
    began = time.monotonic()
    unknown = gateway.chat(key="sk-nobody-has-seen-this-key")
    assert unknown.status == 503 and "database" in unknown.json["error"]["message"], unknown.body
    blocked = gateway.chat("oai/say", free, user="made")
    assert blocked.status == 503, "a customer whose limits are not known here"
    assert time.monotonic() - began < 3, "it is not waited for"
    time.sleep(4)
    back = time.monotonic()
    server.begin()
    eventually(lambda: state(gateway).json["status"] == "healthy")
    assert gateway.metric("gateway_store_outages_total") == 1
    assert gateway.ask("POST", "/key/generate", {}).status == 200
    time.sleep(0.5)
    statuses = load.stop()
    meanwhile = [status for _, began, _, status in statuses if gone < began < back]
    assert len(meanwhile) > 100 and set(meanwhile) == {200}, (len(meanwhile), set(meanwhile), load.words)
    # The moment of the fall may refuse what just asks the database.
    refused = [status for *_, status in statuses if status != 200]
    assert len(refused) <= 12 and set(refused) <= {503}, refused
    paid = is_the_tally(gateway, upstream, [free, capped])
    # What the outage left in doubt is cleared: the rest of the budget can be spent to the end.
    lower = {"key": capped, "max_budget": (paid[capped] + 20) * CALL_COST}
    assert gateway.ask("POST", "/key/update", lower).status == 200
    time.sleep(2)
    served = eventually(lambda: gateway.chat("oai/say", capped).status == 200)
    for _ in range(60):
        served += gateway.chat("oai/say", capped).status == 200
    assert 19 <= served <= 21, served


def test_bearers_of_tokens_go_on_while_the_database_is_away(server, spawn):
    """Longer than a token is remembered while the database answers; whoever was not seen before is not let in."""
    issuer = Issuer()
    auth = {"user_id_jwt_field": "sub", "user_id_upsert": True, "virtual_key_claim_field": "azp",
            "issuers": [{"issuer": issuer.url, "audience": "gateway"}]}
    general = {"enable_jwt_auth": True, "litellm_jwtauth": auth}
    gateway = spawn(environment={"DATABASE_URL": server.database()}, general_settings=general)
    key = gateway.new_key(models=["gpt"])
    made = gateway.ask("POST", "/jwt/key/mapping/new", {"jwt_claim_name": "azp", "jwt_claim_value": "app", "key": key})
    assert made.status == 200, made.body
    ann, app, short = issuer.token(sub="ann"), issuer.token(azp="app"), issuer.token(sub="ann", exp=int(time.time()) + 8)
    for token in (ann, app, short):
        assert gateway.chat("gpt", token).status == 200
    server.halt(signal.SIGINT)
    eventually(lambda: state(gateway).json["db"] == "disconnected")
    time.sleep(11)
    for token in (ann, app):
        assert gateway.chat("gpt", token).status == 200
    assert gateway.chat("claude", app).status == 403, "the key's models"
    assert gateway.chat("gpt", short).status == 401, "a token ends all the same"
    began = time.monotonic()
    unseen = gateway.chat("gpt", issuer.token(sub="bob"))
    assert unseen.status == 503 and "lookup of this token" in unseen.json["error"]["message"], unseen.body
    assert time.monotonic() - began < 3
    server.begin()
    eventually(lambda: state(gateway).json["status"] == "healthy")
    assert gateway.chat("gpt", issuer.token(sub="bob")).status == 200
    issuer.close()


def test_calls_are_refused_while_the_database_is_away_where_that_is_wanted(server, spawn, upstream):
    general = {"on_store_outage": "refuse"}
    gateway = spawn(environment={"DATABASE_URL": server.database()}, general_settings=general)
    key = gateway.new_key()
    load = Load(gateway, [key])
    eventually(lambda: len(load.statuses) > 20)
    server.halt()
    eventually(lambda: state(gateway).status == 503)
    refused = gateway.chat(key=key)
    assert refused.status == 503, refused.body
    assert "`on_store_outage` is `refuse`" in refused.json["error"]["message"]
    assert gateway.ask("GET", "/health/liveliness", key=None).status == 200, "it is not restarted for that"
    server.begin()
    eventually(lambda: gateway.chat(key=key, user="after").status == 200)
    statuses = {status for *_, status in load.stop()}
    assert statuses == {200, 503}
    is_the_tally(gateway, upstream, [key])


def test_keys_that_nobody_can_look_up_call_models_where_that_is_wanted(server, spawn, upstream):
    general = {"allow_requests_on_db_unavailable": True}
    gateway = spawn(environment={"DATABASE_URL": server.database()}, general_settings=general)
    known = gateway.new_key(max_budget=1000)
    key = gateway.new_key()
    assert gateway.chat(key=known).status == 200
    assert gateway.chat(key="sk-nobody-has-seen-this-key").status == 401, "as long as keys can be looked up"
    upstream.clear()
    # Nothing of the other key is in memory after a start.
    gateway.stop()
    gateway.start()
    server.halt()
    eventually(lambda: state(gateway).json["db"] == "disconnected")
    for number in range(3):
        assert gateway.chat("oai/say", key, user=f"away-{number}").status == 200
    assert gateway.ask("GET", "/key/info", key=key).status in (403, 503), "it calls models, and does nothing else"
    server.begin()
    eventually(lambda: state(gateway).json["status"] == "healthy")
    is_the_tally(gateway, upstream, [key])
    assert gateway.chat(key="sk-nobody-has-seen-this-key").status == 401


def test_a_word_that_is_no_policy_is_refused(spawn):
    with pytest.raises(AssertionError, match="expected one of `continue`, `refuse`"):
        spawn(general_settings={"on_store_outage": "wait"})


def test_a_locked_sqlite_file_holds_nobody_up(spawn, upstream, tmp_path):
    file = tmp_path / "locked.db"
    general = {"database_url": f"sqlite://{file}", "database_connection_timeout": 1, "proxy_batch_write_at": 0.2}
    gateway = spawn(environment={"DATABASE_URL": f"sqlite://{file}"}, general_settings=general)
    key = gateway.new_key(max_budget=1000)
    load = Load(gateway, [key])
    eventually(lambda: len(load.statuses) > 20)
    other = sqlite3.connect(file, isolation_level=None)
    eventually(lambda: _lock(other))
    eventually(lambda: state(gateway).json["status"] == "degraded")
    assert state(gateway).status == 200 and gateway.metric("gateway_store_takes_bookings") == 0
    before = len(load.statuses)
    eventually(lambda: len(load.statuses) > before + 50)
    other.execute("ROLLBACK")
    other.close()
    eventually(lambda: state(gateway).json["status"] == "healthy")
    statuses = {status for *_, status in load.stop()}
    assert statuses == {200}
    is_the_tally(gateway, upstream, [key])


def _lock(connection):
    try:
        connection.execute("BEGIN IMMEDIATE")
        return True
    except sqlite3.OperationalError:
        return False


@pytest.fixture
def small_disk(tmp_path):
    """A file system of a few megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m,mode=0777", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("file systems cannot be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_refuses_calls_and_loses_none(spawn, upstream, small_disk):
    gateway = spawn(environment={"GATEWAY_DATA_DIR": str(small_disk / "data"), "DATABASE_URL": ""})
    key = gateway.new_key(max_budget=1000)
    load = Load(gateway, [key])
    eventually(lambda: len(load.statuses) > 50)
    ballast = small_disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            pass
    eventually(lambda: any(status == 503 for *_, status in list(load.statuses)))
    eventually(lambda: state(gateway).json["status"] == "degraded")
    refused = eventually(lambda: (answer := gateway.chat(key=key, user="x")).status == 503 and answer)
    assert "ledger" in refused.json["error"]["message"], refused.body
    ballast.unlink()
    eventually(lambda: gateway.chat("oai/say", key, user="after").status == 200)
    eventually(lambda: state(gateway).json["status"] == "healthy")
    statuses = {status for *_, status in load.stop()}
    assert statuses == {200, 503}
    is_the_tally(gateway, upstream, [key])


LIBRARY = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"


@pytest.mark.parametrize("seed", [random.randrange(1 << 30)])
def test_a_clock_that_is_set_blocks_nobody_and_pays_nothing_twice(spawn, upstream, tmp_path, seed):
    if not os.path.exists(LIBRARY):
        pytest.skip("libfaketime is not installed")
    clock = tmp_path / "clock"
    set_to = lambda text: (clock.with_suffix(".new").write_text(text), clock.with_suffix(".new").replace(clock))
    set_to("+0")
    environment = {
        "LD_PRELOAD": LIBRARY,
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    gateway = spawn(environment=environment)
    budget = gateway.new_key(max_budget=10 * CALL_COST, budget_duration="1d")
    rated = gateway.new_key(rpm_limit=3)
    plain = gateway.new_key(max_budget=1000, budget_duration="1h", rpm_limit=1_000_000)
    for _ in range(10):
        assert gateway.chat("oai/say", budget, user=f"b{_}").status == 200
    assert gateway.chat("oai/say", budget, user="over").status == 422
    assert [gateway.chat("oai/say", rated, user=f"r{n}").status for n in range(4)] == [200, 200, 200, 429]
    load = Load(gateway, [plain])
    chance = random.Random(seed)
    for jump in [3600, -7200, 40 * 86_400, -40 * 86_400, chance.randrange(-86_400, 86_400), 0]:
        set_to(f"{jump:+d}")
        before = len(load.statuses)
        eventually(lambda: len(load.statuses) > before + 60)
        assert gateway.chat("oai/say", budget, user=f"over{jump}").status == 422, f"the period is not over: {jump}"
        assert gateway.chat("oai/say", rated, user=f"r{jump}").status == 429, f"the minute is not over: {jump}"
    statuses = {status for *_, status in load.stop()}
    assert statuses == {200}, (statuses, seed)
    is_the_tally(gateway, upstream, [plain, budget, rated])
