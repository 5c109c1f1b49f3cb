import { LineSplitter, PluginProtocol, ShellProtocol, type OutputProtocol } from '@carillon/core';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

const encoder = new TextEncoder();
const text = (pieces: readonly Uint8Array[]): string => Buffer.concat(pieces).toString();

/** Cuts bytes at the given places. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  const ends = [...sorted, bytes.length];
  return ends.map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end));
}

function run(protocol: OutputProtocol, chunks: readonly Uint8Array[], nowMs = 0): string {
  const log = chunks.flatMap((chunk) => protocol.stdout(chunk, nowMs));
  return text([...log, ...protocol.end(nowMs)]);
}

const shell = (options: Partial<{ annotate: boolean; json: boolean }> = {}) =>
  new ShellProtocol({ annotate: false, json: false, zone: 'UTC', ...options });

const lines = fc.array(
  fc.oneof(
    fc.constantFrom(
      '',
      '   ',
      '{}',
      '{"progress":0.5}',
      ' {"perf":"a=1"} \r',
      '{"complete":1,"code":7}',
      '{bad}',
      '{"x":1}',
    ),
    fc.constantFrom('50%', ' 7 % ', '  99%\r', '12 monkeys', '{', '}', 'ünï→🚀', 'plain text'),
    fc.string({ maxLength: 20 }),
  ),
);

describe('chunking never matters', () => {
  const makers: [string, () => OutputProtocol][] = [
    ['plugin', () => new PluginProtocol()],
    ['shell', () => shell()],
    ['shell with json', () => shell({ json: true })],
    ['shell with json and annotate', () => shell({ json: true, annotate: true })],
  ];
  test.each(makers)('%s', (_name, make) => {
    fc.assert(
      fc.property(lines, fc.boolean(), fc.array(fc.nat()), (content, terminated, places) => {
        const bytes = encoder.encode(content.join('\n') + (terminated ? '\n' : ''));
        const whole = make();
        const pieces = make();
        expect(run(pieces, cut(bytes, places))).toBe(run(whole, [bytes]));
        expect(pieces.report).toEqual(whole.report);
      }),
    );
  });

  test.each(makers)('%s: what is logged of a beginning depends on its bytes alone', (_name, make) => {
    fc.assert(
      fc.property(lines, fc.nat(), fc.array(fc.nat()), fc.array(fc.nat()), (content, end, one, other) => {
        const bytes = encoder.encode(content.join('\n'));
        const beginning = bytes.subarray(0, end % (bytes.length + 1));
        const logged = (places: number[]): string => {
          const protocol = make();
          return text(cut(beginning, places).flatMap((chunk) => protocol.stdout(chunk, 0)));
        };
        // Who replays a beginning must leave off exactly where the first reader did.
        expect(logged(one)).toBe(logged(other));
      }),
    );
  });

  test('every byte comes out, in order, with a tiny limit too', () => {
    fc.assert(
      fc.property(lines, fc.array(fc.nat()), fc.integer({ min: 1, max: 8 }), (content, places, limit) => {
        const bytes = encoder.encode(content.join('\n'));
        const collect = (chunks: Uint8Array[]): string[] => {
          const out: string[] = [''];
          const splitter = new LineSplitter(
            {
              text: (part) => void (out[out.length - 1] += Buffer.from(part).toString('latin1')),
              line: (part) => void out.push(`<${Buffer.from(part).toString('latin1')}>`, ''),
            },
            { isHeld: (byte) => byte === 123, limit },
          );
          for (const chunk of chunks) splitter.feed(chunk);
          splitter.end();
          return out;
        };
        const pieces = collect(cut(bytes, places));
        expect(pieces).toEqual(collect([bytes]));
        const joined = pieces.map((part, index) => (index % 2 === 1 ? part.slice(1, -1) : part)).join('');
        expect(joined).toBe(Buffer.from(bytes).toString('latin1'));
      }),
    );
  });

  test('with each line, no piece of text crosses the start of a line', () => {
    fc.assert(
      fc.property(lines, fc.array(fc.nat()), fc.integer({ min: 1, max: 8 }), (content, places, limit) => {
        const bytes = encoder.encode(content.join('\n'));
        let atStart = true;
        const splitter = new LineSplitter(
          {
            text: (part, startsLine) => {
              expect(startsLine).toBe(atStart);
              expect(part.subarray(0, -1).includes(10)).toBe(false);
              atStart = part[part.length - 1] === 10;
            },
            line: () => {
              atStart = true;
            },
          },
          { isHeld: (byte) => byte === 123, eachLine: true, limit },
        );
        for (const chunk of cut(bytes, places)) splitter.feed(chunk);
        splitter.end();
      }),
    );
  });
});

describe('PluginProtocol', () => {
  const feed = (output: string): { log: string; protocol: PluginProtocol } => {
    const protocol = new PluginProtocol();
    return { log: run(protocol, [encoder.encode(output)]), protocol };
  };

  test('messages are taken out, everything else is logged, blank lines and the last line included', () => {
    const { log, protocol } = feed(
      'one\n{"progress":0.25}\n\n  \n{}\n{not json}\n{"perf":"a=1","label":5}\nlast',
    );
    expect(log).toBe('one\n\n  \n{}\n{not json}\nlast');
    expect(protocol.report).toEqual({
      progress: 0.25,
      reported: { progress: 0.25, perf: 'a=1', label: '5' },
    });
  });

  test('an unterminated last message counts', () => {
    expect(feed('{"complete":1}').protocol.report.completion).toEqual({ code: 0, description: '' });
  });

  test('JSON without any known key is log output', () => {
    const { log, protocol } = feed('{"level":"info","msg":"hi"}\n{"__proto__":1}\n');
    expect(log).toBe('{"level":"info","msg":"hi"}\n{"__proto__":1}\n');
    expect(protocol.report).toEqual({ reported: {} });
  });

  test('messages after completion change nothing', () => {
    const { protocol } = feed(
      '{"complete":1,"code":3,"description":"x"}\n{"complete":1,"code":0,"perf":"a=1"}\n',
    );
    expect(protocol.report).toEqual({ completion: { code: 3, description: 'x' }, reported: {} });
  });

  test('values of a wrong type are ignored, near ones are made to fit', () => {
    const { protocol } = feed(
      '{"progress":7,"table":[1],"html":"<b>","chain":false,"chain_error":{},"chain_params":[],"label":true}\n' +
        '{"progress":"nonsense","update_event":{"enabled":0},"notify_fail":null,"memo":1}\n',
    );
    expect(protocol.report.reported).toEqual({
      progress: 1,
      html: '<b>',
      chain: '',
      update_event: { enabled: 0 },
      notify_fail: '',
    });
  });

  test.each<[string, number | string]>([
    ['{"complete":1,"code":"0"}', '0'],
    ['{"complete":true,"code":"E1"}', 'E1'],
    ['{"complete":1,"code":null}', 0],
    ['{"complete":1,"code":false}', 0],
    ['{"complete":1,"code":{}}', 1],
    ['{"complete":1,"code":true}', 1],
  ])('%s', (line, code) => {
    expect(feed(line).protocol.report.completion?.code).toBe(code);
  });

  test('a message beyond the line limit is logged whole, whatever the chunks', () => {
    const line = `{"progress":0.5,"html":"${'x'.repeat(1_100_000)}"}\n`;
    const bytes = encoder.encode(`${line}{"progress":1}\n`);
    for (const places of [[], [5, 600_000, 1_050_000]]) {
      const protocol = new PluginProtocol();
      expect(run(protocol, cut(bytes, places))).toBe(line);
      expect(protocol.report.progress).toBe(1);
    }
  });

  test('standard error is logged as it is', () => {
    expect(text(new PluginProtocol().stderr(encoder.encode('{"complete":1}\n')))).toBe('{"complete":1}\n');
  });
});

describe('ShellProtocol', () => {
  test('percentages are progress and not logged', () => {
    const protocol = shell();
    expect(run(protocol, [encoder.encode('a\n10%\n 50 %\n 250%\n99 bottles\n7')])).toBe(
      'a\n 50 %\n99 bottles\n7',
    );
    expect(protocol.report.progress).toBe(1);
  });

  test('JSON lines are text unless asked for', () => {
    const line = '{"progress":0.5}\n';
    const without = shell();
    expect(run(without, [encoder.encode(line)])).toBe(line);
    expect(without.report.progress).toBeUndefined();
    const asked = shell({ json: true });
    expect(run(asked, [encoder.encode(line)])).toBe('');
    expect(asked.report.progress).toBe(0.5);
  });

  test('annotate puts the local time before each line, once', () => {
    const protocol = shell({ annotate: true });
    const atMs = Date.UTC(2024, 0, 2, 3, 4, 5);
    const log = run(
      protocol,
      ['par', 'tial\n5 a\n50%\n\nx'].map((part) => encoder.encode(part)),
      atMs,
    );
    const stamp = '[2024/01/02 03:04:05] ';
    expect(log).toBe(`${stamp}partial\n${stamp}5 a\n${stamp}\n${stamp}x`);
  });

  test('the start of standard error becomes the report, escaped', () => {
    const protocol = shell();
    protocol.stderr(encoder.encode('\n first <b>&\nsecond\n'));
    protocol.end(0);
    expect(protocol.firstErrorLine).toBe('first <b>&');
    expect(protocol.report.reported['html']).toEqual({
      title: 'Error Output',
      content: '<pre>first &lt;b&gt;&amp;\nsecond</pre>',
    });
  });

  test('keeps 32 kB of standard error, cut between characters for the reader', () => {
    const protocol = shell();
    for (let n = 0; n < 5; n += 1) protocol.stderr(encoder.encode('ü'.repeat(8191)));
    protocol.end(0);
    expect(protocol.report.reported['html']).toEqual({
      title: 'Error Output',
      content: `<pre>${'ü'.repeat(16_384)}</pre>`,
    });
    expect(protocol.firstErrorLine).toBeUndefined();
  });

  test('a report of the script itself stays', () => {
    const protocol = shell({ json: true });
    protocol.stdout(encoder.encode('{"html":{"content":"mine"}}\n'), 0);
    protocol.stderr(encoder.encode('oops'));
    protocol.end(0);
    expect(protocol.report.reported['html']).toEqual({ content: 'mine' });
  });
});

describe('a message nobody could pass on', () => {
  const nested = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;

  test.each(['description', 'perf', 'chain_data'])('is log output: %s nested without end', (key) => {
    const line = `{"complete":1,"${key}":${nested(20_000)}}`;
    const protocol = new PluginProtocol();
    // Without a newline it is read only when the output has ended.
    expect(run(protocol, [encoder.encode(line)])).toBe(line);
    expect(protocol.report).toEqual({ reported: {} });
  });

  test('nesting within reason is a message', () => {
    const protocol = new PluginProtocol();
    run(protocol, [encoder.encode(`{"complete":1,"chain_data":${nested(50)}}\n`)]);
    expect(protocol.report.completion).toEqual({ code: 0, description: '' });
  });

  test('a code that is no finite number is a failure', () => {
    const protocol = new PluginProtocol();
    run(protocol, [encoder.encode('{"complete":1,"code":1e999}\n')]);
    expect(protocol.report.completion).toEqual({ code: 1, description: '' });
  });
});
