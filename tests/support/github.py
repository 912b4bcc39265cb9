"""A small GitHub on 127.0.0.1: what the Action asks of it, with git over http, rights, faults."""

import base64
import io
import itertools
import json
import os
import re
import subprocess
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

Json = dict[str, Any]
BOT = {"login": "github-actions[bot]", "type": "Bot"}


@dataclass
class Fault:
    """An answer that comes instead of the right one."""

    method: str
    path: str
    """Regular expression, anywhere in the path."""
    status: int
    body: Json = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    times: int = 1


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    body: Any
    token: str


@dataclass
class GitHubState:
    """What the server knows."""

    people: dict[str, str] = field(default_factory=lambda: {"ada": "write", "root": "admin"})
    """Login to permission; whoever is not here has none."""
    issues: dict[int, Json] = field(default_factory=dict)
    editors: dict[int, Json] = field(default_factory=dict)
    """Number of an issue to what GraphQL tells of its last change."""
    labels: dict[str, Json] = field(default_factory=dict)
    """Of the repository, by name."""
    comments: dict[int, list[Json]] = field(default_factory=dict)
    reactions: list[tuple[str, str]] = field(default_factory=list)
    pulls: dict[int, Json] = field(default_factory=dict)
    reviews: dict[int, list[Json]] = field(default_factory=dict)
    cancelled: list[int] = field(default_factory=list)
    jobs: dict[int, dict[str, str]] = field(default_factory=dict)
    """Number of a workflow's run to its jobs' names and states."""
    artifacts: dict[int, tuple[int, str, bytes]] = field(default_factory=dict)
    """Id to run, name and archive of an artifact."""
    edits: list[str] = field(default_factory=list)
    """What comments were changed to, one after the other."""
    tokens: dict[str, dict[str, str]] = field(default_factory=dict)
    """Token to its rights, as `{"contents": "write"}`."""


class FakeGitHub:
    """The server; as a context manager it runs on a free port."""

    def __init__(self, bare: Path, *, repository: str = "octo/demo") -> None:
        """Serve one repository, whose git data is in a bare one."""
        self.repository, self.bare = repository, bare
        self.state = GitHubState()
        self.faults: list[Fault] = []
        self.asked: list[Asked] = []
        self._ids = itertools.count(1000)
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(
            ("127.0.0.1", 0), type("Handler", (_Handler,), {"github": self})
        )
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        """Address of API, pages and git at once."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        """Start."""
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()

    def token(self, **rights: str) -> str:
        """Give out a token with rights."""
        made = f"ghs_{next(self._ids)}{'x' * 30}"
        self.state.tokens[made] = rights
        return made

    def issue(
        self, number: int, title: str, body: str, *, author: str = "ada", editor: str = ""
    ) -> Json:
        """Open an issue, and return it as events hold it."""
        issue = {
            "number": number,
            "title": title,
            "body": body,
            "user": {"login": author, "type": "User"},
            "labels": [],
            "state": "open",
        }
        self.state.issues[number] = issue
        self.state.editors[number] = {
            "author": {"login": author},
            "editor": {"login": editor} if editor else None,
            "lastEditedAt": "2026-11-24T00:00:00Z" if editor else None,
        }
        return issue

    def fault(self, method: str, path: str, status: int, **given: Any) -> None:
        """Answer the next such request in another way."""
        self.faults.append(Fault(method, path, status, **given))

    def uploaded(self, run: int, name: str, folder: Path) -> None:
        """Know what a job of a run has left."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            for one in folder.iterdir():
                file.write(one, one.name)
        self.state.artifacts[next(self._ids)] = (run, name, archive.getvalue())

    def writes(self) -> list[Asked]:
        """Return the requests that changed something."""
        return [a for a in self.asked if a.method != "GET" and a.path != "/graphql"]

    def labels(self, number: int) -> set[str]:
        """Return the labels of an issue."""
        return {label["name"] for label in self.state.issues[number]["labels"]}

    def said(self, number: int) -> str:
        """Return all comments of an issue."""
        return "\n\n".join(c["body"] for c in self.state.comments.get(number, []))

    def answer(
        self, method: str, path: str, query: dict[str, list[str]], body: Any, token: str
    ) -> tuple[int, Any, dict[str, str]]:
        """Return status, JSON and headers."""
        with self._lock:
            self.asked.append(Asked(method, path, body, token))
            for fault in self.faults:
                hit = fault.method == method and re.search(fault.path, path)
                if hit and fault.times > 0:
                    fault.times -= 1
                    return fault.status, fault.body, fault.headers
            if token not in self.state.tokens:
                return 401, {"message": "Bad credentials"}, {}
            if path == "/graphql":
                return 200, self._graph(body), {}
            prefix = f"/repos/{self.repository}"
            for kind, pattern, needed, act in self._routes():
                found = re.fullmatch(re.escape(prefix) + pattern, path)
                if kind != method or not found:
                    continue
                if not self._may(token, needed):
                    return 403, {"message": "Resource not accessible by integration"}, {}
                status, told = act(*map(unquote, found.groups()), query=query, body=body)
                if status == 302:
                    return status, {}, told
                return self._paged(status, told, path, query)
            return 404, {"message": "Not Found"}, {}

    def _paged(
        self, status: int, told: Any, path: str, query: dict[str, list[str]]
    ) -> tuple[int, Any, dict[str, str]]:
        if not isinstance(told, list):
            return status, told, {}
        # Pages of two, so that every list of the tests has some.
        page = int(query.get("page", ["1"])[0])
        part, rest = told[2 * page - 2 : 2 * page], told[2 * page :]
        link = f'<{self.url}{path}?page={page + 1}>; rel="next"'
        return status, part, {"link": link} if rest else {}

    def _may(self, token: str, needed: str) -> bool:
        rights = self.state.tokens[token]
        for one in needed.split("|"):
            name, _, level = one.partition(":")
            has = rights.get(name, "none")
            if has == level or (has == "write" and level == "read"):
                return True
        return not needed

    def _routes(self) -> list[tuple[str, str, str, Callable[..., tuple[int, Any]]]]:
        either = "issues:write|pull-requests:write"
        return [
            ("GET", r"/collaborators/([^/]+)/permission", "", self._permission),
            ("GET", r"/issues/(\d+)", "issues:read|pull-requests:read", self._get_issue),
            ("GET", r"/issues", "issues:read", self._list_issues),
            ("GET", r"/issues/(\d+)/comments", "issues:read", self._get_comments),
            ("POST", r"/issues/(\d+)/comments", either, self._comment),
            ("PATCH", r"/issues/comments/(\d+)", either, self._edit_comment),
            ("POST", r"/issues/(\d+)/labels", either, self._add_labels),
            ("DELETE", r"/issues/(\d+)/labels/(.+)", either, self._remove_label),
            ("GET", r"/labels/(.+)", either.replace("write", "read"), self._get_label),
            ("POST", r"/labels", either, self._make_label),
            ("POST", r"/issues/(comments/\d+|\d+)/reactions", either, self._react),
            ("GET", r"/pulls", "pull-requests:read", self._list_pulls),
            ("POST", r"/pulls", "pull-requests:write", self._create_pull),
            ("GET", r"/pulls/(\d+)", "pull-requests:read", self._get_pull),
            ("PATCH", r"/pulls/(\d+)", "pull-requests:write", self._edit_pull),
            (
                "GET",
                r"/pulls/\d+/reviews/(\d+)/comments",
                "pull-requests:read",
                self._review_comments,
            ),
            ("POST", r"/actions/runs/(\d+)/cancel", "actions:write", self._cancel),
            ("GET", r"/actions/runs/(\d+)/jobs", "actions:read", self._jobs),
            ("GET", r"/actions/runs/(\d+)/artifacts", "actions:read", self._artifacts),
            ("GET", r"/actions/artifacts/(\d+)/zip", "actions:read", self._archive),
        ]

    def _permission(self, login: str, **_: Any) -> tuple[int, Any]:
        found = self.state.people.get(login)
        return (200, {"permission": found}) if found else (404, {"message": "Not Found"})

    def _get_issue(self, number: str, **_: Any) -> tuple[int, Any]:
        found = self.state.issues.get(int(number))
        return (200, found) if found else (404, {"message": "Not Found"})

    def _list_issues(self, *, query: dict[str, list[str]], **_: Any) -> tuple[int, Any]:
        label = query.get("labels", [""])[0]
        return 200, [
            issue
            for issue in self.state.issues.values()
            if any(each["name"] == label for each in issue["labels"])
        ]

    def _get_comments(self, number: str, **_: Any) -> tuple[int, Any]:
        return 200, self.state.comments.get(int(number), [])

    def _comment(self, number: str, *, body: Json, **_: Any) -> tuple[int, Any]:
        made = {"id": next(self._ids), "body": body["body"], "user": BOT}
        if len(body["body"]) > 65_536:
            return 422, {"message": "body is too long"}
        self.state.comments.setdefault(int(number), []).append(made)
        return 201, made

    def _edit_comment(self, comment: str, *, body: Json, **_: Any) -> tuple[int, Any]:
        for found in itertools.chain.from_iterable(self.state.comments.values()):
            if found["id"] == int(comment):
                found["body"] = body["body"]
                self.state.edits.append(body["body"])
                return 200, found
        return 404, {"message": "Not Found"}

    def _add_labels(self, number: str, *, body: Json, **_: Any) -> tuple[int, Any]:
        labels = self.state.issues[int(number)]["labels"]
        labels += [{"name": name} for name in body["labels"]]
        return 200, {}

    def _remove_label(self, number: str, name: str, **_: Any) -> tuple[int, Any]:
        issue = self.state.issues[int(number)]
        kept = [label for label in issue["labels"] if label["name"] != name]
        if len(kept) == len(issue["labels"]):
            return 404, {"message": "Label does not exist"}
        issue["labels"] = kept
        return 200, {}

    def _get_label(self, name: str, **_: Any) -> tuple[int, Any]:
        found = self.state.labels.get(name)
        return (200, found) if found else (404, {"message": "Not Found"})

    def _make_label(self, *, body: Json, **_: Any) -> tuple[int, Any]:
        self.state.labels[body["name"]] = body
        return 201, body

    def _react(self, place: str, *, body: Json, **_: Any) -> tuple[int, Any]:
        self.state.reactions.append((place, body["content"]))
        return 201, {}

    def _list_pulls(self, *, query: dict[str, list[str]], **_: Any) -> tuple[int, Any]:
        head = query.get("head", [""])[0].partition(":")[2]
        return 200, [
            pull
            for pull in self.state.pulls.values()
            if pull["state"] == "open" and pull["head"]["ref"] == head
        ]

    def _create_pull(self, *, body: Json, **_: Any) -> tuple[int, Any]:
        if any(p["head"]["ref"] == body["head"] for p in self.state.pulls.values()):
            return 422, {"errors": [{"message": "A pull request already exists for x."}]}
        number = 100 + len(self.state.pulls)
        made = {
            "number": number,
            "node_id": f"PR_{number}",
            "html_url": f"{self.url}/{self.repository}/pull/{number}",
            "state": "open",
            "draft": body["draft"],
            "title": body["title"],
            "body": body["body"],
            "user": BOT,
            "head": self.branch(body["head"]),
            "base": self.branch(body["base"]),
        }
        self.state.pulls[number] = made
        self.state.issues[number] = {
            "number": number,
            "title": made["title"],
            "body": made["body"],
            "user": BOT,
            "labels": [],
            "state": "open",
            "pull_request": {},
        }
        return 201, made

    def branch(self, name: str) -> Json:
        """Return an end of a pull request."""
        sha = self.git("rev-parse", name).strip()
        return {"ref": name, "sha": sha, "repo": {"full_name": self.repository}}

    def git(self, *arguments: str) -> str:
        """Run git on the bare repository."""
        done = subprocess.run(
            ["git", "-C", str(self.bare), *arguments], check=True, capture_output=True, text=True
        )
        return done.stdout

    def _get_pull(self, number: str, **_: Any) -> tuple[int, Any]:
        found = self.state.pulls.get(int(number))
        return (200, found) if found else (404, {"message": "Not Found"})

    def _edit_pull(self, number: str, *, body: Json, **_: Any) -> tuple[int, Any]:
        self.state.pulls[int(number)].update(body)
        return 200, self.state.pulls[int(number)]

    def _review_comments(self, review: str, **_: Any) -> tuple[int, Any]:
        return 200, self.state.reviews.get(int(review), [])

    def _cancel(self, run: str, **_: Any) -> tuple[int, Any]:
        self.state.cancelled.append(int(run))
        return 202, {}

    def _jobs(self, run: str, **_: Any) -> tuple[int, Any]:
        known = self.state.jobs.get(int(run), {})
        return 200, {"jobs": [{"name": name, "status": status} for name, status in known.items()]}

    def _artifacts(self, run: str, **_: Any) -> tuple[int, Any]:
        of_run = [(i, name) for i, (r, name, _) in self.state.artifacts.items() if r == int(run)]
        return 200, {"artifacts": [{"id": i, "name": name} for i, name in of_run]}

    def _archive(self, artifact: str, **_: Any) -> tuple[int, Any]:
        return 302, {"location": f"{self.url}/blob/{artifact}"}

    def _graph(self, body: Json) -> Json:
        query, given = body["query"], body["variables"]
        if "viewer" in query:
            return {"data": {"viewer": {"login": BOT["login"]}}}
        if "mutation" in query:
            for pull in self.state.pulls.values():
                if pull["node_id"] == given["id"]:
                    pull["draft"] = "convertPullRequestToDraft" in query
            return {"data": {}}
        number = given["number"]
        if number not in self.state.editors:
            return {"data": {"repository": {"issue": None}}}
        issue = self.state.editors[number] | {"body": self.state.issues[number]["body"]}
        return {"data": {"repository": {"issue": issue}}}


class _Handler(BaseHTTPRequestHandler):
    """One connection; the server hands itself in as a class attribute."""

    github: FakeGitHub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PATCH(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        content = self._content()
        if parts.path.startswith(f"/{self.github.repository}.git/"):
            self._git(parts.path, parts.query, content)
            return
        if parts.path.startswith("/blob/"):
            # As the real storage does: who brings a token as well is sent away.
            known = self.github.state.artifacts[int(parts.path.rpartition("/")[2])]
            is_clean = "authorization" not in self.headers
            self._send(200 if is_clean else 400, {}, known[2] if is_clean else b"")
            return
        body = json.loads(content) if content else None
        token = self.headers.get("authorization", "").removeprefix("Bearer ")
        status, told, headers = self.github.answer(
            self.command, parts.path, parse_qs(parts.query), body, token
        )
        words = json.dumps(told).encode()
        self._send(status, {"content-type": "application/json", **headers}, words)

    def _content(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("content-length", 0)))
        return b"".join(self._chunks())

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _git(self, path: str, query: str, content: bytes) -> None:
        """Serve git as its own program does, with the rights of the token."""
        github, word = self.github, self.headers.get("authorization", "").removeprefix("Basic ")
        token = base64.b64decode(word).decode().partition(":")[2]
        is_push = "git-receive-pack" in f"{path}?{query}"
        right = github.state.tokens.get(token, {}).get("contents", "none")
        github.asked.append(Asked("PUSH" if is_push else "GET", path, None, token))
        if right != "write" and (is_push or right != "read"):
            self._send(403 if token else 401, {}, b"denied")
            return
        done = subprocess.run(
            ["git", "http-backend"],
            input=content,
            capture_output=True,
            check=True,
            env={
                "PATH": os.environ["PATH"],
                "GIT_PROJECT_ROOT": str(github.bare.parent),
                "GIT_HTTP_EXPORT_ALL": "1",
                "PATH_INFO": f"/{github.bare.name}/{path.split('.git/', 1)[1]}",
                "QUERY_STRING": query,
                "REQUEST_METHOD": self.command,
                "CONTENT_TYPE": self.headers.get("content-type", ""),
                "CONTENT_LENGTH": str(len(content)),
                "HTTP_CONTENT_ENCODING": self.headers.get("content-encoding", ""),
                "REMOTE_USER": "x-access-token",
                "GIT_CONFIG_COUNT": "2",
                "GIT_CONFIG_KEY_0": "http.receivepack",
                "GIT_CONFIG_VALUE_0": "true",
                "GIT_CONFIG_KEY_1": "safe.directory",
                "GIT_CONFIG_VALUE_1": "*",
            },
        )
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        status = int(headers.pop("Status", "200").split()[0])
        self._send(status, headers, body)

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
