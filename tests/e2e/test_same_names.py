"""Two who make the same at the same time: one does, and the others read what who comes later reads."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from support.common import fresh, ok

RACERS = 8


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def raced(request, tmp_path_factory, provider):
    from support.gateway import Gateway, config

    environment = {}
    if request.param == "postgres":
        environment["DATABASE_URL"] = request.getfixturevalue("server").database()
    sections = {"general_settings": {"store_model_in_db": True}}
    gateway = Gateway(tmp_path_factory.mktemp(request.param), config(provider, **sections), environment)
    yield gateway.start()
    gateway.stop()


def together(gateway, requests):
    with ThreadPoolExecutor(len(requests)) as racers:
        return list(racers.map(lambda request: gateway.ask("POST", *request), requests))


def model(name):
    params = {"model": "openai/say", "api_key": "sk-none"}
    return {"model_name": name, "litellm_params": params, "model_info": {"id": name}}


SAME = {
    "team": lambda name: ("/team/new", {"team_id": name}),
    "budget": lambda name: ("/budget/new", {"budget_id": name, "max_budget": 1}),
    "organization": lambda name: ("/organization/new", {"organization_id": name, "organization_alias": name}),
    "user": lambda name: ("/user/new", {"user_id": name, "auto_create_key": False}),
    "mail address": lambda name: ("/user/new", {"user_email": f"{name}@example.com", "auto_create_key": False}),
    "tag": lambda name: ("/tag/new", {"name": name}),
    "customer": lambda name: ("/customer/new", {"user_id": name}),
    "key alias": lambda name: ("/key/generate", {"key_alias": name}),
    "access group": lambda name: ("/v1/access_group", {"access_group_name": name}),
    "credential": lambda name: ("/credentials", {"credential_name": name, "credential_values": {"api_key": "x"}, "credential_info": {}}),
    "model": lambda name: ("/model/new", model(name)),
}


@pytest.mark.parametrize("kind", SAME)
def test_the_second_of_two_is_told_the_same_whenever_it_comes(raced, kind):
    for _ in range(4):
        name = fresh("same")
        answers = together(raced, [SAME[kind](name)] * RACERS)
        made = [answer for answer in answers if answer.status < 300]
        later = raced.ask("POST", *SAME[kind](name))
        assert len(made) == 1, [(answer.status, answer.body) for answer in answers]
        told = {(answer.status, answer.body) for answer in answers if answer.status >= 300}
        assert told == {(later.status, later.body)}
        assert later.status in (400, 409)


def test_a_project_is_made_once(raced):
    team, project = fresh("team"), fresh("project")
    ok(raced.ask("POST", "/team/new", {"team_id": team}))
    request = ("/project/new", {"project_id": project, "team_id": team})
    answers = together(raced, [request] * RACERS)
    later = raced.ask("POST", *request)
    assert sorted(answer.status for answer in answers) == [200] + [400] * (RACERS - 1)
    assert {answer.body for answer in answers if answer.status == 400} == {later.body}


def test_teams_whose_first_member_is_the_same_are_all_made(raced):
    """Their members are users that nobody has made: each of the requests would make them."""
    user = fresh("nobody")
    bodies = [("/team/new", {"team_id": fresh("team"), "members_with_roles": [{"user_id": user, "role": "user"}]})] * 1
    bodies = [("/team/new", {**body, "team_id": fresh("team")}) for _, body in bodies * RACERS]
    assert [answer.status for answer in together(raced, bodies)] == [200] * RACERS


def test_a_member_comes_into_a_team_once(raced):
    team, user = fresh("team"), fresh("user")
    ok(raced.ask("POST", "/team/new", {"team_id": team}))
    request = ("/team/member_add", {"team_id": team, "member": {"user_id": user, "role": "user"}})
    answers = together(raced, [request] * RACERS)
    later = raced.ask("POST", *request)
    assert sorted(answer.status for answer in answers) == [200] + [400] * (RACERS - 1)
    assert {answer.body for answer in answers if answer.status == 400} == {later.body}
