"""What must hold of our template and no general tool knows. Each check yields findings in words."""

import copy
import json
import pathlib
import re
from dataclasses import dataclass

import template as templates

# A resource that cannot be named narrower, and why.
ANY_RESOURCE = {
    "xray": "Traces have no resource.",
    "logs:CreateLogDelivery": "Deliveries of logs have no resource.",
    "logs:GetLogDelivery": "Deliveries of logs have no resource.",
    "logs:UpdateLogDelivery": "Deliveries of logs have no resource.",
    "logs:DeleteLogDelivery": "Deliveries of logs have no resource.",
    "logs:ListLogDeliveries": "Deliveries of logs have no resource.",
    "logs:PutResourcePolicy": "Resource policies of logs have no resource.",
    "logs:DescribeResourcePolicies": "Resource policies of logs have no resource.",
    "logs:DescribeLogGroups": "Step Functions lists all groups before it delivers.",
}

# All executions of a machine that is named: their own names are not known before.
EXECUTIONS = re.compile(r":execution:\$\{(\w+\.Name\}|AWS::StackName\}-[\w-]+/\w+):\*$")

# Who may be called from outside without a signature of AWS.
PUBLIC_FUNCTIONS = {"Webhook"}

# Named like a secret, but the name or address of one.
SECRET_NAMES = re.compile(r"SECRET|TOKEN|PASSWORD|CREDENTIAL|API_?KEY", re.IGNORECASE)

LAMBDA_TIMEOUT_S_MAX = 900

# How an execution whose history is full goes on in another one.
START_EXECUTION = "arn:aws:states:::states:startExecution"

# One of something, or several of it; cron is for the service to judge.
SCHEDULE = re.compile(r"rate\((1 (minute|hour|day)|(?!1 )[1-9]\d* (minutes|hours|days))\)|cron\(.+\)")

FUNCTION_ALARMS = ("Errors", "Throttles", "Duration")
MACHINE_ALARMS = ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted", "ExecutionThrottled")
OWN_ALARMS = ("ConvergenceLagSeconds", "WebhookSilenceMinutes", "Quarantined", "Brake")
OUTPUTS = {
    "WebhookUrl", "TableName", "Installation", "QueueUrl", "AccountsSecret", "WebhooksSecret",
    "BackfillMachine", "LiveMachine", "PollMachine", "Region", "SweepMachine",
}  # fmt: skip


@dataclass
class World:
    """The template without loops, and the definitions by file name."""

    template: dict
    definitions: dict

    @classmethod
    def read(cls):
        template = templates.expand(templates.load())
        machines = templates.of_type(template, templates.MACHINE).values()
        files = {pathlib.Path(m["Properties"]["DefinitionUri"]).name: templates.definition(m) for m in machines}
        return cls(template, files)

    def copy(self):
        return copy.deepcopy(self)

    def resource(self, name):
        return self.template["Resources"][name]

    def properties(self, name):
        return self.resource(name)["Properties"]

    def of_type(self, kind):
        return {name: r["Properties"] for name, r in templates.of_type(self.template, kind).items()}

    def functions(self):
        return self.of_type(templates.FUNCTION)

    def machines(self):
        return self.of_type(templates.MACHINE)

    def definition(self, machine):
        return self.definitions[pathlib.Path(machine["DefinitionUri"]).name]

    def filled(self, value):
        """What a parameter is by default."""
        return self.template["Parameters"][value["Ref"]]["Default"] if isinstance(value, dict) else value

    def environment(self, function):
        common = self.template["Globals"]["Function"]["Environment"]["Variables"]
        return common | function.get("Environment", {}).get("Variables", {})

    def statements(self):
        """Every statement that allows something, with the role and a name."""
        for name, role in self.of_type("AWS::IAM::Role").items():
            for policy in role.get("Policies", []):
                for number, statement in enumerate(listed(policy["PolicyDocument"]["Statement"])):
                    if statement["Effect"] == "Allow":
                        yield name, statement.get("Sid", str(number)), statement

    def may(self, role, action):
        """The resources on which a role may do something."""
        resources = []
        for name, _, statement in self.statements():
            if name == role and action in listed(statement["Action"]):
                resources += listed(statement["Resource"])
        return resources


def run(world):
    """All findings of all checks."""
    return [finding for check in CHECKS for finding in check(world)]


def listed(value):
    return value if isinstance(value, list) else [value]


def named(value):
    """The logical name that a reference means."""
    if isinstance(value, dict):
        if "Ref" in value:
            return named(value["Ref"])
        if "Fn::GetAtt" in value:
            return value["Fn::GetAtt"][0]
        return value["Fn::Sub"] if "Fn::Sub" in value else json.dumps(value)
    return value


def holds(value, word):
    return word in json.dumps(value)


def roles_are_not_shared(world):
    owners = {}
    for name, function in (world.functions() | world.machines()).items():
        role = named(function.get("Role"))
        if role not in world.of_type("AWS::IAM::Role"):
            yield f"{name} has no role that is written out"
        elif role in owners:
            yield f"{name} shares {role} with {owners[role]}"
        owners[role] = name
    for name, role in world.of_type("AWS::IAM::Role").items():
        if role.get("ManagedPolicyArns"):
            yield f"{name} has managed policies, whose contents others decide on"
        for statement in role["AssumeRolePolicyDocument"]["Statement"]:
            if set(statement["Principal"]) != {"Service"}:
                yield f"{name} may be assumed by more than a service"


def policies_name_what_they_allow(world):
    for role, sid, statement in world.statements():
        if "NotAction" in statement or "NotResource" in statement:
            yield f"{role}/{sid} allows all but something"
            continue
        for action in listed(statement["Action"]):
            if "*" in action:
                yield f"{role}/{sid} has a wildcard action: {action}"
        for resource in listed(statement["Resource"]):
            if not wildcard(resource):
                continue
            for action in listed(statement["Action"]):
                if action not in ANY_RESOURCE and action.split(":")[0] not in ANY_RESOURCE:
                    yield f"{role}/{sid} has a wildcard resource for {action}"


def wildcard(resource):
    text = resource if isinstance(resource, str) else resource.get("Fn::Sub", "")
    return isinstance(text, str) and "*" in EXECUTIONS.sub("", text)


def policies_fit_the_environment(world):
    needs = {
        "_SECRET": "secretsmanager:GetSecretValue",
        "_QUEUE_URL": "sqs:SendMessage",
        "_ARN": "states:StartExecution",
        "_TABLE": "dynamodb:GetItem",
    }
    for name, function in world.functions().items():
        role = named(function.get("Role"))
        for variable, value in world.environment(function).items():
            for ending, action in needs.items():
                if variable.endswith(ending) and named(value) not in map(named, world.may(role, action)):
                    yield f"{name} is told {variable} but may not {action} there"
        told = {named(value) for value in world.environment(function).values()}
        for resource in world.may(role, "secretsmanager:GetSecretValue"):
            if named(resource) not in told:
                yield f"{name} may read {named(resource)} and is not told of it"


def machines_call_exactly_their_functions(world):
    for name, machine in world.machines().items():
        called = set(re.findall(r"\$\{(\w+)\}", json.dumps(world.definition(machine))))
        given = {key: named(value) for key, value in machine.get("DefinitionSubstitutions", {}).items()}
        for word in sorted(called ^ set(given)):
            yield f"{name}: {word} is not both in the definition and among the substitutions"
        for word, function in given.items():
            if function != word or function not in world.functions():
                yield f"{name}: {word} is put in as {function}"
        allowed = set(map(named, world.may(named(machine.get("Role")), "lambda:InvokeFunction")))
        for function in sorted(allowed ^ set(given.values())):
            yield f"{name} calls or may call {function}, but not both"


def machines_go_on_only_as_themselves(world):
    for name, machine in world.machines().items():
        starts = any(map(starts_executions, (body for _, body in templates.states(world.definition(machine)))))
        allowed = [json.dumps(resource) for resource in world.may(named(machine.get("Role")), "states:StartExecution")]
        itself = f":stateMachine:{machine['Name']['Fn::Sub']}"
        if starts and not allowed:
            yield f"{name} goes on in another execution and may not start it"
        if allowed and not starts:
            yield f"{name} may start executions and never does"
        for resource in allowed:
            if not resource.rstrip('"}').endswith(itself.rstrip("}")):
                yield f"{name} may start others than itself: {resource}"


def starts_executions(state):
    """It goes on in another one, or it is a distributed Map, whose children are executions of the same machine."""
    mode = state.get("ItemProcessor", {}).get("ProcessorConfig", {}).get("Mode")
    return state.get("Resource") == START_EXECUTION or mode == "DISTRIBUTED"


def timeouts_fit_the_definitions(world):
    functions = world.functions()
    for name, machine in world.machines().items():
        for state, body in templates.states(world.definition(machine)):
            if body["Type"] != "Task":
                continue
            if body["Resource"] == START_EXECUTION:
                if "TimeoutSeconds" not in body:
                    yield f"{name}/{state} has no timeout"
                continue
            function = body["Arguments"]["FunctionName"].strip("${}")
            timeout = functions.get(function, {}).get("Timeout")
            if timeout != body.get("TimeoutSeconds"):
                yield f"{name}/{state} has a timeout of {body.get('TimeoutSeconds')} s, its function one of {timeout} s"
    for name, function in functions.items():
        if not 0 < function.get("Timeout", 0) <= LAMBDA_TIMEOUT_S_MAX:
            yield f"{name} has a timeout of {function.get('Timeout')} s, which Lambda does not take"
        slow = world.template["Mappings"]["Alarms"].get(name, {}).get("SlowMs")
        if slow != function.get("Timeout", 0) * 800:
            yield f"{name}: the alarm for slowness is at {slow} ms, not at 80 % of its timeout"


def what_nobody_waits_for_has_a_place_to_fail(world):
    functions, queues = world.functions(), world.of_type("AWS::SQS::Queue")
    asynchronous = set()
    for name, schedule in world.of_type("AWS::Scheduler::Schedule").items():
        target = schedule["Target"]
        expression = world.filled(schedule["ScheduleExpression"])
        if not SCHEDULE.fullmatch(expression):
            yield f"{name} has an expression that is none: {expression}"
        asynchronous.add(named(target["Arn"]))
        dead = named(target.get("DeadLetterConfig", {}).get("Arn"))
        if dead not in queues:
            yield f"{name} has no dead letter queue"
        elif dead not in map(named, world.may(named(target["RoleArn"]), "sqs:SendMessage")):
            yield f"{name} may not write to its dead letter queue"
    for name, function in functions.items():
        for event in function.get("Events", {}).values():
            if event["Type"] != "SQS":
                asynchronous.add(name)
                continue
            queue = named(event["Properties"]["Queue"])
            if named(queues[queue].get("RedrivePolicy", {}).get("deadLetterTargetArn")) not in queues:
                yield f"{queue} has no dead letter queue"
            if queues[queue].get("VisibilityTimeout", 30) <= 6 * function["Timeout"]:
                yield f"{queue} shows a message again within six timeouts of {name}"
            if "ReportBatchItemFailures" not in event["Properties"].get("FunctionResponseTypes", []):
                yield f"{name} cannot give back single messages of {queue}"
    for name in sorted(asynchronous & set(functions)):
        failure = functions[name].get("EventInvokeConfig", {}).get("DestinationConfig", {}).get("OnFailure", {})
        if named(failure.get("Destination")) not in queues:
            yield f"{name} is called asynchronously and has no on-failure destination"
        elif named(failure["Destination"]) not in map(named, may_send(world, functions[name])):
            yield f"{name} may not write to its on-failure destination"


def may_send(world, function):
    return world.may(named(function["Role"]), "sqs:SendMessage")


def alarms_watch_everything(world):
    watched = set()
    for name, alarm in world.of_type("AWS::CloudWatch::Alarm").items():
        if not alarm.get("AlarmActions"):
            yield f"{name} tells nobody"
        for dimension in alarm.get("Dimensions", []):
            watched.add((alarm["MetricName"], named(dimension["Value"])))
    metrics = {metric for metric, _ in watched}
    for name, function in world.functions().items():
        known_as = {name, named(function["FunctionName"])}
        for metric in FUNCTION_ALARMS:
            if not any((metric, word) in watched for word in known_as):
                yield f"no alarm watches {metric} of {name}"
    for name in world.machines():
        for metric in MACHINE_ALARMS:
            if (metric, name) not in watched:
                yield f"no alarm watches {metric} of {name}"
    for name in dead_letter_queues(world):
        if ("ApproximateNumberOfMessagesVisible", name) not in watched:
            yield f"no alarm watches the depth of {name}"
    for metric in OWN_ALARMS:
        if metric not in metrics:
            yield f"no alarm watches {metric}"
    for side in ("zendesk", "clickup"):
        if ("WebhookSilenceMinutes", side) not in watched:
            yield f"no alarm watches the silence of {side}"


def dead_letter_queues(world):
    """Queues that are the target of a redrive, a schedule's failures or a function's."""
    found = set()
    for queue in world.of_type("AWS::SQS::Queue").values():
        found.add(named(queue.get("RedrivePolicy", {}).get("deadLetterTargetArn")))
    for schedule in world.of_type("AWS::Scheduler::Schedule").values():
        found.add(named(schedule["Target"].get("DeadLetterConfig", {}).get("Arn")))
    for function in world.functions().values():
        destinations = function.get("EventInvokeConfig", {}).get("DestinationConfig", {})
        found.add(named(destinations.get("OnFailure", {}).get("Destination")))
    return sorted(found - {None})


def the_table_is_safe_and_as_the_store_makes_it(world):
    for name, table in world.of_type("AWS::DynamoDB::Table").items():
        if not table.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled"):
            yield f"{name} has no point-in-time recovery"
        if not table.get("SSESpecification", {}).get("SSEEnabled"):
            yield f"{name} is not encrypted"
        if table.get("TimeToLiveSpecification") != {"AttributeName": "exp", "Enabled": True}:
            yield f"{name} does not expire rows by `exp`"
        if "ResourcePolicy" in table:
            yield f"{name} has a resource policy, so that others than our roles may reach it"
        if "DeletionProtectionEnabled" not in table:
            yield f"{name} has no deletion protection"
        yield from keys_of_the_store(name, table)
    for name, resource in world.template["Resources"].items():
        if resource["Type"] in ("AWS::DynamoDB::Table", "AWS::SecretsManager::Secret"):
            for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
                if not holds(resource.get(policy), "Retain"):
                    yield f"{name} goes with the stack: its {policy} is not Retain"


def keys_of_the_store(name, table):
    source = (templates.ROOT / "shared/stores/src/schema.rs").read_text()
    wanted = {tuple(found) for found in re.findall(r'index\("(\w+)", "(\w+)", "(\w+)"\)', source)}
    wanted.add(("", *re.findall(r'"KeySchema": \[\{"AttributeName": "(\w+)".*?"AttributeName": "(\w+)"', source)[0]))
    have = {(i["IndexName"], *keys(i)) for i in table["GlobalSecondaryIndexes"]} | {("", *keys(table))}
    if wanted != have:
        yield f"{name} has keys {sorted(have)}, the store makes {sorted(wanted)}"
    if any(i["Projection"] != {"ProjectionType": "KEYS_ONLY"} for i in table["GlobalSecondaryIndexes"]):
        yield f"{name} has an index that holds more than keys"


def keys(owner):
    return [key["AttributeName"] for key in sorted(owner["KeySchema"], key=lambda key: key["KeyType"])]


def only_the_webhook_is_public(world):
    for name, function in world.functions().items():
        url = function.get("FunctionUrlConfig")
        if url and name not in PUBLIC_FUNCTIONS:
            yield f"{name} has a function URL"
    for name in world.of_type("AWS::Lambda::Url"):
        yield f"{name} is a function URL beside those of the functions"
    for name, permission in world.of_type("AWS::Lambda::Permission").items():
        if permission["Principal"] == "*":
            yield f"{name} lets everybody call {named(permission['FunctionName'])}"
    for kind in ("AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy", "AWS::SecretsManager::ResourcePolicy"):
        for name, policy in world.of_type(kind).items():
            if holds(policy, '"Principal": "*"') and holds(policy, '"Effect": "Allow"'):
                yield f"{name} lets everybody in"


def secrets_stay_where_they_are(world):
    secrets = world.of_type("AWS::SecretsManager::Secret")
    for name, function in world.functions().items():
        for variable, value in world.environment(function).items():
            if holds(value, "{{resolve:"):
                yield f"{name}: {variable} is resolved into the environment"
            elif SECRET_NAMES.search(variable) and not (set(value) == {"Ref"} and value["Ref"] in secrets):
                yield f"{name}: {variable} is not the address of a secret"
            elif isinstance(value, str) and re.search(r"[A-Za-z0-9+/_-]{24,}", value):
                yield f"{name}: {variable} looks like a secret"
    for name, secret in secrets.items():
        if secret.get("SecretString") != "{}":
            yield f"{name} does not begin empty"
    for name, parameter in world.template["Parameters"].items():
        if SECRET_NAMES.search(name):
            yield f"parameter {name} would carry a secret through the template"


def logs_end_and_tell_no_contents(world):
    groups = world.of_type("AWS::Logs::LogGroup")
    for name, group in groups.items():
        if "RetentionInDays" not in group:
            yield f"{name} keeps logs for ever"
    for name, function in world.functions().items():
        logging = function.get("LoggingConfig", {})
        if named(logging.get("LogGroup")) not in groups:
            yield f"{name} logs into a group that is not written out"
        if logging.get("LogFormat") != "JSON":
            yield f"{name} does not log JSON"
        if (world.template["Globals"]["Function"] | function).get("Tracing") != "Active":
            yield f"{name} is not traced"
    for name, machine in world.machines().items():
        logging = machine.get("Logging", {})
        if logging.get("IncludeExecutionData") is not False or logging.get("Level") != "ERROR":
            yield f"{name} logs inputs and outputs, or more than errors"
        if not machine.get("Tracing", {}).get("Enabled"):
            yield f"{name} is not traced"


def queues_are_encrypted(world):
    for name, queue in world.of_type("AWS::SQS::Queue").items():
        if queue.get("SqsManagedSseEnabled") is not True and "KmsMasterKeyId" not in queue:
            yield f"{name} is not encrypted"


def lists_agree(world):
    for name, function in world.functions().items():
        binary = pathlib.PurePosixPath(function["CodeUri"]).name
        if binary.replace("_", "") != name.lower():
            yield f"{name} runs the code of {binary}"
        if not (templates.ROOT / "infra/events" / f"{binary}.json").is_file():
            yield f"infra/events has no sample for {binary}"
    steps = set(re.findall(r'Step::new\("(\w+)"\)', (templates.ROOT / "statemachines/src/steps.rs").read_text()))
    for name in sorted(steps ^ (set(world.functions()) - {"Webhook", "Dispatcher"})):
        yield f"{name} is not both a step and a function"
    for name in sorted(OUTPUTS ^ set(world.template["Outputs"])):
        yield f"output {name} is missing, or nobody reads it"


CHECKS = (
    roles_are_not_shared,
    policies_name_what_they_allow,
    policies_fit_the_environment,
    machines_call_exactly_their_functions,
    machines_go_on_only_as_themselves,
    timeouts_fit_the_definitions,
    what_nobody_waits_for_has_a_place_to_fail,
    alarms_watch_everything,
    the_table_is_safe_and_as_the_store_makes_it,
    only_the_webhook_is_public,
    secrets_stay_where_they_are,
    logs_end_and_tell_no_contents,
    queues_are_encrypted,
    lists_agree,
)
