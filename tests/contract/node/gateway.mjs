// A gateway in Node with nothing but the Redis client that everybody has; it does what
// docs/redis-contract.md says. REDIS_URL, EMPRESA and CHANNEL come from the environment.
//   node gateway.mjs push < event.json     pushes one event, prints its stream id
//   node gateway.mjs serve <id>            takes one reply, reports it as sent under <id>, prints it
//   node gateway.mjs rescue <id>           the same with a reply that a dead consumer has left
//   node gateway.mjs take                  takes one reply and dies without a report
import { text } from "node:stream/consumers";
import { createClient } from "@redis/client";

const { REDIS_URL, EMPRESA, CHANNEL } = process.env;
const inbox = `helix:{${EMPRESA}}:inbox`;
const replies = `helix:replies:${CHANNEL}`;
const [task, messageId] = process.argv.slice(2);

const redis = createClient({ url: REDIS_URL });
redis.on("error", (error) => {
  console.error(error);
  process.exit(1);
});
await redis.connect();

const push = (...events) =>
  redis.fCall("helix_push", { keys: [inbox], arguments: events.map((e) => JSON.stringify(e)) });

async function start() {
  try {
    await redis.xGroupCreate(replies, "gateway", "0", { MKSTREAM: true });
  } catch (error) {
    if (!error.message.startsWith("BUSYGROUP")) throw error;
  }
}

async function take(consumer) {
  const streams = await redis.xReadGroup("gateway", consumer, { key: replies, id: ">" }, {
    COUNT: 1,
    BLOCK: 5000,
  });
  return streams?.[0].messages[0].message;
}

async function report(entry) {
  const sent = { kind: "status", gateway: "redis", channel: CHANNEL, our_ref: entry.ref,
    status: "sent", message_id: messageId };
  await push(sent);
}

function mayBeSent(entry) {
  return Number(entry.expires) > Date.now();
}

const tasks = {
  async push() {
    const event = JSON.parse(await text(process.stdin));
    try {
      return { ids: await push({ gateway: "redis", channel: CHANNEL, ...event }) };
    } catch (error) {
      return { error: error.message };
    }
  },
  async serve() {
    await start();
    const entry = await take("node-1");
    if (!entry || !mayBeSent(entry)) return null;
    await report(entry);
    return JSON.parse(entry.reply);
  },
  async take() {
    await start();
    return (await take("node-1")) ?? null;
  },
  async rescue() {
    const { messages } = await redis.xAutoClaim(replies, "gateway", "node-2", 0, "0");
    const entry = messages[0]?.message;
    if (!entry || !mayBeSent(entry)) return null;
    await report(entry);
    return JSON.parse(entry.reply);
  },
};

console.log(JSON.stringify(await tasks[task]()));
await redis.close();
