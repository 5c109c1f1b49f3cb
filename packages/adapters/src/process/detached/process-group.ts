import { isProcessAlive, type ProcessIdentity } from '../../embedded-redis/process-table.js';
import { liveMembers, readEnvironment } from '../linux-strays.js';

/** What tells a process group from a later one with the same number: its leader, the keeper, and its mark. */
export interface GroupIdentity extends ProcessIdentity {
  /** `NAME=VALUE` in the environment of the processes of the run. */
  marker: string;
}

/** A process group that may be nobody's child here, and whose number may belong to strangers one day. */
export class ProcessGroup {
  readonly identity: GroupIdentity;
  #isGone = false;

  constructor(identity: GroupIdentity) {
    this.identity = identity;
  }

  /** True while its leader lives: cheap. */
  get hasKeeper(): boolean {
    return !this.#isGone && isProcessAlive(this.identity);
  }

  /** True while some process of it lives; without its leader this looks at all processes of the machine. */
  get isAlive(): boolean {
    return this.signal(0);
  }

  /** Signals all members; false, for ever, once none is left. Strangers are never signalled. `0` only asks. */
  signal(signal: 'SIGTERM' | 'SIGKILL' | 0): boolean {
    if (this.#isGone) return false;
    if (!this.hasKeeper && !this.#hasOrphans()) {
      this.#isGone = true;
      return false;
    }
    return this.#kill(signal);
  }

  /** Members that have outlived the keeper: those with the mark, or, where it cannot be seen, of its session. */
  #hasOrphans(): boolean {
    const { pid, startTicks, marker } = this.identity;
    if (startTicks === '') return this.#kill(0);
    return liveMembers(pid).some((member) => {
      const environment = readEnvironment(member.pid);
      return environment.length === 0
        ? member.session === pid && member.startTicks >= Number(startTicks)
        : environment.toString('latin1').split('\0').includes(marker);
    });
  }

  #kill(signal: 'SIGTERM' | 'SIGKILL' | 0): boolean {
    try {
      process.kill(-this.identity.pid, signal);
      return true;
    } catch (error) {
      // EPERM: there are members, all of another user.
      return error instanceof Error && 'code' in error && error.code === 'EPERM';
    }
  }
}
