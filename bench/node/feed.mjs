// Puts what stdin says into the rival's queue: its first line is {redis, queue}, each further line
// one message as {empresa, event}. A job's id is that of its message, so BullMQ drops what comes
// twice; a job is tried again soon after a deadlock.

import { createInterface } from 'node:readline';
import { Queue } from 'bullmq';
import Redis from 'ioredis';

const AT_ONCE = 500;
const RETRY = { attempts: 100, backoff: { type: 'fixed', delay: 10 } };

const input = createInterface({ input: process.stdin });
let queue;
let connection;
let waiting = [];

async function flush() {
  await queue.addBulk(waiting);
  waiting = [];
}

for await (const line of input) {
  const told = JSON.parse(line);
  if (!queue) {
    connection = new Redis(told.redis, { maxRetriesPerRequest: null });
    queue = new Queue(told.queue, { connection, defaultJobOptions: RETRY });
    continue;
  }
  waiting.push({ name: 'message', data: told, opts: { jobId: told.event.message_id } });
  if (waiting.length === AT_ONCE) await flush();
}
if (waiting.length) await flush();
await queue.close();
await connection.quit();
