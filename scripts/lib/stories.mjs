import { parseArgs } from 'node:util';

/** Has both shapes of its own, and is part of every test run. */
const coreOfShapes = 'redis-shapes.test.ts';

/**
 * What the arguments of `npm run stories` ask for: shapes of Redis, and files of stories in order. Throws with the option
 * and the value when one is wrong. `known`: all shapes; `present`: names of all files of stories.
 */
export function storyOptions(args, { known, present }) {
  const { values } = parseArgs({
    args,
    options: {
      redis: { type: 'string', default: known.filter((shape) => shape !== 'plain').join(',') },
      only: { type: 'string', default: '' },
    },
  });
  const shapes = [...new Set(values.redis.split(','))];
  for (const shape of shapes) {
    if (!known.includes(shape)) throw new Error(`--redis: expected some of ${known.join(',')}, got ${shape}`);
  }
  const only = patternOf(values.only);
  const files = present
    .filter((name) => name.endsWith('.test.ts') && name !== coreOfShapes && only.test(name))
    .sort();
  if (files.length === 0) throw new Error(`--only: no file of a story matches ${values.only}`);
  return { shapes, files };
}

function patternOf(text) {
  try {
    return new RegExp(text);
  } catch (error) {
    throw new Error(`--only: ${error.message}`, { cause: error });
  }
}

/** A line of the table. `results` is what jest wrote; a run that wrote nothing, or did not end well, has failed. */
export function shapeRow(shape, results, isClean, tookMs) {
  const { numPassedTests = 0, numFailedTests = 0, numPendingTests = 0 } = results ?? {};
  const failed = numFailedTests + (results?.numRuntimeErrorTestSuites ?? 0);
  return {
    shape,
    passed: numPassedTests,
    failed: failed === 0 && (!isClean || numPassedTests === 0) ? 1 : failed,
    skipped: numPendingTests,
    minutes: Math.round(tookMs / 6_000) / 10,
  };
}

/** Columns under their names. */
export function tableOf(rows) {
  const names = ['shape', 'passed', 'failed', 'skipped', 'minutes'];
  const line = (cells) =>
    cells.map((cell, index) => String(cell)[index === 0 ? 'padEnd' : 'padStart'](8)).join(' ');
  return [names, ...rows.map((row) => names.map((name) => row[name]))]
    .map((cells) => `${line(cells)}\n`)
    .join('');
}

/** Tests that have not passed: `failed` or `skipped`, and their names. */
export function notPassed(results) {
  const tests = (results?.testResults ?? []).flatMap(({ assertionResults }) => assertionResults);
  return tests.flatMap(({ status, fullName }) => {
    if (status === 'passed') return [];
    return [`${status === 'failed' ? 'failed' : 'skipped'}: ${fullName}`];
  });
}
