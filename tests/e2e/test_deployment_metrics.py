"""How deployments do: times by token, first tokens, slow calls, failures, rate limits; and who is named in calls."""

import datetime
import json
import time
import urllib.parse
import uuid

import pytest
from support.common import ok
from support.gateway import entry

# Nobody listens there; the address stands for deployments in LiteLLM's answers when it is of https.
NOWHERE = "https://127.0.0.1:1"


def today(ahead=0):
    return datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=ahead)


def query(group, since=-1, **more):
    fields = {"_selected_model_group": group, "startTime": f"{today(since)}T00:00:00Z", "endTime": f"{today()}T10:00:00Z"}
    return urllib.parse.urlencode(fields | more)


def until(look, wanted, seconds=20):
    """What `look` says, once it is what is wanted or time is up."""
    end = time.monotonic() + seconds
    while (found := look()) != wanted and time.monotonic() < end:
        time.sleep(0.1)
    return found


@pytest.fixture(scope="module")
def watched(shared, provider):
    """A group of its own in the log: two calls, a stream, a slow one, two rate limits and an address that is not there."""
    provider.clear()
    key, user, customer = None, f"user-{uuid.uuid4().hex[:8]}", f"customer-{uuid.uuid4().hex[:8]}"
    alias = f"alias-{uuid.uuid4().hex[:8]}"
    key = shared.new_key(user_id=user, key_alias=alias)
    for _ in range(2):
        assert shared.chat("oai/say-metrics", key, user=customer).status == 200
    assert shared.chat("oai/say-metrics", key, stream=True).status == 200
    for _ in range(2):
        assert shared.chat("oai/error-429", key).status == 429
    assert len(shared.rows(key, 5)) == 5
    return {"key": key, "user": user, "customer": customer, "alias": alias}


def test_times_by_token_and_of_the_first(gateway, watched):
    metrics = lambda path, group, **more: ok(gateway.ask("GET", f"/model/{path}?{query(group, **more)}"))
    got = metrics("metrics", "oai/say-metrics")
    assert got["all_api_bases"] == ["say-metrics"]
    [day] = got["data"]
    assert day["date"] == str(today()) and 0 < day["say-metrics"] < 30
    rows = [row for row in gateway.rows(watched["key"], 5) if row["model"] == "say-metrics"]
    took = sum(row["request_duration_ms"] for row in rows) / 1000 / sum(row["completion_tokens"] for row in rows)
    assert day["say-metrics"] == pytest.approx(took, abs=0.001)
    assert metrics("metrics", "oai/say-metrics", api_key=watched["key"])["data"][0] == day
    assert metrics("metrics", "oai/say-metrics", api_key="null", customer="undefined")["data"] == [day]
    of_customer = metrics("metrics", "oai/say-metrics", customer=watched["customer"])["data"]
    assert of_customer[0].keys() == day.keys()
    assert metrics("metrics", "nobody") == {"data": [], "all_api_bases": []}

    over_days = metrics("streaming_metrics", "oai/say-metrics")
    [day] = over_days["data"]
    assert day["date"] == str(today()) and 0 < day["say-metrics"] < 30
    one_by_one = metrics("streaming_metrics", "oai/say-metrics", since=0)
    [call] = one_by_one["data"]
    assert call["date"].startswith(str(today())) and len(call["date"]) > 10
    assert call["say-metrics"] == pytest.approx(day["say-metrics"])


def test_what_each_token_took_is_measured_of_each_deployment(spawn, upstream):
    """LiteLLM surface section 11.4: from asking the deployment, so that what others took before it does not count."""
    models = [
        {**entry("m", "openai/slow-3000", f"{upstream.base}/v1", timeout=0.5, order=1), "model_info": {"id": "late"}},
        {**entry("m", "openai/say", f"{upstream.base}/v1", order=2), "model_info": {"id": "quick"}},
    ]
    gateway = spawn(models=models, router_settings={"num_retries": 0})
    answer = gateway.chat("m")
    assert answer.headers["x-litellm-model-id"] == "quick"
    assert gateway.chat("m", stream=True).status == 200
    lines = gateway.ask("GET", "/metrics").body.decode().splitlines()

    def told(name, id):
        """What is told of a deployment by a name without buckets."""
        return [float(line.split()[-1]) for line in lines if line.startswith(f"{name}{{") and f'model_id="{id}"' in line]

    per_token, answered = "litellm_deployment_latency_per_output_token", "litellm_llm_api_latency_metric"
    assert told(f"{per_token}_count", "quick") == [2] and told(f"{answered}_count", "quick") == [2]
    assert told(f"{per_token}_count", "late") == [] and told(f"{answered}_count", "late") == [0]
    assert sum(told(f"{answered}_sum", "quick")) < 0.5 <= sum(told("litellm_request_total_latency_metric_sum", "quick"))
    assert sum(told(f"{per_token}_sum", "quick")) <= sum(told(f"{answered}_sum", "quick"))
    [line] = [line for line in lines if line.startswith(f"{per_token}_count") and 'model_id="quick"' in line]
    labels = ("litellm_model_name=", "api_base=", "api_provider=", "model_group=")
    assert all(label in line for label in labels), line


def test_slow_calls_and_failures(spawn, upstream):
    models = [entry("away", "openai/say", f"{NOWHERE}/openai/deployments")]
    gateway = spawn(models=models, general_settings={"alerting_threshold": 10})
    key = gateway.new_key()
    assert gateway.chat("oai/slow-10500", key, timeout=60).status == 200
    assert gateway.chat("oai/slow-10", key).status == 200
    assert gateway.chat("away", key).status >= 500
    assert gateway.chat("oai/error-429", key).status == 429
    assert len(gateway.rows(key, 4)) == 4
    slow = lambda group: ok(gateway.ask("GET", f"/model/metrics/slow_responses?{query(group)}"))
    assert slow("oai/slow-10500") == [{"api_base": "slow-10500", "total_count": 1, "slow_count": 1}]
    assert slow("oai/slow-10") == [{"api_base": "slow-10", "total_count": 1, "slow_count": 0}]
    assert slow("away") == [{"api_base": NOWHERE, "total_count": 1, "slow_count": 0}]
    failures = lambda group: ok(gateway.ask("GET", f"/model/metrics/exceptions?{query(group)}"))
    assert failures("away") == {
        "data": [{"model": f"say-{NOWHERE}", "APIConnectionError": 1}], "exception_types": ["APIConnectionError"]}
    assert failures("oai/error-429")["data"] == [{"model": "error-429", "RateLimitError": 1}]
    assert failures("oai/slow-10") == {"data": [], "exception_types": []}
    gateway.stop()
    # A threshold that is raised holds for what was counted before.
    config = json.loads(gateway.config_path.read_text())
    config["general_settings"]["alerting_threshold"] = 11
    gateway.write(config)
    gateway.start()
    assert slow("oai/slow-10500")[0]["slow_count"] == 0


def test_rate_limits_each_day(gateway, watched):
    days = f"start_date={today(-1)}&end_date={today()}&model_group=oai/error-429"
    shown = {"date": f"{today():%b %d}", "num_rate_limit_exceptions": 2}
    all_days = lambda: ok(gateway.ask("GET", f"/global/activity/exceptions?{days}"))
    got = all_days()
    assert got["daily_data"][-1]["date"] == shown["date"]
    assert got["sum_num_rate_limit_exceptions"] == sum(day["num_rate_limit_exceptions"] for day in got["daily_data"]) >= 2
    [by_deployment] = ok(gateway.ask("GET", f"/global/activity/exceptions/deployment?{days}"))
    assert by_deployment == {"api_base": "error-429", **got}
    for path in ("/global/activity/exceptions", "/global/activity/exceptions/deployment"):
        missing = gateway.ask("GET", f"{path}?start_date={today()}&end_date={today()}")
        assert (missing.status, missing.json["detail"][0]["loc"]) == (422, ["query", "model_group"])
        assert gateway.ask("GET", f"{path}?model_group=gpt").status == 400


def test_cache_hits_by_kind_of_call(gateway, watched):
    days = f"start_date={today(-1)}&end_date={today()}"
    ask = lambda more, **options: ok(gateway.ask("GET", f"/global/activity/cache_hits?{days}{more}", **options))
    got = ask(f"&key_aliases={watched['alias']}")
    [group] = got["groups"]
    assert group["call_type"] == "acompletion"
    assert (group["api_requests"], group["cache_hits"], group["failed_requests"]) == (3, 0, 2)
    assert got["totals"] == {"api_requests": 3, "cache_hits": 0, "failed_requests": 2, "cached_completion_tokens": 0,
                             "cache_hit_ratio": 0.0}
    assert group["generated_completion_tokens"] > 0
    assert watched["alias"] in got["filter_options"]["key_aliases"]
    assert "say-metrics" in got["filter_options"]["models"]
    assert ask(f"&key_aliases={watched['alias']}&models=nothing")["groups"] == []
    own = ask("", key=watched["key"])
    assert own["totals"] == got["totals"] and own["filter_options"]["key_aliases"] == [watched["alias"]]
    assert gateway.ask("GET", "/global/activity/cache_hits").status == 400


def window(**more):
    return urllib.parse.urlencode({
        "filter[startTime][gte]": f"{today(-1)} 00:00:00", "filter[startTime][lte]": f"{today()}T23:59:59Z", **more})


def test_names_to_choose_from(gateway, watched):
    ask = lambda of, key=None, **more: gateway.ask(
        "GET", f"/management/v1/spend_logs/{of}?{window(**more)}", **({"key": key} if key else {}))
    got = ok(ask("end_users", q=watched["customer"][2:].upper()))
    assert got["data"] == [watched["customer"]]
    assert got["meta"] == {"page": 1, "page_size": 50, "has_more": False}
    assert got["links"]["next"] is None and got["links"]["prev"] is None
    assert watched["user"] in ok(ask("users", q=watched["user"]))["data"]
    other = gateway.new_key(user_id=f"user-{uuid.uuid4().hex[:8]}")
    assert gateway.chat("gpt", other, user="of-another").status == 200
    until(lambda: "of-another" in ok(ask("end_users", q="of-another"))["data"], True)
    assert ok(ask("end_users", key=watched["key"]))["data"] == [watched["customer"]]
    assert ok(ask("users", key=watched["key"]))["data"] == [watched["user"]]
    pages = ok(ask("users", page_size=1))
    assert len(pages["data"]) == 1 and pages["meta"]["has_more"]
    second = ok(gateway.ask("GET", pages["links"]["next"]))
    assert second["meta"]["page"] == 2 and second["data"] != pages["data"]
    for wrong in ("", window(page_size=101), window(page=0), window(q_typo="x"), window().replace("-", "x")):
        refused = gateway.ask("GET", f"/management/v1/spend_logs/users?{wrong}")
        assert refused.status == 400, wrong
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.json["status"] == 400 and refused.json["detail"]


def test_what_was_said_is_not_kept_and_sums_are_never_stale(gateway, watched):
    row = gateway.rows(watched["key"], 5)[0]
    path = f"/spend/logs/ui/{row['request_id']}"
    nothing = {"request_id": row["request_id"], "messages": {}, "response": {}, "proxy_server_request": {}}
    assert ok(gateway.ask("GET", path)) == nothing
    assert ok(gateway.ask("GET", path, key=watched["key"])) == nothing
    stranger = gateway.new_key(user_id=f"user-{uuid.uuid4().hex[:8]}")
    assert gateway.ask("GET", path, key=stranger).status == 404
    assert gateway.ask("GET", "/spend/logs/ui/nothing").status == 404
    assert ok(gateway.ask("POST", "/global/spend/refresh"))["status"] == "success"


def test_only_administrators_see_how_deployments_do(gateway, watched):
    for path in ("/model/metrics", "/model/metrics/slow_responses", "/model/metrics/exceptions", "/model/streaming_metrics",
                 "/global/activity/exceptions?model_group=gpt", "/global/activity/exceptions/deployment?model_group=gpt"):
        assert gateway.ask("GET", path, key=watched["key"]).status in (401, 403), path
    assert gateway.ask("POST", "/global/spend/refresh", key=watched["key"]).status in (401, 403)
    viewer = ok(gateway.ask("POST", "/user/new", {"user_id": f"v-{uuid.uuid4().hex[:8]}", "user_role": "proxy_admin_viewer"}))
    assert gateway.ask("GET", "/model/metrics", key=viewer["key"]).status == 200
