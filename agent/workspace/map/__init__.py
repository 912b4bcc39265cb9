"""The repository map: what there is, and what of it matters for a document, in few words."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from agent.workspace.map.listing import listing
from agent.workspace.map.ranking import Place, ranked
from agent.workspace.map.tags import Definition, Tags, is_source, tags_of
from agent.workspace.repository import Repository

_CHARACTERS_PER_TOKEN = 4
# Where there is more to say than the files' names, these get so much of the budget.
_OF_THE_FILES = 0.4
# So many files are parsed at most: those that the work is about, and those nearest to them.
_MOST_PARSED = 1_500
_MOST_SEEDS = 60
_OTHERS = frozenset("node_modules vendor third_party dist build target site-packages".split())


def repository_map(
    repository: Repository,
    commit: str,
    *,
    seeds: Collection[str] = (),
    shown: Collection[str] = (),
    text: str = "",
    budget_tokens: int = 1024,
    store: Path | None = None,
) -> str:
    """Return the tree of a commit's files, and the definitions that matter most for some of them.

    The same commit, seeds and text give the same map, to the byte.

    Args:
        repository: Where the commit is.
        commit: The commit to draw.
        seeds: Paths that the work is about; those that are not there stand for their folder.
        shown: Paths whose content the reader has anyway.
        text: What the work is, in words: paths in it are seeds, names in it count more.
        budget_tokens: About how long the map may be.
        store: File that keeps what was parsed before.

    """
    blobs = repository.blobs(commit)
    budget = budget_tokens * _CHARACTERS_PER_TOKEN
    wanted = [*dict.fromkeys([*sorted(seeds), *_paths_in(text, blobs)])][:_MOST_SEEDS]
    tags = _tags(repository, blobs, wanted, store)
    places = ranked(tags, seeds=wanted, mentioned=_names_in(text))
    places = [place for place in places if place.path not in shown]
    share = _OF_THE_FILES if places else 1
    files = listing(list(blobs), int(budget * share))
    outline = _outline(places, tags, budget - len(files))
    return f"{files}\n\n{outline}" if outline else files


def _tags(
    repository: Repository, blobs: Mapping[str, str], seeds: Sequence[str], store: Path | None
) -> dict[str, Tags]:
    """Return what the seeds and the files nearest to them define and name."""
    sources = [path for path in blobs if is_source(path) and (_is_own(path) or path in seeds)]
    if len(sources) <= _MOST_PARSED:
        return tags_of(repository, {path: blobs[path] for path in sources}, store=store)
    first = {path: blobs[path] for path in seeds if path in blobs}
    named = {name for one in tags_of(repository, first, store=store).values() for name in one.names}
    near = _nearest(sources, seeds, named)[:_MOST_PARSED]
    return tags_of(repository, {path: blobs[path] for path in near}, store=store)


def _is_own(path: str) -> bool:
    return _OTHERS.isdisjoint(path.split("/")[:-1])


def _nearest(sources: Iterable[str], seeds: Sequence[str], named: Collection[str]) -> list[str]:
    """Return files by their distance: seeds, what lies beside them, what bears a name in them."""
    homes = sorted({tuple(path.split("/")[:-1]) for path in seeds}) or [()]
    known: dict[str, int] = {}

    def distance(path: str) -> tuple[int, str]:
        folder, _, name = path.rpartition("/")
        if path in seeds:
            return 0, path
        if folder not in known:
            parts = folder.split("/") if folder else []
            known[folder] = min(_steps(parts, home) for home in homes)
        is_named = name.partition(".")[0] in named
        return (1 if is_named else 1 + known[folder]), path

    return sorted(sources, key=distance)


def _steps(one: Sequence[str], other: Sequence[str]) -> int:
    """Return how many folders lie between two."""
    shared = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        shared += 1
    return len(one) + len(other) - 2 * shared


def _outline(places: Sequence[Place], tags: Mapping[str, Tags], budget: int) -> str:
    """Return as many definitions as fit, file by file, those of the best files first."""
    head = "Definitions that matter here, with their lines at the base commit:"
    left = budget - len(head) - 3
    chosen: dict[str, set[Definition]] = defaultdict(set)
    for path, definition in ((place.path, place.definition) for place in places):
        new = {definition, *_around(tags[path].definitions, definition)} - chosen[path]
        cost = sum(len(_line(one)) + 1 for one in new) + (0 if chosen[path] else len(path) + 2)
        if cost > left:
            break
        left -= cost
        chosen[path] |= new
    lines = [head]
    for path, definitions in chosen.items():
        if definitions:
            ordered = sorted(definitions, key=lambda one: (one.line, one.depth))
            lines += [f"{path}:", *map(_line, ordered)]
    return "\n".join(lines) if len(lines) > 1 else ""


def _around(definitions: Sequence[Definition], inner: Definition) -> Iterable[Definition]:
    """Yield what a definition stands in."""
    depth = inner.depth
    for one in reversed(definitions[: definitions.index(inner)]):
        if one.depth < depth:
            depth = one.depth
            yield one


def _line(definition: Definition) -> str:
    return f"{definition.line:5}{'  ' * definition.depth} {definition.signature}"


_PATH = re.compile(r"[\w@.+-]+(?:/[\w@.+-]+)*\.\w+")
_NAME = re.compile(r"[A-Za-z_]\w{3,59}")


def _paths_in(text: str, known: Collection[str]) -> list[str]:
    """Return the files that a text names, by their whole path or by a name that only one has."""
    words = sorted({word.removeprefix("./") for word in _PATH.findall(text)})
    by_name: dict[str, list[str]] = defaultdict(list)
    for path in known:
        by_name[path.rpartition("/")[2]].append(path)
    found = []
    for word in words:
        if word in known:
            found.append(word)
        elif "/" not in word and len(by_name.get(word, ())) == 1:
            found += by_name[word]
    return found


def _names_in(text: str) -> set[str]:
    """Return the words of a text that look like names in code: `read_text`, `KnownFiles`."""
    words = set(_NAME.findall(text))
    return {word for word in words if "_" in word.strip("_") or not word[1:].islower()}
