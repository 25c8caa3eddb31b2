"""Routes: what each demands of its caller, declared where it is defined, and checked before anything else is read.

The order of checks is the contract's (C-2): token, rate, scope, query, body, and then the route's own. A route that
says nothing about access cannot be written through :class:`Routes`, and :func:`check_access` refuses one that came
another way. Does not belong here: recognizing tokens (``auth/authority.py``), reading bodies (``payload.py``).
"""

from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Mapping, MutableMapping, Sequence, Set
from dataclasses import dataclass, field
from inspect import iscoroutinefunction
from typing import Any, TypeVar

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette._utils import get_route_path
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Match, Mount
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as ASGIScope

from dataops_api.arguments import reader_of
from dataops_api.auth.authority import Caller
from dataops_api.dependencies import parts_of
from dataops_api.errors import ForbiddenError, UnauthorizedError
from dataops_api.payload import check_query, read_json, refuse_body
from dataops_core import acting
from dataops_core.acting import ActorKind
from dataops_core.scopes import Scope

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
_Endpoint = TypeVar("_Endpoint", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Problem:
    """An error that a route may give, as OpenAPI shows it."""

    code: str
    message: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Access:
    """The scopes of which one is enough; none at all: anyone."""

    any_of: tuple[Scope, ...]

    def check(self, caller: Caller) -> None:
        """Raises ForbiddenError (C-4)."""
        require(caller, *self.any_of)


PUBLIC = Access(())


def require(caller: Caller, *any_of: Scope) -> None:
    """Raises ForbiddenError, which names the scopes, unless the caller has one of them."""
    if not caller.may(any_of):
        scope = " ".join(any_of)
        raise ForbiddenError("The access token lacks the scope for this", scope=scope, details={"scope": scope})


async def authenticate(request: Request) -> Caller:
    """Who asks, by the ``Authorization`` header, within the limits of client and address (C-9).

    Raises UnauthorizedError and RateLimitedError. An address that has failed too often is not looked at any more, but
    for tokens that were found good lately: who guesses shuts nobody out who is at work.
    """
    parts = parts_of(request)
    address = request.client.host if request.client is not None else ""
    try:
        token = bearer_token(request)
        if not parts.authority.knows(token):
            parts.limits.check(address)
        caller = await parts.authority.caller_of(token)
    except UnauthorizedError:
        parts.limits.failed(address)
        raise
    state = request.scope["state"]
    state["caller"] = caller
    state["api_client_id"] = api_client_id = str(caller.api_client_id)
    acting.recognized(ActorKind.API_CLIENT, api_client_id)
    parts.limits.admit(caller.api_client_id, state["answer_headers"])
    return caller


def bearer_token(request: Request) -> str:
    """The token of the ``Authorization`` header. Raises UnauthorizedError."""
    headers = request.headers.getlist("authorization")
    scheme, _, token = headers[0].partition(" ") if headers else ("", "", "")
    if scheme.lower() != "bearer" or not token.strip():
        raise UnauthorizedError("An access token is required", token_sent=False)
    if len(headers) > 1:
        raise UnauthorizedError("More than one access token was sent", token_sent=True)
    return token.strip()


class ApiRoute(APIRoute):
    """A route that checks its caller before it reads anything else."""

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        access: Access,
        problems: Sequence[Problem],
        examples: Mapping[str, Any],
        once: bool,
        literals: Set[str] = frozenset(),
        **options: Any,
    ) -> None:
        self.access = access
        self._is_literal = "{" not in path
        self.literals = literals
        self.once = once
        self.problems = tuple(problems)
        self.examples = dict(examples)
        self._beginning = path.partition("{")[0]
        super().__init__(path, endpoint, **options)
        self._known = frozenset(_query_names(self))
        self._by_framework: ASGIApp = self.app
        self._is_async = iscoroutinefunction(endpoint)
        self._read = reader_of(self.dependant) if not once and self.body_field is None else None
        self.app = self._answer

    def matches(self, scope: MutableMapping[str, Any]) -> tuple[Match, MutableMapping[str, Any]]:
        """Nothing where the path is another route's, letter by letter: `/templates/recommend` is no template's id."""
        # Asked of each route before the right one: three of four are of another resource, or another's one path.
        path = get_route_path(scope) if scope.get("root_path") else scope["path"]
        if path != self.path if self._is_literal else not path.startswith(self._beginning) or path in self.literals:
            return Match.NONE, {}
        return super().matches(scope)

    async def _answer(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """ASGI: the checks, then the endpoint."""
        request = Request(scope, receive, send)
        if self.access is not PUBLIC:
            self.access.check(await authenticate(request))
        check_query(request, self._known)
        arguments = self._read(request) if self._read is not None else None
        if arguments is None:
            await self._by_framework(scope, receive, send)
            return
        if self._is_async:
            response = await self.endpoint(**arguments)
        else:
            response = await run_in_threadpool(self.endpoint, **arguments)
        await response(scope, receive, send)

    def get_route_handler(self) -> Handler:
        """The framework's handler, which is given the body as it was judged."""
        handle: Callable[[Request], Awaitable[Response]] = super().get_route_handler()
        takes_json = self.body_field is not None
        changes = self.once

        async def judged(request: Request) -> Response:
            if takes_json:
                request = await read_json(request)
            elif changes:
                # What stands in it would be lost, and something else be done than was meant.
                await refuse_body(request)
            return await handle(request)

        return judged


class Routes:
    """The routes of one resource: each names its access, its answers and the errors that it may give."""

    def __init__(self, prefix: str = "", *, tag: str) -> None:
        self._prefix = prefix
        self._tag = tag
        self._routes: list[ApiRoute] = []
        self._literals: set[str] = set()

    def add(
        self,
        method: str,
        path: str,
        *,
        access: Scope | Sequence[Scope] | Access,
        summary: str,
        status: int = 200,
        model: type[BaseModel] | None = None,
        example: Any = None,
        examples: Mapping[str, Any] | None = None,
        problems: Sequence[Problem] = (),
        responses: Mapping[int | str, dict[str, Any]] | None = None,
        listed: bool = True,
        body_example: Any = None,
        extra: dict[str, Any] | None = None,
        once: bool = False,
        response_class: type[Response] = JSONResponse,
    ) -> Callable[[_Endpoint], _Endpoint]:
        """Declares a route, whose endpoint returns a Response itself.

        ``model`` describes the answer and ``example`` shows one (``examples``: several, by name), ``body_example``
        shows a request; ``response_class`` is for answers that are not JSON. ``problems`` are the errors of this route;
        those that every route can give are added to them. ``once``: the route goes through ``idempotency.once``, so it
        takes an ``Idempotency-Key`` (C-45).
        """
        demanded = _access(access)
        shown = dict(examples or {}) | ({summary: example} if example is not None else {})

        whole = f"{self._prefix}{path}"

        def declare(endpoint: _Endpoint) -> _Endpoint:
            if "{" not in whole:
                self._literals.add(whole)
            self._routes.append(
                ApiRoute(
                    whole,
                    endpoint,
                    literals=self._literals,
                    access=demanded,
                    problems=problems,
                    examples=shown,
                    once=once,
                    methods=[method],
                    response_model=model,
                    response_class=response_class,
                    status_code=status,
                    summary=summary,
                    response_description="OK" if status == 200 else "Accepted" if status == 202 else "Done",
                    responses=dict(responses or {}),
                    tags=[self._tag],
                    include_in_schema=listed,
                    openapi_extra=extra if body_example is None else (extra or {}) | _with_body(body_example),
                    operation_id=endpoint.__name__,
                )
            )
            return endpoint

        return declare

    def add_to(self, app: FastAPI) -> None:
        """Puts the routes into the application."""
        app.router.routes.extend(self._routes)


def check_access(routes: Iterable[BaseRoute], *, mounted: Collection[str] = ()) -> None:
    """Raises RuntimeError for a route that does not say who may call it. ``mounted`` ones have doors of their own."""
    for route in routes:
        if not isinstance(route, ApiRoute) and not (isinstance(route, Mount) and route.path in mounted):
            raise RuntimeError(f"{getattr(route, 'path', route)} declares neither a scope nor PUBLIC")


def _with_body(example: Any) -> dict[str, Any]:
    return {"requestBody": {"content": {"application/json": {"example": example}}}}


def _access(access: Scope | Sequence[Scope] | Access) -> Access:
    if isinstance(access, Access):
        return access
    scopes = (access,) if isinstance(access, Scope) else tuple(access)
    if not scopes:
        raise RuntimeError("a route that anyone may call says so: PUBLIC")
    return Access(scopes)


def _query_names(route: APIRoute) -> Iterable[str]:
    for parameter in route.dependant.query_params:
        annotation = parameter.field_info.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield from ((member.alias or name) for name, member in annotation.model_fields.items())
        else:
            yield parameter.alias
