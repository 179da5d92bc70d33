"""Clouds end to end: tokens from a mock service, deployment URLs, Claude on Vertex AI with the stock SDK."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import anthropic
import openai
import pytest
from support.gateway import MASTER_KEY
from support.replies import TEXT

ASK = [{"role": "user", "content": "Say hello"}]


class Tokens:
    """A token service: what it was asked, and what it answers."""

    def __init__(self):
        self.asked = []
        self.refuse = False
        service = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_POST(self):
                raw = self.rfile.read(int(self.headers.get("content-length", 0)))
                service.asked.append((self.path, raw.decode()))
                status, answer = 200, {"access_token": "e2e-token", "expires_in": 3600}
                if service.refuse:
                    status, answer = 401, {"error": "invalid_client", "error_description": "wrong e2e-client-secret"}
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def tokens():
    service = Tokens()
    yield service
    service.server.shutdown()


def model(name, **params):
    return {"model_name": name, "litellm_params": params}


def sdk(gateway):
    return openai.OpenAI(base_url=gateway.url + "/v1", api_key=MASTER_KEY, max_retries=0)


def azure(spawn, upstream, tokens):
    entry = model("azure", model="azure/say", api_base=upstream.base, api_version="2024-10-21",
                  tenant_id="tenant-1", client_id="client-1", client_secret="e2e-client-secret")
    return spawn(environment={"AZURE_AUTHORITY_HOST": tokens.base}, models=[entry])


def test_azure_with_an_entra_application(spawn, upstream, tokens):
    gateway = azure(spawn, upstream, tokens)
    for _ in range(2):
        reply = sdk(gateway).chat.completions.create(model="azure", messages=ASK)
        assert reply.choices[0].message.content == TEXT
    assert upstream.last.path == "/openai/deployments/say/chat/completions?api-version=2024-10-21"
    assert upstream.last.headers["authorization"] == "Bearer e2e-token"
    assert "api-key" not in upstream.last.headers
    [(path, form)] = tokens.asked
    assert path == "/tenant-1/oauth2/v2.0/token"
    assert "client_secret=e2e-client-secret" in form


@pytest.mark.parametrize("model_name", ["azure/say", "azure/responses/say"])
def test_azures_responses(spawn, upstream, model_name):
    entry = model("azure", model=model_name, api_base=upstream.base, api_version="2025-03-01-preview", api_key="azure-key-e2e")
    gateway = spawn(models=[entry])
    azure = openai.AzureOpenAI(azure_endpoint=gateway.url, api_key=MASTER_KEY, api_version="2025-03-01-preview", max_retries=0)
    made = azure.responses.create(model="azure", input="hi")
    assert made.output_text == TEXT
    assert upstream.last.path == "/openai/responses?api-version=2025-03-01-preview"
    assert (upstream.last.headers["api-key"], upstream.last.body["model"]) == ("azure-key-e2e", "say")
    assert azure.responses.retrieve(made.id).output_text == TEXT
    assert upstream.last.path == f"/openai/responses/{made.id}?api-version=2025-03-01-preview"
    kinds = [event.type for event in azure.responses.create(model="azure", input="hi", stream=True)]
    assert kinds[-1] == "response.completed"
    reply = sdk(gateway).chat.completions.create(model="azure", messages=ASK)
    assert reply.choices[0].message.content == TEXT
    spoken = "/openai/responses" if "responses" in model_name else "/openai/deployments/say/chat/completions"
    assert upstream.last.path == spoken + "?api-version=2025-03-01-preview"


def test_a_refused_sign_in_is_the_gateways_fault_and_shows_no_secret(spawn, upstream, tokens):
    gateway = azure(spawn, upstream, tokens)
    tokens.refuse = True
    with pytest.raises(openai.AuthenticationError) as raised:
        sdk(gateway).chat.completions.create(model="azure", messages=ASK)
    assert "Microsoft Entra answered status 401: invalid_client" in str(raised.value)
    assert "e2e-client-secret" not in str(raised.value) + gateway.log()
    assert not upstream.asked


def test_claude_on_vertex_keeps_streams_and_beta_features(spawn, upstream, tokens):
    user = {"type": "authorized_user", "client_id": "c", "client_secret": "e2e-client-secret",
            "refresh_token": "e2e-refresh-token", "token_uri": tokens.base + "/token"}
    entry = model("claude-on-vertex", model="vertex_ai/claude-sonnet-4-5", api_base=upstream.base,
                  vertex_project="p-1", vertex_location="us-east5", vertex_credentials=json.dumps(user))
    gateway = spawn(models=[entry])
    claude = anthropic.Anthropic(base_url=gateway.url, api_key=MASTER_KEY, max_retries=0)
    betas = {"anthropic-beta": "context-1m-2025-08-07,claude-code-20250219"}
    ask = {"model": "claude-on-vertex", "max_tokens": 50, "messages": ASK, "extra_headers": betas}
    with claude.messages.stream(**ask) as stream:
        assert "".join(stream.text_stream) == TEXT
    assert upstream.last.path.endswith("/models/claude-sonnet-4-5:streamRawPredict")
    assert claude.messages.create(**ask).content[0].text == TEXT
    assert len(tokens.asked) == 1, "one token serves both"
    asked = upstream.last
    start = "/v1/projects/p-1/locations/us-east5/publishers/anthropic/models/claude-sonnet-4-5"
    assert asked.path == start + ":rawPredict"
    assert asked.headers["authorization"] == "Bearer e2e-token"
    assert asked.headers["anthropic-beta"] == "context-1m-2025-08-07"
    assert asked.body["anthropic_version"] == "vertex-2023-10-16"
    assert "model" not in asked.body
