import type { TObject, TProperties } from 'typebox';

/** How the query string and the body become one set of parameters (behaviour reference 1.3). */
export type MergeRule =
  /** Body, then query on top. */
  | 'query-wins'
  /** Query, then body on top; with a truthy `post_data` in the query the body is kept apart. */
  | 'body-wins'
  /** Only the body counts. */
  | 'body-only'
  /** Only the query counts. */
  | 'query-only';

/** Privileges of API keys and users (behaviour reference 2.4). */
export const privileges = {
  admin: 'Everything; implies all others and ignores limits',
  create_events: 'create_event',
  edit_events: 'update_event, update_job, update_jobs',
  delete_events: 'delete_event',
  run_events: 'run_event',
  abort_events: 'abort_job, abort_jobs, flush_event_queue, update_event with abort_jobs',
  state_update: 'update_master_state',
} as const;

/** What narrows a key or a user down; administrators are never narrowed (behaviour reference 2.4, 2.5). */
export const restrictions = {
  cat_limit: 'Only categories for which there is a `cat_ID` as well',
  grp_limit: 'Only server groups for which there is a `grp_ID` as well, and the servers in them',
  job_read_only: '`run_event` takes the event as it is, without overrides',
} as const;
export type Privilege = keyof typeof privileges;

export interface ApiCall {
  readonly summary: string;
  /** Methods the reference names; others run the call as well. */
  readonly methods: readonly ('GET' | 'POST')[];
  readonly merge: MergeRule;
  /** Calls of the area `user` are at `/api/user/NAME` and have names that begin with `user_`; others at `/api/app/NAME`. */
  readonly area?: 'user';
  /** `none`: no credential needed; `valid`: any key or session; `session`: a session; otherwise a privilege. */
  readonly auth: 'none' | 'valid' | 'session' | Privilege;
  /** It tells whether a password or a recovery key is right: refused to addresses that have guessed wrong too often. */
  readonly checksSecret?: true;
  /** A token of the query parameter `t`, for the job `id`, does instead of a credential. */
  readonly acceptsToken?: true;
  /** The answer is text, not JSON. */
  readonly answersText?: true;
  /** False: any node answers. */
  readonly primaryOnly: boolean;
  /** Parameters by name; those without `Type.Optional` are required. Unknown ones are never refused. */
  readonly params: TObject<TProperties>;
  /** Fields of a successful answer beside `code: 0`. */
  readonly response: TObject<TProperties>;
  /** Descriptions of the parameters that the schemas themselves do not explain. */
  readonly notes?: string;
}
