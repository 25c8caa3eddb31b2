"""Which representation an ``Accept`` header prefers (C-56, RFC 9110 §12.5.1)."""

import pytest

from dataops_api.negotiation import preferred

JSON, NDJSON, PARQUET = OFFERED = ("application/json", "application/x-ndjson", "application/vnd.apache.parquet")


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("application/json", JSON),
        ("application/x-ndjson", NDJSON),
        ("Application/X-NDJSON", NDJSON),
        ("application/vnd.apache.parquet", PARQUET),
        ("application/x-ndjson, application/vnd.apache.parquet", NDJSON),
        ("application/x-ndjson;q=0.5, application/vnd.apache.parquet", PARQUET),
        ("application/x-ndjson ; q=0.5 , application/vnd.apache.parquet;q=0.501", PARQUET),
        ("application/json;q=0.2, application/x-ndjson;q=0.9", NDJSON),
        ("application/x-ndjson;charset=utf-8", NDJSON),
        # Named exactly goes before named by a range, of equal quality.
        ("*/*, application/vnd.apache.parquet", PARQUET),
        ("*/*;q=0.9, application/vnd.apache.parquet;q=0.8", JSON),
        ("application/*;q=0.9, application/json;q=0", NDJSON),
        ("application/json;q=0, */*", NDJSON),
        # What a browser sends.
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", JSON),
        # None of ours, and what is no header: JSON is served.
        ("text/csv", JSON),
        ("application/json;q=0", JSON),
        ("application/x-ndjson;q=2", JSON),
        ("application/x-ndjson;q=x, nonsense, /, a/b/c,,", JSON),
        ("text/*", JSON),
    ],
)
def test_the_highest_quality_wins_and_of_equals_what_is_named_most_exactly(accept: str, expected: str) -> None:
    """C-56."""
    assert preferred(accept, OFFERED) == expected
