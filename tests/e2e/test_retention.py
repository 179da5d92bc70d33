"""Old rows of the spend log go by the clock; sums stay."""

import json
import sqlite3
import time

import pytest
from support.gateway import CALL_COST, Gateway

DAY_MS = 86_400_000


def change(gateway, statement):
    """Runs a statement in a gateway's database, past the gateway."""
    if Gateway.server:
        Gateway.server.run("psql", "-q", "-v", "ON_ERROR_STOP=1", "-d", gateway.environment["DATABASE_URL"], "-c", statement)
        return
    with sqlite3.connect(gateway.home / "data" / "gateway.db", timeout=30) as db:
        db.execute(statement)
    db.close()


def insert(name, at):
    return (
        "INSERT INTO spend_log (request_id, started_at, duration_us, model_group, call_type, outcome, status, flags,"
        " input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens, cost, retries, fallbacks)"
        f" VALUES ('{name}', {at}, 1, 'm', 'acompletion', 'completed', 200, 0, 1, 2, 0, 0, 0, 5, 0, 0)"
    )


def logged(gateway):
    answer = gateway.ask("GET", "/spend/logs/v2?start_date=2000-01-01&end_date=2100-01-01&page_size=100")
    assert answer.status == 200, answer.body
    return {row["request_id"] for row in answer.json["data"]}


def with_settings(gateway, **settings):
    config = json.loads(gateway.config_path.read_text())
    config["general_settings"] |= settings
    gateway.write(config)
    gateway.start()


def test_rows_go_when_they_are_too_old_and_sums_stay(spawn):
    gateway = spawn()
    key = gateway.new_key()
    assert gateway.chat(key=key).status == 200
    gateway.rows(key, 1)
    now = int(time.time() * 1000)
    for number in range(12):
        change(gateway, insert(f"old-{number}", now - 40 * DAY_MS + number))
    change(gateway, insert("young", now - 20 * DAY_MS))
    assert len(logged(gateway)) == 14
    assert gateway.stop() == 0
    with_settings(
        gateway, maximum_spend_logs_retention_period="30d", maximum_spend_logs_cleanup_batch_size=5
    )
    until = time.monotonic() + 30
    while len(logged(gateway)) > 2:
        assert time.monotonic() < until, gateway.log()[-3000:]
        time.sleep(0.1)
    assert "young" in logged(gateway)
    assert gateway.spend(key) == pytest.approx(CALL_COST)
    today = time.strftime("%Y-%m-%d", time.gmtime(now / 1000))
    spend = gateway.ask("GET", f"/global/spend?start_date={today}&end_date=2100-01-01").json["spend"]
    assert spend == pytest.approx(CALL_COST)
    # The next run is due in a day: what grows too old meanwhile stays until then, over restarts too.
    change(gateway, insert("late", now - 50 * DAY_MS))
    assert gateway.stop() == 0
    gateway.start()
    assert gateway.chat(key=key).status == 200
    gateway.rows(key, 2)
    assert "late" in logged(gateway)
    if Gateway.server:
        assert "the spend log has new partitions" in gateway.log()


def test_wrong_settings_stop_the_start_and_say_what_is_expected(spawn):
    wrong = {
        "maximum_spend_logs_retention_period": ("soon", "expected a time such as `30d`"),
        "maximum_spend_logs_retention_interval": ("1 day", "expected a time such as `30d`"),
        "maximum_spend_logs_cleanup_cron": ("0 25 * * *", "such as `0 4 * * *`"),
        "maximum_spend_logs_cleanup_batch_size": (0, "expected a whole number above zero"),
    }
    for name, (value, expected) in wrong.items():
        with pytest.raises(AssertionError) as ended:
            spawn(general_settings={name: value})
        assert name in str(ended.value) and expected in str(ended.value), ended.value
