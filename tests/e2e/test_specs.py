"""What reaches a provider is valid by the provider's own specification, whoever asks.

Requests of all six dialects (our golden cases, LiteLLM's cases, recorded ones, and what the gateway itself wrote for
a provider, taken as that dialect's caller's) go to providers of all six. A request that breaks its own dialect's
specification proves nothing and is left out. The specifications are shared data: without them, or without the
packages that read them (`specs/requirements.txt` there), the tests are skipped. Cohere's is not among them: its
bodies are read by the types of its SDK, which is made from its API definition.
"""

import http.client
import importlib
import inspect
import json
import os
import re
import sys
import typing
from pathlib import Path

import pydantic
import pytest
from cohere.v2.client import V2Client
from support.gateway import MASTER_KEY, ROOT, Gateway
from support.sink import Sink

SHARED = Path(os.environ.get("GATEWAY_SHARED", ROOT.parent / "shared"))
GOLDEN = ROOT / "crates" / "llm-providers" / "tests" / "golden"
AWS = {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": "secret", "aws_region_name": "us-east-1"}
# Dialect: models of its providers, and the specification's names.
PROVIDERS = {
    "openai": (["openai/gpt-4.1", "openai/gpt-5", "together_ai/moonshotai/Kimi-K3"], ("openai", "chat")),
    "responses": (["openai/responses/gpt-4.1", "openai/responses/gpt-5"], ("openai", "responses")),
    "anthropic": (["anthropic/claude-sonnet-4-5", "anthropic/claude-opus-4-6"], ("anthropic", "messages")),
    "gemini": (["gemini/gemini-2.5-flash", "gemini/gemini-3-pro-preview"], ("gemini", "generateContent")),
    "cohere": (["cohere_chat/command-a-03-2025"], ("cohere", "v2/chat")),
    "converse": (
        ["bedrock/converse/us.anthropic.claude-sonnet-4-5-20250929-v1:0", "bedrock/converse/amazon.nova-pro-v1:0"],
        ("bedrock", "converse"),
    ),
}
DOORS = list(PROVIDERS)
ENDPOINTS = {
    "chat.completions": "openai",
    "responses": "responses",
    "messages": "anthropic",
    "generateContent": "gemini",
    "streamGenerateContent": "gemini",
    "v2/chat": "cohere",
    "converse": "converse",
    "converse-stream": "converse",
}


@pytest.fixture(scope="module")
def check():
    """`check(provider, endpoint, body)` gives what is wrong with a body."""
    if not (SHARED / "specs" / "validate.py").exists():
        pytest.skip(f"no specifications at {SHARED / 'specs'}: set GATEWAY_SHARED")
    sys.path.append(str(SHARED / "specs"))
    try:
        validate = importlib.import_module("validate")
        for _, names in PROVIDERS.values():
            validate.check(*names, {})
    except ImportError as missing:
        pytest.skip(f"the specifications cannot be read: {missing}")
    return validate.check


@pytest.fixture(scope="module")
def sink():
    upstream = Sink()
    yield upstream
    upstream.close()


@pytest.fixture(scope="module")
def asker(sink, tmp_path_factory):
    """A gateway in front of the sink; `asker.ask` sends a request and gives what reached the provider."""
    models = [
        {"model_name": f"{dialect}-{number}", "litellm_params": {"model": model, "drop_params": True, **place(dialect, sink)}}
        for dialect, (models, _) in PROVIDERS.items()
        for number, model in enumerate(models)
    ]
    config = {
        "model_list": models,
        "general_settings": {"master_key": MASTER_KEY, "responses_retention_days": 0},
        "router_settings": {"num_retries": 0, "disable_cooldowns": True},
    }
    gateway = Gateway(tmp_path_factory.mktemp("specs"), config).start()
    yield Asker(gateway, sink)
    gateway.stop()


def place(dialect, sink):
    """Where a provider is and how it is signed in to."""
    if dialect == "converse":
        return {**AWS, "aws_bedrock_runtime_endpoint": sink.base}
    path = {"gemini": "/v1beta", "anthropic": "", "cohere": "/v2/chat"}.get(dialect, "/v1")
    return {"api_base": sink.base + path, "api_key": "sk-upstream"}


class Asker:
    def __init__(self, gateway, sink):
        self.sink, self.door = sink, http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=30)

    def ask(self, dialect, body, model):
        """What reaches the provider of `model`, if anything does, and the answer."""
        path, body = written(dialect, body, model)
        self.sink.clear()
        headers = {"authorization": f"Bearer {MASTER_KEY}", "content-type": "application/json"}
        self.door.request("POST", path, json.dumps(body), headers)
        answer = self.door.getresponse()
        text = answer.read()
        assert answer.status < 500, f"{path}: {answer.status} {text[:500]}"
        return self.sink.taken[-1] if self.sink.taken else None


def written(dialect, body, model):
    """Path and body of a request to a model, as a caller of the dialect sends it."""
    if dialect == "gemini":
        return f"/v1beta/models/{model}:generateContent", body
    if dialect == "converse":
        return f"/model/{model}/converse", body
    path = {"openai": "/v1/chat/completions", "responses": "/v1/responses", "anthropic": "/v1/messages", "cohere": "/v2/chat"}
    # Nobody waits for these: the provider refuses them all.
    unwaited = {name: value for name, value in body.items() if name not in ("background", "previous_response_id")}
    return path[dialect], {**unwaited, "model": model}


def golden(dialect):
    for file in sorted((GOLDEN / dialect).glob("*/request.json")):
        yield f"golden {dialect}/{file.parent.name}", json.loads(file.read_text())


def cases():
    for name, body in json.loads((SHARED / "vectors" / "_cases.json").read_text()).items():
        yield f"case {name}", {"model": "m", **body}


def recorded(dialect):
    for row in json.loads((SHARED / "traffic" / "index.json").read_text()):
        if ENDPOINTS.get(row["endpoint"]) != dialect:
            continue
        if row["status"] != 200:
            continue
        request = json.loads((SHARED / "traffic" / row["file"]).read_text())["request"]
        if request and request.get("body_encoding") == "json" and isinstance(request["body"], dict):
            yield f"recorded {row['file']}", request["body"]


COHERE = {
    name: pydantic.TypeAdapter(kind)
    for name, kind in typing.get_type_hints(V2Client.chat).items()
    if name in inspect.signature(V2Client.chat).parameters and name != "request_options"
}


def of_cohere(body):
    """What the types of Cohere's SDK find wrong."""
    yield from (f"{name}: missing" for name in ("model", "messages") if name not in body)
    for name, value in body.items():
        if name == "stream":
            continue
        # Recorded replies show that the vendor takes this type, too.
        if name == "response_format" and value.get("type") == "json_schema":
            value = {**value, "type": "json_object"}
        try:
            yield from unknown(COHERE[name].validate_python(value), name) if name in COHERE else [f"{name}: unknown"]
        except pydantic.ValidationError as fault:
            yield from (f"{name}.{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in fault.errors())


def unknown(value, path):
    """Members the types do not have."""
    if isinstance(value, pydantic.BaseModel):
        yield from (f"{path}.{name}: unknown" for name in value.model_extra or {})
        for name in type(value).model_fields:
            yield from unknown(getattr(value, name), f"{path}.{name}")
    elif isinstance(value, list):
        for index, element in enumerate(value):
            yield from unknown(element, f"{path}[{index}]")


def test_the_check_of_cohere_finds_faults():
    sound = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "k": 3}
    assert not list(of_cohere(sound))
    tool = {"type": "function", "function": {"name": "f"}}
    for wrong in [{"top_k": 3}, {"tools": [tool]}, {"stop_sequences": "END"}, {"messages": [{"role": "user", "content": 1}]}]:
        assert list(of_cohere({**sound, **wrong})), wrong


def found(check, dialect, body):
    """What the dialect's specification finds wrong."""
    if dialect == "cohere":
        return set(of_cohere(body))
    # A model in the path is not a member, and versions that clouds have in the body stand in a header.
    return set(check(*PROVIDERS[dialect][1], body))


def meant(model, name, error):
    """What is sent although no specification has it, and why."""
    # LiteLLM's users write members of their own for the provider (`extra_body`); they are sent as they are.
    own = name.startswith("case extra_body") and "custom_field" in error
    # Vendors of Chat Completions other than OpenAI have more: `top_k`, videos, pictures as answers, sounds.
    more = re.search(r"\$\.top_k|'text' is a required|\$\.modalities|input_audio\.format", error)
    return own or (model.startswith("together_ai/") and more)


def sound(check, dialect, requests):
    return [(name, body) for name, body in requests if not found(check, dialect, body)]


def sent(check, asker, door, requests):
    """Sends requests to every model; gives the bodies that arrived, by dialect, and what is wrong with them."""
    arrived, wrong = {dialect: [] for dialect in DOORS}, []
    for name, body in requests:
        for dialect, (models, _) in PROVIDERS.items():
            for number, model in enumerate(models):
                path, out = asker.ask(door, body, f"{dialect}-{number}") or (None, None)
                if out is None:
                    continue
                # OpenAI is called by the Responses API where the caller speaks that.
                spoken = "responses" if path.endswith("/responses") else dialect
                arrived[spoken].append((f"{name} for {model}", out))
                errors = found(check, spoken, out)
                if spoken == door:
                    errors -= found(check, door, body)
                wrong += [f"{door} → {model}: {name}: {error}" for error in sorted(errors) if not meant(model, name, error)]
    return arrived, wrong


@pytest.fixture(scope="module")
def translated(check, asker):
    """LiteLLM's cases, as they reach each provider."""
    return sent(check, asker, "openai", cases())


def test_the_cases_of_litellm(translated):
    arrived, wrong = translated
    assert all(len(bodies) > 60 for bodies in arrived.values()), "nearly all are expressible everywhere"
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("door", DOORS)
def test_golden_and_recorded_requests(check, asker, door):
    requests = sound(check, door, [*golden(door), *recorded(door)])
    arrived, wrong = sent(check, asker, door, requests)
    print(f"{door}: {len(requests)} requests, {sum(map(len, arrived.values()))} bodies")
    assert requests and all(arrived.values()), "something reaches every provider"
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("door", DOORS[1:])
def test_what_was_written_for_a_provider_taken_as_a_callers(check, asker, translated, door):
    arrived, wrong = sent(check, asker, door, sound(check, door, translated[0][door]))
    assert all(len(bodies) > 60 for bodies in arrived.values())
    assert not wrong, "\n".join(wrong)
