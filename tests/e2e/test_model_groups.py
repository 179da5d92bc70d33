"""Access groups of models that are kept in the database, and what may be spent on them."""

import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest
from support.common import fresh, ok, until
from support.gateway import CALL_COST, MASTER_KEY, entry

GROUPED = {**entry("in-file", "openai/say", "http://127.0.0.1:1/v1"), "model_info": {"access_groups": ["of-file"]}}
# Less than the call costs that is made first.
TINY = round(CALL_COST / 2, 9)
STORED = {"general_settings": {"master_key": MASTER_KEY, "store_model_in_db": True}, "models": [GROUPED]}


def model(gateway, upstream, name, **info):
    params = entry("", "openai/say", upstream.base + "/v1")["litellm_params"]
    return ok(gateway.ask("POST", "/model/new", {"model_name": name, "litellm_params": params, "model_info": info}))


def group(gateway, *names, name=None, **budget):
    name = name or fresh("group")
    ok(gateway.ask("POST", "/access_group/new", {"access_group": name, "model_names": list(names)}))
    if budget:
        ok(gateway.ask("PUT", f"/access_group/{name}/budget", budget))
    return name


def spent(gateway, name):
    return ok(gateway.ask("GET", f"/access_group/{quote(name, safe='')}/budget"))["spend"]


@pytest.fixture
def keeper(spawn):
    return spawn(**STORED)


@pytest.fixture
def names(keeper, upstream):
    """Two models that are kept in the database, the second with two deployments."""
    one, two = fresh("one"), fresh("two")
    for name in (one, two, two):
        model(keeper, upstream, name)
    return one, two


def test_a_group_in_litellms_shape(keeper, names):
    one, two = names
    name = "tier a/ß"
    path = f"/access_group/{quote(name, safe='')}"
    made = ok(keeper.ask("POST", "/access_group/new", {"access_group": name, "model_names": [one, two]}))
    assert made == {"access_group": name, "model_names": [one, two], "model_ids": None, "models_updated": 3}
    again = keeper.ask("POST", "/access_group/new", {"access_group": name, "model_names": [one]})
    assert again.status == 409 and "already exists" in again.json["detail"]["error"]
    info = ok(keeper.ask("GET", f"{path}/info"))
    assert info == {
        "access_group": name,
        "model_names": sorted([one, two]),
        "deployment_count": 3,
        "spend": 0.0,
        "budget": None,
    }
    assert ok(keeper.ask("GET", "/access_group/list")) == {"access_groups": [info]}
    changed = ok(keeper.ask("PUT", f"{path}/update", {"model_names": [two]}))
    assert changed["models_updated"] == 2
    assert ok(keeper.ask("GET", f"{path}/info"))["model_names"] == [two]
    gone = ok(keeper.ask("DELETE", f"{path}/delete"))
    assert gone == {
        "access_group": name,
        "models_updated": 2,
        "message": f"Access group '{name}' deleted successfully",
    }
    assert ok(keeper.ask("GET", "/access_group/list")) == {"access_groups": []}
    assert keeper.ask("GET", f"{path}/info").status == 404


def test_a_group_grants_its_models_at_once(keeper, names):
    one, two = names
    name = group(keeper, one)
    key = keeper.new_key(models=[name])
    ok(keeper.chat(one, key))
    assert keeper.chat(two, key).json["error"]["type"] == "key_model_access_denied"
    ok(keeper.ask("PUT", f"/access_group/{name}/update", {"model_names": [two]}))
    ok(keeper.chat(two, key))
    assert keeper.chat(one, key).status == 403
    ok(keeper.ask("DELETE", f"/access_group/{name}/delete"))
    assert keeper.chat(two, key).status == 403


def test_one_of_several_deployments_by_its_id(keeper, upstream):
    name = fresh("ids")
    ids = [model(keeper, upstream, name)["model_id"] for _ in range(2)]
    body = {"access_group": fresh("group"), "model_ids": ids[:1]}
    assert ok(keeper.ask("POST", "/access_group/new", body))["models_updated"] == 1
    assert ok(keeper.ask("GET", f"/access_group/{body['access_group']}/info"))["deployment_count"] == 1


def test_what_is_refused(keeper, names):
    one, _ = names
    new = lambda **body: keeper.ask("POST", "/access_group/new", body)
    assert new(model_names=[one]).status == 422
    assert new(access_group=" ", model_names=[one]).status == 400
    assert "must be provided" in new(access_group="x", model_names=[]).json["detail"]["error"]
    assert new(access_group="x", model_names=["nobody"]).json["detail"]["error"] == "Model(s) not found: nobody"
    of_file = new(access_group="x", model_names=[one, "in-file"])
    assert of_file.status == 400
    assert "only supported for database models" in of_file.json["detail"]["error"]
    assert "not found in Database" in new(access_group="x", model_ids=["nobody"]).json["detail"]["error"]
    # A group of the file is the file's to change, and what was refused changed nothing.
    assert keeper.ask("GET", "/access_group/of-file/info").status == 404
    assert keeper.ask("PUT", "/access_group/of-file/budget", {"max_budget": 1}).status == 404
    assert ok(keeper.ask("GET", "/access_group/list")) == {"access_groups": []}
    name = group(keeper, one)
    budget = lambda **body: keeper.ask("PUT", f"/access_group/{name}/budget", body)
    assert budget().status == 400
    assert budget(max_budget=-1).status == 400
    assert budget(budget_duration="soon").status == 400
    assert budget(budget_id="nobody").status == 404
    assert ok(keeper.ask("GET", f"/access_group/{name}/budget"))["budget"] is None


def test_only_administrators(keeper, names):
    name = group(keeper, names[0])
    user = ok(keeper.ask("POST", "/user/new", {"user_id": fresh("user"), "user_role": "internal_user"}))
    viewer = ok(keeper.ask("POST", "/user/new", {"user_id": fresh("user"), "user_role": "proxy_admin_viewer"}))
    for key in (user["key"], keeper.new_key()):
        assert keeper.ask("GET", "/access_group/list", key=key).status == 401
        assert keeper.ask("PUT", f"/access_group/{name}/budget", {"max_budget": 1}, key=key).status == 401
    assert keeper.ask("GET", "/access_group/list", key=viewer["key"]).status == 200
    assert keeper.ask("DELETE", f"/access_group/{name}/delete", key=viewer["key"]).status == 403


def test_a_budget_is_shared_by_whoever_the_group_lets_in(keeper, names):
    one, two = names
    name = group(keeper, one, two, max_budget=1.5 * CALL_COST, budget_duration="1d")
    team = ok(keeper.ask("POST", "/team/new", {"models": [name]}))["team_id"]
    by_key, by_team = keeper.new_key(models=[name]), keeper.new_key(team_id=team)
    direct, free = keeper.new_key(models=[one]), keeper.new_key()
    for key in (direct, free, MASTER_KEY):
        ok(keeper.chat(one, key))
    ok(keeper.chat(one, by_key))
    until(lambda: abs(spent(keeper, name) - CALL_COST) < 1e-12)
    ok(keeper.chat(two, by_team))
    until(lambda: abs(spent(keeper, name) - 2 * CALL_COST) < 1e-12)
    for key, asked in ((by_key, one), (by_team, two)):
        refused = keeper.chat(asked, key)
        assert refused.status == 422, refused.body
        error = refused.json["error"]
        assert error["type"] == "budget_exceeded"
        assert error["message"].startswith(f"Budget has been exceeded! ModelAccessGroup={name} Current cost: ")
    for key in (direct, free, MASTER_KEY):
        ok(keeper.chat(one, key))
    assert abs(spent(keeper, name) - 2 * CALL_COST) < 1e-12, "who needs no group pays into none"
    ok(keeper.ask("PUT", f"/access_group/{name}/budget", {"max_budget": 1}))
    ok(keeper.chat(one, by_key))
    shown = ok(keeper.ask("GET", f"/access_group/{name}/budget"))["budget"]
    assert (shown["max_budget"], shown["budget_duration"]) == (1.0, "1d")
    assert shown["budget_reset_at"] is not None


def test_a_budget_lasts_and_goes(keeper, names):
    name = group(keeper, names[0], max_budget=TINY)
    key = keeper.new_key(models=[name])
    ok(keeper.chat(names[0], key))
    until(lambda: spent(keeper, name) > 0)
    keeper.stop()
    keeper.start()
    assert abs(spent(keeper, name) - CALL_COST) < 1e-12
    assert keeper.chat(names[0], key).status == 422
    gone = ok(keeper.ask("DELETE", f"/access_group/{name}/budget"))
    assert gone["budget_deleted"] is True
    ok(keeper.chat(names[0], key))
    assert ok(keeper.ask("DELETE", f"/access_group/{name}/budget"))["budget_deleted"] is False
    assert ok(keeper.ask("GET", f"/access_group/{name}/budget")) == {
        "access_group": name,
        "spend": 0.0,
        "budget": None,
    }
    ok(keeper.ask("PUT", f"/access_group/{name}/budget", {"max_budget": 1}))
    assert spent(keeper, name) == 0.0, "a new budget begins anew"


def test_a_shared_budget_gives_the_limits(keeper, names):
    id = ok(keeper.ask("POST", "/budget/new", {"max_budget": TINY}))["budget_id"]
    name = group(keeper, names[0], budget_id=id)
    shown = ok(keeper.ask("GET", f"/access_group/{name}/budget"))["budget"]
    assert (shown["budget_id"], shown["max_budget"]) == (id, TINY)
    key = keeper.new_key(models=[name])
    ok(keeper.chat(names[0], key))
    until(lambda: spent(keeper, name) > 0)
    assert keeper.chat(names[0], key).status == 422
    ok(keeper.ask("POST", "/budget/update", {"budget_id": id, "max_budget": 1}))
    ok(keeper.chat(names[0], key))


def test_a_budget_is_not_overshot_by_concurrency(keeper, upstream):
    name = fresh("slow")
    params = entry("", "openai/slow-50", upstream.base + "/v1")["litellm_params"]
    ok(keeper.ask("POST", "/model/new", {"model_name": name, "litellm_params": params}))
    limited = group(keeper, name, max_budget=10 * CALL_COST)
    keys = [keeper.new_key(models=[limited]) for _ in range(4)]
    with ThreadPoolExecutor(32) as pool:
        statuses = list(pool.map(lambda number: keeper.chat(name, keys[number % 4]).status, range(100)))
    assert set(statuses) == {200, 422}
    assert statuses.count(200) * CALL_COST <= 10 * CALL_COST + CALL_COST
    until(lambda: abs(spent(keeper, limited) - statuses.count(200) * CALL_COST) < 1e-9)


def test_changes_are_written_down(keeper, names):
    name = group(keeper, names[0], max_budget=1)
    ok(keeper.ask("DELETE", f"/access_group/{name}/delete"))
    rows = ok(keeper.ask("GET", f"/audit?object_id={name}"))["audit_logs"]
    told = {(row["table_name"], row["action"]) for row in rows}
    assert {("LiteLLM_ModelAccessGroupBudgetTable", "created"), ("LiteLLM_ModelAccessGroupBudgetTable", "deleted")} <= told


def test_replicas_share_the_budget_and_follow_its_changes(server, spawn, upstream):
    environment = {"DATABASE_URL": server.database()}
    first, second = spawn(environment=environment, **STORED), spawn(environment=environment, **STORED)
    asked = fresh("followed")
    model(first, upstream, asked)
    name = group(first, asked)
    key = first.new_key(models=[name])
    until(lambda: second.chat(asked, key).status == 200)
    ok(first.ask("PUT", f"/access_group/{name}/budget", {"max_budget": 20 * CALL_COST}))
    time.sleep(1)
    ask = lambda number: (first, second)[number % 2].chat(asked, key).status
    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(ask, range(80)))
    assert set(statuses) == {200, 422}
    assert statuses.count(200) * CALL_COST <= 20 * CALL_COST + CALL_COST
    ok(second.ask("DELETE", f"/access_group/{name}/budget"))
    until(lambda: first.chat(asked, key).status == 200)
