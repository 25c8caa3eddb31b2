"""The ground truth of a dataset: questions whose answers are known."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from a_domain_sdk._async.pages import AsyncPage
from a_domain_sdk._async.session import AsyncSession
from a_domain_sdk._call import Call, Id, Parameter, nothing, path_of
from a_domain_sdk.models.ground_truth import DefectList, PlantedDefect, Question, QuestionList
from a_domain_sdk.models.words import QuestionKind

_ZIP = "application/zip"
_MOST = 100


class AsyncGroundTruth:
    """A dataset's questions with their answers, asked for as they are used.

    async for question in client.datasets.ground_truth(dataset_id):
        ...
    """

    def __init__(self, session: AsyncSession, dataset_id: Id, kind: QuestionKind | None = None) -> None:
        self._session = session
        self._path = f"/datasets{path_of(dataset_id)}/ground-truth"
        self._kind = kind

    async def __aiter__(self) -> AsyncIterator[Question]:
        """All questions. Raises ConflictError where the dataset is not ready, GoneError where it is archived."""
        async for question in await self.page(per_page=_MOST):
            yield question

    async def page(self, page: int = 1, *, per_page: int | None = None) -> AsyncPage[Question]:
        """One page of questions (20, at most 100 by ``per_page``); iterating over it goes through all after it."""
        parameters: dict[str, Parameter] = {"format": "json", "kind": self._kind, "page": page, "per_page": per_page}
        return await AsyncPage.of(
            self._session, Call("GET", self._path, QuestionList.model_validate, parameters=parameters)
        )

    async def defects(self) -> list[PlantedDefect]:
        """What is wrong with records on purpose, the first thousand defects: all are in the archive of ``save()``."""
        parameters: dict[str, Parameter] = {"format": "json", "per_page": 1}
        call = Call("GET", self._path, DefectList.model_validate, parameters=parameters)
        return (await self._session.run(call)).items

    async def save(self, path: str | Path) -> Path:
        """Writes all questions, of every kind, with the documents to this file: a zip archive in BEIR's form.

        A file of that name is replaced when all is there, and only then.
        """
        target = Path(path)
        call = Call("GET", self._path, nothing, parameters={"format": "beir"}, headers={"Accept": _ZIP})
        aside = target.with_name(f".{target.name}.{call.request_id}")
        try:
            with aside.open("wb") as file:
                async for piece in self._session.pieces(call, _ZIP):
                    file.write(piece)
            aside.replace(target)
        finally:
            aside.unlink(missing_ok=True)
        return target

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._path}>"
