#!/usr/bin/env node
// Random faults on a private cluster of real processes, and the proof that nothing was lost or doubled.
//   npm run soak -- [--seed 1] [--minutes 5] [--each 2] [--primaries 2] [--workers 3] [--lanes 3] [--lease 1500]
//                  [--redis plain] [--namespaces]
//     --seed       which faults, in which order; printed, so that a run can be repeated
//     --each       scheduled events of each kind, all due every minute
//     --lease      life of the lease in milliseconds; a busy machine needs a longer one
//     --redis      plain: one server; sentinel: a master, two replicas, three sentinels; cluster: three masters. What
//                  --namespaces does and needs is done and needed for any but plain
//     --namespaces each node and Redis in a network namespace of its own: packets vanish. Needs Linux, root and iproute2
// Faults go to the standard error output as they strike, the report to the standard output as JSON, and its verdict as the
// last line. Exit code 1 when anything was wrong; logs and records are kept then. Needs a built checkout and redis-server.
import { parseArgs } from 'node:util';
import { whyNoNamespaces } from '../packages/testkit/dist/network/index.js';
import { redisShapes } from '../packages/testkit/dist/redis/index.js';
import { runSoak } from '../packages/testkit/dist/soak/index.js';

const numbers = {
  seed: '',
  minutes: '5',
  each: '2',
  primaries: '2',
  workers: '3',
  lanes: '3',
  lease: '1500',
};

const {
  values: { namespaces, redis, ...values },
} = parseArgs({
  options: {
    ...Object.fromEntries(
      Object.entries(numbers).map(([name, preset]) => [name, { type: 'string', default: preset }]),
    ),
    redis: { type: 'string', default: 'plain' },
    namespaces: { type: 'boolean', default: false },
  },
});
if (!redisShapes.includes(redis))
  throw new Error(`--redis: expected one of ${redisShapes.join(', ')}, got ${redis}`);
const reason = namespaces || redis !== 'plain' ? whyNoNamespaces() : undefined;
if (reason !== undefined) throw new Error(`--${namespaces ? 'namespaces' : 'redis'}: ${reason}`);
const options = Object.fromEntries(
  Object.entries({ ...values, seed: values.seed || String(Date.now() % 1_000_000) }).map(([name, text]) => {
    const value = Number(text);
    if (!(value > 0)) throw new Error(`--${name}: expected a number above 0, got ${text}`);
    return [name, value];
  }),
);

process.stderr.write(`seed ${options.seed}\n`);
const report = await runSoak({
  ...options,
  leaseTtlMs: options.lease,
  namespaces,
  shape: redis,
  tell: (line) => process.stderr.write(`${line}\n`),
});
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
const { seen, violations, faults } = report;
const what = `${faults.length} faults, ${seen.jobs} jobs, ${seen.requests + seen.writes} calls`;
process.stdout.write(
  `seed ${report.seed}: ${report.passed ? 'passed' : 'FAILED'}: ${what}, ${violations.length} violations\n`,
);
process.exitCode = report.passed ? 0 : 1;
