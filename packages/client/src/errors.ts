/**
 * The server refused a call. `code` is a code of the error table ("API reference, Standard Response Format";
 * behaviour reference 1.9), `1` for an unknown call, or `http` when the answer was not one of this API.
 */
export class ApiError extends Error {
  readonly code: string | number;
  readonly description: string;
  readonly httpStatus: number;

  constructor(code: string | number, description: string, httpStatus: number) {
    super(description);
    this.name = 'ApiError';
    this.code = code;
    this.description = description;
    this.httpStatus = httpStatus;
  }
}

/** No node of the cluster gave an answer in time, or none is primary. */
export class UnreachableError extends Error {
  readonly code = 'unreachable';
  /** The base URL that was tried last. */
  readonly url: string;
  /** True: the connection broke after the request was sent, so a write may have been done. */
  readonly mayHaveBeenProcessed: boolean;
  /** True: not even a connection was possible. */
  readonly refused: boolean;

  constructor(message: string, about: { url: string; mayHaveBeenProcessed: boolean; refused: boolean }) {
    super(message);
    this.name = 'UnreachableError';
    this.url = about.url;
    this.mayHaveBeenProcessed = about.mayHaveBeenProcessed;
    this.refused = about.refused;
  }
}

/** The client was closed while a call was under way, or before it. */
export class ClosedError extends Error {
  readonly code = 'closed';

  constructor() {
    super('The client is closed');
    this.name = 'ClosedError';
  }
}

/** The job was not complete when the time for it was over. It goes on. */
export class TimedOutError extends Error {
  readonly code = 'timeout';

  constructor(timeoutMs: number) {
    super(`Not complete after ${timeoutMs / 1000} s`);
    this.name = 'TimedOutError';
  }
}
