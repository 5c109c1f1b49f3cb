import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  defaultHookOptions,
  defaultMailTemplates,
  mailTemplateProblem,
  type MailTemplateName,
  type NoticeSettings,
} from '@carillon/core';
import type { PeerFile } from './read-peer-file.js';
import { unsendableSettings } from './tables/notice-settings.js';
import { isPeerSettingName, peerSettingOf, peerSettings } from './tables/peer-settings.js';

/** What the configuration says about web hooks and e-mails. */
export interface NoticeConfig {
  readonly smtp: {
    readonly host: string;
    readonly port: number;
    readonly options: Readonly<Record<string, unknown>>;
  };
  /** 0 = no limit. */
  readonly maxEmailsPerDay: number;
  readonly hooks: NoticeSettings['hooks'];
  readonly mail: NoticeSettings['mail'];
}

/** `follow: true` in `web_hook_custom_opts`. */
const usualRedirects = 32;
const templateNames: readonly MailTemplateName[] = ['job_success', 'job_fail', 'event_error'];

/**
 * The settings for web hooks and e-mails, templates read. Adds to `problems` templates that cannot be used and secrets
 * that would be sent, and to `warnings` options without effect.
 */
export function readNotices(peer: PeerFile, problems: string[], warnings: string[]): NoticeConfig {
  const { given } = peer;
  return {
    smtp: {
      host: given('smtp_hostname') ?? peerSettings.smtp_hostname.preset,
      port: given('smtp_port') ?? peerSettings.smtp_port.preset,
      options: { ...given('mail_options') },
    },
    maxEmailsPerDay: given('max_emails_per_day') ?? peerSettings.max_emails_per_day.preset,
    hooks: {
      texts: given('web_hook_text_templates') ?? peerSettings.web_hook_text_templates.preset,
      universal: given('universal_web_hook')?.trim() ?? '',
      customData: { ...given('web_hook_custom_data') },
      options: hookOptions(peer, warnings),
      configValues: configValues(peer, problems),
    },
    mail: {
      from: given('email_from') ?? peerSettings.email_from.preset,
      templates: mailTemplates(peer, problems),
      onManualAbort: Boolean(given('email_on_manual_abort') ?? given('Cronicle')?.email_on_manual_abort),
    },
  };
}

function hookOptions(peer: PeerFile, warnings: string[]): NoticeSettings['hooks']['options'] {
  const { retries, follow, rejectUnauthorized, timeout, ...others } =
    peer.given('web_hook_custom_opts') ?? {};
  const unused = Object.keys(others);
  if (unused.length > 0) {
    warnings.push(`Not used by this version (in ${peer.path}): web_hook_custom_opts.${unused.join(', ')}`);
  }
  const redirects = follow === true ? usualRedirects : Number(follow ?? defaultHookOptions.follow);
  return {
    ...(retries === undefined ? {} : { retries }),
    follow: redirects,
    rejectUnauthorized: Boolean(rejectUnauthorized ?? defaultHookOptions.rejectUnauthorized),
    timeoutMs: timeout ?? defaultHookOptions.timeoutMs,
  };
}

function configValues(peer: PeerFile, problems: string[]): Record<string, unknown> {
  const values = new Map<string, unknown>();
  for (const name of peer.given('web_hook_config_keys') ?? []) {
    if (unsendableSettings.includes(name)) {
      problems.push(`web_hook_config_keys (in ${peer.path}): ${name} may hold secrets and is sent to nobody`);
    }
    const preset = isPeerSettingName(name) ? peerSettingOf(name).preset : undefined;
    const value = peer.content.has(name) ? peer.content.get(name) : preset;
    if (value !== undefined) values.set(name, value);
  }
  return Object.fromEntries(values);
}

function mailTemplates(peer: PeerFile, problems: string[]): NoticeSettings['mail']['templates'] {
  const templates = { ...defaultMailTemplates };
  const paths = peer.given('email_templates') ?? {};
  for (const name of templateNames) {
    const path = paths[name];
    if (path === undefined) continue;
    const text = readTemplate(resolve(peer.directory, path), (problem) =>
      problems.push(`email_templates.${name} (in ${peer.path}): ${problem}`),
    );
    if (text !== undefined) templates[name] = text;
  }
  return templates;
}

function readTemplate(path: string, refuse: (problem: string) => void): string | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    refuse(`cannot read the file ${path}: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
  const problem = mailTemplateProblem(text);
  if (problem !== undefined) refuse(`${path} is no template: ${problem}`);
  return text;
}
