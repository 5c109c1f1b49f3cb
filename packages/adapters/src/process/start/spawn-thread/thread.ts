// Entry of the thread that starts processes. It imports as little as possible: each module is in memory once more.
import { parentPort } from 'node:worker_threads';
import { systemErrorName } from '../../system-error.js';
import type { ThreadNews, ThreadOrder } from './messages.js';
import { ThreadChild } from './thread-child.js';
import { spawnPiped, startProgram } from '../start-program.js';

type StartOrder = Extract<ThreadOrder, { kind: 'start' }>;

/** Starts in one turn of the event loop: each blocks it, and output must not wait for a burst. */
const startsPerTurn = 16;

const children = new Map<number, ThreadChild>();
const waiting: StartOrder[] = [];
let news: ThreadNews[] = [];
let transfers: ArrayBuffer[] = [];

parentPort?.on('message', (order: ThreadOrder) => {
  if (order.kind !== 'start') {
    children.get(order.run)?.obey(order);
    return;
  }
  // Not at once: all orders that have arrived are handed over in one turn.
  if (waiting.length === 0) setImmediate(startSome);
  waiting.push(order);
});

function startSome(): void {
  for (const order of waiting.splice(0, startsPerTurn)) void start(order);
  if (waiting.length > 0) setImmediate(startSome);
}

async function start({ run, start: program, group }: StartOrder): Promise<void> {
  try {
    const { child, pid } = await startProgram(program, spawnPiped);
    children.set(run, new ThreadChild({ run, child, pid, script: program.script, group, tell, forget }));
    tell({ kind: 'started', run, pid });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    tell({ kind: 'refused', run, code: systemErrorName(error), message });
  }
}

function forget(run: number): void {
  children.delete(run);
}

/** What happens in one turn of the event loop is told in one message. */
function tell(piece: ThreadNews): void {
  if (news.length === 0) setImmediate(flush);
  news.push(piece);
  // A buffer that is a part of a larger one, such as Node's pool, is copied.
  if (piece.kind !== 'chunk') return;
  const { buffer, byteLength } = piece.bytes;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) transfers.push(buffer);
}

function flush(): void {
  const told = news;
  const moved = transfers;
  news = [];
  transfers = [];
  parentPort?.postMessage(told, moved);
}
