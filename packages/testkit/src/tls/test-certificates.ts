import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { isIP } from 'node:net';

/** A certificate and its key, in PEM. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority of one test, made up in memory; its keys are in no repository. */
export interface TestAuthority {
  /** Its own certificate, in PEM: what clients are told to trust. */
  readonly ca: string;
  /** A certificate for a server of these names and IPv4 addresses. */
  issue(...names: string[]): TestCertificate;
}

/** An authority whose certificates hold for a day before and after now. */
export function createTestAuthority(name = 'Carillon test authority'): TestAuthority {
  const { publicKey, privateKey } = newKeys();
  const own = { subject: name, publicKey, isAuthority: true, names: [] };
  return {
    ca: certificate(own, name, privateKey),
    issue: (...names) => {
      const keys = newKeys();
      const subject = { subject: names[0] ?? 'test', publicKey: keys.publicKey, isAuthority: false, names };
      return {
        cert: certificate(subject, name, privateKey),
        key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      };
    },
  };
}

interface Subject {
  readonly subject: string;
  readonly publicKey: KeyObject;
  readonly isAuthority: boolean;
  readonly names: readonly string[];
}

const dayMs = 86_400_000;
const newKeys = () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' });

/** DER: a tag, a length, and what is inside. */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts);
const objectId = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const yes = der(0x01, Buffer.from([0xff]));
/** The object identifiers of X.509 that are needed here. */
const ids = {
  commonName: objectId('550403'),
  ecdsaWithSha256: objectId('2a8648ce3d040302'),
  basicConstraints: objectId('551d13'),
  alternativeNames: objectId('551d11'),
};

const nameOf = (text: string): Buffer =>
  sequence(der(0x31, sequence(ids.commonName, der(0x0c, Buffer.from(text)))));

const timeOf = (ms: number): Buffer =>
  der(0x17, Buffer.from(`${new Date(ms).toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`));

const alternative = (name: string): Buffer =>
  isIP(name) === 4 ? der(0x87, Buffer.from(name.split('.').map(Number))) : der(0x82, Buffer.from(name));

function extensions({ isAuthority, names }: Subject): Buffer {
  const all = isAuthority
    ? [sequence(ids.basicConstraints, yes, der(0x04, sequence(yes)))]
    : [sequence(ids.alternativeNames, der(0x04, sequence(...names.map(alternative))))];
  return der(0xa3, sequence(...all));
}

let serial = 0;

function certificate(subject: Subject, issuer: string, key: KeyObject): string {
  serial += 1;
  const algorithm = sequence(ids.ecdsaWithSha256);
  const now = Date.now();
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([0x10, process.pid & 0xff, serial >> 8, serial & 0xff])),
    algorithm,
    nameOf(issuer),
    sequence(timeOf(now - dayMs), timeOf(now + dayMs)),
    nameOf(subject.subject),
    subject.publicKey.export({ type: 'spki', format: 'der' }),
    extensions(subject),
  );
  const signature = der(0x03, Buffer.from([0]), sign('sha256', body, key));
  const lines =
    sequence(body, algorithm, signature)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
