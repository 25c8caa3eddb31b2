# Made by `make sdk` from _async/resources/service.py: change that.
"""``client.service``: the service itself. Nothing here needs a token."""

from __future__ import annotations

from a_domain_sdk._call import Call
from a_domain_sdk._sync.session import Session
from a_domain_sdk.models import AuthorizationServer, Health, Readiness, SigningKeys


class Service:
    """Whether it lives and is ready, and how its tokens are had and verified. Answers are never waited for twice."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def health(self) -> Health:
        """Whether its process lives. Raises APIConnectionError where it does not."""
        return self._session.run(Call("GET", "/healthz", Health.model_validate, at_root=True, repeat="never"))

    def readiness(self) -> Readiness:
        """That it can accept requests, and the state of each part.

        Raises ServiceUnavailableError, with the parts in ``details["components"]``, where it cannot.
        """
        return self._session.run(Call("GET", "/readyz", Readiness.model_validate, at_root=True, repeat="never"))

    def authorization_server(self) -> AuthorizationServer:
        """How tokens are had (RFC 8414)."""
        path = "/.well-known/oauth-authorization-server"
        return self._session.run(Call("GET", path, AuthorizationServer.model_validate, at_root=True))

    def signing_keys(self) -> SigningKeys:
        """The keys that verify access tokens (RFC 7517)."""
        return self._session.run(Call("GET", "/.well-known/jwks.json", SigningKeys.model_validate, at_root=True))
