"""Gateways that tell each other of deployments over Redis."""

import shutil
import subprocess
import time

import pytest

from support.common import until
from support.gateway import entry
from support.ports import free_port

needs_redis = pytest.mark.skipif(shutil.which("redis-server") is None, reason="SKIPPED: redis-server is not installed")


class Redis:
    """A Redis of the test's own, which can go away and come back."""

    def __init__(self, home, port=None):
        self.home, self.port = home, port or free_port()
        self.start()

    def start(self):
        command = ["redis-server", *self.door(), "--save", "", "--requirepass", "sesame", "--dir", str(self.home)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def door(self):
        return ["--port", str(self.port)]

    def stop(self):
        self.process.kill()
        self.process.wait()


class RedisOverTls(Redis):
    """A Redis that speaks TLS only, with a certificate of its own."""

    def __init__(self, home):
        self.certificate, self.key = home / "redis.crt", home / "redis.key"
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
        command += ["-keyout", str(self.key), "-out", str(self.certificate), "-subj", "/CN=localhost"]
        command += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"]
        subprocess.run(command, check=True, capture_output=True)
        super().__init__(home)

    def door(self):
        tls = ["--tls-cert-file", str(self.certificate), "--tls-key-file", str(self.key), "--tls-auth-clients", "no"]
        return ["--port", "0", "--tls-port", str(self.port), *tls]


@pytest.fixture
def redis(tmp_path):
    redis = Redis(tmp_path)
    yield redis
    redis.stop()


def member(upstream, group, model, id, **params):
    return {**entry(group, f"openai/{model}", upstream.base + "/v1", **params), "model_info": {"id": id}}


def kept(gateway, model):
    """Ids of the deployments that may serve, and why the others may not."""
    told = gateway.ask("POST", "/utils/route_explain", {"model": model}).json
    return {one["model_id"]: one["why"] for one in told["deployments"]}


def figure(gateway, name):
    lines = gateway.ask("GET", "/metrics").body.decode().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(name + " "))


def wait_for(condition, seconds):
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, f"not within {seconds} s"
        time.sleep(0.02)
    return time.monotonic() - began


def heard(*gateways):
    """Each in turn has told what it knew, and then heard what others had told."""
    for gateway in gateways:
        before = figure(gateway, "gateway_shared_state_exchanges_total")
        wait_for(lambda: figure(gateway, "gateway_shared_state_exchanges_total") >= before + 2, 5)


@needs_redis
def test_two_gateways_agree(spawn, upstream, redis):
    models = [
        member(upstream, "m", "error-401", "bad", order=1),
        member(upstream, "m", "say", "good", order=2),
        member(upstream, "few", "say", "few", rpm=3),
    ]
    settings = {
        "redis_url": f"redis://:sesame@127.0.0.1:{redis.port}/1",
        "disable_cooldowns": False,
        "cooldown_time": 30,
        "num_retries": 1,
        "optional_pre_call_checks": ["enforce_model_rate_limits"],
    }
    one, two = (spawn(models=models, router_settings=settings) for _ in range(2))
    for gateway in (one, two):
        wait_for(lambda: figure(gateway, "gateway_shared_state_connected") == 1, 5)
    assert one.chat("m").headers["x-litellm-model-id"] == "good"
    took = wait_for(lambda: "another gateway" in (kept(two, "m")["bad"] or ""), 3)
    assert took < 1, f"they agreed after {took:.2f} s"
    wait_for_room(5)
    assert [one.chat("few").status for _ in range(2)] == [200, 200]
    heard(one, two)
    assert [two.chat("few").status for _ in range(2)] == [200, 429]


def wait_for_room(seconds):
    """Near the end of a minute counts start over."""
    left = 60 - time.time() % 60
    if left < seconds:
        time.sleep(left + 0.2)


@needs_redis
def test_two_gateways_share_the_tokens_of_a_deployment(spawn, upstream, redis):
    # The provider reports 10 tokens of prompt and 5 of answer.
    models = [member(upstream, "in", "say", "in1", itpm=25), member(upstream, "out", "say", "out1", otpm=12)]
    settings = {
        "redis_url": f"redis://:sesame@127.0.0.1:{redis.port}/1",
        "optional_pre_call_checks": ["enforce_model_rate_limits"],
    }
    one, two = (spawn(models=models, router_settings=settings) for _ in range(2))
    for gateway in (one, two):
        wait_for(lambda: figure(gateway, "gateway_shared_state_connected") == 1, 5)
    wait_for_room(12)
    ask = lambda gateway, group: gateway.chat(group, max_tokens=5)
    assert [ask(one, "in").status, ask(one, "out").status] == [200, 200]
    heard(one, two)
    assert ask(two, "out").status == 200, "ten of twelve together"
    heard(two, one)
    for gateway in (one, two):
        refused = ask(gateway, "out")
        assert refused.status == 429 and "OTPM limit=12, current usage=15" in refused.json["error"]["message"]
    assert ask(two, "in").status == 200
    heard(two, one)
    for gateway in (one, two):
        refused = ask(gateway, "in")
        assert refused.status == 429 and "ITPM limit=25" in refused.json["error"]["message"]


@needs_redis
def test_a_lost_redis_is_done_without(spawn, upstream, redis):
    models = [member(upstream, "m", "say", "m1")]
    settings = {"redis_host": "127.0.0.1", "redis_port": redis.port, "redis_password": "sesame"}
    gateway = spawn(models=models, router_settings=settings)
    wait_for(lambda: figure(gateway, "gateway_shared_state_connected") == 1, 5)
    redis.stop()
    wait_for(lambda: figure(gateway, "gateway_shared_state_connected") == 0, 5)
    assert gateway.chat("m").status == 200
    assert figure(gateway, "gateway_shared_state_failures_total") >= 1
    assert "Redis is away" in gateway.log()
    redis.start()
    wait_for(lambda: figure(gateway, "gateway_shared_state_connected") == 1, 8)
    assert "Redis is back" in gateway.log()


@needs_redis
@pytest.mark.skipif(shutil.which("openssl") is None, reason="SKIPPED: openssl is not installed")
def test_redis_over_tls(spawn, upstream, tmp_path):
    redis = RedisOverTls(tmp_path)
    models = [member(upstream, "m", "error-401", "bad", order=1), member(upstream, "m", "say", "good", order=2)]
    settings = {
        "redis_url": f"rediss://:sesame@localhost:{redis.port}",
        "disable_cooldowns": False,
        "cooldown_time": 30,
        "num_retries": 1,
    }
    trusted = {"SSL_CERT_FILE": str(redis.certificate)}
    try:
        one, two = (spawn(models=models, router_settings=settings, environment=trusted) for _ in range(2))
        for gateway in (one, two):
            wait_for(lambda: figure(gateway, "gateway_shared_state_connected") == 1, 5)
        assert one.chat("m").headers["x-litellm-model-id"] == "good"
        wait_for(lambda: "another gateway" in (kept(two, "m")["bad"] or ""), 3)
        # Who does not trust the certificate stays alone, and says why.
        wary = spawn(models=models, router_settings=settings)
        wait_for(lambda: "Redis is away" in wary.log(), 5)
        assert "certificate" in wary.log()
        assert wary.chat("m").status == 200
        assert figure(wary, "gateway_shared_state_connected") == 0
    finally:
        redis.stop()


@needs_redis
def test_one_gateway_probes_for_all(spawn, upstream, redis):
    """`use_shared_health_check`: one of two gateways probes, both know, and the other takes over when it is gone."""
    models = [member(upstream, "m", "say", "well", order=1), member(upstream, "m", "error-500", "ill", order=1)]
    general = {"background_health_checks": True, "health_check_interval": 2, "use_shared_health_check": True}
    general["enable_health_check_routing"] = True
    settings = {"redis_host": "127.0.0.1", "redis_port": redis.port, "redis_password": "sesame"}
    gateways = [spawn(models=models, general_settings=general, router_settings=settings) for _ in range(2)]
    ill = lambda gateway: {one["model_id"] for one in gateway.ask("GET", "/health").json["unhealthy_endpoints"]}
    checked = lambda gateway: {one["model_id"]: one["checked_at_ms"] for one in gateway.ask("GET", "/health").json["healthy_endpoints"]}
    until(lambda: all(ill(gateway) == {"ill"} for gateway in gateways), 20, "both know who is ill")
    # Both tell the same probe, as often as they are looked at in the middle of a round.
    until(lambda: checked(gateways[0]) == checked(gateways[1]) != {"well": None}, 20, "both know it from one probe")
    assert all({gateway.chat("m").headers["x-litellm-model-id"] for _ in range(5)} == {"well"} for gateway in gateways)
    before = checked(gateways[1])["well"]
    gateways[0].stop()
    until(lambda: checked(gateways[1])["well"] > before + 3000, 20, "rounds go on")
    # While Redis is away it probes by itself.
    redis.stop()
    before = checked(gateways[1])["well"]
    until(lambda: checked(gateways[1])["well"] > before, 20, "it probes by itself")
