"""The OpenAI SDK's legacy completions: forwarded where the provider has them, else asked of a chat."""

import json

import openai
import pytest
from conftest import openai_client
from support.gateway import CALL_COST
from support.replies import TEXT

# Providers with completions of their own, and chats of three dialects.
FORWARDED = ["txt", "vllm"]
SIDES = [*FORWARDED, "oai", "ant", "coh"]
every_side = pytest.mark.parametrize("side", SIDES)


def create(gpt, model, prompt="Say hello", **options):
    return gpt.completions.create(model=model, prompt=prompt, max_tokens=5, **options)


@every_side
def test_plain(gpt, upstream, side):
    reply = create(gpt, f"{side}/say", stop=["END"], temperature=0.5)
    assert (reply.object, reply.choices[0].text, reply.choices[0].finish_reason) == ("text_completion", TEXT, "stop")
    assert reply.usage.completion_tokens in (5, 7)
    sent = upstream.last
    assert sent.path.endswith("/v1/completions") == (side in FORWARDED)
    assert "Say hello" in json.dumps(sent.body)
    assert sent.body["temperature"] == 0.5


@every_side
def test_stream(gpt, side):
    chunks = list(create(gpt, f"{side}/say", stream=True, stream_options={"include_usage": True}))
    assert "".join(choice.text for chunk in chunks for choice in chunk.choices) == TEXT
    finishes = [choice.finish_reason for chunk in chunks for choice in chunk.choices if choice.finish_reason]
    assert finishes == ["stop"]
    assert [chunk.usage for chunk in chunks if chunk.usage][0].completion_tokens in (5, 7)
    assert {chunk.object for chunk in chunks} == {"text_completion"}


@every_side
def test_errors_of_the_provider(gpt, side):
    for status, kind in [(400, openai.BadRequestError), (429, openai.RateLimitError)]:
        with pytest.raises(kind) as caught:
            create(gpt, f"{side}/error-{status}")
        assert f"upstream says {status}" in caught.value.message


@pytest.mark.parametrize("side", ["oai", "ant", "coh"])
@pytest.mark.parametrize(
    ("param", "options"),
    [
        ("prompt", {"prompt": [1, 2, 3]}),
        ("prompt", {"prompt": ["one", [1, 2]]}),
        ("suffix", {"suffix": "end"}),
        ("echo", {"echo": True}),
        ("best_of", {"best_of": 3}),
    ],
)
def test_what_a_chat_cannot_say_is_refused(gpt, upstream, side, param, options):
    with pytest.raises(openai.BadRequestError) as caught:
        create(gpt, f"{side}/say", **options)
    assert param in caught.value.message
    assert upstream.asked == []


@pytest.mark.parametrize("side", ["oai", "ant", "coh", "res"])
def test_several_prompts_are_asked_of_a_chat_one_by_one(gateway, upstream, side):
    key = gateway.new_key()
    gpt = openai_client(gateway, key)
    reply = create(gpt, f"{side}/echo", prompt=["one", "two", "three"])
    assert [(choice.index, choice.text) for choice in reply.choices] == [(0, "one"), (1, "two"), (2, "three")]
    # The second of two refused prompts may still arrive from the test before.
    assert [asked.body["model"] for asked in upstream.asked].count("echo") == 3
    assert reply.usage.completion_tokens in (15, 21), "the sum"
    assert gateway.spend(key, 3 * CALL_COST) >= 3 * CALL_COST - 1e-12
    chunks = list(create(gpt, f"{side}/echo", prompt=["one", "two"], stream=True))
    told = {0: "", 1: ""}
    for chunk in chunks:
        for choice in chunk.choices:
            told[choice.index] += choice.text
    assert told == {0: "one", 1: "two"}
    with pytest.raises(openai.RateLimitError):
        create(gpt, f"{side}/error-429", prompt=["one", "two"])


def test_it_goes_to_a_provider_that_can(gpt, upstream):
    options = {"suffix": "end", "echo": True, "best_of": 3, "logprobs": 2}
    create(gpt, "txt/say", prompt=["one", "two"], **options)
    sent = upstream.last.body
    assert sent["prompt"] == ["one", "two"] and {name: sent[name] for name in options} == options


def test_the_model_may_stand_in_the_path(gateway, upstream):
    for path in ["/engines/oai/say/completions", "/openai/deployments/oai/say/completions", "/completions"]:
        answer = gateway.ask("POST", path, {"model": "oai/say", "prompt": "hi"})
        assert answer.status == 200 and answer.json["choices"][0]["text"] == TEXT, path
    answer = gateway.ask("POST", "/v1/completions", {"model": "oai/say"})
    assert answer.status == 400 and "'prompt'" in answer.json["error"]["message"]


def test_it_is_charged(gateway):
    key = gateway.new_key()
    for body in [{"model": "txt/say"}, {"model": "oai/say"}, {"model": "txt/say", "stream": True}]:
        assert gateway.ask("POST", "/v1/completions", {"prompt": "hi", **body}, key).status == 200
    assert gateway.spend(key, 3 * CALL_COST) == pytest.approx(3 * CALL_COST)


def test_a_broken_stream_is_no_clean_end(gpt):
    for side in ["oai", "ant"]:
        with pytest.raises(openai.APIError):
            list(create(gpt, f"{side}/cut", stream=True))
