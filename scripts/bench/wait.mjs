/**
 * Asks again and again until `check` answers something other than undefined, and answers that. After `limitMs` it
 * throws an Error that says what was waited for.
 */
export async function until(what, { everyMs, limitMs }, check) {
  const deadlineMs = performance.now() + limitMs;
  for (;;) {
    const answer = await check();
    if (answer !== undefined) return answer;
    if (performance.now() > deadlineMs) throw new Error(`Not within ${limitMs / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
