export { CarillonClient, createClient } from './client.js';
export { ApiError, ClosedError, TimedOutError, UnreachableError } from './errors.js';
export type { WatchHandlers, WatchOptions } from './live/watch-job.js';
export type { CallOptions, ClientOptions, RetryOptions } from './options.js';
export type { Timer } from './timer.js';
export type {
  ActivityEntry,
  CallMethods,
  DeliveryEntry,
  HistoryEntry,
  Job,
  JsonCallName,
  ScheduledEvent,
  UpcomingLaunch,
} from './types.js';
