import { setFlagsFromString } from 'node:v8';
import type { Config } from '../config/index.js';
import { type RunningNode, startNode } from './start-node.js';

const stopSignals = ['SIGTERM', 'SIGINT'] as const;
type StopSignal = (typeof stopSignals)[number];

/**
 * Runs a node until it is told to stop. SIGTERM and SIGINT stop it cleanly; a second one cuts the grace period of
 * running jobs short. While the node starts they end it as they would end any program, after what it has started. Ends as well
 * when the primary has shut its worker down and it has no other role. Rejects with the reason when the node cannot start.
 */
export async function runNode(config: Config): Promise<void> {
  // Listened to from here to the end: without a listener a signal ends the process on the spot.
  let onSignal: (signal: StopSignal) => void = () => undefined;
  for (const signal of stopSignals) process.on(signal, () => onSignal(signal));
  const node = await startUnlessStopped(config, (listener) => {
    onSignal = listener;
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
  return undefined;
}

/** Does what the signal does to a program that does not handle it. */
function endBy(signal: StopSignal): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}
