import { expect } from '@jest/globals';
import { runSoak } from '@carillon/testkit';
import { testOfCutsFromRedis } from './on-shapes.js';

/*
 * The short soak: two minutes of random faults on real processes while clients write. `npm run soak` runs longer ones.
 */

const testOfCuts = testOfCutsFromRedis();

testOfCuts(
  'nothing is lost or doubled in two minutes of faults',
  async () => {
    const report = await runSoak({ seed: 2024, minutes: 2 });
    expect({ violations: report.violations, odd: report.oddAnswers, kept: report.kept }).toEqual({
      violations: [],
      odd: [],
      kept: undefined,
    });
    // A run in which little happened would prove little.
    expect(report.faults.length).toBeGreaterThan(8);
    expect(report.seen.jobs).toBeGreaterThan(100);
    expect(report.seen.requests).toBeGreaterThan(50);
    expect(report.terms).toBeGreaterThan(2);
    expect(report.commits).toBeGreaterThan(report.seen.jobs);
  },
  360_000,
);
