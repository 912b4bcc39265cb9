"""What every tool of the MCP server needs: errors in words, the client's folders, progress."""

import asyncio
import functools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Annotated, ParamSpec, TypeVar
from urllib.parse import unquote, urlsplit

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.resolve import ListRoots, Resolve
from mcp_types import ListRootsResult

from agent.editors.asking import Standing, View, told
from agent.editors.places import Places
from agent.errors import PrpError
from agent.runs.folder import RunFolder

_PAUSE = 0.2
_SIGN_OF_LIFE = 15.0
"""Seconds after which a client that waits hears something; some give up after a minute."""

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")


def explained(
    use: Callable[_Given, Awaitable[_Result]],
) -> Callable[_Given, Awaitable[_Result]]:
    """Return the same tool, whose expected failures are told with their hint."""

    @functools.wraps(use)
    async def explained(*given: _Given.args, **named: _Given.kwargs) -> _Result:
        try:
            return await use(*given, **named)
        except PrpError as error:
            raise ToolError(told(error)) from None

    return explained


async def in_thread(do: Callable[[], _Result]) -> _Result:
    """Do what takes its time, and tell its expected failures as a tool does."""
    try:
        return await asyncio.to_thread(do)
    except PrpError as error:
        raise ToolError(told(error)) from None


def can_ask(context: Context) -> bool:
    """Return whether the client puts questions to its person."""
    capabilities = context.client_capabilities
    return capabilities is not None and capabilities.elicitation is not None


def reaching_for(places: Places) -> Callable[..., Awaitable[Places]]:
    """Return what finds the places of a call: the client's own folders count where they matter."""

    async def roots(prp: str, context: Context) -> ListRootsResult | ListRoots:
        capabilities = context.client_capabilities
        has_roots = capabilities is not None and capabilities.roots is not None
        if has_roots and "\0" not in prp and not places.covers(places.roots[0] / prp):
            return ListRoots()
        return ListRootsResult(roots=[])

    async def reaching(found: Annotated[ListRootsResult, Resolve(roots)]) -> Places:
        addresses = (urlsplit(str(root.uri)) for root in found.roots)
        folders = [Path(unquote(a.path)) for a in addresses if a.scheme == "file" and a.path]
        return places.with_roots(*(folder for folder in folders if folder.is_absolute()))

    return reaching


async def watched(folder: RunFolder, context: Context, seconds: float) -> Standing:
    """Follow a run until it ends or the time is over, and tell of what happens."""
    view, latest = View(folder), time.monotonic() + seconds
    lines: list[str] = []
    async with telling(context, lines):
        while True:
            goes_on = view.goes_on
            lines += view.new()
            if not goes_on or time.monotonic() >= latest:
                return view.standing()
            await asyncio.sleep(_PAUSE)


@asynccontextmanager
async def telling(context: Context, lines: list[str]) -> AsyncIterator[None]:
    """Tell the client of lines as they come, and that work goes on where none come."""

    async def tell() -> None:
        number, heard, begun = 0, time.monotonic(), time.monotonic()
        while True:
            while number < len(lines):
                number += 1
                heard = time.monotonic()
                await context.report_progress(heard - begun, message=lines[number - 1])
            if time.monotonic() - heard > _SIGN_OF_LIFE:
                heard = time.monotonic()
                latest = lines[-1] if lines else "preparing"
                await context.report_progress(heard - begun, message=f"still at: {latest}")
            await asyncio.sleep(_PAUSE)

    teller = asyncio.create_task(tell())
    try:
        yield
    finally:
        teller.cancel()
        with suppress(asyncio.CancelledError):
            await teller
