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

/** The blocks that readers are meant to run, and the test does: those fenced with `sh run`. */
export const runnableBlocks = (markdown) =>
  fencedBlocks(markdown).filter(({ info }) => info[0] === 'sh' && info[1] === 'run');
