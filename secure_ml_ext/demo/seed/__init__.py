"""The demo's world: network, keys, buckets, roles, Studio, parameters and jobs that ran.

Names are fixed; ids are made by the embedded AWS and are to be looked up. Planting twice changes
nothing: what exists is found by its name and left alone.
"""

from __future__ import annotations

from . import bundle, identity, jobs, network, organisation, parameters, storage, studio
from .world import World


def plant(url: str) -> World:
    """Create everything at the embedded AWS of that URL, inside its own process."""
    world = World(url)
    network.plant(world)
    storage.plant(world)
    identity.plant(world)
    organisation.plant(world)
    bundle.plant(world)
    studio.plant(world)
    parameters.plant(world)
    jobs.plant(world)
    return world
