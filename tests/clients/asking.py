"""A server on PyPI's `mcp` 2.x that asks its client, tells of progress, logs and announces changes.

usage: asking.py
"""

from mcp.server.mcpserver import Context, MCPServer
from mcp_types import (
    CreateMessageRequest,
    CreateMessageRequestParams,
    ElicitRequest,
    ElicitRequestFormParams,
    InputRequiredResult,
    ListRootsRequest,
    SamplingMessage,
    TextContent,
)

server = MCPServer("asking", version="1.0.0", instructions="Asks.")

NAME = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


def asked(key, request, ctx):
    answered = (ctx.input_responses or {}).get(key)
    if answered is None:
        return InputRequiredResult(input_requests={key: request}, request_state="waits")
    return f"answered: {answered.model_dump_json(by_alias=True, exclude_none=True)}"


@server.tool()
async def ask_person(ctx: Context) -> str | InputRequiredResult:
    """Asks the person for a name."""
    params = ElicitRequestFormParams(message="Who are you?", requested_schema=NAME)
    return asked("who", ElicitRequest(params=params), ctx)


@server.tool()
async def ask_model(ctx: Context) -> str | InputRequiredResult:
    """Asks the client's model for a word."""
    message = SamplingMessage(role="user", content=TextContent(type="text", text="A word, please."))
    return asked("word", CreateMessageRequest(params=CreateMessageRequestParams(messages=[message], max_tokens=9)), ctx)


@server.tool()
async def ask_roots(ctx: Context) -> str | InputRequiredResult:
    """Asks the client for its roots."""
    return asked("roots", ListRootsRequest(), ctx)


@server.tool()
async def count(ctx: Context, to: int) -> str:
    """Counts, and tells of it."""
    for number in range(1, to + 1):
        await ctx.report_progress(number, to, f"number {number}")
    return f"counted to {to}"


@server.tool()
async def chatter(ctx: Context) -> str:
    """Logs a line of each level."""
    for level in ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"]:
        await ctx.log(level, f"a line of level {level}")
    return "logged"


@server.tool()
async def touch(ctx: Context) -> str:
    """Says that a resource was written to."""
    await ctx.notify_resource_updated("note://first")
    return "touched"


@server.prompt()
def summary(text: str) -> str:
    """Sums up a text."""
    return f"Sum up: {text}"


@server.resource("note://first")
def first() -> str:
    """The first note."""
    return "first"


@server.resource("note://{number}")
def note(number: str) -> str:
    """A note by its number."""
    return number


server.run()
