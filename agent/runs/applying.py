"""What a run changed, and how it comes into the person's own checkout."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agent.deliver import Story, tell
from agent.errors import EnvironmentProblem, NeedsApproval, SettingsError
from agent.journal import read_events
from agent.runs.folder import RunFolder
from agent.workspace import Checkout, How, Repository, by_hand
from agent.workspace.surroundings import find_root


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """The commits that a run left on its branch."""

    run: str
    repository: Repository
    branch: str
    base: str
    commit: str
    outcome: str
    reason: str
    title: str
    counts: str
    """How many criteria have which status, in words."""

    @property
    def is_proven(self) -> bool:
        """Return whether the run's verdict was that every criterion holds."""
        return self.outcome == "proven"

    def patch(self) -> bytes:
        """Return everything that the run changed as one patch of git, binary files too."""
        return self.repository.patch(self.base, self.commit)

    def stat(self) -> str:
        """Return the changed files with their numbers of lines."""
        return self.repository.patch(self.base, self.commit, "--stat").decode("utf-8", "replace")


def delivered(folder: RunFolder) -> Delivered:
    """Return what a run left on its branch.

    Raises:
        SettingsError: It has no journal, has not ended, or changed nothing.
        EnvironmentProblem: Its repository or its commits are gone.

    """
    try:
        story = tell(read_events(folder.journal))
    except FileNotFoundError:
        raise SettingsError(f"{folder.path} holds no journal") from None
    ended = story.ended
    if not ended:
        raise SettingsError(
            f"Run {folder.id} has not ended",
            hint=f"prp wait {folder.id} waits for it, prp resume {folder.id} takes it up.",
        )
    if not ended["branch"] or ended["commit"] == story.started["base"]:
        raise SettingsError(f"Run {folder.id} changed nothing: {ended['reason']}")
    repository = Repository.open(Path(story.started["repository"]))
    return Delivered(
        run=folder.id,
        repository=repository,
        branch=ended["branch"],
        base=story.started["base"],
        commit=repository.resolve(ended["commit"]),
        outcome=ended["outcome"],
        reason=ended["reason"],
        title=" ".join(story.started["title"].split()),
        counts=_counts(story),
    )


def _counts(story: Story) -> str:
    statuses = [event["status"] for event in story.criteria.get(story.delivered, {}).values()]
    return ", ".join(f"{statuses.count(one)} {one}" for one in dict.fromkeys(statuses))


def require_at_hand(done: Delivered, folder: Path) -> None:
    """Refuse to change another checkout than the one that the person stands in.

    Outside of any repository there is none to mix it up with.

    Raises:
        SettingsError: The folder belongs to another repository, or to another worktree of it.

    """
    here, there = find_root(folder), done.repository.root
    if here and here != there.resolve():
        raise SettingsError(
            f"Run {done.run} belongs to {there}, not to {here}",
            hint=f"Go there first (cd {shlex.quote(str(there))}), or name a run of this project.",
        )


@dataclass(frozen=True, kw_only=True)
class Joined:
    """What became of the person's checkout."""

    branch: str
    commit: str
    was_there: bool = False


def take_in(
    done: Delivered, how: How, *, ask: Callable[[list[str]], bool] | None, anyway: bool
) -> Joined:
    """Take a run's commits into the branch that is checked out.

    Only the commit that the verdict is about is taken, wherever the branch stands now.

    Args:
        done: What the run left.
        how: Merge, cherry-pick, or squash into one commit.
        ask: Shows the person what would happen and returns the answer; None takes it for yes.
        anyway: Take commits too that no verdict calls proven.

    Raises:
        NeedsApproval: The run is not proven and `anyway` is not said, or the person said no.
        EnvironmentProblem: The checkout is not free, or the commits do not fit.

    """
    checkout = Checkout.of(done.repository)
    if checkout.has(done.base, done.commit):
        return Joined(branch=checkout.branch, commit=done.commit, was_there=True)
    if checkout.branch == done.branch:
        raise EnvironmentProblem(
            f"{done.branch} itself is checked out, at another commit than the verdict is about",
            hint="Check out the branch that it should come into.",
        )
    if not done.is_proven and not anyway:
        raise NeedsApproval(
            f"The run ended as {done.outcome}: {done.reason}",
            hint="Look at it with prp report and prp diff; prp apply --anyway takes it as it is.",
        )
    checkout.require_free()
    checkout.require_plain(done.commit, by_hand=by_hand(how, done.base, done.commit))
    if ask and not ask(_told(done, checkout, how)):
        raise NeedsApproval("Nothing was applied")
    commit = checkout.join(done.base, done.commit, how, f"{done.title} ({done.branch})")
    return Joined(branch=checkout.branch, commit=commit)


def _told(done: Delivered, checkout: Checkout, how: How) -> list[str]:
    files = done.repository.changed(done.base, done.commit)
    number = checkout.commits(done.base, done.commit)
    tip = done.repository.resolve(done.branch) if done.repository.has_branch(done.branch) else ""
    moved = tip and tip != done.commit
    return [
        f"{done.title}: {done.outcome}{f' ({done.counts})' if done.counts else ''}",
        *(f"  {file.status} {file.path}" for file in files[:20]),
        *([f"  and {len(files) - 20} files more"] if len(files) > 20 else []),
        *([f"{done.branch} has moved since; only {done.commit[:12]} is taken"] if moved else []),
        f"{how} {number} commit{'s' if number != 1 else ''} of {done.branch} "
        f"({done.commit[:12]}) into {checkout.branch} of {done.repository.root}",
    ]
