"""What is wrong with a request is told whole: every field that is missing or of a wrong type, by its name."""

import pytest
from support.common import fresh, ok

ADD = "/team/member_add"


def problems(answer):
    assert answer.status == 422, answer.body
    return [(problem["type"], problem["loc"]) for problem in answer.json["detail"]]


@pytest.mark.parametrize(("path", "body", "wrong"), [
    (ADD, {}, [("missing", ["body", "team_id"]), ("missing", ["body", "member"])]),
    (ADD, {"team_id": 3, "max_budget_in_team": "x", "member": {"role": "boss"}},
     [("string_type", ["body", "team_id"]), ("enum", ["body", "role"]), ("float_parsing", ["body", "max_budget_in_team"])]),
    ("/organization/member_add", {}, [("missing", ["body", "organization_id"]), ("missing", ["body", "member"])]),
    ("/organization/member_update", {"role": "king"}, [("missing", ["body", "organization_id"]), ("enum", ["body", "role"])]),
    ("/organization/new", {"models": "m", "rpm_limit": "x"},
     [("missing", ["body", "organization_alias"]), ("list_type", ["body", "models"]), ("int_parsing", ["body", "rpm_limit"])]),
    ("/team/update", {"max_budget": "x", "models": ["a", 1, None]},
     [("missing", ["body", "team_id"]), ("string_type", ["body", "models", 1]), ("string_type", ["body", "models", 2]),
      ("float_parsing", ["body", "max_budget"])]),
    ("/team/model/add", {}, [("missing", ["body", "team_id"]), ("missing", ["body", "models"])]),
    ("/team/permissions_update", {}, [("missing", ["body", "team_id"]), ("missing", ["body", "team_member_permissions"])]),
    ("/project/new", {"tags": "t"}, [("missing", ["body", "team_id"]), ("list_type", ["body", "tags"])]),
    ("/user/new", {"user_role": "king", "rpm_limit": 1.5, "password": "x"},
     [("enum", ["body", "user_role"]), ("value_error", ["body", "password"]), ("int_from_float", ["body", "rpm_limit"])]),
    ("/customer/new", {"blocked": "maybe"}, [("missing", ["body", "user_id"]), ("bool_parsing", ["body", "blocked"])]),
    ("/tag/new", {"max_budget": []}, [("missing", ["body", "name"]), ("float_type", ["body", "max_budget"])]),
    ("/budget/update", {"rpm_limit": -1}, [("missing", ["body", "budget_id"]), ("greater_than_equal", ["body", "rpm_limit"])]),
    ("/invitation/update", {}, [("missing", ["body", "invitation_id"]), ("missing", ["body", "is_accepted"])]),
    ("/fallback", {}, [("missing", ["body", "model"]), ("missing", ["body", "fallback_models"])]),
    ("/key/bulk_update", {}, [("list_type", ["body", "keys"])]),
    ("/key/service-account/generate", {"max_budget": "x"}, [("missing", ["body", "team_id"]), ("float_parsing", ["body", "max_budget"])]),
    ("/jwt/key/mapping/new", {}, [("missing", ["body", "jwt_claim_name"]), ("missing", ["body", "jwt_claim_value"])]),
    ("/cost/estimate", {"output_tokens": "many"},
     [("missing", ["body", "model"]), ("missing", ["body", "input_tokens"]), ("int_parsing", ["body", "output_tokens"])]),
    ("/cost/estimate", {"model": "gpt", "input_tokens": 1, "output_tokens": 1, "reasoning_tokens": 2}, [("value_error", ["body"])]),
])  # fmt: skip
def test_everything_that_is_wrong_is_told(gateway, path, body, wrong):
    method = "PATCH" if path == "/organization/member_update" else "POST"
    found = problems(gateway.ask(method, path, body))
    assert sorted(found, key=str) == sorted(wrong, key=str)


def test_words_for_booleans_and_texts_of_numbers_are_taken(gateway):
    fields = {"blocked": "yes", "rpm_limit": " 5 ", "max_budget": "1_0.5", "tpm_limit": 7.0, "throttle_on_budget_exceeded": "on"}
    made = ok(gateway.ask("POST", "/key/generate", fields))
    assert gateway.key_info(made["key"])["throttle_on_budget_exceeded"] is True
    assert (made["blocked"], made["rpm_limit"], made["max_budget"], made["tpm_limit"]) == (True, 5, 10.5, 7)
    assert gateway.chat(key=made["key"]).status == 401, "it is blocked"
    ok(gateway.ask("POST", "/key/update", {"key": made["key"], "blocked": "off"}))
    assert gateway.chat(key=made["key"]).status == 200
    name = fresh("customer")
    assert ok(gateway.ask("POST", "/customer/new", {"user_id": name, "blocked": 1}))["blocked"] is True


TOO_MUCH = [1e300, 9_223_372_037, "1e12"]


@pytest.mark.parametrize(("path", "body", "field"), [
    ("/key/generate", {}, "max_budget"), ("/key/generate", {}, "soft_budget"), ("/key/generate", {}, "spend"),
    ("/team/new", {}, "max_budget"), ("/team/new", {}, "team_member_budget"), ("/team/new", {}, "spend"),
    ("/user/new", {}, "max_budget"), ("/customer/new", {"user_id": "rich"}, "max_budget"),
    ("/customer/new", {"user_id": "rich"}, "spend"), ("/tag/new", {"name": "rich"}, "soft_budget"),
    ("/budget/new", {}, "max_budget"), ("/organization/new", {"organization_alias": "rich"}, "max_budget"),
])  # fmt: skip
def test_an_amount_that_cannot_be_counted_is_refused(gateway, path, body, field):
    for amount in TOO_MUCH:
        refused = gateway.ask("POST", path, {**body, field: amount})
        error = refused.json["error"]
        assert (refused.status, error["param"]) == (400, field), refused.body
        assert f"`{field}` is `" in error["message"] and "9223372036" in error["message"]
    budgets = {"model_max_budget": {"gpt": {"max_budget": TOO_MUCH[0], "budget_duration": "1d"}}}
    if path not in ("/customer/new", "/tag/new"):
        refused = gateway.ask("POST", path, {**body, **budgets})
        assert (refused.status, refused.json["error"]["param"]) == (400, "model_max_budget"), refused.body


def test_nor_where_it_is_added_to_a_key_or_a_member(gateway):
    key, team, user = gateway.new_key(max_budget=9_223_372_036), fresh("team"), fresh("user")
    assert gateway.key_info(key)["max_budget"] == 9_223_372_036
    raised = {"temp_budget_increase": 1e300, "temp_budget_expiry": "2030-01-31T00:00:00Z"}
    refused = gateway.ask("POST", "/key/update", {"key": key, **raised})
    assert (refused.status, refused.json["error"]["param"]) == (400, "temp_budget_increase")
    refused = gateway.ask("POST", f"/key/{key}/reset_spend", {"reset_to": 1e300})
    assert (refused.status, refused.json["error"]["param"]) == (400, "reset_to")
    ok(gateway.ask("POST", "/team/new", {"team_id": team}))
    member = {"team_id": team, "member": {"user_id": user, "role": "user"}}
    refused = gateway.ask("POST", ADD, {**member, "max_budget_in_team": 1e300})
    assert (refused.status, refused.json["error"]["param"]) == (400, "max_budget_in_team")
    ok(gateway.ask("POST", ADD, member))


def test_what_is_missing_is_told_before_what_is_not_there(gateway):
    assert problems(gateway.ask("POST", "/team/update", {"team_id": "nobody", "max_budget": "x"}))
    assert problems(gateway.ask("POST", "/project/update", {"project_id": "nobody", "tags": 1}))


def test_who_is_named_twice_is_a_member_once(gateway):
    team, name = fresh("team"), fresh("user")
    twice = [{"user_id": name, "role": "admin"}, {"user_id": name, "role": "user"}]
    made = ok(gateway.ask("POST", "/team/new", {"team_id": team, "members_with_roles": twice, "members": [name, name]}))
    assert [member["role"] for member in made["members_with_roles"] if member["user_id"] == name] == ["admin"]


def test_a_user_comes_into_no_team_that_is_not_there(gateway):
    name = fresh("user")
    for field, value in (("teams", ["nobody"]), ("teams", [{"team_id": "nobody"}]), ("team_id", "nobody"), ("organizations", ["nobody"])):
        refused = gateway.ask("POST", "/user/new", {"user_id": name, field: value})
        assert refused.status == 404 and "nobody" in refused.json["detail"]["error"], refused.body
    assert gateway.ask("GET", f"/user/info?user_id={name}").status == 404
    team = ok(gateway.ask("POST", "/team/new", {}))["team_id"]
    assert ok(gateway.ask("POST", "/user/new", {"user_id": name, "teams": [team]}))["teams"] == [team]


@pytest.mark.parametrize(("path", "body", "status", "field"), [
    ("/key/generate", {"model_max_budget": {"gpt": {"max_budget": 1, "budget_duration": 5}}}, 400, "model_max_budget"),
    ("/team/new", {"team_member_budget": 1, "team_member_budget_duration": "often"}, 400, "team_member_budget_duration"),
    ("/team/new", {"members_with_roles": [{"user_id": "u", "role": 7}]}, 422, "role"),
    ("/credentials", {"credential_name": " ", "credential_values": {"a": "b"}, "credential_info": {}}, 422, "credential_name"),
    ("/tag/new", {"name": "t", "description": 5}, 422, "description"),
    ("/key/generate", {"budget_id": 5}, 422, "budget_id"),
    ("/key/generate", {"budget_id": ["b"]}, 422, "budget_id"),
    ("/key/generate", {"end_user_budget_id": {}}, 422, "end_user_budget_id"),
    ("/organization/new", {"organization_alias": "o", "allowed_models": "gpt"}, 422, "allowed_models"),
])  # fmt: skip
def test_what_cannot_be_meant_is_refused(spawn, path, body, status, field):
    gateway = spawn(general_settings={"store_model_in_db": True})
    refused = gateway.ask("POST", path, body)
    assert refused.status == status, refused.body
    named = refused.json["detail"][0]["loc"][1] if status == 422 else refused.json["error"]["param"]
    assert named == field
