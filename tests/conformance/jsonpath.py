"""Runs the RFC 9535 compliance suite through `trackway eval --batch`; every case must hold."""

import argparse
import json
import subprocess
import sys


def holds(case, answer):
    """Whether an answer is what the suite wants: a refusal, the result, or one of several."""
    if case.get("invalid_selector"):
        return not answer["ok"]
    wanted = case.get("results", [case.get("result")])
    return answer["ok"] and answer.get("result") in wanted


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--binary", required=True)
    arguments.add_argument("--suite", required=True)
    arguments = arguments.parse_args()
    with open(arguments.suite, encoding="utf-8") as suite:
        cases = json.load(suite)["tests"]
    lines = [
        json.dumps({"id": n, "lang": "jsonpath", "expr": case["selector"], "doc": case.get("document")})
        for n, case in enumerate(cases)
    ]
    done = subprocess.run(
        [arguments.binary, "eval", "--batch"],
        input="\n".join(lines) + "\n",
        capture_output=True,
        text=True,
        check=True,
    )
    answers = {answer["id"]: answer for answer in map(json.loads, done.stdout.splitlines())}
    failed = [n for n, case in enumerate(cases) if not holds(case, answers[n])]
    for n in failed:
        print(f"FAILED {cases[n]['name']}: {cases[n]['selector']!r} gave {answers[n]}")
    print(f"jsonpath: {len(cases) - len(failed)} passed, {len(failed)} failed")
    sys.exit(1 if failed or not cases else 0)


main()
