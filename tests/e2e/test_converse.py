"""Amazon Bedrock's Converse, through boto3 and the AWS SDK for JavaScript."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError
from conftest import SIDES
from support.gateway import MASTER_KEY
from support.replies import INPUT_TOKENS, OUTPUT_TOKENS, TEXT

HERE = Path(__file__).parent / "node"
TOOLS = {
    "tools": [
        {
            "toolSpec": {
                "name": "get_weather",
                "description": "Weather for a city",
                "inputSchema": {"json": {"type": "object", "properties": {"city": {"type": "string"}}}},
            }
        }
    ]
}
ASK = [{"role": "user", "content": [{"text": "hi"}]}]


def converse_client(gateway, key=MASTER_KEY, path=""):
    """The virtual key is the access key id; the secret of the pair is the caller's own affair."""
    return boto3.client(
        "bedrock-runtime",
        endpoint_url=gateway.url + path,
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key="whatever",
        config=Config(retries={"total_max_attempts": 1}, read_timeout=30),
    )


@pytest.fixture
def bedrock(gateway):
    return converse_client(gateway)


def text(answer):
    return "".join(block.get("text", "") for block in answer["output"]["message"]["content"])


def collected(answer):
    """What a stream said: its text, calls by block, reasoning, and its last events."""
    seen = {"text": "", "calls": {}, "reasoning": "", "order": []}
    for event in answer["stream"]:
        ((name, body),) = event.items()
        seen["order"].append(name)
        if name == "contentBlockStart":
            seen["calls"][body["contentBlockIndex"]] = [body["start"]["toolUse"]["name"], ""]
        if name == "contentBlockDelta":
            delta = body["delta"]
            seen["text"] += delta.get("text", "")
            seen["reasoning"] += delta.get("reasoningContent", {}).get("text", "")
            if "toolUse" in delta:
                seen["calls"][body["contentBlockIndex"]][1] += delta["toolUse"]["input"]
        if name in ("messageStop", "metadata"):
            seen[name] = body
    return seen


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("path", ["", "/bedrock"])
def test_a_plain_answer(gateway, side, path):
    answer = converse_client(gateway, path=path).converse(modelId=f"{side}/say", messages=ASK)
    assert text(answer) == TEXT
    assert answer["stopReason"] == "end_turn"
    usage = answer["usage"]
    assert (usage["inputTokens"], usage["outputTokens"]) == (INPUT_TOKENS, OUTPUT_TOKENS)
    assert answer["metrics"]["latencyMs"] >= 0


@pytest.mark.parametrize("side", SIDES)
def test_a_streamed_answer(bedrock, side):
    seen = collected(bedrock.converse_stream(modelId=f"{side}/say", messages=ASK))
    assert seen["text"] == TEXT
    assert seen["order"][0] == "messageStart"
    assert seen["order"][-3:] == ["contentBlockStop", "messageStop", "metadata"]
    assert seen["messageStop"]["stopReason"] == "end_turn"
    assert seen["metadata"]["usage"]["outputTokens"] == OUTPUT_TOKENS


@pytest.mark.parametrize("side", SIDES)
def test_tools_plain_and_streamed(bedrock, side):
    answer = bedrock.converse(modelId=f"{side}/tools", messages=ASK, toolConfig=TOOLS)
    calls = [block["toolUse"] for block in answer["output"]["message"]["content"] if "toolUse" in block]
    assert [call["input"]["city"] for call in calls] == ["Paris", "Rome"]
    assert answer["stopReason"] == "tool_use"

    seen = collected(bedrock.converse_stream(modelId=f"{side}/tools", messages=ASK, toolConfig=TOOLS))
    assert [json.loads(call[1])["city"] for call in seen["calls"].values()] == ["Paris", "Rome"]
    assert seen["messageStop"]["stopReason"] == "tool_use"

    results = [
        {"toolResult": {"toolUseId": call["toolUseId"], "content": [{"json": {"temp": 20}}], "status": "success"}}
        for call in calls
    ]
    turns = [*ASK, answer["output"]["message"], {"role": "user", "content": [*results, {"text": "and now?"}]}]
    again = bedrock.converse(modelId=f"{side}/say", messages=turns, toolConfig=TOOLS)
    assert text(again) == TEXT


@pytest.mark.parametrize("side", SIDES)
def test_what_is_asked_reaches_the_provider(bedrock, upstream, side):
    bedrock.converse(
        modelId=f"{side}/say",
        messages=ASK,
        system=[{"text": "Be brief."}],
        inferenceConfig={"maxTokens": 7, "temperature": 0.25, "stopSequences": ["END"]},
        toolConfig={**TOOLS, "toolChoice": {"tool": {"name": "get_weather"}}},
    )
    body = upstream.last.body
    assert body["temperature"] == 0.25
    assert "Be brief." in json.dumps(body)
    assert 7 in (body.get("max_tokens"), body.get("max_completion_tokens"))
    assert "END" in json.dumps(body.get("stop") or body.get("stop_sequences"))
    assert "get_weather" in json.dumps(body["tool_choice"])


@pytest.mark.parametrize("side", SIDES)
def test_errors_are_amazons(bedrock, side):
    for model, code, status in [
        ("error-429", "ThrottlingException", 429),
        ("error-400", "ValidationException", 400),
        ("error-503", "ServiceUnavailableException", 503),
    ]:
        with pytest.raises(ClientError) as raised:
            bedrock.converse(modelId=f"{side}/{model}", messages=ASK)
        assert raised.value.response["Error"]["Code"] == code
        assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
        assert raised.value.response["Error"]["Message"]


@pytest.mark.parametrize("side", SIDES)
def test_a_stream_that_breaks_ends_in_an_exception(bedrock, side):
    for model in ("cut", "broken", "stopless"):
        with pytest.raises(EventStreamError) as raised:
            collected(bedrock.converse_stream(modelId=f"{side}/{model}", messages=ASK))
        assert raised.value.response["Error"]["Code"].endswith("Exception")


def test_an_unknown_model_is_not_found(bedrock):
    with pytest.raises(ClientError) as raised:
        bedrock.converse(modelId="no.such-model-v1:0", messages=ASK)
    assert raised.value.response["Error"]["Code"] in ("ResourceNotFoundException", "ValidationException")


def test_a_wrong_field_is_named(bedrock, gateway):
    body = {"messages": [{"role": "robot", "content": []}]}
    answer = gateway.ask("POST", "/model/oai%2Fsay/converse", body)
    assert answer.status == 400
    assert answer.headers["x-amzn-errortype"] == "ValidationException"
    assert "`messages[0].role`" in answer.json["message"]


def test_keys_are_read_from_signatures_and_bearer_tokens(gateway, upstream):
    key = gateway.new_key(models=["oai/*"])
    assert text(converse_client(gateway, key).converse(modelId="oai/say", messages=ASK)) == TEXT
    assert "authorization" in upstream.last.headers
    assert key not in json.dumps(upstream.last.headers)
    with pytest.raises(ClientError) as raised:
        converse_client(gateway, "sk-nobody").converse(modelId="oai/say", messages=ASK)
    assert raised.value.response["Error"]["Code"] == "UnrecognizedClientException"
    # boto3 sends `AWS_BEARER_TOKEN_BEDROCK` over TLS only; it would be this header.
    answer = gateway.ask("POST", "/model/oai%2Fsay/converse", {"messages": ASK}, key=key)
    assert text(answer.json) == TEXT


def test_a_virtual_key_pays_for_signed_calls(gateway):
    key = gateway.new_key()
    collected(converse_client(gateway, key).converse_stream(modelId="gpt", messages=ASK))
    assert gateway.spend(key, at_least=0.00002) == pytest.approx(0.00002)


@pytest.fixture(scope="module")
def node():
    """The folder with the SDKs; `.ci/run` has installed them there if it could."""
    folder = Path(os.environ.get("GATEWAY_NODE_SDKS", ""))
    if not shutil.which("node"):
        pytest.skip("no `node` on this machine")
    if not (folder / "node_modules" / "@aws-sdk" / "client-bedrock-runtime").is_dir():
        pytest.skip("the Node SDKs are not installed: set GATEWAY_NODE_SDKS to a folder that holds them")
    shutil.copy(HERE / "converse.mjs", folder / "converse.mjs")
    return folder


def test_the_sdk_for_javascript_speaks_http2_without_tls(gateway, node):
    command = ["node", "converse.mjs", gateway.url, MASTER_KEY]
    done = subprocess.run(command, cwd=node, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen.pop("handler") == "NodeHttp2Handler"
    for side in SIDES:
        assert (seen[side]["plain"], seen[side]["streamed"]) == (TEXT, TEXT)
        assert seen[side]["cities"] == ["Paris", "Rome"]
        assert seen[side]["error"] == {"name": "ThrottlingException", "status": 429}
        assert seen[side]["broken"].endswith("Exception")
