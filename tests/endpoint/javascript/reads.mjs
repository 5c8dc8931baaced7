// Reads with the AWS SDK for JavaScript v3, and prints what became of them as JSON.
//
//   node reads.mjs DIRECTORY URL EMPTY_TABLE FULL_TABLE ON_DEMAND_TABLE
//
// DIRECTORY is where npm installed the SDK. The drill of the full table throttles its first call.
import { createRequire } from "node:module";

const [directory, endpoint, empty, full, onDemand] = process.argv.slice(2);
const sdk = createRequire(`${directory}/package.json`)("@aws-sdk/client-dynamodb");
const client = new sdk.DynamoDBClient({
  endpoint,
  region: "us-east-1",
  credentials: { accessKeyId: "test", secretAccessKey: "test" },
});
const key = { id: { S: "a" } };

async function outcome(command) {
  try {
    const { $metadata, ...answer } = await client.send(command);
    return { answer, attempts: $metadata.attempts };
  } catch (error) {
    return {
      name: error.name,
      message: error.message,
      fault: error.$fault,
      isKnown: error instanceof sdk.DynamoDBServiceException,
      status: error.$metadata?.httpStatusCode,
      attempts: error.$metadata?.attempts,
      reasons: error.ThrottlingReasons ?? error.throttlingReasons,
      cancellation: error.CancellationReasons,
    };
  }
}

const drilled = await outcome(new sdk.GetItemCommand({ TableName: full, Key: key }));
const [throttled, ofThisMode, cancelled, batch] = await Promise.all([
  outcome(new sdk.GetItemCommand({ TableName: empty, Key: key })),
  outcome(new sdk.GetItemCommand({ TableName: onDemand, Key: key })),
  outcome(
    new sdk.TransactGetItemsCommand({
      TransactItems: [{ Get: { TableName: full, Key: key } }, { Get: { TableName: empty, Key: key } }],
    }),
  ),
  outcome(
    new sdk.BatchGetItemCommand({
      RequestItems: { [full]: { Keys: [key] }, [empty]: { Keys: [key] } },
      ReturnConsumedCapacity: "TOTAL",
    }),
  ),
]);
console.log(JSON.stringify({ drilled, throttled, ofThisMode, cancelled, batch }));
client.destroy();
