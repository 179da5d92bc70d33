"""The binary itself: the first start without anything, and the verdicts of `check`."""

import json
import os
import re
import signal
import stat
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from support.gateway import binary, config
from support.ports import free_port


def run(*arguments, cwd, **environment):
    return subprocess.run(
        [binary(), *arguments],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=30,
    )


class Bare:
    """A start without configuration, account or database, in an empty folder."""

    def __init__(self, folder, **environment):
        self.url = f"http://127.0.0.1:{free_port()}"
        port = self.url.rsplit(":", 1)[1]
        # No Ollama of this machine's owner takes part.
        environment = {"PATH": os.environ["PATH"], "OLLAMA_API_BASE": "http://127.0.0.1:1", **environment}
        self.process = subprocess.Popen(
            [binary(), "--port", port], cwd=folder, env=environment, stderr=subprocess.PIPE, text=True,
            stdout=subprocess.DEVNULL,
        )
        self.said = ""
        while "Anthropic SDK" not in self.said:
            line = self.process.stderr.readline()
            assert line, f"the gateway ended: {self.said}"
            self.said += line

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.said += self.process.communicate(timeout=20)[1]
        return self.process.returncode


def try_the_line(gateway, folder):
    """Runs the curl line as it was printed."""
    line = re.search(r"curl .*\\\n.*}'", gateway.said).group(0) + " --silent --show-error"
    return json.loads(subprocess.run(["sh", "-c", line], cwd=folder, capture_output=True, text=True).stdout)


def test_the_line_it_prints_works_and_the_key_is_shown_once(tmp_path):
    gateway = Bare(tmp_path)
    assert "choices" in try_the_line(gateway, tmp_path)
    key = re.search(r"key +(sk-\S+)", gateway.said).group(1)
    assert gateway.stop() == 0
    file = tmp_path / ".gateway" / "master-key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text().strip() == key
    assert (tmp_path / ".gateway" / "gateway.db").exists()
    again = Bare(tmp_path)
    assert key not in again.said
    assert "choices" in try_the_line(again, tmp_path), "the second start's line reads the key from its file"
    assert again.stop() == 0


def test_keys_in_the_environment_are_found_and_not_shown(tmp_path):
    gateway = Bare(tmp_path, GROQ_API_KEY="gsk-secret-of-groq", LITELLM_MASTER_KEY="sk-chosen-by-the-operator")
    assert "groq/* (GROQ_API_KEY)" in gateway.said
    assert "secret-of-groq" not in gateway.said
    assert "sk-chosen" not in gateway.said
    assert not (tmp_path / ".gateway" / "master-key").exists()
    assert gateway.stop() == 0


@pytest.mark.parametrize(
    ("change", "arguments", "status"),
    [
        (lambda file: file, [], 0),
        (lambda file: file | {"litellm_settings": {"no_such_setting": 1}}, [], 0),
        (lambda file: file | {"litellm_settings": {"no_such_setting": 1}}, ["--strict"], 1),
        (lambda file: file | {"model_list": 7}, [], 2),
    ],
)
def test_check_says_it_with_its_status(tmp_path, upstream, change, arguments, status):
    path = tmp_path / "config.yaml"
    path.write_text(json.dumps(change(config(upstream))))
    done = run("check", str(path), *arguments, cwd=tmp_path)
    assert done.returncode == status, done.stdout + done.stderr
    verdict = json.loads(run("check", str(path), *arguments, "--json", cwd=tmp_path).stdout)
    assert verdict["usable"] == (status == 0)
    assert "sk-upstream-secret" not in done.stdout
    if status == 2:
        served = run("--config", str(path), "--port", str(free_port()), cwd=tmp_path)
        assert served.returncode == 2
        assert "model_list" in served.stderr


def test_a_file_that_is_not_there(tmp_path):
    served = ["--config", "absent.yaml"]
    for arguments in (["check", "absent.yaml"], served, [*served, "--validate_config"]):
        done = run(*arguments, cwd=tmp_path)
        assert done.returncode == 2
        assert "absent.yaml" in done.stdout + done.stderr


def test_the_database_is_migrated_once(tmp_path):
    first = run("db", "migrate", "--data-dir", str(tmp_path / "data"), cwd=tmp_path)
    assert (first.returncode, first.stdout[:8]) == (0, "applied "), first.stderr
    assert run("db", "migrate", "--data-dir", str(tmp_path / "data"), cwd=tmp_path).stdout == "up to date\n"
    status = run("db", "status", "--data-dir", str(tmp_path / "data"), cwd=tmp_path)
    assert status.returncode == 0 and "SQLite" in status.stdout


def test_providers_are_listed(tmp_path):
    rows = json.loads(run("providers", "--json", cwd=tmp_path).stdout)
    assert len(rows) > 20
    assert {"openai", "anthropic"} <= {row["id"] for row in rows}
    assert "* openai" in run("providers", cwd=tmp_path, OPENAI_API_KEY="sk-secret").stdout


def test_the_providers_of_a_configuration_are_listed(tmp_path):
    written = {
        "providers": {
            "house": {"base_url": "http://house.internal/v1", "auth": "none"},
            # An entry of LiteLLM's providers.json, as it is.
            "rack": {"base_url": "https://rack.internal/v1", "api_key_env": "RACK_API_KEY", "base_class": "openai_gpt",
                     "param_mappings": {"max_completion_tokens": "max_tokens"}, "constraints": {"temperature_max": 1.0},
                     "special_handling": {"convert_content_list_to_string": True}, "headers": {"x-team": "a"}},
        },
        "model_list": [{"model_name": "h", "litellm_params": {"model": "house/m"}}],
        "general_settings": {"master_key": "sk-e2e-master-key"},
    }
    (tmp_path / "config.yaml").write_text(json.dumps(written))
    done = run("providers", "--json", "--config", "config.yaml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    listed = {record["id"]: record for record in json.loads(done.stdout)}
    assert {"house", "rack", "openai", "watsonx", "a2a"} <= set(listed)
    rack = listed["rack"]
    assert rack["key_env"] == ["RACK_API_KEY"]
    assert rack["quirks"]["max_completion_tokens_as_max_tokens"] is True
    assert rack["quirks"]["amend"] == [{"temperature_at_most": 1.0}, "join_texts"]
    assert rack["quirks"]["headers"] == [["x-team", "a"]]
    built_in = json.loads(run("providers", "--json", cwd=tmp_path).stdout)
    assert "house" not in {record["id"] for record in built_in}


def test_a_sign_in_by_device_code(tmp_path):
    answers = [{"error": "authorization_pending"}, {"access_token": "gho_of-the-user"}]

    class GitHub(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_POST(self):
            self.rfile.read(int(self.headers.get("content-length", 0)))
            code = {"device_code": "d", "user_code": "AB-12", "verification_uri": "https://page.example", "interval": 1}
            data = json.dumps(code if self.path == "/code" else answers.pop(0)).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), GitHub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    done = run("login", "github_copilot", cwd=tmp_path, GITHUB_COPILOT_TOKEN_DIR=str(tmp_path / "tokens"),
               GITHUB_COPILOT_DEVICE_CODE_URL=base + "/code", GITHUB_COPILOT_ACCESS_TOKEN_URL=base + "/token")
    server.shutdown()
    assert done.returncode == 0, done.stderr
    assert "open https://page.example and type AB-12" in done.stderr
    kept = tmp_path / "tokens" / "access-token"
    assert kept.read_text() == "gho_of-the-user"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert "gho_" not in done.stdout + done.stderr
