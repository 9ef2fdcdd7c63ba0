"""Uses the MCP gateway as an outside client does: discovery and the older handshake, all five tools, and refusals."""

import asyncio
import sys

from mcp import Client
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client

TOOLS = ["add_task", "complete_task", "delete_task", "list_tasks", "update_task"]


def items(result):
    """The array of tasks: bare since 2026-07-28, wrapped in an object for older revisions."""
    content = result.structured_content
    return content["result"] if isinstance(content, dict) else content


async def use(url, token, mode):
    http = create_mcp_http_client(headers={"Authorization": f"Bearer {token}"})
    async with http, Client(streamable_http_client(url, http_client=http), mode=mode) as client:
        tools = (await client.list_tools()).tools
        assert sorted(tool.name for tool in tools) == TOOLS, tools
        assert all(tool.annotations is not None and tool.output_schema for tool in tools)

        title = f"Try the gateway ({mode})"
        added = await client.call_tool("add_task", {"title": title, "due": "2027-01-31", "priority": "high", "tags": ["mcp"]})
        assert not added.is_error, added
        task_id = added.structured_content["task_id"]
        assert added.structured_content["status"] == "created"

        renamed = await client.call_tool("update_task", {"task_id": task_id, "title": title + "!"})
        assert renamed.structured_content == {"task_id": task_id, "status": "updated", "title": title + "!"}, renamed
        listed = items(await client.call_tool("list_tasks", {"status": "pending", "tags": ["mcp"]}))
        assert [task["title"] for task in listed if task["id"] == task_id] == [title + "!"], listed
        done = await client.call_tool("complete_task", {"task_id": task_id})
        assert done.structured_content["status"] == "completed", done
        deleted = await client.call_tool("delete_task", {"task_id": task_id})
        assert deleted.structured_content["status"] == "deleted", deleted

        wrong = await client.call_tool("complete_task", {"task_id": task_id})
        assert wrong.is_error and "list_tasks" in wrong.content[0].text, wrong
        wrong = await client.call_tool("add_task", {"title": ""})
        assert wrong.is_error and "title" in wrong.content[0].text, wrong
        print(f"{mode}: protocol {client.protocol_version}, five tools work, two mistakes are explained")


async def refused(url, token):
    http = create_mcp_http_client(headers={"Authorization": f"Bearer {token}"})
    response = await http.post(url, json={})
    assert response.status_code == 401, response
    challenge = response.headers["www-authenticate"]
    assert "resource_metadata=" in challenge, challenge
    metadata = await http.get(challenge.split('resource_metadata="')[1].split('"')[0])
    assert metadata.status_code == 200 and metadata.json()["resource"].endswith("/mcp"), metadata
    print("a wrong token: 401, and the challenge leads to the resource's metadata")


async def main(url, token):
    for mode in ["auto", "2026-07-28", "legacy"]:
        await use(url, token, mode)
    await refused(url, token[:-4] + "AAAA")


asyncio.run(main(*sys.argv[1:]))
