"""People, as they reach the functions: through Knative's gateways, by name."""
import base64
import hashlib
import http.client
import json
import os
import socket
import struct
import subprocess
import tempfile
import threading
import time

from cluster import GATEWAY, INNER_GATEWAY, Failed, get


def url64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(key_file, kid, claims):
    """A token, EdDSA."""
    head = {"alg": "EdDSA", "typ": "JWT", "kid": kid}
    text = ".".join(url64(json.dumps(part, separators=(",", ":")).encode()) for part in (head, claims))
    with tempfile.NamedTemporaryFile() as file:
        file.write(text.encode())
        file.flush()
        signature = subprocess.run(["openssl", "pkeyutl", "-sign", "-inkey", key_file, "-rawin", "-in", file.name],
                                   capture_output=True, check=True).stdout
    return f"{text}.{url64(signature)}"


def person_token(user, key_file=None):
    now = int(time.time())
    claims = {"iss": "todo-development", "aud": "todo", "sub": user, "iat": now, "exp": now + 36000}
    return signed(key_file or os.environ["DEVELOPMENT_KEY"], "development", claims)


def function_token(namespace, function, user):
    """What chat would mint for one call."""
    with tempfile.NamedTemporaryFile() as key:
        key.write(base64.b64decode(get("secret", "todo-function-key", namespace)["data"]["TODO_FUNCTION_KEY"]))
        key.flush()
        keys = json.loads(get("configmap", "todo-public-keys", namespace)["data"]["TODO_FUNCTION_PUBLIC_KEYS"])
        now = int(time.time())
        return signed(key.name, keys["keys"][0]["kid"], {"iss": "todo-chat", "aud": function, "sub": user, "iat": now, "exp": now + 60})


class Connection:
    """One that stays, to a function by its name or to an address."""

    def __init__(self, address, host, timeout=120):
        self.http, self.host = http.client.HTTPConnection(address, timeout=timeout), host

    def send(self, method, path, body=None, headers=None):
        body = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        self.http.request(method, path, body, {"Host": self.host, **({"Content-Type": "application/json"} if body else {}), **(headers or {})})
        answer = self.http.getresponse()
        return answer.status, answer.read()


def outside(namespace, function):
    return Connection(GATEWAY, f"{function}.{namespace}.example.com")


def inside(namespace, function):
    return Connection(INNER_GATEWAY, f"{function}.{namespace}.svc.cluster.local")


def listing(namespace, user):
    """The body and the headers of a tool call that reads and changes nothing."""
    version = "2026-07-28"
    meta = {"io.modelcontextprotocol/protocolVersion": version, "io.modelcontextprotocol/clientCapabilities": {}}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "list_tasks", "arguments": {"user_id": user}, "_meta": meta}}
    headers = {"Authorization": f"Bearer {function_token(namespace, 'tool-list-tasks', user)}", "MCP-Protocol-Version": version,
               "Mcp-Method": "tools/call", "Mcp-Name": "list_tasks", "Accept": "application/json, text/event-stream"}
    return body, headers


class Person:
    def __init__(self, namespace, user):
        self.namespace, self.user, self.token, self.conversation = namespace, user, person_token(user), None
        self.authorization = {"Authorization": f"Bearer {self.token}"}

    def asks(self, message, connection=None):
        """The status and the answer of one turn."""
        body = {"message": message} | ({"conversation_id": self.conversation} if self.conversation else {})
        status, answer = (connection or outside(self.namespace, "chat")).send("POST", f"/api/{self.user}/chat", body, self.authorization)
        answer = json.loads(answer) if answer[:1] == b"{" else {"text": answer.decode(errors="replace")}
        self.conversation = answer.get("conversation_id", self.conversation)
        return status, answer

    def says(self, message, connection=None):
        """The answer of a turn that must work."""
        status, answer = self.asks(message, connection)
        if status != 200:
            raise Failed(f"{message!r}: {status} {str(answer)[:300]}")
        return answer

    def does(self, message, tool):
        """The result of the call that a message must lead to."""
        answer = self.says(message)
        results = [call["result"] for call in answer["tool_calls"] if call["name"] == tool]
        if not results or (isinstance(results[-1], dict) and "error" in results[-1]):
            raise Failed(f"{message!r}: {answer['response']!r} {str(answer['tool_calls'])[:300]}")
        return results[-1]

    def titles(self):
        return [task["title"] for task in self.does("what do I have to do?", "list_tasks")]

    def opens_a_page(self):
        return Page(self)


class Page:
    """A page's WebSocket: what it hears is kept."""

    def __init__(self, person):
        self.heard, self.lock = [], threading.Condition()
        self.socket = socket.create_connection((GATEWAY, 80), timeout=120)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall("\r\n".join([
            f"GET /api/{person.user}/live HTTP/1.1", f"Host: live.{person.namespace}.example.com", "Connection: Upgrade", "Upgrade: websocket",
            "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}", f"Authorization: Bearer {person.token}", "", ""]).encode())
        self.stream = self.socket.makefile("rb")
        status = self.stream.readline().decode()
        headers = {}
        while (line := self.stream.readline().strip()):
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
        if " 101 " not in status or headers.get("sec-websocket-accept") != accept:
            raise Failed(f"no socket: {status.strip()}")
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        while (head := self.stream.read(2)) and len(head) == 2:
            length = head[1] & 127
            if length > 125:
                length = struct.unpack(*((">H", self.stream.read(2)) if length == 126 else (">Q", self.stream.read(8))))[0]
            body = self.stream.read(length)
            kind = head[0] & 15
            if kind == 1:
                with self.lock:
                    self.heard.append((time.time(), json.loads(body)))
                    self.lock.notify_all()
            elif kind == 9:  # a ping: its answer is masked, as a client's frames are
                self.socket.sendall(bytes([0x8A, 0x80 | len(body)]) + bytes(4) + body)
            elif kind == 8:
                return

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)

    def hears(self, what, fits, seconds):
        """When it heard such a message, and the message."""
        def found():
            return next((each for each in self.heard if fits(each[1])), None)
        with self.lock:
            if not self.lock.wait_for(found, seconds):
                raise Failed(f"the page did not hear within {seconds} s: {what}; it heard {[each[1]['type'] for each in self.heard]}")
            return found()
