"""Members of a team: their spend set back, their budget the team's again."""

from support.common import fresh, ok, team, until
from support.gateway import CALL_COST

# Less than the call costs that is made first; what is left after it is nothing.
TINY = round(CALL_COST / 2, 9)


def user(gateway, role="internal_user", **fields):
    body = {"user_id": fresh("user"), "user_role": role, "auto_create_key": False, **fields}
    return ok(gateway.ask("POST", "/user/new", body))["user_id"]


def membership(gateway, team, user):
    rows = ok(gateway.ask("GET", f"/team/info?team_id={team}"))["team_memberships"]
    return next(row for row in rows if row["user_id"] == user)


def spent_out(gateway, team, user):
    """A key of a member that has used up its budget."""
    key = gateway.new_key(team_id=team, user_id=user)
    ok(gateway.chat(key=key))
    until(lambda: membership(gateway, team, user)["spend"] > 0)
    assert gateway.chat(key=key).status == 422
    return key


def reset(gateway, what, team, user, body=None, **more):
    return gateway.ask("POST", f"/team/{team}/member/{user}/reset_{what}", body, **more)


def test_a_members_spend_is_set_back(gateway):
    mia = user(gateway)
    id = team(gateway, {"user_id": mia, "role": "user"}, team_member_budget=TINY)
    key = spent_out(gateway, id, mia)
    told = ok(reset(gateway, "spend", id, mia, {"reset_to": 0}))
    assert (told["team_id"], told["user_id"], told["spend"]) == (id, mia, 0.0)
    assert abs(told["previous_spend"] - CALL_COST) < 1e-12
    assert membership(gateway, id, mia)["spend"] == 0.0
    assert membership(gateway, id, mia)["total_spend"] > 0
    ok(gateway.chat(key=key))


def test_what_a_reset_is_refused_for(gateway):
    mia = user(gateway)
    id = team(gateway, {"user_id": mia, "role": "user"})
    assert reset(gateway, "spend", fresh("team"), mia, {"reset_to": 0}).status == 404
    assert reset(gateway, "spend", id, fresh("user"), {"reset_to": 0}).status == 404
    assert reset(gateway, "budget", id, fresh("user")).status == 404
    assert reset(gateway, "spend", id, mia, {}).status == 422
    above = reset(gateway, "spend", id, mia, {"reset_to": 5})
    assert above.status == 400 and "reset_to" in above.json["detail"]["error"]
    assert reset(gateway, "spend", id, mia, {"reset_to": -1}).status == 400


def test_who_runs_the_team_resets_others_not_themselves(gateway):
    ann, mia, eve = user(gateway), user(gateway), user(gateway)
    id = team(gateway, {"user_id": ann, "role": "admin"}, {"user_id": mia, "role": "user"})
    key = lambda name: gateway.new_key(user_id=name)
    ok(reset(gateway, "spend", id, mia, {"reset_to": 0}, key=key(ann)))
    ok(reset(gateway, "budget", id, mia, key=key(ann)))
    own = reset(gateway, "spend", id, ann, {"reset_to": 0}, key=key(ann))
    assert own.status == 403 and "own spend" in own.json["error"]["message"]
    for name in (mia, eve):
        assert reset(gateway, "spend", id, mia, {"reset_to": 0}, key=key(name)).status == 403
        assert reset(gateway, "budget", id, mia, key=key(name)).status == 403


def test_a_members_budget_is_the_teams_again(gateway):
    mia = user(gateway)
    id = team(gateway, {"user_id": mia, "role": "user"}, team_member_budget=1)
    update = {"team_id": id, "user_id": mia, "max_budget_in_team": TINY, "allowed_models": ["gpt"]}
    ok(gateway.ask("POST", "/team/member_update", update))
    key = spent_out(gateway, id, mia)
    ok(reset(gateway, "budget", id, mia))
    row = membership(gateway, id, mia)
    assert abs(row["spend"] - CALL_COST) < 1e-12, "what is spent stays"
    assert row["budget_id"] is not None
    ok(gateway.chat(key=key))
    assert gateway.chat("claude", key).status == 403, "the models it may use stay"
    ok(gateway.ask("POST", "/team/update", {"team_id": id, "team_member_budget": TINY}))
    assert gateway.chat(key=key).status == 422, "the team's default holds for it"


def test_a_reset_opens_on_every_replica(server, spawn):
    environment = {"DATABASE_URL": server.database()}
    first, second = spawn(environment=environment), spawn(environment=environment)
    mia = user(first)
    id = team(first, {"user_id": mia, "role": "user"}, team_member_budget=TINY)
    key = spent_out(first, id, mia)
    until(lambda: second.chat(key=key).status == 422)
    ok(reset(first, "spend", id, mia, {"reset_to": 0}))
    until(lambda: second.chat(key=key).status == 200, seconds=3)
