"""What an organisation sets holds for the keys of its teams, though they name the team alone."""

import pytest
from support.common import fresh, ok, until
from support.gateway import CALL_COST


def organisation(gateway, **fields):
    return ok(gateway.ask("POST", "/organization/new", {"organization_alias": fresh("org"), **fields}))["organization_id"]


def team_of(gateway, organization, **fields):
    return ok(gateway.ask("POST", "/team/new", {"organization_id": organization, **fields}))["team_id"]


def test_budget_rates_and_models(gateway):
    spent = team_of(gateway, organisation(gateway, max_budget=0))
    refused = gateway.chat(key=gateway.new_key(team_id=spent))
    assert refused.status == 422 and "budget" in refused.json["error"]["message"].lower(), refused.body
    slow = gateway.new_key(team_id=team_of(gateway, organisation(gateway, rpm_limit=1)))
    assert [gateway.chat(key=slow).status for _ in range(3)] == [200, 429, 429]
    narrow = gateway.new_key(team_id=team_of(gateway, organisation(gateway, models=["claude"])))
    assert (gateway.chat("gpt", narrow).status, gateway.chat("claude", narrow).status) == (403, 200)


def test_what_teams_spend_is_the_organisations(gateway):
    org = organisation(gateway, max_budget=2.5 * CALL_COST)
    keys = [gateway.new_key(team_id=team_of(gateway, org)) for _ in range(2)]
    statuses = [gateway.chat("oai/say", keys[number % 2], max_tokens=5).status for number in range(6)]
    assert statuses[:2] == [200, 200] and statuses[3:] == [422] * 3, statuses
    paid = statuses.count(200) * CALL_COST
    info = lambda: ok(gateway.ask("GET", f"/organization/info?organization_id={org}"))["spend"]
    assert until(lambda: info() >= paid - 1e-12) and info() == pytest.approx(paid)
    row = gateway.rows(keys[0], 1)[0]
    assert row["organization_id"] == org


def test_a_team_that_moves(gateway):
    open_one, closed = organisation(gateway), organisation(gateway, models=["claude"])
    team = ok(gateway.ask("POST", "/team/new", {}))["team_id"]
    key = gateway.new_key(team_id=team)
    assert gateway.chat("gpt", key).status == 200
    for home, status in ((closed, 403), (open_one, 200), (closed, 403)):
        ok(gateway.ask("POST", "/team/update", {"team_id": team, "organization_id": home}))
        assert gateway.chat("gpt", key).status == status, home
    own = gateway.new_key(team_id=team, organization_id=open_one)
    assert gateway.chat("gpt", own).status == 200, "a key's own organisation goes before its team's"
