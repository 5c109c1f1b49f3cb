import { ApiError, UnreachableError } from '@carillon/client';

/** Exit codes of the program. */
export const exitCodes = {
  ok: 0,
  failure: 1,
  usage: 2,
  /** Of `plan` alone, where wrong usage is a failure. */
  changes: 2,
  unreachable: 3,
  interrupted: 130,
} as const;

/** The command line is wrong. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

/** The command could not do what it was asked to. */
export class CommandError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CommandError';
  }
}

/** The text of something that was thrown. */
export function reasonOf(error: unknown): string {
  const message: unknown =
    typeof error === 'object' && error !== null ? Reflect.get(error, 'message') : undefined;
  return typeof message === 'string' && message !== '' ? message : String(error);
}

/** How an error ends the program: what people read, and the exit code. */
export function explainFailure(
  error: unknown,
  about: { hasKey: boolean; keySource?: string | undefined },
): { message: string; exitCode: number } {
  if (error instanceof UsageError) return { message: error.message, exitCode: exitCodes.usage };
  if (error instanceof UnreachableError)
    return { message: explainUnreachable(error), exitCode: exitCodes.unreachable };
  if (error instanceof ApiError) return explainRefusal(error, about);
  return { message: reasonOf(error), exitCode: exitCodes.failure };
}

function explainUnreachable(error: UnreachableError): string {
  const lines = [error.message];
  if (/certificate|issuer/i.test(error.message)) {
    lines.push('If the authority is your own, name its file with --ca or CARILLON_CA.');
  } else if (/wrong version number|packet length too long/i.test(error.message)) {
    return `${error.url} does not speak TLS: try http:// instead of https://`;
  } else if (error.refused) {
    lines.push('Is a node running there? Start one with: carillon start');
    lines.push('Another address is given by --url or CARILLON_URL.');
  }
  // What a node that serves TLS does to a request in the clear.
  if (error.url.startsWith('http:') && /socket hang up/.test(error.message)) {
    lines.push('If that node serves TLS, its address begins with https://');
  }
  if (error.mayHaveBeenProcessed) lines.push('The request may have been carried out all the same.');
  return lines.join('\n');
}

/** `unavailable` is what a load balancer, or a node in the midst of a failover, answers for a primary that is not there. */
function explainRefusal(
  error: ApiError,
  { hasKey, keySource }: { hasKey: boolean; keySource?: string | undefined },
): { message: string; exitCode: number } {
  if (error.code === 'http' || error.code === 'unavailable')
    return { message: error.message, exitCode: exitCodes.unreachable };
  const lines = [error.description];
  if (error.code === 'session' && !hasKey) {
    lines.push(
      'Give an API key with --key or CARILLON_API_KEY, or set CARILLON_DATA_DIR to the data directory',
    );
    lines.push('of a node of this machine, which keeps its first key in the file admin-api-key.');
  }
  if (error.code === 'api' && error.description === 'Invalid API Key' && keySource !== undefined) {
    lines.push(`The key is that of ${keySource}.`);
  }
  return { message: lines.join('\n'), exitCode: exitCodes.failure };
}
