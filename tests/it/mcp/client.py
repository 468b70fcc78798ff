"""Asks `aido mcp` by the protocol's own Python SDK, and prints what was answered as one JSON object.

Arguments: the program, the directory to start it in, and how to begin (auto, legacy or a version).
"""

import asyncio
import json
import os
import sys

from mcp import Client, StdioServerParameters


async def main(program: str, directory: str, mode: str) -> None:
    server = StdioServerParameters(
        command=program, args=["mcp"], cwd=directory, env=dict(os.environ)
    )
    async with Client(server, mode=mode, read_timeout_seconds=120) as client:
        tools = (await client.list_tools()).tools
        calls = {
            "sessions_list": {"limit": 1},
            "session_show": {"session": "last:failed", "tail": 2},
            "sessions_search": {"query": "wrong", "fixed": True},
            "lessons_check": {"command": "sh fail.sh"},
            "handoff": {"budget": 2000},
            "lesson_add": {"text": "mend it first", "fault": "last"},
        }
        answers = {}
        for name, arguments in calls.items():
            # The SDK checks structured content against the tool's schema.
            result = await client.call_tool(name, arguments)
            answers[name] = result.model_dump(mode="json", by_alias=True)
        missing = await client.call_tool("session_show", {"session": "nothing-like-it"})
        resources = await client.list_resources()
        templates = await client.list_resource_templates()
        read = await client.read_resource(resources.resources[0].uri)
        print(
            json.dumps(
                {
                    "version": client.protocol_version,
                    "server": client.server_info.name if client.server_info else None,
                    "tools": [tool.model_dump(mode="json", by_alias=True) for tool in tools],
                    "answers": answers,
                    "missing": missing.model_dump(mode="json", by_alias=True),
                    "resources": [str(resource.uri) for resource in resources.resources],
                    "templates": [t.uri_template for t in templates.resource_templates],
                    "read": read.contents[0].text,
                }
            )
        )


asyncio.run(main(*sys.argv[1:]))
