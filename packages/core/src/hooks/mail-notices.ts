import type { MailAction, MailDelivery } from '@carillon/contract';
import { localTimeWithOffset } from '../run/local-time.js';
import { parseMailTemplate } from './mail-template.js';
import { escapeHtml, fillPlaceholders, oneLine, textOfValue } from './placeholders.js';
import { linksOf, textIn } from './public-record.js';
import { bytesText, durationText } from '../run/limits.js';
import { samplesInWords } from './samples-in-words.js';
import type { MailTemplateName, NoticeContext } from './settings.js';

/** What an e-mail tells. */
export interface MailSubject {
  action: MailAction & MailTemplateName;
  event: string;
  job?: string;
  recipients: string;
  /** What the placeholders of the template stand for; asked for only when there is a recipient. */
  values: () => Readonly<Record<string, unknown>>;
}

const envelopeHeaders: ReadonlySet<string> = new Set(['to', 'from', 'subject', 'cc', 'bcc']);

/** One e-mail to all recipients, or none when there are no recipients (behaviour reference 7.2). */
export function planMail(subject: MailSubject, context: NoticeContext): MailDelivery[] {
  if (oneLine(subject.recipients) === '') return [];
  const { settings, nowMs, newId } = context;
  const values = { ...subject.values(), version: settings.version, config: configValues(context) };
  const template = parseMailTemplate(settings.mail.templates[subject.action]);
  // A value is cleaned after it was put in: whatever it holds, it stays within its header.
  const filled = template.headers.map(
    ([name, value]) => [name, oneLine(fillPlaceholders(value, values))] as const,
  );
  const header = (name: string): string =>
    filled
      .filter(([key, value]) => key === name && value !== '')
      .map(([, value]) => value)
      .join(name === 'subject' ? ' ' : ', ');
  const html = template.body.trimStart().startsWith('<');
  const [cc, bcc] = [header('cc'), header('bcc')];
  return [
    {
      type: 'mail',
      id: newId(),
      createdMs: nowMs,
      action: subject.action,
      event: subject.event,
      ...(subject.job === undefined ? {} : { job: subject.job }),
      to: header('to') || oneLine(subject.recipients),
      ...(cc === '' ? {} : { cc }),
      ...(bcc === '' ? {} : { bcc }),
      from: header('from') || settings.mail.from,
      subject: header('subject'),
      headers: Object.fromEntries(
        filled.filter(([name, value]) => !envelopeHeaders.has(name) && value !== ''),
      ),
      html,
      body: fillPlaceholders(template.body, values, html ? escapeHtml : undefined),
    },
  ];
}

/** Of the configuration a template sees what is meant for messages, not all of it. */
function configValues({ settings }: NoticeContext): Record<string, unknown> {
  return {
    ...settings.hooks.configValues,
    base_app_url: settings.baseAppUrl,
    email_from: settings.mail.from,
  };
}

/** What the templates of jobs can name. */
export function jobMailValues(
  record: Readonly<Record<string, unknown>>,
  { settings, nowMs }: NoticeContext,
): Record<string, unknown> {
  const perf = record['perf'];
  return {
    ...record,
    ...linksOf(settings.baseAppUrl, textIn(record, 'event'), textIn(record, 'id')),
    job_log_url: 'n/a',
    nice_date_time: localTimeWithOffset(nowMs, settings.zone),
    nice_elapsed: durationText(numberIn(record, 'elapsed')),
    nice_log_size: bytesText(numberIn(record, 'log_file_size')),
    nice_mem: samplesInWords(record['mem'], bytesText),
    nice_cpu: samplesInWords(record['cpu'], (percent) => `${Math.round(percent * 10) / 10}%`),
    nice_source: textIn(record, 'source') || 'Scheduler',
    perf: isEmpty(perf) ? '(No metrics provided)' : textOfValue(perf),
    description: textIn(record, 'description') || '(No description provided)',
    notes: textIn(record, 'notes') || '(None)',
    pid: numberIn(record, 'pid') || '(Unknown)',
  };
}

/** What the template of events can name; `record` is the event as far as known. */
export function eventMailValues(
  record: Readonly<Record<string, unknown>>,
  description: string,
  { settings, nowMs }: NoticeContext,
): Record<string, unknown> {
  return {
    ...record,
    ...linksOf(settings.baseAppUrl, textIn(record, 'id')),
    title: textIn(record, 'title'),
    hostname: settings.hostname,
    description: description || '(No description provided)',
    notes: textIn(record, 'notes') || '(None)',
    nice_date_time: localTimeWithOffset(nowMs, settings.zone),
  };
}

const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === '' ||
  (typeof value === 'object' && Object.keys(value).length === 0);

function numberIn(record: Readonly<Record<string, unknown>>, key: string): number {
  const value = record[key];
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}
