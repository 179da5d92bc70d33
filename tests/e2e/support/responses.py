"""The mock provider's Responses API: replies, streams, and a store of them."""

import itertools
import time

from . import replies

# Ids of replies are never given twice.
numbers = itertools.count(1)

USAGE = {
    "input_tokens": replies.INPUT_TOKENS,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": replies.OUTPUT_TOKENS,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": replies.INPUT_TOKENS + replies.OUTPUT_TOKENS,
}


class Store:
    """Replies by id; one made in the background is ready after a while."""

    def __init__(self):
        self.replies = {}
        self.ready_at = {}
        self.input = {}

    def get(self, reply_id):
        reply = self.replies.get(reply_id)
        if reply and reply["status"] == "in_progress" and time.monotonic() > self.ready_at[reply_id]:
            self.replies[reply_id] = reply = {**reply, "status": "completed", "output": reply["later"], "usage": USAGE}
        return reply and {name: value for name, value in reply.items() if name != "later"}

    def add(self, body, model, number):
        plan = replies.plan(model, as_messages(body))
        reply = whole(plan, model, number)
        if body.get("background"):
            reply |= {"status": "in_progress", "background": True, "later": reply["output"], "output": [], "usage": None}
        self.replies[reply["id"]] = reply
        self.ready_at[reply["id"]] = time.monotonic() + 1
        self.input[reply["id"]] = body["input"]
        return self.get(reply["id"])

    def cancel(self, reply_id):
        if self.replies[reply_id]["status"] == "in_progress":
            self.replies[reply_id] |= {"status": "cancelled"}
        return self.get(reply_id)


def about_input(path, body):
    """Status and answer of what is asked of a conversation and makes no reply: its tokens, or a shorter one."""
    if body["model"] == "countless":
        return 404, replies.error_body(404, False)
    if path.endswith("/input_tokens"):
        return 200, {"object": "response.input_tokens", "input_tokens": 42}
    item = {"id": "cmp_1", "type": "compaction", "encrypted_content": "short"}
    return 200, {"id": "resp_compact", "object": "response.compaction", "created_at": 1, "output": [item], "usage": USAGE}


def as_messages(body):
    """The request with its input as messages too."""
    given = body["input"]
    said = [{"content": given}] if isinstance(given, str) else [{"content": item.get("content", "")} for item in given]
    return {**body, "messages": said}


def item(number, place, kind, **members):
    return {"id": f"{kind}_up{number}_{place}", "type": kind, "status": "completed", **members}


def output(plan, number):
    items = []
    if plan.thinking:
        items.append({"id": f"rs_up{number}", "type": "reasoning", "summary": [{"type": "summary_text", "text": plan.thinking}]})
    if plan.text:
        part = {"type": "output_text", "text": "".join(plan.text), "annotations": [], "logprobs": []}
        items.append(item(number, 0, "message", role="assistant", content=[part]))
    for index, call in enumerate(plan.calls):
        function = replies.openai_call(index, call)["function"]
        items.append(item(number, index, "function_call", call_id=f"call_{index}", **function))
    return items


def whole(plan, model, number, **members):
    return {
        "id": f"resp_up{next(numbers)}",
        "object": "response",
        "created_at": 1_760_000_000,
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "model": model,
        "output": output(plan, number),
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "metadata": {},
        "temperature": 1.0,
        "top_p": 1.0,
        "usage": USAGE,
        **members,
    }


def frames(plan, reply):
    """Stream frames of a reply as bytes, `response.completed` last."""
    told = [("response.created", {"response": {**reply, "status": "in_progress", "output": [], "usage": None}})]
    for place, one in enumerate(reply["output"]):
        at = {"output_index": place, "item_id": one["id"]}
        told.append(("response.output_item.added", {"output_index": place, "item": {**one, "status": "in_progress"}}))
        if one["type"] == "message":
            for text in plan.text:
                told.append(("response.output_text.delta", {**at, "content_index": 0, "delta": text, "logprobs": []}))
        elif one["type"] == "function_call":
            for piece in (one["arguments"][:5], one["arguments"][5:]):
                told.append(("response.function_call_arguments.delta", {**at, "delta": piece}))
        elif one["type"] == "reasoning":
            told.append(("response.reasoning_summary_text.delta", {**at, "summary_index": 0, "delta": plan.thinking}))
        told.append(("response.output_item.done", {"output_index": place, "item": one}))
    told.append(("response.completed", {"response": reply}))
    return [replies.event(kind, sequence_number=n, **fields) for n, (kind, fields) in enumerate(told)]
