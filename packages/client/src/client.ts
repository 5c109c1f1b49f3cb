import { type CallAnswer, callPath, type CallParams } from '@carillon/contract';
import { Caller } from './caller.js';
import { TimedOutError } from './errors.js';
import { JobWatch, type WatchHandlers, type WatchOptions } from './live/watch-job.js';
import { type CallOptions, type ClientOptions, readOptions } from './options.js';
import { readPages } from './pages.js';
import { readCalls } from './read-calls.js';
import { withTimeLimit } from './timer.js';
import type {
  ActivityEntry,
  CallMethods,
  DeliveryEntry,
  HistoryEntry,
  Job,
  JsonCallName,
  ScheduledEvent,
  UpcomingLaunch,
} from './types.js';

const pageSize = 500;
const watchDeadlineMs = 60_000;
const idOf = ({ id }: { id: string }): string => id;

/**
 * The API of a cluster. Every call may fail with ApiError (refused by the server), UnreachableError (no node
 * answered, or none is primary), ClosedError, or the reason of the given signal.
 */
export class CarillonClient implements CallMethods {
  readonly #caller: Caller;

  constructor(options: ClientOptions) {
    this.#caller = new Caller(readOptions(options));
  }

  /** Base URL the next request will go to: the primary, once known. */
  get url(): string {
    return this.#caller.route.current();
  }

  /** Calls the API by the name of the call (API reference, API Calls). Parameters travel as a JSON body. */
  async call<Name extends JsonCallName>(
    name: Name,
    params: CallParams<Name>,
    options: CallOptions = {},
  ): Promise<CallAnswer<Name>> {
    const harmless = readCalls.has(name) || this.#caller.settings.retryWrites;
    const body = JSON.stringify(params);
    const done = await this.#caller.call(
      { path: callPath(name), query: '', body, harmless, text: false },
      options,
    );
    // The one place where the server is believed: a success has the fields of the call's schema.
    return done.fields as CallAnswer<Name>;
  }

  /** One page of the schedule; `schedule` reads all of it. */
  getSchedule(params: CallParams<'get_schedule'> = {}, options?: CallOptions) {
    return this.call('get_schedule', params, options);
  }
  /** One event by id or exact title, with its active jobs. */
  getEvent(params: CallParams<'get_event'> = {}, options?: CallOptions) {
    return this.call('get_event', params, options);
  }
  createEvent(params: CallParams<'create_event'>, options?: CallOptions) {
    return this.call('create_event', params, options);
  }
  updateEvent(params: CallParams<'update_event'>, options?: CallOptions) {
    return this.call('update_event', params, options);
  }
  deleteEvent(params: CallParams<'delete_event'>, options?: CallOptions) {
    return this.call('delete_event', params, options);
  }
  /** One page of an event's completed jobs; `history` reads all of them. */
  getEventHistory(params: CallParams<'get_event_history'>, options?: CallOptions) {
    return this.call('get_event_history', params, options);
  }
  getHistory(params: CallParams<'get_history'> = {}, options?: CallOptions) {
    return this.call('get_history', params, options);
  }
  /** One page of what the schedule will launch. */
  getUpcoming(params: CallParams<'get_upcoming'> = {}, options?: CallOptions) {
    return this.call('get_upcoming', params, options);
  }
  /** Starts a job now; answers the ids of the jobs that were started or queued. */
  runEvent(params: CallParams<'run_event'> = {}, options?: CallOptions) {
    return this.call('run_event', params, options);
  }
  getJobStatus(params: CallParams<'get_job_status'>, options?: CallOptions) {
    return this.call('get_job_status', params, options);
  }
  /** A completed job; an active one is refused. */
  getJobDetails(params: CallParams<'get_job_details'>, options?: CallOptions) {
    return this.call('get_job_details', params, options);
  }
  /** A token for links to the log of an active job. */
  getLogWatchAuth(params: CallParams<'get_log_watch_auth'>, options?: CallOptions) {
    return this.call('get_log_watch_auth', params, options);
  }
  deleteJob(params: CallParams<'delete_job'>, options?: CallOptions) {
    return this.call('delete_job', params, options);
  }
  getActiveJobs(params: CallParams<'get_active_jobs'> = {}, options?: CallOptions) {
    return this.call('get_active_jobs', params, options);
  }
  updateJob(params: CallParams<'update_job'>, options?: CallOptions) {
    return this.call('update_job', params, options);
  }
  abortJob(params: CallParams<'abort_job'>, options?: CallOptions) {
    return this.call('abort_job', params, options);
  }
  /** Changes all active jobs whose fields equal the given ones; without any, every job. */
  updateJobs(params: CallParams<'update_jobs'> & Record<string, unknown>, options?: CallOptions) {
    return this.call('update_jobs', params, options);
  }
  /** Aborts all active jobs whose fields equal the given ones; without any, every job. */
  abortJobs(params: CallParams<'abort_jobs'> & Record<string, unknown> = {}, options?: CallOptions) {
    return this.call('abort_jobs', params, options);
  }
  flushEventQueue(params: CallParams<'flush_event_queue'>, options?: CallOptions) {
    return this.call('flush_event_queue', params, options);
  }
  /** What became of web hooks and e-mails; for administrators. */
  getDeliveries(params: CallParams<'get_deliveries'> = {}, options?: CallOptions) {
    return this.call('get_deliveries', params, options);
  }
  getCategories(params: CallParams<'get_categories'> = {}, options?: CallOptions) {
    return this.call('get_categories', params, options);
  }
  createCategory(params: CallParams<'create_category'>, options?: CallOptions) {
    return this.call('create_category', params, options);
  }
  updateCategory(params: CallParams<'update_category'>, options?: CallOptions) {
    return this.call('update_category', params, options);
  }
  deleteCategory(params: CallParams<'delete_category'>, options?: CallOptions) {
    return this.call('delete_category', params, options);
  }
  getPlugins(params: CallParams<'get_plugins'> = {}, options?: CallOptions) {
    return this.call('get_plugins', params, options);
  }
  /** Answers `warnings` about what is likely to be a mistake. */
  createPlugin(params: CallParams<'create_plugin'>, options?: CallOptions) {
    return this.call('create_plugin', params, options);
  }
  updatePlugin(params: CallParams<'update_plugin'>, options?: CallOptions) {
    return this.call('update_plugin', params, options);
  }
  deletePlugin(params: CallParams<'delete_plugin'>, options?: CallOptions) {
    return this.call('delete_plugin', params, options);
  }
  getServerGroups(params: CallParams<'get_server_groups'> = {}, options?: CallOptions) {
    return this.call('get_server_groups', params, options);
  }
  createServerGroup(params: CallParams<'create_server_group'>, options?: CallOptions) {
    return this.call('create_server_group', params, options);
  }
  updateServerGroup(params: CallParams<'update_server_group'>, options?: CallOptions) {
    return this.call('update_server_group', params, options);
  }
  deleteServerGroup(params: CallParams<'delete_server_group'>, options?: CallOptions) {
    return this.call('delete_server_group', params, options);
  }
  getApiKeys(params: CallParams<'get_api_keys'> = {}, options?: CallOptions) {
    return this.call('get_api_keys', params, options);
  }
  getApiKey(params: CallParams<'get_api_key'>, options?: CallOptions) {
    return this.call('get_api_key', params, options);
  }
  /** Answers the key: the only time it is shown. */
  createApiKey(params: CallParams<'create_api_key'>, options?: CallOptions) {
    return this.call('create_api_key', params, options);
  }
  updateApiKey(params: CallParams<'update_api_key'>, options?: CallOptions) {
    return this.call('update_api_key', params, options);
  }
  deleteApiKey(params: CallParams<'delete_api_key'>, options?: CallOptions) {
    return this.call('delete_api_key', params, options);
  }
  getServers(params: CallParams<'get_servers'> = {}, options?: CallOptions) {
    return this.call('get_servers', params, options);
  }
  /** Drains a server, which then starts anew. */
  restartServer(params: CallParams<'restart_server'>, options?: CallOptions) {
    return this.call('restart_server', params, options);
  }
  /** Drains a server, which then stays away. */
  shutdownServer(params: CallParams<'shutdown_server'>, options?: CallOptions) {
    return this.call('shutdown_server', params, options);
  }
  removeServer(params: CallParams<'remove_server'>, options?: CallOptions) {
    return this.call('remove_server', params, options);
  }
  /** What was done and what went wrong; for administrators. */
  getActivity(params: CallParams<'get_activity'> = {}, options?: CallOptions) {
    return this.call('get_activity', params, options);
  }
  /** Answers the header of an export; `readExport` answers what follows. */
  beginExport(params: CallParams<'begin_export'> = {}, options?: CallOptions) {
    return this.call('begin_export', params, options);
  }
  readExport(params: CallParams<'read_export'>, options?: CallOptions) {
    return this.call('read_export', params, options);
  }
  beginImport(params: CallParams<'begin_import'> = {}, options?: CallOptions) {
    return this.call('begin_import', params, options);
  }
  addToImport(params: CallParams<'add_to_import'>, options?: CallOptions) {
    return this.call('add_to_import', params, options);
  }
  /** Carries out what was added to an import: all of it or nothing. */
  finishImport(params: CallParams<'finish_import'>, options?: CallOptions) {
    return this.call('finish_import', params, options);
  }
  getMasterState(params: CallParams<'get_master_state'> = {}, options?: CallOptions) {
    return this.call('get_master_state', params, options);
  }
  updateMasterState(params: CallParams<'update_master_state'>, options?: CallOptions) {
    return this.call('update_master_state', params, options);
  }
  /** How the cluster is: primary, store, servers, and how much there is to do. */
  status(params: CallParams<'status'> = {}, options?: CallOptions) {
    return this.call('status', params, options);
  }
  config(params: CallParams<'config'> = {}, options?: CallOptions) {
    return this.call('config', params, options);
  }
  /** One page of the users; for administrators, like the following ones. */
  userAdminGetUsers(params: CallParams<'user_admin_get_users'> = {}, options?: CallOptions) {
    return this.call('user_admin_get_users', params, options);
  }
  userAdminGetUser(params: CallParams<'user_admin_get_user'>, options?: CallOptions) {
    return this.call('user_admin_get_user', params, options);
  }
  userAdminCreate(params: CallParams<'user_admin_create'>, options?: CallOptions) {
    return this.call('user_admin_create', params, options);
  }
  userAdminUpdate(params: CallParams<'user_admin_update'>, options?: CallOptions) {
    return this.call('user_admin_update', params, options);
  }
  userAdminDelete(params: CallParams<'user_admin_delete'>, options?: CallOptions) {
    return this.call('user_admin_delete', params, options);
  }
  checkUserExists(params: CallParams<'check_user_exists'>, options?: CallOptions) {
    return this.call('check_user_exists', params, options);
  }
  /** Begins a session; later calls need a client with its `sessionId`. */
  userLogin(params: CallParams<'user_login'>, options?: CallOptions) {
    return this.call('user_login', params, options);
  }
  /** Is the session of this client still good, and whose is it? */
  userResumeSession(params: CallParams<'user_resume_session'> = {}, options?: CallOptions) {
    return this.call('user_resume_session', params, options);
  }
  /** Ends the session of this client. */
  userLogout(params: CallParams<'user_logout'> = {}, options?: CallOptions) {
    return this.call('user_logout', params, options);
  }
  /** Changes the session's own user. */
  userUpdate(params: CallParams<'user_update'>, options?: CallOptions) {
    return this.call('user_update', params, options);
  }
  userDelete(params: CallParams<'user_delete'>, options?: CallOptions) {
    return this.call('user_delete', params, options);
  }
  userForgotPassword(params: CallParams<'user_forgot_password'>, options?: CallOptions) {
    return this.call('user_forgot_password', params, options);
  }
  userResetPassword(params: CallParams<'user_reset_password'>, options?: CallOptions) {
    return this.call('user_reset_password', params, options);
  }
  /** Lets another node become primary. */
  stepDown(params: CallParams<'step_down'> = {}, options?: CallOptions) {
    return this.call('step_down', params, options);
  }
  ping(params: CallParams<'ping'> = {}, options?: CallOptions) {
    return this.call('ping', params, options);
  }

  /** All events, newest first. */
  schedule(options?: CallOptions): AsyncGenerator<ScheduledEvent, void, undefined> {
    return readPages((offset) => this.getSchedule({ offset, limit: pageSize }, options), idOf);
  }

  /** All completed jobs, or those of one event, newest first. */
  history(event?: string, options?: CallOptions): AsyncGenerator<HistoryEntry, void, undefined> {
    return readPages(
      (offset) =>
        event === undefined
          ? this.getHistory({ offset, limit: pageSize }, options)
          : this.getEventHistory({ id: event, offset, limit: pageSize }, options),
      idOf,
    );
  }

  /** The whole activity log, newest first; for administrators. */
  activity(options?: CallOptions): AsyncGenerator<ActivityEntry, void, undefined> {
    // Entries have no id: two that are alike in everything, and in the second, are one for this.
    return readPages(
      (offset) => this.getActivity({ offset, limit: pageSize }, options),
      (entry) => JSON.stringify(entry),
    );
  }

  /** What became of all web hooks and e-mails, or those of one job, newest first; for administrators. */
  deliveries(job?: string, options?: CallOptions): AsyncGenerator<DeliveryEntry, void, undefined> {
    const about = job === undefined ? {} : { job };
    return readPages((offset) => this.getDeliveries({ ...about, offset, limit: pageSize }, options), idOf);
  }

  /** All launches of the next hours (24 when not given), soonest first. */
  upcoming(hours?: number, options?: CallOptions): AsyncGenerator<UpcomingLaunch, void, undefined> {
    const span = hours === undefined ? {} : { hours };
    return readPages(
      (offset) => this.getUpcoming({ ...span, offset, limit: pageSize }, options),
      ({ event, epoch }) => `${event} ${epoch}`,
    );
  }

  /** The log of a job as text: complete, or so far. */
  async jobLog(id: string, options?: CallOptions): Promise<string> {
    return (await this.#readLog(id, options)).toString();
  }

  /**
   * Follows a job to its end over the live channel, with its log from the start; where that cannot be used, by asking
   * again and again. Outlives the loss of connections and of the primary. Resolves with the
   * completed job, whether it succeeded or not.
   */
  watchJob(id: string, handlers: WatchHandlers, options: WatchOptions = {}): Promise<Job> {
    const source = {
      jobStatus: async (job: string, deadlineMs: number, signal: AbortSignal) =>
        (await this.getJobStatus({ id: job }, { deadlineMs, signal })).job,
      jobLog: (job: string, deadlineMs: number, signal: AbortSignal) =>
        this.#readLog(job, { deadlineMs, signal }),
    };
    const deadlineMs = options.deadlineMs ?? watchDeadlineMs;
    const watch = new JobWatch(this.#caller, source, id, handlers, deadlineMs);
    const { timeoutMs } = options;
    const limit = { limitMs: timeoutMs, reason: () => new TimedOutError(timeoutMs ?? 0) };
    return this.#caller.guard(options.signal, (outer) =>
      withTimeLimit(this.#caller.settings.timer, outer, limit, (signal) => watch.run(signal)),
    );
  }

  /** Resolves with the job when it is complete; `onProgress` gets it at each change. */
  waitForJob(id: string, options: WatchOptions & { onProgress?: (job: Job) => void } = {}): Promise<Job> {
    const { onProgress, ...rest } = options;
    return this.watchJob(id, onProgress === undefined ? {} : { onJob: onProgress }, rest);
  }

  /** Ends what is under way with ClosedError, and all connections. */
  close(): void {
    this.#caller.close();
  }

  async #readLog(id: string, options?: CallOptions): Promise<Buffer> {
    const query = `?${new URLSearchParams({ id }).toString()}`;
    const call = { path: callPath('get_job_log'), query, body: undefined, harmless: true, text: true };
    return (await this.#caller.call(call, options)).body;
  }
}

/** A client of the cluster at `url` or `urls`. Throws TypeError when an option is unusable. */
export const createClient = (options: ClientOptions): CarillonClient => new CarillonClient(options);
