"""Probes of deployments: `/health`, rounds in the background, and routing by what they find."""

import time

import pytest

from support.gateway import entry
from support.media import Media


@pytest.fixture(scope="module")
def media():
    provider = Media()
    yield provider
    provider.close()


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
    while "rests" not in str(now := why()["ill"]):
        seen.add(now)
        assert time.monotonic() < until, (seen, gateway.log())
        time.sleep(0.05)
    assert seen == {None}, "it is not found ill by one probe"
    assert {gateway.chat("m").headers["x-litellm-model-id"] for _ in range(10)} == {"well"}


def test_each_model_is_asked_what_it_is_for(spawn, media):
    """LiteLLM surface §7.7: by `model_info.mode`, else by the price map's."""
    modes = {
        "embed": "embedding",
        "judge": "moderation",
        "draw": "image_generation",
        "speak": "audio_speech",
        "hear": "audio_transcription",
        "error-500": "embedding",
        "film": "video_generation",
    }
    models = [member(media, name, name, name, {"mode": mode, "health_check_voice": "ash"}) for name, mode in modes.items()]
    for made in models:
        made["litellm_params"]["api_base"] = media.base
    models.append({**entry("known", "openai/text-embedding-3-small", media.base), "model_info": {"id": "known"}})
    models.append({**entry("rank", "hosted_vllm/rank", media.base), "model_info": {"id": "rank", "mode": "rerank"}})
    gateway = spawn(models=models)
    media.clear()
    ill, by_id = health(gateway)
    assert ill == {"error-500"}
    assert "status 500" in by_id["error-500"]["error"]
    assert by_id["film"]["checked_at_ms"] is None, "no short question can be asked of it"
    asked = {one.path.removeprefix("/v1"): one for one in media.asked}
    assert set(asked) == {"/embeddings", "/moderations", "/images/generations", "/audio/speech", "/audio/transcriptions", "/rerank"}
    assert asked["/audio/speech"].json["voice"] == "ash"
    assert asked["/audio/transcriptions"].form["file"][:2] == ("silence.wav", "audio/wav")
    assert "text-embedding-3-small" in {one.json.get("model") for one in media.asked if one.path == "/v1/embeddings"}


def test_a_connection_is_tried_before_it_is_configured(spawn, upstream, media):
    """`POST /health/test_connection`: the admin pages ask it before a model is added."""
    gateway = spawn(models=[member(upstream, "there", "say", "well"), member(upstream, "there", "error-401", "ill")])

    def tried(params, **more):
        return gateway.ask("POST", "/health/test_connection", {"litellm_params": params, **more})

    new = {"model": "openai/say", "api_base": upstream.base + "/v1", "api_key": "sk-upstream-secret"}
    assert tried(new).json == {"status": "success", "result": {}}
    told = tried({**new, "model": "openai/error-401"}).json
    assert (told["status"], told["result"]["status_code"]) == ("error", 401)
    assert "sk-upstream-secret" not in str(told)
    media.clear()
    assert tried({**new, "api_base": media.base, "model": "openai/embed"}, mode="embedding").json["status"] == "success"
    assert media.last.path == "/v1/embeddings"
    # What is configured is meant by its name or id, with its own key.
    assert tried({"model": "there"}).json["status"] == "success"
    assert tried({"model": "there"}, model_info={"id": "ill"}).json["status"] == "error"
    told = tried({"model": "there"}, mode="video_generation").json
    assert told["status"] == "error" and "no short question" in told["result"]["error"]
    # Nothing of it is kept.
    assert {row["model_name"] for row in gateway.ask("GET", "/v1/model/info").json["data"]} >= {"there"}
    assert b"test-connection" not in gateway.ask("GET", "/v1/model/info").body
    assert b"test-connection" not in gateway.ask("GET", "/metrics").body
    for body, param in [
        ({}, "litellm_params"),
        ({"litellm_params": 7}, "litellm_params"),
        ({"litellm_params": {**new, "api_key": "os.environ/LITELLM_MASTER_KEY"}}, "litellm_params.api_key"),
        ({"litellm_params": new, "mode": 7}, "mode"),
    ]:
        answer = gateway.ask("POST", "/health/test_connection", body)
        assert (answer.status, answer.json["error"]["param"]) == (400, param), body
    told = tried({"model": "nobody-knows-this/model"}).json
    assert told["status"] == "error" and told["result"]["status_code"] == 400
    key = gateway.ask("POST", "/key/generate", {}).json["key"]
    assert gateway.ask("POST", "/health/test_connection", {"litellm_params": new}, key=key).status == 401
