"""Claude Code and Codex finish a small task through the gateway: the model has them write a file, then ends."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from support.gateway import CALL_COST
from support.task import DONE

WORD = "gateway42"
# Two questions: what to do, and what next when the file is there.
TASK_COST = 2 * CALL_COST

CODEX_CONFIG = """
model = "{model}"
model_provider = "gateway"
[model_providers.gateway]
name = "gateway"
base_url = "{url}/v1"
env_key = "GATEWAY_KEY"
wire_api = "responses"
"""


@pytest.fixture(scope="module")
def tools():
    """The folder with the tools' programs; `run` has installed them there if it could."""
    folder = Path(os.environ.get("GATEWAY_CODING_TOOLS", "")) / "node_modules" / ".bin"
    if not (folder / "claude").exists() or not (folder / "codex").exists():
        pytest.skip("Claude Code and Codex are not installed: set GATEWAY_CODING_TOOLS to a folder that holds them")
    if not shutil.which("node"):
        pytest.skip("no `node` on this machine")
    return folder


class Task:
    """A tool's home, its workplace and the file it is to write."""

    def __init__(self, folder):
        self.home, self.work = folder / "home", folder / "work"
        self.home.mkdir()
        self.work.mkdir()
        self.file = self.work / "note.txt"
        self.prompt = f"Write the file FILE={self.file} with the word WORD={WORD} in it, then stop."

    def run(self, command, environment):
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.home), **environment}
        done = subprocess.run(
            command, cwd=self.work, env=environment, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        assert DONE in done.stdout, f"{done.stdout}\n{done.stderr}"
        assert self.file.read_text() == WORD


@pytest.fixture
def task(tmp_path):
    return Task(tmp_path)


def claude_code(tools, task, gateway, key, model):
    command = [tools / "claude", "-p", task.prompt, "--model", model, "--permission-mode", "acceptEdits"]
    environment = {
        "ANTHROPIC_BASE_URL": gateway.url,
        "ANTHROPIC_API_KEY": key,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    }
    task.run(command, environment)


def codex(tools, task, gateway, key, model):
    settings = task.home / ".codex"
    settings.mkdir()
    (settings / "config.toml").write_text(CODEX_CONFIG.format(model=model, url=gateway.url))
    command = [tools / "codex", "exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", task.prompt]
    task.run(command, {"GATEWAY_KEY": key})


# The tools always ask for thinking and a web search, which not every model has: `coder` drops what it lacks.
# The provider speaks: Anthropic Messages, OpenAI Chat Completions, OpenAI Responses.
CLAUDE_CODE_MODELS = [("ant/task", "/v1/messages"), ("coder/task", "/v1/chat/completions"), ("res/task", "/v1/responses")]
CODEX_MODELS = [("oai/task", "/v1/responses"), ("ant/task", "/v1/messages"), ("coder/task", "/v1/chat/completions")]


@pytest.mark.parametrize(("model", "path"), CLAUDE_CODE_MODELS)
def test_claude_code_writes_a_file(gateway, upstream, tools, task, model, path):
    key = gateway.new_key()
    claude_code(tools, task, gateway, key, model)
    assert {asked.path.split("?")[0] for asked in upstream.asked} == {path}
    assert gateway.spend(key, TASK_COST) == pytest.approx(TASK_COST), "both questions are booked, once"


@pytest.mark.parametrize(("model", "path"), CODEX_MODELS)
def test_codex_writes_a_file(gateway, upstream, tools, task, model, path):
    key = gateway.new_key()
    codex(tools, task, gateway, key, model)
    assert {asked.path for asked in upstream.asked} == {path}
    assert gateway.spend(key, TASK_COST) == pytest.approx(TASK_COST), "both questions are booked, once"
    if path != "/v1/responses":
        names = {(tool.get("function") or tool).get("name") for tool in upstream.last.body["tools"]}
        assert "multi_agent_v1__spawn_agent" in names, "tools in namespaces have plain names elsewhere"
