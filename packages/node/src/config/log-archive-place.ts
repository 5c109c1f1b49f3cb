import { resolve } from 'node:path';

/** Where the logs of completed jobs are kept. */
export type LogArchivePlace =
  | { readonly kind: 'redis' }
  /** `path` is absolute. */
  | { readonly kind: 'directory'; readonly path: string }
  | {
      readonly kind: 's3';
      readonly bucket: string;
      /** First part of every key: '' or ending in a slash. */
      readonly prefix: string;
      /** Of an S3-compatible server; undefined: Amazon's own. */
      readonly endpoint: string | undefined;
      readonly region: string | undefined;
    };

const bucket = '[a-z0-9][a-z0-9.\\-]{1,61}[a-z0-9]';
const prefix = "[\\w!.*'()\\-/]*";
const endpoint = 'endpoint=https?://[\\w.\\-:\\[\\]]+[\\w.\\-/]*';
const region = 'region=[a-z0-9\\-]+';
const query = `(?:${endpoint}(?:&${region})?|${region}(?:&${endpoint})?)`;

/** What `readLogArchivePlace` understands, as a regular expression for schemas. */
export const logArchivePattern = `^(?:redis|dir:[^\\0]+|s3://${bucket}(?:/${prefix})?(?:\\?${query})?)$`;

/** Reads a text that matches the pattern; a relative directory is below `workingDirectory`. */
export function readLogArchivePlace(text: string, workingDirectory: string): LogArchivePlace {
  if (text === 'redis') return { kind: 'redis' };
  if (text.startsWith('dir:')) {
    return { kind: 'directory', path: resolve(workingDirectory, text.slice('dir:'.length)) };
  }
  const [where = '', options = ''] = text.slice('s3://'.length).split('?');
  const [name = '', ...parts] = where.split('/');
  const given = new Map(
    options.split('&').map((option) => {
      const equals = option.indexOf('=');
      return [option.slice(0, equals), option.slice(equals + 1)];
    }),
  );
  const folders = parts.filter((part) => part !== '');
  return {
    kind: 's3',
    bucket: name,
    prefix: folders.map((folder) => `${folder}/`).join(''),
    endpoint: given.get('endpoint')?.replace(/\/+$/, ''),
    region: given.get('region'),
  };
}

/** The text that is read as this place. */
export function showLogArchivePlace(place: LogArchivePlace): string {
  if (place.kind === 'redis') return 'redis';
  if (place.kind === 'directory') return `dir:${place.path}`;
  const options = [
    ...(place.endpoint === undefined ? [] : [`endpoint=${place.endpoint}`]),
    ...(place.region === undefined ? [] : [`region=${place.region}`]),
  ];
  const question = options.length === 0 ? '' : `?${options.join('&')}`;
  return `s3://${place.bucket}/${place.prefix}${question}`;
}
