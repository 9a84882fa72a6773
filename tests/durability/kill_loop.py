#!/usr/bin/env python3
"""Kills a gateway with SIGKILL under load, again and again, and looks for lost calls.

    kill_loop.py --binary target/release/trackway --rounds 1000

Each round starts the gateway on the same data directory, sends calls over several connections,
remembers which of them were answered 200, and kills the process at a random moment. At the end
every call that was answered must stand in the file destination. Duplicates are allowed, counted
and printed: at least once is the promise.
"""

import argparse
import http.client
import json
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from base64 import b64encode
from collections import Counter
from pathlib import Path

CONNECTIONS = 8
AUTHORIZATION = "Basic " + b64encode(b"loop-site:loop-key").decode()
ROUTING = """\
trackway: 1
server:
  listen: "127.0.0.1:{port}"
  admin: "127.0.0.1:{admin_port}"
storage:
  dir: ./data
  segment_bytes: 1MiB
sources:
  loop:
    name: Kill loop
    credentials:
      - site_id: loop-site
        api_key: loop-key
destinations:
  events:
    type: file
    settings:
      path: ./events.ndjson
connections:
  - name: everything
    from: loop
    to: events
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--binary", type=Path, required=True, help="the gateway to kill")
    parser.add_argument("--rounds", type=int, default=25, help="how often it is killed")
    parser.add_argument("--seed", type=int, default=None, help="repeats the moments of an earlier run")
    arguments = parser.parse_args()
    seed = random.randrange(1 << 32) if arguments.seed is None else arguments.seed
    print(f"kill loop: {arguments.rounds} rounds, seed {seed}", flush=True)

    directory = Path(tempfile.mkdtemp(prefix="trackway-kill-"))
    loop = Loop(arguments.binary.resolve(), directory, random.Random(seed))
    try:
        for n in range(arguments.rounds):
            loop.round(n)
        lost, duplicates = loop.verdict()
    finally:
        loop.kill()
    print(f"kill loop: {len(loop.answered)} calls answered, {duplicates} duplicates, {len(lost)} lost")
    if lost:
        print(f"kill loop: lost {sorted(lost)[:10]}; everything is kept in {directory}")
        return 1
    if not loop.answered:
        print(f"kill loop: no call was answered; see {directory}")
        return 1
    shutil.rmtree(directory)
    return 0


class Loop:
    def __init__(self, binary, directory, chance):
        self.binary, self.directory, self.chance = binary, directory, chance
        self.port, self.admin_port = free_ports(2)
        self.answered = set()
        self.process = None
        routing = ROUTING.format(port=self.port, admin_port=self.admin_port)
        (directory / "routing.yaml").write_text(routing)

    def round(self, n):
        self.start()
        dead = threading.Event()
        senders = [threading.Thread(target=self.send, args=(n, c, dead)) for c in range(CONNECTIONS)]
        for sender in senders:
            sender.start()
        time.sleep(self.chance.uniform(0.02, 0.4))
        self.kill()
        dead.set()
        for sender in senders:
            sender.join()

    def send(self, n, c, dead):
        """Sends calls until the gateway dies; an answer of 200 makes a call ours to find again."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        count = 0
        while not dead.is_set():
            name = f"round-{n}-{c}-{count}"
            count += 1
            body = json.dumps({"name": "kill_loop", "id": name, "data": {"padding": "x" * (count % 700)}})
            try:
                connection.request(
                    "POST", f"/api/v1/customers/person-{c}/events", body,
                    {"authorization": AUTHORIZATION, "content-type": "application/json"},
                )
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                return
            if answer.status == 200:
                # A set's add is one step under the interpreter's lock.
                self.answered.add(name)

    def start(self):
        self.log = (self.directory / "gateway.log").open("a")
        self.process = subprocess.Popen(
            [self.binary, "run", self.directory / "routing.yaml"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT, cwd=self.directory,
        )
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}/readyz", timeout=1).close()
                return
            except OSError:
                time.sleep(0.01)
        sys.exit(f"the gateway did not become ready; see {self.directory / 'gateway.log'}")

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.log.close()

    def verdict(self, patience_s=60):
        """What is missing from the file once nothing more comes, and what is in it twice."""
        self.start()
        seen = Counter()
        deadline = time.monotonic() + patience_s
        with (self.directory / "events.ndjson").open("rb") as lines:
            while self.answered - seen.keys() and time.monotonic() < deadline:
                arrived = self.read_on(lines, seen)
                if arrived:
                    deadline = time.monotonic() + patience_s
                else:
                    time.sleep(0.2)
        return self.answered - seen.keys(), sum(seen.values()) - len(seen)

    def read_on(self, lines, seen):
        """Counts the message ids of the whole lines that were added; returns how many there were."""
        arrived = 0
        while line := lines.readline():
            if not line.endswith(b"\n"):
                lines.seek(-len(line), 1)
                break
            try:
                seen[json.loads(line)["messageId"]] += 1
                arrived += 1
            except (ValueError, KeyError, TypeError):
                # A line torn by the kill; its event is delivered again.
                continue
        return arrived


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


if __name__ == "__main__":
    sys.exit(main())
