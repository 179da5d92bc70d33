"""`/usage/ai/chat`: a model answers questions about spend; it is asked, limited and billed as its caller's calls are."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from support.common import fresh, ok, team
from support.gateway import CALL_COST, entry

YEARS = {"start_date": "2020-01-01", "end_date": "2099-12-31"}


class Analyst(ThreadingHTTPServer):
    """A model that uses the tools of its script one after the other and then says what it was told."""

    def __init__(self, script):
        class Answers(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                self.server.asked.append(body)
                told = [message["content"] for message in body["messages"] if message["role"] == "tool"]
                message = {"role": "assistant", "content": "TOLD: " + "\n".join(told)}
                if len(told) < len(self.server.script):
                    name, arguments = self.server.script[len(told)]
                    call = {"name": name, "arguments": json.dumps(arguments)}
                    tool = {"id": f"call_{len(told)}", "type": "function", "function": call}
                    message = {"role": "assistant", "content": None, "tool_calls": [tool]}
                reply = {
                    "id": "x", "object": "chat.completion", "created": 1, "model": "analyst",
                    "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                    "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
                }
                data = json.dumps(reply).encode()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Answers)
        self.script, self.asked = script, []
        self.base = f"http://127.0.0.1:{self.server_address[1]}/v1"
        threading.Thread(target=self.serve_forever, daemon=True).start()


@pytest.fixture
def analyst():
    analyst = Analyst([("get_usage_data", YEARS)])
    yield analyst
    analyst.shutdown()


@pytest.fixture
def gateway(spawn, analyst):
    return spawn(models=[entry("analyst", "openai/analyst", analyst.base)])


def chat(gateway, question="What did we spend?", model="analyst", **more):
    body = {"messages": [{"role": "user", "content": question}], "model": model}
    answer = gateway.ask("POST", "/usage/ai/chat", body, **more)
    assert answer.status == 200 and answer.headers["content-type"].startswith("text/event-stream"), answer.body
    return [json.loads(line.removeprefix("data: ")) for line in answer.body.decode().split("\n\n") if line]


def user(gateway):
    body = {"user_id": fresh("user"), "user_role": "internal_user", "auto_create_key": False}
    return ok(gateway.ask("POST", "/user/new", body))["user_id"]


def test_figures_are_looked_up_and_told(gateway, analyst):
    spender = gateway.new_key()
    for _ in range(3):
        ok(gateway.chat(key=spender))
    gateway.rows(spender, 3)
    events = chat(gateway)
    kinds = [event["type"] for event in events]
    assert kinds == ["status", "tool_call", "tool_call", "status", "chunk", "done"]
    assert [event["status"] for event in events[1:3]] == ["running", "complete"]
    assert events[1]["tool_name"] == "get_usage_data" and events[1]["arguments"] == YEARS
    said = events[4]["content"]
    assert f"In all: ${3 * CALL_COST:.6f}, 3 calls (0 failed), 45 tokens" in said
    assert "- say: $" in said and "- openai: $" in said
    offered = [tool["function"]["name"] for tool in analyst.asked[0]["tools"]]
    assert offered == ["get_usage_data", "get_team_usage_data", "get_tag_usage_data"]
    assert analyst.asked[0]["messages"][0]["role"] == "system"


def test_it_is_billed_to_who_asks_and_bound_by_their_limits(gateway):
    admin = gateway.new_key(user_id=ok(gateway.ask("POST", "/user/new", {
        "user_id": fresh("admin"), "user_role": "proxy_admin", "auto_create_key": False,
    }))["user_id"], max_budget=1.5 * CALL_COST)
    assert chat(gateway, key=admin)[-1] == {"type": "done"}
    assert gateway.spend(admin, 2 * CALL_COST) == pytest.approx(2 * CALL_COST), "two questions to the model"
    over = chat(gateway, key=admin)[-1]
    assert over["type"] == "error" and "budget" in over["message"].lower()
    unknown = chat(gateway, model="nobody")[-1]
    assert unknown["type"] == "error" and "nobody" in unknown["message"]


def test_users_see_their_own_figures_only(gateway, analyst):
    mia, eve = user(gateway), user(gateway)
    hers, others = gateway.new_key(user_id=mia), gateway.new_key(user_id=eve)
    for key, calls in ((hers, 2), (others, 5)):
        for _ in range(calls):
            ok(gateway.chat(key=key))
        gateway.rows(key, calls)
    analyst.script = [("get_usage_data", {**YEARS, "user_id": eve}), ("get_team_usage_data", YEARS)]
    events = chat(gateway, key=hers)
    offered = [tool["function"]["name"] for tool in analyst.asked[0]["tools"]]
    assert offered == ["get_usage_data"]
    tools = [event for event in events if event["type"] == "tool_call"]
    assert [tool["status"] for tool in tools] == ["running", "complete", "running", "error"]
    said = events[-2]["content"]
    assert "2 calls" in said and "5 calls" not in said and "7 calls" not in said
    nobody = gateway.ask("POST", "/usage/ai/chat", {"messages": [{"role": "user", "content": "?"}]}, gateway.new_key())
    assert nobody.status in (401, 403)


def test_teams_and_tags(gateway, analyst):
    one = team(gateway)
    key = gateway.new_key(team_id=one)
    ok(gateway.chat(key=key, metadata={"tags": ["blue"]}))
    gateway.rows(key, 1)
    analyst.script = [
        ("get_team_usage_data", {**YEARS, "team_ids": one}),
        ("get_tag_usage_data", {**YEARS, "tags": "blue, red"}),
        ("get_usage_data", {"start_date": "yesterday", "end_date": "2099-12-31"}),
    ]
    events = chat(gateway)
    said = events[-2]["content"]
    assert f"- {one}: ${CALL_COST:.6f}, 1 calls" in said and f"- blue: ${CALL_COST:.6f}, 1 calls" in said
    wrong = [event for event in events if event.get("status") == "error"]
    assert len(wrong) == 1 and "`start_date` is `yesterday`" in wrong[0]["error"]


def test_a_model_that_never_answers_is_stopped(gateway, analyst):
    analyst.script = [("get_usage_data", YEARS)] * 50
    events = chat(gateway)
    assert events[-1]["type"] == "error" and len(analyst.asked) == 6


@pytest.mark.parametrize(
    "messages, word",
    [
        (None, "messages"), ([], "messages"), ([{"role": "system", "content": "x"}], "messages[0].role"),
        ([{"role": "user", "content": ["x"]}], "messages[0].content"),
    ],
)
def test_what_is_refused(gateway, messages, word):
    refused = gateway.ask("POST", "/usage/ai/chat", {"messages": messages, "model": "analyst"})
    assert refused.status == 400 and word in refused.json["error"]["message"]
