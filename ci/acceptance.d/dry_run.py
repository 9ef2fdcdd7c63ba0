"""What the cluster says to every manifest, without keeping it: types, Knative's and Kubernetes' admission, Dapr's schemas."""
import copy
import glob
import json
import os

import yaml

from cluster import ROOT, Failed, kubectl, run
from kafka import documents

DAPR = ["dapr/cluster", "dapr/kafka/sasl", "dapr/kafka/tls", "dapr/email"]


def known_kinds():
    """(apiVersion, kind) of everything that this cluster has."""
    rows = (line.split() for line in kubectl("api-resources", "--no-headers").splitlines())
    return {(row[-3], row[-1]) for row in rows}


def judged(found, namespace="todo"):
    """What the cluster says to them: nothing when it would take all."""
    for document in found:
        document["metadata"].setdefault("namespace", namespace)
    said = run("kubectl", "apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "--field-manager=acceptance",
               "-f", "-", stdin=yaml.safe_dump_all(found), check=False)
    return said.stderr.strip() if said.returncode else ""


def sets():
    """Everything that a cluster is given, by what makes it."""
    for folder in ["knative", *DAPR]:
        yield folder, run("kubectl", "kustomize", f"{ROOT}/{folder}").stdout
    for values in sorted(glob.glob(f"{ROOT}/charts/todo/values*.yaml")):
        yield os.path.basename(values), run("helm", "template", "todo", f"{ROOT}/charts/todo", "--namespace", "todo", "--kube-version", "1.35.0",
                                            "--values", values).stdout


def accepted():
    """(documents that were taken, kinds that this cluster does not know)"""
    known, taken, unknown = known_kinds(), 0, set()
    for name, text in sets():
        found = [document for document in yaml.safe_load_all(text) if document]
        here = [document for document in found if (document["apiVersion"], document["kind"]) in known]
        unknown |= {document["kind"] for document in found} - {document["kind"] for document in here}
        # Knative judges a Service by a dry run of its pod, for which the account must be there.
        if accounts := [each for each in here if each["kind"] == "ServiceAccount"]:
            kubectl("apply", "-n", "todo", "-f", "-", stdin=yaml.safe_dump_all(accounts))
        if said := judged(here):
            raise Failed(f"{name}: {said[:800]}")
        taken += len(here)
    return taken, sorted(unknown)


def one(folder, kind, name=None):
    return copy.deepcopy(next(each for each in documents(folder) if each["kind"] == kind and name in (None, each["metadata"]["name"])))


def broken():
    """Documents with one mistake each, and what the refusal must speak of."""
    service = one("knative", "Service", "tool-add-task")
    service["spec"]["template"]["spec"]["containerConcurrency"] = 6400
    yield service, "containerConcurrency"
    port = one("knative", "Service", "chat")
    port["spec"]["template"]["spec"]["containers"][0]["env"].append({"name": "PORT", "value": "80"})
    yield port, "PORT"
    trigger = one("knative", "Trigger", "tool-add-task")
    trigger["spec"]["broker"] = ""
    yield trigger, "broker"
    ping = one("knative", "PingSource")
    ping["spec"]["schedule"] = "sometimes"
    yield ping, "schedule"
    policy = one("knative", "NetworkPolicy", "chat")
    policy["spec"]["egress"][0]["ports"] = [{"port": 70000}]
    yield policy, "70000"
    resiliency = one("dapr/cluster", "Resiliency")
    resiliency["spec"]["policies"]["retries"]["tool"]["maxRetries"] = "twice"
    yield resiliency, "maxRetries"
    deployment = one("dapr/cluster", "Deployment")
    deployment["spec"]["replicaz"] = 1
    yield deployment, "replicaz"


def refused():
    """How many broken documents the cluster refused, each for its mistake."""
    number = 0
    for document, word in broken():
        said = judged([document])
        if word not in said:
            raise Failed(f"{document['kind']} with a wrong {word}: {json.dumps(said[:300]) if said else 'the cluster takes it'}")
        number += 1
    return number
