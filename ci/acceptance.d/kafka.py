"""What Knative's Kafka parts would do, which no package has: the sources of knative/ by hand, and a place where sinks would be.

A KafkaSource posts a record that is a structured CloudEvent as it stands on Kafka, in the order of its partition, and repeats it after
408, 429 or 5xx. So does this; it keeps no offsets and reads with `kcat`.
"""
import glob
import http.server
import json
import os
import queue
import subprocess
import threading
import time

import yaml

from cluster import NODE, ROOT, Failed, wait_until
from people import inside

BROKERS = os.environ["KAFKA_BROKERS"]
STRUCTURED = {"Content-Type": "application/cloudevents+json; charset=utf-8"}


def documents(folder):
    for path in sorted(glob.glob(f"{ROOT}/{folder}/*.yaml")):
        with open(path) as file:
            yield from (document for document in yaml.safe_load_all(file) if document)


def repeated(status):
    return status in (408, 429) or status >= 500


class Source:
    """One KafkaSource of knative/ whose sink is a function."""

    def __init__(self, namespace, document):
        spec = document["spec"]
        self.name, self.topics, self.most = document["metadata"]["name"], spec["topics"], spec["delivery"]["retry"]
        self.path, self.connection = spec["sink"].get("uri", "/"), inside(namespace, spec["sink"]["ref"]["name"])
        self.records, self.deliveries = queue.Queue(), []
        threading.Thread(target=self.deliver_all, daemon=True).start()

    def deliver_all(self):
        while True:
            arrived, body = self.records.get()
            status, attempts = 0, 0
            while attempts <= self.most and (status == 0 or repeated(status)):
                attempts += 1
                try:
                    status, _ = self.connection.send("POST", self.path, body, STRUCTURED)
                except OSError:
                    self.connection.http.close()
                    status = 503
                if repeated(status):
                    time.sleep(min(0.2 * 2**attempts, 5))
            self.deliveries.append({"status": status, "attempts": attempts, "seconds": time.monotonic() - arrived, "type": json.loads(body)["type"]})
            self.records.task_done()


class Sources:
    """All of them, from what is written from now on."""

    def __init__(self, namespace):
        found = [document for document in documents("knative") if document["kind"] == "KafkaSource"]
        self.sources = {document["metadata"]["name"]: Source(namespace, document) for document in found
                        if document["spec"]["sink"]["ref"]["kind"] == "Service"}
        self.readers = [self.reads(topic) for topic in sorted({topic for source in self.sources.values() for topic in source.topics})]

    def reads(self, topic):
        reader = subprocess.Popen(["kcat", "-C", "-b", BROKERS, "-t", topic, "-o", "end", "-u", "-q", "-f", "%s\n"], stdout=subprocess.PIPE)
        threading.Thread(target=self.hand_out, args=(topic, reader), daemon=True).start()
        return reader

    def hand_out(self, topic, reader):
        for line in reader.stdout:
            for source in self.sources.values():
                if topic in source.topics:
                    source.records.put((time.monotonic(), line.strip()))

    def settle(self):
        """Until everything on Kafka is delivered."""
        wait_until("everything is delivered", lambda: all(source.records.unfinished_tasks == 0 for source in self.sources.values()))

    def refused(self):
        return [(name, each) for name, source in self.sources.items() for each in source.deliveries if not 200 <= each["status"] < 300]

    def stop(self):
        for reader in self.readers:
            reader.terminate()


class Recorder:
    """Where events end that a KafkaSink would take."""

    def __init__(self):
        recorder, self.events = self, []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                recorder.events.append((time.monotonic(), self.path, {name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        # Always the same port, because Triggers keep it from one call of the acceptance to the next.
        server = http.server.ThreadingHTTPServer((NODE, 19095), Handler)
        self.url = f"http://{NODE}:19095"
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def event(self, path, fits, seconds=60):
        """When an event arrived there, its attributes, its data; both modes of the HTTP binding."""
        def read(at, headers, body):
            if headers.get("content-type", "").startswith("application/cloudevents"):
                event = json.loads(body)
                return at, event, event.get("data")
            attributes = {name.removeprefix("ce-"): value for name, value in headers.items() if name.startswith("ce-")}
            return at, attributes, json.loads(body)

        def found():
            read_ones = (read(at, headers, body) for at, where, headers, body in list(self.events) if where == path)
            return next((each for each in read_ones if fits(each[1], each[2])), None)
        return wait_until(f"an event at {path}", found, seconds)


def broker(namespace, recorder):
    """The Broker of knative/, of the class that is here; what it gives up goes to the recorder."""
    document = next(document for document in documents("knative") if document["kind"] == "Broker")
    document["metadata"]["annotations"]["eventing.knative.dev/broker.class"] = "MTChannelBasedBroker"
    document["metadata"]["namespace"] = namespace
    document["spec"]["config"]["name"] = "config-br-default-channel"
    document["spec"]["delivery"]["deadLetterSink"] = {"uri": f"{recorder.url}/dead-letters"}
    return yaml.safe_dump(document)


def results(namespace, recorder):
    """The Trigger for answers, to the recorder in the place of the KafkaSink."""
    document = next(document for document in documents("knative") if (document["kind"], document["metadata"]["name"]) == ("Trigger", "tool-results"))
    document["metadata"] = {"name": "tool-results-here", "namespace": namespace}
    document["spec"]["subscriber"] = {"uri": f"{recorder.url}/tool-results"}
    return yaml.safe_dump(document)


def all_delivered(sources):
    sources.settle()
    if refused := sources.refused():
        raise Failed(f"refused: {refused[:5]}")
