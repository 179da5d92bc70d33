"""What the mock provider says in Cohere's words (`POST /v2/chat`)."""

import json

from .replies import INPUT_TOKENS, OUTPUT_TOKENS

USAGE = {
    "billed_units": {"input_tokens": INPUT_TOKENS, "output_tokens": OUTPUT_TOKENS},
    "tokens": {"input_tokens": INPUT_TOKENS + 500, "output_tokens": OUTPUT_TOKENS + 2},
}
FAILED = {"type": "message-end", "delta": {"finish_reason": "ERROR", "usage": {}, "error": "upstream broke"}}


def finish(plan):
    return "TOOL_CALL" if plan.calls else "COMPLETE"


def call(index, named):
    name, arguments = named
    return {"id": f"{name}_{index}", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}


def blocks(plan):
    thoughts = [("thinking", [plan.thinking])] if plan.thinking else []
    return thoughts + ([("text", plan.text)] if plan.text else [])


def reply(plan, number):
    message = {"role": "assistant"}
    if blocks(plan):
        message["content"] = [{"type": kind, kind: "".join(texts)} for kind, texts in blocks(plan)]
    if plan.calls:
        message["tool_plan"] = "I will look."
        message["tool_calls"] = [call(index, named) for index, named in enumerate(plan.calls)]
    return {"id": f"co-up{number}", "finish_reason": finish(plan), "message": message, "usage": USAGE}


def frames(plan, number):
    """Stream frames as bytes, `[DONE]` last."""
    start = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    out = [frame(type="message-start", id=f"co-up{number}", delta={"message": start})]
    for index, (kind, texts) in enumerate(blocks(plan)):
        out.append(piece("content-start", index, content={"type": kind, kind: ""}))
        out += [piece("content-delta", index, content={kind: text}) for text in texts]
        out.append(frame(type="content-end", index=index))
    if plan.calls:
        out.append(frame(type="tool-plan-delta", delta={"message": {"tool_plan": "I will look."}}))
    for index, named in enumerate(plan.calls):
        whole = call(index, named)
        text = whole["function"]["arguments"]
        whole["function"]["arguments"] = ""
        out.append(piece("tool-call-start", index, tool_calls=whole))
        for part in (text[:5], text[5:]):
            out.append(piece("tool-call-delta", index, tool_calls={"function": {"arguments": part}}))
        out.append(frame(type="tool-call-end", index=index))
    out.append(frame(type="message-end", delta={"finish_reason": finish(plan), "usage": USAGE}))
    return [*out, b"data: [DONE]\n\n"]


def piece(kind, index, **message):
    return frame(type=kind, index=index, delta={"message": message})


def frame(**fields):
    return f"event: {fields['type']}\ndata: {json.dumps(fields)}\n\n".encode()


def error_body(status):
    return {"id": "co-error", "message": f"upstream says {status}"}
