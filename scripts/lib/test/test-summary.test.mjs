import { expect, test } from '@jest/globals';
import { testSummary } from '../test-summary.mjs';

test.each([
  [
    'all well',
    { numPassedTests: 5, numFailedTests: 0, numRuntimeErrorTestSuites: 0 },
    0,
    0,
    '5 passed, 0 failed',
  ],
  [
    'a failed test',
    { numPassedTests: 5, numFailedTests: 2, numRuntimeErrorTestSuites: 0 },
    1,
    0,
    '5 passed, 2 failed',
  ],
  [
    'a broken suite',
    { numPassedTests: 5, numFailedTests: 0, numRuntimeErrorTestSuites: 1 },
    1,
    0,
    '5 passed, 1 failed',
  ],
  [
    'lint failed',
    { numPassedTests: 5, numFailedTests: 0, numRuntimeErrorTestSuites: 0 },
    0,
    2,
    '5 passed, 2 failed',
  ],
  ['all tests passed, bad exit', { numPassedTests: 5, numFailedTests: 0 }, 1, 0, '5 passed, 1 failed'],
  ['no test ran', { numPassedTests: 0, numFailedTests: 0 }, 0, 0, '0 passed, 1 failed'],
  ['jest crashed', undefined, 134, 0, '0 passed, 1 failed'],
])('%s', (_name, results, status, failedSteps, line) => {
  expect(testSummary(results, status, failedSteps)).toBe(line);
});
