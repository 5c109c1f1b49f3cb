import type { HtmlSanitizer } from '@carillon/core';
import type { IOptions } from 'sanitize-html';
import { safeStyle } from './safe-style.js';

const textTags = [
  ...[
    'a',
    'abbr',
    'b',
    'bdi',
    'bdo',
    'blockquote',
    'br',
    'center',
    'cite',
    'code',
    'dd',
    'del',
    'dfn',
    'div',
  ],
  ...[
    'dl',
    'dt',
    'em',
    'font',
    'h1',
    'h2',
    'h3',
    'h4',
    'h5',
    'h6',
    'hr',
    'i',
    'ins',
    'kbd',
    'li',
    'mark',
    'ol',
  ],
  ...[
    'p',
    'pre',
    'q',
    's',
    'samp',
    'small',
    'span',
    'strike',
    'strong',
    'sub',
    'sup',
    'time',
    'tt',
    'u',
    'ul',
  ],
  ...['var', 'wbr', 'article', 'aside', 'details', 'figcaption', 'figure', 'footer', 'header', 'section'],
  'summary',
];
const tableTags = ['caption', 'col', 'colgroup', 'table', 'tbody', 'td', 'tfoot', 'th', 'thead', 'tr'];

const options: IOptions = {
  allowedTags: [...textTags, ...tableTags],
  allowedAttributes: {
    '*': ['style'],
    a: ['href', 'target', 'rel'],
    div: ['class'],
    pre: ['class'],
    code: ['class'],
    td: ['colspan', 'rowspan', 'align'],
    th: ['colspan', 'rowspan', 'align', 'scope'],
  },
  allowedSchemes: ['http', 'https', 'mailto'],
  allowedSchemesAppliedToAttributes: ['href'],
  disallowedTagsMode: 'discard',
  nestingLimit: 100,
  // Styles are filtered below; the library would need its parser for them.
  parseStyleAttributes: false,
  transformTags: {
    '*': (tagName, attributes) => {
      const { style, target, rel: _rel, ...others } = attributes;
      const kept = style === undefined ? '' : safeStyle(style);
      return {
        tagName,
        attribs: {
          ...others,
          ...(kept === '' ? {} : { style: kept }),
          // A page opened in another window must not reach back.
          ...(target === undefined ? {} : { target, rel: 'noopener noreferrer' }),
        },
      };
    },
  },
};

/**
 * Keeps what is on its list and drops the rest, by sanitize-html. The library is loaded with the first piece of HTML:
 * most workers never need it.
 */
export class AllowListSanitizer implements HtmlSanitizer {
  #library: Promise<{ default: typeof import('sanitize-html') }> | undefined;

  async clean(html: string): Promise<string> {
    this.#library ??= import('sanitize-html');
    const { default: sanitize } = await this.#library;
    return sanitize(html, options);
  }
}
