"""`gateway spend reprice`: what calls cost is derived anew from their usage, and booked once."""

import json
import subprocess
import time

import pytest
from support.gateway import CALL_COST, Gateway, binary

MODEL = "priced-anew"


@pytest.fixture
def spent(spawn, upstream):
    """A gateway with three calls to a model whose price the configuration does not set."""
    params = {"model": f"openai/{MODEL}", "api_base": upstream.base + "/v1", "api_key": "sk-upstream-secret"}
    gateway = spawn(models=[{"model_name": "anew", "litellm_params": params}])
    key = gateway.new_key()
    for model in ("anew", "anew", "gpt"):
        assert gateway.chat(model, key).status == 200
    gateway.rows(key, 3)
    return gateway, key


def prices(gateway, dollars):
    """A price map of LiteLLM's: so many dollars for a million tokens."""
    path = gateway.home / f"prices-{dollars}.json"
    each = {"input_cost_per_token": dollars / 1e6, "output_cost_per_token": dollars / 1e6}
    path.write_text(json.dumps({MODEL: {"litellm_provider": "openai", "mode": "chat", **each}}))
    return path


def reprice(gateway, *arguments):
    database = gateway.environment.get("DATABASE_URL") or f"sqlite:{gateway.home}/data/gateway.db"
    command = [binary(), "spend", "reprice", "--database-url", database, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def told(gateway, *arguments):
    done = reprice(gateway, "--json", *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_costs_are_derived_anew_and_booked_once(spent):
    gateway, key = spent
    before = gateway.spend(key)
    assert before == pytest.approx(CALL_COST), "two calls had no price"
    tokens = sum(row["total_tokens"] for row in gateway.rows(key, 3) if row["model_group"] == "anew")
    owed = tokens * 2 / 1e6
    file = prices(gateway, 2)

    dry = told(gateway, "--prices", file, "--dry-run")
    (model,) = dry["models"]
    assert (model["model"], model["calls"], model["changed"], dry["corrected"]) == (MODEL, 2, 2, 0)
    assert (float(model["old_usd"]), float(model["difference_usd"])) == (0, pytest.approx(owed))
    assert [(kept["calls"], kept["why"]) for kept in dry["kept"]] == [(1, "their models have no price there")]
    assert gateway.spend(key) == before, "a rehearsal books nothing"
    assert told(gateway, "--prices", file, "--model", "gpt")["models"] == []
    assert told(gateway, "--prices", file, "--to", "2020-01-01")["models"] == []

    assert told(gateway, "--prices", file)["corrected"] == 2
    again = told(gateway, "--prices", file)
    assert (again["corrected"], again["models"][0]["changed"]) == (0, 0)
    # What a gateway holds in memory follows when it starts again.
    assert gateway.stop() == 0
    gateway.start()
    assert gateway.spend(key) == pytest.approx(before + owed)
    spend = lambda path: gateway.ask("GET", path).json
    today = time.strftime("%Y-%m-%d", time.gmtime())
    assert spend(f"/global/spend?start_date={today}&end_date=2100-01-01")["spend"] == pytest.approx(before + owed)
    rows = [row for row in gateway.rows(key, 3) if row["model_group"] == "anew"]
    assert sum(row["spend"] for row in rows) == pytest.approx(owed)
    assert not any(row["metadata"]["price_is_unknown"] for row in rows)
    audit = spend("/audit?table_name=LiteLLM_SpendLogs")
    assert [row["changed_by"] for row in audit["audit_logs"]] == ["command line"]

    # Lower prices give back; what was told is exact.
    less = told(gateway, "--prices", prices(gateway, 1))
    assert float(less["models"][0]["difference_usd"]) == pytest.approx(-owed / 2)
    words = reprice(gateway, "--prices", prices(gateway, 1), "--dry-run").stdout
    assert f"openai/{MODEL}: 2 calls, 0 with another cost, old $0." in words
    assert "kept: 1 calls" in words and "dry run: nothing is booked" in words
    assert gateway.chat("anew", key).status == 200, "the gateway goes on"


def test_what_cannot_be_used_is_said(spent):
    gateway, _ = spent
    missing = reprice(gateway, "--prices", gateway.home / "none.json")
    assert missing.returncode != 0 and "cannot read the prices" in missing.stderr
    wrong = gateway.home / "wrong.json"
    wrong.write_text("[]")
    assert "cannot use the prices" in reprice(gateway, "--prices", wrong).stderr
    day = reprice(gateway, "--prices", prices(gateway, 1), "--from", "yesterday")
    assert day.returncode == 2 and "`yesterday` is no day" in day.stderr
