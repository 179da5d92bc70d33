"""A mock provider that speaks Gemini `generateContent`, plain and streamed, and counts tokens.

The model name says how it behaves, as in `upstream.py`: `say`, `tool`, `tools`, `think`, `error-STATUS`,
`cut` (a stream that breaks off) and `broken` (a stream with an error frame in the middle).
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from . import replies
from .upstream import Asked

COUNTED = 7
SIGNATURE = "c2lnbmVkIGJ5IGdvb2dsZQ=="


class GeminiUpstream:
    """The provider; `base` is its address with the version."""

    def __init__(self):
        self.asked = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"upstream": self}))
        self.server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self.server.server_port}/v1beta"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def last(self):
        return self.asked[-1]

    def close(self):
        self.server.shutdown()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    upstream: GeminiUpstream

    def log_message(self, *_):
        pass

    def do_POST(self):
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        body = json.loads(raw)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.upstream.asked.append(Asked(self.path, headers, body, raw))
        path = self.path.split("?")[0].removeprefix("/v1beta/models/")
        model, _, verb = path.rpartition(":")
        word, _, argument = model.partition("-")
        if word == "error":
            return self.whole(int(argument), error_body(int(argument)))
        if verb == "countTokens":
            return self.whole(200, {"totalTokens": COUNTED})
        plan = replies.plan(model, {"messages": [{"content": ""}]})
        frames = list(frames_of(plan, model))
        if verb == "generateContent":
            return self.whole(200, reply([part for frame in frames for part in parts(frame)], model, True))
        assert self.path.endswith(":streamGenerateContent?alt=sse"), self.path
        self.stream(word, frames)

    def whole(self, status, value):
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json; charset=UTF-8")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def stream(self, word, frames):
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for index, value in enumerate(frames):
            if word in ("cut", "broken") and index == 1:
                if word == "cut":
                    self.close_connection = True
                    return
                value = error_body(503)
            data = b"data: " + json.dumps(value).encode() + b"\r\n\r\n"
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.flush()
            if "error" in value:
                break
        self.wfile.write(b"0\r\n\r\n")


def parts(frame):
    return frame["candidates"][0]["content"]["parts"]


def frames_of(plan, model):
    pieces = [{"text": plan.thinking, "thought": True}] if plan.thinking else []
    pieces += [{"text": text} for text in plan.text]
    for index, (name, arguments) in enumerate(plan.calls):
        call = {"functionCall": {"name": name, "args": arguments}}
        if index == 0:
            call["thoughtSignature"] = SIGNATURE
        pieces.append(call)
    for index, piece in enumerate(pieces):
        yield reply([piece], model, index + 1 == len(pieces))


def reply(content, model, ends):
    candidate = {"content": {"parts": content, "role": "model"}, "index": 0}
    if ends:
        candidate["finishReason"] = "STOP"
    usage = {
        "promptTokenCount": replies.INPUT_TOKENS,
        "candidatesTokenCount": replies.OUTPUT_TOKENS,
        "totalTokenCount": replies.INPUT_TOKENS + replies.OUTPUT_TOKENS,
    }
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": model, "responseId": "resp-1"}


def error_body(status):
    word = {400: "INVALID_ARGUMENT", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED"}.get(status, "UNAVAILABLE")
    error = {"code": status, "message": "upstream says no", "status": word}
    if status == 429:
        info = "type.googleapis.com/google.rpc.RetryInfo"
        error["details"] = [{"@type": info, "retryDelay": "7s"}]
    return {"error": error}
