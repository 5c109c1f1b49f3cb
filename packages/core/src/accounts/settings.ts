/** Settings of user accounts; Cronicle's names below `User` in brackets. */
export interface AccountSettings {
  /** Days from the login to the end of a session (`session_expire_days`). */
  sessionExpireDays: number;
  /** Failures in one hour of the clock that lock an account (`max_failed_logins_per_hour`). */
  maxFailedLoginsPerHour: number;
  /** Recovery mails for one user in one hour of the clock (`max_forgot_passwords_per_hour`). */
  maxForgotPasswordsPerHour: number;
  /** Users may delete their own account (`self_delete`). */
  selfDelete: boolean;
  /** Of users created without any (`default_privileges`). */
  defaultPrivileges: Readonly<Record<string, unknown>>;
}

export const defaultAccountSettings: AccountSettings = {
  sessionExpireDays: 30,
  maxFailedLoginsPerHour: 5,
  maxForgotPasswordsPerHour: 3,
  selfDelete: true,
  defaultPrivileges: { create_events: 1, edit_events: 1, delete_events: 1, run_events: 0, abort_events: 0 },
};
