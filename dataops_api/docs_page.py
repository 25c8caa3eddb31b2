"""The page at ``/docs``: Swagger UI with files of our own, and no script or style that is none (``docs/security.md``).

Does not belong here: the description that it shows (``describing.py``).
"""

import html
from importlib.resources import files

from starlette.responses import HTMLResponse, Response

from dataops_api.routing import PUBLIC, Routes
from dataops_api.security_headers import CONTENT_SECURITY_POLICY
from dataops_core.errors import NotFoundError

DOCS_PATH = "/docs"

routes = Routes(tag="Documentation")

_SHIPPED = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon-32x32.png": "image/png",
}
_START = "start.js"
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="{assets}/swagger-ui.css">
<link rel="icon" href="{assets}/favicon-32x32.png">
</head>
<body>
<div id="swagger-ui" data-description="{description}"></div>
<script src="{assets}/swagger-ui-bundle.js"></script>
<script src="{assets}/start.js"></script>
</body>
</html>
"""
# validatorUrl: else the page asks a validator on another host about every document that is not on localhost.
_START_SCRIPT = """\
SwaggerUIBundle({
  url: document.getElementById("swagger-ui").dataset.description,
  dom_id: "#swagger-ui",
  deepLinking: true,
  layout: "BaseLayout",
  presets: [SwaggerUIBundle.presets.apis],
  showCommonExtensions: true,
  showExtensions: true,
  validatorUrl: null,
});
"""
#: Swagger UI draws its arrows from data in its style sheet.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_KEPT_A_DAY = {"Cache-Control": "public, max-age=86400"}


def page(*, title: str, root: str, description: str) -> Response:
    """The page that shows the description at this path. ``root`` is where the application is mounted."""
    content = _PAGE.format(
        title=html.escape(title),
        assets=html.escape(f"{root}{DOCS_PATH}/assets"),
        description=html.escape(f"{root}{description}"),
    )
    return HTMLResponse(content, headers={CONTENT_SECURITY_POLICY.decode(): _POLICY, "Cache-Control": "no-cache"})


@routes.add("GET", f"{DOCS_PATH}/assets/{{name}}", access=PUBLIC, summary="An asset of the page", listed=False)
def docs_asset(name: str) -> Response:
    """A file of Swagger UI, as its package ships it, and the script that starts it."""
    if name == _START:
        return Response(_START_SCRIPT, media_type="text/javascript", headers=_KEPT_A_DAY)
    if name not in _SHIPPED:
        raise NotFoundError("There is no such asset")
    content = files("fastapi_swagger").joinpath("resources", name).read_bytes()
    return Response(content, media_type=_SHIPPED[name], headers=_KEPT_A_DAY)
