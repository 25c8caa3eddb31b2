"""Records as streams (C-56): whole, with constant memory, under the right headers, and never silently cut."""

import hashlib
import json
import shutil
from collections.abc import Callable
from io import BytesIO
from threading import Event
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest

from dataops_core.dataset_types.base import BLOCK_ROWS
from dataops_core.dataset_types.stored import StoredRecords
from dataops_core.errors import StorageError
from dataops_core.storage import Storage
from tests.dataops_api.records.conftest import PAGES, Stored, publish, write

NDJSON, PARQUET = "application/x-ndjson", "application/vnd.apache.parquet"


def lines(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.content.endswith(b"\n")
    return [json.loads(line) for line in answer.content.decode().splitlines()]


def by_pages(api: Any, stored: Stored) -> list[dict[str, Any]]:
    found, link = [], f"{stored.path}?per_page=100"
    while link:
        body = api.admin.get(link).json()
        found += body["records"]
        link = body["_links"].get("next", "")
    return found


@pytest.mark.parametrize("how", [{"params": {"format": "ndjson"}}, {"headers": {"Accept": NDJSON}}])
def test_ndjson_has_every_record_in_the_shape_of_the_pages(api: Any, pages: Stored, how: dict[str, Any]) -> None:
    """C-56."""
    answer = api.admin.get(pages.path, **how)
    assert (answer.status_code, answer.headers["content-type"]) == (200, NDJSON)
    assert lines(answer) == by_pages(api, pages)


@pytest.mark.parametrize("how", [{"params": {"format": "parquet"}}, {"headers": {"Accept": PARQUET}}])
def test_parquet_is_the_stored_file(api: Any, pages: Stored, how: dict[str, Any]) -> None:
    """C-56: byte for byte, its length known before."""
    answer = api.admin.get(pages.path, **how)
    assert (answer.status_code, answer.headers["content-type"]) == (200, PARQUET)
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert hashlib.sha256(answer.content).hexdigest() == pages.report.sha256
    assert pq.read_table(BytesIO(answer.content)).num_rows == PAGES


@pytest.mark.parametrize(
    ("accept", "query", "expected"),
    [
        ("*/*", {}, "application/json"),
        (f"application/json;q=0.3, {NDJSON};q=0.9", {}, NDJSON),
        ("text/csv", {}, "application/json"),
        # ``format`` goes before the header.
        (PARQUET, {"format": "json"}, "application/json"),
        ("application/json", {"format": "ndjson"}, NDJSON),
    ],
)
def test_the_representation_is_negotiated(
    api: Any, pages: Stored, accept: str, query: dict[str, str], expected: str
) -> None:
    """C-56: what nobody offers is answered with JSON; there is no 406."""
    answer = api.admin.get(pages.path, headers={"Accept": accept}, params=query)
    assert (answer.status_code, answer.headers["content-type"]) == (200, expected)
    assert "accept" in answer.headers["vary"].lower()


def test_a_page_is_not_asked_of_a_stream_by_accept_either(api: Any, pages: Stored) -> None:
    """C-56."""
    answer = api.admin.get(pages.path, headers={"Accept": NDJSON}, params={"page": 2})
    assert (answer.status_code, list(answer.json()["error"]["details"])) == (400, ["page"])


@pytest.mark.parametrize("format_", ["ndjson", "parquet"])
def test_a_stream_is_an_attachment_with_an_entity_tag(api: Any, pages: Stored, format_: str) -> None:
    """C-56: the tag follows from the records' digest, one for each representation; ``If-None-Match`` answers 304."""
    answer = api.admin.get(pages.path, params={"format": format_})
    assert answer.headers["etag"] == f'"{pages.report.sha256}.{format_}"'
    dataset = api.admin.get(f"/v1/dataops/datasets/{pages.dataset_id}").json()
    assert f'filename="{dataset["name"].replace(" ", "_")}.{format_}"' in answer.headers["content-disposition"]
    for condition in (answer.headers["etag"], f'"x", W/{answer.headers["etag"]}', "*"):
        again = api.admin.get(pages.path, params={"format": format_}, headers={"If-None-Match": condition})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", answer.headers["etag"])
    other = api.admin.get(pages.path, params={"format": format_}, headers={"If-None-Match": '"another"'})
    assert other.status_code == 200


def test_a_name_that_is_not_ascii_is_a_safe_file_name(api: Any, stored: Callable[..., Stored]) -> None:
    """C-56, RFC 6266."""
    made = stored(count=20, name='Żółw "GmbH"/../x-Sandbox-Confluence')
    shown = api.admin.get(made.path, params={"format": "ndjson"}).headers["content-disposition"]
    assert shown == (
        'attachment; filename="___w__GmbH__.._x-Sandbox-Confluence.ndjson"; '
        "filename*=UTF-8''%C5%BB%C3%B3%C5%82w%20%22GmbH%22%2F..%2Fx-Sandbox-Confluence.ndjson"
    )


@pytest.mark.parametrize("format_", ["ndjson", "parquet"])
def test_a_teardown_during_a_stream_takes_nothing_from_it(
    api: Any, stored: Callable[..., Stored], format_: str
) -> None:
    """C-56: the file's name goes, what is being read stays until it is read."""
    made = stored(count=1500)
    with (
        httpx.Client(base_url=api.url, headers=api.admin.headers, timeout=30) as client,
        client.stream("GET", made.path, params={"format": format_}) as answer,
    ):
        pieces = answer.iter_raw(1 << 12)
        first = next(pieces)
        shutil.rmtree(made.file.parent)
        api.archive(made.dataset_id)
        content = first + b"".join(pieces)
    if format_ == "parquet":
        assert hashlib.sha256(content).hexdigest() == made.report.sha256
    else:
        assert len(content.splitlines()) == 1500
    assert api.admin.get(made.path).status_code == 410


@pytest.mark.parametrize("format_", ["ndjson", "parquet"])
def test_a_stream_that_breaks_is_seen_to_be_broken(
    api: Any, stored: Callable[..., Stored], monkeypatch: pytest.MonkeyPatch, format_: str
) -> None:
    """C-56: a disk that fails in the middle ends the connection before the answer's end."""
    made = stored(count=1500)

    def broken(pieces: Callable[[StoredRecords], Any]) -> Callable[[StoredRecords], Any]:
        def give(self: StoredRecords) -> Any:
            for number, piece in enumerate(pieces(self)):
                if number == 2:
                    raise StorageError("The disk failed.")
                yield piece

        return give

    monkeypatch.setattr(StoredRecords, "blocks", broken(StoredRecords.blocks))
    monkeypatch.setattr(StoredRecords, "raw", broken(StoredRecords.raw))
    with httpx.Client(base_url=api.url, headers=api.admin.headers, timeout=30) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            client.get(made.path, params={"format": format_})
        monkeypatch.undo()
        assert client.get(made.path, params={"format": format_}).status_code == 200


def test_records_that_are_replaced_while_they_are_looked_for_are_found(
    api: Any, stored: Callable[..., Stored], monkeypatch: pytest.MonkeyPatch
) -> None:
    """C-56: a rerun publishes others between the look at the registry and the look at the file."""
    made = stored(count=20)
    later = write(Storage.from_settings(api.settings), made.dataset_id, made.dataset_type, 30, seed=8)
    original, tries = StoredRecords.__init__, []

    def opened(self: StoredRecords, *arguments: Any) -> None:
        tries.append(arguments)
        if len(tries) == 1:
            shutil.rmtree(made.file.parent)
            publish(api, later)
        original(self, *arguments)

    monkeypatch.setattr(StoredRecords, "__init__", opened)
    answer = api.admin.get(made.path, params={"format": "ndjson"})
    assert (len(lines(answer)), len(tries)) == (30, 2)
    assert later.report.sha256 in answer.headers["etag"]


def test_a_stream_holds_one_row_group_at_a_time(
    api: Any, stored: Callable[..., Stored], monkeypatch: pytest.MonkeyPatch
) -> None:
    """C-56: constant memory, whatever the number of records."""
    made = stored(count=1500)
    read: list[list[int]] = []
    original = pq.ParquetFile.read_row_groups

    def noted(self: pq.ParquetFile, row_groups: list[int], **options: Any) -> Any:
        read.append(list(row_groups))
        return original(self, row_groups, **options)

    monkeypatch.setattr(pq.ParquetFile, "read_row_groups", noted)
    answer = api.admin.get(made.path, params={"format": "ndjson"})
    assert len(lines(answer)) == 1500
    assert read == [[number] for number in range(-(-1500 // BLOCK_ROWS))]


def test_a_client_that_goes_away_leaves_no_file_open(
    api: Any, stored: Callable[..., Stored], monkeypatch: pytest.MonkeyPatch
) -> None:
    """C-56."""
    made = stored(count=1500)
    closed = Event()
    original = StoredRecords.close

    def noted(self: StoredRecords) -> None:
        original(self)
        closed.set()

    monkeypatch.setattr(StoredRecords, "close", noted)
    with (
        httpx.Client(base_url=api.url, headers=api.admin.headers, timeout=30) as client,
        client.stream("GET", made.path, params={"format": "ndjson"}) as answer,
    ):
        next(answer.iter_raw(1 << 10))
        assert not closed.is_set()
    assert closed.wait(30)
