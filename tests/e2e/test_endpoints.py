"""The calls beside chat through the stock SDKs: what the provider gets, what the caller gets, what it costs."""

import base64
import http.client
import importlib
import json
import os
import sys
import time
from pathlib import Path

import cohere
import openai
import pytest

from conftest import openai_client
from support.gateway import ROOT
from support.media import AUDIO, PICTURE, VECTOR, Media

SHARED = Path(os.environ.get("GATEWAY_SHARED", ROOT.parent / "shared"))
SOUND = b"RIFF" + bytes(range(256)) * 40 + b"\r\n--not-a-boundary\r\n"
# What SDKs and plain clients drive here, by provider: the reference of endpoints says so (`cargo xtask codegen`).
DRIVEN = {
    "openai": ["embeddings", "moderation", "image generation", "image edit", "image variation", "speech", "transcription", "audio translation"],
    "hosted_vllm": ["rerank"],
    "ovhcloud": ["embeddings"],
    "mistral": ["embeddings"],
    "ollama": ["embeddings"],
    "gemini": ["embeddings"],
}
# What a unit costs here: see `models`.
PER_TOKEN, PER_IMAGE, PER_LETTER, PER_SECOND, PER_QUERY = 1e-6, 0.02, 1e-5, 1e-4, 0.002


def entry(name, base, **prices):
    params = {"model": "openai/" + name, "api_base": base, "api_key": "sk-upstream-secret"}
    return {"model_name": name, "litellm_params": params, "model_info": prices}


def models(base):
    return [
        entry("embed", base, input_cost_per_token=PER_TOKEN, output_cost_per_token=0),
        entry("judge", base, input_cost_per_token=0, output_cost_per_token=0),
        entry("draw", base, output_cost_per_image=PER_IMAGE),
        entry("speak", base, input_cost_per_character=PER_LETTER),
        entry("cut", base, input_cost_per_character=PER_LETTER),
        entry("hear", base, input_cost_per_second=PER_SECOND),
        entry("flaky-1", base, input_cost_per_token=PER_TOKEN),
        entry("error-429", base),
        {"model_name": "rank", "litellm_params": {"model": "hosted_vllm/rank", "api_base": base, "api_key": "k"}, "model_info": {"input_cost_per_query": PER_QUERY}},
        {"model_name": "other", "litellm_params": {"model": "ovhcloud/embed", "api_base": base, "api_key": "k"}},
        {"model_name": "chatty", "litellm_params": {"model": "groq/x", "api_base": base, "api_key": "k"}},
        *({"model_name": f"spec-{name}", "litellm_params": {"model": f"{name}/m", "api_base": base, "api_key": "k"}} for name in ("openai", "mistral", "ollama", "gemini")),
        {"model_name": "mock", "litellm_params": {"model": "mock/any"}},
    ]


@pytest.fixture(scope="module")
def media():
    provider = Media()
    yield provider
    provider.close()


@pytest.fixture(scope="module")
def served(media, tmp_path_factory):
    from support.gateway import MASTER_KEY, Gateway

    config = {
        "model_list": models(media.base),
        "general_settings": {"master_key": MASTER_KEY, "max_request_size_mb": 1},
        "router_settings": {"num_retries": 1, "disable_cooldowns": True, "retry_after": 0},
    }
    gateway = Gateway(tmp_path_factory.mktemp("endpoints"), config).start()
    yield gateway
    gateway.stop()


@pytest.fixture
def client(served, media):
    media.clear()
    return openai_client(served)


def costs(served, call, amount):
    """Makes a call with a key of its own and sees the books."""
    key = served.new_key()
    result = call(openai_client(served, key))
    assert served.spend(key, amount) == pytest.approx(amount, abs=1e-12)
    return result


def test_embeddings_in_both_forms(client, media):
    made = client.embeddings.create(model="embed", input=["a", "b"])
    assert [one.embedding for one in made.data] == [VECTOR, VECTOR]
    assert media.last.json == {"model": "embed", "input": ["a", "b"], "encoding_format": "base64"}
    assert media.last.headers["authorization"] == "Bearer sk-upstream-secret"
    plain = client.embeddings.create(model="embed", input="a", encoding_format="float")
    assert plain.data[0].embedding == VECTOR


def test_a_vendor_without_base64_gives_the_sdk_its_form(client, media):
    made = client.embeddings.create(model="other", input="a")
    assert made.data[0].embedding == VECTOR
    assert "encoding_format" not in media.last.json


def test_moderation(client, media):
    judged = client.moderations.create(model="judge", input="x")
    assert judged.results[0].flagged and judged.results[0].category_scores.hate == 0.9


def test_rerank_by_coheres_sdk(served, media):
    for make in (cohere.ClientV2, cohere.Client):
        asked = make(base_url=served.url, api_key="sk-e2e-master-key")
        ranked = asked.rerank(model="rank", query="q", documents=["a", "b"], top_n=2)
        assert [(one.index, one.relevance_score) for one in ranked.results] == [(1, 0.9), (0, 0.1)]
        assert media.last.json["documents"] == ["a", "b"]


def test_pictures_made_and_changed(client, media):
    made = client.images.generate(model="draw", prompt="cat", size="1024x1024")
    assert made.data[0].b64_json == PICTURE
    picture = base64.b64decode(PICTURE)
    changed = client.images.edit(model="draw", prompt="hat", image=("in.png", picture, "image/png"))
    assert changed.data[0].b64_json == PICTURE
    form = media.last.form
    assert form["image"] == ("in.png", "image/png", picture) and form["prompt"] == b"hat" and form["model"] == b"draw"
    client.images.create_variation(model="draw", image=("in.png", picture, "image/png"))
    assert media.last.path == "/v1/images/variations"


def test_speech_byte_for_byte_and_as_it_comes(client, media):
    begun = time.monotonic()
    first = None
    with client.audio.speech.with_streaming_response.create(model="speak", input="Hello", voice="alloy") as answer:
        assert answer.headers["content-type"] == "audio/mpeg"
        heard = bytearray()
        for piece in answer.iter_bytes(4096):
            first = first or time.monotonic() - begun
            heard += piece
    assert bytes(heard) == AUDIO
    assert time.monotonic() - begun - first > 0.1, "the audio came at once, at the end"
    assert media.last.json == {"model": "speak", "input": "Hello", "voice": "alloy"}


def test_cut_speech_is_no_whole_speech(client):
    with pytest.raises(openai.APIConnectionError):
        client.audio.speech.create(model="cut", input="Hello", voice="alloy").read()


def test_transcription_byte_for_byte(client, media):
    heard = client.audio.transcriptions.create(
        model="hear", file=("a.wav", SOUND, "audio/wav"), language="en", timestamp_granularities=["word"]
    )
    assert heard.text == "hello there"
    form = media.last.form
    assert form["file"] == ("a.wav", "audio/wav", SOUND)
    assert (form["language"], form["timestamp_granularities[]"]) == (b"en", b"word")
    plain = client.audio.transcriptions.create(model="hear", file=("a.wav", SOUND), response_format="text")
    assert plain == "hello there\n"
    client.audio.translations.create(model="hear", file=("a.wav", SOUND))
    assert media.last.path == "/v1/audio/translations"


def test_what_each_costs(served):
    costs(served, lambda asked: asked.embeddings.create(model="embed", input="a"), 10 * PER_TOKEN)
    costs(served, lambda asked: asked.images.generate(model="draw", prompt="cat"), PER_IMAGE)
    costs(served, lambda asked: asked.audio.speech.create(model="speak", input="häuser", voice="a"), 6 * PER_LETTER)
    costs(served, lambda asked: asked.audio.transcriptions.create(model="hear", file=("a.wav", SOUND)), 30 * PER_SECOND)
    ranked = {"model": "rank", "query": "q", "documents": ["a"]}
    costs(served, lambda asked: asked.post("/rerank", body=ranked, cast_to=object), PER_QUERY)


def test_headers_of_an_answer(served):
    answer = served.ask("POST", "/v1/embeddings", {"model": "embed", "input": "a"})
    assert float(answer.headers["x-litellm-response-cost"]) == pytest.approx(10 * PER_TOKEN, abs=1e-15)
    assert answer.headers["x-litellm-model-group"] == "embed" and answer.headers["x-litellm-call-id"]


def test_every_alias_leads_there(served, media):
    for path in ("/embeddings", "/v1/embeddings", "/engines/embed/embeddings", "/openai/deployments/embed/embeddings?api-version=1"):
        named = {} if "/embed/" in path else {"model": "embed"}
        answer = served.ask("POST", path, {**named, "input": "a"})
        assert answer.status == 200, (path, answer.body)
        assert media.last.json["model"] == "embed"
    for path in ("/rerank", "/v1/rerank", "/v2/rerank"):
        assert served.ask("POST", path, {"model": "rank", "query": "q", "documents": ["a"]}).status == 200, path


def test_failures_are_tried_again_and_told_in_openais_shape(client, media):
    assert client.embeddings.create(model="flaky-1", input="a").data
    assert len(media.asked) == 2
    with pytest.raises(openai.RateLimitError) as refused:
        client.embeddings.create(model="error-429", input="a")
    assert "status 429" in str(refused.value)


def test_an_upload_is_tried_again_whole(served, media):
    media.clear()
    config = json.loads(served.config_path.read_text())
    assert config["router_settings"]["num_retries"] == 1
    answer = openai_client(served).images.edit(model="flaky-1", prompt="hat", image=("in.png", SOUND, "image/png"))
    assert answer.data and len(media.asked) == 2
    assert media.asked[0].form["image"] == media.asked[1].form["image"] == ("in.png", "image/png", SOUND)


def test_a_budget_denies_before_anything_is_asked(served, media):
    key = served.new_key(max_budget=PER_IMAGE * 0.9)
    asked = openai_client(served, key)
    asked.images.generate(model="draw", prompt="cat")
    media.clear()
    with pytest.raises(openai.APIStatusError) as refused:
        asked.images.generate(model="draw", prompt="cat")
    assert refused.value.status_code in (400, 422, 429) and "udget" in str(refused.value)
    assert not media.asked


def test_a_key_calls_its_models_only(served):
    key = served.new_key(models=["draw"])
    with pytest.raises(openai.PermissionDeniedError):
        openai_client(served, key).embeddings.create(model="embed", input="a")


def test_a_vendor_without_the_endpoint_says_so(client, media):
    with pytest.raises(openai.BadRequestError) as refused:
        client.embeddings.create(model="chatty", input="a")
    assert "groq" in str(refused.value) and "embeddings" in str(refused.value)
    assert not media.asked


def test_bodies_beyond_the_limit_are_refused(served, media):
    media.clear()
    asked = openai_client(served)
    with pytest.raises(openai.APIStatusError) as refused:
        asked.audio.transcriptions.create(model="hear", file=("a.wav", b"x" * 1_100_000))
    assert refused.value.status_code == 413
    assert not media.asked


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=b", b"x"),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nhear"),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\nX-Evil: 1\"\r\n\r\nx\r\n--b--\r\n"),
        ("text/plain", b"hello"),
    ],
)
def test_forms_that_are_none_are_refused(served, media, kind, body):
    media.clear()
    answer = served.ask("POST", "/v1/audio/transcriptions", body, headers={"content-type": kind})
    assert answer.status == 400 and answer.json["error"]["message"], answer.body
    assert not media.asked


def test_a_file_name_cannot_add_headers(served, media):
    media.clear()
    name = 'a\\"; filename=\\"b.wav'
    head = f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\nx\r\n'
    body = head.encode() + b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nhear\r\n--b--\r\n'
    answer = served.ask("POST", "/v1/audio/transcriptions", body, headers={"content-type": "multipart/form-data; boundary=b"})
    assert answer.status == 200
    assert "x-evil" not in {name.lower() for name in media.last.headers}


def test_callers_cannot_redirect_a_form(served, media):
    media.clear()
    fields = b'--b\r\nContent-Disposition: form-data; name="api_base"\r\n\r\nhttp://evil\r\n'
    fields += b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nhear\r\n'
    fields += b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\nx\r\n--b--\r\n'
    answer = served.ask("POST", "/v1/audio/transcriptions", fields, headers={"content-type": "multipart/form-data; boundary=b"})
    assert answer.status == 401 and "api_base" in answer.json["error"]["message"]
    assert not media.asked


def test_the_mock_model_answers_without_a_key(served):
    asked = openai_client(served)
    one, other = asked.embeddings.create(model="mock", input=["a", "b"]).data
    assert len(one.embedding) == len(other.embedding) > 0 and one.embedding != other.embedding
    assert asked.images.generate(model="mock", prompt="cat").data[0].b64_json
    assert asked.audio.speech.create(model="mock", input="Hello", voice="a", response_format="wav").read()[:4] == b"RIFF"
    assert asked.audio.transcriptions.create(model="mock", file=("a.wav", SOUND)).text
    assert asked.moderations.create(model="mock", input="x").results[0].flagged is False
    ranked = served.ask("POST", "/rerank", {"model": "mock", "query": "blue sky", "documents": ["red", "the sky is blue"]})
    assert ranked.json["results"][0]["index"] == 1


SPECIFIED = [
    # The model's name, the vendor's specification and endpoint, the route and what is asked.
    ("openai", ("openai", "embeddings"), "embeddings", {"input": ["a", "b"], "dimensions": 8, "user": "u", "encoding_format": "float"}),
    ("openai", ("openai", "moderations"), "moderations", {"input": ["a", "b"]}),
    ("openai", ("openai", "images/generations"), "images/generations", {"prompt": "cat", "n": 1, "size": "1024x1024", "quality": "high"}),
    ("openai", ("openai", "audio/speech"), "audio/speech", {"input": "hi", "voice": "alloy", "response_format": "wav", "speed": 1.2}),
    ("mistral", ("mistral", "embeddings"), "embeddings", {"input": ["a", "b"], "encoding_format": "float"}),
    ("ollama", ("ollama", "api/embed"), "embeddings", {"input": ["a", "b"], "dimensions": 8}),
    ("gemini", ("gemini", "batchEmbedContents"), "embeddings", {"input": ["a", "b"], "dimensions": 8}),
]


@pytest.mark.parametrize(("name", "specification", "route", "asked"), SPECIFIED)
def test_bodies_are_valid_by_their_specification(served, media, name, specification, route, asked):
    specs = SHARED / "specs"
    if not (specs / "validate.py").exists():
        pytest.skip(f"no specifications at {specs}: set GATEWAY_SHARED")
    sys.path.append(str(specs))
    try:
        validate = importlib.import_module("validate")
        validate.check(*specification, {})
    except (ImportError, KeyError) as missing:
        pytest.skip(f"no such specification: {missing}")
    media.clear()
    served.ask("POST", f"/v1/{route}", {"model": f"spec-{name}", **asked})
    assert media.asked, "nothing reached the provider"
    assert validate.check(*specification, media.last.json) == []


def test_who_is_said_to_be_driven_is(served, media):
    body = {"input": "a", "prompt": "cat", "query": "q", "documents": ["a"], "voice": "alloy"}
    routes = {"embeddings": "embeddings", "moderation": "moderations", "image generation": "images/generations", "speech": "audio/speech", "rerank": "rerank"}
    entries = {"openai": "spec-openai", "hosted_vllm": "rank", "ovhcloud": "other", "mistral": "spec-mistral", "ollama": "spec-ollama", "gemini": "spec-gemini"}
    for provider, operations in DRIVEN.items():
        for route in (routes[operation] for operation in operations if operation in routes):
            media.clear()
            served.ask("POST", f"/v1/{route}", {**body, "model": entries[provider]})
            assert media.asked, f"{provider} was not asked for {route}"


def test_the_spend_log_names_the_call(served):
    assert http.client.responses[200] == "OK"
    served.ask("POST", "/v1/embeddings", {"model": "embed", "input": "a"})
    until = time.monotonic() + 10
    while "/v1/embeddings" not in served.log() and time.monotonic() < until:
        time.sleep(0.05)
    assert "/v1/embeddings" in served.log(), "the access log does not name the call"
