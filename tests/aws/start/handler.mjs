// A Lambda on Node.js with the duties of ClaimWork, or with those of the webhook when its name says so: the same reads at
// start, the same reads for the first event. It asks the runtime API itself, which costs less than the service's own
// bootstrap does.

import { createHmac, timingSafeEqual } from "node:crypto";
import { DynamoDBClient, GetItemCommand, QueryCommand } from "@aws-sdk/client-dynamodb";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SQSClient } from "@aws-sdk/client-sqs";

const { DESKUP_TABLE: TableName, DESKUP_INSTALLATION: installation, AWS_LAMBDA_RUNTIME_API: api } = process.env;
const listens = process.env.AWS_LAMBDA_FUNCTION_NAME === "webhook";
const table = new DynamoDBClient({});
const secrets = new SecretsManagerClient({});
new SQSClient({});

async function row(pk, sk) {
  const asked = new GetItemCommand({ TableName, Key: { pk: { S: pk }, sk: { S: sk } }, ConsistentRead: true });
  return (await table.send(asked)).Item;
}

const configuration = await row(`${installation}#SYS`, "CONFIG");
const directory = JSON.parse(configuration.directory.S);
const SecretId = process.env[listens ? "DESKUP_WEBHOOKS_SECRET" : "DESKUP_ACCOUNTS_SECRET"];
const secret = JSON.parse((await secrets.send(new GetSecretValueCommand({ SecretId }))).SecretString);

async function claim(event) {
  const execution = event.execution.split(":").at(-1);
  await row(`${installation}#EXEC#${execution}`, "STATE");
  const due = new QueryCommand({
    TableName,
    IndexName: "due",
    KeyConditionExpression: "#h = :h AND #r <= :r",
    ExpressionAttributeNames: { "#h": "dp", "#r": "ds" },
    ExpressionAttributeValues: { ":h": { S: `${installation}#live#0` }, ":r": { S: "9" } },
  });
  const found = await table.send(due);
  return { batches: [], claimed: found.Items.length, more: false };
}

async function take(event) {
  const timestamp = event.headers["x-zendesk-webhook-signature-timestamp"];
  const signed = createHmac("sha256", secret.zendesk[0].secret).update(timestamp + event.body).digest();
  const told = Buffer.from(event.headers["x-zendesk-webhook-signature"], "base64");
  const genuine = told.length === signed.length && timingSafeEqual(told, signed);
  return { statusCode: genuine ? 200 : 403, headers: {}, body: "" };
}

const known = Object.keys(directory).length;
for (;;) {
  const next = await fetch(`http://${api}/2018-06-01/runtime/invocation/next`);
  const id = next.headers.get("lambda-runtime-aws-request-id");
  const event = await next.json();
  const answer = known && (await (listens ? take(event) : claim(event)));
  await fetch(`http://${api}/2018-06-01/runtime/invocation/${id}/response`, {
    method: "POST",
    body: JSON.stringify(answer),
  });
}
