import { measureConcurrent } from '../concurrent.mjs';

/** Jobs that run at one time: from one to many, on the same nodes. */
export async function measureConcurrency(cluster, { concurrency, lanes, seconds }) {
  const rows = [];
  for (const concurrent of concurrency) {
    rows.push(await measureConcurrent(cluster, { concurrent, lanes, seconds }));
  }
  return rows;
}
