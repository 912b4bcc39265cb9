"""What went wrong between us and a model, and whether asking again can help.

AgentFailed
├── AnswerRefused        the model or its provider declines
├── AnswerUnusable       cut off or empty, again and again
└── ConversationTooLong  more than the model can read at once

Everything else ends as `ProviderUnavailable` (later it may work) or `SettingsError` (it won't
until the person changes something).
"""

import errno
import os
import socket
import ssl
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from agent.errors import EnvironmentProblem, ProviderUnavailable, SettingsError
from agent.llm.conversation import AgentFailed

# 425 is "too early", 409 a conflict that passes; all others of the 4xx are the same next time.
_PASSING = {408, 409, 425, 429}


class AnswerRefused(AgentFailed):
    """The model, or a filter of its provider, declines to answer."""


class AnswerUnusable(AgentFailed):
    """The model's answers stay cut off or empty."""


class ConversationTooLong(AgentFailed):
    """The request is longer than what the model can read."""


_KINDS = (AgentFailed, AnswerRefused, AnswerUnusable, ConversationTooLong)
ENDS = defaultdict(lambda: AgentFailed, {kind.__name__: kind for kind in _KINDS})
"""Name to kind of end, as a step keeps it; runs of earlier versions kept no name."""
SHORTER = (
    "Split the task into smaller ones, name fewer or shorter documents in the PRP, or use a model "
    "that reads more at once."
)


class TryAgain(Exception):  # noqa: N818 - not an error but a wish
    """The answer did not arrive whole; the same request may well succeed."""

    def __init__(self, reason: str, *, after: float | None = None, unreached: bool = False) -> None:
        """Keep the reason in one line, and the seconds that the provider asks to wait.

        `unreached` means that nobody was there to take the request.
        """
        super().__init__(reason)
        self.after = after
        self.unreached = unreached


@dataclass(frozen=True, kw_only=True)
class Whom:
    """Whom we asked: what an error message needs to know."""

    model: str
    """As named in the settings."""
    key_variable: str
    """Environment variable of the provider's key; empty where it needs none."""
    base_url: str | None

    def __str__(self) -> str:
        """Return the model, and where it is asked if that is not the provider's own address."""
        return f"{self.model} at {self.base_url}" if self.base_url else self.model


def explained(error: Exception, whom: Whom) -> Exception:
    """Return the error that a failed request means: `TryAgain`, or one that ends the run.

    Args:
        error: As raised by the model libraries.
        whom: The model that was asked.

    """
    # The libraries say "connection error" of whatever happens while an answer arrives.
    ours = (cause for cause in _causes(error) if isinstance(cause, TryAgain | AgentFailed))
    return next(ours, None) or _theirs(error, whom)


def _theirs(error: Exception, whom: Whom) -> Exception:
    from pydantic_ai import exceptions as known  # noqa: PLC0415 - loaded by whoever asked

    said = _one_line(error)
    match error:
        case known.ModelQuotaExceededError():
            return ProviderUnavailable(
                f"{whom.model}: the account's quota or credit is used up: {said}",
                hint="Top the account up, or name a fallback model, and execute the PRP again.",
            )
        case known.ModelAuthenticationError():
            return _denied(whom, said)
        case known.ModelNotFoundError():
            return _not_found(whom, said)
        case known.ModelContextWindowExceededError():
            return ConversationTooLong(
                f"{whom.model}: the conversation is too long: {said}", hint=SHORTER
            )
        case known.ModelHTTPError(status_code=413):
            return ConversationTooLong(
                f"{whom.model}: the request is too large: {said}", hint=SHORTER
            )
        case known.ModelHTTPError(status_code=status) if status in _PASSING or status >= 500:
            return TryAgain(f"{status}: {said}", after=error.retry_after)
        case known.ModelHTTPError() | known.ModelRequestRejectedError():
            return SettingsError(
                f"{whom.model} does not accept the request: {said}",
                hint="The model or the server may lack something that prp needs, such as tools; "
                "try another model.",
            )
        case _ if _is_about_certificates(error):
            return EnvironmentProblem(
                f"{whom.model}: no secure connection: {said}",
                hint="Check the clock, the certificates (SSL_CERT_FILE) and proxies in between.",
            )
    if isinstance(cause := _connection(error), OSError):
        named = isinstance(cause, socket.gaierror) or not cause.errno
        words = cause.strerror if named else os.strerror(cause.errno or 0)
        return TryAgain(f"no connection: {words or cause}", unreached=True)
    return TryAgain(said)


def unavailable(last: TryAgain, whom: Whom, *, tries: int) -> ProviderUnavailable:
    """Return the end of a row of tries that all failed."""
    if last.unreached:
        return ProviderUnavailable(
            f"{whom} can't be reached, in {tries} tries: {last}",
            hint="Check the address (--base-url) and whether the server runs."
            if whom.base_url
            else "Check the network and its proxies, or name another --model.",
        )
    return ProviderUnavailable(
        f"{whom} gave no whole answer in {tries} tries: {last}",
        hint="Try again later or with another --model; a proxy or a login page of the network can "
        "be the reason as well.",
    )


def _denied(whom: Whom, said: str) -> SettingsError:
    if not whom.key_variable:
        return SettingsError(
            f"{whom.model}: the server denies access: {said}", hint="Check its key and rights."
        )
    return SettingsError(
        f"{whom.model}: the provider does not accept {whom.key_variable}: {said}",
        hint=f"Set {whom.key_variable} to a valid key that may use this model.",
    )


def _not_found(whom: Whom, said: str) -> SettingsError:
    hint = "Check the name in --model, PRP_MODEL or prp.toml."
    if whom.base_url and whom.model.startswith(("openai:", "openai-responses:")):
        name = whom.model.partition(":")[2]
        hint += f" Many servers only know Chat Completions: try `openai-chat:{name}`."
    return SettingsError(f"{whom.model} was not found: {said}", hint=hint)


def _one_line(error: Exception) -> str:
    """Return the provider's own words where it has some, short enough for a terminal."""
    body = getattr(error, "body", None)
    if isinstance(body, dict):
        inner = body.get("error", body)
        if isinstance(inner, dict) and inner.get("message"):
            body = inner["message"]
    words = " ".join(str(body or error).split()) or type(error).__name__
    return words if len(words) <= 300 else words[:299] + "…"


def _connection(error: BaseException) -> OSError | None:
    """Return what kept the connection from being made; None where one was made."""
    refused = (ConnectionRefusedError, socket.gaierror)
    unreachable = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL}
    for cause in _causes(error):
        if isinstance(cause, refused) or (
            isinstance(cause, OSError) and cause.errno in unreachable
        ):
            return cause
    return None


def _is_about_certificates(error: BaseException) -> bool:
    return any(isinstance(cause, ssl.SSLError) for cause in _causes(error))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
