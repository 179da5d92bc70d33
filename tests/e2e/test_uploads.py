"""Large uploads and downloads pass through: bytes arrive as they were, memory stays where it was."""

import base64
import hashlib
import http.client
import json
import random
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from support.gateway import MASTER_KEY, entry

MIB = 1024 * 1024
BOUNDARY = "e2e-boundary"
BLOCK = random.Random(7).randbytes(MIB)
TRANSCRIPT = {"text": "hello", "usage": {"type": "duration", "seconds": 3}}


class Vendor(ThreadingHTTPServer):
    """A provider that reads uploads piece by piece and remembers what they hash to."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answering)
        self.base = f"http://127.0.0.1:{self.server_address[1]}"
        self.seen = []
        self.failures = 0
        self.received = 0
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        left = int(self.headers["content-length"])
        asked = {"path": self.path, "headers": dict(self.headers), "length": left}
        whole, start, end = hashlib.sha256(), b"", b""
        body = b"" if left > 64 * MIB else bytearray()
        while left:
            piece = self.rfile.read1(min(left, 256 * 1024))
            if not piece:
                return
            left -= len(piece)
            self.server.received += len(piece)
            whole.update(piece)
            if isinstance(body, bytearray):
                body += piece
            start = (start + piece)[: 4 * 1024] if len(start) < 4 * 1024 else start
            end = (end + piece)[-4 * 1024 :]
        self.server.seen.append({**asked, "sha": whole.hexdigest(), "start": start, "end": end, "body": bytes(body)})
        if self.server.failures:
            self.server.failures -= 1
            return self.answer(500, {"error": {"message": "once more"}})
        if self.path.endswith("/audio/speech"):
            return self.speak()
        if self.path.endswith("/images/edits"):
            return self.answer(200, {"created": 1, "data": [{"b64_json": "aGk="}]})
        if "/listen" in self.path:
            heard = {"channels": [{"alternatives": [{"transcript": "hello", "words": []}]}]}
            return self.answer(200, {"metadata": {"duration": 3.0}, "results": heard})
        return self.answer(200, TRANSCRIPT)

    def answer(self, status, reply):
        body = json.dumps(reply).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def speak(self):
        self.send_response(200)
        self.send_header("content-type", "audio/mpeg")
        self.send_header("content-length", str(200 * MIB))
        self.end_headers()
        for _ in range(200):
            self.wfile.write(BLOCK)


@pytest.fixture
def vendor():
    vendor = Vendor()
    yield vendor
    vendor.shutdown()


@pytest.fixture
def large(spawn, vendor):
    """A gateway that takes uploads up to 300 MB; memory is measured, so no other test uses it."""
    priced = {"input_cost_per_token": 0, "output_cost_per_token": 0}
    deepgram = entry("raw", "deepgram/nova-3", vendor.base, **priced)
    inline = entry("inline", "gemini/gemini-2.5-flash", vendor.base, **priced)
    models = [entry("heard", "openai/whisper-1", vendor.base + "/v1"), deepgram, inline]
    models.append(entry("spoken", "openai/tts-1", vendor.base + "/v1"))
    return spawn(
        models=models,
        general_settings={"max_request_size_mb": 300},
        router_settings={"num_retries": 1, "fallbacks": [{"heard": ["raw"]}]},
    )


def memory(gateway, line):
    for text in open(f"/proc/{gateway.process.pid}/status"):
        if text.startswith(line):
            return int(text.split()[1]) * 1024
    raise AssertionError(line)


def begin_measuring(gateway):
    """Memory now; from here on the peak is counted anew."""
    with open(f"/proc/{gateway.process.pid}/clear_refs", "w") as file:
        file.write("5")
    return memory(gateway, "VmRSS:")


def form(model, size, before=(), after=(), name="speech.wav"):
    """Pieces of a form with a file of `size` bytes, and what the file hashes to."""
    fields = [("model", model), *before]
    head = "".join(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{text}\r\n' for field, text in fields
    )
    head += f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
    head += "Content-Type: audio/wav\r\n\r\n"
    tail = "".join(
        f'\r\n--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{text}' for field, text in after
    )
    tail += f"\r\n--{BOUNDARY}--\r\n"
    whole, rest = [head.encode()], size
    while rest:
        whole.append(BLOCK[: min(rest, MIB)])
        rest -= len(whole[-1])
    return [*whole, tail.encode()]


def post(gateway, pieces, path="/v1/audio/transcriptions", chunked=False):
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=120)
    headers = {
        "authorization": f"Bearer {MASTER_KEY}",
        "content-type": f"multipart/form-data; boundary={BOUNDARY}",
    }
    if not chunked:
        headers["content-length"] = str(sum(map(len, pieces)))
    connection.request("POST", path, iter(pieces), headers, encode_chunked=chunked)
    answer = connection.getresponse()
    return answer.status, answer.read()


def hashed(pieces):
    whole = hashlib.sha256()
    for piece in pieces:
        whole.update(piece)
    return whole.hexdigest()


def left_behind(gateway):
    folder = gateway.home / "data" / "uploads"
    return list(folder.iterdir()) if folder.exists() else []


def test_an_upload_of_200_mb_arrives_byte_for_byte_and_memory_does_not_grow(large, vendor):
    assert post(large, form("heard", 2 * MIB))[0] == 200, "connections and buffers that stay are made"
    before = begin_measuring(large)
    status, body = post(large, form("heard", 200 * MIB, [("language", "en")], [("temperature", "0.5")]))
    grown = memory(large, "VmHWM:") - before
    assert (status, json.loads(body)["text"]) == (200, "hello")
    assert grown < 20 * MIB, f"memory grew by {grown / MIB:.1f} MiB"
    # The model is the deployment's; not another byte differs.
    expected = form("whisper-1", 200 * MIB, [("language", "en")], [("temperature", "0.5")])
    assert vendor.seen[-1]["sha"] == hashed(expected)
    assert left_behind(large) == []
    print(f"an upload of 200 MiB: memory grew by {grown / MIB:.1f} MiB")


def test_retries_and_fallbacks_send_the_file_again(large, vendor):
    vendor.failures = 1
    assert post(large, form("heard", 3 * MIB))[0] == 200
    first, second = vendor.seen
    assert first["sha"] == second["sha"] == hashed(form("whisper-1", 3 * MIB))
    # Both attempts fail: the file goes on to a vendor that takes it as the body.
    vendor.failures = 2
    status, body = post(large, form("heard", 3 * MIB))
    assert (status, json.loads(body)["text"]) == (200, "hello")
    fallback = vendor.seen[-1]
    assert fallback["path"].startswith("/listen") or "/listen" in fallback["path"]
    assert fallback["body"] == BLOCK * 3


def test_what_stands_in_json_is_brought_into_memory_within_a_limit(large, vendor):
    status, body = post(large, form("inline", 33 * MIB))
    told = json.loads(body)["error"]["message"]
    assert status == 413 and "gemini" in told and "33554432" in told, told
    assert vendor.seen == []
    post(large, form("inline", 2 * MIB))
    assert base64.b64encode(BLOCK * 2) in vendor.seen[-1]["body"]


@pytest.mark.parametrize("chunked", [False, True])
def test_beyond_the_limit_is_413_whether_or_not_the_length_is_announced(spawn, vendor, chunked):
    models = [entry("heard", "openai/whisper-1", vendor.base + "/v1")]
    gateway = spawn(models=models, general_settings={"max_request_size_mb": 3})
    connection = socket.create_connection(("127.0.0.1", gateway.port), timeout=60)
    pieces = form("heard", 8 * MIB)
    framing = "transfer-encoding: chunked" if chunked else f"content-length: {sum(map(len, pieces))}"
    connection.sendall(
        f"POST /v1/audio/transcriptions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {MASTER_KEY}\r\n"
        f"content-type: multipart/form-data; boundary={BOUNDARY}\r\n{framing}\r\n\r\n".encode()
    )
    try:
        for piece in pieces:
            connection.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n" if chunked else piece)
    except OSError:
        pass  # It need not read what it refuses.
    answer = connection.recv(65_536)
    assert b" 413 " in answer.split(b"\r\n")[0], answer
    assert b"max_request_size_mb" in answer + connection.recv(65_536)
    assert vendor.seen == [] and left_behind(gateway) == []


def test_a_caller_who_leaves_in_the_middle_leaves_nothing_behind(large, vendor):
    for _ in range(5):
        connection = socket.create_connection(("127.0.0.1", large.port), timeout=60)
        connection.sendall(
            f"POST /v1/audio/transcriptions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {MASTER_KEY}\r\n"
            f"content-type: multipart/form-data; boundary={BOUNDARY}\r\ncontent-length: {50 * MIB}\r\n\r\n".encode()
        )
        for piece in form("heard", 5 * MIB)[:-1]:
            connection.sendall(piece)
        connection.close()
    deleted = lambda: [link for link in large_files(large) if "uploads" in link]
    until = time.monotonic() + 30
    while deleted() and time.monotonic() < until:
        time.sleep(0.05)
    assert deleted() == [] and left_behind(large) == [] and vendor.seen == []
    assert post(large, form("heard", 2 * MIB))[0] == 200


def large_files(gateway):
    """Where the gateway's open files point, files without a name included."""
    import os

    links = []
    for number in os.listdir(f"/proc/{gateway.process.pid}/fd"):
        try:
            links.append(os.readlink(f"/proc/{gateway.process.pid}/fd/{number}"))
        except OSError:
            pass
    return links


def test_a_broken_large_form_is_refused_with_its_reason(large, vendor):
    pieces = form("heard", 2 * MIB)
    status, body = post(large, [*pieces[:-1], b"no boundary"])
    assert status == 400 and "ends before its last boundary" in json.loads(body)["error"]["message"]
    status, body = post(large, [b"x" * 2 * MIB])
    assert status == 400 and "boundary is nowhere" in json.loads(body)["error"]["message"]
    assert vendor.seen == []


def test_speech_of_200_mb_flows_down_and_memory_does_not_grow(large, vendor):
    before = begin_measuring(large)
    connection = http.client.HTTPConnection("127.0.0.1", large.port, timeout=120)
    asked = {"model": "spoken", "input": "hello", "voice": "alloy"}
    headers = {"authorization": f"Bearer {MASTER_KEY}", "content-type": "application/json"}
    connection.request("POST", "/v1/audio/speech", json.dumps(asked), headers)
    answer = connection.getresponse()
    whole, length = hashlib.sha256(), 0
    while piece := answer.read(MIB):
        whole.update(piece)
        length += len(piece)
    grown = memory(large, "VmHWM:") - before
    assert length == 200 * MIB and whole.hexdigest() == hashed([BLOCK] * 200)
    assert grown < 20 * MIB, f"memory grew by {grown / MIB:.1f} MiB"
    print(f"speech of 200 MiB: memory grew by {grown / MIB:.1f} MiB")


@pytest.fixture
def sending_on(spawn, vendor):
    """A gateway that sends large audio and pictures on while they arrive."""
    models = [entry("heard", "openai/whisper-1", vendor.base + "/v1"), entry("raw", "deepgram/nova-3", vendor.base)]
    models.append(entry("drawn", "openai/gpt-image-1", vendor.base + "/v1"))
    return spawn(
        models=models,
        general_settings={"max_request_size_mb": 300, "stream_uploads": True},
        router_settings={"num_retries": 1},
    )


def wait_for(condition):
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until, "waited for a minute"
        time.sleep(0.01)


def begin(gateway, pieces, path="/v1/audio/transcriptions"):
    """A request whose head is sent."""
    connection = socket.create_connection(("127.0.0.1", gateway.port), timeout=60)
    connection.sendall(
        f"POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {MASTER_KEY}\r\n"
        f"content-type: multipart/form-data; boundary={BOUNDARY}\r\ncontent-length: {sum(map(len, pieces))}\r\n\r\n".encode()
    )
    return connection


def test_the_provider_sees_the_first_bytes_before_the_caller_has_sent_the_last(sending_on, vendor):
    pieces = form("heard", 8 * MIB, [("language", "en")])
    connection = begin(sending_on, pieces)
    for piece in pieces[:5]:
        connection.sendall(piece)
    wait_for(lambda: vendor.received > 2 * MIB)
    assert vendor.seen == [], "it has not seen the last ones"
    for piece in pieces[5:]:
        connection.sendall(piece)
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    assert (answer.status, json.loads(answer.read())["text"]) == (200, "hello")
    assert vendor.seen[-1]["sha"] == hashed(form("whisper-1", 8 * MIB, [("language", "en")]))


def picture(model, size, more=()):
    """Pieces of a form that asks for a picture to be changed, with more files behind it."""
    pieces = form(model, size, [("prompt", "hat")], name="in.png")
    pieces[0] = pieces[0].replace(b'name="file"', b'name="image"').replace(b"audio/wav", b"image/png")
    for name in more:
        pieces[-1:] = [f'\r\n--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="b.png"\r\n'
                       "Content-Type: image/png\r\n\r\n".encode(), BLOCK, pieces[-1]]
    return pieces


def test_pictures_to_change_are_sent_on_while_they_arrive(sending_on, vendor):
    pieces = picture("drawn", 6 * MIB)
    connection = begin(sending_on, pieces, "/v1/images/edits")
    for piece in pieces[:4]:
        connection.sendall(piece)
    wait_for(lambda: vendor.received > MIB)
    assert vendor.seen == [], "it has not seen the last ones"
    for piece in pieces[4:]:
        connection.sendall(piece)
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    assert (answer.status, json.loads(answer.read())["data"][0]["b64_json"]) == (200, "aGk=")
    assert vendor.seen[-1]["sha"] == hashed(picture("gpt-image-1", 6 * MIB))
    # A mask behind the picture: whoever was asked without it is asked anew, with both.
    status, body = post(sending_on, picture("drawn", 3 * MIB, ["mask"]), "/v1/images/edits")
    assert status == 200, body
    assert [seen["sha"] for seen in vendor.seen[1:]] == [hashed(picture("gpt-image-1", 3 * MIB, ["mask"]))]
    assert left_behind(sending_on) == []


def test_100_mb_are_sent_on_byte_for_byte_and_memory_does_not_grow(sending_on, vendor):
    assert post(sending_on, form("heard", 2 * MIB))[0] == 200
    before = begin_measuring(sending_on)
    status, body = post(sending_on, form("heard", 100 * MIB))
    grown = memory(sending_on, "VmHWM:") - before
    assert (status, json.loads(body)["text"]) == (200, "hello")
    assert grown < 20 * MIB, f"memory grew by {grown / MIB:.1f} MiB"
    assert vendor.seen[-1]["sha"] == hashed(form("whisper-1", 100 * MIB))
    assert left_behind(sending_on) == []
    print(f"100 MiB sent on: memory grew by {grown / MIB:.1f} MiB")


def test_a_form_that_goes_on_behind_its_file_is_sent_again_whole(sending_on, vendor):
    status, body = post(sending_on, form("heard", 5 * MIB, after=[("temperature", "0.5")]))
    assert (status, json.loads(body)["text"]) == (200, "hello")
    whole = hashed(form("whisper-1", 5 * MIB, after=[("temperature", "0.5")]))
    assert [seen["sha"] for seen in vendor.seen] == [whole], "nobody got a whole request without the temperature"
    status, body = post(sending_on, form("heard", 5 * MIB, after=[("user", "ann")]))
    told = json.loads(body)["error"]["message"]
    assert status == 400 and "`user` stands behind the file" in told, told
    assert len(vendor.seen) == 1


def test_what_is_sent_on_may_be_retried_and_other_vendors_get_it_whole(sending_on, vendor):
    vendor.failures = 1
    assert post(sending_on, form("heard", 3 * MIB))[0] == 200
    first, second = vendor.seen
    assert first["sha"] == second["sha"] == hashed(form("whisper-1", 3 * MIB))
    assert post(sending_on, form("raw", 3 * MIB))[0] == 200
    assert vendor.seen[-1]["body"] == BLOCK * 3


def test_a_caller_who_leaves_while_it_is_sent_on_costs_the_provider_an_unfinished_request(sending_on, vendor):
    pieces = form("heard", 20 * MIB)
    connection = begin(sending_on, pieces)
    for piece in pieces[:6]:
        connection.sendall(piece)
    wait_for(lambda: vendor.received > 2 * MIB)
    connection.close()
    deleted = lambda: [link for link in large_files(sending_on) if "uploads" in link]
    wait_for(lambda: not deleted())
    assert vendor.seen == [] and left_behind(sending_on) == []
    assert post(sending_on, form("heard", 2 * MIB))[0] == 200
