"""Moto's server, which speaks S3 over HTTP, and buckets in it: for tests of what is kept there."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import httpx
import pytest
from moto.server import ThreadedMotoServer

from dataops_core.storage import Storage

#: What AWS' own client reads.
_VARIABLES = {
    "AWS_ACCESS_KEY_ID": "tests",
    "AWS_SECRET_ACCESS_KEY": "a secret of the tests",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


@dataclass(frozen=True)
class Bucket:
    """A bucket of its own in the server."""

    server: str
    name: str

    @property
    def url(self) -> str:
        """With a prefix, as somebody gives it who shares the bucket."""
        return f"s3://{self.name}/data-ops/test"

    @property
    def storage(self) -> Storage:
        return Storage(self.url)

    def keys(self) -> list[str]:
        """The objects below the prefix."""
        root = f"{self.name}/data-ops/test/"
        return sorted(path.removeprefix(root) for path in self.storage.filesystem.find(root))

    def refuse_everybody(self) -> None:
        """From now on to the end of the test the server looks at credentials, and knows nobody's."""
        httpx.post(f"{self.server}/moto-api/reset-auth", content=b"0").raise_for_status()


@pytest.fixture(scope="module")
def s3_server() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    yield f"http://127.0.0.1:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    for name, value in (_VARIABLES | {"AWS_ENDPOINT_URL": s3_server}).items():
        monkeypatch.setenv(name, value)
    made = Bucket(s3_server, f"bucket-{uuid4().hex[:12]}")
    httpx.put(f"{s3_server}/{made.name}").raise_for_status()
    yield made
    httpx.post(f"{s3_server}/moto-api/reset-auth", content=b"1000000").raise_for_status()
