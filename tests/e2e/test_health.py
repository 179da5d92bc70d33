"""Probes of deployments: `/health`, rounds in the background, and routing by what they find."""

import time

from support.gateway import entry


def member(upstream, group, model, id, info=None, **params):
    made = entry(group, f"openai/{model}", upstream.base + "/v1", **params)
    return {**made, "model_info": {"id": id, **(info or {})}}


def health(gateway, query=""):
    answer = gateway.ask("GET", f"/health{query}").json
    by_id = {one["model_id"]: one for one in answer["healthy_endpoints"] + answer["unhealthy_endpoints"]}
    return {one["model_id"] for one in answer["unhealthy_endpoints"]}, by_id


def test_health_asks_each_deployment(spawn, upstream):
    models = [
        member(upstream, "a", "say", "well"),
        member(upstream, "a", "error-500", "ill"),
        member(upstream, "b", "hang", "hangs", {"health_check_timeout": 0.5}),
        member(upstream, "b", "error-500", "other", {"health_check_model": "openai/say", "health_check_params": {"seed": 7}}),
    ]
    gateway = spawn(models=models)
    ill, by_id = health(gateway, "?model=a")
    assert (ill, set(by_id)) == ({"ill"}, {"well", "ill"})
    assert "500" in by_id["ill"]["error"] or by_id["ill"]["error"]
    ill, by_id = health(gateway, "?model=b")
    assert ill == {"hangs"}
    assert any(asked.body.get("seed") == 7 and asked.body["model"] == "say" for asked in upstream.asked)


def test_the_ill_are_left_out(spawn, upstream):
    models = [
        member(upstream, "m", "say", "well", order=1),
        member(upstream, "m", "flaky-3", "ill", order=1),
        member(upstream, "m", "error-500", "spared", {"disable_background_health_check": True}, order=2),
    ]
    general = {"background_health_checks": True, "health_check_interval": 1, "enable_health_check_routing": True}
    gateway = spawn(models=models, general_settings=general)
    until = time.monotonic() + 10
    while "ill" not in health(gateway)[0]:
        assert time.monotonic() < until, gateway.log()
        time.sleep(0.05)
    assert "spared" not in health(gateway)[0], "it is not probed"
    found = {gateway.chat("m").headers["x-litellm-model-id"] for _ in range(15)}
    assert found == {"well"}
    # It answers again from its fourth call on, and is asked again.
    while gateway.ask("POST", "/utils/route_explain", {"model": "m"}).json["deployments"][0]["chance"] == 1:
        assert time.monotonic() < until, gateway.log()
        time.sleep(0.05)
    assert "ill" in {gateway.chat("m").headers["x-litellm-model-id"] for _ in range(30)}


def test_probes_count_as_calls_where_a_policy_says_how_many_may_fail(spawn, upstream):
    """LiteLLM surface §7.7: with `allowed_fails_policy` one bad probe puts nobody out, and enough of them do."""
    models = [member(upstream, "m", "say", "well"), member(upstream, "m", "error-500", "ill")]
    general = {"background_health_checks": True, "health_check_interval": 1, "enable_health_check_routing": True}
    policy = {"allowed_fails_policy": {"InternalServerErrorAllowedFails": 2}, "cooldown_time": 60, "disable_cooldowns": False}
    gateway = spawn(models=models, general_settings=general, router_settings=policy)
    why = lambda: {one["model_id"]: one["why"] for one in gateway.ask("POST", "/utils/route_explain", {"model": "m"}).json["deployments"]}
    seen, until = set(), time.monotonic() + 20
    while "rests" not in str(why()["ill"]):
        seen.add(why()["ill"])
        assert time.monotonic() < until, (seen, gateway.log())
        time.sleep(0.05)
    assert seen == {None}, "it is not found ill by one probe"
    assert {gateway.chat("m").headers["x-litellm-model-id"] for _ in range(10)} == {"well"}
