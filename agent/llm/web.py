"""Pages that a PRP refers to: downloaded with care, as text that is data and nothing more."""

import asyncio
import contextlib
import hashlib
import json
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from agent.llm.page_text import page_text
from agent.prp.excerpt import excerpt, without_hidden

_LARGEST = 2 * 1024 * 1024
_SECONDS = 20
_FRESH_SECONDS = 24 * 3600
_MOST_CHARACTERS = 24_000


async def fetch_page(
    url: str, *, cache: Path, sections: Sequence[str] = (), allow_local: bool = False
) -> tuple[str, str]:
    """Download a page as Markdown.

    Args:
        url: http or https.
        cache: Folder of pages that were downloaded before; a page is fresh for a day.
        sections: Only these headings' parts; empty for the whole page.
        allow_local: Whether addresses of this machine and its network may be asked.

    Returns:
        The text and an empty reason, or no text and the reason. A page that can't be had never
        ends a run: the planner is told.

    """
    kept = cache / f"{hashlib.sha256(url.encode()).hexdigest()[:32]}.json"
    text = _cached(kept)
    if text is None:
        try:
            async with asyncio.timeout(_SECONDS):
                text = await _downloaded(url, allow_local=allow_local)
        except TimeoutError:
            return "", f"no whole answer within {_SECONDS} s"
        except Exception as error:  # noqa: BLE001 - whatever a foreign server causes is a reason
            return "", " ".join(str(error).split())[:200] or type(error).__name__
        text = without_hidden(text)
        with contextlib.suppress(OSError):
            _keep(kept, url, text)
    return excerpt(text, sections=sections, limit=_MOST_CHARACTERS), ""


def _cached(kept: Path) -> str | None:
    try:
        found = json.loads(kept.read_text(encoding="utf-8"))
        fresh = time.time() - found["at"] < _FRESH_SECONDS
        return str(found["text"]) if fresh else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _keep(kept: Path, url: str, text: str) -> None:
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps({"url": url, "at": time.time(), "text": text}), encoding="utf-8")


async def _downloaded(url: str, *, allow_local: bool) -> str:
    from pydantic_ai._ssrf import safe_download  # noqa: PLC0415 - heavy

    _require_plain(url)
    response = await safe_download(
        url, allow_local=allow_local, max_redirects=5, timeout=10, max_bytes=_LARGEST
    )
    response.raise_for_status()
    kind = response.headers.get("content-type", "")
    if not kind.startswith(("text/", "application/json", "application/xhtml")):
        raise ValueError(f"it is {kind or 'of no known type'}, not text")
    text = response.text
    if "html" not in kind and text.lstrip()[:1] != "<":
        return text
    # The clock goes on, and other tasks too, while a large page is read.
    return await asyncio.to_thread(page_text, text)


def _require_plain(url: str) -> None:
    """Refuse what is no address of a page, and what would send a password along."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("it is no http address")
    if parts.username is not None or parts.password is not None:
        raise ValueError("it holds a user name or password; pages are fetched without")
