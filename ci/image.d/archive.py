#!/usr/bin/env python3
"""archive.py ROOT OUT.tar --name … --version … --revision … --created SECONDS --machine MACHINE

Writes an image archive from the files in ROOT, without an engine: an OCI layout, with the index of `docker save` beside it for engines that do
not read that. Equal files make an equal archive: entries are sorted, all of one time, root's and read-only; nothing of this machine is in it.
"""
import argparse
import datetime
import hashlib
import io
import json
import pathlib
import subprocess
import tarfile

# Numeric, because Kubernetes' runAsNonRoot cannot look up a name; nobody else's number by convention.
USER = "65532:65532"
ARCHITECTURES = {"x86_64": {"architecture": "amd64"}, "aarch64": {"architecture": "arm64", "variant": "v8"}}
# Huge pages would give each process a dozen MiB that it never asked for: mimalloc asks for them, for large heaps.
ENVIRONMENT = ["PATH=/", "PORT=8080", "MIMALLOC_ALLOW_THP=0", "MIMALLOC_ARENA_RESERVE=131072"]
OCI = "application/vnd.oci.image"


def add(tar, name, data=None, mode=0o444, time=0):
    entry = tarfile.TarInfo(name)
    entry.type = tarfile.DIRTYPE if data is None else tarfile.REGTYPE
    entry.mode, entry.mtime, entry.size = mode, time, len(data or b"")
    tar.addfile(entry, io.BytesIO(data or b""))


def layer(root, paths, time):
    """The paths below root, and what is in them, as an uncompressed layer."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path in sorted(found for path in paths for found in [path, *path.rglob("*")]):
            name = path.relative_to(root).as_posix()
            if path.is_dir():
                add(tar, name, mode=0o555, time=time)
            else:
                add(tar, name, path.read_bytes(), 0o555 if path.stat().st_mode & 0o100 else 0o444, time)
    return out.getvalue()


def packed(data):
    """Zstandard, because it looks back further than the 32 KiB of gzip: one component is much like the one before, and all of them become a
    fourth of what gzip makes of them. A window of 64 MiB is within what every reader allows."""
    command = ["zstd", "-19", "--long=26", "--single-thread", "--quiet", "--stdout"]
    return subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout


class Blobs(dict):
    def keep(self, kind, data):
        digest = hashlib.sha256(data).hexdigest()
        self["blobs/sha256/" + digest] = data
        return {"mediaType": f"{OCI}.{kind}", "digest": "sha256:" + digest, "size": len(data)}


def compact(value):
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def image(root, about):
    """The archive's files by name."""
    platform = {"os": "linux", **ARCHITECTURES[about.machine]}
    created = datetime.datetime.fromtimestamp(about.created, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    labels = {
        "org.opencontainers.image.title": "todo",
        "org.opencontainers.image.description": "A to-do assistant that runs as serverless functions",
        "org.opencontainers.image.licenses": "Apache-2.0",
        "org.opencontainers.image.version": about.version,
        "org.opencontainers.image.revision": about.revision,
        "org.opencontainers.image.created": created,
    }
    # Two layers: who changes the programs alone, or one component, pulls no more than that.
    programs = [root / "todo", root / "todo-system"]
    others = [path for path in root.iterdir() if path not in programs]
    layers = [layer(root, others, about.created), layer(root, programs, about.created)]
    files = Blobs()
    config = files.keep("config.v1+json", compact({
        **platform,
        "created": created,
        "config": {
            "User": USER, "WorkingDir": "/", "Entrypoint": ["/todo"], "Env": ENVIRONMENT,
            "ExposedPorts": {"8080/tcp": {}}, "Labels": labels,
        },
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(data).hexdigest() for data in layers]},
        "history": [{"created": created, "comment": comment} for comment in ["components", "host"]],
    }))
    blobs = [files.keep("layer.v1.tar+zstd", packed(data)) for data in layers]
    manifest = files.keep("manifest.v1+json", compact({
        "schemaVersion": 2, "mediaType": OCI + ".manifest.v1+json", "config": config, "layers": blobs, "annotations": labels,
    }))
    names = {"io.containerd.image.name": about.name, "org.opencontainers.image.ref.name": about.name.rpartition(":")[2]}
    index = {
        "schemaVersion": 2, "mediaType": OCI + ".index.v1+json",
        "manifests": [{**manifest, "platform": platform, "annotations": names}],
    }
    path = lambda blob: "blobs/sha256/" + blob["digest"].partition(":")[2]
    docker = [{"Config": path(config), "RepoTags": [about.name], "Layers": [path(blob) for blob in blobs]}]
    return {"oci-layout": compact({"imageLayoutVersion": "1.0.0"}), "index.json": compact(index), "manifest.json": compact(docker), **files}


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    for option in ["--name", "--version", "--revision", "--machine"]:
        parser.add_argument(option, required=True)
    parser.add_argument("--created", type=int, required=True)
    about = parser.parse_args()
    files = image(about.root, about)
    unfinished = about.out.with_suffix(".unfinished")
    with tarfile.open(unfinished, "w", format=tarfile.USTAR_FORMAT) as tar:
        for folder in ["blobs", "blobs/sha256"]:
            add(tar, folder, mode=0o755)
        for name in sorted(files):
            add(tar, name, files[name], 0o644)
    unfinished.rename(about.out)
    print(f"{about.out}: {about.name}, {about.out.stat().st_size / 1e6:.1f} MB")


main()
