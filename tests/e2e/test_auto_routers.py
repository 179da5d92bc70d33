"""Models that stand for others: the group is named by what the caller says."""

import json
import subprocess
import time

from support.gateway import INPUT_PRICE, MASTER_KEY, binary, entry

ID, GROUP = "x-litellm-model-id", "x-litellm-model-group"


def member(upstream, group, model="say", id=None, **info):
    made = entry(group, f"openai/{model}", upstream.base + "/v1")
    return {**made, "model_info": {"id": id or f"{group}-id", **info}}


def router(name, kind, **params):
    return {"model_name": name, "litellm_params": {"model": f"auto_router/{kind}", **params}}


def said(text, **more):
    return {"messages": [{"role": "user", "content": text}], **more}


TIERS = {"SIMPLE": "easy", "MEDIUM": "usual", "COMPLEX": ["hard"], "REASONING": [{"model_name": "hard", "litellm_params": {"temperature": 0.5}}]}
THOUGHT = "Think through this step by step and tell me what you would do about the leaking roof of my house"


def complexity(upstream, **config):
    return [
        *(member(upstream, group) for group in ("easy", "usual", "hard")),
        router("smart", "complexity_router", complexity_router_config={"tiers": TIERS, **config}),
    ]


def test_the_harder_the_prompt_the_better_the_model(spawn, upstream):
    gateway = spawn(models=complexity(upstream))
    easy = gateway.chat("smart", **said("hi"))
    tell = lambda answer, name: answer.headers.get(f"x-litellm-complexity-router-{name}")
    assert (easy.status, easy.headers[ID], easy.headers[GROUP]) == (200, "easy-id", "smart")
    assert (tell(easy, "tier"), tell(easy, "score"), tell(easy, "cause")) == ("SIMPLE", "-0.15", "heuristic_scorer")
    assert tell(easy, "model") == "easy"
    usual = gateway.chat("smart", **said("debug this python"))
    assert (usual.headers[ID], tell(usual, "tier")) == ("usual-id", "MEDIUM")
    hard = gateway.chat("smart", **said(THOUGHT))
    assert (hard.headers[ID], tell(hard, "cause")) == ("hard-id", "reasoning_override")
    assert upstream.last.body["temperature"] == 0.5, "the tier's own parameters"
    stream = gateway.chat("smart", stream=True, **said("hi"))
    assert (stream.headers[ID], tell(stream, "tier")) == ("easy-id", "SIMPLE")
    # Other dialects are read the same way.
    body = {"model": "smart", "max_tokens": 9, **said("debug this python")}
    assert gateway.ask("POST", "/v1/messages", body).headers[ID] == "usual-id"
    assert "smart" in [model["id"] for model in gateway.ask("GET", "/v1/models").json["data"]]
    refused = gateway.ask("POST", "/v1/embeddings", {"model": "smart", "input": "hi"})
    assert refused.status == 400 and "auto router" in refused.json["error"]["message"]


def test_access_and_money(spawn, upstream):
    gateway = spawn(models=complexity(upstream))
    key = gateway.ask("POST", "/key/generate", {"models": ["smart"]}).json["key"]
    # Access to the router is enough; to its models alone there is none.
    answer = gateway.chat("smart", key=key, **said("hi"))
    assert (answer.status, answer.headers[ID]) == (200, "easy-id")
    assert float(answer.headers["x-litellm-response-cost"]) > 0
    assert gateway.chat("easy", key=key, **said("hi")).status == 403
    other = gateway.ask("POST", "/key/generate", {"models": ["easy"]}).json["key"]
    assert gateway.chat("smart", key=other, **said("hi")).status == 403


def test_fallbacks_of_the_router_and_of_its_models(spawn, upstream):
    models = [
        member(upstream, "easy", "error-500"), member(upstream, "usual", "error-500"),
        member(upstream, "spare"), member(upstream, "other"),
        router("smart", "complexity_router", complexity_router_config={"tiers": TIERS}),
    ]
    gateway = spawn(models=models, router_settings={"fallbacks": [{"smart": ["spare"]}, {"usual": ["other"]}]})
    assert gateway.chat("smart", **said("hi")).headers[ID] == "spare-id"
    answer = gateway.chat("smart", **said("debug this python"))
    assert (answer.headers[ID], answer.headers[GROUP]) == ("other-id", "other")


def test_by_what_became_of_prompts_alike(spawn, upstream):
    """LiteLLM surface §7.8, `heuristic_v2`: nobody is asked, and a model that would do is enough."""
    gateway = spawn(models=complexity(upstream, classifier_type="heuristic_v2"))
    foreign = "Расскажи, пожалуйста, подробно: " * 10
    for text, id, tier in [("hi", "easy-id", "SIMPLE"), ("Solve this equation: x + 2 = 4", "usual-id", "MEDIUM"), (foreign, "hard-id", "REASONING")]:
        answer = gateway.chat("smart", **said(text))
        tell = lambda name: answer.headers.get(f"x-litellm-complexity-router-{name}")
        assert (answer.headers[ID], tell("tier"), tell("cause"), tell("score")) == (id, tier, "heuristic_v2", None)
    told = gateway.ask("POST", "/utils/route_explain", {"model": "smart", "prompt": "hi"}).json["auto_router"]
    assert told["request_type"] == "general" and told["signals"][0] == "success:SIMPLE=0.9011", told
    assert "not served" not in gateway.log()


def test_words_and_sessions(spawn, upstream):
    rules = [{"keywords": ["contract"], "tier": "COMPLEX"}]
    gateway = spawn(models=complexity(upstream, keyword_tier_rules=rules, session_affinity=True))
    ruled = gateway.chat("smart", **said("hi, about the Contract"))
    assert (ruled.headers[ID], ruled.headers["x-litellm-complexity-router-cause"]) == ("hard-id", "keyword_rule")
    stay = {"headers": {"x-litellm-session-id": "s1"}}
    assert gateway.chat("smart", **stay, **said("debug this python")).headers[ID] == "usual-id"
    again = gateway.chat("smart", **stay, **said("hi"))
    assert (again.headers[ID], again.headers["x-litellm-complexity-router-cause"]) == ("usual-id", "session_affinity")
    assert gateway.chat("smart", headers={"x-litellm-session-id": "s2"}, **said("hi")).headers[ID] == "easy-id"


def test_the_cheapest_that_is_good_enough(spawn, upstream):
    rate = lambda tier, *words: {"litellm_routing_preferences": {"quality_tier": tier, "keywords": list(words)}}
    models = [
        member(upstream, "small", **rate(1)),
        member(upstream, "big", **rate(3, "sql")),
        router("best", "quality_router", quality_router_config={"available_models": ["small", "big"]}),
    ]
    gateway = spawn(models=models)
    easy = gateway.chat("best", **said("hi"))
    tell = lambda answer, name: answer.headers.get(f"x-litellm-quality-router-{name}")
    assert (easy.headers[ID], tell(easy, "tier"), tell(easy, "via"), tell(easy, "complexity")) == ("small-id", "1", "quality_tier", "SIMPLE")
    word = gateway.chat("best", **said("hi, some SQL"))
    assert (word.headers[ID], tell(word, "via"), tell(word, "keyword"), tell(word, "complexity")) == ("big-id", "keyword", "sql", None)


def test_what_callers_say_next_teaches(spawn, upstream):
    rate = lambda tier: {"adaptive_router_preferences": {"quality_tier": tier}}
    config = {"available_models": ["big", "small"], "exploration_rate": 0}
    models = [
        member(upstream, "big", **rate(3)), member(upstream, "small", **rate(1)),
        router("learns", "adaptive_router", adaptive_router_config=config),
    ]
    gateway = spawn(models=models)
    code = {"role": "user", "content": "Write me a python script"}
    blame = [code, {"role": "assistant", "content": "x"}, code, {"role": "user", "content": "that's wrong"}]
    picked = []
    for session in range(20):
        headers = {"x-litellm-session-id": f"s{session}"}
        picked.append(gateway.chat("learns", headers=headers, messages=[code]).headers["x-litellm-adaptive-router-model"])
        gateway.chat("learns", headers=headers, messages=blame)
    assert picked[0] == "big" and "small" in picked, picked
    least = gateway.chat("learns", headers={"x-litellm-min-quality-tier": "3"}, messages=[code])
    assert least.headers[ID] == "big-id"


def test_by_meaning(spawn, upstream, tmp_path):
    routes = {"routes": [
        {"name": "law", "utterances": ["a contract", "my lawyer"], "score_threshold": 0.9},
        {"name": "code", "utterances": ["fix the code"], "score_threshold": 0.9},
    ]}
    (tmp_path / "routes.yaml").write_text(json.dumps(routes))
    params = {"auto_router_embedding_model": "embed", "auto_router_default_model": "other"}
    models = [
        *(member(upstream, group) for group in ("law", "code", "other")),
        member(upstream, "embed", "meaning", "embed-id", mode="embedding"),
        member(upstream, "ill", "error-500", "ill-id", mode="embedding"),
        router("inline", "mine", auto_router_config=json.dumps(routes), **params),
        router("file", "mine", auto_router_config_path=str(tmp_path / "routes.yaml"), **params),
        router("ill-router", "mine", auto_router_config=json.dumps(routes), **{**params, "auto_router_embedding_model": "ill"}),
    ]
    gateway = spawn(models=models)
    key = gateway.ask("POST", "/key/generate", {}).json["key"]
    for name in ("inline", "file"):
        answer = gateway.chat(name, key=key, **said("about a contract"))
        assert (answer.headers[ID], answer.headers["x-gateway-semantic-router-cause"]) == ("law-id", "semantic_match")
        assert gateway.chat(name, key=key, **said("please fix the code")).headers[ID] == "code-id"
        other = gateway.chat(name, key=key, **said("nice weather"))
        assert (other.headers[ID], other.headers["x-gateway-semantic-router-cause"]) == ("other-id", "default_model")
    # A provider that does not embed leaves the default; a limit of the caller's refuses the call.
    ill = gateway.chat("ill-router", **said("about a contract"))
    assert (ill.headers[ID], ill.headers["x-gateway-semantic-router-cause"]) == ("other-id", "embedding_failed")
    # What was embedded is booked at the caller: utterances once for each router, prompts each time.
    embeds, until = [], time.monotonic() + 15
    while len(embeds) < 2 + 6 and time.monotonic() < until:
        rows = gateway.ask("GET", f"/spend/logs?summarize=false&api_key={key}").json
        embeds = [row for row in rows if row["call_type"] == "aembedding"]
        time.sleep(0.1)
    assert len(embeds) == 2 + 6 and all(abs(row["spend"] - 10 * INPUT_PRICE) < 1e-9 for row in embeds), rows


def test_it_is_explained(spawn, upstream, tmp_path):
    models = complexity(upstream)
    gateway = spawn(models=models, router_settings={"fallbacks": [{"smart": ["gpt"]}]})
    told = gateway.ask("POST", "/utils/route_explain", {"model": "smart", "prompt": "debug this python"}).json
    assert told["fallbacks"] == ["gpt"], "those of the router count as well"
    assert told["auto_router"]["tier"] == "MEDIUM" and told["model_group"] == "usual"
    assert [one["model_id"] for one in told["deployments"] if one["kept"]] == ["usual-id"]
    (tmp_path / "config.yaml").write_text(json.dumps({"model_list": models, "general_settings": {"master_key": MASTER_KEY}}))
    shown = subprocess.run([binary(), "route", "--config", tmp_path / "config.yaml", "--model", "smart", "--prompt", "hi"],
                           capture_output=True, text=True, check=False)
    assert "smart is an auto router: heuristic_scorer" in shown.stdout and '"SIMPLE"' in shown.stdout, shown
