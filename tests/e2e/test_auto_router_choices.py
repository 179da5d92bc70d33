"""What decides for auto routers besides words: the operator's own program, and where a prompt is warm."""

import hashlib
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from support.gateway import MASTER_KEY, entry
from test_auto_routers import ID, TIERS, complexity, member, router, said

CAUSE, TIER = "x-litellm-complexity-router-cause", "x-litellm-complexity-router-tier"
SECRET = "program-secret"


class Program:
    """Names tiers; `answer` is a status and a body, or seconds to wait."""

    def __init__(self):
        self.answer = 200, {"tier": "COMPLEX"}
        self.asked = []
        program = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                program.asked.append((json.loads(body), body, self.headers))
                status, reply = program.answer
                if status == "hang":
                    program.closing.wait(20)
                    status = 200
                self.send_response(status)
                self.end_headers()
                if status != 204:
                    self.wfile.write(json.dumps(reply).encode())

            def log_message(self, *_):
                pass

        self.closing = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/tier"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def program():
    program = Program()
    yield program
    program.closing.set()
    program.server.shutdown()
    program.server.server_close()


def by_program(upstream, program, **config):
    custom = {"classifier_type": "custom", "classifier_plugin": program.url, "classifier_plugin_secret": SECRET}
    return complexity(upstream, **{**custom, **config})


def test_the_operators_own_program_names_the_tier(spawn, upstream, program):
    gateway = spawn(models=by_program(upstream, program))
    key = gateway.new_key(key_alias="ann's", models=["smart"])
    program.answer = 200, {"tier": "COMPLEX", "score": 0.9, "signals": ["legal"]}
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "first"},
                {"role": "assistant", "content": "yes"}, {"role": "user", "content": "hi"}]
    answer = gateway.chat("smart", key, messages=messages)
    assert (answer.headers[ID], answer.headers[CAUSE], answer.headers[TIER]) == ("hard-id", "classifier_plugin", "COMPLEX")
    assert answer.headers["x-litellm-complexity-router-score"] == "0.9"
    asked, body, headers = program.asked[0]
    assert (asked["router"], asked["newest_request"], asked["system_prompt"]) == ("smart", "hi", "Be brief.")
    assert asked["earlier_turns"] == "user: first" and asked["tiers"] == list(TIERS) and asked["messages"] == 4
    assert asked["caller"]["key_alias"] == "ann's" and key not in body.decode()
    signed = headers["x-gateway-timestamp"].encode() + b"." + body
    assert headers["x-gateway-signature"] == "sha256=" + hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    # What is shown of the configuration does not hold the secret, and nobody is asked where a prompt is only tried.
    info = gateway.ask("GET", "/model/info").body.decode()
    assert program.url in info and SECRET not in info + gateway.log()
    told = gateway.ask("POST", "/utils/route_explain", {"model": "smart", "prompt": "hi"})
    assert told.status == 200 and len(program.asked) == 1


@pytest.mark.parametrize("answer", [(200, {"tier": None}), (204, None), (200, {"tier": "HUGE"}), (500, {}), (302, {})])
def test_what_names_no_tier_leaves_it_to_the_words(spawn, upstream, program, answer):
    gateway = spawn(models=by_program(upstream, program))
    program.answer = answer
    told = gateway.chat("smart", **said("debug this python"))
    assert (told.status, told.headers[ID], told.headers[CAUSE]) == (200, "usual-id", "heuristic_fallback")
    assert gateway.chat("smart", **said("hi")).headers[ID] == "easy-id"
    assert len(program.asked) == 2, "it is asked again"


def test_a_program_that_is_away_or_too_slow(spawn, upstream, program):
    config = {"classifier_fallback": "default_model", "default_model": "usual", "classifier_plugin_timeout_ms": 300}
    gateway = spawn(models=by_program(upstream, program, **config))
    program.answer = "hang", {}
    began = time.monotonic()
    told = gateway.chat("smart", **said("hi"))
    assert time.monotonic() - began < 10
    assert (told.headers[ID], told.headers[CAUSE]) == ("usual-id", "classifier_failed_default_model")
    # It rests: the next call does not wait for it.
    assert gateway.chat("smart", **said("hi")).headers[ID] == "usual-id"
    assert len(program.asked) == 1, "who was too slow rests"


def test_python_classes_are_named_with_the_way_out(spawn, upstream):
    gateway = spawn(models=complexity(upstream, classifier_type="custom", classifier_plugin="my_plugins.by_law"))
    assert "complexity_router_config.classifier_plugin: found `my_plugins.by_law`" in gateway.log()
    assert "name the URL of a program" in gateway.log()
    assert gateway.chat("smart", **said("hi")).headers[CAUSE] == "heuristic_scorer"
    defaults = {"classifier_fallback": "default_model", "default_model": "usual"}
    with pytest.raises(AssertionError, match="expected a URL"):
        spawn(models=complexity(upstream, classifier_type="custom", classifier_plugin="my_plugins.by_law", **defaults))


def test_the_access_log_names_decisions(spawn, upstream):
    gateway = spawn(models=complexity(upstream))
    assert gateway.chat("smart", **said("debug this python")).headers[ID] == "usual-id"
    assert gateway.chat("smart", stream=True, **said("hi")).headers[ID] == "easy-id"
    assert gateway.chat("gpt").status == 200

    def lines():
        rows = [json.loads(line) for line in gateway.log().splitlines() if line.startswith('{"at":')]
        rows = [row for row in rows if row["path"] == "/v1/chat/completions"]
        told = ("model", "auto_router", "auto_router_cause", "auto_router_tier")
        return {row["model"]: tuple(row.get(name) for name in told[1:]) for row in rows}

    until = time.monotonic() + 20
    while len(lines()) < 3 and time.monotonic() < until:
        time.sleep(0.05)
    assert lines() == {
        "usual": ("smart", "heuristic_scorer", "MEDIUM"),
        "easy": ("smart", "heuristic_scorer", "SIMPLE"),
        "gpt": (None, None, None),
    }, "calls of other models do not name one"


def warm_models(upstream, **config):
    """A cheap model and a dear one that says that its cache held 20,000 tokens."""
    cheap = member(upstream, "easy")
    dear = member(upstream, "hard", "cached-20000")
    cheap["litellm_params"] |= {"input_cost_per_token": 1e-6, "output_cost_per_token": 5e-6, "cache_creation_input_token_cost": 1.25e-6}
    dear["litellm_params"] |= {"input_cost_per_token": 3e-6, "output_cost_per_token": 15e-6, "cache_read_input_token_cost": 3e-7}
    tiers = {"SIMPLE": "easy", "REASONING": "hard"}
    return [cheap, dear, router("smart", "complexity_router", complexity_router_config={"tiers": tiers, **config})]


def conversation(*turns):
    """The first turn is long; answers lie between the turns."""
    first = {"role": "user", "content": turns[0] + " Some law." * 8_000}
    rest = [one for turn in turns[1:] for one in ({"role": "assistant", "content": "Yes."}, {"role": "user", "content": turn})]
    return {"messages": [first, *rest], "max_tokens": 200}


HARD = "Think through this step by step and weigh the options."


def test_a_conversation_stays_where_it_is_warm(spawn, upstream):
    gateway = spawn(models=warm_models(upstream, cache_aware_routing=True))
    key = gateway.new_key(models=["smart"])
    hard = gateway.chat("smart", key, **conversation(HARD))
    assert (hard.headers[ID], hard.headers[CAUSE]) == ("hard-id", "reasoning_override")
    easy = gateway.chat("smart", key, **conversation(HARD, "thanks"))
    assert (easy.headers[ID], easy.headers[CAUSE], easy.headers[TIER]) == ("hard-id", "cache_aware_routing", "REASONING")
    # Another conversation is not warm there, nor is another caller's, though it is the same.
    assert gateway.chat("smart", key, **conversation("Hello.", "thanks")).headers[ID] == "easy-id"
    assert gateway.chat("smart", gateway.new_key(), **conversation(HARD, "thanks")).headers[ID] == "easy-id"


def test_without_the_option_words_decide(spawn, upstream):
    gateway = spawn(models=warm_models(upstream))
    assert gateway.chat("smart", **conversation(HARD)).headers[ID] == "hard-id"
    assert gateway.chat("smart", **conversation(HARD, "thanks")).headers[ID] == "easy-id"


def test_a_session_stays_with_one_model_of_a_tier(spawn, upstream):
    models = [member(upstream, name) for name in ("a", "b", "c")]
    gateway = spawn(models=[*models, router("smart", "complexity_router", complexity_router_config={"tiers": {"SIMPLE": ["a", "b", "c"]}})])
    served = lambda session: {gateway.chat("smart", headers={"x-litellm-session-id": session}, **said("hi")).headers[ID] for _ in range(6)}
    sessions = [served(f"s{number}") for number in range(12)]
    assert all(len(ids) == 1 for ids in sessions), sessions
    assert len(set.union(*sessions)) > 1, "sessions spread"


def test_where_a_session_stays_is_told(spawn, upstream):
    models = [member(upstream, name) for name in ("a", "b", "c")]
    config = {"tiers": {"SIMPLE": ["a", "b", "c"]}, "session_affinity": True}
    gateway = spawn(models=[*models, router("smart", "complexity_router", complexity_router_config=config)])
    key, other = gateway.new_key(), gateway.new_key()
    answer = gateway.chat("smart", key=key, headers={"x-litellm-session-id": "one"}, **said("hi"))
    served = answer.headers["x-litellm-complexity-router-model"]
    ask = lambda query, key=key: gateway.ask("GET", f"/auto_router/session{query}", key=key)
    [kept] = ask("?session_id=one").json["routers"]
    assert (kept["router_name"], kept["model"], kept["tier"]) == ("smart", served, "SIMPLE")
    assert 0 < kept["expires_in_seconds"] <= 3600
    nothing = {"router_name": "smart", "model": None, "tier": None, "expires_in_seconds": None}
    assert ask("?session_id=two").json["routers"] == [nothing]
    assert ask("?session_id=one", other).json["routers"] == [nothing], "sessions of other keys are theirs"
    assert ask(f"?session_id=one&router_name=smart&api_key={key}", MASTER_KEY).json["routers"][0]["model"] == served
    assert ask("?session_id=one", MASTER_KEY).json["routers"] == [nothing]
    missing = ask("")
    assert missing.status == 400 and missing.json["error"]["param"] == "session_id"
    assert ask("?session_id=one&router_name=dull").status == 404


def narrow(upstream, compactor="echo", **compaction):
    """A tier whose model holds 1,000 tokens, and a higher one whose model holds 100,000 and repeats what it is told."""
    models = [member(upstream, "easy", "say", max_input_tokens=1_000), member(upstream, "hard", compactor, max_input_tokens=100_000)]
    tiers = {"SIMPLE": "easy", "REASONING": "hard"}
    return [*models, router("smart", "complexity_router", complexity_router_config={"tiers": tiers, "context_compaction": compaction})]


LONG = [
    {"role": "user", "content": "The roof leaks. " * 500},
    {"role": "assistant", "content": "Where?"},
    {"role": "user", "content": [{"type": "text", "text": "hi"}]},
]


def test_a_conversation_that_is_too_long_is_made_shorter(spawn, upstream):
    gateway = spawn(models=narrow(upstream))
    key = gateway.new_key(models=["smart"])
    system = {"role": "system", "content": "Be brief."}
    answer = gateway.chat("smart", key, messages=[system, *LONG], temperature=0.5)
    assert (answer.status, answer.headers[ID], answer.headers[CAUSE]) == (200, "easy-id", "heuristic_scorer"), answer.body
    assert float(answer.headers["x-litellm-classifier-cost"]) > 0, "the summary is paid for"
    asked, sent = upstream.asked[-2].body, upstream.last.body
    assert asked["model"] == "echo" and "The roof leaks." in asked["messages"][1]["content"] and '"hi"' not in str(asked)
    assert sent["messages"][0] == system and sent["temperature"] == 0.5 and len(sent["messages"]) == 2
    summary, question = sent["messages"][1]["content"]
    assert summary["text"].startswith("Summary of the conversation so far") and question["text"] == "hi"
    # In Anthropic's words too; what is short enough stays as it is.
    body = {"model": "smart", "max_tokens": 9, "system": "Be brief.", "messages": LONG}
    assert gateway.ask("POST", "/v1/messages", body, key).headers[ID] == "easy-id"
    assert "Summary of the conversation so far" in str(upstream.last.body)
    before = len(upstream.asked)
    gateway.chat("smart", key, messages=[LONG[2], {"role": "assistant", "content": "hi"}, LONG[2]])
    assert len(upstream.asked) == before + 1


def test_where_it_cannot_be_made_shorter_it_goes_where_it_fits(spawn, upstream):
    broken = [member(upstream, "ill", "error-500"), *narrow(upstream, "say", model="ill")]
    gateway = spawn(models=broken)
    answer = gateway.chat("smart", messages=LONG)
    assert (answer.status, answer.headers[ID], answer.headers[CAUSE]) == (200, "hard-id", "context_window_escalation")
    # One question alone has nothing before it to leave out.
    assert gateway.chat("smart", messages=LONG[:1]).headers[ID] == "hard-id"
    assert "could not be made shorter" in gateway.log()
