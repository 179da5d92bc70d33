"""`/spend/capture_rate`: what was booked beside what the provider billed."""

import json
import threading
import time
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

import pytest
from support.common import ok
from support.gateway import CALL_COST

DAY = 86_400


def today():
    return datetime.now(timezone.utc).date()


class Bills(ThreadingHTTPServer):
    """The provider's bill, one day a page."""

    def __init__(self, amounts):
        class Answers(BaseHTTPRequestHandler):
            def do_GET(self):
                server, url = self.server, urlparse(self.path)
                query = parse_qs(url.query)
                server.asked.append((url.path, query, self.headers["authorization"]))
                begin, end = int(query["start_time"][0]), int(query["end_time"][0])
                days = list(range(begin, end, DAY))
                page = int(query.get("page", ["0"])[0])
                value = server.amounts.get(days[page] // DAY)
                results = [] if value is None else [{"amount": {"value": value, "currency": server.currency}}]
                more = page + 1 < len(days)
                body = {
                    "object": "page", "data": [{"start_time": days[page], "results": results}],
                    "has_more": more, "next_page": str(page + 1) if more else None,
                }
                self.send_response(server.status)
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Answers)
        self.amounts, self.asked, self.status, self.currency = amounts, [], 200, "usd"
        self.base = f"http://127.0.0.1:{self.server_address[1]}/v1"
        threading.Thread(target=self.serve_forever, daemon=True).start()


@pytest.fixture
def bills():
    number = int(time.time()) // DAY
    bills = Bills({number: str(8 * CALL_COST), number - 1: 0.5})
    yield bills
    bills.shutdown()


def settings(bills, **more):
    return {"general_settings": {"spend_capture_rate_check": {"openai_api_base": bills.base, **more}}}


def test_days_and_all_of_them(spawn, bills):
    gateway = spawn(environment={"OPENAI_ADMIN_KEY": "sk-admin-s3cret"}, **settings(bills, openai_project_ids=["p 1"]))
    key = gateway.new_key()
    for model in ("gpt", "gpt", "claude"):
        ok(gateway.chat(model, key))
    gateway.rows(key, 3)
    start, end = today() - timedelta(days=1), today()
    told = ok(gateway.ask("GET", f"/spend/capture_rate?start_date={start}&end_date={end}"))
    assert (told["provider"], told["start_date"], told["end_date"]) == ("openai", str(start), str(end))
    assert told["captured_spend"] == pytest.approx(2 * CALL_COST), "calls to another provider are not on its bill"
    assert told["provider_spend"] == pytest.approx(0.5 + 8 * CALL_COST)
    assert told["days"][0] == {"date": str(start), "captured_spend": 0.0, "provider_spend": 0.5, "capture_rate": 0.0}
    assert told["days"][1]["capture_rate"] == pytest.approx(0.25)
    assert told["threshold"] == 0.9 and told["below_threshold"] is True
    path, query, authorization = bills.asked[0]
    assert path == "/v1/organization/costs" and authorization == "Bearer sk-admin-s3cret"
    assert query["bucket_width"] == ["1d"] and query["project_ids"] == ["p 1"]
    assert len(bills.asked) == 2, "page by page"
    assert "sk-admin-s3cret" not in gateway.log()


def test_the_last_whole_days_unless_told(spawn, bills):
    bills.amounts = {}
    gateway = spawn(environment={"OPENAI_ADMIN_KEY": "k"}, **settings(bills, lookback_days=3, threshold=0.5))
    told = ok(gateway.ask("GET", "/spend/capture_rate"))
    assert (told["start_date"], told["end_date"]) == (str(today() - timedelta(days=3)), str(today() - timedelta(days=1)))
    assert told["capture_rate"] is None and told["below_threshold"] is False and told["threshold"] == 0.5


def test_what_is_refused(spawn, bills):
    gateway = spawn(environment={"OPENAI_ADMIN_KEY": "k"}, **settings(bills))
    for query, word in (
        ("?provider=anthropic", "`provider` is `anthropic`"),
        ("?start_date=2026-01-10&end_date=2026-01-01", "expected 1 to 180"),
        ("?start_date=2020-01-01&end_date=2026-01-01", "expected 1 to 180"),
    ):
        refused = gateway.ask("GET", f"/spend/capture_rate{query}")
        assert refused.status == 400 and word in refused.json["detail"]["error"], refused.body
    assert gateway.ask("GET", "/spend/capture_rate", key=gateway.new_key()).status in (401, 403)
    bills.status = 403
    failed = gateway.ask("GET", "/spend/capture_rate")
    assert failed.status == 502 and "status 403" in failed.json["detail"]["error"]
    bills.status, bills.currency = 200, "eur"
    bills.amounts = {int(time.time()) // DAY - 1: 1}
    failed = gateway.ask("GET", "/spend/capture_rate")
    assert failed.status == 502 and "`eur`" in failed.json["detail"]["error"]


def test_without_a_key_for_bills(spawn, bills):
    refused = spawn(**settings(bills)).ask("GET", "/spend/capture_rate")
    assert refused.status == 400 and "OPENAI_ADMIN_KEY" in refused.json["detail"]["error"]
