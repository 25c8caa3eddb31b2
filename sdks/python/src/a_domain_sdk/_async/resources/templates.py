"""``client.templates``: the catalog that datasets are made from."""

from __future__ import annotations

import builtins
from collections.abc import Sequence

from a_domain_sdk._async.session import AsyncSession
from a_domain_sdk._call import Call, Id, path_of, without_nothing
from a_domain_sdk.models import (
    DatasetType,
    Industry,
    Recommendation,
    Stage,
    Template,
    TemplateDetails,
)
from a_domain_sdk.models.templates import Recommendations, TemplateList
from a_domain_sdk.requests import ClientMetadata


class AsyncTemplates:
    """Templates."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def list(
        self, *, industry: Industry | None = None, use_case: str | None = None, dataset_type: str | None = None
    ) -> builtins.list[Template]:
        """All templates that match."""
        parameters = {"industry": industry, "use_case": use_case, "dataset_type": dataset_type}
        call = Call("GET", "/templates", TemplateList.model_validate, parameters=parameters)
        return (await self._session.run(call)).templates

    async def get(self, template_id: Id) -> TemplateDetails:
        """One template in detail. Raises NotFoundError."""
        return await self._session.run(Call("GET", f"/templates{path_of(template_id)}", TemplateDetails.model_validate))

    async def recommend(
        self, *, client_metadata: ClientMetadata, dataset_types: Sequence[DatasetType | str], stage: Stage
    ) -> builtins.list[Recommendation]:
        """Which template of each type suits the customer best, in the order asked, each with up to three alternatives.

        Raises InvalidRequestError for a type that has no template.
        """
        call = Call(
            "POST",
            "/templates/recommend",
            Recommendations.model_validate,
            body=without_nothing(client_metadata=client_metadata, dataset_types=dataset_types, stage=stage),
            repeat="freely",
        )
        return (await self._session.run(call)).recommendations
