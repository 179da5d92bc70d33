// Asks a gateway through the stock Node SDKs and prints what came back as one line of JSON.
// usage: node ask.mjs BASE_URL KEY
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";

const [, , base, key] = process.argv;
const openai = new OpenAI({ baseURL: `${base}/v1`, apiKey: key, maxRetries: 0 });
const anthropic = new Anthropic({ baseURL: base, apiKey: key, maxRetries: 0 });
const messages = [{ role: "user", content: "hi" }];
const seen = {};

async function failure(call) {
  try {
    await call();
  } catch (error) {
    return { name: error.constructor.name, status: error.status };
  }
  return null;
}

for (const side of ["oai", "ant"]) {
  const chat = await openai.chat.completions.create({ model: `${side}/say`, messages });
  let streamed = "";
  for await (const chunk of await openai.chat.completions.create({ model: `${side}/say`, messages, stream: true }))
    streamed += chunk.choices[0]?.delta?.content ?? "";
  const message = await anthropic.messages.create({ model: `${side}/say`, max_tokens: 5, messages });
  const final = await anthropic.messages
    .stream({ model: `${side}/tools`, max_tokens: 5, messages })
    .finalMessage();
  seen[side] = {
    chat: chat.choices[0].message.content,
    streamed,
    message: message.content[0].text,
    cities: final.content.filter((block) => block.type === "tool_use").map((block) => block.input.city),
    openaiError: await failure(() => openai.chat.completions.create({ model: `${side}/error-429`, messages })),
    anthropicError: await failure(() =>
      anthropic.messages.create({ model: `${side}/error-404`, max_tokens: 5, messages }),
    ),
  };
}
seen.models = [];
for await (const model of openai.models.list()) seen.models.push(model.id);
console.log(JSON.stringify(seen));
