"""Virtual keys: made, read, changed, listed, blocked and deleted as LiteLLM's clients do it."""

import hashlib

import pytest


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
