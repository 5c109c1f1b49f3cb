/**
 * The one table of error codes. `code` is what clients see in `{"code": …, "description": …}`;
 * `httpStatus` is 200 for every API error but those the wire format names otherwise.
 */
export const errorTable = {
  api: {
    httpStatus: 200,
    meaning: 'A parameter is missing or malformed, or an API key is unknown, disabled or lacks a privilege.',
  },
  session: { httpStatus: 200, meaning: 'No credential was given, or the session is unknown or has expired.' },
  user: {
    httpStatus: 200,
    meaning: 'A user account is disabled or lacks a privilege, or the call is for administrators.',
  },
  login: {
    httpStatus: 200,
    meaning: 'A password was wrong, or the account is locked or disabled.',
  },
  user_exists: { httpStatus: 200, meaning: 'There is a user of this name already.' },
  auth: { httpStatus: 200, meaning: 'The token of a link to a log is not good, or not good any more.' },
  event: {
    httpStatus: 200,
    meaning: 'An event was not found, or could not be created, changed, deleted or launched.',
  },
  job: { httpStatus: 200, meaning: 'A job was not found, or could not be changed or aborted.' },
  category: { httpStatus: 200, meaning: 'A category was refused.' },
  plugin: { httpStatus: 200, meaning: 'A plugin was refused.' },
  group: { httpStatus: 200, meaning: 'A server group was refused.' },
  api_key: { httpStatus: 200, meaning: 'An API key record was refused.' },
  server: { httpStatus: 200, meaning: 'A server was not found or could not be reached.' },
  master: {
    httpStatus: 302,
    meaning:
      'This node is not the primary. With a primary known the answer is a 302 to it, else a 503 with Retry-After.',
  },
  unavailable: { httpStatus: 503, meaning: 'The write could not be made durable; it may be repeated.' },
  too_large: { httpStatus: 413, meaning: 'The request body is larger than the limit.' },
  internal: {
    httpStatus: 500,
    meaning: 'A defect of the server; the log has the details under the given reference.',
  },
} as const satisfies Record<string, { httpStatus: number; meaning: string }>;

export type ErrorCode = keyof typeof errorTable;

/** An expected failure with a code from the table; `message` is the description clients see. */
export class CarillonError extends Error {
  readonly code: ErrorCode | 1;
  readonly httpStatus: number;

  /** Code `1` is the peer's code for an unknown call or URL. */
  constructor(code: ErrorCode | 1, description: string, httpStatus?: number) {
    super(description);
    this.name = 'CarillonError';
    this.code = code;
    this.httpStatus = httpStatus ?? (code === 1 ? 200 : errorTable[code].httpStatus);
  }
}
