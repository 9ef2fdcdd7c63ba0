"""Uses the chat endpoint as a ChatKit client does, and reads every answer with the protocol's own types."""

import json
import sys
import urllib.request

from chatkit.types import (
    ChatKitReq,
    Page,
    StreamOptionsEvent,
    Thread,
    ThreadItem,
    ThreadItemDoneEvent,
    ThreadStreamEvent,
)
from pydantic import TypeAdapter

REQUEST = TypeAdapter(ChatKitReq)
EVENT = TypeAdapter(ThreadStreamEvent)
THREADS = TypeAdapter(Page[Thread])
ITEMS = TypeAdapter(Page[ThreadItem])


class Client:
    def __init__(self, url, token):
        self.url, self.token = url, token

    def post(self, body):
        REQUEST.validate_python(body)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.url, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request) as response:
            return response.headers["content-type"], response.read().decode()

    def plain(self, request, **params):
        content_type, text = self.post({"type": request, "params": params})
        assert content_type == "application/json", content_type
        return text

    def stream(self, request, **params):
        content_type, text = self.post({"type": request, "params": params})
        assert content_type == "text/event-stream", content_type
        lines = [line for line in text.splitlines() if line and not line.startswith(":")]
        assert all(line.startswith("data:") for line in lines), lines
        return [EVENT.validate_json(line.removeprefix("data:")) for line in lines]


def message(text):
    return {"content": [{"type": "input_text", "text": text}], "attachments": [], "inference_options": {}}


def done(events):
    return [event.item for event in events if isinstance(event, ThreadItemDoneEvent)]


def main(url, token):
    client = Client(url, token)
    events = client.stream("threads.create", input=message("add buy milk tomorrow and add buy bread"))
    thread = events[0].thread.id
    assert [item.type for item in done(events)][:2] == ["user_message", "workflow"], events
    assert any(isinstance(event, StreamOptionsEvent) for event in events)
    more = client.stream("threads.add_user_message", thread_id=thread, input=message("what is on my list?"))
    again = client.stream("threads.retry_after_item", thread_id=thread, item_id=done(more)[0].id)
    assert done(again)[-1].type == "assistant_message", again
    for kind in ("threads.custom_action", "threads.add_client_tool_output", "threads.add_structured_input"):
        extra = {"action": {"type": "x", "payload": {}}, "result": 1, "item_id": "x", "input": {}}
        assert [event.type for event in client.stream(kind, thread_id=thread, **extra)] == ["error"], kind

    listed = ITEMS.validate_json(client.plain("items.list", thread_id=thread, order="asc", limit=100))
    streamed = [item.id for item in done(events) + done(more)]
    assert [item.id for item in listed.data][: len(streamed)] == streamed, (listed, streamed)
    assert Thread.model_validate_json(client.plain("threads.get_by_id", thread_id=thread)).items.data
    assert THREADS.validate_json(client.plain("threads.list", limit=1)).data[0].id == thread
    assert Thread.model_validate_json(client.plain("threads.update", thread_id=thread, title="Milk")).title == "Milk"
    assert client.plain("items.feedback", thread_id=thread, item_ids=streamed[:1], kind="positive") == "{}"
    assert client.plain("threads.delete", thread_id=thread) == "{}"
    print(f"{len(events) + len(more) + len(again)} events and {len(listed.data)} items are ChatKit's")


if __name__ == "__main__":
    main(*sys.argv[1:])
