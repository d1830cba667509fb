"""Mistakes that a gate must catch: how to make each, and a word by which its finding is known."""

from dataclasses import dataclass
from typing import Callable


@dataclass(frozen=True)
class Mistake:
    what: str
    gate: str
    sign: str
    plant: Callable


def statement(world, role, sid):
    for policy in world.properties(role)["Policies"]:
        for found in policy["PolicyDocument"]["Statement"]:
            if found["Sid"] == sid:
                return found
    raise KeyError(f"{role} has no statement {sid}")


def variables(world, function):
    return world.properties(function).setdefault("Environment", {}).setdefault("Variables", {})


def drop(mapping, *path):
    for key in path[:-1]:
        mapping = mapping[key]
    del mapping[path[-1]]


def ours(what, sign, plant):
    return Mistake(what, "our own checks", sign, plant)


FOR_OUR_CHECKS = [
    ours(
        "a wildcard action",
        "SyncRecordsRole/Table has a wildcard action: dynamodb:*",
        lambda w: statement(w, "SyncRecordsRole", "Table").update(Action="dynamodb:*"),
    ),
    ours(
        "a wildcard resource",
        "ClaimWorkRole/Table has a wildcard resource",
        lambda w: statement(w, "ClaimWorkRole", "Table").update(Resource="*"),
    ),
    ours(
        "a wildcard inside a resource",
        "WebhookRole/Secrets has a wildcard resource",
        lambda w: statement(w, "WebhookRole", "Secrets").update(
            Resource={"Fn::Sub": "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:*"}
        ),
    ),
    ours(
        "a managed policy",
        "PollTasksRole has managed policies",
        lambda w: w.properties("PollTasksRole").update(
            ManagedPolicyArns=["arn:aws:iam::aws:policy/AdministratorAccess"]
        ),
    ),
    ours(
        "a role of two functions",
        "PollTasks shares PollTicketsRole with PollTickets",
        lambda w: w.properties("PollTasks").update(Role={"Fn::GetAtt": ["PollTicketsRole", "Arn"]}),
    ),
    ours(
        "a role that anybody in another account may assume",
        "SettleEffectsRole may be assumed by more than a service",
        lambda w: w.properties("SettleEffectsRole")["AssumeRolePolicyDocument"]["Statement"][0].update(
            Principal={"AWS": "*"}
        ),
    ),
    ours(
        "a function that is told a secret it may not read",
        "BackfillPage is told DESKUP_ACCOUNTS_SECRET but may not",
        lambda w: statement(w, "BackfillPageRole", "Secrets").update(Resource={"Ref": "WebhooksSecret"}),
    ),
    ours(
        "a queue without dead letters",
        "WakeupQueue has no dead letter queue",
        lambda w: drop(w.properties("WakeupQueue"), "RedrivePolicy"),
    ),
    ours(
        "a schedule without dead letters",
        "PollSchedule has no dead letter queue",
        lambda w: drop(w.properties("PollSchedule"), "Target", "DeadLetterConfig"),
    ),
    ours(
        "an asynchronous function without an on-failure destination",
        "Dispatcher is called asynchronously",
        lambda w: drop(w.properties("Dispatcher"), "EventInvokeConfig"),
    ),
    ours(
        "a queue that shows a message again too early",
        "WakeupQueue shows a message again",
        lambda w: w.properties("WakeupQueue").update(VisibilityTimeout=60),
    ),
    ours(
        "an unencrypted queue",
        "WakeupDeadLetters is not encrypted",
        lambda w: drop(w.properties("WakeupDeadLetters"), "SqsManagedSseEnabled"),
    ),
    ours(
        "a missing alarm of a function",
        "no alarm watches Throttles of ClaimWork",
        lambda w: drop(w.template, "Resources", "ClaimWorkThrottles"),
    ),
    ours(
        "a missing alarm of a dead letter queue",
        "no alarm watches the depth of ScheduleDeadLetters",
        lambda w: drop(w.template, "Resources", "ScheduleDeadLettersDepth"),
    ),
    ours(
        "an alarm that tells nobody",
        "Brake tells nobody",
        lambda w: drop(w.properties("Brake"), "AlarmActions"),
    ),
    ours(
        "a public table",
        "Table has a resource policy",
        lambda w: w.properties("Table").update(
            ResourcePolicy={
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "dynamodb:GetItem", "Resource": "*"}],
                }
            }
        ),
    ),
    ours("an unencrypted table", "Table is not encrypted", lambda w: drop(w.properties("Table"), "SSESpecification")),
    ours(
        "point-in-time recovery that is off",
        "Table has no point-in-time recovery",
        lambda w: w.properties("Table")["PointInTimeRecoverySpecification"].update(PointInTimeRecoveryEnabled=False),
    ),
    ours(
        "a table that keeps expired rows",
        "Table does not expire rows",
        lambda w: w.properties("Table")["TimeToLiveSpecification"].update(AttributeName="ttl"),
    ),
    ours(
        "an index with other keys than the store's",
        "the store makes",
        lambda w: w.properties("Table")["GlobalSecondaryIndexes"][0]["KeySchema"][1].update(AttributeName="sk"),
    ),
    ours(
        "a table that goes with the stack",
        "Table goes with the stack",
        lambda w: w.resource("Table").update(DeletionPolicy="Delete"),
    ),
    ours(
        "a function URL on a second function",
        "Dispatcher has a function URL",
        lambda w: w.properties("Dispatcher").update(FunctionUrlConfig={"AuthType": "NONE"}),
    ),
    ours(
        "a token in the environment",
        "SyncRecords: ZENDESK_TOKEN is not the address of a secret",
        lambda w: variables(w, "SyncRecords").update(ZENDESK_TOKEN="planted"),
    ),
    ours(
        "a secret's contents in the environment",
        "PollTickets: ACCOUNTS is resolved into the environment",
        lambda w: variables(w, "PollTickets").update(
            ACCOUNTS={"Fn::Sub": "{{resolve:secretsmanager:${AccountsSecret}}}"}
        ),
    ),
    ours(
        "a secret's contents in the template",
        "AccountsSecret does not begin empty",
        lambda w: w.properties("AccountsSecret").update(SecretString='{"zendesk": "planted"}'),
    ),
    ours(
        "a state machine that may start any other",
        "TicketSyncBackfill may start others than itself",
        lambda w: statement(w, "TicketSyncBackfillRole", "GoesOn").update(Resource="*"),
    ),
    ours(
        "a state machine that may not go on",
        "TicketSyncBackfill goes on in another execution and may not start it",
        lambda w: statement(w, "TicketSyncBackfillRole", "GoesOn").update(Action="states:DescribeExecution"),
    ),
    ours(
        "a timeout that does not fit the definition",
        "its function one of 30 s",
        lambda w: w.properties("ClaimWork").update(Timeout=30),
    ),
    ours(
        "a log group that keeps for ever",
        "MachineLogs keeps logs for ever",
        lambda w: drop(w.properties("MachineLogs"), "RetentionInDays"),
    ),
    ours(
        "a function whose log group AWS would make",
        "FinishBackfill logs into a group that is not written out",
        lambda w: drop(w.properties("FinishBackfill"), "LoggingConfig"),
    ),
    ours(
        "a state machine that logs inputs and outputs",
        "TicketSyncPoll logs inputs and outputs",
        lambda w: w.properties("TicketSyncPoll")["Logging"].update(IncludeExecutionData=True),
    ),
    ours(
        "a state machine that may call too much",
        "TicketSyncLive calls or may call Dispatcher, but not both",
        lambda w: statement(w, "TicketSyncLiveRole", "Steps")["Resource"].append(
            {"Fn::GetAtt": ["Dispatcher", "Arn"]}
        ),
    ),
    ours(
        "a substitution that is forgotten",
        "TicketSyncBackfill: FinishBackfill is not both",
        lambda w: drop(w.properties("TicketSyncBackfill"), "DefinitionSubstitutions", "FinishBackfill"),
    ),
    ours(
        "functions without traces",
        "PollTasks is not traced",
        lambda w: drop(w.template, "Globals", "Function", "Tracing"),
    ),
    ours(
        "a schedule that never comes",
        "DueSchedule has an expression",
        lambda w: w.properties("DueSchedule").update(ScheduleExpression="rate(1 minutes)"),
    ),
    ours(
        "a timeout beyond what Lambda takes",
        "Dispatcher has a timeout of 1000 s",
        lambda w: w.properties("Dispatcher").update(Timeout=1000),
    ),
    ours("an output that is forgotten", "output QueueUrl is missing", lambda w: drop(w.template, "Outputs", "QueueUrl")),
]


def asl(what, sign, machine, plant):
    def changed(world):
        definition = world.definitions[f"ticket-sync-{machine}.asl.json"]
        plant(definition["States"])
        return definition

    return Mistake(what, "asl-validator", sign, changed)


FOR_ASL_VALIDATOR = [
    asl("a `Next` to nowhere", "MISSING_TRANSITION", "backfill", lambda s: s["PagesPause"].update(Next="Nowhere")),
    asl(
        "a broken JSONata expression",
        "jsonata_string",
        "live",
        lambda s: s["HasWork"]["Choices"][0].update(Condition="{% $count($claimWork.batches > 0 %}"),
    ),
    asl(
        "a field of the other query language",
        "/States/SettleEffects is invalid",
        "poll",
        lambda s: s["SettleEffects"].update(ResultPath="$.x"),
    ),
    asl(
        "a state that nothing leads to",
        "MISSING_TRANSITION",
        "backfill",
        lambda s: s.update(Lost={"Type": "Succeed"}),
    ),
]


def lint(what, sign, plant):
    return Mistake(what, "cfn-lint", sign, plant)


FOR_CFN_LINT = [
    lint(
        "a reference to nothing",
        "Resources/Brake/Properties/AlarmActions/0/Ref: 'Nobody'",
        lambda w: w.properties("Brake").update(AlarmActions=[{"Ref": "Nobody"}]),
    ),
    lint("a property that does not exist", "Colour", lambda w: w.properties("WakeupQueue").update(Colour="blue")),
    lint(
        "a comparison that does not exist",
        "'Bigger'",
        lambda w: w.properties("Brake").update(ComparisonOperator="Bigger"),
    ),
    lint(
        "an attribute of the table that no key uses",
        "E3039",
        lambda w: w.properties("Table")["AttributeDefinitions"].append({"AttributeName": "x", "AttributeType": "S"}),
    ),
]


def checkov(what, sign, plant):
    return Mistake(what, "checkov", sign, plant)


FOR_CHECKOV = [
    checkov(
        "a table without backups",
        "CKV_AWS_28 at AWS::DynamoDB::Table.Table",
        lambda w: drop(w.properties("Table"), "PointInTimeRecoverySpecification"),
    ),
    checkov(
        "a policy that allows everything",
        "CKV_AWS_107",
        lambda w: statement(w, "PollTicketsRole", "Table").update(Action="*", Resource="*"),
    ),
]
