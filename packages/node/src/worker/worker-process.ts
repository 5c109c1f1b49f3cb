// Entry of the worker process that a supervisor forks.
import { reasonOf } from '../start/data-directory.js';
import { createLog } from '../start/services.js';
import { startWorker, type WorkerRole } from './start-worker.js';
import type { ProcessMessage, SupervisorMessage } from './worker-supervisor.js';

let worker: Promise<WorkerRole> | undefined;
let graceMs = 0;
let stopping = false;

process.on('message', (message: SupervisorMessage) => {
  if (message.type === 'start') {
    graceMs = message.settings.drainGraceMs;
    const { log: logSettings, node } = message.settings;
    const log = createLog(logSettings, { node: node.hostname, nodeId: node.id });
    worker = startWorker(message.settings, log, ({ restart, graceSec }) => {
      if (!stopping) tellParent({ type: 'leaving', restart });
      void stop(graceSec === undefined ? graceMs : graceSec * 1000);
    });
    worker.catch((error: unknown) => {
      log.log('error', 'The worker could not start', { error: reasonOf(error) });
      process.exitCode = 1;
      process.disconnect();
    });
  } else if (stopping) {
    // It can only shorten what is under way.
    void worker?.then((running) => running.drain(message.graceMs));
  } else void stop(message.graceMs);
});

// The node is gone, perhaps killed: running jobs get their grace period, then this process follows.
process.on('disconnect', () => void stop(graceMs));

// A signal to the whole group is the supervisor's to interpret.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);

function tellParent(message: ProcessMessage): void {
  if (process.connected) process.send?.(message);
}

async function stop(withinMs: number): Promise<void> {
  if (stopping) return;
  stopping = true;
  const running = await worker?.catch(() => undefined);
  await running?.drain(withinMs);
  process.exit();
}
