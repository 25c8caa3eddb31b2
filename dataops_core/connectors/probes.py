"""The health probes of the embedded connector: what ``connector_health`` counts.

Each probe says passed, failed or indeterminate, and how long the decisive request took. A 5xx, a 429 or a lost
connection is tried twice again and then is indeterminate, never a fault; no answer within the limit is a fault at
once. Source: ``docs/contract.md`` C-62.
"""

import json
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

from pydantic import ValidationError

from dataops_core.connectors.documents import datasource_config
from dataops_core.connectors.platform import Metadata, SearchResponse
from dataops_core.connectors.protocol import ConnectorSpec, Manifest, ProbeOutcome, ProbeResult
from dataops_core.connectors.transport import Reply, Transport
from dataops_core.errors import ConnectorError
from dataops_core.lifecycle import TokenKind
from dataops_core.security import Keyring

#: The order in which results are given.
PROBES = (
    "connect",
    "auth_index",
    "auth_search",
    "auth_rejects",
    "config_matches",
    "latency",
    "doc_parity",
    "last_upload",
)
#: What every look of the watch asks; and what is asked by turns while all is well. Most of a look's cost is the number
#: of its requests: of a thousand connectors every five minutes each one more takes a hundredth of a core.
_PULSE = frozenset({"connect", "auth_search", "latency", "doc_parity", "last_upload"})
_TURNS: tuple[frozenset[str], ...] = (
    frozenset({"auth_index", "config_matches"}),
    frozenset(),
    frozenset({"auth_rejects"}),
    frozenset(),
)
_CANARIES = 5
#: Hits that a search asks for. A look of the watch makes do with one: the snippet of each takes longer than the search.
_PAGE, _PULSE_PAGE = 10, 1
_RETRY_PAUSES = (0.2, 0.5)
_FALLBACK_CANARY = "overview"


@dataclass(frozen=True, slots=True)
class _Finding:
    outcome: ProbeOutcome
    detail: str
    latency_ms: float = 0.0


class _Inconclusive(Exception):  # noqa: N818  it is no error of anybody's
    """The probe could not tell."""


class _Lost(_Inconclusive):
    """There was no connection."""


class _Fault(Exception):  # noqa: N818  it is what a probe looks for
    """The probe found a definite fault."""


def run_probes(
    transport: Transport,
    keyring: Keyring,
    spec: ConnectorSpec,
    *,
    manifest: Manifest,
    upload_id: str,
    canaries: Collection[str],
    limit: float,
    pause: Callable[[float], None],
) -> list[ProbeResult]:
    """All probes in the order of PROBES. ``limit`` is the longest that any answer may take, in seconds.

    Where the connection itself cannot be had, the other probes are indeterminate without being tried.
    """
    prober = _Prober(transport, keyring, spec, limit, pause, page_size=_PAGE)
    words = list(islice(cycle(list(canaries) or [_FALLBACK_CANARY]), _CANARIES))
    return _run(prober, PROBES, words, manifest, upload_id, connect=prober.connect)


def run_pulse(
    transport: Transport,
    keyring: Keyring,
    spec: ConnectorSpec,
    *,
    manifest: Manifest,
    upload_id: str,
    turn: int | None,
    limit: float,
    pause: Callable[[float], None],
) -> list[ProbeResult]:
    """The probes with one search instead of five, for who looks at hundreds of connectors every few minutes.

    ``turn`` counts the looks: tokens that must be refused, and the index token with the configuration, come by turns,
    so that four looks have seen everything; that the service can be reached is told by the search. With None all of it
    is asked.
    """
    prober = _Prober(transport, keyring, spec, limit, pause, page_size=_PULSE_PAGE)
    words = [_FALLBACK_CANARY]
    if turn is None:
        return _run(prober, PROBES, words, manifest, upload_id, connect=prober.connect)
    wanted = [probe for probe in PROBES if probe in _PULSE | _TURNS[turn % len(_TURNS)]]
    return _run(prober, wanted, words, manifest, upload_id, connect=lambda: prober.connect_by_search(words[0]))


def _run(
    prober: "_Prober",
    wanted: Sequence[str],
    words: Sequence[str],
    manifest: Manifest,
    upload_id: str,
    *,
    connect: Callable[[], _Finding],
) -> list[ProbeResult]:
    checks: dict[str, Callable[[], _Finding]] = {
        "connect": connect,
        "auth_index": prober.auth_index,
        "auth_search": lambda: prober.auth_search(words[0]),
        "auth_rejects": lambda: prober.auth_rejects(words[0]),
        "config_matches": prober.config_matches,
        "latency": lambda: prober.latency(words),
        "doc_parity": lambda: prober.doc_parity(manifest),
        "last_upload": lambda: prober.last_upload(upload_id),
    }
    results: list[ProbeResult] = []
    reachable = True
    for probe in wanted:
        finding = (
            _settle(checks[probe]) if reachable else _Finding(ProbeOutcome.INDETERMINATE, "not tried: no connection")
        )
        if probe == "connect":
            reachable = finding.outcome is ProbeOutcome.PASSED
        results.append(ProbeResult(probe, True, finding.outcome, round(finding.latency_ms, 1), finding.detail))
    return results


def _settle(check: Callable[[], _Finding]) -> _Finding:
    started = time.monotonic()
    try:
        return check()
    except _Fault as fault:
        return _Finding(ProbeOutcome.FAILED, str(fault), (time.monotonic() - started) * 1000)
    except _Inconclusive as reason:
        return _Finding(ProbeOutcome.INDETERMINATE, str(reason), (time.monotonic() - started) * 1000)


class _Prober:
    def __init__(
        self,
        transport: Transport,
        keyring: Keyring,
        spec: ConnectorSpec,
        limit: float,
        pause: Callable[[float], None],
        *,
        page_size: int,
    ) -> None:
        self._transport = transport
        self._spec = spec
        self._limit = limit
        self._pause = pause
        self._page_size = page_size
        self._index_token = keyring.service_token(spec.connector_id, TokenKind.INDEX)
        self._search_token = keyring.service_token(spec.connector_id, TokenKind.SEARCH)
        self._config: Reply | None = None
        self._first_search: Reply | None = None
        #: Why the search that was to tell of the connection had no answer.
        self._unanswered: _Inconclusive | _Fault | None = None
        self._metadata: Metadata | None = None

    def _ask(self, method: str, path: str, token: str | None, body: dict[str, Any] | None = None) -> Reply:
        """The answer, after at most two more tries.

        Raises _Fault for none in time, _Lost for no connection, _Inconclusive for none that tells anything.
        """
        content = json.dumps(body).encode() if body is not None else None
        untold = _Inconclusive()
        for wait in (*_RETRY_PAUSES, None):
            try:
                reply = self._transport.send(
                    method, self._spec.connector_id, path, token=token, content=content, timeout=self._limit
                )
            except ConnectorError as error:
                if error.details.get("kind") == "timeout":
                    raise _Fault(f"no answer within {self._limit:g} s") from error
                untold = _Lost(error.message)
            else:
                if reply.elapsed_seconds > self._limit:
                    raise _Fault(f"no answer within {self._limit:g} s")
                if reply.status_code < 500 and reply.status_code != 429:
                    return reply
                untold = _Inconclusive(f"HTTP {reply.status_code}")
            if wait is not None:
                self._pause(wait)
        raise untold

    def _search(self, words: str, token: str) -> Reply:
        return self._ask("POST", "/api/search", token, {"query": words, "page_size": self._page_size})

    def connect(self) -> _Finding:
        """The service answers at the endpoint."""
        reply = self._ask("GET", "/health", None)
        return _passed_if(reply.status_code == 200, "reachable", reply)

    def connect_by_search(self, words: str) -> _Finding:
        """The same by the search that is asked for anyhow; where that has no answer, the service is asked itself."""
        try:
            self._first_search = self._search(words, self._search_token)
        except _Lost:
            raise
        except (_Inconclusive, _Fault) as reason:
            self._unanswered = reason
            return self.connect()
        return _Finding(ProbeOutcome.PASSED, "reachable", self._first_search.elapsed_seconds * 1000)

    def auth_index(self) -> _Finding:
        """An index token opens the indexing side."""
        self._config = self._ask(
            "POST", "/api/index/v1/getdatasourceconfig", self._index_token, {"datasource": self._spec.datasource}
        )
        return _passed_if(self._config.status_code == 200, "index token accepted", self._config)

    def auth_search(self, words: str) -> _Finding:
        """A search token opens the searching side, and the answer has the Platform's shape."""
        if self._unanswered is not None:
            raise self._unanswered
        reply = self._first_search or self._search(words, self._search_token)
        if reply.status_code == 200 and not _is_search_answer(reply):
            raise _Fault("the answer has not the shape of a search answer")
        self._first_search = reply
        return _passed_if(reply.status_code == 200, "search token accepted", reply)

    def auth_rejects(self, words: str) -> _Finding:
        """A token that is not right is refused on both sides."""
        search = self._search(words, _mangled(self._search_token))
        if search.status_code != 401:
            raise _Fault(f"a wrong search token was answered with {search.status_code}")
        index = self._ask(
            "POST",
            "/api/index/v1/getdatasourceconfig",
            _mangled(self._index_token),
            {"datasource": self._spec.datasource},
        )
        return _passed_if(index.status_code == 401, "wrong tokens refused", index)

    def config_matches(self) -> _Finding:
        """The data source is registered as the dataset needs it."""
        if self._config is None:
            raise _Inconclusive("the configuration could not be read")
        stored = self._config.json()
        if self._config.status_code != 200 or not isinstance(stored, dict):
            raise _Fault(f"the configuration was answered with {self._config.status_code}")
        wanted = datasource_config(self._spec)
        differing = [key for key in ("name", "datasourceCategory", "urlRegex") if stored.get(key) != wanted[key]]
        if _declared(stored) != _declared(wanted):
            differing.append("objectDefinitions")
        if differing:
            raise _Fault(f"differs in {', '.join(differing)}")
        return _Finding(ProbeOutcome.PASSED, "configuration as registered", self._config.elapsed_seconds * 1000)

    def latency(self, words: Sequence[str]) -> _Finding:
        """Searches are answered within the limit, every one; the first has been asked with the token's probe."""
        took: list[float] = []
        for number, canary in enumerate(words):
            known = self._first_search if number == 0 else None
            reply = known or self._search(canary, self._search_token)
            if reply.status_code != 200:
                raise _Fault(f"a search was answered with {reply.status_code}")
            took.append(reply.elapsed_seconds * 1000)
        took.sort()
        middle = took[len(took) // 2]
        return _Finding(
            ProbeOutcome.PASSED, f"{len(took)} searches, median {middle:.0f} ms, slowest {took[-1]:.0f} ms", took[-1]
        )

    def _described(self) -> tuple[Metadata, float]:
        reply = self._ask("GET", "", self._index_token)
        if reply.status_code != 200:
            raise _Fault(f"the connector's description was answered with {reply.status_code}")
        try:
            return Metadata.model_validate_json(reply.response.content), reply.elapsed_seconds * 1000
        except ValidationError:
            raise _Fault("the connector's description of itself cannot be read") from None

    def doc_parity(self, manifest: Manifest) -> _Finding:
        """The index holds exactly the dataset's documents."""
        self._metadata, took = self._described()
        if self._metadata.state == "damaged":
            raise _Fault("the index is damaged")
        if self._metadata.document_count != manifest.document_count:
            raise _Fault(f"{self._metadata.document_count} documents, not {manifest.document_count}")
        if self._metadata.id_digest != manifest.id_digest:
            raise _Fault("other documents than the dataset's")
        return _Finding(ProbeOutcome.PASSED, f"{manifest.document_count} documents, all of them", took)

    def last_upload(self, upload_id: str) -> _Finding:
        """What is served is the upload that the dataset stands for."""
        if self._metadata is None:
            raise _Inconclusive("the generation could not be read")
        if self._metadata.generation != upload_id:
            raise _Fault(f"serves '{self._metadata.generation}', not '{upload_id}'")
        return _Finding(ProbeOutcome.PASSED, "the upload expected is served")


def _passed_if(condition: bool, detail: str, reply: Reply) -> _Finding:
    if not condition:
        raise _Fault(f"answered with {reply.status_code}")
    return _Finding(ProbeOutcome.PASSED, detail, reply.elapsed_seconds * 1000)


def _is_search_answer(reply: Reply) -> bool:
    try:
        SearchResponse.model_validate_json(reply.response.content)
    except ValidationError:
        return False
    return True


def _mangled(token: str) -> str:
    """The token with its last part, the signature, turned round."""
    head, _, signature = token.rpartition(".")
    return f"{head}.{signature[::-1]}"


def _declared(config: dict[str, Any]) -> list[tuple[object, list[str]]]:
    """Object types with their declared properties, as far as the dataset needs them."""
    definitions = config.get("objectDefinitions") or []
    return [
        (
            definition.get("name"),
            sorted(str(declared.get("name")) for declared in definition.get("propertyDefinitions") or []),
        )
        for definition in definitions
    ]
