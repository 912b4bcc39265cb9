"""Talks to GitHub: the few requests that the Action needs, typed, asked again where that helps."""

import contextlib
import email.utils
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx2
from pydantic import BaseModel, ValidationError
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_base

from agent import __version__
from agent.errors import EnvironmentProblem, PrpError
from agent.github.answers import (
    Artifacts,
    Authorship,
    Comment,
    Issue,
    Jobs,
    Pull,
    ReviewComment,
    User,
)

TRIES = 5
"""How often a request is made at most."""
LONGEST_WAIT = 300.0
"""Seconds; where GitHub asks for more, the job ends instead of paying for sleep."""
_SECONDARY = 60.0
_MOST_PAGES = 100
_Kind = TypeVar("_Kind", bound=BaseModel)
_TOO_MANY = 429
_FORBIDDEN = 403
_NOT_FOUND = 404
_FOUND = 302


class GitHubFailed(PrpError):  # noqa: N818 - GitHub said no
    """GitHub declined a request, or could not be asked."""

    exit_status = EnvironmentProblem.exit_status

    def __init__(self, message: str, *, status: int = 0, words: str = "", hint: str = "") -> None:
        """Keep the HTTP status (0 where there was no answer) and GitHub's own words."""
        super().__init__(message, hint=hint)
        self.status = status
        self.words = words


class _Again(Exception):  # noqa: N818 - not an error but a wish
    """The same request may well succeed later; `failure` is what to tell where it does not."""

    def __init__(self, failure: GitHubFailed, *, after: float | None = None) -> None:
        super().__init__(str(failure))
        self.failure = failure
        self.after = after


class _AsAsked(wait_base):
    """Waits as long as GitHub asks for, otherwise 1, 2, 4 ... seconds."""

    def __call__(self, retry_state: Any) -> float:
        error = retry_state.outcome.exception()
        after = error.after if isinstance(error, _Again) else None
        return float(2 ** (retry_state.attempt_number - 1)) if after is None else after


class GitHub:
    """One repository on GitHub, seen with one token."""

    def __init__(
        self,
        repository: str,
        *,
        token: str,
        api: str = "https://api.github.com",
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Ask about `owner/name`; `sleep` waits between tries, in seconds."""
        self.repository = repository
        self._repo = "/repos/" + "/".join(quote(part, safe="") for part in repository.split("/"))
        self._api = api.rstrip("/")
        self._sleep = sleep
        self._client = httpx2.Client(
            timeout=30.0,
            headers={
                "authorization": f"Bearer {token}",
                "accept": "application/vnd.github+json",
                "x-github-api-version": "2022-11-28",
                "user-agent": f"prp/{__version__}",
            },
        )

    def __enter__(self) -> Self:
        """Return the client; its connections are closed at the end of the `with`."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self._client.close()

    def may_write(self, user: str) -> bool:
        """Return whether an account may push to the repository.

        GitHub maps `maintain` to `write` and `triage` to `read`; roles of an organisation's own
        are mapped to what they are based on.
        """
        try:
            told = self._ask("GET", f"{self._repo}/collaborators/{quote(user, safe='')}/permission")
        except GitHubFailed as error:
            if error.status == _NOT_FOUND:
                return False
            raise
        return told.get("permission") in ("admin", "write")

    def own_login(self) -> str:
        """Return the account that the token speaks for."""
        told = self._query("query { viewer { login } }", {})
        return str(told["viewer"]["login"])

    def issue(self, number: int) -> Issue:
        """Return an issue as it is now."""
        return self._read(Issue, f"{self._repo}/issues/{number}")

    def issues_with(self, label: str) -> Iterator[Issue]:
        """Return the issues, closed ones too, that carry a label."""
        path = f"{self._repo}/issues?state=all&labels={quote(label, safe='')}"
        return self._every(Issue, path)

    def authorship(self, number: int) -> Authorship:
        """Return who wrote an issue and who changed it last."""
        owner, _, name = self.repository.partition("/")
        told = self._query(_AUTHORSHIP, {"owner": owner, "name": name, "number": number})
        found = (told.get("repository") or {}).get("issue")
        if found is None:
            raise GitHubFailed(f"There is no issue {number} in {self.repository}", status=404)
        return _parsed(Authorship, found)

    def comments(self, number: int) -> Iterator[Comment]:
        """Return the comments of an issue, the oldest first."""
        return self._every(Comment, f"{self._repo}/issues/{number}/comments")

    def comment(self, number: int, body: str) -> Comment:
        """Write a comment below an issue or a pull request."""
        path = f"{self._repo}/issues/{number}/comments"
        return _parsed(Comment, self._ask("POST", path, {"body": body}, repeatable=False))

    def edit_comment(self, comment: int, body: str) -> Comment:
        """Replace the words of a comment."""
        path = f"{self._repo}/issues/comments/{comment}"
        return _parsed(Comment, self._ask("PATCH", path, {"body": body}))

    def add_labels(self, number: int, *names: str) -> None:
        """Put labels on an issue; those that the repository lacks are made."""
        self._ask("POST", f"{self._repo}/issues/{number}/labels", {"labels": list(names)})

    def make_label(self, name: str, *, color: str, description: str) -> None:
        """Make sure that the repository has a label; one that is there stays as people like it."""
        path = f"{self._repo}/labels"
        try:
            self._ask("GET", f"{path}/{quote(name, safe='')}")
        except GitHubFailed as error:
            if error.status != _NOT_FOUND:
                raise
            asked = {"name": name, "color": color, "description": description}
            self._ask("POST", path, asked)

    def remove_label(self, number: int, name: str) -> None:
        """Take a label off an issue, where it is on it."""
        self._or_none("DELETE", f"{self._repo}/issues/{number}/labels/{quote(name, safe='')}")

    def react(self, number: int, *, comment: int | None = None, content: str = "eyes") -> None:
        """Show with a sign that an issue, or a comment on it, was seen."""
        place = f"issues/comments/{comment}" if comment else f"issues/{number}"
        self._or_none("POST", f"{self._repo}/{place}/reactions", {"content": content})

    def pull(self, number: int) -> Pull:
        """Return a pull request as it is now."""
        return self._read(Pull, f"{self._repo}/pulls/{number}")

    def open_pull(self, branch: str) -> Pull | None:
        """Return the open pull request of a branch of this repository; None where there is none."""
        owner = self.repository.partition("/")[0]
        head = quote(f"{owner}:{branch}", safe="")
        return next(self._every(Pull, f"{self._repo}/pulls?state=open&head={head}"), None)

    def create_pull(self, *, branch: str, base: str, title: str, body: str, draft: bool) -> Pull:
        """Open a pull request from a branch of this repository."""
        asked = {"head": branch, "base": base, "title": title, "body": body, "draft": draft}
        return _parsed(Pull, self._ask("POST", f"{self._repo}/pulls", asked, repeatable=False))

    def edit_pull(self, number: int, *, title: str, body: str) -> Pull:
        """Replace title and text of a pull request."""
        asked = {"title": title, "body": body}
        return _parsed(Pull, self._ask("PATCH", f"{self._repo}/pulls/{number}", asked))

    def to_draft(self, pull: Pull) -> None:
        """Make a pull request a draft again."""
        self._query(_TO_DRAFT, {"id": pull.node_id})

    def to_ready(self, pull: Pull) -> None:
        """Make a draft a pull request that asks for a review."""
        self._query(_TO_READY, {"id": pull.node_id})

    def review_comments(self, pull: int, review: int) -> Iterator[ReviewComment]:
        """Return what a review says of single lines."""
        return self._every(ReviewComment, f"{self._repo}/pulls/{pull}/reviews/{review}/comments")

    def cancel_run(self, run: int) -> None:
        """Ask a run of a workflow to end; one that has ended is left alone."""
        with contextlib.suppress(_Conflict):
            self._ask("POST", f"{self._repo}/actions/runs/{run}/cancel")

    def job_has_ended(self, run: str, name: str) -> bool:
        """Return whether a job of a workflow's run has ended; called workflows prefix its name."""
        told = self._ask("GET", f"{self._repo}/actions/runs/{quote(run)}/jobs?per_page=100")
        jobs = _parsed(Jobs, told).jobs
        return any(j.name.rpartition(" / ")[2] == name and j.status == "completed" for j in jobs)

    def artifacts(self, run: str) -> list[tuple[str, int]]:
        """Return name and id of what the jobs of a run have left so far."""
        told = self._ask("GET", f"{self._repo}/actions/runs/{quote(run)}/artifacts?per_page=100")
        return [(a.name, a.id) for a in _parsed(Artifacts, told).artifacts if not a.expired]

    def artifact(self, number: int, *, largest: int) -> bytes:
        """Return the archive of an artifact.

        Raises:
            GitHubFailed: It is larger than `largest` bytes, or can't be fetched.

        """
        path = f"{self._repo}/actions/artifacts/{number}/zip"
        answer = self._send("GET", f"{self._api}{path}", None, repeatable=True)
        content = bytearray()
        try:
            # It lies elsewhere, at an address that is its own permission: no token goes there.
            with httpx2.stream("GET", answer.headers.get("location", ""), timeout=30.0) as found:
                if not found.is_success:
                    found.read()
                    raise _declined(f"GET {path}", found)
                for part in found.iter_bytes():
                    content += part
                    if len(content) > largest:
                        raise GitHubFailed(f"Artifact {number} is larger than {largest:,} bytes")
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise _unreached(f"GET {path}", error) from None
        return bytes(content)

    def user(self, login: str) -> User:
        """Return an account."""
        return self._read(User, f"/users/{quote(login, safe='')}")

    def _read(self, kind: type[_Kind], path: str) -> _Kind:
        return _parsed(kind, self._ask("GET", path))

    def _every(self, kind: type[_Kind], path: str) -> Iterator[_Kind]:
        """Return the entries of all pages.

        Raises:
            GitHubFailed: There are more than anybody waits for. Part of a list is never taken for
                all of it: what was claimed or said on a later page would not count.

        """
        sign = "&" if "?" in path else "?"
        url: str | None = f"{self._api}{path}{sign}per_page=100"
        for _ in range(_MOST_PAGES):
            if url is None:
                return
            answer = self._send("GET", url, None, repeatable=True)
            yield from (_parsed(kind, entry) for entry in _json(answer))
            url = answer.links.get("next", {}).get("url")
            if url and not url.startswith(f"{self._api}/"):
                raise GitHubFailed(f"GitHub's next page lies elsewhere: {url}")
        if url is not None:
            raise GitHubFailed(
                f"GitHub's list {path} comes to no end after {_MOST_PAGES} pages",
                hint="Go on in a new issue.",
            )

    def _query(self, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        told = self._ask("POST", "/graphql", {"query": query, "variables": dict(variables)})
        if errors := told.get("errors"):
            words = "; ".join(str(error.get("message", error)) for error in errors)
            missing = any(error.get("type") == "NOT_FOUND" for error in errors)
            status = _NOT_FOUND if missing else 0
            raise GitHubFailed(f"GitHub: {words}", status=status, words=words)
        return dict(told["data"])

    def _or_none(self, method: str, path: str, body: Any = None) -> None:
        """Ask for what need not be there."""
        try:
            self._ask(method, path, body)
        except GitHubFailed as error:
            if error.status != _NOT_FOUND:
                raise

    def _ask(self, method: str, path: str, body: Any = None, *, repeatable: bool = True) -> Any:
        answer = self._send(method, f"{self._api}{path}", body, repeatable=repeatable)
        return _json(answer) if answer.content else {}

    def _send(self, method: str, url: str, body: Any, *, repeatable: bool) -> httpx2.Response:
        """Make a request, again and again where that can help.

        Args:
            method: As in HTTP.
            url: The whole address.
            body: Sent as JSON; None for none.
            repeatable: Whether making it twice does no harm. One that was declined for its rate
                is made again in any case: GitHub has not acted on it.

        """
        tries = Retrying(
            stop=stop_after_attempt(TRIES),
            wait=_AsAsked(),
            retry=retry_if_exception_type(_Again),
            sleep=self._sleep,
            reraise=True,
        )
        try:
            return tries(self._once, method, url, body, repeatable)
        except _Again as last:
            raise last.failure from None

    def _once(self, method: str, url: str, body: Any, repeatable: bool) -> httpx2.Response:
        what = f"{method} {url.removeprefix(self._api)}"
        try:
            answer = self._client.request(method, url, json=body)
        except httpx2.ConnectError as error:
            raise _Again(_unreached(what, error)) from None
        except httpx2.HTTPError as error:
            if repeatable:
                raise _Again(_unreached(what, error)) from None
            raise _unreached(what, error) from None
        if answer.is_success or answer.status_code == _FOUND:
            return answer
        failure = _declined(what, answer)
        if (after := _pause(answer)) is not None:
            if after > LONGEST_WAIT:
                raise failure
            raise _Again(failure, after=after)
        if answer.status_code >= 500 and repeatable:
            raise _Again(failure)
        raise failure


_AUTHORSHIP = """
query($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) {
    issue(number: $number) { author { login } editor { login } lastEditedAt body }
  }
}
"""
_TO_DRAFT = """
mutation($id: ID!) {
  convertPullRequestToDraft(input: {pullRequestId: $id}) { pullRequest { isDraft } }
}
"""
_TO_READY = """
mutation($id: ID!) {
  markPullRequestReadyForReview(input: {pullRequestId: $id}) { pullRequest { isDraft } }
}
"""


class _Conflict(GitHubFailed):
    """What was asked for is no longer possible."""


def _declined(what: str, answer: httpx2.Response) -> GitHubFailed:
    words = _words(answer)
    kind = _Conflict if answer.status_code == 409 else GitHubFailed
    return kind(
        f"GitHub answered {answer.status_code} to {what}: {words}",
        status=answer.status_code,
        words=words,
        hint=_HINTS.get(answer.status_code, ""),
    )


_HINTS = {
    401: "The token is not valid, or no longer.",
    403: "Look at the job's permissions, and at Settings > Actions > General of the repository.",
}


def _words(answer: httpx2.Response) -> str:
    """Return GitHub's own words on one line, with the reasons where it gives some."""
    try:
        told = answer.json()
    except ValueError:
        return " ".join(answer.text.split())[:200]
    if not isinstance(told, dict):
        return str(told)[:200]
    reasons = [
        str(error.get("message") or error.get("code") or "") if isinstance(error, dict) else error
        for error in told.get("errors") or ()
    ]
    return "; ".join(filter(None, [str(told.get("message", "")), *reasons]))[:500]


def _unreached(what: str, error: Exception) -> GitHubFailed:
    words = " ".join(str(error).split()) or type(error).__name__
    return GitHubFailed(f"GitHub can't be asked ({what}): {words}", words=words)


def _pause(answer: httpx2.Response) -> float | None:
    """Return the seconds that GitHub wants us to wait; None where this is not about its limits."""
    if answer.status_code not in (_FORBIDDEN, _TOO_MANY):
        return None
    if (asked := answer.headers.get("retry-after")) is not None:
        return _seconds(asked)
    if answer.headers.get("x-ratelimit-remaining") == "0":
        reset = answer.headers.get("x-ratelimit-reset", "")
        return max(float(reset) - time.time(), 1.0) if reset.isdigit() else _SECONDARY
    if answer.status_code == _TOO_MANY or "secondary rate limit" in _words(answer).lower():
        return _SECONDARY
    return None


def _seconds(asked: str) -> float:
    """Return the seconds of a Retry-After, which may be a date."""
    if asked.strip().isdigit():
        return float(asked)
    try:
        return max(email.utils.parsedate_to_datetime(asked).timestamp() - time.time(), 0.0)
    except ValueError:
        return _SECONDARY


def _json(answer: httpx2.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        raise GitHubFailed(
            f"GitHub's answer is no JSON: {_words(answer)}",
            hint="Something between here and GitHub may have answered in its place.",
        ) from None


def _parsed(kind: type[_Kind], told: Any) -> _Kind:
    try:
        return kind.model_validate(told)
    except ValidationError as error:
        where = ", ".join(".".join(map(str, e["loc"])) or "whole" for e in error.errors())
        raise GitHubFailed(f"GitHub's answer is no {kind.__name__.lower()}: {where}") from None
