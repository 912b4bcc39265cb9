"""Confines the process that runs it by Landlock, seccomp and, where they can be had, namespaces.

Read by guard.py, not imported: it uses nothing of ours, and any Python 3.9 will do. Each wall that
can't be built raises, so that nothing runs with fewer walls than were promised.
"""

import ctypes
import os
import platform
import resource
import stat
import struct
import sys
from typing import Any

_LIBC = ctypes.CDLL(None, use_errno=True)
_EXECUTE, _WRITE, _READ, _LIST = 1, 2, 4, 8
_DEVICES = (1 << 6) | (1 << 11)
_ALL = (1 << 15) - 1
_ON_FILES = _EXECUTE | _WRITE | _READ | (1 << 14)
_SHOWN = _EXECUTE | _READ | _LIST
_OLDEST, _SCOPED, _WITH_IOCTL, _WITH_TCP = 3, 6, 5, 4


def confine(policy: "dict[str, Any]", private: str) -> None:
    """Build all walls around this process; what it becomes can't take them away."""
    abi = _call(444, 0, 0, 1)
    if abi < _OLDEST:
        raise OSError(f"Landlock is of version {abi}; {_OLDEST} is needed (Linux 6.2)")
    writable = [path.replace("{private}", private) for path in policy["writable"]]
    _limit(policy["limits"])
    has_namespaces = policy["namespaces"] and _into_namespaces(policy, writable)
    if not has_namespaces and abi < _SCOPED:
        raise OSError("without namespaces, version 6 of Landlock is needed (Linux 6.12)")
    os.chdir(policy["tree"])
    os.setsid()
    _control(38, 1)  # no new privileges
    for capability in range(64):
        _LIBC.prctl(24, capability, 0, 0, 0)  # out of the bounding set; beyond the last: an error
    _restrict(abi, policy["readable"], writable, has_namespaces)
    _drop_capabilities()
    _filter(has_namespaces)


def _call(number: int, *arguments: Any) -> int:
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result = int(_LIBC.syscall(ctypes.c_long(number), *words))
    if result < 0:
        _fail(f"system call {number}")
    return result


def _fail(what: str) -> None:
    raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def _control(*arguments: Any) -> None:
    if _LIBC.prctl(*arguments, *[0] * (5 - len(arguments))) != 0:
        _fail(f"prctl {arguments[0]}")


def _limit(limits: "dict[str, int]") -> None:
    for name, most in limits.items():
        kind = getattr(resource, f"RLIMIT_{name}")
        hard = resource.getrlimit(kind)[1]
        value = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (value, value))


# Namespaces


_NEW = 0x10000000 | 0x20000000 | 0x40000000 | 0x08000000 | 0x04000000 | 0x00020000
_BIND, _PRIVATE, _NOSUID = 4096, (1 << 14) | (1 << 18), 2


def _into_namespaces(policy: "dict[str, Any]", writable: "list[str]") -> bool:
    """Go on in namespaces of our own; return False where the system does not let us."""
    user, group = os.getuid(), os.getgid()
    if _LIBC.unshare(_NEW) != 0:
        return False
    for name, line in (("setgroups", "deny"), ("uid_map", user), ("gid_map", group)):
        text = str(line) if name == "setgroups" else f"{line} {line} 1"
        with open(f"/proc/self/{name}", "w", encoding="utf-8") as file:  # noqa: PTH123
            file.write(text)
    _wait_for(os.fork())  # the child is the first process of its namespace
    _control(1, 9)  # ends with its parent
    _wait_for(os.fork())
    _control(1, 9)
    _mount("none", "/", None, _PRIVATE)
    policy["readable"] += _lay_history(policy["history"])
    _lay_mounts(writable, policy["pinned"], policy["kept"])
    _open_loopback()
    return True


def _wait_for(child: int) -> None:
    """Return in the child; in the parent wait for it, and for orphans, and end as it did."""
    while child:
        process, status = os.wait()
        if process == child:
            signalled = os.WIFSIGNALED(status)
            os._exit(128 + os.WTERMSIG(status) if signalled else os.WEXITSTATUS(status))


def _lay_mounts(writable: "list[str]", pinned: "list[str]", kept: "list[str]") -> None:
    """Make everything read-only but a few folders: Landlock lets permissions be changed.

    A path that something is mounted on can't be moved, removed or replaced.
    """
    laid = [path for path in (*writable, *pinned, *kept) if os.path.lexists(path)]
    for path in laid:
        _mount(path, path, None, _BIND)
    _set_mounts("/", sets=1, recursive=True)
    for path in laid:
        if path not in kept and (path in writable or _is_below(path, writable)):
            _set_mounts(path, clears=1)
    _mount("proc", "/proc", "proc", _NOSUID)
    _mount("tmpfs", "/dev/shm", "tmpfs", _NOSUID, "size=256m")  # noqa: S108 - a new one


def _lay_history(groups: "list[list[str]]") -> "list[str]":
    """Show git's data as the words of bubblewrap say it; return where."""
    # What is laid hides what lies below: everything is opened before.
    opened = {
        group[1]: os.open(group[1], os.O_PATH | os.O_CLOEXEC)
        for group in groups
        if group[0].startswith("--ro-bind") and os.path.lexists(group[1])
    }
    shown = []
    for flag, *rest in groups:
        if flag == "--tmpfs":
            _mount("tmpfs", rest[0], "tmpfs", _NOSUID, "size=1m")
            shown.append(rest[0])
        elif flag == "--dir":
            os.makedirs(rest[0], exist_ok=True)  # noqa: PTH103 - starts faster
        elif flag.startswith("--ro-bind") and rest[0] in opened:
            _make_room(rest[1], stat.S_ISDIR(os.fstat(opened[rest[0]]).st_mode))
            _mount(f"/proc/self/fd/{opened[rest[0]]}", rest[1], None, _BIND)
    for place in opened.values():
        os.close(place)
    return shown


def _make_room(path: str, is_folder: bool) -> None:
    os.makedirs(path if is_folder else os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120
    if not is_folder and not os.path.lexists(path):
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))


def _is_below(path: str, folders: "list[str]") -> bool:
    return any(path.startswith(f"{folder}/") for folder in folders)


def _mount(source: str, target: str, kind: "str | None", flags: int, options: str = "") -> None:
    words = [os.fsencode(w) if w is not None else None for w in (source, target, kind)]
    if _LIBC.mount(*words, ctypes.c_ulong(flags), os.fsencode(options) or None) != 0:
        _fail(f"mount {target}")


def _set_mounts(path: str, *, sets: int = 0, clears: int = 0, recursive: bool = False) -> None:
    values = ctypes.create_string_buffer(struct.pack("QQQQ", sets, clears, 0, 0), 32)
    _call(442, -100, os.fsencode(path), 0x8000 if recursive else 0, values, 32)


def _open_loopback() -> None:
    import fcntl  # noqa: PLC0415 - as below
    import socket  # noqa: PLC0415 - only here

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        fcntl.ioctl(asking, 0x8914, struct.pack("16sh14x", b"lo", 0x41))


# Landlock


def _restrict(abi: int, readable: "list[str]", writable: "list[str]", has_namespaces: bool) -> None:
    handled = _ALL | ((1 << 15) if abi >= _WITH_IOCTL else 0)
    tcp = 3 if abi >= _WITH_TCP and not has_namespaces else 0
    scoped = 3 if abi >= _SCOPED else 0
    size = 24 if abi >= _SCOPED else 16 if abi >= _WITH_TCP else 8
    attributes = ctypes.create_string_buffer(struct.pack("QQQ", handled, tcp, scoped), 24)
    rules = _call(444, attributes, size, 0)
    for path in readable:
        _allow(rules, path, _SHOWN)
    for path in writable:
        _allow(rules, path, handled & ~_DEVICES & ~(1 << 15))
    for name in ("null", "zero", "full", "random", "urandom"):
        _allow(rules, f"/dev/{name}", _READ | _WRITE)
    _allow(rules, "/proc", _READ | _LIST)
    if has_namespaces:
        _allow(rules, "/dev/shm", _ALL & ~_DEVICES)  # noqa: S108 - our own
    _call(446, rules, 0)
    os.close(rules)


def _allow(rules: int, path: str, access: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(os.fstat(place).st_mode):
        access &= _ON_FILES
    _call(445, rules, 1, ctypes.create_string_buffer(struct.pack("=Qi", access, place), 12), 0)
    os.close(place)


def _drop_capabilities() -> None:
    header = ctypes.create_string_buffer(struct.pack("Ii", 0x20080522, 0), 8)
    if _LIBC.capset(header, ctypes.create_string_buffer(24)) != 0:
        _fail("capset")


# seccomp


_X86 = (
    "socket 41 ptrace 101 process_vm_readv 310 process_vm_writev 311 kcmp 312 bpf 321 "
    "perf_event_open 298 userfaultfd 323 add_key 248 request_key 249 keyctl 250 mount 165 "
    "umount2 166 pivot_root 155 chroot 161 setns 308 unshare 272 clone 56 name_to_handle_at 303 "
    "open_by_handle_at 304 kexec_load 246 kexec_file_load 320 init_module 175 delete_module 176 "
    "finit_module 313 reboot 169 swapon 167 swapoff 168 quotactl 179 acct 163 syslog 103 "
    "sethostname 170 setdomainname 171 iopl 172 ioperm 173"
)
_ARM = (
    "socket 198 ptrace 117 process_vm_readv 270 process_vm_writev 271 kcmp 272 bpf 280 "
    "perf_event_open 241 userfaultfd 282 add_key 217 request_key 218 keyctl 219 mount 40 "
    "umount2 39 pivot_root 41 chroot 51 setns 268 unshare 97 clone 220 name_to_handle_at 264 "
    "open_by_handle_at 265 kexec_load 104 kexec_file_load 294 init_module 105 delete_module 106 "
    "finit_module 273 reboot 142 swapon 224 swapoff 225 quotactl 60 acct 89 syslog 116 "
    "sethostname 161 setdomainname 162"
)
# io_uring makes sockets past every filter; the others mount, and steal descriptors.
_EVERYWHERE = (425, 426, 427, 428, 429, 430, 431, 432, 433, 438, 442)
_CLONE3 = 435
_MACHINES = {"x86_64": (0xC000003E, _X86), "aarch64": (0xC00000B7, _ARM)}
_KILL, _DENY, _UNKNOWN, _PERMIT = 0x80000000, 0x00050001, 0x00050026, 0x7FFF0000
_LOAD, _EQUAL, _ABOVE, _BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _FIRST = 0, 4, 16
# Internet and netlink, in a network of its own; a unix socket would lead to the host's services.
_FAMILIES = (2, 10, 16)
_NAMESPACES = 0x7E020080


def _filter(has_network: bool) -> None:
    """Refuse the system calls that lead out, past Landlock or into the kernel's depths."""
    if platform.machine() not in _MACHINES:
        raise OSError(f"no filter of system calls is known for {platform.machine()}")
    architecture, names = _MACHINES[platform.machine()]
    words = names.split()
    numbers = dict(zip(words[::2], map(int, words[1::2]), strict=True))
    program = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        # Those of x32 are the same calls under other numbers.
        (_ABOVE, 0, 1, 0x40000000),
        (_RETURN, 0, 0, _DENY),
        (_EQUAL, 0, 1, _CLONE3),
        (_RETURN, 0, 0, _UNKNOWN),
    ]
    socket, clone = numbers.pop("socket"), numbers.pop("clone")
    for number in (*numbers.values(), *_EVERYWHERE):
        program += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _DENY)]
    program += [
        *((_EQUAL, 0, 4, clone), (_LOAD, 0, 0, _FIRST), (_BITS, 0, 1, _NAMESPACES & ~0x80)),
        *((_RETURN, 0, 0, _DENY), (_RETURN, 0, 0, _PERMIT)),
        *((_EQUAL, 1, 0, socket), (_RETURN, 0, 0, _PERMIT)),
    ]
    if has_network:
        program += [(_LOAD, 0, 0, _FIRST)]
        for family in _FAMILIES:
            program += [(_EQUAL, 0, 1, family), (_RETURN, 0, 0, _PERMIT)]
    program += [(_RETURN, 0, 0, _DENY)]
    packed = b"".join(struct.pack("HBBI", *line) for line in program)
    lines = ctypes.create_string_buffer(packed, len(packed))
    whole = struct.pack("HxxxxxxP", len(program), ctypes.addressof(lines))
    _control(22, 2, ctypes.c_char_p(whole))


if sys.platform != "linux":
    raise OSError("Landlock is a part of Linux")
