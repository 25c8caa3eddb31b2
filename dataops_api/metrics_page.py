"""``/metrics``: who may read the service's figures. They name no customer, so that no token is asked for.

By default only programs on the same machine may (``DATAOPS_METRICS=loopback``); behind a proxy the address that counts
is the one that the proxy tells of. To anybody else, and where nothing is counted, there is no such page.
"""

from ipaddress import ip_address

from starlette.requests import Request
from starlette.responses import Response

from dataops_api.dependencies import Service
from dataops_api.routing import PUBLIC, Routes
from dataops_core.errors import NotFoundError

METRICS_PATH = "/metrics"

routes = Routes(tag="Health")


@routes.add("GET", METRICS_PATH, access=PUBLIC, summary="Figures for Prometheus", listed=False)
def metrics(request: Request, parts: Service) -> Response:
    """The figures in Prometheus' text form."""
    rendered = parts.meter.render() if parts.settings.metrics == "on" or _is_near(request) else None
    if rendered is None:
        raise NotFoundError("There is no such resource")
    content, media_type = rendered
    return Response(content, headers={"Content-Type": media_type, "Cache-Control": "no-store"})


def _is_near(request: Request) -> bool:
    try:
        return request.client is not None and ip_address(request.client.host).is_loopback
    except ValueError:
        return False
