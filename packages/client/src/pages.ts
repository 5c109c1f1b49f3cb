/** One page of a list call. */
export interface Page<Row> {
  rows: readonly Row[];
  list: { length: number };
}

/**
 * All rows of a paged list, newest first, page by page. New rows push the others down while the list is being read;
 * what was on the page before is therefore not given again.
 */
export async function* readPages<Row extends { id: string }>(
  readPage: (offset: number) => Promise<Page<Row>>,
): AsyncGenerator<Row, void, undefined> {
  let seen = new Set<string>();
  for (let offset = 0; ; ) {
    const { rows, list } = await readPage(offset);
    const ids = new Set<string>();
    for (const row of rows) {
      ids.add(row.id);
      if (!seen.has(row.id)) yield row;
    }
    seen = ids;
    offset += rows.length;
    if (rows.length === 0 || offset >= list.length) return;
  }
}
