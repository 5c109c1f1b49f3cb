import { describe, expect, test } from '@jest/globals';
import { checkTiming } from '@carillon/contract';
import { compileTiming, isMatch, parseCrontabFile, wallTime } from '@carillon/core';
import fc from 'fast-check';

const user = (text: string) => parseCrontabFile(text, { fileName: 'tab', userColumn: false });
const system = (text: string, fileName = '/etc/crontab') =>
  parseCrontabFile(text, { fileName, userColumn: true });
/** Script of the only event. */
const script = (text: string): string => {
  const { events, problems } = user(text);
  expect(problems).toEqual([]);
  expect(events).toHaveLength(1);
  return events[0]?.script ?? '';
};

test('the system crontab of a Debian machine', () => {
  const text = `# /etc/crontab: system-wide crontab
# Unlike any other crontab you don't have to run the \`crontab' command.

SHELL=/bin/sh
# You can also override PATH, but by default, newer versions inherit it from the environment
PATH=/usr/local/sbin:/usr/local/bin:/sbin:/bin:/usr/sbin:/usr/bin

# Example of job definition:
# .---------------- minute (0 - 59)
# *  *  *  *  * user-name command to be executed
17 *\t* * *\troot    cd / && run-parts --report /etc/cron.hourly
25 6\t* * *\troot\ttest -x /usr/sbin/anacron || { cd / && run-parts --report /etc/cron.daily; }
47 6\t* * 7\troot\ttest -x /usr/sbin/anacron || { cd / && run-parts --report /etc/cron.weekly; }
52 6\t1 * *\troot\ttest -x /usr/sbin/anacron || { cd / && run-parts --report /etc/cron.monthly; }
#
`;
  const { events, problems } = system(text);
  expect(problems).toEqual([]);
  expect(events.map((event) => event.title)).toEqual([
    'crontab: cd / && run-parts --report /etc/cron.hourly',
    'crontab: test -x /usr/sbin/anacron || { cd / && run-parts --report',
    'crontab: test -x /usr/sbin/anacron || { cd / && run-parts --report (2)',
    'crontab: test -x /usr/sbin/anacron || { cd / && run-parts --report (3)',
  ]);
  expect(events.map((event) => event.timing)).toEqual([
    { minutes: [17] },
    { minutes: [25], hours: [6] },
    { minutes: [47], hours: [6], weekdays: [0] },
    { minutes: [52], hours: [6], days: [1] },
  ]);
  expect(events[0]).toMatchObject({
    user: 'root',
    notes: 'Imported from crontab, line 11. Ran as user root.',
    script: `#!/bin/sh
export SHELL='/bin/sh'
export PATH='/usr/local/sbin:/usr/local/bin:/sbin:/bin:/usr/sbin:/usr/bin'
exec </dev/null
cd / && run-parts --report /etc/cron.hourly
`,
  });
});

describe('environment lines', () => {
  test('hold for the lines below them', () => {
    const { events } = user('0 0 * * * one\nA=1\n0 0 * * * two\n A = "b c" \n0 0 * * * three');
    expect(
      events.map((event) => event.script.split('\n').filter((line) => line.startsWith('export'))),
    ).toEqual([[], ["export A='1'"], ["export A='b c'"]]);
  });
  test('values are quoted for the shell, and not expanded', () => {
    expect(script(`X=it's $HOME; rm -rf /\n* * * * * true`)).toContain(
      `export X='it'\\''s $HOME; rm -rf /'\n`,
    );
  });
  test('quotes around name and value are cron syntax', () => {
    expect(script(`"X"='a'\n* * * * * true`)).toContain("export X='a'\n");
    expect(script(`X=a"b\n* * * * * true`)).toContain(`export X='a"b'\n`);
  });
  test('SHELL decides the first line; a shell of another family gets the command as an argument', () => {
    expect(script('SHELL=/bin/bash\n* * * * * true')).toMatch(/^#!\/bin\/bash\n/);
    expect(script("SHELL=/usr/bin/fish\n* * * * * echo 'a'")).toMatch(
      /^#!\/bin\/sh\n(.*\n)*exec \/usr\/bin\/fish -c 'echo '\\''a'\\'''\n$/,
    );
  });
  test('a SHELL that is no path is reported and replaced', () => {
    const { events, problems } = user('SHELL=bash\n* * * * * true');
    expect(problems).toEqual([
      { line: 1, text: 'SHELL=bash', reason: 'SHELL is not an absolute path; /bin/sh is used' },
    ]);
    expect(events[0]?.script).toMatch(/^#!\/bin\/sh\nexec /);
  });
  test('CRON_TZ and TZ are the time zone; CRON_TZ is no variable of the command', () => {
    const { events, problems } = user(
      'CRON_TZ=Asia/Tokyo\n* * * * * a\nTZ=:Europe/Paris\n* * * * * b\nCRON_TZ=\n* * * * * c\nTZ=Mars/X\n* * * * * d',
    );
    expect(events.map((event) => event.timezone)).toEqual([
      'Asia/Tokyo',
      'Europe/Paris',
      undefined,
      undefined,
    ]);
    expect(events[0]?.script).not.toContain('TZ');
    expect(events[1]?.script).toContain("export TZ=':Europe/Paris'");
    expect(problems).toEqual([
      { line: 7, text: 'TZ=Mars/X', reason: 'Unknown time zone: Mars/X; it is ignored for the schedule' },
    ]);
  });
  test('MAILTO is recorded', () => {
    expect(user('MAILTO=ops@example.com\n* * * * * true').events[0]?.notes).toBe(
      'Imported from tab, line 2. Output was mailed to ops@example.com.',
    );
  });
});

describe('commands', () => {
  test('without % standard input is empty', () => {
    expect(script('* * * * * cat')).toBe('#!/bin/sh\nexec </dev/null\ncat\n');
  });
  test('% starts standard input, further ones are line breaks, an escaped one is a %', () => {
    expect(script(String.raw`* * * * * date +\%F; cat%one%two 100\%%`)).toBe(
      "#!/bin/sh\nexec <<'END_OF_INPUT'\none\ntwo 100%\nEND_OF_INPUT\ndate +%F; cat\n",
    );
  });
  test('input cannot end its own text early', () => {
    expect(script('* * * * * cat%END_OF_INPUT%rm')).toContain(
      "exec <<'END_OF_INPUT_'\nEND_OF_INPUT\nrm\nEND_OF_INPUT_\ncat\n",
    );
  });
  test('titles carry no HTML metacharacters and stay short', () => {
    const [event] = user(`* * * * * sort <in >out && ${'x'.repeat(200)}`).events;
    expect(event?.title).toBe('tab: sort in out &&');
    expect(user(`* * * * * /${'y'.repeat(200)}`).events[0]?.title).toHaveLength(5 + 60);
  });
});

test.each([
  ['@reboot /bin/true', '@reboot has no counterpart: there is no boot of a cluster to run it at'],
  ['@sometimes /bin/true', 'Invalid crontab keyword: @sometimes'],
  ['@daily', 'The command is missing'],
  ['* * * * *', 'The command is missing'],
  ['* * * * * %input only', 'The command is missing'],
  ['0 0 1', 'Neither five time fields and a command nor NAME=value'],
  ['FOO BAR=1', 'Neither five time fields and a command nor NAME=value'],
  ['61 * * * * true', 'Invalid crontab format: 61'],
  ['* * 0 * * true', 'Invalid crontab format: 0'],
  ['* * * * 8 true', 'Invalid crontab format: 8'],
  ['h * * * * true', 'Invalid crontab format: h'],
  ['0~9 * * * * true', 'Invalid crontab format: 0~9'],
  ['* * * * * a\0b', 'The line contains a NUL character'],
])('%j is a problem', (text, reason) => {
  expect(user(`# first\n${text}`)).toEqual({ events: [], problems: [{ line: 2, text, reason }] });
});

test('a system crontab line without a user has no command', () => {
  expect(system('* * * * * root').problems[0]?.reason).toBe('The user or the command is missing');
  expect(system('@daily root true').events[0]).toMatchObject({
    user: 'root',
    timing: { hours: [0], minutes: [0] },
  });
});

test('Windows line ends and white space around lines do not matter', () => {
  expect(user('\r\n  A=1  \r\n\t* * * * * true \r\n').events[0]?.script).toContain("export A='1'\n");
});

describe('day of month and weekday', () => {
  /** What cron itself would do, from its own rule. */
  const runsInCron = (days: string, weekdays: string, second: number): boolean => {
    const wall = wallTime(second);
    const [day] = user(`* * ${days} * * x`).events;
    const [weekday] = user(`* * * * ${weekdays} x`).events;
    const hit = (timing: object | undefined): boolean => {
      const mask = compileTiming(timing);
      return mask !== undefined && isMatch(mask, wall);
    };
    const isAnd = days.startsWith('*') || weekdays.startsWith('*');
    return isAnd ? hit(day?.timing) && hit(weekday?.timing) : hit(day?.timing) || hit(weekday?.timing);
  };

  test.each([
    ['1', '*'],
    ['*', 'fri'],
    ['13', 'fri'],
    ['1,15', '1-5'],
    ['*/2', '1'],
    ['1-31', '1'],
    ['13', '0-6'],
    ['1-30', '0,6'],
    ['1-7', '*/2'],
  ])('days %s, weekdays %s: due exactly when cron says, and never twice', (days, weekdays) => {
    const { events, problems } = user(`0 12 ${days} * ${weekdays} x`);
    expect(problems).toEqual([]);
    const masks = events.map((event) => compileTiming(event.timing));
    for (let day = 0; day < 1_500; day += 1) {
      const noon = 1_760_000_400 - (1_760_000_400 % 86_400) + day * 86_400 + 43_200;
      const hits = masks.filter((mask) => mask !== undefined && isMatch(mask, wallTime(noon)));
      expect(hits).toHaveLength(runsInCron(days, weekdays, noon) ? 1 : 0);
    }
    expect(new Set(events.map((event) => event.title)).size).toBe(events.length);
  });
});

test('any text at all: valid events and reports, never an exception', () => {
  const piece = fc.constantFrom(
    '* * * * *',
    '@daily',
    '0 0 1 * 1',
    'SHELL=',
    'TZ=',
    'root',
    'echo',
    '%',
    '\\',
    '=',
    '"',
    "'",
    '#',
    ' ',
    '\t',
    '\n',
    '<',
    '\0',
    'x',
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(fc.oneof(piece, fc.string()), { maxLength: 40 }).map((list) => list.join(' ')),
  );
  fc.assert(
    fc.property(text, fc.string(), fc.boolean(), (content, fileName, userColumn) => {
      const { events, problems } = parseCrontabFile(content, { fileName, userColumn });
      for (const event of events) {
        expect(checkTiming(event.timing)).toBeUndefined();
        expect(event.title).toMatch(/^[^<>]*\S[^<>]*$/);
        expect(event.notes).not.toMatch(/[<>]/);
        expect(event.script).toMatch(/^#!\/\S+\n/);
      }
      expect(new Set(events.map((event) => event.title)).size).toBe(events.length);
      for (const problem of problems) expect(problem.reason).not.toBe('');
    }),
    { numRuns: 1_000 },
  );
});
