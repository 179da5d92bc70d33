"""A LiteLLM database comes over, and calls with its keys behave as they did there."""

import gzip
import json
import os
import subprocess
import time
from pathlib import Path

import pytest
from support.gateway import MASTER_KEY, ROOT, binary, entry
from support.postgres import Postgres, programs

SAMPLES = Path(os.environ.get("GATEWAY_SHARED", ROOT.parent / "shared")) / "litellm-db"
# What the sample's models were called and which groups they were in; any provider will do.
MODELS = {
    "gpt-4o": ["premium-plus"],
    "gpt-4o-mini": ["cheap"],
    "claude-sonnet": ["premium", "premium-plus"],
    "house-llama": ["cheap", "house"],
    "text-embedding-3-small": ["cheap"],
    "openai/*": [],
}
# `enforced`: LiteLLM answered 500, its own parameter check failed without a licence.
# Wildcards reach names the mock does not know how to play.
LEFT_OUT = {"enforced"}
SALT = "sk-salt-for-tests-0123456789"


@pytest.fixture(scope="module")
def source():
    if not SAMPLES.is_dir():
        pytest.skip(f"no sample of a LiteLLM database at {SAMPLES}")
    if not programs():
        pytest.skip("PostgreSQL is not installed")
    server = Postgres()
    url = server.database()
    psql = [server.programs / "psql", "-q", "-v", "ON_ERROR_STOP=1", url]
    dump = gzip.decompress((SAMPLES / "sample.sql.gz").read_bytes())
    subprocess.run(psql, input=dump, check=True, capture_output=True)
    yield url
    server.stop()


@pytest.fixture(scope="module")
def truth():
    return json.loads((SAMPLES / "truth.json").read_text())


def imported(source, *more, salt=SALT):
    arguments = ["import", "litellm", "--database-url", source, *(["--salt-key", salt] if salt else []), *more]
    return subprocess.run([binary(), *arguments], capture_output=True, text=True, timeout=120)


def test_keys_of_litellm_behave_as_they_did(source, truth, spawn, upstream):
    models = []
    for name, groups in MODELS.items():
        wild = name.endswith("*")
        made = entry(name, "openai/*" if wild else "openai/say", upstream.base + "/v1")
        models.append({**made, "model_info": {"access_groups": groups}})
    alias = {"gpt-4": "gpt-4o", "hidden-gpt": "gpt-4o"}
    gateway = spawn(models=models, router_settings={"model_group_alias": alias})
    url = gateway.environment.get("DATABASE_URL")
    into = ["--into", url] if url else ["--data-dir", gateway.home / "data"]
    done = imported(source, *into)
    assert done.returncode == 0, done.stderr
    assert "LiteLLM_VerificationToken: 73 rows read, 73 written, 0 here already" in done.stdout
    asked = 0
    for key in truth["keys"]:
        calls = key["observed"] if isinstance(key["observed"], list) else []
        if key["label"] in LEFT_OUT or not calls:
            continue
        if calls[-1]["status"] == 422:
            calls = calls[-1:]  # what was spent before came over too
        for call in calls:
            if call.get("path") != "/v1/chat/completions" or call["model"] not in {*MODELS, *alias, "fast", "best"}:
                continue
            answer = gateway.chat(call["model"], key["key"])
            assert answer.status == call["status"], (key["label"], call, answer.body)
            if "error_type" in call:
                assert answer.json["error"]["type"] == call["error_type"], (key["label"], answer.body)
            asked += 1
    assert asked > 100
    for key in truth["deleted_keys"]:
        assert gateway.chat("gpt-4o", key["key"]).status == 401


def test_models_and_credentials_of_litellm_are_in_force(source, truth, spawn):
    general = {"master_key": MASTER_KEY, "store_model_in_db": True}
    environment = {"LITELLM_SALT_KEY": SALT, "OPENAI_API_KEY": "sk-of-the-environment"}
    gateway = spawn(environment=environment, general_settings=general)
    url = gateway.environment.get("DATABASE_URL")
    done = imported(source, *(["--into", url] if url else ["--data-dir", gateway.home / "data"]))
    assert done.returncode == 0, done.stderr
    assert "LiteLLM_ProxyModelTable: 19 rows read, 19 written, 0 here already" in done.stdout
    assert "LiteLLM_CredentialsTable: 5 rows read, 5 written, 0 here already" in done.stdout
    until = time.monotonic() + 10
    while True:
        rows = gateway.ask("GET", "/model/info").json["data"]
        found = {row["model_info"]["id"]: row for row in rows if row["model_info"]["db_model"]}
        if found or time.monotonic() > until:
            break
        time.sleep(0.1)
    # The sample's Google key is none: what cannot sign in is left out, and said.
    without_key = {"db-vertex-flash", "db-vertex-cred"}
    assert set(found) == {model["model_id"] for model in truth["models"]} - without_key
    assert all(f"stored_models[{id}].litellm_params.vertex_credentials" in gateway.log() for id in without_key)
    shown = json.dumps(list(found.values()))
    for model in truth["models"]:
        if model["model_id"] in without_key:
            continue
        params = model["litellm_params"]
        assert found[model["model_id"]]["litellm_params"]["model"] == params["model"]
        assert not params.get("api_key", "").startswith("sk-") or params["api_key"] not in shown
    listed = gateway.ask("GET", "/credentials").json["credentials"]
    assert {row["credential_name"] for row in listed} == {row["credential_name"] for row in truth["credentials"]}


def test_users_of_litellm_sign_in_as_they_did(source, truth, spawn):
    gateway = spawn()
    url = gateway.environment.get("DATABASE_URL")
    into = ["--into", url] if url else ["--data-dir", gateway.home / "data"]
    done = imported(source, *into)
    assert done.returncode == 0, done.stderr
    known = [user for user in truth["users"] if user.get("password")]
    assert known
    for user in known:
        login = lambda password: gateway.ask(
            "POST", "/v2/login", {"username": user["user_email"], "password": password}, key=None
        )
        answer = login(user["password"])
        assert answer.status == 200, answer.body
        assert (answer.json["user_id"], answer.json["user_role"]) == (user["user_id"], user["user_role"])
        assert login(user["password"] + "!").status == 401
        assert "scrypt" not in gateway.ask("GET", f"/user/info?user_id={user['user_id']}").body.decode()


def test_without_a_salt_sealed_rows_are_reported(source, tmp_path):
    done = imported(source, "--dry-run", "--data-dir", tmp_path / "data", salt=None)
    assert done.returncode == 1
    assert "LiteLLM_ProxyModelTable: row `db-openai-gpt4o`: `litellm_params` is sealed" in done.stderr


def test_a_rehearsal_writes_nothing_and_a_wrong_source_says_so(source, tmp_path):
    done = imported(source, "--dry-run", "--data-dir", tmp_path / "data")
    assert done.returncode == 0
    assert "LiteLLM_TeamTable: 8 rows read, 8 would be written" in done.stdout
    assert "LiteLLM_GuardrailsTable: not carried, 1 rows" in done.stdout
    done = imported(source, "--data-dir", tmp_path / "data")
    assert "LiteLLM_TeamTable: 8 rows read, 8 written, 0 here already" in done.stdout, "nothing was here before"
    done = imported(f"sqlite://{tmp_path}/x.db", "--data-dir", tmp_path / "data")
    assert done.returncode == 1
    assert "PostgreSQL" in done.stderr
