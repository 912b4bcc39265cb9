"""Whether words are a whole command, or the name of one with nothing to work on."""

_OPERANDS = {
    **dict.fromkeys(
        (
            "gofmt sed awk cat cp mv rm chmod curl wget diff wc cd source echo find test python "
            "python3 node bash sh zsh fish npx uvx head tail stat readlink shellcheck"
        ).split(),
        1,
    ),
    **dict.fromkeys(("grep", "egrep"), 2),
    **dict.fromkeys(("rg", "jq"), 1),
}
_OF_SUBCOMMANDS = {
    "git": frozenset(
        "mv rm add merge rebase cherry-pick revert restore checkout switch apply blame tag "
        "clone config".split()
    ),
    "go": frozenset(("get", "run", "install", "tool")),
    "npm": frozenset(("run",)),
    "npx": frozenset(("tsx", "ts-node")),
    "pnpm": frozenset(("run", "add", "exec")),
    "yarn": frozenset(("run", "add")),
    "uv": frozenset(("run", "add", "pip")),
    "cargo": frozenset(("add",)),
    "docker": frozenset(("run", "exec")),
    "gh": frozenset("pr issue run workflow release repo api".split()),
    "kubectl": frozenset(("get", "apply", "delete")),
}
_SHELLS = frozenset(("bash", "sh", "zsh", "fish"))
_TIES = frozenset("|;&<>")


def lacks_operands(command: str) -> bool:
    """Return whether a command has only options where its program needs something to work on.

    `gofmt -l` and `git mv` in a sentence speak of a command; run, they wait for input or fail.
    """
    if not _TIES.isdisjoint(command):
        return False
    name, *rest = command.split()
    operands = [word for word in rest if not word.startswith("-")]
    if name == "go" and operands and operands[0][:1].isdigit():
        # A line of go.mod, no command.
        return True
    if name in _OF_SUBCOMMANDS and operands:
        is_follow = rest[:2] == ["log", "--follow"]
        return len(operands) < 2 and (operands[0] in _OF_SUBCOMMANDS[name] or is_follow)
    if name in ("grep", "egrep") and any(_is_recursive(word) for word in rest):
        return not operands
    if name in _SHELLS and "-c" not in rest:
        return not any("/" in word or "." in word for word in operands)
    if name in ("python", "python3", "node") and rest:
        return not operands and rest[-1] in ("-c", "-m", "-e")
    return len(operands) < _OPERANDS.get(name, 0)


def _is_recursive(option: str) -> bool:
    short = option.startswith("-") and not option.startswith("--")
    return option == "--recursive" or (short and not {"r", "R", "f", "e"}.isdisjoint(option))
