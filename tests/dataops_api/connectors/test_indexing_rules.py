"""What Glean's documentation says in prose about data sources and documents (C-5, C-90)."""

import json

import pytest

ADD = "/api/index/v1/adddatasource"
BULK = "/api/index/v1/bulkindexdocuments"


def refused(response, pointer):
    assert response.status_code == 400, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert pointer in [error["pointer"] for error in response.json()["errors"]], response.text
    return response.json()["code"]


def config(**members):
    values = {
        "name": "wiki",
        "datasourceCategory": "KNOWLEDGE_HUB",
        "urlRegex": "^https://wiki\\.acme\\.example/",
        "objectDefinitions": [{"name": "Page", "propertyDefinitions": [{"name": "space", "propertyType": "PICKLIST"}]}],
    }
    values.update(members)
    return {name: value for name, value in values.items() if value is not None}


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"name": "confluence_pages"}, "/name"),
        ({"name": "two words"}, "/name"),
        ({"name": ""}, "/name"),
        ({"name": None}, "/name"),
        ({"datasourceCategory": "UNCATEGORIZED"}, "/datasourceCategory"),
        ({"datasourceCategory": None}, "/datasourceCategory"),
        ({"urlRegex": None}, "/urlRegex"),
        ({"urlRegex": "("}, "/urlRegex"),
        ({"urlRegex": "(?=x)"}, "/urlRegex"),
        ({"urlRegex": "a" * 1001}, "/urlRegex"),
        ({"objectDefinitions": [{"name": "Wiki_Page"}]}, "/objectDefinitions/0/name"),
        ({"objectDefinitions": [{"name": "Wiki Page"}]}, "/objectDefinitions/0/name"),
        ({"colour": "red"}, "/colour"),
    ],
)
def test_a_data_source_that_breaks_a_rule_is_refused(new_connector, members, pointer):
    refused(new_connector().post(ADD, config(**members)), pointer)


def test_a_data_source_may_be_added_again_and_changed(new_connector):
    connector = new_connector()
    for title in ("One", "Two"):
        assert connector.post(ADD, config(displayName=title)).status_code == 200
    stored = connector.post("/api/index/v1/getdatasourceconfig", {"datasource": "wiki"}).json()
    assert stored == config(displayName="Two")


def test_a_connector_holds_one_data_source(new_connector):
    connector = new_connector()
    connector.post(ADD, config())
    assert connector.post(ADD, config(name="other")).status_code == 409


@pytest.mark.parametrize(
    "path",
    [
        "/api/index/v1/getdatasourceconfig",
        BULK,
        "/api/index/v1/indexdocuments",
        "/api/index/v1/deletedocument",
        "/api/index/v1/debug/other/status",
        "/api/index/v1/debug/other/documents",
    ],
)
def test_another_data_source_than_the_connectors_is_refused(connector, new_connector, path):
    body = {
        "/api/index/v1/deletedocument": {"datasource": "other", "objectType": "Page", "id": "x"},
        BULK: {"datasource": "other", "documents": [], "uploadId": "u", "isFirstPage": True},
        "/api/index/v1/indexdocuments": {"datasource": "other", "documents": []},
        "/api/index/v1/debug/other/documents": {"debugDocuments": []},
    }.get(path, {"datasource": "other"})
    for asked in (connector, new_connector()):
        response = asked.post(path, body)
        assert (response.status_code, response.json()["code"]) == (400, "invalid_datasource")


@pytest.mark.parametrize(
    ("members", "member"),
    [
        ({"datasource": "other"}, "datasource"),
        ({"id": None}, "id"),
        ({"id": ""}, "id"),
        ({"id": "x" * 201}, "id"),
        ({"id": "two\nlines"}, "id"),
        ({"viewURL": None}, "viewURL"),
        ({"viewURL": "https://elsewhere.example/pages/1"}, "viewURL"),
        ({"viewURL": "no url"}, "viewURL"),
        ({"objectType": None}, "objectType"),
        ({"objectType": "Wiki_Page"}, "objectType"),
        ({"objectType": "Blog"}, "objectType"),
        ({"createdAt": "2026-01-28T10:30:00Z"}, "createdAt"),
        ({"updatedAt": 1_769_596_200_000_000}, "updatedAt"),
        ({"updatedAt": -1}, "updatedAt"),
        ({"body": {"mimeType": "application/json", "textContent": "{}"}}, "body/mimeType"),
        ({"body": {"mimeType": "text/html", "binaryContent": "YQ=="}}, "body/binaryContent"),
        ({"body": {"textContent": "no type"}}, "body/mimeType"),
        ({"customProperties": [{"name": "undeclared", "value": "x"}]}, "customProperties/0/name"),
        ({"unheardOf": 1}, "unheardOf"),
    ],
)
def test_a_document_that_breaks_a_rule_refuses_its_page(connector, members, member):
    body = connector.page("u", range(2), isFirstPage=True, isLastPage=True)
    body["documents"][1].update(members)
    body["documents"][1] = {name: value for name, value in body["documents"][1].items() if value is not None}
    refused(connector.post(BULK, body), f"/documents/1/{member}")
    assert connector.get().json()["state"] == "empty"


def test_a_property_is_text_a_number_or_texts_and_never_a_boolean(connector):
    for value, accepted in (("x", True), (7, True), (0.5, True), (["a", "b"], True), (True, False), ({}, False)):
        body = connector.page(f"u{value!r}", range(1), isFirstPage=True, isLastPage=True)
        body["documents"][0]["customProperties"] = [{"name": "space", "value": value}]
        assert connector.post(BULK, body).is_success is accepted, value


def test_an_unnamed_object_definition_stands_for_every_type(new_connector):
    connector = new_connector()
    connector.post(ADD, config(name=connector.spec.datasource, objectDefinitions=[{"displayLabel": "Anything"}]))
    assert connector.upload("u", range(2)).status_code == 200


def test_a_document_without_a_title_goes_by_its_file_name_or_id(connector):
    body = connector.page("u", range(2), isFirstPage=True, isLastPage=True)
    for document, filename in zip(body["documents"], ("notes.txt", None), strict=True):
        del document["title"]
        if filename:
            document["filename"] = filename
    connector.post(BULK, body)
    assert sorted(hit["title"] for hit in connector.hits("ledger")) == ["doc-1", "notes.txt"]


def test_html_is_searched_as_text(connector):
    body = connector.page("u", range(1), isFirstPage=True, isLastPage=True)
    body["documents"][0]["body"] = {
        "mimeType": "text/html; charset=utf-8",
        "textContent": "<p class='secretclass'>A&nbsp;<b>zeb</b>ra &amp; co</p>",
    }
    connector.post(BULK, body)
    assert connector.hits("zebra")[0]["snippets"] == ["A zebra & co"]
    assert connector.hits("secretclass") == []


def test_two_documents_with_one_url_are_refused(connector):
    body = connector.page("u", range(3), isFirstPage=True, isLastPage=True)
    body["documents"][2]["viewURL"] = body["documents"][0]["viewURL"]
    refused(connector.post(BULK, body), "/documents/2/viewURL")
    assert connector.upload("u", range(3)).status_code == 200


def test_a_page_over_eight_mebibytes_is_too_large_and_one_below_is_taken(connector):
    body = connector.page("u", range(1), isFirstPage=True, isLastPage=True)
    body["documents"][0]["body"]["textContent"] = "word " * (8 * 1024 * 1024 // 5 - 200)
    assert connector.post(BULK, body).status_code == 200
    body["documents"][0]["body"]["textContent"] += "word " * 400
    response = connector.post(BULK, body)
    assert (response.status_code, response.json()["code"]) == (413, "request_too_large")
    assert response.headers["content-type"] == "application/problem+json"


def test_a_body_whose_length_nobody_declared_is_measured(connector):
    def endless():
        for _ in range(10):
            yield b"x" * 1024 * 1024

    response = connector.http.post(
        connector.url + BULK,
        content=endless(),
        headers={"Authorization": f"Bearer {connector.index_token}"},
    )
    assert response.status_code == 413


@pytest.mark.parametrize("text", ["a\u0000b", "a\ud800b"])
def test_text_that_is_none_is_refused(connector, text):
    body = connector.page("u", range(1), isFirstPage=True)
    body["documents"][0]["title"] = text
    response = connector.http.post(
        connector.url + BULK,
        content=json.dumps(body),  # as escapes: no client can send them otherwise
        headers={"Authorization": f"Bearer {connector.index_token}"},
    )
    assert response.status_code == 400


def test_an_unknown_member_of_a_request_is_refused_by_name(connector):
    body = connector.page("u", range(1), isFirstPage=True, isFinalPage=True)
    assert refused(connector.post(BULK, body), "/isFinalPage") == "invalid_request"
