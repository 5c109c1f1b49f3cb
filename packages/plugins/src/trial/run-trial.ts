import { sendMessage, writeLog } from '../plugin-protocol.js';
import type { TrialSettings } from './trial-settings.js';

const reportEveryMs = 150;
const mebibyte = 1024 * 1024;

/** Runs for the given time, then reports success or failure, or crashes with an uncaught exception. */
export function runTrial(settings: TrialSettings): void {
  const startedMs = performance.now();
  const ballast = settings.burn ? allocateBallast() : undefined;
  const reporter = setInterval(() => {
    const elapsedMs = performance.now() - startedMs;
    if (settings.progress) sendMessage({ progress: Math.min(1, elapsedMs / settings.durationMs) });
    if (ballast !== undefined) burn(ballast);
  }, reportEveryMs);
  writeLog(`Running for ${settings.durationMs / 1000} seconds`);
  setTimeout(() => {
    clearInterval(reporter);
    finish(settings);
  }, settings.durationMs);
}

function finish(settings: TrialSettings): void {
  if (settings.action === 'crash') throw new Error('Simulating a crash.');
  if (settings.action === 'failure') {
    sendMessage({
      complete: 1,
      code: 999,
      description: 'Simulating an error message here.  Something went wrong!',
    });
    return;
  }
  sendMessage({
    complete: 1,
    code: 0,
    description: 'Success!',
    progress: 1,
    perf: samplePerf(settings.durationMs / 1000),
    table: sampleTable,
    html: { title: 'Sample Report', content: '<p>This text was made by the <b>test plugin</b>.</p>' },
  });
}

/** Between 128 and 256 MiB, touched so that they are really there. */
function allocateBallast(): Buffer {
  const size = Math.round((128 + Math.random() * 128) * mebibyte);
  return Buffer.alloc(size, 1);
}

/** Keeps one core busy for most of the time between two reports. */
function burn(ballast: Buffer): void {
  const endMs = performance.now() + reportEveryMs * 0.8;
  for (let at = 0; performance.now() < endMs; at = (at + 4096) % ballast.length) {
    ballast[at] = ((ballast[at] ?? 0) + 1) & 255;
  }
}

/** Shares of the run time in seconds, as a query string with scale 1 (behaviour reference 6.8). */
function samplePerf(totalSeconds: number): string {
  const shares = { db_query: 0.05, db_connect: 0.1, log_read: 0.15, gzip_data: 0.25, http_post: 0.3 };
  const parts = Object.entries(shares).map(
    ([name, share]) => `${name}=${Number((share * totalSeconds).toFixed(3))}`,
  );
  return ['scale=1', `total=${totalSeconds}`, ...parts].join('&');
}

const sampleTable = {
  title: 'Sample Job Stats',
  header: ['Address', 'Domain', 'Requests', 'Bytes'],
  rows: [
    ['192.0.2.10', 'www.example.com', 3278, '6.2 MB'],
    ['192.0.2.11', 'static.example.com', 9120, '48.5 MB'],
    ['192.0.2.12', 'api.example.com', 412, '0.9 MB'],
  ],
  caption: 'Invented numbers to try out the display.',
};
