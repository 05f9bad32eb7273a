"""A client on PyPI's `mcp` 2.x that does what it is told to and prints what it saw.

usage: drive.py JSON, which is { command, args, acts } or { url, acts }; the same as drive.mjs.
"""

import asyncio
import json
import os
import sys

import mcp_types as types
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters
from mcp.shared.exceptions import MCPError
from pydantic import TypeAdapter

heard = []


def plain(value):
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value.model_dump(mode="json", by_alias=True, exclude_none=True) if hasattr(value, "model_dump") else value


async def sampled(_context, params):
    heard.append({"request": "sampling/createMessage", "params": plain(params)})
    return types.CreateMessageResult(
        role="assistant", model="none", content=types.TextContent(type="text", text="sampled")
    )


async def elicited(_context, params):
    heard.append({"request": "elicitation/create", "params": plain(params)})
    return types.ElicitResult(action="accept", content={"name": "Ada", "interpretation": "programming"})


async def roots(_context):
    heard.append({"request": "roots/list", "params": None})
    return types.ListRootsResult(roots=[types.Root(uri="file:///nowhere", name="nowhere")])


async def message(received):
    if not isinstance(received, Exception):
        heard.append({"notification": received.method, "params": plain(received.params)})


async def logged(params):
    heard.append({"notification": "log", "params": plain(params)})


async def progressed(progress, total, text):
    heard.append({"notification": "progress", "params": [progress, total, text]})


async def call(client, act):
    callback = progressed if act.get("progress") else None
    calling = client.call_tool(act["call"], act.get("with") or {}, progress_callback=callback)
    if not act.get("cancel"):
        return await calling
    task = asyncio.ensure_future(calling)
    await asyncio.sleep(act["cancel"] / 1000)
    task.cancel()
    try:
        return await task
    except asyncio.CancelledError:
        raise RuntimeError("cancelled") from None


async def complete(client, act):
    asked = act["complete"]
    kind = types.PromptReference if asked["ref"]["type"] == "ref/prompt" else types.ResourceTemplateReference
    return await client.complete(kind(**asked["ref"]), asked["argument"])


async def wait(_client, act):
    for _ in range(1000):
        if any(act["wait"] in (one.get("notification"), one.get("request")) for one in heard):
            return None
        await asyncio.sleep(0.02)
    raise TimeoutError(act["wait"])


async def listen(client, act):
    asked = act["listen"]
    manager = client.listen(
        tools_list_changed=asked.get("toolsListChanged", False),
        resource_subscriptions=asked.get("resourceSubscriptions", []),
    )
    subscription = await manager.__aenter__()

    async def follow():
        async for event in subscription:
            heard.append({"notification": "event", "params": repr(event)})

    following.append((manager, asyncio.ensure_future(follow())))
    return True


async def task(client, act):
    """A task as of 2025-11-25, by the library's types: it has no calls of its own for them.

    Its session takes no answer to `tools/call` but a tool's result, so that the call that starts a task
    ends in its error, here as without the gate; which task it is, is then read from the list.
    """
    seen = []

    async def step(request, kind):
        try:
            answer = plain(await client.session.send_request(request, kind))
        except MCPError as error:
            answer = {"code": error.error.code, "message": error.error.message}
        except ValueError as error:
            answer = {"refused by": type(error).__name__}
        seen.append({request.method: answer})
        return answer

    params = {"name": act["task"], "arguments": act.get("with") or {}, "task": types.TaskMetadata(ttl=60000)}
    await step(types.CallToolRequest(params=types.CallToolRequestParams(**params)), types.CreateTaskResult)
    listed = await step(types.ListTasksRequest(), types.ListTasksResult)
    one = {"task_id": listed["tasks"][-1]["taskId"]}

    state = types.GetTaskRequest(params=types.GetTaskRequestParams(**one)), types.GetTaskResult
    outcome = types.GetTaskPayloadRequest(params=types.GetTaskPayloadRequestParams(**one)), OUTCOME
    cancel = types.CancelTaskRequest(params=types.CancelTaskRequestParams(**one)), types.CancelTaskResult
    for asked in [state, cancel, state, outcome] if act.get("then") else [state, outcome, state]:
        await step(*asked)
    return seen


following = []
OUTCOME = TypeAdapter(dict)
DOES = {
    "task": task,
    "call": call,
    "complete": complete,
    "wait": wait,
    "listen": listen,
    "tools": lambda client, act: client.list_tools(),
    "prompts": lambda client, act: client.list_prompts(),
    "resources": lambda client, act: client.list_resources(),
    "templates": lambda client, act: client.list_resource_templates(),
    "prompt": lambda client, act: client.get_prompt(act["prompt"], act.get("with") or {}),
    "read": lambda client, act: client.read_resource(act["read"]),
    "level": lambda client, act: client.set_logging_level(act["level"]),
    "subscribe": lambda client, act: client.subscribe_resource(act["subscribe"]),
    "unsubscribe": lambda client, act: client.unsubscribe_resource(act["unsubscribe"]),
}


async def main():
    told = json.loads(sys.argv[1])
    server = told.get("url") or StdioServerParameters(
        command=told["command"], args=told["args"], env=dict(os.environ)
    )
    seen = []
    client = Client(
        server,
        sampling_callback=sampled,
        elicitation_callback=elicited,
        list_roots_callback=roots,
        logging_callback=logged,
        message_handler=message,
        log_level="debug",
    )
    async with client:
        session = client.session
        seen.append({"opened": [plain(client.server_capabilities), client.protocol_version, client.instructions]})
        for act in told["acts"]:
            what = next(iter(act))
            try:
                seen.append({"act": act, "result": plain(await DOES[what](client, act))})
            except Exception as error:
                code = getattr(getattr(error, "error", None), "code", None)
                seen.append({"act": act, "error": {"code": code, "message": str(error)}})
        for manager, task in following:
            task.cancel()
            await manager.__aexit__(None, None, None)
    print(json.dumps([*seen, {"heard": heard}]))


asyncio.run(main())
