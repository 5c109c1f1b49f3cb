import type { JobFields, JobOutcome } from '@carillon/contract';
import { localTimeWithOffset } from './local-time.js';

/** Head of a job's log (behaviour reference 6.5). `zone`: an IANA name or `system`. */
export function logHeader(
  job: Pick<JobFields, 'id' | 'event_title' | 'hostname'>,
  nowMs: number,
  zone: string,
): string {
  return [
    `# Job ID: ${job.id}`,
    `# Event Title: ${job.event_title}`,
    `# Hostname: ${job.hostname}`,
    `# Date/Time: ${localTimeWithOffset(nowMs, zone)}`,
    '',
    '',
  ].join('\n');
}

/** End of a job's log (behaviour reference 6.5); the output before it is at the start of a line. */
export function logFooter(outcome: JobOutcome, nowMs: number, zone: string): string {
  const { code, description } = outcome;
  const time = localTimeWithOffset(nowMs, zone);
  const lines = ['', `# Job ${code === 0 ? 'completed successfully' : 'failed'} at ${time}.`];
  if (code !== 0) lines.push(`# Error${code === 1 ? '' : ` ${code}`}: ${description}`);
  else if (description !== '') lines.push(`# Description: ${description}`);
  lines.push('# End of log.', '');
  return lines.join('\n');
}

/**
 * True when the end of a run is followed by another attempt of its job: it failed by itself and has retries left
 * (behaviour reference 5.7).
 */
export function isRetried(job: Readonly<Record<string, unknown>>, outcome: JobOutcome): boolean {
  return outcome.code !== 0 && outcome.abort_reason === undefined && Number(job['retries'] ?? 0) > 0;
}

/** End of an attempt that is followed by another, instead of the footer (behaviour reference 6.5). */
export function retryNotice(
  job: Readonly<Record<string, unknown>>,
  { code, description }: JobOutcome,
): string {
  const delay = job['retry_delay'] ? ` (${Number(job['retry_delay'])} sec delay)` : '';
  return [
    '',
    `# Job failed with error${code === 1 ? '' : ` ${code}`}: ${description}`,
    `# ${Number(job['retries'])} retries remain${delay}`,
    '',
    '',
  ].join('\n');
}

/** Remarks of the worker at the end of a run's log, each a line of its own; '' without any. */
export function logRemarks(remarks: readonly string[]): string {
  return remarks.length === 0 ? '' : ['', ...remarks.map((remark) => `# ${remark}`), ''].join('\n');
}

/**
 * Bytes of a log as text whose UTF-8 form has exactly as many bytes as were used, so that offsets stay true: a byte
 * that is not UTF-8 becomes `?`. Unless `isEnd`, a character cut off at the end is left for the next piece.
 */
export function logPiece(bytes: Uint8Array, isEnd: boolean): { text: string; length: number } {
  const length = isEnd ? bytes.length : bytes.length - incompleteTail(bytes);
  const piece = bytes.subarray(0, length);
  try {
    return { text: strictDecoder.decode(piece), length };
  } catch {
    return { text: strictDecoder.decode(withoutInvalid(piece)), length };
  }
}

const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const questionMark = 63;

/** Bytes at the end that may be the start of a longer character. */
function incompleteTail(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return sequenceLength(byte) > back ? back : 0;
  }
  return 0;
}

/** Length of the character a first byte announces; 1 for a byte that announces none. */
function sequenceLength(byte: number): number {
  if (byte >= 0xc2 && byte < 0xe0) return 2;
  if (byte >= 0xe0 && byte < 0xf0) return 3;
  return byte >= 0xf0 && byte < 0xf5 ? 4 : 1;
}

function withoutInvalid(bytes: Uint8Array): Uint8Array {
  const clean = bytes.slice();
  let position = 0;
  while (position < clean.length) {
    const length = sequenceLength(clean[position] ?? 0);
    if (isCharacter(clean.subarray(position, position + length), length)) {
      position += length;
    } else {
      clean[position] = questionMark;
      position += 1;
    }
  }
  return clean;
}

/** True for one whole, valid character in UTF-8. */
function isCharacter(bytes: Uint8Array, length: number): boolean {
  const [first = 0, second = 0] = bytes;
  if (bytes.length < length) return false;
  if (length === 1) return first < 0x80;
  if (bytes.subarray(1).some((byte) => (byte & 0xc0) !== 0x80)) return false;
  // Not the shortest form, a surrogate, or beyond the last code point.
  if (first === 0xe0) return second >= 0xa0;
  if (first === 0xed) return second < 0xa0;
  if (first === 0xf0) return second >= 0x90;
  return first !== 0xf4 || second < 0x90;
}
