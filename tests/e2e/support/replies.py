"""What the mock provider says, in OpenAI's and Anthropic's words.

A plan is made once from the model name and the request; `openai_*` and `anthropic_*` write it as a
whole reply or as a list of stream frames.
"""

import json
from dataclasses import dataclass, field

from . import task

INPUT_TOKENS = 10
OUTPUT_TOKENS = 5
TEXT = "Hello from upstream."
CALL = ("get_weather", {"city": "Paris"})
JSON_TEXT = '{"name": "Ada", "age": 36}'


@dataclass
class Plan:
    """One answer: pieces of text, then tool calls."""

    text: list[str] = field(default_factory=list)
    calls: list[tuple[str, dict]] = field(default_factory=list)
    thinking: str | None = None

    @property
    def finish(self):
        return ("tool_calls", "tool_use") if self.calls else ("stop", "end_turn")


def plan(behaviour, body):
    """What a model of this name answers to this request."""
    word, _, argument = behaviour.partition("-")
    if word == "tool":
        return Plan(calls=[CALL])
    if word == "tools":
        return Plan(calls=[CALL, ("get_weather", {"city": "Rome"})])
    if word == "json":
        return Plan(text=[JSON_TEXT[:9], JSON_TEXT[9:]])
    if word == "echo":
        return Plan(text=[last_text(body)])
    if word == "think":
        return Plan(text=["It is ", "four."], thinking="2 + 2")
    if word == "task":
        said, call = task.step(body)
        return Plan(text=[said], calls=[call] if call else [])
    if word == "long":
        return Plan(text=[f"word{n} " for n in range(int(argument.split("-")[0]))])
    return Plan(text=["Hello ", "from ", "upstream."])


def last_text(body):
    content = body["messages"][-1]["content"]
    if isinstance(content, str):
        return content
    return " ".join(part.get("text", "") for part in content)


def openai_usage():
    return {
        "prompt_tokens": INPUT_TOKENS,
        "completion_tokens": OUTPUT_TOKENS,
        "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
    }


def openai_reply(plan, model, number):
    message = {"role": "assistant", "content": "".join(plan.text) or None, "refusal": None}
    if plan.thinking:
        message["reasoning_content"] = plan.thinking
    if plan.calls:
        message["tool_calls"] = [openai_call(index, call) for index, call in enumerate(plan.calls)]
    return {
        "id": f"chatcmpl-up{number}",
        "object": "chat.completion",
        "created": 1_760_000_000,
        "model": model,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": plan.finish[0]}],
        "usage": openai_usage(),
    }


def openai_call(index, call):
    name, arguments = call
    function = {"name": name, "arguments": json.dumps(arguments)}
    return {"id": f"call_{index}", "type": "function", "function": function}


def openai_frames(plan, model, number, include_usage):
    """Stream frames as bytes, `[DONE]` last."""

    def chunk(delta, finish=None, **more):
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        head = {
            "id": f"chatcmpl-up{number}",
            "object": "chat.completion.chunk",
            "created": 1_760_000_000,
            "model": model,
        }
        return frame({**head, "choices": [choice], **more})

    frames = [chunk({"role": "assistant", "content": "" if plan.text else None})]
    if plan.thinking:
        frames.append(chunk({"reasoning_content": plan.thinking}))
    frames += [chunk({"content": text}) for text in plan.text]
    for index, call in enumerate(plan.calls):
        whole = openai_call(index, call)
        arguments = whole["function"]["arguments"]
        whole["function"]["arguments"] = ""
        frames.append(chunk({"tool_calls": [{"index": index, **whole}]}))
        for piece in (arguments[:5], arguments[5:]):
            frames.append(chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]}))
    frames.append(chunk({}, plan.finish[0]))
    if include_usage:
        usage = {
            "id": f"chatcmpl-up{number}",
            "object": "chat.completion.chunk",
            "created": 1_760_000_000,
            "model": model,
            "choices": [],
            "usage": openai_usage(),
        }
        frames.append(frame(usage))
    return [*frames, b"data: [DONE]\n\n"]


def text_reply(plan, model, number):
    return {
        "id": f"cmpl-up{number}",
        "object": "text_completion",
        "created": 1_760_000_000,
        "model": model,
        "choices": [{"index": 0, "text": "".join(plan.text), "logprobs": None, "finish_reason": "stop"}],
        "usage": openai_usage(),
    }


def text_frames(plan, model, number, include_usage):
    """Frames of a streamed text completion, `[DONE]` last."""
    head = {"id": f"cmpl-up{number}", "object": "text_completion", "created": 1_760_000_000, "model": model}
    chunk = lambda text, finish: frame(
        {**head, "choices": [{"index": 0, "text": text, "logprobs": None, "finish_reason": finish}]}
    )
    frames = [chunk(text, None) for text in plan.text] + [chunk("", "stop")]
    if include_usage:
        frames.append(frame({**head, "choices": [], "usage": openai_usage()}))
    return [*frames, b"data: [DONE]\n\n"]


def anthropic_usage(output=OUTPUT_TOKENS):
    return {
        "input_tokens": INPUT_TOKENS,
        "output_tokens": output,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
    }


def warm(usage, tokens, anthropic):
    """So much of the prompt was read from the provider's cache."""
    if anthropic:
        usage["cache_read_input_tokens"] = tokens
    else:
        usage["prompt_tokens"] += tokens
        usage["prompt_tokens_details"] = {"cached_tokens": tokens}


def anthropic_blocks(plan):
    blocks = []
    if plan.thinking:
        blocks.append({"type": "thinking", "thinking": plan.thinking, "signature": "c2lnbmVk"})
    if plan.text:
        blocks.append({"type": "text", "text": "".join(plan.text)})
    for index, (name, arguments) in enumerate(plan.calls):
        blocks.append({"type": "tool_use", "id": f"toolu_{index}", "name": name, "input": arguments})
    return blocks


def anthropic_reply(plan, model, number):
    return {
        "id": f"msg_up{number}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": anthropic_blocks(plan),
        "stop_reason": plan.finish[1],
        "stop_sequence": None,
        "usage": anthropic_usage(),
    }


def anthropic_frames(plan, model, number):
    """Stream frames as bytes, `message_stop` last."""
    message = {**anthropic_reply(plan, model, number), "content": [], "stop_reason": None}
    message["usage"] = anthropic_usage(output=1)
    frames = [event("message_start", message=message), event("ping")]
    for index, block in enumerate(anthropic_blocks(plan)):
        frames += anthropic_block_frames(index, block, plan)
    delta = {"stop_reason": plan.finish[1], "stop_sequence": None}
    frames.append(event("message_delta", delta=delta, usage={"output_tokens": OUTPUT_TOKENS}))
    return [*frames, event("message_stop")]


def anthropic_block_frames(index, block, plan):
    if block["type"] == "text":
        start, deltas = {**block, "text": ""}, [{"type": "text_delta", "text": text} for text in plan.text]
    elif block["type"] == "thinking":
        start = {**block, "thinking": "", "signature": ""}
        deltas = [
            {"type": "thinking_delta", "thinking": block["thinking"]},
            {"type": "signature_delta", "signature": block["signature"]},
        ]
    else:
        start, text = {**block, "input": {}}, json.dumps(block["input"])
        deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in (text[:5], text[5:])]
    yield event("content_block_start", index=index, content_block=start)
    for delta in deltas:
        yield event("content_block_delta", index=index, delta=delta)
    yield event("content_block_stop", index=index)


def error_body(status, anthropic):
    message = f"upstream says {status}"
    if anthropic:
        kinds = {401: "authentication_error", 403: "permission_error", 404: "not_found_error"}
        kinds |= {429: "rate_limit_error", 500: "api_error", 529: "overloaded_error"}
        return {"type": "error", "error": {"type": kinds.get(status, "invalid_request_error"), "message": message}}
    return {"error": {"message": message, "type": "mock_type", "param": "mock_param", "code": "mock_code"}}


def frame(value):
    return f"data: {json.dumps(value)}\n\n".encode()


def event(kind, **fields):
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()
