"""What the mock provider does as the model of a coding tool: it writes a file with the tool it is offered, then ends.

The prompt names the file as `FILE=/some/path` and what goes into it as `WORD=something`.
"""

import json
import re

RESULTS = ('"type": "tool_result"', '"role": "tool"', '_call_output"', '"toolResult"', '"functionResponse"')
DONE = "The file is written."
PREAMBLE = "I will write it."


def step(body):
    """The text to say and the call to make next, if any: `(text, None | (name, arguments))`."""
    text = json.dumps(body)
    path, word = re.search(r"FILE=([\w/.-]+)", text), re.search(r"WORD=(\w+)", text)
    if not path or not word or any(mark in text for mark in RESULTS):
        return DONE, None
    call = writing(offered(body), path[1], word[1])
    return (PREAMBLE, call) if call else (DONE, None)


def offered(body):
    """Names of the tools a request offers, in any dialect."""
    tools = body.get("tools") or []
    return {(tool.get("function") or tool).get("name") for tool in tools}


def writing(names, path, word):
    """The call that writes a word into a file with one of the tools; none where there is no tool for it."""
    shell = f"printf %s {word} > {path}"
    calls = {
        "Write": {"file_path": path, "content": word},
        "exec_command": {"cmd": shell},
        "shell_command": {"command": shell},
        "shell": {"command": ["sh", "-c", shell]},
    }
    return next(((name, arguments) for name, arguments in calls.items() if name in names), None)
