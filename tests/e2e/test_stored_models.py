"""Models and credentials that are made over the management API and kept in the database."""

import json
import signal
import sqlite3
from urllib.parse import quote

import pytest
from support.common import fresh, ok, until
from support.gateway import CALL_COST, MASTER_KEY, Gateway, entry

STORED = {"general_settings": {"master_key": MASTER_KEY, "store_model_in_db": True}}
SECRET = "sk-upstream-secret-0123456789"


def params(upstream, **more):
    return entry("", "openai/say", upstream.base + "/v1", **{"api_key": SECRET, **more})["litellm_params"]


def new(gateway, upstream, name, **fields):
    body = {"model_name": name, "litellm_params": params(upstream), **fields}
    return ok(gateway.ask("POST", "/model/new", body))


def names(gateway):
    return [model["id"] for model in ok(gateway.ask("GET", "/v1/models"))["data"]]


@pytest.fixture
def keeper(spawn):
    return spawn(**STORED)


def test_a_model_is_usable_at_once_and_after_a_restart(keeper, upstream):
    name = fresh("made")
    row = new(keeper, upstream, name, model_info={"mode": "chat"})
    assert (row["model_name"], row["model_info"]["id"], row["blocked"]) == (name, row["model_id"], False)
    assert SECRET not in json.dumps(row)
    key = keeper.new_key(models=[name])
    assert ok(keeper.chat(name, key))["model"]
    assert upstream.asked[-1].headers["authorization"] == f"Bearer {SECRET}"
    assert keeper.spend(key, at_least=CALL_COST / 2) > 0
    keeper.stop()
    keeper.start()
    assert ok(keeper.chat(name, key))
    [info] = [row for row in ok(keeper.ask("GET", "/model/info"))["data"] if row["model_name"] == name]
    assert info["model_info"]["db_model"] is True
    assert SECRET not in json.dumps(info)


def test_updates_merge_and_nulls_take_away(keeper, upstream):
    name = fresh("patched")
    id = new(keeper, upstream, name)["model_id"]
    patch = {"litellm_params": {"api_key": "sk-another-secret-987654", "temperature": 0.5}}
    row = ok(keeper.ask("PATCH", f"/model/{id}/update", patch))
    assert row["litellm_params"]["model"] == "openai/say"
    ok(keeper.chat(name))
    asked = upstream.asked[-1]
    assert asked.headers["authorization"] == "Bearer sk-another-secret-987654"
    assert asked.body["temperature"] == 0.5
    body = {"model_info": {"id": id}, "litellm_params": {"temperature": None}, "model_name": name + "-2"}
    ok(keeper.ask("POST", "/model/update", body))
    ok(keeper.chat(name + "-2"))
    assert "temperature" not in upstream.asked[-1].body
    assert name not in names(keeper)


def test_a_blocked_model_refuses_and_a_deleted_one_is_gone(keeper, upstream):
    name = fresh("blocked")
    id = new(keeper, upstream, name)["model_id"]
    ok(keeper.ask("POST", "/model/block", {"model_id": id}))
    assert keeper.chat(name).status in (403, 503)
    ok(keeper.ask("POST", "/model/unblock", {"model_id": id}))
    ok(keeper.chat(name))
    gone = ok(keeper.ask("POST", "/model/delete", {"id": id}))
    assert gone == {"message": f"Model: {id} deleted successfully"}
    assert keeper.chat(name).status == 400 and name not in names(keeper)
    again = keeper.ask("POST", "/model/delete", {"id": id})
    assert (again.status, again.json["error"]["type"]) == (400, "auth_error")


def test_what_cannot_be_served_is_refused_and_kept_nowhere(keeper, upstream):
    before = names(keeper)
    bad = {"model_name": "bad", "litellm_params": {"model": "openai/x", "rpm": "many", "api_key": SECRET}}
    answer = keeper.ask("POST", "/model/new", bad)
    assert answer.status == 400 and "rpm" in answer.json["error"]["message"], answer.body
    assert SECRET not in answer.body.decode()
    unknown = {"model_name": "bad", "litellm_params": {"model": "openai/x", "litellm_credential_name": "none"}}
    assert keeper.ask("POST", "/model/new", unknown).status == 400
    assert keeper.ask("POST", "/model/new", {"model_name": "bad"}).status == 422
    assert names(keeper) == before
    id = new(keeper, upstream, fresh("twice"))["model_id"]
    body = {"model_name": "x", "litellm_params": params(upstream), "model_info": {"id": id}}
    assert keeper.ask("POST", "/model/new", body).status == 400
    in_file = ok(keeper.ask("GET", "/model/info"))["data"][0]["model_info"]["id"]
    assert keeper.ask("PATCH", f"/model/{in_file}/update", {"model_name": "x"}).status == 400
    assert keeper.ask("PATCH", "/model/nobody/update", {"model_name": "x"}).status == 404


def test_only_administrators_change_models(keeper, upstream):
    key = keeper.new_key()
    body = {"model_name": "mine", "litellm_params": params(upstream)}
    for path, ask in [("/model/new", body), ("/model/delete", {"id": "x"}), ("/credentials", {})]:
        assert keeper.ask("POST", path, ask, key=key).status in (401, 403), path
    assert keeper.ask("GET", "/credentials", key=key).status in (401, 403)


def test_a_model_signs_in_with_a_credential(keeper, upstream):
    name, model = fresh("ünser schlüssel").replace(" ", "-"), fresh("with-credential")
    body = {
        "credential_name": name,
        "credential_values": {"api_key": SECRET, "api_base": upstream.base + "/v1"},
        "credential_info": {"description": "ours"},
    }
    made = ok(keeper.ask("POST", "/credentials", body))
    assert made == {"success": True, "message": "Credential created successfully"}
    assert keeper.ask("POST", "/credentials", body).status == 400
    named = {"model": "openai/say", "litellm_credential_name": name}
    ok(keeper.ask("POST", "/model/new", {"model_name": model, "litellm_params": named}))
    ok(keeper.chat(model))
    assert upstream.asked[-1].headers["authorization"] == f"Bearer {SECRET}"
    listed = ok(keeper.ask("GET", "/credentials"))["credentials"]
    [row] = [row for row in listed if row["credential_name"] == name]
    assert (row["credential_values"]["api_key"], row["source"]) == ("sk****89", "db")
    path = quote(name)
    assert ok(keeper.ask("GET", f"/credentials/by_name/{path}"))["credential_info"] == {"description": "ours"}
    ok(keeper.ask("PATCH", f"/credentials/{path}", {"credential_values": {"api_key": "sk-rotated-0123456789"}}))
    ok(keeper.chat(model))
    assert upstream.asked[-1].headers["authorization"] == "Bearer sk-rotated-0123456789"
    ok(keeper.ask("DELETE", f"/credentials/{path}"))
    assert keeper.ask("GET", f"/credentials/by_name/{path}").status == 404


def test_secrets_are_sealed_at_rest(keeper, upstream):
    if Gateway.server:
        pytest.skip("looks into a SQLite file")
    new(keeper, upstream, fresh("sealed"))
    keeper.stop()
    [file] = keeper.home.rglob("gateway.db")
    rows = sqlite3.connect(file).execute("SELECT sealed FROM config_entries").fetchall()
    assert len(rows) == 1
    stored = file.read_bytes() + b"".join(path.read_bytes() for path in keeper.home.rglob("gateway.db-*"))
    assert SECRET.encode() not in stored and b"openai" not in rows[0][0]
    assert SECRET not in keeper.log()


def test_with_another_salt_a_model_is_left_out_and_said(keeper, upstream):
    name = fresh("salted")
    new(keeper, upstream, name)
    keeper.stop()
    keeper.environment = {**keeper.environment, "LITELLM_SALT_KEY": "sk-another-salt-123456"}
    keeper.start()
    assert name not in names(keeper) and keeper.chat().status == 200
    assert "LITELLM_SALT_KEY" in keeper.log()


def test_without_the_setting_models_are_not_kept(gateway, upstream):
    answer = gateway.ask("POST", "/model/new", {"model_name": "x", "litellm_params": params(upstream)})
    assert answer.status == 500
    assert "STORE_MODEL_IN_DB" in answer.json["detail"]["error"]


def test_other_replicas_follow(server, spawn, upstream):
    environment = {"DATABASE_URL": server.database()}
    first, second = spawn(environment=environment, **STORED), spawn(environment=environment, **STORED)
    name = fresh("followed")
    id = new(first, upstream, name)["model_id"]
    until(lambda: second.chat(name).status == 200, seconds=5)
    ok(second.ask("POST", "/model/delete", {"id": id}))
    until(lambda: first.chat(name).status != 200, seconds=5)


def test_a_reload_of_the_file_keeps_what_the_database_has(keeper, upstream):
    name = fresh("kept")
    new(keeper, upstream, name)
    said = keeper.log().count("a new configuration is in force")
    keeper.signal(signal.SIGHUP)
    until(lambda: keeper.log().count("a new configuration is in force") > said, seconds=5)
    ok(keeper.chat(name))
