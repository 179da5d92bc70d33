"""A model's chat template is fetched from the Hub with the first call, once, and what cannot be fetched is said."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import openai
import pytest
from support.gateway import MASTER_KEY, entry
from support.ports import free_port

TEMPLATE = "{{ bos_token }}{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}[answer]"
CONFIG = {"chat_template": TEMPLATE, "bos_token": {"content": "<s>"}, "eos_token": "</s>"}


class Both(ThreadingHTTPServer):
    """A host that completes prompts, and the Hub beside it."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answering)
        self.base = f"http://127.0.0.1:{self.server_address[1]}"
        self.asked, self.prompts = [], []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Answering(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        self.server.asked.append((self.path, self.headers.get("authorization")))
        known = self.path == "/acme/unheard-7b/raw/main/tokenizer_config.json"
        self.answer(200 if known else 404, CONFIG if known else {})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.prompts.append(body["text_input"])
        self.answer(200, {"model_name": "m", "text_output": "Hello"})

    def answer(self, status, reply):
        body = json.dumps(reply).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def both():
    server = Both()
    yield server
    server.shutdown()


def ask(gateway, model):
    client = openai.OpenAI(base_url=gateway.url + "/v1", api_key=MASTER_KEY, max_retries=0, timeout=30)
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    return client.chat.completions.create(model=model, messages=messages).choices[0].message.content


def deployment(name, both, hub_name):
    return entry(name, "triton/llm", both.base + "/v2/models/llm/generate", hf_model_name=hub_name)


def test_the_template_is_fetched_once_and_fills_the_prompts(spawn, both):
    models = [deployment("hubbed", both, "acme/unheard-7b"), deployment("nowhere", both, "acme/none")]
    gateway = spawn(environment={"HF_ENDPOINT": both.base, "HF_TOKEN": "hf_operators"}, models=models)
    assert both.asked == [], "nothing is fetched before a call needs it"
    for _ in range(3):
        assert ask(gateway, "hubbed") == "Hello"
    assert both.prompts == ["<s>[system]Be brief.[user]Hi[answer]"] * 3
    assert both.asked == [("/acme/unheard-7b/raw/main/tokenizer_config.json", "Bearer hf_operators")]

    with pytest.raises(openai.APIStatusError, match="acme/none.*no such model"):
        ask(gateway, "nowhere")
    assert len(both.prompts) == 3, "no prompt is made without the template"


def test_a_hub_that_is_not_there_is_said(spawn, both):
    away = f"http://127.0.0.1:{free_port()}"
    gateway = spawn(environment={"HF_ENDPOINT": away}, models=[deployment("hubbed", both, "acme/unheard-7b")])
    with pytest.raises(openai.APIStatusError, match="chat template of `acme/unheard-7b`.*cannot be fetched"):
        ask(gateway, "hubbed")
    assert both.prompts == []
