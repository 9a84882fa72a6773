#!/usr/bin/env python3
"""Runs published Track API clients against a real gateway and compares every event they cause.

    run.py --binary target/release/trackway [--work DIR] [CLIENT...]

For each client: a certificate made on the spot, a fresh gateway with HTTPS and one file
destination, the driver with every method of the client, and then a comparison, field by field, of
what the file holds with expected/CLIENT.json. Packages are pinned in package.json and
requirements.txt and installed into the work directory.

What differs from run to run is compared too, then replaced: an id the gateway gave reads <id>, the
moment of arrival <now>, the gateway's own address <url>.
"""

import argparse
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from datetime import datetime, timezone
from pathlib import Path

HERE = Path(__file__).resolve().parent
ULID = re.compile(r"^[0-7][0-9A-HJKMNP-TV-Z]{25}")
CLIENTS = ["node5", "node4", "python"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--binary", type=Path, required=True, help="the gateway to run")
    parser.add_argument("--work", type=Path, default=HERE / "../../target/sdk", help="where packages and data go")
    parser.add_argument("clients", nargs="*", default=CLIENTS, metavar="CLIENT", help=", ".join(CLIENTS))
    arguments = parser.parse_args()
    work = arguments.work.resolve()
    work.mkdir(parents=True, exist_ok=True)

    passed = failed = 0
    for client in arguments.clients:
        directory = work / client
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
        driver = DRIVERS[client](work)
        make_certificate(directory)
        gateway = Gateway(arguments.binary.resolve(), directory)
        try:
            problems, checks = exercise(client, driver, gateway, directory)
        finally:
            gateway.stop()
        for problem in problems:
            print(f"{client}: {problem}")
        if problems:
            print(f"{client}: the gateway's log is {directory / 'gateway.log'}")
        failed += len(problems)
        passed += max(checks - len(problems), 0)
    print(f"sdk: {passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


def exercise(client, driver, gateway, directory):
    """Drives one client; returns what is wrong and how many answers and events were looked at."""
    expected = json.loads((HERE / "expected" / f"{client}.json").read_text())
    started = datetime.now(timezone.utc)
    environment = os.environ | {
        "NODE_EXTRA_CA_CERTS": str(directory / "certificate.pem"),
        "REQUESTS_CA_BUNDLE": str(directory / "certificate.pem"),
    }
    try:
        run = subprocess.run(
            [*driver, "127.0.0.1", str(gateway.port)],
            env=environment, capture_output=True, text=True, timeout=120, cwd=directory,
        )
    except subprocess.TimeoutExpired as expired:
        return [f"the driver did not end; it printed\n{(expired.stdout or b'').decode()}"], 0
    if run.returncode != 0:
        return [f"the driver failed:\n{run.stderr}"], 0
    url = f"https://127.0.0.1:{gateway.port}"
    answers = [json.loads(line.replace(url, "<url>")) for line in run.stdout.splitlines()]
    events = read_events(directory / "events.ndjson", len(expected["events"]))
    problems = [f"answer {n}: {text}" for n, text in differences(expected["answers"], answers)]
    normal = [normalise(event, started) for event in events]
    pairs = sorted(expected["events"], key=sort_key), sorted(normal, key=sort_key)
    problems += [f"event {n}: {text}" for n, text in differences(*pairs)]
    return problems, len(expected["answers"]) + len(expected["events"])


def read_events(path, count, patience_s=15):
    """The events of the file, once there are as many as expected, or when nothing more comes."""
    deadline = time.monotonic() + patience_s
    while True:
        lines = path.read_text().splitlines() if path.exists() else []
        if count <= len(lines) or deadline < time.monotonic():
            # One that nobody expects would come right behind.
            time.sleep(0.3)
            return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        time.sleep(0.05)


def normalise(event, started):
    received = event.get("receivedAt")
    try:
        moment = datetime.strptime(received, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
    except (TypeError, ValueError):
        return event
    if (started - moment).total_seconds() > 1 or moment > datetime.now(timezone.utc):
        return event
    chosen = event["context"]["trackway"].get("client_id", False)
    given = ULID.match(event["messageId"])
    base = None if chosen or not given else given.group()
    return replace(event, {received: "<now>"} | ({base: "<id>"} if base else {}))


def replace(value, names):
    if isinstance(value, dict):
        return {key: replace(member, names) for key, member in value.items()}
    if isinstance(value, list):
        return [replace(item, names) for item in value]
    if isinstance(value, str):
        for text, name in names.items():
            if value.startswith(text):
                return name + value[len(text):]
    return value


def sort_key(event):
    return json.dumps(
        [event.get(key, "") for key in ("userId", "anonymousId", "groupId", "type", "event", "timestamp")]
        + [event.get("context", {}).get("device", {}), event.get("properties", {})],
        sort_keys=True,
    )


def differences(expected, actual):
    """Pairs of number and text, one for each item that differs."""
    for n in range(max(len(expected), len(actual))):
        if n >= len(actual):
            yield n, f"is missing, expected {json.dumps(expected[n])}"
        elif n >= len(expected):
            yield n, f"is unexpected: {json.dumps(actual[n])}"
        else:
            found = list(fields(expected[n], actual[n], "$"))
            if found:
                yield n, "; ".join(found) + f"\n    in {json.dumps(actual[n])}"


def fields(expected, actual, path):
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key in expected.keys() | actual.keys():
            if key not in actual:
                yield f"{path}.{key} is missing"
            elif key not in expected:
                yield f"{path}.{key} is unexpected"
            else:
                yield from fields(expected[key], actual[key], f"{path}.{key}")
    elif json.dumps(expected) != json.dumps(actual):
        yield f"{path} is {json.dumps(actual)}, expected {json.dumps(expected)}"


class Gateway:
    """A gateway of its own for one client, with HTTPS on a free port."""

    def __init__(self, binary, directory):
        self.port, admin_port = free_ports(2)
        environment = os.environ | {
            "SDK_DIR": str(directory),
            "SDK_PORT": str(self.port),
            "SDK_ADMIN_PORT": str(admin_port),
        }
        self.log = (directory / "gateway.log").open("w")
        self.process = subprocess.Popen(
            [binary, "run", HERE / "routing.yaml"],
            env=environment, stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT,
        )
        try:
            self.wait_until_ready(admin_port, directory)
        except BaseException:
            self.stop()
            raise

    def wait_until_ready(self, admin_port, directory, patience_s=15):
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{admin_port}/readyz", timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        sys.exit(f"the gateway did not become ready:\n{(directory / 'gateway.log').read_text()}")

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def make_certificate(directory):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
         "-keyout", directory / "key.pem", "-out", directory / "certificate.pem"],
        check=True, capture_output=True,
    )


def node(package):
    def prepare(work):
        directory = work / "node"
        wanted = (HERE / "package.json").read_text()
        manifest = directory / "package.json"
        if not manifest.exists() or manifest.read_text() != wanted or not (directory / "node_modules").exists():
            directory.mkdir(exist_ok=True)
            manifest.write_text(wanted)
            subprocess.run(
                ["npm", "install", "--engine-strict=false", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"],
                cwd=directory, check=True, stdout=subprocess.DEVNULL,
            )
        shutil.copy(HERE / "node.cjs", directory)
        return [directory / "node_modules/.bin/node", directory / "node.cjs", package]

    return prepare


def python(work):
    directory = work / "python-packages"
    interpreter = directory / "bin/python"
    if not interpreter.exists():
        subprocess.run([sys.executable, "-m", "venv", directory], check=True)
    subprocess.run(
        [interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
         "-r", HERE / "requirements.txt"],
        check=True,
    )
    return [interpreter, HERE / "python.py"]


DRIVERS = {"node5": node("customerio-node-5"), "node4": node("customerio-node-4"), "python": python}

if __name__ == "__main__":
    sys.exit(main())
