"""Settings that are kept in the database over the file's, what the public sees of models, and seals of another salt."""

import datetime
import json
import time
import uuid

import pytest
from support.common import ok, until
from support.gateway import CALL_COST, MASTER_KEY, entry

STORED = {"general_settings": {"master_key": MASTER_KEY, "store_model_in_db": True}}
DISCOUNTS, MARGINS = "/config/cost_discount_config", "/config/cost_margin_config"


def cost(gateway):
    """What a call to `gpt` costs now, by what its key is charged."""
    key = gateway.new_key()
    answer = gateway.chat("gpt", key)
    assert answer.status == 200, answer.body
    return gateway.spend(key, 1e-9)


def test_discounts_and_margins_are_charged_at_once(spawn, upstream):
    gateway = spawn(**STORED, litellm_settings={"cost_discount_config": {"anthropic": 0.5}})
    assert ok(gateway.ask("GET", DISCOUNTS)) == {"values": {"anthropic": 0.5}}
    assert ok(gateway.ask("GET", MARGINS)) == {"values": {}}
    assert cost(gateway) == pytest.approx(CALL_COST)
    set_to = ok(gateway.ask("PATCH", DISCOUNTS, {"openai": 0.25}))
    assert set_to == {"message": "Cost discount configuration updated successfully", "status": "success",
                      "values": {"openai": 0.25}}
    assert cost(gateway) == pytest.approx(0.75 * CALL_COST)
    margin = {"global": {"percentage": 0.1, "fixed_amount": 0.001}}
    assert ok(gateway.ask("PATCH", MARGINS, margin))["message"] == "Cost margin configuration updated successfully"
    assert cost(gateway) == pytest.approx(0.75 * CALL_COST * 1.1 + 0.001)
    gateway.stop()
    gateway.start()
    assert ok(gateway.ask("GET", DISCOUNTS)) == {"values": {"openai": 0.25}}
    assert cost(gateway) == pytest.approx(0.75 * CALL_COST * 1.1 + 0.001)
    for path in (DISCOUNTS, MARGINS):
        ok(gateway.ask("PATCH", path, {}))
    assert cost(gateway) == pytest.approx(CALL_COST), "an empty mapping holds instead of the file's"
    rows = ok(gateway.ask("GET", "/audit?page_size=100"))["audit_logs"]
    changes = [row for row in rows if row["table_name"] == "LiteLLM_Config"]
    assert [row["object_id"] for row in changes].count("cost_discount_config") == 2
    assert "0.25" in json.dumps(changes)


def test_what_is_no_discount_changes_nothing(spawn, upstream):
    gateway = spawn(**STORED)
    for path, body, word in [
        (DISCOUNTS, {"nobody": 0.1}, "nobody"), (DISCOUNTS, {"openai": 1.5}, "openai"), (DISCOUNTS, {"global": 0.1}, "global"),
        (DISCOUNTS, [1], "object"), (MARGINS, {"openai": -1}, "openai"), (MARGINS, {"openai": {"flat": 1}}, "openai"),
    ]:
        refused = gateway.ask("PATCH", path, body)
        assert refused.status == 400 and word in refused.json["detail"]["error"], (path, body, refused.body)
    assert ok(gateway.ask("GET", DISCOUNTS)) == {"values": {}}
    key = gateway.new_key()
    for path in (DISCOUNTS, MARGINS):
        assert gateway.ask("GET", path, key=key).status in (401, 403)
        assert gateway.ask("PATCH", path, {}, key=key).status in (401, 403)
    viewer = ok(gateway.ask("POST", "/user/new", {"user_id": uuid.uuid4().hex, "user_role": "proxy_admin_viewer"}))["key"]
    assert gateway.ask("GET", DISCOUNTS, key=viewer).status == 200
    assert gateway.ask("PATCH", DISCOUNTS, {}, key=viewer).status == 403


def test_nothing_is_kept_where_the_database_is_not_to_keep_it(gateway):
    refused = gateway.ask("PATCH", DISCOUNTS, {"openai": 0.1})
    assert refused.status == 500 and "STORE_MODEL_IN_DB" in refused.json["detail"]["error"]


def test_replicas_charge_by_it_within_a_second(server, spawn, upstream):
    environment = {"DATABASE_URL": server.database()}
    first, second = spawn(environment=environment, **STORED), spawn(environment=environment, **STORED)
    ok(first.ask("PATCH", DISCOUNTS, {"openai": 0.5}))
    changed = time.monotonic()
    until(lambda: ok(second.ask("GET", DISCOUNTS))["values"] == {"openai": 0.5}, seconds=5)
    assert time.monotonic() - changed < 2, "a second, and time to look"
    assert cost(second) == pytest.approx(0.5 * CALL_COST)


def test_the_public_sees_what_is_made_public(spawn, upstream):
    gateway = spawn(**STORED)
    public = lambda path: ok(gateway.ask("GET", f"/public/model_hub{path}", key=None))
    assert public("") == [] and public("/info")["useful_links"] == {}
    made = ok(gateway.ask("POST", "/model_group/make_public", {"model_groups": ["gpt"]}))
    assert made["public_model_groups"] == ["gpt"]
    [group] = public("")
    assert (group["model_group"], group["is_public_model_group"], group["providers"]) == ("gpt", True, ["openai"])
    assert "sk-upstream-secret" not in json.dumps(group)
    links = {"Docs": "https://docs.example.com"}
    assert ok(gateway.ask("POST", "/model_hub/update_useful_links", {"useful_links": links}))["useful_links"] == links
    gateway.stop()
    gateway.start()
    assert [group["model_group"] for group in public("")] == ["gpt"]
    assert public("/info")["useful_links"] == links
    unknown = gateway.ask("POST", "/model_group/make_public", {"model_groups": ["nobody"]})
    assert unknown.status == 400 and "nobody" in unknown.json["detail"]["error"]
    assert gateway.ask("POST", "/model_group/make_public", {}).status == 422
    assert gateway.ask("POST", "/model_hub/update_useful_links", {}).status == 422
    for path in ("/model_group/make_public", "/model_hub/update_useful_links"):
        assert gateway.ask("POST", path, {"model_groups": [], "useful_links": {}}, key=gateway.new_key()).status in (401, 403)
    assert [group["model_group"] for group in public("")] == ["gpt"]
    ok(gateway.ask("POST", "/model_group/make_public", {"model_groups": []}))
    assert public("") == []


def test_what_the_file_makes_public(spawn, upstream):
    settings = {"public_model_groups": ["claude"], "public_model_groups_links": {"Help": "https://help.example.com"}}
    gateway = spawn(litellm_settings=settings)
    assert [group["model_group"] for group in ok(gateway.ask("GET", "/public/model_hub", key=None))] == ["claude"]
    assert ok(gateway.ask("GET", "/public/model_hub/info", key=None))["useful_links"] == settings["public_model_groups_links"]


def test_models_that_go_out_of_service(spawn, upstream):
    day = lambda days: str(datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=days))
    retiring = lambda name, days: entry(name, "openai/say", upstream.base) | {"model_info": {"deprecation_date": day(days)}}
    gateway = spawn(models=[retiring("gone", -3), retiring("soon", 10), retiring("later", 90)])
    of = lambda answer, word: [(row["model_name"], row["days_until_deprecation"], row["status"]) for row in answer[word]]
    for path in ("/model/deprecations", "/v1/model/deprecations"):
        answer = ok(gateway.ask("GET", path))
        assert of(answer, "deprecated") == [("gone", -3, "deprecated")]
        assert of(answer, "imminent") == [("soon", 10, "imminent")]
        assert of(answer, "upcoming") == [("later", 90, "upcoming")]
        assert answer["imminent"][0]["litellm_model"] == "openai/say"
        assert answer["imminent"][0]["deprecation_date"] == day(10)
    wide = ok(gateway.ask("GET", "/model/deprecations?warn_within_days=100"))
    assert [row["model_name"] for row in wide["imminent"]] == ["soon", "later"]
    assert gateway.ask("GET", "/model/deprecations", key=gateway.new_key()).status in (401, 403)


def test_prices_and_what_providers_need(gateway):
    prices = ok(gateway.ask("GET", "/public/litellm_model_cost_map", key=None))
    source = ok(gateway.ask("GET", "/model/cost_map/source"))
    assert source["source"] == "local" and source["model_count"] == len(prices) > 1000
    assert prices["gpt-4o"]["litellm_provider"] == "openai" and 0 < prices["gpt-4o"]["input_cost_per_token"] < 1e-3
    providers = {row["name"]: row["fields"] for row in ok(gateway.ask("GET", "/model/settings"))}
    assert [field["field_name"] for field in providers["openai"]] == ["api_key", "api_base"]
    assert providers["openai"][1]["field_value"].startswith("https://api.openai.com")
    for path in ("/model/cost_map/source", "/model/settings"):
        assert gateway.ask("GET", path, key=gateway.new_key()).status in (401, 403)


def test_a_model_signs_in_with_what_is_shown_of_it(spawn, upstream):
    gateway = spawn(**STORED)
    secret = "sk-made-0123456789"
    made = ok(gateway.ask("POST", "/model/new", {"model_name": "made", "litellm_params": {
        "model": "openai/say", "api_base": upstream.base + "/v1", "api_key": secret}}))
    ids = {row["model_name"]: row["model_info"]["id"] for row in ok(gateway.ask("GET", "/model/info"))["data"]}
    for name, key in (("made", "sk****89"), ("gpt", "sk****et")):
        shown = ok(gateway.ask("GET", f"/credentials/by_model/{ids[name]}"))
        assert shown["credential_name"] == f"{name}-credential-{ids[name]}"
        assert shown["credential_values"]["api_key"] == key
        assert "api_base" in shown["credential_values"] and shown["credential_info"] == {}
        assert secret not in json.dumps(shown)
    assert made["model_id"] == ids["made"]
    assert gateway.ask("GET", "/credentials/by_model/nothing").status == 404
    assert gateway.ask("GET", f"/credentials/by_model/{ids['gpt']}", key=gateway.new_key()).status in (401, 403)


def test_what_another_salt_sealed_is_sealed_anew(spawn, upstream):
    gateway = spawn(environment={"LITELLM_SALT_KEY": "sk-salt-before"}, **STORED)
    ok(gateway.ask("POST", "/credentials", {"credential_name": "kept", "credential_values": {"api_key": "sk-1234567890ab"}}))
    ok(gateway.ask("PATCH", DISCOUNTS, {"openai": 0.5}))
    check = lambda: ok(gateway.ask("GET", "/credentials/migrate-encryption/check"))
    assert check() == {"status": "up_to_date", "current": 2, "unreadable": []}
    gateway.stop()
    gateway.environment["LITELLM_SALT_KEY"] = "sk-salt-after"
    gateway.start()
    sealed = ["credential/kept", "setting/cost_discount_config"]
    assert check() == {"status": "needs_migration", "current": 0, "unreadable": sealed}
    assert cost(gateway) == pytest.approx(CALL_COST)
    migrate = lambda **body: ok(gateway.ask("POST", "/credentials/migrate-encryption", body))
    assert migrate(previous_salt_key="sk-salt-wrong") == {
        "status": "incomplete", "migrated": 0, "already_current": 0, "unreadable": [*sealed, "audit/signing_key"]}
    assert migrate()["status"] == "incomplete"
    assert migrate(previous_salt_key="sk-salt-before") == {
        "status": "success", "migrated": 2, "already_current": 0, "unreadable": []}
    assert migrate(previous_salt_key="sk-salt-before")["already_current"] == 2
    assert check()["status"] == "up_to_date"
    assert ok(gateway.ask("GET", "/credentials/by_name/kept"))["credential_values"] == {"api_key": "sk****ab"}
    assert cost(gateway) == pytest.approx(0.5 * CALL_COST)
    for method, path in (("GET", "/credentials/migrate-encryption/check"), ("POST", "/credentials/migrate-encryption")):
        assert gateway.ask(method, path, {} if method == "POST" else None, key=gateway.new_key()).status in (401, 403)


def test_what_is_tried_after_a_group_is_kept(spawn, upstream):
    models = [entry(name, f"openai/{model}", upstream.base + "/v1", model_info={"id": f"{name}-id"})
              for name, model in (("ill", "error-500"), ("well", "say"), ("other", "say"))]
    for model in models:
        model["model_info"] = model["litellm_params"].pop("model_info")
    gateway = spawn(models=models, **STORED, router_settings={"fallbacks": [{"ill": ["other"]}]})
    served = lambda: gateway.chat("ill").headers.get("x-litellm-model-id")
    path = "/fallback/ill"
    assert served() == "other-id"
    assert ok(gateway.ask("GET", path)) == {"model": "ill", "fallback_models": ["other"], "fallback_type": "general"}
    made = ok(gateway.ask("POST", "/fallback", {"model": "ill", "fallback_models": ["well", "other"]}))
    assert made == {"model": "ill", "fallback_models": ["well", "other"], "fallback_type": "general",
                    "message": "Fallback configuration updated successfully"}
    assert served() == "well-id" and ok(gateway.ask("GET", path))["fallback_models"] == ["well", "other"]
    gateway.stop()
    gateway.start()
    assert served() == "well-id", "it outlives the process"
    gone = ok(gateway.ask("DELETE", path))
    assert gone == {"model": "ill", "fallback_type": "general", "message": "Fallback configuration deleted successfully"}
    assert gateway.chat("ill").status == 500, "what the file says is taken back as well"
    for method in ("GET", "DELETE"):
        none = gateway.ask(method, path)
        assert none.status == 404 and none.json == {"detail": {"error": "No general fallbacks configured for model 'ill'"}}
    # Each kind of failures has its own list.
    long = ok(gateway.ask("POST", "/fallback", {"model": "ill", "fallback_models": ["well"], "fallback_type": "context_window"}))
    assert long["message"] == "Fallback configuration created successfully"
    assert gateway.ask("GET", path).status == 404
    assert ok(gateway.ask("GET", path + "?fallback_type=context_window"))["fallback_models"] == ["well"]


@pytest.mark.parametrize("body,status,words", [
    ({"model": "nobody", "fallback_models": ["gpt"]}, 404, "Model 'nobody' not found in router"),
    ({"model": "gpt", "fallback_models": ["nobody"]}, 400, "Invalid fallback models"),
    ({"model": "gpt", "fallback_models": ["gpt"]}, 400, "cannot be its own fallback"),
    ({"model": "gpt", "fallback_models": []}, 422, "at least one model"),
    ({"model": "gpt", "fallback_models": ["claude", "claude"]}, 422, "duplicates"),
    ({"model": "gpt", "fallback_models": ["claude"], "fallback_type": "any"}, 422, "'content_policy'"),
    ({"model": "gpt"}, 422, "Field required"),
])
def test_fallbacks_that_make_no_sense(spawn, upstream, body, status, words):
    gateway = spawn(**STORED)
    refused = gateway.ask("POST", "/fallback", body)
    assert refused.status == status and words in json.dumps(refused.json["detail"]), refused.body


def test_who_may_say_what_is_tried(spawn, upstream, gateway):
    stored = spawn(**STORED)
    body = {"model": "gpt", "fallback_models": ["claude"]}
    assert stored.ask("POST", "/fallback", body, key=stored.new_key()).status in (401, 403)
    viewer = ok(stored.ask("POST", "/user/new", {"user_id": uuid.uuid4().hex, "user_role": "proxy_admin_viewer"}))["key"]
    assert stored.ask("POST", "/fallback", body, key=viewer).status == 403
    assert stored.ask("GET", "/fallback/gpt", key=viewer).status == 404, "it may look"
    assert "<form" in stored.ask("GET", "/fallback/login", key=None).body.decode(), "the page of names and passwords"
    refused = gateway.ask("POST", "/fallback", body)
    assert refused.status == 500 and "STORE_MODEL_IN_DB" in refused.json["detail"]["error"]


def test_what_is_said_to_the_router_is_shown(spawn, upstream):
    gateway = spawn(**STORED, router_settings={"num_retries": 4, "routing_strategy": "latency", "redis_password": "sk-hidden-word"})
    ok(gateway.ask("POST", "/fallback", {"model": "gpt", "fallback_models": ["claude"]}))
    told = ok(gateway.ask("GET", "/router/settings"))
    fields = {field["field_name"]: field for field in told["fields"]}
    assert fields["num_retries"]["field_value"] == 4 and fields["num_retries"]["field_type"] == "Integer"
    assert "least-busy" in fields["routing_strategy"]["options"] and fields["routing_strategy"]["ui_field_name"] == "Routing Strategy"
    assert told["current_values"]["routing_strategy"] == "latency"
    assert told["current_values"]["fallbacks"] == [{"gpt": ["claude"]}] == fields["fallbacks"]["field_value"]
    assert set(told["routing_strategy_descriptions"]) == set(fields["routing_strategy"]["options"])
    assert "sk-hidden-word" not in json.dumps(told)
    bare = ok(gateway.ask("GET", "/router/fields"))
    assert all(field["field_value"] is None for field in bare["fields"]) and "current_values" not in bare
    assert gateway.ask("GET", "/router/settings", key=gateway.new_key()).status in (401, 403)
