import { boundReport, type HtmlSanitizer, type Logger } from '@carillon/core';
import type { HeldRun } from './held-run.js';

export interface TakeReportDeps {
  logger: Logger;
  sanitizer: HtmlSanitizer;
}

/** What consists of one element with text needs no cleaning: so reports of the built-in plugins are. */
const plainText = /^(?:[^<]*|<pre>[^<]*<\/pre>)$/;
/** Texts of an HTML report. */
const htmlTexts = ['title', 'content', 'caption'];

/**
 * Takes what the plugin of a run reported into `run.reported`, bounded and its HTML made harmless (behaviour reference
 * 6.3), and says in `run.remarks` what was left out. Never rejects.
 */
export async function takeReport(run: HeldRun, { logger, sanitizer }: TakeReportDeps): Promise<void> {
  if (run.output === undefined) return;
  const { reported, remarks } = boundReport(run.output.report);
  run.reported = reported;
  run.remarks.push(...remarks);
  if (!Object.hasOwn(reported, 'html')) return;
  try {
    reported['html'] = await cleanHtml(reported['html'], sanitizer);
  } catch (error) {
    delete reported['html'];
    run.remarks.push('The reported html was left out: it cannot be checked');
    logger.log('error', 'The HTML a plugin reported cannot be checked', {
      ...run.ref,
      error: String(error),
    });
  }
}

/** A text, or the known texts of an object; whatever else it has is of no use to a reader. */
async function cleanHtml(html: unknown, sanitizer: HtmlSanitizer): Promise<unknown> {
  const clean = async (text: string): Promise<string> =>
    plainText.test(text) ? text : sanitizer.clean(text);
  if (typeof html === 'string') return clean(html);
  const cleaned: Record<string, string> = {};
  for (const [name, value] of Object.entries(Object(html))) {
    if (htmlTexts.includes(name) && typeof value === 'string') cleaned[name] = await clean(value);
  }
  return cleaned;
}
