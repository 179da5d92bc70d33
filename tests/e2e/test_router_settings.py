"""What keys, teams and customers say of routing, over what the operator says."""

from support.gateway import entry

ID = "x-litellm-model-id"


def member(upstream, group, model, id, **params):
    made = entry(group, f"openai/{model}", upstream.base + "/v1", **params)
    return {**made, "model_info": {"id": id}}


def new_team(gateway, **fields):
    answer = gateway.ask("POST", "/team/new", fields)
    assert answer.status == 200, answer.body
    return answer.json["team_id"]


def new_customer(gateway, **fields):
    answer = gateway.ask("POST", "/customer/new", fields)
    assert answer.status == 200, answer.body


def test_a_keys_settings_win_over_its_teams_and_the_operators(spawn, upstream):
    models = [
        member(upstream, "g", "say", "g1"), member(upstream, "g", "say", "g2"),
        member(upstream, "bad", "error-500", "b1"),
        member(upstream, "x", "say", "x1"), member(upstream, "y", "say", "y1"), member(upstream, "z", "say", "z1"),
    ]
    gateway = spawn(models=models, router_settings={"fallbacks": [{"bad": ["x"]}], "num_retries": 2})
    team = new_team(gateway, router_settings={"fallbacks": [{"bad": ["y"]}], "num_retries": 1})
    plain = gateway.new_key()
    of_team = gateway.new_key(team_id=team)
    own = {
        "fallbacks": [{"bad": ["z"]}], "weights": {"g": {"g1": 0, "g2": 1}}, "model_group_alias": {"fast": "g"},
        "routing_strategy_args": None, "context_window_fallbacks": [],
    }
    both = gateway.new_key(team_id=team, router_settings=own)
    asked = lambda key: gateway.chat("bad", key=key).headers
    assert [asked(key)[ID] for key in (plain, of_team, both)] == ["x1", "y1", "z1"]
    # What the key leaves open is the team's, what both leave open the operator's. Retries are counted of the group
    # that answered: told by what the provider was asked.
    tries = {}
    for key, name in ((plain, "plain"), (of_team, "team"), (both, "both")):
        before = len(upstream.asked)
        asked(key)
        tries[name] = len(upstream.asked) - before
    assert tries == {"plain": 4, "team": 3, "both": 3}
    assert {gateway.chat("g", key=both).headers[ID] for _ in range(12)} == {"g2"}
    assert {gateway.chat("g", key=plain).headers[ID] for _ in range(40)} == {"g1", "g2"}
    assert gateway.chat("fast", key=both).headers[ID] == "g2"
    assert gateway.chat("fast", key=plain).status == 400
    assert gateway.key_info(both)["router_settings"]["fallbacks"] == [{"bad": ["z"]}]
    # A change counts at once.
    changed = gateway.ask("POST", "/key/update", {"key": both, "router_settings": {"fallbacks": [{"bad": ["x"]}]}})
    assert changed.status == 200, changed.body
    assert asked(both)[ID] == "x1"
    team_changed = gateway.ask("POST", "/team/update", {"team_id": team, "router_settings": {"fallbacks": [{"bad": ["z"]}]}})
    assert team_changed.status == 200, team_changed.body
    assert asked(of_team)[ID] == "z1"


def test_a_keys_word_on_retries_and_times_counts_as_the_callers(spawn, upstream):
    """LiteLLM lays what a key says of them into its calls: it wins over what deployments say."""
    models = [
        member(upstream, "bad", "error-500", "b1", num_retries=2),
        member(upstream, "late", "slow-2000", "l1", timeout=20),
    ]
    gateway = spawn(models=models)
    key = gateway.new_key(router_settings={"num_retries": 0, "timeout": 0.3})
    before = len(upstream.asked)
    assert gateway.chat("bad", key=key).status == 500 and len(upstream.asked) == before + 1
    assert gateway.chat("late", key=key).status == 408
    # A call's own word is stronger still.
    before = len(upstream.asked)
    assert gateway.chat("bad", key=key, num_retries=1).status == 500 and len(upstream.asked) == before + 2


def test_a_key_may_be_routed_by_latency_where_others_are_not(spawn, upstream):
    models = [member(upstream, "g", "slow-300", "slow"), member(upstream, "g", "say", "quick")]
    gateway = spawn(models=models)
    key = gateway.new_key(router_settings={"routing_strategy": "latency-based-routing"})
    first = [gateway.chat("g", key=key).headers[ID] for _ in range(2)]
    assert sorted(first) == ["quick", "slow"], "who was not asked yet comes first"
    assert {gateway.chat("g", key=key).headers[ID] for _ in range(10)} == {"quick"}
    told = gateway.ask("POST", "/utils/route_explain", {"model": "g", "api_key": key}).json
    assert told["routing_strategy"] == "latency-based-routing"
    assert {one["model_id"]: one["chance"] for one in told["deployments"]} == {"slow": 0.0, "quick": 1.0}
    assert gateway.ask("POST", "/utils/route_explain", {"model": "g"}).json["routing_strategy"] == "simple-shuffle"
    unknown = gateway.ask("POST", "/utils/route_explain", {"model": "g", "api_key": "sk-nobody"})
    assert unknown.status == 400 and unknown.json["error"]["param"] == "api_key", unknown.body


def test_settings_that_make_no_sense_are_not_stored(spawn, upstream):
    gateway = spawn()
    for wrong in ({"routing_strategy": "fastest"}, {"num_retries": "many"}, ["fallbacks"]):
        refused = gateway.ask("POST", "/key/generate", {"router_settings": wrong})
        assert refused.status == 422, refused.body
        assert b"router_settings" in refused.body
    assert gateway.ask("POST", "/team/new", {"router_settings": {"timeout": "soon"}}).status == 422


def test_customers_are_served_in_their_region(spawn, upstream):
    models = [
        member(upstream, "g", "say", "us", region_name="us-east-1"),
        member(upstream, "g", "say", "azure", region_name="swedencentral"),
        member(upstream, "far", "say", "nowhere"),
    ]
    gateway = spawn(models=models)
    new_customer(gateway, user_id="anna", allowed_model_region="eu")
    new_customer(gateway, user_id="bob", allowed_model_region="us")
    ask = lambda **fields: {gateway.chat("g", **fields).headers[ID] for _ in range(8)}
    assert ask(user="anna") == {"azure"} and ask(user="bob") == {"us"}
    # A request may bind itself, but not free itself.
    assert ask(allowed_model_region="eu") == {"azure"}
    assert ask(user="anna", allowed_model_region="us") == {"azure"}
    assert ask(user="carl") | ask() == {"us", "azure"}
    refused = gateway.chat("far", user="anna")
    assert refused.status == 400, refused.body
