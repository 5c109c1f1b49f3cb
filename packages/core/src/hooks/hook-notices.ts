import type { HookAction, HookDelivery } from '@carillon/contract';
import { type HookTarget, parseHookTarget } from './hook-target.js';
import { fillPlaceholders } from './placeholders.js';
import { linksOf } from './public-record.js';
import type { HookTextName, NoticeContext } from './settings.js';

/** What a hook tells. */
export interface HookSubject {
  action: HookAction;
  text: HookTextName;
  event: string;
  job?: string;
  /** The job or event, fit to be sent; asked for only when there is somebody to send it to. */
  record: () => Readonly<Record<string, unknown>>;
  /** Where it goes beside the universal hook; '' = nowhere. */
  webHook: string;
}

/**
 * One delivery for the record's own web hook and one for the universal one; none when the occasion has no text
 * (behaviour reference 7.1). What cannot be read as a target is left out.
 */
export function planHooks(subject: HookSubject, context: NoticeContext): HookDelivery[] {
  const { hooks } = context.settings;
  const template = Object.hasOwn(hooks.texts, subject.text) ? hooks.texts[subject.text] : undefined;
  if (template === undefined) return [];
  const targets = [subject.webHook, hooks.universal]
    .map((text) => parseHookTarget(text))
    .filter((target) => target !== undefined);
  if (targets.length === 0) return [];
  const payload = payloadOf(subject, template, context);
  return targets.map((target) => deliveryTo(target, payload, subject, context));
}

function payloadOf(subject: HookSubject, template: string, context: NoticeContext): Record<string, unknown> {
  const { baseAppUrl, hooks } = context.settings;
  const facts: Record<string, unknown> = {
    ...subject.record(),
    action: subject.action,
    base_app_url: baseAppUrl,
    ...linksOf(baseAppUrl, subject.event, subject.job),
  };
  const text = fillPlaceholders(template, facts);
  return { ...facts, text, content: text, message: text, ...hooks.configValues, ...hooks.customData };
}

function deliveryTo(
  target: HookTarget,
  payload: Record<string, unknown>,
  subject: HookSubject,
  context: NoticeContext,
): HookDelivery {
  const { settings, nowMs, newId } = context;
  const id = newId();
  const own = new Map([
    ['content-type', 'application/json'],
    ['user-agent', `Carillon/${settings.version}`],
    ['x-carillon-delivery', id],
  ]);
  for (const [name, value] of Object.entries(target.headers)) own.set(name.toLowerCase(), value);
  return {
    type: 'hook',
    id,
    createdMs: nowMs,
    action: subject.action,
    event: subject.event,
    ...(subject.job === undefined ? {} : { job: subject.job }),
    url: target.url,
    headers: Object.fromEntries(own),
    body: `${JSON.stringify({ ...payload, ...target.data })}\n`,
    options: { ...settings.hooks.options },
  };
}
