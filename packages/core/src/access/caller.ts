/** Who makes a call. Never holds the credential itself. */
export interface Caller {
  kind: 'api_key' | 'user';
  /** Record id of the key, or user name. */
  id: string;
  /** Title of the key, or user name. */
  title: string;
  privileges: Readonly<Record<string, unknown>>;
}
