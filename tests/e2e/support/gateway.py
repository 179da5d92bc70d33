"""The real `gateway` process: configured, started, asked, signalled and stopped."""

import json
import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from .ports import free_port

MASTER_KEY = "sk-e2e-master-key"
ROOT = Path(__file__).resolve().parents[3]
# Prices that make sums easy: 10 tokens in and 5 out cost 20 000 nano-dollars.
INPUT_PRICE, OUTPUT_PRICE = 0.000001, 0.000002
CALL_COST = 10 * INPUT_PRICE + 5 * OUTPUT_PRICE


def binary():
    return os.environ.get("GATEWAY_BIN") or str(ROOT / "target" / "debug" / "gateway")


def config(upstream, models=(), **sections):
    """A configuration whose deployments all point at the mock provider.

    `oai/X`, `ant/X` and `coh/X` reach model `X` there in OpenAI's, Anthropic's and Cohere's words, `txt/X`
    in those of OpenAI's text completions; `cha/X` a vendor that has chat completions only, `res/X` one that
    is called by the Responses API whoever asks.
    """
    entries = [
        entry("cha/*", "together_ai/*", upstream.base + "/v1"),
        entry("coder/*", "together_ai/*", upstream.base + "/v1", drop_params=True),
        entry("res/*", "openai/responses/*", upstream.base + "/v1"),
        entry("oai/*", "openai/*", upstream.base + "/v1"),
        entry("ant/*", "anthropic/*", upstream.base),
        entry("coh/*", "cohere_chat/*", upstream.base),
        entry("txt/*", "text-completion-openai/*", upstream.base + "/v1"),
        entry("vllm/*", "hosted_vllm/*", upstream.base + "/v1"),
        entry("gpt", "openai/say", upstream.base + "/v1"),
        entry("claude", "anthropic/say", upstream.base),
        *models,
    ]
    general = {"master_key": MASTER_KEY, **sections.pop("general_settings", {})}
    router = {"num_retries": 0, "disable_cooldowns": True, **sections.pop("router_settings", {})}
    return {"model_list": entries, "general_settings": general, "router_settings": router, **sections}


def entry(name, model, base, **params):
    prices = {"input_cost_per_token": INPUT_PRICE, "output_cost_per_token": OUTPUT_PRICE}
    return {
        "model_name": name,
        "litellm_params": {"model": model, "api_base": base, "api_key": "sk-upstream-secret", **prices, **params},
    }


class Answer:
    """Status, headers (lower-case names) and body of one HTTP answer."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = {name.lower(): value for name, value in headers.items()}
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)


class Gateway:
    """One gateway with a home of its own, so that it can be restarted on the same data.

    `server` is the PostgreSQL on which each gets a database; without one the data are in its home.
    """

    server = None

    def __init__(self, home, config, environment=None, port=None):
        self.home = Path(home)
        self.home.mkdir(parents=True, exist_ok=True)
        self.config_path = self.home / "config.yaml"
        self.log_path = self.home / "gateway.log"
        self.environment = environment or {}
        if self.server and "DATABASE_URL" not in self.environment:
            self.environment = {**self.environment, "DATABASE_URL": self.server.database()}
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = None
        self.write(config)

    def write(self, config):
        """Replaces the configuration file in one step. JSON is YAML."""
        text = config if isinstance(config, str) else json.dumps(config, indent=2)
        fresh = self.config_path.with_suffix(".new")
        fresh.write_text(text)
        fresh.replace(self.config_path)

    def start(self):
        environment = {
            name: value
            for name, value in os.environ.items()
            if not re.search(r"_API_KEY$|_PROXY$|^LITELLM_|^DATABASE_URL$", name, re.IGNORECASE)
        }
        environment |= {"GATEWAY_DATA_DIR": str(self.home / "data"), "LITELLM_LOG": "INFO", **self.environment}
        command = [binary(), "--config", str(self.config_path), "--host", "127.0.0.1", "--port", str(self.port)]
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(command, env=environment, cwd=self.home, stdout=log, stderr=log)
        self.wait_ready()
        return self

    def wait_ready(self, seconds=30):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise AssertionError(f"gateway ended with {self.process.returncode}:\n{self.log()}")
            try:
                if self.ask("GET", "/health/liveliness", key=None).status == 200:
                    return
            except OSError:
                time.sleep(0.02)
        raise AssertionError(f"gateway was not ready within {seconds} s:\n{self.log()}")

    def log(self):
        return self.log_path.read_text(errors="replace")

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self, seconds=20):
        """Ends it with SIGTERM and gives its exit status."""
        if self.process is None or self.process.poll() is not None:
            return self.process and self.process.returncode
        self.signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def kill(self):
        self.process.kill()
        self.process.wait()

    def ask(self, method, path, body=None, key=MASTER_KEY, headers=None, timeout=30):
        """One plain HTTP request; error statuses are answers too."""
        headers = {"content-type": "application/json", **(headers or {})}
        if key:
            headers["authorization"] = f"Bearer {key}"
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read())

    def chat(self, model="gpt", key=MASTER_KEY, headers=None, timeout=30, **fields):
        body = {"model": model, "messages": [{"role": "user", "content": "hi"}], "max_tokens": 5, **fields}
        return self.ask("POST", "/v1/chat/completions", body, key, headers, timeout)

    def new_key(self, **fields):
        answer = self.ask("POST", "/key/generate", fields)
        assert answer.status == 200, answer.body
        return answer.json["key"]

    def key_info(self, key):
        answer = self.ask("GET", f"/key/info?key={key}")
        assert answer.status == 200, answer.body
        return answer.json["info"]

    def spend(self, key, at_least=0.0, seconds=15):
        """The key's recorded spend, once it has reached an amount or time is up."""
        until = time.monotonic() + seconds
        while True:
            spend = self.key_info(key)["spend"]
            if spend >= at_least - 1e-12 or time.monotonic() > until:
                return spend
            time.sleep(0.05)

    def rows(self, key, at_least, seconds=60):
        """Every row of the key's calls, once there are enough or time is up."""
        day = lambda days: time.strftime("%Y-%m-%d", time.gmtime(time.time() + days * 86_400))
        until = time.monotonic() + seconds
        while True:
            rows, page = [], 1
            while True:
                query = f"start_date={day(-1)}&end_date={day(1)}&api_key={key}&page={page}&page_size=100"
                answer = self.ask("GET", f"/spend/logs/v2?{query}").json
                rows += answer["data"]
                if page >= answer["total_pages"]:
                    break
                page += 1
            # A row that stands on two pages moved while they were read, or is there twice: it is looked again.
            moved = len({row["request_id"] for row in rows}) < len(rows)
            if (len(rows) >= at_least and not moved) or time.monotonic() > until:
                return rows
            time.sleep(0.2)

    def metric(self, name):
        """The value of a metric without labels."""
        text = self.ask("GET", "/metrics").body.decode()
        return float(re.search(rf"^{name} (\S+)$", text, re.MULTILINE).group(1))

    def memory_peak(self):
        """The largest resident size so far, in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) * 1024
