/** Fenced blocks of a Markdown text: the words after the fence, the text, and the line it begins at (from 1). */
export function fencedBlocks(markdown) {
  const blocks = [];
  let open;
  markdown.split('\n').forEach((line, index) => {
    if (open === undefined) {
      const [, indent, fence, info] = /^( *)(`{3,})([^`]*)$/.exec(line) ?? [];
      if (fence !== undefined) {
        open = { indent: indent.length, fence, info: info.trim().split(/\s+/), line: index + 2, lines: [] };
      }
    } else if (line.trim() === open.fence) {
      const { info, line: begin, lines } = open;
      blocks.push({ info, line: begin, text: `${lines.join('\n')}\n` });
      open = undefined;
    } else open.lines.push(line.slice(Math.min(open.indent, line.length - line.trimStart().length)));
  });
  if (open !== undefined) throw new Error(`The block of line ${open.line} does not end`);
  return blocks;
}

/** The blocks that readers are meant to run, and the test does: those fenced with `sh run` or `crontab run`. */
export const runnableBlocks = (markdown) =>
  fencedBlocks(markdown).filter(({ info }) => ['sh', 'crontab'].includes(info[0]) && info[1] === 'run');

/** What a shell runs for a block; of `crontab`, the commands of its lines as cron would start them. */
export function shellText({ info, text }) {
  if (info[0] !== 'crontab') return text;
  return text.replaceAll(/^(?:\S+\s+){5}(.*)$/gm, (_line, command) => command.replaceAll('\\%', '%'));
}

/** Files that a document shows: blocks with the word `file`, whose first line is `# PATH`. */
export const shownFiles = (markdown) =>
  fencedBlocks(markdown)
    .filter(({ info }) => info.includes('file'))
    .map(({ text, line }) => {
      const [, path] = /^# (\S+)\n/.exec(text) ?? [];
      if (path === undefined) throw new Error(`The file of line ${line} does not begin with its path`);
      return { path, text };
    });

const programs = 'carillon|curl|docker|kubectl|npm|npx|node|openssl|\\S*\\.sh|\\.{0,2}/\\S+';
const commandLine = new RegExp(`^(?:\\$ )?(?:[A-Z_]+=\\S* +)*(?:${programs}) (?!──)`, 'm');

/** Whether a block is something to type: a fenced shell, or lines that begin with a program of these documents. */
export const hasCommands = ({ info, text }) =>
  ['sh', 'bash', 'shell', 'console', 'crontab'].includes(info[0]) ||
  (info[0] === '' && commandLine.test(text));
