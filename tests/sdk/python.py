"""Calls every method of the published customerio package against the gateway at HOST PORT.

    python python.py HOST PORT

Prints one JSON line for each call: what the client returned or why it raised. A method of the
client that no call below exercises fails the run, so that a new one is noticed.
"""

import inspect
import json
import sys
from datetime import datetime, timezone

from customerio import CustomerIO, CustomerIOException

MOMENT = datetime(2023, 11, 14, 22, 13, 20, tzinfo=timezone.utc)

CALLS = [
    ("identify", ["p-1"], {"email": "jo@example.com", "name": "Zoë", "joined": MOMENT, "score": float("nan")}),
    ("identify", ["a/b c?d#e%f'ü"], {}),
    ("identify", [0], {"plan": "solo"}),
    ("track", ["p-2", "order_paid"], {"data": {"total": 18.5}, "id": "01JB7Q2N4V8XKZ3T5M6R9SDYHE", "timestamp": MOMENT}),
    ("track", ["p-2", "ping"], {}),
    ("track_anonymous", ["anon-p", "seen"], {"data": {"a": 1}}),
    ("track_anonymous", [None, "guest_invited"], {"data": {"recipient": "noor@example.net"}}),
    ("pageview", ["p-3", "https://shop.example/plans"], {"referrer": "news"}),
    ("backfill", ["p-4", "order_paid", MOMENT], {"total": 9}),
    ("add_device", ["p-5", "tok:en/1", "ios"], {"last_used": 1735689600, "model": "k2"}),
    ("add_device", ["p-5", "tok-2", "android"], {"attributes": {"app_version": "4.7.1"}}),
    ("delete_device", ["p-5", "tok:en/1"], {}),
    ("suppress", ["p-6"], {}),
    ("unsuppress", ["p-6"], {}),
    ("delete", ["p-7"], {}),
    ("merge_customers", ["id", "p-8", "email", "old@example.com"], {}),
    ("batch", [[
        {"type": "person", "action": "identify", "identifiers": {"id": "p-9"}, "attributes": {"plan": "solo"}},
        {"type": "person", "action": "add_relationships", "identifiers": {"id": "p-9"}, "cio_relationships": [
            {"identifiers": {"object_type_id": "1", "object_id": "nordlys"}},
        ]},
    ]], {}),
]

# Build addresses, send what the others prepare, or end the connection.
PLUMBING = {
    "close",
    "get_customer_query_string",
    "get_device_query_string",
    "get_event_query_string",
    "get_events_query_string",
    "is_valid_id_type",
    "send_request",
    "setup_base_url",
}


def attempt(call, client, args, kwargs):
    try:
        answer = getattr(client, call)(*args, **kwargs)
        return {"call": call, "answer": answer.json() if hasattr(answer, "json") else answer}
    except CustomerIOException as error:
        return {"call": call, "error": str(error)[:3]}


def main():
    host, port = sys.argv[1], int(sys.argv[2])
    methods = {
        name
        for name, _ in inspect.getmembers(CustomerIO, inspect.isfunction)
        if not name.startswith("_")
    }
    forgotten = methods - PLUMBING - {call for call, _, _ in CALLS}
    if forgotten:
        sys.exit(f"no call exercises {', '.join(sorted(forgotten))}")

    client = CustomerIO("sdk-site", "sdk key/+~?", host=host, port=port)
    for call, args, kwargs in CALLS:
        print(json.dumps(attempt(call, client, args, kwargs)))
    client.close()
    wrong = CustomerIO("sdk-site", "wrong", host=host, port=port)
    print(json.dumps(attempt("identify", wrong, ["p-1"], {}) | {"call": "wrong key"}))


main()
