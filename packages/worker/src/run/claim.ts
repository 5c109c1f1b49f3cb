import { runId, type Ticket } from '@carillon/contract';
import type { Logger, Random, RunClaims } from '@carillon/core';
import { HeldRun } from './held-run.js';
import type { RunTable } from './run-table.js';

export interface ClaimDeps {
  claims: RunClaims;
  random: Random;
  logger: Logger;
  runs: RunTable;
  node: string;
  boot: string;
  /** Takes a claimed run; resolves when its process has started or its failure is on the way. Never rejects. */
  start: (run: HeldRun) => Promise<void>;
}

/**
 * Handler of tickets: claims the run and starts it. Rejects only while it is not known whether the run is ours
 * (the store did not answer); the ticket then comes again, and the same nonce makes the repeated claim safe. Once a
 * claim was answered its nonce is forgotten, so that a late copy of the ticket can never start a second process.
 */
export function createTicketHandler(deps: ClaimDeps): (ticket: Ticket) => Promise<void> {
  const nonces = new Map<string, string>();
  return async ({ job, attempt, term }) => {
    const ref = { job, attempt };
    if (deps.runs.get(ref) !== undefined) return;
    const id = runId(ref);
    const nonce = nonces.get(id) ?? deps.random.hex(8);
    nonces.set(id, nonce);
    const answer = await deps.claims.claim(ref, { node: deps.node, boot: deps.boot, nonce });
    // Two deliveries at a time share the nonce: both may be told that the run is ours, the first one takes it.
    if (nonces.get(id) !== nonce) return;
    nonces.delete(id);
    if (!answer.claimed) {
      deps.logger.log('debug', 'A ticket was dropped', { job, attempt, term, reason: answer.reason });
      return;
    }
    let isCurrent = true;
    // Earlier attempts of the job on this machine: one that has reported, but is perhaps still tidying up, or one that
    // was given up while this worker was cut off. Then others may wait for it as well, and this one may be given up.
    for (let other = deps.runs.ofJob(job); other !== undefined; other = deps.runs.ofJob(job)) {
      await other.done;
      isCurrent = await deps.claims.isCurrent(ref).catch(() => true);
    }
    if (!isCurrent) {
      deps.logger.log('info', 'A run was given up before it could start', { job, attempt, term });
      return;
    }
    const run = new HeldRun(ref, answer.job);
    deps.runs.add(run);
    await deps.start(run);
  };
}
