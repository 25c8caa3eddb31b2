"""Requests are accepted whole or refused whole (C-34, C-40 … C-44, C-51, C-52)."""

import threading
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from dataops_core.errors import ConflictError, DataOpsError, InvalidRequestError, NotFoundError
from dataops_core.lifecycle import DatasetStatus, OperationStatus, OperationType, Outcome, Stage, TeardownReason
from dataops_core.provisioning import fencing, settlement
from dataops_core.provisioning.asking import ProvisioningRequest
from dataops_core.provisioning.fencing import RunIdentity
from dataops_core.provisioning.requests import accept_provisioning, accept_teardown
from dataops_core.provisioning.settlement import RunEnding
from dataops_core.registry import datasets, launches, operations
from dataops_core.registry.database import Database
from dataops_core.registry.tables import Customer, Dataset, Operation
from dataops_core.templates.loader import load_catalog

REFERENCE_TEMPLATE = UUID("770e8400-e29b-41d4-a716-446655440002")
S = DatasetStatus


@pytest.fixture
def request_() -> ProvisioningRequest:
    return ProvisioningRequest(
        journey_id=uuid4(),
        client_id=uuid4(),
        stage=Stage.SANDBOX,
        dataset_types=["confluence_pages", "github_repos"],
        metadata={
            "custom_fields": {"industry": "fintech", "use_case": "developer_productivity", "client_name": "ACME"}
        },
    )


def accept(database: Database, request: ProvisioningRequest) -> Operation:
    with database.transaction() as session:
        return accept_provisioning(session, load_catalog(), request, max_record_count=1_000_000)


def tear_down(database: Database, dataset_id: UUID, *, archive: bool = True) -> Operation:
    with database.transaction() as session:
        return accept_teardown(session, dataset_id, reason=TeardownReason.MANUAL, archive=archive)


def rows(database: Database, client_id: UUID) -> list[Dataset]:
    with database.transaction() as session:
        return list(session.scalars(select(Dataset).where(Dataset.client_id == client_id).order_by(Dataset.created_at)))


def count(database: Database, table: type) -> int:
    with database.transaction() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_one_request_makes_one_operation_and_its_datasets_in_the_order_asked(database, request_):
    operation = accept(database, request_)
    with database.transaction() as session:
        view = operations.find_view(session, operation.operation_id)
    assert view is not None
    assert [part.dataset_type for part, _ in view.parts] == ["confluence_pages", "github_repos"]
    assert operation.status is OperationStatus.PENDING
    assert operation.current_step == 0
    page = view.parts[0][1]
    assert page is not None
    assert (page.name, page.template_id, page.requested_count) == ("ACME-Sandbox-Confluence", REFERENCE_TEMPLATE, 500)
    assert page.status is S.PROVISIONING
    assert page.meta["industry"] == "fintech"


def test_a_dataset_is_named_after_the_fictional_company_where_no_name_is_given(database, request_):
    """C-34."""
    accept(database, replace(request_, metadata={}))
    with database.transaction() as session:
        company = session.get_one(Customer, request_.client_id).company_name
    assert {row.name for row in rows(database, request_.client_id)} == {
        f"{company}-Sandbox-Confluence",
        f"{company}-Sandbox-GitHub",
    }


def test_the_seed_follows_from_customer_stage_and_type_unless_given(database, request_):
    """C-40."""
    fail(database, accept(database, request_))
    accept(database, request_)
    seeds = {(row.dataset_type, row.seed) for row in rows(database, request_.client_id)}
    assert len(seeds) == len({seed for _, seed in seeds}) == 2
    other = replace(request_, client_id=uuid4(), seed=7)
    accept(database, other)
    assert {row.seed for row in rows(database, other.client_id)} == {7}


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ({"dataset_types": ["confluence_pages", "wikis"]}, "dataset_types.1", "Must be one of"),
        ({"dataset_types": ["confluence_pages", "confluence_pages"]}, "dataset_types", "twice"),
        ({"manual": True}, "template_overrides.confluence_pages", "required"),
        ({"template_overrides": {"jira_issues": uuid4()}}, "template_overrides.jira_issues", "asked for"),
        ({"template_overrides": {"confluence_pages": uuid4()}}, "template_overrides.confluence_pages", "no template"),
        ({"template_overrides": {"github_repos": REFERENCE_TEMPLATE}}, "template_overrides.github_repos", "is for"),
        ({"record_count": 2_000_000}, "generation.record_count", "at most 1000000"),
        ({"locale": "xx_XX"}, "generation.locale", "Must be one of"),
        ({"metadata": {"custom_fields": {"industry": "mining"}}}, "metadata.custom_fields.industry", "Must be one of"),
        ({"metadata": {"custom_fields": {"company_size": "big"}}}, "metadata.custom_fields.company_size", "one of"),
    ],
)
def test_a_bad_request_names_the_field_and_makes_nothing(database, request_, change, field, says):
    with pytest.raises(InvalidRequestError) as caught:
        accept(database, replace(request_, **change))
    assert caught.value.message == "Request validation failed"
    assert says in caught.value.details[field]
    assert count(database, Dataset) == count(database, Operation) == count(database, Customer) == 0


def test_the_locale_of_a_customer_cannot_change(database, request_):
    """C-40."""
    accept(database, replace(request_, locale="de_DE"))
    with pytest.raises(InvalidRequestError) as caught:
        accept(database, replace(request_, stage=Stage.PILOT, locale="en_US"))
    assert "de_DE" in caught.value.details["generation.locale"]
    accept(database, replace(request_, stage=Stage.PILOT))


def test_auto_learns_from_the_customers_newest_dataset(database, request_):
    """C-41."""
    accept(database, request_)
    accept(database, replace(request_, stage=Stage.PILOT, dataset_types=["confluence_pages"], metadata={}))
    assert {
        row.template_id for row in rows(database, request_.client_id) if row.dataset_type == "confluence_pages"
    } == {REFERENCE_TEMPLATE}


def test_a_second_request_conflicts_whole_and_names_the_first_type_asked(database, request_):
    """C-44."""
    first = accept(database, replace(request_, dataset_types=["github_repos"]))
    holder = rows(database, request_.client_id)[0]
    with pytest.raises(ConflictError) as caught:
        accept(database, request_)
    assert caught.value.message == "Dataset already exists"
    assert caught.value.details == {
        "existing_dataset_id": str(holder.dataset_id),
        "conflict": "Dataset of type 'github_repos' already exists for client/stage",
    }
    assert [row.dataset_type for row in rows(database, request_.client_id)] == ["github_repos"]
    assert first.operation_id == holder.operation_id


def race(database: Database, request: ProvisioningRequest) -> list[str]:
    """Twenty equal requests at once: what became of each."""
    barrier, outcomes = threading.Barrier(20), []

    def ask() -> None:
        barrier.wait()
        try:
            accept(database, request)
            outcomes.append("accepted")
        except DataOpsError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(outcomes)


def test_of_twenty_equal_requests_at_once_one_is_accepted_and_nineteen_conflict(database, request_):
    assert race(database, request_) == ["CONFLICT"] * 19 + ["accepted"]
    assert count(database, Operation) == 1
    assert count(database, Dataset) == 2


def fail(database: Database, operation: Operation) -> None:
    with database.transaction() as session:
        settlement.settle_unlaunchable(session, operation.operation_id, "It broke.")


def test_a_failed_dataset_is_replaced_by_the_next_request(database, request_):
    """C-44."""
    fail(database, accept(database, request_))
    accept(database, request_)
    statuses = [(row.dataset_type, row.status) for row in rows(database, request_.client_id)]
    assert sorted(statuses) == sorted(
        (name, status) for name in request_.dataset_types for status in (S.ARCHIVED, S.PROVISIONING)
    )


def test_of_twenty_requests_that_replace_a_failed_dataset_at_once_one_is_accepted(database, request_):
    fail(database, accept(database, request_))
    assert race(database, request_) == ["CONFLICT"] * 19 + ["accepted"]


def make_ready(database: Database, operation: Operation) -> None:
    with database.transaction() as session:
        view = operations.find_view(session, operation.operation_id)
        assert view is not None
    for part, dataset in view.parts:
        assert dataset is not None
        with database.transaction() as session:
            claim = fencing.claim(
                session,
                RunIdentity("run-1", operation.operation_id),
                environment=fencing.Environment(dataset.stage, dataset.client_id),
                dataset_type=part.dataset_type,
                kinds=(OperationType.PROVISIONING,),
                step=6,
            )
            datasets.move(session, dataset.dataset_id, S.VALIDATING)
            datasets.move(session, dataset.dataset_id, S.READY)
            held = fencing.hold(session, claim)
            settlement.finish_dataset(session, held.operation, held.part, Outcome.READY)


def test_a_teardown_moves_the_dataset_and_a_second_one_finds_the_first(database, request_):
    """C-51, C-52."""
    make_ready(database, accept(database, request_))
    dataset = rows(database, request_.client_id)[0]
    first = tear_down(database, dataset.dataset_id)
    assert first.operation_type is OperationType.TEARDOWN
    assert first.request == {"reason": "manual", "archive": True}
    assert rows(database, request_.client_id)[0].status is S.TEARDOWN
    assert tear_down(database, dataset.dataset_id).operation_id == first.operation_id
    with pytest.raises(ConflictError, match="archive=true"):
        tear_down(database, dataset.dataset_id, archive=False)


def test_a_request_for_a_place_in_teardown_says_so(database, request_):
    """C-44."""
    make_ready(database, accept(database, request_))
    tear_down(database, rows(database, request_.client_id)[0].dataset_id)
    with pytest.raises(ConflictError) as caught:
        accept(database, request_)
    assert "being torn down" in caught.value.details["conflict"]


def test_a_teardown_preempts_a_provisioning_and_the_others_go_on(database, request_):
    """C-37."""
    operation = accept(database, request_)
    page, repos = rows(database, request_.client_id)
    tear_down(database, page.dataset_id)
    with database.transaction() as session:
        view = operations.find_view(session, operation.operation_id)
    assert view is not None
    assert [(part.outcome, part.active) for part, _ in view.parts] == [(Outcome.CANCELLED, False), (None, True)]
    assert view.operation.status is OperationStatus.PENDING
    tear_down(database, repos.dataset_id)
    with database.transaction() as session:
        assert operations.get(session, operation.operation_id).status is OperationStatus.CANCELLED


def test_a_failed_teardown_goes_on_as_the_next_attempt_of_the_same_operation(database, request_):
    """C-52."""
    make_ready(database, accept(database, request_))
    dataset = rows(database, request_.client_id)[0]
    first = tear_down(database, dataset.dataset_id)
    with database.transaction() as session:
        launches.record_launch(session, first.operation_id, "run-9", attempt=1)
        settlement.settle(session, first.operation_id, RunEnding.LOST, run_id="run-9")
    assert rows(database, request_.client_id)[0].status is S.TEARDOWN
    again = tear_down(database, dataset.dataset_id)
    assert (again.operation_id, again.attempt, again.status) == (first.operation_id, 2, OperationStatus.PENDING)
    assert (again.run_id, again.error, again.completed_at) == (None, None, None)


def test_an_archived_dataset_conflicts_unless_its_archive_is_to_be_purged(database, request_):
    """C-52."""
    fail(database, accept(database, request_))
    dataset = rows(database, request_.client_id)[0]
    with database.transaction() as session:
        datasets.move(session, dataset.dataset_id, S.ARCHIVED)
    for archive, conflict in (
        (True, "archive=false purges an archive that is kept"),
        (False, "There is no archive of it to purge"),
    ):
        with pytest.raises(ConflictError, match="archived already") as caught:
            tear_down(database, dataset.dataset_id, archive=archive)
        assert caught.value.details == {"dataset_id": str(dataset.dataset_id), "conflict": conflict}
    with database.transaction() as session:
        datasets.get(session, dataset.dataset_id, lock=True).archive_path = "archives/x"
    purge = tear_down(database, dataset.dataset_id, archive=False)
    assert purge.request["archive"] is False
    assert rows(database, request_.client_id)[0].status is S.ARCHIVED


def test_what_an_api_client_is_not_bound_to_does_not_exist_for_it(database, request_):
    """C-8."""
    accept(database, request_)
    dataset = rows(database, request_.client_id)[0]
    with database.transaction() as session, pytest.raises(NotFoundError):
        accept_teardown(session, dataset.dataset_id, reason=TeardownReason.MANUAL, archive=True, customers=[uuid4()])
    assert rows(database, request_.client_id)[0].status is S.PROVISIONING
