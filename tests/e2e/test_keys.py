"""Virtual keys: made, read, changed, listed, blocked and deleted as LiteLLM's clients do it."""

import hashlib
import time

import pytest
from support.common import until
from support.gateway import CALL_COST


def hashed(key):
    return hashlib.sha256(key.encode()).hexdigest()


def test_generate_answers_in_litellms_shape(gateway):
    answer = gateway.ask("POST", "/key/generate", {"key_alias": "shape", "models": ["gpt"], "max_budget": 1.5})
    assert answer.status == 200
    made = answer.json
    assert made["key"].startswith("sk-") and len(made["key"]) == 25
    assert made["token"] == made["token_id"] == hashed(made["key"])
    assert made["key_name"] == f"sk-...{made['key'][-4:]}"
    assert (made["key_alias"], made["models"], made["max_budget"]) == ("shape", ["gpt"], 1.5)
    assert (made["spend"], made["expires"], made["duration"]) == (0.0, None, None)


def test_info_by_key_by_hash_and_of_oneself(gateway):
    key = gateway.new_key(metadata={"team": "blue"}, rpm_limit=7)
    for asked in (key, hashed(key)):
        answer = gateway.ask("GET", f"/key/info?key={asked}")
        assert answer.status == 200
        assert answer.json["info"]["metadata"] == {"team": "blue"}
        assert answer.json["info"]["rpm_limit"] == 7
    own = gateway.ask("GET", "/key/info", key=key)
    assert own.status == 200 and own.json["key"] == hashed(key)
    assert key not in own.body.decode(), "the secret is shown once only"


def test_update_changes_what_is_named_and_nothing_else(gateway):
    key = gateway.new_key(models=["gpt"], max_budget=1.0, metadata={"a": 1})
    assert gateway.ask("POST", "/key/update", {"key": key, "max_budget": 2.0}).status == 200
    info = gateway.key_info(key)
    assert (info["max_budget"], info["models"], info["metadata"]) == (2.0, ["gpt"], {"a": 1})
    assert gateway.chat("claude", key).status == 403
    assert gateway.ask("POST", "/key/update", {"key": key, "models": []}).status == 200
    assert gateway.chat("claude", key).status == 200


def test_delete(gateway):
    key, named = gateway.new_key(), gateway.new_key(key_alias="to-delete")
    assert gateway.chat(key=key).status == 200
    answer = gateway.ask("POST", "/key/delete", {"keys": [key]})
    assert (answer.status, answer.json["deleted_keys"]) == (200, [key])
    assert gateway.chat(key=key).status == 401
    assert gateway.ask("POST", "/key/delete", {"key_aliases": ["to-delete"]}).status == 200
    assert gateway.chat(key=named).status == 401
    assert gateway.ask("POST", "/key/delete", {"keys": [key]}).status == 404
    assert gateway.ask("GET", f"/key/info?key={key}").status == 404


def test_list_is_paged_newest_first(gateway):
    made = [hashed(gateway.new_key(user_id="lister")) for _ in range(3)]
    answer = gateway.ask("GET", "/key/list?user_id=lister&size=2&page=1")
    assert answer.status == 200
    page = answer.json
    assert page["keys"] == made[:0:-1]
    assert (page["total_count"], page["current_page"], page["total_pages"]) == (3, 1, 2)
    rows = gateway.ask("GET", "/key/list?user_id=lister&return_full_object=true").json["keys"]
    assert [row["token"] for row in rows] == made[::-1]


def test_block_and_unblock(gateway):
    key = gateway.new_key()
    assert gateway.chat(key=key).status == 200
    blocked = gateway.ask("POST", "/key/block", {"key": key})
    assert (blocked.status, blocked.json["blocked"]) == (200, True)
    refused = gateway.chat(key=key)
    assert refused.status == 401
    assert "Key is blocked" in refused.json["error"]["message"]
    assert gateway.ask("POST", "/key/unblock", {"key": key}).status == 200
    assert gateway.chat(key=key).status == 200


def test_a_chosen_key(gateway):
    assert gateway.new_key(key="sk-chosen-by-the-admin-1") == "sk-chosen-by-the-admin-1"
    assert gateway.chat(key="sk-chosen-by-the-admin-1").status == 200


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"key": "no-prefix-here-at-all"}, 400),
        ({"key": "sk-short"}, 400),
        ({"max_budget": -1}, 400),
        ({"max_budget": "much"}, 422),
        ({"rpm_limit": "fast"}, 422),
        ({"models": "gpt"}, 422),
    ],
)
def test_wrong_fields_are_refused(gateway, fields, status):
    assert gateway.ask("POST", "/key/generate", fields).status == status


def test_an_alias_is_unique(gateway):
    gateway.new_key(key_alias="only-one")
    answer = gateway.ask("POST", "/key/generate", {"key_alias": "only-one"})
    assert answer.status == 400
    assert answer.json["error"]["param"] == "key_alias"


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/key/generate"), ("POST", "/key/update"), ("POST", "/key/delete"), ("GET", "/key/list")],
)
def test_a_virtual_key_manages_nothing(gateway, method, path):
    key = gateway.new_key()
    body = {"key": key, "keys": [key], "max_budget": 1000} if method == "POST" else None
    assert gateway.ask(method, path, body, key=key).status in (401, 403)
    assert gateway.ask(method, path, body, key=None).status == 401
    assert gateway.key_info(key)["max_budget"] is None


def test_one_key_cannot_read_another(gateway):
    mine, other = gateway.new_key(), gateway.new_key(metadata={"private": "thing"})
    answer = gateway.ask("GET", f"/key/info?key={hashed(other)}", key=mine)
    assert answer.status in (401, 403, 404)
    assert "private" not in answer.body.decode()


def test_a_new_secret_for_a_key(gateway):
    key = gateway.new_key(max_budget=3.0, models=["gpt"], key_alias="to-rotate")
    assert gateway.chat(key=key).status == 200
    spent = gateway.spend(key, 0.00001)
    made = gateway.ask("POST", "/key/regenerate", {"key": key, "max_budget": 4.0})
    assert made.status == 200, made.body
    new = made.json["key"]
    assert new != key and (made.json["max_budget"], made.json["models"]) == (4.0, ["gpt"])
    assert gateway.chat(key=key).status == 401, "the old secret is over"
    assert gateway.chat(key=new).status == 200
    assert gateway.spend(new, 2 * spent) == pytest.approx(2 * spent), "what was spent moved along"
    again = gateway.ask("POST", f"/key/{hashed(new)}/regenerate", {"new_key": "sk-chosen-by-the-operator"})
    assert again.json["key"] == "sk-chosen-by-the-operator"
    assert gateway.chat(key="sk-chosen-by-the-operator").status == 200
    assert gateway.ask("POST", "/key/regenerate", {"key": key}).status == 404
    refused = gateway.ask("POST", "/key/regenerate", {"key": "sk-chosen-by-the-operator", "grace_period": "soon"})
    assert refused.status == 400 and "grace_period" in refused.json["error"]["message"]


def test_an_old_secret_works_for_its_grace_period(gateway):
    key = gateway.new_key(max_budget=10)
    assert gateway.chat(key=key).status == 200
    spent = gateway.spend(key, 1e-9)
    second = gateway.ask("POST", "/key/regenerate", {"key": key, "grace_period": "1h"}).json["key"]
    third = gateway.ask("POST", "/key/regenerate", {"key": second, "grace_period": "3s"}).json["key"]
    for secret in (key, second, third):
        assert gateway.chat(key=secret).status == 200
    assert gateway.spend(third, 4 * spent) == pytest.approx(4 * spent), "all of them spend the same budget"
    gateway.kill()
    gateway.start()
    until = time.monotonic() + 10
    while gateway.chat(key=second).status != 401:
        assert time.monotonic() < until, "the grace period ends"
        time.sleep(0.1)
    # The oldest leads to the key by way of the second, whose time is over.
    assert gateway.chat(key=key).status == 401 and gateway.chat(key=third).status == 200
    gateway.ask("POST", "/key/block", {"key": third})
    assert gateway.chat(key=third).status == 401


def test_spend_set_by_hand_opens_a_spent_budget(gateway):
    key = gateway.new_key(max_budget=0.00001)
    assert gateway.chat(key=key).status == 200
    gateway.spend(key, 0.00001)
    assert gateway.chat(key=key).status == 422
    answer = gateway.ask("POST", f"/key/{key}/reset_spend", {"reset_to": 0})
    assert answer.status == 200 and answer.json["spend"] == 0.0
    assert gateway.chat(key=key).status == 200
    assert gateway.ask("POST", f"/key/{key}/reset_spend", {}).status == 422


def test_the_operator_says_how_long_old_secrets_work_on(spawn):
    gateway = spawn({"LITELLM_KEY_ROTATION_GRACE_PERIOD": "1h"})
    key = gateway.new_key()
    second = gateway.ask("POST", "/key/regenerate", {"key": key}).json["key"]
    assert [gateway.chat(key=secret).status for secret in (key, second)] == [200, 200]
    # What the request says counts before it.
    gateway.ask("POST", "/key/regenerate", {"key": second, "grace_period": "1s"})
    until = time.monotonic() + 10
    while gateway.chat(key=second).status == 200:
        assert time.monotonic() < until, "the grace period ends"
        time.sleep(0.1)


def test_a_key_that_would_change_its_secret_unseen_is_refused(gateway):
    asked = {"auto_rotate": True, "rotation_interval": "30d"}
    key = gateway.new_key(auto_rotate=False)
    for path, body in [("/key/generate", asked), ("/key/update", {"key": key, **asked}), ("/key/regenerate", {"key": key, **asked})]:
        answer = gateway.ask("POST", path, body)
        assert answer.status == 400 and answer.json["error"]["param"] == "auto_rotate", answer.body
        assert "/key/regenerate" in answer.json["error"]["message"]
    # Nothing was done on the way: the key has its secret still.
    assert gateway.chat(key=key).status == 200
    assert gateway.ask("GET", f"/key/info?key={key}").json["info"]["auto_rotate"] is False


def test_several_keys_at_once(gateway):
    keys = [gateway.new_key(key_alias=f"several-{number}") for number in range(2)]
    items = [{"key": keys[0], "rpm_limit": 7}, {"key": keys[1], "rpm_limit": "many"}, {"key": "sk-nobody-has-this"}]
    done = gateway.ask("POST", "/key/bulk_update", {"keys": items}).json
    assert (done["total_requested"], len(done["successful_updates"]), len(done["failed_updates"])) == (3, 1, 2)
    assert done["successful_updates"][0]["key_info"]["rpm_limit"] == 7
    assert "rpm_limit" in done["failed_updates"][0]["failed_reason"]
    info = gateway.ask("POST", "/v2/key/info", {"keys": [*keys, "sk-nobody-has-this"]}).json
    assert [row["key_alias"] for row in info["info"]] == ["several-0", "several-1"]
    aliases = gateway.ask("GET", "/key/aliases?search=several-").json
    assert (aliases["aliases"], aliases["total_count"]) == (["several-0", "several-1"], 2)


def test_keys_of_a_team_are_changed_together(gateway):
    team = gateway.ask("POST", "/team/new", {}).json["team_id"]
    keys = [gateway.new_key(team_id=team) for _ in range(2)]
    stranger = gateway.new_key()
    path = "/team/key/bulk_update"
    everything = {"team_id": team, "all_keys_in_team": True, "update_fields": {"max_budget": 5, "rpm_limit": 3}}
    done = gateway.ask("POST", path, everything).json
    assert (done["total_requested"], len(done["successful_updates"]), done["failed_updates"]) == (2, 2, [])
    limits = lambda key: gateway.ask("GET", f"/key/info?key={key}").json["info"]["max_budget"]
    assert [limits(key) for key in [*keys, stranger]] == [5.0, 5.0, None]
    some = {"team_id": team, "key_ids": [keys[0], stranger], "update_fields": {"max_budget": None}}
    done = gateway.ask("POST", path, some).json
    assert [len(done[name]) for name in ("successful_updates", "failed_updates")] == [1, 1]
    assert team in done["failed_updates"][0]["failed_reason"]
    assert [limits(key) for key in [*keys, stranger]] == [None, 5.0, None]
    # What is unclear, or not for many, changes nothing.
    for wrong, field in [
        ({"all_keys_in_team": True, "update_fields": {"max_budget": 1, "user_id": "me"}}, "user_id"),
        ({"all_keys_in_team": True, "update_fields": {"max_budget": 1, "rpm_limit": "many"}}, "rpm_limit"),
        ({"all_keys_in_team": True, "update_fields": {}}, "update_fields"),
        ({"all_keys_in_team": True, "key_ids": [keys[0]], "update_fields": {"max_budget": 1}}, "key_ids"),
        ({"update_fields": {"max_budget": 1}}, "key_ids"),
    ]:
        answer = gateway.ask("POST", path, {"team_id": team, **wrong})
        assert answer.status == 422 and field in str(answer.body), answer.body
    assert gateway.ask("POST", path, {**everything, "team_id": "nobody"}).status == 404
    assert [limits(key) for key in keys] == [None, 5.0]


def test_a_key_of_a_service_belongs_to_a_team_and_to_no_user(gateway):
    body = {"team_id": "blue", "key_alias": "robot", "user_id": "nobody"}
    made = gateway.ask("POST", "/key/service-account/generate", body).json
    assert (made["team_id"], made["user_id"]) == ("blue", None)
    assert made["metadata"] == {"service_account_id": "robot"}
    assert gateway.ask("POST", "/key/service-account/generate", {}).status == 422


REPEATED = (
    "mcp_rpm_limit tag_rpm_limit prompts default_estimated_output_tokens end_user_budget_id tags disable_global_guardrails "
    "enable_prompt_caching throttle_on_budget_exceeded enforced_params allowed_passthrough_routes denied_passthrough_routes "
    "allowed_vector_store_indexes rpm_limit_type tpm_limit_type default_estimated_output_tokens_per_model"
).split()


def test_a_new_key_repeats_every_field_of_its_request(gateway):
    made = gateway.ask("POST", "/key/generate", {"tags": ["red"]}).json
    assert made["tags"] == ["red"] and made["allowed_cache_controls"] == []
    assert {name: made[name] for name in REPEATED if name != "tags"} == dict.fromkeys(set(REPEATED) - {"tags"})
    again = gateway.ask("POST", "/key/regenerate", {"key": made["key"]}).json
    assert again["tags"] == ["red"] and set(REPEATED) <= set(again)
    user = gateway.ask("POST", "/user/new", {"auto_create_key": False}).json
    assert set(REPEATED) <= set(user) and user["allowed_cache_controls"] == []


def test_info_tells_what_was_spent_by_model_and_when_settings_changed(gateway):
    budgets = {"gpt": {"max_budget": 5, "budget_duration": "1d"}}
    key = gateway.new_key(model_max_budget=budgets)
    info = gateway.key_info(key)
    assert (info["model_spend"], info["settings_updated_at"], info["jwt_key_mappings"]) == ({}, None, None)
    assert info["model_max_budget_usage"]["gpt"] == {"current_spend": 0.0, "budget_limit": 5.0, "time_period": "1d"}
    assert "token" not in info
    assert gateway.chat(key=key).status == 200
    gateway.spend(key, at_least=CALL_COST)
    until(lambda: gateway.key_info(key)["model_spend"], seconds=15, what="spend by model of a key")
    info = gateway.key_info(key)
    assert sum(info["model_spend"].values()) == pytest.approx(CALL_COST)
    assert info["model_max_budget_usage"]["gpt"]["current_spend"] == pytest.approx(CALL_COST)
    [row] = gateway.ask("GET", f"/key/list?key_hash={hashed(key)}&return_full_object=true").json["keys"]
    assert row["model_spend"] == info["model_spend"]
    gateway.ask("POST", "/key/update", {"key": key, "key_alias": None})
    info = gateway.key_info(key)
    assert info["settings_updated_at"] == info["updated_at"]


def test_a_key_that_was_unblocked_is_told_from_one_that_never_was_blocked(gateway):
    key = gateway.new_key()
    assert gateway.key_info(key)["blocked"] is None
    gateway.ask("POST", "/key/block", {"key": key})
    assert (gateway.key_info(key)["blocked"], gateway.key_info(key)["status"]) == (True, "revoked")
    assert gateway.ask("POST", "/key/unblock", {"key": key}).json["blocked"] is False
    assert gateway.key_info(key)["blocked"] is False
    assert gateway.key_info(gateway.new_key(blocked=False))["blocked"] is False
    gateway.ask("POST", "/key/update", {"key": key, "blocked": True})
    assert gateway.key_info(key)["blocked"] is True


def test_a_duration_that_no_clock_shows_is_refused(gateway):
    answer = gateway.ask("POST", "/key/generate", {"duration": "3000000d"})
    assert answer.status == 400
    assert "3000000d" in answer.json["error"]["message"] and answer.json["error"]["param"] == "duration"


def test_what_further_periods_have_spent_is_told(gateway):
    key = gateway.new_key(budget_limits=[{"budget_duration": "7d", "max_budget": 5}])
    assert gateway.chat(key=key).status == 200
    until = time.monotonic() + 10
    while (usage := gateway.key_info(key)["budget_limits_usage"])["7d"]["current_spend"] == 0:
        assert time.monotonic() < until
        time.sleep(0.1)
    assert usage == {"7d": {"current_spend": pytest.approx(CALL_COST)}}
    assert "budget_limits_usage" not in gateway.key_info(gateway.new_key())
