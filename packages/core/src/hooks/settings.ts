import type { HookOptions } from '@carillon/contract';
import { defaultHookTexts, defaultMailTemplates } from './default-templates.js';

/** Texts of web hooks by occasion; an occasion without a text sends no hooks (`web_hook_text_templates`). */
export type HookTextName = 'job_start' | 'job_complete' | 'job_failure' | 'job_launch_failure';
export type MailTemplateName = 'job_success' | 'job_fail' | 'event_error';

/** Everything the configuration says about web hooks and e-mails; names of Cronicle's settings in brackets. */
export interface NoticeSettings {
  version: string;
  /** Of the primary: it appears in messages about launches that failed. */
  hostname: string;
  /** For times in messages: an IANA name or `system`. */
  zone: string;
  /** Base of links, without a slash at the end (`base_app_url`). */
  baseAppUrl: string;
  hooks: {
    texts: Readonly<Partial<Record<HookTextName, string>>>;
    /** URL with suffixes that gets every hook; '' = none (`universal_web_hook`). */
    universal: string;
    /** Added to every payload (`web_hook_custom_data`). */
    customData: Readonly<Record<string, unknown>>;
    /** How hooks are sent (`web_hook_custom_opts`). */
    options: HookOptions;
    /** Settings that are copied into every payload (`web_hook_config_keys`), with their values. */
    configValues: Readonly<Record<string, unknown>>;
  };
  mail: {
    /** Sender where a template names none (`email_from`). */
    from: string;
    templates: Readonly<Record<MailTemplateName, string>>;
    /** Also for jobs that were aborted by hand (`email_on_manual_abort`). */
    onManualAbort: boolean;
  };
}

/** What the rules of notices work with. */
export interface NoticeContext {
  settings: NoticeSettings;
  /** Wall clock, Unix milliseconds. */
  nowMs: number;
  /** Ids of deliveries. */
  newId: () => string;
}

export const defaultHookOptions: HookOptions = { follow: 0, rejectUnauthorized: true, timeoutMs: 30_000 };

/** The settings of a node whose configuration says nothing about web hooks and e-mails. */
export function defaultNoticeSettings(
  node: Pick<NoticeSettings, 'version' | 'hostname' | 'zone' | 'baseAppUrl'>,
): NoticeSettings {
  return {
    version: node.version,
    hostname: node.hostname,
    zone: node.zone,
    baseAppUrl: node.baseAppUrl,
    hooks: {
      texts: defaultHookTexts,
      universal: '',
      customData: {},
      options: defaultHookOptions,
      configValues: {},
    },
    mail: { from: 'admin@localhost', templates: defaultMailTemplates, onManualAbort: false },
  };
}
