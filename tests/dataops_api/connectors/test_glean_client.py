"""Glean's official Python client, unmodified, indexes and searches an embedded connector (C-90)."""

import pytest
from glean.api_client import Glean, errors, models

PAGE_SIZE = 100


def documents(name, numbers):
    return [
        models.DocumentDefinition(
            datasource=name,
            object_type="Page",
            id=f"page-{number}",
            title=f"Runbook {number}",
            view_url=f"https://wiki.acme.example/pages/{number}",
            body=models.ContentDefinition(
                mime_type="text/html", text_content=f"<p>The <b>ledger</b> closes at marker{number}.</p>"
            ),
            author=models.UserReferenceDefinition(email="ada@acme.example", name="Ada Byron"),
            permissions=models.DocumentPermissionsDefinition(allow_anonymous_access=True),
            created_at=1_760_000_000,
            updated_at=1_765_000_000 + number,
            custom_properties=[models.CustomProperty(name="space", value=f"S{number % 4}")],
        )
        for number in numbers
    ]


def bulk(glean, name, upload_id, count, *, last=True, **flags):
    """Sends documents 0 … count in pages, as the documentation of bulk uploads says."""
    starts = list(range(0, count, PAGE_SIZE)) or [0]
    for start in starts:
        is_last = last and start == starts[-1]
        glean.indexing.documents.bulk_index(
            upload_id=upload_id,
            datasource=name,
            documents=documents(name, range(start, min(start + PAGE_SIZE, count))),
            is_first_page=start == 0,
            is_last_page=is_last,
            force_restart_upload=flags.get("restart") if start == 0 else None,
            disable_stale_document_deletion_check=flags.get("delete_stale") if is_last else None,
        )


def status_of(glean, name):
    return glean.indexing.datasource.status(datasource=name).documents


def counted(glean, name):
    return sum(entry.count for entry in status_of(glean, name).counts.indexed)


@pytest.fixture
def wiki(new_connector):
    """A connector with a data source that Glean's client registered."""
    connector = new_connector()
    with connector.indexing() as glean:
        glean.indexing.datasources.add(
            name="acmewiki",
            display_name="Acme wiki",
            datasource_category=models.DatasourceCategory.KNOWLEDGE_HUB,
            url_regex=r"https://wiki\.acme\.example/.*",
            object_definitions=[
                models.ObjectDefinition(
                    name="Page",
                    property_definitions=[
                        models.PropertyDefinition(
                            name="space", property_type=models.PropertyDefinitionPropertyType.PICKLIST
                        )
                    ],
                )
            ],
            is_test_datasource=True,
        )
    return connector


def test_it_reads_back_the_data_source_that_it_registered(wiki):
    with wiki.indexing() as glean:
        config = glean.indexing.datasources.retrieve_config(datasource="acmewiki")
    assert (config.name, config.url_regex) == ("acmewiki", r"https://wiki\.acme\.example/.*")
    assert config.datasource_category is models.DatasourceCategory.KNOWLEDGE_HUB
    assert [definition.name for definition in config.object_definitions] == ["Page"]


def test_it_indexes_in_pages_and_finds_what_it_indexed(wiki):
    with wiki.indexing() as glean:
        bulk(glean, "acmewiki", "upload-1", 500)
        assert counted(glean, "acmewiki") == 500
        event = status_of(glean, "acmewiki").bulk_upload_history[-1]
        assert (event.upload_id, event.status.value) == ("upload-1", "SUCCESSFUL")
        assert event.processing_state.value == "INDEXING COMPLETED"
    with wiki.searching() as glean:
        found = glean.search.query(query="ledger marker321", datasources=["acmewiki"])
    assert [result.url for result in found.results] == ["https://wiki.acme.example/pages/321"]
    result = found.results[0]
    assert (result.title, result.datasource, result.document_type) == ("Runbook 321", "acmewiki", "Page")
    assert result.snippets == ["The ledger closes at marker321."]
    assert result.creator.name == "Ada Byron"
    assert result.updated_at.timestamp() == 1_765_000_321
    assert (found.has_more, found.next_cursor, found.warnings) == (False, None, [])


def test_it_pages_through_every_result_once(wiki):
    with wiki.indexing() as glean:
        bulk(glean, "acmewiki", "upload-1", 120)
    seen = []
    with wiki.searching() as glean:
        found = glean.search.query(query="ledger", page_size=50)
        seen += [result.url for result in found.results]
        while found.has_more:
            found = glean.search.query(query="ledger", page_size=50, cursor=found.next_cursor)
            seen += [result.url for result in found.results]
    assert len(seen) == len(set(seen)) == 120


def test_it_filters_by_property_and_lists_the_filters(wiki):
    with wiki.indexing() as glean:
        bulk(glean, "acmewiki", "upload-1", 40)
    with wiki.searching() as glean:
        found = glean.search.query(
            query="ledger", page_size=100, filters=[models.PlatformFilter(field="space", values=["S1"])]
        )
        assert {int(result.url.rpartition("/")[2]) % 4 for result in found.results} == {1}
        assert len(found.results) == 10
        listed = glean.search.list_filters(datasources=["acmewiki"], query="ledger").result.datasources[0]
    values = {info.field: info.values for info in listed.filters}
    assert sorted(values["space"]) == ["S0", "S1", "S2", "S3"]
    assert values["author"] == ["Ada Byron", "ada@acme.example"]


def test_an_upload_that_would_remove_half_pauses_deletion_and_the_flag_ends_that(wiki):
    with wiki.indexing() as glean:
        bulk(glean, "acmewiki", "upload-1", 500)
        bulk(glean, "acmewiki", "upload-2", 250)
        assert status_of(glean, "acmewiki").bulk_upload_history[-1].processing_state.value == "DELETION PAUSED"
        assert counted(glean, "acmewiki") == 500
        bulk(glean, "acmewiki", "upload-3", 250, delete_stale=True)
        assert status_of(glean, "acmewiki").bulk_upload_history[-1].processing_state.value == "INDEXING COMPLETED"
        assert counted(glean, "acmewiki") == 250


def test_an_upload_that_removes_a_few_needs_no_flag(wiki):
    with wiki.indexing() as glean:
        bulk(glean, "acmewiki", "upload-1", 100)
        bulk(glean, "acmewiki", "upload-2", 81)
        assert counted(glean, "acmewiki") == 81


def test_an_unfinished_upload_is_a_conflict_until_it_is_restarted(wiki):
    with wiki.indexing() as glean:
        bulk(glean, "acmewiki", "upload-1", 100)
        bulk(glean, "acmewiki", "crashed", 300, last=False)
        assert status_of(glean, "acmewiki").bulk_upload_history[0].status.value == "ACTIVE"
        with pytest.raises(errors.GleanError) as refused:
            bulk(glean, "acmewiki", "upload-2", 100)
        assert refused.value.status_code == 409
        assert counted(glean, "acmewiki") == 100, "what was served is served on"
        bulk(glean, "acmewiki", "upload-2", 130, restart=True)
        assert counted(glean, "acmewiki") == 130


def test_an_empty_upload_leaves_nothing(wiki):
    with wiki.indexing() as glean:
        bulk(glean, "acmewiki", "upload-1", 100)
        bulk(glean, "acmewiki", "empty", 0, delete_stale=True)
        assert counted(glean, "acmewiki") == 0
    with wiki.searching() as glean:
        assert glean.search.query(query="ledger").results == []


def test_it_changes_and_deletes_single_documents(wiki):
    with wiki.indexing() as glean:
        bulk(glean, "acmewiki", "upload-1", 10)
        changed = documents("acmewiki", [3])[0]
        changed.body.text_content = "<p>Nothing but zebras.</p>"
        glean.indexing.documents.index(datasource="acmewiki", documents=[changed, *documents("acmewiki", [77])])
        glean.indexing.documents.delete(datasource="acmewiki", object_type="Page", id="PAGE-4")
        glean.indexing.documents.delete(datasource="acmewiki", object_type="Page", id="never there")
        assert counted(glean, "acmewiki") == 10
        asked = [models.DebugDocumentRequest(object_type="Page", doc_id=f"page-{n}") for n in (3, 4, 77)]
        answer = glean.indexing.documents.debug_many(datasource="acmewiki", debug_documents=asked)
    states = [item.debug_info.status.indexing_status for item in answer.document_statuses]
    assert states == ["INDEXED", "NOT_INDEXED", "INDEXED"]
    with wiki.searching() as glean:
        assert [r.title for r in glean.search.query(query="zebras").results] == ["Runbook 3"]
        assert glean.search.query(query="marker3").results == []
        assert glean.search.query(query="marker4").results == []
        assert [r.title for r in glean.search.query(query="marker77").results] == ["Runbook 77"]


def test_a_wrong_token_is_refused_with_a_problem_that_the_client_understands(wiki):
    with Glean(api_token="dol_s_wrong", server_url=wiki.url) as glean:
        with pytest.raises(errors.PlatformProblemDetailError) as refused:
            glean.search.query(query="ledger")
        assert refused.value.status_code == 401
        assert refused.value.data.code == "authentication_required"
        with pytest.raises(errors.GleanError) as unindexed:
            glean.indexing.datasources.retrieve_config(datasource="acmewiki")
        assert unindexed.value.status_code == 401


def test_an_invalid_search_is_refused_with_a_problem_that_names_the_field(wiki):
    with wiki.searching() as glean, pytest.raises(errors.PlatformProblemDetailError) as refused:
        glean.search.query(query="ledger", page_size=101)
    assert (refused.value.status_code, refused.value.data.code) == (400, "invalid_parameter")
    assert refused.value.data.errors[0].pointer == "/page_size"


def test_the_short_route_answers_as_the_long_one(wiki):
    with wiki.indexing() as glean:
        bulk(glean, "acmewiki", "upload-1", 5)
    answers = [
        wiki.http.post(
            f"{wiki.url}{path}", json={"query": "marker2"}, headers={"Authorization": f"Bearer {wiki.search_token}"}
        )
        for path in ("/search", "/api/search")
    ]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json()["results"] == answers[1].json()["results"] != []
