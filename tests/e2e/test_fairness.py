"""One team floods a model with few places; another team's calls hardly notice."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from support.gateway import entry

PLACES, FLOOD = 24, 72


def p95(gateway, key, calls=60):
    def one(_):
        began = time.monotonic()
        assert gateway.chat("few", key).status == 200
        return time.monotonic() - began

    with ThreadPoolExecutor(3) as pool:
        return sorted(pool.map(one, range(calls)))[calls * 95 // 100]


def test_a_flood_of_one_team_raises_anothers_p95_by_no_more_than_a_fifth(spawn, upstream):
    models = [entry("few", "openai/vary-300-700", upstream.base + "/v1", max_parallel_requests=PLACES)]
    gateway = spawn(models=models, router_settings={"tenant_fairness": "team"})
    team = lambda: gateway.ask("POST", "/team/new", {}).json["team_id"]
    loud, quiet = team(), team()
    key = gateway.new_key(team_id=quiet)
    # One tenant with many keys is one tenant.
    keys = [gateway.new_key(team_id=loud) for _ in range(6)]
    alone = p95(gateway, key)
    over, served = threading.Event(), []

    def flood(number):
        while not over.is_set():
            served.append(gateway.chat("few", keys[number % len(keys)], timeout=60).status)

    threads = [threading.Thread(target=flood, args=(number,)) for number in range(FLOOD)]
    [thread.start() for thread in threads]
    time.sleep(2)
    # A machine that is busy otherwise may spoil a measurement, not three.
    seen = []
    for _ in range(3):
        seen.append(p95(gateway, key))
        if seen[-1] <= 1.2 * alone:
            break
    over.set()
    [thread.join() for thread in threads]
    print(f"p95 alone {alone * 1e3:.0f} ms, beside a flood {seen[-1] * 1e3:.0f} ms")
    assert set(served) == {200} and len(served) > 200
    assert seen[-1] <= 1.2 * alone, (alone, seen)
