#!/usr/bin/env python3
"""Tries every scene, one after the other, and prints what each found as a table. Exits 1 when one failed.

main.py [NAME…]   only these scenes; what they need must be there
"""
import os
import sys
import time
import traceback

import scenes
from cluster import NODE, ROOT, kubectl, run
from kafka import BROKERS, Recorder, Sources
from people import Person


class Stage:
    """What scenes share."""
    namespace, helm_namespace = "todo", "todo-helm"

    def __init__(self):
        # Nobody from an earlier call, whose tasks are still there.
        self.people, self.run = {}, f"{int(time.time()):x}"
        self.recorder = Recorder()
        for namespace in (self.namespace, self.helm_namespace):
            prepare(namespace)
        self.sources = Sources(self.namespace)

    def person(self, name):
        return self.people.setdefault(name, Person(self.namespace, f"{name}-{self.run}"))


def prepare(namespace):
    """The namespace with its Secrets, and Kafka by its name."""
    if kubectl("get", "namespace", namespace, "--ignore-not-found"):
        return
    kubectl("create", "namespace", namespace)
    database = f"postgres://todo@{NODE}:{os.environ['POSTGRES_PORT']}/{namespace.replace('-', '_')}?sslmode=disable"
    kubectl("create", "-n", namespace, "-f", "-", stdin=run(f"{ROOT}/knative/new-secrets", environment={"DATABASE_URL": database}).stdout)
    kubectl("create", "secret", "generic", "todo-development-key", "-n", namespace, f"--from-file=development-key.pem={os.environ['DEVELOPMENT_KEY']}")
    kubectl("create", "configmap", "dapr-resources", "-n", namespace, *(f"--from-file={ROOT}/dapr/components/{name}.yaml" for name in ("pubsub", "state")))
    with open(f"{ROOT}/ci/acceptance.d/surroundings.yaml") as file:
        text = file.read().replace("@NODE@", NODE).replace("@PORT@", BROKERS.rpartition(":")[2])
    kubectl("apply", "-n", namespace, "-f", "-", stdin=text)


def tried(scene, stage):
    """(whether it held, what it found)"""
    name, begun = scene.__name__.replace("_", " "), time.monotonic()
    try:
        found, held = scene(stage), True
    except Exception as error:  # whatever it is, the other scenes are tried
        traceback.print_exc()
        found, held = f"**{type(error).__name__}**: {' '.join(str(error).split())[:300]}", False
    print(f"{'ok    ' if held else 'FAILED'} {time.monotonic() - begun:6.1f} s  {name}: {found}", file=sys.stderr, flush=True)
    return name, held, found


def main(names):
    all_scenes = [*scenes.MANIFESTS, *scenes.WITH_KN, *scenes.WITH_HELM]
    stage = Stage()
    rows = [tried(scene, stage) for scene in all_scenes if not names or scene.__name__ in names]
    stage.sources.stop()
    print("| what | | found |\n|---|---|---|")
    for name, held, found in rows:
        print(f"| {name} | {'yes' if held else '**no**'} | {found} |")
    failed = sum(not held for _, held, _ in rows)
    print(f"\n{len(rows) - failed} of {len(rows)} hold.")
    return 1 if failed else 0


sys.exit(main(sys.argv[1:]))
