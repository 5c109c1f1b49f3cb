/**
 * Runs jest and prints one line on standard output: `N passed, N failed`. What jest says goes to standard error.
 * A run that does not end is ended.
 *
 *   node scripts/lib/run-tests.mjs FAILED_STEPS [ARGUMENTS OF JEST …]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/**
 * The closing line. `results` is what jest wrote, undefined when it did not get that far; `isClean` tells whether it
 * ended by itself with exit code 0. A suite that could not run, a run without tests, and a run that is not clean
 * though no test failed count as failures.
 */
export function testSummary(results, isClean, failedSteps) {
  const passed = results?.numPassedTests ?? 0;
  let failed = (results?.numFailedTests ?? 0) + (results?.numRuntimeErrorTestSuites ?? 0);
  if (failed === 0 && (!isClean || passed === 0)) failed = 1;
  return `${passed} passed, ${failed + failedSteps} failed`;
}

/**
 * Runs a program that writes its results to `resultsFile` and answers `{ results, isClean }`. It is killed when it
 * is still there `lingerMs` after its results, or without results after `limitMs`; `isClean` is false then.
 */
export async function runForResults({ file, args, resultsFile, lingerMs, limitMs }) {
  const child = spawn(file, args, { stdio: ['ignore', 2, 2] });
  const end = (why) => {
    console.error(`The tests were ended: ${why}`);
    child.kill('SIGKILL');
  };
  let linger;
  const limit = setTimeout(end, limitMs, `no results after ${limitMs / 1000} s`);
  const watch = setInterval(() => {
    if (linger !== undefined || readResults(resultsFile) === undefined) return;
    linger = setTimeout(end, lingerMs, 'all tests are done, but something that a test started still runs');
  }, 500);
  const [status] = await once(child, 'exit').catch((error) => [error.message]);
  clearInterval(watch);
  clearTimeout(limit);
  clearTimeout(linger);
  return { results: readResults(resultsFile), isClean: status === 0 };
}

function readResults(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

async function main([failedSteps, ...jestArguments]) {
  const directory = mkdtempSync(join(tmpdir(), 'carillon-tests-'));
  const resultsFile = join(directory, 'results.json');
  const jest = fileURLToPath(new URL('../../node_modules/jest/bin/jest.js', import.meta.url));
  const nodeArguments = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', jest];
  try {
    const { results, isClean } = await runForResults({
      file: process.execPath,
      args: [...nodeArguments, '--ci', '--json', `--outputFile=${resultsFile}`, ...jestArguments],
      resultsFile,
      lingerMs: 15_000,
      limitMs: 3_000_000,
    });
    console.log(testSummary(results, isClean, Number(failedSteps)));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(process.argv.slice(2));
}
