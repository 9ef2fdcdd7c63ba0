#!/usr/bin/env python3
"""Prints the manifests of what stands on the node besides Kubernetes, for one small node, from the Go modules' own files.

manifests.py gateway|crds|serving|kourier|eventing   (run where `go list -m` knows the modules)

Changed from upstream: images built here (`ko://path` → `dev.local/…:v1`), no resource requests, one replica of each, short
scale-to-zero times, Kourier as the ingress.
"""
import glob
import re
import subprocess
import sys

import yaml


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def module(path):
    return output("go", "list", "-m", "-f", "{{.Dir}}", path).strip()


def image_name(path):  # knative.dev/eventing/cmd/broker/filter → dev.local/eventing-broker-filter:v1
    repository, _, command = path.removeprefix("knative.dev/").partition("/cmd/")
    return f"dev.local/{repository}-{command.replace('/', '-')}:v1"


def read(patterns):
    for pattern in patterns:
        paths = sorted(glob.glob(pattern))
        assert paths, f"no file matches {pattern}"
        for path in paths:
            with open(path) as file:
                text = re.sub(r"ko://([\w./-]+)", lambda found: image_name(found[1]), file.read())
            text = re.sub(r"docker\.io/envoyproxy/envoy:\S+", "dev.local/envoy:v1", text)
            yield from yaml.safe_load_all(text)


def manifests(which):
    if which == "gateway":
        return read([module("sigs.k8s.io/gateway-api") + "/config/crd/standard/*.yaml"])
    if which == "kourier":
        return read([module("knative.dev/net-kourier") + "/config/*.yaml"])
    serving, eventing = module("knative.dev/serving") + "/config/core", module("knative.dev/eventing")
    networking, caching = module("knative.dev/networking") + "/config", module("knative.dev/caching") + "/config"
    core = eventing + "/config/core"
    channel, broker = eventing + "/config/channels/in-memory-channel", eventing + "/config/brokers/mt-channel-broker"
    return read({
        "crds": [f"{serving}/300-resources/*.yaml", f"{networking}/[cdis]*[!g].yaml", f"{caching}/image.yaml",
                 f"{core}/resources/*.yaml", f"{channel}/resources/*.yaml"],
        "serving": [f"{serving}/100-namespace.yaml", f"{serving}/200-*/*.yaml", f"{serving}/200-serviceaccount.yaml",
                    f"{serving}/configmaps/*.yaml", f"{networking}/config-network.yaml", f"{serving}/deployments/*.yaml",
                    f"{serving}/webhooks/*.yaml", f"{serving}/999-cache.yaml"],
        "eventing": [f"{eventing}/third_party/eventing-integrations-latest/*.yaml", f"{core}/100-namespace.yaml", f"{core}/200-*.yaml",
                     f"{core}/roles/*.yaml", f"{core}/configmaps/*.yaml", f"{core}/deployments/[cpw]*.yaml", f"{core}/webhooks/*.yaml",
                     f"{channel}/200-*.yaml", f"{channel}/configmaps/*.yaml", f"{channel}/deployments/*.yaml", f"{channel}/roles/*.yaml",
                     f"{channel}/webhooks/*.yaml", f"{broker}/roles/*.yaml", f"{broker}/deployments/*.yaml"],
    }[which])


# ConfigMaps hold an `_example` with a checksum; a setting beside it leaves the example alone.
SETTINGS = {
    "config-network": {"ingress-class": "kourier.ingress.networking.knative.dev"},
    "config-autoscaler": {"scale-to-zero-grace-period": "6s", "stable-window": "6s", "scale-to-zero-pod-retention-period": "0s"},
    "config-domain": {"example.com": ""},
    # What charts/todo needs for its development key, and its values for clouds for spreading pods.
    "config-features": {"kubernetes.podspec-volumes-emptydir": "enabled", "kubernetes.podspec-topologyspreadconstraints": "enabled"},
}


def small(document):
    kind, name = document["kind"], document["metadata"]["name"]
    if kind in ("HorizontalPodAutoscaler", "PodDisruptionBudget"):
        return None
    if kind == "ConfigMap" and name in SETTINGS:
        document.setdefault("data", {}).update(SETTINGS[name])
    if kind in ("Deployment", "StatefulSet"):
        document["spec"]["replicas"] = 1
        spec = document["spec"]["template"]["spec"]
        spec.pop("affinity", None)
        for container in spec["containers"]:
            container.pop("resources", None)
            container["imagePullPolicy"] = "IfNotPresent"
    return document


def main(which):
    documents = [document for document in manifests(which) if document]
    if which == "crds":
        documents = [document for document in documents if document["kind"] == "CustomResourceDefinition"]
    print(yaml.safe_dump_all([kept for document in documents if (kept := small(document))], sort_keys=False))


main(sys.argv[1])
