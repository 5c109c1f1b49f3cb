/**
 * An empty gzip member (RFC 1952) whose comment says when a log expires: `carillon-until:` and twelve digits. Programs
 * that unpack the file see nothing of it.
 */
const label = 'carillon-until:';
const digits = 12;
/** Magic number, deflate, a comment follows, no time, no hints, unknown system. */
const memberStart = Buffer.from([0x1f, 0x8b, 0x08, 0x10, 0, 0, 0, 0, 0, 0xff]);
/** End of the comment, an empty final block, check sum and length of nothing. */
const memberEnd = Buffer.from([0, 0x03, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

/** Length of every header. */
export const lifeHeaderBytes = memberStart.length + label.length + digits + memberEnd.length;

/** The header of a log that expires at `untilSec`: whole Unix seconds, not negative. */
export function lifeHeader(untilSec: number): Buffer {
  const comment = `${label}${String(untilSec).padStart(digits, '0')}`;
  return Buffer.concat([memberStart, Buffer.from(comment, 'latin1'), memberEnd]);
}

/** When a file that starts with these bytes expires, Unix seconds; undefined when they are no header. */
export function readLife(start: Buffer): number | undefined {
  if (start.length < lifeHeaderBytes) return undefined;
  const untilSec = Number(
    start.toString('latin1', memberStart.length + label.length, lifeHeaderBytes - memberEnd.length),
  );
  if (!Number.isSafeInteger(untilSec) || untilSec < 0) return undefined;
  return lifeHeader(untilSec).equals(start.subarray(0, lifeHeaderBytes)) ? untilSec : undefined;
}
