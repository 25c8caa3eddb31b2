"""Connectors that serve nobody, and what the embedded engine keeps on disk for no connector.

A connector whose dataset is gone or archived is disconnected, through the connector service as in a teardown. Index
files are looked at where they lie on this machine; they are removed under the connector's lock, which every upload has.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from dataops_core.connectors.embedded import index
from dataops_core.connectors.embedded.files import IndexFiles
from dataops_core.connectors.protocol import ConnectorSpec
from dataops_core.lifecycle import DatasetStatus
from dataops_core.registry import connectors, operations, orphans
from dataops_core.registry.orphans import PAGE
from dataops_core.registry.tables import Connector, Dataset
from dataops_core.upkeep.orphans.model import Finding, Kind, Scene, batches


def find(scene: Scene) -> Iterator[Finding]:
    """All of them."""
    yield from _serving_nobody(scene)
    yield from _tokens(scene)
    files = IndexFiles(scene.services.settings.data_path)
    yield from _uploads(scene, files)
    yield from _index_files(scene, files)
    yield from _missing(scene, files)


def _serving_nobody(scene: Scene) -> Iterator[Finding]:
    with scene.services.database.transaction() as session:
        found = orphans.connectors_without_dataset(session)
    for connector, since in found:
        yield Finding(
            Kind.CONNECTOR,
            str(connector.connector_id),
            f"Connector {connector.connector_id} is {connector.status}, and its dataset {connector.dataset_id} is gone "
            "or archived.",
            "Disconnect it, revoke its tokens, remove its index.",
            since,
            _disconnect(scene, connector),
        )


def _disconnect(scene: Scene, connector: Connector) -> Callable[[], bool]:
    def mend() -> bool:
        with scene.services.database.transaction() as session:
            if session.get(Dataset, connector.dataset_id) is not None:
                # Held until it is done: a restore, which makes a connector of its own, begins afterwards.
                held = orphans.hold_idle(session, connector.dataset_id)
                if held is None or held.status is not DatasetStatus.ARCHIVED:
                    return False
            spec = ConnectorSpec(connector.connector_id, name="", object_type="", category="", url_regex="", facets=())
            scene.services.connector.teardown(spec)
            connectors.disconnect(session, connector.connector_id, now=scene.now)
            return True

    return mend


def _tokens(scene: Scene) -> Iterator[Finding]:
    with scene.services.database.transaction() as session:
        found = orphans.useless_tokens(session)
    for connector_id, count in found:

        def mend(connector_id: UUID = connector_id) -> bool:
            with scene.services.database.transaction() as session:
                return orphans.revoke_useless_tokens(session, connector_id, now=scene.now) > 0

        yield Finding(
            Kind.TOKENS,
            str(connector_id),
            f"{count} token(s) of connector {connector_id} are not revoked though it is disconnected.",
            "Revoke them.",
            mend=mend,
        )


def _uploads(scene: Scene, files: IndexFiles) -> Iterator[Finding]:
    with scene.services.database.transaction() as session:
        found = orphans.open_uploads(session)
    for connector in found:
        upload = connector.upload or {}
        spool = files.spool(connector.connector_id, upload["upload_id"])
        began = datetime.fromisoformat(upload["started_at"])
        yield Finding(
            Kind.UPLOAD_OPEN,
            str(connector.connector_id),
            f"Upload '{upload['upload_id']}' to connector {connector.connector_id} was begun at {upload['started_at']} "
            f"and never finished ({upload['pages']} pages).",
            "Drop it: what is served stays.",
            max(began, _changed_at([spool]) or began),
            _drop_upload(scene, files, connector),
        )


def _drop_upload(scene: Scene, files: IndexFiles, connector: Connector) -> Callable[[], bool]:
    def mend() -> bool:
        with scene.services.database.transaction() as session:
            if not connectors.try_lock(session, connector.connector_id):
                return False
            now = connectors.get(session, connector.connector_id)
            if now is None or now.upload != connector.upload or operations.active_of(session, connector.dataset_id):
                return False
            connectors.set_upload(session, connector.connector_id, None)
            index.discard(files.spool(connector.connector_id, (connector.upload or {})["upload_id"]))
            return True

    return mend


def _index_files(scene: Scene, files: IndexFiles) -> Iterator[Finding]:
    for ids in batches(files.connectors(), PAGE):
        with scene.services.database.transaction() as session:
            known = orphans.known_connectors(session, ids)
        for connector_id in ids:
            left = _left_over(files, connector_id, known.get(connector_id))
            if not left:
                continue
            why = "nothing points to them" if connector_id in known else "there is no such connector, or not any more"
            yield Finding(
                Kind.INDEX_FILES,
                f"connectors/{connector_id}",
                f"{len(left)} file(s) in connectors/{connector_id}: {why}.",
                "Remove them.",
                _changed_at(left) or scene.now,
                _remove_files(scene, files, connector_id),
            )


def _left_over(files: IndexFiles, connector_id: UUID, connector: Connector | None) -> list[Path]:
    """What lies in the connector's folder for nobody; the folder itself where nothing of it is anybody's."""
    if connector is None:
        return [*files.listed(connector_id), files.folder(connector_id)]
    kept = {path.name for path in files.pointed_to(connector_id, connector.generation, connector.upload)}
    return [
        path
        for path in files.listed(connector_id)
        if path.name not in kept and path.name.removesuffix("-journal") not in kept
    ]


def _remove_files(scene: Scene, files: IndexFiles, connector_id: UUID) -> Callable[[], bool]:
    def mend() -> bool:
        with scene.services.database.transaction() as session:
            if not connectors.try_lock(session, connector_id):
                return False
            connector = orphans.known_connectors(session, [connector_id]).get(connector_id)
            left = _left_over(files, connector_id, connector)
            changed_at = _changed_at(left)
            if changed_at is None or scene.now - changed_at < scene.grace:
                return False
            if connector is None:
                files.remove(connector_id)
            for path in left if connector is not None else ():
                index.discard(path)
            return True

    return mend


def _missing(scene: Scene, files: IndexFiles) -> Iterator[Finding]:
    """Connectors whose index is not there, where this machine has the indexes at all."""
    after = None
    while files.are_here():
        with scene.services.database.transaction() as session:
            page = orphans.serving(session, after=after)
        for connector_id, generation in page:
            if not files.index(connector_id, generation).is_file() and _still_missing(scene, files, connector_id):
                yield Finding(
                    Kind.INDEX_MISSING,
                    str(connector_id),
                    f"Connector {connector_id} serves '{generation}', and that file is not there. "
                    "Rerun the provisioning of its dataset in Dagster from `index` on.",
                )
        if len(page) < PAGE:
            return
        after = page[-1][0]


def _still_missing(scene: Scene, files: IndexFiles, connector_id: UUID) -> bool:
    """Looked at again: somebody may have replaced or removed the index since the page was read."""
    with scene.services.database.transaction() as session:
        now = orphans.serving(session, one=connector_id)
    return any(not files.index(connector_id, generation).is_file() for _, generation in now)


def _changed_at(paths: list[Path]) -> datetime | None:
    """When the newest of these files changed; None where none is there."""
    times = []
    for path in paths:
        try:
            times.append(path.stat().st_mtime)
        except FileNotFoundError:
            continue
    return datetime.fromtimestamp(max(times), UTC) if times else None
