"""What the API answers from files, where these are in an S3 bucket: records, their streams, usage, ground truth."""

import hashlib
from typing import Any

import pytest

from tests.dataops_api.ground_truth.test_ground_truth import make
from tests.s3_server import Bucket, bucket, s3_server

__all__ = ["bucket", "s3_server"]

PAGES = 40


@pytest.fixture
def settings_change(bucket: Bucket) -> dict[str, Any]:
    return {"storage_url": bucket.url}


def test_the_api_serves_what_lies_in_a_bucket_and_says_when_it_cannot(own_api: Any, bucket: Bucket) -> None:
    api, made = own_api, make(own_api, PAGES)
    path = f"/v1/dataops/datasets/{made.dataset_id}"
    page = api.admin.get(f"{path}/records", params={"per_page": 5, "page": 3}).json()
    assert (len(page["records"]), page["pagination"]["total_count"]) == (5, PAGES)
    whole = api.admin.get(f"{path}/records", params={"format": "parquet"})
    (records,) = [key for key in bucket.keys() if key.endswith(".parquet")]  # noqa: SIM118  a bucket is no dict
    assert hashlib.sha256(whole.content).hexdigest() == bucket.storage.sha256(records)
    assert api.admin.get(made.path, params={"per_page": 10}).json()["pagination"]["total_count"] > PAGES
    truth = records.replace("records.parquet", "ground_truth.jsonl")
    assert bucket.storage.size(truth) > 1000
    stored = api.admin.get(f"{path}/usage").json()["storage_bytes"]
    assert stored == bucket.storage.bytes_under(f"datasets/{made.dataset_id}") > len(whole.content)

    bucket.refuse_everybody()
    refused = api.admin.get(f"{path}/records")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert refused.json()["error"]["message"] == "A part of the service does not answer at the moment"
