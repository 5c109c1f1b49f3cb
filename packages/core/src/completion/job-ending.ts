import type { JobResult } from '@carillon/contract';

/** How an active job comes to its end. */
export type JobEnding =
  /** Its run has a result. */
  | { how: 'result'; result: JobResult }
  /** Its abort is recorded and no process of it exists. */
  | { how: 'aborted' }
  /** Its worker is gone. */
  | { how: 'lost'; hostname: string }
  /** It waited for a start that cannot come any more. */
  | { how: 'unlaunchable'; description: string };
