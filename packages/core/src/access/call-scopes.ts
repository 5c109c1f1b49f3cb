import type { ApiCallName } from '@carillon/contract';

/**
 * What category and group limits (behaviour reference 2.5) mean for a call:
 * `open` it neither shows nor touches an event or a job; `admin` it is for administrators, who have no limits;
 * `object` it is about one event or job and is refused beyond the limits; `list` it shows those within the limits;
 * `each` it touches all that match and is refused when one of them is beyond the limits.
 */
export type CallScope = 'open' | 'admin' | 'object' | 'list' | 'each';

/**
 * How every call keeps to the limits of its caller. A call that is added does not compile, and a class that a call does
 * not keep to fails a test, which is made from this table.
 */
export const callScopes = {
  get_schedule: 'list',
  get_event: 'object',
  create_event: 'object',
  update_event: 'object',
  delete_event: 'object',
  get_event_history: 'object',
  get_history: 'list',
  get_upcoming: 'list',
  run_event: 'object',
  get_job_status: 'object',
  get_job_details: 'object',
  delete_job: 'admin',
  get_active_jobs: 'list',
  update_job: 'object',
  abort_job: 'object',
  update_jobs: 'each',
  abort_jobs: 'each',
  flush_event_queue: 'object',
  get_job_log: 'object',
  get_live_job_log: 'object',
  get_log_watch_auth: 'object',
  get_deliveries: 'admin',
  get_activity: 'admin',
  // What events are made of is no secret of a category: clients need it to show and make events.
  get_categories: 'open',
  create_category: 'admin',
  update_category: 'admin',
  delete_category: 'admin',
  get_plugins: 'open',
  create_plugin: 'admin',
  update_plugin: 'admin',
  delete_plugin: 'admin',
  get_server_groups: 'open',
  create_server_group: 'admin',
  update_server_group: 'admin',
  delete_server_group: 'admin',
  get_api_keys: 'admin',
  get_api_key: 'admin',
  create_api_key: 'admin',
  update_api_key: 'admin',
  delete_api_key: 'admin',
  get_servers: 'admin',
  restart_server: 'admin',
  shutdown_server: 'admin',
  remove_server: 'admin',
  begin_export: 'admin',
  read_export: 'admin',
  begin_import: 'admin',
  add_to_import: 'admin',
  finish_import: 'admin',
  user_admin_get_users: 'admin',
  user_admin_get_user: 'admin',
  user_admin_create: 'admin',
  user_admin_update: 'admin',
  user_admin_delete: 'admin',
  check_user_exists: 'open',
  user_login: 'open',
  user_resume_session: 'open',
  user_logout: 'open',
  user_update: 'open',
  user_delete: 'open',
  user_forgot_password: 'open',
  user_reset_password: 'open',
  // Totals of the day, of all events: a number tells nothing about any of them.
  get_master_state: 'open',
  update_master_state: 'open',
  step_down: 'admin',
  status: 'list',
  config: 'open',
  ping: 'open',
} as const satisfies Record<ApiCallName, CallScope>;
