#!/usr/bin/env python3
"""check.py ARCHIVE: proves of an image archive what docs/specs/image.md says of it. As root, in a mount namespace of its own (ci/image check).

Unpacks it, looks at every file, mounts the files read-only and starts what is in it there, as the image's user and with nothing around it:
no shell, no library, no /etc, no /proc. Then measures.
"""
import base64
import contextlib
import hashlib
import http.client
import io
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time

MOST_BYTES = 30_000_000
STARTS = 21
PERSON = "ann"
LIST = "tool-list-tasks"


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def decompressed(data):
    return subprocess.run(["zstd", "--decompress", "--quiet", "--stdout"], input=data, stdout=subprocess.PIPE, check=True).stdout


def opened(archive):
    """The image's config and its layers, unpacked; every digest on the way is checked."""
    with tarfile.open(archive) as tar:
        files = {entry.name: tar.extractfile(entry).read() for entry in tar if entry.isfile()}
    path = lambda named: "blobs/sha256/" + named["digest"].removeprefix("sha256:")

    def blob(named):
        data = files[path(named)]
        assert named["digest"] == digest(data) and named["size"] == len(data), named
        return data

    assert json.loads(files["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    [entry] = json.loads(files["index.json"])["manifests"]
    manifest = json.loads(blob(entry))
    config = json.loads(blob(manifest["config"]))
    layers = [decompressed(blob(layer)) for layer in manifest["layers"]]
    assert config["rootfs"]["diff_ids"] == [digest(layer) for layer in layers]
    [docker] = json.loads(files["manifest.json"])
    assert docker["Config"] == path(manifest["config"]) and docker["Layers"] == [path(layer) for layer in manifest["layers"]]
    return config, layers


def unpacked(layers, root):
    """Writes the files below root and returns their sizes. None may be writable, whoever asks, nor be for its owner alone."""
    sizes = {}
    for data in layers:
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            for entry in tar:
                wanted = (0o555,) if entry.isdir() else (0o444, 0o555)
                assert (entry.isfile() or entry.isdir()) and entry.mode in wanted, f"{entry.name} is {entry.type} {entry.mode:o}"
                assert entry.uid == entry.gid == 0 and not entry.pax_headers, f"{entry.name} has an owner or attributes"
                sizes[entry.name] = entry.size
            tar.extractall(root, numeric_owner=True)
    return sizes


class Keys:
    """A key as chat has it, and its tokens."""

    def __init__(self, folder):
        self.pem = folder / "function-key.pem"
        openssl("genpkey", "-algorithm", "ed25519", "-out", self.pem)
        x = url64(openssl("pkey", "-in", self.pem, "-pubout", "-outform", "DER")[-32:])
        # Named by its thumbprint (RFC 7638), as chat names it.
        self.name = url64(hashlib.sha256(f'{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}'.encode()).digest())
        key = {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": self.name, "use": "sig", "alg": "EdDSA"}
        self.public = json.dumps({"keys": [key]})

    def token(self, function):
        now = int(time.time())
        claims = {"iss": "todo-chat", "aud": function, "sub": PERSON, "iat": now, "exp": now + 60}
        parts = [{"typ": "JWT", "alg": "EdDSA", "kid": self.name}, claims]
        signed = ".".join(url64(json.dumps(part).encode()) for part in parts)
        with tempfile.NamedTemporaryFile() as file:
            file.write(signed.encode())
            file.flush()
            return signed + "." + url64(openssl("pkeyutl", "-sign", "-inkey", self.pem, "-rawin", "-in", file.name))


def openssl(*arguments):
    return subprocess.run(["openssl", *arguments], check=True, capture_output=True).stdout


def url64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def call(function, token, arguments):
    """An MCP request for the function's tool."""
    name = function.removeprefix("tool-").replace("-", "_")
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "check", "version": "0"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    params = {"name": name, "arguments": {"user_id": PERSON, **arguments}, "_meta": meta}
    headers = {
        "authorization": "Bearer " + token, "content-type": "application/json", "accept": "application/json, text/event-stream",
        "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": name,
    }
    return "POST", "/mcp", json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}), headers


def answer(port, method, path, body=None, headers={}):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    return response.status, response.read().decode()


def first_answer(port, process, *request):
    """As soon as somebody listens."""
    while True:
        try:
            return answer(port, *request)
        except ConnectionError:
            ended, status = os.waitpid(process, os.WNOHANG)
            assert not ended, f"it ended with {os.waitstatus_to_exitcode(status)}"
            time.sleep(0.0002)


def result_of(answered):
    status, body = answered
    result = json.loads(body)
    assert status == 200 and "error" not in result and not result["result"].get("isError"), answered
    return result["result"]["structuredContent"]


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class BareRoot:
    """The image's files, read-only, with what a pod adds: a volume at /data, and the names of others."""

    def __init__(self, root, config, functions, folder):
        self.root, self.folder = root, folder
        self.user = config["config"]["User"]
        [self.program] = config["config"]["Entrypoint"]
        self.keys = Keys(folder)
        self.environment = {
            **dict(variable.split("=", 1) for variable in config["config"]["Env"]),
            "DATABASE_URL": "sqlite:/data/todo.db", "TODO_FUNCTION_PUBLIC_KEYS": self.keys.public,
            "TODO_DATA": "/data", "TODO_LOG": "error",
        }
        uid, gid = map(int, self.user.split(":"))
        assert uid != 0
        data = folder / "data"
        data.mkdir()
        os.chown(data, uid, gid)
        (root / "data").mkdir()
        # As a pod's: so that each function has an address of its own.
        (root / "etc").mkdir()
        self.addresses = {name: f"127.0.1.{number}" for number, name in enumerate(functions, 1)}
        (root / "etc/hosts").write_text("".join(f"{address} {name}\n" for name, address in self.addresses.items()))

    def __enter__(self):
        data = self.root / "data"
        for command in [["--bind", self.root, self.root], ["-o", "remount,bind,ro,nosuid,nodev", self.root], ["--bind", self.folder / "data", data]]:
            subprocess.run(["mount", *command], check=True)
        return self

    def __exit__(self, *_):
        os.chdir("/")
        subprocess.run(["umount", "--recursive", self.root], check=True)

    def command(self, *arguments):
        starter = [shutil.which("setpriv"), "--no-new-privs", shutil.which("chroot"), "--userspec=" + self.user, self.root]
        return [*starter, self.program, *arguments]

    def run(self, *arguments):
        return subprocess.run(self.command(*arguments), env=self.environment, check=True, capture_output=True, text=True).stdout

    @contextlib.contextmanager
    def serving(self, *arguments, port=None, listen=None, **environment):
        """The port of a process that runs meanwhile; it must end by itself when it is told to."""
        port = port or free_port()
        environment = {**self.environment, **environment, "PORT": str(port)}
        if listen:
            # It would come before the address.
            del environment["PORT"]
            environment["TODO_LISTEN"] = f"{listen}:{port}"
        process = subprocess.Popen(self.command(*arguments), env=environment)
        try:
            yield port, process.pid
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0, f"{arguments} ended with {process.returncode}"
        finally:
            process.kill()

    def function(self, name, **where):
        return self.serving("serve", name, "--file", f"components/{name}.cwasm", **where)


def every_function_answers(bare, functions):
    for name in functions:
        with bare.function(name) as (port, process):
            assert first_answer(port, process, "GET", "/healthz")[0] == 200, name
            ready = answer(port, "GET", "/readyz")
            assert ready[0] == 200, (name, ready)


def a_sentence_becomes_a_task(bare):
    """Chat with the offline model calls the tools, and one of them says what they did."""
    person, at = bare.run("token", PERSON).strip(), free_port()
    chat = {"TODO_FUNCTION_KEY": bare.keys.pem.read_text(), "TODO_TOOL_URL": f"http://{{function}}:{at}/mcp"}
    with contextlib.ExitStack() as running:
        for tool in [name for name in bare.addresses if name.startswith("tool-")]:
            running.enter_context(bare.function(tool, port=at, listen=bare.addresses[tool]))
        port, process = running.enter_context(bare.serving("chat", **chat))
        said = json.dumps({"message": "Add a task to water the plants tomorrow at 9am", "timezone": "Asia/Karachi"})
        headers = {"authorization": "Bearer " + person, "content-type": "application/json"}
        status, body = first_answer(port, process, "POST", f"/api/{PERSON}/chat", said, headers)
        assert status == 200 and [call["name"] for call in json.loads(body)["tool_calls"]] == ["add_task"], body
    with bare.function(LIST) as (port, process):
        listed = first_answer(port, process, *call(LIST, bare.keys.token(LIST), {}))
        assert "ater the plants" in json.dumps(result_of(listed)), listed
        # A token for another function opens nothing.
        assert answer(port, *call(LIST, bare.keys.token("chat"), {}))[0] == 401


def nothing_else_runs(bare):
    """The host has no compiler: it runs what came with it."""
    (bare.folder / "data" / "foreign.wasm").write_bytes(b"\0asm\x0d\0\x01\0")
    refused = subprocess.run(bare.command("serve", LIST, "--file", "/data/foreign.wasm"), env=bare.environment | {"PORT": str(free_port())},
                             capture_output=True, text=True)
    assert refused.returncode == 69 and "cannot compile" in refused.stderr, refused


def cold_starts(bare):
    """Milliseconds from exec to the first answer that took a query, and KiB resident after it. Without chroot's own start."""
    token = bare.keys.token(LIST)
    times, resident = [], []
    os.chdir(bare.root)
    for _ in range(STARTS):
        port = free_port()
        environment = bare.environment | {"PORT": str(port), "DATABASE_URL": f"sqlite:{bare.folder}/data/todo.db"}
        begin = time.perf_counter()
        process = os.posix_spawn(bare.root / "todo", ["todo", "serve", LIST, "--file", f"components/{LIST}.cwasm"], environment)
        answered = first_answer(port, process, *call(LIST, token, {}))
        times.append((time.perf_counter() - begin) * 1e3)
        result_of(answered)
        status = pathlib.Path(f"/proc/{process}/status").read_text()
        resident.append(int(re.search(r"VmRSS:\s+(\d+)", status)[1]))
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
    return times, resident


def main():
    archive = pathlib.Path(sys.argv[1])
    size = archive.stat().st_size
    config, layers = opened(archive)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        folder.chmod(0o755)
        root = folder / "root"
        root.mkdir(0o755)
        files = unpacked(layers, root)
        functions = re.findall(r"(?m)^\[component\.([a-z-]+)\]$", (root / "spin.toml").read_text())
        assert {f"components/{name}.cwasm" for name in functions} == {name for name in files if name.endswith(".cwasm")}
        with BareRoot(root, config, functions, folder) as bare:
            bare.run("migrate")
            every_function_answers(bare, functions)
            a_sentence_becomes_a_task(bare)
            nothing_else_runs(bare)
            times, resident = cold_starts(bare)
    components = sum(size for name, size in files.items() if name.endswith(".cwasm"))
    print(f"archive             {size / 1e6:.1f} MB; unpacked {sum(files.values()) / 1e6:.1f} MB: "
          f"todo {files['todo'] / 1e6:.1f}, todo-system {files['todo-system'] / 1e6:.1f}, {len(functions)} components {components / 1e6:.1f}")
    print(f"cold start          {statistics.median(times):.1f} ms (median of {STARTS}; best {min(times):.1f}), exec to the first answer with a query")
    print(f"resident after it   {statistics.median(resident) / 1024:.1f} MiB")
    assert size <= MOST_BYTES, f"the archive has more than {MOST_BYTES} bytes"
    print(f"image: {len(functions)} functions answered in a bare root")


main()
