"""A webhook says who calls: it is asked, believed, kept, and nobody is let in when it does not answer."""

import hashlib
import hmac
import json
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from support.gateway import CALL_COST, MASTER_KEY, binary

SECRET = "webhook-secret"


class Webhook:
    """Answers by secret; keeps what it was asked."""

    def __init__(self):
        self.answers = {}
        self.asked = []
        webhook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                webhook.asked.append((json.loads(body), body, self.headers))
                status, reply = webhook.answers.get(json.loads(body)["api_key"], (401, {"message": "who are you"}))
                if status == "hang":
                    time.sleep(3)
                    status = 200
                self.send_response(status)
                self.end_headers()
                self.wfile.write(reply if isinstance(reply, bytes) else json.dumps(reply).encode())

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/who"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def count(self, secret):
        return sum(asked["api_key"] == secret for asked, *_ in self.asked)


@pytest.fixture
def webhook():
    webhook = Webhook()
    yield webhook
    webhook.server.shutdown()
    webhook.server.server_close()


@pytest.fixture
def start(spawn, webhook):
    def started(**settings):
        settings = {"secret": SECRET, "timeout": 1, **settings}
        return spawn(general_settings={"custom_auth": webhook.url, "custom_auth_settings": settings})

    return started


def said(answer):
    return answer.json["error"]["message"]


def test_the_webhook_says_who_calls(start, webhook):
    webhook.answers["token of ann"] = 200, {"user_id": "ann", "team_id": "red", "models": ["gpt"]}
    gateway = start()
    assert gateway.ask("POST", "/team/new", {"team_id": "red"}).status == 200, "the master key is not asked about"
    assert gateway.chat(key="token of ann").status == 200
    asked, body, headers = webhook.asked[0]
    assert asked["path"] == "/v1/chat/completions" and asked["method"] == "POST" and asked["client_ip"] == "127.0.0.1"
    signed = headers["x-gateway-timestamp"].encode() + b"." + body
    assert headers["x-gateway-signature"] == "sha256=" + hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert abs(int(headers["x-gateway-timestamp"]) - time.time()) < 60
    assert gateway.chat("claude", key="token of ann").status == 403
    until = time.monotonic() + 20
    while gateway.ask("GET", "/team/info?team_id=red").json["team_info"]["spend"] != pytest.approx(CALL_COST):
        assert time.monotonic() < until
        time.sleep(0.1)
    assert "token of ann" not in gateway.log() and SECRET not in gateway.log()


def test_answers_are_kept_for_a_while(start, webhook):
    webhook.answers["a"] = 200, {"user_id": "ann"}
    gateway = start(cache_ttl=600)
    for _ in range(3):
        assert gateway.chat(key="a").status == 200
        assert gateway.chat(key="b").status == 401
    assert (webhook.count("a"), webhook.count("b")) == (1, 1)
    gateway = start(cache_ttl=0)
    for _ in range(3):
        assert gateway.chat(key="a").status == 200
    assert webhook.count("a") == 4
    webhook.answers["a"] = 403, {"message": "gone"}
    answer = gateway.chat(key="a")
    assert answer.status == 401 and "gone" in said(answer)


def test_nobody_is_let_in_by_what_is_no_answer(start, webhook):
    webhook.answers |= {
        "500": (500, {}),
        "redirect": (302, {}),
        "hang": ("hang", {"user_id": "ann"}),
        "html": (200, b"<html>"),
        "nobody": (200, {}),
        "budget": (200, {"user_id": "ann", "max_budget": 5}),
        "root": (200, {"user_id": "ann", "user_role": "root"}),
        "large": (200, b'{"user_id": "' + b"x" * 100_000 + b'"}'),
    }
    gateway = start()
    for secret in webhook.answers:
        answer = gateway.chat(key=secret)
        assert (answer.status, answer.json["error"]["type"]) == (503, "auth_provider_unavailable"), secret
    assert gateway.chat(key="unknown").status == 401
    assert gateway.chat(key=None).status == 401
    assert "max_budget" in gateway.log(), "the log says what is wrong"
    webhook.server.server_close()
    webhook.server.shutdown()
    assert gateway.chat(key="later").status == 503
    assert gateway.chat(key=MASTER_KEY).status == 200


def test_roles_and_limits_hold(start, webhook):
    webhook.answers["admin"] = 200, {"user_id": "boss", "user_role": "proxy_admin"}
    webhook.answers["slow"] = 200, {"user_id": "ann", "rpm_limit": 1}
    webhook.answers["reader"] = 200, {"user_id": "ann", "allowed_routes": ["/v1/models"]}
    gateway = start()
    made = gateway.ask("POST", "/key/generate", {}, key="admin")
    assert made.status == 200
    told = gateway.ask("GET", f"/audit?object_id={made.json['token']}").json["audit_logs"]
    assert told[0]["changed_by"] == "boss"
    assert gateway.chat(key="slow").status == 200
    assert gateway.chat(key="slow").status == 429
    assert gateway.chat(key="reader").status == 403
    assert gateway.ask("GET", "/user/list", key="slow").status in (401, 403)


def test_virtual_keys_beside_the_webhook(start, webhook):
    webhook.answers["a"] = 200, {"user_id": "ann"}
    gateway = start(mode="auto")
    key = gateway.new_key()
    assert gateway.chat(key=key).status == 200
    assert webhook.count(key) == 0, "our keys are not told to others"
    assert gateway.chat(key="a").status == 200
    assert gateway.chat(key="sk-unknown").status == 401
    alone = start(mode="on")
    assert alone.chat(key=alone.new_key()).status == 401


def test_a_python_function_is_refused_with_the_way_out(tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text("general_settings: {master_key: sk-some-key, custom_auth: my_auth.user_api_key_auth}\n")
    done = subprocess.run([binary(), "check", str(config)], capture_output=True, text=True, timeout=60)
    told = done.stdout + done.stderr
    assert done.returncode == 2 and "general_settings.custom_auth" in told and "webhook" in told, told
