"""``client.service``: the service itself. Nothing here needs a token."""

from __future__ import annotations

from a_domain_sdk._async.session import AsyncSession
from a_domain_sdk._call import Call
from a_domain_sdk.models import AuthorizationServer, Health, Readiness, SigningKeys


class AsyncService:
    """Whether it lives and is ready, and how its tokens are had and verified. Answers are never waited for twice."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def health(self) -> Health:
        """Whether its process lives. Raises APIConnectionError where it does not."""
        return await self._session.run(Call("GET", "/healthz", Health.model_validate, at_root=True, repeat="never"))

    async def readiness(self) -> Readiness:
        """That it can accept requests, and the state of each part.

        Raises ServiceUnavailableError, with the parts in ``details["components"]``, where it cannot.
        """
        return await self._session.run(Call("GET", "/readyz", Readiness.model_validate, at_root=True, repeat="never"))

    async def authorization_server(self) -> AuthorizationServer:
        """How tokens are had (RFC 8414)."""
        path = "/.well-known/oauth-authorization-server"
        return await self._session.run(Call("GET", path, AuthorizationServer.model_validate, at_root=True))

    async def signing_keys(self) -> SigningKeys:
        """The keys that verify access tokens (RFC 7517)."""
        return await self._session.run(Call("GET", "/.well-known/jwks.json", SigningKeys.model_validate, at_root=True))
