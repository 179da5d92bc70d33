"""Answers that are made elsewhere: a prediction is asked for until it is there, whole and streamed."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import openai
import pytest
from support.gateway import MASTER_KEY

ASK = [{"role": "user", "content": "Say hello"}]
PIECES = ["Hel", "lo ", "there"]
STATES = [("starting", None), ("processing", PIECES[:1]), ("processing", PIECES[:2]), ("succeeded", PIECES)]


class Predictions:
    """A host of predictions: each question about one shows its next state."""

    def __init__(self, states=None):
        self.asked = []
        self.states = states or STATES
        self.seen = 0
        host = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_POST(self):
                raw = self.rfile.read(int(self.headers.get("content-length", 0)))
                host.asked.append(("POST", self.path, self.headers.get("authorization"), json.loads(raw)))
                host.seen = 0
                self.state(201)

            def do_GET(self):
                host.asked.append(("GET", self.path, self.headers.get("authorization"), None))
                host.seen += 1
                self.state(200)

            def state(self, status):
                word, output = host.states[min(host.seen, len(host.states) - 1)]
                error = "CUDA out of memory" if word == "failed" else None
                reply = {"id": "p1", "status": word, "output": output, "error": error,
                         "urls": {"get": "https://elsewhere.invalid/v1/predictions/p1"}}
                if word == "succeeded":
                    reply["metrics"] = {"input_token_count": 11, "output_token_count": 3}
                data = json.dumps(reply).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server.server_port}/v1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def predictions():
    hosts = []

    def start(states=None):
        hosts.append(Predictions(states))
        return hosts[-1]

    yield start
    for host in hosts:
        host.server.shutdown()


def sdk(spawn, host):
    entry = {"model_name": "p", "litellm_params": {
        "model": "replicate/meta/meta-llama-3-8b-instruct", "api_base": host.base, "api_key": "r8-secret"}}
    gateway = spawn(models=[entry])
    return openai.OpenAI(base_url=gateway.url + "/v1", api_key=MASTER_KEY, max_retries=0)


def test_a_prediction_is_asked_for_until_it_is_there(spawn, predictions):
    host = predictions()
    reply = sdk(spawn, host).chat.completions.create(model="p", messages=ASK, max_tokens=9)
    assert reply.choices[0].message.content == "".join(PIECES)
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (11, 3)
    method, path, key, body = host.asked[0]
    assert (method, path, key) == ("POST", "/v1/models/meta/meta-llama-3-8b-instruct/predictions", "Token r8-secret")
    assert body["input"]["max_new_tokens"] == 9 and "Say hello" in body["input"]["prompt"]
    assert host.asked[1:] == [("GET", "/v1/predictions/p1", "Token r8-secret", None)] * 3


def test_a_streamed_prediction_comes_in_pieces(spawn, predictions):
    stream = sdk(spawn, predictions()).chat.completions.create(
        model="p", messages=ASK, stream=True, stream_options={"include_usage": True})
    chunks = list(stream)
    pieces = [c.choices[0].delta.content for c in chunks if c.choices and c.choices[0].delta.content]
    assert pieces == PIECES
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    assert chunks[-1].usage.completion_tokens == 3


def test_a_prediction_that_fails_is_an_error(spawn, predictions):
    states = [("starting", None), ("failed", None)]
    client = sdk(spawn, predictions(states))
    with pytest.raises(openai.APIStatusError) as refused:
        client.chat.completions.create(model="p", messages=ASK)
    assert "CUDA out of memory" in str(refused.value)
    with pytest.raises(openai.APIError) as broken:
        list(client.chat.completions.create(model="p", messages=ASK, stream=True))
    assert "CUDA out of memory" in str(broken.value)
