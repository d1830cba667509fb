"""Tries on MiniStack what our template and definitions use, one small thing each.

    probes.py [WORD]    runs the probes whose name contains WORD

A probe says what AWS does. Where MiniStack is known to differ, the probe says so, too, so that a new version that
behaves otherwise is noticed. Exit code 0: all is as written here. 1: something is not.
"""

import sys

sys.dont_write_bytecode = True

import json
import pathlib
import tempfile
import time
import uuid
from dataclasses import dataclass
from typing import Callable

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

import ministack
import stack

# Answers what it is asked for: speaks the runtime's protocol like any bootstrap.
FUNCTION = f'''#!{sys.executable}
import json, os, pathlib, time, urllib.request
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
while True:
    answer = urllib.request.urlopen(api + "next")
    request, event = answer.headers["Lambda-Runtime-Aws-Request-Id"], json.loads(answer.read())
    event = event if isinstance(event, dict) else {{}}
    path, result = "/response", event.get("echo", {{}})
    if "Records" in event:
        back = [r["messageId"] for r in event["Records"] if "fail" in r["body"]]
        result = {{"batchItemFailures": [{{"itemIdentifier": message}} for message in back]}}
    time.sleep(event.get("sleep_s", 0))
    if "fails" in event:
        counter = pathlib.Path(os.environ["COUNTERS"], event["key"])
        calls = int(counter.read_text()) if counter.exists() else 0
        counter.write_text(str(calls + 1))
        result = {{"calls": calls + 1, "attempt": event.get("attempt")}}
        if calls < event["fails"]:
            path, result = "/error", {{"errorType": event["error"], "errorMessage": "as asked"}}
    urllib.request.urlopen(urllib.request.Request(api + request + path, json.dumps(result).encode(), method="POST"))
'''

RUN_S = 30


@dataclass(frozen=True)
class Probe:
    name: str
    run: Callable
    # How MiniStack differs, when it does.
    differs: str = ""


class Place:
    """A stand-in with the function."""

    def __init__(self, endpoint, counters):
        self.cloud = stack.Cloud(endpoint)
        self.lambdas = self.cloud.__getattr__("lambda")
        code = pathlib.Path(counters, "bootstrap")
        code.write_text(FUNCTION)
        self.function = self.lambdas.create_function(
            FunctionName="probe",
            Runtime="provided.al2023",
            Handler="bootstrap",
            Role="arn:aws:iam::000000000000:role/probe",
            Code={"ZipFile": stack.zipped(code, "probe")},
            Environment={"Variables": {"COUNTERS": counters}},
            Timeout=20,
        )["FunctionArn"]
        # `start_sync_execution` puts a prefix before the host, which this address does not have.
        self.machines = boto3.client(
            "stepfunctions",
            endpoint_url=endpoint,
            region_name=stack.REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(inject_host_prefix=False),
        )

    def task(self, payload, **more):
        """A Task as our compiler writes it; ends unless it is told to go on."""
        arguments = {"FunctionName": self.function, "Payload": payload}
        state = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Arguments": arguments} | more
        return state if "Next" in state else state | {"End": True}

    def machine(self, states, kind="STANDARD", **more):
        definition = {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states} | more
        return self.machines.create_state_machine(
            name=f"probe-{uuid.uuid4().hex[:12]}",
            definition=json.dumps(definition),
            roleArn="arn:aws:iam::000000000000:role/probe",
            type=kind,
        )["stateMachineArn"]

    def execute(self, states, given=None, **more):
        """Runs to the end: status, output or error name, seconds."""
        start = time.monotonic()
        call = {"stateMachineArn": self.machine(states, **more), "input": json.dumps(given or {})}
        execution = self.machines.start_execution(**call)["executionArn"]
        found = self.end_of(execution)
        seconds = time.monotonic() - start
        good = found["status"] == "SUCCEEDED"
        return found["status"], json.loads(found["output"]) if good else found.get("error"), seconds

    def end_of(self, execution):
        def look():
            found = self.machines.describe_execution(executionArn=execution)
            return found["status"] != "RUNNING" and found

        return until(look)


def until(look):
    end = time.monotonic() + RUN_S
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError(f"nothing came in {RUN_S} s")


def flaky(fails, error="Transient"):
    attempt = "{% $states.context.State.RetryCount %}"
    return {"fails": fails, "error": error, "key": uuid.uuid4().hex, "attempt": attempt}


def retry(error, attempts, **more):
    rule = {"ErrorEquals": [error], "IntervalSeconds": 1, "MaxAttempts": attempts, "BackoffRate": 2}
    return rule | {"MaxDelaySeconds": 2, "JitterStrategy": "FULL"} | more


def equal(have, want):
    assert have == want, f"{have!r}, not {want!r}"


def arguments_assign_and_output(p):
    states = {
        "First": p.task({"echo": {"n": 7}}, Assign={"got": "{% $states.result.Payload %}"}, Output={}, Next="Second"),
        "Second": {"Type": "Pass", "Output": {"n": "{% $got.n + 1 %}", "input": "{% $states.input %}"}, "End": True},
    }
    equal(p.execute(states)[:2], ("SUCCEEDED", {"n": 8, "input": {}}))


def choice_with_condition_and_assign(p):
    choices = [
        {"Condition": "{% $n >= 13 %}", "Next": "Done"},
        {"Condition": "{% $n = 2 %}", "Assign": {"n": "{% $n + 10 %}"}, "Next": "Enough"},
    ]
    states = {
        "Begin": {"Type": "Pass", "Assign": {"n": 0}, "Next": "Enough"},
        "Enough": {"Type": "Choice", "Choices": choices, "Default": "Enough", "Assign": {"n": "{% $n + 1 %}"}},
        "Done": {"Type": "Pass", "Output": {"n": "{% $n %}"}, "End": True},
    }
    equal(p.execute(states)[:2], ("SUCCEEDED", {"n": 13}))


def succeed_with_output(p):
    equal(p.execute({"Done": {"Type": "Succeed", "Output": {"n": 1}}})[:2], ("SUCCEEDED", {"n": 1}))


def parallel_with_output(p):
    branch = {"StartAt": "One", "States": {"One": {"Type": "Pass", "End": True}}}
    both = {"Type": "Parallel", "Branches": [branch] * 2, "Output": {"n": 1}, "End": True}
    equal(p.execute({"Both": both})[:2], ("SUCCEEDED", {"n": 1}))


def map_with_output(p):
    states = {"One": {"Type": "Pass", "End": True}}
    processor = {"ProcessorConfig": {"Mode": "INLINE"}, "StartAt": "One", "States": states}
    each = {"Type": "Map", "Items": [1, 2], "ItemProcessor": processor, "Output": {"n": 1}, "End": True}
    equal(p.execute({"Each": each})[:2], ("SUCCEEDED", {"n": 1}))


def wait_of_computed_seconds(p):
    states = {"Rest": {"Type": "Wait", "Seconds": "{% $states.input.s %}", "End": True}}
    status, _, seconds = p.execute(states, {"s": 2})
    assert status == "SUCCEEDED" and 2 <= seconds < 5, f"{status} after {seconds:.1f} s"


def map_runs_items_beside_each_other(p):
    slow = p.task({"sleep_s": 1, "echo": "{% $states.input %}"}, Output="{% $states.result.Payload %}")
    processor = {"ProcessorConfig": {"Mode": "INLINE"}, "StartAt": "One", "States": {"One": slow}}
    each = {"Type": "Map", "Items": "{% $states.input.items %}", "MaxConcurrency": 10, "ItemProcessor": processor}
    status, output, seconds = p.execute({"Each": each | {"End": True}}, {"items": [1, 2, 3, 4]})
    equal((status, output), ("SUCCEEDED", [1, 2, 3, 4]))
    assert seconds < 3.5, f"four items of one second took {seconds:.1f} s"


def distributed_map_takes_items_of_an_expression(p):
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "One",
        "States": {"One": {"Type": "Pass", "Output": "{% $states.input.item + 1 %}", "End": True}},
    }
    each = {
        "Type": "Map",
        "Items": "{% $states.input.items %}",
        "ItemSelector": {"item": "{% $states.context.Map.Item.Value %}"},
        "ItemProcessor": processor,
        "End": True,
    }
    equal(p.execute({"Each": each}, {"items": [1, 2]})[:2], ("SUCCEEDED", [2, 3]))


def parallel_runs_branches_beside_each_other(p):
    branch = {"StartAt": "One", "States": {"One": p.task({"sleep_s": 1}, Output={})}}
    status, output, seconds = p.execute({"Both": {"Type": "Parallel", "Branches": [branch] * 3, "End": True}})
    equal((status, output), ("SUCCEEDED", [{}] * 3))
    assert seconds < 2.8, f"three branches of one second took {seconds:.1f} s"


def retry_with_jitter_and_limit(p):
    state = p.task(flaky(2), Retry=[retry("Transient", 3)], Output="{% $states.result.Payload %}")
    equal(p.execute({"One": state})[:2], ("SUCCEEDED", {"calls": 3, "attempt": 2}))


def retry_gives_up(p):
    equal(p.execute({"One": p.task(flaky(9), Retry=[retry("Transient", 1)])})[:2], ("FAILED", "Transient"))


def retry_names_its_errors(p):
    equal(p.execute({"One": p.task(flaky(9, "Rejected"), Retry=[retry("Transient", 5)])})[:2], ("FAILED", "Rejected"))


def catch_of_all(p):
    catch = [{"ErrorEquals": ["States.ALL"], "Output": "{% $states.input %}", "Next": "Left"}]
    states = {"One": p.task(flaky(9), Catch=catch), "Left": {"Type": "Pass", "End": True}}
    equal(p.execute(states, {"a": 1})[:2], ("SUCCEEDED", {"a": 1}))


def a_task_times_out(p):
    catch = [{"ErrorEquals": ["States.Timeout"], "Output": {}, "Next": "Left"}]
    states = {"One": p.task({"sleep_s": 4}, TimeoutSeconds=1, Catch=catch), "Left": {"Type": "Pass", "End": True}}
    status, output, seconds = p.execute(states)
    equal((status, output), ("SUCCEEDED", {}))
    assert seconds < 3.5, f"a timeout of 1 s took {seconds:.1f} s"


def a_machine_times_out(p):
    states = {"Rest": {"Type": "Wait", "Seconds": 6, "End": True}}
    status, _, seconds = p.execute(states, TimeoutSeconds=1)
    equal(status, "TIMED_OUT")
    assert seconds < 4, f"a timeout of 1 s took {seconds:.1f} s"


def an_expression_without_result_fails(p):
    states = {"One": {"Type": "Pass", "Output": {"x": "{% $states.input.missing %}"}, "End": True}}
    equal(p.execute(states)[:2], ("FAILED", "States.QueryEvaluationError"))


def a_failure_has_no_output(p):
    states = {"One": {"Type": "Fail", "Error": "Rejected", "Cause": "as asked"}}
    execution = p.machines.start_execution(stateMachineArn=p.machine(states))["executionArn"]
    found = p.end_of(execution)
    equal((found["status"], found["error"], "output" in found), ("FAILED", "Rejected", False))


def express_answers_at_once(p):
    machine = p.machine({"One": p.task({"echo": 1}, Output={"done": True})}, kind="EXPRESS")
    found = p.machines.start_sync_execution(stateMachineArn=machine, input="{}")
    equal((found["status"], json.loads(found["output"])), ("SUCCEEDED", {"done": True}))


def express_cannot_be_described(p):
    machine = p.machine({"One": {"Type": "Succeed"}}, kind="EXPRESS")
    execution = p.machines.start_execution(stateMachineArn=machine)["executionArn"]
    refused(lambda: p.machines.describe_execution(executionArn=execution))


def express_has_an_arn_of_its_own(p):
    machine = p.machine({"One": {"Type": "Succeed"}}, kind="EXPRESS")
    execution = p.machines.start_execution(stateMachineArn=machine)["executionArn"]
    equal(execution.split(":")[5], "express")


def standard_cannot_be_run_synchronously(p):
    refused(lambda: p.machines.start_sync_execution(stateMachineArn=p.machine({"One": {"Type": "Succeed"}})))


def the_same_start_twice_is_one(p):
    machine = p.machine({"Rest": {"Type": "Wait", "Seconds": 2, "End": True}})
    call = {"stateMachineArn": machine, "name": "same", "input": '{"a": 1}'}
    first = p.machines.start_execution(**call)["executionArn"]
    equal(p.machines.start_execution(**call)["executionArn"], first)


def a_name_with_another_input_is_refused(p):
    machine = p.machine({"One": {"Type": "Succeed"}})
    call = {"stateMachineArn": machine, "name": "same"}
    p.machines.start_execution(**call, input='{"a": 1}')
    refused(lambda: p.machines.start_execution(**call, input='{"a": 2}'), "ExecutionAlreadyExists")


def a_stop_aborts(p):
    machine = p.machine({"Rest": {"Type": "Wait", "Seconds": 8, "End": True}})
    execution = p.machines.start_execution(stateMachineArn=machine)["executionArn"]
    p.machines.stop_execution(executionArn=execution, error="Stopped", cause="as asked")
    equal(p.end_of(execution)["status"], "ABORTED")


def a_redrive_goes_on(p):
    machine = p.machine({"One": p.task(flaky(1), Output="{% $states.result.Payload.calls %}")})
    execution = p.machines.start_execution(stateMachineArn=machine)["executionArn"]
    equal(p.end_of(execution)["status"], "FAILED")
    p.machines.redrive_execution(executionArn=execution)
    equal(p.end_of(execution).get("output"), "2")


def a_broken_definition_is_refused(p):
    refused(lambda: p.machine({"One": {"Type": "Pass", "Next": "Nowhere"}}))


def a_call_of_an_event_fails_into_its_destination(p):
    queue, arn = make_queue(p)
    where = {"OnFailure": {"Destination": arn}}
    call = {"FunctionName": "probe", "MaximumRetryAttempts": 0, "DestinationConfig": where}
    p.lambdas.put_function_event_invoke_config(**call)
    p.lambdas.invoke(FunctionName="probe", InvocationType="Event", Payload=json.dumps(flaky(9)).encode())
    body = json.loads(received(p, queue)["Body"])
    equal(body["responsePayload"]["errorType"], "Transient")


def a_message_that_is_given_back_ends_among_the_dead(p):
    dead, dead_arn = make_queue(p)
    redrive = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 2})
    queue, arn = make_queue(p, RedrivePolicy=redrive, VisibilityTimeout="1")
    p.lambdas.create_event_source_mapping(
        EventSourceArn=arn, FunctionName="probe", BatchSize=10, FunctionResponseTypes=["ReportBatchItemFailures"]
    )
    for body in ("good", "fail"):
        p.cloud.sqs.send_message(QueueUrl=queue, MessageBody=body)
    equal(received(p, dead)["Body"], "fail")
    equal(p.cloud.sqs.receive_message(QueueUrl=dead).get("Messages", []), [])


def a_delayed_message_waits(p):
    queue, _ = make_queue(p)
    start = time.monotonic()
    p.cloud.sqs.send_message(QueueUrl=queue, MessageBody="late", DelaySeconds=2)
    received(p, queue)
    assert time.monotonic() - start >= 1.8, "the message came before its delay"


def a_caller_without_rights_is_refused(p):
    # The machine's role does not exist, so that nothing allows it to call the function.
    equal(p.execute({"One": p.task({"echo": 1})})[0], "FAILED")


def make_queue(p, **attributes):
    queue = p.cloud.sqs.create_queue(QueueName=f"probe-{uuid.uuid4().hex[:12]}", Attributes=attributes)["QueueUrl"]
    arn = p.cloud.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return queue, arn


def received(p, queue):
    return until(lambda: p.cloud.sqs.receive_message(QueueUrl=queue).get("Messages", [None])[0])


def refused(call, code=None):
    try:
        call()
    except ClientError as error:
        if code:
            equal(error.response["Error"]["Code"], code)
        return
    raise AssertionError("it was not refused")


PROBES = [
    Probe("arguments, assign and output", arguments_assign_and_output),
    Probe("choice with condition and assign", choice_with_condition_and_assign),
    Probe("succeed with output", succeed_with_output, "Its output is its input."),
    Probe("parallel with output", parallel_with_output, "Its output is that of the branches."),
    Probe("map with output", map_with_output),
    Probe("wait of computed seconds", wait_of_computed_seconds),
    Probe(
        "distributed map takes items of an expression",
        distributed_map_takes_items_of_an_expression,
        "Its whole input is the one item, and expressions of ItemSelector are handed on as text.",
    ),
    Probe("map runs items beside each other", map_runs_items_beside_each_other),
    Probe("parallel runs branches beside each other", parallel_runs_branches_beside_each_other),
    Probe("retry with jitter, a limit and its count", retry_with_jitter_and_limit),
    Probe("retry gives up", retry_gives_up),
    Probe("retry names its errors", retry_names_its_errors),
    Probe("catch of all", catch_of_all),
    Probe("a task times out", a_task_times_out),
    Probe("a machine times out", a_machine_times_out, "It goes on to its end."),
    Probe("an expression without a result fails", an_expression_without_result_fails),
    Probe("a failure has no output", a_failure_has_no_output, "Its output is error and cause."),
    Probe("express answers at once", express_answers_at_once),
    Probe("express cannot be described", express_cannot_be_described, "It is described like a standard one."),
    Probe("express has an ARN of its own", express_has_an_arn_of_its_own, "Its ARN is that of a standard one."),
    Probe("standard cannot be run synchronously", standard_cannot_be_run_synchronously, "It runs."),
    Probe("the same start twice is one", the_same_start_twice_is_one, "The second is refused."),
    Probe("a name with another input is refused", a_name_with_another_input_is_refused),
    Probe("a stop aborts", a_stop_aborts),
    Probe("a redrive goes on", a_redrive_goes_on, "There is no redrive."),
    Probe("a broken definition is refused", a_broken_definition_is_refused, "It is taken."),
    Probe("an asynchronous call fails into its destination", a_call_of_an_event_fails_into_its_destination),
    Probe("a message given back ends among the dead", a_message_that_is_given_back_ends_among_the_dead),
    Probe("a delayed message waits", a_delayed_message_waits),
    Probe("a caller without rights is refused", a_caller_without_rights_is_refused, "Roles are not looked at."),
]


def main():
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    surprises, start = 0, time.monotonic()
    with tempfile.TemporaryDirectory(prefix="deskup-probes-") as counters, ministack.running() as endpoint:
        place = Place(endpoint, counters)
        for probe in PROBES:
            if word not in probe.name:
                continue
            began = time.monotonic()
            try:
                probe.run(place)
                wrong = None
            except Exception as error:  # Whatever it is, the next probe is worth a try.
                wrong = str(error).splitlines()[0] if str(error) else type(error).__name__
            surprise = bool(wrong) != bool(probe.differs)
            surprises += surprise
            kind = "SURPRISE" if surprise else "differs" if wrong else "as AWS"
            said = probe.differs if wrong and probe.differs else wrong or ""
            print(f"{kind:9} {time.monotonic() - began:5.1f} s  {probe.name}{said and ': ' + said}", flush=True)
    print(f"{surprises} surprises in {time.monotonic() - start:.1f} s")
    return 1 if surprises else 0


if __name__ == "__main__":
    sys.exit(main())
