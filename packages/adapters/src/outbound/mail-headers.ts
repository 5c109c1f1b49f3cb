import type { OutgoingMail } from '@carillon/core';

/** Headers of every mail: a repeated one has the same Message-ID, and no out-of-office reply comes back. */
export function mailHeaders(mail: OutgoingMail): Record<string, string> {
  const domain = /@([\w.-]+)/.exec(mail.from)?.[1] ?? 'localhost';
  return {
    'auto-submitted': 'auto-generated',
    ...mail.headers,
    'message-id': `<${mail.id}.carillon@${domain}>`,
  };
}
