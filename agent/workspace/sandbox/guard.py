"""Stands between prp and a command whose sandbox does not end it: whatever happens, it cleans up.

Started as `python -I -S guard.py FD PRP`, where FD is open on a JSON object and PRP is at its end
once prp is gone; imports nothing of ours, and any Python 3.9 will do. Three processes: the one that
prp started and may kill at any time, the guard in a session of its own, and the command. The guard
notices that the first one is gone by a pipe, that prp was gone before that one began by PRP, that
the command is over by SIGCHLD, and then ends everything that the command has started.
"""

import json
import os
import select
import signal
import sys
import time
from typing import Any

_SUBREAPER, _DIE_WITH_PARENT = 36, 1


def main() -> None:
    """Run what is ordered and end with its status."""
    with os.fdopen(int(sys.argv[1]), encoding="utf-8") as file:
        order = json.load(file)
    prp = int(sys.argv[2])
    os.set_inheritable(prp, False)
    started_by = os.getppid()
    alive, held = os.pipe()
    guard = os.fork()
    if guard == 0:
        os.close(held)
        os._exit(_guard(order, (alive, prp)))
    os.close(alive)
    _silence()
    _control(_DIE_WITH_PARENT, signal.SIGKILL)
    if os.getppid() == started_by:
        os._exit(_code(os.waitpid(guard, 0)[1]))


def _guard(order: dict[str, Any], alive: "tuple[int, int]") -> int:
    os.setsid()
    _control(_SUBREAPER, 1)
    ended, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    private = _private_folder(order.get("private", ""))
    command = os.fork()
    if command == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _become(order, private)
    _silence()
    status = None
    while status is None:
        ready, _, _ = select.select([*alive, ended], [], [])
        if ready != [ended]:
            status = 128 + signal.SIGKILL
            break
        os.read(ended, 4096)
        status = _reap(command)
    if order.get("after"):
        _run(order["after"], order["environment"])
    _end_all()
    _remove(private)
    return status


def _become(order: dict[str, Any], private: str) -> None:
    """Turn into the command, confined where a program is named for that."""
    words = [word.replace("{private}", private) for word in order["argv"]]
    environment = {k: v.replace("{private}", private) for k, v in order["environment"].items()}
    try:
        if order.get("confine"):
            with open(order["confine"], encoding="utf-8") as file:  # noqa: PTH123 - starts faster
                code = compile(file.read(), order["confine"], "exec")
            names: dict[str, Any] = {"__name__": "confine"}
            exec(code, names)  # noqa: S102 - a file of ours, beside this one
            names["confine"](order["policy"], private)
        os.execve(words[0], words, environment)  # noqa: S606 - that is what it is for
    except BaseException as error:  # noqa: BLE001 - whatever it is, nothing may run unconfined
        sys.stderr.write(f"prp: the sandbox could not be set up: {error}\n")
        sys.stderr.flush()
    os._exit(125)


def _reap(command: int) -> "int | None":
    """Collect whoever has ended; return the command's status once it is among them."""
    status = None
    try:
        while True:
            process, found = os.waitpid(-1, os.WNOHANG)
            if process == 0:
                return status
            if process == command:
                status = _code(found)
    except ChildProcessError:
        return status


def _end_all() -> None:
    """Kill everything below this process until nothing is left."""
    while True:
        for process in _below(os.getpid()):
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.002)


def _below(root: int) -> "list[int]":
    children: dict[int, list[int]] = {}
    for process, parent in _parents():
        children.setdefault(parent, []).append(process)
    found, waiting = [], [root]
    while waiting:
        more = children.get(waiting.pop(), [])
        found += more
        waiting += more
    return found


def _parents() -> "list[tuple[int, int]]":
    if not os.path.isdir("/proc/self"):  # noqa: PTH112 - starts faster
        with os.popen("/bin/ps -A -o pid=,ppid=") as listed:  # noqa: S605 - no word of others
            return [tuple(map(int, line.split())) for line in listed]  # type: ignore[misc]
    found = []
    for name in os.listdir("/proc"):  # noqa: PTH208 - starts faster
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123 - starts faster
                    parent = int(file.read().rpartition(b")")[2].split()[1])
            except OSError:
                continue
            found.append((int(name), parent))
    return found


def _run(words: "list[str]", environment: "dict[str, str]") -> None:
    process = os.fork()
    if process == 0:
        try:
            os.execve(words[0], words, environment)  # noqa: S606 - ours
        finally:
            os._exit(127)
    os.waitpid(process, 0)


def _private_folder(place: str) -> str:
    if not place:
        return ""
    private = os.path.join(place, f"{os.getpid()}-{os.urandom(6).hex()}")  # noqa: PTH118
    for folder in (private, f"{private}/home", f"{private}/tmp"):  # noqa: S108 - below it
        os.mkdir(folder, 0o700)  # noqa: PTH102 - starts faster
    return private


def _remove(folder: str) -> None:
    """Take a folder away; no link is followed, and nobody is left who could lay one."""
    if not folder:
        return
    for place, folders, files in os.walk(folder, topdown=True):
        os.chmod(place, 0o700)  # noqa: PTH101 - as above
        for name in files:
            os.unlink(f"{place}/{name}")  # noqa: PTH108 - as above
        for name in list(folders):
            if os.path.islink(f"{place}/{name}"):  # noqa: PTH114 - as above
                os.unlink(f"{place}/{name}")  # noqa: PTH108 - as above
                folders.remove(name)
            else:
                os.chmod(f"{place}/{name}", 0o700)  # noqa: PTH101 - as above
    for place, _, _ in os.walk(folder, topdown=False):
        os.rmdir(place)  # noqa: PTH106 - as above


def _silence() -> None:
    # Whoever reads the command's output waits until nobody holds its end.
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)


def _control(what: int, value: int) -> None:
    import ctypes  # noqa: PLC0415 - not needed on systems that have no prctl

    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(what, value, 0, 0, 0)


def _code(status: int) -> int:
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


if __name__ == "__main__":
    main()
