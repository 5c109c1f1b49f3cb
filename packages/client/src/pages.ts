/** One page of a list call. */
export interface Page<Row> {
  rows: readonly Row[];
  list: { length: number };
}

/**
 * All rows of a paged list, newest first, page by page. New rows push the others down while the list is being read;
 * what was on the page before is therefore not given again. `keyOf` tells rows apart.
 */
export async function* readPages<Row>(
  readPage: (offset: number) => Promise<Page<Row>>,
  keyOf: (row: Row) => string,
): AsyncGenerator<Row, void, undefined> {
  let seen = new Set<string>();
  for (let offset = 0; ; ) {
    const { rows, list } = await readPage(offset);
    const keys = new Set<string>();
    for (const row of rows) {
      const key = keyOf(row);
      keys.add(key);
      if (!seen.has(key)) yield row;
    }
    seen = keys;
    offset += rows.length;
    if (rows.length === 0 || offset >= list.length) return;
  }
}
