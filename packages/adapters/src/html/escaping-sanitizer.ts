import type { HtmlSanitizer } from '@carillon/core';

/** Shows all markup as text; for tests. */
export class EscapingSanitizer implements HtmlSanitizer {
  async clean(html: string): Promise<string> {
    return html.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  }
}
