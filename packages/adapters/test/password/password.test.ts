import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { MemoryPasswordHasher, ScryptPasswordHasher } from '@carillon/adapters';
import { passwordConformance } from '@carillon/testkit';

const small = { costLog: 4, blockSize: 8, parallel: 1 };
const bcryptOfGeheim = {
  password: '$2b$06$DCq7YPn5Rq63x1Lad4cll.8GGTtQhEYo7wQk7rnZs1PNjOq0wyalC',
  salt: 'salz',
};

passwordConformance('MemoryPasswordHasher', () => ({
  hasher: new MemoryPasswordHasher(),
  outdated: { hash: { password: 'old:zlasmieheg', salt: 'salz' }, password: 'geheim' },
}));
passwordConformance('ScryptPasswordHasher', () => ({
  hasher: new ScryptPasswordHasher(small),
  outdated: { hash: bcryptOfGeheim, password: 'geheim' },
}));

describe('hashes that Cronicle made (behaviour reference 2.6)', () => {
  const hasher = new ScryptPasswordHasher(small);

  // Made by the C library of the system, the first one also printed with the original implementation.
  test.each([
    ['', '', '$2a$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s.'],
    ['pässwörd✓', 'salt', '$2a$05$If6bvum7DFjUnE9p2uDeDuFuoAtc1vzzEfXe7vMcwUbRQQTcnmgK6'],
    ['x'.repeat(60), 'x'.repeat(40), '$2b$04$.rCVZVOThsIa97pEDOxvGuandUkYgkw8U4FuyhbqByN2VdSO/XtWu'],
    [
      'correct horse',
      '0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef',
      '$2a$10$m0CrhHm10qJ3lXRY.5zDGOlh03zBnXAXDSV1M1m.Qe4soRy0RpSuq',
    ],
  ])('bcrypt: %j with salt %j', async (password, salt, hash) => {
    expect(await hasher.verify(password, { password: hash, salt })).toBe(true);
    expect(await hasher.verify(`?${password}`, { password: hash, salt })).toBe(false);
    expect(await hasher.verify(password, { password: `${hash.slice(0, -1)}.`, salt: `?${salt}` })).toBe(
      false,
    );
  });

  test('SHA-256, as with use_bcrypt switched off', async () => {
    const password = createHash('sha256').update('geheimsalz').digest('hex');
    expect(await hasher.verify('geheim', { password, salt: 'salz' })).toBe(true);
    expect(await hasher.verify('geheim', { password, salt: 'salt' })).toBe(false);
    expect(hasher.isOutdated({ password, salt: 'salz' })).toBe(true);
  });

  test('the event loop goes on while a costly hash is checked', async () => {
    let turns = 0;
    let isOver = false;
    const count = () => {
      turns += 1;
      if (!isOver) setImmediate(count);
    };
    count();
    await hasher.verify('x', {
      ...bcryptOfGeheim,
      password: bcryptOfGeheim.password.replace('$06$', '$08$'),
    });
    isOver = true;
    expect(turns).toBeGreaterThanOrEqual(16);
  });

  test('a cost that would keep the node busy for a minute is refused', async () => {
    const password = bcryptOfGeheim.password.replace('$06$', '$20$');
    expect(await hasher.verify('geheim', { password, salt: 'salz' })).toBe(false);
  });
});

describe('effort', () => {
  test('a hash made with less than now is outdated, but known', async () => {
    const earlier = await new ScryptPasswordHasher(small).hash('geheim12');
    const hasher = new ScryptPasswordHasher({ ...small, costLog: 5 });
    expect(hasher.isOutdated(earlier)).toBe(true);
    expect(await hasher.verify('geheim12', earlier)).toBe(true);
  });

  test('the usual one is at least 32 MiB, three times', async () => {
    const { password } = await new ScryptPasswordHasher().hash('geheim12');
    expect(password).toMatch(/^\$scrypt\$ln=15,r=8,p=3\$/);
    expect(await new ScryptPasswordHasher().verify('geheim12', { password, salt: '' })).toBe(true);
  });

  test('composed and decomposed letters are the same password', async () => {
    const hasher = new ScryptPasswordHasher(small);
    expect(await hasher.verify('u\u0308ber', await hasher.hash('\u00fcber'))).toBe(true);
  });
});
