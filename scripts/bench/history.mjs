/** How many jobs have completed. */
export async function historyLength(api) {
  return (await api.ok('get_history', { limit: 1 })).list.length;
}

/** Throws unless the newest `jobs` rows of the history are these ids, each once, with code 0. */
export async function verifyHistory(api, ids, jobs) {
  if (ids.size !== jobs) throw new Error(`${ids.size} different ids for ${jobs} jobs`);
  const rows = (await api.ok('get_history', { limit: jobs })).rows;
  for (const row of rows) {
    if (!ids.delete(row.id)) throw new Error(`Job ${row.id} is in the history twice`);
    if (row.code !== 0) throw new Error(`Job ${row.id} failed: ${row.description}`);
  }
  if (ids.size > 0) throw new Error(`${ids.size} jobs are missing in the history`);
}
