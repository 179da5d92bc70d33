// Asks a gateway through the AWS SDK for JavaScript and prints what came back as one line of JSON.
// usage: node converse.mjs BASE_URL KEY
import {
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
} from "@aws-sdk/client-bedrock-runtime";

const [, , endpoint, key] = process.argv;
const client = new BedrockRuntimeClient({
  endpoint,
  region: "us-east-1",
  credentials: { accessKeyId: key, secretAccessKey: "whatever" },
  maxAttempts: 1,
});
const messages = [{ role: "user", content: [{ text: "hi" }] }];
const seen = { handler: client.config.requestHandler.constructor.name };

async function streamed(modelId) {
  let text = "";
  const calls = new Map();
  const { stream } = await client.send(new ConverseStreamCommand({ modelId, messages }));
  for await (const event of stream) {
    if (event.contentBlockStart) calls.set(event.contentBlockStart.contentBlockIndex, "");
    const { contentBlockIndex, delta } = event.contentBlockDelta ?? {};
    text += delta?.text ?? "";
    if (delta?.toolUse) calls.set(contentBlockIndex, calls.get(contentBlockIndex) + delta.toolUse.input);
  }
  return { text, cities: [...calls.values()].map((input) => JSON.parse(input).city) };
}

async function failure(call) {
  try {
    await call();
  } catch (error) {
    return { name: error.name, status: error.$metadata?.httpStatusCode };
  }
  return null;
}

for (const side of ["oai", "ant"]) {
  const plain = await client.send(new ConverseCommand({ modelId: `${side}/say`, messages }));
  seen[side] = {
    plain: plain.output.message.content[0].text,
    streamed: (await streamed(`${side}/say`)).text,
    cities: (await streamed(`${side}/tools`)).cities,
    error: await failure(() => client.send(new ConverseCommand({ modelId: `${side}/error-429`, messages }))),
    broken: (await failure(() => streamed(`${side}/broken`)))?.name,
  };
}
client.destroy();
console.log(JSON.stringify(seen));
