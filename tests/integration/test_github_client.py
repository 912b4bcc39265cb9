"""GitHub as its client sees it: limits, pages, refusals, and answers that never came."""

import json
from collections.abc import Iterator

import httpcore2
import pytest
import respx

from agent.github.client import LONGEST_WAIT, TRIES, GitHub, GitHubFailed

API = "https://api.github.example"
REPO = f"{API}/repos/o/r"
COMMENT = {"id": 5, "body": "hello", "user": {"login": "ada"}}


@pytest.fixture
def waits() -> list[float]:
    """The pauses between tries, in seconds."""
    return []


@pytest.fixture
def github(waits: list[float]) -> Iterator[GitHub]:
    """A client that waits in no time."""
    with GitHub("o/r", token="t0k3n", api=API, sleep=waits.append) as made:
        yield made


def answers(*kinds: int | respx.MockResponse | Exception) -> list[respx.MockResponse | Exception]:
    """Return answers one after the other; a number is a status without words."""
    return [respx.MockResponse(k, json={}) if isinstance(k, int) else k for k in kinds]


def comments(count: int, *, first: int = 0) -> list[dict[str, object]]:
    """Return comments as GitHub lists them."""
    return [COMMENT | {"id": first + number} for number in range(count)]


class TestPermission:
    """Who may write."""

    @pytest.mark.parametrize(
        ("permission", "may"),
        [("admin", True), ("write", True), ("read", False), ("none", False), ("", False)],
    )
    def test_only_those_who_can_push(
        self, httpx2_mock: respx.MockRouter, github: GitHub, permission: str, may: bool
    ) -> None:
        """`maintain` and `triage` come as `write` and `read`."""
        route = httpx2_mock.get(f"{REPO}/collaborators/ada/permission")
        route.respond(json={"permission": permission})
        assert github.may_write("ada") is may
        assert route.calls.last.request.headers["authorization"] == "Bearer t0k3n"

    def test_a_stranger_is_no_collaborator(
        self, httpx2_mock: respx.MockRouter, github: GitHub
    ) -> None:
        """404 is an answer here."""
        httpx2_mock.get(f"{REPO}/collaborators/eve/permission").respond(404)
        assert not github.may_write("eve")

    def test_a_name_stays_a_name(self, httpx2_mock: respx.MockRouter, github: GitHub) -> None:
        """No account's name leads to another address."""
        route = httpx2_mock.get(url__regex=r".*/collaborators/.*").respond(404)
        assert not github.may_write("ada/../../x?y#z")
        path = route.calls.last.request.url.raw_path
        assert path == b"/repos/o/r/collaborators/ada%2F..%2F..%2Fx%3Fy%23z/permission"

    def test_no_answer_is_no_permission(
        self, httpx2_mock: respx.MockRouter, github: GitHub
    ) -> None:
        """Where GitHub can't say, nobody is let in."""
        httpx2_mock.get(f"{REPO}/collaborators/ada/permission").respond(500)
        with pytest.raises(GitHubFailed):
            github.may_write("ada")


class TestLimits:
    """Requests that were too many."""

    @pytest.mark.parametrize(
        ("status", "headers", "body", "seconds"),
        [
            pytest.param(429, {"retry-after": "7"}, {}, 7.0, id="429 with Retry-After"),
            pytest.param(403, {"retry-after": "3"}, {}, 3.0, id="403 with Retry-After"),
            pytest.param(429, {}, {}, 60.0, id="429 that says nothing"),
            pytest.param(
                403,
                {},
                {"message": "You have exceeded a secondary rate limit."},
                60.0,
                id="secondary limit in words",
            ),
            pytest.param(
                403,
                {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"},
                {},
                1.0,
                id="primary limit whose hour is over",
            ),
        ],
    )
    def test_a_limit_is_waited_for(
        self,
        httpx2_mock: respx.MockRouter,
        github: GitHub,
        waits: list[float],
        status: int,
        headers: dict[str, str],
        body: dict[str, str],
        seconds: float,
    ) -> None:
        """Also for what must not be done twice: GitHub has not done it."""
        limited = respx.MockResponse(status, headers=headers, json=body)
        httpx2_mock.post(f"{REPO}/issues/1/comments").side_effect = answers(
            limited, respx.MockResponse(201, json=COMMENT)
        )
        assert github.comment(1, "hello").id == 5
        assert waits == [seconds]

    def test_an_hour_is_not_waited_for(
        self, httpx2_mock: respx.MockRouter, github: GitHub, waits: list[float]
    ) -> None:
        """The job ends and says why."""
        route = httpx2_mock.get(f"{REPO}/issues/1")
        route.respond(429, headers={"retry-after": str(int(LONGEST_WAIT) + 1)})
        with pytest.raises(GitHubFailed, match="429"):
            github.issue(1)
        assert (waits, route.call_count) == ([], 1)

    def test_a_plain_403_is_an_answer(
        self, httpx2_mock: respx.MockRouter, github: GitHub, waits: list[float]
    ) -> None:
        """A missing permission does not come with time; its words are kept."""
        words = "Resource not accessible by integration"
        route = httpx2_mock.post(f"{REPO}/pulls").respond(403, json={"message": words})
        with pytest.raises(GitHubFailed, match=words) as failed:
            github.create_pull(branch="prp/x", base="main", title="t", body="b", draft=True)
        assert (failed.value.status, waits, route.call_count) == (403, [], 1)


class TestFaults:
    """Answers that are none."""

    def test_what_does_no_harm_twice_is_asked_again(
        self, httpx2_mock: respx.MockRouter, github: GitHub, waits: list[float]
    ) -> None:
        """1, 2 and 4 seconds later."""
        httpx2_mock.get(f"{REPO}/issues/1").side_effect = answers(
            502,
            httpcore2.ReadTimeout("slow"),
            httpcore2.ConnectError("refused"),
            respx.MockResponse(200, json={"number": 1, "body": None}),
        )
        assert github.issue(1).number == 1
        assert waits == [1.0, 2.0, 4.0]

    def test_it_ends(
        self, httpx2_mock: respx.MockRouter, github: GitHub, waits: list[float]
    ) -> None:
        """And the last answer is told."""
        httpx2_mock.get(f"{REPO}/issues/1").respond(503, json={"message": "unicorns"})
        with pytest.raises(GitHubFailed, match="503 to GET /repos/o/r/issues/1: unicorns"):
            github.issue(1)
        assert len(waits) == TRIES - 1

    def test_a_comment_is_not_written_twice(
        self, httpx2_mock: respx.MockRouter, github: GitHub, waits: list[float]
    ) -> None:
        """After a 502 nobody knows whether it was written."""
        route = httpx2_mock.post(f"{REPO}/issues/1/comments").respond(502)
        with pytest.raises(GitHubFailed):
            github.comment(1, "hello")
        assert (waits, route.call_count) == ([], 1)

    @pytest.mark.parametrize("body", ["<html>", "[]", '{"id": "x"}', '{"body": 3}'])
    def test_another_shape_is_told(
        self, httpx2_mock: respx.MockRouter, github: GitHub, body: str
    ) -> None:
        """What is no comment does not pass for one."""
        httpx2_mock.patch(f"{REPO}/issues/comments/5").respond(200, text=body)
        with pytest.raises(GitHubFailed, match=r"no (comment|JSON)"):
            github.edit_comment(5, "x")

    def test_reasons_are_kept(self, httpx2_mock: respx.MockRouter, github: GitHub) -> None:
        """GitHub says in `errors` what it did not like."""
        told = {"message": "Validation Failed", "errors": [{"message": "A pull request exists"}]}
        httpx2_mock.post(f"{REPO}/pulls").respond(422, json=told)
        with pytest.raises(GitHubFailed, match="Validation Failed; A pull request exists"):
            github.create_pull(branch="prp/x", base="main", title="t", body="b", draft=True)


class TestPages:
    """Lists that come in parts."""

    def test_all_pages_are_read(self, httpx2_mock: respx.MockRouter, github: GitHub) -> None:
        """As far as the links lead."""
        first = f"{REPO}/issues/1/comments?per_page=100"
        link = {"link": f'<{first}&page=2>; rel="next"'}
        httpx2_mock.get(f"{first}&page=2").respond(json=comments(3, first=100))
        httpx2_mock.get(first).respond(json=comments(100), headers=link)
        assert [comment.id for comment in github.comments(1)] == list(range(103))

    def test_no_part_of_a_list_is_taken_for_the_whole(
        self, httpx2_mock: respx.MockRouter, github: GitHub
    ) -> None:
        """Where pages come to no end, what was asked about is unknown, and said to be."""
        first = f"{REPO}/issues/1/comments?per_page=100"
        link = {"link": f'<{first}&page=2>; rel="next"'}
        httpx2_mock.get(url__startswith=first).respond(json=[], headers=link)
        with pytest.raises(GitHubFailed, match="comes to no end after 100 pages"):
            list(github.comments(1))

    def test_a_page_elsewhere_is_not_asked(
        self, httpx2_mock: respx.MockRouter, github: GitHub
    ) -> None:
        """The token goes nowhere else."""
        link = {"link": '<https://evil.example/x>; rel="next"'}
        httpx2_mock.get(f"{REPO}/issues/1/comments").respond(json=[], headers=link)
        with pytest.raises(GitHubFailed, match="elsewhere"):
            list(github.comments(1))


class TestGraph:
    """What only GraphQL tells."""

    def test_who_changed_an_issue(self, httpx2_mock: respx.MockRouter, github: GitHub) -> None:
        """Author, last editor and the words of now."""
        issue = {
            "author": {"login": "ada"},
            "editor": None,
            "lastEditedAt": "2026-11-24T01:02:03Z",
            "body": "b",
        }
        route = httpx2_mock.post(f"{API}/graphql")
        route.respond(json={"data": {"repository": {"issue": issue}}})
        found = github.authorship(7)
        assert (found.author and found.author.login, found.editor) == ("ada", None)
        assert (found.edited_at, found.body) == ("2026-11-24T01:02:03Z", "b")
        asked = json.loads(route.calls.last.request.content)
        assert asked["variables"] == {"owner": "o", "name": "r", "number": 7}

    def test_errors_come_with_status_200(
        self, httpx2_mock: respx.MockRouter, github: GitHub
    ) -> None:
        """They are errors all the same."""
        httpx2_mock.post(f"{API}/graphql").respond(json={"errors": [{"message": "no scope"}]})
        with pytest.raises(GitHubFailed, match="no scope"):
            github.own_login()


def test_what_need_not_be_there_is_not_missed(
    httpx2_mock: respx.MockRouter, github: GitHub
) -> None:
    """A label that nobody put on, an issue that was deleted, a run that has ended."""
    httpx2_mock.delete(f"{REPO}/issues/1/labels/prp%3Arunning").respond(404)
    httpx2_mock.post(f"{REPO}/issues/1/reactions").respond(404)
    httpx2_mock.post(f"{REPO}/actions/runs/9/cancel").respond(409)
    github.remove_label(1, "prp:running")
    github.react(1)
    github.cancel_run(9)
