"""What a branch changes, file by file, as text."""

from dataclasses import dataclass

from agent.workspace import Repository

# What is bigger was not written by hand.
_MOST_BYTES = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Edited:
    """One file that differs between the base commit and the branch."""

    path: str
    before: str | None
    """Its text on the base commit; None where it is new or no text."""
    after: str | None
    """Its text on the branch; None where it was deleted or is no text."""

    @property
    def added_lines(self) -> tuple[tuple[int, str], ...]:
        """Return the lines that only the branch has, with their numbers in its file."""
        before: dict[str, int] = {}
        for line in (self.before or "").splitlines():
            before[line] = before.get(line, 0) + 1
        added = []
        for number, line in enumerate((self.after or "").splitlines(), 1):
            if before.get(line, 0):
                before[line] -= 1
            else:
                added.append((number, line))
        return tuple(added)


def edits_between(repository: Repository, base: str, commit: str) -> tuple[Edited, ...]:
    """Return the text files that differ between two commits."""
    return tuple(
        Edited(
            path=file.path,
            before=None if file.status == "A" else _text(repository, base, file.path),
            after=None if file.status == "D" else _text(repository, commit, file.path),
        )
        for file in repository.changed(base, commit)
    )


def _text(repository: Repository, commit: str, path: str) -> str | None:
    content = repository.read(commit, path)
    if len(content) > _MOST_BYTES or b"\0" in content:
        return None
    return content.decode("utf-8", "replace")
