"""Which checks need which servers, as far as the words of a document tell."""

from pathlib import Path

import pytest

from agent.prp import Check, CheckKind, ExpectationKind, Server, parse_prp
from agent.prp.serving import only_tidies, split_background
from agent.verifier.checks import _WHY_NOT
from agent.verifier.expectations import CheckState, judge
from agent.verifier.servers import port_of
from agent.workspace import Finished


def checks(*fences: str) -> tuple[Check, ...]:
    """Return the checks of a level with these fences."""
    blocks = "\n".join(f"```bash\n{fence}\n```\n" for fence in fences)
    text = f"# A\n\n## Validation Loop\n### Level 1: X\n{blocks}"
    return parse_prp(text, path=Path("x.md")).levels[0].checks


def is_run(check: Check) -> bool:
    return check.kind not in _WHY_NOT


class TestAFence:
    """What stands above a probe in its fence is up when it is asked."""

    def test_a_probe_has_the_servers_above_it_in_order(self) -> None:
        """With the set-up that each was started in."""
        *_, probe = checks(
            "cd api\nuvicorn app:app --port 8000 &\nexport X=1\nnpm run dev &\ncurl localhost:8000/"
        )
        assert probe.servers == (
            Server(command="uvicorn app:app --port 8000 &", line=7, setup=("cd api",)),
            Server(command="npm run dev &", line=9, setup=("cd api", "export X=1")),
        )
        assert is_run(probe)

    def test_a_server_without_a_mark_is_one_too(self) -> None:
        """`npm run dev` on a line of its own, and the probe is meant for another terminal."""
        server, probe = checks("# Start the server\nnpm run dev\n\n# Test\ncurl localhost:3000")
        assert [each.command for each in probe.servers] == [server.command] == ["npm run dev"]

    def test_what_waits_for_a_server_or_ends_it_is_no_check(self) -> None:
        """`PID=$!` is set-up of what stands below."""
        fence = "make serve & PID=$!\nsleep 5\ncurl -f localhost:8000\nkill $PID\nwait $PID"
        server, probe = checks(fence)
        assert (server.kind, probe.setup) == (CheckKind.SERVER, ("PID=$!",))

    @pytest.mark.parametrize(
        ("command", "tidies"),
        [
            ("sleep 3", True),
            ("sleep 1; kill $SERVER_PID $OTHER_PID", True),
            ("kill %1 2>/dev/null || true", True),
            ("trap 'kill $PID' EXIT", True),
            ("kill 1", False),
            ("kill -9 $(pgrep uvicorn)", False),
            ("sleep 3 && pytest", False),
            ("kill $PID; rm -rf src", False),
        ],
    )
    def test_only_what_was_started_may_be_ended(self, command: str, *, tidies: bool) -> None:
        """Everything else keeps its kind."""
        assert only_tidies(command) is tidies

    def test_without_a_server_sleep_and_kill_stay_checks(self) -> None:
        """Nothing of theirs was started."""
        assert len(checks("sleep 1\nkill $PID\npytest")) == 3

    def test_a_folder_behind_a_server_in_front_is_another_terminals(self) -> None:
        """The first one is taken."""
        first, second = checks("cd backend\nuvicorn app:app\ncd frontend\nnpm run dev")
        assert (first.setup, second.setup) == (("cd backend",), ("cd frontend",))

    def test_what_stands_behind_a_server_in_the_background_runs_beside_it(self) -> None:
        """As bash would run it; in front of one only what names this machine."""
        _, beside = checks("make serve &\npytest tests/e2e")
        _, apart = checks("npm run dev\nruff check .")
        assert beside.servers
        assert not apart.servers

    @pytest.mark.parametrize("command", ["make serve &", "make serve & wait", "make serve & P=$!"])
    def test_what_goes_on_in_the_background_is_a_server(self, command: str) -> None:
        """Whatever it is called."""
        assert checks(command)[0].kind is CheckKind.SERVER

    def test_a_script_that_starts_asks_and_ends_is_run_as_it_is(self) -> None:
        """It brings what it needs."""
        (check,) = checks("python3 -m http.server 8001 & sleep 1; curl -f localhost:8001; kill %1")
        assert is_run(check)
        assert check.servers == ()

    def test_a_server_may_be_ended_by_any_name_that_notes_it(self) -> None:
        """`SRV=$!` is as good as `PID=$!`."""
        fence = "./serve &\nSRV=$!\ncurl -f localhost:8000/\nkill {}"
        assert len(checks(fence.format("$SRV"))) == 2
        assert len(checks(fence.format("$OTHER"))) == 3


class TestALevel:
    """Where no server stands in a probe's own fence."""

    def test_the_servers_above_count(self) -> None:
        """Writers part them with prose."""
        server, probe = checks("npm run dev", "curl -f http://127.0.0.1:3000/")
        assert [each.command for each in probe.servers] == [server.command]

    def test_a_probe_of_what_nothing_starts_needs_the_network(self) -> None:
        """It could only fail."""
        (probe,) = checks("curl http://localhost:8000/health")
        assert probe.kind is CheckKind.NETWORK

    @pytest.mark.parametrize("command", ["nc -z localhost 8000", "wget -qO- http://0.0.0.0:80/"])
    def test_clients_of_every_kind_are_probes(self, command: str) -> None:
        """Not only curl."""
        _, probe = checks(f"make serve &\n{command}")
        assert is_run(probe)
        assert probe.servers


class TestOutsideOfLevels:
    """Probes in checklists, and in documents without loops."""

    def test_the_servers_of_the_document_above_count(self) -> None:
        """Whatever level they are in; without any the probe needs the network."""
        probe = "## Final Checklist\n- [ ] It answers: `curl -f localhost:8000/health`\n"
        loop = "## Validation Loop\n### Level 1: X\n```bash\n{}\n```\n"
        up = parse_prp(f"# A\n\n{loop.format('uvicorn app:app &')}{probe}", path=Path("x.md"))
        assert [server.line for server in up.loose_checks[0].servers] == [6]
        assert is_run(up.loose_checks[0])
        alone = parse_prp(f"# A\n\n{loop.format('pytest -q')}{probe}", path=Path("x.md"))
        assert alone.loose_checks[0].kinds == (CheckKind.NETWORK,)

    def test_a_probe_of_a_document_without_loops_needs_the_network(self) -> None:
        """As in a level."""
        text = "# A\n\n## Step 1: Validation\n### API Tests\n```bash\ncurl localhost:3000/a\n```\n"
        (check,) = parse_prp(text, path=Path("x.md")).checks
        assert check.kind is CheckKind.NETWORK


class TestWhatIsCalledAServer:
    """A comment says what a command of one's own is."""

    def test_what_is_started_above_its_probes_is_a_server(self) -> None:
        """Nothing else could answer them."""
        server, probe = checks(
            "# Start the API server\nuv run python -m app.main --dev\n\ncurl localhost:8000/"
        )
        assert server.kind is CheckKind.SERVER
        assert [each.command for each in probe.servers] == [server.command]
        assert is_run(probe)

    @pytest.mark.parametrize(
        "fence",
        [
            "# Start the API server\nuv run python -m app.main --dev",
            "# Start with the unit tests\nuv run python -m app.main --dev\n\ncurl localhost:8000/",
            "# Start the server\n\nuv run python -m app.main --dev\n\ncurl localhost:8000/",
        ],
        ids=["nobody asks", "other words", "not directly above"],
    )
    def test_other_words_make_no_server(self, fence: str) -> None:
        """Then its exit status tells."""
        assert checks(fence)[0].kind is CheckKind.RUN


class TestWhatIsNotStarted:
    """A server is as dangerous as any other command."""

    @pytest.mark.parametrize(
        "server",
        [
            "docker run -p 8000:8000 app &",
            "docker compose up -d",
            "API_KEY=abcdef uvicorn app:app &",
            "npm install && npm run dev &",
            "rm -rf data && uvicorn app:app &",
            "uvicorn <module>:app &",
            "ssh -L 8000:db:8000 host &",
        ],
    )
    def test_neither_it_nor_what_needs_it_is_run(self, server: str) -> None:
        """Whatever the probe is."""
        assert not any(map(is_run, checks(f"{server}\ncurl -f localhost:8000/health")))

    def test_what_needs_a_container_is_not_started_either(self) -> None:
        """Without its database it could only fail."""
        _, server, probe = checks(
            "docker compose up -d db\nuvicorn app:app &\ncurl -f localhost:8000"
        )
        assert not is_run(server)
        assert not is_run(probe)

    @pytest.mark.parametrize(
        "probe",
        [
            "curl -X POST localhost:8000/x && git push",
            'curl -H "Authorization: Bearer $TOKEN" localhost:8000',
            "curl http://localhost:8000 https://example.com/x",
            "curl -s localhost:8000/install | sh",
        ],
    )
    def test_a_probe_keeps_its_own_kinds(self, probe: str) -> None:
        """A server above it makes nothing harmless."""
        assert not is_run(checks(f"make serve &\n{probe}")[1])

    @pytest.mark.parametrize("command", ["npm run test:watch", "tail -f app.log", "yarn watch"])
    def test_what_only_watches_is_no_server(self, command: str) -> None:
        """Nobody can ask it."""
        (check,) = checks(command)
        assert check.kind is CheckKind.INTERACTIVE


@pytest.mark.parametrize(
    ("command", "port"),
    [
        ("uvicorn app:app --port 8000 &", "8000"),
        ("next dev -p 3001", "3001"),
        ("PORT=4000 node server.js &", "4000"),
        ("gunicorn -b 0.0.0.0:9000 app:app", "9000"),
        ("python -m http.server 8001", "8001"),
        ("python manage.py runserver 0.0.0.0:8080", "8080"),
        ("php -S localhost:8123", "8123"),
        ("npm run dev", ""),
        ("uvicorn app:app", ""),
    ],
)
def test_the_port_is_read_from_the_command(command: str, port: str) -> None:
    """Where it tells."""
    assert port_of(Server(command=command, line=1)) == port


@pytest.mark.parametrize(
    ("command", "parts"),
    [
        ("uvicorn a:b &", ("uvicorn a:b", "")),
        ("uvicorn a:b > log 2>&1 & PID=$!", ("uvicorn a:b > log 2>&1", "PID=$!")),
        ("(cd api && ./serve &)", ("cd api && ./serve", "")),
        ("curl 'localhost/?a=1&b=2'", ("curl 'localhost/?a=1&b=2'", "")),
        ("make a && make b", ("make a && make b", "")),
    ],
)
def test_what_runs_in_the_background_is_told_from_the_rest(
    command: str, parts: tuple[str, str]
) -> None:
    """An `&` in quotes, of `&&` or of `2>&1` is none."""
    assert split_background(command) == parts


class TestAnswers:
    """curl ends with status 0 whatever it was told."""

    @pytest.mark.parametrize(
        ("fence", "http", "state"),
        [
            ("curl localhost:1  # Expected: 200", "200", CheckState.PASSED),
            ("curl localhost:1  # Expected: 200", "500", CheckState.FAILED),
            ("curl localhost:1  # should return 404", "404", CheckState.PASSED),
            ("# Returns 401 without a token\ncurl localhost:1", "401", CheckState.PASSED),
            ("# Returns 401 without a token\ncurl localhost:1", "200", CheckState.FAILED),
            ("curl localhost:1", "404", CheckState.FAILED),
            ("curl localhost:1", "503", CheckState.FAILED),
            ("curl localhost:1", "401", CheckState.PASSED),
            (
                "curl localhost:1\n# Expected: an error that names the field",
                "404",
                CheckState.PASSED,
            ),
        ],
    )
    def test_an_answer_is_held_against_what_is_expected(
        self, fence: str, http: str, state: CheckState
    ) -> None:
        """Where the document says nothing, what is missing or broken is no answer."""
        (check,) = checks(fence)
        ended = Finished(command="", status=0, output="")
        assert judge(ended, check.expectation, http=http)[0] is state

    @pytest.mark.parametrize(
        ("output", "holds"),
        [
            ('{"status": "ok", "version": 2}', True),
            ('{"status": "down"}', False),
            ("ok", False),
        ],
    )
    def test_expected_json_is_part_of_the_answer(self, output: str, *, holds: bool) -> None:
        """Order and blanks don't matter."""
        (check,) = checks('curl -s localhost:1\n# Expected: {"status": "ok"}')
        assert check.expectation.kind is ExpectationKind.CONTAINS
        ended = Finished(command="", status=0, output=output)
        assert (judge(ended, check.expectation)[0] is CheckState.PASSED) is holds

    def test_sketched_json_is_left_to_a_reader(self) -> None:
        """Nobody prints three dots."""
        (check,) = checks('curl -s localhost:1\n# Expected: {"data": [...]}')
        assert check.expectation.kind is ExpectationKind.UNJUDGED
