"""What the run host loads once, so that no run need load it: Dagster, the definitions, and what steps load late.

Nothing here may start a thread or leave a connection open: a fork would copy it. What is only read from files
(templates, the vocabulary), what is only computed, and the services of a run, not connected, may be here.
"""

import gc
import importlib
from pathlib import Path

from dagster._core.code_pointer import ModuleCodePointer
from dagster._core.definitions.reconstruct import ReconstructableRepository
from dagster._core.workspace.autodiscovery import loadable_targets_from_python_module

from dataops_core.generation.blocks import blocks_of
from dataops_core.provisioning.rehearsal import rehearse, rehearse_registry
from dataops_core.settings import Settings
from dataops_pipeline.resources import prepare

#: The product's own; a code location beside it is named by ``DATAOPS_RUN_MODULES``.
DEFINITIONS = "dataops_pipeline.definitions"

#: What Dagster imports when a run begins or in the middle of it.
_LATE = (
    "dagster._core.execution.plan.active",
    "dagster._core.executor.in_process",
    "dagster._core.instance.factory",
    "dagster._core.storage.local_compute_log_manager",
    "dagster._core.storage.root",
    "dagster._core.system_config.composite_descent",
    "dataops_pipeline.storage",
    "encodings.idna",
    "psycopg2.extras",
    "upath.implementations.local",
)


def preload(settings: Settings) -> None:
    """Loads everything; then what is loaded is left out of garbage collection, whose marks would copy its pages."""
    for module in _LATE:
        importlib.import_module(module)
    for module in (DEFINITIONS, *settings.run_modules.replace(",", " ").split()):
        _load_definitions(module)
    services = prepare(settings)
    services.storage.load()  # s3fs, where there is a bucket
    blocks_of(settings)  # Dask, where there is a cluster
    rehearse(services.catalog)
    rehearse_registry(services)
    gc.collect()
    gc.freeze()


def _load_definitions(module: str) -> None:
    """As a code location loads them; the result stays with the module, whatever directory a run names beside it."""
    here = str(Path.cwd())
    for target in loadable_targets_from_python_module(module, here):
        pointer = ModuleCodePointer(module, target.attribute, here)
        ReconstructableRepository(pointer).get_definition().load_all_definitions()
