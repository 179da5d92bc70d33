"""NVIDIA Riva writes down what it hears: the gateway's gRPC against Google's own server of it, without TLS."""

import struct
from concurrent import futures

import grpc
import openai
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from conftest import openai_client

METHOD = "/nvidia.riva.asr.RivaSpeechRecognition/Recognize"
SAMPLES = struct.pack("<8h", *range(-400, 400, 100))
NUMBER, FLOAT, FLAG, TEXT, BYTES = 5, 2, 8, 9, 12
# What the test needs of riva_asr.proto: name, number, kind; a message's name for messages within.
MESSAGES = {
    "Config": [("encoding", 1, NUMBER), ("sample_rate_hertz", 2, NUMBER), ("language_code", 3, TEXT), ("audio_channel_count", 7, NUMBER), ("enable_word_time_offsets", 8, FLAG), ("enable_automatic_punctuation", 11, FLAG), ("model", 13, TEXT)],
    "Request": [("config", 1, "Config"), ("audio", 2, BYTES)],
    "Word": [("start_time", 1, NUMBER), ("end_time", 2, NUMBER), ("word", 3, TEXT)],
    "Alternative": [("transcript", 1, TEXT), ("words", 3, ["Word"])],
    "Result": [("alternatives", 1, ["Alternative"]), ("audio_processed", 3, FLOAT)],
    "Response": [("results", 1, ["Result"])],
}


def messages():
    file = descriptor_pb2.FileDescriptorProto(name="riva.proto", package="riva", syntax="proto3")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, kind in fields:
            listed = isinstance(kind, list)
            own = kind[0] if listed else kind
            within = {"type": 11, "type_name": f".riva.{own}"} if isinstance(own, str) else {"type": own}
            message.field.add(name=field, number=number, label=3 if listed else 1, **within)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"riva.{name}")) for name in MESSAGES}


KINDS = messages()


class Riva(grpc.GenericRpcHandler):
    """Writes down the same words whatever it hears, and remembers what it was asked."""

    def __init__(self):
        self.asked, self.refusal = [], None
        self.server = grpc.server(futures.ThreadPoolExecutor(4), handlers=[self])
        self.place = f"127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"
        self.server.start()

    def service(self, call):
        if call.method != METHOD:
            return None
        return grpc.unary_unary_rpc_method_handler(self.hear, KINDS["Request"].FromString, KINDS["Response"].SerializeToString)

    def hear(self, request, context):
        self.asked.append((request, dict(context.invocation_metadata())))
        if self.refusal:
            context.abort(*self.refusal)
        words = [KINDS["Word"](start_time=0, end_time=250, word="Good"), KINDS["Word"](start_time=250, end_time=500, word="day.")]
        said = KINDS["Alternative"](transcript="Good day. ", words=words)
        return KINDS["Response"](results=[KINDS["Result"](alternatives=[said], audio_processed=0.5)])


@pytest.fixture(scope="module")
def riva():
    server = Riva()
    yield server
    server.server.stop(None)


def wav(samples=SAMPLES, channels=1):
    head = struct.pack("<HHIIHH", 1, channels, 8000, 16000 * channels, 2 * channels, 16)
    return b"RIFF" + struct.pack("<I", 36 + len(samples)) + b"WAVEfmt " + struct.pack("<I", 16) + head + b"data" + struct.pack("<I", len(samples)) + samples


@pytest.fixture
def asked(riva, spawn):
    riva.asked, riva.refusal = [], None
    params = {"model": "nvidia_riva/nvidia/parakeet-ctc-1_1b-asr", "api_base": riva.place}
    hosted = {**params, "api_key": "nvapi-1", "nvcf_function_id": "f-1", "use_ssl": False, "language": "de"}
    info = {"input_cost_per_second": 0.5}
    models = [{"model_name": "own", "litellm_params": params}, {"model_name": "hosted", "litellm_params": hosted, "model_info": info}]
    return openai_client(spawn(models=models))


def hear(asked, model="own", file=None, **params):
    return asked.audio.transcriptions.create(model=model, file=("a.wav", file or wav()), **params)


def test_a_recording_is_written_down(riva, asked):
    assert hear(asked).text == "Good day."
    request, metadata = riva.asked[-1]
    assert request.audio == SAMPLES
    config = request.config
    assert (config.encoding, config.sample_rate_hertz, config.language_code, config.audio_channel_count) == (1, 8000, "en-US", 1)
    assert config.enable_automatic_punctuation and not config.enable_word_time_offsets and not config.model
    assert "authorization" not in metadata and "function-id" not in metadata


def test_a_function_of_the_cloud_is_named_and_signed_in_to(riva, asked):
    raw = asked.audio.transcriptions.with_raw_response.create(model="hosted", file=("a.wav", wav()))
    assert raw.parse().text == "Good day."
    assert float(raw.headers["x-litellm-response-cost"]) == pytest.approx(0.25)
    request, metadata = riva.asked[-1]
    assert (metadata["authorization"], metadata["function-id"]) == ("Bearer nvapi-1", "f-1")
    assert request.config.language_code == "de-DE"


def test_words_have_their_times(riva, asked):
    heard = hear(asked, response_format="verbose_json", timestamp_granularities=["word", "segment"])
    assert riva.asked[-1][0].config.enable_word_time_offsets
    assert [(word.word, word.start, word.end) for word in heard.words] == [("Good", 0, 0.25), ("day.", 0.25, 0.5)]
    assert (heard.segments[0].start, heard.segments[0].end, heard.duration) == (0, 0.5, 0.5)
    assert "00:00:00,000 --> 00:00:00,500\nGood day.\n" in hear(asked, response_format="srt")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, 400),
        (grpc.StatusCode.UNAUTHENTICATED, 401),
        (grpc.StatusCode.NOT_FOUND, 404),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, 429),
        (grpc.StatusCode.UNAVAILABLE, 503),
        (grpc.StatusCode.INTERNAL, 500),
    ],
)
def test_a_refusal_says_its_status(riva, asked, code, status):
    riva.refusal = (code, "no such model: µ 100%")
    with pytest.raises(openai.APIStatusError) as refused:
        hear(asked.with_options(max_retries=0))
    assert f"({code.name}): no such model: µ 100%" in refused.value.message
    assert refused.value.status_code == status


def test_what_riva_does_not_take_is_refused_here(riva, asked):
    for file, params, word in [(b"ID3" + bytes(100), {}, "`file`"), (wav(), {"prompt": "p"}, "`prompt`"), (wav(), {"extra_body": {"nvcf_function_id": "f-2"}}, "nvcf_function_id")]:
        with pytest.raises(openai.BadRequestError if word != "nvcf_function_id" else openai.APIStatusError) as refused:
            hear(asked, file=file, **params)
        assert word in refused.value.message
    assert not riva.asked


def test_a_large_recording_arrives_whole(riva, asked):
    samples = bytes(range(256)) * 8192
    assert hear(asked, file=wav(samples)).text == "Good day."
    assert riva.asked[-1][0].audio == samples
