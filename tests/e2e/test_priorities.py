"""A model's rates are shared by priority once it is full enough, as LiteLLM's `dynamic_rate_limiter_v3` does."""

import pytest
from support.gateway import entry

SHARES = {"prod": 0.6, "dev": {"type": "rpm", "value": 2}}


@pytest.fixture
def shared_model(spawn, upstream):
    def start(**settings):
        litellm = {"callbacks": ["dynamic_rate_limiter_v3"], "priority_reservation": SHARES, **settings}
        models = [entry("ten", "openai/say", upstream.base + "/v1", rpm=10)]
        return spawn(models=models, litellm_settings=litellm)

    return start


def statuses(gateway, key, calls):
    return [gateway.chat("ten", key).status for _ in range(calls)]


def test_an_idle_model_is_for_everybody(shared_model):
    gateway = shared_model(priority_reservation_settings={"saturation_threshold": 0.9})
    dev = gateway.new_key(metadata={"priority": "dev"})
    assert statuses(gateway, dev, 8) == [200] * 8, "more than its two, while the model is not full"


def test_a_full_model_is_shared_by_priority(shared_model):
    gateway = shared_model()
    prod, dev, other = (gateway.new_key(metadata={"priority": word}) for word in ("prod", "dev", "unnamed"))
    assert statuses(gateway, dev, 5) == [200] * 4 + [429], "at the half shares hold: dev has had its two"
    refused = gateway.chat("ten", dev)
    words = refused.json["error"]["message"]
    assert words == (
        "Priority-based rate limit exceeded. Model: ten, Priority: dev, Rate limit type: requests, Model TPM: not "
        "configured, Model RPM: 10, Remaining: 0, Model saturation: 50.0%"
    )
    assert refused.headers["rate_limit_type"] == "requests" and "retry-after" in refused.headers
    assert refused.headers["x-litellm-priority"] == "dev"
    assert refused.headers["x-litellm-saturation"] == "50.00%"
    assert statuses(gateway, prod, 7) == [200] * 6 + [429], "its six are kept for it"
    # Who has no priority that is named shares a quarter with all others like that.
    assert statuses(gateway, other, 2) + statuses(gateway, gateway.new_key(), 2) == [200, 200, 429, 429]
    told = gateway.chat("gpt", dev)
    assert told.status == 200 and "x-litellm-priority" not in told.headers, "other models have no rates to share"


def test_a_teams_priority_wins_and_success_tells(shared_model):
    gateway = shared_model()
    team = gateway.ask("POST", "/team/new", {"metadata": {"priority": "prod"}}).json["team_id"]
    key = gateway.new_key(team_id=team, metadata={"priority": "dev"})
    told = gateway.chat("ten", key)
    assert told.status == 200
    assert (told.headers["x-litellm-priority"], told.headers["x-litellm-saturation"]) == ("prod", "10.00%")


@pytest.mark.parametrize("callback", ["dynamic_rate_limiter", "dynamic_rate_limiter_v3"])
def test_without_priorities_keys_share_equally(shared_model, callback):
    gateway = shared_model(callbacks=[callback], priority_reservation=None)
    first, second = gateway.new_key(), gateway.new_key()
    assert statuses(gateway, first, 6) == [200] * 6, "who calls alone may use all of it"
    told = gateway.chat("ten", second)
    assert (told.status, told.headers["x-ratelimit-current-active-projects"]) == (200, "2")
    refused = gateway.chat("ten", first)
    assert refused.status == 429, "it has had more than its five"
    words = refused.json["error"]["message"]
    assert "over its share of the model" in words and "Active keys: 2" in words, words
    # All of them together no more than the model takes.
    assert statuses(gateway, second, 4) == [200] * 3 + [429]
    assert gateway.chat("gpt", first).status == 200, "other models have no rates to share"


def test_a_lone_key_has_no_more_than_the_model(shared_model):
    gateway = shared_model(priority_reservation=None)
    assert statuses(gateway, gateway.new_key(), 12) == [200] * 10 + [429] * 2


def test_shares_without_the_callback_do_nothing_and_say_so(shared_model):
    gateway = shared_model(callbacks=[])
    dev = gateway.new_key(metadata={"priority": "dev"})
    assert statuses(gateway, dev, 12) == [200] * 12
    assert "no `callbacks: [dynamic_rate_limiter_v3]`" in gateway.log()


def test_a_share_that_is_none_is_refused(shared_model):
    with pytest.raises(AssertionError, match="expected a part from 0 to 1"):
        shared_model(priority_reservation={"prod": 1.5})
