"""Leaving a run's journal and reports where the whole team finds them."""

from typing import Any

from agent.errors import EnvironmentProblem
from agent.runs.folder import RunFolder


def store(folder: RunFolder, url: str) -> None:
    """Copy what people read of a run below a storage address.

    Args:
        folder: The run's.
        url: A path, or an address such as `s3://bucket/prefix`; the run gets a folder of its own.

    Raises:
        EnvironmentProblem: The storage can't be written, or its library is not installed.

    """
    import fsspec  # noqa: PLC0415 - only for a fleet

    try:
        storage, place = fsspec.core.url_to_fs(url)
        _copy(folder, storage, f"{place.rstrip('/')}/{folder.id}")
    # Each kind of storage has errors of its own.
    except Exception as error:
        raise EnvironmentProblem(
            f"The run's report can't be left at {url}: {type(error).__name__}: {error}",
            hint="It stays in this machine's folder of the run.",
        ) from error


def _copy(folder: RunFolder, storage: Any, place: str) -> None:
    storage.makedirs(place, exist_ok=True)
    for file in (folder.journal, folder.report, folder.page, folder.summary):
        if file.exists():
            storage.pipe_file(f"{place}/{file.name}", file.read_bytes())
