// A rival: one BullMQ job per message over a mysql2 pool per dealer, as a careful user writes it.
//
//   node worker.mjs <fresh|cached> <jobs at the same time>
//
// The first line of stdin is the installation as JSON: redis (URL), queue, and for each empresa its
// database. Prints "ready", works from the next line on until stdin ends, then prints the CPU time.
// READ COMMITTED, one transaction per message, the buyer's row locked; finished jobs are removed,
// a deadlock tries again. Nothing keeps a buyer's messages in order: BullMQ has no notion of it.

import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Worker } from 'bullmq';
import Redis from 'ioredis';
import mysql from 'mysql2/promise';
import { cars, findOrOpen, reply, save, store } from './statements.mjs';

const STOCK_TTL_MS = 5000;
const CONNECTIONS = 4; // per dealer
const SET_UP =
  "SET time_zone = '+00:00', tx_isolation = 'READ-COMMITTED', innodb_lock_wait_timeout = 5";
const TEXT = 'Recebi sua mensagem, já te respondo!';

class Dealership {
  constructor({ channel, ...database }) {
    this.channel = channel;
    this.pool = mysql.createPool({
      ...database, charset: 'utf8mb4', timezone: 'Z', connectionLimit: CONNECTIONS,
    });
    this.pool.on('connection', (conn) => conn.query(SET_UP));
    this.stock = [];
    this.until = 0;
  }

  async readStock(conn, cached) {
    if (!cached || this.until <= performance.now()) {
      this.stock = await cars(conn);
      this.until = performance.now() + STOCK_TTL_MS;
    }
    return this.stock;
  }
}

/** The trivial answer: a constant, whatever the stock is. */
function decide(stock) {
  return { text: TEXT, state: { v: 1 }, status: 'em_andamento', rule: 'bench.trivial', stock };
}

async function answer(conn, dealership, event, cached) {
  const now = new Date();
  const known = await findOrOpen(conn, event, now);
  const turn = known.turno + 1;
  const { channel } = dealership;
  if (!(await store(conn, known, event, channel, turn, now))) return; // it came twice
  const decision = decide(await dealership.readStock(conn, cached));
  await reply(conn, known, event, channel, turn, decision, now);
  await save(conn, known, event, channel, turn, decision, now);
}

async function handle(dealership, event, cached) {
  const conn = await dealership.pool.getConnection();
  try {
    await conn.beginTransaction();
    await answer(conn, dealership, event, cached);
    await conn.commit();
  } catch (error) {
    await conn.rollback();
    throw error;
  } finally {
    conn.release();
  }
}

async function main(stockIs, concurrency) {
  const input = createInterface({ input: process.stdin });
  const [line] = await once(input, 'line');
  const { redis, queue, empresas } = JSON.parse(line);
  const connection = new Redis(redis, { maxRetriesPerRequest: null });
  const dealerships = new Map();
  for (const [id, database] of Object.entries(empresas)) {
    dealerships.set(Number(id), new Dealership(database));
  }
  const process_ = ({ data: { empresa, event } }) =>
    handle(dealerships.get(empresa), event, stockIs === 'cached');
  const worker = new Worker(queue, process_, {
    connection, concurrency, autorun: false, removeOnComplete: { count: 0 },
  });
  worker.on('failed', (job, error) => console.error(`job ${job?.id}: ${error.message}`));
  worker.on('error', (error) => console.error(error.message));
  await worker.waitUntilReady();
  const ended = once(input, 'close');
  console.log('ready');
  await once(input, 'line');
  const before = process.cpuUsage();
  worker.run();
  await ended;
  const { user, system } = process.cpuUsage(before);
  console.log(JSON.stringify({ cpu_s: (user + system) / 1e6 }));
  process.exit(0);
}

await main(process.argv[2], Number(process.argv[3]));
