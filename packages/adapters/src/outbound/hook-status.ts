import { STATUS_CODES } from 'node:http';
import type { SendResult } from '@carillon/core';

const mayPass: ReadonlySet<number> = new Set([408, 425, 429]);

/** What the status of an answer means for a web hook. */
export function hookResult(status: number): SendResult {
  const description = `HTTP ${status} ${STATUS_CODES[status] ?? ''}`.trim();
  if (status >= 200 && status < 300) return { sent: true, description };
  const isRedirect = status >= 300 && status < 400;
  return {
    sent: false,
    code: status,
    description: isRedirect ? `${description}: the redirect is not followed` : description,
    retryable: status >= 500 || mayPass.has(status),
  };
}
