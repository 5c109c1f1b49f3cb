/** Makes HTML of unknown origin harmless. */
export interface HtmlSanitizer {
  /**
   * What is left of a piece of HTML when only elements for text and tables, `style` without effects beyond its
   * element, `class` and links of ordinary kinds stay (behaviour reference 6.3): nothing in it runs, loads or
   * covers anything. Takes time proportional to the length; bound it before.
   */
  clean(html: string): Promise<string>;
}
