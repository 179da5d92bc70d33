"""`/spend/logs/v2`: which calls a list is about, in which order, and what their sessions came to."""

import time
from datetime import datetime, timedelta, timezone
from urllib.parse import urlencode

import pytest
from support.common import fresh, ok
from support.gateway import CALL_COST
from support.replies import INPUT_TOKENS, OUTPUT_TOKENS


@pytest.fixture(scope="module")
def made(shared, provider):
    """Four calls of a key, a second apart: two of one session, one to another provider, one that failed."""
    provider.clear()
    alias = fresh("alias")
    key = shared.new_key(key_alias=alias)
    session = {"x-litellm-session-id": fresh("session")}
    assert shared.chat("oai/say", key, headers=session, user="c-1").status == 200
    time.sleep(1.1)
    middle = datetime.now(timezone.utc)
    time.sleep(1.1)
    assert shared.chat("ant/say", key, headers=session).status == 200
    assert shared.chat("oai/echo", key).status == 200
    assert shared.chat("oai/error-500", key).status >= 500
    shared.rows(key, 4)
    return {"key": key, "alias": alias, "session": session["x-litellm-session-id"], "middle": middle}


def rows(gateway, made, **query):
    day = lambda ahead: (datetime.now(timezone.utc) + timedelta(days=ahead)).strftime("%Y-%m-%d")
    query = {"start_date": day(-1), "end_date": day(1), "api_key": made["key"], **query}
    return ok(gateway.ask("GET", "/spend/logs/v2?" + urlencode({name: value for name, value in query.items() if value is not None})))["data"]


def models(gateway, made, **query):
    return [row["model"] for row in rows(gateway, made, **query)]


def test_filters(gateway, made):
    assert sorted(models(gateway, made)) == ["echo", "error-500", "say", "say"]
    assert models(gateway, made, status_filter="failure") == ["error-500"]
    assert len(models(gateway, made, status_filter="success")) == 3
    assert models(gateway, made, model="echo") == ["echo"]
    assert models(gateway, made, error_code="500") == ["error-500"] and models(gateway, made, error_code="404") == []
    assert models(gateway, made, min_spend=CALL_COST / 2, max_spend=CALL_COST * 2, model="echo") == ["echo"]
    assert models(gateway, made, max_spend=CALL_COST / 2) == ["error-500"], "what failed has cost nothing"
    assert models(gateway, made, min_spend=CALL_COST * 1.5) == []
    assert models(gateway, made, cache_hit_filter="hit") == [] and len(models(gateway, made, cache_hit_filter="miss")) == 4
    assert len(models(gateway, made, api_key=None, key_alias=made["alias"][3:])) == 4
    assert models(gateway, made, api_key=None, key_alias=fresh("nobody")) == []
    one = rows(gateway, made, model="echo")[0]
    assert [row["request_id"] for row in rows(gateway, made, model_id=one["model_id"], model="echo")] == [one["request_id"]]
    for value in (one["request_id"], one["litellm_call_id"]):
        assert models(gateway, made, search=value) == ["echo"]
    assert len(models(gateway, made, search=made["key"])) == 4 and models(gateway, made, search="c-1") == ["say"]


def test_times_of_a_day(gateway, made):
    moment = made["middle"].strftime("%Y-%m-%d %H:%M:%S")
    assert models(gateway, made, end_date=moment) == ["say"]
    assert sorted(models(gateway, made, start_date=moment)) == ["echo", "error-500", "say"]


def test_orders(gateway, made):
    newest = [row["startTime"] for row in rows(gateway, made)]
    assert newest == sorted(newest, reverse=True)
    assert [row["startTime"] for row in rows(gateway, made, sort_by="startTime", sort_order="asc")] == newest[::-1]
    assert models(gateway, made, sort_by="model", sort_order="asc") == ["echo", "error-500", "say", "say"]
    assert models(gateway, made, sort_by="spend", sort_order="asc")[0] == "error-500"
    assert models(gateway, made, sort_by="total_tokens", sort_order="desc", page_size=3).count("error-500") == 0
    for sort in ("endTime", "request_duration_ms", "ttft_ms"):
        assert len(models(gateway, made, sort_by=sort)) == 4
    for query in ("sort_by=colour", "sort_order=up", "cache_hit_filter=maybe", "status_filter=odd", "min_spend=much", "start_date=soon"):
        refused = gateway.ask("GET", f"/spend/logs/v2?{query}")
        assert refused.status in (400, 422) and query.split("=")[0] in str(refused.json), (query, refused.body)


def test_sessions(gateway, made):
    of_session = rows(gateway, made, session_id=made["session"])
    assert len(of_session) == 2
    for row in of_session:
        assert row["session_total_count"] == row["session_llm_count"] == 2
        assert row["session_total_spend"] == pytest.approx(2 * CALL_COST)
        assert row["session_total_tokens"] == 2 * (INPUT_TOKENS + OUTPUT_TOKENS)
        assert row["session_total_prompt_tokens"] == 2 * INPUT_TOKENS and row["session_models"] == ["say"]
    assert rows(gateway, made, model="echo")[0]["session_total_count"] == 1
    grouped = rows(gateway, made, group_by_session="true")
    assert len(grouped) == 3, "a row for the session, and one for each call without one"
    [row] = [row for row in grouped if row["session_id"] == made["session"]]
    assert row["custom_llm_provider"] == "anthropic", "the latest"


def test_a_call_is_found_by_its_id_whenever_it_was(gateway, made):
    one = rows(gateway, made, model="echo")[0]["request_id"]
    past = {"start_date": "2020-01-01 00:00:00", "end_date": "2020-01-02 00:00:00", "request_id": one}
    found = lambda path, query: [row["request_id"] for row in ok(gateway.ask("GET", f"{path}?{urlencode(query)}"))["data"]]
    assert found("/spend/logs/ui", past) == [one]
    assert found("/spend/logs/v2", past) == [], "there the time that is asked for counts"
    assert found("/spend/logs/ui", {**past, "search": one}) == []


def test_a_part_of_a_sessions_id_will_do(gateway, made):
    part = made["session"][3:-1]
    assert len(rows(gateway, made, session_id=part)) == 2
    assert rows(gateway, made, session_id=part.replace("-", "_")) == [], "`_` means itself"
    day = {"session_id": part, "start_date": "2020-01-01", "end_date": "2099-01-01"}
    assert ok(gateway.ask("GET", f"/spend/logs/session/ui?{urlencode(day)}"))["data"] == [], "a session is named whole"
