"""Deploys the template to a stand-in for AWS, and takes it away again.

    stack.py deploy --endpoint URL --stack NAME --code-dir DIR [--parameters K=V ...] [--env K=V ...]
    stack.py delete --endpoint URL --stack NAME
    stack.py grants

`deploy` creates the stack or updates it, and prints its outputs as JSON. DIR holds one executable file per function,
named like the function's folder in the template. `--env` adds variables to every function. What the stand-in does not
take is left out; `ministack.yaml` names each such thing, and a line on stderr tells of it.
`delete` prints {"left": [...]}: what of the stack still exists. `grants` prints what the role of each function allows, by
the function's name in the template. Only the outputs and this list go to stdout.

Exit code 0: done. 1: the stack could not be deployed or deleted, stderr names the resources. 2: wrong call.
"""

import argparse
import hashlib
import io
import json
import pathlib
import sys
import time
import zipfile

import boto3
import yaml
from botocore.config import Config
from botocore.exceptions import ClientError

import template as templates

BUCKET = "deskup-deploy"
REGION = "us-east-1"
WAIT_S = 120
LEFT_OUT = pathlib.Path(__file__).with_name("ministack.yaml")
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]


def main():
    options = parse()
    if options.command == "grants":
        print(json.dumps(grants(), indent=2, sort_keys=True))
        return 0
    cloud = Cloud(options.endpoint)
    try:
        if options.command == "deploy":
            answer = deploy(cloud, options)
        else:
            answer = delete(cloud, options.stack)
    except Failed as failed:
        print(failed, file=sys.stderr)
        return 1
    except ClientError as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(answer, indent=2, sort_keys=True))
    return 0


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("grants")
    for name in ("deploy", "delete"):
        command = commands.add_parser(name)
        command.add_argument("--endpoint", required=True, help="where the stand-in listens")
        command.add_argument("--stack", required=True)
        if name == "deploy":
            command.add_argument("--code-dir", required=True, type=pathlib.Path)
            command.add_argument("--parameters", nargs="*", default=[], type=pair, metavar="K=V")
            command.add_argument("--env", nargs="*", default=[], type=pair, metavar="K=V")
    return parser.parse_args()


def pair(text):
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise argparse.ArgumentTypeError(f"`{text}` is not K=V")
    return key, value


class Failed(Exception):
    """What could not be done, in words."""


class Cloud:
    """Clients of one address; whatever credentials the caller has stay out of it."""

    def __init__(self, endpoint):
        self._endpoint = endpoint
        self._clients = {}

    def __getattr__(self, service):
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service,
                endpoint_url=self._endpoint,
                region_name=REGION,
                aws_access_key_id="test",
                aws_secret_access_key="test",
                config=Config(retries={"total_max_attempts": 2}, connect_timeout=5, read_timeout=60),
            )
        return self._clients[service]


def grants():
    """Actions by function, from the policies of its role."""
    template = templates.expand(templates.load())
    roles = templates.of_type(template, "AWS::IAM::Role")
    allowed = {}
    for name, function in templates.of_type(template, templates.FUNCTION).items():
        role = roles[function["Properties"]["Role"]["Fn::GetAtt"][0]]
        statements = [s for p in role["Properties"]["Policies"] for s in p["PolicyDocument"]["Statement"]]
        allowed[name] = sorted({action for statement in statements for action in granted(statement)})
    return allowed


def granted(statement):
    """The actions of a statement; a query of an index of the table is one of its own."""
    actions, resources = statement["Action"], statement["Resource"]
    actions = [actions] if isinstance(actions, str) else actions
    for resource in resources if isinstance(resources, list) else [resources]:
        address = resource.get("Fn::Sub", "") if isinstance(resource, dict) else resource
        index = address.split("/index/")[1:]
        yield from (f"{action}/{index[0]}" if index else action for action in actions)


def deploy(cloud, options):
    template = templates.load()
    leave_out(template)
    variables = template["Globals"]["Function"]["Environment"]["Variables"]
    variables.update(options.env)
    upload_all(cloud, template, options.code_dir)
    body = json.dumps(template, sort_keys=True).encode()
    url = f"{options.endpoint}/{BUCKET}/{put(cloud, 'template', '.json', body)}"
    call = {
        "StackName": options.stack,
        "TemplateURL": url,
        "Capabilities": CAPABILITIES,
        "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in options.parameters],
    }
    before = describe(cloud, options.stack)
    if before and before["StackStatus"] in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"):
        # Such a stack can only be deleted.
        delete(cloud, options.stack)
        before = None
    if before:
        try:
            cloud.cloudformation.update_stack(**call)
        except ClientError as error:
            if "No updates are to be performed" not in str(error):
                raise
    else:
        cloud.cloudformation.create_stack(**call)
    stack = settled(cloud, options.stack)
    if stack is None or stack["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        raise Failed(reasons(cloud, options.stack, stack))
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def leave_out(template):
    """Removes what the stand-in does not take, and nothing else."""
    for entry in yaml.safe_load(LEFT_OUT.read_text())["left_out"]:
        node, path = template, entry["path"]
        for key in path[:-1]:
            node = node[key]
        if path[-1] not in node:
            raise Failed(f"{LEFT_OUT.name} names {'/'.join(path)}, which the template does not have")
        del node[path[-1]]
        print(f"left out: {'/'.join(path)} ({entry['reason']})", file=sys.stderr)


def upload_all(cloud, template, code_dir):
    """Replaces paths in the template by places in a bucket, as `sam package` does."""
    try:
        cloud.s3.create_bucket(Bucket=BUCKET)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
            raise
    for name, resource in template["Resources"].items():
        if not isinstance(resource, dict):
            continue
        properties = resource.get("Properties", {})
        if resource["Type"] == templates.FUNCTION:
            binary = pathlib.PurePosixPath(properties["CodeUri"]).name
            key = put(cloud, binary, ".zip", zipped(code_dir / binary, name))
            properties["CodeUri"] = f"s3://{BUCKET}/{key}"
        if resource["Type"] == templates.MACHINE:
            path = templates.TEMPLATE.parent / properties["DefinitionUri"]
            key = put(cloud, path.name.removesuffix(".asl.json"), ".asl.json", path.read_bytes())
            properties["DefinitionUri"] = f"s3://{BUCKET}/{key}"


def zipped(path, function):
    """A zip that is the same bytes for the same file."""
    if not path.is_file():
        raise Failed(f"{path} is missing: the code of function {function}")
    entry = zipfile.ZipInfo("bootstrap", date_time=(1980, 1, 1, 0, 0, 0))
    entry.external_attr = 0o100755 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        archive.writestr(entry, path.read_bytes(), compresslevel=1)
    return memory.getvalue()


def put(cloud, name, suffix, content):
    """Stores under a name that changes with the content, so that an update sees what is new."""
    key = f"{name}-{hashlib.sha256(content).hexdigest()[:16]}{suffix}"
    cloud.s3.put_object(Bucket=BUCKET, Key=key, Body=content)
    return key


def describe(cloud, stack):
    try:
        return cloud.cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise


def settled(cloud, stack):
    """The stack when nothing changes any more; none when it is gone."""
    end = time.monotonic() + WAIT_S
    while True:
        found = describe(cloud, stack)
        if found is None or not found["StackStatus"].endswith("_IN_PROGRESS"):
            return found
        if time.monotonic() > end:
            raise Failed(f"stack {stack} is still in {found['StackStatus']} after {WAIT_S} s")
        time.sleep(0.1)


def reasons(cloud, name, stack):
    lines = [f"stack {name} ended in {stack['StackStatus'] if stack else 'nothing'}"]
    if stack:
        pages = cloud.cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack["StackId"])
        for event in reversed([event for page in pages for event in page["StackEvents"]]):
            status, reason = event["ResourceStatus"], event.get("ResourceStatusReason")
            # Where nothing could be begun, only the stack's own rollback tells why.
            if status.endswith("FAILED") or (reason and "ROLLBACK" in status):
                lines.append(f"{event['LogicalResourceId']} {status}: {reason or 'no reason was given'}")
    return "\n".join(lines)


def delete(cloud, name):
    stack = describe(cloud, name)
    if stack is None:
        return {"left": []}
    pages = cloud.cloudformation.get_paginator("list_stack_resources").paginate(StackName=name)
    resources = [resource for page in pages for resource in page["StackResourceSummaries"]]
    cloud.cloudformation.delete_stack(StackName=name)
    after = settled(cloud, name)
    if after is not None and after["StackStatus"] != "DELETE_COMPLETE":
        raise Failed(reasons(cloud, name, after))
    left = []
    for resource in resources:
        look = LOOKS.get(resource["ResourceType"])
        physical = resource.get("PhysicalResourceId", "")
        if look and exists(look, cloud, physical, name):
            left.append({"type": resource["ResourceType"], "name": resource["LogicalResourceId"], "id": physical})
    return {"left": left}


# How each type is looked up by its physical id; what has no id of its own (permissions, mappings) goes with its owner.
LOOKS = {
    "AWS::CloudWatch::Alarm": lambda c, i, s: found(c.cloudwatch.describe_alarms(AlarmNames=[i])["MetricAlarms"]),
    "AWS::DynamoDB::Table": lambda c, i, s: c.dynamodb.describe_table(TableName=i),
    "AWS::IAM::Role": lambda c, i, s: c.iam.get_role(RoleName=i),
    "AWS::Lambda::EventSourceMapping": lambda c, i, s: c.__getattr__("lambda").get_event_source_mapping(UUID=i),
    "AWS::Lambda::Function": lambda c, i, s: c.__getattr__("lambda").get_function(FunctionName=i),
    "AWS::Logs::LogGroup": lambda c, i, s: found(c.logs.describe_log_groups(logGroupNamePrefix=i)["logGroups"]),
    "AWS::SNS::Topic": lambda c, i, s: c.sns.get_topic_attributes(TopicArn=i),
    "AWS::SQS::Queue": lambda c, i, s: c.sqs.get_queue_attributes(QueueUrl=i, AttributeNames=["QueueArn"]),
    "AWS::Scheduler::Schedule": lambda c, i, s: c.scheduler.get_schedule(Name=i.split("/")[-1], GroupName=s),
    "AWS::Scheduler::ScheduleGroup": lambda c, i, s: c.scheduler.get_schedule_group(Name=i.split("/")[-1]),
    "AWS::SecretsManager::Secret": lambda c, i, s: None
    if "DeletedDate" in (secret := c.secretsmanager.describe_secret(SecretId=i))
    else secret,
    "AWS::StepFunctions::StateMachine": lambda c, i, s: None
    if (machine := c.stepfunctions.describe_state_machine(stateMachineArn=i))["status"] == "DELETING"
    else machine,
}


def found(rows):
    return rows or None


def exists(look, cloud, physical, stack):
    try:
        return look(cloud, physical, stack) is not None
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 404):
            return False
        raise


if __name__ == "__main__":
    sys.exit(main())
