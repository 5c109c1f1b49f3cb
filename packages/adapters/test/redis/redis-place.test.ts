import { maskRedisUrl, readRedisPlace } from '@carillon/adapters';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

const nobody = { username: undefined, password: undefined };

describe('addresses of one server', () => {
  test.each([
    ['redis://127.0.0.1:6379', { kind: 'server', url: 'redis://127.0.0.1:6379', tls: false }],
    ['rediss://u:pw@r.example:6380/2', { kind: 'server', url: 'rediss://u:pw@r.example:6380/2', tls: true }],
    ['unix:/run/redis.sock', { kind: 'socket', path: '/run/redis.sock' }],
    ['unix:///run/redis.sock', { kind: 'socket', path: '/run/redis.sock' }],
    ['/run/redis.sock', { kind: 'socket', path: '/run/redis.sock' }],
  ])('%s', (url, expected) => {
    expect(readRedisPlace(url)).toEqual(expected);
  });
});

describe('addresses of sentinels', () => {
  const one = { host: 's1', port: 26_379 };
  const plain = {
    kind: 'sentinel',
    sentinels: [one],
    name: 'main',
    database: 0,
    login: nobody,
    sentinelLogin: nobody,
    tls: false,
  };
  test.each([
    ['redis+sentinel://s1/main', {}],
    ['rediss+sentinel://s1/main', { tls: true }],
    ['redis+sentinel://s1/main/3', { database: 3 }],
    ['redis+sentinel://s1/main/', {}],
    ['redis+sentinel://s1/my.main-1', { name: 'my.main-1' }],
    [
      'redis+sentinel://s1:1,s2:65535/main',
      {
        sentinels: [
          { ...one, port: 1 },
          { host: 's2', port: 65_535 },
        ],
      },
    ],
    ['redis+sentinel://s1, [::1]:7/main', { sentinels: [one, { host: '::1', port: 7 }] }],
    ['redis+sentinel://u:p@s1/main', { login: { username: 'u', password: 'p' } }],
    ['redis+sentinel://:p%40%2F@s1/main', { login: { username: undefined, password: 'p@/' } }],
    ['redis+sentinel://:a@b:c@s1/main', { login: { username: undefined, password: 'a@b:c' } }],
    ['redis+sentinel://u@s1/main', { login: { username: 'u', password: undefined } }],
    [
      'redis+sentinel://s1/main?sentinel_username=su&sentinel_password=s%26p',
      { sentinelLogin: { username: 'su', password: 's&p' } },
    ],
  ])('%s', (url, changed) => {
    expect(readRedisPlace(url)).toEqual({ ...plain, ...changed });
  });
});

describe('addresses of a cluster', () => {
  const plain = { kind: 'cluster', servers: [{ host: 'c1', port: 6379 }], login: nobody, tls: false };
  test.each([
    ['redis+cluster://c1', {}],
    ['redis+cluster://c1/0', {}],
    ['rediss+cluster://u:p@c1/', { tls: true, login: { username: 'u', password: 'p' } }],
    [
      'redis+cluster://10.0.0.1:7000,10.0.0.2:7001',
      {
        servers: [
          { host: '10.0.0.1', port: 7000 },
          { host: '10.0.0.2', port: 7001 },
        ],
      },
    ],
  ])('%s', (url, changed) => {
    expect(readRedisPlace(url)).toEqual({ ...plain, ...changed });
  });
});

describe('what is not an address', () => {
  test.each([
    ['', /scheme is ""/],
    ['localhost', /scheme is ""/],
    ['unix:relative', /scheme is "unix:"/],
    ['http://:secret@h', /scheme is "http:"/],
    ['sentinel://:secret@h', /redis\+sentinel/],
    ['redis://', /cannot be read/],
    ['redis://:secret@h:port', /cannot be read/],
    ['redis+sentinel:secret', /cannot be read/],
    ['redis+sentinel://h/main#secret', /cannot be read/],
    ['redis+sentinel://:secret@h', /comes \/name/],
    ['redis+sentinel://h/', /comes \/name/],
    ['redis+sentinel://h/a b', /comes \/name/],
    ['redis+sentinel://h/main/x', /comes \/name/],
    ['redis+sentinel:///main', /list of host:port/],
    ['redis+sentinel://h,,i/main', /list of host:port/],
    ['redis+sentinel://:se cret@h:70000/main', /70000 is not a port/],
    ['redis+sentinel://h:0/main', /0 is not a port/],
    ['redis+sentinel://:%secret@h/main', /%25/],
    ['redis+sentinel://h/main?password=secret', /options can be sentinel_username and/],
    ['redis+sentinel://h/main?sentinel_password=%secret', /%25/],
    ['redis+cluster://h/1', /no databases/],
    ['redis+cluster://h?password=secret', /takes no options/],
    ['redis+cluster://', /list of host:port/],
  ])('%j is refused with the reason, without showing credentials', (url, reason) => {
    expect(() => readRedisPlace(url)).toThrow(RangeError);
    expect(() => readRedisPlace(url)).toThrow(reason);
    expect(() => readRedisPlace(url)).not.toThrow(/se ?cret/);
  });

  test('no text makes it fail otherwise', () => {
    const text = fc.oneof(
      fc.string(),
      fc
        .tuple(fc.constantFrom('redis+sentinel://', 'redis+cluster://', 'redis://', 'unix:'), fc.string())
        .map(([scheme, rest]) => scheme + rest),
    );
    fc.assert(
      fc.property(text, (url) => {
        try {
          readRedisPlace(url);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
    );
  });
});

describe('a masked address', () => {
  test.each([
    ['redis://r', 'redis://r'],
    ['redis://:p@r/1', 'redis://:********@r/1'],
    [
      'rediss+sentinel://u:a@b@s1,s2/n?sentinel_password=x',
      'rediss+sentinel://u:********@s1,s2/n?sentinel_password=********',
    ],
    [
      'redis+sentinel://s1/n?sentinel_password=x&sentinel_username=u',
      'redis+sentinel://s1/n?sentinel_password=********&sentinel_username=u',
    ],
    ['redis+cluster://:p@c1:1,c2:2', 'redis+cluster://:********@c1:1,c2:2'],
  ])('%s', (url, expected) => {
    expect(maskRedisUrl(url)).toBe(expected);
  });
});
