"""Names that are longer than what is booked under can be kept: refused where they are made, cut where calls name them."""

import pytest
from support.common import fresh, ok
from support.gateway import CALL_COST

LONG = "x" * 256
ALIAS = "a" * 1_001


@pytest.mark.parametrize("method, path, body, words", [
    ("POST", "/team/new", {"team_id": LONG}, "the id of the team has 256 bytes, expected 255 at most"),
    ("POST", "/user/new", {"user_id": LONG, "auto_create_key": False}, "the id of the user has 256 bytes"),
    ("POST", "/organization/new", {"organization_id": LONG, "organization_alias": "o"}, "the id of the organization"),
    ("POST", "/customer/new", {"user_id": LONG}, "the id of the customer"),
    ("POST", "/tag/new", {"name": LONG}, "the id of the tag"),
    ("POST", "/budget/new", {"budget_id": LONG}, "the id of the budget"),
    ("POST", "/key/generate", {"user_id": LONG}, "`user_id` has 256 bytes"),
    ("POST", "/key/generate", {"team_id": LONG}, "`team_id` has 256 bytes"),
    ("POST", "/key/generate", {"key_alias": ALIAS}, "`key_alias` has 1001 bytes, expected 1000 at most"),
    ("POST", "/team/new", {"team_alias": ALIAS}, "the alias has 1001 bytes"),
    ("POST", "/user/new", {"user_email": ALIAS, "auto_create_key": False}, "the mail address has 1001 bytes"),
])
def test_what_nobody_would_find_again_is_refused(gateway, method, path, body, words):
    refused = gateway.ask(method, path, body)
    assert refused.status == 400 and words in str(refused.json), refused.body
    assert refused.json["error"]["param"] == next(name for name, said in body.items() if said in (LONG, ALIAS))


def test_a_mail_address_of_any_length_is_refused(gateway):
    refused = gateway.ask("POST", "/user/new", {"user_email": "m" * 100_000, "auto_create_key": False})
    assert (refused.status, refused.json["error"]["param"]) == (400, "user_email"), refused.body


def test_a_change_does_not_make_them_longer_either(gateway):
    key = gateway.new_key()
    for field in ("user_id", "team_id"):
        assert gateway.ask("POST", "/key/update", {"key": key, field: LONG}).status == 400
    assert gateway.key_info(key)["user_id"] is None
    team = ok(gateway.ask("POST", "/team/new", {}))["team_id"]
    assert gateway.ask("POST", "/team/update", {"team_id": team, "team_alias": ALIAS}).status == 400


def test_a_customer_with_a_long_name_is_billed_under_its_beginning(gateway, provider):
    name = fresh("c") + "ä" * 200
    kept = name.encode()[:255].decode(errors="ignore")
    ok(gateway.ask("POST", "/customer/new", {"user_id": kept, "max_budget": 1.5 * CALL_COST}))
    key = gateway.new_key()
    statuses = [gateway.chat("oai/say", key, user=name, max_tokens=5).status for _ in range(4)]
    assert 422 in statuses, "the customer's budget holds"
    gateway.spend(key, CALL_COST)
    spent = ok(gateway.ask("GET", f"/customer/info?end_user_id={kept}".replace("ä", "%C3%A4")))["spend"]
    assert spent == pytest.approx(statuses.count(200) * CALL_COST)


@pytest.mark.parametrize("path, body", [
    ("/team/new", {"team_id": "a\0b"}), ("/team/new", {"team_alias": "a\0b"}), ("/key/generate", {"key_alias": "a\0b"}),
    ("/user/new", {"user_id": "a\0b", "auto_create_key": False}), ("/customer/new", {"user_id": "a\0b"}),
])
def test_a_nul_character_is_refused(gateway, path, body):
    refused = gateway.ask("POST", path, body)
    assert refused.status == 400 and "NUL" in str(refused.json), refused.body


def test_calls_that_name_such_a_customer_or_tag_are_served(gateway, provider):
    key = gateway.new_key()
    assert gateway.chat("oai/say", key, user="a\0b", metadata={"tags": ["t\0g"]}).status == 200
    row = gateway.rows(key, 1)[0]
    assert (row["end_user"], row["request_tags"]) == ("a\ufffdb", ["t\ufffdg"])
