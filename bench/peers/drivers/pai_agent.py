"""A plain pydantic-ai coding agent; several jobs run on one event loop.

usage: python pai_agent.py TASK BASE_URL=REPO [BASE_URL=REPO ...]
"""

import asyncio
import sys
from pathlib import Path

from pydantic_ai import Agent, RunContext
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.usage import UsageLimits

agent = Agent(
    deps_type=Path,
    instructions="You are a coding agent. Use the tools, then say that you are done.",
)


@agent.tool
async def read_file(ctx: RunContext[Path], path: str) -> str:
    """Read a file."""
    return (ctx.deps / path).read_text()


@agent.tool
async def write_file(ctx: RunContext[Path], path: str, content: str) -> str:
    """Write a file."""
    (ctx.deps / path).write_text(content)
    return "ok"


@agent.tool
async def edit_file(ctx: RunContext[Path], path: str, old: str, new: str) -> str:
    """Replace a text that occurs once in a file."""
    text = (ctx.deps / path).read_text()
    if text.count(old) != 1:
        return "error: old text not found once"
    (ctx.deps / path).write_text(text.replace(old, new))
    return "ok"


@agent.tool
async def bash(ctx: RunContext[Path], command: str) -> str:
    """Run a shell command."""
    process = await asyncio.create_subprocess_shell(
        command, cwd=ctx.deps, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    out, _ = await process.communicate()
    return f"exit {process.returncode}\n{out.decode()}"


async def one(task: str, job: str) -> str:
    url, _, repo = job.partition("=")
    model = OpenAIChatModel("scripted", provider=OpenAIProvider(base_url=url, api_key="sk-bench"))
    done = await agent.run(
        task, model=model, deps=Path(repo), usage_limits=UsageLimits(request_limit=None)
    )
    return done.output


async def main() -> None:
    print(*await asyncio.gather(*(one(sys.argv[1], job) for job in sys.argv[2:])), sep="\n")


asyncio.run(main())
