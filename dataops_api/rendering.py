"""Answers in JSON, written by orjson: a page of datasets takes it a tenth of the time that the standard library takes.

What orjson does not write (an integer beyond 64 bits, which a customer's metadata may hold) the standard library does.
Answers are plain objects, whose times are text already: anything else is a bug, as ever.
"""

from typing import Any

import orjson
from starlette.responses import JSONResponse


class JSONAnswer(JSONResponse):
    """An answer in JSON."""

    def render(self, content: Any) -> bytes:
        """The body."""
        try:
            return orjson.dumps(content, option=orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS)
        except TypeError:
            return super().render(content)
