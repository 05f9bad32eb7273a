"""A small server on PyPI's `mcp` 2.x, which speaks 2026-07-28 and the versions before it.

usage: modern.py [stdio | streamable-http PORT | sse PORT]
"""

import sys

from mcp.server.mcpserver import MCPServer

server = MCPServer("modern-python", version="1.0.0", instructions="Adds and greets.")


@server.tool()
def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


@server.tool(title="Greet")
def greet(name: str, polite: bool = True) -> str:
    """Greets somebody by name."""
    return f"Good day, {name}." if polite else f"Hi {name}"


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


if len(sys.argv) > 2:
    server.run(sys.argv[1], port=int(sys.argv[2]))
else:
    server.run()
