"""The demo's story on a stack that runs: one request becomes two ready datasets, is searched, and is gone again.

Belongs here: each step and what must be true after it, asked through the public API and the connectors alone. Does not
belong here: starting and stopping the stack (``demo.py``), and how things look (``demo_screen.py``). What must be true
rests on docs/contract.md C-33, C-42, C-53, C-60, C-80 … C-85 and C-90.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from a_domain_sdk import ConnectorToken, DataOpsClient, Dataset, Operation, Quality
from dataops_cli.demo_screen import Screen, mebibytes
from dataops_core.lifecycle import PROVISIONING_STEPS, TEARDOWN_STEPS

CUSTOMER = "de300000-0000-4000-8000-00000000ac3e"
JOURNEY = "de300000-0000-4000-8000-000000000001"
CUSTOMER_NAME = "ACME"
DATASET_TYPES = ("confluence_pages", "github_repos")

_PAGES = "confluence_pages"
_PAGES_TEMPLATE = "FinTech Developer Productivity - Confluence"
_PAGES_COUNT = 500
_PAGES_BYTES = 15 * 1024 * 1024
_BYTES_TOLERANCE = 0.2
_DOCUMENT_TYPES = {_PAGES: "Page", "github_repos": "Repository"}
_OPERATION_SECONDS = 300.0
_POLL_SECONDS = 0.1
_TOKEN_SECONDS = 3600
_HITS = 3
_ISSUE_KEY = re.compile(r"\b[A-Z][A-Z0-9]{1,9}-\d+\b")
_SERVICE_NAME = re.compile(r"(?<![\w./-])[a-z][a-z0-9]+(?:-[a-z0-9]+)+(?![\w./@-])")


class DemoError(Exception):
    """Something that the demo promises was not seen to be true; the sentence says what."""


def must(holds: bool, sentence: str) -> None:
    """Raises DemoError with the sentence where it does not hold."""
    if not holds:
        raise DemoError(sentence)


@dataclass(frozen=True)
class Searchable:
    """A ready dataset with a token for its connector, and what the connector calls its data source."""

    dataset: Dataset
    token: ConnectorToken
    datasource: str

    @property
    def endpoint_url(self) -> str:
        """The connector's address."""
        return endpoint_of(self.dataset)


def endpoint_of(dataset: Dataset) -> str:
    """The address of the dataset's connector. Raises DemoError where it has none."""
    if dataset.connector is None:
        raise DemoError(f"{dataset.name} has no connector.")
    return dataset.connector.endpoint_url


class Story:
    """The steps, in the order in which they are told. Each raises DemoError, an error of the SDK or one of httpx."""

    def __init__(self, screen: Screen, client: DataOpsClient, http: httpx.Client) -> None:
        self._screen = screen
        self._client = client
        self._http = http

    def clear_earlier(self) -> None:
        """Tears down what earlier demos left of the customer. Their archives stay."""
        earlier = self._left_of_customer()
        if earlier:
            with self._screen.waiting(
                f"Tearing down what an earlier demo left: {', '.join(dataset.name for dataset in earlier)}"
            ):
                operations = [self._client.datasets.delete(dataset.dataset_id) for dataset in earlier]
                for operation in operations:
                    operation.wait(timeout=_OPERATION_SECONDS, poll_interval=_POLL_SECONDS)

    def provision(self) -> tuple[Operation, list[Dataset]]:
        """One request for both datasets, watched until they are ready."""
        self._screen.chapter(f"One request: {' and '.join(DATASET_TYPES)} for {CUSTOMER_NAME}'s sandbox")
        operation = self._client.datasets.create(
            journey_id=JOURNEY,
            client_id=CUSTOMER,
            stage="sandbox",
            dataset_types=DATASET_TYPES,
            metadata={
                "requested_by": "demo@acme.example",
                "reason": "demo",
                "tags": ["demo"],
                "custom_fields": {
                    "client_name": CUSTOMER_NAME,
                    "industry": "fintech",
                    "use_case": "developer_productivity",
                },
            },
        )
        self._screen.line(f"  202 Accepted: operation {operation.operation_id}")
        self._watch(operation, PROVISIONING_STEPS)
        ended = {part.dataset_type: part for part in operation.result.datasets}
        must(set(ended) == set(DATASET_TYPES), f"The operation speaks of {sorted(ended)}, not of both datasets.")
        datasets = [self._client.datasets.get(ended[dataset_type].dataset_id) for dataset_type in DATASET_TYPES]
        for dataset in datasets:
            self._must_be_as_asked(dataset)
        return operation, datasets

    def show_quality(self, datasets: Sequence[Dataset]) -> None:
        """The quality table; both must meet the threshold, by all four checks."""
        self._screen.chapter("Quality")
        rows: list[tuple[Dataset, Quality]] = [
            (dataset, self._client.quality.get(dataset.dataset_id)) for dataset in datasets
        ]
        self._screen.quality(rows)
        for dataset, quality in rows:
            checks = quality.checks
            four = (
                checks.schema_validation,
                checks.data_completeness,
                checks.connector_health,
                checks.sample_query_success,
            )
            must(quality.meets_threshold, f"{dataset.name} misses the threshold with {quality.overall_score}.")
            must(all(check.status == "passed" for check in four), f"{dataset.name} did not pass all four checks.")
            must(
                dataset.quality_score == quality.overall_score,
                f"{dataset.name} shows {dataset.quality_score}, its quality {quality.overall_score}.",
            )

    def ask(self, datasets: Sequence[Dataset]) -> list[Searchable]:
        """A few questions to each connector: a subject of its template, then what the answers lead to."""
        self._screen.chapter("Search")
        opened = [self._open(dataset) for dataset in datasets]
        pages, repositories = opened
        self._ask(repositories, self._subject(repositories.dataset))
        found = self._ask(pages, self._subject(pages.dataset))
        for author in [hit["creator"]["name"] for hit in found if hit.get("creator")][:1]:
            found += self._ask(pages, author)
        read = " ".join(text for hit in found for text in (hit["title"], *hit["snippets"]))
        for issue in _ISSUE_KEY.findall(read)[:1]:
            self._ask(pages, issue)
        self._ask_for_mentioned(repositories, read)
        return opened

    def show_links(self, docs_url: str, operation: Operation) -> None:
        """The API's documentation and the run in the Dagster UI; both must answer."""
        self._screen.chapter("Look closer")
        must(operation.run_url is not None, "The operation does not tell its Dagster run.")
        links = {"API docs": docs_url, "Dagster run": str(operation.run_url)}
        self._screen.pairs(links)
        for name, url in links.items():
            must(self._http.get(url).status_code == 200, f"{name} does not answer at {url}.")

    def tear_down(self, opened: Sequence[Searchable]) -> None:
        """Both datasets are torn down, archived, and their connectors gone for those who knew them."""
        self._screen.chapter("Teardown")
        started = [
            (searchable, self._client.datasets.delete(searchable.dataset.dataset_id, reason="journey_completed"))
            for searchable in opened
        ]
        for searchable, operation in started:
            dataset = searchable.dataset
            self._screen.line(f"  {dataset.name}: operation {operation.operation_id}")
            self._watch(operation, TEARDOWN_STEPS)
            after = self._client.datasets.get(dataset.dataset_id)
            must(
                after.status == "archived" and after.archived_at is not None,
                f"{dataset.name} is {after.status} after its teardown, not archived.",
            )
            answer = self._post_search(searchable, dataset.name)
            must(answer.status_code == 410, f"The connector of {dataset.name} still answers {answer.status_code}.")
            self._screen.line(f"  archived: {dataset.name}; its connector answers 410 Gone")
        left = [dataset.name for dataset in self._left_of_customer()]
        must(not left, f"Not torn down: {', '.join(left)}.")

    # --- parts ----------------------------------------------------------------------------------------------------

    def _left_of_customer(self) -> list[Dataset]:
        everything = self._client.datasets.list(client_id=CUSTOMER, per_page=100)
        return [dataset for dataset in everything if dataset.status != "archived"]

    def _watch(self, operation: Operation, names: Sequence[str]) -> None:
        """Shows the operation's steps until it has completed."""
        with self._screen.steps(names) as steps:

            def on_progress(now: Operation) -> None:
                progress = now.progress
                steps.see(progress.current_step, progress.step_description, completed=now.status == "completed")

            operation.wait(timeout=_OPERATION_SECONDS, on_progress=on_progress, poll_interval=_POLL_SECONDS)
        must(
            operation.progress.current_step == operation.progress.total_steps == len(names),
            f"The operation completed at step {operation.progress.current_step} of {operation.progress.total_steps}.",
        )

    def _must_be_as_asked(self, dataset: Dataset) -> None:
        must(dataset.status == "ready", f"{dataset.name} is {dataset.status}, not ready.")
        must(dataset.template is not None, f"{dataset.name} names no template.")
        assert dataset.template is not None  # noqa: S101  the line above
        template = self._client.templates.get(dataset.template.template_id)
        asked = template.record_counts.sandbox
        must(dataset.record_count == asked, f"{dataset.name} has {dataset.record_count} records, not {asked}.")
        if dataset.dataset_type == _PAGES:
            must(template.name == _PAGES_TEMPLATE, f"{dataset.name} was made from '{template.name}'.")
            must(asked == _PAGES_COUNT, f"The template makes {asked} pages, not {_PAGES_COUNT}.")
            must(
                abs((dataset.size_bytes or 0) / _PAGES_BYTES - 1) <= _BYTES_TOLERANCE,
                f"{dataset.name} has {mebibytes(dataset.size_bytes)}, not about {mebibytes(_PAGES_BYTES)}.",
            )
        self._screen.line(
            f"  ready: {dataset.name}, {dataset.record_count} records, {mebibytes(dataset.size_bytes)}, "
            f"from '{template.name}'"
        )

    def _open(self, dataset: Dataset) -> Searchable:
        """A search token for the dataset's connector, which must serve exactly this dataset's documents."""
        token = self._client.datasets.create_connector_token(
            dataset.dataset_id, kind="search", expires_in=_TOKEN_SECONDS
        )
        answer = self._http.get(endpoint_of(dataset), headers=_bearer(token))
        must(answer.status_code == 200, f"The connector of {dataset.name} answers {answer.status_code}.")
        found = answer.json()
        must(
            found["document_count"] == dataset.record_count,
            f"The connector of {dataset.name} holds {found['document_count']} of {dataset.record_count} documents.",
        )
        return Searchable(dataset, token, found["datasource"])

    def _subject(self, dataset: Dataset) -> str:
        """What the template speaks of most."""
        assert dataset.template is not None  # noqa: S101  seen when it was provisioned
        topics = self._client.templates.get(dataset.template.template_id).topics
        return max(topics, key=lambda topic: topic.weight).title

    def _ask(self, searchable: Searchable, question: str) -> list[Mapping[str, Any]]:
        results = self._search(searchable, question)
        self._screen.hits(question, searchable.dataset.name, results)
        return results

    def _ask_for_mentioned(self, repositories: Searchable, read: str) -> None:
        """A service that a page mentions is a repository of the same company."""
        for name in dict.fromkeys(_SERVICE_NAME.findall(read)):
            found = self._search(repositories, name, may_be_empty=True)
            if any(hit["title"] == name for hit in found):
                self._screen.hits(f"{name}, which a page mentions", repositories.dataset.name, found)
                return

    def _search(self, searchable: Searchable, question: str, *, may_be_empty: bool = False) -> list[Mapping[str, Any]]:
        """The hits. There must be some unless it ``may_be_empty``, all of them of this dataset."""
        answer = self._post_search(searchable, question)
        must(
            answer.status_code == 200,
            f"The connector of {searchable.dataset.name} answers {answer.status_code} to a search.",
        )
        results: list[Mapping[str, Any]] = answer.json()["results"]
        must(bool(results) or may_be_empty, f"{searchable.dataset.name} finds nothing for '{question}'.")
        wanted = _DOCUMENT_TYPES[searchable.dataset.dataset_type]
        for result in results:
            must(
                result["datasource"] == searchable.datasource and result["document_type"] == wanted,
                f"{searchable.dataset.name} finds '{result['title']}', which is not its own.",
            )
            must(bool(result["snippets"]), f"'{result['title']}' is found without a snippet.")
        return results

    def _post_search(self, searchable: Searchable, question: str) -> httpx.Response:
        return self._http.post(
            f"{searchable.endpoint_url}/api/search",
            headers=_bearer(searchable.token),
            json={"query": question, "page_size": _HITS},
        )


def _bearer(token: ConnectorToken) -> dict[str, str]:
    return {"Authorization": f"Bearer {token.token}"}
