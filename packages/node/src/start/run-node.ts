import { constants } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import type { Config } from '../config/index.js';
import { type RunningNode, startNode } from './start-node.js';

const stopSignals = ['SIGTERM', 'SIGINT'] as const;
type StopSignal = (typeof stopSignals)[number];

/**
 * Runs a node until it is told to stop. SIGTERM and SIGINT stop it cleanly; a second one cuts the grace period of
 * running jobs short. While the node starts they end it as they would end any program, after what it has started. Ends as well
 * when the primary has shut its worker down and it has no other role. Rejects with the reason when the node cannot start;
 * signals do what they usually do then.
 */
export async function runNode(config: Config): Promise<void> {
  // Listened to from here to the end: without a listener a signal ends the process on the spot.
  let onSignal: (signal: StopSignal) => void = () => undefined;
  const listener = (signal: StopSignal): void => onSignal(signal);
  for (const signal of stopSignals) process.on(signal, listener);
  const node = await startUnlessStopped(config, (next) => {
    onSignal = next;
  }).catch((error: unknown) => {
    for (const signal of stopSignals) process.removeListener(signal, listener);
    throw error;
  });
  if (node === undefined) return;
  let signals = 0;
  const stopped = new Promise<void>((resolve, reject) => {
    onSignal = () => {
      signals += 1;
      if (signals === 1) node.stop().then(resolve, reject);
      else node.hasten();
    };
    node.whenEnded.then(() => node.stop()).then(resolve, reject);
  });
  // Held small by the program's first lines; 2 is what V8 itself begins with.
  setFlagsFromString('--semi-space-growth-factor=2');
  // Standard output is the log.
  if (node.url !== undefined) process.stderr.write(`Carillon runs at ${node.url}\n`);
  await stopped;
}

/** Undefined when a signal came first: this process is about to end by it. */
async function startUnlessStopped(
  config: Config,
  listen: (listener: (signal: StopSignal) => void) => void,
): Promise<RunningNode | undefined> {
  const cutShort = new AbortController();
  let received: StopSignal | undefined;
  listen((signal) => {
    // The second one waits for nothing.
    if (received !== undefined) endBy(signal);
    received = signal;
    cutShort.abort(new Error(`${signal} during the start`));
  });
  try {
    const node = await startNode(config, cutShort.signal);
    if (received === undefined) return node;
    // It came in the same moment.
    await node.stop();
  } catch (error) {
    if (received === undefined) throw error;
  }
  endBy(received);
}

/** Does what the signal does to a program that does not handle it. Does not return. */
function endBy(signal: StopSignal): never {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  // The first process of a container gets no signal that it does not handle, not even its own.
  process.exit(128 + constants.signals[signal]);
}
