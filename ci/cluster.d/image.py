#!/usr/bin/env python3
"""Writes a container image archive (the layout of `docker save`) from files on this machine, without an engine.

image.py NAME:TAG OUT.tar --entrypoint PATH [--user UID] [--libs] [--link DST=TARGET]… SRC:DST…

SRC may be a folder. --libs adds the shared libraries that the files need (by ldd), at their own paths. Equal input gives an equal
archive: times are 0, owners root, entries sorted.
"""
import argparse
import hashlib
import io
import json
import os
import platform
import subprocess
import sys
import tarfile

ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]


def needed_libraries(path):
    said = subprocess.run(["ldd", path], capture_output=True, text=True).stdout
    words = (word for line in said.splitlines() for word in line.split())
    return {word for word in words if word.startswith("/") and os.path.exists(word)}


def expand(source, target):
    if not os.path.isdir(source):
        yield source, target
        return
    for folder, _, names in os.walk(source):
        for name in names:
            path = os.path.join(folder, name)
            yield path, os.path.join(target, os.path.relpath(path, source))


def add(tar, name, data=None, mode=0o644, kind=tarfile.REGTYPE, link=""):
    info = tarfile.TarInfo(name.lstrip("/"))
    info.mode, info.type, info.linkname, info.size = mode, kind, link, len(data or b"")
    tar.addfile(info, io.BytesIO(data) if data else None)


def folders_of(paths):
    found = {"/tmp"}
    for path in paths:
        while (path := os.path.dirname(path)) not in ("/", ""):
            found.add(path)
    return sorted(found)


def layer(files, links):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for folder in folders_of([*files, *links]):
            add(tar, folder, mode=0o1777 if folder == "/tmp" else 0o755, kind=tarfile.DIRTYPE)
        for target in sorted(files):
            with open(files[target], "rb") as file:
                add(tar, target, file.read(), 0o755 if os.access(files[target], os.X_OK) else 0o644)
        for target in sorted(links):
            add(tar, target, kind=tarfile.SYMTYPE, link=links[target], mode=0o777)
    return out.getvalue()


def write(args, data):
    digest = hashlib.sha256(data).hexdigest()
    config = json.dumps({
        "architecture": ARCHITECTURE, "os": "linux",
        "config": {"Entrypoint": [args.entrypoint], "User": args.user, "WorkingDir": "/", "Env": ["PATH=/usr/local/bin:/usr/bin:/bin"]},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest]}}).encode()
    name = hashlib.sha256(config).hexdigest()
    manifest = [{"Config": name + ".json", "RepoTags": [args.name], "Layers": [digest + "/layer.tar"]}]
    # Renamed when whole, so that a build that is broken off leaves nothing that looks like an image.
    with tarfile.open(args.out + ".new", "w") as tar:
        add(tar, name + ".json", config)
        add(tar, digest + "/layer.tar", data)
        add(tar, "manifest.json", json.dumps(manifest).encode())
    os.rename(args.out + ".new", args.out)
    print(f"{args.name}: {len(data) / 1e6:.1f} MB", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("name")
    parser.add_argument("out")
    parser.add_argument("--entrypoint", required=True)
    parser.add_argument("--user", default="65532")
    parser.add_argument("--libs", action="store_true")
    parser.add_argument("--link", action="append", default=[])
    parser.add_argument("pairs", nargs="+")
    args = parser.parse_args()
    files = {target: source for pair in args.pairs for source, target in expand(*pair.split(":"))}
    if args.libs:
        files |= {library: os.path.realpath(library) for source in list(files.values()) for library in needed_libraries(source)}
    write(args, layer(files, dict(link.split("=") for link in args.link)))


main()
