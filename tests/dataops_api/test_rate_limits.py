"""How often one may ask (C-9): buckets by a clock of the test's own, and the limits on the running API."""

from typing import Any

import httpx
import pytest

from dataops_api.rate_limits import ApiLimits, RateLimitedError, TokenBuckets
from dataops_core.scopes import Scope

LISTING = "/v1/dataops/templates"


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_gives_its_burst_and_then_as_many_as_it_gains() -> None:
    """C-9."""
    clock = Clock()
    buckets = TokenBuckets(rate=100, burst=200, clock=clock)
    assert [buckets.take("a") >= 0 for _ in range(201)] == [True] * 200 + [False]
    assert buckets.take("b") == 199
    clock.now += 0.5
    assert sum(buckets.take("a") >= 0 for _ in range(60)) == 50
    assert buckets.wait("a") == 1
    clock.now += 1000
    assert buckets.wait("a") == 0
    assert buckets.take("a") == 199


def test_what_is_refused_costs_nothing_so_that_one_who_keeps_asking_is_served_at_the_rate() -> None:
    """C-9."""
    clock = Clock()
    buckets = TokenBuckets(rate=10, burst=10, clock=clock)
    served = 0
    for _ in range(1000):
        clock.now += 0.01
        served += buckets.take("a") >= 0
    assert served == pytest.approx(10 + 100, abs=2)


def test_keys_without_end_take_bounded_memory_and_spare_the_one_in_use() -> None:
    """C-9."""
    buckets = TokenBuckets(rate=1, burst=10, clock=Clock(), most=100)
    for number in range(10_000):
        buckets.take(number)
        buckets.take("busy")
    assert len(buckets) == 100
    assert buckets.take("busy") < 0


def test_addresses_of_one_ipv6_subscriber_count_together() -> None:
    """C-9."""
    limits = ApiLimits(per_second=1, burst=1, failures_per_minute=2, clock=Clock())
    limits.failed("2001:db8:1:2::1")
    limits.failed("2001:db8:1:2:ffff::9")
    with pytest.raises(RateLimitedError):
        limits.failed("2001:db8:1:2::77")
    limits.failed("2001:db8:1:3::1")
    limits.failed("::ffff:192.0.2.1")
    limits.failed("192.0.2.1")


slowly = pytest.mark.parametrize(
    "settings_change", [{"api_requests_per_second": 1, "api_requests_burst": 4, "api_failures_per_minute": 5}]
)


@slowly
def test_every_answer_to_a_valid_token_tells_where_the_client_stands_and_then_it_is_refused(own_api: Any) -> None:
    """C-9, C-2: also answers that are errors; another client is not touched."""
    with own_api.asking(Scope.TEMPLATES_READ) as client, own_api.asking(Scope.TEMPLATES_READ) as other:
        answers = [client.get(LISTING), client.get("/v1/dataops/datasets"), client.get(LISTING, params={"x": "y"})]
        assert [answer.status_code for answer in answers] == [200, 403, 400]
        assert [answer.headers["ratelimit-policy"] for answer in answers] == ['"api-client";q=4;w=4'] * 3
        assert answers[0].headers["ratelimit"] == '"api-client";r=3;t=1'
        for _ in range(10):
            refused = client.get(LISTING)
            if refused.status_code == 429:
                break
        assert refused.status_code == 429
        error = refused.json()["error"]
        assert (error["code"], error["details"]) == ("RATE_LIMITED", {"retry_after_seconds": 1})
        assert refused.headers["retry-after"] == "1"
        assert refused.headers["ratelimit"].startswith('"api-client";r=0;t=')
        # The rate is looked at before the scope and the request (C-2).
        assert client.get("/v1/dataops/datasets", params={"x": "y"}).status_code == 429
        assert other.get(LISTING).status_code == 200


@slowly
def test_who_guesses_is_stopped_and_shuts_nobody_out_who_is_at_work(own_api: Any) -> None:
    """C-9."""
    with own_api.asking(Scope.TEMPLATES_READ) as working:
        assert working.get(LISTING).status_code == 200
        guesses = [guess(own_api, f"guess-{number}") for number in range(6)]
        assert [answer.status_code for answer in guesses] == [401] * 5 + [429]
        assert int(guesses[-1].headers["retry-after"]) > 0
        assert own_api.anonymous.get(LISTING).status_code == 429
        assert working.get(LISTING).status_code == 200
        assert "ratelimit" not in guesses[0].headers


def guess(api: Any, token: str) -> httpx.Response:
    answer: httpx.Response = api.anonymous.get(LISTING, headers={"Authorization": f"Bearer {token}"})
    return answer


def test_the_token_endpoint_tells_both_of_its_limits(own_api: Any) -> None:
    """C-9, C-13."""
    made = own_api.new_client(Scope.TEMPLATES_READ)
    body = {"client_id": str(made.api_client_id), "grant_type": "client_credentials"}
    good = own_api.anonymous.post("/token", json=body | {"client_secret": made.client_secret})
    bad = own_api.anonymous.post("/token", json=body | {"client_secret": "guessed"})
    assert (good.status_code, bad.status_code) == (200, 401)
    assert good.headers["ratelimit-policy"] == '"tokens";q=1000;w=60, "token-failures";q=10;w=60'
    assert good.headers["ratelimit"] == '"tokens";r=999;t=60, "token-failures";r=10;t=0'
    assert bad.headers["ratelimit"] == '"tokens";r=999;t=60, "token-failures";r=9;t=60'
