"""The model list, as the SDKs read it."""

from conftest import openai_client


def test_list_and_retrieve(gateway, gpt):
    names = [model.id for model in gpt.models.list()]
    assert {"gpt", "claude"} <= set(names)
    assert len(names) == len(set(names))
    one = gpt.models.retrieve("gpt")
    assert (one.id, one.object) == ("gpt", "model")


def test_a_key_sees_its_own_models_only(gateway):
    key = gateway.new_key(models=["claude"])
    assert [model.id for model in openai_client(gateway, key).models.list()] == ["claude"]


def test_health(gateway):
    assert gateway.ask("GET", "/health/liveliness", key=None).status == 200
    assert gateway.ask("GET", "/health/readiness", key=None).status == 200


def test_metrics_count_calls(gateway):
    gateway.chat()
    answer = gateway.ask("GET", "/metrics")
    assert answer.status == 200
    assert "# TYPE" in answer.body.decode()


def test_tokens_are_counted(gateway):
    body = {"model": "gpt", "messages": [{"role": "user", "content": "a" * 400}]}
    counted = gateway.ask("POST", "/utils/token_counter", body).json
    assert set(counted) == {"total_tokens", "request_model", "model_used", "tokenizer_type", "count_source",
                            "original_response", "error", "error_message", "status_code"}
    assert 95 <= counted["total_tokens"] <= 115
    assert (counted["request_model"], counted["model_used"]) == ("gpt", "say")
    prompt = gateway.ask("POST", "/utils/token_counter", {"model": "nobody's", "prompt": "a" * 40}).json
    assert (prompt["total_tokens"], prompt["model_used"]) == (10, "nobody's")
    # OpenAI's models publish how they count: the words are exact, and what a message takes beside them.
    exact = gateway.ask("POST", "/utils/token_counter", {"model": "gpt-4o", "messages": [
        {"role": "user", "content": "What is the capital of France?"}]}).json
    assert (exact["total_tokens"], exact["tokenizer_type"]) == (14, "openai_tokenizer")
    older = gateway.ask("POST", "/utils/token_counter", {"model": "gpt-3.5-turbo", "prompt": "مرحبا بالعالم"}).json
    newer = gateway.ask("POST", "/utils/token_counter", {"model": "openai/gpt-4o", "prompt": "مرحبا بالعالم"}).json
    assert (older["total_tokens"], newer["total_tokens"]) == (10, 4)
    # A long run of one letter is counted too, and soon.
    long = gateway.ask("POST", "/utils/token_counter", {"model": "gpt-4o", "prompt": "a" * 200_000}).json
    assert 24_000 < long["total_tokens"] < 27_000
    assert gateway.ask("POST", "/utils/token_counter", {"model": "gpt"}).status == 400
    assert gateway.ask("POST", "/utils/token_counter", body, key="sk-nobody").status == 401


def test_a_request_is_shown_as_the_provider_would_get_it(gateway, upstream):
    asked = {"model": "claude", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 7, "stop": "END"}
    shown = gateway.ask("POST", "/utils/transform_request", {"call_type": "completion", "request_body": asked}).json
    assert shown["error"] is None
    assert shown["raw_request_api_base"] == upstream.base + "/v1/messages"
    assert shown["raw_request_body"]["stop_sequences"] == ["END"]
    assert shown["raw_request_headers"]["x-api-key"] == "****"
    assert "sk-upstream-secret" not in str(shown)
    assert not upstream.asked, "nothing is sent"
    wrong = {"call_type": "completion", "request_body": {**asked, "model": "nobody"}}
    told = gateway.ask("POST", "/utils/transform_request", wrong).json
    assert told["raw_request_body"] is None and "nobody" in told["error"]


def test_parameters_and_groups_are_told(gateway):
    told = gateway.ask("GET", "/utils/supported_openai_params?model=claude").json["supported_openai_params"]
    assert {"tools", "temperature", "stream"} <= set(told) and "logit_bias" not in told
    assert "stop" in gateway.ask("GET", "/utils/supported_openai_params?model=groq/llama").json["supported_openai_params"]
    assert gateway.ask("GET", "/utils/supported_openai_params").status == 400
    [group] = gateway.ask("GET", "/model_group/info?model_group=gpt").json["data"]
    assert (group["model_group"], group["providers"]) == ("gpt", ["openai"])
    for member in ("max_input_tokens", "input_cost_per_token", "mode", "tpm", "rpm", "supported_openai_params"):
        assert member in group, member
    infos = {entry["model_name"]: entry for entry in gateway.ask("GET", "/model/info").json["data"]}
    assert "sk-upstream-secret" not in str(infos)
    assert "supported_openai_params" in infos["gpt"]["model_info"]


def test_the_price_maps_record_of_any_model_is_told(gateway):
    told = gateway.ask("GET", "/utils/model_info?model=gpt-4o-mini&custom_llm_provider=openai").json
    assert (told["model"], told["custom_llm_provider"]) == ("gpt-4o-mini", "openai")
    info = told["model_info"]
    assert info["max_input_tokens"] == 128000 and info["input_cost_per_token"] == 1.5e-7
    assert info["mode"] == "chat" and "tools" in info["supported_openai_params"]
    assert gateway.ask("GET", "/utils/model_info?model=anthropic/claude-haiku-4-5").json["custom_llm_provider"] == "anthropic"
    nobody = gateway.ask("GET", "/utils/model_info?model=nobody-knows-this")
    assert nobody.status == 404 and "not in the model cost map" in nobody.json["detail"]["error"]
    assert gateway.ask("GET", "/utils/model_info").status == 400


def test_models_page_by_page(gateway):
    everything = gateway.ask("GET", "/v2/model/info").json
    names = [row["model_name"] for row in everything["data"]]
    assert everything["total_count"] == len(names) and everything["current_page"] == 1
    page = gateway.ask("GET", "/v2/model/info?page=2&size=1").json
    assert [row["model_name"] for row in page["data"]] == names[1:2]
    assert (page["total_pages"], page["size"]) == (len(names), 1)
    found = gateway.ask("GET", "/v2/model/info?search=CLAU").json
    assert found["data"] and all("clau" in row["model_name"] for row in found["data"])
    assert gateway.ask("GET", "/v2/model/info?modelId=none").json["data"] == []
    assert gateway.ask("GET", "/v2/model/info?page=99").json["data"] == []


def test_a_key_is_shown_what_its_team_may_use(gateway):
    team = gateway.ask("POST", "/team/new", {"models": ["gpt"]}).json["team_id"]
    key = gateway.new_key(team_id=team)
    assert [row["id"] for row in gateway.ask("GET", "/v1/models", key=key).json["data"]] == ["gpt"]
    assert {row["model_name"] for row in gateway.ask("GET", "/v2/model/info", key=key).json["data"]} == {"gpt"}
    unseen = gateway.ask("GET", "/v1/models/claude", key=key)
    assert (unseen.status, unseen.json) == (404, {"detail": "The model `claude` does not exist or is not accessible"})


def test_a_provider_of_ones_own_is_a_record_in_the_configuration(spawn, upstream):
    """No rebuild: its address, key, words and quirks; what is peculiar to a known provider can be taken over."""
    providers = {
        "house": {
            "name": "Models in our own rack",
            "base_url": upstream.base + "/v1",
            "key_env": ["HOUSE_API_KEY"],
            "quirks": {"max_completion_tokens_as_max_tokens": True, "unsupported": ["logit_bias"]},
        },
        "house-claude": {"like": "anthropic", "base_url": upstream.base, "auth": "none"},
    }
    models = [
        {"model_name": "house/*", "litellm_params": {"model": "house/*"}},
        {"model_name": "thinker", "litellm_params": {"model": "house-claude/say"}},
    ]
    gateway = spawn(models=models, providers=providers, environment={"HOUSE_API_KEY": "sk-of-the-house"})
    upstream.clear()
    answer = gateway.chat("house/say", max_completion_tokens=7, max_tokens=None)
    assert answer.status == 200, answer.body
    asked = upstream.asked[-1]
    assert (asked.body["model"], asked.body["max_tokens"]) == ("say", 7) and "max_completion_tokens" not in asked.body
    assert asked.headers["authorization"] == "Bearer sk-of-the-house"
    refused = gateway.chat("house/say", logit_bias={"1": 1})
    assert refused.status == 400 and "logit_bias" in refused.json["error"]["message"]
    assert gateway.chat("thinker").status == 200
    assert upstream.asked[-1].path == "/v1/messages"
    # It is a provider like any other, and never another's address.
    assert "house" in {row["litellm_params"]["model"].split("/")[0] for row in gateway.ask("GET", "/v1/model/info").json["data"]}
    assert gateway.chat("hous/say").status == 400
