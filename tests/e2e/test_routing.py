"""Who serves a call: strategies, checks, rests and fallbacks, told by headers and by what providers were asked."""

import json
import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import anthropic_client, openai_client
from support.gateway import CALL_COST, INPUT_PRICE, MASTER_KEY, binary, entry

ID, GROUP = "x-litellm-model-id", "x-litellm-model-group"
RETRIES, FALLBACKS = "x-litellm-attempted-retries", "x-litellm-attempted-fallbacks"


def member(upstream, group, model, id, info=None, **params):
    """A deployment of a group with an id of its own."""
    made = entry(group, f"openai/{model}", upstream.base + "/v1", **params)
    return {**made, "model_info": {"id": id, **(info or {})}}


def ids(answers):
    return [answer.headers[ID] for answer in answers]


def test_retries_and_fallbacks_are_told(spawn, upstream):
    models = [
        member(upstream, "a", "error-500", "a1"),
        member(upstream, "b", "say", "b1"),
        member(upstream, "two", "error-503", "t1", order=1),
        member(upstream, "two", "say", "t2", order=2),
        member(upstream, "flaky", "flaky-1", "f1"),
    ]
    settings = {"num_retries": 1, "fallbacks": [{"a": ["b"]}]}
    gateway = spawn(models=models, router_settings=settings, general_settings={"expose_fallback_errors_to_caller": True})
    answer = gateway.chat("a", include_fallback_errors=True)
    assert (answer.status, answer.headers[ID], answer.headers[GROUP]) == (200, "b1", "b")
    assert answer.headers[FALLBACKS] == "1"
    assert json.loads(answer.headers["x-litellm-fallback-errors"])[0]["code"] == "500"
    answer = gateway.chat("two")
    assert (answer.headers[ID], answer.headers[FALLBACKS]) == ("t2", "1")
    answer = gateway.chat("flaky")
    assert (answer.status, answer.headers[RETRIES], answer.headers[FALLBACKS]) == (200, "1", "0")
    answer = gateway.chat("a", disable_fallbacks=True)
    assert answer.status == 500 and "x-litellm-fallback-errors" not in answer.headers


@pytest.mark.parametrize("name, value, expected", [
    ("num_retries", "many", "a whole number of retries"), ("request_timeout", "soon", "a number of seconds"),
    ("fallbacks", "gpt", "a list of model names"), ("priority", "high", "a whole number"),
    ("enable_tag_filtering", "yes", "`true` or `false`"), ("allowed_model_region", 7, "the name of a region"),
])
def test_what_is_asked_of_the_router_is_heard_or_refused(gateway, name, value, expected):
    refused = gateway.chat("gpt", **{name: value})
    assert refused.status == 400 and refused.json["error"]["param"] == name, refused.body
    message = refused.json["error"]["message"]
    assert message.startswith(f"`{name}`: found `{json.dumps(value)}`, expected {expected}"), message
    assert gateway.chat("gpt", **{name: None}).status == 200


def test_limits_of_a_minute_are_kept(spawn, upstream):
    models = [
        member(upstream, "hard", "say", "h1", rpm=1),
        member(upstream, "usage", "say", "u1", rpm=1),
        member(upstream, "usage", "say", "u2", rpm=2),
    ]
    settings = {"routing_strategy": "usage-based-routing-v2", "optional_pre_call_checks": ["enforce_model_rate_limits"]}
    gateway = spawn(models=models, router_settings=settings)
    assert gateway.chat("hard").status == 200
    refused = gateway.chat("hard")
    assert refused.status == 429
    assert "RPM limit=1, current usage=2" in refused.json["error"]["message"]
    assert sorted(ids(gateway.chat("usage") for _ in range(3))) == ["u1", "u2", "u2"]
    assert gateway.chat("usage").status == 429


def test_the_cheapest_and_the_quickest(spawn, upstream):
    models = [
        member(upstream, "price", "say", "dear", input_cost_per_token=0.01),
        member(upstream, "price", "say", "cheap"),
        member(upstream, "time", "slow-150", "slow"),
        member(upstream, "time", "say", "quick"),
    ]
    groups = [
        {"group_name": "p", "models": ["price"], "routing_strategy": "cost-based-routing"},
        {"group_name": "t", "models": ["time"], "routing_strategy": "latency-based-routing"},
    ]
    gateway = spawn(models=models, router_settings={"routing_groups": groups})
    assert set(ids(gateway.chat("price") for _ in range(5))) == {"cheap"}
    # Both are tried before anybody knows; what a call took is known a moment after its answer.
    seen, until = set(), time.monotonic() + 10
    while seen != {"slow", "quick"}:
        assert time.monotonic() < until, seen
        seen |= set(ids([gateway.chat("time")]))
        time.sleep(0.1)
    assert set(ids(gateway.chat("time") for _ in range(5))) == {"quick"}
    assert gateway.chat("p").headers[ID] == "cheap"


def test_the_kind_of_model_by_how_sure_the_caller_is(spawn, upstream):
    models = [
        member(upstream, "m", "say", "deep", {"type": "deep"}),
        member(upstream, "m", "say", "smart", {"type": "cloud-smart"}),
        member(upstream, "m", "say", "fast", {"type": "cloud-fast"}),
    ]
    gateway = spawn(models=models, router_settings={"routing_strategy": "lar1"})
    ask = lambda **lar1: gateway.chat("m", metadata={"lar1": lar1}).headers[ID]
    assert (ask(confidence=0.9), ask(confidence=0.1), ask(confidence=0.4)) == ("deep", "smart", "fast")
    assert ask(confidence=0.9, evidence="UNVERIFIED") == "smart"
    assert ask(confidence=0.9, time="MEM") == "fast"


def test_checks_before_the_call(spawn, upstream):
    models = [
        member(upstream, "m", "say", "short", {"max_input_tokens": 50}),
        member(upstream, "m", "say", "long", {"max_input_tokens": 5000}, region_name="eu-west-1"),
        member(upstream, "roomy", "say", "roomy"),
    ]
    settings = {"enable_pre_call_checks": True, "context_window_fallbacks": [{"m": ["roomy"]}]}
    gateway = spawn(models=models, router_settings=settings)
    long = [{"role": "user", "content": "many words " * 100}]
    assert set(ids(gateway.chat("m", messages=long) for _ in range(6))) == {"long"}
    assert set(ids(gateway.chat("m", allowed_model_region="eu") for _ in range(6))) == {"long"}
    answer = gateway.chat("m", messages=[{"role": "user", "content": "many words " * 5000}])
    assert (answer.headers[ID], answer.headers[FALLBACKS]) == ("roomy", "1")


def test_a_group_may_be_routed_by_tags_alone(spawn, upstream):
    models = [
        member(upstream, "m", "say", "gold", {"enable_tag_filtering": True}, tags=["gold"]),
        member(upstream, "m", "say", "rest", tags=["default"]),
        member(upstream, "n", "say", "n1", tags=["gold"]),
        member(upstream, "n", "say", "n2"),
    ]
    gateway = spawn(models=models)
    assert set(ids(gateway.chat("m", tags=["gold"]) for _ in range(6))) == {"gold"}
    assert set(ids(gateway.chat("m") for _ in range(6))) == {"rest"}
    assert set(ids(gateway.chat("n", tags=["gold"]) for _ in range(30))) == {"n1", "n2"}


def test_parameters_of_all_deployments(spawn, upstream):
    models = [member(upstream, "m", "say", "m1"), member(upstream, "n", "say", "n1", temperature=0.9)]
    gateway = spawn(models=models, router_settings={"default_litellm_params": {"temperature": 0.25, "seed": 7}})
    gateway.chat("m")
    assert (upstream.last.body["temperature"], upstream.last.body["seed"]) == (0.25, 7)
    gateway.chat("n")
    assert (upstream.last.body["temperature"], upstream.last.body["seed"]) == (0.9, 7)


def test_the_tokens_of_openais_models_are_counted_exactly(spawn, upstream):
    # 40 times the letter and a blank: 80 bytes and 41 tokens beside the message's 7, in this encoding.
    prompt = [{"role": "user", "content": "日 " * 40}]
    models = [
        member(upstream, "m", "say", "first", {"max_input_tokens": 47, "base_model": "gpt-4o"}, order=1),
        member(upstream, "m", "say", "second", {"max_input_tokens": 200, "base_model": "gpt-4o"}, order=2),
        member(upstream, "n", "say", "narrow", {"max_input_tokens": 8007, "base_model": "gpt-4o"}),
        member(upstream, "w", "say", "wide", {"max_input_tokens": 8008, "base_model": "gpt-4o"}),
    ]
    gateway = spawn(models=models, router_settings={"enable_pre_call_checks": True})
    counted = gateway.ask("POST", "/utils/token_counter", {"model": "gpt-4o", "messages": prompt}).json["total_tokens"]
    assert 47 < counted < 200
    assert gateway.chat("m", messages=prompt).headers[ID] == "second"
    # A prompt of 40 KB is counted beside the data plane: two tokens a turn, one for the last blank, seven around.
    long = [{"role": "user", "content": "many words " * 4000}]
    assert gateway.chat("w", messages=long).headers[ID] == "wide"
    refused = gateway.chat("n", messages=long)
    assert refused.status == 400 and "longer than their context" in refused.json["error"]["message"]


def test_user_agents_are_tags(spawn, upstream):
    models = [
        member(upstream, "m", "say", "tool", tag_regex=["^User-Agent: claude-code/"]),
        member(upstream, "m", "say", "rest", tags=["default"]),
    ]
    gateway = spawn(models=models, router_settings={"enable_tag_filtering": True})
    assert set(ids(gateway.chat("m", headers={"user-agent": "claude-code/2"}) for _ in range(5))) == {"tool"}
    assert set(ids(gateway.chat("m") for _ in range(5))) == {"rest"}


def test_environments(spawn, upstream):
    models = [
        member(upstream, "m", "say", "dev", {"supported_environments": ["development"]}),
        member(upstream, "m", "say", "prod", {"supported_environments": ["production"]}),
        member(upstream, "only", "say", "only", {"supported_environments": ["production"]}),
    ]
    gateway = spawn(environment={"LITELLM_ENVIRONMENT": "development"}, models=models)
    assert set(ids(gateway.chat("m") for _ in range(5))) == {"dev"}
    assert "supported_environments" in gateway.chat("only").json["error"]["message"]


def test_a_bad_key_rests_one_credential(spawn, upstream):
    bad, good = {"api_key": "sk-the-bad-one-000000"}, {"api_key": "sk-the-good-one-000000"}
    models = [
        member(upstream, "a", "error-401", "a-bad", **bad, order=1),
        member(upstream, "a", "say", "a-good", **good, order=2),
        member(upstream, "b", "say", "b-bad", **bad, order=1),
        member(upstream, "b", "say", "b-good", **good, order=2),
    ]
    gateway = spawn(models=models, router_settings={"disable_cooldowns": False, "cooldown_time": 60, "num_retries": 1})
    assert gateway.chat("b").headers[ID] == "b-bad"
    assert gateway.chat("a").headers[ID] == "a-good"
    assert gateway.chat("b").headers[ID] == "b-good"
    metrics = gateway.ask("GET", "/metrics").body.decode()
    assert re.search(r'litellm_deployment_cooled_down_total\{.*model_id="b-bad".*cause="credential",exception_status="401"\} 1', metrics), metrics
    told = gateway.ask("POST", "/utils/route_explain", {"model": "b"}).json
    why = {one["model_id"]: one["why"] for one in told["deployments"]}
    assert "because its key was refused" in why["b-bad"] and why["b-good"] is None
    # What a caller does wrong rests nobody.
    assert gateway.chat("a", messages="no list").status == 400
    assert gateway.ask("POST", "/utils/route_explain", {"model": "a"}).json["refusal"] is None


def test_routes_are_explained_without_a_gateway(upstream, tmp_path):
    models = [
        member(upstream, "m", "say", "short", {"max_input_tokens": 100}, tags=["gold"], order=1),
        member(upstream, "m", "say", "long", {"max_input_tokens": 1000}, tags=["gold"], order=1),
        member(upstream, "m", "say", "plain"),
    ]
    path = tmp_path / "config.yaml"
    settings = {"enable_pre_call_checks": True, "fallbacks": [{"m": ["other"]}], "model_group_alias": {"n": "m"}}
    general = {"master_key": MASTER_KEY}
    settings |= {"enable_tag_filtering": True, "context_window_fallbacks": [{"m": ["long-one"]}]}
    path.write_text(json.dumps({"model_list": models, "router_settings": settings, "general_settings": general}))

    def route(*arguments):
        return subprocess.run([binary(), "route", "-c", path, *arguments], capture_output=True, text=True, timeout=20)

    ran = route("-m", "n", "--tags", "gold", "--tokens", "500", "--json")
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    kept = {one["model_id"]: (one["kept"], one["why"], one["chance"]) for one in told["deployments"]}
    assert kept["long"] == (True, None, 1.0)
    assert kept["short"][1] == "the prompt has 500 tokens, it takes 100"
    assert kept["plain"][1] == "does not have the tags of the request"
    ran = route("-m", "m", "--tokens", "5000")
    assert "plain" in ran.stdout and "then: other" in ran.stdout
    assert "then, after a prompt that is too long: long-one" in ran.stdout
    ran = route("-m", "m", "--tags", "silver")
    assert ran.returncode == 1 and "nobody serves: no deployment has the tags" in ran.stdout


def test_callers_do_not_turn_tags_off(spawn, upstream):
    """LiteLLM surface section 7.7: on by the router, the group or the request; a caller's `false` takes nothing back."""
    models = [member(upstream, "m", "say", "free", tags=["free"]), member(upstream, "m", "say", "paid", tags=["paid"])]
    gateway = spawn(models=models, router_settings={"enable_tag_filtering": True})
    ask = lambda gateway, **said: set(ids(gateway.chat("m", tags=["free"], **said) for _ in range(12)))
    assert ask(gateway) == ask(gateway, enable_tag_filtering=False) == {"free"}
    open_to_all = spawn(models=models)
    assert ask(open_to_all) == {"free", "paid"} and ask(open_to_all, enable_tag_filtering=True) == {"free"}
    explain = lambda **said: open_to_all.ask("POST", "/utils/route_explain", {"model": "m", "tags": ["free"], **said}).json
    assert [one["kept"] for one in explain()["deployments"]] == [True, True]
    assert explain()["notes"] == ["tags do not choose: `enable_tag_filtering` is off"]
    told = explain(enable_tag_filtering=True)
    assert [one["kept"] for one in told["deployments"]] == [True, False] and told["notes"] == []


def test_budgets_and_sessions_are_explained(spawn, upstream):
    budget = {"max_budget": CALL_COST / 2, "budget_duration": "1d"}
    models = [
        member(upstream, "m", "say", "dear", order=1, **budget), member(upstream, "m", "say", "spare", order=2),
        member(upstream, "s", "say", "s1"), member(upstream, "s", "say", "s2"),
    ]
    gateway = spawn(models=models, router_settings={"model_group_affinity_config": {"s": ["session_affinity"]}})
    explain = lambda **said: gateway.ask("POST", "/utils/route_explain", said).json["deployments"]
    before = {one["model_id"]: one["why"] for one in explain(model="m")}
    assert before == {"dear": None, "spare": "of `order` 2, which comes later"}
    asked = ids(gateway.chat("m") for _ in range(2))
    assert asked[1] == "spare", asked
    told = {one["model_id"]: one["why"] for one in explain(model="m")}
    assert told["spare"] is None and told["dear"].startswith("Exceeded budget for deployment") and "dear" in told["dear"]

    key = gateway.new_key()
    home = gateway.chat("s", key=key, headers={"x-litellm-session-id": "one"}).headers[ID]
    of_session = {one["model_id"]: one["why"] for one in explain(model="s", session_id="one", api_key=key)}
    assert of_session.pop(home) is None
    assert list(of_session.values()) == ["another one has served this session or prompt before"]
    # Another key's session of that name is another one.
    assert all(one["kept"] for one in explain(model="s", session_id="one"))


def test_calls_go_where_they_have_been(spawn, upstream):
    models = [member(upstream, "m", "say", f"m{n}") for n in range(4)]
    models += [member(upstream, "p", "say", f"p{n}") for n in range(4)]
    settings = {"model_group_affinity_config": {"m": ["session_affinity"], "p": ["prompt_caching"]}}
    gateway = spawn(models=models, router_settings=settings)
    for session in ("one", "two", "three"):
        headers = {"x-litellm-session-id": session}
        assert len(set(ids(gateway.chat("m", headers=headers) for _ in range(8)))) == 1
        # The body may name it as well.
        home = gateway.chat("m", headers=headers).headers[ID]
        for said in ({"litellm_session_id": session}, {"metadata": {"session_id": session}}):
            assert set(ids(gateway.chat("m", **said) for _ in range(4))) == {home}
    assert len(set(ids(gateway.chat("m") for _ in range(20)))) > 1, "no session, no home"
    talk = [{"role": "system", "content": "you are " + "very " * 2000}]
    homes = []
    for turn in range(6):
        talk.append({"role": "user", "content": f"turn {turn}"})
        homes.append(gateway.chat("p", messages=talk).headers[ID])
    assert len(set(homes)) == 1
    # Another key is another tenant: it need not go there, and is not sent there because of it.
    keys = [gateway.new_key() for _ in range(8)]
    assert len({gateway.chat("p", messages=talk, key=key).headers[ID] for key in keys}) > 1


def test_what_is_too_short_for_a_models_cache_keeps_nobody(spawn, upstream):
    """From how many tokens on a prompt's beginning is cached is the model's: 512 of Opus 5, 4,096 of Haiku 4.5."""
    groups = {"small": {"base_model": "claude-opus-5"}, "large": {"base_model": "claude-haiku-4-5"}, "unknown": {}}
    groups["own"] = {"base_model": "claude-haiku-4-5", "prompt_cache_min_tokens": 600}
    models = [member(upstream, name, "say", f"{name}-{n}", info) for name, info in groups.items() for n in range(4)]
    gateway = spawn(models=models, router_settings={"optional_pre_call_checks": ["prompt_caching"]})

    def homes(group, tokens):
        talk = [{"role": "system", "content": f"{group} {tokens} " + "long" * tokens}]
        return len(set(ids(gateway.chat(group, messages=[*talk, {"role": "user", "content": str(n)}]) for n in range(16))))

    assert homes("small", 700) == 1
    assert homes("own", 700) == 1
    assert homes("unknown", 700) > 1
    assert homes("unknown", 1100) == 1
    assert homes("large", 3000) > 1
    assert homes("large", 4200) == 1


def test_encrypted_reasoning_goes_back_to_whoever_wrote_it(spawn, upstream):
    models = [member(upstream, "m", "say", f"m{n}") for n in range(4)]
    gateway = spawn(models=models, router_settings={"optional_pre_call_checks": ["encrypted_content_affinity"]})

    def turn(said, **more):
        answer = gateway.ask("POST", "/v1/responses", {"model": "m", "input": said, "store": False, **more}, MASTER_KEY)
        assert answer.status == 200, answer.body
        return answer.headers[ID]

    include = {"include": ["reasoning.encrypted_content"]}
    homes = set()
    for talk in range(8):
        said = [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": f"talk {talk}"}]
        home = turn(said, **include)
        for number in range(4):
            said += [
                {"type": "reasoning", "id": f"rs_{number}", "summary": [], "encrypted_content": "sealed"},
                {"role": "assistant", "content": "yes"},
                {"role": "user", "content": f"and {number}?"},
            ]
            assert turn(said, **include) == home
        homes.add(home)
    assert len(homes) > 1, "conversations are spread"
    assert len({turn("the same") for _ in range(20)}) > 1, "nothing is encrypted, nothing is kept together"


def test_the_urgent_are_served_first(spawn, upstream):
    gateway = spawn(models=[member(upstream, "m", "slow-300", "m1", max_parallel_requests=1)])
    order = []

    def ask(priority):
        assert gateway.chat("m", priority=priority).status == 200
        order.append(priority)

    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(ask, 50)]
        time.sleep(0.1)
        for priority in (9, 1, 5):
            asked.append(pool.submit(ask, priority))
            time.sleep(0.05)
        [one.result() for one in asked]
    assert order == [50, 1, 5, 9]


def test_a_second_try_beside_a_slow_stream(spawn, upstream):
    models = [member(upstream, "m", "say", "quick", weight=1), member(upstream, "m", "say", "other", weight=1)]
    gateway = spawn(models=models, router_settings={"hedging": {"percentile": 0, "budget": 1}})
    for calls in range(1, 1_000):
        answer = gateway.chat("m", stream=True)
        assert answer.status == 200 and b"[DONE]" in answer.body
        with upstream.lock:
            asked = len(upstream.asked)
        # A first answer that comes just then is quicker than the second question.
        if calls >= 60 and asked > calls:
            break
    metrics = gateway.ask("GET", "/metrics").body.decode()
    hedged = next(line for line in metrics.splitlines() if line.startswith("gateway_hedged_requests_total "))
    assert int(hedged.split()[1]) > 0
    assert calls < asked <= 2 * calls


def dying(upstream, how, kind="openai"):
    """A group whose first member breaks off and whose second one continues texts."""
    base = upstream.base + ("/v1" if kind == "openai" else "")
    first = {**entry("m", f"{kind}/{how}", base, order=1, timeout=0.5, stream_timeout=10), "model_info": {"id": "first"}}
    info = {"supports_assistant_prefill": True}
    return [first, member(upstream, "m", "say", "second", info, order=2)]


# Anthropic's mock stalls before its first word: there is nothing to go on with.
@pytest.mark.parametrize(
    "how, kind", [("cut", "openai"), ("broken", "openai"), ("stall", "openai"), ("cut", "anthropic"), ("broken", "anthropic")]
)
def test_a_stream_goes_on_elsewhere(spawn, upstream, how, kind):
    settings = {"mid_stream_failover": True, "num_retries": 0}
    gateway = spawn(models=dying(upstream, how, kind), router_settings=settings)
    question = [{"role": "user", "content": "Hi"}]
    chunks = list(openai_client(gateway).chat.completions.create(model="m", messages=question, stream=True))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text.startswith("Hello ") and text.endswith("Hello from upstream.") and text != "Hello from upstream."
    assert len({chunk.id for chunk in chunks}) == 1
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices and chunk.choices[0].finish_reason] == ["stop"]
    assert upstream.last.body["messages"][-1] == {"role": "assistant", "content": text.removesuffix("Hello from upstream.").rstrip()}
    with anthropic_client(gateway).messages.stream(model="m", max_tokens=100, messages=question) as stream:
        message = stream.get_final_message()
    assert (message.content[0].text, message.stop_reason, len(message.content)) == (text, "end_turn", 1)
    if kind == "anthropic":
        events = list(openai_client(gateway).responses.create(model="m", input="Hi", stream=True, store=False))
        assert events[-1].type == "response.completed" and events[-1].response.output_text == text
        assert [event.sequence_number for event in events] == list(range(len(events)))
    assert "goes on elsewhere" in gateway.log()
    # Streams are counted: one that goes on twice counts once.
    [count] = re.findall(r"^gateway_stream_failovers_total (\d+)$", gateway.ask("GET", "/metrics").body.decode(), re.M)
    assert int(count) == (3 if kind == "anthropic" else 2)


def test_whoever_goes_on_pays_its_own_part(spawn, upstream):
    """Budgets of providers: the one that broke off pays what it had begun, the other one what it wrote."""
    budgets = {name: {"budget_limit": 1, "time_period": "1d"} for name in ("anthropic", "openai")}
    settings = {"mid_stream_failover": True, "num_retries": 0, "provider_budget_config": budgets, "optional_pre_call_checks": ["router_budget_limiting"]}
    gateway = spawn(models=dying(upstream, "cut", "anthropic"), router_settings=settings)
    assert "router_budget_limiting" not in gateway.log(), "budgets hold without being asked for"
    key = gateway.new_key()
    body = gateway.chat("m", key, stream=True).body
    assert b"[DONE]" in body and b'"error"' not in body
    [row] = gateway.rows(key, 1)
    told = gateway.ask("GET", "/provider/budgets").json["providers"]
    first, second = (told[name]["spend"] for name in ("anthropic", "openai"))
    assert abs(second - CALL_COST) < 1e-12, "ten tokens in and five out"
    assert first >= 10 * INPUT_PRICE - 1e-12
    assert abs(first + second - row["spend"]) < 1e-12, (told, row["spend"])


def test_an_answer_with_a_form_does_not_go_on_elsewhere(spawn, upstream):
    upstream.clear()
    models = [member(upstream, "m", "cut", "first", order=1), member(upstream, "m", "say", "second", {"supports_assistant_prefill": True}, order=2)]
    gateway = spawn(models=models, router_settings={"mid_stream_failover": True, "num_retries": 0})
    form = {"type": "json_object"}
    answer = gateway.chat("m", stream=True, response_format=form)
    assert answer.status == 200 and b'"error"' in answer.body and b"[DONE]" not in answer.body
    assert [asked.body["model"] for asked in upstream.asked] == ["cut"]
