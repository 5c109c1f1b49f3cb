import { readFile } from 'node:fs/promises';
import type { Cancel, Clock, Logger } from '@carillon/core';
import type { Config } from '../config/index.js';
import { reasonOf } from './data-directory.js';

/** The contents of the PEM files of the configuration. */
export interface Certificates {
  /** Of this node; undefined: plain HTTP. */
  readonly own: OwnCertificate | undefined;
  /** Authorities of the nodes' certificates; undefined: the system's. */
  readonly ca: string | undefined;
}

export interface OwnCertificate {
  readonly cert: string;
  readonly key: string;
}

const lookEveryMs = 60_000;

/** Rejects, naming the setting and the file, when one cannot be read. */
export async function readCertificates({ tls, caPath }: Config['http']): Promise<Certificates> {
  return {
    own: tls === undefined ? undefined : await readOwn(tls),
    ca: caPath === undefined ? undefined : await readPem('CARILLON_TLS_CA', caPath),
  };
}

/**
 * Calls `renew` when the files of the node's certificate have changed: looks each minute and at each SIGHUP. A pair
 * that cannot be read or used is logged, once, and the one in use stays.
 */
export function followCertificate(
  tls: NonNullable<Config['http']['tls']>,
  inUse: OwnCertificate,
  renew: (certificate: OwnCertificate) => void,
  clock: Clock,
  log: Logger,
): Cancel {
  let current = textOf(inUse);
  let complaint = '';
  const look = async (): Promise<void> => {
    try {
      const found = await readOwn(tls);
      if (textOf(found) === current) return;
      renew(found);
      current = textOf(found);
      complaint = '';
      log.log('info', 'A renewed certificate is in use');
    } catch (error) {
      if (complaint === reasonOf(error)) return;
      complaint = reasonOf(error);
      log.log('warn', 'The certificate could not be renewed; the earlier one stays in use', {
        error: complaint,
      });
    }
  };
  const onSignal = (): void => void look();
  process.on('SIGHUP', onSignal);
  const cancel = clock.every(lookEveryMs, onSignal);
  return () => {
    cancel();
    process.off('SIGHUP', onSignal);
  };
}

const textOf = ({ cert, key }: OwnCertificate): string => cert + key;

async function readOwn(tls: NonNullable<Config['http']['tls']>): Promise<OwnCertificate> {
  const [cert, key] = await Promise.all([
    readPem('CARILLON_TLS_CERT', tls.certPath),
    readPem('CARILLON_TLS_KEY', tls.keyPath),
  ]);
  return { cert, key };
}

async function readPem(setting: string, path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new Error(`${setting}: ${path} cannot be read: ${reasonOf(error)}`);
  });
  if (!text.includes('-----BEGIN ')) throw new Error(`${setting}: ${path} is no PEM file`);
  return text;
}
