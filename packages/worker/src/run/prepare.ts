import { CarillonError, type JobFields } from '@carillon/contract';
import {
  type Environment,
  jobEnvironment,
  type OutputProtocol,
  parseCommand,
  PluginProtocol,
  type ProcessLauncher,
  type ProcessSpec,
  ShellProtocol,
  shellOptions,
  type UserInfo,
} from '@carillon/core';
import type { WorkerSettings } from '../settings.js';
import type { HeldRun } from './held-run.js';

/** What a run needs to start. */
export interface PreparedRun {
  spec: ProcessSpec;
  output: OutputProtocol;
}

const shellCommand = 'builtin:shell';

/** True for jobs whose script is run directly. */
export const isShellJob = (job: JobFields): boolean => job.command.trim() === shellCommand;

/** True for jobs whose process outlives the worker. */
export const isDetachedJob = (job: JobFields): boolean => Boolean(job.detached);

/** What a job's output means, from its first byte on. */
export const protocolOf = (job: JobFields, zone: string): OutputProtocol =>
  isShellJob(job) ? new ShellProtocol(shellOptions(job.params, zone)) : new PluginProtocol();

/** Value of `CARILLON_RUN` in the environment of all processes of a run; unique for this node. */
export const runMarker = (node: string, run: HeldRun): string => `${node}:${run.id}`;

/** What the marks of all attempts of a job on this node start with. */
export const jobMarker = (node: string, job: string): string => `${node}:${job}-`;

/**
 * Everything needed to start a run's process (behaviour reference 5.6, 6.1, 6.2). `base`: the scrubbed environment.
 * Throws CarillonError with the description of the job's failure when its user, group or built-in program is unknown.
 */
export async function prepareRun(
  run: HeldRun,
  base: Environment,
  settings: WorkerSettings,
  launcher: ProcessLauncher,
): Promise<PreparedRun> {
  const job: JobFields = {
    ...run.job,
    ...(run.log === undefined ? {} : { log_file: run.log.path }),
  };
  delete job.pid;
  const cwd = directoryOf(job, settings.workDirectory);
  const identity = await resolveIdentity(job, settings, launcher);
  const environment = jobEnvironment({
    base,
    job,
    cwd,
    version: settings.node.version,
    marker: runMarker(settings.node.id, run),
    ...(identity.user === undefined ? {} : { user: identity.user }),
  });
  return {
    output: protocolOf(job, settings.zone),
    spec: {
      program: isShellJob(job) ? scriptOf(job) : programOf(job, environment, settings),
      name: run.id,
      cwd,
      env: environment,
      ...identity.ids,
      stdin: (pid) => `${JSON.stringify({ ...job, pid })}\n`,
    },
  };
}

/** Absolute; a relative directory is one below the default. */
function directoryOf({ cwd }: JobFields, workDirectory: string): string {
  if (cwd === undefined || cwd === '') return workDirectory;
  return cwd.startsWith('/') ? cwd : `${workDirectory}/${cwd}`;
}

function scriptOf(job: JobFields): ProcessSpec['program'] {
  const script = Object.hasOwn(job.params, 'script') ? job.params['script'] : '';
  return { kind: 'script', source: typeof script === 'string' ? script : '' };
}

function programOf(
  job: JobFields,
  environment: Environment,
  settings: WorkerSettings,
): ProcessSpec['program'] {
  const command = parseCommand(job.command, environment);
  if (command.kind === 'exec') return command;
  const builtin = settings.builtins.get(command.name);
  if (builtin === undefined) {
    const reason = 'This worker has no such built-in program';
    throw new CarillonError('job', `Child spawn error: ${job.command}: ${reason}`);
  }
  return { kind: 'exec', file: builtin.file, args: [...builtin.args, ...command.args] };
}

interface Identity {
  user?: UserInfo;
  ids: { uid?: number; gid?: number };
}

/** User and group of the plugin; ids only where they differ from the worker's own. */
async function resolveIdentity(
  job: JobFields,
  settings: WorkerSettings,
  launcher: ProcessLauncher,
): Promise<Identity> {
  const hasUser = job.uid !== undefined && job.uid !== '';
  const hasGroup = job.gid !== undefined && job.gid !== '';
  if (!hasUser && !hasGroup) return { ids: {} };
  const user = hasUser ? await launcher.resolveUser(job.uid ?? '') : undefined;
  if (hasUser && user === undefined) {
    throw new CarillonError('job', `Plugin Error: User does not exist: ${job.uid}`);
  }
  const group = hasGroup ? await launcher.resolveGroup(job.gid ?? '') : undefined;
  if (hasGroup && group === undefined) {
    throw new CarillonError('job', `Plugin Error: Group does not exist: ${job.gid}`);
  }
  const own = settings.process.uid;
  if (own !== 0) {
    if (user?.uid === own && !hasGroup) return { user, ids: {} };
    const wanted = hasUser ? `user ${job.uid}` : `group ${job.gid}`;
    throw new CarillonError('job', `Plugin Error: Cannot run as ${wanted}: the worker does not run as root`);
  }
  const gid = group ?? user?.gid;
  return {
    ...(user === undefined ? {} : { user }),
    ids: { ...(user === undefined ? {} : { uid: user.uid }), ...(gid === undefined ? {} : { gid }) },
  };
}
