"""The rules for .github/workflows: what runs a pull request's code can write nowhere, and what runs
beside it is the code that was looked at."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.y*ml"))
PINNED = re.compile(r"uses: [\w.-]+/[\w./-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+$")
# What only hands files on; a job that writes uses nothing else of others.
HANDS_ON = "actions/download-artifact"
# What could run the code of a pull request.
RUNNERS = {"bash", "dvc", "make", "pip", "pytest", "python", "sh", "uv"}
# Both run with a token that writes, and with secrets, whoever asked for it.
REFUSED_TRIGGERS = {"pull_request_target", "workflow_run"}


def faults(text: str) -> list[str]:
    """What a workflow does that none of ours may."""
    workflow = yaml.safe_load(text)
    lines = [line for line in text.splitlines() if re.match(r"\s*(- )?uses:", line)]
    found = [f"not pinned: {line.strip()}" for line in lines if not PINNED.search(line)]
    triggers = workflow.get("on", workflow.get(True))  # YAML 1.1 takes `on` for a truth value
    found += [f"starts on {name}" for name in sorted(REFUSED_TRIGGERS & set(triggers))]
    for name, job in workflow["jobs"].items():
        permissions = job.get("permissions", workflow.get("permissions", "write-all"))
        found += [f"{name}: {fault}" for fault in faults_of_job(job, permissions)]
    return found


def faults_of_job(job: dict, permissions: dict | str) -> list[str]:
    """The same of one job, which has these permissions."""
    found, used = [], {step["uses"].split("@")[0] for step in job["steps"] if "uses" in step}
    granted = permissions.values() if isinstance(permissions, dict) else [permissions]
    if not set(granted) <= {"read", "none"}:
        if used - {HANDS_ON}:
            found.append(f"can write and uses {sorted(used - {HANDS_ON})}")
        scripts = " ".join(step.get("run", "") for step in job["steps"])
        words = set(re.findall(r"[\w./-]+", scripts))
        found += [f"can write and calls {word}" for word in sorted(RUNNERS & words)]
    for step in job["steps"]:
        is_checkout = step.get("uses", "").startswith("actions/checkout@")
        if is_checkout and step.get("with", {}).get("persist-credentials") is not False:
            found.append("leaves its token beside the code")
        # A title such as `$(...)` would be run: it goes through a variable.
        if "${{" in step.get("run", ""):
            found.append("pastes a value of the event into a script")
    return found


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_keeps_the_rules(path):
    assert faults(path.read_text(encoding="utf-8")) == []


def test_there_is_a_workflow_that_posts_in_a_job_of_its_own():
    text = (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    jobs = yaml.safe_load(text)["jobs"]
    assert [name for name, job in jobs.items() if "permissions" in job] == ["post"]
    assert jobs["post"]["permissions"] == {"pull-requests": "write"}
    assert "make lock && git diff --exit-code requirements-lock.txt" in text


SHA = "11bd71901bbe5b1630ceea73d27597364c9af683  # v4.2.2"
KEPT = f"""
on: {{pull_request: }}
permissions: {{contents: read}}
jobs:
  one:
    steps:
      - uses: actions/checkout@{SHA}
        with: {{persist-credentials: false}}
      - run: dvc repro
  two:
    permissions: {{pull-requests: write}}
    steps:
      - uses: actions/download-artifact@{SHA}
      - run: gh pr comment
"""
BREACHES = {
    "a tag": (SHA, "v4", "not pinned: - uses: actions/checkout@v4"),
    "a branch": (SHA, "main", "not pinned: - uses: actions/checkout@main"),
    "a short commit": (SHA, "11bd719  # v4.2.2", "not pinned: - uses: actions/checkout@11bd719"),
    "no version": ("  # v4.2.2", "", "not pinned: - uses: actions/checkout@11bd7"),
    "the other trigger": ("pull_request:", "pull_request_target:", "starts on pull_request_target"),
    "all may write": ("contents: read", "contents: write", "one: can write and uses ['actions/ch"),
    "no permissions said": ("permissions: {contents: read}\n", "", "one: can write and uses ['act"),
    "a token kept": ("credentials: false", "credentials: true", "one: leaves its token beside the"),
    "a token not thought of": ("with: {persist-credentials: false}", "", "one: leaves its token"),
    "code in the job that posts": ("gh pr", "python -m ecgpipe; gh pr", "two: can write and calls"),
    "an injection": ("dvc repro", "echo '${{ github.head_ref }}'", "one: pastes a value"),
}


def test_a_workflow_that_keeps_the_rules_has_no_fault():
    assert faults(KEPT) == []


@pytest.mark.parametrize("name", BREACHES)
def test_a_breach_of_the_rules_is_named(name):
    old, new, expected = BREACHES[name]
    assert old in KEPT
    assert any(fault.startswith(expected) for fault in faults(KEPT.replace(old, new)))
