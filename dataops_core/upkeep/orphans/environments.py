"""Partition keys of environments in which nothing is left, and environments without their key.

A key goes only while its environment is held: no operation can be accepted there meanwhile, and one that is accepted
afterwards adds the key anew before its run is launched. A key that a run in flight uses stays, since without it that
run would fail.
"""

from collections.abc import Callable, Iterator

from dataops_core.lifecycle import Environment
from dataops_core.registry import environments, orphans
from dataops_core.upkeep.orphans.model import Finding, Kind, Scene


def find(scene: Scene) -> Iterator[Finding]:
    """Keys without an environment in use, and environments in use without a key."""
    keys = set(scene.keys.all())
    with scene.services.database.transaction() as session:
        in_use = orphans.environments_in_use(session)
        left = {key: _environment(key) for key in sorted(keys - in_use)}
        since = orphans.environments_left_since(session, [one for one in left.values() if one is not None])
    in_flight = scene.keys.in_flight() if left else ()
    for key, environment in left.items():
        if key in in_flight:
            continue
        why = "no dataset and no operation is there" if environment is not None else "it is no environment's"
        yield Finding(
            Kind.PARTITION,
            key,
            f"Partition {key}: {why}.",
            "Delete the key.",
            since.get(key),
            _delete(scene, key, environment),
        )
    missing = sorted(in_use - keys)
    if missing:
        yield Finding(
            Kind.PARTITION_MISSING,
            missing[0] if len(missing) == 1 else f"{len(missing)} environments",
            f"{len(missing)} environment(s) with datasets have no partition in Dagster ({', '.join(missing[:5])}).",
            "Add the keys.",
            mend=lambda: _add(scene, missing),
        )


def _add(scene: Scene, missing: list[str]) -> bool:
    scene.keys.add(missing)
    return True


def _delete(scene: Scene, key: str, environment: Environment | None) -> Callable[[], bool]:
    def mend() -> bool:
        with scene.services.database.transaction() as session:
            if environment is not None and (
                not environments.take(session, environment) or orphans.environment_in_use(session, environment)
            ):
                return False
            if key in scene.keys.in_flight():
                return False
            scene.keys.remove(key)
            return True

    return mend


def _environment(key: str) -> Environment | None:
    try:
        environment = Environment.parse(key)
    except ValueError:
        return None
    return environment if environment.partition_key == key else None
