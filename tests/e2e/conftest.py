"""Fixtures: one mock provider and one gateway for the session, more gateways on request."""

import itertools
import os

import anthropic
import cohere
import openai
import pytest
from support.gateway import MASTER_KEY, Gateway, config
from support.postgres import Postgres, programs
from support.upstream import Upstream

# The same question is asked through every pair of dialects.
OPENAI_SIDE, ANTHROPIC_SIDE, COHERE_SIDE = "oai", "ant", "coh"
SIDES = [OPENAI_SIDE, ANTHROPIC_SIDE]


@pytest.fixture(scope="session", autouse=True)
def database():
    """Where gateways keep their data: in their homes, or on PostgreSQL (`GATEWAY_E2E_DATABASE=postgres`)."""
    if os.environ.get("GATEWAY_E2E_DATABASE") != "postgres":
        yield
        return
    Gateway.server = Postgres()
    yield
    Gateway.server.stop()


@pytest.fixture(scope="module")
def server():
    """A PostgreSQL of the module's own, for gateways that share one."""
    if not programs():
        pytest.skip("PostgreSQL is not installed")
    server = Postgres()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def provider():
    upstream = Upstream()
    yield upstream
    upstream.close()


@pytest.fixture
def upstream(provider):
    provider.clear()
    return provider


@pytest.fixture(scope="session")
def shared(provider, tmp_path_factory):
    gateway = Gateway(tmp_path_factory.mktemp("shared"), config(provider)).start()
    yield gateway
    gateway.stop()


@pytest.fixture
def gateway(shared, upstream):
    """The gateway most tests share; their keys keep them apart."""
    assert shared.process.poll() is None, f"the shared gateway has ended:\n{shared.log()[-5000:]}"
    return shared


@pytest.fixture
def spawn(upstream, tmp_path):
    """Starts gateways of a test's own: `spawn(models=[…], litellm_settings={…})`."""
    started, numbers = [], itertools.count()

    def start(environment=None, port=None, **sections):
        home = tmp_path / f"home{next(numbers)}"
        gateway = Gateway(home, config(upstream, **sections), environment, port)
        started.append(gateway)
        return gateway.start()

    yield start
    for gateway in started:
        if gateway.process and gateway.process.poll() is None:
            gateway.kill()


def openai_client(gateway, key=MASTER_KEY, **options):
    return openai.OpenAI(base_url=gateway.url + "/v1", api_key=key, max_retries=0, timeout=30, **options)


def anthropic_client(gateway, key=MASTER_KEY, **options):
    return anthropic.Anthropic(base_url=gateway.url, api_key=key, max_retries=0, timeout=30, **options)


@pytest.fixture
def gpt(gateway):
    return openai_client(gateway)


@pytest.fixture
def claude(gateway):
    return anthropic_client(gateway)


def cohere_client(gateway, key=MASTER_KEY, **options):
    return cohere.ClientV2(base_url=gateway.url, api_key=key, timeout=30, **options)


@pytest.fixture
def command(gateway):
    return cohere_client(gateway)
