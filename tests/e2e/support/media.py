"""A mock provider of the calls beside chat, in OpenAI's form, that keeps what it is asked byte for byte.

The model name says how it behaves: `error-STATUS` fails, `cut` breaks off in the middle of the body, `flaky-N` fails N
times; every other name answers. Audio comes in pieces, some milliseconds apart.
"""

import base64
import json
import struct
import threading
import time
from dataclasses import dataclass
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

AUDIO = bytes(range(256)) * 300
PICTURE = base64.b64encode(b"\x89PNG picture").decode()
VECTOR = [0.25, -1.5, 3.0]


@dataclass
class Asked:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    raw: bytes

    @property
    def json(self):
        return json.loads(self.raw)

    @property
    def form(self):
        """The fields of a form: name to bytes, and of files to (file name, type, bytes)."""
        head = b"content-type: " + self.headers["content-type"].encode() + b"\r\n\r\n"
        fields = {}
        for part in BytesParser().parsebytes(head + self.raw).get_payload():
            name = part.get_param("name", header="content-disposition")
            file_name = part.get_filename()
            data = part.get_payload(decode=True)
            fields[name] = (file_name, part.get_content_type(), data) if file_name else data
        return fields


class Media:
    """The provider; `base` is its address with `/v1`."""

    def __init__(self):
        self.lock = threading.Lock()
        self.asked = []
        self.failures = {}
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"media": self}))
        self.server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self.server.server_port}/v1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def last(self):
        with self.lock:
            return self.asked[-1]

    def clear(self):
        with self.lock:
            self.asked.clear()
            self.failures.clear()

    def close(self):
        self.server.shutdown()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    media: Media

    def log_message(self, *_):
        pass

    def do_POST(self):
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        asked = Asked(self.path, {name.lower(): value for name, value in self.headers.items()}, raw)
        with self.media.lock:
            self.media.asked.append(asked)
        is_form = asked.headers["content-type"].startswith("multipart/")
        model = asked.form["model"].decode() if is_form else asked.json.get("model", "any")
        word, _, argument = model.partition("-")
        if word == "error" or (word == "flaky" and self.fails_still(model, int(argument))):
            status = int(argument) if word == "error" else 500
            return self.whole(status, {"error": {"message": f"status {status}", "type": "mock", "code": None}})
        return self.answer(asked, word, is_form)

    def fails_still(self, model, times):
        with self.media.lock:
            seen = self.media.failures.get(model, 0)
            self.media.failures[model] = seen + 1
        return seen < times

    def answer(self, asked, word, is_form):
        path = asked.path.split("?")[0].removeprefix("/v1")
        if path == "/embeddings":
            return self.embeddings(asked.json)
        if path == "/moderations":
            return self.whole(200, {"id": "modr-1", "model": "m", "results": [{"flagged": True, "categories": {"hate": True}, "category_scores": {"hate": 0.9}}]})
        if path == "/rerank":
            return self.whole(200, {"id": "rr-1", "results": [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.1}], "meta": {"billed_units": {"search_units": 1}}})
        if path.startswith("/images/"):
            return self.whole(200, {"created": 1, "data": [{"b64_json": PICTURE}]})
        if path == "/audio/speech":
            return self.speak(word)
        form = asked.form
        if form.get("response_format") == b"text":
            return self.send(200, b"hello there\n", "text/plain")
        return self.whole(200, {"text": "hello there", "usage": {"type": "duration", "seconds": 30}})

    def embeddings(self, body):
        inputs = body["input"] if isinstance(body["input"], list) else [body["input"]]
        vector = VECTOR
        if body.get("encoding_format") == "base64":
            vector = base64.b64encode(struct.pack("<3f", *VECTOR)).decode()
        data = [{"object": "embedding", "index": index, "embedding": vector} for index, _ in enumerate(inputs)]
        self.whole(200, {"object": "list", "data": data, "model": body["model"], "usage": {"prompt_tokens": 10, "total_tokens": 10}})

    def speak(self, word):
        self.head(200, "audio/mpeg", [("transfer-encoding", "chunked")])
        size = len(AUDIO) // 8
        for index in range(8):
            if word == "cut" and index == 4:
                self.close_connection = True
                return
            piece = AUDIO[index * size : (index + 1) * size]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.flush()
            time.sleep(0.03)
        self.wfile.write(b"0\r\n\r\n")

    def whole(self, status, value):
        self.send(status, json.dumps(value).encode(), "application/json")

    def send(self, status, data, kind):
        self.head(status, kind, [("content-length", str(len(data)))])
        self.wfile.write(data)

    def head(self, status, kind, more):
        self.send_response(status)
        self.send_header("content-type", kind)
        for name, value in more:
            self.send_header(name, value)
        self.end_headers()
