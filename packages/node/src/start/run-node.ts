import { setFlagsFromString } from 'node:v8';
import type { Config } from '../config/index.js';
import { startNode } from './start-node.js';

/**
 * Runs a node until it is told to stop. SIGTERM and SIGINT stop it cleanly; a second one cuts the grace period of
 * running jobs short. Ends as well when the primary has shut its worker down and it has no other role. Rejects with the reason when the node cannot start.
 */
export async function runNode(config: Config): Promise<void> {
  const node = await startNode(config);
  // Held small by the program's first lines; 2 is what V8 itself begins with.
  setFlagsFromString('--semi-space-growth-factor=2');
  // Standard output is the log.
  if (node.url !== undefined) process.stderr.write(`Carillon runs at ${node.url}\n`);
  let signals = 0;
  await new Promise<void>((resolve, reject) => {
    const onSignal = () => {
      signals += 1;
      if (signals === 1) node.stop().then(resolve, reject);
      else node.hasten();
    };
    node.whenEnded.then(() => node.stop()).then(resolve, reject);
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
}
