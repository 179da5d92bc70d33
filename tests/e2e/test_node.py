"""The stock Node SDKs, where Node and the npm registry are at hand."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import SIDES
from support.gateway import MASTER_KEY
from support.replies import TEXT

HERE = Path(__file__).parent / "node"


@pytest.fixture(scope="module")
def node():
    """The folder with the SDKs; `.ci/run` has installed them there if it could."""
    folder = Path(os.environ.get("GATEWAY_NODE_SDKS", ""))
    if not shutil.which("node"):
        pytest.skip("no `node` on this machine")
    if not (folder / "node_modules" / "openai").is_dir():
        pytest.skip("the Node SDKs are not installed: set GATEWAY_NODE_SDKS to a folder that holds them")
    shutil.copy(HERE / "ask.mjs", folder / "ask.mjs")
    return folder


def test_both_sdks_in_front_of_both_providers(gateway, node):
    command = ["node", "ask.mjs", gateway.url, MASTER_KEY]
    done = subprocess.run(command, cwd=node, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    for side in SIDES:
        assert (seen[side]["chat"], seen[side]["streamed"], seen[side]["message"]) == (TEXT, TEXT, TEXT)
        assert seen[side]["cities"] == ["Paris", "Rome"]
        assert seen[side]["openaiError"] == {"name": "RateLimitError", "status": 429}
        assert seen[side]["anthropicError"] == {"name": "NotFoundError", "status": 404}
    assert {"gpt", "claude"} <= set(seen["models"])
