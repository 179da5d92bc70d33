"""What is charged beside the price of a token: discounts and margins, service tiers."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from support.gateway import CALL_COST, INPUT_PRICE, OUTPUT_PRICE, entry

COST = "x-litellm-response-cost"
TERMS = {
    "cost_discount_config": {"openai": 0.5},
    "cost_margin_config": {"global": 0.1, "anthropic": {"percentage": 0.2, "fixed_amount": 0.00001}},
}


def exactly(amount):
    return pytest.approx(amount, rel=0, abs=5e-10)


def parts(answer):
    return {name.removeprefix(COST): float(value) for name, value in answer.headers.items() if name.startswith(COST)}


def test_discounts_come_off_and_margins_go_on(spawn):
    gateway = spawn(litellm_settings=TERMS)
    key = gateway.new_key()
    openai, claude = gateway.chat("gpt", key), gateway.chat("claude", key)
    assert parts(openai) == {
        "": exactly(CALL_COST * 0.5 * 1.1),
        "-original": exactly(CALL_COST),
        "-discount-amount": exactly(CALL_COST * 0.5),
        "-margin-amount": exactly(CALL_COST * 0.05),
        "-margin-percent": 0.1,
        "-input": exactly(10 * INPUT_PRICE),
        "-output": exactly(5 * OUTPUT_PRICE),
        "-tool-usage": 0,
    }
    charged = CALL_COST * 1.2 + 0.00001
    assert parts(claude)[""] == exactly(charged)
    assert (parts(claude)["-discount-amount"], parts(claude)["-margin-percent"]) == (0, 0.2)
    total = CALL_COST * 0.55 + charged
    assert gateway.spend(key, total) == exactly(total)
    (row, _) = sorted(gateway.rows(key, 2), key=lambda row: row["spend"])
    assert row["spend"] == exactly(CALL_COST * 0.55)


def test_a_margin_is_set_aside_too(spawn):
    gateway = spawn(litellm_settings={"cost_margin_config": {"global": 1.0}})
    budget = 20 * CALL_COST
    key = gateway.new_key(max_budget=budget)
    with ThreadPoolExecutor(50) as pool:
        statuses = list(pool.map(lambda _: gateway.chat("oai/slow-50", key, max_tokens=5).status, range(60)))
    served = statuses.count(200)
    assert 0 < served <= 10
    assert gateway.spend(key, served * 2 * CALL_COST) == exactly(served * 2 * CALL_COST)


def test_a_tier_is_set_aside_and_charged_where_the_reply_names_none(spawn, upstream):
    dear = {"input_cost_per_token_priority": 10 * INPUT_PRICE, "output_cost_per_token_priority": 10 * OUTPUT_PRICE}
    gateway = spawn(models=[entry("tiers", "openai/slow-50", upstream.base + "/v1", **dear)])
    usual = gateway.chat("tiers", gateway.new_key())
    assert parts(usual)[""] == exactly(CALL_COST)
    key = gateway.new_key(max_budget=45 * CALL_COST)
    ask = lambda _: gateway.chat("tiers", key, service_tier="priority", max_tokens=5)
    with ThreadPoolExecutor(30) as pool:
        answers = list(pool.map(ask, range(30)))
    served = [answer for answer in answers if answer.status == 200]
    assert all(parts(answer)[""] == exactly(10 * CALL_COST) for answer in served)
    assert 0 < len(served) <= 4
    assert gateway.spend(key, len(served) * 10 * CALL_COST) == exactly(len(served) * 10 * CALL_COST)


def test_a_tier_that_is_not_asked_for_is_not_set_aside(spawn, upstream):
    dear = {"input_cost_per_token_priority": 10 * INPUT_PRICE, "output_cost_per_token_priority": 10 * OUTPUT_PRICE}
    gateway = spawn(models=[entry("tiers", "openai/slow-50", upstream.base + "/v1", **dear)])
    key = gateway.new_key(max_budget=12 * CALL_COST)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: gateway.chat("tiers", key, max_tokens=5, temperature=0.5), range(8)))
    assert [answer.status for answer in answers] == [200] * 8


def test_terms_that_are_none_are_told_of_at_start(spawn):
    with pytest.raises(AssertionError) as failed:
        spawn(litellm_settings={"cost_discount_config": {"openai": 2}})
    assert "cost_discount_config.openai" in str(failed.value) and "from 0 to 1" in str(failed.value)
