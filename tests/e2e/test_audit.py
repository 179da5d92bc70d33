"""The audit log through the real binary: what is written, who may read it, and that tampering is found."""

import json
import sqlite3
import subprocess
import time

from support.common import ok
from support.gateway import binary
from support.postgres import programs


def rows(gateway, **filters):
    query = "&".join(f"{name}={value}" for name, value in {"page_size": 100, **filters}.items())
    return ok(gateway.ask("GET", f"/audit?{query}"))["audit_logs"]


def audit(gateway, *arguments, **environment):
    """`gateway audit …` on the gateway's own database."""
    command = [binary(), "audit", *arguments, "--config", str(gateway.config_path)]
    environment = {"GATEWAY_DATA_DIR": str(gateway.home / "data"), **gateway.environment, **environment}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


def checkpointed(gateway, seq):
    """Waits until the checkpoints cover a row."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        told = json.loads(audit(gateway, "verify", "--json").stdout)
        if told["signed_up_to"] >= seq:
            return told
        time.sleep(0.2)
    raise AssertionError(f"no checkpoint: {told}")


def tamper(gateway, sql):
    url = gateway.environment.get("DATABASE_URL")
    if url:
        done = subprocess.run([programs() / "psql", url, "-c", sql], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and not done.stdout.rstrip().endswith(" 0"), done
    else:
        with sqlite3.connect(gateway.home / "data" / "gateway.db", timeout=30) as connection:
            assert connection.execute(sql).rowcount > 0


def test_a_change_is_told_with_who_and_what(gateway):
    made = ok(gateway.ask("POST", "/key/generate", {"key_alias": "audited", "max_budget": 1}))
    body = {"key": made["key"], "max_budget": 2, "metadata": {"langfuse_secret_key": "very-secret"}}
    changed = gateway.ask("POST", "/key/update", body, headers={"litellm-changed-by": "ann@example.org"})
    ok(changed)
    ok(gateway.ask("POST", "/key/block", {"key": made["key"]}))
    ok(gateway.ask("POST", "/key/delete", {"keys": [made["key"]]}))
    told = rows(gateway, object_id=made["token"], sort_order="asc")
    assert [row["action"] for row in told] == ["created", "updated", "blocked", "deleted"]
    updated = told[1]
    assert updated["table_name"] == "LiteLLM_VerificationToken"
    assert (updated["changed_by"], updated["acting_user_id"]) == ("ann@example.org", "default_user_id")
    assert updated["changed_by_api_key"] == "litellm_proxy_master_key"
    assert updated["requester_ip_address"] == "127.0.0.1"
    assert (updated["before_value"]["max_budget"], updated["updated_values"]["max_budget"]) == (1, 2)
    assert "very-secret" not in json.dumps(told) and made["key"] not in json.dumps(told)
    assert ok(gateway.ask("GET", f"/audit/{updated['id']}")) == updated
    missing = gateway.ask("GET", "/audit/nothing")
    assert (missing.status, missing.json) == (404, {"detail": {"message": "Audit log with ID nothing not found"}})
    assert told == rows(gateway, object_id=made["token"], sort_order="asc", start_date=updated["updated_at"][:10])
    assert rows(gateway, object_id=made["token"], end_date="2020-01-01") == []
    assert gateway.ask("GET", "/audit?start_date=yesterday").status == 422
    page = ok(gateway.ask("GET", f"/audit?object_id={made['token']}&page=2&page_size=3"))
    assert (page["total"], page["total_pages"], page["page"], len(page["audit_logs"])) == (4, 2, 2, 1)


def test_every_kind_of_object_is_told(gateway):
    team = ok(gateway.ask("POST", "/team/new", {"team_alias": "audited"}))["team_id"]
    user = ok(gateway.ask("POST", "/user/new", {"user_alias": "audited"}))["user_id"]
    ok(gateway.ask("POST", "/team/member_add", {"team_id": team, "member": {"role": "user", "user_id": user}}))
    ok(gateway.ask("POST", "/customer/new", {"user_id": f"c-{team}"}))
    ok(gateway.ask("POST", "/organization/new", {"organization_alias": "a", "organization_id": f"o-{team}"}))
    ok(gateway.ask("POST", "/budget/new", {"budget_id": f"b-{team}", "max_budget": 1}))
    ok(gateway.ask("POST", "/tag/new", {"name": f"t-{team}"}))
    ok(gateway.ask("POST", "/team/delete", {"team_ids": [team]}))
    for table, object_id, actions in [
        ("LiteLLM_TeamTable", team, {"created", "deleted"}),
        ("LiteLLM_UserTable", user, {"created"}),
        ("LiteLLM_TeamMembership", f"{team}:{user}", {"created", "deleted"}),
        ("LiteLLM_EndUserTable", f"c-{team}", {"created"}),
        ("LiteLLM_OrganizationTable", f"o-{team}", {"created"}),
        ("LiteLLM_BudgetTable", f"b-{team}", {"created"}),
        ("LiteLLM_TagTable", f"t-{team}", {"created"}),
    ]:
        told = rows(gateway, table_name=table, object_id=object_id)
        assert {row["action"] for row in told} >= actions, (table, told)


def test_only_administrators_read_it(gateway):
    for role, status in [("internal_user", 401), ("proxy_admin_viewer", 200), ("proxy_admin", 200)]:
        key = ok(gateway.ask("POST", "/user/new", {"user_role": role}))["key"]
        assert gateway.ask("GET", "/audit", key=key).status == status, role
    assert gateway.ask("GET", "/audit", key=None).status == 401


def test_tampering_is_found(spawn):
    gateway = spawn()
    for number in range(3):
        ok(gateway.ask("POST", "/key/generate", {"key_alias": f"k{number}"}))
    told = checkpointed(gateway, 3)
    assert told["sound"] and told["rows"] == told["signed_up_to"], told
    kept = gateway.home / "last.json"
    kept.write_text(audit(gateway, "checkpoint").stdout)
    key = json.loads(kept.read_text())["public_key"]
    assert key in gateway.log(), "the key is told at the start"
    assert audit(gateway, "verify", "--checkpoint", str(kept), "--public-key", key).returncode == 0
    assert audit(gateway, "verify", "--public-key", "A" * 43 + "=").returncode == 1
    gateway.stop()
    tamper(gateway, "UPDATE audit_log SET changed_by = 'somebody else' WHERE seq = 2")
    done = audit(gateway, "verify")
    assert done.returncode == 1 and "row 2: the row was edited" in done.stdout, done
    tamper(gateway, "DELETE FROM audit_log")
    tamper(gateway, "DELETE FROM audit_checkpoints")
    tamper(gateway, "UPDATE change_feed SET version = 0 WHERE name = 'audit'")
    assert audit(gateway, "verify").returncode == 0
    done = audit(gateway, "verify", "--checkpoint", str(kept))
    assert done.returncode == 1 and "row 3: a checkpoint was signed for this row" in done.stdout, done


def test_a_stop_signs_the_last_rows(spawn):
    gateway = spawn()
    ok(gateway.ask("POST", "/key/generate", {}))
    gateway.stop()
    assert json.loads(audit(gateway, "verify", "--json").stdout)["signed_up_to"] == 1


def test_it_can_be_switched_off(spawn):
    gateway = spawn(litellm_settings={"store_audit_logs": False})
    ok(gateway.ask("POST", "/key/generate", {}))
    assert rows(gateway) == []


def test_addresses_behind_proxies(spawn):
    gateway = spawn(
        general_settings={
            "allowed_ips": ["10.1.0.0/16"],
            "use_x_forwarded_for": True,
            "trusted_proxy_ranges": ["127.0.0.0/8"],
        }
    )

    def models(forwarded):
        headers = {"x-forwarded-for": forwarded} if forwarded else {}
        return gateway.ask("GET", "/v1/models", headers=headers).status

    assert models("10.1.2.3") == 200
    assert models("10.1.2.3, 9.9.9.9") == 403, "what a client writes itself does not count"
    assert models("9.9.9.9, 10.1.2.3, 127.0.0.9") == 200
    assert models(None) == 403
    assert models("nonsense") == 403
    ok(gateway.ask("POST", "/key/generate", {}, headers={"x-forwarded-for": "10.1.2.3"}))
    told = ok(gateway.ask("GET", "/audit", headers={"x-forwarded-for": "10.1.9.9"}))["audit_logs"]
    assert told[0]["requester_ip_address"] == "10.1.2.3"
