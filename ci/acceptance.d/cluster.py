"""What is asked of the cluster: by kubectl, as an operator would."""
import contextlib
import json
import os
import subprocess
import time

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
GATEWAY, INNER_GATEWAY, NODE = os.environ["GATEWAY"], os.environ["INNER_GATEWAY"], os.environ["NODE"]


class Failed(Exception):
    """Something is not as it must be; the message says what."""


def run(*command, stdin=None, environment=None, check=True, timeout=900):
    said = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=timeout, env={**os.environ, **(environment or {})})
    if check and said.returncode:
        raise Failed(f"{' '.join(command[:6])}: {(said.stderr or said.stdout).strip()[-600:]}")
    return said


def kubectl(*arguments, **options):
    return run("kubectl", *arguments, **options).stdout


def get(kind, name, namespace):
    return json.loads(kubectl("get", kind, name, "-n", namespace, "-o", "json"))


def wait_until(what, look, seconds=120, pause=0.2):
    """What `look` finds, as soon as it finds something."""
    end = time.monotonic() + seconds
    while True:
        if found := look():
            return found
        if time.monotonic() > end:
            raise Failed(f"not within {seconds} s: {what}")
        time.sleep(pause)


def pods(namespace, function=None):
    """Names of pods that are there, those that end included."""
    selector = ["-l", f"serving.knative.dev/service={function}"] if function else []
    return kubectl("get", "pods", "-n", namespace, *selector, "-o", "jsonpath={.items[*].metadata.name}").split()


def wait_for_zero(namespace, *functions, seconds=150):
    for function in functions:
        wait_until(f"{function} is at zero", lambda: not pods(namespace, function), seconds)


def traffic(namespace, function):
    """Which revision has how much, as the Service says it."""
    service = get("ksvc", function, namespace)
    return {each["revisionName"]: each.get("percent", 0) for each in service["status"]["traffic"]}


def pod_address(namespace, function):
    return kubectl("get", "pods", "-n", namespace, "-l", f"serving.knative.dev/service={function}", "--field-selector=status.phase=Running",
                   "-o", "jsonpath={.items[0].status.podIP}")


def memory():
    """The working set of each namespace's pods in MiB, as the kubelet measures it."""
    sums = {}
    for line in kubectl("get", "--raw", "/api/v1/nodes/node/proxy/metrics/resource").splitlines():
        if line.startswith("pod_memory_working_set_bytes{"):
            namespace = line.split('namespace="')[1].split('"')[0]
            sums[namespace] = sums.get(namespace, 0) + float(line.split("} ")[1].split()[0]) / 2**20
    return sums


def job(namespace, name, *arguments):
    """Runs the image with these arguments beside the database, and returns what it said."""
    pod = {"apiVersion": "v1", "spec": {"restartPolicy": "Never", "containers": [{
        "name": name, "image": "dev.local/todo:v1", "args": list(arguments),
        "env": [{"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": {"name": "todo-database", "key": "DATABASE_URL"}}}]}]}}
    kubectl("run", name, "-n", namespace, "--image=dev.local/todo:v1", "--restart=Never", f"--overrides={json.dumps(pod)}")
    try:
        phase = wait_until(f"{name} has ended", lambda: (found := kubectl("get", "pod", name, "-n", namespace, "-o", "jsonpath={.status.phase}")) in
                           ("Succeeded", "Failed") and found, 90)
        said = kubectl("logs", name, "-n", namespace).strip()
        if phase != "Succeeded":
            raise Failed(f"todo {' '.join(arguments)}: {said[-300:]}")
        return said
    finally:
        kubectl("delete", "pod", name, "-n", namespace, "--wait=false")


@contextlib.contextmanager
def stopwatch():
    begun, took = time.monotonic(), []
    yield lambda: took[0] if took else time.monotonic() - begun
    took.append(time.monotonic() - begun)
