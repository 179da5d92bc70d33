"""Platforms with sign-ins of their own, end to end: tokens are exchanged once, renewed and never shown; agents."""

import base64
import json
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import openai
import pytest
from support.gateway import MASTER_KEY

ASK = [{"role": "user", "content": "Say hello"}]
KEY = "the-operators-long-secret-key"


def chat(text, finish="stop"):
    message = {"role": "assistant", "content": text}
    usage = {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}
    return {"id": "c1", "object": "chat.completion", "created": 1, "model": "m", "usage": usage,
            "choices": [{"index": 0, "message": message, "finish_reason": finish}]}


def chunks(text):
    for piece in text:
        yield {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m",
               "choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]}
    yield {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m",
           "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


class Platform:
    """Token services and models of several vendors at one place."""

    def __init__(self):
        self.tokens, self.calls, self.files = [], [], []
        self.life, self.refuse, self.pause = 3600, False, 0
        platform = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                self.give(*platform.side(self.path))

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0))).decode(errors="replace")
                headers = {name.lower(): value for name, value in self.headers.items()}
                if platform.is_token(self.path):
                    platform.tokens.append(SimpleNamespace(path=self.path, headers=headers, body=body))
                    time.sleep(platform.pause)
                    self.give(*platform.token(body))
                    return
                if self.path.startswith("/files"):
                    platform.files.append(SimpleNamespace(path=self.path, headers=headers, body=body))
                    self.give(*platform.file(body))
                    return
                call = SimpleNamespace(path=self.path, headers=headers, body=json.loads(body), raw=body)
                platform.calls.append(call)
                self.give(200, platform.reply(call))

            def give(self, status, answer):
                self.send_response(status)
                kind = "text/event-stream" if isinstance(answer, str) else "application/json"
                self.send_header("content-type", kind)
                data = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def is_token(self, path):
        return path.split("?")[0] in ("/identity/token", "/oauth/token", "/api/v2/oauth", "/oidc/v1/token")

    def token(self, body):
        if self.refuse:
            return 400, {"errorCode": "BXNIM0415E", "error": "invalid", "message": f"no such key {body}"}
        return 200, {"access_token": f"token-{len(self.tokens)}", "expires_in": self.life}

    def file(self, body):
        if "too-large" in body:
            return 413, {"status": 413, "message": "the file is too large"}
        return 200, {"id": f"file-{len(self.files)}", "object": "file", "purpose": "general"}

    def side(self, path):
        if path == "/v2/lm/deployments":
            one = {"scenarioId": "orchestration", "configurationId": "c1", "createdAt": "2026-01-01",
                   "deploymentUrl": self.base + "/v2/inference/deployments/d1"}
            return 200, {"resources": [one]}
        if path.startswith("/v2/lm/configurations/"):
            return 200, {"executableId": "orchestration"}
        if path == "/copilot_internal/v2/token":
            return 200, {"token": "copilot-key", "expires_at": int(time.time()) + 1500, "endpoints": {"api": self.base}}
        return 404, {}

    def reply(self, call):
        streams = '"stream": true' in call.raw or '"stream":true' in call.raw or "stream" in call.path or (
            "isStream\":true" in call.raw.replace(" ", "") or '"enabled":true' in call.raw.replace(" ", ""))
        path = call.path.split("?")[0]
        if path.endswith("/v2/completion"):
            if streams:
                events = [json.dumps({"request_id": "r", "final_result": chunk}) for chunk in chunks("Hi!")]
                return "".join(f"data: {event}\n\n" for event in events) + "data: [DONE]\n\n"
            return {"request_id": "r", "final_result": chat("Hi!")}
        if path.endswith("/actions/chat"):
            message = {"role": "ASSISTANT", "content": [{"type": "TEXT", "text": "Hi!"}]}
            usage = {"promptTokens": 7, "completionTokens": 2, "totalTokens": 9}
            if streams:
                events = [{"index": 0, "message": message}, {"finishReason": "stop", "usage": usage}]
                return "".join(f"data: {json.dumps(event)}\n\n" for event in events)
            choice = {"index": 0, "message": message, "finishReason": "stop"}
            return {"modelId": "m", "chatResponse": {"apiFormat": "GENERIC", "choices": [choice], "usage": usage}}
        if path.endswith("/text/generation"):
            result = {"generated_text": "Hi!", "generated_token_count": 2, "input_token_count": 7, "stop_reason": "eos_token"}
            return {"model_id": "m", "results": [result]}
        if path.startswith("/runs/"):
            state = {"messages": [{"type": "human", "content": "x"}, {"type": "ai", "content": "Hi!"}]}
            return f"event: values\ndata: {json.dumps(state)}\n\n" if streams else state
        if path.startswith("/api/v1/run/"):
            return {"outputs": [{"outputs": [{"results": {"message": {"text": "Hi!"}}}]}]}
        if call.body.get("jsonrpc"):
            part = {"kind": "text", "text": "Hi!"}
            if streams:
                events = [{"kind": "artifact-update", "artifact": {"parts": [part]}},
                          {"kind": "status-update", "status": {"state": "completed"}, "final": True}]
                return "".join(f"data: {json.dumps({'jsonrpc': '2.0', 'result': event})}\n\n" for event in events)
            return {"jsonrpc": "2.0", "id": call.body["id"], "result": {"kind": "message", "role": "agent", "parts": [part]}}
        if streams:
            return "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks("Hi!")) + "data: [DONE]\n\n"
        return chat("Hi!")


@pytest.fixture
def platform():
    service = Platform()
    yield service
    service.server.shutdown()


def model(name, **params):
    return {"model_name": name, "litellm_params": params}


def sdk(gateway):
    return openai.OpenAI(base_url=gateway.url + "/v1", api_key=MASTER_KEY, max_retries=0)


def says_hi(gateway, name):
    reply = sdk(gateway).chat.completions.create(model=name, messages=ASK)
    assert reply.choices[0].message.content == "Hi!"
    assert reply.choices[0].finish_reason == "stop"
    streamed = sdk(gateway).chat.completions.create(model=name, messages=ASK, stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in streamed if chunk.choices) == "Hi!"
    return reply


def watsonx(spawn, platform, **environment):
    entry = model("w", model="watsonx/ibm/granite-3", api_base=platform.base, api_key=KEY, project_id="proj-1")
    text = model("t", model="watsonx_text/ibm/granite-13b", api_base=platform.base, api_key=KEY, project_id="proj-1")
    return spawn(environment={"WATSONX_IAM_URL": platform.base + "/identity/token", **environment}, models=[entry, text])


def test_watsonx_exchanges_its_key_once(spawn, platform):
    gateway = watsonx(spawn, platform)
    reply = says_hi(gateway, "w")
    assert reply.usage.total_tokens == 9
    [token] = platform.tokens
    assert token.body == f"grant_type=urn%3Aibm%3Aparams%3Aoauth%3Agrant-type%3Aapikey&apikey={KEY}"
    whole, streamed = platform.calls
    assert whole.path == "/ml/v1/text/chat?version=2024-03-13"
    assert streamed.path == "/ml/v1/text/chat_stream?version=2024-03-13"
    assert whole.headers["authorization"] == "Bearer token-1"
    assert (whole.body["model_id"], whole.body["project_id"]) == ("ibm/granite-3", "proj-1")
    text = sdk(gateway).chat.completions.create(model="t", messages=ASK, max_tokens=5)
    assert (text.choices[0].message.content, text.usage.total_tokens) == ("Hi!", 9)
    assert platform.calls[-1].body["parameters"] == {"max_new_tokens": 5}
    assert len(platform.tokens) == 1, "deployments with one key share its token"


def test_many_calls_wait_for_one_exchange(spawn, platform):
    platform.pause = 0.3
    gateway = watsonx(spawn, platform)
    with ThreadPoolExecutor(16) as pool:
        replies = list(pool.map(lambda _: sdk(gateway).chat.completions.create(model="w", messages=ASK), range(16)))
    assert [reply.choices[0].message.content for reply in replies] == ["Hi!"] * 16
    assert len(platform.tokens) == 1


def test_a_token_that_is_over_is_asked_for_again(spawn, platform):
    platform.life = 5  # shorter than what is still sent
    gateway = watsonx(spawn, platform)
    for _ in range(2):
        sdk(gateway).chat.completions.create(model="w", messages=ASK)
    assert [call.headers["authorization"] for call in platform.calls] == ["Bearer token-1", "Bearer token-2"]


def test_a_refused_key_is_not_shown(spawn, platform):
    platform.refuse = True
    gateway = watsonx(spawn, platform)
    with pytest.raises(openai.APIStatusError) as raised:
        sdk(gateway).chat.completions.create(model="w", messages=ASK)
    assert "IBM Cloud IAM answered status 400" in str(raised.value)
    assert KEY not in str(raised.value) and KEY not in gateway.log()
    assert not platform.calls
    platform.refuse = False
    sdk(gateway).chat.completions.create(model="w", messages=ASK)


def test_oracle_signs_what_is_sent(spawn, platform, tmp_path):
    pem = tmp_path / "key.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", pem],
                   check=True, capture_output=True)
    subprocess.run(["openssl", "rsa", "-in", pem, "-pubout", "-out", tmp_path / "public.pem"], check=True, capture_output=True)
    entry = model("o", model="oci/meta.llama-3.3-70b-instruct", api_base=platform.base, oci_region="us-chicago-1",
                  oci_user="u", oci_fingerprint="aa:bb", oci_tenancy="t", oci_compartment_id="c", oci_key_file=str(pem))
    gateway = spawn(models=[entry])
    assert says_hi(gateway, "o").usage.prompt_tokens == 7
    call = platform.calls[0]
    head, signature = call.headers["authorization"].split(',signature="')
    assert 'keyId="t/u/aa:bb"' in head
    signed = "\n".join([
        f"date: {call.headers['date']}", f"(request-target): post {call.path}", f"host: {call.headers['host']}",
        f"content-length: {call.headers['content-length']}", f"content-type: {call.headers['content-type']}",
        f"x-content-sha256: {call.headers['x-content-sha256']}"])
    (tmp_path / "signed").write_text(signed)
    (tmp_path / "signature").write_bytes(base64.b64decode(signature.rstrip('"')))
    subprocess.run(["openssl", "dgst", "-sha256", "-verify", tmp_path / "public.pem", "-signature",
                    tmp_path / "signature", tmp_path / "signed"], check=True, capture_output=True)
    assert call.body["compartmentId"] == "c"
    assert call.body["servingMode"] == {"servingType": "ON_DEMAND", "modelId": "meta.llama-3.3-70b-instruct"}


class Instance:
    """What an instance of Oracle's cloud reaches: its metadata, and the service that gives tokens."""

    def __init__(self, folder):
        self.asked, self.federated = [], []
        self.key, certificate = folder / "instance.pem", folder / "instance.crt"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self.key, "-out", certificate,
                        "-days", "2", "-subj", "/OU=opc-tenant:ocid1.tenancy.oc1..e2e/CN=ocid1.instance.oc1.iad.e2e"],
                       check=True, capture_output=True)
        files = {"/opc/v2/identity/cert.pem": certificate.read_text(), "/opc/v2/identity/key.pem": self.key.read_text(),
                 "/opc/v2/identity/intermediate.pem": certificate.read_text()}
        instance = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def give(self, status, text):
                self.send_response(status)
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def do_GET(self):
                instance.asked.append(self.path)
                known = self.headers.get("authorization") == "Bearer Oracle"
                self.give(200 if known and self.path in files else 404, files.get(self.path, ""))

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                instance.federated.append(SimpleNamespace(path=self.path, headers=self.headers, body=json.loads(body)))
                claims = base64.urlsafe_b64encode(json.dumps({"exp": int(time.time()) + 1200}).encode()).decode().rstrip("=")
                self.give(200, json.dumps({"token": f"e30.{claims}.e2e"}))

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def test_an_instance_of_oracle_signs_in_as_itself(spawn, platform, tmp_path):
    instance = Instance(tmp_path)
    entry = model("o", model="oci/meta.llama-3.3-70b-instruct", api_base=platform.base, oci_region="us-chicago-1",
                  oci_compartment_id="c", oci_instance_principal=True)
    gateway = spawn(models=[entry], environment={"OCI_METADATA_BASE_URL": f"{instance.base}/opc/v2",
                                                 "OCI_SDK_AUTH_CLIENT_REGION_URL": instance.base})
    says_hi(gateway, "o")
    says_hi(gateway, "o")
    [asked] = instance.federated
    assert asked.path == "/v1/x509"
    assert 'keyId="ocid1.tenancy.oc1..e2e/fed-x509-sha256/' in asked.headers["authorization"]
    assert len(instance.asked) == 3, "one sign-in serves both calls"
    # Calls are signed with the key whose public part the service was told.
    call = platform.calls[0]
    head, signature = call.headers["authorization"].split(',signature="')
    assert 'keyId="ST$e30.' in head
    signed = "\n".join([
        f"date: {call.headers['date']}", f"(request-target): post {call.path}", f"host: {call.headers['host']}",
        f"content-length: {call.headers['content-length']}", f"content-type: {call.headers['content-type']}",
        f"x-content-sha256: {call.headers['x-content-sha256']}"])
    frame = "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n"
    (tmp_path / "session.pem").write_text(frame.format(base64.encodebytes(base64.b64decode(asked.body["publicKey"])).decode().strip()))
    (tmp_path / "signed").write_text(signed)
    (tmp_path / "signature").write_bytes(base64.b64decode(signature.rstrip('"')))
    subprocess.run(["openssl", "dgst", "-sha256", "-verify", tmp_path / "session.pem", "-signature",
                    tmp_path / "signature", tmp_path / "signed"], check=True, capture_output=True)
    instance.server.shutdown()


def test_sap_finds_its_deployment(spawn, platform):
    key = {"clientid": "cid", "clientsecret": KEY, "url": platform.base, "serviceurls": {"AI_API_URL": platform.base}}
    gateway = spawn(environment={"AICORE_SERVICE_KEY": json.dumps(key)}, models=[model("s", model="sap/gpt-4o")])
    says_hi(gateway, "s")
    [token] = platform.tokens
    assert token.body == f"grant_type=client_credentials&client_id=cid&client_secret={KEY}"
    call = platform.calls[0]
    assert call.path == "/v2/inference/deployments/d1/v2/completion"
    assert call.headers["ai-resource-group"] == "default"
    assert call.body["config"]["modules"]["prompt_templating"]["prompt"]["template"] == ASK


def test_gigachat_and_databricks(spawn, platform):
    entries = [
        model("g", model="gigachat/GigaChat-2", api_base=platform.base, api_key=KEY),
        model("d", model="databricks/llama", api_base=platform.base + "/serving-endpoints", client_id="app", client_secret=KEY),
    ]
    gateway = spawn(environment={"GIGACHAT_AUTH_URL": platform.base + "/api/v2/oauth"}, models=entries)
    says_hi(gateway, "g")
    says_hi(gateway, "d")
    giga, brick = platform.tokens
    assert (giga.headers["authorization"], giga.body) == (f"Basic {KEY}", "scope=GIGACHAT_API_PERS")
    assert len(giga.headers["rquid"]) == 36
    basic = base64.b64encode(f"app:{KEY}".encode()).decode()
    assert (brick.path, brick.headers["authorization"]) == ("/oidc/v1/token", f"Basic {basic}")
    assert brick.body == "grant_type=client_credentials&scope=all-apis"
    assert platform.calls[-1].path == "/serving-endpoints/chat/completions"


def picture(name, data):
    return {"type": "file", "file": {"file_data": "data:image/png;base64," + base64.b64encode(data).decode(), "filename": name}}


def until_taken_away(platform, wanted):
    deadline = time.monotonic() + 10
    while sorted(file.path for file in platform.files if file.path != "/files") != wanted:
        assert time.monotonic() < deadline, [file.path for file in platform.files]
        time.sleep(0.02)


@pytest.mark.parametrize("stream", [False, True])
def test_gigachat_is_left_pictures_before_the_call_and_they_are_taken_away_after_it(spawn, platform, stream):
    gateway = spawn(environment={"GIGACHAT_AUTH_URL": platform.base + "/api/v2/oauth"},
                    models=[model("g", model="gigachat/GigaChat-2", api_base=platform.base, api_key=KEY)])
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + base64.b64encode(b"PNG-1").decode()}}
    content = [{"type": "text", "text": "Which?"}, image, picture("b.png", b"PNG-2")]
    client = openai.OpenAI(base_url=gateway.url + "/v1", api_key=MASTER_KEY, max_retries=0)
    answer = client.chat.completions.create(model="g", messages=[{"role": "user", "content": content}], stream=stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in answer) if stream else answer.choices[0].message.content
    assert text == "Hi!"
    until_taken_away(platform, ["/files/file-1/delete", "/files/file-2/delete"])
    left = [file for file in platform.files if file.path == "/files"]
    assert {"PNG-1" in file.body for file in left} == {True, False} == {"PNG-2" in file.body for file in left}
    assert all(file.headers["content-type"].startswith("multipart/form-data") for file in left)
    assert all('name="purpose"\r\n\r\ngeneral\r\n' in file.body for file in left)
    assert all(file.headers["authorization"] == "Bearer token-1" for file in platform.files), "signed in as the chat is"
    said = platform.calls[0].body["messages"][0]
    assert (said["content"], sorted(said["attachments"])) == ("Which?", ["file-1", "file-2"])


def test_a_picture_that_gigachat_refuses_is_no_picture_left_out_in_silence(spawn, platform):
    gateway = spawn(environment={"GIGACHAT_AUTH_URL": platform.base + "/api/v2/oauth"},
                    models=[model("g", model="gigachat/GigaChat-2", api_base=platform.base, api_key=KEY)])
    client = openai.OpenAI(base_url=gateway.url + "/v1", api_key=MASTER_KEY, max_retries=0)
    content = [{"type": "text", "text": "Which?"}, picture("a.png", b"good"), picture("b.png", b"too-large")]
    with pytest.raises(openai.APIStatusError) as raised:
        client.chat.completions.create(model="g", messages=[{"role": "user", "content": content}])
    assert raised.value.status_code == 413 and "too large" in str(raised.value)
    assert platform.calls == [], "the model was not asked without its picture"
    until_taken_away(platform, [f"/files/file-{1 + [file.body.count('good') for file in platform.files].index(1)}/delete"])


def test_copilot_uses_the_files_of_a_sign_in(spawn, platform, tmp_path):
    (tmp_path / "access-token").write_text("gho_user-token")
    environment = {"GITHUB_COPILOT_TOKEN_DIR": str(tmp_path),
                   "GITHUB_COPILOT_API_KEY_URL": platform.base + "/copilot_internal/v2/token"}
    gateway = spawn(environment=environment, models=[model("c", model="github_copilot/gpt-4o")])
    says_hi(gateway, "c")
    call = platform.calls[0]
    assert (call.path, call.headers["authorization"]) == ("/chat/completions", "Bearer copilot-key")
    assert call.headers["copilot-integration-id"] == "vscode-chat"
    kept = json.loads((tmp_path / "api-key.json").read_text())
    assert kept["token"] == "copilot-key"


def test_agents_answer_as_models_do(spawn, platform):
    entries = [
        model("a2a", model="a2a/agent", api_base=platform.base, api_key=KEY),
        model("graph", model="langgraph/agent", api_base=platform.base, api_key=KEY),
        model("flow", model="langflow/flow-1", api_base=platform.base, api_key=KEY),
    ]
    gateway = spawn(models=entries)
    for name in ("a2a", "graph", "flow"):
        says_hi(gateway, name)
    assert platform.calls[0].body["method"] == "message/send"
    assert platform.calls[1].body["method"] == "message/stream"
    assert platform.calls[-1].path == "/api/v1/run/flow-1"
    assert platform.calls[-1].headers["x-api-key"] == KEY


def test_what_a_platform_needs_is_told_at_the_start(spawn, tmp_path):
    entries = [model("o", model="oci/meta.llama"), model("w", model="watsonx/m", api_key="k", api_base="http://x"),
               model("s", model="sap/gpt-4o"), model("g", model="gigachat/m")]
    with pytest.raises(AssertionError) as raised:
        spawn(models=entries)
    for words in ("oci_tenancy", "project_id", "AICORE_SERVICE_KEY", "GIGACHAT_CREDENTIALS"):
        assert words in str(raised.value), words
