/**
 * Prints `N passed, N failed` for a run of jest and the steps before it.
 *
 *   node scripts/lib/test-summary.mjs RESULTS.json STATUS FAILED_STEPS
 */
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/**
 * The closing line. `results` is what jest wrote, undefined when it did not get that far; `status` its exit code.
 * A suite that could not run, a run without tests and a non-zero exit without a failed test count as failures.
 */
export function testSummary(results, status, failedSteps) {
  const passed = results?.numPassedTests ?? 0;
  let failed = (results?.numFailedTests ?? 0) + (results?.numRuntimeErrorTestSuites ?? 0);
  if (failed === 0 && (status !== 0 || passed === 0)) failed = 1;
  return `${passed} passed, ${failed + failedSteps} failed`;
}

function readResults(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [path, status, failedSteps] = process.argv.slice(2);
  console.log(testSummary(readResults(path), Number(status), Number(failedSteps)));
}
