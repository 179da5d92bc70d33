"""Who sees whose spend: the reports by owner, and what is one's own of the others."""

import datetime
import time
from hashlib import sha256

import pytest
from support.common import fresh, ok
from support.gateway import CALL_COST, INPUT_PRICE, OUTPUT_PRICE

PATHS = {"key": "api_key", "user": "internal_user_id", "team": "team_id", "organization": "organization_id"}


def days():
    now = datetime.datetime.now(datetime.timezone.utc).date()
    day = datetime.timedelta(days=1)
    return f"start_date={now - day}&end_date={now + day}"


def report(gateway, kind, key=None, **params):
    query = "&".join([days(), *(f"{name}={value}" for name, value in params.items())])
    more = {"key": key} if key else {}
    return gateway.ask("GET", f"/{kind}/spend/report?{query}", **more)


def hashed(key):
    return sha256(key.encode()).hexdigest()


@pytest.fixture(scope="module")
def world(shared, provider):
    """Two organisations with a team each, a user in each team, and a key that belongs to an organisation alone."""
    provider.clear()
    names = {}
    for side in ("one", "two"):
        org = ok(shared.ask("POST", "/organization/new", {"organization_alias": fresh("org")}))["organization_id"]
        team = ok(shared.ask("POST", "/team/new", {"team_id": fresh("team"), "organization_id": org}))["team_id"]
        user = ok(shared.ask("POST", "/user/new", {"user_id": fresh("user"), "user_role": "internal_user", "auto_create_key": False}))["user_id"]
        ok(shared.ask("POST", "/team/member_add", {"team_id": team, "member": {"user_id": user, "role": "user"}}))
        names[side] = {"org": org, "team": team, "user": user, "key": shared.new_key(user_id=user, team_id=team)}
    chief = fresh("chief")
    ok(shared.ask("POST", "/user/new", {"user_id": chief, "user_role": "internal_user", "auto_create_key": False}))
    ok(shared.ask("POST", "/organization/member_add", {"organization_id": names["one"]["org"], "member": {"user_id": chief, "role": "org_admin"}}))
    names["chief"] = shared.new_key(user_id=chief, organization_id=names["one"]["org"])
    names["direct"] = shared.new_key(organization_id=names["two"]["org"])
    tag = {"metadata": {"tags": [fresh("tag")]}}
    names["tag"] = tag["metadata"]["tags"][0]
    for key in (names["one"]["key"], names["two"]["key"], names["direct"]):
        assert shared.chat("oai/say", key, **tag).status == 200
    assert shared.chat("claude", names["one"]["key"]).status == 200
    until = time.monotonic() + 15
    while sum(row["total_cost"] for row in ok(report(shared, "organization", organization_id=names["two"]["org"]))) < 1.9 * CALL_COST:
        assert time.monotonic() < until
        time.sleep(0.1)
    until = time.monotonic() + 15
    while sum(row["total_cost"] for row in ok(report(shared, "key", api_key=names["one"]["key"]))) < 1.9 * CALL_COST:
        assert time.monotonic() < until
        time.sleep(0.1)
    return names


def element(key, calls, models):
    return (hashed(key), pytest.approx(calls * CALL_COST), calls * 10, calls * 5, sorted(models))


def told(rows):
    for row in rows:
        for detail in row["model_details"]:
            assert detail["total_cost"] == pytest.approx(detail["total_input_tokens"] * INPUT_PRICE + detail["total_output_tokens"] * OUTPUT_PRICE)
    return [
        (row["api_key"], row["total_cost"], row["total_input_tokens"], row["total_output_tokens"], sorted({detail["model"] for detail in row["model_details"]}))
        for row in rows
    ]


def test_everybody_sees_their_own(gateway, world):
    one = world["one"]
    for kind in ("key", "user", "team"):
        assert told(ok(report(gateway, kind, one["key"]))) == [element(one["key"], 2, ["say"])], kind
    assert told(ok(report(gateway, "organization", world["chief"]))) == [element(one["key"], 2, ["say"])]
    named = report(gateway, "key", one["key"], api_key=hashed(one["key"]))
    assert ok(named) == ok(report(gateway, "key", one["key"], api_key=one["key"]))


def test_nobody_sees_anothers(gateway, world):
    one, two = world["one"], world["two"]
    for kind, value in [("key", hashed(two["key"])), ("user", two["user"]), ("team", two["team"])]:
        answer = report(gateway, kind, one["key"], **{PATHS[kind]: value})
        words = f"Not authorized to view spend for a {PATHS[kind]} other than your own"
        assert (answer.status, answer.json) == (403, {"detail": words})
    for key in (one["key"], world["chief"]):
        answer = report(gateway, "organization", key, organization_id=two["org"])
        assert (answer.status, answer.json) == (403, {"detail": "You do not have access to this organization"})
    assert report(gateway, "organization", one["key"]).status == 403
    answer = report(gateway, "user", world["direct"])
    assert answer.status == 403 and "internal_user_id" in answer.json["detail"]


def test_administrators_see_all(gateway, world):
    two = world["two"]
    assert told(ok(report(gateway, "key", api_key=hashed(two["key"])))) == [element(two["key"], 1, ["say"])]
    assert told(ok(report(gateway, "user", internal_user_id=two["user"]))) == [element(two["key"], 1, ["say"])]
    assert told(ok(report(gateway, "team", team_id=two["team"]))) == [element(two["key"], 1, ["say"])]
    rows = ok(report(gateway, "organization", organization_id=two["org"]))
    expected = [element(two["key"], 1, ["say"]), element(world["direct"], 1, ["say"])]
    assert sorted(told(rows), key=lambda row: row[0]) == sorted(expected, key=lambda row: row[0])
    assert {detail["team_id"] for row in rows for detail in row["model_details"]} == {two["team"], ""}


@pytest.mark.parametrize("kind", PATHS)
@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "Please provide start_date and end_date"),
        ("start_date=2026-01-01", "Please provide start_date and end_date"),
        ("start_date=2026-13-45&end_date=2026-01-01", "start_date and end_date must be in YYYY-MM-DD format"),
    ],
)
def test_dates_are_needed(gateway, kind, query, words):
    answer = gateway.ask("GET", f"/{kind}/spend/report?{query}")
    assert (answer.status, answer.json) == (400, {"detail": words})


def test_users_see_their_own_rows_keys_and_tags(gateway, world):
    one, two = world["one"], world["two"]
    rows = ok(gateway.ask("GET", f"/spend/logs?summarize=false&user_id={two['user']}", key=one["key"]))
    assert {row["api_key"] for row in rows} == {hashed(one["key"])}, "whoever is asked for"
    paged = ok(gateway.ask("GET", f"/spend/logs/v2?{days()}&api_key={hashed(two['key'])}", key=one["key"]))
    assert paged["total"] == 0
    summed = ok(gateway.ask("GET", f"/spend/logs?{days()}", key=one["key"]))
    assert set(summed[0]["users"]) == {one["user"]}
    assert [row["token"] for row in ok(gateway.ask("GET", "/spend/keys", key=one["key"]))] == [hashed(one["key"])]
    assert [row["user_id"] for row in ok(gateway.ask("GET", "/spend/users", key=one["key"]))] == [one["user"]]
    tags = ok(gateway.ask("GET", "/spend/tags", key=one["key"]))
    mine = [row for row in tags if row["individual_request_tag"] == world["tag"]]
    assert [row["log_count"] for row in mine] == [1]
    whole = ok(gateway.ask("GET", "/spend/tags"))
    assert [row["log_count"] for row in whole if row["individual_request_tag"] == world["tag"]] == [3]
    activity = ok(gateway.ask("GET", f"/global/activity?{days()}", key=one["key"]))
    assert activity["sum_api_requests"] == 2
    for path in ("/global/spend", "/global/spend/keys", "/global/spend/logs"):
        assert gateway.ask("GET", path, key=one["key"]).status in (401, 403), path


def test_who_runs_a_team_sees_its_calls(gateway, world):
    two = world["two"]
    boss = fresh("boss")
    ok(gateway.ask("POST", "/user/new", {"user_id": boss, "user_role": "internal_user", "auto_create_key": False}))
    ok(gateway.ask("POST", "/team/member_add", {"team_id": two["team"], "member": {"user_id": boss, "role": "admin"}}))
    key = gateway.new_key(user_id=boss)
    rows = ok(gateway.ask("GET", f"/spend/logs?summarize=false&team_id={two['team']}", key=key))
    assert {row["api_key"] for row in rows} == {hashed(two["key"])}
    rows = ok(gateway.ask("GET", f"/spend/logs?summarize=false&team_id={world['one']['team']}", key=key))
    assert rows == []


def test_what_providers_may_spend(gateway, spawn):
    budgets = {"openai": {"budget_limit": 1.5, "time_period": "1d"}, "groq": {"budget_limit": 7, "time_period": "30d"}}
    limited = spawn(router_settings={"provider_budget_config": budgets})
    assert limited.chat("gpt").status == 200
    providers = ok(limited.ask("GET", "/provider/budgets"))["providers"]
    assert providers["openai"]["spend"] == pytest.approx(CALL_COST)
    assert (providers["openai"]["budget_limit"], providers["openai"]["time_period"]) == (1.5, "1d")
    assert providers["openai"]["budget_reset_at"]
    assert (providers["groq"]["spend"], providers["groq"]["budget_limit"]) == (0, 7)
    assert gateway.ask("GET", "/provider/budgets").status == 500


def test_the_master_key_resets_all_spend(spawn):
    own = spawn()
    team = ok(own.ask("POST", "/team/new", {"team_alias": fresh("team")}))["team_id"]
    key = own.new_key(team_id=team, max_budget=1.5 * CALL_COST)
    admin = ok(own.ask("POST", "/user/new", {"user_role": "proxy_admin"}))["key"]
    assert own.chat(key=key, max_tokens=1).status == 200
    own.spend(key, CALL_COST)
    assert own.ask("POST", "/global/spend/reset", key=key).status in (401, 403)
    assert own.ask("POST", "/global/spend/reset", key=admin).status in (401, 403)
    assert ok(own.ask("POST", "/global/spend/reset"))["status"] == "success"
    assert own.spend(key) == 0
    assert ok(own.ask("GET", f"/team/info?team_id={team}"))["team_info"]["spend"] == 0
    assert own.chat(key=key, max_tokens=1).status == 200, "the budget is whole again"
    assert ok(report(own, "key", api_key=key))[0]["total_cost"] >= CALL_COST * 0.99, "what was booked stays"
