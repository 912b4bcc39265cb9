"""Which definitions somebody needs who works on some files: PageRank over who names whom."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import log, sqrt

from agent.workspace.map.tags import Definition, Tags

_ROUNDS = 12
_GOES_ON = 0.85
# What so many files define (`main`, `run`) says nothing about who means whom.
_MOST_DEFINERS = 12
_MENTIONED = 8.0
_PRIVATE = 0.2
_IMPORTED = 20.0
_FOR_THEIR_FOLDER = ("__init__", "index", "mod", "lib")


@dataclass(frozen=True, kw_only=True)
class Place:
    """A definition in its file."""

    path: str
    definition: Definition


def ranked(
    tags: Mapping[str, Tags], *, seeds: Collection[str], mentioned: Collection[str]
) -> list[Place]:
    """Return the definitions of all files, the most useful first.

    A file hands its rank on to those that define what it names; who starts at the seeds and goes
    on like that comes by some places often. What the seeds define comes first of all.

    Args:
        tags: What each file defines and names.
        seeds: The files that the work is about.
        mentioned: Names that count more, whoever has them.

    """
    edges = _edges(tags, mentioned)
    ranks = _ranks(sorted(tags), edges, seeds=set(seeds) & tags.keys())
    worth: dict[tuple[str, str], float] = defaultdict(float)
    for source, targets in sorted(edges.items()):
        whole = sum(targets.values())
        for (path, name), weight in targets.items():
            worth[path, name] += ranks[source] * weight / whole
    places = [
        Place(path=path, definition=definition)
        for path, one in tags.items()
        for definition in one.definitions
    ]

    def order(place: Place) -> tuple[bool, bool, float, str, int]:
        name, path = place.definition.name, place.path
        is_seed, is_private = path in seeds, name.startswith("_")
        value = worth.get((path, name), 0.0) + ranks[path] / 100
        return not is_seed, is_seed and is_private, -value, path, place.definition.line

    return sorted(places, key=order)


def _edges(
    tags: Mapping[str, Tags], mentioned: Collection[str]
) -> dict[str, dict[tuple[str, str], float]]:
    """Return how strongly each file points to which definitions in which others."""
    definers: dict[str, set[str]] = defaultdict(set)
    naming = Counter(name for one in tags.values() for name in one.names)
    for path, one in tags.items():
        for definition in one.definitions:
            definers[definition.name].add(path)
    edges: dict[str, dict[tuple[str, str], float]] = {}
    for path, one in tags.items():
        targets: dict[tuple[str, str], float] = {}
        for name, count in sorted(one.names.items()):
            places = definers.get(name, ())
            if path in places or not 0 < len(places) <= _MOST_DEFINERS:
                continue
            # A name that is everywhere (`text`, `name`) is somebody's own variable.
            weight = sqrt(count) / len(places) * log(1 + len(tags) / naming[name]) ** 2
            weight *= _MENTIONED if name in mentioned else 1.0
            weight *= _PRIVATE if name.startswith("_") else 1.0
            for place in sorted(places):
                is_imported = not _names_of(place).isdisjoint(one.names)
                targets[place, name] = weight * (_IMPORTED if is_imported else 1.0)
        if targets:
            edges[path] = targets
    return edges


@lru_cache(maxsize=10_000)
def _names_of(path: str) -> frozenset[str]:
    """Return what a file is imported as: its own name, or its folder's."""
    folder, _, name = path.rpartition("/")
    stem = name.partition(".")[0]
    is_folders = stem in _FOR_THEIR_FOLDER or name.endswith(".go")
    return frozenset((folder.rpartition("/")[2] if is_folders else stem,))


def _ranks(
    paths: list[str],
    edges: Mapping[str, Mapping[tuple[str, str], float]],
    *,
    seeds: Collection[str],
) -> dict[str, float]:
    """Return each file's rank, all of them together one."""
    starts = sorted(seeds) or paths
    start = dict.fromkeys(paths, 0.0) | dict.fromkeys(starts, 1.0 / max(len(starts), 1))
    shares: dict[str, dict[str, float]] = {}
    for source, targets in edges.items():
        whole = sum(targets.values())
        share: dict[str, float] = defaultdict(float)
        for (path, _), weight in targets.items():
            share[path] += weight / whole
        shares[source] = share
    ranks = start
    for _ in range(_ROUNDS):
        # Who points to nobody hands its rank back to where everybody starts.
        lost = sum(rank for path, rank in ranks.items() if path not in shares)
        after = {path: (1 - _GOES_ON + _GOES_ON * lost) * begun for path, begun in start.items()}
        for source, share in shares.items():
            if rank := ranks[source]:
                for path, part in share.items():
                    after[path] += _GOES_ON * rank * part
        ranks = after
    return ranks
