"""The model list, as the SDKs read it."""

from conftest import openai_client


def test_list_and_retrieve(gateway, gpt):
    names = [model.id for model in gpt.models.list()]
    assert {"gpt", "claude"} <= set(names)
    assert len(names) == len(set(names))
    one = gpt.models.retrieve("gpt")
    assert (one.id, one.object) == ("gpt", "model")


def test_a_key_sees_its_own_models_only(gateway):
    key = gateway.new_key(models=["claude"])
    assert [model.id for model in openai_client(gateway, key).models.list()] == ["claude"]


def test_health(gateway):
    assert gateway.ask("GET", "/health/liveliness", key=None).status == 200
    assert gateway.ask("GET", "/health/readiness", key=None).status == 200


def test_metrics_count_calls(gateway):
    gateway.chat()
    answer = gateway.ask("GET", "/metrics")
    assert answer.status == 200
    assert "# TYPE" in answer.body.decode()
