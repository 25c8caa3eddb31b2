"""Cursors of a search: an offset into the answer to one question at one generation, signed against making one up."""

import base64
import hashlib
import hmac
import json

from dataops_api.connectors.problems import at
from dataops_core.connectors.platform import SearchRequest
from dataops_core.registry.tables import Connector


class Cursors:
    """Makes cursors and reads them. ``key``: bytes that nobody else has."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def make(self, connector: Connector, request: SearchRequest, offset: int) -> str:
        """The cursor of what comes from ``offset`` on."""
        payload = json.dumps(
            [offset, connector.generation, _fingerprint(request)], ensure_ascii=False, separators=(",", ":")
        ).encode()
        return base64.urlsafe_b64encode(self._signature(connector, payload) + payload).decode().rstrip("=")

    def offset(self, connector: Connector, request: SearchRequest) -> int:
        """Where the request goes on, 0 without a cursor. Raises ConnectorProblem for one that is another question's."""
        if not request.cursor:  # the specification's own example sends an empty one
            return 0
        try:
            raw = base64.b64decode(request.cursor + "=" * (-len(request.cursor) % 4), altchars=b"-_", validate=True)
        except ValueError:
            raise at("invalid_cursor", "/cursor", "is none of this connector's") from None
        signature, payload = raw[:16], raw[16:]
        if not hmac.compare_digest(signature, self._signature(connector, payload)):
            raise at("invalid_cursor", "/cursor", "is none of this connector's")
        offset, generation, fingerprint = json.loads(payload)
        if fingerprint != _fingerprint(request):
            raise at("invalid_cursor", "/cursor", "belongs to another question")
        if generation != connector.generation:
            raise at("expired_cursor", "/cursor", "belongs to an earlier state of the index: search anew")
        return int(offset)

    def _signature(self, connector: Connector, payload: bytes) -> bytes:
        return hmac.digest(self._key, connector.connector_id.bytes + payload, hashlib.sha256)[:16]


def _fingerprint(request: SearchRequest) -> str:
    """What makes two requests the same question; the size of a page does not."""
    asked = request.model_dump_json(exclude={"cursor", "page_size"})
    return hashlib.sha256(asked.encode()).hexdigest()[:16]
