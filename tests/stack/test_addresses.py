"""Whose address a request has, on the running stack."""

from uuid import uuid4

import httpx
import pytest

pytestmark = pytest.mark.stack


def test_nobody_gives_himself_another_address(stack):
    """C-13: who guesses a secret is not another with each X-Forwarded-For that he makes up."""
    known = {"grant_type": "client_credentials", "client_id": str(uuid4()), "client_secret": "no"}
    url = f"{stack.settings.public_base}/token"
    answers = [
        httpx.post(url, data=known, headers={"X-Forwarded-For": f"203.0.113.{number}"}, timeout=30).status_code
        for number in range(12)
    ]
    assert answers == [401] * 10 + [429] * 2
