"""Prices of the operator's own: read at the start, and again when that is asked for."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from support.common import ok, until
from support.gateway import entry

URL = "LITELLM_MODEL_COST_MAP_URL"
COST = "x-litellm-response-cost"


def prices(model="openai/mapped", input=0.000003, more=60):
    """A price map as LiteLLM has it; the call costs ten times the price of an input token, the output is free."""
    one = {"litellm_provider": "openai", "mode": "chat", "output_cost_per_token": 0.0}
    known = {f"filler-{number}": {**one, "input_cost_per_token": 0.1} for number in range(more)}
    return {model: {**one, "input_cost_per_token": input}, "sample_spec": {"code": 1}, **known}


class Maps(ThreadingHTTPServer):
    """Serves whatever `text` is now."""

    def __init__(self):
        class Answers(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(self.server.status)
                self.end_headers()
                self.wfile.write(self.server.text)

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Answers)
        self.status, self.text = 200, b""
        self.url = f"http://127.0.0.1:{self.server_address[1]}/map.json?sig=s3cret"
        threading.Thread(target=self.serve_forever, daemon=True).start()


@pytest.fixture
def maps():
    maps = Maps()
    yield maps
    maps.shutdown()


def started(spawn, upstream, environment, **sections):
    unpriced = {"input_cost_per_token": None, "output_cost_per_token": None}
    models = [entry("mapped", "openai/mapped", upstream.base + "/v1", **unpriced)]
    loose = {"MODEL_COST_MAP_MAX_SHRINK_RATIO": "1"}
    return spawn(environment={**loose, **environment}, models=models, **sections)


def cost(gateway):
    answer = gateway.chat("mapped")
    assert answer.status == 200
    return float(answer.headers[COST])


def reload(gateway, **more):
    return gateway.ask("POST", "/reload/model_cost_map", **more)


def test_prices_are_read_again(spawn, upstream, maps):
    maps.text = json.dumps(prices()).encode()
    gateway = started(spawn, upstream, {URL: maps.url})
    assert cost(gateway) == pytest.approx(10 * 0.000003)
    source = ok(gateway.ask("GET", "/model/cost_map/source"))
    assert (source["source"], source["url"], source["model_count"]) == ("remote", maps.url, 61)
    maps.text = json.dumps(prices(input=0.000007, more=70)).encode()
    told = ok(reload(gateway))
    assert (told["status"], told["models_count"]) == ("success", 71)
    assert told["message"] == "Price data reloaded successfully! 71 models updated."
    assert cost(gateway) == pytest.approx(10 * 0.000007)
    assert len(ok(gateway.ask("GET", "/public/litellm_model_cost_map"))) == 71


@pytest.mark.parametrize(
    "status, text, word",
    [
        (500, b"{}", "status 500"),
        (200, b"no json", "model_prices.json"),
        (200, json.dumps(prices(more=3)).encode(), "MODEL_COST_MAP_MIN_MODEL_COUNT"),
        (200, json.dumps(prices(input="cheap")).encode(), "input_cost_per_token"),
    ],
)
def test_a_map_that_is_broken_changes_nothing(spawn, upstream, maps, status, text, word):
    maps.text = json.dumps(prices()).encode()
    gateway = started(spawn, upstream, {URL: maps.url})
    maps.status, maps.text = status, text
    refused = reload(gateway)
    assert refused.status == 500 and word in refused.json["detail"], refused.body
    assert refused.json["detail"].startswith("Failed to reload model cost map: ")
    assert cost(gateway) == pytest.approx(10 * 0.000003)


def test_without_the_map_the_prices_of_the_release_hold(spawn, upstream, maps):
    maps.status = 404
    gateway = started(spawn, upstream, {URL: maps.url})
    source = ok(gateway.ask("GET", "/model/cost_map/source"))
    assert source["source"] == "local" and "404" in source["fallback_reason"] and source["model_count"] > 1000
    assert "price map cannot be read" in gateway.log() and "s3cret" not in gateway.log()
    maps.status, maps.text = 200, json.dumps(prices()).encode()
    ok(reload(gateway))
    assert ok(gateway.ask("GET", "/model/cost_map/source"))["fallback_reason"] is None
    assert cost(gateway) == pytest.approx(10 * 0.000003)


def test_a_file_in_the_configuration_and_the_release_by_force(spawn, upstream, tmp_path):
    map = tmp_path / "map.json"
    map.write_text(json.dumps(prices()))
    settings = {"litellm_settings": {"model_cost_map_url": str(map)}}
    assert cost(started(spawn, upstream, {}, **settings)) == pytest.approx(10 * 0.000003)
    forced = started(spawn, upstream, {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}, **settings)
    source = ok(forced.ask("GET", "/model/cost_map/source"))
    assert source["source"] == "local" and source["is_env_forced"] is True
    assert ok(reload(forced))["models_count"] == source["model_count"] > 1000


def test_who_may_reload(gateway):
    for path in ("/reload/model_cost_map", "/reload/anthropic_beta_headers"):
        assert gateway.ask("POST", path, key=gateway.new_key()).status in (401, 403)
        assert gateway.ask("GET", path).status == 405
    told = ok(gateway.ask("POST", "/reload/anthropic_beta_headers"))
    assert (told["status"], told["providers_count"]) == ("success", 0)


def test_all_gateways_on_one_database_read_it_again(spawn, upstream, maps, server):
    maps.text = json.dumps(prices()).encode()
    environment = {URL: maps.url, "DATABASE_URL": server.database()}
    settings = {"general_settings": {"store_model_in_db": True}}
    here, there = (started(spawn, upstream, environment, **settings) for _ in range(2))
    for price in (0.000005, 0.000009):
        maps.text = json.dumps(prices(input=price)).encode()
        ok(reload(here))
        assert cost(here) == pytest.approx(10 * price)
        until(lambda: cost(there) == pytest.approx(10 * price))
