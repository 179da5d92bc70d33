"""Amazon Transcribe writes down what it hears: HTTP/2 from its other end, where each event's signature is proved to
cover the one before, the first that of the request's head."""

import hashlib
import hmac
import json
import socket
import struct
import threading
import zlib
from types import SimpleNamespace

import h2.config
import h2.connection
import h2.events
import openai
import pytest

from conftest import openai_client

SECRET = "wJalrXUtnFEMI-a-long-secret-key"
SAMPLES = struct.pack("<16000h", *(number % 500 - 250 for number in range(16000)))
PLACE = ("eu-west-1", "transcribe")


def wav(samples=SAMPLES):
    head = struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16)
    return b"RIFF" + struct.pack("<I", 36 + len(samples)) + b"WAVEfmt " + struct.pack("<I", 16) + head + b"data" + struct.pack("<I", len(samples)) + samples


def sha(data):
    return hashlib.sha256(data).hexdigest()


def signature(day, text):
    key = b"AWS4" + SECRET.encode()
    for step in (day, *PLACE, "aws4_request"):
        key = hmac.new(key, step.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def frame(headers, payload):
    """A message of an event stream: headers of text alone."""
    lines = b"".join(bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode() for name, value in headers.items())
    begin = struct.pack(">II", 16 + len(lines) + len(payload), len(lines))
    rest = begin + struct.pack(">I", zlib.crc32(begin)) + lines + payload
    return rest + struct.pack(">I", zlib.crc32(rest))


def frames(body):
    while body:
        whole, size = struct.unpack(">II", body[:8])
        message, body = body[:whole], body[whole:]
        assert zlib.crc32(message[:-4]) == struct.unpack(">I", message[-4:])[0]
        rest, headers = message[12:12 + size], {}
        while rest:
            name, kind, rest = rest[1:1 + rest[0]].decode(), rest[1 + rest[0]], rest[2 + rest[0]:]
            length = {8: 8}.get(kind) or struct.unpack(">H", rest[:2])[0]
            skipped = 0 if kind == 8 else 2
            headers[name], rest = rest[skipped:skipped + length], rest[skipped + length:]
        yield headers, message[12:12 + size], message[12 + size:-4]


def event(text, start, end, partial=False):
    items = [{"Content": text.rstrip("."), "Type": "pronunciation", "StartTime": start, "EndTime": end}]
    result = {"IsPartial": partial, "StartTime": start, "EndTime": end, "LanguageCode": "en-US", "Alternatives": [{"Transcript": text, "Items": items}]}
    return frame({":event-type": "TranscriptEvent", ":message-type": "event"}, json.dumps({"Transcript": {"Results": [result]}}).encode())


ANSWER = event("Good", 0.0, 0.2, partial=True) + event("Good day.", 0.0, 0.9) + event("Bye.", 1.1, 1.5)


class Transcribe:
    """Hears, proves signatures, and remembers what it was sent."""

    def __init__(self):
        self.asked, self.answer = [], (200, ANSWER)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.base = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=[client], daemon=True).start()

    def serve(self, client):
        connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        connection.initiate_connection()
        client.sendall(connection.data_to_send())
        calls = {}
        while data := client.recv(65536):
            for happened in connection.receive_data(data):
                if isinstance(happened, h2.events.RequestReceived):
                    calls[happened.stream_id] = (dict(happened.headers), bytearray())
                elif isinstance(happened, h2.events.DataReceived):
                    calls[happened.stream_id][1].extend(happened.data)
                    connection.acknowledge_received_data(happened.flow_controlled_length, happened.stream_id)
                elif isinstance(happened, h2.events.StreamEnded):
                    headers, body = calls[happened.stream_id]
                    self.asked.append(SimpleNamespace(headers=headers, body=bytes(body), streams=len(calls)))
                    status, answer = self.answer
                    connection.send_headers(happened.stream_id, [(":status", str(status)), ("content-type", "application/vnd.amazon.eventstream")])
                    connection.send_data(happened.stream_id, answer, end_stream=True)
            client.sendall(connection.data_to_send())


@pytest.fixture(scope="module")
def service():
    server = Transcribe()
    yield server
    server.socket.close()


@pytest.fixture
def asked(service, spawn):
    service.asked, service.answer = [], (200, ANSWER)
    params = {"model": "transcribe/StartStreamTranscription", "api_base": service.base, "aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": SECRET, "aws_region_name": PLACE[0]}
    return openai_client(spawn(models=[{"model_name": "own", "litellm_params": params, "model_info": {"input_cost_per_second": 0.5}}]))


def hear(asked, file=None, **params):
    return asked.audio.transcriptions.create(model="own", file=("a.wav", file or wav()), **params)


def heard_by(call):
    """The audio of a call all of whose signatures hold."""
    fields = dict(part.strip().split("=", 1) for part in call.headers["authorization"].removeprefix("AWS4-HMAC-SHA256 ").split(","))
    names = fields["SignedHeaders"].split(";")
    said = {**call.headers, "host": call.headers[":authority"]}
    lines = "".join(f"{name}:{said[name]}\n" for name in names)
    canonical = "\n".join(["POST", "/stream-transcription", "", lines, ";".join(names), "STREAMING-AWS4-HMAC-SHA256-EVENTS"])
    moment = said["x-amz-date"]
    scope = "/".join((moment[:8], *PLACE, "aws4_request"))
    before = signature(moment[:8], "\n".join(["AWS4-HMAC-SHA256", moment, scope, sha(canonical.encode())]))
    assert fields["Signature"] == before and {"host", "x-amz-target", "x-amz-content-sha256"} <= set(names)
    audio, ended = b"", False
    for headers, lines, payload in frames(call.body):
        assert not ended, "nothing follows the empty event"
        date = lines[:15]
        assert date[:7] == b"\x05:date\x08"
        text = "\n".join(["AWS4-HMAC-SHA256-PAYLOAD", moment, scope, before, sha(date), sha(payload)])
        seconds = struct.unpack(">q", headers[":date"])[0] // 1000
        if seconds != stamp(moment):
            text = text.replace(moment, written(seconds))
        before = headers[":chunk-signature"].hex()
        assert before == signature(moment[:8], text)
        ended = not payload
        for inner, _, chunk in frames(payload):
            assert inner[":event-type"] == b"AudioEvent" and len(chunk) <= 32768
            audio += chunk
    assert ended
    return audio


def stamp(moment):
    import calendar
    import time
    return calendar.timegm(time.strptime(moment, "%Y%m%dT%H%M%SZ"))


def written(seconds):
    import time
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(seconds))


def test_a_recording_is_sent_in_signed_events_and_its_transcript_comes_back(asked, service):
    raw = asked.with_raw_response.audio.transcriptions.create(model="own", file=("a.wav", wav()), language="en")
    assert raw.parse().text == "Good day. Bye."
    assert raw.headers["x-litellm-response-cost"] == "1", "two seconds of audio, the silence at the end too"
    call = service.asked[-1]
    assert heard_by(call) == SAMPLES
    own = {name.removeprefix("x-amzn-transcribe-"): value for name, value in call.headers.items() if name.startswith("x-amzn-transcribe-")}
    assert own == {"language-code": "en-US", "media-encoding": "pcm", "sample-rate": "8000"}


def test_all_forms_of_a_transcript(asked):
    told = hear(asked, response_format="verbose_json", timestamp_granularities=["word", "segment"])
    assert [(word.word, word.start) for word in told.words] == [("Good day", 0.0), ("Bye", 1.1)]
    assert [segment.text for segment in told.segments] == ["Good day.", "Bye."] and told.language == "en-US"
    assert hear(asked, response_format="text") == "Good day. Bye.\n"
    assert hear(asked, response_format="srt").startswith("1\n00:00:00,000 --> 00:00:00,900\nGood day.\n\n2\n")
    assert hear(asked, response_format="vtt").startswith("WEBVTT\n\n00:00:00.000 --> 00:00:00.900\nGood day.\n")


def test_one_connection_carries_one_stream(asked, service):
    """The service refuses a second stream on a connection."""
    threads = [threading.Thread(target=hear, args=[asked]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [call.streams for call in service.asked] == [1, 1, 1, 1]


def test_what_it_does_not_take_is_refused_before_it_is_asked(asked, service):
    for file, params, word in [(b"ID3\x04" + b"mp3" * 99, {}, "`file`"), (wav(), {"prompt": "Names"}, "`prompt`")]:
        with pytest.raises(openai.BadRequestError) as raised:
            hear(asked, file, **params)
        assert word in str(raised.value)
    assert service.asked == []


def test_its_exceptions_are_errors(asked, service):
    limit = frame({":exception-type": "LimitExceededException", ":message-type": "exception"}, b'{"Message": "too many streams"}')
    service.answer = (200, event("Good day.", 0.0, 0.9) + limit)
    with pytest.raises(openai.RateLimitError, match="too many streams"):
        hear(asked.with_options(max_retries=0))
    service.answer = (403, b'{"message": "The security token included in the request is invalid"}')
    with pytest.raises(openai.APIStatusError, match="security token") as raised:
        hear(asked.with_options(max_retries=0))
    assert raised.value.status_code in (401, 403)
