"""``client.templates``: the catalog that datasets are made from."""

from __future__ import annotations

import builtins

from a_domain_sdk import _calls
from a_domain_sdk._call import Id
from a_domain_sdk._session import Session
from a_domain_sdk.models import Industry, Template, TemplateDetails


class Templates:
    """Templates."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def list(
        self, *, industry: Industry | None = None, use_case: str | None = None, dataset_type: str | None = None
    ) -> builtins.list[Template]:
        """All templates that match."""
        parameters = {"industry": industry, "use_case": use_case, "dataset_type": dataset_type}
        return self._session.run(_calls.list_templates(parameters)).templates

    def get(self, template_id: Id) -> TemplateDetails:
        """One template in detail. Raises NotFoundError."""
        return self._session.run(_calls.get_template(template_id))
