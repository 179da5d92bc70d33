"""Programs that speak Ollama's own protocol reach every provider: whole answers, streams of lines, tools, errors."""

import json

import pytest
from conftest import COHERE_SIDE, SIDES

USAGE = {COHERE_SIDE: (510, 7)}
ASK = [{"role": "user", "content": "Say hello"}]


def lines(answer):
    return [json.loads(line) for line in answer.body.splitlines()]


@pytest.mark.parametrize("side", [*SIDES, COHERE_SIDE])
def test_a_whole_answer(gateway, side):
    answer = gateway.ask("POST", "/api/chat", {"model": f"{side}/say", "messages": ASK, "stream": False})
    assert answer.status == 200, answer.body
    reply = answer.json
    assert reply["message"] == {"role": "assistant", "content": "Hello from upstream."}
    assert (reply["done"], reply["done_reason"]) == (True, "stop")
    assert (reply["prompt_eval_count"], reply["eval_count"]) == USAGE.get(side, (10, 5))


@pytest.mark.parametrize("side", [*SIDES, COHERE_SIDE])
def test_a_stream_is_lines_of_json_unless_it_is_not_wanted(gateway, side):
    answer = gateway.ask("POST", "/api/chat", {"model": f"{side}/say", "messages": ASK})
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    told = lines(answer)
    assert "".join(one["message"]["content"] for one in told) == "Hello from upstream."
    assert [one["done"] for one in told] == [False] * (len(told) - 1) + [True]
    assert (told[-1]["prompt_eval_count"], told[-1]["eval_count"]) == USAGE.get(side, (10, 5))


def test_options_and_system_reach_the_provider(gateway, upstream):
    messages = [{"role": "system", "content": "Be brief."}, *ASK]
    options = {"temperature": 0.5, "num_predict": 7, "stop": ["END"]}
    asked = {"model": "oai/say", "messages": messages, "stream": False, "options": options}
    assert gateway.ask("POST", "/api/chat", asked).status == 200
    body = upstream.last.body
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}
    assert (body["temperature"], body["stop"]) == (0.5, ["END"])
    assert 7 in (body.get("max_tokens"), body.get("max_completion_tokens"))


def test_errors_are_ollamas(gateway):
    answer = gateway.ask("POST", "/api/chat", {"model": "oai/say", "messages": ASK}, key="sk-nobody")
    assert answer.status == 401 and isinstance(answer.json["error"], str)
    answer = gateway.ask("POST", "/api/chat", {"model": "oai/say", "messages": "no list"})
    assert answer.status == 400 and isinstance(answer.json["error"], str)


def test_models_are_listed_as_ollama_lists_them(gateway):
    assert any(one["name"] == "gpt" for one in gateway.ask("GET", "/api/tags").json["models"])
    assert gateway.ask("GET", "/api/version").json["version"]
