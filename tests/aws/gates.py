"""Checks infra/template.yaml and the state machines' definitions, without any account.

    gates.py            runs every gate; prints findings
    gates.py --planted  plants one mistake after the other and demands that a gate catches each

Gates: cfn-lint, asl-validator, checkov (what it may find is in infra/checkov.yaml, with reasons), and the checks of
our own in checks.py. Exit code 0: nothing was found (or everything planted was). 1: findings. 2: wrong call.
"""

import sys

sys.dont_write_bytecode = True

import argparse
import concurrent.futures
import json
import os
import pathlib
import subprocess
import tempfile
import time

import yaml

import checks
import planted
import template as templates

TOOLS = templates.ROOT / "target" / "aws"
ACCEPTED = templates.ROOT / "infra" / "checkov.yaml"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--planted", action="store_true", help="try the gates on planted mistakes")
    options = parser.parse_args()
    world = checks.World.read()
    if options.planted:
        return try_planted(world)
    gates = {
        "our own checks": lambda: checks.run(world),
        "cfn-lint": lambda: cfn_lint(templates.TEMPLATE),
        "asl-validator": lambda: asl_validator(world.definitions),
        "checkov": lambda: checkov(world.template),
    }
    count = 0
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        running = {name: pool.submit(timed, gate) for name, gate in gates.items()}
        for name, gate in running.items():
            findings, seconds = gate.result()
            print(f"{name}: {len(findings) or 'nothing'} found in {seconds:.1f} s")
            for finding in findings:
                print(f"  {finding}")
            count += len(findings)
    return 1 if count else 0


def timed(gate):
    start = time.monotonic()
    return gate(), time.monotonic() - start


def run(command):
    """Runs a tool without whatever credentials and settings the caller has."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    kept |= {"AWS_DEFAULT_REGION": "us-east-1", "LOG_LEVEL": "ERROR"}
    return subprocess.run([str(word) for word in command], env=kept, capture_output=True, text=True, timeout=300)


def cfn_lint(path):
    """What the linter finds, as `rule at place: message`."""
    done = run([TOOLS / "venv/bin/cfn-lint", "--format", "json", path])
    try:
        found = json.loads(done.stdout or "[]")
    except ValueError:
        return [f"it did not run: {done.stdout}{done.stderr}"]
    if done.returncode and not found:
        return [f"it did not run: {done.stderr}"]
    return [f"{f['Rule']['Id']} at {'/'.join(map(str, f['Location']['Path'] or []))}: {f['Message']}" for f in found]


def asl_validator(definitions):
    """What the validator says of each definition, as `file: message`."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for name, definition in definitions.items():
            paths.append(pathlib.Path(folder, name))
            paths[-1].write_text(json.dumps(definition))
        findings = []
        with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
            for path, done in zip(paths, pool.map(validate, paths)):
                if done.returncode:
                    said = " ".join((done.stdout + done.stderr).replace(str(path), "").split())
                    findings.append(f"{path.name}: {said}")
        return findings


def validate(path):
    program = TOOLS / "node/node_modules/asl-validator/dist/bin/asl-validator.js"
    return run(["node", program, "--json-path", path])


def checkov(template):
    """What checkov finds beyond what is accepted, and what is accepted but not found."""
    accepted = yaml.safe_load(ACCEPTED.read_text())["skip"]
    with tempfile.TemporaryDirectory() as folder:
        # It does not know loops, so it gets the template without them.
        path = pathlib.Path(folder, "template.json")
        path.write_text(json.dumps(template))
        done = run(
            [TOOLS / "checkov/bin/checkov", "--file", path, "--framework", "cloudformation"]
            + ["--output", "json", "--compact", "--quiet", "--skip-download"]
        )
    try:
        report = json.loads(done.stdout)
        failed = report["results"]["failed_checks"]
    except (ValueError, KeyError, TypeError):
        return [f"it did not run: {done.stdout[-500:]}{done.stderr[-500:]}"]
    findings = [
        f"{found['check_id']} at {found['resource']}: {found['check_name']}"
        for found in failed
        if found["check_id"] not in accepted
    ]
    if report["summary"]["parsing_errors"]:
        findings.append("it could not read the template")
    found = {found["check_id"] for found in failed}
    needless = sorted(set(accepted) - found)
    return findings + [f"{check} is accepted in {ACCEPTED.name} but not found any more" for check in needless]


def try_planted(world):
    """Plants each mistake alone, except that slow gates get several at once and must name each."""
    start = time.monotonic()
    if already := checks.run(world):
        print("the template itself has findings; run without --planted first:", *already, sep="\n  ")
        return 1
    missed, caught = [], 0
    for mistake, findings in judged(world):
        if not findings:
            missed.append(mistake)
            print(f"MISSED  {mistake.what}")
            continue
        caught += 1
        print(f"caught  {mistake.what}\n        {mistake.gate}: {findings[0][:160]}")
    print(f"{caught} caught, {len(missed)} missed in {time.monotonic() - start:.1f} s")
    return 1 if missed else 0


def judged(world):
    for mistake in planted.FOR_OUR_CHECKS:
        copy = world.copy()
        mistake.plant(copy)
        yield mistake, [finding for finding in checks.run(copy) if mistake.sign in finding]
    definitions = {}
    for number, mistake in enumerate(planted.FOR_ASL_VALIDATOR):
        copy = world.copy()
        definitions[f"{number}.json"] = mistake.plant(copy)
    findings = asl_validator(definitions)
    for number, mistake in enumerate(planted.FOR_ASL_VALIDATOR):
        yield mistake, [f for f in findings if f.startswith(f"{number}.json:") and mistake.sign in f]
    for mistakes, gate in ((planted.FOR_CFN_LINT, cfn_lint_of), (planted.FOR_CHECKOV, checkov)):
        copy = world.copy()
        for mistake in mistakes:
            mistake.plant(copy)
        findings = gate(copy.template)
        for mistake in mistakes:
            yield mistake, [finding for finding in findings if mistake.sign in finding]


def cfn_lint_of(template):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "template.json")
        path.write_text(json.dumps(template))
        return cfn_lint(path)


if __name__ == "__main__":
    sys.exit(main())
