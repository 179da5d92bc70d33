"""Stopping, reloading and starting: nobody who is being served notices."""

import http.client
import json
import signal
import threading
import time

import pytest
from support.gateway import config, entry

ASK = [{"role": "user", "content": "hi"}]


def open_stream(gateway, model):
    """A streamed call whose first bytes have arrived."""
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=30)
    headers = {"authorization": "Bearer sk-e2e-master-key", "content-type": "application/json"}
    body = json.dumps({"model": model, "messages": ASK, "stream": True})
    connection.request("POST", "/v1/chat/completions", body, headers)
    answer = connection.getresponse()
    assert answer.status == 200
    return answer, answer.read(10)


def until(condition, what, seconds=15):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def names(gateway):
    return [model["id"] for model in gateway.ask("GET", "/v1/models").json["data"]]


class Load:
    """Callers who keep asking; `wrong` collects every answer that is not 200."""

    def __init__(self, gateway, callers=4):
        self.gateway, self.stop, self.wrong, self.served = gateway, threading.Event(), [], 0
        self.threads = [threading.Thread(target=self.run) for _ in range(callers)]
        for thread in self.threads:
            thread.start()

    def run(self):
        while not self.stop.is_set():
            try:
                answer = self.gateway.chat()
                if answer.status != 200:
                    self.wrong.append((answer.status, answer.body))
                self.served += 1
            except OSError as error:
                self.wrong.append(error)

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()
        assert self.served > 0
        assert self.wrong == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_finishes_the_stream_in_flight(spawn, number):
    gateway = spawn()
    stream, first = open_stream(gateway, "oai/long-30-50")
    gateway.signal(number)
    time.sleep(0.3)
    with pytest.raises(OSError):
        gateway.chat(timeout=2)
    rest = (first + stream.read()).decode()
    assert "word29" in rest
    assert rest.rstrip().endswith("data: [DONE]")
    assert gateway.process.wait(15) == 0


def test_an_idle_gateway_stops_at_once(spawn):
    gateway = spawn()
    gateway.chat()
    began = time.monotonic()
    assert gateway.stop() == 0
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("how", ["file", "signal"])
def test_a_reload_fails_no_request(spawn, upstream, how):
    gateway = spawn()
    stream, first = open_stream(gateway, "oai/long-40-50")
    load = Load(gateway)
    time.sleep(0.3)
    gateway.write(config(upstream, models=[entry("added", "openai/say", upstream.base + "/v1")]))
    if how == "signal":
        gateway.signal(signal.SIGHUP)
    until(lambda: "added" in names(gateway), "the new model never appeared")
    assert gateway.chat("added").status == 200
    time.sleep(0.3)
    load.end()
    assert "[DONE]" in (first + stream.read()).decode()


@pytest.mark.parametrize(
    "broken", ["model_list: [", "model_list: 7", "", '{"model_list": [{"model_name": "x"}]}'],
)
def test_an_invalid_file_keeps_the_old_configuration(spawn, broken):
    gateway = spawn()
    before = names(gateway)
    load = Load(gateway)
    size = len(gateway.log())
    gateway.write(broken)
    gateway.signal(signal.SIGHUP)
    until(lambda: "ERROR" in gateway.log()[size:], "the refused configuration was not logged as an error")
    time.sleep(0.3)
    load.end()
    assert names(gateway) == before
    assert gateway.process.poll() is None


def test_keys_limits_and_counters_survive_a_reload(spawn, upstream):
    gateway = spawn()
    key = gateway.new_key(rpm_limit=3)
    assert gateway.chat(key=key).status == 200
    gateway.write(config(upstream, models=[entry("added", "openai/say", upstream.base + "/v1")]))
    gateway.signal(signal.SIGHUP)
    until(lambda: "added" in names(gateway), "the new model never appeared")
    assert [gateway.chat(key=key).status for _ in range(3)] == [200, 200, 429]


def test_a_busy_port_is_a_clear_error(spawn):
    gateway = spawn()
    # The first one answers for the second until that has ended.
    second = spawn(port=gateway.port)
    assert second.process.wait(15) == 1
    assert f"127.0.0.1:{gateway.port}" in second.log()
    assert "hint:" in second.log() and "panicked" not in second.log()
    assert gateway.chat().status == 200
