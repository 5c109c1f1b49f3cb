import { bundle } from '../bundle.mjs';

/** The programs that tests start are those that are shipped, made from the sources as they are now. */
// oxlint-disable-next-line import/no-default-export -- Jest takes nothing else
export default async function beforeTests() {
  await bundle();
}
