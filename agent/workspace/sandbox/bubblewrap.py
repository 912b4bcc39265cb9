"""Linux namespaces by bubblewrap: reading is denied by default, and there is no network."""

import itertools
import re
import resource
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from agent.workspace.history import Histories
from agent.workspace.sandbox.confinement import SHELL, Confinement, Launch
from agent.workspace.sandbox.outward import shown_beside, through_proxy

# Unknown repositories name their own tools in the configuration; these keys say how files look.
_GIT_CONFIG = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n"
ETC = (
    "passwd",
    "group",
    "nsswitch.conf",
    "hosts",
    "host.conf",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "timezone",
    "ssl",
    "ca-certificates",
    "alternatives",
    "mime.types",
    "os-release",
    "protocols",
    "services",
)
LINKED = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_MIB = 1024 * 1024
# bwrap binds itself to the life of prp late in its own start: who is killed before that leaves it
# behind. By the time this runs inside it has done so, and nothing of the command has begun.
_UNLESS_PRP_IS_GONE = (
    *("/bin/bash", "--noprofile", "--norc", "-c"),
    *('alive=$0; read -t 0 -u $alive && exit 125; exec "$@" {alive}<&-', "{alive}"),
)
_LIMITS = ("--core=0", f"--fsize={1024 * _MIB}", "--nofile=4096", "--nproc=512")


class Bubblewrap:
    """Confines by `bwrap`. Every flag has a test that turns red without it."""

    name = "bubblewrap"
    lacks = ""

    def __init__(self, program: str = "/usr/bin/bwrap", *, state: Path) -> None:
        """Use the program; `state` is a folder for the few files that are shown inside."""
        self._program = program
        self._config = state / "git-config"
        self._config.parent.mkdir(parents=True, exist_ok=True)
        self._config.write_text(_GIT_CONFIG, encoding="utf-8")
        self._histories = Histories(place=state / "histories")

    def launch(self, confinement: Confinement, script: str) -> Launch:
        """Return how to start a bash script inside.

        The arguments travel by file descriptor: on the command line they would be readable inside
        as those of process 1, with every path of the host.
        """
        prlimit = shutil.which("prlimit") or "/usr/bin/prlimit"
        limited = (*through_proxy(confinement.network), prlimit, *map(_allowed, _LIMITS))
        begun = (*_UNLESS_PRP_IS_GONE, *limited)
        return Launch(
            argv=(self._program, "--args", "{fd}", "--", *begun, *SHELL, script),
            environment={"PATH": "/usr/bin:/bin"},
            arguments=b"".join(
                word.encode("utf-8", "surrogateescape") + b"\0"
                for word in self.arguments(confinement)
            ),
        )

    def history(self, tree: Path) -> Iterable[str]:
        """Return the arguments that show git's data of a worktree."""
        return _git_metadata(tree, self._config, self._histories)

    def arguments(self, confinement: Confinement) -> list[str]:
        """Return bwrap's arguments for a command."""
        return bubblewrap_arguments(confinement, git_config=self._config, histories=self._histories)


def bubblewrap_arguments(
    confinement: Confinement, *, git_config: Path, histories: Histories
) -> list[str]:
    """Return bwrap's arguments for a command; the order of mounts matters."""
    tree, home = str(confinement.tree), confinement.environment.get("HOME", "/home/prp")
    bind = "--bind" if confinement.writable else "--ro-bind"
    return [
        *("--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"),
        *("--unshare-cgroup-try", "--disable-userns", "--die-with-parent", "--new-session"),
        *("--cap-drop", "ALL", "--hostname", "prp-sandbox", "--clearenv"),
        *_system(),
        *("--proc", "/proc", "--dev", "/dev"), *_bounded("/dev/shm", 256),  # noqa: S108
        *_bounded("/tmp", 512), *_home(confinement, home),  # noqa: S108
        *_bounded("/run", 64), *("--dir", "/var/tmp"),  # noqa: S108
        *(word for path in confinement.tools for word in ("--ro-bind", str(path), str(path))),
        *_git_metadata(confinement.tree, git_config, histories),
        *(bind, tree, tree, "--ro-bind-try", f"{tree}/.git", f"{tree}/.git"),
        *_protected(confinement.tree, confinement.protect, bind),
        *shown_beside(confinement),
        *(("--bind", folder, folder) if (folder := str(confinement.reports or "")) else ()),
        *("--remount-ro", "/dev", "--remount-ro", "/"),
        *(w for k, v in confinement.environment.items() for w in ("--setenv", k, v)),
        *("--chdir", tree),
    ]  # fmt: skip


def _allowed(limit: str) -> str:
    """Return a limit as it is, or the machine's own where that is lower: nobody may raise it."""
    name, _, most = limit.partition("=")
    hard = resource.getrlimit(getattr(resource, f"RLIMIT_{name.removeprefix('--').upper()}"))[1]
    return limit if hard == resource.RLIM_INFINITY else f"{name}={min(int(most), hard)}"


def _system() -> Iterable[str]:
    yield from ("--ro-bind", "/usr", "/usr")
    for name in LINKED:
        path = Path("/", name)
        if path.is_symlink():
            yield from ("--symlink", str(path.readlink()), str(path))
        elif path.is_dir():
            yield from ("--ro-bind", str(path), str(path))
    for name in ETC:
        yield from ("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")
    yield from ("--ro-bind-try", "/opt", "/opt")


def _bounded(path: str, mebibytes: int) -> Sequence[str]:
    return ("--size", str(mebibytes * _MIB), "--tmpfs", path)


def _home(confinement: Confinement, home: str) -> Sequence[str]:
    return ("--bind", str(confinement.home), home) if confinement.home else _bounded(home, 512)


def _git_metadata(tree: Path, git_config: Path, histories: Histories) -> Iterable[str]:
    """Show the history of the tree's own commit, read-only: no other branch, token or program."""
    pointer = tree / ".git"
    if pointer.is_symlink() or not pointer.is_file():
        return
    own = Path(pointer.read_text(encoding="utf-8").removeprefix("gitdir:").strip())
    common = own.parent.parent
    if not (common / "objects").is_dir():
        return
    history = histories.of(common, own)
    if history is None:
        return
    yield from ("--tmpfs", str(common))
    for name in ("objects", "HEAD", "packed-refs"):
        yield from ("--ro-bind", str(history / name), str(common / name))
    if (history / "shallow").stat().st_size:
        yield from ("--ro-bind", str(history / "shallow"), str(common / "shallow"))
    yield from ("--dir", str(common / "refs"))
    yield from ("--ro-bind-try", str(common / "info/exclude"), str(common / "info/exclude"))
    yield from ("--ro-bind", str(git_config), str(common / "config"))
    yield from ("--ro-bind", str(own), str(own))
    if (own / "config.worktree").exists():
        # git copies what the person has set there, tokens too.
        yield from ("--ro-bind", "/dev/null", str(own / "config.worktree"))
    # Its own HEAD may name a branch, and there is none.
    yield from ("--ro-bind", str(history / "HEAD"), str(own / "HEAD"))
    yield from ("--remount-ro", str(common))


_ONE = ("--size", "--tmpfs", "--dir", "--proc", "--dev", "--remount-ro", "--chdir", "--cap-drop")
_TWO = ("--bind", "--ro-bind", "--ro-bind-try", "--symlink", "--setenv")
_COUNT = dict.fromkeys((*_ONE, "--hostname"), 1) | dict.fromkeys(_TWO, 2)


def grouped(words: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Return arguments flag by flag, each with the values that belong to it."""
    rest = iter(words)
    for flag in rest:
        yield (flag, *itertools.islice(rest, _COUNT.get(flag, 0)))


def _protected(tree: Path, paths: Iterable[str], bind: str) -> Iterable[str]:
    kept, pinned = kept_and_pinned(tree, paths)
    for folder in pinned:
        yield from (bind, str(tree / folder), str(tree / folder))
    for path in kept:
        yield from ("--ro-bind", str(tree / path), str(tree / path))


def kept_and_pinned(tree: Path, paths: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the files that stay, and their folders: one that moves away could be replaced."""
    present = [path for path in sorted(set(paths)) if _is_plain(tree, path)]
    return present, sorted({str(one) for path in present for one in Path(path).parents} - {"."})


def _is_plain(tree: Path, path: str) -> bool:
    place = tree / path
    return place.is_file() and place.resolve() == place.parent.resolve() / place.name


_ADVICE = {
    r"No permissions to create new namespace|setting up uid map|RTM_NEWADDR": (
        "This system keeps users from making namespaces (Ubuntu 24.04 does). Allow bubblewrap: "
        "sudo cp /usr/share/apparmor/extra-profiles/bwrap-userns-restrict /etc/apparmor.d/ && "
        "sudo apparmor_parser -r /etc/apparmor.d/bwrap-userns-restrict; or for all programs: "
        "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0."
    ),
    r"ENOSPC|nesting": "prp runs inside of a sandbox already; run it outside of that one.",
    r"[Mm]ount proc": (
        "A container keeps /proc from being mounted; start it with --security-opt "
        "systempaths=unconfined, or run prp outside of it."
    ),
}


def advice_for(words: str) -> str:
    """Return what to do about an error of bwrap."""
    found = (hint for pattern, hint in _ADVICE.items() if re.search(pattern, words))
    return next(found, "Run `bwrap --ro-bind / / true` to see whether bubblewrap works at all.")
