"""A mock provider that records what it is asked and misbehaves on demand.

It speaks OpenAI chat completions, text completions and responses, Anthropic messages and its token counts, and
Cohere chat, plain and streamed. The model name says how it behaves:

| model | behaviour |
|---|---|
| `say`, `echo`, `tool`, `tools`, `json`, `think` | a text, the caller's text, calls, JSON, reasoning |
| `task` | writes a file with the tool of a coding agent, then says so (`task.py`) |
| `long-N-MS` | a stream of N words, MS milliseconds apart |
| `slow-MS` | waits before it answers |
| `vary-FROM-TO` | waits so many milliseconds before it answers, each time others |
| `hang` | never answers |
| `stall` | a stream that stops moving after two frames |
| `error-STATUS` | an error of the vendor's shape |
| `flaky-N` | N errors of status 500, then answers |
| `garbage` | status 200 and no JSON; in a stream, a frame that is no JSON |
| `cut` | closes the connection in the middle of the body |
| `stopless` | a stream that ends properly but without a finish reason and end mark |
| `broken` | a stream with an error frame in the middle |
"""

import json
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from . import cohere_replies, replies, responses


@dataclass
class Asked:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    body: dict
    raw: bytes


class Upstream:
    """The provider; `base` is its address without a path."""

    def __init__(self):
        self.lock = threading.Lock()
        self.asked = []
        # Per model: earlier tests may have left calls of other models hanging.
        self.in_flight = Counter()
        self.most_in_flight = Counter()
        self.failures = {}
        self.stored = responses.Store()
        self.closing = threading.Event()
        self.server = Server(("127.0.0.1", 0), type("Bound", (Handler,), {"upstream": self}))
        self.base = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def clear(self):
        with self.lock:
            self.asked.clear()
            self.failures.clear()
            self.most_in_flight.clear()

    @property
    def last(self):
        with self.lock:
            return self.asked[-1]

    def close(self):
        self.closing.set()
        self.server.shutdown()


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    upstream: Upstream

    def log_message(self, *_):
        pass

    def do_POST(self):
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        body = json.loads(raw or b"{}")
        if "/responses/" in self.path and "input" not in body:
            return self.stored("POST")
        headers = {name.lower(): value for name, value in self.headers.items()}
        with self.upstream.lock:
            self.upstream.asked.append(Asked(self.path, headers, dict(body), raw))
            # Clouds name the model in the path; there it behaves as `say`.
            body.setdefault("model", "say")
            self.number = len(self.upstream.asked)
            now, most = self.upstream.in_flight, self.upstream.most_in_flight
            now[body["model"]] += 1
            most[body["model"]] = max(most[body["model"]], now[body["model"]])
        try:
            self.answer(body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            with self.upstream.lock:
                self.upstream.in_flight[body["model"]] -= 1

    def do_GET(self):
        self.stored("GET")

    def do_DELETE(self):
        self.stored("DELETE")

    def stored(self, method):
        """What is asked of a stored response: `/v1/responses/{id}`, its input, to cancel or delete it."""
        path = self.path.split("?")[0]
        headers = {name.lower(): value for name, value in self.headers.items()}
        with self.upstream.lock:
            self.upstream.asked.append(Asked(self.path, headers, {"method": method}, b""))
            self.number = len(self.upstream.asked)
        reply_id, _, rest = path.partition("/responses/")[2].partition("/")
        store = self.upstream.stored
        reply = store.get(reply_id)
        if reply is None:
            return self.whole(404, replies.error_body(404, False))
        if rest == "input_items":
            return self.whole(200, {"object": "list", "data": [{"id": "msg_in", "type": "message", "role": "user", "content": [{"type": "input_text", "text": str(store.input[reply_id])}]}], "has_more": False, "first_id": "msg_in", "last_id": "msg_in"})
        if rest == "cancel":
            return self.whole(200, store.cancel(reply_id))
        if method == "DELETE":
            del store.replies[reply_id]
            return self.whole(200, {"id": reply_id, "object": "response", "deleted": True})
        return self.whole(200, reply)

    def answer(self, body):
        path = self.path.split("?")[0]
        anthropic = path.endswith(("/messages", ":rawPredict", ":streamRawPredict"))
        if path.endswith("/v2/chat"):
            return self.cohere(body)
        if path.endswith("/messages/count_tokens"):
            return self.count(body)
        if path.endswith("/completions") and not path.endswith("/chat/completions"):
            return self.text_completion(body)
        if path.endswith("/embeddings") and body["model"] == "meaning":
            return self.embed(body)
        if path.endswith(("/responses/input_tokens", "/responses/compact")):
            return self.whole(*responses.about_input(path, body))
        native = path.endswith("/responses")
        if not anthropic and not native and not path.endswith("/chat/completions"):
            return self.whole(404, replies.error_body(404, anthropic))
        word, _, argument = body["model"].partition("-")
        if word == "hang":
            self.upstream.closing.wait(120)
            self.close_connection = True
            return None
        if word == "slow":
            time.sleep(int(argument) / 1000)
        if word == "vary":
            least, _, most = argument.partition("-")
            time.sleep(random.uniform(int(least), int(most)) / 1000)
        if word == "error":
            return self.whole(int(argument), replies.error_body(int(argument), anthropic))
        if word == "flaky" and self.fails_still(body["model"], int(argument)):
            return self.whole(500, replies.error_body(500, anthropic))
        if native:
            return self.respond(word, argument, body)
        plan = replies.plan(body["model"], body)
        if body.get("stream"):
            error = error_frame(replies.error_body(500, anthropic), anthropic)
            return self.stream(word, argument, self.frames(plan, body, anthropic), error)
        write = replies.anthropic_reply if anthropic else replies.openai_reply
        value = write(plan, body["model"], self.number)
        if word == "cached":
            replies.warm(value["usage"], int(argument), anthropic)
        return self.reply(word, value)

    def embed(self, body):
        """Points by meaning: law, code, and everything else."""
        point = lambda text: [float("contract" in text or "lawyer" in text), float("code" in text), 0.01]
        rows = [{"object": "embedding", "index": at, "embedding": point(text)} for at, text in enumerate(body["input"])]
        usage = {"prompt_tokens": 10, "total_tokens": 10}
        return self.whole(200, {"object": "list", "model": body["model"], "data": rows, "usage": usage})

    def cohere(self, body):
        word, _, argument = body["model"].partition("-")
        if word == "error":
            return self.whole(int(argument), cohere_replies.error_body(int(argument)))
        plan = replies.plan(body["model"], body)
        if body.get("stream"):
            frames = cohere_replies.frames(plan, self.number)
            return self.stream(word, argument, frames, cohere_replies.frame(**cohere_replies.FAILED))
        return self.reply(word, cohere_replies.reply(plan, self.number))

    def count(self, body):
        word, _, argument = body["model"].partition("-")
        if word == "error":
            return self.whole(int(argument), replies.error_body(int(argument), True))
        return self.whole(200, {"input_tokens": 42})

    def text_completion(self, body):
        word, _, argument = body["model"].partition("-")
        if word == "error":
            return self.whole(int(argument), replies.error_body(int(argument), False))
        plan = replies.plan(body["model"], {"messages": [{"content": str(body["prompt"])}]})
        if body.get("stream"):
            wants_usage = (body.get("stream_options") or {}).get("include_usage", False)
            return self.stream(word, argument, replies.text_frames(plan, body["model"], self.number, wants_usage))
        return self.reply(word, replies.text_reply(plan, body["model"], self.number))

    def respond(self, word, argument, body):
        if not body.get("stream"):
            return self.reply(word, self.upstream.stored.add(body, body["model"], self.number))
        reply = self.upstream.stored.add({**body, "background": False}, body["model"], self.number)
        plan = replies.plan(body["model"], responses.as_messages(body))
        return self.stream(word, argument, responses.frames(plan, reply), error_frame(replies.error_body(500, False), False))

    def fails_still(self, model, times):
        with self.upstream.lock:
            seen = self.upstream.failures.get(model, 0)
            self.upstream.failures[model] = seen + 1
        return seen < times

    def frames(self, plan, body, anthropic):
        if anthropic:
            return replies.anthropic_frames(plan, body["model"], self.number)
        wants_usage = (body.get("stream_options") or {}).get("include_usage", False)
        return replies.openai_frames(plan, body["model"], self.number, wants_usage)

    def reply(self, word, value):
        if word == "garbage":
            return self.send(200, b"<html>Bad day</html>", "text/html")
        if word == "cut":
            data = json.dumps(value).encode()
            self.head(200, "application/json", [("content-length", str(len(data)))])
            self.wfile.write(data[: len(data) // 2])
            self.close_connection = True
            return None
        return self.whole(200, value)

    def whole(self, status, value):
        self.send(status, json.dumps(value).encode(), "application/json")

    def send(self, status, data, kind):
        self.head(status, kind, [("content-length", str(len(data)))])
        self.wfile.write(data)

    def head(self, status, kind, more):
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("x-request-id", f"req_up{self.number}")
        for name, value in more:
            self.send_header(name, value)
        self.end_headers()

    def stream(self, word, argument, frames, error=b""):
        self.head(200, "text/event-stream", [("transfer-encoding", "chunked")])
        pause = int(argument.split("-")[1]) / 1000 if word == "long" else 0
        middle = len(frames) // 2
        for index, data in enumerate(frames):
            if word == "cut" and index == middle:
                self.close_connection = True
                return
            if word == "stopless" and index >= middle:
                break
            if word == "stall" and index == 2:
                self.upstream.closing.wait(120)
            if word == "garbage" and index == middle:
                data = b"data: {not json\n\n"
            if word == "broken" and index == middle:
                self.chunk(error)
                break
            self.chunk(data)
            time.sleep(pause)
        self.wfile.write(b"0\r\n\r\n")

    def chunk(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()


def error_frame(error, anthropic):
    if anthropic:
        return f"event: error\ndata: {json.dumps(error)}\n\n".encode()
    return replies.frame(error)
