import { resolve } from 'node:path';
import type { Command } from 'commander';
import { planSchedule, type Plan } from '../../declare/plan.js';
import { problemText } from '../../declare/problem.js';
import { ownerPattern, readSchedule } from '../../declare/read-schedule.js';
import { writeSchedule } from '../../declare/write-schedule.js';
import { CommandError, exitCodes, UsageError } from '../../failures.js';
import type { Action, CommandRun, Session } from '../../session.js';
import { type AppliedChange, applyPlan, readPresent } from './apply.js';
import { readFiles, sourcesOf, writeFiles } from './directory.js';
import { headline, noPaint, type Paint, planJson, planText, terminalPaint } from './show-plan.js';

/** `plan`, `apply` and `schedule pull`. */
export function addScheduleCommands(program: Command, run: CommandRun): void {
  addPlanOptions(program.command('plan <directory>'))
    .description('show what apply would change; exit code 2 when there is something')
    .action(run.action(showPlan));
  addPlanOptions(program.command('apply <directory>'))
    .description('make the cluster as the YAML files of a directory declare it; asks before it deletes')
    .option('--prune', 'delete without asking what is no longer declared')
    .option('--no-prune', 'delete nothing')
    .option('-y, --yes', 'answer all questions with yes')
    .action(run.action(applyFiles));
  program
    .command('schedule')
    .description('files that declare a schedule')
    .command('pull <directory>')
    .description('write what the cluster has as files for plan and apply')
    .requiredOption('--owner <label>', 'label that marks what the directory looks after')
    .option('--owned-only', 'only what has that label already, not what belongs to nobody')
    .option('--force', 'replace files that are there')
    .action(run.action(pullFiles));
}

const addPlanOptions = (command: Command): Command =>
  command
    .option(
      '--owner <label>',
      'label that marks what the directory looks after, instead of that in the files',
    )
    .option('--adopt', 'take over records of the same ids that belong to nobody');

const showPlan: Action = async (session, directory = '') => {
  const plan = await makePlan(session, directory);
  if (session.json) session.printJson(planJson(plan));
  else session.print(planText(plan, paintFor(session)));
  return plan.changes.length === 0 ? exitCodes.ok : exitCodes.changes;
};

const applyFiles: Action = async (session, directory = '') => {
  const plan = await makePlan(session, directory);
  if (!session.json) session.print(planText(plan, paintFor(session)));
  const prune = await mayDelete(session, plan);
  const changes = prune ? plan.changes : plan.changes.filter(({ action }) => action !== 'delete');
  const done = await applyPlan(session.client, { changes }, (applied) => report(session, applied));
  const kept = plan.changes.length - changes.length;
  if (kept > 0) session.note(`${kept} not deleted`);
  if (session.json)
    session.printJson({ ...planJson({ ...plan, changes }), results: done.map(resultOf), kept });
  return done.some(({ refusal }) => refusal !== undefined) ? exitCodes.failure : exitCodes.ok;
};

/** Throws CommandError with every problem of the files, or of what they ask for. */
async function makePlan(session: Session, given: string): Promise<Plan> {
  const { io, options } = session;
  const directory = resolve(io.cwd ?? '.', given);
  const owner = ownerOption(session);
  const { schedule, problems } = readSchedule(readFiles(directory), sourcesOf(directory, io.env), owner);
  if (schedule === undefined) throw problemsError(problems);
  const plan = planSchedule(schedule, await readPresent(session.client), { adopt: options.flag('adopt') });
  if (plan.problems.length > 0) throw problemsError(plan.problems);
  return plan;
}

function ownerOption({ options }: Session): string | undefined {
  const owner = options.text('owner');
  if (owner !== undefined && !ownerPattern.test(owner)) {
    throw new UsageError(`--owner must be 1 to 64 letters, digits, _, - or .: ${owner}`);
  }
  return owner;
}

const problemsError = (problems: readonly Parameters<typeof problemText>[0][]): CommandError =>
  new CommandError(
    `The files cannot be applied:\n${problems.map((one) => `  ${problemText(one)}`).join('\n')}`,
  );

/** Asks a person where there is one. Throws UsageError when nobody can be asked. */
async function mayDelete({ io, options }: Session, plan: Plan): Promise<boolean> {
  const count = plan.changes.filter(({ action }) => action === 'delete').length;
  const prune = options.choice('prune') ?? (options.flag('yes') ? true : undefined);
  if (count === 0 || prune !== undefined) return prune ?? true;
  if (io.ask === undefined) {
    throw new UsageError(`${count} would be deleted, and nobody can be asked: say --prune or --no-prune`);
  }
  return io.ask(
    `Delete ${count} ${count === 1 ? 'record' : 'records'} that the files do not declare? [y/N] `,
  );
}

const past = { create: 'Created', update: 'Changed', delete: 'Deleted' } as const;

function report(session: Session, { change, refusal, warnings }: AppliedChange): void {
  const what = headline(change);
  if (refusal !== undefined) session.warn(`Refused to ${change.action} ${what}: ${refusal}`);
  else if (!session.json) session.print(`${past[change.action]} ${what}`);
  for (const warning of warnings) session.warn(`warning: ${what}: ${warning}`);
}

const resultOf = ({ change, refusal, warnings }: AppliedChange): Record<string, unknown> => ({
  action: change.action,
  kind: change.kind,
  id: change.id,
  ok: refusal === undefined,
  ...(refusal === undefined ? {} : { refusal }),
  ...(warnings.length === 0 ? {} : { warnings }),
});

const pullFiles: Action = async (session, given = '') => {
  const { io, options } = session;
  const owner = ownerOption(session) ?? '';
  const written = writeSchedule(await readPresent(session.client), owner, {
    ownedOnly: options.flag('ownedOnly'),
  });
  writeFiles(resolve(io.cwd ?? '.', given), written.files, options.flag('force'));
  const names = written.files.map(({ name }) => name);
  if (session.json) {
    const { count, unowned, secrets } = written;
    return session.printJson({ directory: given, files: names, count, unowned, secrets });
  }
  session.print(`Wrote ${written.count} records to ${given}: ${names.join(', ')}`);
  if (written.unowned > 0)
    session.note(`${written.unowned} of them belong to nobody: apply needs --adopt once`);
  for (const place of written.secrets) session.warn(`warning: written in clear, consider !env: ${place}`);
};

/** Colours only for people at a terminal who have not refused them. */
const paintFor = ({ io }: Session): Paint => (io.isTTY && !io.env['NO_COLOR'] ? terminalPaint : noPaint);
