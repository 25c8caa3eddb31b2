"""A route's arguments, taken straight from the request where nothing is wrong with them.

FastAPI describes a route by its signature and finds its arguments by walking that description at each request, which
costs more than most questions to the database. Here the walk is made once, when the route is declared: for those that
take no more than the request, the parts of the service, the caller, a path's parameters and a query's model. The
values are judged by the framework's own fields; where one does not fit, the framework takes the request and says so.
Does not belong here: who may ask (``routing.py``).
"""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi.dependencies.models import Dependant
from pydantic import BaseModel
from starlette.requests import Request

from dataops_api.dependencies import PLAIN

Arguments = dict[str, Any]
#: The arguments, or None where they are for the framework to judge.
Reader = Callable[[Request], Arguments | None]


def reader_of(dependant: Dependant) -> Reader | None:
    """What finds the arguments of a route with this description; None: only the framework can."""
    plain = {one.name: PLAIN.get(one.call) for one in dependant.dependencies if one.name is not None}
    others = (dependant.header_params, dependant.cookie_params, dependant.body_params)
    names = (dependant.response_param_name, dependant.background_tasks_param_name, dependant.websocket_param_name)
    if None in plain.values() or any(others) or any(names) or len(plain) < len(dependant.dependencies):
        return None
    model = _model_of(dependant)
    if model is None and dependant.query_params:
        return None
    request_name, path = dependant.request_param_name, tuple(dependant.path_params)
    getters = {name: get for name, get in plain.items() if get is not None}

    def read(request: Request) -> Arguments | None:
        arguments: Arguments = {name: get(request) for name, get in getters.items()}
        for field in path:
            value, errors = field.validate(request.path_params[field.alias], arguments, loc=("path", field.alias))
            if errors:
                return None
            arguments[field.name] = value
        if model is not None:
            given = dict(request.query_params) if request.scope["query_string"] else {}
            value, errors = model.validate(given, arguments, loc=("query",))
            if errors:
                return None
            arguments[model.name] = value
        if request_name is not None:
            arguments[request_name] = request
        return arguments

    return read


def _model_of(dependant: Dependant) -> Any:
    """The field of the query's model, where all of the query is one whose fields are single values."""
    if len(dependant.query_params) != 1:
        return None
    (field,) = dependant.query_params
    annotation = field.field_info.annotation
    if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        return None
    lists: Mapping[str, Any] = {
        name: one for name, one in annotation.model_fields.items() if "list" in str(one.annotation).lower()
    }
    return None if lists else field
