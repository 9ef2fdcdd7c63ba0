"""What must hold on a cluster, in the order in which it is tried. Each scene returns its numbers in words, or fails."""
import json
import os
import signal
import statistics
import threading
import time
import uuid
from datetime import datetime, timezone

import dry_run
from cluster import ROOT, Failed, get, job, kubectl, memory, pod_address, pods, run, stopwatch, traffic, wait_for_zero, wait_until
from kafka import STRUCTURED, all_delivered, broker, documents, results
from people import Connection, Person, inside, listing, outside, person_token

TOOLS = ["tool-add-task", "tool-list-tasks", "tool-complete-task", "tool-delete-task", "tool-update-task"]
SENTENCES = {
    "tool-add-task": "add buy milk", "tool-list-tasks": "what do I have to do?", "tool-update-task": "rename task 1 to buy oat milk",
    "tool-complete-task": "complete task 1", "tool-delete-task": "delete task 1",
}
# What this cluster has no types for, and the Broker, whose class is another here; Dapr without its control plane.
HERE = ["--development", "--overlay", f"{ROOT}/ci/acceptance.d/overlay", "--dapr", f"{ROOT}/ci/acceptance.d/dapr", "--without", "KafkaSource,KafkaSink,Broker"]


def seconds(took):
    return f"{took:.2f} s" if took >= 1 else f"{took * 1000:.1f} ms"


def functions():
    return [each["metadata"]["name"] for each in documents("knative") if each["apiVersion"].startswith("serving")]


def deploy(namespace, image, *more, check=True):
    """ci/deploy, as anybody would call it."""
    gateway = f"{os.environ['GATEWAY']}:80"
    return run(f"{ROOT}/ci/deploy", "--namespace", namespace, "--image", image, *HERE, "--gateway", gateway, *more,
               environment={"TODO_TOKEN": person_token("smoke")}, check=check)


# ---- before anything is there --------------------------------------------------------------------------------------

def every_manifest_is_accepted(_):
    taken, unknown = dry_run.accepted()
    return f"{taken} documents; not known here: {', '.join(unknown)}"


def a_broken_manifest_is_refused(_):
    return f"{dry_run.refused()} of {len(list(dry_run.broken()))} mistakes"


# ---- with kn -------------------------------------------------------------------------------------------------------

def it_is_deployed_with_kn(stage):
    kubectl("apply", "-f", "-", stdin=broker(stage.namespace, stage.recorder))
    kubectl("wait", "broker/tool-calls", "-n", stage.namespace, "--for=condition=Ready", "--timeout=120s")
    with stopwatch() as took:
        deploy(stage.namespace, "dev.local/todo:v1")
    return f"{len(functions())} functions in {seconds(took())}, smoke test included"


def a_sentence_becomes_a_task(stage):
    ada = stage.person("ada")
    with stopwatch() as took:
        task = ada.does("add water the plants", "add_task")
    if task.get("task_id") != 1 or ada.titles() != ["water the plants"]:
        raise Failed(f"{task} {ada.titles()}")
    return seconds(took())


def every_tool_wakes_from_zero_and_goes_back(stage):
    ada, numbers = stage.person("ada"), []
    wait_for_zero(stage.namespace, *TOOLS)
    for tool, sentence in SENTENCES.items():
        with stopwatch() as took:
            ada.does(sentence, tool.removeprefix("tool-").replace("-", "_"))
        numbers.append(f"{tool.removeprefix('tool-').removesuffix('-task').removesuffix('-tasks')} {seconds(took())}")
    with stopwatch() as took:
        wait_for_zero(stage.namespace, *TOOLS)
    return f"{', '.join(numbers)}; all at zero again {seconds(took())} later"


def a_function_at_zero_answers(stage):
    """Without chat: what Knative alone takes."""
    numbers = []
    for _ in range(3):
        wait_for_zero(stage.namespace, "tool-list-tasks")
        body, headers = listing(stage.namespace, "ada")
        with stopwatch() as took:
            status, answer = inside(stage.namespace, "tool-list-tasks").send("POST", "/mcp", body, headers)
        if status != 200 or b'"isError":true' in answer:
            raise Failed(f"{status} {answer[:300]}")
        numbers.append(took())
    return f"{', '.join(seconds(each) for each in numbers)} from zero to a list out of the database"


def quantiles(connection, send, number):
    send(connection)
    times = []
    for _ in range(number):
        with stopwatch() as took:
            send(connection)
        times.append(took())
    cuts = statistics.quantiles(times, n=100)
    return f"p50 {seconds(cuts[49])}, p99 {seconds(cuts[98])}"


def a_warm_call_is_quick(stage):
    """The same process by Knative's way, and at its own port."""
    body, headers = listing(stage.namespace, "ada")

    def call(connection):
        status, answer = connection.send("POST", "/mcp", body, headers)
        if status != 200:
            raise Failed(f"{status} {answer[:300]}")
    through = quantiles(inside(stage.namespace, "tool-list-tasks"), call, 300)
    address = pod_address(stage.namespace, "tool-list-tasks")
    return f"through Knative {through}; the same process without it {quantiles(Connection(f'{address}:8080', 'tool'), call, 300)}"


def a_warm_turn_is_quick(stage):
    ada = stage.person("ada")
    through = quantiles(outside(stage.namespace, "chat"), lambda connection: ada.says("what do I have to do?", connection), 50)
    chat = Connection(f"{pod_address(stage.namespace, 'chat')}:8080", "chat")
    return f"through Knative {through}; chat at its own port {quantiles(chat, lambda connection: ada.says('what do I have to do?', connection), 50)}"


# ---- events --------------------------------------------------------------------------------------------------------

def every_consumer_takes_its_events_from_zero(stage):
    consumers = ["event-repeat-task", "event-schedule-reminder", "event-record-audit", "event-push-update"]
    all_delivered(stage.sources)
    wait_for_zero(stage.namespace, *consumers)
    marks = {name: len(stage.sources.sources[name].deliveries) for name in consumers}
    bob = stage.person("bob")
    bob.does("add pay the rent on 2027-03-01 at 9am every month", "add_task")
    bob.does("complete task 1", "complete_task")
    wait_until("the next task", lambda: bob.titles() == ["pay the rent"])
    wait_until("every consumer was asked", lambda: all(len(stage.sources.sources[name].deliveries) > mark for name, mark in marks.items()))
    all_delivered(stage.sources)
    firsts = [f"{name.removeprefix('event-')} {seconds(stage.sources.sources[name].deliveries[mark]['seconds'])}" for name, mark in marks.items()]
    taken = sum(len(source.deliveries) for source in stage.sources.sources.values())
    return f"first record on Kafka → 2xx: {', '.join(firsts)}; {taken} deliveries up to here, none refused"


def the_audit_is_whole(stage):
    all_delivered(stage.sources)
    reports = [json.loads(line) for line in job(stage.namespace, "verify", "audit", "--verify", "--json").splitlines()]
    entries = sum(report["report"]["entries"] for report in reports)
    if not entries or not all(report["whole"] for report in reports):
        raise Failed(f"{reports}")
    return f"{entries} entries of {len(reports)} people are as they were recorded, and none is missing"


def a_tool_is_called_by_an_event(stage):
    eve, number = stage.person("eve"), str(uuid.uuid4())
    kubectl("apply", "-f", "-", stdin=results(stage.namespace, stage.recorder))
    kubectl("wait", "trigger/tool-add-task", "trigger/tool-results-here", "-n", stage.namespace, "--for=condition=Ready", "--timeout=120s")
    wait_for_zero(stage.namespace, "tool-add-task")
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    event = {
        "specversion": "1.0", "id": number, "type": "tool.add_task.call", "source": "acceptance", "subject": f"user/{eve.user}", "time": now,
        "datacontenttype": "application/json", "partitionkey": eve.user, "usertoken": eve.token,
        "data": {"event_id": number, "event_type": "tool.add_task.call", "user_id": eve.user, "timestamp": now,
                 "payload": {"call_id": number, "arguments": {"title": "read the post"}}}}
    ingress = kubectl("get", "service", "broker-ingress", "-n", "knative-eventing", "-o", "jsonpath={.spec.clusterIP}")

    def post():
        status, said = Connection(ingress, "broker-ingress.knative-eventing.svc.cluster.local").send(
            "POST", f"/{stage.namespace}/tool-calls", event, STRUCTURED)
        if status != 202:
            raise Failed(f"the Broker: {status} {said[:200]}")
    begun = time.monotonic()
    post()
    at, attributes, data = stage.recorder.event("/tool-results", lambda a, d: a["type"] == "tool.add_task.result" and d["payload"]["call_id"] == number, 90)
    if data["payload"]["is_error"] or not attributes.get("signature"):
        raise Failed(f"{attributes} {data}")
    before = len(stage.recorder.events)
    post()  # the same once more, as after a lost acknowledgement
    wait_until("the second answer", lambda: len(stage.recorder.events) > before)
    if eve.titles() != ["read the post"]:
        raise Failed(f"called twice, done {len(eve.titles())} times")
    return f"at zero, event → its signed result at the sink {seconds(at - begun)}; the same event again changes nothing"


def a_reminder_wakes_its_function_and_reaches_the_page(stage):
    finn = stage.person("finn")
    wait_for_zero(stage.namespace, "live")
    with stopwatch() as opened:
        page = finn.opens_a_page()
        page.hears("a snapshot", lambda message: message["type"] == "snapshot", 60)
    task = finn.does("remind me to stretch in 1 minute", "add_task")
    page.hears("the new task", lambda message: message["type"] == "change", 60)
    due = datetime.fromisoformat(next(each for each in finn.does("what do I have to do?", "list_tasks") if each["id"] == task["task_id"])["due"]).timestamp()
    wait_until("tick-fire-reminder is at zero", lambda: not pods(stage.namespace, "tick-fire-reminder"), 40)
    if time.time() > due:
        raise Failed("the reminder was due before its function slept")
    at, message = page.hears("the reminder", lambda message: message["type"] == "reminder", 150)
    page.close()
    if message["title"] != "stretch":
        raise Failed(str(message))
    return f"page open after {seconds(opened())} (live at zero); heard {seconds(at - due)} after it was due, with tick-fire-reminder and event-send-reminder at zero"


def a_page_stays_open(stage):
    """Longer than the 30 s in which a component must begin to answer."""
    page = stage.person("kim").opens_a_page()
    with stopwatch() as took:
        wait_until("the third heartbeat", lambda: sum(message["type"] == "heartbeat" for _, message in page.heard) > 2, 90)
    page.close()
    return f"its third heartbeat after {seconds(took())}"


def numbers_are_not_for_visitors(stage):
    """`/metrics` is for those inside."""
    through, _ = outside(stage.namespace, "chat").send("GET", "/metrics")
    status, page = Connection(f"{pod_address(stage.namespace, 'chat')}:8080", "chat").send("GET", "/metrics")
    if through != 404 or status != 200 or "todo_outbox_events" not in str(page):
        raise Failed(f"{through} through the gateway, {status} at the pod: {str(page)[:200]}")
    return f"{through} through the gateway, {status} at the pod's port"


# ---- when something breaks -----------------------------------------------------------------------------------------

def kill(namespace, function):
    """SIGKILL to the function's own process, as the kernel does when memory is short; to the first that runs, as some pods may be ending."""
    def process():
        # What the cluster knows of a container that was just started again is some time behind.
        statuses = [get("pod", pod, namespace)["status"] for pod in pods(namespace, function)]
        containers = {each["containerID"].rpartition("/")[2] for status in statuses for each in status.get("containerStatuses", [])
                      if each["name"] == "function" and "running" in each["state"]}
        listed = run("ctr", "-a", f"{os.environ['CLUSTER_STATE']}/containerd.sock", "-n", "k8s.io", "task", "ls").stdout
        tasks = [line.split() for line in listed.splitlines()]
        return next((int(task[1]) for task in tasks if task[0] in containers and task[2] == "RUNNING"), None)
    os.kill(wait_until(f"a process of {function} runs", process, 30), signal.SIGKILL)


def asked_until_answered(person, message):
    def answered():
        try:
            status, answer = person.asks(message)
        except OSError:
            return None
        if 400 <= status < 500 and status not in (404, 409, 429):
            raise Failed(f"{status} {answer}")
        return status == 200 and answer
    return wait_until("an answer", answered, 120, pause=0.5)


def a_pod_is_killed_in_the_middle_of_a_turn(stage):
    gil, lost = stage.person("gil"), []
    gil.says("what do I have to do?")
    wait_for_zero(stage.namespace, "tool-add-task")

    def turn():
        try:
            lost.append(gil.asks("add feed the cat")[0])
        except OSError as error:
            lost.append(error)
    thread = threading.Thread(target=turn)
    thread.start()
    time.sleep(0.5)  # the tool is being woken: that takes a second and more
    kill(stage.namespace, "chat")
    thread.join()
    if lost == [200]:
        raise Failed("the turn was over before its process was killed")
    with stopwatch() as took:
        asked_until_answered(gil, "add feed the cat")
    if gil.titles() != ["feed the cat"]:
        raise Failed(f"the tasks are {gil.titles()}")
    return f"the client saw {lost[0]}; asked again, it was answered after {seconds(took())}, and the task is there once"


def a_tool_is_killed_in_the_middle_of_a_call(stage):
    """A call that finds no process fails after chat's attempts, and the person is told; what they are told is done is done, once."""
    hal, told = stage.person("hal"), []
    hal.does("add first", "add_task")

    def talk():
        for number in range(20):
            answer = hal.says(f"add number {number}")
            told.append(any("task_id" in call["result"] for call in answer["tool_calls"]))
    thread = threading.Thread(target=talk)
    thread.start()
    wait_until("a few turns", lambda: len(told) > 4)
    kill(stage.namespace, "tool-add-task")
    thread.join()
    there = len(hal.titles()) - 1
    if len(told) != 20 or there != told.count(True):
        raise Failed(f"{len(told)} of 20 turns answered, {told.count(True)} said to be done, {there} there")
    return f"20 of 20 turns answered; {there} said to be done and there once, {20 - there} said to have failed and not there"


def a_consumer_is_killed_while_it_records(stage):
    jan, source = stage.person("jan"), stage.sources.sources["event-record-audit"]
    jan.does("add first", "add_task")
    all_delivered(stage.sources)
    mark, said = len(source.deliveries), []

    def talk():
        for number in range(60):
            said.append(jan.says(f"add number {number}"))
    thread = threading.Thread(target=talk)
    thread.start()
    for deliveries in (8, 24):
        wait_until("a few deliveries", lambda: len(source.deliveries) > mark + deliveries, pause=0.02)
        kill(stage.namespace, "event-record-audit")
    thread.join()
    all_delivered(stage.sources)
    interrupted = [each for each in source.deliveries[mark:] if each["attempts"] > 1]
    if not interrupted:
        raise Failed("it was killed when nothing was to be done")
    [report] = [json.loads(line) for line in job(stage.namespace, "verify-jan", "audit", "--verify", "--json", jan.user).splitlines()]
    # Each addition is an event on two topics, and both are recorded.
    if not report["whole"] or report["report"]["entries"] != 2 * (1 + len(said)):
        raise Failed(f"{1 + len(said)} tasks, and {report}")
    return f"twice; {len(interrupted)} of {len(source.deliveries) - mark} deliveries repeated; {report['report']['entries']} entries, each once, none missing"


# ---- new versions --------------------------------------------------------------------------------------------------

class Visitors:
    """Somebody who keeps using it meanwhile."""

    def __init__(self, stage):
        self.person, self.statuses, self.stop = stage.person("ines"), [], threading.Event()
        self.thread = threading.Thread(target=self.visit)
        self.thread.start()

    def visit(self):
        while not self.stop.wait(0.2):
            try:
                self.statuses.append(self.person.asks("what do I have to do?")[0])
            except OSError as error:
                self.statuses.append(type(error).__name__)

    def all_were_served(self):
        self.stop.set()
        self.thread.join()
        if bad := [status for status in self.statuses if status != 200]:
            raise Failed(f"{len(bad)} of {len(self.statuses)} turns failed meanwhile: {bad[:5]}")
        return len(self.statuses)


def assert_all_traffic_to(stage, revisions):
    for function in functions():
        if (now := traffic(stage.namespace, function)) != {revisions[function]: 100}:
            raise Failed(f"{function}: {now} instead of all to {revisions[function]}")


def serving(stage):
    """The revision of each function that has all requests."""
    found = {function: traffic(stage.namespace, function) for function in functions()}
    return {function: max(split, key=split.get) for function, split in found.items()}


def a_new_version_is_rolled_out_by_traffic_split(stage):
    before, visitors = serving(stage), Visitors(stage)
    with stopwatch() as took:
        said = deploy(stage.namespace, "dev.local/todo:v2").stderr
    turns = visitors.all_were_served()
    after = serving(stage)
    if any(after[function] == before[function] for function in functions()):
        raise Failed(f"not all functions have a new revision: {after}")
    assert_all_traffic_to(stage, after)
    steps = [line.split(" to ")[0] for line in said.splitlines() if "% to the new version" in line]
    return f"{', '.join(steps)} in {seconds(took())}; {turns} turns meanwhile, all answered"


def goes_back(stage, image, *more, why):
    before, visitors = serving(stage), Visitors(stage)
    with stopwatch() as took:
        said = deploy(stage.namespace, image, *more, check=False)
    if said.returncode != 1 or "going back" not in said.stderr or why not in said.stderr:
        raise Failed(f"exit {said.returncode}: {said.stderr[-600:]}")
    for function in functions():
        wait_until(f"{function} is back", lambda: traffic(stage.namespace, function) == {before[function]: 100})
    time.sleep(1)
    turns = visitors.all_were_served()
    return f"exit 1 after {seconds(took())}; {turns} turns meanwhile, all answered"


def a_version_that_fails_its_smoke_test_gets_no_traffic(stage):
    return goes_back(stage, "dev.local/todo:broken", why="the smoke test failed")


def a_version_that_fails_between_the_steps_is_taken_back(stage):
    return goes_back(stage, "dev.local/todo:v3", "--check", "exit 1", why="the check failed")


def memory_at_rest(stage):
    resting = [function for function in functions() if function not in ("chat", "tick-relay-outbox")]
    wait_for_zero(stage.namespace, *resting)
    used = memory()
    others = sum(size for namespace, size in used.items() if namespace != stage.namespace)
    running = kubectl("get", "pods", "-n", stage.namespace, "--field-selector=status.phase=Running", "-o", "jsonpath={.items[*].metadata.name}").split()
    mine = ", ".join(sorted(set(name.split("-0000")[0] for name in running)))
    return f"{used[stage.namespace]:.0f} MiB for {mine} with their sidecars; {others:.0f} MiB for Knative, Kourier, Dapr and CoreDNS"


def it_is_removed(stage):
    # Of the scene that calls a tool by an event, and of no manifest.
    kubectl("delete", "trigger", "tool-results-here", "-n", stage.namespace, "--ignore-not-found")
    with stopwatch() as took:
        run(f"{ROOT}/ci/deploy", "--remove", "--namespace", stage.namespace, *HERE)
    wait_until("no pod of ours", lambda: not pods(stage.namespace), 120)
    left = kubectl("get", "ksvc,trigger,pingsource,networkpolicy,components.dapr.io,job", "-n", stage.namespace, "-o", "name").split()
    if left:
        raise Failed(f"left behind: {left}")
    return seconds(took())


# ---- with Helm -----------------------------------------------------------------------------------------------------

def helm(stage, *arguments):
    return run("helm", *arguments, "-n", stage.helm_namespace, environment={"HELM_CACHE_HOME": "/tmp/helm", "HELM_CONFIG_HOME": "/tmp/helm"}).stdout


def chart(stage, *arguments):
    folder = f"{ROOT}/ci/acceptance.d"
    return helm(stage, *arguments, "todo", f"{ROOT}/charts/todo", "-f", f"{folder}/values.yaml", "--post-renderer", f"{folder}/as_it_is_here.py",
                "--timeout", "5m")


def it_is_deployed_with_helm(stage):
    with stopwatch() as took:
        chart(stage, "install")
        kubectl("wait", "ksvc", "--all", "-n", stage.helm_namespace, "--for=condition=Ready", "--timeout=300s")
    return f"ready after {seconds(took())}"


def a_sentence_becomes_a_task_there_too(stage):
    jan = Person(stage.helm_namespace, "jan")
    with stopwatch() as took:
        jan.does("add buy bread", "add_task")
    if "buy bread" not in jan.titles():
        raise Failed(str(jan.titles()))
    return seconds(took())


def helm_test_makes_a_turn(stage):
    with stopwatch() as took:
        helm(stage, "test", "todo")
    return seconds(took())


def helm_upgrades_and_rolls_back(stage):
    jan, first = Person(stage.helm_namespace, "jan"), get("ksvc", "chat", stage.helm_namespace)["status"]["latestReadyRevisionName"]

    def ready():
        kubectl("wait", "ksvc", "--all", "-n", stage.helm_namespace, "--for=condition=Ready", "--timeout=300s")
        if "buy bread" not in jan.titles():
            raise Failed("the tasks are gone")
        return get("ksvc", "chat", stage.helm_namespace)["status"]["latestReadyRevisionName"]
    chart(stage, "upgrade", "--set", "image.tag=v2")
    second = ready()
    helm(stage, "rollback", "todo", "1")
    if len({first, second, ready()}) != 3:
        raise Failed("no new revision")
    helm(stage, "uninstall", "todo", "--wait")
    return "upgrade with its migration, rollback, uninstall"


WITH_KN = [
    it_is_deployed_with_kn, a_sentence_becomes_a_task, every_tool_wakes_from_zero_and_goes_back, a_function_at_zero_answers, a_warm_call_is_quick,
    a_warm_turn_is_quick, every_consumer_takes_its_events_from_zero, a_tool_is_called_by_an_event, a_reminder_wakes_its_function_and_reaches_the_page, a_page_stays_open,
    numbers_are_not_for_visitors, a_consumer_is_killed_while_it_records, a_pod_is_killed_in_the_middle_of_a_turn, a_tool_is_killed_in_the_middle_of_a_call,
    a_new_version_is_rolled_out_by_traffic_split,
    a_version_that_fails_its_smoke_test_gets_no_traffic, a_version_that_fails_between_the_steps_is_taken_back, the_audit_is_whole, memory_at_rest, it_is_removed,
]
MANIFESTS = [every_manifest_is_accepted, a_broken_manifest_is_refused]
WITH_HELM = [it_is_deployed_with_helm, a_sentence_becomes_a_task_there_too, helm_test_makes_a_turn, helm_upgrades_and_rolls_back]
