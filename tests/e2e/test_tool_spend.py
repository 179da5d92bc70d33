"""`/v1/tool/spend`: what calls cost by the tools their answers invoked."""

from datetime import datetime, timedelta, timezone

import pytest
from support.common import fresh, ok, until
from support.gateway import CALL_COST
from support.replies import CALL

TOOL = CALL[0]
SIDES = ["oai", "ant", "coh", "cha", "res"]
CHAT = {"max_tokens": 50, "messages": [{"role": "user", "content": "Weather?"}]}
ASKED = [
    ("/v1/chat/completions", CHAT),
    ("/v1/messages", CHAT),
    ("/v2/chat", CHAT),
    ("/v1/responses", {"input": "Weather?"}),
]


def spent(gateway, query="", **asked):
    return ok(gateway.ask("GET", f"/v1/tool/spend{query}", **asked))


def tools(gateway):
    return {row["tool_name"]: row for row in spent(gateway)["by_tool"]}


def test_every_dialect_and_every_pair(spawn):
    """Forwarded untouched or translated, whole or streamed: each call counts once, and only those that invoke."""
    gateway = spawn()
    key = gateway.new_key()
    calls = 0
    for side in SIDES:
        for path, body in ASKED:
            for stream in (False, True):
                for model in ("tool", "tools", "say"):
                    body = {**body, "model": f"{side}/{model}", "stream": stream}
                    answer = gateway.ask("POST", path, body, key=key)
                    assert answer.status == 200, (path, body, answer.body)
                    calls += model != "say"
    rows = [row for row in gateway.rows(key, calls * 3 // 2) if not row["model"].endswith("say")]
    row = until(lambda: (row := tools(gateway)[TOOL])["call_count"] >= calls and row, what=lambda: tools(gateway))
    assert row == {
        "tool_name": TOOL,
        "spend": pytest.approx(calls * CALL_COST),
        "call_count": calls,
        "total_tokens": sum(row["total_tokens"] for row in rows),
    }
    told = spent(gateway)
    today = datetime.now(timezone.utc).date()
    assert sum(day["call_count"] for day in told["daily"]) == calls
    assert sum(day["spend"] for day in told["daily"]) == pytest.approx(calls * CALL_COST)
    assert set(told["daily"][0]) == {"date", "tool_name", "spend", "call_count"}
    assert (told["start_date"], told["end_date"]) == (str(today - timedelta(days=30)), str(today))
    yesterday = today - timedelta(days=1)
    assert spent(gateway, f"?start_date={yesterday - timedelta(days=5)}&end_date={yesterday - timedelta(days=1)}") == {
        "by_tool": [], "daily": [],
        "start_date": str(yesterday - timedelta(days=5)), "end_date": str(yesterday - timedelta(days=1)),
    }


def test_who_sees_it_and_what_is_refused(spawn):
    gateway = spawn()
    for role, statuses in (("proxy_admin_viewer", {200}), ("internal_user", {401, 403}), ("internal_user_viewer", {401, 403})):
        user = ok(gateway.ask("POST", "/user/new", {"user_id": fresh("user"), "user_role": role}))
        assert gateway.ask("GET", "/v1/tool/spend", key=user["key"]).status in statuses, role
    for name in ("start_date", "end_date"):
        refused = gateway.ask("GET", f"/v1/tool/spend?{name}=soon")
        assert refused.status == 400 and f"Invalid date format: soon. Expected: 'YYYY-MM-DD' (`{name}`)" == refused.json["detail"]
