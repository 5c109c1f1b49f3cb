/** A template taken apart; header names in lower case, in order. */
export interface MailTemplate {
  headers: (readonly [name: string, value: string])[];
  body: string;
}

const headerLine = /^([A-Za-z][\w-]*):[ \t]*(.*)$/;
/** Set by the mailer from the body. */
const refusedHeader = /^(?:content-.*|mime-version|transfer-encoding|attachments?)$/;

/** Reads headers, an empty line, and the body (behaviour reference 7.2). Never throws. */
export function parseMailTemplate(text: string): MailTemplate {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  const headers: [string, string][] = [];
  let at = 0;
  for (; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    const match = headerLine.exec(line);
    const last = headers.at(-1);
    if (match !== null) headers.push([(match[1] ?? '').toLowerCase(), (match[2] ?? '').trim()]);
    else if (last !== undefined && /^[ \t]+\S/.test(line)) last[1] += ` ${line.trim()}`;
    else break;
  }
  if ((lines[at] ?? '').trim() === '') at += 1;
  return {
    headers: headers.filter(([name]) => !refusedHeader.test(name)),
    body: lines.slice(at).join('\n'),
  };
}

/** What is wrong with a template, in words; undefined when nothing is. */
export function mailTemplateProblem(text: string): string | undefined {
  const { headers, body } = parseMailTemplate(text);
  const names = headers.map(([name]) => name);
  if (!names.includes('to')) return 'it has no `To:` line at its start';
  if (!names.includes('subject')) return 'it has no `Subject:` line at its start';
  return body.trim() === '' ? 'it has no text after an empty line' : undefined;
}
